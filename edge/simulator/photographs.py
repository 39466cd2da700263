"""Folders of labelled photographs, in the layouts that inspection data sets come in."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2

from edge.core.errors import ConfigError

CAMERA = "top"  # of a layout that knows one view only
GOOD = frozenset({"good", "normal", "intact"})

LAYOUTS: Mapping[str, re.Pattern[str]] = {
    "{train,test}/{normal,anomaly}/NAME": re.compile(r"(?P<split>train|test)/(?P<kind>normal|anomaly)/(?P<name>[^/]+)"),
    "train/good/NAME, test/TYPE/NAME": re.compile(r"(?P<split>train(?=/good)|test)/(?P<kind>[^/]+)/(?P<name>[^/]+)"),
    "{normal,anomaly}/NAME": re.compile(r"(?P<kind>normal|anomaly)/(?P<name>[^/]+)"),
    "{intact,damaged}/VIEW/NAME": re.compile(r"(?P<kind>intact|damaged)/(?P<view>[^/]+)/(?P<name>[^/]+)"),
}


@dataclass(frozen=True, slots=True)
class Photographed:
    """One thing in a folder, with its photographs by camera."""

    item_id: str  # split, kind and file name, as `test/dent/017`: unique in its folder
    label_bad: bool
    kind: str  # the folder's word: good, normal, dent, …
    split: str | None  # train or test; None: the layout does not split
    pictures: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Album:
    """What a folder holds."""

    items: tuple[Photographed, ...]  # in the order of their ids
    skipped: int  # files where pictures belong that are none


def read_album(folder: Path) -> Album:
    """The labelled items in a folder; files elsewhere in it (masks, notes) are left alone.

    Raises:
        ConfigError: it is no folder, or is laid out in a way not known here; the message names those that are.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder: give one of labelled photographs.")
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    for pattern in LAYOUTS.values():
        matches = [match for name in names if (match := pattern.fullmatch(name))]
        if any(match["kind"] in GOOD for match in matches):
            return _album(folder, matches)
    known = "\n".join(f"  - {layout}" for layout in LAYOUTS)
    raise ConfigError(f"{folder}: no layout of photographs known here; arrange them in one of these:\n{known}")


def _album(folder: Path, matches: list[re.Match[str]]) -> Album:
    pictures = [match for match in matches if cv2.haveImageReader(str(folder / match.string))]
    grouped: defaultdict[str, list[re.Match[str]]] = defaultdict(list)
    for match in pictures:
        grouped[_item_id(match)].append(match)
    items = tuple(_photographed(folder, item_id, grouped[item_id]) for item_id in sorted(grouped))
    return Album(items, skipped=len(matches) - len(pictures))


def _photographed(folder: Path, item_id: str, matches: list[re.Match[str]]) -> Photographed:
    first = matches[0].groupdict()
    return Photographed(
        item_id=item_id,
        label_bad=first["kind"] not in GOOD,
        kind=first["kind"],
        split=first.get("split"),
        pictures={match.groupdict().get("view", CAMERA): folder / match.string for match in matches},
    )


def _item_id(match: re.Match[str]) -> str:
    """The same for all views of an item, whatever their file types."""
    return "/".join(_steps(match.groupdict()))


def _steps(groups: Mapping[str, str]) -> Iterator[str]:
    if "split" in groups:
        yield groups["split"]
    yield groups["kind"]
    yield Path(groups["name"]).stem
