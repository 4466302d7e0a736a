"""Alert chains in full: quorums by role, one after the other, "not me, call X", and what officers do with them."""

import msgspec
import pytest

from hub.engine.steer import impossible
from hub.model.message import Outcome, Verb
from hub.model.people import Asked, Chain, Contact, Plays, Role, Steer, Tier
from hub.model.records import ChainSteered, Receipt, ReceiptsReceived, ReplyReceived
from tests.stories import Night, World

ALL = Contact(Asked.GROUP, "all")
TIER = Tier(ask=(ALL,), by=("sms", "voice"), between_s=90, answer_s=240)


def world(*people: str, then: tuple[str, ...] = (), **chain: object) -> World:
    """One tier that asks `people`, then one that asks `then`."""
    world = World()
    world.groups |= {"all": people, "then": then}
    tier = msgspec.structs.replace(TIER, in_turn=bool(chain.pop("in_turn", False)))
    tiers = (tier, msgspec.structs.replace(TIER, ask=(Contact(Asked.GROUP, "then"),))) if then else (tier,)
    world.chains["duty"] = Chain(id="duty", tiers=tiers, **chain)  # type: ignore[arg-type]
    return world


def steer(night: Night, act: Steer, to: str = "", why: str = "the mayor asked for it") -> None:
    run = [r for r in night.state.runs.values() if r.step == "wake"][-1]
    night.fact(ChainSteered(run=run.id, act=act, by="officer-z", why=why, to=to))


def run_of(night: Night) -> str:
    return next(iter(night.state.runs.values())).outcome


# --- quorums -----------------------------------------------------------------------------------------------


def test_enough_heads_without_the_role_go_on_to_those_who_have_it() -> None:
    w = world("anna", "bea", then=("carl", "dirk"), need=1, roles=(Role(Plays.COMPETENCE, "spokesperson"),))
    w.roles.add(("dirk", "competence spokesperson"))
    night = Night(w)
    night.signal()
    # Nobody in the first tier has the competence, and with one head to find nobody else helps: nobody is woken.
    for person in ("anna", "bea", "carl"):
        night.person(person).receives_nothing()
    night.person("dirk").receives("storm-wake", by="sms")
    night.person("dirk").replies("ok")
    night.person("dirk").receives("hub.accepted", by="sms")
    night.partners_are_told()
    night.over()


def test_what_is_lacking_and_who_did_not_answer_is_said_in_the_room() -> None:
    w = world("anna", "bea", "carl", need=2, roles=(Role(Plays.DISCIPLINE, "D3"),))
    w.roles.add(("carl", "discipline D3"))
    night = Night(w)
    night.fails |= {("carl", "sms"), ("carl", "voice")}
    night.signal()
    for person in ("anna", "bea", "carl"):
        night.person(person).receives("storm-wake", by="sms")
    night.person("carl").receives("storm-wake", by="voice")
    night.person("anna").replies("ja")
    night.person("anna").receives("hub.accepted", by="sms")
    night.person("bea").receives("hub.stood-down", by="sms")  # the last place is kept for D3
    (alarm,) = night.state.alarms.values()
    assert alarm.what == "chain-exhausted"
    assert alarm.detail == (
        "duty of storm; accepted: anna; stood-down: bea; unreachable: carl; lacking: 1 more, 1 of discipline D3"
    )
    night.after(hours=1)
    night.over()


def test_who_accepts_and_then_declines_does_not_count_while_others_are_sought() -> None:
    night = Night(world("anna", "bea", then=("carl",), need=2))
    night.signal()
    anna, bea, carl = map(night.person, ("anna", "bea", "carl"))
    for person in (anna, bea):
        person.receives("storm-wake", by="sms")
    anna.replies("ja")
    anna.receives("hub.accepted", by="sms")
    anna.replies("A nee")
    anna.receives("hub.declined", by="sms")
    bea.replies("oui")
    bea.receives("hub.accepted", by="sms")
    carl.receives("storm-wake", by="sms")  # one is still needed: anna has taken her word back
    assert night.alarms() == []
    carl.replies("ja")
    carl.receives("hub.accepted", by="sms")
    night.partners_are_told()
    assert next(iter(night.state.runs.values())).accepted == ["bea", "carl"]
    night.over()


# --- one after the other -----------------------------------------------------------------------------------


def test_one_after_the_other_nobody_is_asked_before_their_turn() -> None:
    night = Night(world("anna", "bea", "carl", in_turn=True))
    night.signal()
    anna, bea, carl = map(night.person, ("anna", "bea", "carl"))
    anna.receives("storm-wake", by="sms")
    bea.receives_nothing()
    anna.replies("non")
    anna.receives("hub.declined", by="sms")
    bea.receives("storm-wake", by="sms")
    night.after(seconds=90)
    bea.receives("storm-wake", by="voice")
    night.after(seconds=149)
    carl.receives_nothing()
    night.after(seconds=1)
    carl.receives("storm-wake", by="sms")
    bea.replies("A")  # late, and still welcome: nobody has accepted yet
    bea.receives("hub.accepted", by="sms")
    carl.receives("hub.stood-down", by="sms")
    night.partners_are_told()
    night.after(hours=1)
    night.over()


