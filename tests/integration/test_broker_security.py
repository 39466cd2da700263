"""The broker as a site is to set it up, with certificates by `tunnel-edge certs`, and who tries to get past it."""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import sys
import threading

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.broker import Address, demand, keys_in
from edge.certificates import main as certs
from edge.core import topics
from edge.core.access import HEAR_ALL, OF_A_LANE, ROLES, acl, may_write
from edge.core.errors import BrokerUnreachable, ConfigError
from edge.core.wire import encode
from edge.demo.score import conservation
from edge.settings import ROOT
from edge.simulator.mqtt import Party
from edge.simulator.plan import Plan
from edge.simulator.run import simulate
from tests.integration.conftest import HOST, Broker
from tests.integration.test_daemon import LANE, WAIT_S, Site, check, items, wait_for

SHIPPED = (ROOT / "systemd/broker/tunnel-edge.conf").read_text()
WAIT_FOR_ANSWER_S = 10
MINUTES_OF_MESSAGES = 4500


class Guarded(Broker):
    """A mosquitto with the shipped settings; only places and the port are the test's, and it tells everything."""

    def __init__(self, folder, keys):
        super().__init__(folder)
        (folder / "acl").write_text(acl("site", ["lane", "other"]))
        settings = SHIPPED.replace("listener 8883", f"listener {self.port}").replace(
            "log_dest syslog", "log_dest stderr"
        )
        settings = settings.replace("/etc/mosquitto/tunnel-edge/acl", str(folder / "acl"))
        settings = settings.replace("/etc/mosquitto/tunnel-edge", str(keys / "broker"))
        self._config.write_text(settings + "log_type debug\nuser root\n")

    def log(self):
        return self._log.read_text()


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Of two lanes, of somebody else's authority, and one that is over."""
    folder = tmp_path_factory.mktemp("keys")
    lanes = ["--lane", "lane", "--lane", "other"]
    assert certs(["site", str(folder / "site"), *lanes]) == 0
    assert certs(["site", str(folder / "stranger"), *lanes]) == 0
    subprocess.run(["cp", "-r", folder / "site", folder / "over"], check=True)
    assert certs(["client", str(folder / "over"), "--lane", "lane", "--days", "-1"]) == 0
    return folder


@pytest.fixture
def guarded(tmp_path, keys):
    broker = Guarded(tmp_path, keys / "site")
    broker.start()
    yield broker
    broker.stop()


def folder_of(keys, role, lane="lane"):
    return keys / "site" / lane / role if role in OF_A_LANE else keys / "site" / role


class Client:
    """One that says what it likes, and keeps what the broker answers."""

    def __init__(self, broker, tls, client_id="intruder"):
        self.connected, self.answered, self.gone = threading.Event(), threading.Event(), threading.Event()
        self.refused = None
        self.heard = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)
        self._client.tls_set_context(tls)
        self._client.on_connect = lambda *_: self.connected.set()
        self._client.on_publish = self._on_publish
        self._client.on_disconnect = lambda *_: self.gone.set()
        self._client.on_message = lambda _, __, message: self.heard.append(message.topic)
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()

    def _on_publish(self, _, __, ___, reason, ____):
        self.refused = reason.is_failure
        self.answered.set()

    def says(self, topic, payload, *, retained=False):
        """Whether the broker takes it; the connection's end is a no."""
        self.answered.clear()
        self._client.publish(topic, payload, qos=1, retain=retained)
        assert wait_for(lambda: self.answered.is_set() or self.gone.is_set())
        return self.answered.is_set() and not self.refused

    def says_all(self, topic, payloads):
        """One after the other, without waiting for each; back when the broker has taken all."""
        for said in [self._client.publish(topic, payload, qos=1) for payload in payloads]:
            said.wait_for_publish(WAIT_FOR_ANSWER_S)

    def hears(self, topic):
        self._client.subscribe(topic, qos=1)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def client(guarded):
    """Makes clients, and ends them."""
    made = []

    def make(tls, **words):
        made.append(Client(guarded, tls, **words))
        assert made[-1].connected.wait(WAIT_FOR_ANSWER_S)
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_each_says_what_is_his_and_nothing_else(guarded, client, keys):
    for role in ROLES:
        speaker = client(keys_in(folder_of(keys, role)).context())
        taken = {topic.name for topic in topics.TABLE if speaker.says(topic.under("site", "lane"), b"x")}
        assert taken == {topic.name for topic in topics.TABLE if may_write(role, topic)}, role
        of_another = {topic.name for topic in topics.TABLE if speaker.says(topic.under("site", "other"), b"x")}
        assert of_another == (set() if role in OF_A_LANE else taken), role
    assert "Denied PUBLISH from plc.lane" in guarded.log()
    assert all(topic.writer in ROLES for topic in topics.TABLE)


