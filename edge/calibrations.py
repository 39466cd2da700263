"""Where calibrations lie: TOML files, signed (Ed25519), each version kept; the newest is in force."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge import disk, signing
from edge.core.calibration import Calibration, of_table
from edge.core.errors import CalibrationRefused

MAX_BYTES = 1_000_000  # of a calibration, and
MAX_FILE_BYTES = 64_000_000  # of what lies beside it
VERSION = re.compile(r"[1-9][0-9]{0,5}")  # a name may claim any number: what is missing before it is listed


class Shelf:
    """The calibrations of one lane: `<name>.<version>.toml`, and `files/<sha256>` beside them."""

    def __init__(self, folder: Path, trusted: Collection[str]) -> None:
        """Take the lane's folder, and the public keys (hex) whose signatures count."""
        self._folder = folder
        self._trusted = frozenset(trusted)

    def names(self) -> list[str]:
        """Of all that was calibrated: `camera.side`, `belt` and so on."""
        return sorted({path.name.rsplit(".", 2)[0] for path in self._folder.glob("*.*.toml")})

    def versions(self, name: str) -> list[int]:
        """From the oldest on."""
        found = (path.name.rsplit(".", 2) for path in self._folder.glob(f"{name}.*.toml"))
        return sorted(int(version) for stem, version, _ in found if stem == name and VERSION.fullmatch(version))

    def newest(self, name: str) -> Calibration | None:
        """The last version; None: it was never calibrated.

        Raises:
            CalibrationRefused: as `read`.
        """
        versions = self.versions(name)
        return self.read(name, versions[-1]) if versions else None

    def read(self, name: str, version: int) -> Calibration:
        """One version, and all that lies beside it, unchanged since a trusted person signed it.

        Raises:
            CalibrationRefused: it is missing, damaged, not signed by a trusted key, or of another name.
        """
        path = self._path(name, version)
        table = _table(path)
        seal = table.pop("seal", {})
        calibration = of_table(table, str(path))
        self._demand_seal(calibration, seal, path)
        if (calibration.name, calibration.version) != (name, version):
            raise CalibrationRefused(f"{path}: it is {calibration.name}, version {calibration.version}: put it back.")
        for file, digest in calibration.files.items():
            if _digest(self.beside(digest)) != digest:
                raise CalibrationRefused(f"{self.beside(digest)}: {file} of {path.name} is missing or damaged.")
        return calibration

    def write(self, calibration: Calibration, key: Ed25519PrivateKey, beside: Mapping[str, bytes] = {}) -> Calibration:
        """Keep it as the next version of its name, signed; beside: name → content of what is too large for it."""
        disk.made(self._folder / "files")
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in beside.items()}
        for name, content in beside.items():
            disk.written(self.beside(digests[name]), content)
        versions = self.versions(calibration.name)
        before = hashlib.sha256(self._path(calibration.name, versions[-1]).read_bytes()).hexdigest() if versions else ""
        version = versions[-1] + 1 if versions else 1
        kept = replace(calibration, version=version, before=before, files={**calibration.files, **digests})
        disk.written(self._path(kept.name, version), sealed(kept, key))
        return kept

    def beside(self, digest: str) -> Path:
        """Where what has this SHA-256 lies."""
        return self._folder / "files" / digest

    def broken(self, name: str) -> Iterator[str]:
        """Where the chain of versions does not hold: one was changed, or taken away."""
        versions = self.versions(name)
        missing = set(range(1, max(versions, default=0))) - set(versions)
        yield from (f"{name}: version {lost} is missing" for lost in sorted(missing))
        for version in versions:
            before = self.read(name, version).before
            path = self._path(name, version - 1)
            if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() != before:
                yield f"{name}: version {version - 1} is not the one that version {version} follows"

    def _path(self, name: str, version: int) -> Path:
        return self._folder / f"{name}.{version}.toml"

    def _demand_seal(self, calibration: Calibration, seal: Any, path: Path) -> None:
        """Raise unless a trusted person signed exactly this."""
        if not isinstance(seal, Mapping) or not {"key", "signature"} <= seal.keys():
            raise CalibrationRefused(f"{path}: it is not signed: accept it in `tunnel-calibrate`, which signs it.")
        if str(seal["key"]) not in self._trusted:
            raise CalibrationRefused(
                f"{path}: signed with the key {str(seal['key'])[:12]}…, which [calibration] trusted does not name."
            )
        if not signing.has_signed(str(seal["key"]), str(seal["signature"]), calibration.said()):
            raise CalibrationRefused(f"{path}: changed since it was signed: restore it, or calibrate anew.")


def sealed(calibration: Calibration, key: Ed25519PrivateKey) -> bytes:
    """As TOML, with its signature."""
    seal = {"key": signing.public(key), "signature": signing.signature(key, calibration.said())}
    tables = {**calibration.table(), "seal": seal}
    return "\n".join(f"[{name}]\n{_keys(keys)}" for name, keys in tables.items()).encode()


def new_key(path: Path) -> Ed25519PrivateKey:
    """A technician's key, in a file that only they can read.

    Raises:
        CalibrationRefused: there is one already.
    """
    if path.exists():
        raise CalibrationRefused(f"{path}: there is a key already: name another file, or keep this one.")
    return signing.make(path)


def read_key(path: Path) -> Ed25519PrivateKey:
    """A technician's key.

    Raises:
        CalibrationRefused: it is missing, no key, or others can read it.
    """
    try:
        if signing.is_exposed(path):
            raise CalibrationRefused(f"{path}: others can read this key: `chmod 600 {path}`, or make another.")
        key = signing.load(path)
    except (OSError, ValueError, TypeError) as error:
        raise CalibrationRefused(f"{path}: no key ({error}): make one with `tunnel-calibrate key`.") from error
    if key is None:
        raise CalibrationRefused(f"{path}: a key of another kind: make one with `tunnel-calibrate key`.")
    return key


def _table(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file():
            raise CalibrationRefused(f"{path}: this is no file: restore it, or calibrate anew.")
        if path.stat().st_size > MAX_BYTES:
            raise CalibrationRefused(f"{path}: larger than a calibration can be: restore it.")
        return tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CalibrationRefused(f"{path}: cannot be read ({error}): restore it, or calibrate anew.") from error


def _digest(path: Path) -> str:
    if not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _keys(table: Mapping[str, Any]) -> str:
    """TOML keys; a JSON scalar or list is a TOML one too."""
    return "".join(f"{json.dumps(key)} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items())
