"""The node's side of the wire: hears its box, answers at once, and sends what the cameras have for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence

import zmq

from edge.core.aim import STALE_NS
from edge.core.errors import ConfigError, MalformedMessage
from edge.core.frames import encode_sent
from edge.core.nodes import (
    GOT,
    MAX_WORD_BYTES,
    READY,
    WORD,
    Answer,
    Place,
    Word,
    decode_got,
    decode_word,
    encode_answer,
)
from edge.keys import own, public
from edge.node.door import Door
from edge.node.outgoing import LIFE, Outgoing
from edge.node.settings import ListenSettings

POLL_MS = 2
BEAT_MS, DEAD_MS, HANDSHAKE_MS = 250, 2000, 5000  # of ZMTP, as at the box
MOST = 64  # messages that wait in the socket, either way: the windows keep frames at far fewer

log = logging.getLogger(__name__)


class Post:
    """One socket for all that a box says and is sent; for one thread."""

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], settings: ListenSettings, cameras: Mapping[str, Outgoing]
    ) -> None:
        """Listen.

        Raises:
            ConfigError: a key cannot be used, or the place to listen at.
        """
        keys, boxes = own(settings.key), [public(path) for path in settings.boxes]
        self.refused = 0  # messages
        self._cameras = cameras
        self._place: Place | None = None
        self._box = ""  # the one that is served: its word counts, until it is silent
        self._heard_ns = 0  # its last word
        self._frames_to = b""  # its connection for frames
        self._door = Door(context, boxes)
        self._socket = context.socket(zmq.ROUTER)
        self._socket.curve_server, self._socket.curve_secretkey = True, keys.secret
        self._socket.router_mandatory = True  # a box that is gone is told, not passed over
        self._socket.sndhwm = self._socket.rcvhwm = MOST
        self._socket.maxmsgsize, self._socket.linger = MAX_WORD_BYTES, 0
        self._socket.heartbeat_ivl, self._socket.heartbeat_timeout = BEAT_MS, DEAD_MS
        self._socket.heartbeat_ttl, self._socket.handshake_ivl = DEAD_MS, HANDSHAKE_MS
        self._bind(settings.listen)
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._door.socket, zmq.POLLIN)

    def turn(self) -> None:
        """Hear what has come, take what the cameras have shown, and send what there is room for."""
        for socket, _ in self._poller.poll(POLL_MS):
            if socket is self._socket:
                self._hear(self._socket.recv_multipart())
            else:
                self._door.answer()
        place = self._present()
        for camera in self._cameras.values():
            camera.take(place)
        if place:
            self._empty(place)

    def close(self) -> None:
        """At once."""
        self._socket.close()
        self._door.socket.close()

    def _bind(self, endpoint: str) -> None:
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise ConfigError(f"node.listen: {endpoint} cannot be bound ({error}): name another place.") from error

    def _present(self) -> Place | None:
        """Where the belt is; None: no box has said so for a while."""
        place = self._place
        return place if place and _box_ns(place) - place.at_ns < STALE_NS else None

    def _hear(self, parts: Sequence[bytes]) -> None:
        kinds: dict[bytes, Callable[[bytes, bytes], None]] = {
            WORD: self._on_word,
            READY: self._on_ready,
            GOT: self._on_got,
        }
        sender, kind, *bodies = parts if len(parts) > 1 else (*parts, b"")
        try:
            kinds.get(kind, _on_nonsense)(sender, b"".join(bodies))
        except MalformedMessage as error:
            self.refused += 1
            log.warning("refused: %s", error)

    def _on_word(self, sender: bytes, body: bytes) -> None:
        heard_ns = time.monotonic_ns()
        word = decode_word(body)
        self._serve(word, heard_ns)
        states = {name: camera.state for name, camera in self._cameras.items()}
        refused = self.refused + self._door.refused
        answer = Answer(word.asked_ns, heard_ns, time.monotonic_ns(), LIFE, self._box, refused, states)
        self._offer(sender, encode_answer(answer))

    def _serve(self, word: Word, heard_ns: int) -> None:
        """One box at a time: two belts would be mixed up."""
        if heard_ns - self._heard_ns > STALE_NS:
            self._box = ""
        if word.place and self._box in ("", word.box):
            self._box, self._place, self._heard_ns = word.box, word.place, heard_ns

    def _on_ready(self, sender: bytes, body: bytes) -> None:
        if sender != self._frames_to and body == self._box.encode():
            log.info("frames go to a new connection")
            self._frames_to = sender
            for camera in self._cameras.values():
                camera.begin_anew()

    def _on_got(self, sender: bytes, body: bytes) -> None:
        got = decode_got(body)
        if sender != self._frames_to or got.camera not in self._cameras:
            raise MalformedMessage("got", "a box acknowledged a frame that was not sent to it.")
        self._cameras[got.camera].window.arrived(got.number, got.spent)

    def _empty(self, place: Place) -> None:
        """A frame of each camera in turn, until none has one that may go."""
        ready = list(self._cameras.values())
        while ready:
            ready = [camera for camera in ready if self._send(camera, place)]

    def _send(self, camera: Outgoing, place: Place) -> bool:
        """Whether a frame went."""
        sent = camera.next(_box_ns(place))
        if sent is None or not self._frames_to or not self._offer(self._frames_to, encode_sent(sent)):
            return False
        camera.gone()
        return True

    def _offer(self, receiver: bytes, parts: Sequence[bytes]) -> bool:
        """False: it is gone, or there is no room."""
        try:
            self._socket.send_multipart([receiver, *parts], zmq.NOBLOCK)
        except zmq.ZMQError as error:
            if error.errno == zmq.EHOSTUNREACH and receiver == self._frames_to:
                self._frames_to = b""
            return False
        return True


def _box_ns(place: Place) -> int:
    """Now, by the box's clock."""
    return time.monotonic_ns() - place.offset_ns


def _on_nonsense(_: bytes, __: bytes) -> None:
    raise MalformedMessage("kind", "a box sent what nobody knows.")
