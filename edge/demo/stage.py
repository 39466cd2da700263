"""The processes of a demo: a private broker, the daemon and the lane in software, each of them the real one."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from edge.core.errors import BrokerUnreachable, DemoFailed

START_S = 10.0
STOP_S = 20.0
TAIL_LINES = 15


@dataclass(frozen=True, slots=True)
class Ports:
    """Free loopback ports, and the addresses of what cannot choose its port."""

    broker: int
    frames: int
    tap: int
    metrics: int
    cameras: Mapping[str, str] = field(default_factory=dict)  # name → address, of those that speak GigE Vision


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
    settings = folder / "mosquitto.conf"
    settings.write_text(broker_settings(port))
    with process([mosquitto(), "-c", str(settings)], folder / "mosquitto.log"):
        await_port(port)
        yield


def broker_settings(port: int) -> str:
    """For one machine alone; without nodelay small messages wait up to 40 ms for the last one's acknowledgement."""
    return f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"


def lasting_broker_settings(port: int, folder: Path) -> str:
    """The same, with sessions that outlive the broker's own death, as the shipped settings have it."""
    kept = f"persistence true\npersistence_location {folder}/\nautosave_on_changes true\nautosave_interval 1\n"
    kept += "max_queued_messages 5000\nmax_queued_bytes 8000000\n"
    return broker_settings(port).replace("persistence false\n", kept) + f"user {getpass.getuser()}\n"


def mosquitto() -> str:
    """The program; Debian puts it where the PATH of a plain user does not look.

    Raises:
        BrokerUnreachable: it is not installed.
    """
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        raise BrokerUnreachable("mosquitto is not installed: run `make setup`, or `apt-get install mosquitto`.")
    return program


def await_port(port: int) -> None:
    """Wait until somebody listens.

    Raises:
        BrokerUnreachable: nobody does, in time.
    """
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise BrokerUnreachable(f"mosquitto did not start on port {port}: look for another that uses it.")


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
