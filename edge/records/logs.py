"""What the daemon says aloud: to journald with fields, else to stderr; never faster than a person could read."""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from functools import singledispatchmethod
from pathlib import Path

from edge.core.messages import (
    Alarm,
    Disposition,
    DivertOutcome,
    LineStop,
    PersonActed,
    ReplacementRequest,
    Result,
    Verdict,
)
from edge.core.ports import Record

SOCKET = Path("/run/systemd/journal/socket")
STREAM = "JOURNAL_STREAM"  # systemd says with it that stderr goes to journald: device and inode
LONGEST = 4000  # characters of a message; journald's datagrams bear more, people do not
FIELDS = ("lane", "item", "stage")
BURST, PER_S = 20, 10.0  # messages from one place in the code, within so long
PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.NOTSET, 7))

log = logging.getLogger(__name__)


class Journald(logging.Handler):
    """Journald's native protocol (systemd, `Native Journal Protocol`): one datagram a message, fields in it."""

    def __init__(self, place: Path = SOCKET) -> None:
        super().__init__()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._place = str(place)

    def emit(self, record: logging.LogRecord) -> None:
        """Send it; what cannot be sent goes to stderr, as everywhere in `logging`."""
        try:
            self._socket.sendto(datagram(record, self.format(record)), self._place)
        except OSError:
            self.handleError(record)

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()
        super().close()


class Limit(logging.Filter):
    """No more than BURST messages within PER_S from one place in the code; then how many were kept back."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now_s = now_s
        self._said: dict[tuple[str, int], tuple[float, int]] = {}  # since when, how many

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it may be said."""
        place, now_s = (record.pathname, record.lineno), self._now_s()
        since_s, said = self._said.get(place, (now_s, 0))
        if now_s - since_s >= PER_S:
            if said > BURST:
                record.msg, record.args = f"{record.getMessage()} ({said - BURST} more like this were kept back)", ()
            since_s, said = now_s, 0
        self._said[place] = since_s, said + 1
        return said < BURST


class LogSink:
    """Says of each item what a person may have to act on, or look for later: `journalctl ITEM=…`."""

    def write(self, records: Sequence[Record]) -> None:
        """One line each."""
        for one in records:
            self._tell(one)

    @singledispatchmethod
    def _tell(self, record: object) -> None:
        """The rest is in the ledger."""

    @_tell.register
    def _(self, record: Alarm) -> None:
        log.warning("alarm %s: %s", record.kind, record.because, extra=_of(record.item_id, "supervision"))

    @_tell.register
    def _(self, record: PersonActed) -> None:
        log.info("%s: %s %s", record.by, record.what, record.why, extra=_of(None, "person"))

    @_tell.register
    def _(self, record: LineStop) -> None:
        log.error("asked for a stop of the belt: %s", record.because, extra=_of(None, "supervision"))

    @_tell.register
    def _(self, record: Verdict) -> None:
        if record.disposition is not Disposition.PASS:
            words = "; ".join(record.reasons)
            log.info("%s: %s", record.disposition.value, words, extra=_of(record.item_id, "verdict"))

    @_tell.register
    def _(self, record: DivertOutcome) -> None:
        level = logging.INFO if record.result is Result.CONFIRMED else logging.ERROR
        log.log(level, "divert %s: %s", record.result.value, record.because, extra=_of(record.item_id, "divert"))

    @_tell.register
    def _(self, record: ReplacementRequest) -> None:
        log.info("replacement owed: %s", record.request_id, extra=_of(record.item_id, "replacement"))


def begin(lane: str) -> None:
    """Say everything from now on where this process's words belong."""
    handler: logging.Handler = Journald() if _to_journald() else logging.StreamHandler(sys.stderr)
    if not isinstance(handler, Journald):
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    handler.addFilter(Limit())
    handler.addFilter(_named(lane))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def datagram(record: logging.LogRecord, message: str) -> bytes:
    """A message and its fields, as journald takes them."""
    fields = {
        "MESSAGE": message[:LONGEST],
        "PRIORITY": str(next(number for level, number in PRIORITIES if record.levelno >= level)),
        "SYSLOG_IDENTIFIER": "tunnel-edge",
        "LOGGER": record.name,
        "CODE_FILE": record.pathname,
        "CODE_LINE": str(record.lineno),
    }
    fields |= {name.upper(): str(value) for name in FIELDS if (value := getattr(record, name, None)) is not None}
    return b"".join(_field(name, value) for name, value in fields.items())


def _field(name: str, value: str) -> bytes:
    """A value that holds a line's end is told by its length: else it could name fields of its own."""
    told = value.encode("utf-8", "replace")
    if b"\n" not in told:
        return b"%s=%s\n" % (name.encode(), told)
    return b"%s\n%s%s\n" % (name.encode(), len(told).to_bytes(8, "little"), told)


def _of(item: str | None, stage: str) -> dict[str, str | None]:
    return {"item": item, "stage": stage}


def _named(lane: str) -> Callable[[logging.LogRecord], bool]:
    def name(record: logging.LogRecord) -> bool:
        record.lane = lane
        return True

    return name


def _to_journald() -> bool:
    """Whether systemd has connected stderr with journald."""
    told = os.environ.get(STREAM, "")
    try:
        here = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return told == f"{here.st_dev}:{here.st_ino}"
