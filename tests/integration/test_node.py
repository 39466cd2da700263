"""A camera node in a network namespace, on a cable (TAP) that is delayed, lossy or cut: real TCP, real keys."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import numpy as np
import pytest
import zmq

from bench.cable import SOUND, Fault, cable, unavailable
from bench.node import AHEAD_S, CAMERAS_MM, GEOMETRY, PORT, Box, node, prepare
from edge.cameras.line import Peer, ask
from edge.cameras.node import NodeCameras
from edge.core.belt import NS_PER_S
from edge.core.errors import CameraFault
from edge.core.frames import Sent, encode_sent
from edge.core.nodes import READY, WORD, Answer, CameraState, decode_word, encode_answer
from edge.keys import make, own, public
from edge.simulator.plan import Geometry, Plan, PlannedItem
from edge.simulator.run import simulate
from tests.integration.conftest import free_port
from tests.integration.test_daemon import Site, check, ended, state, wait_for

pytestmark = pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "there is a cable")
CUT = Fault(cut=True)
GREY = np.zeros((4, 6), np.uint8)
TOLD_S = 2.0  # within which a silent node must be told
BACK_S = 8.0  # within which it must be heard again: a connection is given up after 2 s, tried anew each second


@pytest.fixture(scope="module")
def way(worker_id):
    number = 100 + int(worker_id.removeprefix("gw") or 0) if worker_id != "master" else 99
    with cable(number, congestion="cubic") as one:
        yield one


@pytest.fixture
def context():
    with zmq.Context() as one:
        yield one


@pytest.fixture
def peer(way, tmp_path):
    way.suffer(SOUND)
    yield prepare(tmp_path, way.far)
    way.suffer(SOUND)


@pytest.fixture
def there(way, peer, tmp_path):
    with node(way, tmp_path) as process:
        yield process


@pytest.fixture
def box(context, peer, there):
    with boxed(context, peer) as one:
        until(one, lambda: one.node.answer is not None)
        yield one


@contextmanager
def boxed(context, peer):
    one = Box(context, peer)
    try:
        yield one
    finally:
        one.stop()


def until(box, condition, most_s=15.0):
    """Turn until it holds; how long that took, s."""
    begun_s = time.monotonic()
    while not condition():
        assert time.monotonic() - begun_s < most_s, box.faults
        box.run(0.02)
    return time.monotonic() - begun_s


def became(box):
    counts = {}
    for (_, outcome), count in box.cameras.at_nodes().items():
        counts[outcome] = counts.get(outcome, 0) + count
    return counts


def accounted(counts):
    """Every frame that was sent has come to something."""
    return counts["sent"] == sum(counts.get(one, 0) for one in ("taken", "expired", "lost", "dropped", "unclear"))


def test_crops_arrive_in_time_with_the_counts_of_their_exposure(box):
    seen = box.run(4.0)
    counts = became(box)
    assert box.faults == {}
    assert seen.sightings > 10
    assert {camera for _, camera in seen.items} == set(CAMERAS_MM)
    assert {height for height, _, _ in seen.shapes} == {480}
    assert all(width < 520 for _, width, _ in seen.shapes)  # 200 mm and 40 at each end, of 400 in 640 px
    assert (seen.late, counts.get("expired", 0), counts.get("lost", 0)) == (0, 0, 0)


def test_a_clock_that_is_hours_ahead_is_aligned_to_within_what_is_stated(box):
    for _ in range(20):
        box.run(0.1)
        offset_ns, error_ns = box.node.clock.offset(time.monotonic_ns())
        assert abs(offset_ns - AHEAD_S * NS_PER_S) <= error_ns < 20_000_000


def test_a_cut_cable_is_told_within_two_seconds_and_nothing_late_is_judged(box, way):
    box.run(2.0)
    way.suffer(CUT)
    assert until(box, lambda: len(box.faults) == len(CAMERAS_MM)) < TOLD_S
    assert "has not answered for" in box.faults["top"]
    late = box.run(2.0).late
    way.suffer(SOUND)
    assert until(box, lambda: not box.faults) < BACK_S
    seen = box.run(2.0)
    until(box, lambda: accounted(became(box)))
    counts = became(box)
    assert late + seen.late == 0
    assert seen.sightings > 4
    assert counts["dropped_there"] + counts["expired_there"] + counts["lost"] > 0


def test_frames_that_a_delay_makes_late_are_dropped_and_counted(box, way):
    box.run(2.0)
    way.suffer(Fault(delay_ms=200))
    box.run(0.2)  # what was under way
    seen = box.run(8.0)
    assert seen.late == 0
    assert not seen.ages_ms or min(seen.ages_ms) > 150
    counts = became(box)
    assert counts["dropped_there"] + counts["expired_there"] + counts.get("expired", 0) > 0
    way.suffer(SOUND)
    seen = box.run(4.0)
    assert (seen.late, box.faults) == (0, {})
    assert seen.sightings > 4


def test_where_the_clock_cannot_be_known_well_enough_nothing_is_judged(context, peer, there, way):
    way.suffer(Fault(delay_ms=200))
    with boxed(context, peer) as box:
        until(box, lambda: became(box).get("unclear", 0) > 0)
        assert box.run(1.0).frames == 0
        offset_ns, error_ns = box.node.clock.offset(time.monotonic_ns())
    assert "has a clock known to ± 20" in next(iter(box.faults.values()))
    assert "mm of belt only: shorten the way to the node" in next(iter(box.faults.values()))
    assert abs(offset_ns - AHEAD_S * NS_PER_S) <= error_ns


def test_of_a_lossy_cable_nothing_comes_late(box, way):
    way.suffer(Fault(loss=0.05))
    seen = box.run(8.0)
    assert seen.late == 0
    assert seen.sightings > 10


def test_a_camera_that_fails_at_its_node_is_told_by_the_box(context, peer, way, tmp_path):
    text = (tmp_path / "node.toml").read_text()
    (tmp_path / "node.toml").write_text(text.replace("pictures", "nowhere", 1))
    with node(way, tmp_path), boxed(context, peer) as box:
        until(box, lambda: "top" in box.faults)
        seen = box.run(2.0)
    assert f"camera 'top' ({tmp_path}/nowhere) cannot be opened" in box.faults["top"]
    assert box.faults["top"].endswith(f"(node {peer.endpoint})")
    assert "side" not in box.faults
    assert {camera for _, camera in seen.items} == {"side"}


def test_a_link_that_is_too_slow_is_told(box, way):
    way.suffer(Fault(rate_mb_per_s=0.3))
    until(box, lambda: "has frames that come too late" in box.faults.get("top", ""), 30)
    assert box.run(1.0).late == 0
    way.suffer(SOUND)
    until(box, lambda: not box.faults)
    seen = box.run(3.0)
    assert seen.late == 0
    assert seen.sightings > 4


def test_a_node_that_is_killed_is_told_and_heard_again(box, there, way, tmp_path):
    box.run(1.0)
    there.kill()
    assert until(box, lambda: len(box.faults) == len(CAMERAS_MM)) < TOLD_S
    with node(way, tmp_path, AHEAD_S + 777):
        assert until(box, lambda: not box.faults) < BACK_S
        seen = box.run(2.0)
        offset_ns, error_ns = box.node.clock.offset(time.monotonic_ns())
    assert seen.late == 0
    assert seen.sightings > 4
    assert abs(offset_ns - (AHEAD_S + 777) * NS_PER_S) <= error_ns


def test_a_node_serves_one_box_and_another_once_that_is_gone(context, peer, there):
    with boxed(context, peer) as other:
        with boxed(context, peer) as first:
            until(first, lambda: first.seen.frames > 0)
            until(other, lambda: "is another box's" in other.faults.get("top", ""))
            assert other.run(1.0).frames == 0
        until(other, lambda: not other.faults)
        assert other.run(3.0).sightings > 4


def answers(context, peer):
    """Whether the node has started, which takes longer than anybody waits where much else runs."""
    with suppress(CameraFault):
        return ask(context, peer)


def test_a_key_that_the_node_does_not_know_is_refused_and_told(context, peer, there, tmp_path):
    make(tmp_path, "stranger")
    stranger = Peer(peer.endpoint, peer.key, own(tmp_path / "stranger.key_secret"))
    assert wait_for(lambda: answers(context, peer))
    with pytest.raises(CameraFault, match="refuses the connection: the node must know the box's public key"):
        ask(context, stranger)
    with boxed(context, stranger) as box:
        until(box, lambda: "refuses the connection" in box.faults.get("top", ""))
        assert box.seen.frames == 0
    assert public(tmp_path / "stranger.key").decode() in (tmp_path / "node.log").read_text()
    assert ask(context, peer).refused > 0


def test_a_node_with_another_key_than_was_given_out_is_not_believed(context, peer, there, tmp_path):
    assert wait_for(lambda: answers(context, peer))
    make(tmp_path, "other")
    with pytest.raises(CameraFault, match=r"refuses the connection|has not answered"):
        ask(context, Peer(peer.endpoint, public(tmp_path / "other.key"), peer.own))


def test_nonsense_from_within_and_without_ends_no_node(context, box, peer, there):
    address = peer.endpoint.removeprefix("tcp://").removesuffix(f":{PORT}")
    with socket.create_connection((address, PORT)) as plain, suppress(ConnectionResetError):
        plain.sendall(bytes(range(256)) * 4096)
    rude = context.socket(zmq.DEALER)
    rude.curve_serverkey, rude.curve_publickey, rude.curve_secretkey = peer.key, peer.own.public, peer.own.secret
    rude.linger = 0
    rude.connect(peer.endpoint)
    for parts in (
        [b""],
        [b"?"],
        [WORD],
        [WORD, b"{"],
        [WORD, b"[" * 9999],
        [b"got", b"{}"],
        [WORD] * 40,
        [READY, b"x" * 9],
    ):
        rude.send_multipart(parts)
    rude.send_multipart([b"got", b'{"camera": "top", "number": 1, "spent": 0.1}'])
    rude.send_multipart([WORD, b" " * 10_000_000])  # its connection is ended: nothing so large is read
    until(box, lambda: box.node.answer.refused >= 7)
    rude.close()
    assert there.poll() is None
    assert box.run(3.0).sightings > 4


@pytest.fixture
def hostile(context, tmp_path):
    """A socket with a node's keys that says what it likes."""
    for name in ("node", "box"):
        make(tmp_path, name)
    one = context.socket(zmq.ROUTER)
    one.curve_server, one.curve_secretkey, one.linger = True, own(tmp_path / "node.key_secret").secret, 0
    port = free_port()
    one.bind(f"tcp://127.0.0.1:{port}")
    yield one, Peer(f"tcp://127.0.0.1:{port}", public(tmp_path / "node.key"), own(tmp_path / "box.key_secret"))
    one.close()


