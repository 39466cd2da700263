"""Outlines that are nearly closed: an item of the tote's own colour shows its print and pieces of its rim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
import numpy.typing as npt

from edge.inspection.tote_look import Mask
from edge.inspection.tote_pose import evenly

CLOSED = 0.72  # share of a hull's outline on edges that makes it an item's
SOLID = 0.75  # share of its hull that a closed thing fills: it needs no other piece
ON_FLOOR = 0.5  # of a hull's outline: walls and creases have edges of their own
LARGEST = 0.5  # share of the tote
MOST = 14  # pieces that are put together
SMALLEST_PX, SHORTEST_PX = 20, 8
POINTS = 64

Corners = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Edges:
    """Where a hull's outline is believed."""

    near: Mask  # an edge is
    floor: Mask
    known: Mask

    def closed(self, corners: Corners) -> float:
        """Share of a hull's outline that lies on edges; 0 where it does not run over the floor."""
        points = np.rint(evenly(corners.astype(float), POINTS)).astype(int)
        rows, columns = points[:, 1], points[:, 0]
        known = self.known[rows, columns]
        if not known.any() or self.floor[rows, columns][known].mean() < ON_FLOOR:
            return 0.0
        return float(self.near[rows, columns][known].mean())


def closed_hulls(pieces: Mask, solid: Mask, edges: Edges) -> Iterator[Mask]:
    """Hulls of pieces, alone or put together, whose outline is mostly edges."""
    loose = _loose(pieces, solid, edges)
    while (best := _best_pair(loose, edges)) is not None:
        loose = [
            *(one for number, one in enumerate(loose) if number not in best),
            _hull(loose[best[0]], loose[best[1]]),
        ]
    for corners in loose:
        if edges.closed(corners) > CLOSED:
            yield cv2.fillPoly(np.zeros(pieces.shape, np.uint8), [corners], (1,)) > 0


def _loose(pieces: Mask, solid: Mask, edges: Edges) -> list[Corners]:
    """Hulls of the pieces that are not closed things already, the largest first."""
    number, labels, boxes, _ = cv2.connectedComponentsWithStats(pieces.astype(np.uint8), connectivity=8)
    found = []
    for one in range(1, number):
        left, top, width, height, area = (int(v) for v in boxes[one])
        if area < SMALLEST_PX or max(width, height) < SHORTEST_PX:
            continue
        part = labels[top : top + height, left : left + width] == one
        corners = _hull(np.argwhere(part)[:, ::-1].astype(np.int32) + np.array((left, top), np.int32))
        filled = (part & solid[top : top + height, left : left + width]).sum()
        if not (edges.closed(corners) > CLOSED and filled > SOLID * cv2.contourArea(corners)):
            found.append(corners)
    return sorted(found, key=cv2.contourArea, reverse=True)[:MOST]


def _best_pair(loose: Sequence[Corners], edges: Edges) -> tuple[int, int] | None:
    """Which two have the best closed hull together; None: none has."""
    best, pair = CLOSED, None
    for first, second in combinations(range(len(loose)), 2):
        corners = _hull(loose[first], loose[second])
        if cv2.contourArea(corners) < LARGEST * edges.known.sum() and (closed := edges.closed(corners)) > best:
            best, pair = closed, (first, second)
    return pair


def _hull(*points: Corners) -> Corners:
    return np.asarray(cv2.convexHull(np.concatenate(points)).reshape(-1, 2), np.int32)
