"""Where a chain breaks, and how: entries that were changed, taken out, put in or moved, each found on its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from edge.core.chain import BEGINNING, link

MOST = 1000  # suspects that are told one by one
MOST_PAIRED = 64  # suspects that are held against each other, to see which of them were moved
FARTHEST = 2000  # entries taken out at one place, with the rest numbered anew, that are still recognised as that


class Kind(StrEnum):
    """What was done."""

    CHANGED = "changed"
    HASH_CHANGED = "hash changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    UNCHAINED = "unchained"
    REWRITTEN = "rewritten"  # the chain holds, but it is not the one that was sealed
    CUT = "cut"
    SEAL = "seal"
    OUTBOX = "outbox"
    EVIDENCE = "evidence"
    PUT_AWAY = "put away"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Break:
    """One place where what lies there is not what was written."""

    kind: Kind
    first: int  # entry, as numbered now
    last: int
    told: str


@dataclass(slots=True)
class Suspect:
    """An entry that does not follow from the one before it."""

    entry: int
    number: int  # which it should have
    digest: bytes
    hashed: bytes
    before: bytes  # the hash that it should follow
    kind: Kind = Kind.CHANGED
    told: str = "its content is not what was written"


@dataclass(slots=True)
class Chain:
    """Takes a journal's entries in order; keeps only what does not fit."""

    entry: int = 0  # the last one
    hashed: bytes = BEGINNING  # its hash, as it stands
    breaks: list[Break] = field(default_factory=list)
    suspects: list[Suspect] = field(default_factory=list)
    more: int = 0  # suspects that are not told
    _shift: int = 0  # by how much entries are numbered higher than they were
    _sound: tuple[int, bytes] = (0, BEGINNING)  # number and hash of the last that followed
    _reckoned: bytes | None = None  # hash of the last entry by its content, where another stands there
    _loose: list[Suspect] = field(default_factory=list)  # what was put in last
    _run: int = 0  # first of the entries before this that have no hash; 0: none

    @classmethod
    def after(cls, entry: int, hashed: bytes) -> Chain:
        """One that goes on behind an entry, whose hash is known."""
        return cls(entry, hashed, _sound=(entry, hashed))

    def take(self, entry: int, digest: bytes, hashed: bytes | None, begun: tuple[int, int] | None = None) -> None:
        """The next entry: its number, what it says, its hash; begun: it takes those from … to into the chain."""
        if entry <= self.entry:
            self.breaks.append(Break(Kind.INSERTED, entry, entry, "put in: numbers begin with 1, each comes once"))
            return
        gap, number = entry - self.entry - 1, entry - self._shift
        self.entry = entry
        if gap and not self._goes_on(digest, hashed):
            self._gap(entry - gap, entry, hashed, link(self.hashed, number, digest))
        elif hashed is None:
            self._run = self._run or entry
            self._follow(number, link(self.hashed, number, digest))
        else:
            self._hold(entry, digest, hashed)
            self._see_to_run(entry, begun)

    def ended(self) -> list[Break]:
        """Every break, in order."""
        if self._run:
            self._unchained(self.entry)
        if self._is_in_doubt():
            self._find_again(self.suspects[-1])
        self._pair()
        told = (Break(one.kind, one.entry, one.entry, one.told) for one in self.suspects)
        found = sorted([*self.breaks, *told], key=lambda one: (one.first, one.last))
        if self.more:
            found.append(
                Break(Kind.CHANGED, self.entry, self.entry, f"and {self.more} entries more that do not follow")
            )
        return found

    def _goes_on(self, digest: bytes, hashed: bytes | None) -> bool:
        """Whether it follows the last sound one, whatever its number."""
        number, before = self._sound
        return hashed is not None and link(before, number + 1, digest) == hashed

    def _hold(self, entry: int, digest: bytes, hashed: bytes) -> None:
        """An entry with a hash: it follows from the one before it, or from one of those that it might follow."""
        number, last = entry - self._shift, self.suspects[-1] if self._is_in_doubt() else None
        if link(self.hashed, number, digest) == hashed:
            self._follow(number, hashed)
        elif last and self._reckoned and link(self._reckoned, number, digest) == hashed:
            last.kind, last.told = Kind.HASH_CHANGED, "its content is what was written, its hash is not"
            self._follow(number, hashed)
        elif self._goes_on(digest, hashed):
            self._put_in(entry)
            self._follow(entry - self._shift, hashed)
        elif last and (taken := self._taken_out(number, digest, hashed)):
            last.kind, last.told = Kind.REMOVED, f"missing before it: {taken}; the rest was numbered anew"
            self._shift -= taken
            self._find_again(last)
            self._follow(entry - self._shift, hashed)
        else:
            self._doubt(entry, number, digest, hashed)

    def _follow(self, number: int, hashed: bytes) -> None:
        self._sound, self.hashed, self._reckoned = (number, hashed), hashed, None

    def _is_in_doubt(self) -> bool:
        return self._reckoned is not None and bool(self.suspects)

    def _doubt(self, entry: int, number: int, digest: bytes, hashed: bytes) -> None:
        self._reckoned = link(self.hashed, number, digest)
        if len(self.suspects) < MOST:
            self.suspects.append(Suspect(entry, number, digest, hashed, self.hashed))
        else:
            self.more += 1
        self.hashed = hashed

    def _put_in(self, entry: int) -> None:
        """What lies between the last sound one and this one was put in; nothing does: this was only numbered anew."""
        first = self._sound[0] + self._shift + 1
        self._loose = [one for one in self.suspects if one.entry >= first]
        self.suspects = [one for one in self.suspects if one.entry < first]
        told = (
            "put in: those before and after belong together" if self._loose else "no such: the rest was numbered anew"
        )
        self.breaks.append(Break(Kind.INSERTED, first, entry - 1, told))
        self._shift = entry - self._sound[0] - 1

    def _find_again(self, gap: Suspect) -> None:
        """What is missing before an entry may be what was put in elsewhere: it was moved."""
        for one in self._loose:
            if link(gap.before, gap.number, one.digest) == one.hashed:
                gap.kind, gap.told = Kind.REORDERED, f"what stood before it stands at entry {one.entry} now"
                self.breaks = [known for known in self.breaks if (known.first, known.last) != (one.entry, one.entry)]

    def _taken_out(self, number: int, digest: bytes, hashed: bytes) -> int:
        """How many entries less there are than there were, if that explains it; 0: it does not."""
        if len(self.suspects) > MOST_PAIRED:
            return 0
        farther = (more for more in range(1, FARTHEST + 1) if link(self.hashed, number + more, digest) == hashed)
        return next(farther, 0)

    def _gap(self, first: int, entry: int, hashed: bytes | None, reckoned: bytes) -> None:
        """Numbers are missing: what follows cannot be held against what was before it."""
        told = f"missing; what entry {entry} says can be held against nothing"
        self.breaks.append(Break(Kind.REMOVED, first, entry - 1, told))
        self._follow(entry - self._shift, reckoned if hashed is None else hashed)
        if hashed is None:
            self._run = self._run or entry

    def _see_to_run(self, entry: int, begun: tuple[int, int] | None) -> None:
        """Entries without a hash are in order where the next one that has a hash takes them in."""
        if self._run and (begun != (self._run, entry - 1) or self._is_in_doubt()):
            self._unchained(entry - 1)
        self._run = 0

    def _unchained(self, last: int) -> None:
        doubt = self._is_in_doubt() and self.suspects[-1].entry == last + 1
        told = "changed since they were taken into the chain" if doubt else "have no hash, and nothing took them in"
        self.breaks.append(Break(Kind.UNCHAINED, self._run, last, told))

    def _pair(self) -> None:
        """Among what does not follow: what stands elsewhere than it did, and what only follows something that moved."""
        few = [one for one in self.suspects if one.kind is Kind.CHANGED]
        if 1 < len(few) <= MOST_PAIRED:
            hashes = {one.hashed for one in few}
            still = [one for one in few if any(link(before, one.number, one.digest) == one.hashed for before in hashes)]
            self.suspects = [one for one in self.suspects if one not in still]
            places = {one.digest: one for one in few}
            for where, content in _moves(few, hashes):
                told = f"what stood here stands at entry {places[content].entry} now"
                where.kind, where.told = Kind.REORDERED, told


def _moves(suspects: Iterable[Suspect], hashes: set[bytes]) -> Iterator[tuple[Suspect, bytes]]:
    """A place, and the content that belongs there, where that is another place's."""
    suspects = list(suspects)
    for where in suspects:
        befores = hashes | {where.before}
        for one in suspects:
            if one.digest != where.digest and any(link(b, where.number, one.digest) in hashes for b in befores):
                yield where, one.digest
                break
