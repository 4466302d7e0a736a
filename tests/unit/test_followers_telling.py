"""What other systems are told of incidents: which events, under which ids, and what is never in them."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TypeVar

import msgspec
import pytest

from hub.engine.fold import fold_decision
from hub.engine.state import State
from hub.followers.known import TOLD_MAX, Known, known_of
from hub.followers.telling import tell
from hub.followers.wanted import GROUPS, Wanted
from hub.model import events as e
from hub.model import occurrences as o
from hub.model import records as r
from hub.model.message import Lane, Outcome, Verb
from hub.model.signal import Status
from hub.model.trust import Credibility
from hub.playbook.language import Mode
from tests.stories import Night, World, sheet, tasks

T = TypeVar("T")


def told_of(decisions: Iterable[r.Decision], known: Known | None = None) -> list[o.IncidentEvent]:
    known = known or Known()
    return [told.event for decision in decisions for told in tell(known, decision)]


def names(events: Sequence[o.IncidentEvent]) -> list[str]:
    return [event.name for event in events]


def of(events: Sequence[o.IncidentEvent], kind: type[T]) -> list[T]:
    return [event.what for event in events if isinstance(event.what, kind)]


def a_night(**more: str) -> Night:
    """A storm: the first officer is silent, the second accepts, partners are told, it is cancelled and forgotten."""
    night = Night()
    night.signal("w1", **more)
    night.after(minutes=6)
    night.person("officer-b").replies("OK 20 min")
    night.after(minutes=1)
    night.cancel("w1", **more)
    night.after(hours=48)
    return night


def test_what_becomes_of_the_signal_is_told_as_a_grade_and_never_as_a_step() -> None:
    night = Night()
    night.signal("w1", credibility=Credibility.CONFIRMED)
    assert any(isinstance(ev, e.StepEnded) and ev.step == "signal" for d in night.decisions for ev in d.events)
    assert "signal" not in {what.step for what in of(told_of(night.decisions), o.StepEnded)}


def test_a_whole_incident_is_told_from_its_opening_to_its_close() -> None:
    night = a_night()
    events = told_of(night.decisions)
    assert len({event.incident for event in events}) == 1
    assert {event.status for event in events} == {Status.ACTUAL}
    assert {(event.playbook, event.version) for event in events} == {("storm", "storm-v1")}
    seen = names(events)
    assert seen[:4] == ["opened", "signal.joined", "step.began", "chain.began"]
    assert seen[-1] == "closed"
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert of(events, o.ChainTier) == [
        o.ChainTier(run=of(events, o.ChainBegan)[0].run, chain="duty", step="wake", tier=n, round=1) for n in (1, 2)
    ]
    closed = [(ask.person, ask.outcome, ask.eta_min) for ask in of(events, o.AskClosed)]
    assert closed == [("officer-a", "expired", None), ("officer-b", "accepted", 20)]
    assert [ended.outcome for ended in of(events, o.ChainEnded)] == ["accepted"]
    assert [ended.people for ended in of(events, o.ChainEnded)] == [("officer-b",)]
    assert of(events, o.SignalWithdrawn)
    assert of(events, o.Ended) == [o.Ended(why="no-signal")]
    partners = [m for m in of(events, o.MessageOrdered) if m.message == "storm-partners"]
    assert {m.channel for m in partners} == {"sms", "email"}
    delivered = [d for m in of(events, o.MessageDelivered) for d in m.deliveries]
    assert {d.person for d in delivered} >= {"officer-a", "officer-b", "police", "fire"}
    assert {d.outcome for d in delivered} == {"sent"}


def test_each_event_has_an_id_of_its_own_and_it_is_the_same_when_it_is_told_again() -> None:
    night = a_night()
    events = told_of(night.decisions)
    ids = [event.id for event in events]
    assert len(set(ids)) == len(ids)
    records = {decision.id for decision in night.decisions}
    assert {id_.partition("/")[0] for id_ in ids} <= records
    assert "." not in "".join(ids)  # what is signed is separated by dots
    assert told_of(night.decisions) == events


def test_who_reads_on_from_the_middle_is_told_the_same() -> None:
    """Also with what it knows gone through JSON, and made from the engine's state."""
    night = a_night()
    events = told_of(night.decisions)
    for at in range(len(night.decisions)):
        known = Known()
        before = told_of(night.decisions[:at], known)
        saved = msgspec.json.decode(msgspec.json.encode(known), type=Known)
        assert before + told_of(night.decisions[at:], saved) == events


