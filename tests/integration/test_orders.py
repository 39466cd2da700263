"""A short run of `bench.orders`: a real daemon, broker and warehouse, killed while items run."""

from __future__ import annotations

import pytest

from bench.orders import run_for
from bench.orders_reckoned import reckon


@pytest.mark.timeout(400)  # of a busy machine
@pytest.mark.parametrize("transport", ["http", "mqtt"])
def test_never_asked_twice_never_forgotten(tmp_path, transport):
    run = run_for(tmp_path, 0.6, 2, transport, 3, warehouse_kills=2)
    found = reckon(tmp_path / "state", tmp_path / "truth.json", run.site.shelf, run.done, run.samples)
    assert found["good"], found
    assert found["owed"] > 0
    assert found["struck"] == {"daemon": 2, "warehouse": 2, "stopped": 2}
    assert found["books"]["violations"] == 0
