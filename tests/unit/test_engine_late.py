"""An ask that arrives after it was over: a phone comes back into coverage, a receipt is late."""

import msgspec
import pytest

from hub.model import events as e
from hub.model.message import Outcome
from hub.model.records import Receipt, ReceiptsReceived
from tests.stories import Night, Person, World


def receipt(night: Night, order: e.Ordered, outcome: Outcome = Outcome.DELIVERED) -> None:
    night.fact(ReceiptsReceived(channel=order.channel, receipts=(Receipt(order.order, 0, outcome),)))


def out_of_reach(night: Night) -> tuple[Person, e.Ordered]:
    """Officer A, whose SMS the carrier has taken and whose call fails; nobody answers for them, B is asked."""
    night.fails.add(("officer-a", "voice"))
    night.signal()
    a = night.person("officer-a")
    sms = a.receives("storm-wake", by="sms")
    night.after(seconds=90)
    a.receives("storm-wake", by="voice")
    night.after(seconds=150)
    night.person("officer-b").receives("storm-wake", by="sms")
    return a, sms


def filled(night: Night) -> None:
    night.person("officer-b").replies("oui")
    night.person("officer-b").receives("hub.accepted", by="sms")
    for partner in ("police", "fire"):
        night.person(partner).receives("storm-partners", by="sms")
        night.person(partner).receives("storm-partners", by="email")


def test_an_sms_that_arrives_after_the_chain_is_filled_is_followed_by_a_stand_down_once() -> None:
    night = Night()
    a, sms = out_of_reach(night)
    filled(night)
    a.receives_nothing()
    receipt(night, sms)
    a.receives("hub.stood-down", by="sms")
    receipt(night, sms)
    a.receives_nothing()
    night.over()


def test_an_sms_that_never_arrives_disturbs_nobody() -> None:
    night = Night()
    _, sms = out_of_reach(night)
    filled(night)
    receipt(night, sms, Outcome.FAILED)
    night.over()


def test_an_sms_that_arrives_while_others_are_asked_may_still_be_answered() -> None:
    night = Night()
    a, sms = out_of_reach(night)
    receipt(night, sms)
    a.receives_nothing()
    a.replies("oui")
    a.receives("hub.accepted", by="sms")
    night.person("officer-b").receives("hub.stood-down", by="sms")
    for partner in ("police", "fire"):
        night.person(partner).receives("storm-partners", by="sms")
        night.person(partner).receives("storm-partners", by="email")
    receipt(night, sms)
    night.over()


def test_who_was_known_to_be_reached_hears_nothing_of_later_receipts() -> None:
    night = Night()
    night.signal()
    a = night.person("officer-a")
    receipt(night, a.receives("storm-wake", by="sms"))
    night.after(seconds=90)
    call = a.receives("storm-wake", by="voice")
    night.after(seconds=150)
    night.person("officer-b").receives("storm-wake", by="sms")
    filled(night)
    receipt(night, call)
    night.over()


def test_after_the_incident_the_all_clear_alone_follows() -> None:
    night = Night()
    _, sms = out_of_reach(night)
    filled(night)
    night.cancel(of="w1")
    for person in ("officer-a", "officer-b", "police", "fire"):
        night.person(person).receives("storm-over", by="sms")
    receipt(night, sms)
    night.over()


def test_of_which_nothing_was_heard_at_all_until_it_came() -> None:
    night = Night()
    night.silent |= {("officer-a", "sms"), ("officer-a", "voice")}
    night.signal()
    a = night.person("officer-a")
    sms = a.receives("storm-wake", by="sms")
    night.after(minutes=3)
    call = a.receives("storm-wake", by="voice")
    night.after(minutes=3)
    night.person("officer-b").receives("storm-wake", by="sms")
    filled(night)
    receipt(night, sms, Outcome.SENT)
    a.receives("hub.stood-down", by="sms")
    receipt(night, call, Outcome.SENT)
    night.over()


@pytest.mark.parametrize("answer", ["oui", "non"])
def test_who_answered_when_asked_again_is_not_stood_down_for_the_first_time(answer: str) -> None:
    world = World()
    duty = world.chains["duty"]
    world.chains["duty"] = msgspec.structs.replace(duty, tiers=(msgspec.structs.replace(duty.tiers[0], times=2),))
    night = Night(world)
    night.fails.add(("officer-a", "voice"))
    night.signal()
    a = night.person("officer-a")
    first = a.receives("storm-wake", by="sms")
    night.after(seconds=90)
    a.receives("storm-wake", by="voice")
    night.after(seconds=150)
    code = dict(a.receives("storm-wake", by="sms").values)["code"]
    a.replies(f"{code} {answer}")
    a.receives("hub.accepted" if answer == "oui" else "hub.declined", by="sms")
    if answer == "oui":
        for partner in ("police", "fire"):
            night.person(partner).receives("storm-partners", by="sms")
            night.person(partner).receives("storm-partners", by="email")
    receipt(night, first)
    night.over()
