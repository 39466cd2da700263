"""A warehouse at the broker: hears requests, and answers on their topics."""

from __future__ import annotations

import time

from edge.core.topics import LOT_HOLD, LOT_HOLD_ACK, REPLACEMENT, REPLACEMENT_ACK
from edge.simulator.mqtt import Party, Received
from edge.simulator.wms.mood import NS_PER_S, Moods
from edge.simulator.wms.shelf import Shelf

TOPICS = (REPLACEMENT, LOT_HOLD)
ANSWERS = {REPLACEMENT.name: REPLACEMENT_ACK, LOT_HOLD.name: LOT_HOLD_ACK}


class Listener:
    """Turned by one thread; what is decided late is said late, without being asked again."""

    def __init__(self, party: Party, shelf: Shelf, moods: Moods) -> None:
        self._party, self._shelf, self._moods = party, shelf, moods
        self._due: list[tuple[int, str, dict[str, str]]] = []  # when (wall clock ns), topic, answer

    def turn(self) -> None:
        """Take what has come, and say what is due."""
        for message in self._party.received():
            self._take(message)
        now_ns = time.time_ns()
        for due_ns, topic, said in self._due:
            if due_ns <= now_ns:
                self._party.publish(ANSWERS[topic], said)
        self._due = [one for one in self._due if one[0] > now_ns]

    def _take(self, message: Received) -> None:
        mood = self._moods.mood
        if self._moods.happens(mood.fail):
            return
        said = self._shelf.take(message.fields, "mqtt")
        self._moods.dawdle()
        if self._moods.happens(mood.lose):
            return
        answer = {
            "request": message.fields["request"],
            "status": said.status,
            **({"why": said.why} if said.why else {}),
        }
        times = 2 if self._moods.happens(mood.twice) else 1
        self._due += [
            (max(said.ready_wall_ns, time.time_ns()) + n * NS_PER_S, message.topic.name, answer) for n in range(times)
        ]
