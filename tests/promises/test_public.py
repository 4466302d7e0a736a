"""What a sheet wants told to the public reaches them once all the people its class asks for stand behind it."""

import pytest
from msgspec.structs import replace
from trio.testing import MockClock

from hub.acts import Refused
from hub.model import events as e
from hub.model.broadcast import RegisteredIn
from hub.model.people import Address, Asked, Contact, Language, Registered
from hub.model.signal import Status
from hub.playbook.language import After, Condition, DraftBroadcast, Outcome, Step
from hub.rules import InForce
from tests.promises.night import Delivery, Night, night
from tests.promises.rules import WEATHER, chain, rules, tier

pytestmark = pytest.mark.trio

TOWN = tuple(
    Registered(id=f"r-{n}", language=language, commune=commune, addresses=(Address("sms", f"+3245000100{n}"),))
    for n, (language, commune) in enumerate(
        [(Language.FR, "ixelles"), (Language.NL, "ixelles"), (Language.DE, "ixelles"), (Language.EN, "uccle")]
    )
)
WANTED = DraftBroadcast(
    group="public",
    say="weather-partners",
    by=("sms",),
    registered=RegisteredIn(areas=("ixelles",)),
    all_clear="weather-over",
)
ACCEPTED = Condition(any=(After("wake", Outcome.ACCEPTED),))


def smoke(wanted: DraftBroadcast = WANTED) -> InForce:
    """Anna is asked; once she has accepted, a broadcast to those of Ixelles is wanted."""
    steps = (*WEATHER.steps, Step(name="public", action=wanted, after=ACCEPTED))
    return rules(chain(tier("anna")), sheets=[replace(WEATHER, steps=steps)], registered=TOWN)


async def accepted(n: Night, status: Status = Status.ACTUAL) -> None:
    await n.warning(status=status)
    anna = n.person("anna")
    await anna.is_asked()
    await anna.accepts()


async def waits(n: Night) -> str:
    """The draft that waits, of which Anna is told."""
    told = await n.person("anna").receives("hub.broadcast-waits")
    assert "Accords requis: 2" in told.words
    return list(n.state.broadcasts)[-1]


async def releases(n: Night, broadcast: str, *people: str) -> None:
    for person in people:
        await n.acts("release", {"broadcast": broadcast}, by=person)


async def hear(n: Night, message: str, *people: str) -> list[Delivery]:
    return [await n.person(person).receives(message) for person in people]


async def test_two_people_release_it_in_the_words_of_its_incident_and_its_all_clear_too(
    autojump_clock: MockClock,
) -> None:
    async with night(smoke()) as n:
        await accepted(n)
        alert = await waits(n)
        shown = await n.acts("broadcast", {"broadcast": alert})
        assert (shown.people, shown.needs) == (3, 2)
        assert shown.reach[0].wordings[Language.NL].text.startswith("SITCEN: Hevig onweer. Plaats: Ixelles. Van di 14")
        await releases(n, alert, "anna")
        with pytest.raises(Refused, match="anna stands behind it already"):
            await releases(n, alert, "anna")
        with pytest.raises(Refused, match="'sheet weather' is nobody"):
            await releases(n, alert, "sheet weather")
        await n.nobody_is_disturbed(hours=1)
        await releases(n, alert, "bea")
        french, dutch, german = await hear(n, "weather-partners", "r-0", "r-1", "r-2")
        assert "Orages violents" in french.words
        assert "Hevig onweer" in dutch.words
        assert "Schwere Gewitter" in german.words
        await n.all_clear()
        await n.person("anna").receives("weather-over")
        clear = await waits(n)
        assert clear != alert
        await n.nobody_is_disturbed(hours=1)
        await releases(n, clear, "bea", "carl")
        await hear(n, "weather-over", "r-0", "r-1", "r-2")
        assert [ev.outcome for ev in await n.events(e.StepEnded) if ev.step == "public"] == [
            "drafted",
            "released",
            "sent",
        ]


async def test_a_hub_that_goes_down_before_it_has_drafted_does_it_when_it_is_back(autojump_clock: MockClock) -> None:
    async with night(smoke()) as n:
        n.drafting = False
        await n.is_down_for(minutes=1)
        await accepted(n)
        await n.nobody_is_disturbed(minutes=10)
        assert (len(n.state.proposals), len(n.state.broadcasts)) == (1, 0)
        n.drafting = True
        await n.is_down_for(minutes=1)
        alert = await waits(n)
        await n.is_down_for(minutes=40)
        await n.nobody_is_disturbed(hours=1)
        await releases(n, alert, "bea", "carl")
        await hear(n, "weather-partners", "r-0", "r-1", "r-2")
        assert len(await n.events(e.BroadcastDrafted)) == 1


async def test_whom_nobody_can_reach_the_room_hears_of(autojump_clock: MockClock) -> None:
    nowhere = replace(WANTED, registered=RegisteredIn(areas=("forest",)))
    async with night(smoke(nowhere)) as n:
        await accepted(n)
        await n.nobody_is_disturbed(minutes=1)
        assert n.alarm("broadcast-not-drafted").startswith("nobody would be told")


async def test_a_class_that_may_not_go_to_the_public_does_not_whatever_the_sheet_says(
    autojump_clock: MockClock,
) -> None:
    async with night(smoke(replace(WANTED, group="partners"))) as n:
        await accepted(n)
        await n.nobody_is_disturbed(hours=1)
        assert n.alarm("broadcast-not-drafted") == (
            "registered: the class 'partners' may not go to the public: see config/hub.yaml"
        )


async def test_an_exercise_says_so_and_the_public_hears_nothing_of_it(autojump_clock: MockClock) -> None:
    partners = replace(WANTED, group="partners", registered=None, to=(Contact(Asked.PERSON, "police"),))
    async with night(smoke(partners)) as n:
        await accepted(n, Status.EXERCISE)
        await n.person("anna").receives("hub.broadcast-waits")
        (alert,) = n.state.broadcasts
        await releases(n, alert, "anna")
        (told,) = await hear(n, "weather-partners", "police")
        assert told.words.startswith("OEFENING - SITCEN: Hevig onweer")
    async with night(smoke()) as n:
        await accepted(n, Status.EXERCISE)
        await n.nobody_is_disturbed(hours=1)
        assert n.alarm("broadcast-not-drafted").startswith("nobody would be told")
