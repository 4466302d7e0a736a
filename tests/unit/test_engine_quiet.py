"""Quiet by intent: what a silence holds back, what it never does, and what the room hears when it ends."""

from datetime import timedelta
from typing import Any

import pytest

from hub.model.area import Area
from hub.model.people import Steer
from hub.model.quiet import Quiet, Silence
from hub.model.records import ChainSteered, Installed, SheetStarted, SilenceLifted, SilenceSet
from hub.model.signal import Hazard, Info, Signal
from hub.playbook.language import Cause
from tests.stories import Night, World, sheet


def silence(night: Night, hours: float = 2, begins_h: float = 0, **what: Any) -> str:
    start = night.now + timedelta(hours=begins_h)
    until = start + timedelta(hours=hours)
    body = Silence(what=Quiet(**what), by="officer-z", why="siren test", start=start, until=until)
    return night.fact(SilenceSet(silence=body))


def lift(night: Night, silence_id: str) -> None:
    night.fact(SilenceLifted(silence=silence_id, by="officer-z", why="done early"))


def is_woken(night: Night) -> None:
    night.person("officer-a").receives("storm-wake", by="sms")


def held(night: Night) -> list[str]:
    return [i.held_by for i in night.state.incidents.values()]


def test_what_is_silenced_wakes_nobody_and_is_seen_all_the_same() -> None:
    night = Night()
    quiet = silence(night, hazards=(Hazard.THUNDERSTORM,))
    night.signal()
    night.signal("w2")
    assert held(night) == [quiet]
    (incident,) = night.state.incidents.values()
    assert len(incident.signals) == 2
    night.after(hours=1)
    night.over()


def test_what_is_over_before_the_silence_wakes_nobody_and_no_all_clear_is_needed() -> None:
    night = Night()
    silence(night, hours=2)
    night.signal(expires_min=30)
    night.after(hours=3)
    assert night.alarms() == ["silence-over"]
    night.over()


def test_an_officer_ends_it_early() -> None:
    night = Night()
    quiet = silence(night, hours=2)
    night.signal()
    lift(night, quiet)
    is_woken(night)
    night.after(minutes=1)
    lift(night, quiet)  # said twice: nothing more
    night.over()


def test_a_silence_that_held_nothing_back_ends_without_a_word() -> None:
    night = Night()
    silence(night, hours=1)
    night.after(hours=2)
    assert night.alarms() == []
    night.over()


def test_a_maintenance_window_begins_later() -> None:
    night = Night()
    silence(night, begins_h=1, hours=1)
    night.signal()
    is_woken(night)
    night.person("officer-a").replies("ja")
    night.person("officer-a").receives("hub.accepted", by="sms")
    night.partners_are_told()
    night.over()


def test_the_gravest_is_silenced_by_who_says_so() -> None:
    night = Night()
    silence(night, gravest=True)
    night.signal(severity="Extreme")
    night.after(hours=1)
    night.over()


def test_what_was_held_back_and_grows_worse_wakes() -> None:
    night = Night()
    silence(night)
    night.signal()
    night.after(minutes=10)
    night.person("officer-a").receives_nothing()
    night.update("w2", of="w1", severity="Extreme")
    is_woken(night)
    assert held(night) == [""]
    night.over()


def test_a_second_signal_that_is_not_meant_wakes() -> None:
    night = Night()
    silence(night, sources=("meteo",), areas=("harbour",), around=("region",))
    night.signal(info={"areas": (Area(description="x", places=("harbour",)),)})
    night.person("officer-a").receives_nothing()
    night.signal("w2", info={"areas": (Area(description="y", places=("city",)),)})
    is_woken(night)
    night.over()


@pytest.mark.parametrize(
    "what",
    [
        {"hazards": (Hazard.FLOOD,)},
        {"sheets": ("another",)},
        {"sources": ("kmi-feed",)},
        {"areas": ("harbour",)},
        {"areas": ("city", "harbour"), "sheets": ("storm",)},
        {"areas": ("city", "country"), "sheets": ("storm",)},  # set by an earlier version, which knew no `around`
    ],
)
def test_what_is_not_meant_wakes(what: dict[str, Any]) -> None:
    night = Night()
    silence(night, **what)
    both = (Area(description="x", places=("region", "city")), Area(description="y", places=("region", "country")))
    night.signal(info={"areas": both})
    is_woken(night)
    night.over()


