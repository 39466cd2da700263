"""What was said to a daemon that died before it had written it down is said again to the next; and only that."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager

import pytest

from edge.broker import Address
from edge.core.topics import BELT, CONFIRM, INDUCT
from edge.records.ledger_file import FILE
from edge.simulator.mqtt import Party
from edge.simulator.plan import Plan
from edge.simulator.run import Patience, simulate
from tests.integration.test_daemon import LANE, WAIT_S, Site, items, state, wait_for

BELT_S = 0.02
BOOT = 7
HERE_COUNTS = 5000  # the belt stands
AWAY_S = 8.0  # longer than a PLC repeats its edges


@pytest.fixture
def site(tmp_path, broker, endpoint):
    return Site(tmp_path, broker.port, endpoint)


@contextmanager
def daemon(site):
    with (site.folder / "log").open("a") as log:
        running = subprocess.Popen([sys.executable, "-m", "edge", "run", str(site.config)], stderr=log)
        try:
            yield running
        finally:
            running.kill()
            running.wait(WAIT_S)


@contextmanager
def standing_belt(broker):
    """A PLC that repeats no edge: what it says of them on `confirm` is all there is."""
    stopped = threading.Event()
    told = {"counts": HERE_COUNTS, "plc_ns": 0, "speed_mm_per_s": 0.0, "edges": [], "boot": BOOT}

    def beat():
        while not stopped.wait(BELT_S):
            party.publish(BELT, told)

    with Party("plc", Address(broker.host, broker.port, "site", "lane")) as party:
        beating = threading.Thread(target=beat)
        beating.start()
        try:
            yield party
        finally:
            stopped.set()
            beating.join()


@contextmanager
def locked(site):
    """The journal can be read, and nobody but us may write it."""
    base = sqlite3.connect(site.folder / "state" / FILE, isolation_level=None)
    base.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        base.close()


def comes(party, number):
    """Announced, and at the induct eye with both its edges."""
    lead = HERE_COUNTS - 3000 + 1500 * number
    scan = lead - round(LANE.scanner_mm * LANE.counts_per_mm)
    order = {"item": f"w-{number}", "gtin": "04012345678901", "order_line": f"o-{number}", "scan_counts": scan}
    party.publish(INDUCT, order)
    edges = [{"eye": "induct", "seq": 2 * number + n, "counts": lead + 1200 * n, "dark": n == 0} for n in (0, 1)]
    party.publish(CONFIRM, {"edges": edges, "boot": BOOT})


def hears_the_belt(party, site):
    """An announcement far from here is written down with the life of the PLC that `belt` has told."""
    party.publish(INDUCT, {"item": "far", "gtin": "04012345678901", "order_line": "far", "scan_counts": -(10**6)})
    return any(kind == "Announcement" and body["boot"] == BOOT for kind, body in site.said())


def born(site):
    """Number of the edge → the order of the item that was born there; a Counter of births beside it."""
    said = [body for kind, body in site.said() if kind == "Item"]
    orders = {body["edge_seq"]: (body["expected"] or {}).get("order_line") for body in said}
    return orders, Counter(edge for edge, _ in {(body["edge_seq"], body["item_id"]) for body in said})


def inducted(site):
    return next((line for line in site.scraped().splitlines() if line.startswith("tunnel_items_inducted_total")), "")


def has_born(site, count):
    return wait_for(lambda: born(site)[0] == {2 * n: f"o-{n}" for n in range(count)}) or born(site)[0]


def is_up(broker):
    return wait_for(lambda: any(one in state(broker) for one in ("Idle", "Execute", "Held")))


def test_what_was_taken_and_not_yet_written_is_there_again(site, broker):
    with standing_belt(broker) as plc:
        with daemon(site) as running:
            assert is_up(broker)
            assert wait_for(lambda: hears_the_belt(plc, site))
            comes(plc, 0)
            assert wait_for(lambda: born(site)[0] == {0: "o-0"})
            with locked(site):
                comes(plc, 1)
                assert wait_for(lambda: inducted(site).endswith(" 2.0"))  # the loop has it
                running.kill()
                running.wait(WAIT_S)
        assert born(site)[0] == {0: "o-0"}  # the disk has not
        for number in (2, 3):  # and in a third life nothing is said again
            with daemon(site):
                assert has_born(site, number) is True
                comes(plc, number)
                assert has_born(site, number + 1) is True
        assert set(born(site)[1].values()) == {1}


def test_who_was_away_for_long_is_told_all_of_it(site, broker):
    """Longer than the PLC repeats edges: items came, were diverted by the gate's safe side, and were gone."""
    planned = items(site.folder, 24)
    plan = Plan("site", "lane", LANE, planned, speed_mm_per_s=500, items_per_minute=80)
    with daemon(site):
        assert is_up(broker)
        lane = threading.Thread(
            target=simulate,
            args=(plan, broker.host, broker.port, site.frames, site.folder / "truth.json"),
            kwargs={"patience": Patience(grace_s=AWAY_S)},
        )
        lane.start()
        assert wait_for(lambda: len(born(site)[0]) > 2)
    time.sleep(AWAY_S)
    with daemon(site):
        assert wait_for(lambda: site.log().count("connected to broker") == 2)  # it has taken all, and dies of it
    with daemon(site):
        lane.join(WAIT_S)
        pulled = [
            one for one in json.loads((site.folder / "truth.json").read_text())["items"] if one["went"] == "reject"
        ]
        asked = wait_for(lambda: len(asked_for(site)) >= len(pulled))
    said = site.said()
    assert asked, (len(pulled), Counter(body["end"] for kind, body in said if kind == "ItemEnd"))
    assert sorted(asked_for(site)) == sorted(one["order_line"] for one in pulled)
    assert sum(kind == "ItemEnd" for kind, _ in said) == len(planned)


def asked_for(site):
    return [body["order_line"] for kind, body in site.said() if kind == "ReplacementRequest"]
