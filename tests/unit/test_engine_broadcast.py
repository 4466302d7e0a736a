"""Broadcasts: who must stand behind one, what holds and stops it, and who hears the all-clear or the correction."""

from datetime import timedelta

import pytest

from hub.engine import broadcast as rules
from hub.engine.broadcast import impossible
from hub.model import events as e
from hub.model.broadcast import Control, Kind, bit, bits
from hub.model.message import Outcome
from hub.model.records import BroadcastReleased
from tests.town import TOWN, Town

# --- who must stand behind it ------------------------------------------------------------------------------


def test_nothing_goes_out_before_a_second_person_stands_behind_it() -> None:
    town = Town()
    alert = town.draft()
    assert town.orders(alert) == []
    assert town.alarms() == ["broadcast-waits"]
    town.release(alert, by="officer-a")
    assert town.orders(alert) == []
    town.release(alert, by="officer-b")
    assert town.heard(alert) == list(TOWN)
    assert town.alarms() == []
    town.over()


def test_released_twice_it_goes_out_once() -> None:
    town = Town()
    alert = town.draft()
    town.release(alert, by="officer-b")
    town.release(alert, by="officer-c")
    assert town.heard(alert) == list(TOWN)
    town.over()


@pytest.mark.parametrize(
    ("people", "releases"), [(1, ["officer-a"]), (1, ["officer-b"]), (3, ["officer-b", "officer-c"])]
)
def test_as_many_different_people_as_its_class_asks_for(people: int, releases: list[str]) -> None:
    town = Town()
    alert = town.draft(people=people)
    for by in releases:
        assert town.orders(alert) == []
        town.release(alert, by=by)
    assert town.heard(alert) == list(TOWN)
    town.over()


def test_what_a_sheet_drafts_needs_both_people_from_outside() -> None:
    town = Town()
    alert = town.draft(by="")
    town.release(alert, by="officer-a")
    assert town.orders(alert) == []
    town.release(alert, by="officer-b")
    assert town.heard(alert) == list(TOWN)
    town.over()


def test_a_draft_nobody_releases_lapses_and_can_be_thrown_away() -> None:
    town = Town()
    lapses, goes = town.draft(), town.draft()
    town.control(goes, Control.STOP)
    assert town.known(goes).outcome == "discarded"
    town.after(hours=24)
    assert town.known(lapses).outcome == "lapsed"
    town.release(lapses)
    assert town.orders(lapses) == []
    assert town.alarms() == []
    town.over()


def test_erased_before_it_was_released_it_is_told_and_sends_nothing() -> None:
    town = Town()
    alert = town.draft()
    town.fact(BroadcastReleased(broadcast=alert, by="officer-b"), None)
    assert town.alarms() == ["broadcast-erased"]
    assert town.known(alert).outcome == "done"
    town.over()


# --- while it runs -----------------------------------------------------------------------------------------


def test_it_goes_out_in_parts_that_do_not_grow_with_the_town(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "PART", 3)
    town = Town()
    alert = town.draft()
    town.release(alert, audience={"sms": TOWN, "voice": TOWN[:2]})
    assert [(o.channel, o.size) for o in town.orders(alert)] == [("sms", 3), ("sms", 3), ("sms", 1), ("voice", 2)]
    assert town.heard(alert) == [*TOWN, *TOWN[:2]]
    town.over()


def test_held_resumed_and_done() -> None:
    town = Town()
    alert = town.draft()
    town.release(alert)
    (order,) = town.orders(alert)
    town.control(alert, Control.HOLD)
    assert (town.known(alert).held, town.state.orders[order.order].held) == (True, True)
    assert impossible(town.known(alert), Control.HOLD) == "it is held already: resume or stop it"
    town.comes_to(order.order, Outcome.SENT, 0, 1, 2)
    town.control(alert, Control.RESUME)
    assert (town.known(alert).held, town.state.orders[order.order].held) == (False, False)
    town.comes_to(order.order, Outcome.SENT, 3, 4, 5)
    assert town.known(alert).outcome == ""
    town.comes_to(order.order, Outcome.FAILED, 6)
    assert town.known(alert).outcome == "done"
    town.over()


def test_stopped_nothing_more_of_it_goes_out() -> None:
    town = Town()
    alert = town.draft()
    town.release(alert)
    (order,) = town.orders(alert)
    town.comes_to(order.order, Outcome.SENT, 0)
    town.control(alert, Control.STOP)
    assert town.state.orders[order.order].withdrawn
    assert town.known(alert).outcome == "stopped"
    town.control(alert, Control.RESUME)
    assert town.known(alert).outcome == "stopped"
    town.over()


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (Control.HOLD, "it has not begun: release it, or stop it"),
        (Control.RESUME, "it has not begun: release it, or stop it"),
        (Control.STOP, ""),
    ],
)
def test_what_can_be_done_with_a_draft(act: Control, said: str) -> None:
    town = Town()
    alert = town.draft()
    assert impossible(town.known(alert), act) == said
    assert impossible(None, act).startswith("there is no such broadcast")


