"""What others are told, as CloudEvents 1.0: the envelope, and an example of every event in the docs."""

import json
import re
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from connectors.cloudevents import TYPE, encoded
from hub.model import occurrences as o
from hub.model.message import Lane, Verb
from hub.model.signal import Status
from hub.model.trust import Credibility, Reliability
from tests.conftest import ROOT
from tests.contracts.told import AT, DECISION, INCIDENT, told

PAGE = (ROOT / "docs" / "followers.md").read_text()
RUN = {"run": "01RUN", "chain": "duty-officers", "step": "wake"}

# One of each; docs/followers.md shows their data.
EXAMPLES: tuple[o.Occurrence, ...] = (
    o.Opened(signal="01SIGNAL"),
    o.Ended(why="officer", by="officer-a"),
    o.Reopened(),
    o.Lapsed(),
    o.Closed(),
    o.HeldBack(by="01SILENCE"),
    o.Released(),
    o.SignalJoined(
        signal="01SIGNAL",
        source="siamu",
        until=AT + timedelta(hours=3),
        places=("ixelles",),
        story="01SIGNAL",
        credibility=Credibility.PROBABLY_TRUE,
    ),
    o.SignalAttached(signal="01SIGNAL", story="01FIRST"),
    o.SignalWithdrawn(signal="01SIGNAL", why="cancelled"),
    o.Graded(story="01FIRST", signal="01SIGNAL", reliability=Reliability.B, credibility=Credibility.DOUBTFUL),
    o.StepBegan(step="wake"),
    o.StepEnded(step="wake", outcome="accepted"),
    o.TaskOpened(task="01TASK", step="checklist", index=0, who="duty officer", due=AT + timedelta(minutes=15)),
    o.TaskClosed(task="01TASK", step="checklist", index=0, outcome="done", by="officer-a"),
    o.TaskLate(task="01TASK", step="checklist", index=0),
    o.ChainBegan(**RUN, need=2),
    o.ChainTier(**RUN, tier=1, round=1),
    o.ChainEnded(**RUN, outcome="accepted", people=("officer-a", "officer-b")),
    o.ChainHeld(**RUN, by="officer-z"),
    o.ChainResumed(**RUN, by="officer-z"),
    o.ChainTaken(**RUN, person="officer-a", by="officer-z"),
    o.AskOpened(ask="01ASK", person="officer-a", runs=("01RUN",), channels=("sms", "voice"), answer_s=240.0),
    o.AskSent(ask="01ASK", person="officer-a", sent=AT + timedelta(seconds=2)),
    o.AskClosed(ask="01ASK", person="officer-a", outcome="accepted", eta_min=20),
    o.Answered(ask="01ASK", person="officer-a", verb=Verb.ACCEPT, reply="01REPLY"),
    o.MessageOrdered(
        order="01ORDER", channel="sms", message="gas-ask", lane=Lane.ASK, people=1, to=("officer-a",), ask="01ASK"
    ),
    o.MessageDelivered(
        order="01ORDER",
        channel="sms",
        message="gas-ask",
        outcomes={"failed": 1},
        deliveries=(o.Delivery(index=0, outcome="failed", person="officer-a", reason="30005"),),
        ask="01ASK",
    ),
    o.MessageWithdrawn(order="01ORDER", why="ended"),
    o.MessageHeld(order="01ORDER"),
    o.MessageResumed(order="01ORDER"),
    o.MessageKept(person="officer-a", channel="sms"),
    o.BroadcastProposed(proposed="01PROPOSED", step="warn", group="public"),
    o.BroadcastDropped(proposed="01PROPOSED"),
    o.BroadcastDrafted(
        broadcast="01BROADCAST",
        step="warn",
        kind="alert",
        group="public",
        sizes=(("sms", 5000),),
        proposed="01PROPOSED",
    ),
    o.BroadcastReleased(broadcast="01BROADCAST", by="officer-a"),
    o.BroadcastBegan(broadcast="01BROADCAST"),
    o.BroadcastHeld(broadcast="01BROADCAST", by="officer-a"),
    o.BroadcastResumed(broadcast="01BROADCAST", by="officer-a"),
    o.BroadcastEnded(broadcast="01BROADCAST", outcome="done"),
    o.AlarmRaised(alarm="01ALARM", name="chain-exhausted"),
    o.AlarmCleared(alarm="01ALARM", name="chain-exhausted", by="officer-z"),
)


def test_there_is_an_example_of_each() -> None:
    assert [type(example) for example in EXAMPLES] == list(o.KINDS)


def test_the_envelope_is_a_cloudevent() -> None:
    event = told(3, o.StepBegan(step="wake"), Status.EXERCISE)
    assert json.loads(encoded(event, "brussels 1")) == {
        "specversion": "1.0",
        "id": f"{DECISION}/3",
        "source": "vigie/brussels%201",
        "type": "org.vigie.incident.step.began",
        "subject": INCIDENT,
        "time": "2026-07-14T02:10:05.123456Z",
        "datacontenttype": "application/json",
        "status": "Exercise",
        "data": {
            "incident": INCIDENT,
            "playbook": "gas-leak",
            "version": "5f1bb3d",
            "status": "Exercise",
            "step": "wake",
            "nth": 1,
        },
    }


def test_words_go_along_where_they_are_to() -> None:
    words = (o.Words(of="signal", language="fr-BE", headline="Fuite de gaz", text="rue Haute"),)
    event = told(0, o.Opened(signal="01SIGNAL"), words=words, titles={"fr": "Fuite de gaz", "nl": "Gaslek"})
    data = json.loads(encoded(event, "b"))["data"]
    assert data["titles"] == {"fr": "Fuite de gaz", "nl": "Gaslek"}
    assert data["words"] == [{"of": "signal", "language": "fr-BE", "headline": "Fuite de gaz", "text": "rue Haute"}]


@pytest.mark.parametrize("kind", o.KINDS, ids=o.name_of)
def test_no_field_of_an_event_hides_one_of_the_envelope(kind: type[Struct]) -> None:
    assert {"incident", "playbook", "version", "status", "words", "titles", "what"}.isdisjoint(kind.__struct_fields__)


# --- the page for integrators ----------------------------------------------------------------------------------


def shown() -> dict[str, Any]:
    """Type → the data that docs/followers.md shows of it, without what is in all."""
    rows = re.findall(r"^\| `([a-z.-]+)` \| .* \| `(\{.*\})` \|$", PAGE, re.MULTILINE)
    return {name: json.loads(data) for name, data in rows}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: o.name_of(type(example)))
def test_the_page_shows_it_as_it_is(example: o.Occurrence) -> None:
    data = msgspec.to_builtins(example)
    del data["what"]
    assert shown()[o.name_of(type(example))] == json.loads(msgspec.json.encode(data))


def test_the_page_shows_no_event_there_is_not() -> None:
    assert set(shown()) == set(o.NAMES)


def test_the_page_s_whole_example_is_one() -> None:
    (block,) = re.findall(r"```json\n(\{\n.*?)```", PAGE, re.DOTALL)
    example = json.loads(block)
    joined = next(event for event in EXAMPLES if isinstance(event, o.SignalJoined))
    assert example["type"] == TYPE + "signal.joined"
    assert example == json.loads(encoded(told(4, joined), "brussels"))
