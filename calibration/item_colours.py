"""The colours of a site's items, from its catalogue; and as a camera sees them under the site's light."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from calibration.totes import Lab
from edge.core.errors import ReferencesRefused
from edge.inspection.colour import COLOUR, load_palettes

MOST = 10_000  # products that are looked at


def item_colours(catalogue: Path) -> dict[str, Lab]:
    """The colour that most of each product has, CIE Lab under D65; those whose file is damaged are left out."""
    found = {}
    for path in islice(sorted(catalogue.glob(f"*/{COLOUR}.npz")), MOST):
        try:
            palette, *_ = load_palettes(path)
        except ReferencesRefused:
            continue
        lightness, a, b = (float(one) for one in palette.colours[palette.shares.argmax()])
        found[path.parent.name] = lightness, a, b
    return found
