"""Messages to JSON and back. What comes from outside is refused with a counted reason, never half-read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NoReturn

from edge.core.errors import MalformedMessage
from edge.core.messages import (
    Compared,
    DivertAck,
    DivertCommand,
    Evidence,
    Expected,
    LotHold,
    PhotoeyeEdge,
    ReplacementRequest,
    Verdict,
)
from edge.core.topics import LOT_HOLD, MAX_BYTES, MAX_LIST, MAX_TEXT, REPLACEMENT, SCHEMA, Topic, integer

NS_PER_MS = 1_000_000
MAX_READING, RIVALS_TOLD = 48, 3  # a verdict of many rules must stay within MAX_BYTES


def encode(seq: int | None, fields: Mapping[str, Any]) -> bytes:
    """The payload of one message; fields that are None are left out. seq: None where the same is said again."""
    kept = {name: value for name, value in {"seq": seq, **fields}.items() if value is not None}
    return json.dumps({"schema": SCHEMA, **kept}, separators=(",", ":"), allow_nan=False).encode()


def decode(topic: Topic, payload: bytes) -> dict[str, Any]:
    """The checked fields of one message; keys that the table does not name are left out.

    Raises:
        MalformedMessage: too big, no JSON table, another schema, or a field missing or wrong.
    """
    if len(payload) > MAX_BYTES:
        raise MalformedMessage("too_big", f"{topic.name}: {len(payload)} bytes, at most {MAX_BYTES} are read.")
    table = _table(topic, payload)
    if table.get("schema") != SCHEMA:
        raise MalformedMessage("schema", f"{topic.name}: schema {str(table.get('schema'))[:20]}, {SCHEMA} is spoken.")
    for name, kind in topic.required.items():
        if not kind(table.get(name)):
            _refuse(topic, name, table.get(name))
    for name, kind in {**topic.optional, "seq": integer}.items():
        if table.get(name) is not None and not kind(table[name]):
            _refuse(topic, name, table[name])
    known = topic.required.keys() | topic.optional.keys() | {"seq"}
    return {name: value for name, value in table.items() if name in known and value is not None}


def _table(topic: Topic, payload: bytes) -> dict[str, Any]:
    try:
        table = json.loads(payload.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage("not_json", f"{topic.name}: no JSON ({str(error)[:80]}).") from error
    if not isinstance(table, dict):
        raise MalformedMessage("not_json", f"{topic.name}: a JSON table is expected.")
    return table


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _refuse(topic: Topic, name: str, value: object) -> NoReturn:
    raise MalformedMessage("field", f"{topic.name}: field '{name}' is missing or wrong: {str(value)[:80]!r}.")


def edges_of(fields: Mapping[str, Any], eye: str) -> tuple[PhotoeyeEdge, ...]:
    """The edges of one eye in a `belt` or `confirm` message, in the PLC's order."""
    return tuple(PhotoeyeEdge(e["seq"], e["counts"], e["dark"]) for e in fields["edges"] if e["eye"] == eye)


def edge_fields(eye: str, edge: PhotoeyeEdge) -> dict[str, Any]:
    """One edge for a `belt` or `confirm` message."""
    return {"eye": eye, "seq": edge.seq, "counts": edge.counts, "dark": edge.dark}


def expected_of(fields: Mapping[str, Any]) -> Expected:
    """What an `induct` message announces.

    Raises:
        MalformedMessage: `expiry` is no date YYYY-MM-DD.
    """
    return Expected(
        wms_item=fields["item"],
        gtin=fields["gtin"],
        order_line=fields["order_line"],
        lot=fields.get("lot"),
        expiry=_date_of(fields.get("expiry")),
        seller=fields.get("seller"),
        tote=fields.get("tote"),
        attributes=tuple(sorted((fields.get("attributes") or {}).items())),
        scan_counts=fields.get("scan_counts"),
    )


