"""Notifications that fail: on to the person's next address, and the room hears whom nothing reached."""

import msgspec

from hub.model import events as e
from hub.model.message import Lane, Outcome
from hub.model.people import Asked, Contact
from hub.model.records import Receipt, ReceiptsReceived
from hub.playbook.language import After, Condition, Notify, Step
from hub.playbook.language import Outcome as StepOutcome
from tests.stories import Night, World, sheet

PARTNERS = (Contact(Asked.GROUP, "partners"),)


def told(*by: str, **more: object) -> World:
    """A sheet that notifies the partners by these channels, and writes to the directors where that fails."""
    notify = Step(name="tell", action=Notify(say="news", to=PARTNERS, by=by), **more)  # type: ignore[arg-type]
    directors = Notify(say="help", to=(Contact(Asked.GROUP, "directors"),), by=("email",))
    failed = Condition(any=(After("tell", StepOutcome.FAILED),))
    over = Step(name="over", action=Notify(say="over", everyone_reached=True), at_end=True)
    return World(sheet("storm", notify, Step(name="help", action=directors, after=failed), over))


def crowd(size: int, *by: str) -> World:
    world = told(*by)
    world.groups["partners"] = tuple(f"m{i}" for i in range(size))
    return world


def outcomes(night: Night) -> list[str]:
    (incident,) = night.state.incidents.values()
    return incident.outcomes.get("tell", [])


def alarm(night: Night) -> str:
    """What the one alarm about people not reached says; `""` where there is none."""
    return "; ".join(a.detail for a in night.state.alarms.values() if a.what == "not-reached")


def receipts(night: Night, order: str, outcome: Outcome, *indexes: int) -> None:
    night.fact(ReceiptsReceived(channel="sms", receipts=tuple(Receipt(order, i, outcome) for i in indexes)))


def orders(night: Night) -> list[e.Ordered]:
    return [o.event for o in night.state.orders.values()]


def test_a_failing_address_moves_on_to_the_next_at_once() -> None:
    night = Night(told("sms"))
    night.world.several[("police", "sms")] = 3
    night.fails |= {("police", "sms", 0), ("police", "sms", 1)}
    night.signal()
    for nth in range(3):
        assert night.person("police").receives("news", by="sms").address == nth
    night.person("fire").receives("news", by="sms")
    assert outcomes(night) == ["sent"]
    assert alarm(night) == ""
    night.over()


def test_who_is_reached_by_none_of_the_channels_is_named_once() -> None:
    night = Night(told("sms", "email"))
    night.fails |= {("police", "sms"), ("police", "email"), ("fire", "sms")}
    night.signal()
    for partner in ("police", "fire"):
        night.person(partner).receives("news", by="sms")
        night.person(partner).receives("news", by="email")
    assert outcomes(night) == ["sent"]
    assert alarm(night) == "none of their addresses worked: police"
    night.over()


def test_a_step_has_failed_only_once_the_last_address_has() -> None:
    night = Night(told("sms"))
    night.world.several[("police", "sms")] = 2
    night.fails |= {("police", "sms", 0), ("fire", "sms")}
    night.silent.add(("police", "sms"))
    night.signal()
    first = night.person("police").receives("news", by="sms")
    night.person("fire").receives("news", by="sms")
    receipts(night, first.order, Outcome.FAILED, 0)
    second = night.person("police").receives("news", by="sms")
    assert (second.address, second.only, second.after) == (1, (0,), first.order)
    assert outcomes(night) == []
    receipts(night, second.order, Outcome.FAILED, 0)
    assert outcomes(night) == ["failed"]
    assert alarm(night) == "none of their addresses worked: police fire"
    night.person("director").receives("help", by="email")
    night.over()


def test_what_the_provider_says_later_counts_and_the_alarm_grows() -> None:
    night = Night(told("sms"))
    night.signal()
    order = night.person("police").receives("news", by="sms").order
    night.person("fire").receives("news", by="sms")
    receipts(night, order, Outcome.DELIVERED, 1)
    receipts(night, order, Outcome.FAILED, 0)
    assert alarm(night) == "none of their addresses worked: police"
    receipts(night, order, Outcome.FAILED, 1)
    assert alarm(night) == "none of their addresses worked: police", "what has arrived has arrived"
    assert night.alarms() == ["not-reached"]
    night.over()


