"""What a demo shows: which items run down the belt, and what the appliance is taught beforehand."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

import cv2

from edge.core.errors import ConfigError
from edge.inspection.defects import SOUND
from edge.settings_recipe import RuleSettings
from edge.simulator.draw import draw_items, normals
from edge.simulator.photographs import Album, Photographed, read_album
from edge.simulator.plan import PlannedItem
from edge.simulator.products import PRODUCTS
from edge.teach import read_labels

GTIN = "00000000000000"  # all photographs of a folder count as one product
LENGTH_MM = 200.0
NORMALS = 40  # drawn for each product and camera
LABELS_PER_CLASS = 20  # of a folder without a training split, when the user names none
LOT = r"L\d{4}[A-Z]"  # as the drawn products print it
SERIAL = re.compile(r"\d{13}")
READ_BY = "side"  # the camera that sees the print
REJECT_DEFECT_AT = 0.0  # log-odds: more likely damaged than not
REJECT_ANOMALY_AT = 1.0

Key = tuple[str, str]
"""GTIN and camera."""
Taught = TypeVar("Taught")


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that a run needs to know."""

    title: str
    notes: tuple[str, ...]
    items: tuple[PlannedItem, ...]
    rules: tuple[RuleSettings, ...]
    normals: Mapping[Key, Sequence[Path]]  # pictures of sound items, for the references
    frames: Mapping[str, Sequence[Path]]  # ordinary frames of each camera, to learn the belt from
    labelled: Mapping[Key, Sequence[tuple[Path, str]]] = field(
        default_factory=dict
    )  # picture, kind of damage: for the heads
    fitted: frozenset[str] = frozenset()  # warehouse's ids of items that something was fitted on
    serials: Mapping[str, str] = field(default_factory=dict)  # warehouse's id → the serial printed on it
    scored: bool = True  # whether an AUROC says anything: not where a fault may be in the print alone


def drawn(folder: Path, count: int, seed: int, today: date) -> Scene:
    """Packages that the simulator draws itself, into `folder`: invented products, drawn faults."""
    items = draw_items(folder / "items", count, seed, today)
    bad = sum(one.bad for one in items)
    return Scene(
        title="Drawn packages on the belt",
        notes=(
            f"{len(items)} drawn packages of {len(PRODUCTS)} invented products, {bad} of them bad.",
            "They show that the whole path works, and say nothing of how well it judges real packages.",
        ),
        items=tuple(items),
        rules=(
            RuleSettings(check="anomaly", cameras=("top",), reject_at=REJECT_ANOMALY_AT),
            RuleSettings(check="expiry", cameras=("side",), agrees="expiry"),
            RuleSettings(check="lot", cameras=("side",), required=False, agrees="lot", format=re.compile(LOT)),
        ),
        normals={(one.gtin, "top"): _normals(folder / one.gtin, one.gtin, seed) for one in PRODUCTS},
        frames={camera: [one.pictures[camera] for one in items] for camera in ("top", "side")},
        scored=False,
    )


def _normals(folder: Path, gtin: str, seed: int) -> list[Path]:
    """What the top camera sees of sound packages of one product."""
    folder.mkdir(parents=True)
    paths = [folder / f"{number:02d}.png" for number in range(NORMALS)]
    for path, pictures in zip(paths, normals(gtin, NORMALS, seed), strict=True):
        path.write_bytes(cv2.imencode(".png", pictures["top"])[1].tobytes())
    return paths


def photographed(folder: Path, labels: Path | None, seed: int) -> Scene:
    """A folder of labelled photographs, in one of the layouts of `edge.simulator.photographs`.

    labels: a CSV with the columns `item,label`, or a folder laid out like the data; None: where the folder has no
    training split, LABELS_PER_CLASS of each class, drawn by `seed`.

    Raises:
        ConfigError: an unknown layout, a label that names no item, or no sound item to learn from.
    """
    album = read_album(folder)
    examples = _examples(album, labels, seed)
    sound = [one for one in (*_training(album), *examples) if not one.label_bad]
    run = _shuffled([one for one in album.items if one.split != "train"], seed)
    if not (run and sound):
        raise ConfigError(f"{folder}: {len(run)} items to run and {len(sound)} sound ones to learn from: add some.")
    cameras = sorted({camera for one in run for camera in one.pictures})
    headed = len({one.label_bad for one in examples}) == 2
    return Scene(
        title=f"{folder.name}: photographs on the belt",
        notes=tuple(_notes(folder, album, sound, examples if headed else [])),
        items=tuple(_planned(one) for one in run),
        rules=tuple(_rules(cameras, headed)),
        normals=_by_camera(sound, lambda path, _: path),
        frames={camera: [one.pictures[camera] for one in run if camera in one.pictures] for camera in cameras},
        labelled=_by_camera(examples, lambda path, kind: (path, kind)) if headed else {},
        fitted=frozenset(one.item_id for one in examples),
        serials={one.item_id: _stem(one) for one in run if SERIAL.fullmatch(_stem(one))},
    )


