"""What comes from outside is read whole or refused with a reason; what we say can be read."""

import contextlib
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core import topics
from edge.core.errors import MalformedMessage
from edge.core.frames import MAX_PIXEL_BYTES, decode_frame, encode_frame
from edge.core.messages import (
    Agreement,
    Compared,
    Disposition,
    DivertAck,
    DivertCommand,
    Expected,
    Frame,
    ReplacementRequest,
    Verdict,
)
from edge.core.wire import (
    ack_of,
    command_fields,
    decode,
    edges_of,
    encode,
    evidence_fields,
    expected_fields,
    expected_of,
    replacement_fields,
    verdict_fields,
)
from tests.unit.lane import EXPECTED, dark, evidence

EDGE = {"eye": "induct", "seq": 1, "counts": 10, "dark": True}
BELT = {"counts": 10, "plc_ns": 5, "speed_mm_per_s": 500.0, "edges": [EDGE]}


def belt(**changes):
    return json.dumps({"schema": 1, "seq": 1, **BELT, **changes}).encode()


def test_a_sound_message_is_read():
    assert edges_of(decode(topics.BELT, belt()), "induct") == (dark(10, seq=1),)


def test_what_is_null_is_not_said():
    assert "boot" not in decode(topics.BELT, belt(boot=None))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"[]", "not_json"),
        (b"{", "not_json"),
        (b"[" * 60_000, "not_json"),
        (b'{"schema": 1, "counts": NaN}', "not_json"),
        (belt().decode().encode("utf-16"), "not_json"),
        (b"\xef\xbb\xbf" + belt(), "not_json"),
        (b" " * (topics.MAX_BYTES + 1), "too_big"),
        (belt(schema=2), "schema"),
        (belt(schema=None), "schema"),
        (belt(counts="10"), "field"),
        (belt(counts=1.5), "field"),
        (belt(counts=True), "field"),
        (belt(counts=2**53), "field"),
        (belt(speed_mm_per_s=None), "field"),
        (belt(speed_mm_per_s=1e300), "field"),
        (belt(edges={}), "field"),
        (belt(edges=[EDGE] * (topics.MAX_LIST + 1)), "field"),
        (belt(edges=[{**EDGE, "eye": "third"}]), "field"),
        (belt(edges=[{**EDGE, "dark": 1}]), "field"),
        (belt(edges=[7]), "field"),
        (belt(boot="x"), "field"),
        (belt(seq="x"), "field"),
    ],
)
def test_a_broken_message_is_refused_with_a_reason(payload, reason):
    with pytest.raises(MalformedMessage) as refusal:
        decode(topics.BELT, payload)
    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (b" " * 70_000, "belt: 70000 bytes, at most 65536 are read."),
        (belt(schema=2), "belt: schema 2, 1 is spoken."),
        (b"[]", "belt: a JSON table is expected."),
        (b'{"schema": 1, "counts": NaN}', "belt: no JSON (NaN is no number)."),
        (belt(counts="ten"), "belt: field 'counts' is missing or wrong: 'ten'."),
        (belt(boot="seven"), "belt: field 'boot' is missing or wrong: 'seven'."),
    ],
)
def test_a_refusal_says_what_is_wrong(payload, told):
    with pytest.raises(MalformedMessage) as refusal:
        decode(topics.BELT, payload)
    assert str(refusal.value) == told


def test_a_message_may_have_just_as_many_bytes_as_are_read():
    assert decode(topics.BELT, belt().ljust(topics.MAX_BYTES))["seq"] == 1


TOLD = "é" * topics.MAX_TEXT  # the longest text


