"""Handing over: who goes and who comes are told ahead of time, once; the room hears of gaps and double bookings."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hub.core import _decode_state, _encode_state
from hub.engine.engine import Engine
from hub.engine.fold import fold_decision
from hub.engine.state import State
from hub.model import records as r
from hub.model.people import Layer, Override, Roster, Shift
from hub.model.signal import Status
from hub.people.rosters import on_duty
from tests.stories import Night, World

ZONE = "Europe/Brussels"
MIN = timedelta(minutes=1)


def at(text: str, fold: int = 0) -> datetime:
    """A wall-clock time in Brussels."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE), fold=fold).astimezone(UTC)


def daily(*people: str, first: str = "2026-11-23", when: str = "20:00", **more: Any) -> Roster:
    """A day each, handed over in the evening, told half an hour before."""
    turns = tuple((person,) for person in people)
    return Roster(
        id=more.pop("id", "duty"),
        layers=(Layer(turns=turns, first=first, days=1, at=when),),
        zone=ZONE,
        notice_s=more.pop("notice_s", 1800.0),
        **more,
    )


def begun(*rosters: Roster, now: str = "2026-11-24 12:00") -> Night:
    """A hub that comes up with these rosters."""
    night = Night(World(), at=at(now))
    enter(night, *rosters)
    return night


def enter(night: Night, *rosters: Roster) -> None:
    """The rosters are in force from now on, as after a restart with a new configuration."""
    night.world.rosters = {roster.id: roster for roster in rosters}
    night.fact(r.Installed(what="config", name="rosters.yaml", version=str(night.now)))


def until(night: Night, text: str, fold: int = 0) -> None:
    night.after(seconds=(at(text, fold) - night.now).total_seconds())


def back(night: Night, text: str) -> None:
    """The hub was down until then: nothing fired meanwhile, its state is the fold of its decisions, and it starts."""
    state = State()
    for decision in night.decisions:
        fold_decision(state, decision)
    state = _decode_state(_encode_state(state))
    night.engine = Engine(state, night.world, night.ids)
    night.now = at(text)
    night.fact(r.HubStarted(node="test", version=""))


def begins(night: Night, person: str, after: str, when: datetime) -> None:
    told = dict(night.person(person).receives("hub.duty-begins", by="sms").values)
    assert told == {"roster": "duty", "at": when.isoformat(), "others": after}


def ends(night: Night, person: str, then: str, when: datetime) -> None:
    told = dict(night.person(person).receives("hub.duty-ends", by="sms").values)
    assert told == {"roster": "duty", "at": when.isoformat(), "others": then}


def now_theirs(night: Night, person: str, after: str) -> None:
    told = dict(night.person(person).receives("hub.duty-now", by="sms").values)
    assert (told["roster"], told["others"]) == ("duty", after)


# --- ahead of time -----------------------------------------------------------------------------------------


def test_who_goes_and_who_comes_are_told_half_an_hour_before() -> None:
    night = begun(daily("anna", "bea"))
    until(night, "2026-11-24 19:29")
    assert night.outbox == []
    until(night, "2026-11-24 19:30")
    begins(night, "bea", "anna", at("2026-11-24 20:00"))
    ends(night, "anna", "bea", at("2026-11-24 20:00"))
    until(night, "2026-11-25 19:29")
    assert night.outbox == []
    until(night, "2026-11-25 19:30")
    begins(night, "anna", "bea", at("2026-11-25 20:00"))
    ends(night, "bea", "anna", at("2026-11-25 20:00"))
    night.over()


def test_who_stays_on_is_not_told_and_where_nobody_changes_nobody_is() -> None:
    pair = Layer(turns=(("anna", "bea"), ("bea", "carl")), first="2026-11-23", days=1, at="20:00")
    night = begun(Roster(id="duty", layers=(pair,), zone=ZONE, notice_s=1800.0))
    until(night, "2026-11-24 20:00")
    begins(night, "carl", "anna", at("2026-11-24 20:00"))
    ends(night, "anna", "bea,carl", at("2026-11-24 20:00"))
    night.over()
    alone = begun(daily("anna"))
    alone.after(hours=24 * 100)
    alone.over()


def test_a_roster_that_says_nothing_of_notices_gives_none() -> None:
    night = begun(daily("anna", "bea", notice_s=0.0))
    night.after(hours=72)
    assert night.state.duties == {}
    night.over()


