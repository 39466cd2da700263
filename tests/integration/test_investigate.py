"""A real daemon's ledger and evidence, and what is said of what left."""

import json

import cv2
import pytest

from edge.inspection.references import References
from edge.inspection.session import Session, newest
from edge.settings import ROOT
from edge.simulator.plan import PlannedItem
from tests.integration.test_daemon import Site, ended, operate, run_lane, wait_for
from tests.unit.test_changes import label

GTIN = "04012345678901"


@pytest.fixture
def site(tmp_path, broker, endpoint):
    return Site(tmp_path, broker.port, endpoint)


def planned(folder):
    """Three sound ones, and a torn one whose replacement comes through the tunnel too."""
    for seed, look in ((30, "usual"), (31, "usual"), (32, "usual"), (50, "torn"), (33, "usual")):
        path = folder / f"{seed}.png"
        cv2.imwrite(str(path), label(seed, look).image)
        line = "torn" if seed in (50, 33) else f"o-{seed}"
        yield PlannedItem(f"w-{seed}", GTIN, line, 120.0, {"top": path})


LEFT = {"passed": {"left_nothing_found", "left_in_doubt"}, "diverted": {"never_left"}, "no_decision": {"never_left"}}
"""By an item's end: a drawn one may look a little odd; what a busy machine leaves undecided is diverted."""


def test_what_left_and_what_did_not_is_answered_from_the_ledger(site, broker):
    session = Session.load(newest(ROOT / "models", "backbone"))
    References.build([label(seed) for seed in range(12)], session).save(site.folder / "references" / GTIN / "top.npz")
    site.config.write_text(site.config.read_text().replace("reject_at = 1.0", "reject_at = 1.6"))
    with site.daemon():
        run_lane(site, broker, list(planned(site.folder)))
        assert wait_for(lambda: len(ended(site)) == 5)
    page = site.folder / "page.html"  # at its end the daemon has kept all that was looked at
    asked = operate("investigate", site.config, "--order-line", "torn", "--json", "--html", page)
    assert asked.returncode == 0, asked.stderr
    first, second = json.loads(asked.stdout)["items"]
    assert first["left"] == "never_left"
    assert second["left"] in LEFT[ended(site)[-1]]
    assert any("A replacement was asked for (request" in one["words"] for one in first["after"])
    assert {one["what"] for one in second["pictures"]} <= {"crop", "heat_map"}
    assert page.read_text().count("<section") == 2
    cited = {source["name"] for one in (first, second) for said in one["then"] for source in said["sources"]}
    kinds = {str(number): kind for number, (kind, _) in enumerate(site.said(), 1)}
    crops = [
        one for kind, body in site.said() if kind == "EvidenceKept" for one in body["pictures"] if one["what"] == "crop"
    ]
    assert crops
    assert all(len(one["outline"]) >= 3 for one in crops)
    assert "Verdict" in {kinds[one] for one in cited} <= {"Evidence", "Verdict"}


def test_a_command_that_finds_nothing_says_so_without_a_traceback(site):
    asked = operate("investigate", site.config, "--order-line", "nobody")
    assert (asked.returncode, "Traceback" in asked.stderr) == (1, False)
