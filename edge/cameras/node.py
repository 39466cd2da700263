"""The cameras of one node: asked for its clock, told where the belt is, its frames kept while they may be judged."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from edge.cameras.line import Context, Line, Peer, silence
from edge.cameras.part import filled
from edge.cameras.source import KEPT
from edge.core.aim import watched
from edge.core.belt import NS_PER_MS, NS_PER_S, Geometry
from edge.core.clocks import Clock, Exchange
from edge.core.errors import MalformedMessage
from edge.core.frames import TOPIC, Sent, decode_sent
from edge.core.messages import BeltReading, Image, Item, Span
from edge.core.nodes import ANSWER, Answer, Got, Place, Watched, Word, decode_answer, encode_got

ASK_NS = 40 * NS_PER_MS
ASKED = 128  # questions that may be without an answer: five seconds' worth
SILENT_NS = NS_PER_S  # of answers: a fault
OPENING_NS = 3 * NS_PER_S  # until the first answer
STANDS_NS = 5 * NS_PER_S  # a fault that only frames tell, once there are no more frames
LATE, UNCLEAR = "late", "unclear"
LATE_RUN = 5  # frames in a row that came to nothing: the link is at fault, not chance

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A node's frame, by this box's clock."""

    camera: str
    exposure: int  # the camera's own number
    exposed_ns: int
    error_ns: int  # by which that may be wrong
    expires_ns: int
    image: Image
    shown: Span
    fault: str
    encoder: int | None