def _training(album: Album) -> list[Photographed]:
    return [one for one in album.items if one.split == "train"]


def _examples(album: Album, labels: Path | None, seed: int) -> list[Photographed]:
    """The labelled examples that heads are fitted on, and references are built from where nothing else is."""
    if labels is None:
        return [] if _training(album) else list(_drawn_by_lot(album, seed))
    if labels.is_dir():
        return list(read_album(labels).items)
    return list(_listed(album, labels))


def _drawn_by_lot(album: Album, seed: int) -> Iterator[Photographed]:
    shuffled = _shuffled(album.items, seed)
    for bad in (False, True):
        of_class = [one for one in shuffled if one.label_bad is bad]
        yield from of_class[: min(LABELS_PER_CLASS, len(of_class) // 2)]


def _shuffled(items: Sequence[Photographed], seed: int) -> list[Photographed]:
    return random.Random(seed).sample(items, len(items))  # noqa: S311 - a reproducible draw


def _listed(album: Album, labels: Path) -> Iterator[Photographed]:
    """The items that a CSV names, by id or by file name without its ending; its labels must be the folder's."""
    known = {name: one for one in album.items for name in (one.item_id, _stem(one))}
    for name, kind in read_labels(labels, "item"):
        one = known.get(name)
        if one is None:
            raise ConfigError(
                f"{labels}: there is no item '{name}' in the data: name it as its file, without the ending."
            )
        if (kind != SOUND) is not one.label_bad:
            raise ConfigError(
                f"{labels}: '{name}' is labelled otherwise than its folder, {one.kind}: mend one of them."
            )
        yield one


def _rules(cameras: Sequence[str], headed: bool) -> Iterator[RuleSettings]:  # noqa: FBT001 - a fact, no switch
    """Heads decide where there are any, else the anomaly score; print is read, but nobody expects anything of it."""
    if headed:
        yield RuleSettings(check="defect", cameras=tuple(cameras), reject_at=REJECT_DEFECT_AT)
    for camera in cameras:
        limit = None if headed else REJECT_ANOMALY_AT
        yield RuleSettings(check="anomaly", cameras=(camera,), required=not headed, reject_at=limit)
    if READ_BY in cameras:
        for check in ("expiry", "lot", "serial"):
            yield RuleSettings(check=check, cameras=(READ_BY,), required=False)


def _planned(one: Photographed) -> PlannedItem:
    return PlannedItem(
        wms_item=one.item_id,
        gtin=GTIN,
        order_line=f"order-{one.item_id}",
        length_mm=LENGTH_MM,
        pictures=one.pictures,
        bad=one.label_bad,
        why=one.kind if one.label_bad else "",
    )


def _by_camera(items: Iterable[Photographed], taught: Callable[[Path, str], Taught]) -> dict[Key, list[Taught]]:
    found: defaultdict[Key, list[Taught]] = defaultdict(list)
    for one in items:
        for camera, path in one.pictures.items():
            found[GTIN, camera].append(taught(path, one.kind if one.label_bad else SOUND))
    return dict(found)


def _notes(
    folder: Path, album: Album, sound: Sequence[Photographed], examples: Sequence[Photographed]
) -> Iterator[str]:
    yield f"{len(album.items)} items in {folder.name}; references were built from {len(sound)} sound ones."
    if examples:
        bad = sum(one.label_bad for one in examples)
        yield (
            f"Defect heads were fitted on {len(examples) - bad} sound and {bad} bad labelled items; "
            "the AUROC is of the others."
        )
    if album.skipped:
        yield f"{album.skipped} files were no pictures and were left out."


def _stem(one: Photographed) -> str:
    return one.item_id.rpartition("/")[2]
