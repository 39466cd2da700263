"""The daemon lives by its calibrations: what it refuses it says, and a new one comes into force while it is Held."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge.__main__ import main
from edge.calibrations import Shelf, new_key
from edge.core import topics
from edge.core.calibration import Calibration
from edge.core.wire import encode
from edge.recording.lines import HEAD
from edge.signing import public
from tests.integration.test_daemon import WAIT_S, Site, check, items, operate, run_lane, state, wait_for

NOW = datetime.now(UTC).replace(microsecond=0)
BELT = Calibration(
    lane="lane",
    step="belt",
    subject="top",
    serial="",
    version=1,
    by="Ann",
    made=NOW - timedelta(days=1),
    until=NOW + timedelta(days=180),
    before="",
    frames=(),
    quality={},
    values={"counts_per_mm": 10.05},
    files={},
)
OTHER_CAMERA = """
[[camera]]
name = "side"
place_mm = 400
opencv = "{folder}/pictures"
"""


class Calibrated(Site):
    """A lane with a shelf of calibrations, and the key of who may write on it."""

    def __init__(self, folder, broker_port, frames):
        super().__init__(folder, broker_port, frames)
        self.key = new_key(folder / "ann.pem")
        self.folder_of_shelf = folder / "calibrations"
        self.shelf = Shelf(self.folder_of_shelf, [public(self.key)])
        section = f'[calibration]\nfolder = "{self.folder_of_shelf}"\ntrusted = ["{public(self.key)}"]\n'
        self.config.write_text(self.config.read_text() + section)

    def accept(self, **changes):
        return self.shelf.write(replace(BELT, **changes), self.key)

    @contextmanager
    def recorded(self):
        command = [sys.executable, "-m", "edge", "record", str(self.config), "--out", str(self.folder / "kept")]
        with (self.folder / "log").open("w") as log, subprocess.Popen(command, stderr=log) as running:
            try:
                yield running
            finally:
                running.terminate()
                running.wait(WAIT_S)

    def gaps(self):
        """From an item's leading edge to the opening of the gate, mm by the settings' scale, of each command."""
        led = {body["item_id"]: body["leading_edge_counts"] for kind, body in self.said() if kind == "Item"}
        said = [body for kind, body in self.said() if kind == "DivertCommand"]
        return [(one["open_counts"] - led[one["item_id"]]) / 10 for one in said]


@pytest.fixture
def site(tmp_path, broker, endpoint):
    return Calibrated(tmp_path, broker.port, endpoint)


def told(broker):
    return json.loads(state(broker))


def says(broker, lane_state, **calibration):
    said = told(broker)
    labels = said.get("calibration", {})
    right = all(re.search(pattern, labels.get(name.replace("_", "."), "")) for name, pattern in calibration.items())
    return said["state"] == lane_state and right


def beats(broker, messages=60):
    """Heartbeats while a PLC speaks, whose belt stands."""
    heard = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_connect = lambda *_: client.subscribe(topics.HEARTBEAT.under("site", "lane"))
    client.on_message = lambda *_: heard.append(1)
    client.connect(broker.host, broker.port)
    client.loop_start()
    stands = {"counts": 0, "speed_mm_per_s": 0.0, "edges": [], "boot": time.time_ns() // 10**9}
    for seq in range(messages):
        said = encode(seq, stands | {"plc_ns": seq * 20_000_000})
        client.publish(topics.BELT.under("site", "lane"), said).wait_for_publish(WAIT_S)
        time.sleep(0.02)
    client.disconnect()
    client.loop_stop()
    return len(heard)


def tamper(path):
    path.write_text(path.read_text().replace("10.05", "10.45"))


def test_what_is_accepted_goes_before_the_settings_and_is_said(site, broker):
    site.accept()
    with site.daemon():
        assert wait_for(lambda: says(broker, "Execute", belt_top="^1$"))
        run_lane(site, broker, items(site.folder, 2))
        metrics = site.scraped()
    assert 'tunnel_calibration_in_force{name="belt.top"} 1.0' in metrics
    expires_s = float(re.search(r'tunnel_calibration_expires_timestamp_seconds{name="belt.top"} (\S+)', metrics)[1])
    assert expires_s == BELT.until.timestamp()
    assert "tunnel_calibrations_refused{" not in metrics
    assert site.gaps() == [pytest.approx((1000 - 30) * 1.005, abs=0.1)] * 2
    assert [body["versions"] for kind, body in site.said() if kind == "CalibrationsInForce"] == [[["belt.top", 1]]]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda site: (site.accept(), tamper(site.folder_of_shelf / "belt.top.1.toml")), "changed since it was signed"),
        (lambda site: site.accept(lane="lane2"), "it is of lane lane2"),
        (lambda site: site.accept(until=NOW - timedelta(days=8)), "it has expired"),
        (lambda site: [site.accept(subject="side", serial="S9"), site.add_camera()], "it is for camera S9"),
        (lambda site: site.accept(values={"counts_per_mm": 11.0}), "one is wrong"),
    ],
    ids=["tampered", "other lane", "expired", "other camera", "implausible"],
)
def test_what_is_not_believed_at_the_start_holds_the_lane_until_a_person_has_seen_to_it(site, broker, spoil, why):
    site.add_camera = lambda: site.config.write_text(site.config.read_text() + OTHER_CAMERA.format(folder=site.folder))
    spoil(site)
    checked = check(site.config)
    assert checked.returncode == 1
    assert why in checked.stderr
    with site.daemon():
        assert wait_for(lambda: told(broker)["state"] == "Held")
        (label,) = told(broker)["calibration"].values()
        assert label.startswith("refused: ")
        assert why in label
        assert "not believed at the start: belt." in told(broker)["why"]
        assert re.search(r'tunnel_calibrations_refused{name="belt.*"} 1.0', site.scraped())
        assert beats(broker) == 0, "the gate's own safe side takes what is on the belt"
        assert operate("clear", site.config, "alarms", "--by", "Ann").returncode == 0
        assert wait_for(lambda: told(broker)["state"] == "Execute")
        assert beats(broker) > 0
        run_lane(site, broker, items(site.folder, 1))
    assert site.gaps() == [970.0], "by the settings"
    assert any(body["kind"] == "calibration" for kind, body in site.said() if kind == "Alarm")


def test_check_tells_what_will_not_do_for_long(site):
    (site.folder / "references").mkdir()
    site.accept(until=NOW + timedelta(days=3))
    checked = check(site.config)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "belt.top: it expires on" in checked.stdout


def test_one_that_has_vanished_is_missed_after_a_restart(site, broker):
    site.accept()
    with site.daemon():
        assert wait_for(lambda: says(broker, "Execute", belt_top="^1$"))
    shutil.rmtree(site.folder_of_shelf)
    with site.daemon():
        assert wait_for(lambda: says(broker, "Held", belt_top="refused: version 1 was in force, and is gone"))


def test_what_is_tampered_with_while_the_lane_runs_is_told_and_changes_nothing(site, broker):
    site.accept()
    with site.daemon():
        assert wait_for(lambda: says(broker, "Execute", belt_top="^1$"))
        tamper(site.folder_of_shelf / "belt.top.1.toml")
        assert wait_for(lambda: says(broker, "Execute", belt_top="^1; refused: .*changed since it was signed"))
        assert 'tunnel_calibrations_refused{name="belt.top"} 1.0' in site.scraped()
        run_lane(site, broker, items(site.folder, 1))
    assert site.gaps() == [pytest.approx(970 * 1.005, abs=0.1)]


def test_a_new_one_waits_for_the_lane_to_be_held_and_is_replayed_without_the_shelf(site, broker, capsys):
    site.accept()
    with site.recorded():
        assert wait_for(lambda: says(broker, "Execute", belt_top="^1$"))
        run_lane(site, broker, items(site.folder, 1))
        site.accept(values={"counts_per_mm": 10.1})
        assert wait_for(lambda: "belt.top version 2 waits: `tunnel-edge hold` the lane" in told(broker)["why"])
        assert says(broker, "Execute", belt_top="^1$")
        assert operate("hold", site.config, "--by", "Ann", "--why", "the belt's scale").returncode == 0
        assert wait_for(lambda: says(broker, "Held", belt_top="^2$"))
        assert told(broker)["why"] == "Ann holds the lane: the belt's scale"
        assert operate("clear", site.config, "alarms", "--by", "Ann").returncode == 0
        assert wait_for(lambda: says(broker, "Execute", belt_top="^2$"))
        assert 'tunnel_calibration_in_force{name="belt.top"} 2.0' in site.scraped()
        run_lane(site, broker, items(site.folder, 1))
    assert site.gaps() == [pytest.approx(970 * 1.005, abs=0.1), pytest.approx(970 * 1.01, abs=0.1)]
    told_of = {kind: body for kind, body in site.said() if kind in ("DaemonStarted", "CalibrationFound")}
    found = (*told_of["DaemonStarted"]["calibrations"], told_of["CalibrationFound"])
    assert [(one["name"], one["version"]) for one in found] == [("belt.top", 1), ("belt.top", 2)]
    assert all(one["by"] and one["sha256"] for one in found)
    shutil.rmtree(site.folder_of_shelf)
    head = json.loads((site.folder / "kept" / HEAD).read_text())
    assert head["start"]["in_force"]["belt.top"]["numbers"] == {"belt.counts_per_mm": 10.05}
    assert main(["replay", str(site.folder / "kept")]) == 0, capsys.readouterr().out


def test_a_daemon_that_was_killed_comes_back_with_the_old_or_the_new_and_nothing_between(site, broker):
    site.accept()
    with site.daemon() as running:
        assert wait_for(lambda: says(broker, "Execute", belt_top="^1$"))
        half = site.folder_of_shelf / "belt.top.2.toml.part"
        half.write_text((site.folder_of_shelf / "belt.top.1.toml").read_text()[:100])
        running.send_signal(signal.SIGKILL)
        running.wait(WAIT_S)
    with site.daemon() as running:
        assert wait_for(lambda: says(broker, "Execute", belt_top="^1$"))
        site.accept(values={"counts_per_mm": 10.1})
        assert wait_for(lambda: "belt.top version 2 waits" in told(broker)["why"])
        running.send_signal(signal.SIGKILL)
        running.wait(WAIT_S)
    with site.daemon():
        assert wait_for(lambda: says(broker, "Execute", belt_top="^2$"))
        run_lane(site, broker, items(site.folder, 1))
    assert site.gaps() == [pytest.approx(970 * 1.01, abs=0.1)]
