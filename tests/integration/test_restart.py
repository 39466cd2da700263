"""The daemon is killed with items on the belt: nothing is lost from the books, and nothing passes unjudged for long."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from edge.demo.scene import Scene
from edge.demo.score import account, conservation
from edge.records.outbox import outbox
from edge.simulator.plan import Plan
from edge.simulator.run import Patience, simulate
from tests.integration.test_daemon import LANE, WAIT_S, Site, items, state, wait_for

ITEMS = 24


@pytest.fixture
def site(tmp_path, broker, endpoint):
    return Site(tmp_path, broker.port, endpoint)


def daemon(site):
    with (site.folder / "log").open("a") as log:
        return subprocess.Popen([sys.executable, "-m", "edge", "run", str(site.config)], stderr=log)


def test_killed_again_and_again_with_items_on_the_belt(site, broker):
    plan = Plan("site", "lane", LANE, items(site.folder, ITEMS), speed_mm_per_s=500, items_per_minute=80)
    running = daemon(site)
    assert wait_for(lambda: "Execute" in state(broker))
    lane = threading.Thread(
        target=simulate,
        args=(plan, broker.host, broker.port, site.frames, site.folder / "truth.json"),
        kwargs={"patience": Patience(grace_s=6)},
    )
    lane.start()
    chance = random.Random(7)
    for _ in range(3):
        time.sleep(chance.uniform(2.5, 4.0))
        running.kill()
        running.wait(WAIT_S)
        running = daemon(site)
    lane.join(120)
    assert wait_for(lambda: None not in outbox(site.folder / "state").values())
    running.terminate()
    running.wait(WAIT_S)
    books = conservation(site.said())
    assert running.returncode == 0
    run = account(site.folder / "state", site.folder / "truth.json", Scene("", (), (), (), {}, {}))
    told = Counter((one.end or {"end": None})["end"] for one in run.stories)
    assert books["violations"] == 0, (books, told)
    assert books["on_belt"] == 0, (books, told)
    assert books["inducted"] == ITEMS, (books, told)  # each was born, though at some births nobody was there
    commands = Counter(body["command_id"] for kind, body in site.said() if kind == "DivertCommand")
    assert all(one.truth["went"] == "reject" or one.end["end"] in ("missed", "no_decision") for one in run.stories)
    assert max(run.received.values()) <= 2  # the same id may come again after a kill; it is one request
    assert len(commands) <= ITEMS
