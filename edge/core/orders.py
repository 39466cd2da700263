"""The commands under way to the PLC: said again until it has answered."""

from __future__ import annotations

from collections.abc import Iterable

from edge.core.belt import NS_PER_MS
from edge.core.messages import DivertAck, DivertCommand, Item

AGAIN_NS = 500 * NS_PER_MS  # longer than an answer takes; the PLC carries a command out once, however often it is said
TAKEN = frozenset({"accepted", "duplicate"})


class Orders:
    """What was commanded of items on the belt, and whether the PLC has taken it."""

    def __init__(self) -> None:
        self._said_ns: dict[str, int] = {}  # command → when it was last said
        self._taken: set[str] = set()
        self._refused: set[str] = set()

    def give(self, commands: Iterable[DivertCommand], now_ns: int) -> None:
        """These are said now."""
        self._said_ns |= {command.command_id: now_ns for command in commands}

    def hear(self, acks: Iterable[DivertAck]) -> None:
        """The PLC's answers; those to commands that nobody remembers are of no interest."""
        for ack in acks:
            if ack.command_id in self._said_ns:
                (self._taken if ack.status in TAKEN else self._refused).add(ack.command_id)

    def given(self, item: Item) -> bool:
        """Whether the item was commanded off."""
        return command_id_of(item.item_id) in self._said_ns

    def taken(self, item: Item) -> bool:
        """Whether the PLC has said that it will carry that out."""
        return command_id_of(item.item_id) in self._taken

    def unanswered(self, item: Item, now_ns: int) -> bool:
        """Whether the command has waited for its answer for so long that it should be said again."""
        command_id = command_id_of(item.item_id)
        answered = command_id in self._taken or command_id in self._refused
        return not answered and now_ns - self._said_ns.get(command_id, now_ns) >= AGAIN_NS

    def forget(self, item_id: str) -> None:
        """The item is off the belt."""
        command_id = command_id_of(item_id)
        self._said_ns.pop(command_id, None)
        self._taken.discard(command_id)
        self._refused.discard(command_id)


def command_id_of(item_id: str) -> str:
    """The same in every repetition, and after a restart: the PLC knows it by that."""
    return f"{item_id}-divert"
