"""`tunnel-edge audit LANE.toml verify | log | export | key`: is the journal what was written, and who did what when."""

from __future__ import annotations

import argparse
import gzip
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.progress import Progress, TaskID
from rich.table import Table
from rich.text import Text

from edge.config import load
from edge.core.errors import ConfigError
from edge.credentials import where
from edge.plain import plain_console
from edge.records import audit_key
from edge.records.acts import acted
from edge.records.journal import rows
from edge.records.proof import Head, Proof, prove
from edge.records.seals import FILE as SEALS
from edge.records.segments import line
from edge.signing import public

HOLDS, BROKEN = 0, 3  # exit codes; 1, as of every command: it could not be looked at
KEY = re.compile(r"[0-9a-f]{64}")
HEAD = re.compile(r"([1-9][0-9]{0,18}):([0-9a-f]{64})")
NS_PER_S = 1_000_000_000
SHOWN = 200  # breaks that are told to a person
LONGEST = 160  # characters of what is told of an act
BESIDE = "held against the key that lies beside it: name the key that you know (--key)"


def main(arguments: Sequence[str]) -> int:
    """`tunnel-edge audit`."""
    options = _options(arguments)
    return int(options.run(options))


def verify(options: argparse.Namespace) -> int:
    """Hold chain, seals, outbox and pictures against each other; say where they do not fit."""
    state = _state(options.lane)
    keys, beside = _keys(options)
    also = (*(() if options.quick else ("file",)), *(("pictures",) if options.evidence else ()))
    began_s = time.monotonic()
    with Progress(console=plain_console(stderr=True), transient=True, disable=options.json) as progress:
        shown = partial(_show, progress, progress.add_task("entries", total=None))
        proof = prove(state, keys, options.head, also, shown, options.archive)
    if beside:
        proof.notes.append(BESIDE)
    told = _as_json if options.json else _as_text
    told(proof, time.monotonic() - began_s)
    return BROKEN if proof.breaks else HOLDS


def log(options: argparse.Namespace) -> int:
    """Who did what when: named persons' acts, starts and stops, calibrations, references, settings."""
    table = Table("when (UTC)", "entry", "who", "what", "of what", box=None)
    span = (_instant_ns(one) for one in (options.since, options.until))
    for entry, wall_ns, kind, item, body in acted(_state(options.lane), options.kind, *span):
        by = str(body.get("by", ""))
        if options.by is None or options.by.casefold() in by.casefold():
            words = [_when(wall_ns), str(entry), by, _what(kind, body), _of_what(item, body)]
            table.add_row(*map(Text, words))
    console = plain_console()
    console.width = max(console.width, LONGEST)
    console.print(table if table.row_count else "nothing", highlight=False)
    return 0


def export(options: argparse.Namespace) -> int:
    """Write the journal as JSON lines, each with its hash, and the seals behind it (gzip)."""
    state, count = _state(options.lane), 0
    try:
        with gzip.open(options.out, "xt", encoding="utf-8", compresslevel=6) as file:
            for row in rows(state, options.first, options.last):
                file.write(line(row))
                count += 1
            if (state / SEALS).exists():
                file.writelines((state / SEALS).read_text().splitlines(keepends=True))
    except OSError as error:
        raise ConfigError(
            f"{options.out}: {error.strerror}: name a new file in a folder that can be written."
        ) from error
    plain_console().print(f"{options.out}: {count} entries, {options.out.stat().st_size / 1e6:.1f} MB", highlight=False)
    return 0


def key(options: argparse.Namespace) -> int:
    """Tell the public key that this box's seals are held against; make a new pair."""
    if options.new:
        audit_key.make(options.new)
        print(f"{options.new}: name it in the settings: [audit] key")  # noqa: T201 - the command's own voice
        print(public(audit_key.read(options.new)))  # noqa: T201
    else:
        print("\n".join(_own_keys(options.lane)))  # noqa: T201
    return 0


def _show(progress: Progress, task: TaskID, entry: int, entries: int) -> None:
    progress.update(task, completed=entry, total=entries)


def _state(lane: Path) -> Path:
    """The folder that is meant: that of the settings, or a copy of one."""
    return lane if lane.is_dir() else load(lane).lane.state


def _keys(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Whose seals count, and whether that is but what lies there."""
    named = [one for name in options.key for one in _named(name)]
    return (named, False) if named else (_own_keys(options.lane), True)


def _own_keys(lane: Path) -> list[str]:
    """The box's own, from its secret file where the settings name one, else from the public one in its state."""
    if not lane.is_dir() and (secret := load(lane).audit.key):
        return [public(audit_key.read(where(secret)))]
    return _named(str(_state(lane) / audit_key.PUBLIC))


def _named(name: str) -> list[str]:
    """Keys in hex, or a file of them."""
    if KEY.fullmatch(name):
        return [name]
    try:
        found = Path(name).read_text().split()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}: no public key (64 hex digits), no file of them: ask the box: `audit … key`.") from (
            error
        )
    if not found or not all(KEY.fullmatch(one) for one in found):
        raise ConfigError(f"{name}: holds no public keys (64 hex digits each): ask the box: `audit … key`.")
    return found


