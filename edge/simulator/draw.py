"""Packages to run without any photographs: drawn, good and bad, with what the warehouse says of each.

The products are invented, the print is legible, the faults are drawn: they show that the appliance works from end to
end, and say nothing of how well it judges real packages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np

from edge.core.messages import Image
from edge.simulator.blemishes import BLEMISHES, SIZES
from edge.simulator.plan import PlannedItem
from edge.simulator.products import PRODUCTS, Imprint, Product
from edge.simulator.scene import from_above, from_the_side

JPEG_QUALITY = 93
PRINTED = "%d.%m.%Y"
LOT_LETTERS = "ABCEFHKMNPRT"
SELLERS = ("seller-north", "seller-south", "seller-west")


class Kind(StrEnum):
    """What an item is to be."""

    GOOD = "good"
    DAMAGED = "damaged"
    WRONG_DATE = "wrong_date"  # the print is earlier than the warehouse believes
    EXPIRED = "expired"  # the print and the warehouse agree, and it is over
    WRONG_LOT = "wrong_lot"


MIX: Mapping[Kind, int] = {Kind.GOOD: 14, Kind.DAMAGED: 3, Kind.WRONG_DATE: 1, Kind.EXPIRED: 1, Kind.WRONG_LOT: 1}
"""Of so many items, so many are of each kind."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What was made together."""

    lot: str
    expiry: date


@dataclass(frozen=True, slots=True)
class Drawn:
    """One package: as the warehouse knows it, as it is printed, and what happened to it."""

    product: Product
    expected: Batch
    imprint: Imprint
    why: str = ""  # empty: it is good
    blemish: str | None = None
    size: str = "medium"

    def pictures(self, chance: np.random.Generator) -> dict[str, Image]:
        """What the cameras `top` and `side` see of it: 540 × 960 × 3, BGR."""
        top = self.product.top_art()
        if self.blemish:
            top = BLEMISHES[self.blemish](top, chance, SIZES[self.size])
        return {
            "top": from_above(top, chance),
            "side": from_the_side(self.product.side_art(self.imprint, chance), chance),
        }


def draw_items(folder: Path, count: int, seed: int, today: date) -> list[PlannedItem]:
    """Draw `count` items of all products and kinds, and write their pictures (JPEG) into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    assorted = _assorted(np.random.default_rng(seed), count, today)
    return [
        _planned(folder, number, drawn, np.random.default_rng([seed, number]))
        for number, drawn in enumerate(assorted, start=1)
    ]


def normals(gtin: str, count: int, seed: int) -> list[dict[str, Image]]:
    """Pictures of `count` good packages of one product, by camera: what normal looks like.

    Raises:
        KeyError: there is no such product.
    """
    product = {one.gtin: one for one in PRODUCTS}[gtin]
    chance = np.random.default_rng([seed, int(gtin)])
    batches = _batches(chance, date(2030, 1, 1))
    return [_good(chance, product, batches).pictures(chance) for _ in range(count)]


def _assorted(chance: np.random.Generator, count: int, today: date) -> Iterator[Drawn]:
    batches = {product.gtin: _batches(chance, today) for product in PRODUCTS}
    faults = cycle(chance.permutation([(blemish, size) for blemish in BLEMISHES for size in SIZES]).tolist())
    for kind in _kinds(chance, count):
        product = PRODUCTS[int(chance.integers(len(PRODUCTS)))]
        good = _good(chance, product, batches[product.gtin])
        match kind:
            case Kind.DAMAGED:
                yield _damaged(good, *next(faults))
            case Kind.WRONG_DATE:
                yield _misdated(good, chance)
            case Kind.EXPIRED:
                yield _expired(good, Batch(_lot(chance), today - timedelta(days=int(chance.integers(10, 200)))))
            case Kind.WRONG_LOT:
                yield _of_another_lot(good, chance)
            case _:
                yield good


def _kinds(chance: np.random.Generator, count: int) -> Iterator[Kind]:
    """Each stretch of as many items as the mix has holds the whole mix, in a random order."""
    mix = [kind for kind, share in MIX.items() for _ in range(share)]
    for number in range(count):
        if number % len(mix) == 0:
            chance.shuffle(mix)
        yield mix[number % len(mix)]


def _batches(chance: np.random.Generator, today: date) -> list[Batch]:
    return [Batch(_lot(chance), today + timedelta(days=int(chance.integers(250, 800)))) for _ in range(3)]


def _lot(chance: np.random.Generator) -> str:
    return f"L{chance.integers(1000, 10_000)}{chance.choice(list(LOT_LETTERS))}"


def _good(chance: np.random.Generator, product: Product, batches: Sequence[Batch]) -> Drawn:
    batch = batches[int(chance.integers(len(batches)))]
    serial = f"{chance.integers(10**10):010d}"
    return Drawn(product, batch, Imprint(batch.expiry.strftime(PRINTED), batch.lot, serial))


def _damaged(good: Drawn, blemish: str, size: str) -> Drawn:
    return replace(good, why=f"{size} {blemish}", blemish=blemish, size=size)


def _misdated(good: Drawn, chance: np.random.Generator) -> Drawn:
    printed = good.expected.expiry - timedelta(days=int(chance.integers(30, 200)))
    return replace(
        good,
        why=f"prints {printed}, the warehouse expects {good.expected.expiry}",
        imprint=replace(good.imprint, date=printed.strftime(PRINTED)),
    )


def _expired(good: Drawn, batch: Batch) -> Drawn:
    return replace(
        good,
        why=f"expired on {batch.expiry}",
        expected=batch,
        imprint=replace(good.imprint, date=batch.expiry.strftime(PRINTED), lot=batch.lot),
    )


def _of_another_lot(good: Drawn, chance: np.random.Generator) -> Drawn:
    lot = next(lot for lot in iter(lambda: _lot(chance), None) if lot != good.expected.lot)
    return replace(
        good,
        why=f"prints lot {lot}, the warehouse expects {good.expected.lot}",
        imprint=replace(good.imprint, lot=lot),
    )


def _planned(folder: Path, number: int, drawn: Drawn, chance: np.random.Generator) -> PlannedItem:
    return PlannedItem(
        wms_item=f"wms-{number:04d}",
        gtin=drawn.product.gtin,
        order_line=f"order-{1000 + (number - 1) // 3}/{(number - 1) % 3 + 1}",
        length_mm=drawn.product.length_mm,
        pictures={
            camera: _written(folder / f"{number:04d}-{camera}.jpg", picture)
            for camera, picture in drawn.pictures(chance).items()
        },
        bad=bool(drawn.why),
        why=drawn.why,
        lot=drawn.expected.lot,
        expiry=drawn.expected.expiry,
        seller=str(chance.choice(SELLERS)),
    )


def _written(path: Path, picture: Image) -> Path:
    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    path.write_bytes(encoded.tobytes())
    return path
