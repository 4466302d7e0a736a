"""What every channel promises, whatever is behind it: one suite for the fakes and the real ones.

A test module makes a `World` around its channel and runs each of `PROMISES` in a fresh one. The promises use no event
loop of their own, so they run under asyncio and trio alike.
"""

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Any, Protocol

from msgspec import Struct

from hub.connector import Abilities, Answer, AskDetails, Channel, Dead, Outgoing, Retry, Route, Sent
from hub.model.people import Language
from hub.model.signal import Status
from tests.contracts.intake import MemoryIntake


class Provider(StrEnum):
    """How the other side behaves."""

    WORKING = "working"
    DOWN = "down"  # refuses connections
    BUSY = "busy"  # takes nothing, asks to be tried again
    REFUSING = "refusing"  # will never take this
    LOSING = "losing"  # takes it, then the connection breaks before the answer
    HANGING = "hanging"  # takes nothing and does not answer


class Arrival(Struct, frozen=True):
    """What really got there. `id`: how the other side knows a repetition, where it does."""

    to: str
    text: str
    id: str = ""


class World(Protocol):
    """A channel, opened, and the other side of it."""

    intake: MemoryIntake
    good: str  # an address that works
    wrong: str  # one that cannot

    @property
    def channel(self) -> Channel: ...

    async def behave(self, provider: Provider) -> None: ...

    def arrivals(self) -> Sequence[Arrival]: ...

    async def together(self, work: Sequence[Awaitable[Any]]) -> Sequence[Any]:
        """Awaits all at the same time."""
        ...

    async def given_up(self, work: Awaitable[Any]) -> bool:
        """Starts the work, cancels it once the provider has it, and says whether it ended."""
        ...


def outgoing(to: str, text: str = "Storm over Ixelles. Reply AB to accept.", **changes: Any) -> Outgoing:
    return Outgoing(
        **{
            "order": "01J00000000000000000ORDER1",
            "index": 0,
            "attempt": "01J0000000000000000ATTEMPT",
            "nth": 1,
            "repeat": False,
            "to": to,
            "language": Language.EN,
            "subject": "Storm over Ixelles",
            "text": text,
            "voice": text,
            "status": Status.EXERCISE,
            "ask": AskDetails(code="AB", answer_s=240),
            **changes,
        }
    )


def surely_not_taken(answer: Answer) -> bool:
    return isinstance(answer, Retry) and not answer.doubt


async def declares_itself(world: World) -> None:
    assert isinstance(world.channel, Channel)
    assert isinstance(world.channel.abilities, Abilities)
    assert issubclass(type(world.channel).Config, Struct)
    for route in world.channel.routes(world.intake):
        assert isinstance(route, Route)


async def delivers_once(world: World) -> None:
    answer = await world.channel.send(outgoing(world.good))
    assert isinstance(answer, Sent)
    [arrival] = world.arrivals()
    assert arrival.to == world.good
    assert "Storm over Ixelles" in arrival.text


async def retries_nothing_itself(world: World) -> None:
    await world.behave(Provider.LOSING)
    await world.channel.send(outgoing(world.good))
    assert len(world.arrivals()) == 1


async def is_patient_with_who_is_down(world: World) -> None:
    await world.behave(Provider.DOWN)
    assert surely_not_taken(await world.channel.send(outgoing(world.good)))
    await world.behave(Provider.WORKING)
    assert isinstance(await world.channel.send(outgoing(world.good, nth=2)), Sent)
    assert len(world.arrivals()) == 1


async def opens_although_nobody_is_there(world: World) -> None:
    await world.channel.close()
    await world.behave(Provider.DOWN)
    await world.channel.open(world.intake)
    assert surely_not_taken(await world.channel.send(outgoing(world.good)))


async def is_patient_with_who_is_busy(world: World) -> None:
    await world.behave(Provider.BUSY)
    assert surely_not_taken(await world.channel.send(outgoing(world.good)))
    assert not world.arrivals()


async def gives_up_on_what_can_never_arrive(world: World) -> None:
    await world.behave(Provider.REFUSING)
    answer = await world.channel.send(outgoing(world.wrong))
    assert isinstance(answer, Dead)
    assert answer.reason
    assert world.wrong not in answer.reason, "a reason goes into records, an address must not"
    assert not world.arrivals()


