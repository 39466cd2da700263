"""What a tape notes, what a recorder keeps when something fails, and what comes back from its files."""

from __future__ import annotations

import json
import math
import resource
from dataclasses import fields, replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from edge.core.bodies import IN_MEMORY, body
from edge.core.errors import RecordingRefused
from edge.core.in_force import UNCALIBRATED, Accepted, Standing
from edge.core.messages import Conservation, End, Evidence, Frame, ItemEnd, ScaleLearnt, Sighting
from edge.core.ports import Ports
from edge.core.recovery import Known, Start
from edge.core.topics import ACK, BELT, HEARTBEAT
from edge.recording.keeper import Keeper, new_folder
from edge.recording.lines import FORMAT, HEAD, HEADS, JOURNAL, LINES, TAPE, Head, ToldFrame, line_of
from edge.recording.reader import Recording
from edge.recording.recorder import OVERTAKEN, PICTURES_WAITING, Bounds, Recorder
from edge.recording.reference import Difference, changed_verdicts, differences, lines_of
from edge.recording.replayed import DryWire, Replayed
from edge.recording.tape import SILENT_TURNS, Announced, Silenced, Tape, Turn
from edge.recording.taught import fingerprints, others
from tests.unit.lane import EXPECTED, MS, evidence, item, reading

BELT_SAID = {"counts": 7, "plc_ns": 1, "speed_mm_per_s": 500.0, "edges": []}
SETTINGS = b"[lane]\n"
TAUGHT = Path("nowhere")
PICTURE = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
WHOLE = Bounds(10**9)


def head(**start):
    return Head(format=FORMAT, made_by="0", recorded="", lane="l", start=Start("l-1", 1000, **start), models={})


def frame(name="top-1", image=PICTURE):
    return Frame("top", name, 5, 7.25, image)


def ended(name="i-1"):
    return ItemEnd(name, End.PASSED, 9, 1500)


def turn_with(at_ns=2000, **told):
    return Turn(instants_ns=[at_ns], **told)


class Cameras:
    """Give what they are told to."""

    def __init__(self):
        self.frames, self.sick = [], {}

    def grab(self, reading, items):
        return self.frames

    def faults(self):
        return self.sick

    def go_by(self, geometry):
        pass


class Outside:
    """The other ports in one, which give what they are told to."""

    def __init__(self):
        self.cameras = Cameras()
        self.wire = DryWire()
        self.found, self.doubts, self.day = [], {}, date(2026, 1, 1)
        self.records, self.sightings, self.forgotten, self.waits_s = [], [], [], 0

    def ports(self):
        return Ports(self.wire, self.cameras, self, self, lambda: 0, lambda: self.day)

    def faults(self):
        return self.doubts

    def submit(self, sightings):
        self.sightings += sightings

    def collect(self):
        return self.found

    def forget(self, item_ids):
        self.forgotten += item_ids

    def record(self, records):
        self.records += records

    def unwritten_s(self):
        return self.waits_s


class Shelf:
    """Says what it is told to."""

    def __init__(self, standing):
        self.standing = standing

    def told(self):
        return self.standing


@pytest.fixture
def outside():
    return Outside()


def listened(outside, act, turns=1):
    """The turns in which `act` uses the ports."""
    tape, given = Tape(), []
    ports = tape.ports(outside.ports())
    turn = tape.turning(lambda now_ns: act(ports), given.append)
    for now_ns in range(turns):
        turn(now_ns)
    return given


