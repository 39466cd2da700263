"""A flood of what no lane should have to read: each message is counted with its reason, and nothing stops."""

from __future__ import annotations

import random
from threading import Thread

import pytest

from bench.fuzz import BEAT_TIMEOUT_S, counted, differences, turns
from bench.intruder import Intruder, bombard
from bench.shots import KINDS, left_behind, shots
from edge.broker import Address
from edge.demo.score import conservation
from tests.integration.test_daemon import Site, ended, items, run_lane, wait_for

MESSAGES, RATE, ITEMS = 2000, 400, 8


@pytest.fixture
def site(tmp_path, broker, endpoint):
    return Site(tmp_path, broker.port, endpoint)


def test_every_message_is_counted_with_its_reason_and_no_item_is_lost(site, broker):
    with Intruder(Address(broker.host, broker.port, "site", "lane")) as intruder:
        waiting = bombard(intruder, left_behind(), RATE)
        with site.daemon():
            lane = Thread(target=run_lane, args=(site, broker, items(site.folder, ITEMS)))
            lane.start()
            assert intruder.ready.wait(30)
            before = turns(site.metrics)
            fired = bombard(intruder, shots(MESSAGES, random.Random(1), intruder.heard), RATE)
            lane.join()
            wait_for(lambda: len(ended(site)) == ITEMS)  # the last one's word may still be under way
            found, turned = counted(site.metrics), turns(site.metrics) - before
    assert differences(fired.to_count + waiting.to_count, found) == {}
    assert fired.by_kind.keys() == KINDS.keys()
    assert fired.longest_silence_s < BEAT_TIMEOUT_S
    assert turned > 100 * fired.lasted_s
    books = conservation(site.said())
    assert (books["inducted"], books["no_decision"], books["violations"]) == (ITEMS, ITEMS, 0)  # nobody can judge them