@pytest.mark.parametrize(("sunday", "hours"), [("2026-10-25", 25), ("2027-03-28", 23)])
@pytest.mark.parametrize("when", ["02:30", "03:00", "08:00"])
def test_on_the_nights_on_which_the_clocks_change_the_notice_is_half_an_hour_before(
    sunday: str, hours: int, when: str
) -> None:
    day = date.fromisoformat(sunday)
    night = begun(
        daily("anna", "bea", first=str(day - timedelta(days=2)), when=when), now=f"{day - timedelta(days=1)} 12:00"
    )
    start = at(f"{day} 00:00")
    handed = at(f"{day} {when}")  # the first of two; as much later as the clocks go forward, where it never comes
    night.after(seconds=(handed - 30 * MIN - night.now).total_seconds() - 1)
    assert night.outbox == []
    night.after(seconds=1)
    begins(night, "anna", "bea", handed)
    ends(night, "bea", "anna", handed)
    until(night, f"{day} 23:59")
    assert night.now - start == timedelta(hours=hours) - MIN
    night.over()


def test_the_leap_day_is_a_day_like_any_other() -> None:
    night = begun(daily("anna", "bea", "carl", first="2028-02-27"), now="2028-02-28 21:00")
    for day, comes, goes in (("02-29", "carl", "bea"), ("03-01", "anna", "carl"), ("03-02", "bea", "anna")):
        until(night, f"2028-{day} 19:30")
        begins(night, comes, goes, at(f"2028-{day} 20:00"))
        ends(night, goes, comes, at(f"2028-{day} 20:00"))
    night.over()


def test_shifts_shorter_than_the_notice_are_each_told() -> None:
    shifts = tuple(
        Shift(
            (person,),
            f"2026-11-24T{h:02}:{m:02}:00+00:00",
            f"2026-11-24T{h + (m == 45):02}:{(m + 15) % 60:02}:00+00:00",
        )
        for person, h, m in (("anna", 12, 0), ("bea", 12, 15), ("carl", 12, 30), ("dirk", 12, 45))
    )
    night = begun(Roster(id="duty", shifts=shifts, zone=ZONE, notice_s=1800.0), now="2026-11-24 13:05")
    quarter = at("2026-11-24 13:15")
    begins(night, "bea", "anna", quarter)
    ends(night, "anna", "bea", quarter)
    begins(night, "carl", "bea", quarter + 15 * MIN)
    ends(night, "bea", "carl", quarter + 15 * MIN)
    night.after(minutes=10)
    begins(night, "dirk", "carl", quarter + 30 * MIN)
    ends(night, "carl", "dirk", quarter + 30 * MIN)
    assert night.alarms() == ["roster-gap"]
    night.after(minutes=20)
    ends(night, "dirk", "", quarter + 45 * MIN)
    night.after(hours=1)
    night.over()


def test_a_handover_months_ahead_is_told_too() -> None:
    shifts = (Shift(("anna",), "", "2027-09-01T06:00:00+00:00"), Shift(("bea",), "2027-09-01T06:00:00+00:00", ""))
    night = begun(Roster(id="duty", shifts=shifts, zone=ZONE, notice_s=1800.0))
    until(night, "2027-09-01 07:30")
    begins(night, "bea", "anna", at("2027-09-01 08:00"))
    ends(night, "anna", "bea", at("2027-09-01 08:00"))
    night.over()


def test_each_by_a_channel_that_does_not_ring_if_there_is_one() -> None:
    night = Night(World(), at=at("2026-11-24 19:00"))
    night.world.no_address |= {("anna", "sms"), ("bea", "sms"), ("bea", "email")}
    enter(night, daily("anna", "bea"))
    until(night, "2026-11-24 19:30")
    night.person("anna").receives("hub.duty-ends", by="email")
    night.person("bea").receives("hub.duty-begins", by="voice")
    night.over()


def test_in_a_playback_it_is_an_exercise() -> None:
    night = Night(World(), at=at("2026-11-24 19:00"))
    night.world.status = Status.EXERCISE
    night.world.left_out.add("anna")
    enter(night, daily("anna", "bea"))
    until(night, "2026-11-24 19:30")
    assert night.person("bea").receives("hub.duty-begins", by="sms").status is Status.EXERCISE
    night.over()


# --- rosters that change -----------------------------------------------------------------------------------


def replaced(roster: Roster, person: str, start: str, end: str) -> Roster:
    override = Override(people=(person,), start=at(start).isoformat(), end=at(end).isoformat())
    return replace(roster, overrides=(*roster.overrides, override))


