"""Requests on the lane's topics; the answers come on topics of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from edge.core.answers import Reply, reply_of
from edge.core.ports import Publisher
from edge.core.wire import owed_on

NAME = "mqtt"


class RequestsOverMqtt:
    """Through the lane's broker."""

    patience_s = 2.0  # for an answer

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    def offer(self, request: str, fields: Mapping[str, Any]) -> bool:
        """Publish it; False without a connection."""
        return self._publisher.publish(owed_on(fields), fields)


def replies(take: Callable[[], Iterable[Mapping[str, Any]]]) -> list[Reply]:
    """The answers that have come on the lane's topics, whichever way the requests went."""
    return [reply_of(fields, NAME) for fields in take()]
