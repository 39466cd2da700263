"""Requests to a warehouse's HTTP service: POST to the topic's path, the request's id as `Idempotency-Key`.

The header as in draft-ietf-httpapi-idempotency-key-header-06: the same body on every try, 409 while the first try is
at work, 422 for a key that was used for another body.
"""

from __future__ import annotations

import json
import logging
import queue
import ssl
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from edge import __version__
from edge.broker import Tls, demand_time, reach
from edge.core.answers import MAX_TOLD, Outcome, Reply, reply_of
from edge.core.errors import MalformedMessage, WarehouseUnreachable
from edge.core.topics import MAX_BYTES, REPLACEMENT_ACK
from edge.core.wire import decode, encode, owed_on
from edge.settings_warehouse import WarehouseSettings

NAME = "http"
PENDING_STATUS = 202
AT_FAULT = frozenset({400, 406, 410, 411, 413, 414, 415, 422, 431})  # the request itself: again is of no use
BUSY = frozenset({429, 503})  # Retry-After is meant for all
ANSWERED = frozenset({200, 201})
SLACK_S = 1.0

logging.getLogger("httpx").setLevel(logging.WARNING)  # it would say each request


class RequestsOverHttp:
    """A few threads, each with one request on its way; connections are used again."""

    def __init__(self, settings: WarehouseSettings, site: str, lane: str) -> None:
        """Take where it is.

        Raises:
            ConfigError: as `Tls.context`.
        """
        self._url = (settings.url or "").rstrip("/")
        self.patience_s = settings.connect_s + settings.answer_s + SLACK_S
        self._answer_s, self._site, self._lane = settings.answer_s, site, lane
        self._client = client_of(settings)
        self._offered: queue.SimpleQueue[tuple[str, Mapping[str, Any]] | None] = queue.SimpleQueue()
        self._replies: queue.SimpleQueue[Reply] = queue.SimpleQueue()
        self._on_way: set[str] = set()
        self._threads = [
            threading.Thread(target=self._run, name=f"warehouse-{n}", daemon=True) for n in range(settings.connections)
        ]

    def start(self) -> None:
        """Begin."""
        for one in self._threads:
            one.start()

    def stop(self) -> None:
        """End; a request that is on its way is cut off, and asked again in the next life."""
        for _ in self._threads:
            self._offered.put(None)
        self._client.close()
        for one in self._threads:
            one.join(SLACK_S)

    def offer(self, request: str, fields: Mapping[str, Any]) -> bool:
        """Take it; False when it is on its way already, or enough others are."""
        if request in self._on_way or len(self._on_way) >= 2 * len(self._threads):
            return False
        self._on_way.add(request)
        self._offered.put((request, fields))
        return True

    def replies(self) -> list[Reply]:
        """What has come back since the last call."""
        came = []
        while not self._replies.empty():
            came.append(self._replies.get())
            self._on_way.discard(came[-1].request)
        return came

    def _run(self) -> None:
        while (task := self._offered.get()) is not None:
            self._replies.put(self._asked(*task))

    def _asked(self, request: str, fields: Mapping[str, Any]) -> Reply:
        topic = owed_on(fields).under(self._site, self._lane)
        try:
            with self._client.stream(
                "POST",
                f"{self._url}/{topic}",
                content=encode(None, fields),
                headers={"Idempotency-Key": f'"{request}"'},
            ) as response:
                return reply(request, response, _body(response, self._answer_s))
        except Exception as error:  # whatever it was, there is no answer, and the thread goes on
            return Reply(request, Outcome.FAILED, type(error).__name__, str(error)[:MAX_TOLD], NAME)


