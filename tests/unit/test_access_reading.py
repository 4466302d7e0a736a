"""What a request says of who comes: read as partners write it, and as nobody should be able to use it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access.reading import PEOPLE_MAX, asked_for, called, clean, guests_of, meant, rooms_of, who
from hub.config import load
from hub.model.access import Guest
from hub.model.signal import Info, Named, Signal
from hub.playbook.language import Admit
from tests.conftest import ROOT

ROOMS = load(ROOT / "config")[0].rooms
NOW = datetime(2026, 11, 16, 10, tzinfo=UTC)
ACTION = Admit(people="people", at_most_s=7 * 86_400, rooms_from="rooms", start="from", until="until")


def names(text: str) -> list[str]:
    return [guest.name for guest in guests_of(text)[0]]


def request(onset: datetime | None = None, expires: datetime | None = None, /, **said: str) -> Signal:
    info = Info(onset=onset, expires=expires, parameters=tuple(Named(name, value) for name, value in said.items()))
    return Signal(identifier="r", sender="police-5340", sent=NOW, infos=(info, info))


@pytest.mark.parametrize(
    "line",
    [
        "Jan Janssens, police-5340, officier",
        "Jan Janssens; police-5340; officier",
        "Jan Janssens\tpolice-5340\tofficier",
        "- Jan Janssens , police-5340,  officier ",
        "1. Jan Janssens, police-5340, officier",
        "• Jan Janssens, police-5340, officier",
    ],
)
def test_a_line_is_a_person_however_it_is_parted(line: str) -> None:
    assert guests_of(line) == ([Guest(name="Jan Janssens", service="police-5340", function="officier")], [])


def test_what_is_left_out_is_empty_and_a_comma_in_the_function_stays() -> None:
    assert guests_of("Jan Janssens")[0] == [Guest(name="Jan Janssens")]
    assert guests_of("Jan Janssens, siamu, officier, chef de garde")[0][0].function == "officier, chef de garde"


def test_one_person_is_one_however_they_are_written() -> None:
    assert names("Anaïs Dupont, SIAMU, x\ndupont anais, siamu, y\n\nANAÏS DUPONT, Siamu") == ["Anaïs Dupont"]
    assert names("Jan Janssens, siamu\nJan Janssens, stib") == ["Jan Janssens", "Jan Janssens"], (
        "two services: two people"
    )


def test_a_line_without_a_name_is_told_of_by_its_number_alone() -> None:
    guests, problems = guests_of("Jan Janssens, siamu, x\n, siamu, y\n+32 450 00 00 01\nX, siamu, z")
    assert [guest.name for guest in guests] == ["Jan Janssens"]
    assert problems == ["nobody can be made of line 2, 3, 4 of its list: it begins with no name"]
    assert "siamu" not in "".join(problems), "what was typed is personal"


def test_ten_thousand_lines_let_nobody_in() -> None:
    guests, problems = guests_of("\n".join(f"Naam Nummer{n}, dienst, functie" for n in range(10_000)))
    assert guests == []
    assert problems == [f"it names more than {PEOPLE_MAX} people: nobody of them is let in"]
    assert len(guests_of("\n".join(f"Naam Nummer{n}" for n in range(PEOPLE_MAX)))[0]) == PEOPLE_MAX
    assert guests_of("\n".join("!" for _ in range(10_000)))[0] == [], "nor lines of nothing"


def test_a_name_that_is_too_long_is_nobodys() -> None:
    assert guests_of("a" * 200 + ", siamu, x")[0] == []
    assert guests_of("Jan Janssens, " + "s" * 200)[0] == []


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Jan \u202eneznassnaJ", "Jan neznassnaJ"),  # a mark that turns the direction
        ("Jan\u200b Jan\u2066ssens\u2069", "Jan Janssens"),
        ("Jan\x00 Jan\x1b[31mssens", "Jan Jan[31mssens"),
        ("  Jan\u00a0\u2003Janssens ", "Jan Janssens"),
        ("Zoe\u0308 Dupont", "Zoë Dupont"),
        ("<b>Jan</b> Janssens", "<b>Jan</b> Janssens"),  # text, and shown as such
        ('=cmd|" /C calc"!A0', '=cmd|" /C calc"!A0'),
    ],
)
def test_signs_that_nobody_sees_are_left_out(typed: str, kept: str) -> None:
    assert clean(typed) == kept


@given(st.text(max_size=400))
def test_whatever_is_typed_is_read_or_told_of(text: str) -> None:
    guests, _ = guests_of(text)
    for guest in guests:
        assert guest.name == clean(guest.name)
        assert "\n" not in guest.name + guest.service + guest.function
        assert who(guest)


def test_rooms_are_known_by_their_names_in_any_language() -> None:
    assert rooms_of("crisis-room, Perszaal\nSALLE DE RÉUNION 1", ROOMS) == (
        ["crisis-room", "press-room", "meeting-room-1"],
        0,
    )
    assert rooms_of("cellar; crisis room", ROOMS) == (["crisis-room"], 1)


def test_times_are_those_of_the_request_and_never_longer_than_the_sheet_allows() -> None:
    start, until = NOW + timedelta(days=1), NOW + timedelta(days=2)
    asked = asked_for(request(start, until, people="Jan Janssens", rooms="crisis-room"), ACTION, ROOMS, "UTC", NOW)
    assert (asked.start, asked.until, asked.problems) == (start, until, ())
    endless = asked_for(request(start, None, people="Jan Janssens", rooms="crisis-room"), ACTION, ROOMS, "UTC", NOW)
    assert endless.until == start + timedelta(days=7)
    years = asked_for(
        request(start, NOW + timedelta(days=9000), people="J Janssens", rooms="crisis-room"), ACTION, ROOMS, "UTC", NOW
    )
    assert years.until == start + timedelta(days=7), "a year mistyped lets nobody in for a generation"


def test_who_starts_it_by_hand_says_the_times_in_the_hubs_zone() -> None:
    said = {"from": "2026-11-17 12:00", "until": "2026-11-17T23:30", "people": "Jan Janssens", "rooms": "crisis-room"}
    asked = asked_for(request(**said), ACTION, ROOMS, "Europe/Brussels", NOW)
    assert (asked.start, asked.until) == (
        datetime(2026, 11, 17, 11, tzinfo=UTC),
        datetime(2026, 11, 17, 22, 30, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"until": "tomorrow evening"}, '"until" of the request is no day and time'),
        ({"from": "at dawn"}, '"from" of the request is no day and time'),
        ({"until": "2026-11-15 10:00"}, "its time is over, or ends before it begins"),
        ({"from": "2026-11-18 10:00", "until": "2026-11-17 10:00"}, "its time is over, or ends before it begins"),
        ({"from": "9999-12-31 23:00"}, "it begins after the end of time"),
        ({"from": "0001-01-01 00:00+23:59"}, '"from" of the request is no day and time'),
    ],
)
def test_a_time_that_cannot_be_granted_lets_nobody_in_and_says_what_would(said: dict[str, str], problem: str) -> None:
    asked = asked_for(request(people="Jan Janssens", rooms="crisis-room", **said), ACTION, ROOMS, "UTC", NOW)
    assert asked.until is None
    assert asked.problems == (f"{problem}: nobody is let in until `vigie access until` says until when",)
    assert [guest.name for guest in asked.guests] == ["Jan Janssens"], "known, for when an officer has said so"


@pytest.mark.parametrize(
    ("rooms", "given", "problems"),
    [
        ("cellar, crisis-room", ("crisis-room",), ['1 of the rooms that are asked for cannot be made out ("rooms")']),
        ("", (), ["it asks for no room: `vigie access rooms` says which"]),
    ],
)
def test_rooms_that_cannot_be_made_out_are_told(rooms: str, given: tuple[str, ...], problems: list[str]) -> None:
    asked = asked_for(request(people="Jan Janssens", rooms=rooms), ACTION, ROOMS, "UTC", NOW)
    assert (asked.rooms, list(asked.problems)) == (given, problems)
    assert asked.until is not None


def test_said_anew_it_lasts_no_longer_than_the_sheet_allows_from_the_first_time_on() -> None:
    later = NOW + timedelta(days=6)
    signal = request(NOW, later + timedelta(days=30), people="Jan Janssens", rooms="crisis-room")
    assert asked_for(signal, ACTION, ROOMS, "UTC", later, NOW).until == NOW + timedelta(days=7)


def test_a_request_that_names_nobody_is_granted_so_that_an_officer_can() -> None:
    asked = asked_for(request(rooms="crisis-room"), ACTION, ROOMS, "UTC", NOW)
    assert asked.until is not None
    assert asked.problems == ('it names nobody ("people"): `vigie access add` does',)


def test_somebody_is_meant_by_their_id_or_their_whole_name() -> None:
    guests = {
        "p1": Guest(name="Anaïs Dupont"),
        "p2": Guest(name="Anaïs Dupont-Durand"),
        "p3": Guest(name="dupont, ANAIS"),
    }
    assert meant(guests, "p2") == ["p2"]
    assert meant(guests, "Dupont Anais") == ["p1"]
    assert meant(guests, "Anais") == []
    assert called(guests["p2"]) == called(Guest(name="dupont durand anais"))
