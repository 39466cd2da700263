"""Where a lane's ledger goes as Parquet tables."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from edge.settings import Section


class LakeSettings(Section):
    """Where `tunnel-edge lake export` brings the ledger; left out, it is nowhere but on this box."""

    to: Annotated[str, Field(pattern=r"^(|/.+|[a-z0-9]+://.+)$")] = ""
    """A folder, or `s3://BUCKET/PREFIX`; the credentials are the unit's, never here. Several lanes may share it."""
    endpoint_url: Annotated[str, Field(pattern=r"^(|https?://.+)$")] = ""
    """Where an S3-compatible store listens; empty: AWS."""
