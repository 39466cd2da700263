"""`tunnel-edge conformance`: an integrator's first and last test of a PLC's program."""

from __future__ import annotations

import argparse
import json
import secrets
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from edge.broker import Address, host_and_port, keys_in
from edge.conformance.box import Lane, connected
from edge.conformance.checks import Result
from edge.conformance.suite import CASES, Outcome, failed, run
from edge.core.errors import ConfigError
from edge.plain import plain_console

OK, FAILED = 0, 1
RUN_BYTES = 4
STYLES = {Result.PASS: "green", Result.FAIL: "bold red", Result.NOT_TESTABLE: "yellow"}


def main(arguments: Sequence[str]) -> int:
    """Run the suite; 1 when a case failed."""
    options = _parser().parse_args(arguments)
    host, port = options.broker
    address = Address(host, port, options.site, options.lane, keys_in(options.keys) if options.keys else None)
    lane = Lane(options.safe_side, options.gate_counts, options.confirm_counts)
    cases = [case for case in CASES if options.only is None or case.name in options.only]
    console = plain_console()
    outcomes = []
    waiting = console.status(f"{len(cases)} cases, about a minute in all")
    with connected(address, lane, secrets.token_hex(RUN_BYTES)) as box, waiting:
        for outcome in run(box, cases):
            outcomes.append(outcome)
            console.print(line(outcome), soft_wrap=True)
    amiss = [one for one in outcomes if one.finding.result is not Result.PASS]
    if amiss:
        console.print(table(amiss))
    console.print(tally(outcomes))
    if options.json:
        _write(options.json, outcomes)
    return FAILED if failed(outcomes) else OK


def line(outcome: Outcome) -> Text:
    """One case as it ends."""
    result = outcome.finding.result
    return Text(f"{outcome.case.name:<22}").append(f"{result:<14}", STYLES[result]).append(outcome.finding.came, "dim")


def table(outcomes: Sequence[Outcome]) -> Table:
    """What did not pass, in full, with what to mend."""
    grid = Table("case", "", "expected", "came", "mend", show_lines=True, expand=True)
    for one in outcomes:
        result = one.finding.result
        mend = one.case.mend if result is Result.FAIL else ""
        grid.add_row(one.case.name, Text(result, STYLES[result]), one.case.expected, one.finding.came, mend)
    return grid


def tally(outcomes: Sequence[Outcome]) -> str:
    """How many came to what."""
    return ", ".join(f"{sum(one.finding.result is result for one in outcomes)} {result}" for result in Result)


def fields(outcomes: Sequence[Outcome]) -> list[dict[str, str]]:
    """The same for a machine."""
    return [
        {
            "case": one.case.name,
            "result": one.finding.result,
            "expected": one.case.expected,
            "came": one.finding.came,
            "mend": one.case.mend if one.finding.result is Result.FAIL else "",
        }
        for one in outcomes
    ]


def _write(path: Path, outcomes: Sequence[Outcome]) -> None:
    try:
        path.write_text(json.dumps(fields(outcomes), indent=1))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror}): name another --json file.") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "tunnel-edge conformance", description="Test a PLC's program against the line protocol. Let the belt run empty."
    )
    parser.add_argument("--broker", type=host_and_port, default=("127.0.0.1", 1883), metavar="HOST:PORT")
    parser.add_argument("--keys", type=Path, metavar="FOLDER", help="the box's, by `tunnel-edge certs`: speak TLS")
    parser.add_argument("--site", default="site1", help="as in the topics (default: %(default)s)")
    parser.add_argument("--lane", default="lane1", help="as in the topics (default: %(default)s)")
    parser.add_argument("--safe-side", choices=("divert", "pass"), default="divert", help="(default: %(default)s)")
    parser.add_argument("--gate-counts", type=int, metavar="N", help="from the induct eye to the gate; test items come")
    parser.add_argument("--confirm-counts", type=int, metavar="N", help="from the induct eye to the confirm eye")
    parser.add_argument("--only", nargs="+", choices=[case.name for case in CASES], metavar="CASE")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcomes there too")
    return parser
