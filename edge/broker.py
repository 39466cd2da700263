"""What every client of the lane's broker needs: where it is, and how messages leave at once and expire."""

from __future__ import annotations

import argparse
import math
import socket
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker listens, and which lane's topics are meant."""

    host: str
    port: int
    site: str
    lane: str


def host_and_port(text: str) -> tuple[str, int]:
    """An option HOST:PORT.

    Raises:
        ArgumentTypeError: it is something else.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"'{text}' is not HOST:PORT")
    return host, int(port)


def send_at_once(_client: Client, _userdata: object, opened: Any) -> None:
    """Without this TCP holds small messages back until the last one is acknowledged, for 20 to 40 ms now and then."""
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def expiring(expiry_s: float | None) -> Properties | None:
    """MQTT counts expiry in whole seconds; rounded up, the PLC's own check of the window does the rest."""
    if expiry_s is None:
        return None
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = max(1, math.ceil(expiry_s))
    return properties
