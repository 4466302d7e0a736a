"""What the auditor says of a journal, and when: pure, in no time."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub import yaml
from hub.auditor import words
from hub.auditor.checks import Finding, check
from hub.auditor.config import AuditorConfig
from hub.auditor.sight import HubTime, Sight
from hub.auditor.standing import CALM_S, OVER_AFTER_S, Deaths, Kind, Patience, Standing, Told
from hub.binding import bind
from hub.engine.state import State
from hub.model import events as e
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.message import Lane, Outcome
from hub.model.people import Language
from tests.conftest import ROOT
from tests.stories import START, Night

CONFIG = AuditorConfig()


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Journal:
    """Records as a hub would write them, and what the auditor says of them. The hub came up at 0 s."""

    def __init__(self, up: bool = True) -> None:
        self.sight = Sight()
        self.ids = Ids(random.Random(1))
        if up:
            self.fact(r.HubStarted(node="a", version="1"), 0)
            self.decide(0)

    def fact(self, body: r.FactBody, s: float) -> r.Fact:
        fact = r.Fact(id=self.ids.new(at(s)), at=at(s), body=body)
        self.sight.take(fact)
        return fact

    def decide(self, s: float, *events: e.Event, fired: tuple[str, ...] = ()) -> None:
        self.sight.take(r.Decision(id=self.ids.new(at(s)), at=at(s), fired=fired, events=events))

    def attempt(self, s: float, order: str, start: int = 0, stop: int = 1) -> str:
        attempt = r.Attempt(id=self.ids.new(at(s)), at=at(s), order=order, start=start, stop=stop)
        self.sight.take(attempt)
        return attempt.id

    def receipts(self, s: float, order: str, *outcomes: Outcome, attempt: str = "", engine: bool = True) -> None:
        """The fact and, unless the engine stands still, its decision."""
        told = tuple(r.Receipt(order, i, outcome) for i, outcome in enumerate(outcomes))
        self.fact(r.ReceiptsReceived(channel="sms", receipts=told, attempt=attempt), s)
        moves = tuple((i, outcome, "") for i, outcome in enumerate(outcomes) if outcome != Outcome.RETRY)
        if engine and moves:
            self.decide(s, e.Delivered(order=order, moves=moves))

    def order(self, s: float, lane: Lane = Lane.NOTIFY, people: int = 1, **more: Any) -> str:
        name = f"order-{lane}-{s}"
        people_ = tuple(f"p{i}" for i in range(people))
        opened = e.Opened(incident=f"i-{s}", playbook="p", version="1", key=(), status="Actual", by="x")  # type: ignore[arg-type]
        ordered = e.Ordered(
            order=name, channel="sms", lane=lane, message="m", recipients=people_, incidents=(f"i-{s}",), **more
        )
        self.decide(s, opened, ordered)
        return name

    def says(self, s: float) -> list[Finding]:
        return check(self.sight, at(s), CONFIG)

    def words(self, s: float) -> list[str]:
        return [finding.what for finding in self.says(s)]


# --- deadlines -------------------------------------------------------------------------------------------------


def test_a_deadline_that_did_not_fire_is_found_after_five_seconds() -> None:
    journal = Journal()
    journal.decide(20, e.DeadlineSet(deadline="answer A", at=at(60)))
    assert journal.says(65) == []
    [finding] = journal.says(66)
    assert (finding.what, finding.hung, finding.since_s) == ("deadline-overdue", True, 6)
    assert "1 deadline overdue" in finding.detail
    assert "answer A" in finding.detail


@pytest.mark.parametrize(
    "after",
    [
        lambda j: j.decide(60, fired=("answer A",)),
        lambda j: j.decide(50, e.DeadlineDropped(deadline="answer A")),
        lambda j: j.decide(50, e.DeadlineSet(deadline="answer A", at=at(500))),
    ],
    ids=["fired", "dropped", "moved"],
)
def test_a_deadline_that_is_over_is_not_found(after: Any) -> None:
    journal = Journal()
    journal.decide(20, e.DeadlineSet(deadline="answer A", at=at(60)))
    after(journal)
    assert journal.says(120) == []


def test_a_hub_that_came_back_is_given_time_to_listen() -> None:
    journal = Journal()
    journal.decide(20, e.DeadlineSet(deadline="answer A", at=at(60)))
    journal.fact(r.HubStarted(node="a", version="1"), 500)
    assert journal.says(500 + CONFIG.listening + 5) == []
    assert journal.words(500 + CONFIG.listening + 6) == ["deadline-overdue"]


def test_an_auditor_that_came_back_gives_time_as_well() -> None:
    journal = Journal()
    journal.decide(20, e.DeadlineSet(deadline="answer A", at=at(60)))
    journal.sight.began = at(300)
    assert journal.says(305) == []
    assert journal.words(306) == ["deadline-overdue"]


def test_a_deadline_set_for_a_time_that_was_over_counts_from_when_it_was_set() -> None:
    journal = Journal()
    journal.decide(100, e.DeadlineSet(deadline="answer A", at=at(40)))
    assert journal.says(104) == []
    assert journal.words(106) == ["deadline-overdue"]


def test_stopped_the_guards_of_channels_may_be_late_and_nothing_else() -> None:
    journal = Journal()
    journal.decide(20, e.DeadlineSet(deadline="channel A", at=at(60)), e.Stopped(by="x", why="y"))
    assert journal.says(100) == []
    journal.decide(100, e.DeadlineSet(deadline="answer A", at=at(110)))
    assert journal.words(120) == ["deadline-overdue"]
    journal.decide(120, e.Lifted(by="x", why="y"), fired=("answer A",))
    assert journal.words(121) == ["deadline-overdue"]


def test_nothing_is_said_of_a_hub_that_has_not_come_up() -> None:
    journal = Journal(up=False)
    journal.decide(20, e.DeadlineSet(deadline="answer A", at=at(60)))
    assert journal.says(1000) == []


# --- facts -----------------------------------------------------------------------------------------------------


def test_a_fact_that_nobody_takes_is_found() -> None:
    journal = Journal()
    journal.decide(20)
    journal.sight.untaken = r.Fact(id="F", at=at(30), body=r.SignalReceived(source="kmi"))
    assert journal.says(35) == []
    [finding] = journal.says(36)
    assert (finding.what, finding.hung) == ("fact-not-taken", True)
    assert "no decision since" in finding.detail


def test_an_engine_that_is_behind_is_told_but_does_not_hang() -> None:
    journal = Journal()
    journal.sight.untaken = r.Fact(id="F", at=at(30), body=r.SignalReceived(source="kmi"))
    journal.decide(40)
    [finding] = journal.says(41)
    assert (finding.what, finding.hung) == ("fact-not-taken", False)


def test_facts_that_waited_while_the_hub_was_down_are_given_its_start() -> None:
    journal = Journal()
    journal.sight.untaken = r.Fact(id="F", at=at(30), body=r.SignalReceived(source="kmi"))
    journal.fact(r.HubStarted(node="a", version="1"), 500)
    assert journal.says(510) == []
    assert journal.words(516) == ["fact-not-taken"]


# --- queues ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lane", "limit_s"),
    [(Lane.ASK, 30), (Lane.CONFIRM, 120), (Lane.NOTIFY, 180), (Lane.MASS, 420)],
)
def test_an_order_of_which_nothing_is_heard(lane: Lane, limit_s: float) -> None:
    journal = Journal()
    journal.order(100, lane)
    assert journal.says(100 + limit_s) == []
    [finding] = journal.says(101 + limit_s)
    assert (finding.what, finding.hung) == (f"queue-{lane}", True)


def test_an_attempt_or_an_outcome_is_a_sign() -> None:
    journal = Journal()
    order = journal.order(100, Lane.ASK)
    attempt = journal.attempt(129, order)
    assert journal.says(150) == []
    journal.receipts(150, order, Outcome.RETRY, attempt=attempt)
    assert journal.says(179) == []
    [finding] = journal.says(181)
    assert finding.what == "queue-ask"
    assert not finding.hung, "dispatch was told to try again later: it does what it should"


def test_while_others_go_out_dispatch_does_not_hang() -> None:
    journal = Journal()
    journal.order(100, Lane.ASK)
    other = journal.order(101, Lane.ASK)
    journal.receipts(125, other, Outcome.SENT, attempt=journal.attempt(124, other))
    [finding] = journal.says(140)
    assert (finding.what, finding.hung) == ("queue-ask", False)
    assert journal.says(156)[0].hung


@pytest.mark.parametrize("outcome", [Outcome.SENT, Outcome.DELIVERED, Outcome.FAILED, Outcome.WITHDRAWN])
def test_an_order_all_of_which_is_heard_of_waits_no_more(outcome: Outcome) -> None:
    journal = Journal()
    order = journal.order(100, people=2)
    attempt = journal.attempt(101, order, 0, 2)
    journal.receipts(102, order, outcome, outcome, attempt=attempt)
    assert journal.says(10_000) == []
    assert not journal.sight.waiting
    assert not journal.sight.open


def test_one_delivery_left_is_enough_to_wait() -> None:
    journal = Journal()
    order = journal.order(100, people=2)
    journal.receipts(102, order, Outcome.SENT)
    assert journal.words(283) == ["queue-notify"]


def test_a_large_audience_waits_only_for_those_who_are_meant() -> None:
    journal = Journal()
    order = journal.order(100, Lane.MASS, people=3, only=(1,))
    journal.decide(101, e.Delivered(order=order, moves=((1, Outcome.SENT, ""),)))
    assert journal.says(10_000) == []


def test_what_is_withdrawn_is_not_waited_for() -> None:
    journal = Journal()
    order = journal.order(100)
    journal.attempt(101, order)
    journal.decide(102, e.OrderWithdrawn(order=order, why="accepted"))
    assert journal.says(10_000) == []
    assert not journal.sight.waiting


def test_what_has_not_gone_out_is_waited_for_also_when_its_incident_is_forgotten() -> None:
    journal = Journal()
    journal.order(200)
    journal.decide(201, e.Ended(incident="i-200", why="no-signal"), e.Forgotten(incident="i-200"))
    (found,) = journal.says(10_000)
    assert found.what == "queue-notify"


def test_time_under_stop_all_does_not_count_for_queues() -> None:
    journal = Journal()
    journal.order(100, Lane.ASK)
    journal.decide(110, e.Stopped(by="x", why="y"))
    assert journal.says(1000) == []
    journal.decide(1000, e.Lifted(by="x", why="y"))
    assert journal.says(1030) == []
    assert journal.words(1031) == ["queue-ask"]


def test_an_attempt_without_an_outcome() -> None:
    journal = Journal()
    order = journal.order(100)
    journal.attempt(110, order)
    assert journal.says(170) == []
    [finding] = journal.says(171)
    assert (finding.what, finding.hung) == ("attempt-unsettled", True)


def test_an_attempt_that_is_made_again_takes_the_place_of_the_first() -> None:
    journal = Journal()
    order = journal.order(100, people=10)
    journal.attempt(110, order, 0, 10)
    journal.attempt(160, order, 4, 6)
    assert journal.says(200) == []
    assert journal.words(221) == ["attempt-unsettled"]


def test_an_outcome_settles_its_attempt_although_the_engine_stands_still() -> None:
    journal = Journal()
    order = journal.order(100)
    journal.receipts(112, order, Outcome.SENT, attempt=journal.attempt(110, order), engine=False)
    assert journal.says(180) == []


def test_sight_goes_on_from_a_snapshot() -> None:
    journal = Journal()
    waiting, done = journal.order(100), journal.order(101)
    journal.receipts(102, done, Outcome.SENT)
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(journal.sight.state), type=State)
    assert set(Sight(state).waiting) == {waiting}


# --- hub time --------------------------------------------------------------------------------------------------


def test_hub_time_runs_on_from_the_newest_decision() -> None:
    clock = HubTime()
    assert clock.now(10) is None
    clock.heard(at(0))
    clock.settle(10)
    assert clock.now(17) == at(7)
    clock.settle(20)  # nothing new was read
    assert clock.now(21) == at(11)


def test_hub_time_follows_a_clock_that_is_stepped_either_way() -> None:
    clock = HubTime()
    for s, steady_s in [(0, 10), (86_400, 11), (-3600, 12)]:
        clock.heard(at(s))
        clock.settle(steady_s)
        assert clock.now(steady_s + 1) == at(s + 1)


DAY_S = 86_400.0


@pytest.mark.parametrize("by_s", [DAY_S, -DAY_S, 20.0])
def test_a_jump_of_hub_time_makes_nothing_late_and_hides_nothing(by_s: float) -> None:
    journal = Journal()
    order = journal.order(100, Lane.ASK)
    journal.attempt(102, order)
    journal.decide(102, e.DeadlineSet(deadline="expiry I S", at=at(500)))
    journal.fact(r.ClockStepped(by_s=by_s), 110 + by_s)
    journal.decide(110 + by_s)
    assert journal.says(115 + by_s) == [], "what is due by the jump has five seconds to fire, as ever"
    if by_s == DAY_S:
        assert journal.words(116 + by_s) == ["deadline-overdue"]
        journal.decide(116 + by_s, fired=("expiry I S",))
    assert journal.says(132 + by_s) == []
    assert journal.words(133 + by_s) == ["queue-ask"], "thirty seconds from the attempt, whatever the clock says"
    assert journal.words(163 + by_s) == ["queue-ask", "attempt-unsettled"]


def test_a_playback_that_is_started_again_on_an_earlier_date_is_watched_like_any_other() -> None:
    journal = Journal()
    order = journal.order(DAY_S, Lane.ASK)
    journal.attempt(DAY_S, order)
    journal.decide(DAY_S, e.Lifted(by="x", why="y"))
    journal.fact(r.HubStarted(node="a", version="1", playback=True), 0)
    journal.decide(0)
    assert journal.says(30) == []
    assert journal.words(45) == ["queue-ask"]
    assert journal.words(71) == ["queue-ask", "attempt-unsettled"]


# --- a healthy night -------------------------------------------------------------------------------------------


class Watched(Night):
    """A night whose records the auditor reads, and whose dispatch writes attempts."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed=seed)
        self.sight = Sight()
        self.sight.take(r.Fact(id="START", at=self.now, body=r.HubStarted(node="a", version="1")))
        self.spoken: list[Finding] = []

    def fact(self, body: r.FactBody, live: Any = None) -> str:
        self.sight.take(r.Fact(id=self.ids.new(self.now), at=self.now, body=body))
        return super().fact(body, live)

    def look(self) -> None:
        self.spoken += check(self.sight, self.now, CONFIG)

    def _settle(self, decided: Any) -> None:
        self.look()  # at the moment before: what is due has not been late
        self.sight.take(decided.decision)
        super()._settle(decided)

    def _dispatch(self, order: e.Ordered) -> None:
        stop = len(order.recipients)
        self.sight.take(r.Attempt(id=self.ids.new(self.now), at=self.now, order=order.order, start=0, stop=stop))
        super()._dispatch(order)
        self.look()


