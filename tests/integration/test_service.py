"""The daemon as a service: what it tells the service manager, how it ends, and that there is one a lane."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from edge.app import QUIET_NS
from edge.core.belt import NS_PER_S
from edge.core.topics import HEARTBEAT
from edge.demo.scene import Scene
from edge.demo.score import account, conservation
from edge.records.outbox import outbox
from edge.simulator.plan import Plan
from edge.simulator.plc import HEARTBEAT_NS
from edge.simulator.run import Patience, simulate
from tests.integration.test_daemon import LANE, WAIT_S, Site, items, state, wait_for


class Manager:
    """The socket on which a service manager listens."""

    def __init__(self, folder):
        self.path = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.setblocking(False)
        self.told = []

    def heard(self, word):
        try:
            while True:
                self.told += [(time.monotonic(), line) for line in self._socket.recv(4096).decode().split("\n")]
        except BlockingIOError:
            return any(line == word for _, line in self.told)

    def close(self):
        self._socket.close()


@pytest.fixture
def site(tmp_path, broker, endpoint):
    return Site(tmp_path, broker.port, endpoint)


@pytest.fixture
def manager(tmp_path, monkeypatch):
    listening = Manager(tmp_path)
    monkeypatch.setenv("NOTIFY_SOCKET", listening.path)
    monkeypatch.setenv("WATCHDOG_USEC", "2000000")
    yield listening
    listening.close()


def test_ready_only_with_a_broker_and_alive_as_long_as_the_loop_turns(site, broker, manager):
    broker.stop()
    with site.daemon() as running:
        assert wait_for(lambda: manager.heard("STATUS=waiting for the broker"))
        assert not manager.heard("READY=1")
        broker.start()
        assert wait_for(lambda: manager.heard("READY=1"))
        assert wait_for(lambda: manager.heard("STATUS=Execute: inspecting"))
        running.send_signal(signal.SIGSTOP)  # the process stands, and with it the loop
        manager.heard("")
        manager.told.clear()
        time.sleep(1.2)  # more than twice the time in which it would have spoken
        assert not manager.heard("WATCHDOG=1")
        running.send_signal(signal.SIGCONT)
        assert wait_for(lambda: manager.heard("WATCHDOG=1"))
    assert manager.heard("STOPPING=1")


def test_a_second_start_on_a_lane_is_refused_and_told_who_has_it(site, broker):
    with site.daemon() as running:
        assert wait_for(lambda: "Execute" in state(broker))
        second = run(site)
        assert second.returncode == 1
        assert f"in use by process {running.pid} since" in second.stderr
        assert running.poll() is None
        running.kill()
        running.wait(WAIT_S)
    with site.daemon():  # a killed one leaves no lock behind
        assert wait_for(lambda: "Execute" in state(broker))


def test_settings_that_are_wrong_end_it_with_a_code_of_their_own(site):
    site.config.write_text(site.config.read_text().replace("gate_mm", "gaet_mm"))
    assert run(site).returncode == 78


def run(site):
    words = [sys.executable, "-m", "edge", "run", str(site.config)]
    return subprocess.run(words, capture_output=True, text=True, timeout=WAIT_S, check=False, env=os.environ)


def test_told_to_end_it_finishes_what_is_at_the_gate_and_what_is_owed(site, broker):
    """Told so with items everywhere on the belt: what is decided ends, nothing passes as good, none is forgotten."""
    plan = Plan("site", "lane", LANE, items(site.folder, 16), speed_mm_per_s=500, items_per_minute=120)
    words = (plan, broker.host, broker.port, site.frames, site.folder / "truth.json")
    lane = threading.Thread(target=simulate, args=words, kwargs={"patience": Patience(grace_s=6)})
    with site.daemon() as running:
        assert wait_for(lambda: "Execute" in state(broker))
        lane.start()
        assert wait_for(lambda: len(said(site, "ItemEnd")) >= 3)
        before = decided(site)
        running.terminate()
        assert running.wait(WAIT_S) == 0
    assert before <= {body["item_id"] for body in said(site, "ItemEnd")}
    assert "Stopped" in state(broker)
    with site.daemon():
        lane.join(120)
        assert wait_for(lambda: None not in outbox(site.folder / "state").values())
    books = conservation(site.said())
    assert (books["violations"], books["on_belt"], books["inducted"]) == (0, 0, 16)
    run = account(site.folder / "state", site.folder / "truth.json", Scene("", (), (), (), {}, {}))
    good = [(one.end, one.truth) for one in run.stories if one.truth["went"] != "reject"]
    assert all(end["end"] in ("missed", "no_decision") for end, _ in good), (
        good
    )  # a machine that is too busy misses some


def test_it_goes_on_deciding_until_no_beat_can_be_believed_any_longer():
    """The last one may lie at a busy broker until it expires; only then the PLC begins to wait for the next."""
    assert HEARTBEAT.expiry_s * NS_PER_S + HEARTBEAT_NS < QUIET_NS


def said(site, wanted):
    return (
        [body for kind, body in site.said() if kind == wanted] if (site.folder / "state/ledger.sqlite").exists() else []
    )


def decided(site):
    return {body["item_id"] for body in said(site, "Verdict")}
