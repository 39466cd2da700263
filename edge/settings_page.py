"""The reference page of all settings, made of their types: `python -m edge.settings_page > docs/settings.md`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from typing import Any

from pydantic import BaseModel

from edge.config import Config
from edge.node.settings import NodeConfig
from edge.sentinel.settings import Settings
from edge.settings import ROOT

FILES: Mapping[str, type[BaseModel]] = {
    "A lane's file: `tunnel-edge run LANE.toml`": Config,
    "A camera node's file: `tunnel-edge node NODE.toml`": NodeConfig,
    "What the sentinel reads of a lane's file: `tunnel-edge sentinel LANE.toml`": Settings,
}
HEAD = """# Settings

Every key of the settings, with its unit, range and default. The page is made of the types: mend the words there, in
`edge/settings.py`, `edge/settings_recipe.py`, `edge/settings_warehouse.py`, `edge/node/settings.py` and
`edge/sentinel/settings.py`, then
`python -m edge.settings_page > docs/settings.md`.

[lane.toml](lane.toml) and [node.toml](node.toml) are commented examples. A key that is not listed is refused, and the
one that was probably meant is named; `tunnel-edge check LANE.toml` and `tunnel-edge node check NODE.toml` tell all
faults at once. The sentinel passes over the keys that are the daemon's alone.

`[name]` is a table of the file, `[[name]]` one that may stand there several times. A key in **bold** must be given.
Where the default is –, there is none; *left out* says what that comes to.
"""
COLUMNS = "| key | takes | unit | range | default | what it is for |\n|---|---|---|---|---|---|"
UNITS = {
    "counts_per_mm": "counts/mm",
    "mm_per_s": "mm/s",
    "mm": "mm",
    "ms": "ms",
    "s": "s",
    "days": "days",
    "mb": "MB",
    "items": "items",
    "share": "share",
}
"""By the end of a key's name; the longer ends come first."""
TYPES = {"string": "text", "number": "number", "integer": "whole number", "boolean": "`true` or `false`"}
FORMATS = {"path": "path", "regex": "regular expression"}
PATTERNS = {
    r"^[A-Za-z0-9_.-]{1,64}$": "1 to 64 of A–Z, a–z, 0–9, `_`, `.`, `-`",
    r"^[A-Za-z0-9_-]{1,64}$": "1 to 64 of A–Z, a–z, 0–9, `_`, `-`",
    r"^[0-9]{8,14}$": "8 to 14 digits",
    r"^[0-9a-f]{64}$": "64 of 0–9, a–f",
    r"^(tcp|ipc)://.+": "`tcp://…` or `ipc://…`",
    r"^tcp://.+:\d+$": "`tcp://ADDRESS:PORT`",
}
BOUNDS = {"minimum": "from ", "exclusiveMinimum": "above ", "maximum": "to ", "exclusiveMaximum": "below "}
Schema = Mapping[str, Any]
"""A part of a JSON schema, as pydantic tells it."""


@dataclass(frozen=True, slots=True)
class Key:
    """A row of the page."""

    name: str
    takes: str
    unit: str
    within: str
    default: str  # empty: the key must be given
    purpose: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a file; `title` as it stands in the file."""

    title: str
    purpose: str
    often: str
    keys: tuple[Key, ...]


def main() -> int:
    """Write the page to stdout."""
    sys.stdout.write(page())
    return 0


def page() -> str:
    """All files' tables, as Markdown."""
    parts = [HEAD]
    for title, model in FILES.items():
        parts += [f"## {title}\n", *(_written(table) for table in tables(model))]
    return "\n".join(parts)


def tables(model: type[BaseModel]) -> Iterator[Table]:
    """The tables of a file, in the order of its types."""
    schema = model.model_json_schema()
    return _within(schema, schema["$defs"], "")


def _within(section: Schema, known: Schema, path: str) -> Iterator[Table]:
    """The tables in a section."""
    for name, field in section["properties"].items():
        inner = _section(field, known)
        if inner is not None:
            place = f"{path}{name}"
            title = f"[[{place}]]" if "items" in field else f"[{place}]"
            yield Table(title, inner.get("description", ""), _often(section, name), tuple(_keys(inner, known)))
            yield from _within(inner, known, f"{place}.")


def _section(field: Schema, known: Schema) -> Schema | None:
    """The table that a field holds, one or several; None: it is a key."""
    inner = _resolved(_given(field).get("items", field), known)
    return inner if "properties" in inner else None


