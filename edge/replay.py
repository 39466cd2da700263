"""`tunnel-edge replay`: a recording through the same loop, on a clock of its own, held against what was decided."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from edge.assembly import loop_of
from edge.config import Config, load
from edge.conveyor.diverter import DiverterOverMqtt, StationOverMqtt
from edge.core.belt import NS_PER_S
from edge.core.errors import RecordingRefused
from edge.core.ports import Inspector
from edge.inspection.assembly import Sessions, locator, questions
from edge.inspection.at_once import AtOnce
from edge.plain import plain_console
from edge.recording.anew import InspectedAnew, Place, asked_of
from edge.recording.lines import JOURNAL
from edge.recording.reader import Recording
from edge.recording.reference import Difference, Told, changed_verdicts, differences, lines_of, read, write
from edge.recording.replayed import Replayed, ReplayedInspector
from edge.recording.tape import Tape, Turn
from edge.recording.taught import others

SAME, DIFFERENT = 0, 1
SHOWN = 40  # differences
TOLD_EVERY = 4096  # turns

Asked = Mapping[Place, frozenset[str]]
Progressed = Callable[[int], None]
"""Called now and then with the number of turns so far."""


@dataclass(slots=True)
class Run:
    """What a replay came to."""

    began_ns: int
    lines: list[str] = field(default_factory=list)  # as a reference holds them
    turns: int = 0
    first_ns: int = 0
    last_ns: int = 0

    def note(self, turn: Turn) -> None:
        """Take what was decided in a turn."""
        self.lines += lines_of(turn.records, turn.instants_ns[-1], self.began_ns)

    def told(self) -> list[Told]:
        """What was decided."""
        return [json.loads(line) for line in self.lines]


def main(arguments: Sequence[str]) -> int:
    """Replay a recording; 0 when the same was decided, 1 when something else was."""
    options, console = _options(arguments), plain_console()
    recording = Recording(options.folder)
    if not options.as_far_as_it_goes:
        recording.demand_end()
    config = load(options.settings or recording.settings)
    asked = asked_of(recording.lines())
    begun_s = time.monotonic()
    with _progress(recording, console) as progressed:
        run = replay(recording, config, asked if options.inspect else None, progressed)
    lane_s, took_s = (run.last_ns - run.first_ns) / NS_PER_S, time.monotonic() - begun_s
    console.print(f"{run.turns} turns, {lane_s:.1f} s of a lane, in {took_s:.1f} s", style="dim", highlight=False)
    for note in _notes(recording, config, asked, options):
        console.print(note, style="yellow", highlight=False)
    reference = options.against or options.folder / JOURNAL
    if options.accept:
        write(reference, run.lines)
        console.print(f"accepted: {reference}", highlight=False, soft_wrap=True)
        return SAME
    return _compare(run, reference, options.inspect or bool(options.settings), console)


def replay(recording: Recording, config: Config, asked: Asked | None, progressed: Progressed) -> Run:
    """Turn the loop as often as it turned then.

    asked: what every picture was asked then, to have the pictures looked at anew; None: what was found then is found.
    """
    start, replayed, tape = recording.head.start, Replayed(recording.lines()), Tape()
    ports = tape.ports(replayed.ports(_inspector(recording, config, replayed, asked)))
    gate, station = DiverterOverMqtt(ports.wire, ports.clock_ns), StationOverMqtt(ports.wire, {})
    run = Run(start.began_ns)
    turn = tape.turning(loop_of(config, start, ports, gate, station).turn, run.note)
    for run.turns, run.last_ns in enumerate(replayed.instants_ns(), 1):
        run.first_ns = run.first_ns or run.last_ns
        turn(run.last_ns)
        if run.turns % TOLD_EVERY == 0:
            progressed(run.turns)
    return run


def _inspector(recording: Recording, config: Config, replayed: Replayed, asked: Asked | None) -> Inspector:
    if asked is None:
        return ReplayedInspector(replayed)
    sessions = Sessions(config.inspection.models, config.inspection.runtime)
    of_recipe = questions(config.inspection, config.recipe.rule, sessions, replayed.today)
    look = AtOnce(locator(config.inspection.belt_colours), of_recipe).look
    return InspectedAnew(replayed, recording.picture, look, asked)


def _notes(recording: Recording, config: Config, asked: Asked, options: argparse.Namespace) -> Sequence[str]:
    """What a person should know who sees differences."""
    if options.inspect:
        then = recording.head.ended.references if recording.head.ended else {}
        changed = list(others(config.inspection.references, then))
        return [f"not the references of then: {', '.join(changed)}"] if changed else []
    return list(_unasked(config, asked)) if options.settings else []


def _unasked(config: Config, asked: Asked) -> Iterator[str]:
    """Rules that nothing in the recording can answer."""
    known = {(camera, check) for (_, camera, _), checks in asked.items() for check in checks}
    for rule in config.recipe.rule:
        for camera in rule.cameras:
            if (camera, rule.check) not in known:
                yield f"nothing was asked about {rule.check} on camera {camera} then: --inspect asks it now"


def _compare(run: Run, reference: Path, otherwise: bool, console: Console) -> int:  # noqa: FBT001 - a fact, no switch
    """Other models, references or settings: verdicts alone, for what the eyes saw followed from those of then."""
    until_ns = run.last_ns - run.began_ns
    then, now = [one for one in read(reference) if one["at_ns"] <= until_ns], run.told()
    found = changed_verdicts(then, now) if otherwise else differences(then, now)
    items = sum(one["record"] == "Verdict" for one in now)
    what = f"{items} verdicts" if otherwise else f"{items} verdicts, {len(now)} decisions in all"
    if not found:
        console.print(f"the same as {reference}: {what}", highlight=False, soft_wrap=True)
        return SAME
    _tell(found, console)
    console.print(f"{len(found)} times otherwise than in {reference}: {what}", highlight=False, soft_wrap=True)
    return DIFFERENT


def _tell(found: Sequence[Difference], console: Console) -> None:
    table = Table("item", "what", "then", "now", title="Decided otherwise")
    for one in found[:SHOWN]:
        table.add_row(*map(Text, (one.item, one.what, one.then, one.now)))
    console.print(table)
    if len(found) > SHOWN:
        console.print(f"… and {len(found) - SHOWN} more", highlight=False)


@contextmanager
def _progress(recording: Recording, console: Console) -> Iterator[Progressed]:
    columns = (TextColumn("replaying"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("replaying", total=recording.head.ended.turns if recording.head.ended else None)
        yield lambda turns: progress.update(task, completed=turns)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tunnel-edge replay", description="Give a recording to the loop again.")
    parser.add_argument("folder", type=Path, help="what `tunnel-edge record` made")
    parser.add_argument("--against", type=Path, metavar="FILE", help="the reference (default: what was decided then)")
    parser.add_argument("--accept", action="store_true", help="make what is decided now the reference")
    parser.add_argument("--inspect", action="store_true", help="look at the pictures anew, with the models of now")
    parser.add_argument("--settings", type=Path, metavar="LANE.toml", help="other settings than those of then")
    parser.add_argument("--as-far-as-it-goes", action="store_true", help="replay a recording that was cut off")
    options = parser.parse_args(arguments)
    if options.accept and not options.against and (options.inspect or options.settings):
        raise RecordingRefused("--accept: name the file with --against: what was decided then must not be overwritten.")
    return options
