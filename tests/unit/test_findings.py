"""Was it sound when it left? The table of answers, and that none is friendlier than its grounds."""

from dataclasses import replace
from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.bodies import body
from edge.core.findings import CLEAN, ELSEWHERE, Left, Where, answered, concluded, departed, summed_up
from edge.core.grounds import Again, By, Cited, Facts, Kind, Label, Named, Sentence, Shot, Source
from edge.core.judge import Answer, Finding, Rule
from edge.core.messages import Agreement, Compared, Disposition, End, ItemEnd, ReplacementRequest, Verdict
from edge.core.opinions import Said, said_now, said_then
from edge.core.reach import Sees, reach_of
from tests.unit.lane import evidence, item

GOOD = ("anomaly (top): differs from 12 normal items most at the middle (0.4 × the most unusual of them)",)
OUT = ItemEnd("i-1", End.PASSED, 5, 9, "exit")
PULLED = ItemEnd("i-1", End.DIVERTED, 5, 9, "confirm")
STARTED = {"version": "1", "settings_sha256": "ab", "models": {"backbone": "1.0.0"}}


def usual(**changed):
    return evidence("anomaly", "top", **{"score": 0.4, "exposed_ns": 2, **changed})


def verdict(disposition=Disposition.PASS, reasons=GOOD, **changed):
    plain = Verdict("i-1", "order-1", 0, disposition, reasons, (), (), "test", 0, 2, 4, 3)
    return replace(plain, **changed)


def cited(*records, first=10):
    """Journal entries of records, or of (kind, body)."""
    named = [one if isinstance(one, tuple) else (type(one).__name__, body(one)) for one in records]
    return tuple(Cited(first + n, f"12:00:{n:02d}", n, kind, told) for n, (kind, told) in enumerate(named))


IN_FORCE = cited(("DaemonStarted", STARTED), first=1)


def named(count, found, by=By.TEST, records=None, **known):
    """So many damaged ones, of which the checks spoke against the first."""
    for n in range(count):
        told = records or (item(f"n-{n}"), usual(score=1.2 if n < found else 0.4), verdict(), OUT)
        naming = cited(("PersonActed", {"by": "Ada", "what": "challenge", "why": "single w"}), first=100 + n)
        yield Named(
            by, naming[0], Facts(f"n-{n}", cited(*told, first=200 + 10 * n), 99, (), **{"in_force": IN_FORCE, **known})
        )


WELL = tuple(named(16, 16))  # so many are enough to trust the checks


def facts(*records, **known):
    known = {"cameras": ("top",), "read_to": 99, "in_force": IN_FORCE, "named": WELL, **known}
    return Facts("i-1", cited(*records), **known)


def rule(check="anomaly", camera="top"):
    return Rule(check, (camera,), required=True)


def again(disposition=Disposition.PASS, answer=Answer.GOOD, found=(), **changed):
    finding = Finding(rule(), answer, "because")
    plain = Again(
        "now",
        disposition,
        (finding,),
        tuple(found),
        (),
        (("top", "a" * 64), ("side", "d" * 64)),
        (("backbone", "1.0.0"),),
        (),
        date.min,
    )
    return replace(plain, **changed)


SOUND = (item(), usual(), verdict(), OUT)


def test_sound_takes_a_vouched_verdict_an_eye_and_nothing_against_it():
    told = answered(facts(*SOUND))
    assert told.left is Left.SOUND
    assert told.headline.words.startswith("It was sound when it left (12:00:03)")
    assert {source.name for source in told.headline.sources} >= {"11", "12", "13"}


