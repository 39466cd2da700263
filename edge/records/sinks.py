"""Where records end: the journal, the tap, the verdict topic."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import zmq

from edge.core.bodies import body
from edge.core.messages import Image, LotHold, ReplacementRequest, Verdict
from edge.core.ports import Publisher, Record
from edge.core.topics import VERDICT
from edge.core.wire import hold_fields, replacement_fields, verdict_fields
from edge.records.journal import Journal

JPEG_QUALITY = 88
TAP_HEIGHT_PX = 160
TAP_KEPT = 64
TAP_TOPIC = b"verdict"


class JournalSink:
    """Every record into the journal; what is owed to the warehouse into the outbox with it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def write(self, records: Sequence[Record]) -> None:
        """One transaction a batch."""
        entries = [(type(one).__name__, getattr(one, "item_id", None), body(one)) for one in records]
        self._journal.append(entries, [_owed(one) for one in records if isinstance(one, ReplacementRequest | LotHold)])


class TapSink:
    """Publishes each verdict with a small picture; who does not listen in time misses it."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], endpoint: str) -> None:
        self._socket = context.socket(zmq.PUB)
        self._socket.setsockopt(zmq.SNDHWM, TAP_KEPT)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.bind(endpoint)

    def close(self) -> None:
        """Give the endpoint back."""
        self._socket.close()

    def write(self, records: Sequence[Record]) -> None:
        """Topic, JSON as on the verdict topic, JPEG (empty without a picture)."""
        for one in records:
            if isinstance(one, Verdict):
                pictures = [evidence.picture for evidence in one.evidence if evidence.picture is not None]
                strip = jpeg(side_by_side(pictures)) if pictures else b""
                self._socket.send_multipart([TAP_TOPIC, json.dumps(verdict_fields(one)).encode(), strip])


class VerdictSink:
    """Each verdict on its topic."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    def write(self, records: Sequence[Record]) -> None:
        """Said once; without a broker it stands in the journal all the same."""
        for one in records:
            if isinstance(one, Verdict):
                self._publisher.publish(VERDICT, verdict_fields(one))


def _owed(record: ReplacementRequest | LotHold) -> tuple[str, Mapping[str, Any]]:
    if isinstance(record, LotHold):
        return record.hold_id, hold_fields(record)
    return record.request_id, replacement_fields(record)


def jpeg(image: Image) -> bytes:
    """A picture as a JPEG file."""
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def side_by_side(pictures: Sequence[Image]) -> Image:
    """Pictures at one height in one strip."""
    scaled = [_at_height(picture) for picture in pictures]
    return np.ascontiguousarray(np.hstack(scaled))


def _at_height(picture: Image) -> Image:
    colour = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) if picture.ndim == 2 else picture
    width = max(1, round(colour.shape[1] * TAP_HEIGHT_PX / colour.shape[0]))
    return np.asarray(cv2.resize(colour, (width, TAP_HEIGHT_PX), interpolation=cv2.INTER_AREA), np.uint8)
