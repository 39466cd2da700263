"""The sentinel as a process of its own, beside the daemon, over a real broker."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import pytest

from edge.broker import Address
from edge.core.topics import LINE_STOP
from edge.simulator.mqtt import Party
from tests.integration import plcs
from tests.integration.conftest import free_port
from tests.integration.test_daemon import Site, state, wait_for

WAIT_S = 30
VIOLATED = 3
TIME_OUT_S, MORE_S = 1.0, 1.5  # the heartbeat's, and one item's way past the gate with what a busy machine needs
ITEMS, PITCH_MM = 6, 500.0


class Watch:
    """A sentinel under test."""

    def __init__(self, site):
        self._site = site
        self._port = free_port()
        self.log = site.folder / "sentinel.log"

    @contextmanager
    def running(self, *options):
        command = [sys.executable, "-m", "edge", "sentinel", self._site.config, "--metrics-port", str(self._port)]
        with self.log.open("w") as log, subprocess.Popen([*command, *options], stderr=log) as process:
            try:
                assert wait_for(lambda: "watching lane" in self.log.read_text())
                yield process
            finally:
                process.terminate()
                process.wait(WAIT_S)

    def scraped(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics") as answer:
            lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    def comes_to_check(self, count):
        return wait_for(lambda: self.scraped()["tunnel_sentinel_checked_total"] == count)

    def violations(self):
        named = re.compile(r'tunnel_sentinel_violations_total{promise="(\w+)"}')
        found = ((named.match(name), value) for name, value in self.scraped().items())
        return {match[1]: value for match, value in found if match and value}


@pytest.fixture
def site(tmp_path, broker, endpoint):
    return Site(tmp_path, broker.port, endpoint)


@pytest.fixture
def watch(site):
    return Watch(site)


@pytest.fixture
def stops(broker):
    with Party("stops", Address(broker.host, broker.port, "site", "lane"), [LINE_STOP]) as party:
        yield lambda: [one.fields["why"] for one in party.received() if one.fields["why"].startswith("sentinel")]


def inspecting(broker):
    return wait_for(lambda: "Execute" in state(broker))


def test_a_lane_that_keeps_its_promises_is_left_alone(site, broker, watch, stops):
    with site.daemon(), plcs.running(broker) as plc:
        assert inspecting(broker)
        with watch.running() as sentinel:
            plc.plant.load(plcs.trickle(PITCH_MM, ITEMS, first_mm=500.0, from_counts=plc.plant.counts))
            assert watch.comes_to_check(ITEMS)
            assert watch.violations() == {}
            assert watch.scraped()["tunnel_sentinel_connected"] == 1
            sentinel.send_signal(signal.SIGTERM)
            assert sentinel.wait(WAIT_S) == 0
    assert stops() == []


def test_a_gate_that_sticks_is_stopped_at_the_exit_eye(site, broker, watch, stops):
    with site.daemon(), plcs.running(broker, gate=plcs.stuck()) as plc:
        assert inspecting(broker)
        with watch.running("--exit-on-violation") as sentinel:
            plc.plant.load(plcs.trickle(PITCH_MM, ITEMS, first_mm=500.0, from_counts=plc.plant.counts))
            assert sentinel.wait(WAIT_S) == VIOLATED
        told = stops()
    assert len(told) == 1
    assert "is on the good lane" in told[0]
    assert "ordered out: yes; the PLC answered accepted" in told[0]


def test_a_killed_daemon_is_noticed_within_the_heartbeats_time_out(site, broker, watch, stops):
    with site.daemon() as daemon, plcs.running(broker):
        assert inspecting(broker)
        with watch.running("--exit-on-violation") as sentinel:
            time.sleep(0.5)
            daemon.kill()
            killed_s = time.monotonic()
            assert sentinel.wait(WAIT_S) == VIOLATED
            took_s = time.monotonic() - killed_s
        told = stops()
    assert "moves without a heartbeat of the box; its last word: Aborted, the daemon is gone" in told[0]
    assert took_s < TIME_OUT_S + MORE_S


def test_a_broker_that_comes_and_goes_is_waited_for_and_nobody_blamed(site, broker, watch):
    with site.daemon(), plcs.running(broker) as plc:
        assert inspecting(broker)
        with watch.running():
            broker.stop()
            assert wait_for(lambda: watch.scraped()["tunnel_sentinel_connected"] == 0)
            broker.start()
            assert wait_for(lambda: watch.scraped()["tunnel_sentinel_connected"] == 1)
            time.sleep(1.5)  # the daemon and the PLC come back too
            plc.plant.load(plcs.trickle(PITCH_MM, ITEMS, first_mm=1500.0, from_counts=plc.plant.counts))
            assert watch.comes_to_check(ITEMS)
            assert watch.violations() == {}


def test_a_restarted_plc_is_no_breach(site, broker, watch):
    with site.daemon():
        with plcs.running(broker):
            assert inspecting(broker)
        with watch.running():
            for checked in (2, 4):
                with plcs.running(broker) as plc:
                    plc.plant.load(plcs.trickle(PITCH_MM, 2, first_mm=1500.0, from_counts=plc.plant.counts))
                    assert watch.comes_to_check(checked)
            assert watch.violations() == {}


def test_garbage_is_counted_and_stops_nothing(site, broker, watch):
    with watch.running(), Party("box", Address(broker.host, broker.port, "site", "lane")) as party:
        party.publish(LINE_STOP, {"why": "not for the sentinel"})
        party._client.publish("tunnel/site/lane/verdict", b"\xff", 1)
        party._client.publish("tunnel/site/lane/divert/command", json.dumps({"schema": 1}), 1, retain=True)
        assert wait_for(lambda: watch.scraped().get('tunnel_sentinel_refused_total{reason="not_json"}') == 1)
        assert wait_for(lambda: watch.scraped().get('tunnel_sentinel_refused_total{reason="field"}') == 1)
        assert watch.violations() == {}
