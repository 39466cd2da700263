"""What a box and a node say to each other: comes back as it was said; anything else is refused and breaks nothing."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.errors import MalformedMessage
from edge.core.frames import Sent, decode_sent, encode_sent
from edge.core.nodes import (
    MAX_CAMERAS,
    MAX_NEAR,
    MAX_WORD_BYTES,
    Answer,
    CameraState,
    Got,
    Near,
    Place,
    Watched,
    Word,
    decode_answer,
    decode_got,
    decode_word,
    encode_answer,
    encode_got,
    encode_word,
)

WORD = Word(5, "box-1", Place(4, -3, 7.5, 600.0, 10.0, {"top": Watched(60.0, 60.0, (Near(5000.0, 200.0, 99),))}))
ANSWER = Answer(5, 6, 7, "abc", "box-1", 2, {"top": CameraState("", False, 1, 2, 3)})
SENT = Sent("top", "abc", 3, 17, 8, 99, np.arange(24, dtype=np.uint8).reshape(2, 4, 3), (1, 2), (3, 6), "black")
nonsense = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)


def test_all_comes_back_as_it_was_said():
    assert decode_word(encode_word(WORD)[1]) == WORD
    assert decode_word(encode_word(Word(5, "box-1", None))[1]) == Word(5, "box-1", None)
    assert decode_answer(encode_answer(ANSWER)[1]) == ANSWER
    assert decode_got(encode_got(Got("top", 3, 0.5))[1]) == Got("top", 3, 0.5)


def test_a_frame_comes_back_as_it_was_sent():
    back = decode_sent(encode_sent(SENT))
    assert all(getattr(back, key) == getattr(SENT, key) for key in SENT.__slots__ if key != "image")
    assert np.array_equal(back.image, SENT.image)
    assert not back.image.flags.writeable


def changed(encoded, *path, to):
    fields = json.loads(encoded)
    inner = fields
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("asked_ns",), -1),
        (("asked_ns",), True),
        (("asked_ns",), 1.5),
        (("place",), 5),
        (("place",), []),
        (("place", "counts"), float("nan")),
        (("place", "counts"), 10**400),
        (("place", "counts_per_mm"), 0),
        (("place", "offset_ns"), 2**63),
        (("place", "cameras"), None),
        (("place", "cameras"), {f"c{n}": {} for n in range(MAX_CAMERAS + 1)}),
        (("place", "cameras"), {"x" * 65: {"reach_mm": 1, "apart_mm": 1, "near": []}}),
        (("place", "cameras", "top", "near"), [None]),
        (("place", "cameras", "top", "near"), [{}] * (MAX_NEAR + 1)),
        (("place", "cameras", "top", "near", 0, "length_mm"), -1),
        (("place", "cameras", "top", "near", 0, "deadline_ns"), None),
    ],
)
def test_a_word_with_a_strange_field_is_refused(path, to):
    with pytest.raises(MalformedMessage, match="a box sent no word"):
        decode_word(changed(encode_word(WORD)[1], *path, to=to))


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("heard_ns",), "7"),
        (("life",), ""),
        (("life",), 5),
        (("refused",), -1),
        (("cameras",), []),
        (("cameras", "top"), None),
        (("cameras", "top", "fault"), 5),
        (("cameras", "top", "sent"), True),
    ],
)
def test_an_answer_with_a_strange_field_is_refused(path, to):
    with pytest.raises(MalformedMessage, match="sent no answer"):
        decode_answer(changed(encode_answer(ANSWER)[1], *path, to=to))


@pytest.mark.parametrize(
    ("path", "to"),
    [(("at_px",), at) for at in ([2, 0], [0, 3], [-1, 0], [0], None, [0.5, 0], [True, 0])]
    + [(("whole_px",), whole) for whole in ([3, 5], [2, 6], [1, 1], "36", [10**6, 10**6])]
    + [(("camera",), 5), (("number",), -1), (("exposure",), 0.5), (("expires_ns",), None), (("fault",), [])]
    + [(("shape",), shape) for shape in ([2, 4], [2, 12, 1], [24], "224", None, [-2, -12])],
)
def test_a_frame_with_a_strange_field_is_refused(path, to):
    topic, head, pixels = encode_sent(SENT)
    with pytest.raises(MalformedMessage, match="sent no frame"):
        decode_sent([topic, changed(head, *path, to=to), pixels])


@pytest.mark.parametrize("decode", [decode_word, decode_answer, decode_got])
@given(body=st.binary(max_size=60) | nonsense.map(lambda one: json.dumps(one).encode()))
def test_nonsense_is_refused_and_raises_nothing_else(decode, body):
    with pytest.raises(MalformedMessage):
        decode(body)


@pytest.mark.parametrize("decode", [decode_word, decode_answer, decode_got])
def test_what_is_too_big_or_too_deep_is_refused(decode):
    for body in (b" " * MAX_WORD_BYTES + b"{}", b"[" * 50_000, b""):
        with pytest.raises(MalformedMessage):
            decode(body)


def test_what_is_said_for_a_person_is_cut():
    told = Answer(5, 6, 7, "abc", "", 2, {"top": CameraState("x" * 10_000, False, 1, 2, 3)})
    assert len(decode_answer(encode_answer(told)[1]).cameras["top"].fault) == 400
