"""What comes from outside is read whole or refused with a reason; what we say can be read."""

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core import topics
from edge.core.errors import MalformedMessage
from edge.core.frames import decode_frame, encode_frame
from edge.core.messages import Disposition, DivertCommand, Frame, ReplacementRequest, Verdict
from edge.core.wire import (
    command_fields,
    decode,
    edges_of,
    encode,
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


def test_an_order_comes_back_as_it_was_said():
    assert expected_of(decode(topics.INDUCT, encode(1, expected_fields(EXPECTED)))) == EXPECTED


def test_an_order_with_an_impossible_date_is_refused():
    fields = expected_fields(EXPECTED) | {"expiry": "2026-02-31"}
    with pytest.raises(MalformedMessage, match="2026-02-31"):
        expected_of(decode(topics.INDUCT, encode(1, fields)))


@pytest.mark.parametrize(
    ("topic", "fields"),
    [
        (topics.COMMAND, command_fields(DivertCommand("c", "i", 1, 2, 3, "x" * 500))),
        (topics.REPLACEMENT, replacement_fields(ReplacementRequest("r", "i", None, None, ("why",)))),
        (
            topics.VERDICT,
            verdict_fields(
                Verdict("i", None, 0, Disposition.PASS, ("x" * 500,), (), (evidence(),) * 99, "r", 0, None, 9, 9)
            ),
        ),
    ],
)
def test_what_we_say_obeys_our_own_table(topic, fields):
    assert decode(topic, encode(1, fields)).keys() <= {*topic.required, *topic.optional, "seq"}


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
        [b"frame", json.dumps({**GOOD_HEAD, "shape": "22"}).encode(), b"1234"],
    ],
)
def test_what_is_no_frame_is_refused(parts):
    with pytest.raises(MalformedMessage):
        decode_frame(parts)
