"""Requests by HTTP: the reference warehouse over real TLS with client certificates, and servers that are hostile."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from datetime import UTC, datetime

import pytest

from edge.certificates import main as certs
from edge.core.answers import Outcome
from edge.core.errors import WarehouseUnreachable
from edge.orders.http import RequestsOverHttp, demand, retry_after_s
from edge.orders.sender import Sender
from edge.records.journal import Journal
from edge.records.outbox import LedgerOutbox, aside, outbox, owed
from edge.settings_warehouse import WarehouseSettings
from edge.simulator.wms.mood import Mood, Moods
from edge.simulator.wms.service import Service
from edge.simulator.wms.shelf import Shelf, statuses, taken
from tests.integration.conftest import free_port

FIELDS = {"request": "r-1", "item": "i-1", "order_line": "o-1", "gtin": "04012345678901", "reasons": ["dented"]}
WAIT_S = 20.0
GOOD_DAY = Mood()


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    assert certs(["site", str(folder), "--lane", "lane1"]) == 0
    return folder


@contextlib.contextmanager
def warehouse(file, mood=GOOD_DAY, port=0, tls=None):
    shelf = Shelf(file, Moods(mood, 1).decide)
    service = Service(("127.0.0.1", port), shelf, Moods(mood, 1), tls)
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield service
    finally:
        service.shutdown()
        thread.join()
        service.server_close()
        shelf.close()


@contextlib.contextmanager
def requests(**settings):
    one = RequestsOverHttp(WarehouseSettings(**settings), "site1", "lane1")
    one.start()
    try:
        yield one
    finally:
        one.stop()


def asked(service, fields=FIELDS):
    """One request, and what came back of it."""
    assert service.offer(fields["request"], fields)
    end_s = time.monotonic() + WAIT_S
    while time.monotonic() < end_s:
        if found := service.replies():
            return found[0]
        time.sleep(0.01)
    raise AssertionError("nothing came back")


def server_tls(keys, clients=True):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=keys / "broker" / "ca.pem")
    context.load_cert_chain(keys / "broker" / "server.pem", keys / "broker" / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED if clients else ssl.CERT_NONE
    return context


def ours(keys):
    folder = keys / "lane1" / "box"
    return {"ca": folder / "ca.pem", "certificate": folder / "client.pem", "key": folder / "client.key"}


def test_over_mutual_tls_a_request_is_taken_once_however_often_it_is_sent(tmp_path, keys):
    file = tmp_path / "w.sqlite"
    with warehouse(file, tls=server_tls(keys)) as there:
        url = f"https://localhost:{there.server_port}/wms"
        demand(WarehouseSettings(url=url, **ours(keys)))
        with requests(url=url, **ours(keys)) as service:
            for _ in range(3):
                assert asked(service).outcome is Outcome.ACCEPTED
            spoilt = asked(service, {**FIELDS, "reasons": ["another"]})  # an id stands for one request alone
    assert (spoilt.outcome, spoilt.status) == (Outcome.INVALID, "HTTP 422")
    ((fields, times),) = taken(file).values()
    assert (fields["order_line"], fields["item"], times) == ("o-1", "i-1", 4)


def test_whom_one_does_not_trust_one_does_not_ask(tmp_path, keys):
    stranger = tmp_path / "stranger"
    assert certs(["site", str(stranger), "--lane", "lane1"]) == 0
    with warehouse(tmp_path / "w.sqlite", tls=server_tls(keys)) as there:
        url = f"https://localhost:{there.server_port}"
        for theirs in (ours(stranger), {"ca": ours(keys)["ca"]}, {}):
            with requests(url=url, **theirs) as service:
                assert asked(service).outcome is Outcome.FAILED
            with pytest.raises(WarehouseUnreachable, match=r"no trust|no warehouse answers"):
                demand(WarehouseSettings(url=url, **theirs))
    assert statuses(tmp_path / "w.sqlite") == {}


def test_check_says_when_nobody_is_there():
    with pytest.raises(WarehouseUnreachable, match="start it, or set"):
        demand(WarehouseSettings(url=f"http://127.0.0.1:{free_port()}/x"))
    demand(WarehouseSettings())  # by MQTT: the broker is tested anyway


@contextlib.contextmanager
def saying(answer, drip_s=0.0):
    """A server that says the same to everybody; `drip_s`: byte by byte."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ended = threading.Event()

        def serve():
            while not ended.is_set():
                with contextlib.suppress(OSError), listening.accept()[0] as one:
                    one.recv(65_536)
                    if drip_s:
                        for byte in answer:
                            one.sendall(bytes([byte]))
                            time.sleep(drip_s)
                    else:
                        one.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        ended.set()


def http(status, body=b"", *headers):
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


