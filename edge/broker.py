"""What every client of the lane's broker needs: where it is, whom to trust, how messages leave at once and expire."""

from __future__ import annotations

import argparse
import math
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from paho.mqtt.client import Client
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.core.errors import BrokerUnreachable, ConfigError
from edge.credentials import where
from edge.settings import BrokerSettings

MAX_PORT = 65_535
CA, CERTIFICATE, KEY = "ca.pem", "client.pem", "client.key"  # as `tunnel-edge certs` names them
HANDSHAKE_S, REFUSAL_S = 5.0, 0.5
SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Tls:
    """Whom a client trusts, and how it makes itself known."""

    ca: Path | None  # None: whom the machine trusts
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """For one client.

        Raises:
            ConfigError: a file is missing, unreadable or not what it should be.
        """
        try:
            context = ssl.create_default_context(cafile=where(self.ca) if self.ca else None)
            if self.certificate and self.key:
                context.load_cert_chain(where(self.certificate), where(self.key))
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(str(one) for one in (self.ca, self.certificate, self.key) if one)
            raise ConfigError(f"{files}: cannot be used ({error}): make them with `tunnel-edge certs`.") from error
        return context


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker listens, and which lane's topics are meant."""

    host: str
    port: int
    site: str
    lane: str
    tls: Tls | None = None


def tls_of(settings: BrokerSettings) -> Tls | None:
    """As the settings say; None: in clear."""
    return Tls(settings.ca, settings.certificate, settings.key) if settings.ca else None


def keys_in(folder: Path) -> Tls:
    """One client's folder, as `tunnel-edge certs` makes it."""
    return Tls(folder / CA, folder / CERTIFICATE, folder / KEY)


def secured(client: Client, tls: Tls | None) -> Client:
    """Have a client speak TLS, where that is wanted.

    Raises:
        ConfigError: as `Tls.context`.
    """
    if tls:
        client.tls_set_context(tls.context())
    return client


def expires(certificate: Path) -> tuple[str, datetime]:
    """Whose a certificate is, and until when it is good.

    Raises:
        ConfigError: it is none.
    """
    try:
        told = x509.load_pem_x509_certificate(where(certificate).read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{certificate}: no certificate ({error}): make it with `tunnel-edge certs`.") from error
    return told.subject.rfc4514_string(), told.not_valid_after_utc


def demand(host: str, port: int, tls: Tls | None) -> None:
    """Shake hands with the broker, without logging in: another one of our name may be at work there.

    Raises:
        BrokerUnreachable: nobody answers, or one of the two does not trust the other.
        ConfigError: as `Tls.context`, or our certificate expires within 30 days.
    """
    place = f"{host}:{port}"
    try:
        reach(host, port, tls)
    except ssl.SSLError as error:
        told = getattr(error, "verify_message", "") or error.reason or str(error)
        raise BrokerUnreachable(f"{place}: no trust ({told}): see [broker] ca, certificate, key and host.") from error
    except OSError as error:
        raise BrokerUnreachable(f"no broker answers at {place}: start it, or set [broker] host and port.") from error
    if tls and tls.certificate:
        demand_time(tls.certificate)


def reach(host: str, port: int, tls: Tls | None) -> None:
    """Connect and shake hands, and say nothing.

    Raises:
        OSError: nobody answers; as ssl.SSLError: one of the two does not trust the other.
        ConfigError: as `Tls.context`.
    """
    with socket.create_connection((host, port), HANDSHAKE_S) as plain:
        if tls:
            _shake_hands(plain, host, tls.context())


def _shake_hands(plain: socket.socket, host: str, context: ssl.SSLContext) -> None:
    """By TLS 1.3 the broker's word on our certificate comes after the handshake."""
    with context.wrap_socket(plain, server_hostname=host) as secure, suppress(TimeoutError):
        secure.settimeout(REFUSAL_S)
        secure.recv(1)


def demand_time(certificate: Path) -> None:
    """Our certificate must be good for a while.

    Raises:
        ConfigError: it expires within 30 days, or is none.
    """
    name, until = expires(certificate)
    if until - datetime.now(UTC) < SOON:
        raise ConfigError(
            f"{certificate} ({name}) expires on {until:%Y-%m-%d}: `tunnel-edge certs client` makes a new one."
        )


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
