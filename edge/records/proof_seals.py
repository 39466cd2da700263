"""Holds the file of seals against the chain, and against what the journal says was sealed."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.core.chain_check import Break, Kind
from edge.records.seals import FILE, Seal, digest, lines, seal_of, spelled

MOST = 1000  # faults that are told


class SealProof:
    """Goes along the file while the journal is read; keeps no more than the seals that the journal is yet to name."""

    def __init__(self, state: Path, keys: Collection[str]) -> None:
        """Take the folder, and the public keys whose seals count (hex). What is written from now on may be missing."""
        self.count = 0
        self.sealed: Seal | None = None  # the last that is good
        self.notes: list[str] = []
        self._path, self._keys = state / FILE, frozenset(keys)
        self._length = self._path.stat().st_size if self._path.exists() else 0
        self._before: Seal | None = None
        self._named = 0  # the last seal that the journal names
        self._unnamed: deque[tuple[int, Seal]] = deque()  # where in the file they end
        self._breaks: list[Break] = []
        self._rewritten: Break | None = None
        self._strange: list[int] = []  # lines behind the last seal that are none
        self._lines = self._read()
        self._next: tuple[int, Seal] | None = None

    def begin(self) -> None:
        """The journal stands still from now on: every seal that it names is in the file by now."""
        self._next = next(self._lines, None)

    def passed(self, entry: int, hashed: bytes) -> None:
        """The journal has been read up to this entry, whose hash stands there."""
        while self._next and self._next[1].entry <= entry:
            ends, seal = self._next
            if seal.entry == entry:
                self._compare(seal, hashed.hex())
            self._unnamed.append((ends, seal))
            self._next = next(self._lines, None)

    def trusts(self, key: str) -> bool:
        """Whether what a public key (hex) has signed counts."""
        return key in self._keys

    def put_away(self, entry: int) -> bool:
        """What was read is in the archive up to this entry, and what named its seals; whether one ends with it."""
        while self._unnamed and self._unnamed[0][1].entry < entry:
            self._unnamed.popleft()
        return self.sealed is not None and self.sealed.entry == entry

    def entered(self, entry: int, body: Mapping[str, Any]) -> None:
        """The journal names a seal."""
        line = spelled(body)
        if any(seal.line() == line for _, seal in self._unnamed):
            while (seal := self._unnamed.popleft()[1]).line() != line:
                self._missing(seal)
            self._named = seal.seal
        else:
            self._tell(entry, f"names seal {body.get('seal')}, which {FILE} has not, or has otherwise")

    def ended(self, entries: int, sealing: Sequence[bytes]) -> Iterator[Break]:
        """What is left; sealing: seals that were begun, and perhaps not finished."""
        last = self._next[1] if self._next and self._next[0] <= self._length else None
        while self._next and self._next[0] <= self._length:
            last = self._next[1]
            self._next = next(self._lines, None)
        if last:
            told = f"cut off: seal {last.seal} covers {last.entry} entries, {entries} are there"
            yield Break(Kind.CUT, entries + 1, last.entry, told)
        if sealing and self._strange:
            self.notes.append(f"the last line of {FILE} is not finished: the power was cut while it was written")
        else:
            self._tell_strange()
        for ends, seal in self._unnamed:
            if ends <= self._length and seal.line() not in sealing:
                self._missing(seal)
        for line in sealing:
            self._check_begun(line)
        if self._length == 0 and entries:
            self.notes.append(f"there is no {FILE}: nothing has been sealed")
        yield from self._breaks[:MOST]

    def _read(self) -> Iterator[tuple[int, Seal]]:
        """Each whole seal of the file, told where it is none or does not follow."""
        if not self._path.exists():
            return
        for number, (ends, line) in enumerate(lines(self._path), 1):
            if not line.endswith(b"\n"):
                self.notes.append(f"the last line of {FILE} is not finished: the power was cut, or it is being written")
                return
            seal = seal_of(line[:-1])
            if seal is None:
                self._strange.append(number)
                continue
            self._tell_strange()
            if self._check(seal, number):
                yield ends, seal

    def _check(self, seal: Seal, number: int) -> bool:
        """Whether it is genuine; all else that is wrong with it is told."""
        before, where = self._before, f"line {number} of {FILE}, seal {seal.seal}"
        self.count += 1
        genuine = self.trusts(seal.key) and seal.is_signed()
        if seal.key not in self._keys:
            self._tell(seal.entry, f"{where}: by the key {seal.key[:12]}…, which is not to be trusted")
        elif not genuine:
            self._tell(seal.entry, f"{where}: its signature fails: it was changed")
        if seal.seal != (before.seal + 1 if before else 1):
            self._tell(seal.entry, f"{where}: follows seal {before.seal if before else 0}: some are missing, or moved")
        elif seal.previous != (digest(before.line()) if before else ""):
            self._tell(seal.entry, f"{where}: the seal before it is another than it was")
        if before and (seal.box, seal.entry > before.entry) != (before.box, True):
            self._tell(seal.entry, f"{where}: covers no more than the one before it, or is of another box")
        self._before = seal
        return genuine

    def _check_begun(self, line: bytes) -> None:
        """What was begun and not finished is the box's own, and one that the journal does not have yet."""
        seal = seal_of(line)
        if seal is None or not self.trusts(seal.key) or not seal.is_signed() or seal.seal <= self._named:
            self._tell(seal.entry if seal else 0, "the table `sealing` holds what the box was not sealing: put in")
        else:
            self.notes.append(f"seal {seal.seal} was begun and not finished: killed then, or that was taken back")

    def _compare(self, seal: Seal, hashed: str) -> None:
        if seal.hash == hashed:
            self.sealed, self._rewritten = seal, None
        else:
            self._rewrite(seal)

    def _rewrite(self, seal: Seal) -> None:
        """What was sealed is not what stands there; of seals in a row that is told once."""
        first = self.sealed.entry + 1 if self.sealed else 1
        if self._rewritten:
            self._breaks.remove(self._rewritten)
            first = self._rewritten.first
        told = f"not what was sealed: up to entry {first - 1} it is, at entry {seal.entry} no longer (seal {seal.seal})"
        self._rewritten = Break(Kind.REWRITTEN, first, seal.entry, told)
        self._breaks.append(self._rewritten)

    def _missing(self, seal: Seal) -> None:
        self._tell(seal.entry, f"seal {seal.seal} stands in {FILE}, and the entry that names it was taken out")

    def _tell_strange(self) -> None:
        for number in self._strange:
            self._tell(0, f"line {number} of {FILE} is no seal: changed or put in")
        self._strange.clear()

    def _tell(self, entry: int, told: str) -> None:
        self._breaks.append(Break(Kind.SEAL, entry, entry, told))
