"""The section of the warehouse's own service."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from edge.settings import Section

HERE = re.compile(r"http://(localhost|127\.[0-9.]+|\[::1\])(:\d+)?(/|$)")  # what may go in clear


class WarehouseSettings(Section):
    """Who is asked for replacements, and told of lots that are held."""

    url: Annotated[str, Field(pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$")] | None = None
    """Of its HTTP service, the topic is added to it: docs/protocol.md; left out: it listens at the broker."""
    ca: Path | None = None
    """Certificate of whom to trust; left out: whom the machine trusts."""
    certificate: Path | None = None
    """This box's own: the service knows it by that."""
    key: Path | None = None
    """The secret key of the certificate."""
    connect_s: Annotated[float, Field(gt=0, le=60)] = 3.0
    """Patience for a connection."""
    answer_s: Annotated[float, Field(gt=0, le=120)] = 10.0
    """Patience for an answer; then the request is sent again."""
    connections: Annotated[int, Field(ge=1, le=32)] = 4
    """How many are on their way at a time, each of another order line [requests]."""
    give_up_after: Annotated[int, Field(ge=3, le=10_000)] = 50
    """So often a request is passed over for later ones: then it waits for a person; silence never counts [times]."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        files = (self.ca, self.certificate, self.key)
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        if any(files) and not (self.url or "").startswith("https:"):
            raise ValueError("ca, certificate and key are for a url that begins with https:")
        if self.url and self.url.startswith("http:") and not HERE.match(self.url):
            raise ValueError(f"{self.url} is another machine: it must be spoken to by https")
        return self
