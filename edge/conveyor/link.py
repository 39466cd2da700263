"""One MQTT 5 connection to the lane's broker; its thread only fills bounded inboxes and sends."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.broker import Tls, expiring, secured, send_at_once
from edge.conveyor.receipts import Mark, Receipts
from edge.core.errors import MalformedMessage
from edge.core.topics import STATE, TABLE, Topic
from edge.core.wire import decode, encode

INBOX = 1024  # messages kept per topic until the loop's next turn
REMEMBERED = 1024  # messages per topic that are known again when they are replayed
UNACKNOWLEDGED = 1000  # messages that the broker may send us ahead of the disk: a minute or two of a busy lane
KEEPALIVE_S = 5
FIRST_RETRY_S, RETRY_S = 0.1, 1
SESSION_S = 3600

log = logging.getLogger(__name__)


class Link:
    """Connects, and again whenever the broker went away; nobody waits for it."""

    def __init__(
        self,
        host: str,
        port: int,
        site: str,
        lane: str,
        heard: Iterable[Topic],
        tls: Tls | None = None,
        kept: Iterable[Topic] = (),
    ) -> None:
        """Take where the broker is, and what is heard of the lane.

        kept: what is acknowledged only once what follows from it is on disk: see `acknowledge`.

        Raises:
            ConfigError: as `Tls.context`.
        """
        self.refused: Counter[tuple[str, str]] = Counter()  # (topic, reason) → messages
        self.connected = threading.Event()
        self._address = f"{host}:{port}"
        self._site, self._lane = site, lane
        self._heard = {topic.under(site, lane): topic for topic in heard}
        self._inboxes: dict[str, deque[tuple[int, dict[str, Any]]]] = {t: deque(maxlen=INBOX) for t in self._heard}
        self._admitted: dict[str, deque[int]] = {t: deque(maxlen=REMEMBERED) for t in self._heard}  # hashes
        self._others = {topic.under(site, lane) for topic in TABLE}  # of the protocol, though not for us
        self._seq: Counter[str] = Counter()
        self._state: dict[str, Any] = {"state": "Stopped", "why": "starting"}
        self._client = self._new_client(host, port, tls)
        self._receipts = Receipts(lambda mid: self._client.ack(mid, 1), [topic.under(site, lane) for topic in kept])

    def start(self) -> None:
        """Begin to connect, in the background."""
        self._client.loop_start()

    def stop(self) -> None:
        """Say goodbye and end the thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def take(self, topic: Topic) -> list[tuple[int, dict[str, Any]]]:
        """What was said on a topic since the last call: (monotonic ns of receipt, checked fields), oldest first."""
        path = topic.under(self._site, self._lane)
        self._receipts.take(path)  # first: whose receipt is there has its message in the inbox
        inbox = self._inboxes[path]
        return [inbox.popleft() for _ in range(len(inbox))]

    def acknowledge(self, handed: Mark, written: Mark) -> None:
        """A turn has ended that handed over so many records in all: tell the broker what need not be said again."""
        self._receipts.turned(handed, written)

    def publish(self, topic: Topic, fields: Mapping[str, Any], expiry_s: float | None = None) -> bool:
        """Pass a message to the broker; without a connection it is dropped: what is late must not be sent."""
        if not self.connected.is_set():
            return False
        self._seq[topic.name] += 1
        payload = encode(self._seq[topic.name], fields)
        properties = expiring(expiry_s or topic.expiry_s)
        self._client.publish(topic.under(self._site, self._lane), payload, topic.qos, topic.retained, properties)
        return True

    def announce(self, state: str, why: str, versions: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """Set the retained state of the station; said again after each reconnect."""
        self._state = {"state": state, "why": why, **(versions or {})}
        self.publish(STATE, self._state)

    @property
    def said(self) -> tuple[str, str]:
        """The station's state, and why."""
        return self._state["state"], self._state["why"]

    def _new_client(self, host: str, port: int, tls: Tls | None) -> mqtt.Client:
        client_id = f"tunnel-edge-{self._site}-{self._lane}"
        version, protocol = CallbackAPIVersion.VERSION2, mqtt.MQTTv5
        client = secured(mqtt.Client(version, client_id=client_id, protocol=protocol, manual_ack=True), tls)
        gone = encode(0, {"state": "Aborted", "why": "the daemon is gone"})
        client.will_set(STATE.under(self._site, self._lane), gone, STATE.qos, retain=True)
        client.reconnect_delay_set(FIRST_RETRY_S, RETRY_S)  # type: ignore[arg-type]  # paho only compares and waits
        client.on_connect, client.on_connect_fail = self._on_connect, self._on_connect_fail
        client.on_disconnect, client.on_message = self._on_disconnect, self._on_message
        client.on_socket_open, client.on_subscribe = send_at_once, self._on_subscribe
        # The broker keeps for us what the eyes and the warehouse say while we are away.
        session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        session.SessionExpiryInterval, session.ReceiveMaximum = SESSION_S, UNACKNOWLEDGED
        client.connect_async(host, port, keepalive=KEEPALIVE_S, clean_start=False, properties=session)
        return client

    def _on_connect(
        self, client: mqtt.Client, _: object, __: mqtt.ConnectFlags, reason: ReasonCode, ___: object
    ) -> None:
        if reason.is_failure:
            log.warning("broker %s refuses us: %s; look at its own log for the reason", self._address, reason)
            return
        # The whole lane, so that what is said on a wrong topic is noticed.
        client.subscribe(f"tunnel/{self._site}/{self._lane}/#", options=SubscribeOptions(qos=1, noLocal=True))
        self.connected.set()
        log.info("connected to broker %s", self._address)
        self.publish(STATE, self._state)

    def _on_subscribe(self, _: mqtt.Client, __: object, ___: int, reasons: list[ReasonCode], ____: object) -> None:
        if any(reason.is_failure for reason in reasons):
            self.refused["subscribe", "denied"] += 1
            log.error("broker %s denies us the lane's topics: mend its ACLs, we are deaf", self._address)

    def _on_connect_fail(self, _: mqtt.Client, __: object) -> None:
        log.warning(
            "broker %s does not answer; start it, or see what `tunnel-edge check` says of it. Trying again.",
            self._address,
        )

    def _on_disconnect(
        self, _: mqtt.Client, __: object, ___: mqtt.DisconnectFlags, reason: ReasonCode, ____: object
    ) -> None:
        self.connected.clear()
        self._receipts.disconnected()
        log.warning("broker %s: connection lost (%s); trying again", self._address, reason)

    def _on_message(self, _: mqtt.Client, __: object, message: mqtt.MQTTMessage) -> None:
        topic = self._heard.get(message.topic)
        if topic is not None:
            self._admit(topic, message)
        elif message.topic not in self._others:
            self._refuse("other", "wrong_topic", f"there is no topic {message.topic[:80]!r}.")
        if message.qos:
            self._receipts.came(message.topic, message.mid)

    def _admit(self, topic: Topic, message: mqtt.MQTTMessage) -> None:
        try:
            fields = decode(topic, bytes(message.payload))
            self._demand_news(topic, message)
        except MalformedMessage as error:
            self._refuse(topic.name, error.reason, str(error))
            return
        inbox = self._inboxes[message.topic]
        if len(inbox) == INBOX:
            self._refuse(topic.name, "inbox_full", f"{topic.name}: the loop does not keep up.")
        inbox.append((time.monotonic_ns(), fields))

    def _refuse(self, topic: str, reason: str, why: str) -> None:
        """Count each; log the first, second, fourth, …: a flood must not fill the log."""
        self.refused[topic, reason] += 1
        if self.refused[topic, reason].bit_count() == 1:
            log.warning("refused (%d times so far): %s", self.refused[topic, reason], why)

    def _demand_news(self, topic: Topic, message: mqtt.MQTTMessage) -> None:
        """No writer says a number twice, and only a retained topic says again what was said before we listened.

        Raises:
            MalformedMessage: it is not news.
        """
        if topic.retained:
            return
        if message.retain:
            raise MalformedMessage("retained", f"{topic.name}: kept by the broker, nobody knows for how long.")
        said, admitted = hash(bytes(message.payload)), self._admitted[message.topic]
        if said in admitted:
            raise MalformedMessage("replayed", f"{topic.name}: the same was said before.")
        admitted.append(said)
