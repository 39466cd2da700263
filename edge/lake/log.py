"""The lake's log of one journal: which stretch was begun and which is done, an object each, beside the tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from urllib.parse import quote

from edge.core.errors import LakeRefused
from edge.lake.journal import Span
from edge.lake.store import Store
from edge.lake.tables import SCHEMA

LOG = "_log"  # readers of tables pass over what begins so
DIGITS = 12


@dataclass(frozen=True, slots=True)
class File:
    """A file that a stretch came to."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the journal in the lake; without `done` its files may be there in part."""

    first: int
    last: int
    mark: str  # of the journal's entry `last`
    done: bool = False
    in_force: Mapping[str, int] | None = None  # as it stands at its end
    files: tuple[File, ...] = ()
    schema: int = SCHEMA

    @property
    def span(self) -> Span:
        """Its ends."""
        return Span(self.first, self.last)


@dataclass(frozen=True, slots=True)
class Log:
    """What the lake holds of one journal."""

    store: Store
    site: str
    lane: str
    ledger: str

    def first_entries(self) -> list[int]:
        """Where each stretch begins, in order."""
        return sorted(int(name.rpartition("/")[2].partition(".")[0]) for name in self.store.names(self._folder))

    def stretch(self, first: int) -> Stretch:
        """The stretch that begins there.

        Raises:
            LakeRefused: its object is gone, or cannot be understood.
        """
        name = self._name(first)
        try:
            said = json.loads(self.store.read(name) or b"")
            return Stretch(**{**said, "files": tuple(File(**one) for one in said["files"])})
        except (ValueError, TypeError, KeyError) as error:
            raise LakeRefused(
                f"{self.store.root}/{name}: not to be understood ({error}): was it changed, or is this release older "
                "than the one that wrote it? Export with that one, or to an empty folder."
            ) from error

    def begin(self, stretch: Stretch) -> Stretch:
        """Claim a stretch before anything of it is written; where another exporter was faster, his counts."""
        if self.store.claim(self._name(stretch.first), _written(stretch)):
            return stretch
        return self.stretch(stretch.first)

    def finish(self, stretch: Stretch, files: tuple[File, ...], in_force: Mapping[str, int]) -> Stretch:
        """All of it is there."""
        done = replace(stretch, done=True, files=files, in_force=in_force, schema=SCHEMA)
        self.store.keep(self._name(done.first), _written(done))
        return done

    def place(self, table: str) -> str:
        """The folder of this lane in a table."""
        return f"{table}/site={quote(self.site, safe='')}/lane={quote(self.lane, safe='')}"

    def part(self, table: str, day: str, span: Span) -> str:
        """Name of a file: the same stretch has the same names whenever it is written."""
        return f"{self.place(table)}/date={day}/{self.ending(span)}"

    def ending(self, span: Span) -> str:
        """How the names of a stretch's files end."""
        return f"{self.ledger}-{span.first:0{DIGITS}}-{span.last:0{DIGITS}}.parquet"

    @property
    def _folder(self) -> str:
        return f"{self.place(LOG)}/{self.ledger}"

    def _name(self, first: int) -> str:
        return f"{self._folder}/{first:0{DIGITS}}.json"


def _written(stretch: Stretch) -> bytes:
    return json.dumps(asdict(stretch), indent=1).encode()
