"""A real lane's ledger in a lake, asked as sellers' teams ask; the same over S3; an exporter that is killed."""

import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime

import duckdb
import pytest
from moto.server import ThreadedMotoServer
from rich.console import Console

from edge.demo import stage
from edge.demo.main import simulator_command
from edge.demo.scene import drawn
from edge.demo.settings import LANE, SITE, geometry, lane_toml
from edge.lake.export import Lane, export
from edge.lake.journal import Bounds
from edge.lake.page import dictionary
from edge.lake.store import at
from edge.lake.verify import verify
from edge.records.journal import Journal, entries
from edge.settings import ROOT
from edge.simulator.plan import Plan, write_plan
from edge.teach import learn_belts

PAGE = (ROOT / "docs" / "lake.md").read_text()
ITEMS, RATE, WAIT_S = 14, 24, 30.0
SPEED_MM_PER_S = 120.0  # eight seconds to read a print in, on a machine that is busy with other tests
ROUNDS = 6  # an exporter is killed
LEAST_DAYS = 400  # some of the drawn packages have fewer left
SQL = dict(re.findall(r"### ([^\n]+)\n\n```sql\n(.*?)```", PAGE, re.DOTALL))
pytestmark = pytest.mark.timeout(600)  # a lane in real time, where the machine is busy
VIEWS = re.search(r"```sql\n(CREATE VIEW.*?)```", PAGE, re.DOTALL)[1]


@pytest.fixture(scope="module")
def lane(tmp_path_factory):
    """A lane of drawn packages that ran: some with other dates than ordered, some too old, lots held for them."""
    folder = tmp_path_factory.mktemp("lane")
    scene = drawn(folder / "drawn", ITEMS, 3, date.today())
    expiry, lot = (one for one in scene.rules if one.check != "anomaly")  # which would have to be taught for a minute
    scene = replace(scene, rules=(expiry.model_copy(update={"least_days": LEAST_DAYS}), lot))
    learn_belts(scene.frames, folder / "belts", Console(quiet=True))
    ports, places = stage.free_ports(), geometry(scene.frames)
    write_plan(folder / "plan.json", Plan(SITE, LANE, places, scene.items, SPEED_MM_PER_S, RATE))
    config = folder / "lane.toml"
    config.write_text(
        lane_toml(scene, places, folder, ports, SPEED_MM_PER_S)
        + f'\n[lots]\nusual_share = 0.01\n[lake]\nto = "{folder}/lake"\n'
    )
    with (
        stage.broker(folder, ports.broker),
        stage.process(stage.own_command("run", str(config)), folder / "daemon.log"),
        stage.process(simulator_command(folder, ports), folder / "lane.log") as simulator,
    ):
        assert simulator.wait(200) == 0, (folder / "lane.log").read_text()
        end_s = time.monotonic() + WAIT_S
        while len(Told(folder).ended) < ITEMS and time.monotonic() < end_s:
            time.sleep(0.1)
    return folder


@pytest.fixture(scope="module")
def base(lane):
    ran = command("export", lane)
    assert ran.returncode == 0, ran.stderr
    with asking(f"{lane}/lake") as base:
        yield base


@contextmanager
def asking(place, filesystem=None):
    """DuckDB with the views of docs/lake.md."""
    with duckdb.connect() as base:
        base.execute("SET TimeZone = 'UTC'")
        if filesystem is not None:
            base.register_filesystem(filesystem)
        base.execute(VIEWS.replace("LAKE", place))
        yield base


def command(verb, folder, *words):
    ran = [sys.executable, "-m", "edge", "lake", verb, str(folder / "lane.toml"), *words]
    return subprocess.run(ran, capture_output=True, text=True, timeout=120, check=False)


