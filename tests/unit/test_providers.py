"""Routes and the health of providers: pure."""

from itertools import pairwise

import pytest

from hub.dispatch.health import FAILURES, PAUSES_S, SPAN_S, USUAL_S, Health
from hub.dispatch.route import Routes
from hub.engine.channels import FAILING, SILENT
from hub.install import Understanding
from hub.model.people import Address, Person
from hub.model.records import AlarmAcknowledged, ChannelChanged
from hub.people.directory import Directory
from tests.stories import START, Night

ROUTES = Routes(
    fall_back={"sms": "second", "abroad": "abroad-second"},
    by_prefix={"sms": {"+49": "abroad", "+4930": "berlin"}},
)


# --- routes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "providers"),
    [
        ("+32450000001", ("sms", "second")),
        ("+4915100000001", ("abroad", "abroad-second", "sms", "second")),
        ("+4930000001", ("berlin", "sms", "second")),
        ("", ("sms", "second")),
    ],
)
def test_the_longest_prefix_comes_first_then_the_channels_own(number: str, providers: tuple[str, ...]) -> None:
    assert ROUTES.providers("sms", number) == providers


def test_a_channel_of_which_nothing_is_written_is_its_own_provider() -> None:
    assert Routes().providers("voice", "+32450000001") == ("voice",)
    assert ROUTES.providers("second", "+49") == ("second",)


def test_a_circle_ends() -> None:
    assert Routes(fall_back={"a": "b", "b": "a"}).providers("a") == ("a", "b")


def test_who_uses_a_provider_and_who_follows_it() -> None:
    assert ROUTES.used_by("second") == ("sms",)
    assert ROUTES.used_by("abroad-second") == ("sms", "abroad")
    assert ROUTES.used_by("sms") == ()
    assert ROUTES.following("berlin") == ("sms", "second")
    assert ROUTES.following("second") == ()
    assert set(ROUTES.every("sms")) == {"sms", "second", "abroad", "abroad-second", "berlin"}


def test_a_reply_counts_as_of_the_channel_by_which_the_person_has_the_provider() -> None:
    both = (Address("sms", "+32450000002"), Address("second", "+32450000002"))
    directory = Directory(
        [
            Person(id="anna", name="Invented", addresses=(Address("sms", "+32450000001"),)),
            Person(id="bea", name="Invented", addresses=both),
        ]
    )
    understanding = Understanding(directory, ROUTES)
    assert understanding.channel_of("second", "anna") == "sms"
    assert understanding.channel_of("second", "bea") == "second"
    assert understanding.channel_of("second", "") == "sms"
    assert understanding.channel_of("voice", "anna") == "voice"


# --- health ------------------------------------------------------------------------------------------------


def failing(health: Health, count: int, people: int = 3, every_s: float = 1.0, from_s: float = 0.0) -> list[bool]:
    return [health.failed(f"p{i % people}", "503", from_s + i * every_s) for i in range(count)]


def test_it_is_out_after_so_many_failures_for_so_many_people() -> None:
    health = Health()
    assert failing(health, FAILURES) == [False] * (FAILURES - 1) + [True]
    assert (health.out, health.since_s, len(health.people)) == (True, 0.0, 3)
    assert not any(failing(health, 3)), "told once"


def test_it_is_not_out_for_two_people_or_over_a_long_time_or_with_successes_between() -> None:
    assert not any(failing(Health(), 20, people=2))
    assert not any(failing(Health(), 20, every_s=SPAN_S / 2))
    health = Health()
    for at in range(20):
        assert not any(failing(health, FAILURES - 1, from_s=at * 10.0))
        assert not health.worked(at * 10.0 + FAILURES)


def test_slow_failures_of_a_burst_say_nothing_new_after_what_was_taken_meanwhile() -> None:
    """Fifty are handed over at once; five are not answered, and known to have failed when the others are long taken."""
    health = Health()
    for at in range(45):
        assert not health.worked(at * 0.01)
    late = [health.failed(f"p{i}", "not in its list", 1.0 + i * 0.01, began_s=0.0) for i in range(5)]
    assert not any(late)
    assert not health.out
    after = [health.failed(f"p{i}", "503", 2.0 + i, began_s=1.5 + i) for i in range(5)]
    assert after == [False] * 4 + [True], "those that began later count, from the first"


def test_what_refuses_everything_is_out_at_once() -> None:
    health = Health()
    assert health.failed("p", "401", 0.0, refuses=True)
    assert health.out


def test_one_probe_at_a_time_ever_more_rarely_and_the_first_that_goes_ends_it() -> None:
    health = Health()
    failing(health, FAILURES, every_s=0.0)
    probed: list[float] = []
    for at in range(400):
        if health.probe(float(at)):
            probed.append(float(at))
            health.failed("p", "503", float(at))
    assert probed[:3] == [PAUSES_S[0], PAUSES_S[0] + PAUSES_S[1], sum(PAUSES_S)]
    assert {b - a for a, b in pairwise(probed[2:])} == {PAUSES_S[-1]}
    assert health.worked(400.0)
    assert not health.out
    assert not health.worked(400.0), "told once"
    assert not health.probe(1000.0), "there is nothing to be probed"


def test_silence_is_known_only_of_who_usually_speaks() -> None:
    health = Health()
    for i in range(10):
        health.taken(f"p{i}", 0.0)
    assert not health.look(10_000.0), "it has never said anything"
    health = Health()
    for _ in range(20):
        health.receipt(5.0)
    for i in range(5):
        health.taken(f"p{i % 2}", 100.0)
    assert not health.look(10_000.0), "two people's phones may be off"
    health.taken("p3", 101.0)
    assert health.look_s() == 101.0 + USUAL_S
    assert not health.look(101.0 + USUAL_S - 1)
    assert health.look(101.0 + USUAL_S)
    assert not health.look(10_000.0), "told once"
    assert health.receipt(900.0)
    assert not health.silent


def test_who_is_slow_as_a_rule_is_given_time() -> None:
    health = Health()
    for _ in range(20):
        health.receipt(200.0)
    assert health.usual_s == 600.0


# --- what the room hears -----------------------------------------------------------------------------------


def test_the_room_hears_what_is_out_and_what_happens_meanwhile() -> None:
    night = Night()
    failing = ChannelChanged(
        channel="sms", health="failing", reason="Twilio: HTTP 503", since=START, people=4, meanwhile="second"
    )
    night.fact(failing)
    night.fact(failing)
    (alarm,) = night.state.alarms.values()
    assert (alarm.what, alarm.about) == (FAILING, "sms")
    assert alarm.detail == (
        "Twilio: HTTP 503; since 02:10Z, 4 people concerned so far; meanwhile its messages go by second; "
        "it is tried with one message at a time"
    )
    night.fact(ChannelChanged(channel="sms", health="silent", since=START, people=1))
    assert night.alarms() == [FAILING, SILENT]
    night.fact(ChannelChanged(channel="voice", health="ok"))
    assert night.alarms() == [FAILING, SILENT]
    night.fact(ChannelChanged(channel="sms", health="ok"))
    assert night.alarms() == []
    night.over()


def test_an_alarm_that_was_acknowledged_ends_all_the_same() -> None:
    night = Night()
    night.fact(ChannelChanged(channel="sms", health="failing", reason="401"))
    (alarm,) = night.state.alarms
    night.fact(AlarmAcknowledged(alarm=alarm, by="officer-a"))
    night.fact(ChannelChanged(channel="sms", health="ok"))
    assert night.alarms() == []
    night.over()
