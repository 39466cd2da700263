"""Who may say and hear what on the lane's broker: mosquitto's access list, from the one table of topics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from edge.core.topics import LINE_STOP, TABLE, Topic

OF_A_LANE = ("box", "sentinel", "plc")  # one of each on a lane
OF_THE_SITE = ("wms", "console")  # one for all lanes
ROLES = (*OF_A_LANE, *OF_THE_SITE)
HEAR_ALL = ("box", "sentinel", "console")  # the others hear what the box says


def identity(role: str, lane: str = "") -> str:
    """The name in a client's certificate, and its user name at the broker."""
    return f"{role}.{lane}" if role in OF_A_LANE else role


def acl(site: str, lanes: Iterable[str]) -> str:
    """Mosquitto's `acl_file`: whoever is not in it may nothing."""
    head = "# By `tunnel-edge certs acl`, from the table of topics: make it anew rather than change it.\n"
    users = [*((role, lane) for lane in lanes for role in OF_A_LANE), *((role, "+") for role in OF_THE_SITE)]
    return head + "".join(_user(site, role, lane) for role, lane in users)


def may_write(role: str, topic: Topic) -> bool:
    """One writer a topic; the sentinel asks for stops beside the box."""
    return topic.writer == role or (role == "sentinel" and topic is LINE_STOP)


def _user(site: str, role: str, lane: str) -> str:
    return "\n".join([f"\nuser {identity(role, lane)}", *_rights(site, role, lane)]) + "\n"


def _rights(site: str, role: str, lane: str) -> Iterator[str]:
    for topic in TABLE:
        if may_write(role, topic):
            yield f"topic write {topic.under(site, lane)}"
    if role in HEAR_ALL:
        yield f"topic read tunnel/{site}/{lane}/#"
    else:
        yield from (f"topic read {topic.under(site, lane)}" for topic in TABLE if topic.writer == "box")