def test_one_after_the_other_and_round_again() -> None:
    w = world("anna", "bea", in_turn=True)
    w.chains["duty"] = msgspec.structs.replace(
        w.chains["duty"], tiers=(msgspec.structs.replace(w.chains["duty"].tiers[0], times=2, by=("sms",)),)
    )
    night = Night(w)
    night.signal()
    for person in ("anna", "bea", "anna", "bea"):
        night.person(person).receives("storm-wake", by="sms")
        night.after(seconds=240)
    assert night.alarms() == ["chain-exhausted"]
    night.over()


# --- "not me, call X" --------------------------------------------------------------------------------------


def delegates(night: Night, person: str, to: str, code: str = "") -> None:
    night.fact(ReplyReceived(channel="sms", person=person, verb=Verb.DELEGATE, code=code, to=to))


def test_a_delegate_who_does_not_answer_does_not_stop_the_chain() -> None:
    night = Night(world("anna", then=("bea",)))
    night.signal()
    night.person("anna").receives("storm-wake", by="sms")
    delegates(night, "anna", "carl")
    night.person("anna").receives("hub.delegated", by="sms")
    night.person("carl").receives("storm-wake", by="sms")
    night.after(seconds=90)
    night.person("carl").receives("storm-wake", by="voice")
    night.after(seconds=150)
    night.person("bea").receives("storm-wake", by="sms")
    night.over()


@pytest.mark.parametrize("to", ["", "anna", "nobody-reaches-me"])
def test_who_names_nobody_that_can_be_called_stays_asked(to: str) -> None:
    w = world("anna")
    w.no_address |= {("nobody-reaches-me", "sms"), ("nobody-reaches-me", "voice")}
    night = Night(w)
    night.signal()
    anna = night.person("anna")
    anna.receives("storm-wake", by="sms")
    delegates(night, "anna", to)
    anna.receives("hub.delegate-unknown", by="sms")
    night.after(seconds=90)
    anna.receives("storm-wake", by="voice")
    night.over()


def test_two_who_name_each_other_do_not_go_on_for_ever() -> None:
    night = Night(world("anna", then=("dirk",)))
    night.signal()
    night.person("anna").receives("storm-wake", by="sms")
    delegates(night, "anna", "carl")
    night.person("anna").receives("hub.delegated", by="sms")
    night.person("carl").receives("storm-wake", by="sms")
    delegates(night, "carl", "anna")
    night.person("carl").receives("hub.delegate-unknown", by="sms")
    night.over()


# --- what officers do --------------------------------------------------------------------------------------


def test_held_nobody_more_is_asked_and_an_answer_still_counts() -> None:
    night = Night(world("anna", then=("bea",)))
    night.signal()
    anna, bea = night.person("anna"), night.person("bea")
    anna.receives("storm-wake", by="sms")
    steer(night, Steer.HOLD)
    night.after(hours=2)
    anna.receives_nothing()
    bea.receives_nothing()
    steer(night, Steer.RESUME)
    night.after(seconds=89)
    anna.receives_nothing()
    night.after(seconds=1)
    anna.receives("storm-wake", by="voice")
    steer(night, Steer.HOLD)
    anna.replies("oui")
    anna.receives("hub.accepted", by="sms")
    night.partners_are_told()
    night.over()


def test_a_decline_while_held_calls_the_next_when_it_goes_on() -> None:
    night = Night(world("anna", then=("bea",)))
    night.signal()
    night.person("anna").receives("storm-wake", by="sms")
    steer(night, Steer.HOLD)
    night.person("anna").replies("nee")
    night.person("anna").receives("hub.declined", by="sms")
    night.after(minutes=10)
    night.person("bea").receives_nothing()
    steer(night, Steer.RESUME)
    night.person("bea").receives("storm-wake", by="sms")
    night.over()


def test_a_channel_that_fails_while_held_is_followed_by_the_next_when_it_goes_on() -> None:
    night = Night(world("anna"))
    night.silent.add(("anna", "sms"))
    night.signal()
    order = night.person("anna").receives("storm-wake", by="sms")
    steer(night, Steer.HOLD)
    night.fact(ReceiptsReceived(channel="sms", receipts=(Receipt(order.order, 0, Outcome.FAILED),)))
    night.person("anna").receives_nothing()
    steer(night, Steer.RESUME)
    night.person("anna").receives("storm-wake", by="voice")
    night.over()


