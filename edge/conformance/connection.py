"""A connection to the lane's broker that hides nothing: flags as sent, payloads as they are."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.broker import Address, secured, send_at_once
from edge.core.errors import BrokerUnreachable, MalformedMessage
from edge.core.topics import Topic
from edge.core.wire import decode

CONNECT_S = 5.0
KEEP_ALIVE_S = 5
HIGHEST_QOS = 2  # what a subscriber must ask for to see the QoS that the publisher chose


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as it came."""

    topic: Topic
    at_s: float  # monotonic
    qos: int
    retained: bool  # as published, or kept by the broker
    expiry_s: int | None
    fields: Mapping[str, Any]  # empty if it is malformed
    fault: str  # why it is malformed; empty if it is not


class Connection:
    """One MQTT 5 client; use it as a context manager.

    Raises, on entering:
        BrokerUnreachable: no broker answers at the address within a few seconds.
    """

    def __init__(self, name: str, address: Address, topics: Iterable[Topic] = ()) -> None:
        self.heard: list[Heard] = []  # grows while connected: a suite lasts a minute
        self._address = address
        self._topics = {topic.under(address.site, address.lane): topic for topic in topics}
        self._client_id = f"{name}-{address.site}-{address.lane}"
        self._ready = threading.Event()
        self._client: mqtt.Client  # another one in each life

    def __enter__(self) -> Self:
        """Connect, and return when the broker has granted the subscriptions."""
        place = f"{self._address.host}:{self._address.port}"
        self._ready.clear()
        self._client = self._new_client()
        try:
            self._client.connect(self._address.host, self._address.port, KEEP_ALIVE_S)
        except OSError as error:
            raise BrokerUnreachable(f"{place}: no MQTT broker ({error}): start it, or name another.") from error
        self._client.loop_start()
        if not self._ready.wait(CONNECT_S):
            self._close()
            raise BrokerUnreachable(f"{place}: the broker does not let us in: check its users and ACLs.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect in good order."""
        self._close()

    def publish(self, name: str, payload: bytes, qos: int, *, retained: bool, expiry_s: float | None = None) -> None:
        """Send anything to a topic below the lane's, by its name there; returns at once."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if expiry_s is not None:
            properties.MessageExpiryInterval = max(1, round(expiry_s))
        path = f"tunnel/{self._address.site}/{self._address.lane}/{name}"
        self._client.publish(path, payload, qos, retained, properties)

    def _new_client(self) -> mqtt.Client:
        """Nothing that an earlier life had queued is sent in this one."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=self._client_id, protocol=mqtt.MQTTv5)
        secured(client, self._address.tls)
        client.on_socket_open = send_at_once
        client.on_connect = self._on_connect
        client.on_subscribe = lambda *_: self._ready.set()
        client.on_message = self._on_message
        return client

    def _on_connect(
        self, client: mqtt.Client, _: object, __: mqtt.ConnectFlags, reason: ReasonCode, ___: object
    ) -> None:
        if reason.is_failure:
            return
        options = [(path, SubscribeOptions(HIGHEST_QOS, retainAsPublished=True)) for path in self._topics]
        if options:
            client.subscribe(options)
        else:
            self._ready.set()

    def _on_message(self, _: mqtt.Client, __: object, message: mqtt.MQTTMessage) -> None:
        topic = self._topics[message.topic]
        fields: Mapping[str, Any] = {}
        fault = ""
        try:
            fields = decode(topic, bytes(message.payload))
        except MalformedMessage as error:
            fault = str(error)
        expiry_s = getattr(message.properties, "MessageExpiryInterval", None)
        self.heard.append(Heard(topic, time.monotonic(), message.qos, message.retain, expiry_s, fields, fault))

    def _close(self) -> None:
        # The client closes its last sockets when nobody holds it any longer; it and we hold one another.
        client = self._client
        del self._client
        client.disconnect()
        client.loop_stop()
