"""One item's story in words, from what the journal says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Body = Mapping[str, Any]
Told = tuple[int, str, Body]
"""Wall clock (ns) at which an entry was written, its kind, its body."""

NS_PER_MS, NS_PER_S = 1_000_000, 1_000_000_000
MOMENTS = ("decided_ns", "ended_ns", "finished_ns", "raised_ns", "sent_ns")


@dataclass(frozen=True, slots=True)
class Line:
    """What happened to an item at one moment."""

    since_ns: int | None  # since it was at the photoeye; None: the entry does not say
    wall_ns: int  # when it was written down
    what: str
    words: str


def lines(entries: Iterable[Told]) -> Iterator[Line]:
    """In the order in which it was written down, which is that in which it was decided."""
    born: Body = {}
    for wall_ns, kind, body in entries:
        if kind == "Item":
            words = _item(body, born)
            born, since_ns = body, None if born else 0
        else:
            words, since_ns = WORDS.get(kind, _other)(body), _since_ns(body, born)
        if words:
            yield Line(since_ns, wall_ns, kind, words)


def _since_ns(body: Body, born: Body) -> int | None:
    moment_ns = next((body[name] for name in MOMENTS if body.get(name)), None)
    return moment_ns - born["born_ns"] if born and moment_ns is not None else None


def _item(body: Body, before: Body) -> str:
    """What is new of an item."""
    if not before:
        known = [f"at the photoeye at {body['leading_edge_counts']} counts", _ordered(body)]
    else:
        known = [_ordered(body) if body["expected"] != before["expected"] else ""]
    if body["length_mm"] is not None and body["length_mm"] != before.get("length_mm"):
        known.append(f"{body['length_mm']:.0f} mm long")
    if body["purge"] and body["purge"] != before.get("purge"):
        known.append(f"to be diverted whatever it looks like: {body['purge']}")
    if body["slip_counts"] != before.get("slip_counts", 0):
        known.append(f"slipped by {body['slip_counts']} counts")
    return "; ".join(one for one in known if one)


def _ordered(body: Body) -> str:
    order = body["expected"]
    if not order:
        return "not announced"
    named = {"GTIN": "gtin", "lot": "lot", "expiry": "expiry", "seller": "seller", "tote": "tote"}
    rest = ", ".join(f"{name} {order[key]}" for name, key in named.items() if order.get(key))
    return f"announced as {order['wms_item']} for order line {order['order_line']} ({rest})"


def _evidence(body: Body) -> str:
    said = [f"{body['check']} of camera {body['camera']}"]
    if body["score"] is not None:
        said.append(f"score {body['score']:.3g}")
    if body["reading"] is not None:
        said.append(f"reads {body['reading']}{' (' + body['kind'] + ')' if body['kind'] else ''}")
    if body["probability"] is not None:
        said.append(f"probability {body['probability']:.3f}")
    if body["started_ns"]:
        said.append(f"{(body['finished_ns'] - body['exposed_ns']) / NS_PER_MS:.0f} ms after its exposure")
    if body.get("learnt"):
        said.append(f"held against {body['learnt']}")
    vouched = "" if body["valid"] else "vouches for nothing: "
    return f"{', '.join(said)}: {vouched}{body['because'] or 'nothing to say'}"


def _verdict(body: Body) -> str:
    left_ms = (body["deadline_ns"] - body["decided_ns"]) / NS_PER_MS
    when = f"{left_ms:.0f} ms before its deadline" if left_ms > 0 else "at its deadline"
    skipped = f"; without {', '.join(body['skipped'])}" if body["skipped"] else ""
    reasons = "; ".join(body["reasons"]) or "every rule is content"
    return f"{body['disposition'].replace('_', ' ')}, {when}, by recipe {body['recipe']}: {reasons}{skipped}"


def _outcome(body: Body) -> str:
    where = f" at {body['seen_counts']} counts" if body["seen_counts"] is not None else ""
    return f"{body['result']}: {body['because']}{where}"


def _end(body: Body) -> str:
    return f"{body['end'].replace('_', ' ')}{', seen by the ' + body['eye'] + ' eye' if body['eye'] else ''}"


def _replacement(body: Body) -> str:
    answer = body.get("answer") or "not answered yet"
    return f"a replacement is owed: request {body['request_id']} for order line {body['order_line']}; {answer}"


def _kept(body: Body) -> str:
    told = [f"{one['what']} of {one['check'] or 'all checks'}, camera {one['camera']}" for one in body["pictures"]]
    return f"kept of it: {'; '.join(told)}"


def _other(body: Body) -> str:
    return ", ".join(f"{name} {value}" for name, value in body.items() if value not in (None, "", []))


WORDS: Mapping[str, Callable[[Body], str]] = {
    "Evidence": _evidence,
    "Verdict": _verdict,
    "DivertCommand": lambda body: (
        f"the gate is told to open from {body['open_counts']} to {body['close_counts']} counts"
    ),
    "DivertAck": lambda body: f"the PLC says: {body['status']}",
    "DivertOutcome": _outcome,
    "ItemEnd": _end,
    "ReplacementRequest": _replacement,
    "EvidenceKept": _kept,
    "Disputed": lambda body: f"a complaint, noted by {body['by']}: {body['why']}",
    "RequestAnswered": lambda body: (
        f"the warehouse says {body['status']}{': ' + body['why'] if body['why'] else ''}, by {body['transport']},"
        f" after {body['attempts']} tries"
    ),
    "RequestGivenUp": lambda body: (
        f"given up after {body['attempts']} tries: {body['because']}; a person must see to it"
    ),
    "RequestRevived": lambda body: f"{body['by']} has it sent again",
    "RequestClosed": lambda body: f"{body['by']} has closed it: {body['why']}",
    "Alarm": lambda body: f"alarm {body['kind']}: {body['because']}",
}
