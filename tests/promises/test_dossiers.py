"""A theme is followed over months: what is filed, what rises, what people do with it, and a hub that goes down."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
import trio
from msgspec.structs import replace
from trio.testing import MockClock

from hub.acts import Refused
from hub.connector import ActItem, SignalItem
from hub.desk import NAME as OPERATORS
from hub.erasing import erase
from hub.model import events as e
from hub.model import records as r
from hub.model.people import Edited, Language, Person
from hub.model.signal import VIGIE, Hazard, Info, Signal, Status
from hub.people.directory import Directory
from hub.playbook.dossiers import Dossier, Rise
from hub.playbook.language import Joining, When
from tests.promises.night import Night, local, night
from tests.promises.rules import WEATHER, chain, rules, tier

pytestmark = pytest.mark.trio

SCAMS = Dossier(
    name="scams",
    title={Language.FR: "Arnaques", Language.NL: "Oplichting", Language.DE: "Betrug", Language.EN: "Scams"},
    owner="sitcen",
    version="1",
    when=(When(hazards=(Hazard.CYBER,)),),
    rise=Rise(days=7, times=2.0, at_least=4),
)
RISING = replace(
    WEATHER,
    name="dossier-rises",
    version="1",
    when=(When(sources=(VIGIE,), event=("dossier rises",), where='info.parameters.dossier == "scams"'),),
    incident=Joining(),
)
DAY_S = 24 * 3600.0


def followed() -> Any:
    return night(rules(chain(tier("anna")), sheets=(RISING,), dossiers=(SCAMS,)), local("2026-09-01 09:00"))


async def says(n: Night, name: str, status: Status = Status.ACTUAL) -> str:
    info = Info(hazard=Hazard.CYBER, headline=f"Scam {name}", expires=n.now + timedelta(hours=1))
    signal = Signal(identifier=name, sender="press", sent=n.now, status=status, infos=(info,))
    return await n.comes_in("meteo", SignalItem(signal=signal, key=name))


async def months(n: Night) -> None:
    """Five weeks with two each: what is usual."""
    for nth in range(10):
        await says(n, f"usual-{nth}")
        await trio.sleep(3.5 * DAY_S)


async def rises(n: Night, first: int = 0) -> None:
    for nth in range(first, first + 12):
        await says(n, f"new-{nth}")


async def own_signals(n: Night) -> list[Signal]:
    facts = await n.journal.facts_since(("signal",), local("2026-01-01 00:00"), 10_000)
    mine = [fact for fact in facts if isinstance(fact.body, r.SignalReceived) and fact.body.source == VIGIE]
    return [
        msgspec.json.decode(entry.payload, type=Signal)
        for entry in await n.journal.vault([f.vault for f in mine])
        if entry
    ]


async def test_a_rise_is_a_signal_that_opens_a_sheet_and_is_told_once(autojump_clock: MockClock) -> None:
    async with followed() as n:
        await months(n)
        assert await own_signals(n) == []
        await rises(n)
        (signal,) = await own_signals(n)
        assert signal.identifier == "dossier scams 2026-10-06"
        assert {info.language: info.headline for info in signal.infos} == {
            "fr-BE": "Dossier « Arnaques » : 10 signalements en 7 jours, contre 2 d'habitude",
            "nl-BE": "Dossier “Oplichting”: 10 meldingen in 7 dagen, gewoonlijk 2",
            "de-BE": "Dossier „Betrug“: 10 Meldungen in 7 Tagen, gewöhnlich 2",
            "en-GB": "Dossier “Scams”: 10 reports in 7 days, usually 2",
        }
        assert n.state.dossiers["scams"].rising is not None
        assert n.state.dossiers["scams"].rising.told
        (incident,) = (await n.acts("status"))["incidents"]
        assert incident["playbook"] == "dossier-rises"
        (anna,) = n.people("anna")
        await anna.is_asked("weather-ask")
        await anna.accepts()
        await rises(n, 20)
        assert len(await own_signals(n)) == 1
        (listed,) = await n.acts("dossiers")
        assert (listed.id, listed.usual, listed.rising is not None) == ("scams", 2.0, True)
        await n.acts("end", {"incident": incident["id"]}, why="seen")
        await anna.receives("weather-over")


@pytest.mark.parametrize("recorded", [False, True])
async def test_a_rise_that_was_decided_is_told_once_by_the_hub_that_comes_back(
    autojump_clock: MockClock, recorded: bool
) -> None:
    """It goes down between the decision and the signal, or when the signal is recorded and nothing made of it."""
    async with followed() as n:
        await months(n)
        n.telling = False
        await n.is_down_for(minutes=1)
        await rises(n)
        assert await own_signals(n) == []
        if recorded:
            n._life.cancel()  # the engine stands still
            await n.rises._tell("scams")
            assert len(await own_signals(n)) == 1
        n.telling = True
        await n.is_down_for(minutes=1)
        await n.is_down_for(minutes=1)
        await trio.testing.wait_all_tasks_blocked()
        assert len(await own_signals(n)) == 1
        told = [ev for d in await n.journal.decisions() for ev in d.events if isinstance(ev, e.RiseTold)]
        assert len(told) == 1
        (anna,) = n.people("anna")
        await anna.is_asked("weather-ask")
        await anna.accepts()
        (incident,) = (await n.acts("status"))["incidents"]
        await n.acts("end", {"incident": incident["id"]}, why="seen")
        await anna.receives("weather-over")


async def test_exercises_make_no_rise(autojump_clock: MockClock) -> None:
    async with followed() as n:
        await months(n)
        for nth in range(30):
            await says(n, f"drill-{nth}", Status.EXERCISE)
        assert await own_signals(n) == []
        assert sum(n.state.dossiers["scams"].days.values()) == 10


async def test_what_people_do_with_a_dossier_is_recorded_and_what_is_wrong_is_said(autojump_clock: MockClock) -> None:
    async with followed() as n:
        scam = await says(n, "one")
        other = await n.comes_in("meteo", item("fire", Hazard.FIRE))
        test = await n.comes_in("meteo", item("drill", Hazard.FIRE, Status.EXERCISE))
        about = {"dossier": "scams", "signal": other}

        done = await n.acts("dossier-add", about, why="the same gang")
        assert done.said == "it is in scams, and counts on 2026-09-01, when it came in"
        done = await n.acts("dossier-add", {**about, "signal": test}, why="to be seen")
        assert done.said == "it is in scams, and does not count: it is of an exercise"
        assert sum(n.state.dossiers["scams"].days.values()) == 2
        await refused(n, "dossier-add", about, "tells the same, is in scams already", why="again")
        await refused(n, "dossier-add", {**about, "signal": scam}, "is in scams already", why="again")
        await refused(n, "dossier-add", {**about, "dossier": "scam"}, 'Did you mean "scams"', why="typed")
        await refused(n, "dossier-add", {**about, "signal": "01X"}, "no signal 01X", why="typed")

        await n.acts("dossier-remove", about, why="it was a fire")
        assert sum(n.state.dossiers["scams"].days.values()) == 1
        await refused(n, "dossier-remove", about, "is not in scams", why="again")
        await n.acts("dossier-add", about, why="it was one after all")
        assert sum(n.state.dossiers["scams"].days.values()) == 2

        noted = await n.acts("dossier-note", {"dossier": "scams"}, text="  Mrs Peeters was called twice.  ")
        (fact,) = await n.journal.get([noted.id])
        assert isinstance(fact, r.Fact)
        assert "Peeters" not in msgspec.json.encode(fact).decode(), "free text lies in the vault"
        (entry,) = await n.journal.vault([fact.vault])
        assert entry is not None
        assert msgspec.json.decode(entry.payload) == {"text": "Mrs Peeters was called twice."}
        for text in ("", " \n", "x" * 20_001):
            await refused(n, "dossier-note", {"dossier": "scams"}, "a note has from 1 to 20000 characters", text=text)
        assert n.state.dossiers["scams"].notes == [noted.id]


async def test_an_incident_of_long_ago_can_be_linked_and_none_that_never_was(autojump_clock: MockClock) -> None:
    sheet = replace(WEATHER, when=(When(hazards=(Hazard.FIRE,)),), steps=())
    async with night(rules(sheets=(sheet,), dossiers=(SCAMS,)), local("2026-09-01 09:00")) as n:
        await n.comes_in("meteo", item("fire", Hazard.FIRE))
        (incident,) = n.state.incidents
        await n.acts("end", {"incident": incident}, why="out")
        await trio.sleep(20 * DAY_S)
        assert incident not in n.state.incidents
        about = {"dossier": "scams", "incident": incident}
        await n.acts("dossier-link", about, why="the flat of the gang")
        assert n.state.dossiers["scams"].incidents == [incident]
        await refused(n, "dossier-link", about, "is linked to scams already", why="again")
        for wrong in ("01K0A1B2C3D4E5F6G7H8J9KMNP", "", '"', "x" * 500):
            await refused(n, "dossier-link", {**about, "incident": wrong}, "no incident", why="typed")


def item(name: str, hazard: Hazard, status: Status = Status.ACTUAL) -> SignalItem:
    info = Info(hazard=hazard, headline=name)
    return SignalItem(
        signal=Signal(identifier=name, sender="press", sent=local("2026-09-01 09:00"), status=status, infos=(info,)),
        key=name,
    )


async def refused(n: Night, verb: str, about: dict[str, str], words: str, **sent: Any) -> None:
    with pytest.raises(Refused) as problem:
        await n.acts(verb, about, **sent)
    assert words in problem.value.reason


async def test_a_note_that_names_somebody_is_rewritten_when_they_are_erased(autojump_clock: MockClock) -> None:
    async with followed() as n:
        noted = await n.acts("dossier-note", {"dossier": "scams"}, text="Anna Peeters was called at home.")
        body = r.PersonChanged(person="anna-p", by="x", why="x")
        person = Edited(person=Person(id="anna-p", name="Anna Peeters", language=Language.FR))
        await n.comes_in(OPERATORS, ActItem(body=body, sealed=person, about="anna-p"))
        erased = await erase(n.journal, Directory((), ()), "anna-p", "officer-a", "asked", n.now, n._ids())
        assert erased.texts == 1
        (entry,) = await n.journal.vault([noted.id])
        assert entry is not None
        assert msgspec.json.decode(entry.payload) == {"text": "anna-p was called at home."}
