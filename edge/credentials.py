"""Where a secret file is: as the settings name it, or where systemd put it for this unit alone (LoadCredential=)."""

from __future__ import annotations

import os
from pathlib import Path

PREFIX = "keys_"  # the units load a folder of that name: systemd calls its files so


def where(path: Path) -> Path:
    """The unit's own copy of a file, by its name; by hand, or without one, the file itself."""
    mine = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nowhere")) / (PREFIX + path.name)
    return mine if mine.is_file() else path
