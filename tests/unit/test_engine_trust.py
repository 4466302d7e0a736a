"""What incidents make of how far their story is believed."""

from typing import Any

from msgspec.structs import replace

from hub.model import events as e
from hub.model import records as r
from hub.model.people import Asked, Contact
from hub.model.signal import Signal
from hub.model.trust import Backing, Credibility, Reliability
from hub.playbook.language import SIGNAL, After, Condition, Joining, Mode, Notify, Outcome, Step
from tests.stories import Night, World, sheet


def backed(credibility: int, story: str = "S1", *, denies: bool = False) -> dict[str, Any]:
    """What goes with a signal of a story."""
    backing = Backing(
        story=story, how="same text", origins=("a", "b"), voices=2, reliability=Reliability.B, denies=denies
    )
    return {"backing": backing, "credibility": Credibility(credibility)}


def waiting(outcome: Outcome) -> Step:
    return Step(
        name=f"when-{outcome}",
        action=Notify(say=f"storm-{outcome}", to=(Contact(Asked.GROUP, "partners"),), by=("sms",)),
        after=Condition(all=(After(SIGNAL, outcome),)),
    )


def wake() -> Step:
    return sheet().steps[0]


def opened(night: Night) -> list[e.Opened]:
    return [event for decision in night.decisions for event in decision.events if isinstance(event, e.Opened)]


def answered(night: Night) -> None:
    night.person("officer-a").receives("storm-wake", by="sms")
    night.person("officer-a").replies("oui")
    night.person("officer-a").receives("hub.accepted", by="sms")


def test_who_was_reached_hears_of_doubt_once_where_the_sheet_says_nothing_of_it() -> None:
    night = Night(World(sheet("storm", wake())))
    night.signal("w1", **backed(2))
    answered(night)
    night.signal("w2", hazard="fog", **backed(5, denies=True))
    night.person("officer-a").receives("hub.doubted", by="sms")
    night.signal("w3", hazard="fog", **backed(5, denies=True))
    night.person("officer-a").receives_nothing()
    night.signal("w4", hazard="fog", **backed(3))
    night.signal("w5", hazard="fog", **backed(5, denies=True))
    night.person("officer-a").receives_nothing()
    assert len(opened(night)) == 1
    (incident,) = night.state.incidents.values()
    assert (incident.attached, incident.ended) == (4, False), "doubt ends nothing"


def test_a_sheet_that_waits_for_doubt_says_itself_what_is_done() -> None:
    night = Night(World(sheet("storm", wake(), waiting(Outcome.DOUBTED))))
    night.signal("w1", **backed(3))
    answered(night)
    night.signal("w2", hazard="fog", **backed(4))
    night.person("police").receives("storm-doubted", by="sms")
    night.person("fire").receives("storm-doubted", by="sms")
    night.person("officer-a").receives_nothing()


def test_a_sheet_that_waits_for_confirmation_goes_on_with_it() -> None:
    night = Night(World(sheet("storm", wake(), waiting(Outcome.CONFIRMED))))
    night.signal("w1", **backed(3))
    night.person("officer-a").receives("storm-wake", by="sms")
    night.signal("w2", hazard="fog", **backed(2))
    night.person("police").receives_nothing()
    night.signal("w3", hazard="fog", **backed(1))
    night.person("police").receives("storm-confirmed", by="sms")
    night.person("fire").receives("storm-confirmed", by="sms")


def test_what_is_confirmed_as_it_comes_is_confirmed_at_once() -> None:
    night = Night(World(sheet("storm", waiting(Outcome.CONFIRMED))))
    night.signal("w1", credibility=Credibility.CONFIRMED)
    night.person("police").receives("storm-confirmed", by="sms")
    night.person("fire").receives("storm-confirmed", by="sms")


def test_a_story_never_keeps_an_incident_from_being_opened() -> None:
    """That two tell the same is a guess; which signals are one incident, the sheet says."""
    night = Night(World(sheet("storm", wake(), incident=Joining(one_per=("event",)))))
    night.signal("w1", info={"event": "fire"}, **backed(3))
    night.signal("w2", sender="bruzz", info={"event": "another fire"}, **backed(2))
    assert len(opened(night)) == 2


def test_a_warning_that_its_own_sender_cancels_is_not_doubted() -> None:
    night = Night(World(sheet("storm", wake())))
    night.signal("w1", **backed(2))
    answered(night)
    night.signal("w2", sender="bruzz", **backed(2))
    night.cancel("w1", **backed(5))
    night.person("officer-a").receives_nothing()


def test_an_update_that_is_doubted_stays_in_force() -> None:
    night = Night(World(sheet("storm", wake())))
    night.signal("w1", **backed(2))
    answered(night)
    night.update("w2", of="w1", **backed(5))
    assert [i.ended for i in night.state.incidents.values()] == [False]
    told = [order.message for order in night.outbox]
    assert sorted(told) == ["hub.doubted", "hub.update"]
    night.outbox.clear()


def test_an_officers_word_begins_what_waited_for_it_and_never_twice() -> None:
    night = Night(World(sheet("storm", wake(), waiting(Outcome.CONFIRMED))))
    said = night.signal("w1", **backed(3))
    night.person("officer-a").receives("storm-wake", by="sms")
    word = _graded(night, said, 1)
    night.person("police").receives("storm-confirmed", by="sms")
    night.person("fire").receives("storm-confirmed", by="sms")
    night.fact(r.SignalGraded(signal=word.id, story="S1", credibility=Credibility(1), by="a", why="again"), word)
    night.person("police").receives_nothing()
    assert len(opened(night)) == 1


def test_an_officers_word_opens_what_the_signal_did_not() -> None:
    world = World(sheet("storm", wake()))
    night = Night(world)
    said = night.signal("w1", severity="Minor", **backed(6))
    assert not opened(night)
    believed = _graded(night, said, 1, severity="Severe")  # this world matches by severity, in place of trust
    assert [event.by for event in opened(night)] == [believed.id]
    night.person("officer-a").receives("storm-wake", by="sms")


def test_sheets_in_shadow_hear_of_it_in_shadow() -> None:
    night = Night(World(sheet("storm", wake(), waiting(Outcome.DOUBTED), mode=Mode.SHADOW)))
    night.signal("w1", **backed(2))
    night.signal("w2", hazard="fog", **backed(5, denies=True))
    assert not night.outbox
    inner = [ev.event for d in night.decisions for ev in d.events if isinstance(ev, e.InShadow)]
    assert [ev.message for ev in inner if isinstance(ev, e.Ordered)].count("storm-doubted") == 1


def _graded(night: Night, said: Signal, credibility: int, **info: Any) -> Signal:
    """An officer's word on a signal."""
    fact = next(entry.record.id for entry in night.entries if entry.live is said)
    infos = tuple(replace(one, **info) for one in said.infos)
    word = replace(said, id=fact, credibility=Credibility(credibility), infos=infos)
    body = r.SignalGraded(signal=fact, story="S1", credibility=Credibility(credibility), by="officer-a", why="called")
    night.fact(body, word)
    return word
