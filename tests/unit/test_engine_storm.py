"""Storms: nobody drowns in messages, nothing is dropped, and somebody hears that it is a storm."""

import random
from datetime import timedelta
from typing import Any

from hub.engine.engine import Engine
from hub.model.ids import Ids
from hub.model.people import Asked, Contact, Storms
from hub.model.quiet import Quiet, Silence
from hub.model.records import SilenceSet
from hub.playbook.language import After, Condition, Notify, Outcome, Step, Wait
from tests.stories import Night, World, sheet

HAZARDS = ("thunderstorm", "wind", "flood", "fire", "rail", "telecom", "cyber", "heat")


def stormy(messages: int = 3, incidents: int = 1000, call: str = "", kinds: int = 6) -> Night:
    """A sheet for each hazard; partners get at most so many messages in half an hour over a channel."""
    world = World(*(sheet(name, hazard=name) for name in HAZARDS[:kinds]))
    world.storm = Storms(messages=messages, messages_s=1800, incidents=incidents, incidents_s=600, call=call)
    return Night(world)


def alert(night: Night, kind: str, **more: Any) -> None:
    night.signal(f"{kind}-{len(night.state.incidents)}", hazard=kind, **more)


def accepted(night: Night) -> None:
    night.person("officer-a").replies("alle")


def sent_to(night: Night, person: str, by: str) -> list[str]:
    return [o.message for o in night.outbox if person in o.recipients and o.channel == by]


def test_the_first_of_each_incident_always_goes_through_however_many_there_are() -> None:
    night = stormy(messages=2)
    for kind in HAZARDS[:6]:
        alert(night, kind)
    accepted(night)
    assert sorted(sent_to(night, "police", "sms")) == sorted(f"{kind}-partners" for kind in HAZARDS[:6])
    assert night.state.digests == {}


def test_what_is_more_comes_as_one_digest_when_there_is_room() -> None:
    night = stormy(messages=3, kinds=4)
    for kind in HAZARDS[:4]:
        alert(night, kind)
    accepted(night)
    night.outbox.clear()
    began = night.now
    for kind in HAZARDS[:4]:
        night.update(f"{kind}-u", of=f"{kind}-{HAZARDS.index(kind)}", hazard=kind)
    assert sent_to(night, "police", "sms") == []
    night.after(minutes=29, seconds=59)
    assert sent_to(night, "police", "sms") == []
    night.after(seconds=1)
    assert sent_to(night, "police", "sms") == ["hub.digest"]
    (digest,) = [o for o in night.outbox if o.recipients == ("police",) and o.channel == "sms"]
    values = dict(digest.values)
    assert values == {"count": "4", "sheets": ",".join(HAZARDS[:4]), "over": "0"}
    assert set(digest.incidents) == set(night.state.incidents)
    assert night.now == began + timedelta(minutes=30)
    assert night.state.digests == {}


def test_an_all_clear_in_a_digest_is_told_once_and_said_to_be_one() -> None:
    night = stormy(messages=1, kinds=2)
    alert(night, "thunderstorm")
    accepted(night)
    night.outbox.clear()
    night.cancel(of="thunderstorm-0")
    assert [o for o in night.outbox if o.channel == "sms" and "police" in o.recipients] == []
    night.after(minutes=30)
    (digest,) = [o for o in night.outbox if "police" in o.recipients]
    assert dict(digest.values) == {"count": "1", "sheets": "thunderstorm", "over": "1"}
    night.outbox.clear()
    night.after(hours=5)
    assert night.outbox == []


def test_asks_and_answers_to_answers_are_never_put_off() -> None:
    night = stormy(messages=1, kinds=6)
    for kind in HAZARDS[:6]:
        alert(night, kind)
    asked = sent_to(night, "officer-a", "sms")
    assert sorted(asked) == sorted(f"{kind}-wake" for kind in HAZARDS[:6])
    for _ in range(3):
        night.person("officer-a").replies("alle")
    assert sent_to(night, "officer-a", "sms").count("hub.accepted") >= 6


