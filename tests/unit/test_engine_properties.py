"""Whatever the order and repetition of inputs: the fold of the decisions is the live state, a deadline fires once, who
has accepted is not asked again, and in the end every chain is filled or exhausted and everybody reached is told."""

from datetime import timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.model import events as e
from hub.model import records as r
from hub.model.message import Lane, Outcome, Verb
from hub.model.people import Asked, Chain, Contact, Plays, Role, Steer, Tier
from hub.model.quiet import Quiet, Silence
from tests.stories import Night, World, sheet, tasks

PEOPLE = ("officer-a", "officer-b", "officer-c", "director")


def world() -> World:
    w = World(
        sheet("storm"),
        sheet("parks", *sheet("parks").steps, tasks("check", due_s=900)),
        sheet("flood", hazard="flood", chain="two"),
        sheet("wind", hazard="wind", chain="turns"),
    )
    w.groups["b"] = ("officer-b", "officer-c")
    tier = Tier(ask=(Contact(Asked.GROUP, "a"), Contact(Asked.GROUP, "b")), by=("sms", "voice"), times=2)
    w.roles.add(("officer-b", "speaks nl"))
    w.chains["two"] = Chain(id="two", tiers=(tier,), need=2, exhausted="directors", roles=(Role(Plays.SPEAKS, "nl"),))
    turns = msgspec.structs.replace(tier, ask=tier.ask[::-1], in_turn=True)
    w.chains["turns"] = Chain(id="turns", tiers=(turns, w.chains["duty"].tiers[0]), need=2)
    w.chains["duty"] = msgspec.structs.replace(w.chains["duty"], exhausted="directors")
    return w


signals = st.tuples(
    st.just("signal"),
    st.sampled_from(["w1", "w2", "w3"]),
    st.sampled_from(["Alert", "Update", "Cancel"]),
    st.sampled_from(["thunderstorm", "flood", "wind"]),
    st.sampled_from(["Minor", "Severe", "Extreme"]),
    st.lists(st.sampled_from(["w1", "w2", "w3"]), max_size=2),
    st.sampled_from([None, -1, 5, 60, 600]),
)
replies = st.tuples(
    st.just("reply"),
    st.sampled_from([*PEOPLE, ""]),
    st.sampled_from(list(Verb)),
    st.sampled_from(["", "A", "B", "C", "Z"]),
    st.booleans(),
    st.sampled_from([*PEOPLE, "", "somebody-else"]),
)
receipts = st.tuples(st.just("receipt"), st.integers(0, 30), st.sampled_from(list(Outcome)), st.integers(0, 2))
waits = st.tuples(st.just("wait"), st.sampled_from([1, 30, 90, 240, 3600, 30_000]))
acts = st.tuples(st.just("act"), st.sampled_from(["stop", "lift", "end", "tick", "ack", "unquiet"]))
steering = st.tuples(
    st.just("steer"),
    st.integers(0, 4),
    st.sampled_from(list(Steer)),
    st.sampled_from([*PEOPLE, "directors", "turns", "somebody-else"]),
)
quiet = st.tuples(
    st.just("quiet"),
    st.sampled_from([(), ("storm",), ("flood", "wind")]),
    st.sampled_from([0, 60, 4000]),
    st.sampled_from([30, 3600, 30_000]),
    st.booleans(),
)
editing = st.tuples(st.just("edit"), st.sampled_from(PEOPLE), st.sampled_from(["gone", "changed", "back"]))
silences = st.sets(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(["sms", "voice"])), max_size=4)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.one_of(signals, replies, receipts, waits, acts, steering, quiet, editing), max_size=40),
    silences,
    silences,
    st.integers(0, 3),
)
def test_any_night(inputs: list[tuple], fails: set, silent: set, seed: int) -> None:
    night = Night(world(), seed=seed)
    night.fails, night.silent = fails, silent
    orders: list[e.Ordered] = []
    for what in inputs:
        _do(night, what, orders)
        _safe(night)
    for run in list(night.state.runs.values()):
        if run.held and not run.outcome:
            night.fact(r.ChainSteered(run=run.id, act=Steer.RESUME, by="x", why="y"))
    night.after(hours=30)  # longer than any warning, chain and joining window
    _live(night)
    night.outbox.clear()
    night.over()


