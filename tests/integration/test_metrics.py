"""What Prometheus gets: its own tools and a real one look at a real daemon, the alert rules and the dashboard."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager

import pytest

from edge.core.messages import End
from edge.settings import ROOT
from tests.integration.conftest import free_port
from tests.integration.test_daemon import Site, items, run_lane, state, wait_for

RULES = ROOT / "systemd" / "prometheus" / "tunnel-edge.rules.yml"
DASHBOARD = json.loads((ROOT / "systemd" / "grafana" / "tunnel-edge.json").read_text())
NAME = re.compile(r"\b(?:tunnel|process)_[a-z0-9_]+\b(?!:)")
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"
PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: tunnel-edge
    static_configs: [{{targets: ["127.0.0.1:{lane}"]}}]
"""


@pytest.fixture
def site(tmp_path, broker, endpoint):
    """A lane that has a shelf for its calibrations and an archive, too."""
    site = Site(tmp_path, broker.port, endpoint)
    with site.config.open("a") as settings:
        settings.write(f'[calibration]\nfolder = "{tmp_path}/calibrations"\n[ledger]\narchive = "{tmp_path}"\n')
    return site


def promtool(*words, given=None):
    tool = shutil.which("promtool") or pytest.fail("promtool is not installed: run `make setup`")
    return subprocess.run([tool, *map(str, words)], input=given, capture_output=True, text=True, check=False)


def expressions():
    """Of every panel, as Prometheus would get them."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")


def names(expression):
    """Of the metrics in it, without the endings of histograms and counters."""
    return {re.sub(r"_(bucket|count|total)$", "", name) for name in NAME.findall(expression)}


@contextmanager
def prometheus(folder, lane_port):
    program = shutil.which("prometheus") or pytest.fail("prometheus is not installed: run `make setup`")
    (folder / "prometheus.yml").write_text(PROMETHEUS.format(rules=RULES, lane=lane_port))
    port = free_port()
    words = (f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb")
    with (folder / "prometheus.log").open("w") as log:
        running = subprocess.Popen([program, *words, f"--web.listen-address=127.0.0.1:{port}"], stderr=log, stdout=log)
    try:
        yield lambda path, **query: asked(port, path, query)
    finally:
        running.terminate()
        running.wait(30)


def asked(port, path, query):
    """What its API says; its fault as a text; None while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}?{urllib.parse.urlencode(query)}") as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        return error.read().decode()
    except OSError:
        return None


def test_rules_are_sound_and_each_alert_fires_on_its_fault():
    checked = promtool("check", "rules", RULES)
    assert checked.returncode == 0, checked.stderr
    tested = promtool("test", "rules", RULES.with_name("tunnel-edge.tests.yml"))
    assert tested.returncode == 0, tested.stdout + tested.stderr
    fired = set(re.findall(r"alertname: (\w+)\n\s+exp_alerts", RULES.with_name("tunnel-edge.tests.yml").read_text()))
    assert fired == set(re.findall(r"alert: (\w+)", RULES.read_text()))


def test_every_alert_has_a_page_in_the_runbook():
    pages = {line[3:].lower() for line in (ROOT / "docs" / "runbook.md").read_text().splitlines() if line[:3] == "## "}
    assert pages == set(re.findall(r"runbook: docs/runbook.md#(\w+)", RULES.read_text()))


def test_a_real_prometheus_scrapes_a_lane_and_finds_all_that_rules_and_dashboard_ask_for(site, broker):
    with site.daemon(), prometheus(site.folder, site.metrics) as ask:
        assert wait_for(lambda: "Execute" in state(broker))
        run_lane(site, broker, items(site.folder, 3))
        assert wait_for(lambda: counted(ask("query", query="sum(tunnel_items_inducted_total)")) == [3.0])
        targets = ask("targets")["activeTargets"]
        assert [(one["health"], one["lastError"]) for one in targets] == [("up", "")]
        for expression in expressions():
            answer = ask("query", query=expression)
            assert isinstance(answer, dict), f"{expression}: {answer}"
        metrics = site.scraped()
        exemplars = site.scraped(OPEN_METRICS)
    linted = promtool("check", "metrics", given=metrics)
    assert (linted.returncode, linted.stderr) == (0, "")
    told = {re.sub(r"_total$", "", name) for name in re.findall(r"# TYPE (\S+)", metrics)}
    wanted = set().union(*map(names, [*expressions(), RULES.read_text()]))
    assert wanted <= told, wanted - told
    assert set(re.findall(r'tunnel_items_ended_total{end="(\w+)"}', RULES.read_text() + metrics)) == set(End)
    assert re.search(r'tunnel_item_latency_seconds_bucket{.*} 3\.0 # {item="lane-\w+-00000\d"}', exemplars)


def counted(data):
    return [float(one["value"][1]) for one in data["result"]] if data else []
