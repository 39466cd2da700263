"""The tables of items: what became of each, why, and what was seen, compared and diverted on its way."""

from __future__ import annotations

from edge.lake.columns import Column, Type
from edge.lake.table import Table, each, event, itself

TEXT, WHOLE, REAL, TRUTH = Type.TEXT, Type.WHOLE, Type.REAL, Type.TRUTH
TIME, DATE, TEXTS, PAIRS, READINGS = Type.TIME, Type.DATE, Type.TEXTS, Type.PAIRS, Type.READINGS

ITEM = Column("item_id", TEXT, "the item")
ORDER = (
    Column("order_line", TEXT, "order line", "item.expected.order_line"),
    Column("gtin", TEXT, "product, as ordered", "item.expected.gtin"),
    Column("lot", TEXT, "lot, as ordered", "item.expected.lot"),
    Column("seller", TEXT, "seller, as the warehouse names it", "item.expected.seller"),
)
ITEMS = Table(
    "items",
    "an item that has left the books, by what the journal said of it until then",
    (
        ITEM,
        *ORDER,
        Column("wms_item", TEXT, "the warehouse's name for it", "item.expected.wms_item"),
        Column("expiry_expected", DATE, "expiry, as ordered", "item.expected.expiry"),
        Column("tote", TEXT, "tote, as announced", "item.expected.tote"),
        Column("attributes", PAIRS, "what else the order named", "item.expected.attributes"),
        Column("is_test_piece", TRUTH, "of a challenge test: nobody's order", "is_test_piece"),
        Column("born_at", TIME, "when it was first written of; within a second of the induct eye", "born_wall_ns"),
        Column("decided_at", TIME, "when its verdict was written", "verdict_wall_ns"),
        Column("length_mm", REAL, "length on the belt", "item.length_mm"),
        Column("purge", TEXT, "why it was diverted whatever it looked like; empty: it was judged", "item.purge"),
        Column("disposition", TEXT, "pass, reject, no_decision; none: it was never decided", "verdict.disposition"),
        Column("reasons", TEXTS, "of the verdict, for a person", "verdict.reasons"),
        Column("skipped", TEXTS, "rules without valid evidence", "verdict.skipped"),
        Column("recipe", TEXT, "what it was judged by", "verdict.recipe"),
        Column("decided_after_ms", REAL, "from the induct eye to the verdict", "decided_after_ms"),
        Column("decided_early_ms", REAL, "from the verdict to its deadline; negative: late", "decided_early_ms"),
        Column("end", TEXT, "passed, diverted, missed, no_decision, removed, lost", "end.end"),
        Column("eye", TEXT, "that saw it leave: confirm, exit; empty: none did", "end.eye"),
        Column("divert", TEXT, "what became of its divert: confirmed, missed, unexpected", "outcome.result"),
        Column("software", TEXT, "version of the daemon at its end", "daemon.version"),
        Column("settings_sha256", TEXT, "of the daemon's settings at its end", "daemon.settings_sha256"),
        Column("models", PAIRS, "versions of the models at its end", "daemon.models"),
        Column("calibrations", PAIRS, "versions in force at its end", "calibrations.versions"),
    ),
    {},
)
DEFECTS = Table(
    "defects",
    "a reason why an item was rejected; written with its end",
    (
        ITEM,
        *ORDER,
        Column("check", TEXT, "that spoke against it: anomaly, defect, expiry, lot, …"),
        Column("type", TEXT, "of a comparison: mismatch, expired, short_dated; of damage: its kind; else the check"),
        Column("cameras", TEXT, "whose views the reason rests on, `+` between"),
        Column("because", TEXT, "for a person"),
        Column("printed", TEXT, "of a comparison: what was read"),
        Column("expected", TEXT, "of a comparison: what was ordered"),
    ),
    {},
)
CHECKS = Table(
    "checks",
    "what one check found in one frame of an item",
    (
        ITEM,
        Column("check", TEXT, "anomaly, defect, expiry, lot, serial, …"),
        Column("camera", TEXT, "camera"),
        Column("frame_id", TEXT, "frame, by the camera's count"),
        Column("valid", TRUTH, "the check vouches for it"),
        Column("score", REAL, "of a check that measures: larger is worse"),
        Column("p_value", REAL, "share of sound items that look at least as unusual"),
        Column("reading", TEXT, "of a check that reads; dates as YYYY-MM-DD"),
        Column("kind", TEXT, "what the words beside a reading call it: use_by, best_before, …; of damage: its kind"),
        Column("source", TEXT, "of a reading: print, code"),
        Column("probability", REAL, "the check's belief in it"),
        Column("rivals", READINGS, "every reading that the print allows"),
        Column("because", TEXT, "for a person"),
        Column("learnt", TEXT, "files that it was held against, as `references inspect` names them"),
        Column("alike", WHOLE, "of the last unusual items of its product, those unusual in the same way"),
        Column("exposed_ns", WHOLE, "of the frame, on the box's monotonic clock"),
        Column("started_ns", WHOLE, "of the check, on the same clock; 0: never begun"),
        Column("finished_ns", WHOLE, "of the check, on the same clock"),
    ),
    {"Evidence": itself},
)
COMPARISONS = Table(
    "comparisons",
    "what a reading came to beside the order, when an item was decided",
    (
        ITEM,
        Column("order_line", TEXT, "order line"),
        Column("gtin", TEXT, "product, as ordered"),
        Column("lot", TEXT, "lot, as ordered"),
        Column("check", TEXT, "expiry, lot, size, …"),
        Column("agreement", TEXT, "match, mismatch, expired, short_dated, ambiguous, unreadable"),
        Column("printed", TEXT, "what is vouched for; none: nothing is"),
        Column("expected", TEXT, "what was ordered; none: nothing was"),
        Column("encoded", TEXT, "what a code on the item says, where that contradicts the print"),
        Column("probability", REAL, "of what is printed"),
    ),
    {"Verdict": each("compared")},
)
DIVERTS = Table(
    "diverts",
    "a command to the gate, the PLC's answer, or what the eyes saw of it",
    (
        Column("event", TEXT, "command, answer, outcome"),
        Column("command_id", TEXT, "command"),
        ITEM,
        Column("open_counts", WHOLE, "of a command: where its window opens, encoder counts"),
        Column("close_counts", WHOLE, "of a command: where its window closes, encoder counts"),
        Column("reason", TEXT, "of a command"),
        Column("status", TEXT, "of an answer: accepted, late, unknown, duplicate"),
        Column("result", TEXT, "of an outcome: confirmed, missed, unexpected"),
        Column("seen_counts", WHOLE, "of an outcome: where an eye saw the item, encoder counts"),
        Column("eye", TEXT, "of an outcome: confirm, exit; empty: none"),
        Column("because", TEXT, "of an outcome, for a person"),
    ),
    {"DivertCommand": event("command"), "DivertAck": event("answer"), "DivertOutcome": event("outcome")},
)
