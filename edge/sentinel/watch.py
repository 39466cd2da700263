"""The sentinel on MQTT: one thread hears, checks and asks for a stop."""

from __future__ import annotations

import logging
import os
from collections import Counter
from itertools import count
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.core.errors import ConfigError, MalformedMessage
from edge.core.topics import LINE_STOP, MAX_TEXT
from edge.core.wire import decode, encode
from edge.sentinel.account import HEARD, Account
from edge.sentinel.promises import Promise, Violation
from edge.sentinel.settings import Broker, Lane

KEEPALIVE_S = 5
RETRY_S = 1
QOS = 1  # what was said at QoS 0 stays so

CREDENTIALS = "keys_"  # how systemd calls the files of the unit's own folder

log = logging.getLogger(__name__)


def own(path: Path | None) -> str | None:
    """The unit's own copy of a file, by its name; by hand, the file itself."""
    if path is None:
        return None
    mine = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nowhere")) / (CREDENTIALS + path.name)
    return str(mine if mine.is_file() else path)


def _secure(client: mqtt.Client, broker: Broker) -> None:
    try:
        client.tls_set(own(broker.ca), own(broker.certificate), own(broker.key))
    except (OSError, ValueError) as error:
        raise ConfigError(f"[broker] ca, certificate, key: cannot be used: {error}.") from error


class Sentinel:
    """Listens beside the daemon, on a connection of its own."""

    def __init__(self, account: Account, lane: Lane, broker: Broker, *, ends_on_violation: bool) -> None:
        self.violations: Counter[Promise] = Counter()
        self.refused: Counter[str] = Counter()  # malformed messages, by reason
        self.connected = False
        self._account = account
        self._lane, self._broker = lane, broker
        self._ends_on_violation = ends_on_violation
        self._heard = {topic.under(lane.site, lane.name): topic for topic in HEARD}
        self._seq = count(1)
        self._client = self._new_client()

    def run(self) -> None:
        """Watch until `stop`; the broker may come later, and come and go."""
        self._client.connect_async(self._broker.host, self._broker.port, keepalive=KEEPALIVE_S)
        self._client.loop_forever(retry_first_connection=True)

    def stop(self) -> None:
        """End `run`; for a signal's handler too."""
        self._client.disconnect()

    def _new_client(self) -> mqtt.Client:
        client_id = f"tunnel-sentinel-{self._lane.site}-{self._lane.name}"
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)
        if self._broker.ca:
            _secure(client, self._broker)
        client.reconnect_delay_set(RETRY_S, RETRY_S)
        client.on_connect, client.on_connect_fail = self._on_connect, self._on_connect_fail
        client.on_disconnect, client.on_message = self._on_disconnect, self._on_message
        return client

    def _on_connect(
        self, client: mqtt.Client, _: object, __: mqtt.ConnectFlags, reason: ReasonCode, ___: object
    ) -> None:
        if reason.is_failure:
            log.warning("broker %s refuses us: %s; check its users and ACLs", self._broker.host, reason)
            return
        client.subscribe([(path, QOS) for path in self._heard])
        self.connected = True
        log.info("watching lane %s over broker %s:%d", self._lane.name, self._broker.host, self._broker.port)

    def _on_connect_fail(self, _: mqtt.Client, __: object) -> None:
        log.warning("no broker at %s:%d: start it. Trying again.", self._broker.host, self._broker.port)

    def _on_disconnect(
        self, _: mqtt.Client, __: object, ___: mqtt.DisconnectFlags, reason: ReasonCode, ____: object
    ) -> None:
        self.connected = False
        self._account.go_blind()
        log.info("connection to the broker ended: %s", reason)

    def _on_message(self, _: mqtt.Client, __: object, message: mqtt.MQTTMessage) -> None:
        topic = self._heard[message.topic]
        if message.retain and not topic.retained:
            self.refused["retained"] += 1
            return
        try:
            fields = decode(topic, bytes(message.payload))
        except MalformedMessage as error:
            self.refused[error.reason] += 1
            return
        for violation in self._account.hear(topic, fields):
            self._cry(violation)

    def _cry(self, violation: Violation) -> None:
        """Better no belt than this one."""
        self.violations[violation.promise] += 1
        log.error("%s: %s; asking for a stop", violation.promise, violation.because)
        expiring = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        expiring.MessageExpiryInterval = round(LINE_STOP.expiry_s or 0)
        payload = encode(next(self._seq), {"why": f"sentinel: {violation.because}"[:MAX_TEXT]})
        path = LINE_STOP.under(self._lane.site, self._lane.name)
        self._client.publish(path, payload, LINE_STOP.qos, LINE_STOP.retained, expiring)
        if self._ends_on_violation:
            self._client.disconnect()
