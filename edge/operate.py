"""What a named person does to a running lane: clear, hold, challenge it, fire its gate, release its lots."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from edge.broker import Address, keys_in
from edge.config import Config, load
from edge.core import topics
from edge.core.errors import BrokerUnreachable, LedgerRefused
from edge.core.lot_recovery import standing, usual
from edge.core.messages import LotHold
from edge.core.statistics import wilson
from edge.core.topics import Topic
from edge.plain import plain_console
from edge.records.evidence.index import of_item
from edge.records.journal import counted, entries, lot_entries
from edge.simulator.mqtt import Party

KEYS = Path("/etc/tunnel-edge/console-keys")
RESULT_S = 330.0  # a little longer than the daemon waits for the test pieces
RELEASED_S = 15.0  # until the journal says so
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
    plain_console().print(f"{result['test']}: {result['outcome']}: {result['because']}", highlight=False)
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
    console = plain_console()
    lasts_s = SHOT_S * options.times
    console.print(f"the gate moves {options.times} times, about {lasts_s:.0f} s in all: keep people away")
    asked = {"test": f"fire-{time.time_ns()}", "by": options.by, "times": options.times}
    result = _say(load(options.config), options.keys, topics.FIRE, asked, answer=topics.FIRE_RESULT)
    console.print(f"{result['outcome']}: {result['because']}", highlight=False, soft_wrap=True)
    return 0 if result["outcome"] == "fired" else 1


def lots(arguments: Sequence[str]) -> int:
    """`tunnel-edge lots LANE.toml list|usual|release`: what is held, what is usual, and a named person lets go on."""
    options = _lot_options(arguments)
    config = load(options.config)
    if options.verb == "usual":
        plain_console().print(_usual(config))
    elif options.verb == "list":
        plain_console().print(_told(standing(lot_entries(config.lane.state))))
    else:
        _release(config, options.keys, options.group, options.by)
    return 0


def _release(config: Config, keys: Path, group: str, by: str) -> None:
    """Ask for it, and wait until the journal says that it was done.

    Raises:
        BrokerUnreachable: no broker answers, or no daemon does.
        LedgerRefused: not one hold is meant.
    """
    hold = _named(group, standing(lot_entries(config.lane.state)))
    _say(config, keys, topics.LOT_RELEASE, {"by": by, "hold": hold.hold_id})
    end_s = time.monotonic() + RELEASED_S
    while hold.hold_id in {one.hold_id for one in standing(lot_entries(config.lane.state))}:
        if time.monotonic() > end_s:
            raise BrokerUnreachable(f"{hold.group} is still held: is the lane's daemon running?")
        time.sleep(POLL_S)
    plain_console().print(f"released by {by}: {hold.group}; it is counted anew", highlight=False)


def _usual(config: Config) -> Table:
    """Each product's share of rejects outside lots that were held, and how large it may be."""
    table = Table("gtin", "items", "rejected", "share", "at most (95 %)", title="rejects of lots that were never held")
    shares = usual(counted(config.lane.state))
    for gtin, (items, rejected) in sorted(shares.items()):
        share = rejected / max(1, items)
        table.add_row(gtin, str(items), str(rejected), f"{share:.2%}", f"{wilson(share, max(1, items))[1]:.2%}")
    return table


def _named(group: str, held: Sequence[LotHold]) -> LotHold:
    """The hold that is meant: by its id, or by its group's name where only one has that."""
    meant = [one for one in held if group in (one.hold_id, one.group.key, one.group.told, str(one.group))]
    if len(meant) == 1:
        return meant[0]
    known = "; ".join(f"{one.group} ({one.hold_id})" for one in meant or held) or "nothing"
    raise LedgerRefused(f"'{group}' names {len(meant)} holds: name one of what is held: {known}.")


def _told(held: Sequence[LotHold]) -> Table:
    """What is held and why, and the order lines that were past already."""
    table = Table("group", "why", "past", "hold", title=f"{len(held)} held")
    for hold in held:
        more = (f"and {hold.unlisted} more",) if hold.unlisted else ()
        table.add_row(*map(Text, (str(hold.group), hold.because, ", ".join((*hold.order_lines, *more)), hold.hold_id)))
    return table


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
    """A table of what is in doubt, and how many pictures were kept of each: `tunnel-edge evidence` has them."""
    table = Table("item", "order line", "gtin", "pictures", title="went on since the last good challenge test")
    for item in holds([(kind, body) for _, kind, _, body in entries(config.lane.state)]):
        order = item["expected"] or {}
        pictures = str(len(of_item(config.lane.state, item["item_id"])))
        table.add_row(item["item_id"], order.get("order_line", "-"), order.get("gtin", "-"), pictures)
    plain_console().print(table)
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


def _lot_options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tunnel-edge lots", description="Lots that are held, and their release.")
    parser.add_argument("config", type=Path, help="the lane's settings (TOML)")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="what is held, why, and what of it was past already")
    verbs.add_parser("usual", help="each product's share of rejects so far, for usual_share in the settings")
    release = verbs.add_parser("release", help="let the rest of a lot go on")
    release.add_argument("group", help="the lot, pallet, tote or seller's day, or the hold's id: see list")
    release.add_argument("--by", required=True, help="your name: it is kept in the journal")
    _add_keys(release)
    return parser.parse_args(arguments)