@pytest.mark.parametrize(
    ("records", "left", "words"),
    [
        ((item(), usual(valid=False), verdict(), OUT), Left.IN_DOUBT, "Nothing in the journal vouches for anomaly"),
        ((item(), verdict(), OUT), Left.IN_DOUBT, "Nothing in the journal vouches for anomaly"),
        ((item(), usual(score=1.0), verdict(), OUT), Left.IN_DOUBT, "1.00 times as unusual"),
        ((item(), usual(score=float("nan")), verdict(), OUT), Left.IN_DOUBT, "nan times as unusual"),
        ((item(), usual(), evidence("defect", "top", probability=0.6), verdict(), OUT), Left.IN_DOUBT, "60%"),
        ((item(), usual(), verdict(reasons=()), OUT), Left.IN_DOUBT, "Nobody looked for damage"),
        ((item(), usual(), verdict(reasons=("expiry (top): x",)), OUT), Left.IN_DOUBT, "vouches for expiry"),
        ((item(), usual(), verdict(compared=(Compared("lot", Agreement.MISMATCH, "A", "B"),)), OUT), Left.IN_DOUBT,
         "Its lot is not as ordered (mismatch): reads A, ordered was B"),
        ((replace(item(), purge="gap"), usual(), verdict(), OUT), Left.IN_DOUBT, "to be pulled off whatever"),
        ((item(), usual(), verdict(Disposition.REJECT), replace(OUT, end=End.MISSED)), Left.DAMAGED_SEEN,
         "It left (12:00:03) although the line had found it damaged"),
        ((item(), usual(), verdict(Disposition.REJECT, ("expiry (top): over",)), replace(OUT, end=End.MISSED)),
         Left.DAMAGED_SEEN, "found it not as ordered (expiry)"),
        ((item(), usual(), verdict(Disposition.NO_DECISION), replace(OUT, end=End.NO_DECISION)), Left.UNDECIDED,
         "left (12:00:03) without a decision"),
        ((item(), usual(), OUT), Left.UNDECIDED, "No verdict on it stands in the journal"),
        ((item(), usual(), verdict(), verdict(), OUT), Left.UNDECIDED, "several verdicts"),
        ((item(), usual(), verdict(Disposition.REJECT), PULLED), Left.NEVER_LEFT, "never left: it was pulled off"),
        ((item(), usual(), verdict(), replace(PULLED, end=End.NO_DECISION)), Left.NEVER_LEFT, "never left"),
        ((item(), usual(), verdict(), replace(OUT, end=End.LOST, eye="")), Left.LOST, "no eye saw it leave"),
        ((item(), usual(), verdict(), replace(OUT, end=End.MISSED, eye="")), Left.LOST, "no eye saw it leave"),
        ((item(), usual(), verdict(), replace(OUT, end=End.PASSED, eye="")), Left.LOST, "no eye saw it leave"),
        ((item(), usual(), verdict(), replace(OUT, end=End.REMOVED, eye="")), Left.REMOVED, "taken off it"),
        ((item(), usual(), verdict(), replace(OUT, end=End.DIVERTED)), Left.CONTRADICTED, "contradicts itself"),
        ((item(), usual(), verdict(), OUT, PULLED), Left.CONTRADICTED, "contradicts itself"),
        ((item(), usual(), verdict()), Left.ON_BELT, "does not stand in the journal"),
    ],
)  # fmt: skip
def test_what_is_said_of_what_the_journal_holds(records, left, words):
    told = answered(facts(*records))
    assert told.left is left
    assert words in f"{told.headline.words} {told.because.words}"


def test_what_the_recipe_of_then_required_is_looked_for_too():
    recipe = {"name": "test", "rule": [{"check": "defect", "cameras": ["top"]}]}
    in_force = cited(("DaemonStarted", STARTED | {"settings": {"recipe": recipe}}), first=1)
    others = tuple(named(16, 16, in_force=in_force))
    told = answered(facts(*SOUND, in_force=in_force, named=others))
    assert told.left is Left.IN_DOUBT
    assert "vouches for defect at camera top" in told.because.words
    recipe["rule"][0]["required"] = False
    assert answered(facts(*SOUND, in_force=in_force, named=others)).left is Left.SOUND


def test_a_second_look_stands_in_for_the_first_at_its_camera_alone():
    records = (item(), usual(score=1.3), evidence("second_look", "top", score=0.9), verdict(), OUT)
    assert answered(facts(*records)).left is Left.SOUND
    other = evidence("anomaly", "side", score=1.3)
    assert answered(facts(*records[:3], other, *records[3:])).left is Left.IN_DOUBT


