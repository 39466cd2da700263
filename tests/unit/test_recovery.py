"""What a journal says was on the belt comes back as it was."""

import json
from dataclasses import replace
from datetime import date

import pytest

from edge.core.bodies import body
from edge.core.messages import Announcement, Disposition, DivertOutcome, End, ItemEnd, Result, Verdict
from edge.core.recovery import HEARD, Known, heard_of, item_of, recovered, still_announced
from tests.unit.lane import EXPECTED, evidence, item


def entry(record):
    return type(record).__name__, json.loads(json.dumps(body(record)))


def verdict(item_id):
    return Verdict(item_id, None, 0, Disposition.PASS, (), (), (evidence(),), "r", 0, None, 0, 0)


def test_an_end_of_an_item_from_before_the_entries_that_were_read_is_of_no_known_life():
    records = [ItemEnd("i-0", End.PASSED, 5, 0, "exit", 12), item("i-1")]
    assert "exit" not in recovered(map(entry, records)).next_seq


def test_an_empty_journal_knows_nothing():
    assert recovered([]) == Known()


@pytest.mark.parametrize("expiry", [date(2027, 3, 12), None])
def test_an_item_comes_back_as_it_was(expiry):
    one = item(expected=replace(EXPECTED, expiry=expiry, attributes=(("colour", "red"),)))
    assert item_of(entry(one)[1]) == one


def test_an_item_nobody_announced_comes_back_from_another_versions_journal():
    assert item_of(entry(item(expected=None))[1] | {"of_another_version": 1}) == item(expected=None)


def test_items_without_an_end_come_back_with_their_verdicts():
    records = [item("i-1"), item("i-2"), item("i-3"), verdict("i-1"), verdict("i-2")]
    records += [DivertOutcome(None, "i-1", Result.MISSED, None, ""), ItemEnd("i-1", End.MISSED, None, 0)]
    known = recovered(map(entry, records))
    assert [one.item_id for one in known.items] == ["i-2", "i-3"]
    assert known.dispositions == {"i-2": Disposition.PASS}


def test_the_edges_go_on_behind_the_youngest_item():
    young = replace(item("i-2", length_mm=None), edge_seq=8, boot=7)
    assert recovered([entry(young)]).next_seq == {"induct": 9}
    measured = recovered([entry(replace(young, length_mm=150.0))])
    assert (measured.next_seq, measured.boot) == ({"induct": 10}, 7)


def test_an_older_item_that_is_written_once_more_turns_nothing_back():
    old, young = (replace(item(f"i-{n}"), edge_seq=2 * n, boot=7) for n in (3, 4))
    for again in (replace(old, slip_counts=5), replace(old, purge="held")):
        assert recovered(map(entry, [old, young, again])).next_seq == {"induct": 10}


def test_a_plc_that_counts_anew_without_saying_so_is_followed():
    before, after = replace(item("i-1"), edge_seq=900, boot=0), replace(item("i-2"), edge_seq=2, boot=0)
    assert recovered(map(entry, [before, after])).next_seq == {"induct": 4}


def test_the_last_announcements_are_known_again():
    told = [Announcement(replace(EXPECTED, wms_item=f"w-{n}", scan_counts=n or None), 7) for n in range(HEARD + 2)]
    heard = heard_of(map(entry, [item("i-1"), *told]))
    assert (len(heard), heard[-1]) == (HEARD, ("w-1025", 1025))
    assert heard_of(map(entry, told[:1])) == (("w-0", None),)


def test_the_other_eyes_go_on_behind_the_last_item_they_saw():
    records = [item("i-1"), ItemEnd("i-1", End.PASSED, 5, 0, "exit", 12), item("i-2")]
    known = recovered(map(entry, records))
    assert known.next_seq == {"induct": known.next_seq["induct"], "exit": 14}
    other_life = [entry(replace(item("i-0"), boot=1)), entry(ItemEnd("i-0", End.PASSED, 5, 0, "exit", 99))]
    assert "exit" not in recovered([*other_life, entry(item("i-2"))]).next_seq


def test_what_was_announced_and_has_not_come_is_still_announced():
    come, coming = (Announcement(replace(EXPECTED, wms_item=f"w-{n}", scan_counts=n), 7) for n in (1, 2))
    nowhere = Announcement(replace(EXPECTED, wms_item="w-3", scan_counts=None), 7)
    records = [come, coming, nowhere, item("i-0", expected=None), item("i-1", expected=come.expected)]
    assert still_announced(map(entry, records)) == (coming,)
