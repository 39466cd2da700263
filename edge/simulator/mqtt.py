"""One party's line to the broker: MQTT 5, topics from the one table, callbacks that only enqueue."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Any, Self

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.broker import Address, expiring, secured, send_at_once
from edge.core.errors import BrokerUnreachable, MalformedMessage
from edge.core.topics import Topic
from edge.core.wire import decode, encode

CONNECT_S = 5.0
KEEP_ALIVE_S = 5
QUEUE_LENGTH = 1000  # the newest messages are kept


@dataclass(frozen=True, slots=True)
class Received:
    """A checked message."""

    topic: Topic
    fields: Mapping[str, Any]
    retained: bool  # kept by the broker, or sent to be kept


class Party:
    """The PLC, or the warehouse, as the broker knows it; use it as a context manager.

    Raises, on entering:
        BrokerUnreachable: no broker answers at the address within a few seconds.
    """

    def __init__(self, name: str, address: Address, topics: Iterable[Topic] = (), first_seq: int = 1) -> None:
        self.refused: Counter[str] = Counter()  # why messages from outside were dropped
        self.connections = 0  # grows with each reconnect
        self._address = address
        self._topics = {topic.under(address.site, address.lane): topic for topic in topics}
        self._incoming: deque[MQTTMessage] = deque(maxlen=QUEUE_LENGTH)
        self._seq: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(first_seq))  # of each topic
        self._connected = threading.Event()
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{name}-{address.site}-{address.lane}",
            protocol=MQTTProtocolVersion.MQTTv5,
        )
        secured(self._client, address.tls)
        self._client.on_socket_open = send_at_once
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._enqueue

    def __enter__(self) -> Self:
        """Connect; the client reconnects by itself from then on."""
        host, port = self._address.host, self._address.port
        try:
            # A clean start each time: nothing that was queued for an earlier life may fire in this one.
            self._client.connect(host, port, KEEP_ALIVE_S, clean_start=True)
        except OSError as error:
            raise _unreachable(host, port, str(error)) from error
        self._client.loop_start()
        if not self._connected.wait(CONNECT_S):
            self._close()
            raise _unreachable(host, port, f"no answer within {CONNECT_S:g} s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect in good order."""
        self._close()

    def publish(self, topic: Topic, fields: Mapping[str, Any]) -> None:
        """Send one message; returns at once."""
        self._client.publish(
            topic.under(self._address.site, self._address.lane),
            encode(next(self._seq[topic.name]), fields),
            topic.qos,
            topic.retained,
            expiring(topic.expiry_s),
        )

    def received(self) -> list[Received]:
        """The messages since the last call, oldest first; malformed ones are counted and left out."""
        checked = (self._check(self._incoming.popleft()) for _ in range(len(self._incoming)))
        return [message for message in checked if message]

    def _check(self, message: MQTTMessage) -> Received | None:
        topic = self._topics[message.topic]
        try:
            return Received(topic, decode(topic, bytes(message.payload)), message.retain)
        except MalformedMessage as error:
            self.refused[error.reason] += 1
            return None

    def _subscribe(
        self,
        client: Client,
        _userdata: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            return
        # The broker is to leave the retain flag on, so that a command sent to be kept can be told from an order.
        options = [
            (name, SubscribeOptions(qos=topic.qos, retainAsPublished=True)) for name, topic in self._topics.items()
        ]
        self.connections += 1
        if options:
            client.subscribe(options)
        else:
            self._connected.set()

    def _subscribed(self, *_: object) -> None:
        """Only now does the broker pass on what others say: before that, an order could be missed."""
        self._connected.set()

    def _enqueue(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self._incoming.append(message)

    def _close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def _unreachable(host: str, port: int, why: str) -> BrokerUnreachable:
    return BrokerUnreachable(f"{host}:{port}: no MQTT broker ({why}): start mosquitto there, or name another --broker.")