@pytest.mark.parametrize(
    ("kind", "taken", "refused"),
    [
        (topics.integer, [0, -5, 2**53 - 1, 1 - 2**53], [2**53, -(2**53), True, 1.0, "1", None]),
        (topics.real, [0, -0.5, 999_999_999_999_999.0], [1e15, -1e15, False, "1", None]),
        (topics.text, ["a", TOLD], ["", TOLD + "a", "\ud800", 1, None]),
        (topics.texts, [[], ["a"] * topics.MAX_LIST], [["a"] * (topics.MAX_LIST + 1), [""], "a", ("a",), None]),
        (
            topics.labels,
            [{}, {"a": TOLD}, {str(n): "a" for n in range(topics.MAX_LIST)}],
            [{"a": ""}, {"": "a"}, {"a": 1}, {str(n): "a" for n in range(topics.MAX_LIST + 1)}, [], None],
        ),
        (
            topics.edges,
            [[], [EDGE], [{**EDGE, "eye": eye} for eye in topics.EYES], [EDGE] * topics.MAX_LIST],
            [[EDGE] * (topics.MAX_LIST + 1), [{**EDGE, "seq": 0.5}], [{**EDGE, "counts": None}], [None], EDGE, None],
        ),
        (topics.evidence, [[], [{}] * topics.MAX_LIST], [[{}] * (topics.MAX_LIST + 1), [1], {}, None]),
        (
            topics.comparisons,
            [[], [{"check": "lot", "agreement": "match"}] * topics.MAX_LIST],
            [
                [{"check": "lot", "agreement": "match"}] * (topics.MAX_LIST + 1),
                [{"check": "lot"}],
                [{"check": "lot", "agreement": "yes"}],
                [{"agreement": "match"}],
                ["match"],
                {},
                None,
            ],
        ),
        (topics.side, ["divert", "pass"], ["", "open", None]),
        (topics.clearable, ["items", "alarms"], ["", "all", None]),
        (topics.challenge, list(topics.CHALLENGES), ["", "double", [], None]),
        (topics.shots, [1, topics.MOST_SHOTS], [0, -1, topics.MOST_SHOTS + 1, True, 1.0, "1", None]),
        (topics.ack, ["accepted", "late", "unknown", "duplicate"], ["", "no", [], None]),
    ],
)
def test_what_a_field_may_hold(kind, taken, refused):
    assert [value for value in taken if not kind(value)] == []
    assert [value for value in refused if kind(value)] == []


@pytest.mark.parametrize("status", ["accepted", "late", "unknown", "duplicate", "yes", [], {}, None, 1])
def test_an_ack_says_one_of_four_things(status):
    payload = json.dumps({"schema": 1, "command": "c", "status": status}).encode()
    if status in ("accepted", "late", "unknown", "duplicate"):
        assert decode(topics.ACK, payload)["status"] == status
    else:
        with pytest.raises(MalformedMessage):
            decode(topics.ACK, payload)


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(payload):
    for topic in topics.TABLE:
        try:
            decode(topic, payload)
        except MalformedMessage:
            continue


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from(topics.TABLE), st.data())
def test_no_field_raises_anything_else(topic, data):
    names = [*topic.required, *topic.optional]
    fields = data.draw(st.dictionaries(st.sampled_from(names), JSON))
    with contextlib.suppress(MalformedMessage):
        decode(topic, json.dumps({"schema": 1, **fields}).encode())


@pytest.mark.parametrize(
    "order",
    [
        EXPECTED,
        Expected("w1", "04000000000017", "order-1"),
        replace(EXPECTED, seller="s", tote="t", attributes=(("colour", "red"), ("size", "L")), scan_counts=-5),
    ],
)
def test_an_order_comes_back_as_it_was_said(order):
    assert expected_of(decode(topics.INDUCT, encode(1, expected_fields(order)))) == order


def test_an_order_with_an_impossible_date_is_refused():
    fields = expected_fields(EXPECTED) | {"expiry": "2026-02-31"}
    with pytest.raises(MalformedMessage, match="2026-02-31") as refusal:
        expected_of(decode(topics.INDUCT, encode(1, fields)))
    assert refusal.value.reason == "field"


LONG = "x" * 500
FOUND = evidence(score=0.5, probability=0.25, exposed_ns=4)
VERDICT = Verdict(
    "i",
    "o",
    -5,
    Disposition.PASS,
    (LONG, "", "why"),
    ("lot (side)",),
    (FOUND,) * 99,
    "r",
    2_000_000,
    None,
    9,
    3_500_000,
    "g",
    "L1",
    (
        Compared("expiry", Agreement.MISMATCH, "2026-12-01", "2027-03-12", LONG, 0.5),
        Compared("lot", Agreement.UNREADABLE, probability=float("inf")),
    ),
)


