"""What speaks for an expiry that no keyword names: durations, and dates that stand alone. Evidence, never proof.

`保质期 12 个月` is no date: the expiry is the production date and twelve months. Of two dates without keywords the
later is the expiry on nearly every package, but a swapped print is just what must be caught: only a product's profile
tells.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from edge.core.dates import DateReading, Profile, Purpose, readings
from edge.core.labels import Field
from edge.core.spelling import folded

Said = tuple[Field | None, str, str]
"""Field, keyword and value of a row of print."""

EXPIRED_YEARS = 10  # what expired longer ago is half a date, or misread: `10.10` of `10.10.2026`
AHEAD_YEARS = 10  # what no keyword calls an expiry, and is farther ahead, is none; some packages do say 2082

YEAR, MONTH, WEEK, DAY = "year", "month", "week", "day"
UNITS: Mapping[str, str] = {
    YEAR: "year years yr yrs jahr jahre ans an année años año anni anno anos ano jaar år let rok lat roku év ani yıl "
    "yil год года лет роки років години 年 년 ปี سنة سنوات سنتان שנה שנים वर्ष साल tahun năm έτη έτος",
    MONTH: "month months mth mths monat monate monaten mois meses mes mesi mese maand maanden månader måneder "
    "kuukautta miesięcy miesiące měsíců měsíce mesiacov hónap luni ay мес месяц месяца месяцев місяців місяці месеца "
    "месеци 个月 個月 ヶ月 か月 カ月 ヵ月 개월 เดือน شهر شهرا أشهر חודשים חודש माह महीने bulan tháng μήνες",
    WEEK: "week weeks woche wochen semaine semaines semanas settimane weken veckor uger týdnů недель неделя 周 주 "
    "สัปดาห์",
    DAY: "day days tag tage tagen jour jours días día dia dias giorni giorno dagen dag dagar dage päivää dni dní nap "
    "zile gün дней день дня сут суток днів дни 天 日 日間 일 วัน يوم يوما أيام ימים יום दिन hari ngày ημέρες",
}


@dataclass(frozen=True, slots=True)
class Duration:
    """How long a product lasts."""

    months: int = 0
    days: int = 0

    def after(self, day: date) -> date:
        """The day that is so much later; the last of its month where that is shorter."""
        years, month = divmod(day.month - 1 + self.months, 12)
        year = day.year + years
        return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1])) + timedelta(days=self.days)


def on_sale(one: DateReading, today: date, field: Field | None) -> bool:
    """Whether a product that is sold today may bear this as its expiry; field: what a keyword says of it."""
    ahead = one.day.year - today.year
    return ahead >= -EXPIRED_YEARS and (field is not None or ahead <= AHEAD_YEARS)


def duration(text: str) -> Duration | None:
    """The duration that a value is, `12 个月` or `18 Monate`; None: it is something else, such as a date."""
    match = _DURATION.fullmatch(folded(text).strip())
    if not match:
        return None
    number, unit = int(match["number"]), _UNIT_OF[match["unit"]]
    if unit in (YEAR, MONTH):
        return Duration(months=number * (12 if unit == YEAR else 1))
    return Duration(days=number * (7 if unit == WEEK else 1))


def undated(rows: Sequence[Said], today: date, profile: Profile) -> str:
    """What the rows say of an expiry that none of them names, for a person; empty where they say nothing."""
    made = _days((value for field, _, value in rows if field is Field.PRODUCTION), today, profile, Purpose.PRODUCTION)
    lasting = [(keyword, value, found) for _, keyword, value in rows if (found := duration(value))]
    told = [f'"{keyword} {value}" is a duration{_reckoned(made, found)}' for keyword, value, found in lasting]
    alone = _days((value for field, _, value in rows if field is None), today, profile, Purpose.EXPIRY)
    if len(alone) > 1:
        apart = (alone[-1] - alone[0]).days
        told.append(
            f"{', '.join(map(str, alone))} stand without a keyword, {apart} days apart: which is which is not told"
        )
    if made and not lasting:
        told.append(f"made on {made[0]}")
    return "".join(f"; {one}" for one in told)


def _reckoned(made: Sequence[date], lasting: Duration) -> str:
    return f": made on {made[0]}, it would end on {lasting.after(made[0])}" if len(made) == 1 else ""


def _days(texts: Iterable[str], today: date, profile: Profile, purpose: Purpose) -> list[date]:
    return sorted({one.day for text in texts for one in readings(text, today, purpose, profile)})


_UNIT_OF = {folded(word): unit for unit, words in UNITS.items() for word in words.split()}
_DURATION = re.compile(
    rf"(?P<number>[1-9]\d{{0,2}})\s*-?\s*(?P<unit>{'|'.join(sorted(map(re.escape, _UNIT_OF), key=len, reverse=True))})"
    r"(?![^\W\d_])\D*"
)
