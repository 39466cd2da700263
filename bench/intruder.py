"""A client that should not be on the lane, and what it does there."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from bench.shots import SOUND, Counted, Heard, Shot
from edge.broker import Address, send_at_once
from edge.core.topics import HEARTBEAT, STATE

REMEMBERED = 500  # of what others said, to be replayed
PATIENCE_S = 60.0  # with the broker
KEEPALIVE_S = 10


@dataclass(frozen=True, slots=True)
class Fired:
    """What was sent, and how the daemon's heart beat meanwhile."""

    by_kind: Counter[str]
    to_count: Counter[Counted]
    longest_silence_s: float
    lasted_s: float

    def after(self, other: Fired) -> Fired:
        """With what was sent before."""
        return replace(self, by_kind=self.by_kind + other.by_kind, to_count=self.to_count + other.to_count)


class Intruder:
    """A client that should not be on the lane: it hears all that others say, and says what it likes."""

    def __init__(self, address: Address) -> None:
        self.heard: deque[Heard] = deque(maxlen=REMEMBERED)
        self._longest_silence_s = 0.0
        self.ready = threading.Event()  # the daemon is at work
        self._address = address
        self._topics = {
            topic.under(address.site, address.lane): topic
            for topic in (*(topic for topic, _ in SOUND), HEARTBEAT, STATE)
        }
        self._beat_s: float | None = None
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="intruder", protocol=mqtt.MQTTv5)
        self._client.on_socket_open, self._client.on_message = send_at_once, self._on_message

    def __enter__(self) -> Intruder:
        """Connect."""
        self._client.connect(self._address.host, self._address.port, KEEPALIVE_S)
        self._client.loop_start()
        self._client.subscribe([(path, SubscribeOptions(qos=1, noLocal=True)) for path in self._topics])
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect, after the last message has arrived at the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def fire(self, shot: Shot) -> None:
        """Publish one; returns when the broker has it, so that it is sure to be counted."""
        under = f"tunnel/{self._address.site}/{self._address.lane}/{shot.topic}"
        path = shot.topic[1:] if shot.topic.startswith("/") else under
        self._client.publish(path, shot.payload, qos=1, retain=shot.retained).wait_for_publish(PATIENCE_S)

    def silence_s(self) -> float:
        """The longest time without a heartbeat so far, the present one counted in."""
        now_s = time.monotonic()
        self._longest_silence_s = max(self._longest_silence_s, now_s - (self._beat_s or now_s))
        return self._longest_silence_s

    def _on_message(self, _: mqtt.Client, __: object, message: mqtt.MQTTMessage) -> None:
        topic = self._topics[message.topic]
        if topic is HEARTBEAT:
            self.silence_s()
            self._beat_s = time.monotonic()
        elif topic is STATE:
            if json.loads(message.payload)["state"] == "Execute":
                self.ready.set()
        elif self.ready.is_set() and topic.writer != "box" and not message.retain:
            self.heard.append(Heard(topic, bytes(message.payload)))


def bombard(intruder: Intruder, volley: Iterable[Shot], rate: float) -> Fired:
    """Fire all, at so many a second at most."""
    by_kind, to_count = Counter[str](), Counter[Counted]()
    started_s = time.monotonic()
    for n, shot in enumerate(volley):
        time.sleep(max(0.0, started_s + n / rate - time.monotonic()))
        intruder.fire(shot)
        by_kind[shot.kind] += 1
        if shot.counted:
            to_count[shot.counted] += 1
    return Fired(by_kind, to_count, intruder.silence_s(), time.monotonic() - started_s)
