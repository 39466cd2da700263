"""`tunnel-edge orders` and `explain` on a real ledger; `check` on a warehouse that is not there."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from edge.core.answers import Outcome, Reply
from edge.records.journal import Journal, entries
from edge.records.outbox import LedgerOutbox
from tests.integration.conftest import free_port
from tests.integration.test_daemon import SETTINGS, check

WAIT_S = 60


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "lane.toml"
    told = {"folder": tmp_path, "broker": 1, "frames": "tcp://127.0.0.1:1", "metrics": 0, "models": "/nowhere"}
    path.write_text(SETTINGS.format(**told))
    journal, outbox = Journal(tmp_path / "state"), LedgerOutbox(tmp_path / "state")
    for name in ("r-good", "r-bad", "r-out", "r-open"):
        request = {"request_id": name, "item_id": f"i-{name}", "order_line": f"o-{name}", "gtin": "1", "reasons": ["x"]}
        born = {"item_id": f"i-{name}", "expected": {"order_line": f"o-{name}", "wms_item": f"w-{name}"}}
        said = [("Item", f"i-{name}", {**born, "leading_edge_counts": 1, "born_ns": 1, "length_mm": None, "purge": "",
                 "slip_counts": 0}), ("ReplacementRequest", f"i-{name}", request)]  # fmt: skip
        journal.append(said, [(name, {"request": name, "item": f"i-{name}", "order_line": f"o-{name}"})])
    outbox.answered(Reply("r-good", Outcome.ACCEPTED, "accepted", "", "mqtt"))
    outbox.answered(Reply("r-out", Outcome.REFUSED, "out of stock", "none before Friday", "http"))
    outbox.given_up("r-bad", "the warehouse says HTTP 400: [no] such order line")
    outbox.close()
    journal.close()
    return path


def run(*words):
    command = [sys.executable, "-m", "edge", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S, check=False, env=None)


def plain(told):
    return " ".join(told.stdout.split())


def kinds(config, request):
    told = [(kind, body) for _, kind, _, body in entries(config.parent / "state")]
    return [kind for kind, body in told if body.get("request") == request]


def test_what_was_given_up_is_listed_first_and_what_is_owed(config):
    told = run("orders", config, "list")
    words = plain(told)
    assert told.returncode == 0, told.stderr
    assert words.index("r-bad") < words.index("r-open")
    assert "r-good" not in words
    assert words.endswith("2 answered, 1 given up, 1 owed")


def test_one_is_shown_whole(config):
    words = plain(run("orders", config, "show", "r-bad"))
    for said in ("given up", "[no] such order line", '"order_line": "o-r-bad"', "ReplacementRequest", "RequestGivenUp"):
        assert said in words
    missing = run("orders", config, "show", "r-9")
    assert (missing.returncode, "no such request" in missing.stderr) == (1, True)


@pytest.mark.parametrize("which", ["r-bad", "all"])
def test_a_named_person_has_it_sent_again_or_closes_it(config, which):
    assert run("orders", config, "retry", which, "--by", "Ada").returncode == 0
    assert kinds(config, "r-bad") == ["RequestGivenUp", "RequestRevived"]
    again = run("orders", config, "retry", "r-bad", "--by", "Ada")
    assert (again.returncode, "owed: there is nothing to retry" in again.stderr) == (1, True)
    closed = run("orders", config, "close", "r-bad", "--by", "Ada", "--why", "sent by hand")
    assert closed.returncode == 0, closed.stderr
    assert kinds(config, "r-bad")[-1] == "RequestClosed"
    answered = run("orders", config, "retry", "r-out", "--by", "Ada")
    assert (answered.returncode, "answered: there is nothing to retry" in answered.stderr) == (1, True)


def test_nobody_acts_without_a_name(config):
    assert run("orders", config, "retry", "r-bad").returncode == 2
    assert run("orders", config, "close", "r-bad", "--by", "Ada").returncode == 2


def test_explain_tells_what_the_warehouse_said(config):
    told = json.loads(run("explain", config, "o-r-out", "--json").stdout)
    words = [line["words"] for line in told]
    assert "the warehouse says out of stock: none before Friday, by http, after 0 tries" in words
    assert any("answered: out of stock (none before Friday)" in one for one in words)
    bad = json.loads(run("explain", config, "o-r-bad", "--json").stdout)
    assert any("given up after 0 tries" in line["words"] for line in bad)


def test_check_names_a_warehouse_that_is_not_there(config):
    config.write_text(config.read_text() + f'[warehouse]\nurl = "http://127.0.0.1:{free_port()}"\n')
    told = check(config)
    assert told.returncode == 1
    assert "no warehouse answers" in told.stderr


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('url = "http://wms.example/x"', "is another machine"),
        ('url = "https://user:word@wms.example"', "url"),
        ('url = "ftp://wms.example"', "url"),
        ('ca = "/ca.pem"', "https:"),
        ('url = "https://wms.example"\nkey = "/k"', "go together"),
        ("give_up_after = 1", "give_up_after"),
        ('uri = "https://wms.example"', "did you mean 'url'"),
    ],
)
def test_settings_that_cannot_be_meant(config, lines, said):
    config.write_text(config.read_text() + f"[warehouse]\n{lines}\n")
    told = check(config)
    assert (told.returncode, said in told.stderr) == (1, True), told.stderr