@pytest.mark.parametrize(
    ("looked", "left", "words"),
    [
        (again(), Left.SOUND, "It was sound"),
        (again(Disposition.NO_DECISION, Answer.INVALID), Left.SOUND, "It was sound"),
        (again(Disposition.REJECT, Answer.BAD), Left.DAMAGED_UNSEEN, "notice. Looked at again, by the recipe of now"),
        (again(found=[evidence("anomaly", "top", score=1.2)]), Left.IN_DOUBT, "1.20 times as unusual"),
        (again(found=[evidence("anomaly", "top", score=1.2, valid=False)]), Left.SOUND, "It was sound"),
    ],
)  # fmt: skip
def test_a_look_anew_may_take_sound_away_and_never_gives_it(looked, left, words):
    told = answered(facts(*SOUND, again=looked))
    assert told.left is left
    assert words in f"{told.headline.words} {told.because.words}"
    assert answered(facts(item(), verdict(Disposition.NO_DECISION), OUT, again=looked)).left is not Left.SOUND
    assert all("Looked at again" not in sentence.words for sentence in told.then)


@pytest.mark.parametrize(
    ("then", "looked", "left"),
    [
        (usual(), again(found=[evidence("anomaly", "top", score=1.2)]), Left.SOUND),
        (usual(), again(Disposition.REJECT, Answer.BAD, [evidence("anomaly", "top", score=1.2)]), Left.IN_DOUBT),
        (usual(), again(found=[evidence("second_look", "top", score=1.2)]), Left.IN_DOUBT),
        (usual(score=1.1), again(found=[evidence("anomaly", "top", score=1.2)]), Left.IN_DOUBT),
        (usual(score=1.1), again(Disposition.REJECT, Answer.BAD), Left.DAMAGED_UNSEEN),
    ],
)  # fmt: skip
def test_a_poorer_look_by_the_same_eyes_is_no_new_ground(then, looked, left):
    records = (item(), then, verdict(), OUT)
    told = answered(facts(*records, again=replace(looked, unchanged=frozenset({"top"}))))
    assert told.left is left
    if left is Left.SOUND:
        assert any("the kept picture, which is compressed" in one.words for one in told.now)
        assert answered(facts(*records, again=looked)).left is Left.IN_DOUBT


def test_a_persons_label_outweighs_what_no_check_saw():
    told = answered(facts(*SOUND, labels=(Label("top", "b" * 64),), again=again()))
    assert told.left is Left.DAMAGED_UNSEEN
    assert "A person took its picture at camera top for one of damage" in told.because.words
    assert Source(Kind.PICTURE, "b" * 64) in told.headline.sources


def test_the_replacement_and_who_complained_are_told_with_their_entries():
    request = ReplacementRequest("r-1", "i-1", "order-1", "g", ())
    complaint = cited(("Complaint", {"by": "Ada", "why": "{broken} <b>", "order_line": "order-1"}), first=70)
    told = answered(
        facts(
            item(),
            usual(),
            verdict(Disposition.REJECT),
            PULLED,
            request,
            answers=(("r-1", "sent 2 times"),),
            disputes=complaint,
        )
    )
    after = [(sentence.words, sentence.sources[0].name) for sentence in told.after]
    assert ("A replacement was asked for (request r-1, order line order-1): sent 2 times.", "14") in after
    assert ("12:00:00: a complaint, noted by Ada: {broken} <b>.", "70") in after


def test_what_nobody_can_say_is_said_and_why():
    gone = Shot("crop", "top", "", "c" * 64, "12:00", gone="was removed by the rule 'age'.")
    records = (item(expected=None), usual(), verdict(), OUT)
    told = answered(facts(*records, cameras=("top", "side"), shots=(gone,), in_force=()))
    words = [sentence.words for sentence in told.unknown]
    assert "How it looked to camera top: was removed by the rule 'age'." in words
    assert "How it looked to camera side: no picture of that side was kept." in words
    assert "A side that faced no camera was never seen: 1 cameras looked at it (top)." in words
    assert any("never announced" in one for one in words)
    assert [one.words for one in told.versions][:2] == [
        "Calibrations: nobody can say, no entry tells it.",
        "Program, settings and models: nobody can say, no entry tells it.",
    ]


def test_what_was_in_force_is_told_by_entry():
    in_force = cited(("DaemonStarted", STARTED), ("CalibrationsInForce", {"versions": [["belt", 3]]}), first=2)
    told = answered(facts(*SOUND, in_force=in_force)).versions
    assert told[0].words == "Program, settings and models (since 12:00:00): 1, settings ab; backbone 1.0.0."
    assert told[1].words == "Calibrations (since 12:00:01): belt 3."
    assert [one.sources[0].name for one in told] == ["2", "3", "12"]