happenings = st.one_of(
    st.tuples(st.just("signal"), st.sampled_from(["w1", "w2"]), st.sampled_from(["Severe", "Extreme", "Minor"])),
    st.tuples(st.just("cancel"), st.sampled_from(["w1", "w2"])),
    st.tuples(st.just("reply"), st.sampled_from(["officer-a", "officer-b"]), st.sampled_from(["ok", "no", "A", "hm?"])),
    st.tuples(st.just("wait"), st.sampled_from([1, 31, 95, 250, 4000])),
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(happenings, max_size=25),
    st.sets(st.tuples(st.sampled_from(["officer-a", "police"]), st.sampled_from(["sms", "voice"]))),
    st.integers(0, 9),
)
def test_of_a_healthy_night_nothing_is_said(night_: Sequence[tuple[Any, ...]], fails: set[Any], seed: int) -> None:
    night = Watched(seed)
    night.fails = fails
    for what in night_:
        match what:
            case ("signal", identifier, severity):
                night.signal(identifier, severity=severity)
            case ("cancel", identifier):
                night.cancel(identifier)
            case ("reply", person, text):
                night.person(person).replies(text)
            case ("wait", seconds):
                night.after(seconds=seconds)
        night.look()
    night.after(hours=30)
    night.look()
    assert night.spoken == []
    assert msgspec.to_builtins(night.sight.state.deadlines) == msgspec.to_builtins(night.state.deadlines)
    assert not night.sight.open
    assert not night.sight.late


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 9), st.sampled_from([6, 60, 3600]))
def test_of_a_night_whose_engine_stopped_something_is_said(seed: int, still_s: float) -> None:
    night = Watched(seed)
    night.signal("w1")
    assert night.spoken == []
    due = min(night.state.deadlines.values())
    stopped = max(due, START + timedelta(seconds=CONFIG.listening)) + timedelta(seconds=still_s)
    assert "deadline-overdue" in [f.what for f in check(night.sight, stopped, CONFIG)]


