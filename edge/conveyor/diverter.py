"""The diverter and the station's heartbeat over MQTT."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from edge.core import topics
from edge.core.belt import NS_PER_MS, NS_PER_S
from edge.core.messages import DivertAck, DivertCommand, FireResult
from edge.core.ports import Wire
from edge.core.supervision import Oversight
from edge.core.wire import ack_of, command_fields

HEARD = (topics.ACK,)
BEAT_NS = 200 * NS_PER_MS
NEVER_NS = 2**63


class DiverterOverMqtt:
    """Sends each command, without a broker as soon as there is one again, and never after its window."""

    def __init__(self, link: Wire, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self.dropped = 0  # commands that could not be sent before their window had closed
        self._link = link
        self._clock_ns = clock_ns
        self._unsent: list[DivertCommand] = []

    def send(self, commands: Iterable[DivertCommand]) -> None:
        """Pass the commands to the broker, and those that are still unsent; returns at once."""
        self._unsent = [command for command in (*self._unsent, *commands) if not self._sent(command)]

    def _sent(self, command: DivertCommand) -> bool:
        """Whether nothing is left to do; a command whose window has closed is dropped, and the eyes will say missed."""
        left_s = (command.expires_ns - self._clock_ns()) / NS_PER_S
        if left_s <= 0:
            self.dropped += 1
            return True
        return self._link.publish(topics.COMMAND, command_fields(command), left_s)

    def acks(self) -> Sequence[DivertAck]:
        """What the PLC answered."""
        return [ack_of(fields, heard_ns) for heard_ns, fields in self._link.take(topics.ACK)]


class StationOverMqtt:
    """Beats as long as the loop turns, and says what state the lane is in."""

    def __init__(self, link: Wire, versions: Mapping[str, str]) -> None:
        self._link = link
        self._versions = versions
        self._next_ns = 0
        self._said: tuple[str, str, Mapping[str, str]] | None = None

    def hush(self) -> None:
        """Beat no more: the gate is to go to its safe side."""
        self._next_ns = NEVER_NS

    def tell(self, oversight: Oversight, turn: int, now_ns: int) -> None:
        """Five beats a second, and none while we are blind; the state when it changes; each request for a stop once."""
        if now_ns >= self._next_ns and not oversight.blind:
            self._next_ns = now_ns + BEAT_NS
            self._link.publish(topics.HEARTBEAT, {"turn": turn})
        if (said := (oversight.state, oversight.why, oversight.calibration)) != self._said:
            self._said = said
            versions = {"models": self._versions, "calibration": oversight.calibration}
            told = {name: one for name, one in versions.items() if one or name == "models"}
            self._link.announce(oversight.state, oversight.why[: topics.MAX_TEXT], told)
        for stop in oversight.stops:
            self._link.publish(topics.LINE_STOP, {"why": stop.because[: topics.MAX_TEXT]})
        for result in oversight.results:
            fields = {"test": result.test, "by": result.by, "outcome": result.outcome, "because": result.because}
            self._link.publish(topics.CHALLENGE_RESULT, fields)

    def report(self, results: Iterable[FireResult]) -> None:
        """What became of fire tests, to whom it concerns."""
        for one in results:
            fields = {"test": one.test, "by": one.by, "outcome": one.outcome, "because": one.because[: topics.MAX_TEXT]}
            self._link.publish(topics.FIRE_RESULT, fields)