# --- what follows it ---------------------------------------------------------------------------------------


def test_the_all_clear_goes_to_exactly_those_reached_and_late_to_who_is_reached_late() -> None:
    town = Town()
    alert = town.draft()
    town.release(alert)
    (order,) = town.orders(alert)
    town.comes_to(order.order, Outcome.SENT, 0, 1, 2)
    town.comes_to(order.order, Outcome.FAILED, 3)
    clear = town.draft(Kind.ALL_CLEAR, follows=alert)
    seen = town.seen(alert)
    town.comes_to(order.order, Outcome.SENT, 4)  # between the making of the audience and its release
    town.release(clear, audience={"sms": TOWN[:3]}, seen=seen)
    assert town.heard(clear) == [*TOWN[:3], "r-4"]
    town.comes_to(order.order, Outcome.DELIVERED, 0, 5)  # r-0 was reached before
    assert town.heard(clear) == [*TOWN[:3], "r-4", "r-5"]
    town.comes_to(order.order, Outcome.FAILED, 6)
    assert town.known(alert).outcome == "done"
    town.over()


def test_a_correction_stops_the_wrong_one_at_once_and_then_tells_whom_it_reached() -> None:
    town = Town()
    wrong = town.draft()
    town.release(wrong)
    (order,) = town.orders(wrong)
    town.comes_to(order.order, Outcome.SENT, 0, 1)
    right = town.draft(Kind.CORRECTION, by="officer-b", follows=wrong)
    assert town.known(wrong).outcome == "stopped"
    assert town.state.orders[order.order].withdrawn
    assert town.orders(right) == []
    town.comes_to(order.order, Outcome.WITHDRAWN, 3, 4, 5, 6)
    seen = town.seen(wrong)
    town.release(right, by="officer-a", audience={"sms": TOWN[:2]}, seen=seen)
    town.comes_to(order.order, Outcome.SENT, 2)  # it was being handed over when it was stopped
    assert town.heard(right) == list(TOWN[:3])
    town.over()


def test_a_week_after_its_end_nothing_of_it_is_kept_in_mind() -> None:
    town = Town()
    alert = town.draft(people=1)
    town.release(alert, by="officer-a")
    (order,) = town.orders(alert)
    town.comes_to(order.order, Outcome.SENT, *range(7))
    town.after(hours=24 * 7 - 1)
    assert order.order in town.state.orders
    town.after(hours=1)
    assert town.state.broadcasts == {}
    assert town.state.orders == {}
    assert town.state.deadlines == {}
    town.over()


def test_bits() -> None:
    reached = [True, False, False, True, False, False, False, False, True, False]
    assert [bit(bits(reached), i) for i in range(12)] == [*reached, False, False]


# --- the next address ------------------------------------------------------------------------------------------


def two_numbers(*people: str) -> tuple[Town, str, e.Ordered]:
    """A broadcast that has begun to a town in which some have two numbers."""
    town = Town()
    town.world.several = dict.fromkeys([(person, "sms") for person in people], 2)
    alert = town.draft(people=1)
    town.release(alert, by="officer-a")
    (order,) = town.orders(alert)
    return town, alert, order


def test_who_cannot_be_reached_at_one_number_is_told_at_the_next() -> None:
    town, alert, order = two_numbers("r-1", "r-3")
    assert (order.address, order.addresses) == (0, 2)
    town.comes_to(order.order, Outcome.SENT, 0, 2, 4, 5, 6)
    town.comes_to(order.order, Outcome.FAILED, 1)
    town.comes_to(order.order, Outcome.FAILED, 3)
    assert town.known(alert).outcome == "", "two of them are still to be told"
    town.after(seconds=10)
    (_, second) = town.orders(alert)
    assert (second.after, second.address, second.only, second.audience) == (order.order, 1, (1, 3), order.order)
    assert second.texts == order.texts
    assert town.shown(alert) == {"sms": {"sent": 5, "waiting": 2}}
    town.comes_to(second.order, Outcome.SENT, 1)
    assert town.known(alert).outcome == ""
    town.comes_to(second.order, Outcome.FAILED, 3)
    assert town.known(alert).outcome == "done"
    assert town.shown(alert) == {"sms": {"sent": 6, "failed": 1}}
    town.after(hours=1)
    assert len(town.orders(alert)) == 2
    town.over()


def test_where_nobody_has_another_number_it_is_done_at_once() -> None:
    town, alert, order = two_numbers()
    town.comes_to(order.order, Outcome.SENT, *range(6))
    town.comes_to(order.order, Outcome.FAILED, 6)
    assert town.known(alert).outcome == "done"
    town.after(hours=1)
    assert len(town.orders(alert)) == 1
    town.over()