YES = b'{"status": "accepted"}'
HOSTILE = {
    "yes": (http("200 OK", YES), Outcome.ACCEPTED),
    "created": (http("201 Created", b'{"request": "r-1", "status": "accepted"}'), Outcome.ACCEPTED),
    "no": (http("200 OK", b'{"status": "refused", "why": "out of stock"}'), Outcome.REFUSED),
    "a word of its own": (http("200 OK", b'{"status": "perhaps"}'), Outcome.OTHER),
    "invalid": (http("200 OK", b'{"status": "invalid", "why": "no such order"}'), Outcome.INVALID),
    "taken": (http("202 Accepted", b"", "Retry-After: 7"), Outcome.PENDING),
    "taken, with an answer": (http("202 Accepted", YES), Outcome.PENDING),
    "pending": (http("200 OK", b'{"status": "pending"}'), Outcome.PENDING),
    "a portal": (http("200 OK", b"<html>log in</html>"), Outcome.FAILED),
    "nothing in it": (http("200 OK"), Outcome.FAILED),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", Outcome.FAILED),
    "a list": (http("200 OK", b"[1]"), Outcome.FAILED),
    "another's answer": (http("200 OK", b'{"request": "r-2", "status": "accepted"}'), Outcome.FAILED),
    "no text": (http("200 OK", b'{"status": 7}'), Outcome.FAILED),
    "deep": (http("200 OK", b"[" * 60_000), Outcome.FAILED),
    "huge": (http("200 OK", b" " * 70_000 + YES), Outcome.FAILED),
    "endless": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"4000\r\n" + b" " * 0x4000, Outcome.FAILED),
    "cut off": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", Outcome.FAILED),
    "compressed": (http("200 OK", b"\x1f\x8b\x08", "Content-Encoding: gzip"), Outcome.FAILED),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", Outcome.FAILED),
    "a long head": (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 300_000, Outcome.FAILED),
    "elsewhere": (http("307 Temporary Redirect", b"", "Location: http://127.0.0.1:1/"), Outcome.FAILED),
    "malformed": (http("400 Bad Request", b'{"title": "no order line"}'), Outcome.INVALID),
    "too large": (http("413 Content Too Large"), Outcome.INVALID),
    "key used before": (http("422 Unprocessable Content"), Outcome.INVALID),
    "who are you": (http("401 Unauthorized"), Outcome.FAILED),
    "you may not": (http("403 Forbidden"), Outcome.FAILED),
    "a wrong path": (http("404 Not Found"), Outcome.FAILED),
    "timed out": (http("408 Request Timeout"), Outcome.FAILED),
    "at work on it": (http("409 Conflict"), Outcome.FAILED),
    "too early": (http("425 Too Early"), Outcome.FAILED),
    "too many": (http("429 Too Many Requests", b"", "Retry-After: 9"), Outcome.FAILED),
    "down": (http("503 Service Unavailable", b"\xff\xfe\x1b[31m"), Outcome.FAILED),
    "an error": (http("500 Internal Server Error"), Outcome.FAILED),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_it_says(name):
    answer, outcome = HOSTILE[name]
    with saying(answer) as url, requests(url=url, answer_s=0.5) as service:
        found = asked(service)
    assert found.outcome is outcome, found
    assert len(found.why) <= 200
    assert found.why.isprintable()


def test_patience_that_is_asked_for():
    for name, wait_s, busy in (("taken", 7.0, False), ("too many", 9.0, True), ("down", None, True)):
        with saying(HOSTILE[name][0]) as url, requests(url=url) as service:
            found = asked(service)
        assert (found.retry_after_s, found.busy) == (wait_s, busy)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("9" * 400, 999_999_999.0),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60.0),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0.0),
        ("Thu, 01 Jan 2026 00:01:00", 60.0),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("Thu, 99 Jan 2026 00:01:00 GMT", None),
    ],
)
def test_retry_after(value, seconds):
    assert retry_after_s(value, datetime(2026, 1, 1, tzinfo=UTC)) == seconds


def test_an_answer_that_drips_takes_no_longer_than_an_answer_may():
    with saying(http("200 OK", b" " * 1000), drip_s=0.02) as url, requests(url=url, answer_s=1.0) as service:
        began_s = time.monotonic()
        assert asked(service).outcome is Outcome.FAILED
        assert time.monotonic() - began_s < 10  # of 20 s that it would take


def test_proxies_of_the_environment_are_not_asked(tmp_path, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with warehouse(tmp_path / "w.sqlite") as there, requests(url=f"http://127.0.0.1:{there.server_port}") as service:
        assert asked(service).outcome is Outcome.ACCEPTED


def test_no_more_are_on_their_way_than_there_are_hands(tmp_path):
    slow = Mood(slow=1, slow_s=1)
    with (
        warehouse(tmp_path / "w.sqlite", slow) as there,
        requests(url=f"http://127.0.0.1:{there.server_port}", connections=2) as service,
    ):
        taken_up = [service.offer(f"r-{n}", {**FIELDS, "request": f"r-{n}"}) for n in range(9)]
        assert taken_up == [True] * 4 + [False] * 5
        assert not service.offer("r-0", FIELDS)


def test_a_warehouse_that_does_everything_wrong_is_asked_once_for_each(tmp_path):
    """Slow, failing, forgetful, late, out of stock; killed and started anew with what it has on its disk."""
    mood = Mood(slow=0.3, slow_s=0.3, late=0.3, late_s=2, refuse=0.2, lose=0.2, fail=0.2)
    state, file, port = tmp_path / "state", tmp_path / "w.sqlite", free_port()
    journal, ledger = Journal(state), LedgerOutbox(state)
    named = [f"r-{n}" for n in range(24)]
    journal.append([], [(one, {**FIELDS, "request": one, "order_line": f"o-{n % 8}"}) for n, one in enumerate(named)])
    with requests(url=f"http://127.0.0.1:{port}/", answer_s=2) as service:
        sender = Sender(ledger, service, service.replies, 50)
        sender.start()
        for _ in range(3):
            with warehouse(file, mood, port):
                time.sleep(1.5)
        with warehouse(file, mood, port):
            end_s = time.monotonic() + 60
            while owed(state)[0] and time.monotonic() < end_s:
                time.sleep(0.1)
        sender.stop()
    found, decided = outbox(state), statuses(file)
    assert (owed(state)[0], aside(state)) == (0, 0)
    assert found == decided
    assert sorted(decided) == sorted(named)
    assert set(decided.values()) == {"accepted", "refused"}
    ledger.close()
    journal.close()