def test_several_items_are_summed_up():
    answers = [answered(facts(*SOUND[:3], PULLED)), answered(facts(*SOUND))]
    assert summed_up(answers) == "2 items ran under this order line: 1: never left; 2: left sound."


def test_a_sentence_that_rests_on_nothing_cannot_be_made():
    with pytest.raises(ValueError, match="rests on nothing"):
        Sentence("It was fine.", ())


def test_the_whole_table():
    for where, then, now, person, sees in product(Where, Said, Said, Said, Sees):
        left = concluded(where, then, now, person, sees)
        if where is not Where.LEFT:
            assert left is ELSEWHERE[where]
        elif Said.BAD in (then, now, person):
            assert left is (Left.DAMAGED_SEEN if then is Said.BAD else Left.DAMAGED_UNSEEN)
        elif then is Said.GOOD and now is not Said.DOUBT:
            assert left is (Left.SOUND if sees is Sees.WELL else Left.NOTHING_FOUND)
        else:
            assert left is (Left.IN_DOUBT if then in (Said.GOOD, Said.DOUBT) else Left.UNDECIDED)


scores = st.one_of(st.none(), st.floats(0, 3), st.just(float("nan")))
found = st.builds(
    evidence,
    st.sampled_from(["anomaly", "second_look", "defect", "expiry"]),
    st.sampled_from(["top", "side"]),
    valid=st.booleans(),
    score=scores,
    probability=st.one_of(st.none(), st.floats(0, 1)),
)
verdicts = st.builds(
    verdict,
    st.sampled_from(Disposition),
    st.lists(st.sampled_from(["anomaly (top+side): x", "defect (top): x", "expiry (side): x", "purged: gap"])).map(
        tuple
    ),
    compared=st.lists(st.builds(Compared, st.just("lot"), st.sampled_from(Agreement))).map(tuple),
)
ends = st.builds(
    ItemEnd, st.just("i-1"), st.sampled_from(End), st.none(), st.just(9), st.sampled_from(["exit", "confirm", ""])
)
looks = st.one_of(
    st.none(), st.builds(again, st.sampled_from(Disposition), st.sampled_from(Answer), st.lists(found, max_size=3))
)


@given(
    st.lists(found, max_size=5),
    st.lists(verdicts, max_size=2),
    st.lists(ends, max_size=2),
    looks,
    st.booleans(),
    st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda one: tuple(named(max(one), min(one)))),
)
def test_sound_is_never_said_without_grounds(evidences, judged, ended, looked, labelled, others):
    labels = (Label("top", "b" * 64),) if labelled else ()
    known = facts(item(), *evidences, *judged, *ended, again=looked, labels=labels, named=others)
    told = answered(known)
    for sentence in (told.headline, *told.then, *told.now, *told.after, *told.unknown, *told.versions):
        assert sentence.sources
    assert "sound" not in told.headline.words or told.left in CLEAN
    if told.left not in CLEAN:
        return
    few = told.reach.at_least < 0.8
    assert told.left is (Left.NOTHING_FOUND if few else Left.SOUND)
    assert told.reach.named == len(others)
    assert few or len(others) >= 16
    [one], [end] = judged, ended
    assert (one.disposition, end.eye) == (Disposition.PASS, "exit")
    assert not labelled
    assert looked is None or looked.disposition is not Disposition.REJECT
    assert not any(compared.agreement in ("mismatch", "expired", "short_dated") for compared in one.compared)
    vouched = {(each.check, each.camera) for each in evidences if each.valid}
    for reason in one.reasons:
        if "(" in reason:
            check, cameras = reason.split(" (")
            assert all((check, camera) in vouched for camera in cameras.split(")")[0].split("+"))
    assert any(reason.startswith(("anomaly", "defect")) for reason in one.reasons)
    assert not any(
        each.valid and each.check == "second_look" and each.score is not None and each.score >= 1 for each in evidences
    )


def test_what_is_seen_now_names_the_picture_that_it_is_seen_in():
    looked = again(found=[evidence("anomaly", "side", score=1.2), evidence("anomaly", "top", score=0.3)])
    told = answered(facts(*SOUND, again=looked))
    assert [source.name[0] for source in told.because.sources] == ["d", "n"]  # its picture, and the recipe of now
    [margin] = [one for one in told.now if one.words.startswith("Camera top")]
    assert [source.name[0] for source in margin.sources] == ["a", "n"]


