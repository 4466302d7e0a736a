"""The crash campaign's own checks: each finds what it is there for."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from hub.model import events as e
from hub.model import records as r
from hub.model.message import Lane, Outcome
from hub.model.people import Asked, Chain, Contact, Tier
from hub.model.signal import Status
from tools.crash.checks import Found, check
from tools.crash.evidence import Arrival, Inside, Outside
from tools.crash.sender import Sending

AT = datetime(2026, 7, 14, 0, 10, tzinfo=UTC)
CHAIN = Chain(id="duty-1", tiers=(Tier(ask=(Contact(Asked.PERSON, "first-1"),), by=("sms",)),))


def _ordered(order: str, **more: object) -> e.Ordered:
    given = {"channel": "sms", "recipients": ("first-1",), "incidents": ("i",), **more}
    return e.Ordered(order=order, **given)  # type: ignore[arg-type] # mixed on purpose


def _night() -> tuple[Inside, Outside]:
    """One signal, one chain of one person who never answers, and the all-clear."""

    def decision(n: int, *events: e.Event, took: tuple[str, ...] = (), fired: tuple[str, ...] = ()) -> r.Decision:
        return r.Decision(id=f"d{n}", at=AT + timedelta(seconds=n), took=took, fired=fired, events=events)

    opened = e.Opened(incident="i", playbook="chain-1", version="v", key=("Event 1",), status=Status.ACTUAL, by="f1")
    ask = e.Asked(ask="a", person="first-1", runs=("r",), code="A", by=("sms",), between_s=1, answer_s=2)
    inside = Inside(
        facts=["f1", "f2", "f3", "f4"],
        keys={"sms\x1fSM9"},
        signals={"al-1": ["f1"], "al-2": ["f3"]},
        decisions=[
            decision(
                0,
                opened,
                e.RunBegan(run="r", incident="i", step="wake", chain=CHAIN, message="ask"),
                ask,
                e.TierBegan(run="r", tier=0, round=1, asks=("a",)),
                _ordered("o", lane=Lane.ASK, message="ask", ask="a"),
                took=("f1",),
            ),
            decision(
                1,
                e.Delivered(order="o", moves=((0, Outcome.SENT, ""),)),
                e.DeadlineSet(deadline="answer a", at=AT + timedelta(seconds=3)),
                took=("f2",),
            ),
            decision(
                4,
                e.AskClosed(ask="a", outcome="expired"),
                e.RunEnded(run="r", outcome="exhausted"),
                fired=("answer a",),
            ),
            decision(
                5,
                e.Ended(incident="i", why="no-signal"),
                _ordered("over", lane=Lane.CONFIRM, message="over", clears=True),
                took=("f3",),
            ),
            decision(20, e.Delivered(order="over", moves=((0, Outcome.DELIVERED, ""),)), took=("f4",)),
        ],
        attempts=[
            r.Attempt(id="at1", at=AT, order="o", start=0, stop=1),
            r.Attempt(id="at2", at=AT + timedelta(seconds=6), order="over", start=0, stop=1),
        ],
    )
    outside = Outside(
        sent=[
            Sending(id="al-1", body=b"", event="Event 1", chain=1, accepted="f1", tries=2),
            Sending(id="al-2", body=b"", event="Event 1", chain=1, kind="Cancel", accepted="f3", tries=1),
        ],
        arrivals=[_arrival("o", "help?"), _arrival("over", "it is over", seconds=7)],
        replies=["sms\x1fSM9"],
        followed=["d0/0", "d0/1", "d0/2", "d4/0", "d4/1", "d4/1", "d5/0"],  # one of them twice
    )
    return inside, outside


def _arrival(order: str, text: str, seconds: float = 1) -> Arrival:
    at = AT.timestamp() + seconds
    return Arrival(channel="sms", delivery=(order, 0), to="+32471000004", text=text, at=at, arrived=True)


def _look(inside: Inside, outside: Outside) -> Found:
    return check(inside, outside, languages={"+32471000004": "en"}, marks={"en": "(possible repeat)"})


def _without(kind: type, night: Inside) -> None:
    night.decisions = [
        msgspec.structs.replace(d, events=tuple(event for event in d.events if not isinstance(event, kind)))
        for d in night.decisions
    ]


def _untold(night: Inside) -> None:
    """Nobody is told that it is over."""
    night.decisions[3:] = [msgspec.structs.replace(night.decisions[3], events=night.decisions[3].events[:1])]


Spoil = Callable[[Inside, Outside], object]
SPOILT: list[tuple[str, Spoil]] = [
    ("journal", lambda i, o: i.broken.append("fact f2: missing")),
    ("signal", lambda i, o: i.signals.pop("al-2")),
    ("signal", lambda i, o: i.signals["al-1"].append("f9")),
    ("signal", lambda i, o: setattr(o.sent[0], "accepted", "")),
    ("signal", lambda i, o: i.signals.update({"al-3": ["f5"]})),
    ("reply", lambda i, o: i.keys.clear()),
    ("decision", lambda i, o: i.facts.append("f5")),
    ("decision", lambda i, o: i.facts.reverse()),
    ("decision", lambda i, o: i.decisions.append(r.Decision(id="d9", at=AT, took=("f2",)))),
    ("deadline", lambda i, o: i.decisions.append(r.Decision(id="d9", at=AT, fired=("answer a",)))),
    ("deadline", lambda i, o: i.decisions.pop(2)),
    ("incident", lambda i, o: _without(e.Opened, i)),
    ("incident", lambda i, o: _without(e.Ended, i)),
    ("incident", lambda i, o: i.decisions.append(msgspec.structs.replace(i.decisions[0], took=()))),
    ("chain", lambda i, o: _without(e.RunEnded, i)),
    ("chain", lambda i, o: _without(e.TierBegan, i)),
    ("ask", lambda i, o: _without(e.AskClosed, i)),
    ("ask", lambda i, o: o.arrivals.pop(0)),
    ("delivery", lambda i, o: o.arrivals.pop(1)),
    ("delivery", lambda i, o: i.decisions.pop()),
    ("cause", lambda i, o: i.attempts.pop()),
    ("cause", lambda i, o: o.arrivals.append(_arrival("another", "hello"))),
    ("cause", lambda i, o: o.arrivals.insert(0, _arrival("o", "help?", seconds=-1))),
    ("arrival", lambda i, o: o.unknown.append("sms SM1")),
    ("repeat", lambda i, o: o.arrivals.append(_arrival("o", "help?", seconds=9))),
    ("all-clear", lambda i, o: _untold(i)),
    ("all-clear", lambda i, o: o.arrivals.pop(0)),
    ("follower", lambda i, o: o.followed.pop()),
    ("follower", lambda i, o: o.followed.reverse()),
    ("follower", lambda i, o: o.followed.append("d9/0")),
]


def test_a_night_without_fault_has_none() -> None:
    found = _look(*_night())
    assert found.faults == {}
    assert found.figures["chains exhausted"] == 1
    assert (found.figures["events followed"], found.figures["events followed again"]) == (6, 1)


def test_a_repeat_that_says_so_is_counted_and_is_no_fault() -> None:
    inside, outside = _night()
    outside.arrivals.append(_arrival("o", "(possible repeat) help?", seconds=9))
    found = _look(inside, outside)
    assert found.faults == {}
    assert found.figures["repeats"] == 1


@pytest.mark.parametrize(("kind", "spoil"), SPOILT, ids=[f"{n}-{kind}" for n, (kind, _) in enumerate(SPOILT)])
def test_what_is_wrong_is_found(kind: str, spoil: Spoil) -> None:
    inside, outside = _night()
    spoil(inside, outside)
    assert kind in _look(inside, outside).faults
