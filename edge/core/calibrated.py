"""Which calibrations a running lane goes by: they change while it is Held and its belt is empty, and in one step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field

from edge.core.in_force import AT_THE_START, NEVER_SEEN, NONE, UNCALIBRATED, Accepted, InForce, Standing, bears, numbers
from edge.core.laid import Laid
from edge.core.messages import CalibrationsInForce, Clearing, Item, ItemEnd, ScaleLearnt
from edge.core.scale import Scale
from edge.core.topics import MAX_LIST, MAX_TEXT

HALF_THE_TOLERANCE = 0.001  # of the belt's scale, as a share
BELT_SCALE = "belt scale"
HOW = "`tunnel-edge hold` the lane and let its belt run empty"
UNSAFE = "not believed at the start: {names}: see what is said of it; cleared, the lane runs by its settings instead"


@dataclass(frozen=True, slots=True)
class Word:
    """What is to be said of the calibrations."""

    labels: Mapping[str, str] = field(default_factory=dict)  # name → the version in force, or why there is none
    troubles: Mapping[str, str] = field(default_factory=dict)  # name → why it is refused, or will not do for long
    waits: str = ""  # what was accepted and is not in force yet, and what to do
    unsafe: str = ""  # the lane must not run: decisions rest on what is not believed, and nobody has seen to it


SILENT = Word()


class Calibrated:
    """Knows what the lane goes by."""

    def __init__(
        self,
        settings: Laid,
        in_force: InForce = NONE,
        seen: Mapping[str, int] = NEVER_SEEN,
        scale: Scale | None = None,
    ) -> None:
        """Take what the settings say, what is in force from the start, and what was believed in earlier lives."""
        self.scale = scale or Scale(HALF_THE_TOLERANCE)
        self._learnt: list[ScaleLearnt] = []
        self._settings = settings
        self._in_force = in_force
        self._known = {**seen}
        self._noted: tuple[InForce, Mapping[str, int]] = NONE, NEVER_SEEN
        self._standing: Standing | None = None
        self._unsafe = ""
        self._word = SILENT

    def hear(self, standing: Standing, clearings: Iterable[Clearing]) -> Word:
        """Take the shelf's word; what was refused at the start is seen to once a person clears alarms."""
        if self._standing is None:
            self._unsafe = ", ".join(sorted(name for name in standing.refused if bears(name)))
        cleared = any(one.what == "alarms" for one in clearings)
        if cleared:
            self._unsafe = ""
            self._known = {name: version for name, version in self._known.items() if name not in standing.refused}
        if cleared or standing is not self._standing:
            self._standing = standing
            self._word = self._worded()
        return self._word

    def see(self, ends: Sequence[ItemEnd], items: Mapping[str, Item], now_ns: int) -> None:
        """Take the items that have left, by which the belt's scale is watched."""
        if not ends:
            return
        before = self.scale.trouble
        of = sorted((name, one.version) for name, one in self._in_force.items() if name.partition(".")[0] == "belt")
        self._learnt += self.scale.update(", ".join(f"{name} {version}" for name, version in of), ends, items, now_ns)
        if self.scale.trouble != before:
            self._word = self._worded()

    def change(self, state: str, items: Sized) -> Laid | None:
        """How the lane is laid out from now on; None: as before. At the end of a turn, whose state it was."""
        before, wanted = self._in_force, self._wanted()
        after = wanted if state == "Held" and not items else self._at_once(wanted)
        if after == before:
            return None
        self._in_force = after
        self._word = self._worded()
        return self._settings.by(numbers(after)) if numbers(after) != numbers(before) else None

    def news(self, now_ns: int) -> tuple[CalibrationsInForce | ScaleLearnt, ...]:
        """What is in force, whenever that has changed; what was learnt of the belt's scale."""
        learnt, self._learnt = tuple(self._learnt), []
        return (*self._changed(now_ns), *learnt)

    def _changed(self, now_ns: int) -> tuple[CalibrationsInForce, ...]:
        self._known |= {name: one.version for name, one in self._in_force.items()}
        if (self._in_force, self._known) == self._noted:
            return ()
        self._noted = self._in_force, {**self._known}
        said = sorted(numbers(self._in_force).items())
        versions = sorted((name, one.version) for name, one in self._in_force.items())
        return (CalibrationsInForce(tuple(versions), tuple(said), tuple(sorted(self._known.items())), now_ns),)

    def _wanted(self) -> InForce:
        """What would be in force: what is refused now, and was believed before, stays; some are only read once."""
        standing = self._standing or UNCALIBRATED
        kept = {name: one for name, one in self._in_force.items() if name in standing.refused or _once(name)}
        return kept | {name: one for name, one in standing.good.items() if not _once(name)}

    def _at_once(self, wanted: InForce) -> InForce:
        """What of it may come into force at any time: what says the same as before of all that the loop goes by."""
        still = {**self._in_force, **{name: one for name, one in wanted.items() if not self._moves(name, one)}}
        return still if numbers(still) == numbers(self._in_force) else self._in_force

    def _moves(self, name: str, one: Accepted) -> bool:
        known = self._in_force.get(name)
        return one.numbers != (known.numbers if known else {})

    def _worded(self) -> Word:
        standing = self._standing or UNCALIBRATED
        names = sorted(standing.refused.keys() | self._in_force.keys())[:MAX_LIST]
        labels = {name: self._label(name, standing) for name in names}
        refused = {name: f"refused: {why}" for name, why in standing.refused.items()}
        unsafe = UNSAFE.format(names=self._unsafe) if self._unsafe else ""
        worn = {BELT_SCALE: self.scale.trouble} if self.scale.trouble else {}
        return Word(labels, {**standing.warned, **worn, **refused}, self._waiting(standing), unsafe)

    def _label(self, name: str, standing: Standing) -> str:
        """The version in force, and what is wrong."""
        version = str(self._in_force[name].version) if name in self._in_force else ""
        refused = f"refused: {standing.refused[name]}" if name in standing.refused else ""
        parts = (version, refused, standing.warned.get(name, ""))
        return "; ".join(part for part in parts if part)[:MAX_TEXT]

    def _waiting(self, standing: Standing) -> str:
        new = [name for name, one in sorted(standing.good.items()) if self._in_force.get(name) != one]
        held = [f"{name} version {standing.good[name].version}" for name in new if not _once(name)]
        once = [f"{name} version {standing.good[name].version}" for name in new if _once(name)]
        told = [f"{', '.join(held)} waits: {HOW}"] if held else []
        told += [f"{', '.join(once)} needs a restart of the daemon"] if once else []
        return "; ".join(told)


def _once(name: str) -> bool:
    return name.partition(".")[0] in AT_THE_START
