"""Totes of no known type are proposed once enough of them look alike."""

from __future__ import annotations

import pytest

from edge.core.tote_strangers import ENOUGH, MOST, Stranger, Strangers

GREEN = Stranger(600.0, 400.0, (45.0, -40.0, 25.0))
RED = Stranger(600.0, 400.0, (45.0, 50.0, 30.0))
SMALL = Stranger(400.0, 300.0, (45.0, -40.0, 25.0))


def _after(*seen: Stranger) -> Strangers:
    strangers = Strangers()
    for one in seen:
        strangers, _ = strangers.seen(one)
    return strangers


@pytest.mark.parametrize(
    ("seen", "proposed"),
    [
        ((), 0),
        ((GREEN,) * (ENOUGH - 1), 0),
        ((GREEN,) * ENOUGH, 1),
        ((GREEN, RED, SMALL) * (ENOUGH - 1), 0),
        ((GREEN, RED, SMALL) * ENOUGH, 3),
    ],
)
def test_a_type_is_proposed_once_enough_look_alike(seen: tuple[Stranger, ...], proposed: int) -> None:
    assert len(_after(*seen).proposals) == proposed


def test_a_proposal_is_the_middle_of_what_was_seen() -> None:
    near = [Stranger(600.0 + off, 400.0, (45.0 + off, -40.0, 25.0)) for off in (-2, 0, 2, 0) * 2]
    (one,) = _after(*near).proposals
    assert (one.looks.length_mm, one.looks.rim_lab[0], one.frames) == pytest.approx((600, 45, 8))
    assert one.says.startswith("8 totes of no known type, about 600 × 400 mm")


def test_groups_are_few_and_those_seen_least_go() -> None:
    odd = [Stranger(200.0 + 20 * number, 150.0, (50.0, 0.0, 0.0)) for number in range(3 * MOST)]
    strangers = _after(*[GREEN] * ENOUGH, *odd)
    assert len(strangers.groups) == MOST
    assert [one.looks for one in strangers.proposals] == [GREEN]
