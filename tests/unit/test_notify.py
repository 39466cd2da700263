"""What systemd hears, over real sockets."""

import os
import socket

import pytest

from edge.records.notify import Service, Standing

S = 1_000_000_000
UP = Standing("Execute: inspecting")
WAITING = Standing("Stopped: starting", awaited="the broker")


@pytest.fixture(params=["path", "abstract"])
def heard(request, tmp_path):
    name = str(tmp_path / "notify") if request.param == "path" else f"@tunnel-edge-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)
        systemd.setblocking(False)
        yield name, lambda: told(systemd)


def told(systemd):
    lines = []
    while True:
        try:
            lines.append(systemd.recv(4096).decode().split("\n"))
        except BlockingIOError:
            return lines


def service(name, **more):
    return Service({"NOTIFY_SOCKET": name, **more})


def test_ready_comes_with_the_first_turn_that_awaits_nothing(heard):
    name, said = heard
    unit = service(name)
    assert said() == []  # not before the loop has turned
    unit.turned(1, lambda: WAITING)
    assert said() == [["STATUS=waiting for the broker", "EXTEND_TIMEOUT_USEC=30000000"]]
    unit.turned(1 + S, lambda: UP)
    assert said() == [["READY=1", "WATCHDOG=1", "STATUS=Execute: inspecting"]]
    unit.close()


def test_a_broker_that_goes_away_later_does_not_stop_the_watchdogs_food(heard):
    name, said = heard
    unit = service(name)
    unit.turned(1, lambda: UP)
    unit.turned(1 + S, lambda: WAITING)
    assert said()[-1] == ["WATCHDOG=1", "STATUS=Stopped: starting"]
    unit.close()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, 10),  # once a second
        ({"WATCHDOG_USEC": "2000000"}, 20),
        ({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"}, 10),  # meant for another process
        ({"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": str(os.getpid())}, 20),
        ({"WATCHDOG_USEC": "soon"}, 10),
        ({"WATCHDOG_USEC": "60000000"}, 10),
    ],
)
def test_it_speaks_four_times_in_a_watchdogs_time_and_only_as_the_loop_turns(heard, environment, words):
    name, said = heard
    unit = service(name, **environment)
    heard_of = 0
    for millisecond in range(10_000):
        unit.turned(1 + millisecond * S // 1000, lambda: UP)
        heard_of += len(said()) if millisecond % 100 == 0 else 0
    assert heard_of + len(said()) == words
    unit.close()


def test_stopping_is_told_at_once(heard):
    name, said = heard
    unit = service(name)
    unit.turned(1, lambda: UP)
    unit.stopping()
    assert said()[-1] == ["STOPPING=1", "STATUS=Stopping: finishing what is at the gate"]
    unit.turned(1 + S, lambda: UP)
    assert said() == [["WATCHDOG=1"]]
    unit.close()


def test_a_line_break_in_a_status_is_no_new_key(heard):
    name, said = heard
    unit = service(name)
    unit.turned(1, lambda: Standing("Held: a\nMAINPID=1"))
    assert said() == [["READY=1", "WATCHDOG=1", "STATUS=Held: a MAINPID=1"]]
    unit.close()


def test_by_hand_nothing_is_told_and_nobody_asked():
    unit = Service({})
    unit.turned(1, lambda: pytest.fail("asked"))
    unit.stopping()
    unit.close()


def test_who_does_not_listen_does_not_hold_the_loop(tmp_path, caplog):
    unit = service(str(tmp_path / "gone"))
    unit.turned(1, lambda: UP)
    assert "systemd cannot be told" in caplog.text
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "gone"))
        for turn in range(2000):  # more than it takes in
            unit.turned((turn + 2) * S, lambda: UP)
    unit.close()
