"""Under a real systemd, from the package to its removal: each test goes on where the one before it ended."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.demo.score import conservation
from edge.settings import ROOT
from edge.simulator.plan import Plan, PlannedItem, write_plan
from tests.e2e.machine import Machine, wait_for, why_not
from tests.integration.test_daemon import LANE, SETTINGS

pytestmark = [pytest.mark.skipif(bool(why_not()), reason=why_not()), pytest.mark.timeout(600)]

UNIT, SENTINEL = "tunnel-edge@lane1", "tunnel-edge-sentinel@lane1"
STATE = "/var/lib/tunnel-edge/lane1"
ABROAD = "203.0.113.1"  # RFC 5737: nobody's; here the loopback's
ITEMS = 36  # half a minute
PORTS = {"broker": 8883, "metrics": 9464}
# As docs/operations.md says.
BROKER = """
tunnel-edge certs site /root/site --lane lane1
install -d -o mosquitto -m 700 /etc/mosquitto/tunnel-edge
install -o mosquitto -m 400 /root/site/broker/* /etc/mosquitto/tunnel-edge
tunnel-edge certs acl --site site --lane lane1 > /etc/mosquitto/tunnel-edge/acl
cp /opt/tunnel-edge/current/share/tunnel-edge/broker/tunnel-edge.conf /etc/mosquitto/conf.d/
systemctl restart mosquitto
install -m 400 /root/site/lane1/box/* /etc/tunnel-edge/keys
install -m 400 /root/site/lane1/sentinel/* /etc/tunnel-edge/sentinel-keys
"""
NODES_KEYS = "for name in node1 lane1; do tunnel-edge node keys $name --folder /etc/tunnel-edge/keys; done"
NODE = """
[node]
listen = "tcp://127.0.0.1:5571"
key = "/etc/tunnel-edge/keys/node1.key_secret"
boxes = ["/etc/tunnel-edge/keys/lane1.key"]
[[camera]]
name = "back"
gige = "127.0.77.1"
features = { PixelFormat = "Mono8", AcquisitionFrameRate = 10.0 }
[[camera]]
name = "film"
opencv = "/var/lib/tunnel-edge/film"
"""
KEYS = """[broker]
ca = "/etc/tunnel-edge/keys/ca.pem"
certificate = "/etc/tunnel-edge/keys/client.pem"
key = "/etc/tunnel-edge/keys/client.key"
"""
QUICKER = "[Service]\nWatchdogSec=5\n"
PYTHON = "lib/python3.11/site-packages"


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The Debian package, as `make deb` makes it, but packed faster."""
    folder = tmp_path_factory.mktemp("dist")
    release = folder / "tunnel-edge-0.1.0.tar.zst"
    (folder / ".extras").write_text("gige,tesseract\n")  # as make leaves it
    fast = {**os.environ, "ZSTD_CLEVEL": "1"}
    subprocess.run([ROOT / "systemd/build", "0.1.0", release, sys.executable], check=True, env=fast)
    subprocess.run([ROOT / "systemd/deb", release, folder], check=True)
    return next(folder.glob("*.deb"))


@pytest.fixture(scope="module")
def machine(tmp_path_factory, package):
    with Machine(tmp_path_factory.mktemp("machine"), (package.parent, ROOT)) as booted:
        booted.run("ip", "address", "add", f"{ABROAD}/32", "dev", "lo")
        yield booted


@pytest.fixture(scope="module")
def installed(machine, package):
    """The package is installed, the broker runs as docs/operations.md says, and the lane's settings are written."""
    told = machine.run("dpkg", "--install", package).stdout
    assert "0.1.0 runs" in told
    machine.run("bash", "-euc", BROKER)
    settings = SETTINGS.replace("{folder}/state", STATE).replace("ipc://{folder}/tap", "tcp://127.0.0.1:5580")
    settings = settings.replace('models = "{models}"\n', "").replace('"lane"', '"lane1"').replace("[broker]\n", KEYS)
    folder = {"folder": "/var/lib/tunnel-edge", "frames": "tcp://127.0.0.1:5570"}
    machine.path("/etc/tunnel-edge/lane1.toml").write_text(settings.format(**folder, **PORTS))
    machine.run("install", "-d", "-o", "tunnel-edge", "/var/lib/tunnel-edge/references")
    drop_in(machine, UNIT, QUICKER)
    return machine


@pytest.fixture
def running(installed):
    installed.run("systemctl", "start", UNIT, SENTINEL)
    return installed


def drop_in(machine, unit, text):
    folder = machine.path(f"/etc/systemd/system/{unit}.service.d")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "test.conf").write_text(text)
    machine.run("systemctl", "daemon-reload")


def pid(machine):
    return int(machine.show(UNIT, "MainPID"))


def said(machine):
    return [(kind, json.loads(body)) for kind, body in asked(machine, "SELECT kind, body FROM journal ORDER BY entry")]


def asked(machine, query):
    """What the ledger holds; SQLite does not open it by its path in another process's root."""
    read = f"import json, sqlite3; base = sqlite3.connect('file:{STATE}/ledger.sqlite?mode=ro', uri=True)"
    return json.loads(
        machine.run("python3", "-c", f"{read}; print(json.dumps(base.execute({query!r}).fetchall()))").stdout
    )


def test_it_starts_and_is_ready(installed):
    began_s = time.monotonic()
    installed.run("systemctl", "start", UNIT, SENTINEL)
    assert time.monotonic() - began_s < 60  # it returns when the daemon says READY
    assert wait_for(lambda: installed.show(UNIT, "StatusText") == "Execute: inspecting")
    assert installed.show(SENTINEL, "ActiveState") == "active"
    read = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9464/metrics').read().decode())"
    assert "tunnel_items_on_belt 0.0" in installed.run("python3", "-c", read).stdout
    shipped = installed.path("/opt/tunnel-edge/0.1.0") / PYTHON
    assert models(shipped) == models(ROOT)
    assert b"/opt/tunnel-edge/0.1.0/" in installed.path(f"/proc/{pid(installed)}/cmdline").read_bytes()


def test_its_words_are_in_the_journal_with_their_fields(running):
    ask = ("journalctl", "--no-pager", "-o", "json", "-u", UNIT, "LANE=lane1")
    assert wait_for(lambda: "connected to broker" in running.run(*ask).stdout)
    word = json.loads(running.run(*ask, "-n", "1").stdout)
    assert (word["SYSLOG_IDENTIFIER"], word["LANE"], word["LOGGER"][:5]) == ("tunnel-edge", "lane1", "edge.")
    running.run("systemctl", "reload", UNIT)
    assert wait_for(lambda: "lane1.toml: nothing has changed" in running.run(*ask).stdout)


def models(folder):
    return {path.relative_to(folder): path.stat().st_size for path in folder.glob("models/*/*/*") if path.is_file()}


def test_a_second_start_is_refused(running):
    words = ("runuser", "-u", "tunnel-edge", "--", "tunnel-edge", "run", "/etc/tunnel-edge/lane1.toml")
    second = running.run(*words, check=False)
    assert second.returncode == 1
    assert f"{STATE}: in use by process {pid(running)} since" in second.stderr


def test_a_loop_that_hangs_is_killed_and_nothing_is_lost(running, tmp_path):
    """It is stopped as a whole (SIGSTOP) with items on the belt, later killed (`kill -9`); the books hold."""
    picture = tmp_path / "item.png"
    cv2.imwrite(str(picture), np.full((54, 96, 3), 127, np.uint8))
    items = (PlannedItem(f"w-{n}", "04012345678901", f"o-{n}", 120.0, {"top": picture}) for n in range(ITEMS))
    write_plan(tmp_path / "plan.json", Plan("site", "lane1", LANE, tuple(items), 500, 80))
    shutil.copytree(tmp_path, running.path("/tmp/plan"))
    lane = ("tunnel-edge", "simulate", "--plan", "/tmp/plan/plan.json", "--truth", "/tmp/plan/truth.json")
    wires = ("--frames", "tcp://127.0.0.1:5570", "--broker", "127.0.0.1:8883", "--keys", "/root/site")
    running.run("systemd-run", "--unit=belt", *lane, *wires)
    assert wait_for(lambda: sum(kind == "ItemEnd" for kind, _ in said(running)) >= 3)
    hung = pid(running)
    running.run("kill", "-STOP", hung)
    assert wait_for(lambda: restarts(running) >= 1)
    assert "Watchdog timeout (limit 5s)" in running.log(UNIT)
    assert "Fatal Python error: Aborted" in running.log(UNIT)  # with where each thread was
    assert wait_for(lambda: running.show(UNIT, "ActiveState") == "active")
    assert wait_for(lambda: sum(kind == "ItemEnd" for kind, _ in said(running)) >= 10)
    before = restarts(running)
    running.run("kill", "-KILL", pid(running))
    assert wait_for(lambda: restarts(running) > before and running.show(UNIT, "ActiveState") == "active")
    assert wait_for(lambda: running.show("belt", "ActiveState") in ("inactive", "failed"))
    assert "items have left the lane" in running.log("belt")
    assert wait_for(lambda: conservation(said(running))["on_belt"] == 0)
    owed = asked(running, "SELECT request, answer FROM outbox")
    assert len(owed) <= ITEMS
    books = conservation(said(running))
    assert (books["inducted"], books["violations"], books["on_belt"]) == (ITEMS, 0, 0), books


def restarts(machine):
    return int(machine.show(UNIT, "NRestarts"))


def test_the_sandbox_bites(running):
    """The same attempts by root outside: what is refused inside is possible there, so that each check can fail."""
    shutil.copy(ROOT / "tests/e2e/probe.py", running.path("/opt/probe.py"))
    words = ("/usr/bin/python3", "/opt/probe.py", str(pid(running)), ABROAD)
    outside = json.loads(running.run("unshare", "--mount", *words).stdout)
    for unit in (
        "tunnel-edge@probe",
        "tunnel-edge-sentinel@probe",
        "tunnel-edge-node@probe",
        "tunnel-edge-check@probe",
    ):
        start = f"[Service]\nType=oneshot\nRestart=no\nWatchdogSec=0\nExecStart=\nExecStart={' '.join(words)}\n"
        drop_in(running, unit, start)
        running.run("systemctl", "start", unit)
        told = re.findall(r"^\{.*\}$", running.run("journalctl", "-o", "cat", "--no-pager", "-u", unit).stdout, re.M)
        inside = json.loads(told[-1])
        assert {name for name, came in inside.items() if came == "done"} == set(), (unit, inside)
    assert [name for name, came in outside.items() if came != "done"] == [], outside
    assert running.show(UNIT, "ActiveState") == "active"


def test_a_camera_node_has_its_cameras_within_the_sandbox(running):
    """A GigE Vision camera through Aravis, whose calls back need memory of a kind, and one through OpenCV."""
    running.path("/etc/tunnel-edge/node1.toml").write_text(NODE)
    running.run("bash", "-euc", NODES_KEYS)
    (film := running.path("/var/lib/tunnel-edge/film")).mkdir()
    cv2.imwrite(str(film / "one.png"), np.arange(3072, dtype=np.uint8).reshape(32, 32, 3))
    camera = ("/opt/tunnel-edge/current/bin/python3", "-m", "edge.simulator.gige", "--address", "127.0.77.1")
    running.run("systemd-run", "--unit=camera", *camera)
    running.run("systemctl", "start", "tunnel-edge-node@node1")
    assert wait_for(lambda: running.show("tunnel-edge-node@node1", "StatusText") == "sending 2 cameras")
    running.run("systemctl", "stop", "tunnel-edge-node@node1", "camera")
    assert running.show("tunnel-edge-node@node1", "Result") == "success"


def test_told_to_stop_it_ends_well(running):
    began_s = time.monotonic()
    running.run("systemctl", "stop", UNIT)
    assert time.monotonic() - began_s < 20
    shown = [running.show(UNIT, name) for name in ("ActiveState", "Result", "ExecMainStatus")]
    assert shown == ["inactive", "success", "0"]


def test_an_upgrade_keeps_what_was_written(running, package, tmp_path_factory):
    before = len(said(running))
    newer = another(running, package, "0.1.1", tmp_path_factory.mktemp("newer"))
    assert "0.1.1 runs" in running.run("dpkg", "--install", newer).stdout
    assert_runs(running, "0.1.1")
    assert len(said(running)) >= before
    listed = running.run("tunnel-edge", "releases", "list").stdout.split("\n")
    assert [line.split(maxsplit=1) for line in listed if line] == [["0.1.0", "ran before"], ["0.1.1", "runs"]]


def another(machine, package, version, folder):
    """The package again, under another version: its release unpacked, named anew, and packed."""
    place = machine.path("/opt/tunnel-edge")
    copied(place, "0.1.0", folder, version)
    release = folder / f"tunnel-edge-{version}.tar.zst"
    pack = ["tar", "--use-compress-program=zstd -1 -T0", "-cf", str(release), "-C", str(folder), version]
    subprocess.run(pack, check=True)
    subprocess.run([ROOT / "systemd/deb", release, folder], check=True)
    deb = next(folder.glob("*.deb"))
    shutil.copy(deb, machine.path("/tmp"))
    return f"/tmp/{deb.name}"


def copied(place, version, folder, name):
    """A release under another name."""
    shutil.copytree(place / version, folder / name, symlinks=True)
    for command in (folder / name / "bin").glob("tunnel-*"):
        command.write_text(command.read_text().replace(f"/{version}/", f"/{name}/", 1))


def assert_runs(machine, version):
    assert machine.show(UNIT, "ActiveState") == "active"
    assert machine.show(SENTINEL, "ActiveState") == "active"
    cmdline = machine.path(f"/proc/{pid(machine)}/cmdline").read_bytes()
    assert f"/opt/tunnel-edge/{version}/".encode() in cmdline


def spoilt(release: Path, module: str, before: str, after: str):
    """Change a module of a release, and forget what was compiled of it."""
    file = release / PYTHON / module
    text = file.read_text()
    assert text.count(before) == 1
    file.write_text(text.replace(before, after))
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*"):
        compiled.unlink()


def answers_otherwise(release: Path):
    """As if a library had changed what a model says."""
    spoilt(
        release,
        "edge/inspection/session.py",
        "        return outputs\n",
        "        return [2 * one for one in outputs]\n",
    )


def bears_less(release: Path):
    """As if a range had become narrower than what the lane's settings say."""
    spoilt(release, "edge/settings.py", "scanner_mm: Millimetres = 0", "scanner_mm: Annotated[float, Field(le=9)] = 0")


def never_ready(release: Path):
    """As if its daemon could not read what its check can."""
    spoilt(
        release,
        "edge/records/lock.py",
        "    try:\n        made(folder)",
        "    raise ConfigError('gone')\n    try:\n        made(folder)",
    )


def upgraded(machine, spoil):
    """What came of an upgrade to a release with a fault."""
    place = machine.path("/opt/tunnel-edge")
    shutil.rmtree(place / "0.1.2", ignore_errors=True)
    copied(place, "0.1.1", place, "0.1.2")
    spoil(place / "0.1.2")
    tried = machine.run("/opt/tunnel-edge/0.1.2/bin/tunnel-edge", "releases", "activate", "0.1.2", check=False)
    assert tried.returncode == 1
    return tried.stderr


def test_an_upgrade_whose_models_answer_otherwise_is_refused_while_the_lane_runs(running):
    before = pid(running)
    told = upgraded(running, answers_otherwise)
    assert "differs by" in told
    assert "0.1.1 runs on." in told
    assert pid(running) == before


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (bears_less, "tunnel-edge-check@lane1.service does not pass"),
        (never_ready, f"{UNIT}.service does not become ready"),
    ],
)
def test_an_upgrade_that_fails_goes_back_by_itself(running, spoil, told):
    said_of_it = upgraded(running, spoil)
    assert told in said_of_it
    assert "0.1.1 runs again." in said_of_it
    assert wait_for(lambda: running.show(UNIT, "ActiveState") == "active")
    assert_runs(running, "0.1.1")


def test_a_release_that_is_not_there_is_told(running):
    tried = running.run("tunnel-edge", "releases", "activate", "9.9", check=False)
    assert (tried.returncode, tried.stdout) == (1, "")
    assert "no release: `tunnel-edge releases list`" in tried.stderr


def test_back_to_the_release_before(running):
    assert running.run("tunnel-edge", "rollback").stdout == "0.1.0 runs\n"
    assert_runs(running, "0.1.0")
    running.run("systemctl", "enable", "tunnel-edge.target", UNIT)
    wanted = running.path(f"/etc/systemd/system/tunnel-edge.target.wants/{UNIT}.service")
    assert str(wanted.readlink()).startswith("/usr/local/lib/systemd/system/")  # of no single release


def test_what_was_written_survives_the_packages_removal(running):
    before = len(said(running))
    running.run("dpkg", "--purge", "tunnel-edge")
    assert not running.path("/opt/tunnel-edge").exists()
    assert running.run("systemctl", "list-unit-files", "tunnel-edge*", check=False).stdout.count("tunnel-edge") == 0
    assert len(said(running)) >= before


def test_make_install_does_the_same(installed, package):
    make = ("make", "-C", ROOT, "VERSION=0.1.0", f"DIST={package.parent}")  # the release is there already
    assert "0.1.0 runs" in installed.run(*make, "install").stdout
    assert "run a lane's daemon" in installed.run("tunnel-edge", "--help").stdout
    installed.run(*make, "uninstall")
    assert not installed.path("/opt/tunnel-edge").exists()
    assert installed.path(f"{STATE}/ledger.sqlite").exists()
