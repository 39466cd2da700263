"""`tunnel-edge warehouse`: play a warehouse system, to try a lane or to practise with."""

from __future__ import annotations

import argparse
import os
import signal
import ssl
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path

from edge.broker import Address, host_and_port, keys_in
from edge.core.errors import BrokerUnreachable, ConfigError
from edge.simulator.mqtt import Party
from edge.simulator.wms.listener import TOPICS, Listener
from edge.simulator.wms.mood import Mood, Moods
from edge.simulator.wms.service import Service
from edge.simulator.wms.shelf import Shelf

TURN_S, RETRY_S = 0.02, 1.0


def main(arguments: Sequence[str]) -> int:
    """Play it until SIGTERM or SIGINT; what it was asked for stays in its file."""
    options = _options(arguments)
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    moods = Moods(Mood(**{one.name: getattr(options, one.name) for one in fields(Mood)}), options.seed)
    with ExitStack() as stack:
        shelf = Shelf(options.file, moods.decide)
        stack.callback(shelf.close)
        if options.http:
            _serve(stack, Service(options.http, shelf, moods, _tls(options)))
        party = _party(stack, options, ending) if options.broker else None
        listener = Listener(party, shelf, moods) if party else None
        while not ending.wait(TURN_S):
            if listener:
                listener.turn()
    return 0


def _serve(stack: ExitStack, service: Service) -> None:
    thread = threading.Thread(target=service.serve_forever, daemon=True)
    thread.start()
    stack.callback(thread.join)
    stack.callback(service.server_close)
    stack.callback(service.shutdown)


def _party(stack: ExitStack, options: argparse.Namespace, ending: threading.Event) -> Party | None:
    """At the broker, as soon as there is one; None: told to end before that."""
    tls = keys_in(options.keys) if options.keys else None
    address = Address(options.broker[0], options.broker[1], options.site, options.lane, tls)
    while not ending.is_set():
        try:
            # Each life counts on from elsewhere: nothing it says may look like what it said before.
            return stack.enter_context(Party("warehouse", address, TOPICS, int.from_bytes(os.urandom(5))))
        except BrokerUnreachable as error:
            print(error, file=sys.stderr)  # noqa: T201 - the command's own voice
            ending.wait(RETRY_S)
    return None


def _tls(options: argparse.Namespace) -> ssl.SSLContext | None:
    """With the keys of a server, and the demand that clients have some of the same site."""
    if options.http_keys is None:
        return None
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=options.http_keys / "ca.pem")
        context.load_cert_chain(options.http_keys / "server.pem", options.http_keys / "server.key")
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"{options.http_keys}: ca.pem, server.pem and server.key are wanted there ({error}): `tunnel-edge certs`."
        ) from error
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tunnel-edge warehouse", description="Play a warehouse system that takes replacement orders and holds."
    )
    parser.add_argument("--file", type=Path, required=True, help="SQLite file in which it remembers requests")
    parser.add_argument("--http", type=host_and_port, metavar="HOST:PORT", help="listen there by HTTP")
    parser.add_argument("--http-keys", type=Path, metavar="FOLDER", help="ca.pem, server.pem, server.key: by HTTPS")
    parser.add_argument("--broker", type=host_and_port, metavar="HOST:PORT", help="listen at this broker")
    parser.add_argument("--site", default="site1", help="of the lane's topics (default: %(default)s)")
    parser.add_argument("--lane", default="lane1", help="of the lane's topics (default: %(default)s)")
    parser.add_argument("--keys", type=Path, metavar="FOLDER", help="for the broker, by `tunnel-edge certs`")
    parser.add_argument("--seed", type=int, default=1, help="of what goes wrong (default: %(default)s)")
    for one in fields(Mood):
        what = "seconds" if one.name.endswith("_s") else "share of requests, 0 to 1"
        parser.add_argument(f"--{one.name.replace('_', '-')}", type=float, default=one.default, help=what)
    options = parser.parse_args(arguments)
    if not (options.http or options.broker):
        parser.error("give --http, --broker or both")
    return options