def test_a_node_that_lies_is_refused_and_counted(context, hostile):
    one, peer = hostile
    cameras = NodeCameras(context, peer, ["top"], GEOMETRY)
    cameras.start()
    who, _, body = one.recv_multipart()
    asked_ns = decode_word(body).asked_ns
    good = Answer(
        asked_ns, 5, 6, "life", "", 0, {"top": CameraState("", triggered=False, sent=0, dropped=0, expired=0)}
    )
    picture = encode_sent(Sent("top", "life", 1, 1, 5, 2**62, GREY, (0, 0), GREY.shape, "black: lens cap"))
    other = encode_sent(Sent("back", "life", 1, 1, 5, 2**62, GREY, (0, 0), GREY.shape))
    wrong = [
        [b"?"],
        [b""],
        [b"answer", b"{"],
        encode_answer(Answer(asked_ns + 1, 5, 6, "life", "", 0, {})),  # was not asked
        encode_answer(Answer(asked_ns, 6, 5, "life", "", 0, {})),  # answered before it was heard
        encode_answer(good),
        encode_answer(good),  # again
        picture,
        picture,  # again
        other,
        [picture[0], picture[1], picture[2][1:]],
    ]
    for parts in wrong:
        one.send_multipart([who, *parts])
    assert wait_for(lambda: cameras.refused == len(wrong) - 2)
    assert wait_for(lambda: len(cameras._frames["top"]) == 1)
    assert cameras.answer == good
    assert cameras._frames["top"][0].fault == "black: lens cap"
    cameras.stop()


