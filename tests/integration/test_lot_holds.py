"""A bad lot on a real lane: held, the rest of it diverted without a look, through a kill, until it is released."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

from edge.inspection.locate import whole
from edge.inspection.references import References
from edge.inspection.session import Session, newest
from edge.records.outbox import outbox
from edge.settings import ROOT
from edge.simulator.plan import Plan, PlannedItem
from edge.simulator.run import simulate
from tests.integration.test_daemon import LANE, WAIT_S, Site, operate, state, wait_for
from tests.unit.test_changes import label

GTIN = "04012345678901"


@pytest.fixture
def site(tmp_path, broker, endpoint):
    one = Site(tmp_path, broker.port, endpoint)
    one.config.write_text(one.config.read_text() + "[lots]\nusual_share = 0.01\n")
    session = Session.load(newest(ROOT / "models", "backbone"))
    sound = [lying(seed) for seed in range(12)]
    References.build([whole(image) for image in sound], session).save(tmp_path / "references" / GTIN / "top.npz")
    for number, image in enumerate(sound):
        cv2.imwrite(str(tmp_path / f"sound-{number}.png"), image)
        cv2.imwrite(str(tmp_path / f"bad-{number}.png"), lying(20 + number, "sticker"))
    return one


def lying(seed, look="usual"):
    """A label, each in another place: a camera that shows the same picture again and again is not believed."""
    return np.roll(label(seed, look).image, 12 * (seed % 6), axis=1)


class Feeder:
    """Sends items of a lot down the lane, and says how they ended and whether anybody looked."""

    def __init__(self, site, broker):
        self.site, self.broker, self.sent = site, broker, 0

    def send(self, looks):
        """looks: the lot and the picture of each item."""
        planned = []
        for lot, picture in looks:
            self.sent += 1
            picture = self.site.folder / f"{picture}-{self.sent % 12}.png"
            planned.append(PlannedItem(f"w-{self.sent}", GTIN, f"o-{self.sent}", 120.0, {"top": picture}, lot=lot))
        plan = Plan("site", "lane", LANE, tuple(planned), speed_mm_per_s=400, items_per_minute=90)
        simulate(plan, self.broker.host, self.broker.port, self.site.frames, self.site.folder / "truth.json")
        assert wait_for(lambda: len(self.ends()) == self.sent)
        return self.ends()[-len(planned) :]

    def ends(self):
        """The end of each item in the order of their coming, and whether it was looked at."""
        said = self.site.said()
        looked_at = {body["item_id"] for kind, body in said if kind == "Evidence"}
        born = list(dict.fromkeys(body["item_id"] for kind, body in said if kind == "Item"))
        ended = {body["item_id"]: body["end"] for kind, body in said if kind == "ItemEnd"}
        return [(ended[one], one in looked_at) for one in born if one in ended]


@contextmanager
def daemon(site, broker):
    """Ended by `kill -9`."""
    words = [sys.executable, "-m", "edge", "run", str(site.config)]
    with (site.folder / "log").open("a") as log, subprocess.Popen(words, stderr=log) as running:
        try:
            assert wait_for(lambda: "Execute" in state(broker))
            yield
        finally:
            running.kill()
            running.wait(WAIT_S)


def told(site, wanted):
    return [body for kind, body in site.said() if kind == wanted]


@pytest.mark.timeout(480)  # of a busy machine
def test_a_bad_lot_is_held_through_a_kill_until_a_named_person_releases_it(site, broker):
    feeder = Feeder(site, broker)
    with daemon(site, broker):
        assert feeder.send([("L1", "bad")] * 5) == [("diverted", True)] * 5, told(site, "Verdict")
        (hold,) = told(site, "LotHold")
        assert (hold["group"]["told"], hold["items"], hold["rejected"], hold["order_lines"]) == ("L1", 5, 5, [])
        (heard,) = json.loads((site.folder / "truth.json").read_text())["holds"]
        assert (heard["request"], heard["lot"], heard["times"]) == (hold["hold_id"], "L1", 1)
        assert feeder.send([("L1", "sound"), ("L2", "sound")] * 2) == [("no_decision", False), ("passed", True)] * 2
        metrics = site.scraped()
        assert {'tunnel_lot_holds_total{kind="lot"} 1.0', "tunnel_lots_held 1.0"} <= set(metrics.splitlines())
    with daemon(site, broker):
        assert feeder.send([("L1", "sound")]) == [("no_decision", False)]
        demand_release(site)
        assert feeder.send([("L1", "sound")]) == [("passed", True)]
        assert wait_for(lambda: None not in outbox(site.folder / "state").values())
    (release,) = told(site, "LotRelease")
    assert (release["by"], release["hold_id"]) == ("Ada", hold["hold_id"])
    assert len(outbox(site.folder / "state")) == 1 + 5 + 2 + 1  # the hold, and one for each that went off
    reasons = [body["reasons"][0] for body in told(site, "ReplacementRequest")]
    assert [one.startswith(f"held: lot L1 of {GTIN}") for one in reasons] == [False] * 5 + [True] * 3


def demand_release(site):
    listed = operate("lots", site.config, "list")
    assert "lot L1 of" in " ".join(listed.stdout.split()), listed
    refused = operate("lots", site.config, "release", "L2", "--by", "Ada")
    assert (refused.returncode, "'L2' names 0 holds" in refused.stderr) == (1, True)
    released = operate("lots", site.config, "release", "L1", "--by", "Ada")
    assert (released.returncode, released.stderr) == (0, "")
