"""What systemd is told: ready, alive, in which state, stopping. Only the loop's own progress makes it speak.

`sd_notify(3)`: datagrams of `KEY=value` lines to the socket that NOTIFY_SOCKET names.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

NS_PER_US, NS_PER_S = 1_000, 1_000_000_000
EVERY_NS = NS_PER_S  # at most, without a watchdog
BEATS = 4  # in a watchdog's time
ALIVE = "WATCHDOG=1"
MORE_TIME = "EXTEND_TIMEOUT_USEC=30000000"  # to start in, each time that the loop has turned

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a daemon is."""

    state: str  # in a few words, and why
    awaited: str = ""  # what it still waits for before it is ready


class Service:
    """A unit of systemd; started by hand there is no socket, and nothing is told."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._every_ns = _every_ns(environment)
        self._next_ns = 0
        self._ready = self._stopping = False

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()

    def turned(self, now_ns: int, standing: Callable[[], Standing]) -> None:
        """The loop has turned: ready once nothing is awaited any longer, and from then on alive.

        Until it is ready each word gives it more time to start in: who waits for a broker may wait, who hangs may not.
        """
        if not self._address or now_ns < self._next_ns:
            return
        self._next_ns = now_ns + self._every_ns
        if self._stopping:
            self._say(ALIVE)
            return
        now = standing()
        if self._ready:
            self._say(ALIVE, f"STATUS={now.state}")
        elif now.awaited:
            self._say(f"STATUS=waiting for {now.awaited}", MORE_TIME)
        else:
            self._ready = self._say("READY=1", ALIVE, f"STATUS={now.state}")

    def stopping(self) -> None:
        """It was told to end, and sees to what is under way."""
        self._stopping = True
        self._say("STOPPING=1", "STATUS=Stopping: finishing what is at the gate")

    def _say(self, *lines: str) -> bool:
        """Whether it was taken; a socket that is full or gone must not hold the loop: the next turn says it again."""
        if not self._address:
            return False
        try:
            self._socket.sendto("\n".join(line.replace("\n", " ") for line in lines).encode(), self._address)
        except OSError as error:
            log.warning("systemd cannot be told (%s)", error.strerror)
            return False
        return True


def _address(name: str) -> str:
    """A path, or a name in the abstract namespace (`@…`)."""
    return "\0" + name[1:] if name.startswith("@") else name


def _every_ns(environment: Mapping[str, str]) -> int:
    """How often it is to speak: four times in a watchdog's time, if the watchdog is meant for this process."""
    mine = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    told = environment.get("WATCHDOG_USEC", "")
    return min(EVERY_NS, int(told) * NS_PER_US // BEATS) if mine and told.isdecimal() else EVERY_NS