def test_check_tells_what_is_wrong_with_every_node_and_camera(tmp_path, broker, endpoint, way, peer, there):
    site = Site(tmp_path, broker.port, endpoint)
    (tmp_path / "references").mkdir()
    lane_of(site, peer, ("top", "back"))
    checked = check(site.config)
    assert f"camera 'back' (node {peer.endpoint}) is unknown there: the node has top, side" in checked.stderr
    assert "camera 'top'" not in checked.stderr
    lane_of(site, peer, ("top", "side"))
    assert "camera" not in check(site.config).stderr
    there.kill()
    there.wait()
    assert check(site.config).stderr.count("has not answered for 3.0 s") == 2
    (tmp_path / "box.key_secret").chmod(0o644)
    assert check(site.config).stderr.count("others may read this secret key") == 2


def lane_of(site, peer, cameras):
    """The site's settings with cameras of a node."""
    text = site.config.read_text()
    begin, end = text.index("[[camera]]"), text.index("[inspection]")
    kinds = "".join(
        f'[[camera]]\nname = "{name}"\nplace_mm = 300\nnode = "{peer.endpoint}"\nnode_key = "{site.folder}/node.key"\n'
        for name in cameras
    )
    kinds += f'[nodes]\nkey = "{site.folder}/box.key_secret"\n'
    site.config.write_text(text[:begin] + kinds + text[end:])