def told(now: str = "2026-11-24 19:40") -> tuple[Night, Roster]:
    """Anna hands over to Bea at eight in the evening, and both have heard of it."""
    roster = daily("anna", "bea")
    night = begun(roster)
    until(night, now)
    begins(night, "bea", "anna", at("2026-11-24 20:00"))
    ends(night, "anna", "bea", at("2026-11-24 20:00"))
    return night, roster


def test_a_replacement_entered_after_the_notice_is_told_to_all_three() -> None:
    night, roster = told()
    eight = at("2026-11-24 20:00")
    enter(night, replaced(roster, "carl", "2026-11-24 20:00", "2026-11-25 20:00"))
    begins(night, "carl", "anna", eight)
    ends(night, "bea", "carl", eight)
    ends(night, "anna", "carl", eight)
    until(night, "2026-11-25 19:29")
    assert night.outbox == []
    until(night, "2026-11-25 19:30")
    begins(night, "anna", "carl", at("2026-11-25 20:00"))
    ends(night, "carl", "anna", at("2026-11-25 20:00"))
    night.over()


def test_who_was_told_to_go_and_stays_on_is_told_so() -> None:
    night, roster = told()
    enter(night, replaced(roster, "anna", "2026-11-24 19:00", "2026-11-24 22:00"))
    ends(night, "bea", "anna", at("2026-11-24 20:00"))
    begins(night, "anna", "anna", at("2026-11-24 20:00"))
    until(night, "2026-11-24 21:30")
    begins(night, "bea", "anna", at("2026-11-24 22:00"))
    ends(night, "anna", "bea", at("2026-11-24 22:00"))
    night.over()


def test_who_comes_earlier_than_told_is_told_once_more() -> None:
    night, roster = told()
    enter(night, replaced(roster, "bea", "2026-11-24 19:50", "2026-11-24 20:00"))
    begins(night, "bea", "anna", at("2026-11-24 19:50"))
    ends(night, "anna", "bea", at("2026-11-24 19:50"))
    night.after(hours=1)
    night.over()


def test_who_is_on_duty_from_this_very_moment_hears_that_it_is_theirs() -> None:
    night, roster = told()
    enter(night, replaced(roster, "carl", "2026-11-24 19:00", "2026-11-24 20:00"))
    now_theirs(night, "carl", "anna")
    ends(night, "anna", "carl", at("2026-11-24 19:40"))
    ends(night, "carl", "bea", at("2026-11-24 20:00"))
    night.after(hours=1)
    night.over()


def test_a_replacement_before_the_notice_only_moves_it() -> None:
    roster = daily("anna", "bea")
    night = begun(roster)
    enter(night, replaced(roster, "carl", "2026-11-24 15:00", "2026-11-24 18:00"))
    assert night.outbox == []
    assert night.state.deadlines["handover duty"] == at("2026-11-24 14:30")
    enter(night, roster)
    assert night.state.deadlines["handover duty"] == at("2026-11-24 19:30")
    night.over()


def test_a_roster_taken_out_of_force_or_without_notice_tells_nobody_any_more() -> None:
    night = begun(daily("anna", "bea"))
    enter(night)
    assert (night.state.duties, night.state.deadlines) == ({}, {})
    enter(night, daily("anna", "bea"))
    enter(night, daily("anna", "bea", notice_s=0.0))
    assert night.state.duties == {}
    night.after(hours=48)
    night.over()


# --- coming back -------------------------------------------------------------------------------------------


def test_a_restart_repeats_nothing() -> None:
    night, _ = told()
    decisions = len(night.decisions)
    back(night, "2026-11-24 19:45")
    assert night.outbox == []
    back(night, "2026-11-24 20:05")
    night.after(minutes=5)
    assert all(not d.events or d.took for d in night.decisions[decisions:])
    night.over()


def test_a_hub_that_was_down_gives_notice_if_it_is_not_too_late() -> None:
    night = begun(daily("anna", "bea"))
    back(night, "2026-11-24 19:50")
    night.after(seconds=5)
    begins(night, "bea", "anna", at("2026-11-24 20:00"))
    ends(night, "anna", "bea", at("2026-11-24 20:00"))
    night.after(hours=2)
    night.over()


def test_a_hub_that_was_down_across_handovers_tells_only_who_has_it_now() -> None:
    night = begun(daily("anna", "bea", "carl"))
    back(night, "2026-11-26 12:00")  # bea took over on the 24th, carl on the 25th
    night.after(seconds=5)
    now_theirs(night, "carl", "bea")
    night.after(hours=2)
    back(night, "2026-11-26 15:00")
    night.over()


