"""Names of months in 27 languages, as packages print them: in full, and cut short.

A name may mean two months: `listopad` is October in Croatian and November in Polish and Czech. Sources: Unicode CLDR 45
(`months`, formats wide and abbreviated), and what was seen in photographs (`AGT`, `SEPT`); native readers have yet to
check them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

MONTH_NAMES: Mapping[str, str] = {
    "en": "jan january, feb february, mar march, apr april, may, jun june, jul july, aug august, sep sept september, "
    "oct october, nov november, dec december",
    "de": "jan januar jänner, feb februar, mär mrz märz, apr april, mai, jun juni, jul juli, aug august, "
    "sep sept september, okt oktober, nov november, dez dezember",
    "fr": "janv jan janvier, févr fév février, mars, avr avril, mai, juin, juil juillet, août aou, sept sep septembre, "
    "oct octobre, nov novembre, déc décembre",
    "es": "ene enero, feb febrero, mar marzo, abr abril, may mayo, jun junio, jul julio, ago agosto agt, "
    "sep sept septiembre set setiembre, oct octubre, nov noviembre, dic diciembre",
    "it": "gen gennaio, feb febbraio, mar marzo, apr aprile, mag maggio, giu giugno, lug luglio, ago agosto, "
    "set settembre, ott ottobre, nov novembre, dic dicembre",
    "pt": "jan janeiro, fev fevereiro, mar março, abr abril, mai maio, jun junho, jul julho, ago agosto, set setembro, "
    "out outubro, nov novembro, dez dezembro",
    "nl": "jan januari, feb februari, mrt maart, apr april, mei, jun juni, jul juli, aug augustus, sep september, "
    "okt oktober, nov november, dec december",
    "sv": "jan januari, feb februari, mars, apr april, maj, juni, juli, aug augusti, sep sept september, okt oktober, "
    "nov november, dec december",
    "da": "jan januar, feb februar, mar marts, apr april, maj, jun juni, jul juli, aug august, sep september, "
    "okt oktober, nov november, dec december",
    "nb": "jan januar, feb februar, mar mars, apr april, mai, jun juni, jul juli, aug august, sep september, "
    "okt oktober, nov november, des desember",
    "fi": "tammi tammikuu, helmi helmikuu, maalis maaliskuu, huhti huhtikuu, touko toukokuu, kesä kesäkuu, "
    "heinä heinäkuu, elo elokuu, syys syyskuu, loka lokakuu, marras marraskuu, joulu joulukuu",
    "et": "jaan jaanuar, veebr veebruar, märts, apr aprill, mai, juuni, juuli, aug august, sept september, "
    "okt oktoober, nov november, dets detsember",
    "lv": "janv janvāris, febr februāris, marts, apr aprīlis, maijs, jūn jūnijs, jūl jūlijs, aug augusts, "
    "sept septembris, okt oktobris, nov novembris, dec decembris",
    "lt": "saus sausis, vas vasaris, kov kovas, bal balandis, geg gegužė, birž birželis, liep liepa, rugp rugpjūtis, "
    "rugs rugsėjis, spal spalis, lapkr lapkritis, gruod gruodis",
    "pl": "sty styczeń stycznia, lut luty lutego, mar marzec marca, kwi kwiecień kwietnia, maj maja, "
    "cze czerwiec czerwca, lip lipiec lipca, sie sierpień sierpnia, wrz wrzesień września, "
    "paź październik października, lis listopad listopada, gru grudzień grudnia",
    "cs": "led leden ledna, úno únor února, bře březen března, dub duben dubna, kvě květen května, čvn červen června, "
    "čvc červenec července, srp srpen srpna, zář září, říj říjen října, lis listopad listopadu, "
    "pro prosinec prosince",
    "sk": "jan január, feb február, mar marec, apr apríl, máj, jún, júl, aug august, sep september, okt október, "
    "nov november, dec december",
    "hu": "jan január, febr február, márc március, ápr április, máj május, jún június, júl július, aug augusztus, "
    "szept szeptember, okt október, nov november, dec december",
    "ro": "ian ianuarie, feb februarie, mar martie, apr aprilie, mai, iun iunie, iul iulie, aug august, "
    "sept septembrie, oct octombrie, noi noiembrie, dec decembrie",
    "hr": "sij siječanj, velj veljača, ožu ožujak, tra travanj, svi svibanj, lip lipanj, srp srpanj, kol kolovoz, "
    "ruj rujan, lis listopad, stu studeni, pros prosinac",
    "sl": "jan januar, feb februar, mar marec, apr april, maj, jun junij, jul julij, avg avgust, sep september, "
    "okt oktober, nov november, dec december",
    "tr": "oca ocak, şub şubat, mar mart, nis nisan, may mayıs, haz haziran, tem temmuz, ağu ağustos, eyl eylül, "
    "eki ekim, kas kasım, ara aralık",
    "id": "jan januari, feb februari, mar maret, apr april, mei, jun juni, jul juli, agu ags agustus, sep september, "
    "okt oktober, nov november, des desember",
    "ms": "jan januari, feb februari, mac, apr april, mei, jun, jul julai, ogo ogos, sep september, okt oktober, "
    "nov november, dis disember",
    "el": "ιαν ιανουάριος, φεβ φεβρουάριος, μαρ μάρτιος, απρ απρίλιος, μαΐ μάιος, ιουν ιούνιος, ιουλ ιούλιος, "
    "αυγ αύγουστος, σεπ σεπτέμβριος, οκτ οκτώβριος, νοε νοέμβριος, δεκ δεκέμβριος",
    "ru": "янв январь января, фев февраль февраля, мар март марта, апр апрель апреля, май мая, июн июнь июня, "
    "июл июль июля, авг август августа, сен сентябрь сентября, окт октябрь октября, ноя ноябрь ноября, "
    "дек декабрь декабря",
    "th": "ม.ค. มกราคม, ก.พ. กุมภาพันธ์, มี.ค. มีนาคม, เม.ย. เมษายน, พ.ค. พฤษภาคม, มิ.ย. มิถุนายน, ก.ค. กรกฎาคม, "
    "ส.ค. สิงหาคม, ก.ย. กันยายน, ต.ค. ตุลาคม, พ.ย. พฤศจิกายน, ธ.ค. ธันวาคม",
}
"""Language (ISO 639-1) → twelve groups of names, January first."""


def months_by_name() -> dict[str, tuple[int, ...]]:
    """Each name in lower case → the months that it may mean, in order."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for names in MONTH_NAMES.values():
        for number, group in enumerate(names.split(","), 1):
            for name in group.split():
                found[name].add(number)
    return {name: tuple(sorted(months)) for name, months in found.items()}
