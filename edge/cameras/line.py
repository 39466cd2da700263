"""The two connections of a box to one camera node: what is said does not queue behind pixels."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import zmq
from zmq.utils.monitor import recv_monitor_message

from edge.core.belt import NS_PER_S
from edge.core.errors import CameraFault, MalformedMessage
from edge.core.frames import MAX_PIXEL_BYTES
from edge.core.nodes import ANSWER, MAX_WORD_BYTES, READY, Answer, Word, decode_answer, encode_word
from edge.keys import KeyPair

KEPT = 4  # messages that wait, either way; what is more waits where it comes from
BEAT_MS, DEAD_MS = 250, 2000  # of ZMTP: so long a connection may be silent before it is made anew
CONNECT_MS, HANDSHAKE_MS, AGAIN_MS = 1000, 5000, 100
ANSWERS_S = 3.0
RENEW_NS = NS_PER_S  # after a refusal
REFUSED = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
NEEDS_KEYS = "the node must know the box's public key (`boxes`), and the box the node's (`node_key`)"

Socket = zmq.Socket[bytes]
Context = zmq.Context[Socket]


@dataclass(frozen=True, slots=True)
class Peer:
    """A node, and how the two know each other."""

    endpoint: str
    key: bytes  # the node's public key
    own: KeyPair


class Line:
    """Both sockets, for one thread."""

    def __init__(self, context: Context, peer: Peer) -> None:
        self.name = uuid.uuid4().hex[:16]  # the node serves one box at a time
        self.refused_ns = 0  # when the node last ended a connection before it began, monotonic
        self._context = context
        self._peer = peer
        self._open()

    def say(self, word: Word) -> bool:
        """A word, and where frames are to go; False: there is no connection."""
        self._renew()
        if word.place is not None:
            _offer(self._frames, [READY, self.name.encode()])
        return _offer(self._words, encode_word(word))

    def acknowledge(self, parts: Sequence[bytes]) -> None:
        """What became of a frame."""
        _offer(self._frames, parts)

    def heard(self, timeout_ms: int) -> Iterator[list[bytes]]:
        """What has come, from either; waits so long for it."""
        for socket, _ in self._poller.poll(timeout_ms):
            if socket is self._watch:
                recv_monitor_message(self._watch)
                self.refused_ns = time.monotonic_ns()
            else:
                yield socket.recv_multipart()

    def close(self) -> None:
        """At once; what was not sent yet is dropped."""
        self._words.disable_monitor()
        for socket in (self._watch, self._words, self._frames):
            socket.close(linger=0)

    def _open(self) -> None:
        self._opened_ns = time.monotonic_ns()
        self._words = _socket(self._context, self._peer, MAX_WORD_BYTES)
        self._frames = _socket(self._context, self._peer, MAX_PIXEL_BYTES + MAX_WORD_BYTES)
        self._watch: Socket = self._words.get_monitor_socket(REFUSED)
        self._poller = zmq.Poller()
        for socket in (self._words, self._frames, self._watch):
            self._poller.register(socket, zmq.POLLIN)
        for socket in (self._words, self._frames):
            socket.connect(self._peer.endpoint)

    def _renew(self) -> None:
        """Once more: libzmq gives up where a key was refused; the node may know it by now."""
        if self.refused_ns > self._opened_ns and time.monotonic_ns() - self._opened_ns > RENEW_NS:
            self.close()
            self._open()


def ask(context: Context, peer: Peer) -> Answer:
    """How a node is; its frames go where they went before.

    Raises:
        CameraFault: it does not answer.
    """
    line = Line(context, peer)
    try:
        end_ns = time.monotonic_ns() + round(ANSWERS_S * NS_PER_S)
        while time.monotonic_ns() < end_ns:
            line.say(Word(time.monotonic_ns(), line.name, None))
            for parts in line.heard(AGAIN_MS):
                if parts[0] == ANSWER and len(parts) == 2:
                    return decode_answer(parts[1])
        raise CameraFault(silence(ANSWERS_S, keys_refused=line.refused_ns > 0))
    except MalformedMessage as error:
        raise CameraFault(f"{error} Run the same release on both.") from error
    finally:
        line.close()


def silence(since_s: float, *, keys_refused: bool) -> str:
    """What is wrong with a node that does not answer, and what to do."""
    if keys_refused:
        return f"refuses the connection: {NEEDS_KEYS}"
    return f"has not answered for {since_s:.1f} s: check its power and cable, and that `tunnel-edge node` runs there"


def _socket(context: Context, peer: Peer, most_bytes: int) -> Socket:
    socket = context.socket(zmq.DEALER)
    socket.curve_serverkey, socket.curve_publickey, socket.curve_secretkey = peer.key, peer.own.public, peer.own.secret
    socket.immediate = True  # nothing waits for a connection: it would be old by then
    socket.sndhwm = socket.rcvhwm = KEPT
    socket.maxmsgsize, socket.linger = most_bytes, 0
    socket.heartbeat_ivl, socket.heartbeat_timeout, socket.heartbeat_ttl = BEAT_MS, DEAD_MS, DEAD_MS
    socket.connect_timeout, socket.handshake_ivl, socket.reconnect_ivl = CONNECT_MS, HANDSHAKE_MS, AGAIN_MS
    return socket


def _offer(socket: Socket, parts: Sequence[bytes]) -> bool:
    try:
        socket.send_multipart(parts, zmq.NOBLOCK)
    except zmq.Again:
        return False
    return True