def test_who_begins_now_is_told_what_comes_as_one_who_was_there() -> None:
    night, at = Night(), []
    for act in (
        lambda: night.signal("w1"),
        lambda: night.after(minutes=6),
        lambda: night.person("officer-b").replies("1"),
        lambda: night.cancel("w1"),
    ):
        act()
        at.append((len(night.decisions), known_of(night.state)))
    night.after(hours=48)
    for count, known in at:
        whole = Known()
        told_of(night.decisions[:count], whole)
        assert told_of(night.decisions[count:], known) == told_of(night.decisions[count:], whole)


def test_nothing_is_known_of_an_incident_that_is_over() -> None:
    known = Known()
    told_of(a_night().decisions, known)
    assert known == Known(after=known.after)


def test_no_code_and_no_words_are_told() -> None:
    night = a_night()
    codes = {event.code for d in night.decisions for event in d.events if isinstance(event, e.Asked)}
    events = told_of(night.decisions)
    for event in events:
        assert event.words == ()
        assert not any(f'"{code}"' in msgspec.json.encode(event).decode() for code in codes)
    assert codes


def test_an_exercise_says_so_in_each_event() -> None:
    events = told_of(a_night(status="Exercise").decisions)
    assert events
    assert {event.status for event in events} == {Status.EXERCISE}


def test_what_a_sheet_in_shadow_would_have_done_is_not_told() -> None:
    night = Night(World(sheet(mode=Mode.SHADOW)))
    night.signal("w1")
    night.after(hours=1)
    assert any(isinstance(event, e.InShadow) for d in night.decisions for event in d.events)
    assert told_of(night.decisions) == []


def test_an_ask_for_two_incidents_is_told_of_both() -> None:
    night = Night(World(sheet("storm"), sheet("flood")))
    night.signal("w1")
    night.signal("w2")
    events = told_of(night.decisions)
    opened = [event.incident for event in events if event.name == "opened"]
    asked = [event for event in events if event.name == "ask.opened"]
    assert {event.incident for event in asked} == set(opened)
    first, *others = [event for event in asked if event.id.startswith(asked[0].id)]
    assert others
    assert others[0].id == first.id + "/1"
    assert others[0].what == first.what


def test_tasks_are_told_with_their_step() -> None:
    steps = (*sheet().steps, tasks("checklist", due_s=600))
    night = Night(World(sheet("storm", *steps)))
    night.signal("w1")
    night.person("officer-a").replies("1")
    night.after(minutes=15)
    (task,) = night.state.tasks
    night.fact(r.TaskTicked(task=task, by="room"))
    events = told_of(night.decisions)
    began = next(event for event in events if event.name == "task.opened")
    assert began.what == o.TaskOpened(
        task=task, step="checklist", index=0, who="duty-officer", due=began.at + timedelta(minutes=10)
    )
    assert of(events, o.TaskLate) == [o.TaskLate(task=task, step="checklist", index=0)]
    assert of(events, o.TaskClosed) == [o.TaskClosed(task=task, step="checklist", index=0, outcome="done", by="room")]
    assert [alarm.name for alarm in of(events, o.AlarmRaised)] == ["task-late"]


def test_what_an_officer_does_is_told_with_who_and_the_reason_only_as_words() -> None:
    night = Night()
    night.signal("w1")
    (incident,) = night.state.incidents
    act = night.fact(r.IncidentClosed(incident=incident, by="room", why="false alarm, says Mrs Peeters"))
    known = Known()
    told = [one for decision in night.decisions for one in tell(known, decision)]
    (ended,) = [one for one in told if one.event.name == "ended"]
    assert ended.event.what == o.Ended(why="officer", by="room")
    assert act in ended.facts
    assert b"Peeters" not in msgspec.json.encode([one.event for one in told])


def order(recipients: tuple[str, ...], size: int = 0) -> e.Ordered:
    return e.Ordered(
        order="o1", channel="sms", lane=Lane.MASS, message="m", recipients=recipients, size=size, incidents=("i1",)
    )


def decision(id_: str, *events: e.Event) -> r.Decision:
    at = Night().now
    return r.Decision(id=id_, at=at, events=events)


OPENED = e.Opened(incident="i1", playbook="p", version="v", key=(), status=Status.TEST, by="s1")


def test_a_message_to_very_many_is_told_in_numbers() -> None:
    moves = tuple((i, Outcome.SENT if i else Outcome.FAILED, "") for i in range(5000))
    for ordered in (order((), 5000), order(tuple(f"p{i}" for i in range(5000)))):
        events = told_of([decision("d1", OPENED, ordered), decision("d2", e.Delivered(order="o1", moves=moves))])
        assert events[1].what == o.MessageOrdered(order="o1", channel="sms", message="m", lane=Lane.MASS, people=5000)
        assert events[2].what == o.MessageDelivered(
            order="o1", channel="sms", message="m", outcomes={"failed": 1, "sent": 4999}
        )