async def admits_doubt(world: World) -> None:
    await world.behave(Provider.LOSING)
    answer = await world.channel.send(outgoing(world.good))
    assert isinstance(answer, Retry)
    assert answer.doubt


async def settles_what_was_taken(world: World) -> None:
    if not world.channel.abilities.settles:
        return
    lost = outgoing(world.good, since=world.intake.now())
    await world.behave(Provider.LOSING)
    await world.channel.send(lost)
    await world.behave(Provider.WORKING)
    assert isinstance(await world.channel.settle(lost), Sent)
    assert len(world.arrivals()) == 1


async def settles_what_was_not_taken(world: World) -> None:
    never = outgoing(world.good, since=world.intake.now())
    answer = await world.channel.settle(never)
    if world.channel.abilities.settles:
        assert answer is not None
        assert surely_not_taken(answer)
    else:
        assert answer is None
    assert not world.arrivals()


async def cannot_settle_with_nobody_there(world: World) -> None:
    await world.behave(Provider.DOWN)
    assert await world.channel.settle(outgoing(world.good, since=world.intake.now())) is None


async def repeats_under_the_same_id(world: World) -> None:
    if not world.channel.abilities.idempotent:
        return
    await world.behave(Provider.LOSING)
    await world.channel.send(outgoing(world.good))
    await world.behave(Provider.WORKING)
    await world.channel.send(outgoing(world.good, nth=2, attempt="another", repeat=True))
    await world.channel.send(outgoing(world.good, index=1))
    *same, other = [arrival.id for arrival in world.arrivals()]
    assert len(same) in (1, 2), "the other side drops the repetition itself, or its reader knows it by its id"
    assert len(set(same)) == 1
    assert other not in same


async def sends_many_at_once(world: World) -> None:
    answers = await world.together([world.channel.send(outgoing(world.good, index=i)) for i in range(40)])
    assert [answer for answer in answers if not isinstance(answer, Sent)] == []
    assert len(world.arrivals()) == 40


async def lets_itself_be_cancelled(world: World) -> None:
    await world.behave(Provider.HANGING)
    assert await world.given_up(world.channel.send(outgoing(world.good)))
    await world.behave(Provider.WORKING)
    assert isinstance(await world.channel.send(outgoing(world.good, index=1)), Sent)


async def recalls_without_complaint(world: World) -> None:
    await world.channel.recall(outgoing(world.good), "")
    await world.channel.recall(outgoing(world.good), "no-such-reference")


async def opens_again_after_closing(world: World) -> None:
    await world.channel.close()
    await world.channel.close()
    await world.channel.open(world.intake)
    assert isinstance(await world.channel.send(outgoing(world.good)), Sent)


async def checks_addresses(world: World) -> None:
    assert world.channel.check(world.good) == ""
    assert world.channel.check("not an address")
    assert world.channel.check("")


async def carries_every_language(world: World) -> None:
    texts = {
        Language.FR: "Évacuation immédiate — « côté » cœur",
        Language.NL: "België: blijf binnen, coördinatie",
        Language.DE: "Überschwemmung, große Gefahr",
        Language.EN: "Stay inside <script>&amp; keep calm</script>",
    }
    for index, (language, text) in enumerate(texts.items()):
        answer = await world.channel.send(
            outgoing(world.good, text, index=index, language=language, subject=text, ask=None)
        )
        assert isinstance(answer, Sent)
    assert len(world.arrivals()) == 4
    assert "côté" in world.arrivals()[0].text
    assert "Überschwemmung, große Gefahr" in world.arrivals()[2].text


async def keeps_its_secrets(world: World) -> None:
    await world.channel.send(outgoing(world.good))
    shown = repr(world.channel) + repr(getattr(world.channel, "_config", ""))
    assert "s3cret" not in shown.lower()


PROMISES: list[Callable[[World], Awaitable[None]]] = [
    declares_itself,
    delivers_once,
    retries_nothing_itself,
    is_patient_with_who_is_down,
    opens_although_nobody_is_there,
    is_patient_with_who_is_busy,
    gives_up_on_what_can_never_arrive,
    admits_doubt,
    settles_what_was_taken,
    settles_what_was_not_taken,
    cannot_settle_with_nobody_there,
    repeats_under_the_same_id,
    sends_many_at_once,
    lets_itself_be_cancelled,
    recalls_without_complaint,
    opens_again_after_closing,
    checks_addresses,
    carries_every_language,
    keeps_its_secrets,
]