# --- telling ---------------------------------------------------------------------------------------------------


def finding(what: str = "fact-not-taken", hung: bool = False) -> Finding:
    return Finding(what=what, detail="d", since_s=6, hung=hung)


def kinds(told: list[Told]) -> list[tuple[Kind, str]]:
    return [(t.kind, t.finding.what) for t in told]


def test_told_once_again_while_it_stands_and_once_when_it_is_over() -> None:
    standing = Standing(again_s=600)
    assert kinds(standing.update([finding()], 0)) == [(Kind.NEW, "fact-not-taken")]
    for s in range(1, 600, 7):
        assert standing.update([finding()], s) == []
    assert kinds(standing.update([finding()], 600)) == [(Kind.AGAIN, "fact-not-taken")]
    assert standing.update([finding()], 601) == []
    assert standing.update([], 601 + OVER_AFTER_S - 1) == []
    assert len(standing) == 1
    assert kinds(standing.update([], 601 + OVER_AFTER_S)) == [(Kind.OVER, "fact-not-taken")]
    assert len(standing) == 0
    assert standing.update([], 700) == []


def test_what_comes_and_goes_is_one_finding() -> None:
    standing = Standing(again_s=600)
    told = [t for s in range(50) for t in standing.update([finding()] if s % 3 == 0 else [], s)]
    assert kinds(told) == [(Kind.NEW, "fact-not-taken")]