def _head(told: str) -> Head:
    """An entry and its hash, as a seal's line in the log has them."""
    match = HEAD.fullmatch(told)
    if match is None:
        raise argparse.ArgumentTypeError(f"{told}: as the log says it: ENTRY:HASH")
    return int(match[1]), match[2]


def _as_json(proof: Proof, took_s: float) -> None:
    said = asdict(proof) | {"holds": not proof.breaks, "took_s": round(took_s, 3)}
    print(json.dumps(said, indent=1))  # noqa: T201 - the command's own voice


def _as_text(proof: Proof, took_s: float) -> None:
    console = plain_console(highlight=False, soft_wrap=True)
    rate = proof.entries / took_s if took_s else 0.0
    console.print(f"{proof.entries} entries, {rate:,.0f} a second; head {proof.entries}:{proof.head}")
    if proof.seals:
        console.print(
            f"{proof.seals} seals; sealed by {proof.box} up to entry {proof.sealed}, {_when(proof.sealed_ns)}"
        )
    for one in proof.breaks[:SHOWN]:
        place = f"entry {one.first}" if one.first == one.last else f"entries {one.first} to {one.last}"
        console.print(Text(f"{one.kind.value}: {place if one.last else 'at no entry'}: {one.told}", style="red"))
    if len(proof.breaks) > SHOWN:
        console.print(f"and {len(proof.breaks) - SHOWN} more: --json tells them all", style="red")
    for note in proof.notes:
        console.print(Text(f"note: {note}", style="yellow"))
    console.print("it is broken" if proof.breaks else "it holds", style="bold red" if proof.breaks else "bold green")


def _what(kind: str, body: Mapping[str, Any]) -> str:
    return f"{kind}: {body['what']}" if isinstance(body.get("what"), str) else kind


def _of_what(item: str | None, body: Mapping[str, Any]) -> str:
    """The rest of what an entry says, in a line."""
    told: Iterator[str] = (
        f"{name} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in body.items()
        if name not in ("by", "what", "settings") and value not in ("", None, [], {})
    )
    said = ", ".join(([f"item {item}"] if item else []) + list(told))
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"


def _when(wall_ns: int) -> str:
    return datetime.fromtimestamp(wall_ns / NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _instant_ns(told: datetime | None) -> int | None:
    """A time without a zone is in UTC, as the table is."""
    if told is None:
        return None
    return int((told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp() * NS_PER_S)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tunnel-edge audit", description="Is the journal what was written?")
    parser.add_argument("lane", type=Path, help="the lane's settings (TOML), or a folder: a copy of its state")
    verbs = parser.add_subparsers(dest="verb", required=True)
    proved = _verb(verbs, verify, f"exit code {HOLDS}: it holds, {BROKEN}: it is broken, 1: it cannot be looked at")
    proved.add_argument("--key", action="append", default=[], help="public key of the box (hex), or a file of such")
    proved.add_argument("--head", action="append", default=[], type=_head, metavar="ENTRY:HASH", help="noted elsewhere")
    proved.add_argument("--archive", type=Path, metavar="FOLDER", help="what was put away is verified, too")
    proved.add_argument("--evidence", action="store_true", help="every kept picture too")
    proved.add_argument("--quick", action="store_true", help="without SQLite's own check of the file's indices")
    proved.add_argument("--json", action="store_true")
    told = _verb(verbs, log, "by default what has a name to it, and what runs with what")
    told.add_argument("--by", help="a part of the name")
    told.add_argument("--kind", action="append", help="of entry; may be repeated")
    told.add_argument("--since", type=datetime.fromisoformat, metavar="TIME", help="2026-01-31T06:00, in UTC")
    told.add_argument("--until", type=datetime.fromisoformat, metavar="TIME")
    kept = _verb(verbs, export, "for whoever has no SQLite, and to be kept elsewhere")
    kept.add_argument("out", type=Path, help="a new file, NAME.jsonl.gz")
    kept.add_argument("--first", type=int, default=1, help="entry")
    kept.add_argument("--last", type=int, default=None, help="entry; default: the last")
    _verb(verbs, key, "give it to whoever is to verify").add_argument("--new", type=Path, metavar="FILE")
    return parser.parse_args(arguments)


def _verb(verbs: Any, run: Any, more: str) -> argparse.ArgumentParser:
    told = (run.__doc__ or "").splitlines()[0]
    command: argparse.ArgumentParser = verbs.add_parser(run.__name__, help=told, description=f"{told} {more}.")
    command.set_defaults(run=run)
    return command