def said(topic, fields):
    """What the listener reads of it."""
    return decode(topic, encode(1, fields))


def test_a_command_is_said_in_full():
    assert said(topics.COMMAND, command_fields(DivertCommand("c", "i", 1, 2, 3, LONG))) == {
        "seq": 1, "command": "c", "item": "i", "open_counts": 1, "close_counts": 2, "reason": LONG[: topics.MAX_TEXT],
    }  # fmt: skip


@pytest.mark.parametrize(("order", "more"), [(None, {}), ("o", {"order_line": "o", "gtin": "g"})])
def test_a_replacement_is_asked_for_in_full(order, more):
    request = ReplacementRequest("r", "i", order, order and "g", ("why", ""))
    assert said(topics.REPLACEMENT, replacement_fields(request)) == {
        "seq": 1, "request": "r", "item": "i", "reasons": ["why"], **more,
    }  # fmt: skip


def test_a_verdict_is_said_in_full():
    found = {
        "check": "anomaly", "camera": "top", "frame": "f-1", "score": 0.5, "reading": None, "probability": 0.25,
        "because": "anomaly looked", "valid": True,
    }  # fmt: skip
    compared = [
        {"check": "expiry", "agreement": "mismatch", "printed": "2026-12-01", "expected": "2027-03-12",
         "encoded": LONG[:48], "probability": 0.5},
        {"check": "lot", "agreement": "unreadable"},
    ]  # fmt: skip
    assert said(topics.VERDICT, verdict_fields(VERDICT)) == {
        "seq": 1, "item": "i", "order_line": "o", "leading_edge_counts": -5, "disposition": "pass",
        "reasons": [LONG[: topics.MAX_TEXT], "why"], "skipped": ["lot (side)"], "evidence": [found] * topics.MAX_LIST,
        "recipe": "r", "latency_ms": 1.5, "gtin": "g", "lot": "L1", "compared": compared,
    }  # fmt: skip


def test_evidence_says_what_a_reading_is_called_who_says_it_and_what_else_it_may_be():
    rivals = (("2026-04-03", 0.6), (LONG, float("nan")), *((f"r{n}", 0.1) for n in range(9)))
    fields = evidence_fields(evidence("expiry", kind="use_by", source="print", rivals=rivals))
    assert (fields["kind"], fields["source"], fields["rivals"][0]) == ("use_by", "print", ["2026-04-03", 0.6])
    assert fields["rivals"][1] == [LONG[:48], None]
    assert len(fields["rivals"]) == 3


def test_the_longest_verdict_can_be_said():
    text = "x" * 1000
    rivals = tuple((text, 0.123456789) for _ in range(99))
    found = (evidence(text[:30], reading=text[:64], rivals=rivals),) * 99
    told = (Compared("expiry", Agreement.MISMATCH, text, text, text, 0.123456789),) * 99
    verdict = replace(VERDICT, evidence=found, compared=told, reasons=("x" * 200,) * 20)
    assert len(encode(1, verdict_fields(verdict))) <= topics.MAX_BYTES


def test_every_agreement_is_a_word_of_the_table():
    assert {one.value for one in Agreement} == topics.AGREEMENTS


def test_an_ack_is_read():
    assert ack_of({"command": "c", "status": "late"}, 7) == DivertAck("c", "late", 7)


def test_a_number_that_is_none_is_not_said():
    with pytest.raises(ValueError, match="JSON"):
        encode(1, {"speed_mm_per_s": float("nan")})


def test_a_text_that_cannot_be_written_down_is_refused():
    with pytest.raises(MalformedMessage):
        decode(topics.REPLACEMENT_ACK, b'{"schema": 1, "request": "\\ud800", "status": "ok"}')


def test_what_json_cannot_hold_is_left_out_of_a_verdict():
    (fields,) = verdict_fields(
        Verdict("i", None, 0, Disposition.PASS, (), (), (evidence(score=float("-inf")),), "r", 0, None, 0, 0)
    )["evidence"]
    assert fields["score"] is None


