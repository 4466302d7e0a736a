"""Contact sheets sent by a step and by an officer, told as stories."""

import pytest

from hub.model import records as r
from hub.model.enclosure import ContactSheet
from hub.model.people import Asked, Classification, Contact
from hub.playbook.language import After, Call, Condition, Notify, SendContacts, Step
from hub.playbook.language import Outcome as StepOutcome
from tests.stories import Night, World, sheet

OF = (Contact(Asked.ROSTER, "on-call"),)
TO = (Contact(Asked.GROUP, "partners"),)
SENT = r.ContactsSent(contacts=OF, to=TO, channels=("email",), by="Aline")


def story(*by: str, then: bool = False) -> Night:
    steps = [
        Step(name="wake", action=Call(chain="duty", say="wake")),
        Step(
            name="contacts",
            action=SendContacts(contacts=OF, to=TO, by=by),
            after=Condition(any=(After("wake", StepOutcome.ACCEPTED),)),
        ),
        Step(
            name="failed",
            action=Notify(say="nobody-told", to=(Contact(Asked.GROUP, "directors"),), by=("sms",)),
            after=Condition(any=(After("contacts", StepOutcome.FAILED),)),
        ),
        Step(name="over", action=Notify(say="over", everyone_reached=True), at_end=True),
    ]
    night = Night(World(sheet("storm", *steps)))
    night.world.seeing = {"police": Classification.PARTNERS}
    return night


def accepted(night: Night) -> None:
    night.signal()
    officer = night.person("officer-a")
    officer.receives("wake", by="sms")
    officer.replies("oui")
    officer.receives("hub.accepted", by="sms")


def test_a_step_sends_each_what_they_may_see_over_each_channel() -> None:
    night = story("email", "sms")
    accepted(night)
    for person, sees in (("police", Classification.PARTNERS), ("fire", Classification.PUBLIC)):
        for channel in ("email", "sms"):
            order = night.person(person).receives("hub.contacts", by=channel)
            assert order.enclosed == ContactSheet(contacts=OF, sees=sees)
            assert order.step == "contacts"
    night.cancel("w1")
    for person in ("police", "fire"):
        night.person(person).receives("over", by="email")
    night.person("officer-a").receives("over", by="sms")
    night.over()


def test_nobody_is_rung_up_for_it_and_a_step_that_reaches_nobody_has_failed() -> None:
    night = story("voice")
    accepted(night)
    night.person("director").receives("nobody-told", by="sms")
    assert set(night.alarms()) == {"no-address", "nobody-to-notify"}
    night.over()


def test_an_officer_sends_it_without_any_incident() -> None:
    night = story()
    night.fact(SENT)
    police = night.person("police").receives("hub.contacts", by="email")
    assert (police.incidents, police.enclosed) == ((), ContactSheet(contacts=OF, sees=Classification.PARTNERS))
    night.person("fire").receives("hub.contacts", by="email")
    assert not night.state.orders, "what is over and belongs to no incident is not kept"
    night.over()


def test_whom_an_officer_cannot_reach_the_room_is_told() -> None:
    night = story()
    night.world.no_address.add(("fire", "email"))
    night.fact(SENT)
    night.person("police").receives("hub.contacts", by="email")
    assert [(a.what, a.detail) for a in night.state.alarms.values()] == [("no-address", "fire")]
    night.over()


@pytest.mark.parametrize("count", [99, 101])
def test_a_large_audience_is_frozen_and_goes_out_in_chunks(count: int) -> None:
    night = story()
    night.world.groups["partners"] = tuple(f"p{n}" for n in range(count))
    night.fact(SENT)
    (order,) = night.outbox
    assert (len(order.recipients), order.size) == ((count, 0) if count <= 100 else (0, count))
    assert order.enclosed == ContactSheet(contacts=OF, sees=Classification.PUBLIC)


def test_who_did_not_get_it_the_room_is_told() -> None:
    night = story()
    night.fails.add(("fire", "email"))
    night.fact(SENT)
    night.person("police").receives("hub.contacts", by="email")
    order = night.person("fire").receives("hub.contacts", by="email")
    assert [(a.what, a.about, a.detail) for a in night.state.alarms.values()] == [
        ("document-failed", f"{order.order} email", "fire: ")
    ]
    night.over()
