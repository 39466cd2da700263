"""The processes of a demo: a private broker, the daemon and the lane in software, each of them the real one."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge.core.errors import BrokerUnreachable, DemoFailed

START_S = 10.0
STOP_S = 20.0
TAIL_LINES = 15


@dataclass(frozen=True, slots=True)
class Ports:
    """Free loopback ports."""

    broker: int
    frames: int
    tap: int
    metrics: int


def free_ports() -> Ports:
    """Four that nobody listens on."""
    sockets = [socket.socket() for _ in range(4)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = Ports(*(one.getsockname()[1] for one in sockets))
    for one in sockets:
        one.close()
    return ports


@contextmanager
def broker(folder: Path, port: int) -> Iterator[None]:
    """A private mosquitto on loopback.

    Raises:
        BrokerUnreachable: it is not installed, or does not start.
    """
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        raise BrokerUnreachable("mosquitto is not installed: run `make setup`, or `apt-get install mosquitto`.")
    settings = folder / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n")
    with process([program, "-c", str(settings)], folder / "mosquitto.log") as running:
        if not _answers(port, running):
            raise BrokerUnreachable(f"mosquitto did not start:\n{tail(folder / 'mosquitto.log')}")
        yield


@contextmanager
def process(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program whose words go to a file; ended with SIGTERM, and with SIGKILL if it does not listen."""
    with log.open("wb") as words, subprocess.Popen(command, stdout=words, stderr=words) as running:
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(STOP_S)
            except subprocess.TimeoutExpired:
                running.kill()


def own_command(*arguments: str) -> list[str]:
    """One of our own commands in this interpreter."""
    return [sys.executable, "-m", "edge", *arguments]


def demand_life(running: subprocess.Popen[bytes], what: str, log: Path) -> None:
    """Raise when a process has ended that should not have.

    Raises:
        DemoFailed: with the process's last words.
    """
    if running.poll() is not None:
        raise DemoFailed(f"{what} ended with code {running.returncode}; its last words:\n{tail(log)}")


def demand_success(running: subprocess.Popen[bytes], what: str, log: Path) -> None:
    """Raise when a process has ended badly.

    Raises:
        DemoFailed: with the process's last words.
    """
    if running.returncode:
        demand_life(running, what, log)


def tail(log: Path) -> str:
    """The last lines of a file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-TAIL_LINES:])


def _answers(port: int, running: subprocess.Popen[bytes]) -> bool:
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s and running.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.05)
    return False
