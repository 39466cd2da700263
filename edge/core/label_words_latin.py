"""What packages print beside a date or a lot, in languages of Latin script; see `label_words`."""

from __future__ import annotations

from collections.abc import Mapping

LATIN: Mapping[str, Mapping[str, str]] = {
    "mul": {  # on packages everywhere: they tell no language
        "best_before": "bb, bbe, bbd, bf",
        "expiry": "exp, exp date, exp dt, xp",
        "production": "mfg, mfd, mfg date, mfg dt, prod, prod date, pro date, pro:, pd, fd, p:",
        "packed": "pkd, pkd on, pkd date",
        "lot": "lot, lot no, lot nr, lot n, lot code, bn, b no, batch, batch no, batch nr",
        "serial": "sn, s n, ser no, ser nr",
        "other": "tel, fax, ref, pzn, gtin, ean, nc, mrp, art no",
    },
    "en": {
        "use_by": "use by, use by date, use before, consume by, consume before, eat by",
        "best_before": "best before, best before end, best before date, best by, best if used by, best if used before, "
        "best when used by, enjoy by",
        "expiry": "expiry, expires, expires on, expiry date, expiration, expiration date, "
        "do not use after, valid until",
        "sell_by": "sell by, sell before, display until",
        "production": "manufactured, manufactured on, manufacturing date, manufacture date, date of manufacture, "
        "made on, production, production date, produced on, date of production, harvested on",
        "packed": "packed on, packed date, packing date, packaging date, packaged on, pack date, date of packing, "
        "frozen on, date of freezing",
        "lot": "lot number, batch number, batch code",
        "serial": "serial, serial no, serial number",
        "duration": "shelf life, use within, after opening",
        "other": "phone, price, article number",
    },
    "de": {
        "use_by": "zu verbrauchen bis, verbrauchen bis",
        "best_before": "mindestens haltbar bis, mindestens haltbar bis ende, mind haltbar bis, haltbar bis, mhd, "
        "mindesthaltbarkeitsdatum",
        "expiry": "verw bis, verwendbar bis, verfall, verfalldatum, verfallsdatum, ablaufdatum",
        "sell_by": "verkauf bis, zu verkaufen bis",
        "production": "hergestellt am, herstellungsdatum, herst datum, herstelldatum, produktionsdatum, gelegt am",
        "packed": "verpackt am, abgepackt am, verp am, packdatum, verpackungsdatum, eingefroren am, tiefgefroren am",
        "lot": "charge, charge nr, chargen nr, chargennummer, ch b, ch bez, los nr, losnummer",
        "serial": "seriennummer, serien nr",
        "duration": "haltbarkeitsdauer, nach dem öffnen",
        "other": "art nr, artikelnummer, preis",
    },
    "fr": {
        "use_by": "à consommer avant, à consommer jusqu'au, dlc, date limite de consommation",
        "best_before": "à consommer de préférence avant, à consommer de préférence avant le, à cons de préf av, "
        "à consommer de préférence avant fin, ddm, dluo, date de durabilité minimale",
        "expiry": "date de péremption, péremption, date d'expiration, à utiliser avant, utiliser avant",
        "sell_by": "à vendre avant, date limite de vente",
        "production": "fab, fabriqué le, date de fabrication, fabrication, produit le, date de production",
        "packed": "emballé le, emb le, conditionné le, date d'emballage, date de conditionnement, congelé le, "
        "surgelé le",
        "lot": "numéro de lot, n de lot, n lot, lot de fabrication",
        "serial": "numéro de série, n de série",
        "duration": "après ouverture",
    },
    "es": {
        "use_by": "consumir antes de, consumir antes del, fecha de caducidad, fecha caducidad, caducidad, caduca, cad",
        "best_before": "consumir preferentemente antes de, consumir preferentemente antes del, consumo preferente, "
        "consumir preferentemente antes del fin de, consúmase preferentemente antes del, cons pref, "
        "fecha de consumo preferente, consumir de preferencia antes de",
        "expiry": "vto, vence, venc, vencimiento, fecha de vencimiento, fecha de venc, f venc, válido hasta",
        "sell_by": "vender antes de",
        "production": "fecha de elaboración, elaboración, elaborado, elab, f elab, fecha de fabricación, fabricado el, "
        "fecha de producción, f fab",
        "packed": "envasado, envasado el, embalado el, fecha de envasado, fecha de envase, congelado el",
        "lot": "lote, lote no, n de lote, número de lote",
        "serial": "número de serie, n de serie",
        "duration": "vida útil, una vez abierto",
    },
    "it": {
        "use_by": "da consumarsi entro, da consumare entro, consumare entro",
        "best_before": "da consumarsi preferibilmente entro, da consumarsi preferibilmente entro il, "
        "da consumarsi preferibilmente entro fine, da consumare preferibilmente entro, tmc",
        "expiry": "scad, scadenza, data di scadenza",
        "sell_by": "da vendersi entro",
        "production": "data di produzione, data produzione, prodotto il, fabbricato il",
        "packed": "confezionato il, data di confezionamento, imballato il, data d'imballaggio, congelato il, "
        "surgelato il",
        "lot": "lotto, lotto n, numero di lotto",
        "serial": "numero di serie",
        "other": "prezzo",
    },
    "pt": {
        "use_by": "consumir até",
        "best_before": "consumir de preferência antes de, consumir de preferência antes do fim de, "
        "a consumir de preferência antes de",
        "expiry": "validade, val, data de validade, prazo de validade, válido até",
        "production": "fabricação, fabrico, data de fabrico, data de fabricação, data de produção, fabricado em",
        "packed": "embalado em, data de embalagem, data de embalamento, congelado em",
    },
    "nl": {
        "use_by": "te gebruiken tot, tgt",
        "best_before": "ten minste houdbaar tot, ten minste houdbaar tot einde, minstens houdbaar tot, "
        "houdbaar tot, tht",
        "expiry": "vervaldatum, uiterste houdbaarheidsdatum, niet te gebruiken na",
        "sell_by": "te verkopen tot",
        "production": "productiedatum, geproduceerd op, vervaardigd op, fabricagedatum",
        "packed": "verpakt op, verpakkingsdatum, ingevroren op",
        "lot": "partij, partijnummer, lotnummer",
    },
    "sv": {
        "use_by": "sista förbrukningsdag",
        "best_before": "bäst före, bäst före utgången av",
        "expiry": "utgångsdatum, utg dat",
        "production": "tillverkningsdatum, tillverkad, tillverkningsdag, tillv datum, produktionsdag",
        "packed": "förpackningsdag, förpackad, förpackat den, nedfrysningsdag",
        "lot": "batchnr, satsnr, partinr",
    },
    "da": {
        "use_by": "sidste anvendelsesdato",
        "best_before": "mindst holdbar til, mindst holdbar til og med, bedst før",
        "expiry": "udløbsdato, udløb, holdbar til",
        "sell_by": "sidste salgsdato",
        "production": "produktionsdato, fremstillet, fremstillingsdato, produceret den",
        "packed": "pakket den, pakkedato, pakket, indfrysningsdato, frosset den",
    },
    "nb": {
        "use_by": "siste forbruksdag",
        "best_before": "best før, best før utgangen av",
        "expiry": "utløpsdato, utløper",
        "production": "produksjonsdato, produsert",
        "packed": "frysedato, pakkedag",
    },
    "fi": {
        "use_by": "viimeinen käyttöajankohta, viimeinen käyttöpäivä, käytettävä viimeistään",
        "best_before": "parasta ennen, parasta ennen lopussa",
        "expiry": "käytettävä ennen, viimeinen voimassaolopäivä",
        "production": "valmistuspäivä, valmistettu, valm pvm",
        "packed": "pakattu, pakkauspäivä, pakastettu",
        "lot": "erä, eränumero, erä nro",
    },
    "et": {
        "use_by": "kõlblik kuni, kasutada kuni",
        "best_before": "parim enne, säilib kuni",
        "expiry": "aegumiskuupäev, kehtiv kuni",
        "sell_by": "viimane soovitav müügikuupäev",
        "production": "tootmiskuupäev, toodetud, valmistatud",
        "packed": "pakendatud, pakendamiskuupäev, külmutatud",
        "lot": "partii",
    },
    "lv": {
        "use_by": "izlietot līdz, derīgs līdz",
        "best_before": "ieteicams līdz",
        "expiry": "derīguma termiņš",
        "production": "ražots, ražošanas datums, izgatavots",
        "packed": "iepakots, iepakošanas datums, fasēts, sasaldēts",
        "lot": "partija, sērija",
    },
    "lt": {
        "use_by": "tinka vartoti iki",
        "best_before": "geriausi iki, geriausias iki",
        "expiry": "tinka iki, galioja iki, tinkamumo terminas",
        "production": "pagaminta, pagaminimo data, gamybos data",
        "packed": "supakuota, pakavimo data, užšaldyta",
        "lot": "partijos nr, serija",
    },
    "pl": {
        "use_by": "należy spożyć do, należy zużyć do",
        "best_before": "najlepiej spożyć przed, najlepiej spożyć przed końcem, najlepiej zużyć przed, "
        "data minimalnej trwałości",
        "expiry": "termin ważności, data ważności, ważne do, termin przydatności, termin przydatności do spożycia",
        "production": "data produkcji, wyprodukowano",
        "packed": "zapakowano, zapakowano w dniu, data pakowania, zamrożono, data zamrożenia",
        "lot": "partia, nr partii, numer partii, seria, nr serii",
    },
    "cs": {
        "use_by": "spotřebujte do, spotřebovat do, datum spotřeby",
        "best_before": "minimální trvanlivost do, minimální trvanlivost do konce, minimální trvanlivost, "
        "min trvanlivost do, datum minimální trvanlivosti",
        "expiry": "použitelné do, exspirace, expirace",
        "sell_by": "prodat do",
        "production": "datum výroby, vyrobeno, vyrobeno dne",
        "packed": "datum balení, baleno, zabaleno dne, zmrazeno, zmrazeno dne",
        "lot": "šarže, č šarže, číslo šarže",
    },
    "sk": {
        "use_by": "spotrebujte do",
        "best_before": "minimálna trvanlivosť do, minimálna trvanlivosť do konca, min trvanlivosť do, "
        "dátum minimálnej trvanlivosti",
        "expiry": "exspirácia, použiteľné do, dátum exspirácie",
        "sell_by": "predať do",
        "production": "dátum výroby, vyrobené, vyrobené dňa",
        "packed": "balené dňa, dátum balenia, zabalené, zmrazené dňa",
        "lot": "šarža, číslo šarže",
    },
    "hu": {
        "use_by": "fogyasztható",
        "best_before": "minőségét megőrzi, min meg",
        "expiry": "lejárat, lejárati dátum, felhasználható, szavatosság, szavatossági idő",
        "production": "gyártás, gyártva, gyártás dátuma, gyártási dátum, gyártási idő",
        "packed": "csomagolva, csomagolás dátuma, fagyasztás dátuma",
        "lot": "tétel, tételszám, gyártási szám, gy sz",
    },
    "ro": {
        "use_by": "a se consuma înainte de, expiră la data de, a se consuma până la",
        "best_before": "a se consuma de preferință înainte de, a se consuma de preferință până la sfârșitul",
        "expiry": "data expirării, expiră, valabil până la, data de expirare",
        "production": "data fabricației, data fabricării, fabricat, fabricat la, data producției",
        "packed": "ambalat, ambalat la, data ambalării, congelat la, data congelării",
        "lot": "nr lot, număr lot",
    },
    "hr": {
        "use_by": "upotrijebiti do, upotrebiti do",
        "best_before": "najbolje upotrijebiti do, najbolje upotrebiti do",
        "expiry": "rok valjanosti, rok trajanja, vrijedi do",
        "production": "datum proizvodnje, proizvedeno",
        "packed": "pakirano, datum pakiranja, pakovano, datum pakovanja, zamrznuto",
        "lot": "broj serije, br serije",
    },
    "sl": {
        "use_by": "porabiti do, uporabiti do",
        "best_before": "uporabno najmanj do, uporabno najmanj do konca",
        "expiry": "rok uporabe, uporabno do",
        "production": "datum izdelave, izdelano",
        "packed": "zamrznjeno",
        "lot": "št serije, številka serije",
    },
    "mt": {"best_before": "l-aħjar jintuża sa", "packed": "ippakkjat, data ta’ l-ippakkjar"},
    "tr": {
        "use_by": "son kullanma, son kullanma tarihi, s k t",
        "best_before": "t e t t, tavsiye edilen tüketim tarihi",
        "expiry": "son tüketim tarihi, s t t",
        "production": "üretim, üretim tarihi, ü t, imal tarihi, imalat tarihi, ürt tar",
        "packed": "ambalaj tarihi, paketleme tarihi, dondurulma tarihi",
        "lot": "parti no, parti numarası",
        "serial": "seri no",
    },
    "id": {
        "use_by": "gunakan sebelum",
        "best_before": "baik digunakan sebelum, baik sebelum",
        "expiry": "kedaluwarsa, kadaluarsa, tanggal kedaluwarsa",
        "production": "tanggal produksi, tgl produksi, diproduksi",
        "packed": "dikemas, tanggal pengemasan",
        "lot": "kode produksi, no bets, nomor bets",
    },
    "ms": {
        "use_by": "guna sebelum",
        "expiry": "tarikh luput, tarikh tamat tempoh",
        "production": "tarikh dikilang, tarikh pengeluaran, tarikh dibuat",
        "packed": "tarikh dibungkus, dibungkus pada",
        "lot": "no kelompok",
    },
    "vi": {
        "best_before": "sử dụng tốt nhất trước, dùng tốt nhất trước",
        "expiry": "hạn sử dụng, hạn dùng, hsd",
        "production": "ngày sản xuất, nsx",
        "packed": "ngày đóng gói",
        "lot": "số lô, số lô sx, số lô sản xuất",
    },
}
"""Language (ISO 639-1; `mul` is any) → kind → words."""
