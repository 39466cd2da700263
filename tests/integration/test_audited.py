"""A real daemon's journal: who did what, what it ran with, and that it holds while it runs and after a kill."""

import json
import re
import signal

import pytest

from tests.integration.test_daemon import Site, items, operate, run_lane, state, wait_for


@pytest.fixture
def site(tmp_path, broker, endpoint):
    return Site(tmp_path, broker.port, endpoint)


def bodies(site, kind):
    return [body for said, body in site.said() if said == kind]


def holds(site, *words):
    told = operate("audit", site.config, "verify", "--json", "--evidence", *words)
    assert told.stderr.strip() == ""
    return told.returncode, json.loads(told.stdout)


def test_who_did_what_and_with_what_it_ran_stands_in_a_journal_that_holds(site, broker):
    with site.daemon() as running:
        assert wait_for(lambda: "Execute" in state(broker))
        run_lane(site, broker, items(site.folder, 3))
        assert operate("hold", site.config, "--by", "Ann", "--why", "the belt").returncode == 0
        assert operate("clear", site.config, "alarms", "--by", "Ben").returncode == 0
        assert operate("complaint", site.config, "--order-line", "o-1", "--by", "Cleo", "--why", "torn").returncode == 0
        assert wait_for(lambda: len(bodies(site, "PersonActed")) == 2)
        running.send_signal(signal.SIGHUP)
        assert wait_for(lambda: bodies(site, "SettingsRead"))
        assert (running.poll(), holds(site)[0]) == (None, 0), "while it runs"
        running.kill()
    assert holds(site)[0] == 0, "after a kill"
    site.config.write_text(site.config.read_text().replace("reject_at = 1.0", "reject_at = 1.5"))
    with site.daemon():
        assert wait_for(lambda: "Execute" in state(broker))
        assert re.search(r"tunnel_audit_sealed_entry [1-9]", site.scraped())
        assert "tunnel_audit_seal_failures_total 0.0" in site.scraped()
    code, said = holds(site)
    assert (code, said["breaks"], [one for one in said["notes"] if "key" not in one]) == (0, [], [])
    heads = re.findall(r"sealed \d+: head (\d+:\w+)", site.log())
    assert holds(site, *(word for head in heads for word in ("--head", head)))[0] == 0
    first, second = bodies(site, "DaemonStarted")
    assert (first["changed"], second["changed"].keys()) == ({}, {"recipe.rule"})
    assert first["settings_sha256"] != second["settings_sha256"]
    assert {"by", "version", "models", "key"} <= first.keys()
    assert bodies(site, "DaemonStopped")[0]["why"] == "the daemon was told to stop"
    acts = [(one["by"], one["what"], one["why"]) for one in bodies(site, "PersonActed")]
    assert acts == [("Ann", "hold", "the belt"), ("Ben", "clear", "alarms")]
    told = operate("audit", site.config, "log").stdout
    assert all(name in told for name in ("Ann", "Ben", "Cleo", "DaemonStarted", "SettingsRead"))