def test_a_turn_notes_what_came_in_and_passes_it_on(outside):
    outside.wire.hear({"belt": [(3, BELT_SAID)]})
    outside.cameras.frames, outside.found = [frame("a"), frame("b")], [evidence()]
    outside.cameras.sick, outside.doubts = {"top": "blind"}, {"side": "held"}

    def act(ports):
        assert ports.wire.take(ACK) == []
        assert ports.wire.take(BELT) == [(3, BELT_SAID)]
        assert ports.camera.grab(reading(), {}) == outside.cameras.frames
        assert ports.camera.faults() == {"top": "blind"}
        ports.inspector.submit(iter([Sighting(outside.cameras.frames[1], item(), 9)]))
        assert ports.inspector.collect() == outside.found
        assert ports.inspector.faults() == {"side": "held"}
        assert ports.today() == date(2026, 1, 1)
        ports.ledger.record(iter([ended(), evidence()]))

    (turn,) = listened(outside, act)
    assert turn.instants_ns == [0]
    assert turn.said == {"belt": [(3, BELT_SAID)]}
    assert turn.frames == outside.cameras.frames
    assert turn.doubts == {"side": "held"}
    assert turn.shown == {("top", "b")}
    assert (turn.faults, turn.today) == ({"top": "blind"}, date(2026, 1, 1))
    assert (turn.evidence, turn.records) == (outside.found, [ended()])
    assert outside.records == [ended(), evidence()]
    assert len(outside.sightings) == 1


def test_what_stays_the_same_is_not_said_again(outside):
    books = Conservation(1, ((End.PASSED, 1),), 0, 0)

    def act(ports):
        ports.camera.faults()
        ports.inspector.faults()
        ports.today()
        ports.ledger.record([books])

    first, silent = listened(outside, act, turns=1 + SILENT_TURNS)
    assert (first.records, first.today) == ([books], outside.day)
    assert silent.instants_ns == list(range(1, SILENT_TURNS + 1))
    assert not silent.tells


