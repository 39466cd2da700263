"""What comes down a simulated site's belt: totes as usual, lone small things in them, shades from without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from calibration.chart import linear
from calibration.sites.render import Picture
from calibration.sites.site import WALL_MM, Laid, Site, laid
from models.make.tote_takes import shaded

ITEMS = (0, 1, 1, 2, 2, 3)  # in a tote, by lot
SMALL_MM, LOW = (35.0, 140.0), (0.08, 0.9)  # sides of a lone thing; its height as a share of the tote's

Frame = tuple[Laid, Picture]


def usual(site: Site, chance: np.random.Generator) -> Frame:
    """Empty, or with some items side by side."""
    one = laid(site, site.totes[int(chance.integers(len(site.totes)))], int(chance.choice(ITEMS)), chance)
    return one, site.picture(one, chance)


def lone(site: Site, chance: np.random.Generator) -> Frame:
    """One small thing of any colour, anywhere, turned anyhow."""
    one = _lone(site, chance)
    return one, site.picture(one, chance)


def shade(site: Site, chance: np.random.Generator) -> Frame:
    """Mostly empty; an edge of light or shade falls over it."""
    one = _lone(site, chance)
    one = one if chance.random() < 1 / 3 else replace(one, items=())
    return one, shaded(site.picture(one, chance), chance)


def _lone(site: Site, chance: np.random.Generator) -> Laid:
    kind = site.totes[int(chance.integers(len(site.totes)))]
    one = laid(site, kind, 0, chance)
    room = np.array(kind.size_mm[:2]) / 2 - WALL_MM
    sides = np.minimum(np.exp(chance.uniform(np.log(SMALL_MM[0]), np.log(SMALL_MM[1]), 2)), 0.9 * room)
    x, y = chance.uniform(-1, 1, 2) * (room - np.hypot(*sides) / 2)
    red, green, blue = linear(chance.uniform(0.08, 0.97, 3))
    size_mm = (float(sides[0]), float(sides[1]), kind.size_mm[2] * float(chance.uniform(*LOW)))
    thing = ((float(x), float(y)), size_mm, float(chance.uniform(-90, 90)), (float(red), float(green), float(blue)))
    return replace(one, items=(thing,))


FRAMES: dict[str, Callable[[Site, np.random.Generator], Frame]] = {"usual": usual, "lone": lone, "shade": shade}
