"""What the daemon says aloud: journald's protocol over a real socket, its rate, its fields."""

import logging
import os
import socket
import subprocess
import sys

import pytest

from edge.core.messages import Alarm, DivertOutcome, Result
from edge.records.logs import BURST, LONGEST, PER_S, Journald, Limit, LogSink, datagram


def parsed(datagram):
    """As journald reads it."""
    fields, rest = {}, datagram
    while rest:
        head, _, rest = rest.partition(b"\n")
        name, equals, value = head.partition(b"=")
        if not equals:
            size = int.from_bytes(rest[:8], "little")
            value, rest = rest[8 : 8 + size], rest[9 + size :]
        fields[name.decode()] = value.decode()
    return fields


@pytest.fixture
def journal(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "socket"))
        listening.settimeout(5)
        handler = Journald(tmp_path / "socket")
        logger = logging.getLogger("edge.records.logs")
        before = logger.level
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        yield lambda: parsed(listening.recv(65536))
        logger.setLevel(before)
        logger.removeHandler(handler)
        handler.close()


def test_an_alarm_comes_with_its_item_and_a_line_s_end_in_it_names_no_field(journal):
    LogSink().write([Alarm("missed", "not seen\nPRIORITY=7", "lane-1", 0)])
    said = journal()
    assert said["MESSAGE"] == "alarm missed: not seen\nPRIORITY=7"
    assert (said["PRIORITY"], said["ITEM"], said["STAGE"]) == ("4", "lane-1", "supervision")
    assert said["SYSLOG_IDENTIFIER"] == "tunnel-edge"


@pytest.mark.parametrize(("result", "priority"), [(Result.CONFIRMED, "6"), (Result.MISSED, "3")])
def test_what_a_person_must_act_on_is_louder(journal, result, priority):
    LogSink().write([DivertOutcome("lane-1-divert", "lane-1", result, 1, "because")])
    assert journal()["PRIORITY"] == priority


def record(message, line=1):
    return logging.LogRecord("edge", logging.WARNING, "a.py", line, message, (), None)


def test_a_huge_message_is_cut():
    assert len(parsed(datagram(record("x"), "x" * 1_000_000))["MESSAGE"]) == LONGEST


def test_one_place_says_no_more_than_a_person_can_read_and_then_how_much_was_kept_back():
    now_s = [0.0]
    limit = Limit(lambda: now_s[0])
    assert sum(limit.filter(record("broken")) for _ in range(500)) == BURST
    assert limit.filter(record("another place", line=2))
    now_s[0] += PER_S
    later = record("broken")
    assert limit.filter(later)
    assert later.getMessage() == f"broken ({500 - BURST} more like this were kept back)"
    assert limit.filter(record("broken"))


SAY = "import logging; from edge.records.logs import begin; begin('lane1'); logging.getLogger('edge').warning('%s', 5)"


def test_without_journald_it_says_it_on_stderr():
    ran = subprocess.run(
        [sys.executable, "-c", SAY], capture_output=True, text=True, check=True, env=os.environ | {"JOURNAL_STREAM": ""}
    )
    assert ran.stderr == "WARNING edge: 5\n"
