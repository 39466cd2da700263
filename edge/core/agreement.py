"""What a reading comes to beside the order: the one place where what is printed meets what is expected.

What is expected never helps to read (decision 2); where it is among the readings of an uncertain print, a person is
told how much likelier another is: log P(best) − log P(expected).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from edge.core.gs1 import normalised
from edge.core.labels import Kind, same_lot
from edge.core.languages import spoken
from edge.core.messages import Agreement, Compared, Evidence, Expected
from edge.core.sizes import same_size

CODE = "code"
SEEN = frozenset({"tote_type", "contents"})  # fields that nothing says in words
SURE_FROM = 0.9  # all that a print may be together: below this it may be something else
LEAST_DAYS, EXPIRY_KIND = "least_days", "expiry_kind"  # attributes of an order
AGAINST = (Agreement.MISMATCH, Agreement.EXPIRED, Agreement.SHORT_DATED)
IN_LAW = (Kind.USE_BY, Kind.BEST_BEFORE)  # of these one is never the other


@dataclass(frozen=True, slots=True)
class Terms:
    """What a reading is held against."""

    field: str  # expiry, lot, serial, code, size, language, or an attribute
    expected: Expected
    today: date
    least_days: int = 0

    @property
    def attributes(self) -> Mapping[str, str]:
        """What the order names beside the fields of its own."""
        return dict(self.expected.attributes)

    @property
    def wanted(self) -> str | None:
        """What the order says of the field; a code as 14 digits, a date as YYYY-MM-DD."""
        if self.field == "code":
            return normalised(self.expected.gtin) or self.expected.gtin
        if self.field == "expiry":
            return self.expected.expiry.isoformat() if self.expected.expiry else None
        return self.expected.lot if self.field == "lot" else self.attributes.get(self.field)

    @property
    def days_asked(self) -> int:
        """How many days must be left: by the order, else by the site."""
        asked = self.attributes.get(LEAST_DAYS, "")
        return int(asked) if asked.isascii() and asked.isdigit() else self.least_days


@dataclass(frozen=True, slots=True)
class Comparison:
    """What it comes to, for lot isolation and for a person."""

    compared: Compared
    because: str


def contradiction(terms: Terms, seen: Sequence[Evidence]) -> Comparison | None:
    """What speaks against the item: a vouched reading against the order, or the print against a code."""
    against = (held(terms, one) for one in seen if one.valid and one.reading is not None)
    found = next((one for one in against if one.compared.agreement in AGAINST), None)
    return found or _print_against_code(terms, seen)


def held(terms: Terms, evidence: Evidence) -> Comparison:
    """One vouched reading beside the order; a match too where the order names no such thing."""
    agreement, because = AGREEMENTS.get(terms.field, _plain)(terms, evidence)
    return Comparison(_told(terms, evidence, agreement), because)


def doubt(terms: Terms, evidence: Evidence) -> Comparison:
    """Evidence that vouches for nothing: several readings stand, or none does."""
    several = len(evidence.rivals) > 1 and evidence.reading is None
    agreement = Agreement.AMBIGUOUS if several else Agreement.UNREADABLE
    return Comparison(_told(terms, evidence, agreement), evidence.because + _odds(terms, evidence))


def _told(terms: Terms, evidence: Evidence, agreement: Agreement) -> Compared:
    return Compared(terms.field, agreement, evidence.reading, terms.wanted, probability=evidence.probability)


def _expiry(terms: Terms, evidence: Evidence) -> tuple[Agreement, str]:
    """A later date than expected harms nobody; an earlier one is what the tunnel must catch."""
    printed, wanted = date.fromisoformat(evidence.reading or ""), terms.expected.expiry
    what = evidence.kind.replace("_", " ") or "expiry"
    said = f"{what} {printed} is {'encoded' if evidence.source == CODE else 'printed'}"
    if printed < terms.today:
        return Agreement.EXPIRED, f"expired on {printed}"
    if wanted and printed < wanted:
        return Agreement.MISMATCH, f"{said}, earlier than {wanted} as expected{_odds(terms, evidence)}"
    if (ordered := terms.attributes.get(EXPIRY_KIND)) and {evidence.kind, ordered} == set(IN_LAW):
        return Agreement.MISMATCH, f"{said}, {ordered.replace('_', ' ')} is expected"
    if (left := (printed - terms.today).days) < terms.days_asked:
        return Agreement.SHORT_DATED, f"{said}: {left} days left, {terms.days_asked} are asked for"
    return Agreement.MATCH, evidence.because


def _lot(terms: Terms, evidence: Evidence) -> tuple[Agreement, str]:
    return _same(terms, evidence, same_lot)


def _size(terms: Terms, evidence: Evidence) -> tuple[Agreement, str]:
    """Of several sizes on a package one must be the ordered one; several others prove nothing."""
    same = same_size(evidence.reading or "", terms.wanted or "")
    if terms.wanted is None or same:
        return Agreement.MATCH, evidence.because
    agreement = Agreement.AMBIGUOUS if same is None else Agreement.MISMATCH
    return agreement, f"size {evidence.reading} is printed, {terms.wanted} is expected"


def _language(terms: Terms, evidence: Evidence) -> tuple[Agreement, str]:
    return _same(terms, evidence, spoken)


def _plain(terms: Terms, evidence: Evidence) -> tuple[Agreement, str]:
    return _same(terms, evidence, str.__eq__)


def _same(terms: Terms, evidence: Evidence, alike: Callable[[str, str], bool]) -> tuple[Agreement, str]:
    if terms.wanted is None or alike(evidence.reading or "", terms.wanted):
        return Agreement.MATCH, evidence.because
    how = "encoded" if evidence.source == CODE else "seen" if terms.field in SEEN else "printed"
    said = f"{terms.field} {evidence.reading} is {how}"
    return Agreement.MISMATCH, f"{said}, {terms.wanted} is expected{_odds(terms, evidence)}"


def _print_against_code(terms: Terms, seen: Sequence[Evidence]) -> Comparison | None:
    """A package whose print and code differ was printed wrong or printed over; print in doubt may differ too."""
    alike = same_lot if terms.field == "lot" else str.__eq__
    codes = [one for one in seen if one.source == CODE and one.valid and one.reading]
    for printed, code in ((one, code) for one in seen if one.source != CODE for code in codes):
        allowed, encoded = _allowed(printed), code.reading or ""
        if allowed and not any(alike(one, encoded) for one in allowed):
            told = replace(_told(terms, printed, Agreement.MISMATCH), encoded=encoded)
            return Comparison(told, f"{terms.field} {' or '.join(allowed)} is printed, the code says {encoded}")
    return None


def _allowed(printed: Evidence) -> list[str]:
    """What is printed; where that is in doubt, all that it may be, if it is sure to be one of those."""
    if printed.valid:
        return [printed.reading] if printed.reading else []
    sure = sum(probability for _, probability in printed.rivals) >= SURE_FROM
    return [reading for reading, _ in printed.rivals] if sure else []


def _odds(terms: Terms, evidence: Evidence) -> str:
    """How far what is expected is from the likeliest reading, where the print allows it at all."""
    readings = dict(evidence.rivals)
    if terms.wanted not in readings or terms.wanted == evidence.reading:
        return ""
    best, expected = max(readings.values()), readings[terms.wanted]
    apart = math.log(best / expected) if expected > 0 else math.inf
    return f"; the print allows {terms.wanted} too: log P(best) - log P(expected) = {apart:.1f}"


AGREEMENTS: Mapping[str, Callable[[Terms, Evidence], tuple[Agreement, str]]] = {
    "expiry": _expiry,
    "lot": _lot,
    "size": _size,
    "language": _language,
}