def test_each_finding_is_told_for_itself() -> None:
    standing = Standing(again_s=600)
    standing.update([finding()], 0)
    assert kinds(standing.update([finding(), finding("hub-silent")], 1)) == [(Kind.NEW, "hub-silent")]


def test_hanging_counts_only_without_a_break() -> None:
    standing = Standing(again_s=600)
    standing.update([finding(hung=True)], 0)
    standing.update([finding(hung=True)], 14)
    assert standing.hung(14) == (14, finding(hung=True))
    standing.update([finding(hung=False)], 15)
    assert standing.hung(15) is None
    standing.update([finding(hung=True)], 16)
    standing.update([], 17)
    assert standing.hung(17) is None
    standing.update([finding(hung=True)], 18)
    standing.forgive()
    assert standing.hung(40) is None


def test_patience_doubles_while_restarts_bring_no_calm() -> None:
    patience = Patience(15)
    seen, s = [], 0.0
    for _ in range(8):
        seen.append(patience.s(s))
        s += seen[-1]
        patience.restarted(s)
    assert seen == [15, 30, 60, 120, 240, 480, 600, 600]
    assert patience.s(s + 600 + CALM_S - 1) == 600
    assert patience.s(s + 600 + CALM_S) == 15


def test_a_hub_that_dies_is_started_again_later_and_later() -> None:
    deaths, s = Deaths(), 0.0
    pauses = []
    for _ in range(8):
        pauses.append(deaths.died(s, 0.5, "exit code 1"))
        s += pauses[-1] + 0.5
    assert pauses == [0, 1, 2, 5, 30, 30, 30, 30], "five times within a minute: every 30 s from there on"
    said = deaths.finding(s, 0)
    assert said is not None
    assert said.what == "hub-keeps-dying"
    assert "exit code 1" in said.detail
    assert deaths.finding(s + 61, 61) is None, "it has lived for a minute"


