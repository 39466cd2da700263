"""Sizes on print: `12 x 33 cl`, `1,5 L`, `16 fl oz`, `Größe XL`, `king size`; as numbers of a unit, and compared.

Factors: SI; NIST Handbook 44, appendix C, for ounces, pounds and inches. Fluid ounces are those of the United States.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from edge.core.spelling import folded

ROUNDED = Fraction(15, 1000)  # 1 oz is printed as 28 g


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as it is written here, and as packages write it."""

    base: str  # ml, g, mm or pieces
    factor: Fraction  # of the base
    words: str
    metric: bool = True


UNITS: Mapping[str, Unit] = {
    "ml": Unit(
        "ml", Fraction(1), "ml millilitre millilitres milliliter milliliters мл 毫升 ミリリットル 밀리리터 มล مل"
    ),
    "cl": Unit("ml", Fraction(10), "cl centilitre centilitres сл"),
    "dl": Unit("ml", Fraction(100), "dl"),
    "l": Unit(
        "ml", Fraction(1000), "l lt ltr litre litres liter liters litro litros litri л 升 リットル 리터 ลิตร لتر ליטר"
    ),
    "fl oz": Unit("ml", Fraction("29.5735295625"), "floz flozs", metric=False),
    "mg": Unit("g", Fraction(1, 1000), "mg мг 毫克"),
    "g": Unit(
        "g", Fraction(1), "g gr gram grams gramm gramme grammes gramos grammi г гр 克 グラム 그램 กรัม جم غرام גרם ग्राम"
    ),
    "kg": Unit(
        "g", Fraction(1000), "kg kilo kilos kilogram kilograms кг 千克 公斤 キログラム 킬로그램 กก กิโลกรัม كجم كغ किग्रा"
    ),
    "oz": Unit("g", Fraction("28.349523125"), "oz ozs ounce ounces", metric=False),
    "lb": Unit("g", Fraction("453.59237"), "lb lbs pound pounds", metric=False),
    "mm": Unit("mm", Fraction(1), "mm мм 毫米"),
    "cm": Unit("mm", Fraction(10), "cm см 厘米 センチ"),
    "m": Unit("mm", Fraction(1000), "m м 米 メートル"),
    "inch": Unit("mm", Fraction("25.4"), 'inch inches " ″', metric=False),
    "ft": Unit("mm", Fraction("304.8"), "ft feet foot", metric=False),
    "pcs": Unit(
        "pieces",
        Fraction(1),
        "pcs pc pieces ct count tablets tabs capsules stück stk pièces piezas unidades uds pezzi pz szt ks db kpl "
        "adet шт τεμ 个 片 枚 粒 個 本 袋 개 정 ชิ้น قطعة",
    ),
}
"""Exact, so that `33 cl` and `330 ml` are one."""

NAMES: Mapping[str, str] = {
    "XXXS": "xxxs, 3xs",
    "XXS": "xxs, 2xs",
    "XS": "xs",
    "S": "s, small, klein, petit, petite, pequeño, pequeña, piccolo, piccola, pequeno, mały, маленький, 小, 小号",
    "M": "m, medium, mittel, moyen, moyenne, mediano, mediana, medio, media, médio, średni, средний, 中, 中号",
    "L": "l, large, groß, gross, grand, grande, duży, stor, большой, 大, 大号",
    "XL": "xl",
    "XXL": "xxl, 2xl",
    "XXXL": "xxxl, 3xl",
    "single": "single, single size, einzel, シングル",
    "twin": "twin, twin size, zweibett",
    "full": "full, full size, double, double size, doppel, ダブル",
    "queen": "queen, queen size, クイーン",
    "king": "king, king size, キング",
}
"""Size → its words."""

SIZE_WORDS = (
    *("size", "größe", "groesse", "taille", "talla", "tamaño", "tamanho", "taglia", "maat", "storlek", "størrelse"),
    *("koko", "rozmiar", "velikost", "méret", "mărime", "beden", "ukuran", "размер", "розмір", "μέγεθος"),
    *("尺码", "尺寸", "サイズ", "사이즈", "ขนาด", "مقاس", "מידה"),
)
ALONE = ("XXXS", "XXS", "XS", "XL", "XXL", "XXXL", "twin", "queen", "king")  # a whole line of print says no more
PER = r"(?<![^\W_])(?:per|pro|je|pour|par|por|na|на)\b\s*|/\s*|每\s*"  # `per 100 g` is no size


