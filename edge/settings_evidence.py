"""The section of a lane's settings about what is kept of each item's pictures."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from edge.settings import Section

Days = Annotated[float, Field(gt=0, le=36_500)]


class EvidenceSettings(Section):
    """What is kept of each item's pictures: how fine, for how long, in how much room; whatever ends first counts."""

    passed_days: Days = 30
    """Of items that went on to their customer."""
    undecided_days: Days = 90
    """Of items that nobody could judge, or that were removed or lost."""
    diverted_days: Days = 365
    """Of items that were to leave the belt."""
    disputed_days: Days = 1095
    """Of items that a customer complains of, and of lots that were held."""
    most_gb: Annotated[float, Field(ge=0, le=1_000_000)] = 50
    """Room for all of it; 0: none is kept. Items that passed give way first, disputed ones last [GB]."""
    least_free: Annotated[float, Field(ge=0.01, le=0.9)] = 0.1
    """Of the disk: below, all but what is disputed gives way; below half of it nothing new is kept [share]."""
    quality: Annotated[int, Field(ge=1, le=100)] = 85
    """Of the pictures: more is truer and larger [JPEG's scale]."""
    longest_px: Annotated[int, Field(ge=256, le=8192)] = 1600
    """Longer side of what the checks saw; what is longer is made smaller."""