def test_a_node_checks_its_own_settings(peer, tmp_path):
    assert "good: 2 cameras" in command("check", tmp_path / "node.toml").stdout
    text = (tmp_path / "node.toml").read_text()
    (tmp_path / "node.toml").write_text(text.replace("pictures", "nowhere").replace("box.key", "nobody.key"))
    told = command("check", tmp_path / "node.toml").stderr
    assert told.count("cannot be opened") == 2
    assert "nobody.key: cannot be read" in told


def test_keys_are_made_by_a_command(tmp_path):
    made = command("keys", "box", "--folder", tmp_path)
    assert f"copy {tmp_path}/box.key to the other machine" in made.stdout
    assert public(tmp_path / "box.key") == own(tmp_path / "box.key_secret").public


def command(*words):
    ran = [sys.executable, "-m", "edge", "node", *map(str, words)]
    return subprocess.run(ran, capture_output=True, text=True, timeout=60, check=False)


def test_a_daemon_judges_what_a_node_shows_and_says_when_it_is_cut_off(tmp_path, broker, endpoint, way, peer, there):
    site = Site(tmp_path, broker.port, endpoint)
    lane_of(site, peer, ("top",))
    lane = Geometry(counts_per_mm=10, camera_mm={}, gate_mm=1000, confirm_mm=1100, exit_mm=1150, gate_ms=60)
    items = [PlannedItem(f"w-{n}", "04012345678901", f"o-{n}", 120.0, {}) for n in range(6)]
    plan = Plan("site", "lane", lane, tuple(items), speed_mm_per_s=400, items_per_minute=60)
    with site.daemon():
        assert wait_for(lambda: "Execute" in state(broker))
        simulate(plan, broker.host, broker.port, endpoint, tmp_path / "truth.json")
        assert alarms(site) == ""
        way.suffer(CUT)
        assert wait_for(lambda: f"camera 'top' (node {peer.endpoint}) has not answered for 1." in alarms(site))
        assert 'tunnel_camera_faulty{camera="top"} 1.0' in site.scraped()
        way.suffer(SOUND)
        assert wait_for(lambda: "camera 'top' is well again" in alarms(site))
        assert 'tunnel_node_frames_total{camera="top",outcome="taken"}' in site.scraped()
        assert "tunnel_node_clock_error_seconds{node=" in site.scraped()
    assert ended(site) == ["no_decision"] * 6  # it has no references
    seen = {body["item_id"] for kind, body in site.said() if kind == "Evidence"}
    assert len(seen) == 6


def alarms(site):
    return "\n".join(body["because"] for kind, body in site.said() if kind == "Alarm" and body["kind"] == "camera")
