"""What a named person does to a running lane: clear, hold or challenge it, fire its gate, see what is in doubt."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from edge.broker import Address, keys_in
from edge.config import Config, load
from edge.core import topics
from edge.core.errors import BrokerUnreachable
from edge.core.topics import Topic
from edge.records.journal import entries
from edge.records.sinks import PICTURES
from edge.simulator.mqtt import Party

KEYS = Path("/etc/tunnel-edge/console-keys")
RESULT_S = 330.0  # a little longer than the daemon waits for the test pieces
POLL_S = 0.1
SHOT_S = 2  # of a fire test, about


def clear(arguments: Sequence[str]) -> int:
    """`tunnel-edge clear`: say, by name, that purged items or standing alarms have been seen to."""
    parser = argparse.ArgumentParser(prog="tunnel-edge clear", description="Clear a lane, by name.")
    parser.add_argument("config", type=Path, help="the lane's settings (TOML)")
    parser.add_argument("what", choices=("items", "alarms"), help="what has been seen to")
    parser.add_argument("--by", required=True, help="your name: it is kept in the journal")
    _add_keys(parser)
    options = parser.parse_args(arguments)
    _say(load(options.config), options.keys, topics.CLEAR, {"by": options.by, "what": options.what})
    return 0


def hold(arguments: Sequence[str]) -> int:
    """`tunnel-edge hold`: have a lane Held, by name; `tunnel-edge clear LANE alarms` lets it go on."""
    parser = argparse.ArgumentParser(
        prog="tunnel-edge hold",
        description="Hold a lane: what is on it is still judged and diverted; `clear … alarms` lets it go on.",
    )
    parser.add_argument("config", type=Path, help="the lane's settings (TOML)")
    parser.add_argument("--by", required=True, help="your name: it is kept in the journal")
    parser.add_argument("--why", required=True, help="it is said with the lane's state")
    _add_keys(parser)
    options = parser.parse_args(arguments)
    _say(load(options.config), options.keys, topics.HOLD, {"by": options.by, "why": options.why})
    return 0


def challenge(arguments: Sequence[str]) -> int:
    """`tunnel-edge challenge start|holds`; `start` returns 0 when the test was passed."""
    options = _challenge_options(arguments)
    config = load(options.config)
    if options.verb == "holds":
        return _tell_holds(config)
    asked = {"test": options.test, "by": options.by, "items": [one for one in options.items.split(",") if one]}
    result = _say(config, options.keys, topics.CHALLENGE, asked, answer=topics.CHALLENGE_RESULT)
    Console().print(f"{result['test']}: {result['outcome']}: {result['because']}", highlight=False)
    return 0 if result["outcome"] == "passed" else 1


def fire(arguments: Sequence[str]) -> int:
    """`tunnel-edge fire`: have the daemon fire the gate on the empty belt; 0 when it fired as often as it was to."""
    parser = argparse.ArgumentParser(
        prog="tunnel-edge fire",
        description="Fire the gate on the empty, running belt, for `tunnel-calibrate gate`. Keep people away.",
    )
    parser.add_argument("config", type=Path, help="the lane's settings (TOML)")
    parser.add_argument("--by", required=True, help="your name: it is kept in the journal")
    parser.add_argument("--times", type=int, default=50, help=f"1 to {topics.MOST_SHOTS} (default: %(default)s)")
    _add_keys(parser)
    options = parser.parse_args(arguments)
    if not topics.shots(options.times):
        parser.error(f"--times {options.times}: between 1 and {topics.MOST_SHOTS} shots make a test")
    console = Console()
    lasts_s = SHOT_S * options.times
    console.print(f"the gate moves {options.times} times, about {lasts_s:.0f} s in all: keep people away")
    asked = {"test": f"fire-{time.time_ns()}", "by": options.by, "times": options.times}
    result = _say(load(options.config), options.keys, topics.FIRE, asked, answer=topics.FIRE_RESULT)
    console.print(f"{result['outcome']}: {result['because']}", highlight=False, soft_wrap=True)
    return 0 if result["outcome"] == "fired" else 1


def holds(said: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
    """Items that went on since the last good challenge test, oldest first; kind and body of journal entries."""
    passed: dict[str, Mapping[str, Any]] = {}
    items: dict[str, Mapping[str, Any]] = {}
    for kind, body in said:
        if kind == "Item":
            items[body["item_id"]] = body
        elif kind == "ItemEnd" and body["eye"] == "exit" and body["item_id"] in items:
            passed[body["item_id"]] = items[body["item_id"]]
        elif kind == "ChallengeResult" and body["outcome"] == "passed":
            passed.clear()
    return list(passed.values())


def _tell_holds(config: Config) -> int:
    """A table of what is in doubt, with the folder of each item's pictures."""
    table = Table("item", "order line", "gtin", "pictures", title="went on since the last good challenge test")
    for item in holds([(kind, body) for _, kind, _, body in entries(config.lane.state)]):
        order = item["expected"] or {}
        pictures = config.lane.state / PICTURES / item["item_id"]
        shown = str(pictures) if pictures.is_dir() else "-"
        table.add_row(item["item_id"], order.get("order_line", "-"), order.get("gtin", "-"), shown)
    Console().print(table)
    return 0


def _say(
    config: Config, keys: Path, topic: Topic, fields: Mapping[str, Any], answer: Topic | None = None
) -> Mapping[str, Any]:
    """Publish one message, and wait for the answer if there is to be one.

    Raises:
        BrokerUnreachable: no broker answers, or nobody on the lane does.
    """
    tls = keys_in(keys) if config.broker.ca else None
    address = Address(config.broker.host, config.broker.port, config.lane.site, config.lane.name, tls)
    first_seq = time.time_ns() // 1_000_000  # each call is a writer of its own: its message must not look like the last
    with Party("console", address, [answer] if answer else [], first_seq) as party:
        party.publish(topic, fields)
        if answer is None:
            return {}
        end_s = time.monotonic() + RESULT_S
        while time.monotonic() < end_s:
            for said in party.received():
                if all(said.fields[name] == fields[name] for name in ("by", "test")):
                    return said.fields
            time.sleep(POLL_S)
    raise BrokerUnreachable(f"nobody answered on {topic.name}: is the lane's daemon running?")


def _add_keys(parser: argparse.ArgumentParser) -> None:
    """Who speaks at a broker with TLS: the box's own certificate may not say what a person says."""
    what = "the console's, by `tunnel-edge certs`, where [broker] has a ca (default: %(default)s)"
    parser.add_argument("--keys", type=Path, default=KEYS, metavar="FOLDER", help=what)


def _challenge_options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tunnel-edge challenge", description="Challenge a lane with known items.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    start = verbs.add_parser("start", help="begin a test and wait for its result")
    start.add_argument("config", type=Path, help="the lane's settings (TOML)")
    start.add_argument("--test", choices=topics.CHALLENGES, required=True)
    start.add_argument("--by", required=True, help="your name: it is kept in the journal")
    _add_keys(start)
    start.add_argument("--items", default="", help="the test pieces' ids in the warehouse, in order, with commas")
    waiting = verbs.add_parser("holds", help="list what went on since the last good test")
    waiting.add_argument("config", type=Path, help="the lane's settings (TOML)")
    return parser.parse_args(arguments)