def _often(section: Schema, name: str) -> str:
    """How often a table may stand in the file."""
    several = _range(section["properties"][name])
    if several:
        return f"{several}."
    return "Must be there." if name in section.get("required", ()) else "May be left out."


def _keys(section: Schema, known: Schema) -> Iterator[Key]:
    """The keys of a table; what are tables themselves is left out."""
    for name, field in section["properties"].items():
        if _section(field, known) is None:
            unit, purpose = _unit(name, field.get("description", ""))
            default = "" if name in section.get("required", ()) else _default(field["default"])
            yield Key(name, _takes(field, known), unit, _range(_given(field)), default, purpose)


def _given(field: Schema) -> Schema:
    """What a field takes where it is given; TOML has no word for nothing."""
    some = [one for one in field.get("anyOf", ()) if one.get("type") != "null"]
    return some[0] if len(some) == 1 else field


def _resolved(field: Schema, known: Schema) -> Schema:
    """A type by itself."""
    given = _given(field)
    return known[given["$ref"].rpartition("/")[2]] if "$ref" in given else given


def _takes(field: Schema, known: Schema) -> str:
    """A type in a technician's words."""
    kind = _resolved(field, known)
    if "anyOf" in kind:
        return ", ".join(_takes(one, known) for one in kind["anyOf"])
    if "enum" in kind:
        return "one of " + _choice(kind)
    if kind["type"] == "array":
        return "list: " + _takes(kind["items"], known)
    if kind["type"] == "object":
        names = _choice(kind.get("propertyNames", {})) or "names"
        return f"table of {names}: {_takes(_entry(kind), known)}"
    return FORMATS.get(kind.get("format", ""), TYPES[kind["type"]])


def _entry(kind: Schema) -> Schema:
    """What each entry of a list or of a table with free names is."""
    named = kind.get("patternProperties", {}).values()
    entry: Schema = next(iter(named), kind.get("items") or kind.get("additionalProperties") or {})
    return entry


def _choice(kind: Schema) -> str:
    """What there is to choose from."""
    return ", ".join(f"`{word}`" if word else '`""`' for word in kind.get("enum", ()))


def _range(kind: Schema) -> str:
    """What a value is held against; of a list or table, how many entries and what each is held against."""
    said = [" ".join(words + _figure(kind[bound]) for bound, words in BOUNDS.items() if bound in kind)]
    most = kind.get("maxItems", kind.get("maxProperties"))
    if most is not None:
        said.append(f"{kind.get('minItems', 0)} to {most} entries")
    elif "minItems" in kind:
        said.append("not empty")
    patterns = [*filter(None, [kind.get("pattern")]), *kind.get("patternProperties", ())]
    said += [PATTERNS.get(pattern, f"`{pattern}`") for pattern in patterns]
    entry = _entry(kind)
    return "; ".join(filter(None, [*said, _range(entry) if entry else ""]))


def _figure(value: float) -> str:
    """A number without what it does not need."""
    return f"{value:.10g}"


def _unit(name: str, said: str) -> tuple[str, str]:
    """A key's unit, from what is said of it in brackets or from its name, and the rest of what is said."""
    text = " ".join(said.split())
    named = next((unit for end, unit in UNITS.items() if f"_{name}".endswith(f"_{end}")), "")
    bracket = re.search(r" \[([^]]+)\]", text)
    return (bracket[1], text.replace(bracket[0], "")) if bracket else (named, text)


def _default(value: Any) -> str:
    """As it would stand in the file; –: it would not."""
    if value is None:
        return "–"
    if isinstance(value, str) and value.startswith(f"{ROOT}/"):
        return f"the release's `{value.removeprefix(f'{ROOT}/')}`"
    return f"`{_figure(value)}`" if isinstance(value, float) else f"`{json.dumps(value, ensure_ascii=False)}`"


def _written(table: Table) -> str:
    """A table as Markdown."""
    lines = [f"### `{table.title}`", f"\n{table.purpose} {table.often}\n", COLUMNS, *map(_row, table.keys)]
    return "\n".join(lines) + "\n"


def _row(key: Key) -> str:
    """A key as Markdown."""
    name = f"`{key.name}`" if key.default else f"**`{key.name}`**"
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in (name, *astuple(key)[1:])) + " |"


if __name__ == "__main__":
    sys.exit(main())
