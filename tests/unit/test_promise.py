"""What a product's normal pictures can promise, alone and with the help of others."""

import numpy as np
import pytest

from edge.core.errors import ReferencesRefused
from edge.inspection.promise import LARGEST, PRODUCTS, Promise, load_pool, remember

OWN = np.linspace(0.5, 1.0, 99)
FEW = np.linspace(0.5, 1.0, 9)  # their middle is 0.75


@pytest.mark.parametrize(
    ("held_out", "pooled", "p"),
    [
        (OWN, 0, 0.01),  # its own are enough
        (np.append(OWN, np.inf), 0, None),  # one of them may have been a defect
        (np.append(np.linspace(0.5, 1, 198), np.inf), 0, 0.01),
        (FEW, 0, None),
        (FEW, 98, None),
        (FEW, 99, 0.01),  # others lend their tail
        (FEW[:7], 99, None),  # its own do not tell where its middle lies
        (np.zeros(9), 99, None),
    ],
)
def test_too_few_pictures_promise_nothing(held_out, pooled, p):
    promise = Promise(0.01, np.linspace(0.5, 1.5, pooled))
    assert promise.p_value(2.0, held_out) == p
    assert "1.00%" in promise.lacking(held_out)


def test_the_pool_is_asked_in_multiples_of_the_products_own_middle():
    promise = Promise(0.1, np.arange(1, 10) / 5)
    assert promise.p_value(1.5 * 0.75, FEW[:8]) > promise.p_value(1.9 * 0.75, FEW[:8]) == 0.1


def test_a_pool_holds_each_product_once(tmp_path):
    assert load_pool(tmp_path, "top", "m").size == 0
    for gtin, scores in (("04000000000017", FEW), ("04000000000024", 2 * FEW), ("04000000000017", FEW)):
        remember(tmp_path, gtin, "top", scores, "m")
    remember(tmp_path, "04000000000031", "top", FEW[:3], "m")  # too few to know its middle
    assert load_pool(tmp_path, "top", "m").size == 0  # two products do not tell how products differ
    for number in range(PRODUCTS):
        remember(tmp_path, f"{number:014d}", "top", FEW, "m")
    pool = load_pool(tmp_path, "top", "m")
    assert (len(pool), float(np.median(pool))) == (18 + 9 * PRODUCTS, 1.0)
    assert (np.diff(pool) >= 0).all()


def test_a_pool_keeps_the_newest(tmp_path):
    for number in range(PRODUCTS + 1):
        remember(tmp_path, f"{number:014d}", "top", np.ones(LARGEST // PRODUCTS), "m")
    assert len(load_pool(tmp_path, "top", "m")) == LARGEST


def test_a_damaged_pool_is_refused_when_read_and_made_anew_when_written(tmp_path):
    (tmp_path / "top.pool.npz").write_bytes(b"nothing")
    with pytest.raises(ReferencesRefused):
        load_pool(tmp_path, "top", "m")
    for number in range(PRODUCTS):
        remember(tmp_path, f"{number:014d}", "top", FEW, "m")
    assert len(load_pool(tmp_path, "top", "m")) == 9 * PRODUCTS
    with pytest.raises(ReferencesRefused):
        load_pool(tmp_path, "top", "another model")