def test_each_hears_what_is_meant_for_him(guarded, client, keys):
    listeners = {role: client(keys_in(folder_of(keys, role)).context()) for role in ROLES if role not in ("box", "wms")}
    for one in listeners.values():
        one.hears("#")
    box, wms = (Party(role, address(guarded, keys, role)) for role in ("box", "wms"))
    with box, wms:
        wms.publish(topics.INDUCT, {"item": "i", "gtin": "g", "order_line": "o"})
        box.publish(topics.STATE, {"state": "Idle", "why": "test"})
        state, order = topics.STATE.under("site", "lane"), topics.INDUCT.under("site", "lane")
        assert wait_for(lambda: all(state in one.heard for one in listeners.values()))
    assert {role for role, one in listeners.items() if order in one.heard} == set(HEAR_ALL) - {"box"}


def address(broker, keys, role):
    return Address(broker.host, broker.port, "site", "lane", keys_in(folder_of(keys, role)))


def test_a_command_to_be_kept_is_nobodys(guarded, client, keys):
    """The box's alone may be said, and what others ask to have kept is neither kept nor passed on."""
    plc = client(keys_in(folder_of(keys, "plc")).context())
    plc.hears(topics.COMMAND.under("site", "lane"))
    console = client(keys_in(folder_of(keys, "console")).context())
    assert not console.says(topics.COMMAND.under("site", "lane"), encode(1, {"command": "c"}), retained=True)
    assert plc.says(topics.BELT.under("site", "lane"), b"x")  # an answer: what came before it has been seen to
    assert plc.heard == []
    assert "Denied PUBLISH from console" in guarded.log()


def test_what_is_larger_than_any_message_is_dropped(guarded, client, keys):
    plc = client(keys_in(folder_of(keys, "plc")).context())
    assert plc.says(topics.BELT.under("site", "lane"), b"x" * topics.MAX_BYTES)
    assert not plc.says(topics.BELT.under("site", "lane"), b"x" * (topics.MAX_BYTES + 1))
    assert "Dropped too large PUBLISH from plc.lane" in guarded.log()


def test_nobody_ends_anothers_session_by_his_client_id(guarded, client, keys):
    box = client(keys_in(folder_of(keys, "box")).context(), client_id="tunnel-edge-site-lane")
    client(keys_in(folder_of(keys, "plc")).context(), client_id="tunnel-edge-site-lane")
    assert box.says(topics.STATE.under("site", "lane"), b"x")
    assert not box.gone.is_set()


def test_what_is_said_to_a_box_that_is_away_is_kept_for_minutes(guarded, client, keys):
    """Two items a second make some ten messages a second: so many are said in seven minutes."""
    heard = []
    gone = of_a_session(guarded, keys, heard)
    gone.subscribe(topics.CONFIRM.under("site", "lane"), qos=1)
    assert wait_for(lambda: "Sending SUBACK" in guarded.log())
    gone.disconnect()
    gone.loop_stop()
    plc = client(keys_in(folder_of(keys, "plc")).context())
    plc.says_all(topics.CONFIRM.under("site", "lane"), (b"%d" % one + b" " * 300 for one in range(MINUTES_OF_MESSAGES)))
    back = of_a_session(guarded, keys, heard)
    assert wait_for(lambda: len(heard) == MINUTES_OF_MESSAGES)
    assert [int(said) for said in heard] == list(range(MINUTES_OF_MESSAGES))
    back.disconnect()
    back.loop_stop()


def of_a_session(guarded, keys, heard):
    """A box's connection whose session outlives it."""
    session = Properties(PacketTypes.CONNECT)
    session.SessionExpiryInterval = 3600
    box = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="box.lane", protocol=mqtt.MQTTv5)
    box.tls_set_context(keys_in(folder_of(keys, "box")).context())
    box.on_message = lambda _, __, message: heard.append(message.payload)
    box.connect(guarded.host, guarded.port, clean_start=False, properties=session)
    box.loop_start()
    assert wait_for(box.is_connected)
    return box


def anonymous(keys):
    return ssl.create_default_context(cafile=keys / "site/ca.pem")


def of_a_stranger(keys):
    context = anonymous(keys)
    context.load_cert_chain(keys / "stranger/lane/box/client.pem", keys / "stranger/lane/box/client.key")
    return context


def over(keys):
    return keys_in(keys / "over/lane/box").context()


def the_brokers(keys):
    context = anonymous(keys)
    context.load_cert_chain(keys / "site/broker/server.pem", keys / "site/broker/server.key")
    return context