def test_down_across_two_handovers_back_to_the_same_person() -> None:
    night = begun(daily("anna", "bea"))
    back(night, "2026-11-26 12:00")  # anna to bea to anna: it is anna's anew
    night.after(seconds=5)
    now_theirs(night, "anna", "bea")
    night.over()


def test_down_across_a_handover_that_was_told_in_time_nobody_hears_more() -> None:
    night, _ = told()
    back(night, "2026-11-25 12:00")
    night.after(hours=1)
    night.over()


def test_down_and_the_roster_is_another_when_it_comes_back() -> None:
    night, roster = told()
    night.world.rosters = {"duty": replaced(roster, "carl", "2026-11-24 20:00", "2026-11-25 20:00")}
    back(night, "2026-11-24 20:10")
    now_theirs(night, "carl", "anna")
    ends(night, "bea", "carl", at("2026-11-24 20:10"))
    night.after(hours=1)
    night.over()


# --- the room ----------------------------------------------------------------------------------------------


def gap(night: Night) -> str:
    (alarm,) = night.state.alarms.values()
    return f"{alarm.what} {alarm.about}: {alarm.detail}"


WITH_GAP = Roster(
    id="duty",
    zone=ZONE,
    shifts=(
        Shift(("anna",), at("2026-11-23 08:00").isoformat(), at("2026-11-27 08:00").isoformat()),
        Shift(("bea",), at("2026-11-27 20:00").isoformat(), at("2026-12-20 08:00").isoformat()),
    ),
)


def test_the_room_is_told_of_a_gap_a_day_ahead_and_once() -> None:
    night = begun(WITH_GAP)
    until(night, "2026-11-26 07:59")
    assert night.alarms() == []
    until(night, "2026-11-26 08:00")
    assert gap(night) == ("roster-gap duty: nobody is on duty in duty from 2026-11-27 08:00 to 2026-11-27 20:00")
    (alarm,) = night.state.alarms
    night.fact(r.AlarmAcknowledged(alarm=alarm, by="room"))
    back(night, "2026-11-26 12:00")
    until(night, "2026-11-27 12:00")
    assert night.alarms() == []
    until(night, "2026-12-10 12:00")
    night.over()


def test_it_is_over_when_somebody_is_found_or_the_gap_has_passed() -> None:
    night = begun(WITH_GAP, now="2026-11-26 12:00")
    assert night.alarms() == ["roster-gap"]
    enter(night, replaced(WITH_GAP, "carl", "2026-11-27 08:00", "2026-11-27 20:00"))
    assert night.alarms() == []
    enter(night, WITH_GAP)
    assert night.alarms() == ["roster-gap"]
    until(night, "2026-11-27 19:59")
    assert night.alarms() == ["roster-gap"]
    until(night, "2026-11-27 20:00")
    assert night.alarms() == []
    night.over()


def test_a_gap_filled_in_part_is_told_anew() -> None:
    night = begun(WITH_GAP, now="2026-11-26 12:00")
    enter(night, replaced(WITH_GAP, "carl", "2026-11-27 08:00", "2026-11-27 18:00"))
    assert night.alarms() == []
    until(night, "2026-11-26 18:00")
    assert gap(night).endswith("from 2026-11-27 18:00 to 2026-11-27 20:00")
    night.over()


def test_a_gap_without_an_end_is_told() -> None:
    night = begun(WITH_GAP, now="2026-12-19 12:00")
    assert gap(night) == "roster-gap duty: nobody is on duty in duty from 2026-12-20 08:00"
    night.after(hours=24 * 30)
    assert night.alarms() == ["roster-gap"]
    night.over()


def test_a_roster_that_may_be_empty_raises_no_alarm() -> None:
    night = begun(replace(WITH_GAP, may_be_empty=True), now="2026-11-27 12:00")
    assert night.alarms() == []
    night.after(hours=24 * 30)
    night.over()


def test_the_room_is_told_of_who_is_booked_twice() -> None:
    other = Roster(id="other", zone=ZONE, layers=(Layer(turns=(("bea",), ("carl",)), first="2026-11-23", days=7),))
    night = begun(daily("anna", "bea", notice_s=0.0), other, now="2026-11-23 21:00")
    assert gap(night) == (
        "roster-double-booking bea duty other: bea is on duty in duty and other"
        " from 2026-11-24 20:00 to 2026-11-25 20:00"
    )
    until(night, "2026-11-25 20:00")
    assert gap(night).endswith("from 2026-11-26 20:00 to 2026-11-27 20:00")
    night.over()