def test_begun_again_nobody_who_accepted_is_asked_again() -> None:
    night = Night(world("anna", "bea", "carl", need=2))
    night.signal()
    anna, bea, carl = map(night.person, ("anna", "bea", "carl"))
    for person in (anna, bea, carl):
        person.receives("storm-wake", by="sms")
    anna.replies("ja")
    anna.receives("hub.accepted", by="sms")
    night.after(seconds=90)
    bea.receives("storm-wake", by="voice")
    carl.receives("storm-wake", by="voice")
    night.after(seconds=150)
    assert night.alarms() == ["chain-exhausted"]
    steer(night, Steer.AGAIN)
    anna.receives_nothing()
    for person in (bea, carl):
        person.receives("storm-wake", by="sms")
    bea.replies("B")
    bea.receives("hub.accepted", by="sms")
    carl.receives("hub.stood-down", by="sms")
    assert night.alarms() == []
    night.partners_are_told()
    night.over()


def test_a_filled_chain_begun_again_looks_for_others() -> None:
    night = Night(world("anna", "bea"))
    night.signal()
    anna, bea = night.person("anna"), night.person("bea")
    anna.receives("storm-wake", by="sms")
    bea.receives("storm-wake", by="sms")
    anna.replies("ja")
    anna.receives("hub.accepted", by="sms")
    bea.receives("hub.stood-down", by="sms")
    night.partners_are_told()
    anna.replies("A nee")
    anna.receives("hub.declined", by="sms")
    assert night.alarms() == ["acceptance-withdrawn"]
    steer(night, Steer.AGAIN)
    anna.receives_nothing()
    bea.receives("storm-wake", by="sms")
    night.over()


def test_begun_again_and_exhausted_again_its_fallback_is_called_again() -> None:
    w = world("anna", exhausted="directors")
    night = Night(w)
    night.signal()
    for code in ("A", "B"):
        night.person("anna").receives("storm-wake", by="sms")
        night.person("anna").replies(f"{code} nee")
        night.person("anna").receives("hub.declined", by="sms")
        night.person("director").receives("storm-wake", by="sms")
        night.person("director").replies(f"{code} nee")
        night.person("director").receives("hub.declined", by="sms")
        first = [r for r in night.state.runs.values() if r.chain.id == "duty"][-1]
        night.fact(ChainSteered(run=first.id, act=Steer.AGAIN, by="officer-z", why="once more"))
    night.person("anna").receives("storm-wake", by="sms")
    night.over()


def test_handed_over_to_one_who_is_being_asked_their_call_stops() -> None:
    night = Night(world("anna", need=1))
    night.signal()
    night.person("anna").receives("storm-wake", by="sms")
    steer(night, Steer.HAND_OVER, to="anna")
    night.partners_are_told()
    night.after(hours=1)
    night.over()


def test_handed_over_to_another_chain() -> None:
    night = Night(world("anna", "bea", need=2))
    night.signal()
    anna, bea, director = map(night.person, ("anna", "bea", "director"))
    for person in (anna, bea):
        person.receives("storm-wake", by="sms")
    anna.replies("ja")
    anna.receives("hub.accepted", by="sms")
    steer(night, Steer.HAND_OVER, to="directors")
    bea.receives("hub.stood-down", by="sms")
    # The other chain needs one, and anna has accepted already: nobody is woken for nothing.
    director.receives_nothing()
    night.partners_are_told()
    night.over()


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (Steer.AGAIN, "it is still running: hold it, cancel it or hand it over"),
        (Steer.RESUME, "it is not held"),
        (Steer.HOLD, ""),
        (Steer.HAND_OVER, ""),
    ],
)
def test_what_cannot_be_done_is_said(act: Steer, why: str) -> None:
    night = Night(world("anna"))
    night.signal()
    (run,) = night.state.runs.values()
    assert impossible(run, night.state.incidents[run.incident], act) == why
    assert "no such chain" in impossible(None, None, act)


# --- several addresses, and exercises ----------------------------------------------------------------------


def test_whoever_has_two_telephones_is_asked_on_both_the_first_of_each_channel_first() -> None:
    w = world("anna")
    w.several |= {("anna", "sms"): 2, ("anna", "voice"): 2}
    w.chains["duty"] = msgspec.structs.replace(
        w.chains["duty"], tiers=(msgspec.structs.replace(w.chains["duty"].tiers[0], answer_s=600),)
    )
    night = Night(w)
    night.signal()
    anna = night.person("anna")
    tried = []
    for channel in ("sms", "voice", "sms", "voice"):
        order = anna.receives("storm-wake", by=channel)
        tried.append((order.channel, order.address))
        night.after(seconds=90)
    assert tried == [("sms", 0), ("voice", 0), ("sms", 1), ("voice", 1)]
    night.over()


def test_a_number_that_fails_is_followed_by_the_next_at_once() -> None:
    w = world("anna")
    w.several |= {("anna", "sms"): 2, ("anna", "voice"): 0}
    night = Night(w)
    night.fails.add(("anna", "sms"))
    night.signal()
    assert [night.person("anna").receives("storm-wake", by="sms").address for _ in range(2)] == [0, 1]
    assert "chain-exhausted" in night.alarms()
    night.over()
