"""The expiry in a picture: on a line that fills it, in a region that is known to hold it, or anywhere.

Where no keyword tells, an expiry is the later of the dates that stand together; a date behind a keyword of production
is never one. What is expected never enters here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from edge.core.date_grammar import Read
from edge.core.date_votes import RIVAL_SHARE, VOUCH_FROM, latest, printed
from edge.core.dates import DateReading, Profile, segment_readings
from edge.core.labels import Field, Segment, segments
from edge.core.messages import Image
from edge.core.shelf_life import on_sale
from edge.core.twins import is_damaged_twin
from edge.inspection.cascade import SURE_FROM, Cascade, Look
from edge.inspection.cuts import cut_out, lengthened
from edge.inspection.detector import RIGHTWARDS, TextBox, TextDetector, whole
from edge.inspection.naming import MAY_EXPIRE, Seen, expiring
from edge.inspection.region import central, joined, longer, smoothed

REGION_AREA_PX = 160 * 320  # 11 ms: a region holds little, and its print is large in it
COARSE_AREA_PX = 80 * 160  # 3 ms
SCENE_AREA_PX = 960 * 960  # whole photographs are a matter of commissioning: time does not count there
SCENE_SMOOTHING = 0.003  # of a scene's shorter side
CODE_DIGITS = 5  # so many digits of which no date came may be a date that was misread
CLOCK_DIGITS = 4  # so many digits alone may be a time of day
DAY_DIGITS = 6  # of a day, a month and a year


@dataclass(frozen=True, slots=True)
class Effort:
    """What one picture may cost."""

    lines: int  # glanced at
    settled: int  # looked at again
    blind: int  # of these, such that show no date at the first glance


REGION, AGAIN, SCENE = Effort(lines=3, settled=2, blind=2), Effort(lines=3, settled=2, blind=0), Effort(64, 12, 12)
"""A region is seen in several ways: what shows no date in the first of them either is looked at again only there."""


class DateReader:
    """Reads the expiry alone; safe to share between workers."""

    def __init__(
        self,
        near: TextDetector,
        coarse: TextDetector,
        far: TextDetector,
        cascade: Cascade,
        *,
        today: Callable[[], date],
        profile: Profile,
        height_px: int,
    ) -> None:
        """Take the models and what is known of the print.

        near: for regions (`REGION_AREA_PX`), and coarse (`COARSE_AREA_PX`) where that finds no date.
        far: for scenes (`SCENE_AREA_PX`).
        height_px: of a line cut out.
        today: the site's calendar day; it gives two-digit years their century.
        """
        self._near = near
        self._coarse = coarse
        self._far = far
        self._cascade = cascade
        self._today = today
        self._profile = profile
        self._height_px = height_px

    def line(self, picture: Image) -> tuple[DateReading, ...]:
        """The expiry on a picture that is one line, if it would be vouched for: what it means in each order left."""
        return expiry([self._cascade.read(picture, self._printed)])

    def region(self, picture: Image) -> tuple[DateReading, ...]:
        """The same in a region that is known to hold it: that stands for its keyword, where none is read."""
        for way, (coarse, places) in enumerate(self._ways(picture)):
            effort = AGAIN if way else REGION
            lines = [(self._cut(*one), one[1]) for one in places[: effort.lines]] or [(picture, whole(picture))]
            glances = self._cascade.glances([cut for cut, _ in lines], self._meant)
            looks = self._expiring(lines, glances, self._meant, effort)
            if found := expiry(looks):
                return () if (coarse and unread(looks, found)) or self._paired(looks, found[-1]) else found
        return ()

    def _paired(self, looks: Sequence[Look], best: DateReading) -> bool:
        """Whether, no keyword telling, another line may have borne the later date of a pair, and is damaged."""
        silent = [look for look in looks if not keyworded(look)]
        others = [look for look in silent if best not in look.dates]
        alone = len(others) < len(silent)
        return alone and any(is_damaged_twin(look.line.text, look.dates, best, self._meant) for look in others)

    def _ways(self, picture: Image) -> Iterator[tuple[bool, list[tuple[Image, TextBox]]]]:
        """Lines in the region, as found; then with the dots run together; then from afar, which is coarse."""
        yield False, [(picture, box) for box in central(self._near.find(picture), picture)]
        blurred = smoothed(picture)
        yield False, [(blurred, box) for box in central(self._near.find(blurred), blurred)]
        for one in (blurred, picture):
            yield True, [(one, longer(box)) for box in central(self._coarse.find(one), one)]

    def anywhere(self, picture: Image) -> tuple[DateReading, ...]:
        """The same somewhere on a product, the tallest print first."""
        for one in (picture, smoothed(picture, SCENE_SMOOTHING)):
            words = [box.towards(RIGHTWARDS) for box in self._far.find(one)]
            boxes = sorted(joined(words), key=lambda box: -box.height_px)[: SCENE.lines]
            lines = [(self._cut(one, box), box) for box in boxes]
            glances = [self._cascade.glances([cut], self._printed)[0] for cut, _ in lines]  # print runs every way
            if found := expiry(self._expiring(lines, glances, self._printed, SCENE)):
                return found
        return ()

    def _expiring(
        self, lines: Sequence[tuple[Image, TextBox]], glances: Sequence[Look], read: Read, effort: Effort
    ) -> list[Look]:
        """The looks at lines, settled, without dates that print beside them names otherwise."""
        boxes = [box if look.picture is cut else box.turned for (cut, box), look in zip(lines, glances, strict=True)]
        looks = self._settled(glances, read, effort)
        return expiring([Seen(*one) for one in zip(looks, boxes, strict=True)])

    def _settled(self, looks: Sequence[Look], read: Read, effort: Effort) -> list[Look]:
        """Those that are likeliest to bear a date, and in doubt, looked at again; what is sure stays as it is."""
        ranked = sorted(looks, key=lambda look: (look.probability >= SURE_FROM, -look.probability))
        known = any(look.probability >= VOUCH_FROM for look in looks)
        blind = [look for look in ranked if not look.probability and (not known or silent_digits(look) >= DAY_DIGITS)]
        again = ([look for look in ranked if look.probability] + blind[: effort.blind])[: effort.settled]
        return [self._cascade.settled(look, read) if any(look is one for one in again) else look for look in looks]

    def _cut(self, picture: Image, box: TextBox) -> Image:
        return cut_out(picture, lengthened(box.towards(RIGHTWARDS).corners()), self._height_px)

    def _printed(self, text: str) -> tuple[DateReading, ...]:
        """The dates of a line that may be its expiry."""
        return tuple(day for one in segments(text) for day in self._dates(one, one.field))

    def _meant(self, text: str) -> tuple[DateReading, ...]:
        """The same where print without a keyword is known to be a date: digits enough for a day count."""
        return tuple(day for one in segments(text) for day in self._dates(one, one.field or _presumed(one)))

    def _dates(self, one: Segment, field: Field | None) -> Iterator[DateReading]:
        """What a segment says as this field; without a keyword of its own only what may be on sale."""
        if field in MAY_EXPIRE:
            today = self._today()
            for found in segment_readings(replace(one, field=field), today, profile=self._profile):
                if on_sale(found, today, one.field):
                    yield found


def _presumed(one: Segment) -> Field | None:
    """What a segment without a keyword is in a region that holds the expiry: `12.26` may be a price even there."""
    return Field.EXPIRY if sum(map(str.isdigit, one.value)) >= DAY_DIGITS else None


def expiry(looks: Sequence[Look]) -> tuple[DateReading, ...]:
    """The latest of the dates, if it would be vouched for; a time of day only where there is nothing else.

    Of a date that orders read differently each day; none where the orders say otherwise which date is the latest.
    """
    certain = [one for look in looks for one in look.dates if one.probability >= VOUCH_FROM]
    spelled = [one for one in certain if not _clock(one)]
    best = latest(spelled or certain)
    return () if best and any(_may_be_later(look, best[-1]) for look in looks) else best


def _may_be_later(look: Look, best: DateReading) -> bool:
    """Whether a line's date is too likely to be left out, and too unlikely to be vouched for."""
    if not RIVAL_SHARE * best.probability <= look.probability < VOUCH_FROM:
        return False
    return look.dates[0].day > best.day and not _clock(look.dates[0])


def unread(looks: Sequence[Look], best: Sequence[DateReading]) -> bool:
    """Whether digits beside the only date, on a line that says nothing of itself, may be a date that was misread."""
    others = [look for look in looks if not set(best) & set(look.dates)]
    if any(look.probability >= VOUCH_FROM for look in others):
        return False
    return any(silent_digits(look) >= CODE_DIGITS for look in others)


def silent_digits(look: Look) -> int:
    """How many digits there are on a line that says nothing of itself."""
    return 0 if keyworded(look) else sum(map(str.isdigit, look.line.text))


def keyworded(look: Look) -> bool:
    """Whether a line says what it is."""
    return any(one.field for one in segments(look.line.text))


def _clock(one: DateReading) -> bool:
    """Four digits and no more: `12.09` may have been `12:09`."""
    return printed(one).isdigit() and len(printed(one)) <= CLOCK_DIGITS
