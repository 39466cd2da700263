"""An item's story in words: each kind of entry, and what changed between two."""

import pytest

from edge.core.story import lines

ORDER = {"wms_item": "w-1", "order_line": "o-1", "gtin": "04012345678901", "lot": "L1", "expiry": "2027-01-31"}
BORN = {
    "item_id": "lane-1", "born_ns": 5_000_000_000, "leading_edge_counts": 1000, "length_mm": None, "expected": None,
    "purge": "", "slip_counts": 0,
}  # fmt: skip


def told(*entries):
    return [(one.since_ns, one.what, one.words) for one in lines((n, *entry) for n, entry in enumerate(entries))]


def test_an_item_is_told_by_what_is_new_of_it():
    seen = [
        BORN,
        BORN | {"expected": ORDER, "length_mm": 180.0},
        BORN | {"expected": ORDER, "length_mm": 180.0},
        BORN | {"expected": ORDER, "length_mm": 180.0, "purge": "the box restarted", "slip_counts": 30},
    ]
    assert told(*(("Item", one) for one in seen)) == [
        (0, "Item", "at the photoeye at 1000 counts; not announced"),
        (
            None,
            "Item",
            "announced as w-1 for order line o-1 (GTIN 04012345678901, lot L1, expiry 2027-01-31); 180 mm long",
        ),
        (None, "Item", "to be diverted whatever it looks like: the box restarted; slipped by 30 counts"),
    ]


EVIDENCE = {
    "item_id": "lane-1", "check": "expiry", "camera": "top", "score": None, "reading": "2026-12-31", "kind": "use_by",
    "probability": 0.987, "because": "use by", "exposed_ns": 5_500_000_000, "started_ns": 5_510_000_000,
    "finished_ns": 5_580_000_000, "valid": True,
}  # fmt: skip
VERDICT = {
    "disposition": "no_decision", "recipe": "standard", "reasons": ["anomaly (top): no references"], "decided_ns":
    7_000_000_000, "deadline_ns": 7_000_000_000, "skipped": ["lot (side)"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "body", "since_ns", "words"),
    [
        (
            "Evidence",
            EVIDENCE,
            580_000_000,
            "expiry of camera top, reads 2026-12-31 (use_by), probability 0.987, 80 ms after its exposure: use by",
        ),
        (
            "Evidence",
            EVIDENCE | {"score": 1.234, "reading": None, "probability": None, "started_ns": 0, "valid": False},
            580_000_000,
            "expiry of camera top, score 1.23: vouches for nothing: use by",
        ),
        (
            "Evidence",
            EVIDENCE | {"score": 1.234, "reading": None, "probability": None, "started_ns": 0, "learnt": "0123abcd"},
            580_000_000,
            "expiry of camera top, score 1.23, held against 0123abcd: use by",
        ),
        (
            "Verdict",
            VERDICT,
            2_000_000_000,
            "no decision, at its deadline, by recipe standard: anomaly (top): no references; without lot (side)",
        ),
        (
            "Verdict",
            VERDICT | {"disposition": "pass", "reasons": [], "skipped": [], "deadline_ns": 7_250_000_000},
            2_000_000_000,
            "pass, 250 ms before its deadline, by recipe standard: every rule is content",
        ),
        ("DivertAck", {"status": "late"}, None, "the PLC says: late"),
        (
            "DivertOutcome",
            {"result": "missed", "because": "not seen", "seen_counts": None},
            None,
            "missed: not seen",
        ),
        ("ItemEnd", {"end": "no_decision", "eye": "confirm", "ended_ns": 9_000_000_000}, 4_000_000_000,
         "no decision, seen by the confirm eye"),
        ("Complaint", {"by": "Kim", "why": "crushed", "order_line": None}, None, "by Kim, why crushed"),
    ],
)  # fmt: skip
def test_each_kind_of_entry_in_words(kind, body, since_ns, words):
    assert told(("Item", BORN), (kind, body))[1:] == [(since_ns, kind, words)]