class NodeCameras:
    """Those of a lane at one node; safe to ask from another thread than its own, and nothing waits but `stop`."""

    def __init__(self, context: Context, peer: Peer, cameras: Iterable[str], geometry: Geometry) -> None:
        self.endpoint = peer.endpoint
        self.counts: Counter[tuple[str, str]] = Counter()  # camera and what became of a frame → frames
        self.refused = 0  # messages that were none, repeated, or of an unknown camera
        self.clock = Clock()
        self._geometry = geometry
        self._line = Line(context, peer)
        self._frames: dict[str, deque[Arrived]] = {name: deque(maxlen=KEPT) for name in cameras}
        self._asked: deque[int] = deque(maxlen=ASKED)
        self._belt: tuple[BeltReading, float, Mapping[str, Watched]] | None = None  # with counts a millimetre
        self._answer: Answer | None = None
        self._numbers: dict[str, int] = {}  # the last frame's, by camera, in this life of the node
        self._life = ""
        self._late: Counter[str] = Counter()  # in a row
        self._troubles: dict[tuple[str, str], tuple[int, str]] = {}  # camera, kind → until when, and what frames told
        self._heard_ns = time.monotonic_ns() + OPENING_NS
        self._ask_ns = self._tell_ns = 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"node {peer.endpoint}", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and both connections."""
        self._ending.set()
        self._thread.join()
        self._line.close()

    @property
    def cameras(self) -> Sequence[str]:
        """By name."""
        return tuple(self._frames)

    @property
    def answer(self) -> Answer | None:
        """Its last."""
        return self._answer

    @property
    def clock_error_s(self) -> float:
        """By how much its clock may be wrong just now; infinite before the first answer."""
        known = self.clock.offset(time.monotonic_ns())
        return known[1] / NS_PER_S if known else float("inf")

    def tell(self, reading: BeltReading, items: Iterable[Item]) -> None:
        """Where the belt is and what is on it, for the next word."""
        if reading.read_ns >= self._tell_ns:
            self._tell_ns = reading.read_ns + ASK_NS
            things = tuple(items)
            cameras = {name: watched(self._geometry, name, things, reading) for name in self._frames}
            self._belt = reading, self._geometry.counts_per_mm, cameras

    def go_by(self, geometry: Geometry) -> None:
        """As `Camera.go_by`; told with the next word, all of it at once."""
        self._geometry = geometry

    def grab(self, reading: BeltReading) -> Iterator[Arrived]:
        """What has come since the last call, may still be judged, and is known to within the belt's tolerance."""
        for frames in self._frames.values():
            for _ in range(len(frames)):
                one = frames.popleft()
                if self._good(one, reading):
                    yield one

    def faults(self) -> dict[str, str]:
        """Camera → what is wrong with it just now, and what to do."""
        now_ns = time.monotonic_ns()
        return {name: told for name in self._frames if (told := self._fault(name, now_ns))}

    def _fault(self, camera: str, now_ns: int) -> str:
        where = f"camera '{camera}' (node {self.endpoint})"
        if now_ns - self._heard_ns > SILENT_NS:
            refused = now_ns - self._line.refused_ns < 3 * SILENT_NS
            return f"{where} {silence((now_ns - self._heard_ns) / NS_PER_S, keys_refused=refused)}"
        if self._answer is None:
            return ""
        if self._answer.serves not in ("", self._line.name):
            return f"{where} is another box's: the node serves one at a time, and that one is still there"
        if camera not in self._answer.cameras:
            return f"{where} is unknown there: the node has {', '.join(self._answer.cameras)}"
        if fault := self._answer.cameras[camera].fault:
            return f"{fault} (node {self.endpoint})"
        troubles = (self._troubles.get((camera, kind), (0, "")) for kind in (LATE, UNCLEAR))
        return next((f"{where} {told}" for until_ns, told in troubles if now_ns < until_ns), "")

    def _good(self, one: Arrived, reading: BeltReading) -> bool:
        error_mm = reading.speed_mm_per_s * one.error_ns / NS_PER_S
        if max(reading.read_ns, time.monotonic_ns()) > one.expires_ns:
            self.counts[one.camera, "expired"] += 1
        elif error_mm > self._geometry.tolerance_mm:
            self.counts[one.camera, "unclear"] += 1
            told = f"± {one.error_ns / NS_PER_MS:.0f} ms, {error_mm:.0f} mm of belt"
            self._trouble(one.camera, UNCLEAR, f"has a clock known to {told} only: shorten the way to the node")
        else:
            self._troubles.pop((one.camera, UNCLEAR), None)
            self.counts[one.camera, "taken"] += 1
            return True
        return False

    def _run(self) -> None:
        kinds: dict[bytes, Callable[[Sequence[bytes]], None]] = {ANSWER: self._on_answer, TOPIC: self._on_frame}
        while not self._ending.is_set():
            self._ask()
            for parts in self._line.heard(ASK_NS // NS_PER_MS // 4):
                try:
                    kinds.get(parts[0], self._on_nonsense)(parts)
                except MalformedMessage as error:
                    self.refused += 1
                    log.warning("node %s: refused: %s", self.endpoint, error)

    def _ask(self) -> None:
        now_ns = time.monotonic_ns()
        if now_ns >= self._ask_ns and self._line.say(Word(now_ns, self._line.name, self._place(now_ns))):
            self._asked.append(now_ns)
            self._ask_ns = now_ns + ASK_NS

    def _place(self, now_ns: int) -> Place | None:
        """None until the node's clock and the belt are known."""
        known, belt = self.clock.offset(now_ns), self._belt
        if known is None or belt is None:
            return None
        reading, counts_per_mm, cameras = belt
        return Place(
            reading.read_ns,
            known[0],
            reading.counts,
            reading.speed_mm_per_s,
            counts_per_mm,
            cameras,
        )

    def _on_answer(self, parts: Sequence[bytes]) -> None:
        back_ns = time.monotonic_ns()
        answer = decode_answer(b"".join(parts[1:]))
        exchange = Exchange(answer.asked_ns, answer.heard_ns, answer.answered_ns, back_ns)
        if answer.asked_ns not in self._asked or not exchange.possible:
            raise MalformedMessage("answer", "a camera node answered what it was not asked, or before it was.")
        self._asked.remove(answer.asked_ns)
        self._live(answer.life)
        self.clock.hear(exchange)
        self._count_late(answer)
        self._answer, self._heard_ns = answer, back_ns

    def _live(self, life: str) -> None:
        """Another life of the node: another clock, perhaps, and other numbers."""
        if life != self._life:
            self._life, self._answer = life, None
            self._numbers.clear()
            self.clock.forget()

    def _count_late(self, answer: Answer) -> None:
        """Frames that expired at the node, or that newer ones displaced there."""
        for name, before in self._answer.cameras.items() if self._answer else ():
            if name in self._frames and (now := answer.cameras.get(name)):
                self._came_late(name, now.expired + now.dropped - before.expired - before.dropped)

    def _came_late(self, camera: str, frames: int) -> None:
        self._late[camera] += frames
        if frames and self._late[camera] >= LATE_RUN:
            self._trouble(camera, LATE, "has frames that come too late: the link to the node is cut or too slow")

    def _trouble(self, camera: str, kind: str, told: str) -> None:
        self._troubles[camera, kind] = time.monotonic_ns() + STANDS_NS, told

    def _on_frame(self, parts: Sequence[bytes]) -> None:
        now_ns = time.monotonic_ns()
        sent = decode_sent(parts)
        self._number(sent)
        known = self.clock.offset(now_ns)
        if known is None:
            raise MalformedMessage("frame", "a camera node sent a frame before it had said what time it is.")
        exposed_ns = sent.exposed_ns - known[0]
        spent = (now_ns - exposed_ns) / max(1, sent.expires_ns - exposed_ns)
        self._line.acknowledge(encode_got(Got(sent.camera, sent.number, spent)))
        if now_ns <= sent.expires_ns:
            self._keep(sent, exposed_ns, known[1])
        else:
            self.counts[sent.camera, "expired"] += 1
            self._came_late(sent.camera, 1)

    def _number(self, sent: Sent) -> None:
        """Count what is missing before it; numbers never go back."""
        if sent.camera not in self._frames:
            raise MalformedMessage("frame", f"a camera node sent a frame of '{sent.camera}', which is not this lane's.")
        self._live(sent.life)
        last = self._numbers.get(sent.camera, sent.number - 1)
        if sent.number <= last:
            raise MalformedMessage("frame", f"a camera node sent frame {sent.number} again.")
        self.counts[sent.camera, "lost"] += sent.number - last - 1
        self._numbers[sent.camera] = sent.number

    def _keep(self, sent: Sent, exposed_ns: int, error_ns: int) -> None:
        self._late[sent.camera] = 0
        self._troubles.pop((sent.camera, LATE), None)
        frames = self._frames[sent.camera]
        self.counts[sent.camera, "dropped"] += len(frames) == KEPT
        image, shown = filled(sent)
        times = exposed_ns, error_ns, sent.expires_ns
        frames.append(Arrived(sent.camera, sent.exposure, *times, image, shown, sent.fault, sent.encoder))

    def _on_nonsense(self, parts: Sequence[bytes]) -> None:
        raise MalformedMessage("kind", f"a camera node sent '{parts[0][:20]!r}', which nobody knows.")