def _date_of(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError as error:
        raise MalformedMessage("field", f"induct: expiry {value!r} is no date YYYY-MM-DD.") from error


def expected_fields(expected: Expected) -> dict[str, Any]:
    """An `induct` message, as the warehouse says it."""
    return {
        "item": expected.wms_item,
        "gtin": expected.gtin,
        "order_line": expected.order_line,
        "lot": expected.lot,
        "expiry": expected.expiry.isoformat() if expected.expiry else None,
        "seller": expected.seller,
        "tote": expected.tote,
        "attributes": dict(expected.attributes),
        "scan_counts": expected.scan_counts,
    }


def command_fields(command: DivertCommand) -> dict[str, Any]:
    """A `divert/command`."""
    return {
        "command": command.command_id,
        "item": command.item_id,
        "open_counts": command.open_counts,
        "close_counts": command.close_counts,
        "reason": command.reason[:MAX_TEXT],
    }


def ack_of(fields: Mapping[str, Any], heard_ns: int) -> DivertAck:
    """The PLC's answer in a `divert/ack`."""
    return DivertAck(fields["command"], fields["status"], heard_ns, fields.get("counts"))


def verdict_fields(verdict: Verdict) -> dict[str, Any]:
    """A `verdict`; latency_ms runs from the induct photoeye to the decision."""
    return {
        "item": verdict.item_id,
        "order_line": verdict.order_line,
        "leading_edge_counts": verdict.leading_edge_counts,
        "disposition": verdict.disposition.value,
        "reasons": _shortened(verdict.reasons),
        "skipped": _shortened(verdict.skipped),
        "evidence": [evidence_fields(one) for one in verdict.evidence[:MAX_LIST]],
        "recipe": verdict.recipe,
        "latency_ms": (verdict.decided_ns - verdict.born_ns) / NS_PER_MS,
        "gtin": verdict.gtin,
        "lot": verdict.lot,
        "compared": [compared_fields(one) for one in verdict.compared[:MAX_LIST]],
    }


def compared_fields(compared: Compared) -> dict[str, Any]:
    """A reading beside the order; what there is none of is left out."""
    said = {name: getattr(compared, name) for name in ("check", "agreement", "printed", "expected", "encoded")}
    told = {name: str(value)[:MAX_READING] for name, value in said.items() if value is not None}
    belief = _finite(compared.probability)
    return told if belief is None else {**told, "probability": belief}


def evidence_fields(evidence: Evidence) -> dict[str, Any]:
    """What one check found, without its picture."""
    return {
        "check": evidence.check,
        "camera": evidence.camera,
        "frame": evidence.frame_id,
        "score": _finite(evidence.score),
        "reading": evidence.reading,
        "probability": _finite(evidence.probability),
        "because": evidence.because[:MAX_TEXT],
        "valid": evidence.valid,
        **_of_a_reading(evidence),
    }


def _of_a_reading(evidence: Evidence) -> dict[str, Any]:
    """What only some evidence has: what the words call it, who says it, what else it may be."""
    rivals = [[reading[:MAX_READING], _finite(belief)] for reading, belief in evidence.rivals[:RIVALS_TOLD]]
    said = {"kind": evidence.kind, "source": evidence.source, "rivals": rivals}
    return {name: value for name, value in said.items() if value}


def _finite(number: float | None) -> float | None:
    """JSON has no infinity."""
    return number if number is not None and math.isfinite(number) else None


def replacement_fields(request: ReplacementRequest) -> dict[str, Any]:
    """A `replacement/request`."""
    return {
        "request": request.request_id,
        "item": request.item_id,
        "order_line": request.order_line,
        "gtin": request.gtin,
        "reasons": _shortened(request.reasons),
    }


def hold_fields(hold: LotHold) -> dict[str, Any]:
    """A `lot/hold`."""
    told = (hold.group.told or hold.group.key)[:MAX_TEXT]
    return {
        "request": hold.hold_id,
        "kind": hold.group.kind,
        "gtin": hold.group.gtin,
        ("lot" if hold.group.kind == "lot" else "group"): told,
        "because": hold.because[:MAX_TEXT],
        "items": hold.items,
        "rejected": hold.rejected,
        "usual_share": hold.usual_share,
        "p_value": hold.p_value,
        "order_lines": _shortened(hold.order_lines),
        "unlisted": hold.unlisted + max(0, len(hold.order_lines) - MAX_LIST),
        "evidence": _shortened(hold.evidence),
    }


def owed_on(fields: Mapping[str, Any]) -> Topic:
    """The topic that something owed to the warehouse is said on; a replacement is of one item, a hold of many."""
    return REPLACEMENT if "item" in fields else LOT_HOLD


def _shortened(texts: Sequence[str]) -> list[str]:
    return [one[:MAX_TEXT] for one in texts[:MAX_LIST] if one]