def test_where_a_text_says_it_is_silences_nothing() -> None:
    night = Night()
    silence(night, areas=("harbour",), around=("region",))
    night.signal(info={"areas": (Area(description="x", places=("region", "harbour"), from_text=True),)})
    is_woken(night)
    night.over()


def test_what_a_person_starts_by_hand_is_never_held_back() -> None:
    night = Night()
    night.fact(Installed(what="playbook", name="storm", version="storm-v1"))
    silence(night)
    said = Signal(identifier="x", sender="officer-z", sent=night.now, source="operators", infos=(Info(),))
    night.fact(SheetStarted(playbook="storm", by="officer-z"), said)
    is_woken(night)
    night.over()


def test_a_longer_silence_takes_over_what_a_shorter_one_held_back() -> None:
    night = Night()
    silence(night, hours=1, hazards=(Hazard.THUNDERSTORM,))
    longer = silence(night, hours=3, sheets=("storm",))
    night.signal()
    night.after(hours=2)
    assert held(night) == [longer]
    night.person("officer-a").receives_nothing()
    night.after(hours=1)
    is_woken(night)
    night.over()


def test_two_sheets_and_only_one_of_them_is_quiet() -> None:
    night = Night(World(sheet("storm"), sheet("parks")))
    silence(night, sheets=("parks",))
    night.signal()
    asked = night.person("officer-a").receives("storm-wake", by="sms")
    assert len(asked.incidents) == 1
    night.over()


def test_whom_an_officer_had_called_all_the_same_hears_the_all_clear() -> None:
    """Found by the simulation (seed 6221): a chain begun by hand in an incident that is held back."""
    night = Night()
    night.signal()
    is_woken(night)
    night.cancel(of="w1")
    night.person("officer-a").receives("storm-over", by="sms")
    silence(night)
    night.after(minutes=5)
    night.signal("w2", expires_min=30)
    night.person("officer-a").receives_nothing()
    (run,) = night.state.runs
    night.fact(ChainSteered(run=run, act=Steer.AGAIN, by="officer-z", why="look at it"))
    is_woken(night)
    night.person("officer-a").replies("B")
    night.person("officer-a").receives("hub.accepted", by="sms")
    night.partners_are_told()
    night.after(minutes=30)
    for person, by in (("officer-a", "sms"), ("police", "sms"), ("fire", "sms")):
        night.person(person).receives("storm-over", by=by)
    night.over()


def test_a_silence_that_is_over_on_arrival_holds_nothing() -> None:
    night = Night()
    silence(night, hours=-1)
    night.signal()
    is_woken(night)
    night.over()


# The region has two zones; the harbour and the market lie in the first.
AROUND_HARBOUR = {"areas": ("harbour",), "around": ("region", "zone-1")}
AROUND_ZONE = {"areas": ("zone-1",), "around": ("harbour", "market", "region")}


@pytest.mark.parametrize(
    ("what", "places", "quiet"),
    [
        (AROUND_HARBOUR, ("region", "zone-1", "harbour"), True),
        (AROUND_HARBOUR, ("region", "zone-1", "harbour", "market"), False),
        (AROUND_HARBOUR, ("region", "zone-1", "zone-2", "harbour", "market", "station"), False),
        (AROUND_HARBOUR, ("region",), False),
        (AROUND_HARBOUR, (), False),
        (AROUND_ZONE, ("region", "zone-1", "harbour"), True),
        (AROUND_ZONE, ("region", "zone-1", "harbour", "market"), True),
        (AROUND_ZONE, ("region", "zone-1", "zone-2", "harbour", "market", "station"), False),
    ],
)
def test_a_silence_for_an_area_is_for_what_lies_in_it_and_never_for_what_is_wider(
    what: dict[str, Any], places: tuple[str, ...], quiet: bool
) -> None:
    night = Night()
    silence(night, **what)
    night.signal(info={"areas": (Area(description="x", places=places),)})
    if not quiet:
        is_woken(night)
    night.over()


# --- the cause silences its symptoms -----------------------------------------------------------------------

IN_HARBOUR = {"areas": (Area(description="x", places=("region", "zone-1", "harbour")),)}
IN_ZONE = {"areas": (Area(description="x", places=("region", "zone-1", "harbour", "market")),)}
SAID_IN_HARBOUR = {"areas": (Area(description="x", places=("region", "zone-1", "harbour"), from_text=True),)}