@pytest.mark.parametrize(
    ("made", "logged"),
    [
        (anonymous, "peer did not return a certificate"),
        (of_a_stranger, "certificate verify failed"),
        (over, "certificate verify failed"),
        (the_brokers, "certificate verify failed"),  # it is for a server
    ],
)
def test_who_shows_no_good_certificate_does_not_come_in(guarded, keys, made, logged):
    intruder = Client(guarded, made(keys))
    assert wait_for(lambda: logged in guarded.log())
    assert not intruder.connected.is_set()
    intruder.close()


def test_in_clear_nobody_comes_in(guarded):
    with pytest.raises(BrokerUnreachable), Party("plc", Address(guarded.host, guarded.port, "site", "lane")):
        pytest.fail("let in")
    assert wait_for(lambda: "wrong version number" in guarded.log() or "http request" in guarded.log())


@pytest.mark.parametrize(
    ("whose", "told"),
    [
        ("stranger/lane/box", "no trust (self-signed certificate in certificate chain)"),
        ("over/lane/box", "no trust (SSLV3_ALERT_CERTIFICATE_EXPIRED)"),
        ("nowhere", "cannot be used"),
    ],
)
def test_the_check_says_what_is_wrong(guarded, keys, whose, told):
    demand(HOST, guarded.port, keys_in(keys / "site/lane/box"))
    with pytest.raises((BrokerUnreachable, ConfigError), match=re.escape(told)):
        demand(HOST, guarded.port, keys_in(keys / whose))


def test_the_check_says_what_will_be_over_soon(guarded, keys, tmp_path):
    subprocess.run(["cp", "-r", keys / "site", tmp_path / "soon"], check=True)
    assert certs(["client", str(tmp_path / "soon"), "--lane", "lane", "--only", "box", "--days", "29"]) == 0
    with pytest.raises(ConfigError, match=r"box\.lane\) expires on 20.*certs client"):
        demand(HOST, guarded.port, keys_in(tmp_path / "soon/lane/box"))


def test_an_authority_is_not_made_over(keys):
    with pytest.raises(ConfigError, match="there is an authority"):
        certs(["site", str(keys / "site")])


def test_secret_files_are_the_owners_alone(keys):
    secret = list((keys / "site").rglob("*.key"))
    assert len(secret) == 2 + 2 * 3 + 2
    assert {path.stat().st_mode & 0o777 for path in secret} == {0o600}


def test_a_whole_lane_runs_behind_it_and_by_the_units_own_keys(tmp_path, keys, guarded, endpoint, monkeypatch):
    """Daemon, sentinel, PLC and warehouse; the settings name files that only the unit has (LoadCredential=)."""
    site = Site(tmp_path, guarded.port, endpoint)
    text = site.config.read_text()
    place = "/etc/tunnel-edge/keys"
    broker = f'[broker]\nca = "{place}/ca.pem"\ncertificate = "{place}/client.pem"\nkey = "{place}/client.key"\n'
    site.config.write_text(text.replace("[broker]\n", broker))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials(keys, "box", tmp_path)))
    (site.folder / "references").mkdir()
    checked = check(site.config)
    assert (checked.returncode, checked.stderr) == (0, "")
    sentinel = watching(site, credentials(keys, "sentinel", tmp_path))
    try:
        with site.daemon():
            monkeypatch.delenv("CREDENTIALS_DIRECTORY")  # the others are no unit
            plan = Plan("site", "lane", LANE, items(tmp_path, 4), speed_mm_per_s=1000, items_per_minute=200)
            truth = tmp_path / "truth.json"
            simulate(plan, guarded.host, guarded.port, site.frames, truth, keys=keys / "site")
            words = ("clear", str(site.config), "alarms", "--by", "Ada", "--keys", str(folder_of(keys, "console")))
            subprocess.run([sys.executable, "-m", "edge", *words], check=True, timeout=WAIT_S)
            assert wait_for(lambda: any(body.get("kind") == "clearing" for _, body in site.said()))
    finally:
        sentinel.terminate()
        said = sentinel.communicate(timeout=WAIT_S)[1]
    assert "watching lane lane" in said
    books = conservation(site.said())
    assert (books["inducted"], books["on_belt"], books["violations"]) == (4, 0, 0)


def credentials(keys, role, folder):
    """As systemd lays them out for a unit."""
    mine = folder / f"credentials-{role}"
    mine.mkdir()
    for path in folder_of(keys, role).iterdir():
        (mine / f"keys_{path.name}").write_bytes(path.read_bytes())
    return mine


def watching(site, mine):
    words = [sys.executable, "-m", "edge", "sentinel", str(site.config), "--metrics-port", "0"]
    environment = {**os.environ, "CREDENTIALS_DIRECTORY": str(mine)}
    return subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment)
