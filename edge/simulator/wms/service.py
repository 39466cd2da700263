"""A warehouse's HTTP service: docs/protocol.md, *The warehouse by HTTP*, as a server of the standard library."""

from __future__ import annotations

import json
import ssl
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from edge.core.errors import MalformedMessage
from edge.core.topics import LOT_HOLD, MAX_BYTES, REPLACEMENT
from edge.core.wire import decode
from edge.simulator.wms.mood import NS_PER_S, Moods
from edge.simulator.wms.shelf import ANOTHER_BODY, Decided, Shelf

TOPICS = {topic.name: topic for topic in (REPLACEMENT, LOT_HOLD)}
IDLE_S = 60.0  # a connection without a request is closed


class Service(ThreadingHTTPServer):
    """Listens; one thread for each connection."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], shelf: Shelf, moods: Moods, tls: ssl.SSLContext | None = None) -> None:
        """tls: with the demand of a client's certificate, where that is wanted."""
        self.shelf, self.moods, self._tls = shelf, moods, tls
        super().__init__(address, Answering)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """The handshake is made in the connection's own thread: one that does not speak holds nobody up."""
        request.settimeout(IDLE_S)
        secured = self._tls.wrap_socket(request, server_side=True) if self._tls else request
        super().finish_request(secured, client_address)
        if secured is not request:
            secured.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or that is not trusted: it has been told."""


class Answering(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Service

    def do_POST(self) -> None:
        """A request: taken, whatever then becomes of the answer."""
        moods, shelf = self.server.moods, self.server.shelf
        body = self._body()
        if body is None:
            return
        if moods.happens(moods.mood.fail):
            self._say(HTTPStatus.SERVICE_UNAVAILABLE, {"why": "not now"})
            return
        fields = self._checked(body)
        if fields is None:
            return
        said = shelf.take(fields, "http")
        moods.dawdle()
        if moods.happens(moods.mood.lose):
            self.close_connection = True
            return
        self._answer(fields["request"], said)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the standard library has
        """The shelf is the log."""

    def _answer(self, request: str, said: Decided) -> None:
        if said.status == ANOTHER_BODY:
            self._say(HTTPStatus.UNPROCESSABLE_ENTITY, {"why": said.why})
        elif time.time_ns() < said.ready_wall_ns:
            left_s = (said.ready_wall_ns - time.time_ns()) // NS_PER_S + 1
            self._say(HTTPStatus.ACCEPTED, {"request": request, "status": "pending"}, {"Retry-After": str(left_s)})
        else:
            told = {"request": request, "status": said.status, "why": said.why}
            self._say(HTTPStatus.OK, {name: value for name, value in told.items() if value})

    def _body(self) -> bytes | None:
        """None: refused, and said so."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "say Content-Length")
        elif int(length) > MAX_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {MAX_BYTES} bytes")
        else:
            return self.rfile.read(int(length))
        return None

    def _checked(self, body: bytes) -> dict[str, Any] | None:
        """The request's fields; None: refused, and said so."""
        topic = TOPICS.get("/".join(self.path.strip("/").split("/")[-2:]))
        if topic is None:
            self._refuse(HTTPStatus.NOT_FOUND, f"one of {', '.join(TOPICS)} is asked for here")
            return None
        try:
            fields = decode(topic, body)
        except MalformedMessage as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
            return None
        if self.headers.get("Idempotency-Key", "").strip('"') != fields["request"]:
            self._refuse(HTTPStatus.BAD_REQUEST, "Idempotency-Key must be the request's id")
            return None
        return fields

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self.close_connection = True
        self._say(status, {"why": why})

    def _say(self, status: HTTPStatus, said: dict[str, str], more: dict[str, str] | None = None) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **(more or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