def test_nothing_more_goes_out_once_the_incident_is_over_but_the_all_clear_follows() -> None:
    night = Night(told("sms"))
    night.world.several |= {("police", "sms"): 2, ("fire", "sms"): 2}
    night.signal()
    order = night.person("police").receives("news", by="sms").order
    night.person("fire").receives("news", by="sms")
    night.fails.add(("police", "sms", 0))
    night.cancel("w1")
    assert [night.person("police").receives("over", by="sms").address for _ in range(2)] == [0, 1]
    night.person("fire").receives("over", by="sms")
    receipts(night, order, Outcome.FAILED, 0)
    night.person("police").receives_nothing()
    night.over()


def test_many_are_named_as_far_as_can_be_read() -> None:
    night = Night(crowd(30, "sms"))
    night.fails |= {(f"m{i}", "sms") for i in range(30) if i != 7}
    night.signal()
    assert alarm(night).endswith("m19 m20 and 9 more")


def test_a_large_audience_goes_on_in_few_orders_and_is_counted() -> None:
    night = Night(crowd(150, "sms"))
    night.world.several[("m3", "sms")] = 2
    night.signal()
    (first,) = orders(night)
    assert (first.size, first.addresses, first.lane) == (150, 2, Lane.MASS)
    receipts(night, first.order, Outcome.SENT, *range(150))
    for index in (3, 5, 8):  # one by one, as callbacks come
        receipts(night, first.order, Outcome.FAILED, index)
    assert len(orders(night)) == 1
    night.after(seconds=10)
    (_, second) = orders(night)
    assert (second.only, second.address, second.audience) == ((3, 5, 8), 1, first.audience)
    assert alarm(night) == "", "it is not over"
    receipts(night, second.order, Outcome.SENT, 3)
    receipts(night, second.order, Outcome.FAILED, 5, 8)
    night.after(seconds=10)
    assert alarm(night) == "none of their addresses worked: 2 of 150 people by sms"
    assert len(orders(night)) == 2, "nobody has a third address"
    receipts(night, first.order, Outcome.FAILED, 9)
    night.after(seconds=10)
    (*_, third) = orders(night)
    assert third.only == (9,)
    receipts(night, third.order, Outcome.FAILED, 9)
    night.after(seconds=10)
    assert alarm(night) == "none of their addresses worked: 3 of 150 people by sms"
    assert outcomes(night) == ["sent"]


def test_a_large_audience_nobody_of_which_is_reached_has_failed() -> None:
    night = Night(crowd(150, "sms"))
    night.signal()
    (first,) = orders(night)
    receipts(night, first.order, Outcome.FAILED, *range(150))
    night.after(seconds=10)
    assert outcomes(night) == ["failed"]
    assert alarm(night) == "none of their addresses worked: 150 of 150 people by sms"
    night.person("director").receives("help", by="email")


def test_of_a_large_audience_over_several_channels_it_is_told_where_each_has_failed_somebody() -> None:
    night = Night(crowd(150, "sms", "email"))
    night.world.no_address |= {(f"m{i}", "email") for i in range(60, 150)}
    night.signal()
    for index in range(60):  # these are few enough to be named in their order
        night.person(f"m{index}").receives("news", by="email")
    (first, _) = orders(night)
    receipts(night, first.order, Outcome.SENT, *range(150))
    receipts(night, first.order, Outcome.FAILED, 3)
    night.after(seconds=10)
    assert alarm(night) == "", "who is behind the index may have had the mail"


def test_the_all_clear_goes_to_the_address_that_worked_for_a_large_audience() -> None:
    night = Night(crowd(150, "sms"))
    night.world.several[("m3", "sms")] = 2
    night.signal()
    (first,) = orders(night)
    receipts(night, first.order, Outcome.SENT, *(i for i in range(150) if i != 3))
    receipts(night, first.order, Outcome.FAILED, 3)
    night.after(seconds=10)
    (_, second) = orders(night)
    receipts(night, second.order, Outcome.SENT, 3)
    night.cancel("w1")
    over = [o for o in orders(night) if o.message == "over"]
    assert sorted((o.address, o.only or "all") for o in over)[-1] == (1, (3,))


def test_a_repeated_step_counts_each_time_by_itself() -> None:
    world = told("sms", every_s=600.0)
    night = Night(world)
    night.signal()
    for _ in range(2):
        for partner in ("police", "fire"):
            night.person(partner).receives("news", by="sms")
        night.fails.add(("police", "sms"))
        if not alarm(night):
            night.after(seconds=600)
    assert alarm(night) == "none of their addresses worked: police", "although it was reached the first time"


def test_old_orders_fold_as_before() -> None:
    """Without the new fields, as an old journal has them."""
    old = b'{"e":"ordered","order":"o","channel":"sms","lane":"notify","message":"m","recipients":["police"]}'
    order = msgspec.json.decode(old, type=e.Ordered)
    assert (order.after, order.addresses) == ("", 1)