def test_what_turns_out_to_have_failed_after_it_was_done_goes_on_for_some_hours_only() -> None:
    town, alert, order = two_numbers("r-1", "r-2")
    town.comes_to(order.order, Outcome.SENT, *range(7))
    assert town.known(alert).outcome == "done"
    town.after(hours=5)
    town.comes_to(order.order, Outcome.FAILED, 1)
    town.after(seconds=10)
    (_, second) = town.orders(alert)
    assert second.only == (1,)
    town.after(hours=1)
    town.comes_to(order.order, Outcome.FAILED, 2)
    town.after(hours=1)
    assert len(town.orders(alert)) == 2
    town.over()


@pytest.mark.parametrize("kind", [Kind.ALL_CLEAR, Kind.CORRECTION])
def test_what_is_over_or_wrong_goes_on_to_no_further_number(kind: Kind) -> None:
    town, alert, order = two_numbers("r-1")
    town.comes_to(order.order, Outcome.SENT, *range(7))
    clear = town.draft(kind, follows=alert, people=1)
    if kind is Kind.ALL_CLEAR:
        town.release(clear, by="officer-a", audience={"sms": TOWN}, seen=town.seen(alert))
    town.comes_to(order.order, Outcome.FAILED, 1)
    town.after(minutes=1)
    assert len(town.orders(alert)) == 1
    town.over()


def test_stopped_while_it_gathers_nothing_more_goes_out() -> None:
    town, alert, order = two_numbers("r-1")
    town.comes_to(order.order, Outcome.SENT, 0, 2, 3, 4, 5, 6)
    town.comes_to(order.order, Outcome.FAILED, 1)
    town.control(alert, Control.STOP)
    town.after(minutes=1)
    assert (len(town.orders(alert)), town.known(alert).outcome) == (1, "stopped")
    town.over()


def test_held_the_next_number_waits_too() -> None:
    town, alert, order = two_numbers("r-1")
    town.comes_to(order.order, Outcome.FAILED, 1)
    town.control(alert, Control.HOLD)
    town.after(minutes=1)
    (_, second) = town.orders(alert)
    assert town.state.orders[second.order].held
    town.control(alert, Control.RESUME)
    assert not town.state.orders[second.order].held
    town.over()


def test_the_all_clear_goes_to_the_number_that_the_alert_reached() -> None:
    town, alert, order = two_numbers("r-1", "r-2")
    town.comes_to(order.order, Outcome.SENT, 0, 3, 4, 5, 6)
    town.comes_to(order.order, Outcome.FAILED, 1, 2)
    town.after(seconds=10)
    (_, second) = town.orders(alert)
    town.comes_to(second.order, Outcome.SENT, 1)
    clear = town.draft(Kind.ALL_CLEAR, follows=alert, people=1)
    audience = {"sms": ("r-0", "r-1", "r-3", "r-4", "r-5", "r-6")}
    town.release(clear, by="officer-a", audience=audience, seen=town.seen(alert), at={"sms": {"r-1": 1}})
    told = {(order.address, person) for order in town.orders(clear) for person in town.vault[order.audience]}
    assert told == {(0, p) for p in audience["sms"] if p != "r-1"} | {(1, "r-1")}
    town.comes_to(second.order, Outcome.SENT, 2)  # reached late
    late = town.orders(clear)[-1]
    assert (late.address, late.only) == (1, (2,))
    town.over()


# --- what the public answers -------------------------------------------------------------------------------


def test_stop_of_one_of_the_public_is_honoured_until_start() -> None:
    town = Town()
    citizen = town.person("r-0")
    citizen.replies("STOP")
    citizen.receives("hub.opted-out", by="sms")
    assert town.state.opted_out == {"r-0": ["sms"]}
    assert town.alarms() == []
    citizen.replies("stop")
    citizen.receives("hub.opted-out", by="sms")
    citizen.replies("Start")
    citizen.receives("hub.opted-in", by="sms")
    assert town.state.opted_out == {}
    town.over()


def test_anything_else_of_the_public_is_answered_once_an_hour() -> None:
    town = Town()
    citizen = town.person("r-0")
    for text in ("oui", "Is it dangerous?", "STOPPEN ZIE"):
        citizen.replies(text)
    citizen.receives("hub.not-read", by="sms")
    town.after(hours=1)
    citizen.replies("hallo")
    citizen.receives("hub.not-read", by="sms")
    assert town.alarms() == []
    town.over()


def test_an_officer_who_writes_start_is_told_what_would_be_understood() -> None:
    town = Town()
    town.person("officer-a").replies("start")
    town.person("officer-a").receives("hub.nothing-open", by="sms")
    town.over()


def test_a_night_of_silence_after_a_broadcast_is_a_silent_night() -> None:
    town = Town()
    alert = town.draft(people=1)
    town.release(alert, by="officer-a")
    assert town.engine.next_deadline() is None
    town.after(hours=10)
    assert town.known(alert).at + timedelta(hours=10) == town.now
    town.over()
