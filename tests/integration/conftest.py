"""Real services for the integration tests."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

START_S = 10.0
HOST = "127.0.0.1"


class Broker:
    """A mosquitto of the test's own, which remembers nothing from one start to the next."""

    def __init__(self, folder: Path) -> None:
        self.host = HOST
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        # set_tcp_nodelay: else small messages wait for the acknowledgement of the last one, up to 40 ms.
        self._config.write_text(
            f"listener {self.port} {HOST}\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"
        )

    def start(self) -> None:
        """Start, and return when it answers."""
        with self._log.open("a") as log:
            self._mosquitto = subprocess.Popen([_program(), "-c", self._config], stdout=log, stderr=log)
        _wait_until_it_answers(self._mosquitto, self.port)

    def stop(self) -> None:
        """End it; it can be started again on the same port."""
        self._mosquitto.terminate()
        self._mosquitto.wait(START_S)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A mosquitto on a free port, without persistence; ended after the test."""
    started = Broker(tmp_path)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def endpoint() -> str:
    """A ZeroMQ endpoint that nobody has bound at the moment."""
    return f"tcp://{HOST}:{free_port()}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _program() -> str:
    # Debian puts it where the PATH of a plain user does not look.
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    return found or pytest.fail("mosquitto is not installed: run `make setup`")


def _wait_until_it_answers(mosquitto: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and mosquitto.poll() is None:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    pytest.fail(f"mosquitto does not answer on port {port}")