def test_an_exercise_and_the_real_thing_share_no_digest() -> None:
    night = stormy(messages=1, kinds=1)
    alert(night, "thunderstorm")
    night.signal("x", hazard="thunderstorm", status="Exercise")
    accepted(night)
    night.outbox.clear()
    night.update("u", of="thunderstorm-0", hazard="thunderstorm")
    night.update("v", of="x", hazard="thunderstorm", status="Exercise")
    assert {key.rpartition(" ")[2] for key in night.state.digests if key.startswith("police sms")} == {
        "Actual",
        "Exercise",
    }
    night.after(minutes=30)
    digests = [o for o in night.outbox if o.message == "hub.digest" and "police" in o.recipients]
    assert sorted(str(o.status) for o in digests if o.channel == "sms") == ["Actual", "Exercise"]


def test_very_many_incidents_are_told_to_the_room_once_and_more_hands_are_asked_for() -> None:
    night = stormy(incidents=3, call="directors")
    for kind in HAZARDS[:3]:
        alert(night, kind)
    assert night.alarms() == []
    for kind in HAZARDS[3:6]:
        alert(night, kind)
    assert night.alarms().count("storm") == 1
    (alarm,) = [a for a in night.state.alarms.values() if a.what == "storm"]
    assert alarm.detail == "4 incidents in 10 min: thunderstorm 1, wind 1, flood 1, fire 1"
    assert sent_to(night, "director", "sms") == ["hub.storm"]
    night.person("director").replies("oui")
    assert "hub.accepted" in sent_to(night, "director", "sms")


def test_the_storm_is_over_when_few_incidents_begin_again() -> None:
    night = stormy(incidents=2)
    for kind in HAZARDS[:4]:
        alert(night, kind)
    assert night.alarms() == ["storm"]
    night.after(minutes=11)
    alert(night, "rail")
    assert "storm" not in night.alarms()


def test_a_step_that_went_into_digests_only_has_been_sent() -> None:
    """What waits for it begins: nothing stands still because people have had enough messages."""
    told = Notify(say="more", to=(Contact(Asked.GROUP, "partners"),), by=("sms",))
    again = Step(name="again", action=told, after=Condition(any=(After("partners", Outcome.SENT),)))
    last = Step(name="last", action=Wait(seconds=60), after=Condition(any=(After("again", Outcome.SENT),)))
    wake = sheet("thunderstorm").steps
    world = World(sheet("thunderstorm", *wake, again, last))
    world.storm = Storms(messages=1, messages_s=1800)
    night = Night(world)
    night.signal()
    accepted(night)
    (incident,) = night.state.incidents.values()
    assert incident.outcomes["again"] == ["sent"]
    assert incident.begun("last")
    assert {key.split(" ")[0] for key in night.state.digests} == {"police", "fire"}


def test_what_is_held_back_is_no_storm_and_an_exercise_makes_none_of_the_real_thing() -> None:
    night = stormy(incidents=3, call="directors")
    until = night.now + timedelta(hours=1)
    night.fact(SilenceSet(silence=Silence(what=Quiet(), by="z", why="siren test", start=night.now, until=until)))
    for kind in HAZARDS[:6]:
        alert(night, kind)
    assert night.outbox == []
    assert night.alarms() == []

    night = stormy(incidents=3, call="directors")
    for kind in HAZARDS[:3]:
        alert(night, kind)
        alert(night, kind, status="Exercise")
    assert "storm" not in night.alarms()
    assert sent_to(night, "director", "sms") == []


def test_what_was_opened_lately_is_known_again_after_a_restart_and_when_the_span_grows() -> None:
    night = stormy(incidents=3, kinds=8)
    for kind in HAZARDS[:3]:
        alert(night, kind)
    night.engine = Engine(night.state, night.world, Ids(random.Random(9)))
    night.after(minutes=6)
    alert(night, HAZARDS[3])
    assert "storm" in night.alarms(), "those of before the restart count"
    night.after(minutes=6)
    for kind in HAZARDS[4:6]:
        alert(night, kind)
    assert "storm" not in night.alarms(), "of the last ten minutes there are three"
    night.world.storm = Storms(incidents=3, incidents_s=3600)
    alert(night, HAZARDS[6])
    assert "storm" in night.alarms(), "of the last hour there are more"