def test_what_cannot_be_placed_is_left_out_and_stops_nothing() -> None:
    nowhere: tuple[e.Event, ...] = (
        e.StepBegan(incident="x", step="s"),
        e.StepEnded(incident="x", step="s", outcome="done"),
        e.TierBegan(run="x", tier=0, round=1, asks=()),
        e.RunEnded(run="x", outcome="accepted"),
        e.AskClosed(ask="x", outcome="accepted"),
        e.Answered(person="p", verb=Verb.ACCEPT, ask="x"),
        e.Delivered(order="x", moves=((7, Outcome.SENT, ""),)),
        e.TaskClosed(task="x", outcome="done"),
        e.BroadcastBegan(broadcast="x"),
        e.AlarmCleared(alarm="x"),
        e.Forgotten(incident="x"),
    )
    events = told_of([decision("d1", *nowhere, OPENED, e.Ended(incident="i1", why="no-signal"))])
    assert names(events) == ["opened", "ended"]
    assert events[0].id == f"d1/{len(nowhere)}"


def test_an_alarm_about_an_incident_is_told_and_no_other() -> None:
    raised = (
        e.AlarmRaised(alarm="a1", what="chain-exhausted", about="i1 wake", detail="who knows"),
        e.AlarmRaised(alarm="a2", what="source-failing", about="kmi"),
        e.AlarmCleared(alarm="a1", by="room"),
        e.AlarmCleared(alarm="a2", by="room"),
    )
    events = told_of([decision("d1", OPENED, *raised)])
    assert [event.what for event in events[1:]] == [
        o.AlarmRaised(alarm="a1", name="chain-exhausted"),
        o.AlarmCleared(alarm="a1", name="chain-exhausted", by="room"),
    ]


# --- what a follower wants -----------------------------------------------------------------------------------


def test_names_outside_are_a_promise() -> None:
    """A name that is changed or taken away breaks whoever follows: think twice, then write it here and in the docs."""
    assert set(o.NAMES) == {
        "opened", "ended", "reopened", "lapsed", "closed", "held-back", "released",
        "signal.joined", "signal.attached", "signal.withdrawn", "graded",
        "step.began", "step.ended", "task.opened", "task.closed", "task.late",
        "chain.began", "chain.tier", "chain.ended", "chain.held", "chain.resumed", "chain.taken",
        "ask.opened", "ask.sent", "ask.closed", "answered",
        "message.ordered", "message.delivery", "message.withdrawn", "message.held", "message.resumed", "message.kept",
        "broadcast.proposed", "broadcast.dropped", "broadcast.drafted", "broadcast.released", "broadcast.began",
        "broadcast.held", "broadcast.resumed", "broadcast.ended", "alarm.raised", "alarm.cleared",
    }  # fmt: skip
    assert set(GROUPS) == {"signal", "step", "task", "chain", "ask", "message", "broadcast", "alarm"}


def test_who_wants_some_is_told_these() -> None:
    night = a_night()
    events = told_of(night.decisions)
    some = Wanted(events=frozenset({"opened", "chain", "step.ended"}))
    assert {e.name for e in events if some.wants(e)} == {"opened", "chain.began", "chain.tier", "chain.ended",
                                                        "step.ended"}  # fmt: skip
    assert not any(Wanted(playbooks=frozenset({"flood"})).wants(event) for event in events)
    assert all(Wanted(playbooks=frozenset({"storm"})).wants(event) for event in events)


def test_who_says_nothing_is_told_of_what_is_in_earnest_only() -> None:
    exercise = told_of(a_night(status="Exercise").decisions)
    assert not any(Wanted().wants(event) for event in exercise)
    assert all(Wanted(statuses=frozenset({Status.EXERCISE})).wants(event) for event in exercise)
    assert all(Wanted().wants(event) for event in told_of(a_night().decisions))


def test_what_is_skipped_is_left_out_alone() -> None:
    events = told_of(a_night().decisions)
    skipping = Wanted(skip=frozenset({events[3].id}))
    assert [event for event in events if not skipping.wants(event)] == [events[3]]


@pytest.mark.parametrize("people", [TOLD_MAX, TOLD_MAX + 1])
def test_who_begins_now_knows_of_a_message_to_many_what_one_knows_who_was_there(people: int) -> None:
    begun = [decision("d1", OPENED, order(tuple(f"p{i}" for i in range(people))))]
    state, whole = State(), Known()
    fold_decision(state, begun[0])
    told_of(begun, whole)
    moves = decision("d2", e.Delivered(order="o1", moves=((0, Outcome.SENT, ""),)))
    (event,) = told_of([moves], known_of(state))
    assert told_of([moves], whole) == [event]
    assert isinstance(event.what, o.MessageDelivered)
    assert len(event.what.deliveries) == (people <= TOLD_MAX)
