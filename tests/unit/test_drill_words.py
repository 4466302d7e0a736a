"""The words of a sheet's tests: behaviours, outages, sentences and their times."""

import pytest

from hub.binding import Misfit
from hub.drill.behaviour import ANSWER_S, EVERY, Manners, Outage, Reaction, outage, reaction
from hub.drill.sentences import (
    AHEAD_S,
    GRACE_S,
    JUST_S,
    Count,
    Expectation,
    Gets,
    Happens,
    Meets,
    Names,
    Nothing,
    NothingElse,
    Sentence,
    Timing,
    expectation,
)
from hub.drill.timeline import What
from hub.model.message import Verb
from hub.model.people import Language

NAMES = Names(
    sheet="gas",
    sheets=("gas", "storm"),
    people={"officer-a", "officer-b"},
    groups={"police-zones"},
    rosters={"sitcen-on-call"},
    organisations={"stib"},
    channels={"sms", "voice", "email"},
    messages={"gas-ask", "gas-over"},
    chains={"duty-officers", "directors"},
    steps={"wake", "checklist"},
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("does not answer", Reaction()),
        ("accepts", Reaction(verb=Verb.ACCEPT, after_s=ANSWER_S)),
        ("accepts after 40 s", Reaction(verb=Verb.ACCEPT, after_s=40)),
        ("accepts by call after 1 h 30 min", Reaction(verb=Verb.ACCEPT, by="voice", after_s=5400)),
        ("declines by sms", Reaction(verb=Verb.DECLINE, by="sms", after_s=ANSWER_S)),
        ('answers "1 20" after 30 s', Reaction(words="1 20", after_s=30)),
        ("is busy", Reaction(busy=True)),
        ("has an answering machine", Reaction(machine=True)),
        ("is unreachable", Reaction(deaf=(EVERY,))),
        ("gets no sms or call", Reaction(deaf=("sms", "voice"))),
    ],
)
def test_how_somebody_behaves(text: str, meant: Reaction) -> None:
    assert reaction(text) == meant


@pytest.mark.parametrize("text", ["", "acepts", "accepts after", "accepts after 40", "answers 1", "gets no"])
def test_what_nobody_can_do_is_refused_with_what_they_can(text: str) -> None:
    with pytest.raises(Misfit) as told:
        reaction(text)
    assert told.value.rule in ("not-a-behaviour", "no-unit")
    assert told.value.remedy


def test_a_channel_is_down_for_a_time() -> None:
    assert outage("is down") == Outage()
    down = outage("is down from 5 min to 20 min")
    assert [down.holds(s) for s in (299, 300, 1199, 1200)] == [False, True, True, False]
    for text in ("down", "is down from 20 min to 5 min", "is down till 5 min"):
        with pytest.raises(Misfit):
            outage(text)


def test_a_step_goes_before_a_person_and_the_last_way_to_behave_stays() -> None:
    no, yes = reaction("declines"), reaction("accepts")
    manners = Manners(people={"a": (no, yes)}, steps={"director": (yes,)})
    assert [manners.of("a", "wake", nth) for nth in range(3)] == [no, yes, yes]
    assert manners.of("a", "director", 0) == yes
    assert manners.of("b", "wake", 0) == Reaction()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (
            "officer-a gets sms gas-ask in fr",
            Gets(who=("officer-a",), channels=("sms",), message="gas-ask", language=Language.FR),
        ),
        (
            "police-zones and organisation stib get sms and call gas-ask",
            Gets(who=("police-zones", "organisation stib"), channels=("sms", "voice"), message="gas-ask"),
        ),
        ("roster sitcen-on-call gets gas-ask", Gets(who=("roster sitcen-on-call",), message="gas-ask")),
        ("officer-a, officer-b get email", Gets(who=("officer-a", "officer-b"), channels=("email",))),
        ("officer-a is told gas-over", Gets(who=("officer-a",), message="gas-over")),
        ("everyone reached gets gas-over", Gets(who=("everyone reached",), message="gas-over")),
        (
            "wake is accepted by officer-b",
            Happens(what=What.CAME_TO, step="wake", outcome="accepted", person="officer-b"),
        ),
        ("checklist begins", Happens(what=What.BEGAN, step="checklist")),
        ("directors are called", Happens(what=What.CALLED, chain="directors")),
        ("task 2 of checklist is late", Happens(what=What.TASK_LATE, step="checklist", nth=2)),
        ("incident 2 re-opens", Happens(what=What.REOPENED, incident=2)),
        ("the incident ends", Happens(what=What.ENDED)),
        ("alarm exhausted", Happens(what=What.ALARM, outcome="exhausted")),
        ("2 people may come in", Happens(what=What.ACCESS, outcome="2")),
        ("1 person may come in", Happens(what=What.ACCESS, outcome="1")),
        ("nobody may come in", Happens(what=What.ACCESS, outcome="0")),
        ("each signal meets it", Meets(sheet="gas")),
        ("signal 2 misses storm", Meets(sheet="storm", nth=2, misses=True)),
        ("1 incident", Count(1)),
        ("no incidents", Count(0)),
        ("nothing", Nothing()),
        ("nothing else", NothingElse()),
    ],
)
def test_a_sentence(text: str, meant: Sentence) -> None:
    assert expectation(text, "", NAMES) == Expectation(text=text, sentence=meant)


