"""The tables of what is about more than an item: requests, lots, pictures, acts of persons, alarms, and the rest."""

from __future__ import annotations

import json
from collections.abc import Iterable

from edge.lake.columns import Column, Type
from edge.lake.table import Body, Making, Table, each, event

TEXT, WHOLE, REAL, TEXTS, TIME = Type.TEXT, Type.WHOLE, Type.REAL, Type.TEXTS, Type.TIME


def _of_hold(body: Body) -> Iterable[Body]:
    """What is owed for a lot that is held."""
    return ({**(body.get("group") or {}), **body, "event": "owed", "about": "lot", "request": body.get("hold_id")},)


def _of_replacement(body: Body) -> Iterable[Body]:
    return ({**body, "event": "owed", "about": "replacement", "request": body.get("request_id")},)


REQUESTS = Table(
    "requests",
    "something that happened to a request to the warehouse; how it stands says the last one",
    (
        Column("request", TEXT, "its id, the same on every retry"),
        Column("event", TEXT, "owed, answered, given_up, revived, closed"),
        Column("about", TEXT, "of what is owed: replacement, lot"),
        Column("item_id", TEXT, "the item, if it is of one"),
        Column("order_line", TEXT, "of a replacement"),
        Column("gtin", TEXT, "product"),
        Column("reasons", TEXTS, "of a replacement, for a person"),
        Column("status", TEXT, "of an answer: what the warehouse said"),
        Column("why", TEXT, "of an answer, or of one that a person closed"),
        Column("because", TEXT, "of one that was given up, or of a hold"),
        Column("transport", TEXT, "of an answer: mqtt, http"),
        Column("attempts", WHOLE, "how often it was sent until then"),
        Column("by", TEXT, "who revived or closed it"),
    ),
    {
        "ReplacementRequest": _of_replacement,
        "LotHold": _of_hold,
        "RequestAnswered": event("answered"),
        "RequestGivenUp": event("given_up"),
        "RequestRevived": event("revived"),
        "RequestClosed": event("closed"),
    },
)
LOTS = Table(
    "lots",
    "a hold of a lot, or of a weaker group, or its release",
    (
        Column("event", TEXT, "hold, release"),
        Column("hold_id", TEXT, "the hold; its release has the same"),
        Column("group_kind", TEXT, "lot, pallet, tote, seller, day", "group.kind"),
        Column("gtin", TEXT, "product", "group.gtin"),
        Column("group_key", TEXT, "what of the group's name counts", "group.key"),
        Column("group_told", TEXT, "the group's name as it was first told", "group.told"),
        Column("because", TEXT, "of a hold, for a person"),
        Column("items", WHOLE, "of a hold: items decided"),
        Column("rejected", WHOLE, "of a hold: items rejected"),
        Column("usual_share", REAL, "of a hold: usual share of rejects"),
        Column("p_value", REAL, "of a hold: no good lot ever looks so bad in more than this share of cases"),
        Column("order_lines", TEXTS, "of a hold: of the last items that were past the gate already"),
        Column("unlisted", WHOLE, "of a hold: more of them"),
        Column("evidence", TEXTS, "of a hold: item/check/camera/frame of what was rejected"),
        Column("by", TEXT, "of a release: who"),
    ),
    {"LotHold": event("hold"), "LotRelease": event("release")},
)
PICTURES = Table(
    "pictures",
    "a picture that was kept of an item, or that retention took away",
    (
        Column("event", TEXT, "kept, removed"),
        Column("item_id", TEXT, "the item"),
        Column("sha256", TEXT, "names the file; several items may share one"),
        Column("what", TEXT, "crop, heat_map, annotated"),
        Column("camera", TEXT, "camera"),
        Column("check", TEXT, "that it is of; empty: a crop that all checks share"),
        Column("frame_id", TEXT, "frame, by the camera's count"),
        Column("exposed_ns", WHOLE, "of the frame, on the box's monotonic clock"),
        Column("bytes", WHOLE, "size of the file"),
        Column("media_type", TEXT, "image/jpeg, image/webp, …"),
        Column("width_px", WHOLE, "width"),
        Column("height_px", WHOLE, "height"),
        Column("rule", TEXT, "of one removed: by which rule of retention"),
    ),
    {"EvidenceKept": each("pictures", event="kept"), "EvidenceRemoved": each("pictures", event="removed")},
)


def _act(what: str) -> Making:
    """One row, with all that the entry says as text."""
    return lambda body: ({"what": what, **body, "body": json.dumps(body)},)


ACTS = Table(
    "acts",
    "something that a named person did, said or asked for",
    (
        Column("by", TEXT, "who"),
        Column("what", TEXT, "release, revive, close, dispute, complaint, references, challenge, fire, or as it says"),
        Column("why", TEXT, "reason given"),
        Column("item_id", TEXT, "the item, if it is of one"),
        Column("order_line", TEXT, "the order line, if it is of one"),
        Column("body", TEXT, "all that the entry says, JSON"),
    ),
    {
        "PersonActed": _act(""),
        "Disputed": _act("dispute"),
        "Complaint": _act("complaint"),
        "LotRelease": _act("release"),
        "RequestRevived": _act("revive"),
        "RequestClosed": _act("close"),
        "ReferencesChanged": _act("references"),
        "ChallengeResult": _act("challenge"),
        "FireResult": _act("fire"),
    },
)
ALARMS = Table(
    "alarms",
    "something that a person was told at once, or a stop that was asked for",
    (
        Column("event", TEXT, "alarm, stop"),
        Column("kind", TEXT, "of an alarm: missed, unexpected, slip, camera, …"),
        Column("because", TEXT, "for a person"),
        Column("item_id", TEXT, "the item, if it is of one"),
    ),
    {"Alarm": event("alarm"), "LineStop": event("stop")},
)
OTHERS = Table(
    "others",
    "an entry that has no table of its own: of the daemon's life, of a newer release, or not as its kind should be",
    (
        Column("kind", TEXT, "kind of the entry"),
        Column("item_id", TEXT, "the item, if it is of one"),
        Column("body", TEXT, "all that the entry says, as it stands in the journal"),
        Column("odd", TEXT, "what is wrong with it; none: nothing is known to be"),
    ),
    {},
)