def test_a_death_now_and_then_is_told_and_not_held_against_it() -> None:
    deaths = Deaths()
    for s in (100, 300, 900):
        assert deaths.died(s, 150, "killed by signal 9") == 0
        said = deaths.finding(s + 1, 1)
        assert said is not None
        assert said.what == "hub-died"
        assert deaths.finding(s + 61, 61) is None


@pytest.mark.parametrize("what", sorted(words.KNOWN))
@pytest.mark.parametrize("kind", list(Kind))
def test_every_finding_has_its_words_in_four_languages(what: str, kind: Kind) -> None:
    told = Told(kind=kind, finding=finding(what), playback=True)
    lines = {words.line(told, language) for language in Language}
    assert len(lines) == 4
    assert all(f"{language.upper()}  " in words.text(told) for language in Language)
    for exercise in ("EXERCICE", "OEFENING", "ÜBUNG", "EXERCISE"):
        assert exercise in words.text(told)
    assert "EXERCISE" in words.subject(told)


def test_an_alarm_that_is_none_of_an_exercise_does_not_say_so() -> None:
    told = Told(kind=Kind.NEW, finding=finding("hub-silent"))
    assert "EXERCISE" not in words.text(told) + words.subject(told)


def test_the_configuration_in_the_manual_is_one() -> None:
    manual = (ROOT / "docs" / "auditor.md").read_text()
    document = yaml.read(manual.split("```yaml\n")[1].split("```")[0], "auditor.md")
    read = bind(document, document.root, dict[str, AuditorConfig])
    assert document.findings == []
    assert read["auditor"].mail is not None
    assert read["auditor"].api_token == "API_TOKEN"