@dataclass(frozen=True, slots=True)
class Quantity:
    """So many times so much."""

    count: int
    value: Fraction
    unit: str

    @property
    def base(self) -> str:
        """What it is a quantity of."""
        return UNITS[self.unit].base

    def same(self, other: Quantity) -> bool:
        """Whether the two are one: exactly in one system of units, rounded as packages do between two."""
        ours, theirs = (one.value * UNITS[one.unit].factor for one in (self, other))
        between = UNITS[self.unit].metric is not UNITS[other.unit].metric
        return self.count == other.count and abs(ours - theirs) <= (ROUNDED * max(ours, theirs) if between else 0)

    def __str__(self) -> str:
        much = f"{float(self.value):.6f}".rstrip("0").rstrip(".")
        return f"{self.count} x {much} {self.unit}" if self.count > 1 else f"{much} {self.unit}"


@dataclass(frozen=True, slots=True)
class Named:
    """A size with a name."""

    name: str
    base: str = "name"

    def __str__(self) -> str:
        return self.name


Size = Quantity | Named


def sizes(text: str) -> tuple[Size, ...]:
    """Every size that a line of print names, each once; none for `per 100 g`, and for a letter that may be a lot's."""
    plain = folded(text)
    named = [Named(_NAME_OF[_bare(match["name"])]) for match in _NAMED.finditer(plain)]
    if (alone := _named(text)) and alone.name in ALONE:
        named.append(alone)
    return tuple(dict.fromkeys((*_quantities(plain), *named)))


def size(text: str) -> Size | None:
    """The one size that a text consists of, such as an order's attribute; None: it is none that is known."""
    plain = folded(text).strip()
    match = _QUANTITY.fullmatch(plain)
    return _quantity(match) if match else _named(text)


def same_size(printed: str, wanted: str) -> bool | None:
    """Whether one of the sizes printed (with semicolons between) is the wanted one; None: several are, but not that."""
    if (one := size(wanted)) is None:
        return folded(printed) == folded(wanted)
    alike = [other for other in map(size, printed.split(";")) if other and other.base == one.base]
    if any(_same(one, other) for other in alike):
        return True
    return False if len(alike) == 1 else None


def _same(one: Size, other: Size) -> bool:
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        return one.same(other)
    return one == other


def _named(text: str) -> Named | None:
    name = _NAME_OF.get(_bare(text))
    return Named(name) if name else None


def _quantities(plain: str) -> Iterator[Quantity]:
    """All but those of `per 100 g`, and what there is none of."""
    found = (_quantity(match) for match in _QUANTITY.finditer(plain) if not match["per"])
    return (one for one in found if one.value > 0 and one.count > 0)


def _quantity(match: re.Match[str]) -> Quantity:
    unit = _UNIT_OF[re.sub(r"[\s.]+", "", match["unit"])]
    return Quantity(int(match["count"] or 1), _number(match["value"], unit), unit)


def _number(printed: str, unit: str) -> Fraction:
    """`1,5` is one and a half; `1.000 g` a thousand, for nobody sells a gram, but `1,000 kg` is one kilogram."""
    grouped = re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", printed) and UNITS[unit].factor <= 1
    return Fraction(re.sub("[.,]", "" if grouped else ".", printed))


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", folded(text))


def _either(words: Iterable[str]) -> str:
    """Any of the words, the longest first; where its script has spaces, no part of a longer one."""
    known = sorted(map(folded, words), key=len, reverse=True)
    closed = [re.escape(one) for one in known if not re.match('[\u3000-\u9fff\uac00-\ud7a3"″]', one)]
    others = [re.escape(one) for one in known if re.match('[\u3000-\u9fff\uac00-\ud7a3"″]', one)]
    return rf"(?:(?:{'|'.join(closed)})(?![^\W_])|{'|'.join(others)})"


_UNIT_OF = {folded(word): name for name, unit in UNITS.items() for word in unit.words.split()}
_NAME_OF = {_bare(word): name for name, words in NAMES.items() for word in words.split(",")}
_WORDS = [word.strip() for words in NAMES.values() for word in words.split(",")]
_QUANTITY = re.compile(
    rf"(?P<per>{PER})?(?<![a-z\d.,])(?:(?P<count>\d{{1,3}})\s*[x×*]\s*)?(?P<value>\d{{1,5}}(?:[.,]\d{{1,3}})?)\s*"
    rf"(?P<unit>fl\.?\s?ozs?(?![^\W_])|{_either(_UNIT_OF)})"
)
_NAMED = re.compile(rf"{_either(SIZE_WORDS)}[\s:.]*(?P<name>{_either(_WORDS)})")