ACCEPTED = Happens(what=What.CAME_TO, step="wake", outcome="accepted")


@pytest.mark.parametrize(
    ("time", "meant"),
    [
        ("within 5 s", Timing(to_s=5)),
        ("at 4 min", Timing(from_s=240 - AHEAD_S, to_s=240 + GRACE_S, exact=True)),
        ("between 4 min and 5 min", Timing(from_s=240, to_s=300)),
        ("before 4 min", Timing(to_s=240 - JUST_S)),
        ("after 4 min", Timing(from_s=240)),
        ("never", Timing(never=True)),
        ("never before 4 min", Timing(never=True, to_s=240 - JUST_S)),
        ("never after wake is accepted", Timing(never=True, after=ACCEPTED)),
        ("after wake is accepted", Timing(after=ACCEPTED)),
        ("before wake is accepted", Timing(before=ACCEPTED)),
        ("within 1 min 30 s after wake is accepted", Timing(to_s=90, after=ACCEPTED)),
        ("at 2 h after wake is accepted", Timing(from_s=7199, to_s=7205, exact=True, after=ACCEPTED)),
    ],
)
def test_a_time(time: str, meant: Timing) -> None:
    assert expectation("checklist begins", time, NAMES).timing == meant


def test_nobody_gets_it_is_that_everyone_never_does() -> None:
    expected = expectation("nobody gets gas-over", "before wake is accepted", NAMES)
    assert expected.sentence == Gets(who=("everyone",), message="gas-over")
    assert expected.timing == Timing(never=True, before=ACCEPTED)


@pytest.mark.parametrize(
    ("time", "text", "rule"),
    [
        ("", "officer-x gets sms", "unknown-person-or-group"),
        ("", "officer-a gets smoke", "unknown-message"),
        ("", "officer-a gets gas-ask sms", "unknown-message"),
        ("", "officer-a gets sms in it", "unknown-language"),
        ("", "roster nowhere gets sms", "unknown-roster"),
        ("", "team nowhere gets sms", "not-a-contact"),
        ("", "wake is acepted", "unknown-outcome"),
        ("", "sleep begins", "unknown-step"),
        ("", "wake is accepted by nobody-known", "unknown-person"),
        ("", "mayors are called", "unknown-alert-chain"),
        ("", "it rains", "not-a-sentence"),
        ("", "signal 1 meets rain", "unknown-sheet"),
        ("at 5 s", "signal 1 meets it", "not-a-time"),
        ("soon", "checklist begins", "not-a-time"),
        ("within 5", "checklist begins", "not-a-time"),
        ("within 5 s", "nothing", "not-a-time"),
        ("never", "nobody gets gas-over", "never-nobody"),
        ("after nothing", "checklist begins", "not-a-moment"),
    ],
)
def test_what_cannot_be_expected_is_refused_with_a_remedy(time: str, text: str, rule: str) -> None:
    with pytest.raises(Misfit) as told:
        expectation(text, time, NAMES)
    assert told.value.rule == rule
    assert told.value.remedy