def test_a_state_from_before_there_were_notices_can_be_read() -> None:
    old = msgspec.to_builtins(State())
    for name in ("duties", "rosters_told"):
        del old[name]
    assert msgspec.convert(old, State) == State()


# --- whatever happens --------------------------------------------------------------------------------------

WHO = ("anna", "bea", "carl")
BASES = (
    daily("anna", "bea"),
    daily("anna", "bea", "carl"),
    daily("bea", "carl", when="12:00"),
    Roster(
        id="duty",
        layers=(Layer(turns=(("anna", "bea"), ("bea", "carl"), ("carl",)), first="2026-11-23", days=1, at="20:00"),),
        zone=ZONE,
        notice_s=3 * 3600.0,
    ),
)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 40)),
        st.tuples(st.just("down"), st.integers(1, 40)),
        st.tuples(st.just("base"), st.integers(0, len(BASES) - 1)),
        st.tuples(st.just("replace"), st.integers(-4, 30), st.integers(1, 30), st.sampled_from(WHO)),
    ),
    min_size=1,
    max_size=8,
)


def knows(night: Night, person: str, at_first: bool, heard: dict[str, list[tuple[datetime, bool]]]) -> bool:
    """Whether a person takes themselves to be on duty, by all they have been told: of one instant the latest word."""
    said = dict(heard[person])
    passed = [instant for instant in said if instant <= night.now]
    return said[max(passed)] if passed else at_first


@settings(max_examples=300, deadline=None)
@given(moves)
def test_whoever_is_on_duty_knows_it_and_nobody_else_thinks_so(steps: list[Any]) -> None:
    """Half hours pass, the hub goes down, rosters change. Only who has gone while the hub was down is not told."""
    roster = BASES[0]
    night = begun(roster)
    first = on_duty(roster, night.now)
    heard: dict[str, list[tuple[datetime, bool]]] = {person: [] for person in WHO}
    was_down = False
    for step in steps:
        if step[0] == "wait":
            night.after(minutes=30 * step[1])
        elif step[0] == "down":
            was_down = True
            back(night, (night.now + 30 * step[1] * MIN).astimezone(ZoneInfo(ZONE)).strftime("%Y-%m-%d %H:%M"))
        else:
            if step[0] == "base":
                roster = BASES[step[1]]
            else:
                start = night.now + 30 * MIN * step[1]
                override = Override(
                    people=(step[3],), start=start.isoformat(), end=(start + 30 * MIN * step[2]).isoformat()
                )
                roster = replace(roster, overrides=(*roster.overrides, override))
            enter(night, roster)
        night.after(seconds=1)
        for order in night.outbox:
            (person,) = order.recipients
            when = datetime.fromisoformat(dict(order.values)["at"])
            if order.message == "hub.duty-now":  # a new duty: what was said of the coming time was of another
                heard[person] = [(at_, on) for at_, on in heard[person] if at_ <= when]
            heard[person].append((when, order.message != "hub.duty-ends"))
        night.outbox.clear()
        truth = on_duty(roster, night.now)
        for person in WHO:
            takes = knows(night, person, person in first, heard)
            assert takes or person not in truth, f"{person} is on duty at {night.now} and does not know"
            assert was_down or not takes or person in truth, f"{person} is not on duty at {night.now} and thinks so"
    night.over()


def test_a_replacement_made_while_running_is_told_at_once() -> None:
    """As after a restart: whoever takes over tonight, by an officer's act, hears of it; and whoever does not."""
    night = begun(daily("anna", "bert"), now="2026-11-24 12:00")
    until(night, "2026-11-24 19:30")
    begins(night, "bert", "anna", at("2026-11-24 20:00"))
    ends(night, "anna", "bert", at("2026-11-24 20:00"))
    change = Override(
        people=("carl",), start=at("2026-11-24 20:00").isoformat(), end=at("2026-11-25 20:00").isoformat()
    )
    night.world.rosters["duty"] = replace(night.world.rosters["duty"], overrides=(change,))
    made = night.fact(r.RosterChanged(roster="duty", overrides=(change,), by="anna", why="bert is ill"))
    begins(night, "carl", "anna", at("2026-11-24 20:00"))
    assert {o.message for o in night.outbox if "bert" in o.recipients} == {"hub.duty-ends"}
    night.outbox.clear()
    night.world.rosters["duty"] = replace(night.world.rosters["duty"], overrides=())
    night.fact(r.ChangeReverted(change=made, by="anna", why="bert is well"))
    assert {(o.recipients, o.message) for o in night.outbox} >= {(("bert",), "hub.duty-begins")}