def _do(night: Night, what: tuple, orders: list[e.Ordered]) -> None:
    orders.extend(o for o in night.outbox if o not in orders)
    match what:
        case ("signal", identifier, kind, hazard, severity, refs, minutes):
            night.signal(identifier, hazard, severity, msg_type=kind, refs=refs, expires_min=minutes)
        case ("reply", person, verb, code, everything, to):
            to = to if verb is Verb.DELEGATE else ""
            reply = r.ReplyReceived(channel="sms", person=person, verb=verb, code=code, everything=everything, to=to)
            night.fact(reply)
        case ("steer", which, act, to):
            for run in list(night.state.runs)[which : which + 1]:
                night.fact(r.ChainSteered(run=run, act=act, by="x", why="y", to=to))
        case ("receipt", which, outcome, index):
            if which < len(orders):
                order = orders[which]
                night.fact(r.ReceiptsReceived(channel="sms", receipts=(r.Receipt(order.order, index, outcome),) * 2))
        case ("quiet", sheets, begins_s, lasts_s, gravest):
            start = night.now + timedelta(seconds=begins_s)
            until = start + timedelta(seconds=lasts_s)
            what = Quiet(sheets=sheets, gravest=gravest)
            night.fact(r.SilenceSet(silence=Silence(what=what, by="x", why="y", start=start, until=until)))
        case ("edit", person, "back"):
            night.world.gone.discard(person)
            if known := night.state.edited.get(person):
                night.fact(r.ChangeReverted(change=known.change, by="x", why="y"))
        case ("edit", person, how):
            (night.world.gone.add if how == "gone" else night.world.gone.discard)(person)
            night.fact(r.PersonChanged(person=person, by="x", why="y", removed=how == "gone"))
        case ("act", "unquiet"):
            for silence in list(night.state.silences)[:1]:
                night.fact(r.SilenceLifted(silence=silence, by="x", why="y"))
        case ("wait", seconds):
            night.after(seconds=seconds)
        case ("act", "stop"):
            night.fact(r.StopAll(by="x", why="y"))
        case ("act", "lift"):
            night.fact(r.StopLifted(by="x", why="y"))
        case ("act", "end"):
            for incident in list(night.state.incidents)[:1]:
                night.fact(r.IncidentClosed(incident=incident, by="x", why="y"))
        case ("act", "tick"):
            for task in list(night.state.tasks)[:1]:
                night.fact(r.TaskTicked(task=task, by="x"))
        case ("act", "ack"):
            for alarm in list(night.state.alarms)[:1]:
                night.fact(r.AlarmAcknowledged(alarm=alarm, by="x"))


def _safe(night: Night) -> None:
    """What holds at any moment."""
    accepted: set[tuple[str, str]] = set()  # (run, person)
    asks: dict[str, e.Asked] = {}
    for decision in night.decisions:
        for event in decision.events:
            if isinstance(event, e.Asked):
                asks[event.ask] = event
                assert not any((run, event.person) in accepted for run in event.runs), "asked again after accepting"
            elif isinstance(event, e.RunBegan):
                accepted |= {(event.run, person) for person in (*event.accepted, *event.passed)}
            elif isinstance(event, e.RunTaken):
                accepted.add((event.run, event.person))
            elif isinstance(event, e.AskClosed) and event.outcome == "accepted":
                accepted |= {(run, asks[event.ask].person) for run in asks[event.ask].runs}
            elif isinstance(event, e.Ordered) and event.lane == Lane.ASK:
                person = event.recipients[0]
                assert not any((run, person) in accepted for run in asks[event.ask].runs), "rung after accepting"
    for ask in night.state.asks.values():
        assert ask.outcome or ask.person not in night.world.gone, "asked though in the directory no more"
    for incident in night.state.incidents.values():
        if incident.ended:
            reachable = {p for p, c in incident.reached.items()}
            assert reachable - _ever_gone(night) <= incident.told, "reached and not told the all-clear"
            assert incident.told <= reachable, "told the all-clear and never reached"
            assert all(night.state.runs[run].outcome for run in incident.runs)


def _ever_gone(night: Night) -> set[str]:
    """Who was in the directory no more at some time: nothing could be sent to them then."""
    events = [event for decision in night.decisions for event in decision.events]
    return {event.person for event in events if isinstance(event, e.PersonEdited) and event.removed}


def _live(night: Night) -> None:
    """What has come true once time has passed: nothing hangs."""
    state = night.state
    stopped = state.stopped is not None
    for run in state.runs.values():
        waiting = [state.asks[a] for a in run.asks if not state.asks[a].outcome]
        assert run.outcome or (stopped and waiting), f"a chain hangs: {run}"
    assert not state.silences, "a silence without end"
    assert not any(i.held_by for i in state.incidents.values()), "held back for ever"
    for name, at in state.deadlines.items():
        assert at > night.now, f"deadline {name} did not fire"
