"""A cable to another network namespace, for kernels without netem: real Ethernet frames, delayed, lost or cut.

Two TAP devices, one here and one in the namespace, and a process between them that forwards what either sends. What TCP
makes of it is the kernel's own doing. Needs root, `ip` and /dev/net/tun.
"""

from __future__ import annotations

import fcntl
import heapq
import json
import os
import random
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

TUN, MOUNTS = Path("/dev/net/tun"), Path("/proc/self/mountinfo")
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000  # linux/if_tun.h
MAX_FRAME = 65_536
IDLE_S = 1.0
BATCH = 64  # frames from one side before the other is looked at


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a cable."""

    delay_ms: float = 0.0  # each way
    loss: float = 0.0  # share of frames, each way
    cut: bool = False
    rate_mb_per_s: float = 0.0  # each way; 0: as fast as this process forwards


SOUND = Fault()


@dataclass(frozen=True, slots=True)
class Cable:
    """As the near end sees it."""

    namespace: str
    near: str  # addresses
    far: str
    _forwarder: subprocess.Popen[str]

    def suffer(self, fault: Fault) -> None:
        """From now on."""
        assert self._forwarder.stdin
        self._forwarder.stdin.write(json.dumps(asdict(fault)) + "\n")
        self._forwarder.stdin.flush()

    def there(self, command: Sequence[str], ahead_s: int = 0) -> list[str]:
        """The words that run a command at the far end, with a monotonic clock that is so far ahead of this one's."""
        clock = ["unshare", "--time", "--monotonic", str(ahead_s)] if ahead_s else []
        return ["ip", "netns", "exec", self.namespace, *clock, *command]


def unavailable() -> str:
    """Why there can be no cable here; empty: there can."""
    if os.geteuid() or not TUN.exists():
        return "needs root and /dev/net/tun"
    if not any(line.split()[4] == "/" for line in MOUNTS.read_text().splitlines()):
        return "needs a root that is mounted: in a chroot `ip netns` cannot enter a namespace"
    tried = subprocess.run(["ip", "netns", "list"], capture_output=True, check=False)
    return "needs `ip netns`" if tried.returncode else ""


@contextmanager
def cable(number: int = 0, seed: int = 0, congestion: str = "") -> Iterator[Cable]:
    """A sound one, until it suffers.

    number: 0 to 255, another one for each cable that there is at once.
    congestion: how TCP reckons with the link, at either end; empty: as the kernel does.
    """
    name, near, far = f"tunnel{number}", f"10.77.{number}.1", f"10.77.{number}.2"
    with ExitStack() as stack:
        stack.enter_context(_namespace(name))
        ends = [stack.enter_context(_tap(f"{name}{side}")) for side in "nf"]
        _ip("link", "set", f"{name}f", "netns", name)
        _ip("addr", "add", f"{near}/24", "dev", f"{name}n")
        _ip("link", "set", f"{name}n", "up")
        _ip("-n", name, "addr", "add", f"{far}/24", "dev", f"{name}f")
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", name, "link", "set", f"{name}f", "up")
        if congestion:
            _route("", f"10.77.{number}.0/24", f"{name}n", congestion)
            _route(name, f"10.77.{number}.0/24", f"{name}f", congestion)
        yield Cable(name, near, far, stack.enter_context(_forwarder(ends, seed)))


@contextmanager
def _namespace(name: str) -> Iterator[None]:
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)  # of a run that was killed
    _ip("netns", "add", name)
    try:
        yield
    finally:
        _ip("netns", "del", name)


@contextmanager
def _tap(name: str) -> Iterator[int]:
    end = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
    try:
        fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
        yield end
    finally:
        os.close(end)


@contextmanager
def _forwarder(ends: Sequence[int], seed: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bench.cable", str(seed), *map(str, ends)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=ends, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _route(namespace: str, subnet: str, device: str, congestion: str) -> None:
    where = ["-n", namespace] if namespace else []
    _ip(*where, "route", "change", subnet, "dev", device, "scope", "link", "congctl", congestion)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


class Forwarder:
    """Between the two ends; told what to do on standard input, a line of JSON each."""

    def __init__(self, ends: Sequence[int], seed: int) -> None:
        self._other = {ends[0]: ends[1], ends[1]: ends[0]}
        self._chance = random.Random(seed)  # noqa: S311 - no secret
        self._fault = SOUND
        self._due: list[tuple[float, int, int, bytes]] = []  # when, order, to which end, what
        self._free_s = dict.fromkeys(ends, 0.0)  # when the way to an end has sent what it took so far
        self._order = 0

    def run(self) -> None:
        """Until standard input ends."""
        while True:
            left_s = self._due[0][0] - time.monotonic() if self._due else IDLE_S
            ready, _, _ = select.select([sys.stdin.fileno(), *self._other], [], [], max(0.0, left_s))
            for one in ready:
                if one in self._other:
                    self._take(one)
                elif line := sys.stdin.readline():
                    self._fault = Fault(**json.loads(line))
                else:
                    return
            self._deliver()

    def _take(self, end: int) -> None:
        for _ in range(BATCH):
            try:
                frame = os.read(end, MAX_FRAME)
            except BlockingIOError:
                return
            if not self._fault.cut and self._chance.random() >= self._fault.loss:
                self._order += 1
                heapq.heappush(self._due, (self._arrives_s(end, len(frame)), self._order, self._other[end], frame))

    def _arrives_s(self, end: int, size: int) -> float:
        now_s = time.monotonic()
        if self._fault.rate_mb_per_s:
            self._free_s[end] = max(now_s, self._free_s[end]) + size / self._fault.rate_mb_per_s / 1e6
        return max(now_s, self._free_s[end]) + self._fault.delay_ms / 1000

    def _deliver(self) -> None:
        """What is due; a cut cable delivers nothing."""
        while self._due and self._due[0][0] <= time.monotonic():
            _, _, end, frame = heapq.heappop(self._due)
            if not self._fault.cut:
                os.write(end, frame)


if __name__ == "__main__":
    Forwarder([int(word) for word in sys.argv[2:]], int(sys.argv[1])).run()