def test_opinions_keep_then_and_now_apart():
    known = facts(*SOUND, again=again(Disposition.REJECT, Answer.BAD))
    assert said_then(known).said is Said.GOOD
    assert said_now(known).said is Said.BAD
    assert departed(known)[0] is Where.LEFT


def left_behind(then, end=OUT, disposition=Disposition.PASS):
    return (item("n"), then, verdict(disposition), end)


MISSED = left_behind(usual(), replace(OUT, end=End.MISSED), Disposition.REJECT)


@pytest.mark.parametrize(
    ("others", "count"),
    [
        ((), (0, 0)),
        (named(10, 4), (4, 10)),
        (named(3, 0, By.COMPLAINT), (0, 0, 3)),  # it may have happened on the way
        (named(1, 0, By.COMPLAINT, MISSED), (0, 0)),  # that was seen, and not pulled off
        (named(1, 0, By.COMPLAINT, left_behind(usual(), PULLED, Disposition.REJECT)), (0, 0)),  # what came was another
        (named(2, 1, By.LABEL), (0, 1)),  # what the line itself has shown is no find
        (named(1, 0, By.TEST, left_behind(usual(), PULLED, Disposition.REJECT)), (1, 1)),
        (named(1, 0, By.TEST, (item("n"), verdict(Disposition.REJECT, ("expiry (top): over",)), PULLED)), (0, 0)),
        (named(1, 0, By.TEST, left_behind(usual(valid=False))), (0, 0)),  # nobody looked
        (named(1, 0, By.TEST, left_behind(usual(), PULLED, Disposition.NO_DECISION)), (0, 0)),
        (named(1, 1, in_force=cited(("DaemonStarted", STARTED | {"models": {"backbone": "2.0.0"}}))), (0, 0)),
        (named(1, 1, in_force=cited(("DaemonStarted", STARTED | {"settings": {"recipe": {"name": "test"}}}))), (0, 0)),
        (named(1, 1, in_force=()), (0, 0)),  # nobody knows with which models
        (named(1, 1, records=(item("n"), usual(score=2.0), verdict(recipe="other"), OUT)), (0, 0)),
    ],
)  # fmt: skip
def test_what_counts_for_how_far_the_checks_see(others, count):
    reach = reach_of(facts(*SOUND, named=tuple(others)))
    assert (reach.found, reach.named, reach.complained) == (*count, 0)[:3]
    assert 0 <= reach.at_least <= reach.at_most <= 1
    assert reach.told.sources


@pytest.mark.parametrize(
    ("others", "left", "words"),
    [
        (named(16, 16), Left.SOUND, "It was sound when it left (12:00:03), as far as the line could see: of 16 of"),
        (named(15, 15), Left.NOTHING_FOUND, "Nothing was found on it when it left (12:00:03), which does not prove it"),
        (named(15, 15), Left.NOTHING_FOUND, "of 15 of this product that persons named as damaged, the line's checks"),
        (named(10, 4), Left.NOTHING_FOUND, "not prove it sound: of 10 of this product that persons named as damaged"),
        ((*named(16, 16), *named(9, 0, By.COMPLAINT)), Left.SOUND, "found 16; customers complained"),
        ((), Left.NOTHING_FOUND, "not prove it sound: how many damaged ones of this product its checks overlook"),
    ],
)  # fmt: skip
def test_how_flatly_sound_is_said_goes_by_what_the_checks_are_known_to_find(others, left, words):
    told = answered(facts(*SOUND, named=tuple(others)))
    assert told.left is left
    assert words in told.headline.words
    assert set(told.reach.told.sources) <= set(told.headline.sources)


def test_the_share_is_told_with_its_interval_by_kind_and_each_entry():
    others = (*named(7, 4), *named(3, 0, By.LABEL), *named(2, 0, By.COMPLAINT))
    told = reach_of(facts(*SOUND, named=others)).told
    assert told.words == (
        "Of 10 of this product that persons named as damaged, the line's checks found 4; that is 40%, and with 95%"
        " confidence between 17% and 69%: 4 of 7 test pieces, 0 of 3 that the site's own people took for damage."
        " Besides, customers complained, for whatever reason, of 2 more that had been let pass."
    )
    assert {source.name for source in told.sources} >= {"100", "106", "202"}
