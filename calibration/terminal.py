"""The technician at a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.prompt import Prompt
from rich.table import Table

from calibration import preview
from calibration.order import Stage
from calibration.session import png
from calibration.steps import Ask, Found, Question
from calibration.walk import Answer, GivenUp

ENTER = ""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Asks in words; Ctrl-C and the end of the input give up."""

    console: Console
    folder: Path  # where pictures are put to be looked at
    pictures: bool  # whether they are drawn in the terminal too, where it can

    def shows(self, ask: Ask) -> None:
        """As `Technician.shows`."""
        frames = f"{ask.frames} frame{'s' if ask.frames > 1 else ''}"
        if self._chosen(f"Show {ask.words}. Enter takes {frames}, 'abort' gives up", (ENTER, Answer.ABORT), ENTER):
            raise GivenUp

    def enters(self, question: Question) -> Mapping[str, str]:
        """As `Technician.enters`."""
        self.console.print(f"{question.words} ('abort' gives up)", highlight=False)
        answers = {}
        for field in question.fields:
            answers[field.name] = self._asked(f"  {field.words}", None, field.usual)
            if answers[field.name] == Answer.ABORT:
                raise GivenUp
        return answers

    def hears(self, words: str) -> None:
        """As `Technician.hears`."""
        self.console.print(f"  {words}", highlight=False, markup=False, soft_wrap=True)

    def is_refused(self, words: str) -> None:
        """As `Technician.is_refused`."""
        self.console.print(f"  {words}", style="yellow", highlight=False, markup=False, soft_wrap=True)

    def begins_anew(self) -> bool:
        """As `Technician.begins_anew`."""
        return self._chosen("Begin this step anew?", (Answer.ADJUST, Answer.ABORT), Answer.ADJUST) == Answer.ADJUST

    def judges(self, stage: Stage, found: Found) -> Answer:
        """As `Technician.judges`: the pictures in files, the figures in a table."""
        self.console.print(found.says, highlight=False, markup=False, soft_wrap=True)
        table = Table("figure", "value")
        for figure, value in found.quality.items():
            table.add_row(figure.replace("_", " "), f"{value:.3f}")
        self.console.print(table)
        for what, picture in {"": found.picture, **found.more}.items():
            name = ".".join(one.replace(" ", "-") for one in (stage.camera, stage.step, found.subject, what) if one)
            path = self.folder / f"{name}.png"
            path.write_bytes(png(picture))
            if self.pictures:
                preview.shown(picture, self.console)
            self.console.print(f"look at {path}", highlight=False, markup=False, soft_wrap=True)
        return Answer(self._chosen("What shall it be?", tuple(Answer), Answer.ACCEPT))

    def has_another(self) -> bool:
        """As `Technician.has_another`."""
        return self._chosen("Is there another type of tote?", ("yes", "no"), "no") == "yes"

    def _chosen(self, words: str, choices: Sequence[str], usual: str) -> str:
        return self._asked(words, [str(one) for one in choices], str(usual))

    def _asked(self, words: str, choices: list[str] | None, usual: str) -> str:
        try:
            return Prompt.ask(
                words,
                console=self.console,
                choices=choices,
                default=usual,
                show_choices=bool(choices and all(choices)),
                show_default=bool(usual),
            )
        except (EOFError, KeyboardInterrupt) as ended:
            raise GivenUp from ended
