"""The command `tunnel-edge node`: run a camera node, check its settings, make keys."""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import cv2
import zmq

from edge.cameras.assembly import demand
from edge.core.errors import demand_all
from edge.keys import make, own, public
from edge.node.outgoing import Outgoing
from edge.node.post import Post
from edge.node.settings import NodeConfig, load
from edge.records.notify import Service, Standing

KEYS = Path("/etc/tunnel-edge/keys")


def main(arguments: Sequence[str]) -> int:
    """`tunnel-edge node NODE.toml | check NODE.toml | keys [NAME]`."""
    commands: dict[str, Callable[[Sequence[str]], int]] = {"check": _check, "keys": _keys}
    command = commands.get(arguments[0]) if arguments else None
    return command(arguments[1:]) if command else _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    """Until SIGTERM or SIGINT."""
    what = "Run a camera node. Also: `check NODE.toml` opens its cameras once, `keys` makes a pair of keys."
    config = load(_path("", what, arguments))
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    cv2.setNumThreads(1)
    serve(config, ending)
    return 0


def serve(config: NodeConfig, ending: threading.Event) -> None:
    """Grab and send until told to end."""
    with ExitStack() as stack:
        context: zmq.Context[zmq.Socket[bytes]] = stack.enter_context(zmq.Context())
        cameras = {camera.name: Outgoing(camera) for camera in config.camera}
        post = Post(context, config.node, cameras)
        stack.callback(post.close)
        for camera in cameras.values():
            camera.grabber.start()
            stack.callback(camera.grabber.stop)
        service = stack.enter_context(closing(Service()))
        while not ending.is_set():
            post.turn()
            service.turned(time.monotonic_ns(), lambda: _standing(cameras.values()))
        service.stopping()


def _standing(cameras: Collection[Outgoing]) -> Standing:
    """Ready, once each camera has been opened or tells why not."""
    awaited = [one.grabber.name for one in cameras if not one.grabber.opened and not one.grabber.fault]
    faults = [one.grabber.fault for one in cameras if one.grabber.fault]
    return Standing("; ".join(faults) or f"sending {len(cameras)} cameras", ", ".join(awaited))


def _check(arguments: Sequence[str]) -> int:
    """Keys and cameras; all faults at once."""
    config = load(_path(" check", "Check a node's settings, keys and cameras.", arguments))
    parts: list[Callable[[], object]] = [lambda: own(config.node.key)]
    parts += [lambda path=path: public(path) for path in config.node.boxes]  # type: ignore[misc]
    parts += [lambda camera=camera: demand(camera) for camera in config.camera]  # type: ignore[misc]
    demand_all(parts)
    print(f"good: {len(config.camera)} cameras, {config.node.listen}")  # noqa: T201 - the command's own voice
    return 0


def _keys(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="tunnel-edge node keys", description="Make a pair of keys; the secret one stays on this machine."
    )
    parser.add_argument("name", nargs="?", default=socket.gethostname(), help="(default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=KEYS, help="(default: %(default)s)")
    options = parser.parse_args(arguments)
    public_key, secret_key = make(options.folder, options.name)
    print(f"{secret_key} stays here; copy {public_key} to the other machine")  # noqa: T201
    return 0


def _path(command: str, what: str, arguments: Sequence[str]) -> Path:
    parser = argparse.ArgumentParser(prog=f"tunnel-edge node{command}", description=what)
    parser.add_argument("config", type=Path, help="the node's settings (TOML)")
    path: Path = parser.parse_args(arguments).config
    return path