def test_the_state_and_a_heartbeat_that_stopped_are_noted(outside):
    tape, given = Tape(), []
    ports = tape.ports(outside.ports())

    def act(now_ns):
        if now_ns in (0, 200 * MS, 900 * MS):
            ports.wire.publish(HEARTBEAT, {"turn": 1})
        if now_ns == 300 * MS:
            ports.wire.announce("Held", "jam", {})

    turn = tape.turning(act, given.append)
    for now_ns in range(0, 1000 * MS, 100 * MS):
        turn(now_ns)
    assert [(one.instants_ns[-1] // MS, one.records) for one in given] == [
        (300, [Announced("Held", "jam")]),
        (900, [Silenced(700.0)]),
    ]


def test_a_turn_that_fails_is_noted_as_far_as_it_went(outside):
    outside.wire.hear({"belt": [(3, BELT_SAID)]})

    def act(ports):
        ports.wire.take(BELT)
        raise ZeroDivisionError

    tape, given = Tape(), []
    ports = tape.ports(outside.ports())
    with pytest.raises(ZeroDivisionError):
        tape.turning(lambda now_ns: act(ports), given.append)(4)
    assert given[0].said == {"belt": [(3, BELT_SAID)]}


def test_evidence_comes_back_as_it_was():
    full = Evidence(
        "i-1", "f", "top", "expiry", score=math.inf, p_value=0.1 + 0.2, reading="2027-01-01", kind="use_by",
        source="print", rivals=(("2027-01-01", 0.7),), probability=1e-300, where=((1.5, 2.0),), because="“EXP” \u2028",
        picture=PICTURE, alike=2, learnt="0123456789abcdef", exposed_ns=2**62, started_ns=1, finished_ns=2, valid=True,
    )  # fmt: skip
    line = LINES.validate_json(line_of(turn_with(evidence=[full, evidence()]), {}))
    assert line.evidence == (replace(full, picture=None), evidence())
    assert {one.name for one in fields(Evidence)} > IN_MEMORY
    assert ("learnt" in body(full), "learnt" in body(evidence())) == (True, False)


def test_what_a_shelf_comes_to_is_noted_when_it_changes_and_comes_back(outside):
    good = {"belt.top": Accepted(2, "2026-11-26T12:00:00+00:00", {"belt.counts_per_mm": 10.05})}
    shelf = Shelf(Standing(good, {"gate": "not signed"}, {"belt.top": "it expires"}))
    tape, given = Tape(), []
    ports = tape.ports(replace(outside.ports(), calibrations=shelf))
    turn = tape.turning(lambda _: ports.calibrations.told(), given.append)
    for now_ns in range(1, 1 + SILENT_TURNS):
        turn(now_ns)
    (noted,) = given
    line = LINES.validate_json(line_of(noted, {}))
    assert line.calibrations == shelf.told()
    replayed = Replayed([line])
    assert replayed.told() is UNCALIBRATED
    list(replayed.instants_ns())
    assert replayed.told() == shelf.told()


def test_how_long_the_ledger_is_not_written_is_noted_when_it_changes_and_comes_back(outside):
    tape, given = Tape(), []
    ports = tape.ports(outside.ports())

    def act(now_ns):
        outside.waits_s = {2: 60, 3: 60, 4: 0}.get(now_ns, 0)
        assert ports.ledger.unwritten_s() == outside.waits_s

    turn = tape.turning(act, given.append)
    for now_ns in range(6):
        turn(now_ns)
    lines = [LINES.validate_json(line_of(one, {})) for one in given]
    assert [(one.instants_ns[-1], one.unwritten_s) for one in lines] == [(2, 60), (4, 0)]
    replayed = Replayed(lines)
    assert [replayed.unwritten_s() for _ in replayed.instants_ns()] == [0, 0, 60, 60, 0]


def test_a_head_tells_what_was_in_force_and_one_without_is_read_as_before():
    good = {"belt.top": Accepted(2, "2026-11-26T12:00:00+00:00", {"belt.counts_per_mm": 10.05})}
    learnt = ScaleLearnt("belt.top 2", 17_500.5, 0.001, 0.004, 9)
    told = head(in_force=good, seen={"belt.top": 2}, scale=learnt)
    assert HEADS.validate_json(told.model_dump_json()) == told
    before = json.loads(head().model_dump_json())
    before["start"] = {name: before["start"][name] for name in ("id_prefix", "began_ns", "known")}
    assert HEADS.validate_python(before) == head()


def test_every_field_of_a_frame_is_told():
    assert ToldFrame.model_fields.keys() - {"sha256"} == {one.name for one in fields(Frame)} - {"image"}


def keep(folder, turns, bounds=WHOLE, start=None):
    recorder = Recorder(Keeper(new_folder(folder), head(**(start or {})), SETTINGS, TAUGHT), bounds)
    with recorder.running():
        for turn in turns:
            recorder.offer(turn)
    return recorder


def test_a_recording_comes_back_turn_by_turn(tmp_path):
    known = Known(3, {"induct": 7}, (replace(item(), expected=EXPECTED),), {})
    first = Turn([1000, 1100, 2000], {"belt": [(3, BELT_SAID)]}, [frame("a"), frame("b")], {("top", "b")})
    keep(
        tmp_path / "r",
        [first, turn_with(3000, faults={}, today=date(2026, 1, 1), records=[ended()])],
        start={"known": known},
    )
    recording = Recording(tmp_path / "r")
    recording.demand_end()
    assert recording.head.start.known == known
    one, two = recording.lines()
    assert one.instants_ns == (1000, 1100, 2000)
    assert one.said == {"belt": [(3, BELT_SAID)]}
    assert [frame.sha256 is None for frame in one.frames] == [True, False]
    assert np.array_equal(recording.picture(one.frames[1]), PICTURE)
    assert (two.faults, two.today) == ({}, date(2026, 1, 1))
    assert (recording.head.ended.turns, recording.head.ended.items) == (4, 1)
    assert json.loads((tmp_path / "r" / JOURNAL).read_text())["ended_ns"] == 500


def test_mono_pictures_stay_mono_and_the_same_one_is_kept_once(tmp_path):
    mono = frame(image=PICTURE[..., 0].copy())
    keep(tmp_path / "r", [turn_with(at, frames=[mono], shown={("top", "top-1")}) for at in (1, 2, 3)])
    recording = Recording(tmp_path / "r")
    pictures = [recording.picture(line.frames[0]) for line in recording.lines()]
    assert [one.shape for one in pictures] == [(4, 4)] * 3
    assert len(list((tmp_path / "r" / "frames").iterdir())) == 1


def test_a_thread_that_does_not_keep_up_ends_the_recording_without_a_gap(tmp_path):
    recorder = Recorder(Keeper(new_folder(tmp_path / "r"), head(), SETTINGS, TAUGHT), WHOLE)
    shown = [turn_with(at, frames=[frame(f"f-{at}")], shown={("top", f"f-{at}")}) for at in range(PICTURES_WAITING + 5)]
    for turn in shown:
        recorder.offer(turn)
    assert recorder.because == OVERTAKEN
    with recorder.running():
        recorder.offer(turn_with(99))
    recording = Recording(tmp_path / "r")
    assert recording.head.ended.because == OVERTAKEN
    assert [line.instants_ns[0] for line in recording.lines()] == list(range(PICTURES_WAITING))


def test_a_full_disk_ends_the_recording_and_what_was_kept_is_good(tmp_path):
    recorder = Recorder(Keeper(new_folder(tmp_path / "r"), head(), SETTINGS, TAUGHT), WHOLE)
    chance = np.random.default_rng(1)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with recorder.running():
            for at in range(300):
                recorder.offer(Turn(sorted(chance.integers(at * 10**12, (at + 1) * 10**12, 100).tolist()), faults={}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert recorder.because == "it could not be kept (File too large)"
    recording = Recording(tmp_path / "r")
    assert recording.head.ended.because == recorder.because
    turns = sum(len(line.instants_ns) for line in recording.lines())
    assert turns == recording.head.ended.turns
    assert 1000 < turns < 30_000


def test_a_disk_that_is_full_from_the_start_is_told_too(tmp_path, caplog):
    folder = new_folder(tmp_path / "r")
    (folder / TAPE).symlink_to("/dev/full")
    recorder = Recorder(Keeper(folder, head(), SETTINGS, TAUGHT), WHOLE)
    with recorder.running():
        recorder.offer(turn_with(records=[ended()]))
    assert "No space left on device" in recorder.because
    assert json.loads((folder / HEAD).read_text())["ended"]["because"] == recorder.because


def test_pictures_that_cannot_be_written_end_the_recording(tmp_path):
    folder = new_folder(tmp_path / "r")
    recorder = Recorder(Keeper(folder, head(), SETTINGS, TAUGHT), WHOLE)
    with recorder.running():
        recorder.offer(turn_with(1, records=[ended()]))
        (folder / "frames").rmdir()
        recorder.offer(turn_with(2, frames=[frame()], shown={("top", "top-1")}))
        recorder._thread.join(10)
        recorder.offer(turn_with(3))
    assert "No such file" in recorder.because


def test_a_daemon_that_fails_leaves_a_recording_up_to_there(tmp_path):
    recorder = Recorder(Keeper(new_folder(tmp_path / "r"), head(), SETTINGS, TAUGHT), WHOLE)

    def failing():
        with recorder.running():
            recorder.offer(turn_with(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    recording = Recording(tmp_path / "r")
    assert (recording.head.ended.because, len(list(recording.lines()))) == ("the daemon failed", 1)


def test_the_references_of_then_are_known_again(tmp_path):
    product = tmp_path / "references" / "0401"
    product.mkdir(parents=True)
    (product / "top.npz").write_bytes(b"then")
    (tmp_path / "outside.npz").write_bytes(b"secret")
    then = fingerprints(tmp_path / "references", ["0401", "..", "0402", ""])
    assert list(then) == ["0401/top.npz"]
    assert list(others(tmp_path / "references", then)) == []
    (product / "top.npz").write_bytes(b"now")
    (product / "side.npz").write_bytes(b"new")
    assert list(others(tmp_path / "references", then)) == ["0401/side.npz", "0401/top.npz"]


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingRefused, match="name a folder that can be made"):
        new_folder(tmp_path / "file" / "r")


def told(*records):
    return [json.loads(line) for line in lines_of(records, 2000, 1000)]


def test_the_first_difference_is_the_one_that_is_told():
    then, now = told(item(), ended()), told(item(), replace(ended(), end=End.LOST))
    assert differences(then, then) == []
    assert differences(then, now) == [Difference(ended().item_id, "ItemEnd end", "passed", "lost")]
    assert differences(then, then[:1])[0].now == "–"
    assert changed_verdicts(then, now) == []
