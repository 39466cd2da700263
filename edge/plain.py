"""The console of every command: what it is told it shows as it is, for words from outside may look like markup."""

from __future__ import annotations

from typing import Any

from rich.console import Console


def plain_console(**options: Any) -> Console:
    """A console for which words in brackets are no markup; options: as rich's."""
    return Console(markup=False, **options)
