"""`tunnel-edge investigate`: what an item looked like when it left, and whether it was sound then."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import cv2
from rich.console import Console

from edge.config import Config, load
from edge.core.errors import ItemUnknown, PictureUnreadable
from edge.core.findings import answered, summed_up
from edge.core.grounds import Facts, Sentence
from edge.investigation.alike import Alike, Beside
from edge.investigation.anew import CROP, Anew, Seen
from edge.investigation.facts import Photo, gathered, written
from edge.investigation.next_steps import next_steps
from edge.investigation.page import MOST_CITED, Investigated, cited, page, printable, spoken
from edge.plain import plain_console
from edge.records.cited import snapshot
from edge.records.evidence.index import items
from edge.records.journal import items_like

MOST = 12  # items that are told at a time
NICE = 10  # of a process of its own


def main(arguments: Sequence[str]) -> int:
    """Answer, behind whatever else wants the processor: the lane may run beside; 0 when there is an answer.

    Raises:
        ItemUnknown: no item is meant, or too many are.
    """
    os.nice(NICE)
    cv2.setNumThreads(1)
    return told(options_of(arguments))


def told(options: argparse.Namespace) -> int:
    """Look, write the page, and say it."""
    config = load(options.config).of_state(options.state)
    meant = _meant(config.lane.state, options)
    eyes = None if options.as_it_was else Eyes.of(config)
    found = list(investigated(config, options.config, meant, eyes))
    summary = summed_up([one.answer for one in found]) if len(found) > 1 else ""
    if options.html:
        made = written(time.time_ns())
        options.html.write_text(page(_asked(options), summary, found, made), encoding="utf-8")
    if options.json:
        print(json.dumps(as_json(found, summary), indent=1))  # noqa: T201 - its own voice
    else:
        _print(found, summary, plain_console())
    return 0


@dataclass(frozen=True, slots=True)
class Eyes:
    """Who looks at the kept pictures again, and at those of others."""

    anew: Anew
    alike: Alike

    @classmethod
    def of(cls, config: Config) -> Self:
        """By the models and references of now."""
        anew = Anew(config)
        return cls(anew, Alike(config.lane.state, anew))


def investigated(config: Config, path: Path, meant: Sequence[str], eyes: Eyes | None) -> Iterator[Investigated]:
    """Each item with its answer; eyes: None: nobody looks at the pictures again.

    path: of the settings, for the commands that are named.
    """
    for name in meant:
        facts, shown = gathered(config.lane.state, name, [camera.name for camera in config.camera])
        facts, beside = _looked_at(facts, shown, eyes) if eyes else (facts, [])
        answer = answered(facts)
        yield Investigated(facts, answer, shown, beside, tuple(next_steps(facts, answer, path)))


def _looked_at(facts: Facts, shown: Sequence[Photo], eyes: Eyes) -> tuple[Facts, list[Beside]]:
    """With what the pictures say now, and the sound items most alike."""
    seen, wrong = _seen(shown, eyes.anew)
    born = next(facts.of("Item"), None)
    if not seen or born is None:
        return replace(facts, not_again=wrong or "no picture of it is kept"), []
    return replace(facts, again=eyes.anew.look(facts, seen)), eyes.alike.to(facts, seen)


def as_json(found: Sequence[Investigated], summary: str) -> dict[str, Any]:
    """For a program: the answers, sentence by sentence, and the pictures by name."""
    return {
        "summary": summary,
        "items": [
            {
                **asdict(one.answer),
                "order": dict(one.facts.order),
                "pictures": [asdict(shot) for shot in one.facts.shots],
                "alike": [{"item_id": o.item_id, "camera": o.camera, "sha256": o.sha256} for o in one.beside],
                "next_steps": list(one.next_steps),
            }
            for one in found
        ],
    }


def _seen(shown: Sequence[Photo], anew: Anew) -> tuple[list[Seen], str]:
    """The crops that can be looked at again; and what is wrong with one that cannot."""
    seen, wrong = [], ""
    for one in shown:
        if one.kept.what == CROP:
            try:
                seen.append(anew.seen(one))
            except PictureUnreadable as error:
                wrong = str(error)
    return seen, wrong


def _meant(state: Path, options: argparse.Namespace) -> list[str]:
    """The items that are meant, in the order in which they ran; with a single one, the others of its order line.

    Raises:
        ItemUnknown: none is, or too many.
    """
    try:
        found = _named(state, options)
        if not found:
            raise ItemUnknown(f"{_asked(options)}: {_none(state)}")
    except sqlite3.Error as error:
        raise ItemUnknown(f"{state}: no ledger can be read there ({error}): is this the lane's own machine?") from error
    if len(found) == 1:
        return _of_its_line(state, found[0])
    if len(found) > MOST:
        raise ItemUnknown(f"{_asked(options)}: more than {MOST} items are meant: name the order line, or the item.")
    return found


def _named(state: Path, options: argparse.Namespace) -> list[str]:
    """By what was given, oldest first."""
    if words := options.item or options.wms_item:
        return items_like(state, words, MOST + 1)[::-1]
    order = {"order_line": options.order_line, "gtin": options.gtin, "lot": options.lot}
    return items(state, **order, most=MOST + 1)[::-1]


def _of_its_line(state: Path, item: str) -> list[str]:
    """With what ran for the same order line before or after it: replacements; alone, where that is too much."""
    with snapshot(state) as journal:
        line = journal.order_line(item)
    found = items(state, order_line=line, most=MOST + 1)[::-1] if line else []
    return found if len(found) <= MOST and item in found else [item]


def _none(state: Path) -> str:
    """That there is none, and how far that was looked for."""
    with snapshot(state) as journal:
        ends = journal.ends
    if not ends:
        return f"the ledger in {state} is empty: is this the lane that it ran on?"
    told = " to ".join(f"entry {one.entry} of {written(one.wall_ns)}" for one in ends)
    if ends[0].entry > 1:
        told += "; what ran before is in the ledger's archive, if it was not kept: `tunnel-edge ledger restore`"
    return f"no such item ran on this lane ({told}): ask the other lanes, or the warehouse whether it was ever picked."


def _asked(options: argparse.Namespace) -> str:
    """What was asked for, as a title."""
    names = {"order line": "order_line", "item": "item", "warehouse's item": "wms_item", "GTIN": "gtin", "lot": "lot"}
    given = ", ".join(f"{name} {value}" for name, key in names.items() if (value := getattr(options, key)))
    return str(printable(given))


def _print(found: Sequence[Investigated], summary: str, console: Console) -> None:
    say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    if summary:
        say(summary, style="bold")
    for one in found:
        headline, *rest = dict.fromkeys(spoken(one.answer))
        say(f"\n{one.answer.item_id}", style="dim")
        say(_line(headline), style="bold")
        for sentence in rest:
            say(f"  {_line(sentence)}")
        for step in one.next_steps:
            say(f"  → {printable(step)}")


def _line(sentence: Sentence) -> str:
    named = [cited(source)[0] for source in sentence.sources]
    more = [f"and {len(named) - MOST_CITED} more"] if len(named) > MOST_CITED else []
    words: str = printable(f"{sentence.words} [{', '.join([*named[:MOST_CITED], *more])}]")
    return words


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """What is asked; the program ends where that is unclear."""
    parser = argparse.ArgumentParser(
        prog="tunnel-edge investigate", description="What an item looked like when it left, and whether it was sound."
    )
    parser.add_argument("config", type=Path, help="the lane's settings (TOML)")
    parser.add_argument("--order-line", metavar="X", help="that the customer asks about")
    parser.add_argument("--item", help="its name on the lane, or the end of it")
    parser.add_argument("--wms-item", metavar="W", help="the warehouse's name for it")
    parser.add_argument("--gtin", help="only items of this product")
    parser.add_argument("--lot", help="only items of this lot")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write it as one page, with the pictures in it")
    parser.add_argument("--json", action="store_true", help="for a program, instead of the text")
    parser.add_argument(
        "--state", type=Path, metavar="FOLDER", help="another than the settings name: of `tunnel-edge ledger restore`"
    )
    parser.add_argument(
        "--as-it-was", action="store_true", help="do not look at the pictures again: at once, no models"
    )
    options = parser.parse_args(arguments)
    if not _asked(options):
        parser.error("name what is asked about: --order-line, --item, --wms-item, --gtin or --lot")
    return options
