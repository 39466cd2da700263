"""Who may speak to a node: the boxes whose public keys its settings name (ZAP, ZeroMQ RFC 27)."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

import zmq
from zmq.utils import z85

ENDPOINT = "inproc://zeromq.zap.01"  # where libzmq asks
VERSION, YES, NO = b"1.0", b"200", b"400"

log = logging.getLogger(__name__)


class Door:
    """Answers libzmq when a connection wants in; there is one in a context."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], keys: Collection[bytes]) -> None:
        self.refused = 0  # times
        self.socket = context.socket(zmq.REP)
        self.socket.linger = 0
        self.socket.bind(ENDPOINT)
        self._keys = frozenset(keys)

    def answer(self) -> None:
        """One question, which has come."""
        parts = self.socket.recv_multipart()
        known = _key(parts) in self._keys
        if not known:
            self.refused += 1
            log.warning("refused: %s with key %s: is it in `boxes`?", parts[3].decode("ascii", "replace"), _key(parts))
        request = parts[1] if len(parts) > 1 else b""
        self.socket.send_multipart([VERSION, request, YES if known else NO, b"", b"", b""])


def _key(parts: Sequence[bytes]) -> bytes:
    """Of version, request, domain, address, identity, mechanism, key; empty: it shows none."""
    return z85.encode(parts[6]) if len(parts) == 7 and parts[5] == b"CURVE" else b""
