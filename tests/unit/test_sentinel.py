"""The sentinel's account: a lane told in messages, promises kept and broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core import topics
from edge.core.errors import ConfigError
from edge.sentinel.account import MAX_ON_BELT, Account
from edge.sentinel.promises import Places, Promise
from edge.sentinel.settings import Belt, Broker, Recipe, read_settings
from edge.settings import BeltSettings, BrokerSettings
from edge.settings_recipe import RecipeSettings

PLACES = Places(
    counts_per_mm=10,
    gate_mm=1000,
    confirm_mm=1100,
    exit_mm=1150,
    margin_mm=30,
    tolerance_mm=60,
    patience_mm=300,
    shortest_mm=10,
)
LENGTH_COUNTS = 1500
STEP_MS = 20
COUNTS_PER_STEP = 200  # 1 m/s


class Told:
    """A lane that says what it is told to, with a box that beats unless told otherwise."""

    def __init__(self, places=PLACES):
        self.account = Account(places)
        self.counts, self.plc_ms, self.seq = 0, 0, 0
        self.beats, self.speed = True, 1000.0
        self.boot = 1
        self.broken = []
        self.run(2)

    def say(self, topic, **fields):
        violations = self.account.hear(topic, fields)
        self.broken += [one.promise for one in violations]
        return violations

    def belt(self, *edges):
        plc_ns = self.plc_ms * 1_000_000
        said = {"counts": self.counts, "plc_ns": plc_ns, "speed_mm_per_s": self.speed, "edges": list(edges)}
        return self.say(topics.BELT, **said, boot=self.boot)

    def run(self, steps):
        for _ in range(steps):
            if self.beats and self.plc_ms % 200 == 0:
                self.say(topics.HEARTBEAT, turn=self.plc_ms)
            self.counts += COUNTS_PER_STEP if self.speed else 0
            self.plc_ms += STEP_MS
            self.belt()

    def run_to(self, counts):
        while self.counts < counts:
            self.run(1)

    def edge(self, eye, counts, dark=True):
        self.seq += 1
        return {"eye": eye, "seq": self.seq, "counts": counts, "dark": dark}

    def born(self, length_counts=LENGTH_COUNTS):
        self.run(1)
        lead = self.counts
        self.belt(self.edge("induct", lead))
        self.run_to(lead + length_counts)
        self.belt(self.edge("induct", lead + length_counts, dark=False))
        return lead

    def decided(self, lead, disposition, name="i-1"):
        self.say(topics.VERDICT, item=name, leading_edge_counts=lead, disposition=disposition)

    def ordered(self, lead, name="i-1", answer="accepted"):
        window = {"open_counts": lead + 9700, "close_counts": lead + 10_300 + LENGTH_COUNTS}
        self.say(topics.COMMAND, command=f"{name}-divert", item=name, **window, reason="dent")
        if answer:
            self.say(topics.ACK, command=f"{name}-divert", status=answer)

    def seen(self, eye, lead):
        at = lead + (11_000 if eye == "confirm" else 11_500)
        self.run_to(at)
        self.say(topics.CONFIRM, edges=[self.edge(eye, at)])

    def end(self):
        self.run(100)
        return self.broken


@pytest.mark.parametrize("disposition", [None, "pass", "reject", "no_decision"])
@pytest.mark.parametrize("answer", [None, "", "accepted", "duplicate", "late"])
@pytest.mark.parametrize("eye", [None, "confirm", "exit"])
def test_every_decision_every_order_every_way(disposition, answer, eye):
    """None: never decided, never ordered, never seen."""
    lane = Told()
    lead = lane.born()
    if disposition:
        lane.decided(lead, disposition)
    if answer is not None:
        lane.ordered(lead, answer=answer)
    if eye:
        lane.seen(eye, lead)
    ordered, out = answer is not None, disposition in ("reject", "no_decision")
    expected = set()
    if not disposition:
        expected.add(Promise.VERDICT)
    elif out and not ordered:
        expected.add(Promise.COMMAND)
    if eye == "exit" and (out or ordered):
        expected.add(Promise.EXIT)
    if eye is None and ordered and answer != "late":
        expected.add(Promise.DIVERT)
    assert sorted(lane.end()) == sorted(expected)
    assert lane.account.on_belt == 0
    assert lane.account.checked == 1


def test_undecided_items_may_pass_where_the_recipe_says_so():
    places = Places(10, 1000, 1100, 1150, 30, 60, 300, 10, divert_undecided=False)
    lane = Told(places)
    lead = lane.born()
    lane.decided(lead, "no_decision")
    lane.seen("exit", lead)
    assert lane.end() == []


def test_an_order_may_be_heard_before_its_verdict():
    lane = Told()
    lead = lane.born()
    lane.ordered(lead)
    lane.decided(lead, "reject")
    lane.seen("confirm", lead)
    assert lane.end() == []


def test_an_order_repeated_by_a_restarted_daemon_too_late_for_it_is_still_due():
    lane = Told()
    lead = lane.born()
    lane.decided(lead, "reject")
    lane.ordered(lead, answer="accepted")
    lane.ordered(lead, answer="late")
    assert lane.end() == [Promise.DIVERT]


def test_neighbours_are_told_apart_by_their_places():
    lane = Told()
    first = lane.born()
    lane.run(5)
    second = lane.born()
    lane.decided(second, "reject", "i-2")
    lane.ordered(second, "i-2")
    lane.decided(first, "pass", "i-1")
    lane.seen("exit", first)
    lane.seen("confirm", second)
    assert lane.end() == []


def test_an_item_that_slipped_is_looked_for_where_the_box_says_it_is():
    lane = Told()
    lead = lane.born()
    lane.decided(lead + 550, "reject")
    lane.ordered(lead + 550)
    lane.seen("confirm", lead + 1000)
    assert lane.end() == []


def test_noise_at_the_eye_is_no_item():
    lane = Told()
    lane.born(length_counts=50)
    assert lane.end() == []


def test_edges_are_counted_once_however_often_they_are_told():
    lane = Told()
    edge = lane.edge("induct", lane.counts)
    for _ in range(50):
        lane.belt(edge)
    assert lane.account.on_belt == 1


def test_what_the_plc_says_again_of_the_time_before_we_listened_is_no_birth():
    lane = Told()
    edge = lane.edge("induct", lane.counts)
    lane.run(100)
    lane.account.go_blind()
    lane.run(20)
    lane.belt(edge)
    assert lane.end() == []
    assert lane.account.excused["before_we_listened"] == 1


def test_silence_asks_for_a_stop_after_a_second_and_again_while_the_belt_moves():
    lane = Told()
    lane.run(20)
    lane.beats = False
    lane.run(40)
    assert lane.broken == []
    lane.run(20)
    assert lane.broken == [Promise.HEARTBEAT]
    lane.run(250)
    assert lane.broken == [Promise.HEARTBEAT] * 2


def test_a_box_that_never_came_is_silent_too_and_its_items_are_excused():
    lane = Told()
    lane.account.go_blind()
    lane.beats = False
    lane.run(10)
    lane.born()
    assert set(lane.end()) == {Promise.HEARTBEAT}
    assert lane.account.excused["before_we_listened"] == 1


def test_a_standing_belt_needs_no_heartbeat():
    lane = Told()
    lane.beats, lane.speed = False, 0.0
    lane.run(500)
    assert lane.broken == []


def test_the_last_word_of_the_box_is_said():
    lane = Told()
    lane.say(topics.STATE, state="Aborted", why="the daemon is gone")
    lane.beats = False
    lane.plc_ms += 60_000
    lane.run(40)
    assert lane.broken == [], "a clock set forward is no silence"
    lane.plc_ms += 199
    told = [one for _ in range(20) for one in _step(lane)]
    assert "Aborted, the daemon is gone" in told[0].because


def _step(lane):
    lane.plc_ms += STEP_MS
    return lane.belt()


def test_an_item_on_a_standing_belt_waits_without_limit():
    lane = Told()
    lead = lane.born()
    lane.speed = 0.0
    lane.run(1000)
    lane.speed = 1000.0
    lane.decided(lead, "pass")
    lane.seen("exit", lead)
    assert lane.end() == []


@pytest.mark.parametrize("restart", ["boot", "clock", "counts"])
def test_a_restart_of_the_plc_excuses_what_is_on_the_belt(restart):
    lane = Told()
    lane.decided(lane.born(), "reject")
    lane.run_to(8000)
    lane.boot += restart == "boot"
    lane.plc_ms = 0 if restart == "clock" else lane.plc_ms
    lane.counts, lane.seq = 0 if restart == "clock" else lane.counts - 10_500, 0
    assert lane.end() == []
    assert lane.account.excused["plc_restarted"] == 1
    lead = lane.born()
    lane.decided(lead, "reject", "i-2")
    lane.seen("exit", lead)
    assert lane.end() == [Promise.COMMAND, Promise.EXIT]


def test_what_was_on_the_belt_while_the_broker_was_gone_is_excused():
    lane = Told()
    lane.decided(lane.born(), "reject")
    lane.account.go_blind()
    assert lane.end() == []
    assert lane.account.excused["unheard"] == 1


def test_a_belt_that_never_ends_fills_no_memory():
    lane = Told()
    for _ in range(MAX_ON_BELT + 10):
        lane.belt(lane.edge("induct", lane.counts))
    assert lane.account.on_belt == MAX_ON_BELT
    assert lane.account.excused["too_many"] == 10


WAYS = st.sampled_from(["kept_pass", "kept_out", "undecided", "not_ordered", "not_diverted", "escaped"])


@given(st.lists(WAYS, max_size=8), st.randoms(use_true_random=False))
def test_any_run_breaks_exactly_the_promises_that_it_broke(ways, chance):
    """Items one behind the other; each breaks what its way says, whatever its neighbours do."""
    lane = Told()
    for number, way in enumerate(ways):
        _go(lane, way, f"i-{number}")
        lane.run(chance.randint(0, 30))
    expected = {
        "undecided": [Promise.VERDICT],
        "not_ordered": [Promise.COMMAND],
        "not_diverted": [Promise.DIVERT],
        "escaped": [Promise.EXIT],
    }
    assert sorted(lane.end()) == sorted(promise for way in ways for promise in expected.get(way, []))
    assert lane.account.on_belt == 0
    assert lane.account.checked == len(ways)


def _go(lane, way, name):
    lead = lane.born()
    if way != "undecided":
        lane.decided(lead, "pass" if way == "kept_pass" else "reject", name)
    if way in ("kept_out", "not_diverted", "escaped"):
        lane.ordered(lead, name)
    if way != "not_diverted":
        lane.seen("confirm" if way in ("kept_out", "not_ordered") else "exit", lead)


NUMBERS = st.integers(-(2**52), 2**52)
TEXTS = st.sampled_from(["i-1", "i-2", "pass", "reject", "late", "accepted"])
EDGES = st.lists(
    st.fixed_dictionaries(
        {"eye": st.sampled_from(topics.EYES), "seq": NUMBERS, "counts": NUMBERS, "dark": st.booleans()}
    ),
    max_size=4,
)
SAID = st.one_of(
    st.tuples(
        st.just(topics.BELT),
        st.fixed_dictionaries({"counts": NUMBERS, "plc_ns": NUMBERS, "speed_mm_per_s": NUMBERS, "edges": EDGES}),
    ),
    st.tuples(st.just(topics.CONFIRM), st.fixed_dictionaries({"edges": EDGES})),
    st.tuples(
        st.just(topics.VERDICT),
        st.fixed_dictionaries({"item": TEXTS, "leading_edge_counts": NUMBERS, "disposition": TEXTS}),
    ),
    st.tuples(
        st.just(topics.COMMAND), st.fixed_dictionaries({"item": TEXTS, "command": TEXTS, "open_counts": NUMBERS})
    ),
    st.tuples(st.just(topics.ACK), st.fixed_dictionaries({"command": TEXTS, "status": TEXTS})),
    st.tuples(st.just(topics.HEARTBEAT), st.just({"turn": 1})),
    st.tuples(st.just(topics.STATE), st.just({"state": "Execute", "why": "test"})),
)


@given(st.lists(SAID, max_size=30))
def test_whatever_is_said_the_account_stands(said):
    account = Account(PLACES)
    for topic, fields in said:
        account.hear(topic, fields)
        assert account.on_belt <= MAX_ON_BELT


def test_the_defaults_are_the_daemons():
    for ours, theirs in ((Belt, BeltSettings), (Broker, BrokerSettings), (Recipe, RecipeSettings)):
        for name, field in ours.model_fields.items():
            assert field.default == theirs.model_fields[name].default, name


def test_settings_are_read_from_the_daemons_file(tmp_path):
    path = tmp_path / "lane.toml"
    path.write_text(
        '[lane]\nsite = "s"\nname = "l"\nstate = "x"\n[belt]\ncounts_per_mm = 10\ngate_mm = 1000\n'
        "confirm_mm = 1100\nexit_mm = 1150\nview_mm = 3\n"
    )
    assert read_settings(path).places == PLACES


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[lane]\nsite = 's'\n", "lane.name: Field required"),
        (b"[lane", "no TOML"),
        (b"\xff", "no TOML"),
    ],
)
def test_settings_with_faults_are_refused(tmp_path, content, told):
    path = tmp_path / "lane.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=told):
        read_settings(path)


def test_settings_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="name the lane's settings file"):
        read_settings(tmp_path / "absent.toml")
