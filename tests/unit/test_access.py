"""The broker's access list says what the table of topics says; `test_broker_security` has a real broker read it."""

import pytest

from edge.core.access import acl, identity, may_write
from edge.core.topics import COMMAND, LINE_STOP, TABLE
from edge.settings import BrokerSettings


def rights(text):
    """User → what he may write."""
    users, user = {}, ""
    for line in text.splitlines():
        match line.split(maxsplit=2):
            case ["user", name]:
                user = name
            case ["topic", "write", topic]:
                users.setdefault(user, set()).add(topic)
    return users


def test_every_topic_has_its_writer_and_no_other():
    told = rights(acl("s", ["one", "two"]))
    for topic in TABLE:
        path = topic.under("s", "one")
        writer = identity(topic.writer, "one")
        anywhere = topic.under("s", "+") if writer == topic.writer else path
        also = {"sentinel.one"} if topic is LINE_STOP else set()
        assert {user for user, topics in told.items() if {path, anywhere} & topics} == {writer} | also, topic.name


def test_nobody_but_the_box_moves_the_gate():
    assert [role for role in ("box", "sentinel", "plc", "wms", "console") if may_write(role, COMMAND)] == ["box"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"certificate": "c", "ca": "a"}, "certificate and key go together"),
        ({"key": "k", "ca": "a"}, "certificate and key go together"),
        ({"certificate": "c", "key": "k"}, "and with ca"),
    ],
)
def test_half_of_a_brokers_keys_is_refused(given, told):
    with pytest.raises(ValueError, match=told):
        BrokerSettings(**given)
