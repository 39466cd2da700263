"""Old days are put away beside a real daemon: it goes on, starts again, and every entry is here or in the archive."""

import time

import pytest

from edge.records.archiving import Wanted
from edge.records.audit_key import PUBLIC, known
from edge.records.journal import rows
from edge.records.proof import prove
from edge.records.put_away import put_away
from edge.records.restored import restore
from tests.integration.test_daemon import Site, ended, items, run_lane, state, wait_for


@pytest.fixture
def site(tmp_path, broker, endpoint):
    site = Site(tmp_path, broker.port, endpoint)
    with site.config.open("a") as settings:
        settings.write("[evidence]\nmost_gb = 0\n[audit]\nseal_every_s = 1\n")
    return site


def run(site, broker, count):
    before = len(ended(site)) if (site.folder / "state" / "ledger.sqlite").exists() else 0
    run_lane(site, broker, items(site.folder, count))
    assert wait_for(lambda: len(ended(site)) == before + count)


def test_it_is_put_away_beside_a_running_daemon_that_then_starts_again(site, broker):
    lane, archive, away = site.folder / "state", site.folder / "archive", []
    archive.mkdir()
    with site.daemon():
        assert wait_for(lambda: "Execute" in state(broker))
        run(site, broker, 4)
    with site.daemon() as running:
        assert wait_for(lambda: "Execute" in state(broker))
        before = list(rows(lane, 1, None))
        away += put_away(
            lane, Wanted(archive, "site/lane", "Ann", known(lane, None), time.time_ns(), segment=10, restart=10)
        )
        run(site, broker, 4)
        assert running.poll() is None
    assert away
    there = {row[0]: row for row in rows(lane, 1, None)}
    assert sum(entry <= away[-1].to for entry in there) == away[-1].kept < away[-1].to
    with site.daemon():
        assert wait_for(lambda: "Execute" in state(broker))
    key = (lane / PUBLIC).read_text().strip()
    assert prove(lane, [key]).breaks == prove(lane, [key], archive=archive).breaks == []
    restore(list(archive.iterdir()), site.folder / "again")
    assert [*rows(site.folder / "again", 1, None)][: away[-1].to] == before[: away[-1].to]
    assert all(there[row[0]] == row for row in before if row[0] > away[-1].to)
