"""A real daemon keeps what it saw; a person finds it, shows it, exports it, and notes a complaint."""

import json
import zipfile
from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge.records.evidence.index import of_item, picture
from tests.integration.test_daemon import Site, ended, items, operate, run_lane, state, wait_for


@pytest.fixture
def site(tmp_path, broker, endpoint):
    return Site(tmp_path, broker.port, endpoint)


def drawn(folder, number):
    path = folder / f"item-{number}.png"
    chance = np.random.default_rng(number)
    cv2.imwrite(str(path), cv2.resize(chance.integers(0, 255, (9, 16, 3), np.uint8), (160, 90)))
    return path


def evidence(site, *words):
    ran = operate("evidence", site.config, *words)
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran


def test_what_left_the_building_is_found_shown_exported_and_kept_when_a_customer_complains(site, broker):
    planned = [replace(one, pictures={"top": drawn(site.folder, n)}) for n, one in enumerate(items(site.folder, 3))]
    with site.daemon():
        assert wait_for(lambda: "Execute" in state(broker))
        run_lane(site, broker, planned)
        assert wait_for(lambda: len(ended(site)) == 3)
        assert wait_for(lambda: "tunnel_evidence_kept_total 3.0" in site.scraped())
        assert (
            operate("complaint", site.config, "--order-line", "o-1", "--by", "Kim", "--why", "dented").returncode == 0
        )
        [found] = json.loads(evidence(site, "find", "--order-line", "o-1", "--json").stdout)
        assert (found["order_line"], found["verdict"], found["pictures"]) == ("o-1", "no_decision", 1)
        kinds = [kind for kind, body in site.said() if body.get("item_id") == found["item"]]
        assert kinds[-1] == "Disputed"
    [crop] = of_item(site.folder / "state", found["item"])
    shown = cv2.imdecode(np.frombuffer(picture(site.folder / "state", crop.sha256), np.uint8), cv2.IMREAD_COLOR)
    assert cv2.PSNR(shown, cv2.imread(str(planned[1].pictures["top"]))) > 30
    told = json.loads(evidence(site, "show", found["item"], "--json", "--html", site.folder / "page.html").stdout)
    assert [one["sha256"] for one in told["pictures"]] == [crop.sha256]
    assert "data:image/jpeg;base64," in (site.folder / "page.html").read_text()
    claim = site.folder / "claim.zip"
    assert "3 items, 3 pictures" in evidence(site, "export", "--gtin", "04012345678901", "--out", claim).stdout
    assert evidence(site, "check", claim).stdout == f"{claim}: whole\n"
    with zipfile.ZipFile(claim, "a") as archive:
        archive.writestr("items/x/item.json", "{}")
    assert (evidence(site, "check", claim).returncode, "was added" in evidence(site, "check", claim).stdout) == (
        1,
        True,
    )


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("show", "nobody"), "no journal can be read there"),
        (("export", "--lot", "L", "--out", "x.zip"), "no item is found so"),
        (("check", "nowhere.zip"), "cannot be read as an archive"),
        (("find", "--from", "yesterday"), "invalid _wall_ns value"),
    ],
)
def test_what_cannot_be_had_says_why(site, words, why):
    ran = evidence(site, *words)
    assert ran.returncode != 0
    assert why in ran.stderr
