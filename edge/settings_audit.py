"""How a lane's journal is sealed; as `settings`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from edge.settings import Section


class AuditSettings(Section):
    """How often the journal is sealed, and with which key."""

    key: Path | None = None
    """The box's own secret key, by `tunnel-edge audit … key --new`; left out: made at the first start, in the state."""
    seal_every_s: Annotated[float, Field(ge=1, le=600)] = 60
    """What has been written is signed after so long at the latest."""
    seal_every_entries: Annotated[int, Field(ge=100, le=1_000_000)] = 10_000
    """Or after so many of them [entries]."""