def demand(settings: WarehouseSettings) -> None:
    """Shake hands with the service, and ask for nothing.

    Raises:
        WarehouseUnreachable: nobody answers, or one of the two does not trust the other.
        ConfigError: as `Tls.context`, or our certificate expires soon.
    """
    if settings.url is None:
        return
    url = httpx.URL(settings.url)
    tls = Tls(settings.ca, settings.certificate, settings.key) if url.scheme == "https" else None
    try:
        reach(url.host, url.port or (443 if tls else 80), tls)
    except ssl.SSLError as error:
        told = getattr(error, "verify_message", "") or error.reason or str(error)
        raise WarehouseUnreachable(f"{url}: no trust ({told}): see [warehouse] ca, certificate and key.") from error
    except OSError as error:
        raise WarehouseUnreachable(
            f"{url}: no warehouse answers ({error}): start it, or set [warehouse] url."
        ) from error
    if settings.certificate:
        demand_time(settings.certificate)


def client_of(settings: WarehouseSettings) -> httpx.Client:
    """One that trusts whom the settings say, and nothing of its environment.

    Raises:
        ConfigError: as `Tls.context`.
    """
    tls = (settings.url or "").startswith("https:")
    context = Tls(settings.ca, settings.certificate, settings.key).context() if tls else False
    limits = httpx.Limits(max_connections=settings.connections, max_keepalive_connections=settings.connections)
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": f"tunnel-edge/{__version__}",
    }
    timeout = httpx.Timeout(settings.answer_s, connect=settings.connect_s)
    return httpx.Client(
        verify=context, timeout=timeout, limits=limits, headers=headers, trust_env=False, follow_redirects=False
    )


def reply(request: str, response: httpx.Response, body: bytes) -> Reply:
    """What an HTTP answer comes to."""
    code, told = response.status_code, f"HTTP {response.status_code}"
    wait_s = retry_after_s(response.headers.get("Retry-After", ""), datetime.now(UTC))
    if code == PENDING_STATUS:
        return Reply(request, Outcome.PENDING, told, "", NAME, wait_s)
    if code in AT_FAULT:
        return Reply(request, Outcome.INVALID, told, _told(body), NAME)
    if code in ANSWERED:
        return _answer(request, told, body, wait_s)
    return Reply(request, Outcome.FAILED, told, _told(body), NAME, wait_s, code in BUSY)


def _answer(request: str, told: str, body: bytes, wait_s: float | None) -> Reply:
    """A body that says nothing, or of something else, is no answer: a portal between us may have sent it."""
    try:
        said = json.loads(body)
        fields = decode(REPLACEMENT_ACK, json.dumps({"schema": 1, "request": request, **said}).encode())
    except (ValueError, TypeError, RecursionError, MalformedMessage) as error:
        return Reply(request, Outcome.FAILED, told, f"no answer in it: {error}"[:MAX_TOLD], NAME)
    if fields["request"] != request:
        return Reply(request, Outcome.FAILED, told, "the answer is to another request", NAME)
    found = reply_of(fields, NAME)
    return Reply(request, found.outcome, found.status, found.why, NAME, wait_s)


def retry_after_s(value: str, now: datetime) -> float | None:
    """Seconds, or a date; None: it says neither (RFC 9110, 10.2.3)."""
    if value.isascii() and value.isdecimal():
        return float(value[:9])
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds())


def _body(response: httpx.Response, within_s: float) -> bytes:
    """No more than a message may have, in no more than the time of an answer.

    Raises:
        httpx.HTTPError: it is more, or comes too slowly.
    """
    body, end_s = b"", time.monotonic() + within_s
    for piece in response.iter_raw():
        body += piece
        if len(body) > MAX_BYTES or time.monotonic() > end_s:
            raise httpx.ReadError(f"an answer of more than {MAX_BYTES} bytes, or one that does not end")
    return body


def _told(body: bytes) -> str:
    """The why of an answer: its `why`, the `detail` or `title` of RFC 9457, else its first words."""
    text = body.decode(errors="replace")
    try:
        said = json.loads(text)
        found = next((said[name] for name in ("why", "detail", "title") if isinstance(said.get(name), str)), text)
    except (ValueError, AttributeError, RecursionError):
        found = text
    return " ".join("".join(one if one.isprintable() else " " for one in found[:MAX_BYTES]).split())[:MAX_TOLD]