def caused(same_area: bool = True) -> Night:
    """A storm is quiet while there is a power cut (in the same area)."""
    cause = Cause("power-cut", same_area)
    return Night(World(sheet("storm", quiet_while=(cause,)), sheet("power-cut", hazard="power-outage")))


def cause_begins(night: Night, **info: Any) -> None:
    night.signal("p1", hazard="power-outage", info=info or IN_ZONE)
    night.person("officer-a").receives("power-cut-wake", by="sms")


def test_while_its_cause_is_open_a_symptom_wakes_nobody_and_is_seen() -> None:
    night = caused()
    cause_begins(night)
    night.signal(info=IN_HARBOUR)
    cause, symptom = night.state.incidents.values()
    assert (symptom.playbook, symptom.held_by) == ("storm", cause.id)
    night.person("officer-a").replies("ja")
    night.after(hours=1)
    assert {o.message for o in night.outbox} == {"hub.accepted", "power-cut-partners"}


def test_when_the_cause_is_over_what_is_still_open_goes_its_way_and_the_room_is_told() -> None:
    night = caused()
    cause_begins(night)
    night.signal(info=IN_HARBOUR)
    _, symptom = night.state.incidents
    night.cancel(of="p1")
    night.person("officer-a").receives("power-cut-over", by="sms")
    is_woken(night)
    (alarm,) = night.state.alarms.values()
    assert (alarm.what, alarm.detail) == ("cause-over", f"power-cut is over, and had held back: {symptom}")
    night.over()


@pytest.mark.parametrize(
    ("same_area", "cause", "symptom", "quiet"),
    [
        (True, IN_ZONE, IN_HARBOUR, True),
        (True, IN_HARBOUR, IN_HARBOUR, True),
        (True, IN_HARBOUR, IN_ZONE, False),
        (True, IN_ZONE, {}, False),
        (True, {"areas": ()}, IN_HARBOUR, False),
        (True, IN_HARBOUR, SAID_IN_HARBOUR, False),
        (True, SAID_IN_HARBOUR, IN_HARBOUR, False),
        (False, SAID_IN_HARBOUR, SAID_IN_HARBOUR, True),
        (False, IN_HARBOUR, IN_ZONE, True),
        (False, {"areas": ()}, {}, True),
        (True, IN_ZONE, IN_HARBOUR | {"severity": "Extreme"}, False),
    ],
)
def test_only_where_the_cause_is_and_never_the_gravest(
    same_area: bool, cause: dict[str, Any], symptom: dict[str, Any], quiet: bool
) -> None:
    night = caused(same_area)
    cause_begins(night, **cause)
    severity = symptom.get("severity", "Severe")
    night.signal(severity=severity, info={key: value for key, value in symptom.items() if key != "severity"})
    if not quiet:
        is_woken(night)
    night.over()


def test_a_cause_that_is_an_exercise_silences_nothing_real_nor_does_one_that_is_over() -> None:
    night = caused()
    night.signal("p1", hazard="power-outage", info=IN_ZONE, status="Exercise")
    night.person("officer-a").receives("power-cut-wake", by="sms")
    night.signal(info=IN_HARBOUR)
    is_woken(night)
    night.over()

    night = caused()
    cause_begins(night)
    night.cancel(of="p1")
    night.person("officer-a").receives("power-cut-over", by="sms")
    night.signal(info=IN_HARBOUR)
    is_woken(night)
    night.over()


def test_a_symptom_known_before_its_cause_goes_on() -> None:
    night = caused()
    night.signal(info=IN_HARBOUR)
    is_woken(night)
    cause_begins(night)
    night.after(seconds=90)
    night.person("officer-a").receives("storm-wake", by="voice")
    night.person("officer-a").receives("power-cut-wake", by="voice")
    night.over()


def test_when_the_cause_is_over_a_silence_may_still_hold() -> None:
    night = caused()
    cause_begins(night)
    night.signal(info=IN_HARBOUR)
    quiet = silence(night, hours=2, sheets=("storm",))
    night.cancel(of="p1")
    night.person("officer-a").receives("power-cut-over", by="sms")
    assert held(night) == ["", quiet]
    night.over()