def asked(base, title):
    """The answer to a query of the page: a table a row."""
    found = base.execute(SQL[title])
    names = [one[0] for one in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


class Told:
    """What the journal says, read by plain means."""

    def __init__(self, folder):
        self.said = [(wall_ns, kind, body) for wall_ns, kind, _, body in entries(folder / "state")]
        self.orders = {b["item_id"]: b["expected"] or {} for _, kind, b in self.said if kind == "Item"}
        self.verdicts = {b["item_id"]: b for _, kind, b in self.said if kind == "Verdict"}
        self.ended = {b["item_id"]: wall_ns for wall_ns, kind, b in self.said if kind == "ItemEnd"}


@pytest.fixture(scope="module")
def told(lane):
    return Told(lane)


def test_defects_by_seller_and_type(base, told):
    judged, rejected = Counter(), defaultdict(set)
    for item in told.ended:
        verdict, seller = told.verdicts[item], told.orders[item].get("seller")
        judged[seller] += verdict["disposition"] in ("pass", "reject")
        if verdict["disposition"] == "reject":
            for reason in verdict["reasons"]:
                check = reason.split(" ", 1)[0]
                bad = [one["agreement"] for one in verdict["compared"] if one["check"] == check]
                rejected[seller, bad[0] if bad else check].add(item)
    expected = sorted(
        [(seller, kind, len(items), judged[seller]) for (seller, kind), items in rejected.items() if seller],
        key=lambda row: (row[0], -row[2], row[1]),
    )
    found = asked(base, "Defects by seller and type")
    assert [(row["seller"], row["type"], row["rejected"], row["judged"]) for row in found] == expected
    assert {"mismatch", "short_dated"} <= {row["type"] for row in found}
    assert all(row["share"] == round(row["rejected"] / row["judged"], 4) for row in found)


def test_lots_on_hold(base, told, lane):
    holds = [(wall_ns, body) for wall_ns, kind, body in told.said if kind == "LotHold"]
    assert holds, "no lot was held: the lane shows nothing"
    answers = {b["request"]: b["status"] for _, kind, b in told.said if kind == "RequestAnswered"}
    expected = [
        (b["group"]["gtin"], b["group"]["told"], moment(ns), b["items"], answers.get(b["hold_id"])) for ns, b in holds
    ]
    found = asked(base, "Lots on hold")
    assert [(r["gtin"], r["group_told"], r["since"], r["items"], r["status"]) for r in found] == expected
    first = holds[0][1]
    journal = Journal(lane / "state")
    journal.append([("LotRelease", None, {"hold_id": first["hold_id"], "group": first["group"], "by": "ada"})], [])
    journal.close()
    assert command("export", lane).returncode == 0
    assert len(asked(base, "Lots on hold")) == len(holds) - 1


def test_dates_too_short(base, told):
    expected = []
    for item, verdict in told.verdicts.items():
        order = told.orders[item]
        for one in verdict["compared"]:
            earlier = one["check"] == "expiry" and one["agreement"] == "mismatch" and one["printed"] < one["expected"]
            if verdict["disposition"] == "reject" and (one["agreement"] in ("expired", "short_dated") or earlier):
                printed, ended = date.fromisoformat(one["printed"]), moment(told.ended[item]).date()
                expected.append(
                    (order["seller"], order["gtin"], printed, item, one["agreement"], (printed - ended).days)
                )
    found = asked(base, "Dates too short")
    names = ("seller", "gtin", "printed", "item_id", "type", "days_left")
    assert [tuple(row[name] for name in names) for row in found] == sorted(expected)
    assert expected


def moment(wall_ns):
    """Of the journal's clock, as the lake has it."""
    return datetime.fromtimestamp(wall_ns // 10**9, UTC).replace(microsecond=wall_ns // 1000 % 10**6)


def test_every_item_and_check_of_a_real_daemon_is_there_and_nothing_is_odd(base, told, lane):
    counts = Counter(kind for _, kind, _ in told.said)
    place = f"read_parquet('{lane}/lake/{{}}/**/*.parquet', union_by_name = true)"

    def count(table, where="true"):
        return base.execute(f"SELECT count(*) FROM {place.format(table)} WHERE {where}").fetchone()[0]

    assert count("items") == counts["ItemEnd"] == ITEMS
    assert count("checks") == counts["Evidence"]
    assert count("diverts", "event = 'command'") == counts["DivertCommand"]
    assert count("requests", "event = 'owed'") == counts["ReplacementRequest"] + counts["LotHold"]
    assert count("others", "odd IS NOT NULL") == 0


def test_verify_by_the_command(base, lane):
    ran = command("verify", lane)
    assert (ran.returncode, "as the journal has it" in ran.stdout) == (0, True), ran.stdout + ran.stderr
    part = next((lane / "lake" / "checks").rglob("*.parquet"))
    said = part.read_bytes()
    part.unlink()
    ran = command("verify", lane)
    part.write_bytes(said)
    assert (ran.returncode, "is gone" in ran.stdout) == (1, True)


def test_a_second_run_finds_nothing_new(base, lane):
    assert "nothing new" in command("export", lane).stdout


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    """A server that speaks S3 over HTTP on loopback, with a bucket; its URL."""
    names = {"AWS_ACCESS_KEY_ID": "box", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in names.items():
            patch.setenv(name, value)
        server.start()
        url = "http://{}:{}".format(*server.get_host_and_port())
        at("s3://lake", url)._base.mkdir("lake")
        yield url
        server.stop()


def test_the_same_over_s3(base, lane, s3):
    place = ("--to", "s3://lake/some/prefix", "--endpoint-url", s3)
    for _ in range(2):
        ran = command("export", lane, *place)
        assert ran.returncode == 0, ran.stderr
    assert command("verify", lane, *place).returncode == 0
    store = at("s3://lake/some/prefix", s3)
    with asking("s3://lake/some/prefix", store._base) as over_s3:
        assert asked(over_s3, "Dates too short") == asked(base, "Dates too short")
        assert asked(over_s3, "Defects by seller and type") == asked(base, "Defects by seller and type")


def test_s3_that_refuses_is_told_without_a_secret(lane, s3):
    for place, url in (("s3://nowhere/x", s3), ("s3://lake/x", f"http://127.0.0.1:{stage.free_ports().tap}")):
        ran = command("export", lane, "--to", place, "--endpoint-url", url)
        assert (ran.returncode, "Traceback" in ran.stderr, "secret" in ran.stderr) == (1, False, False)
        assert "run it again" in ran.stderr


EXPORTER = """
import sys, pathlib
from edge.lake.export import Lane, export
from edge.lake.journal import Bounds
from edge.lake.store import at
for _ in export(Lane("site", "lane", pathlib.Path(sys.argv[1])), at(sys.argv[2], sys.argv[3]), Bounds(entries=40)):
    print("stretch", flush=True)
"""


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_an_exporter_that_is_killed_again_and_again(tmp_path, s3, kind):
    journal = Journal(tmp_path / "state")
    place, url = (str(tmp_path / "lake"), "") if kind == "folder" else (f"s3://lake/{tmp_path.name}", s3)
    chance, killed = random.Random(1), 0
    for number in range(ROUNDS):
        items = [f"i-{number}-{n}" for n in range(30)]
        said = [(what, item, {"item_id": item, "end": "passed"}) for item in items for what in ("Item", "ItemEnd")]
        journal.append(said, [])
        with subprocess.Popen([sys.executable, "-c", EXPORTER, str(tmp_path / "state"), place, url], stdout=-1) as one:
            one.stdout.readline()
            time.sleep(chance.uniform(0, 0.06))
            one.send_signal(signal.SIGKILL)
        killed += one.returncode == -signal.SIGKILL
    journal.close()
    lane, store = Lane("site", "lane", tmp_path / "state"), at(place, url)
    list(export(lane, store, Bounds(entries=40)))
    assert [fault for one in verify(lane, store) for fault in one.faults] == []
    assert sum(one.rows for one in verify(lane, store)) == ROUNDS * 30
    assert killed > 1, "too fast to be killed: it shows nothing"


def test_the_page_tells_every_column():
    assert dictionary() in PAGE, "make it anew: python -m edge.lake.page"
