"""The daemon as a process of its own, over a real broker, with what a lane can do to it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from shutil import copytree

import cv2
import numpy as np
import paho.mqtt.publish as mqtt_publish
import paho.mqtt.subscribe as mqtt_subscribe
import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from edge.core import topics
from edge.demo.scene import Scene
from edge.demo.score import account, conservation
from edge.inspection.references import References
from edge.inspection.session import Session, newest
from edge.records.journal import entries
from edge.records.outbox import outbox
from edge.settings import ROOT
from edge.simulator.plan import Geometry, Plan, PlannedItem
from edge.simulator.run import simulate
from tests.integration.conftest import free_port
from tests.unit.test_changes import label

WAIT_S = 90  # of a busy machine
LANE = Geometry(
    counts_per_mm=10, camera_mm={"top": 300}, gate_mm=1000, confirm_mm=1100, exit_mm=1150, gate_ms=60, scanner_mm=150
)
SETTINGS = """
[lane]
site = "site"
name = "lane"
state = "{folder}/state"
[broker]
port = {broker}
[belt]
counts_per_mm = 10
gate_mm = 1000
confirm_mm = 1100
exit_mm = 1150
scanner_mm = 150
[[camera]]
name = "top"
place_mm = 300
node = "{frames}"
[inspection]
models = "{models}"
references = "{folder}/references"
[metrics]
port = {metrics}
[tap]
endpoint = "ipc://{folder}/tap"
[recipe]
name = "test"
[[recipe.rule]]
check = "anomaly"
cameras = ["top"]
reject_at = 1.0
"""


class Site:
    """A folder with the settings of a lane."""

    def __init__(self, folder, broker_port, frames, models=ROOT / "models"):
        self.folder, self.frames, self.metrics = folder, frames, free_port()
        self.config = folder / "lane.toml"
        self.config.write_text(
            SETTINGS.format(folder=folder, broker=broker_port, frames=frames, metrics=self.metrics, models=models)
        )

    @contextmanager
    def daemon(self, environment=()):
        command, environment = [sys.executable, "-m", "edge", "run", str(self.config)], os.environ | dict(environment)
        with (self.folder / "log").open("w") as log, subprocess.Popen(command, stderr=log, env=environment) as running:
            try:
                yield running
            finally:
                running.terminate()
                running.wait(WAIT_S)

    def log(self):
        return (self.folder / "log").read_text()

    def scraped(self, accept="text/plain"):
        asked = urllib.request.Request(f"http://127.0.0.1:{self.metrics}/metrics", headers={"Accept": accept})
        with urllib.request.urlopen(asked) as answer:
            return answer.read().decode()

    def said(self):
        return [(kind, body) for _, kind, _, body in entries(self.folder / "state")]


@pytest.fixture
def site(tmp_path, broker, endpoint):
    return Site(tmp_path, broker.port, endpoint)


def items(folder, count):
    picture = folder / "item.png"
    cv2.imwrite(str(picture), np.full((54, 96, 3), 127, np.uint8))
    return tuple(PlannedItem(f"w-{n}", "04012345678901", f"o-{n}", 120.0, {"top": picture}) for n in range(count))


def run_lane(site, broker, planned):
    plan = Plan("site", "lane", LANE, tuple(planned), speed_mm_per_s=1000, items_per_minute=200)
    simulate(plan, broker.host, broker.port, site.frames, site.folder / "truth.json")


def ended(site):
    return [body["end"] for kind, body in site.said() if kind == "ItemEnd"]


def check(path):
    command = [sys.executable, "-m", "edge", "check", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False)


def state(broker):
    path = topics.STATE.under("site", "lane")
    message = mqtt_subscribe.simple(path, hostname=broker.host, port=broker.port, protocol=MQTTProtocolVersion.MQTTv5)
    return message.payload.decode()


def wait_for(condition):
    end_s = time.monotonic() + WAIT_S
    while time.monotonic() < end_s:
        if condition():
            return True
        time.sleep(0.1)
    return False


def test_what_nobody_can_judge_is_diverted_and_ordered_again_once(site, broker):
    with site.daemon() as running:
        run_lane(site, broker, items(site.folder, 6))
        assert wait_for(lambda: None not in outbox(site.folder / "state").values())
        running.send_signal(signal.SIGTERM)
        assert running.wait(WAIT_S) == 0
    books = conservation(site.said())
    assert books == {
        "inducted": 6, "passed": 0, "diverted": 0, "missed": 0, "no_decision": 6,
        "removed": 0, "lost": 0, "on_belt": 0, "violations": 0,
    }  # fmt: skip
    run = account(site.folder / "state", site.folder / "truth.json", Scene("", (), (), (), {}, {}))
    assert [one.truth["went"] for one in run.stories] == ["reject"] * 6
    assert all("no references for 04012345678901/top" in one.verdict["reasons"][0] for one in run.stories)
    assert sorted(run.received.values()) == [1] * 6
    assert "Stopped" in state(broker)


def test_garbage_on_every_topic_stops_nothing_and_is_counted(site, broker):
    paths = [topic.under("site", "lane") for topic in topics.TABLE if topic.writer != "box"]
    rubbish = [b"", b"\xff", b"{", b"[]", b'{"schema": 9}', b'{"schema": 1}', b"x" * 100_000]
    with site.daemon():
        assert wait_for(lambda: "Execute" in state(broker))
        for path in paths:
            messages = [(path, payload, 0, False) for payload in rubbish] + [(path, b"old", 1, True)]
            mqtt_publish.multiple(messages, broker.host, broker.port, protocol=MQTTProtocolVersion.MQTTv5)
        run_lane(site, broker, items(site.folder, 3))
        metrics = site.scraped()
    assert conservation(site.said())["no_decision"] == 3
    for reason in ("not_json", "schema", "field", "too_big"):
        assert re.search(rf'tunnel_messages_refused_total{{reason="{reason}",topic="belt"}} [1-9]', metrics), metrics
    assert 'tunnel_items_ended_total{end="no_decision"} 3.0' in metrics
    assert "tunnel_loop_turn_seconds_bucket" in metrics
    assert re.search(r'tunnel_item_latency_seconds_count{since="photoeye"} 3.0', metrics)


def test_a_broker_that_comes_later_is_waited_for(site, broker):
    broker.stop()
    with site.daemon() as running:
        assert wait_for(lambda: "does not answer; start it" in site.log())
        assert running.poll() is None
        broker.start()
        assert "Execute" in state(broker)
        broker.stop()
        assert wait_for(lambda: "connection lost" in site.log())
        broker.start()
        assert "Execute" in state(broker)


def operate(*words):
    ran = [sys.executable, "-m", "edge", *map(str, words)]
    return subprocess.run(ran, capture_output=True, text=True, timeout=WAIT_S, check=False)


def test_a_named_person_clears_and_challenges_a_running_lane(site, broker):
    guards = topics.GUARD.under("site", "lane")
    alarm = b'{"schema": 1, "seq": 1, "alarm": ["bin_full"]}'
    with site.daemon():
        assert wait_for(lambda: "Execute" in state(broker))
        mqtt_publish.single(guards, alarm, 1, True, broker.host, broker.port, protocol=MQTTProtocolVersion.MQTTv5)
        assert wait_for(lambda: "Held" in state(broker))
        assert operate("clear", site.config, "alarms", "--by", "Ada").returncode == 0
        assert wait_for(lambda: "Execute" in state(broker))
        challenged = operate("challenge", "start", site.config, "--test", "memory", "--by", "Ada", "--items", "a,b")
        assert (challenged.returncode, challenged.stdout) == (
            1,
            "memory: failed: memory takes 4 different test pieces\n",
        )
    told = [(body["kind"], body["because"]) for kind, body in site.said() if kind == "Alarm"]
    assert ("guard", "guard bin_full is in alarm") in told
    assert ("clearing", "Ada cleared alarms") in told
    assert operate("challenge", "holds", site.config).returncode == 0


def test_a_change_is_told_and_one_confirmation_lets_it_pass(site, broker):
    session = Session.load(newest(ROOT / "models", "backbone"))
    place = site.folder / "references" / "04012345678901" / "top.npz"
    References.build([label(seed) for seed in range(12)], session).save(place)
    stickers = [site.folder / f"sticker-{seed}.png" for seed in range(20, 36)]
    for seed, path in enumerate(stickers, 20):
        cv2.imwrite(str(path), label(seed, "sticker").image)
    planned = [
        PlannedItem(f"w-{n}", "04012345678901", f"o-{n}", 120.0, {"top": path}) for n, path in enumerate(stickers)
    ]
    with site.daemon():
        run_lane(site, broker, planned[:12])
        assert wait_for(lambda: ended(site) == ["diverted"] * 12)
        told = [body["because"] for kind, body in site.said() if kind == "Alarm" and body["kind"] == "changed"]
        assert len(told) == 1, told
        assert "04012345678901 on camera top: 4 items look unusual in the same way" in told[0]
        assert wait_for(lambda: len(list(site.folder.glob("state/candidates/*/top/unusual/*.png"))) == 12)
        words = ("--gtin", "04012345678901", "--camera", "top", "--confirmed-by", "Kim")
        accepted = operate("references", "accept", site.config, *words)
        assert accepted.returncode == 0, accepted.stderr
        run_lane(site, broker, planned[12:])
        assert wait_for(lambda: len(ended(site)) == 16)
    assert ended(site)[12:] == ["passed"] * 4


def test_explain_tells_an_items_story_from_the_ledger_with_its_pictures(site, broker):
    with site.daemon():
        assert wait_for(lambda: "Execute" in state(broker))
        run_lane(site, broker, items(site.folder, 3))
        assert wait_for(lambda: ended(site) == ["no_decision"] * 3)
    item = next(body["item_id"] for kind, body in site.said() if kind == "ItemEnd")
    page = site.folder / "story.html"
    told = operate("explain", site.config, item[-6:], "--json", "--html", page)
    assert told.returncode == 0, told.stderr
    story = json.loads(told.stdout)
    kinds = [one["what"] for one in story]
    assert kinds[0] == "Item"
    assert kinds.index("Verdict") < kinds.index("DivertCommand") < kinds.index("DivertAck") < kinds.index("ItemEnd")
    assert "the PLC says: accepted" in [one["words"] for one in story]
    words = {one["what"]: one["words"] for one in story}
    assert re.search(r"request \S+ for order line o-\d; sent \d+ times, answered: ", words["ReplacementRequest"])
    assert words["RequestAnswered"].startswith("the warehouse says accepted, by mqtt, after ")
    assert item in page.read_text()
    assert operate("explain", site.config, "o-1", "--columns", "0").stdout.count("at the photoeye") == 1
    for words, why in (("nobody", "no item of that name"), ("0", "no item of that"), ("lane", "no item of that name")):
        assert why in operate("explain", site.config, words).stderr


def test_told_to_read_its_settings_again_it_says_what_needs_a_restart_and_runs_on(site, broker):
    with site.daemon() as running:
        assert wait_for(lambda: "Execute" in state(broker))
        running.send_signal(signal.SIGHUP)
        assert wait_for(lambda: f"{site.config}: nothing has changed" in site.log())
        good = site.config.read_text()
        site.config.write_text(
            good.replace("reject_at = 1.0", "reject_at = 1.5").replace("exit_mm = 1150", "exit_mm = 1160")
        )
        running.send_signal(signal.SIGHUP)
        assert wait_for(lambda: "needs restart, for it changed in belt.exit_mm, recipe.rule" in site.log())
        site.config.write_text(good.replace("gate_mm", "gaet_mm"))
        running.send_signal(signal.SIGHUP)
        assert wait_for(lambda: "would not start again" in site.log() and "did you mean 'gate_mm'?" in site.log())
        assert "Execute" in state(broker)


def test_check_says_what_is_good(site):
    (site.folder / "references").mkdir()
    checked = check(site.config)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "good: lane lane" in checked.stdout


def test_check_names_every_fault_at_once(site, broker):
    broker.stop()
    (site.folder / "references" / "04012345678901").mkdir(parents=True)
    (site.folder / "references" / "04012345678901" / "top.npz").write_bytes(b"damaged")
    with site.config.open("a") as settings:
        settings.write('[ledger]\narchive = "/nowhere"\n')
    checked = check(site.config)
    assert checked.returncode == 1
    assert "top.npz" in checked.stderr
    assert "/nowhere: [ledger] archive is no folder" in checked.stderr
    assert f"no broker answers at 127.0.0.1:{broker.port}: start it" in checked.stderr
    broker.start()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: (folder / "backbone/1.0.0/model.onnx").write_bytes(b"other"), "its SHA-256 is"),
        (lambda folder: (folder / "backbone/1.0.0/model.onnx").unlink(), "cannot be read"),
        (lambda folder: (folder / "backbone/1.0.0/manifest.toml").write_text("check = "), "unreadable manifest"),
        (lambda folder: (folder / "backbone/1.0.0/manifest.toml").unlink(), "no model here"),
    ],
)
def test_a_model_that_is_not_the_manifests_is_refused_at_start(tmp_path, broker, endpoint, spoil, told):
    copytree(ROOT / "models", tmp_path / "models", ignore=lambda *_: {"make"})
    spoil(tmp_path / "models")
    site = Site(tmp_path, broker.port, endpoint, tmp_path / "models")
    for command in ("check", "run"):
        words = [sys.executable, "-m", "edge", command, str(site.config)]
        ran = subprocess.run(words, capture_output=True, text=True, timeout=WAIT_S, check=False)
        assert ran.returncode == 1
        assert told in ran.stderr
        assert "make models" in ran.stderr
        assert "Traceback" not in ran.stderr


def test_settings_with_an_unknown_key_are_refused(site):
    site.config.write_text(site.config.read_text().replace("gate_mm", "gaet_mm"))
    checked = check(site.config)
    assert checked.returncode == 1
    assert "belt.gaet_mm: no such key; did you mean 'gate_mm'?" in checked.stderr


def test_an_unknown_command_is_answered_with_what_there_is():
    ran = subprocess.run(
        [sys.executable, "-m", "edge", "fly"], capture_output=True, text=True, timeout=WAIT_S, check=False
    )
    assert ran.returncode == 2
    assert "tunnel-edge COMMAND" in ran.stdout