def test_commands_are_never_retained_and_only_the_box_writes_them():
    assert not topics.COMMAND.retained
    assert topics.COMMAND.writer == "box"
    assert len({topic.name for topic in topics.TABLE}) == len(topics.TABLE)


@pytest.mark.parametrize("shape", [(4, 6, 3), (4, 6)])
def test_a_frame_comes_back_as_it_was_sent(shape):
    frame = Frame("top", "f-1", 5, 7.5, np.arange(np.prod(shape), dtype=np.uint8).reshape(shape))
    back = decode_frame(encode_frame(frame))
    assert (back.camera, back.frame_id, back.exposed_ns, back.belt_counts) == ("top", "f-1", 5, 7.5)
    assert np.array_equal(back.image, frame.image)
    assert not back.image.flags.writeable


GOOD_HEAD = {"camera": "top", "frame": "f", "exposed_ns": 1, "belt_counts": 1.0, "shape": [2, 2]}


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"frame", b"{}", b""],
        [b"frame", b"no json", b""],
        [b"frame", b"[]", b""],
        [b"frame", json.dumps(GOOD_HEAD).encode(), b"123"],
        [b"frame", json.dumps({**GOOD_HEAD, "shape": [4, -1]}).encode(), b"1234"],
        [b"frame", json.dumps({**GOOD_HEAD, "shape": [1, 1, 4]}).encode(), b"1234"],
        [b"frame", json.dumps({**GOOD_HEAD, "belt_counts": float("inf")}).encode(), b"1234"],
        [b"frame", json.dumps({**GOOD_HEAD, "exposed_ns": 2**63}).encode(), b"1234"],
        [b"frame", json.dumps({**GOOD_HEAD, "exposed_ns": 1.5}).encode(), b"1234"],
        [b"frame", json.dumps({**GOOD_HEAD, "exposed_ns": -1}).encode(), b"1234"],
        [b"frame", json.dumps({**GOOD_HEAD, "shape": "22"}).encode(), b"1234"],
        [b"frame", json.dumps({**GOOD_HEAD, "shape": [4]}).encode(), b"1234"],
        [b"frame", json.dumps({**GOOD_HEAD, "shape": [0, 2]}).encode(), b""],
        [b"frame", json.dumps({**GOOD_HEAD, "shape": [1, 2, 2]}).encode(), b"1234"],
        [b"frame", json.dumps({**GOOD_HEAD, "shape": [1, 2, 2, 1]}).encode(), b"1234"],
    ],
)
def test_what_is_no_frame_is_refused(parts):
    with pytest.raises(MalformedMessage, match=r"a camera node sent no frame: .+") as refusal:
        decode_frame(parts)
    assert refusal.value.reason == "frame"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"exposed_ns": "soon"}, "soon is no time in ns"),
        ({"belt_counts": float("inf")}, "inf is no count"),
        ({"shape": [4, -1]}, r"4 bytes of pixels in the shape \[4, -1\]"),
    ],
)
def test_a_refused_frame_says_what_is_wrong(more, told):
    with pytest.raises(MalformedMessage, match=f"no frame: {told}."):
        decode_frame([b"frame", json.dumps({**GOOD_HEAD, **more}).encode(), b"1234"])


@pytest.mark.parametrize("exposed_ns", [0, 2**63 - 1])
def test_a_frame_may_be_of_any_time(exposed_ns):
    head = {**GOOD_HEAD, "exposed_ns": exposed_ns, "shape": [1, 1]}
    assert decode_frame([b"frame", json.dumps(head).encode(), b"1"]).exposed_ns == exposed_ns


def test_a_frame_that_is_too_large_is_refused():
    pixels = memoryview(bytes(MAX_PIXEL_BYTES + 1))
    head = {**GOOD_HEAD, "shape": [1, len(pixels)]}
    with pytest.raises(MalformedMessage):
        decode_frame([b"frame", json.dumps(head).encode(), pixels])
    head["shape"] = [1, MAX_PIXEL_BYTES]
    assert decode_frame([b"frame", json.dumps(head).encode(), pixels[1:]]).image.size == MAX_PIXEL_BYTES
