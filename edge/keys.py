"""Keys of CURVE (CurveZMQ, RFC 26): a box and its camera nodes know each other by them, and encrypt what they say.

Files are as `zmq.auth` writes them: NAME.key may be handed out, NAME.key_secret stays where it was made.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import zmq
from zmq.utils import z85

from edge.core.errors import ConfigError
from edge.credentials import where

PUBLIC, SECRET = ".key", ".key_secret"
KEY_BYTES = 32
OTHERS = stat.S_IRWXG | stat.S_IRWXO
HEAD = "# a key of tunnel-edge ({what})\nmetadata\ncurve\n"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Of this machine."""

    public: bytes  # Z85, 40 characters
    secret: bytes


def make(folder: Path, name: str) -> tuple[Path, Path]:
    """A new pair of files: what may be handed out, and what may not.

    Raises:
        ConfigError: there is one of that name already, or it cannot be written.
    """
    public, secret = zmq.curve_keypair()
    mine = HEAD.format(what="secret: keep it where it is") + _line("public", public) + _line("secret", secret)
    theirs = HEAD.format(what="public") + _line("public", public)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _write(folder / (name + PUBLIC), theirs, 0o644), _write(folder / (name + SECRET), mine, 0o600)
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}: name another folder or another name.") from error


def own(path: Path) -> KeyPair:
    """The pair of this machine, from its secret file.

    Raises:
        ConfigError: not there, damaged, or readable by others.
    """
    path = where(path)
    fields = _fields(path)
    if path.stat().st_mode & OTHERS:
        raise ConfigError(f"{path}: others may read this secret key: `chmod 600 {path}`, or make a new one.")
    if "secret-key" not in fields:
        raise ConfigError(f"{path}: holds no secret key: name the file that ends with {SECRET}.")
    pair = KeyPair(_key(path, fields, "public-key"), _key(path, fields, "secret-key"))
    if zmq.curve_public(pair.secret) != pair.public:
        raise ConfigError(f"{path}: its two keys do not belong together: make a new pair.")
    return pair


def public(path: Path) -> bytes:
    """Another machine's key.

    Raises:
        ConfigError: not there, or damaged.
    """
    return _key(path, _fields(where(path)), "public-key")


def _fields(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: make keys with `tunnel-edge node keys`.") from error
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def _key(path: Path, fields: dict[str, str], name: str) -> bytes:
    try:
        key = fields[name].encode("ascii")
        if len(z85.decode(key)) == KEY_BYTES:
            return key
    except (KeyError, ValueError):
        pass
    raise ConfigError(f"{path}: holds no {name}: make keys with `tunnel-edge node keys`.")


def _line(name: str, key: bytes) -> str:
    return f'    {name}-key = "{key.decode()}"\n'


def _write(path: Path, text: str, mode: int) -> Path:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
    return path
