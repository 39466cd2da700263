"""What a tote's picture says: of which type it is, how many things lie in it, whether one sticks out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock

from edge.core.messages import Evidence, Sighting
from edge.core.plane import Plane
from edge.core.tote_strangers import TOTE_TYPE, Proposal, Strangers
from edge.inspection.crop import Crop, answer
from edge.inspection.tote_networks import ToteNetworks
from edge.inspection.tote_type import ToteType
from edge.inspection.totes import SeenTote, Totes

CONTENTS, OVER_RIM = "contents", "over_rim"
TOTE = (TOTE_TYPE, CONTENTS, OVER_RIM)
NOT_LEARNT = "no totes were learnt for this camera: `tunnel-calibrate guide --steps totes`"
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class KnownTotes:
    """What was calibrated at a camera: where it looks, and the types of totes that run there."""

    plane: Plane
    types: Sequence[ToteType]


class ToteCheck:
    """Evidence `tote_type` (its name), `contents` (how many things, 0: empty), `over_rim` (1: one sticks out)."""

    def __init__(self, known: Mapping[str, KnownTotes], networks: ToteNetworks) -> None:
        """Take what is known at each camera."""
        self._known, self._networks = known, networks
        self._totes: dict[tuple[str, Size], Totes] = {}  # a camera's frames are of one size, as a rule
        self._strangers = dict.fromkeys(known, Strangers())
        self._counting = Lock()

    def inspect(self, crop: Crop, sighting: Sighting) -> Sequence[Evidence]:
        """All three; without a known type none of them vouches for anything."""
        camera = sighting.frame.camera
        if camera not in self._known:
            return tuple(answer(check, sighting, NOT_LEARNT) for check in TOTE)
        seen = self._at(camera, (crop.frame.shape[1], crop.frame.shape[0])).see(crop.frame)
        return tuple(_evidence(seen, sighting, self._proposed(seen, camera)))

    def _at(self, camera: str, size_px: Size) -> Totes:
        if (camera, size_px) not in self._totes:
            known = self._known[camera]
            self._totes[camera, size_px] = Totes.of(known.plane, size_px, self._networks, known.types)
        return self._totes[camera, size_px]

    def _proposed(self, seen: SeenTote, camera: str) -> Proposal | None:
        """The group of strangers that this one belongs to; None: it is of a known type, or no tote."""
        if seen.stranger is None:
            return None
        with self._counting:
            self._strangers[camera], group = self._strangers[camera].seen(seen.stranger)
        return group


def _evidence(seen: SeenTote, sighting: Sighting, proposal: Proposal | None) -> Iterator[Evidence]:
    of_type, contents, over_rim = (answer(check, sighting, seen.because) for check in TOTE)
    if seen.type_name is None or seen.items is None:
        why = f"{seen.because} {proposal.says}" if proposal else seen.because
        yield replace(of_type, because=why, alike=proposal.frames if proposal else 0)
        yield from (contents, over_rim)
        return
    things = f"{seen.items.number} things lie in it" if seen.items.number else "it is empty"
    out = f"{'something sticks' if seen.items.over_rim else 'nothing sticks'} out above its rim"
    yield replace(of_type, reading=seen.type_name, valid=True)
    yield replace(contents, reading=str(seen.items.number), because=things, valid=True)
    yield replace(over_rim, score=float(seen.items.over_rim), because=out, valid=True)
