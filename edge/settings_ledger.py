"""The section of a lane's settings about the ledger's old days; as `settings`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from edge.settings import Section


class LedgerSettings(Section):
    """How long the ledger keeps its days, and where they are put away; without an archive it keeps all of them."""

    archive: Path | None = None
    """A folder that somebody keeps, several lanes may share it; left out: nothing is put away."""
    keep_days: Annotated[float, Field(ge=1, le=36_500)] = 60
    """What was sealed so long ago is put away, but for what is still needed."""
