"""TETRA against a stand-in terminal, on a TCP line and on a real serial path."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from connectors.tetra import gathering, sds, terminal
from connectors.tetra.config import Meaning, Sender, TetraSourceConfig
from connectors.tetra.source import TetraSource
from hub.connector import Retry, Sent
from hub.model.message import Outcome, Verb
from tests.contracts.channel import PROMISES, outgoing
from tests.contracts.intake import MemoryIntake, environment
from tests.edge.tetra_room import ANNE, GROUP, Place, PtyRadio, TcpRadio, place

# A line that was accepted and not yet served when the stand-in ended is the stand-in's own, and nobody's fault.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

either = pytest.mark.parametrize("radio", [TcpRadio, PtyRadio], ids=["tcp", "serial"])


def play(story: Callable[[Place], Awaitable[None]], radio: Any = TcpRadio, **config: Any) -> None:
    async def run() -> None:
        async with asyncio.timeout(60), place(radio(), **config) as made:
            await story(made)

    asyncio.run(run())


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_promise(promise: Any) -> None:
    play(promise)


@either
def test_a_text_is_sent_reported_and_answered(radio: Any) -> None:
    async def story(here: Place) -> None:
        assert isinstance(await here.channel.send(outgoing(ANNE)), Sent)  # it is set up
        here.radio.sent.clear()
        here.radio.noise = ["+CTSDSR: 13,1234567,0,2345678,0,16\r\n8004", "\x00\xffgarbage"]
        answer = await here.channel.send(outgoing(ANNE, index=3))
        here.radio.noise = []
        assert isinstance(answer, Sent)
        [(to, service, message)] = here.radio.sent
        assert (to, service, message[0], message[1] >> 2) == (ANNE, 12, 0x82, 1)
        here.radio.receives(bytes((0x82, 0x18, 0, message[2])))
        here.radio.receives(b"\x82\x04\x55\x01AB yes")
        await here.intake.until(lambda: bool(here.intake.receipts) and len(here.intake.replies) == 2)
        [receipt] = here.intake.receipts
        assert (receipt.index, receipt.outcome) == (3, Outcome.DELIVERED)
        assert {(r.address, r.verb, r.text) for r in here.intake.replies} == {
            (ANNE, Verb.ACCEPT, ""),
            (ANNE, None, "AB yes"),
        }
        await here.radio.until(lambda: len(here.radio.sent) == 3)
        assert [m for _, _, m in here.radio.sent[1:]] == [bytes((0x82, 0x20, 1, message[2])), b"\x82\x10\x00\x55"]

    play(story, radio, answers={"32772": Verb.ACCEPT})


def test_a_radio_sounds_an_alarm_before_it_is_asked_and_is_asked_even_where_it_cannot() -> None:
    async def story(here: Place) -> None:
        assert isinstance(await here.channel.send(outgoing(ANNE)), Sent)
        assert [(to, service) for to, service, _ in here.radio.sent] == [(ANNE, 13), (ANNE, 12)]
        assert here.radio.sent[0][2] == b"\x80\x16"
        here.radio.sent.clear()
        assert isinstance(await here.channel.send(outgoing(ANNE, ask=None)), Sent)
        assert [service for _, service, _ in here.radio.sent] == [12], "what asks nobody alarms nobody"
        here.radio.sent.clear()
        here.radio.refused["AT+CTSDS=13,0"] = "+CME ERROR: 4"
        assert isinstance(await here.channel.send(outgoing(ANNE)), Sent)
        assert [service for _, service, _ in here.radio.sent] == [12]

    play(story, calls="32790")


def test_nothing_is_confirmed_before_it_is_durable() -> None:
    async def story(here: Place) -> None:
        await here.channel.send(outgoing(ANNE))
        here.intake.gate = asyncio.Event()
        here.radio.receives(b"\x82\x04\x55\x01AB yes")
        await here.intake.until(lambda: here.intake.offers == 1)
        assert len(here.radio.sent) == 1
        here.intake.gate.set()
        await here.radio.until(lambda: len(here.radio.sent) == 2)

    play(story)


def test_a_failure_that_is_reported_later_is_told_in_words() -> None:
    async def story(here: Place) -> None:
        await here.channel.send(outgoing(ANNE))
        here.radio.receives(bytes((0x82, 0x10, 0x45, here.radio.sent[0][2][2])))
        await here.intake.until(lambda: bool(here.intake.receipts))
        [receipt] = here.intake.receipts
        assert (receipt.outcome, receipt.reason) == (Outcome.FAILED, "the destination is unknown")

    play(story)


@either
def test_source_and_channel_share_one_line(radio: Any) -> None:
    async def story(here: Place) -> None:
        config = TetraSourceConfig(
            terminal=here.radio.place,
            senders={ANNE: Sender(name="Autopompe 3")},
            groups={GROUP: Sender(name="Commandement")},
            statuses={"32772": Meaning(event="Incendie")},
        )
        intake = MemoryIntake()
        run = asyncio.create_task(TetraSource(config, environment("tetra")).run(intake))
        await here.channel.send(outgoing(ANNE))
        assert sum(command == "ATE0" for command in here.radio.commands) == 1
        here.radio.receives(b"\x80\x04", 13)
        here.radio.receives(b"\x02\x01Fum\xe9e", caller="777", called=GROUP)
        here.radio.receives(b"\x0a\x11\x28")
        await intake.until(lambda: len(intake.signals) == 2 and len(intake.bad) == 1)
        assert [s.signal.infos[0].headline for s in intake.signals] == ["Autopompe 3: Incendie", "Commandement: Fumée"]
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)

    play(story, radio)


def test_a_lost_line_and_a_lost_registration_are_told() -> None:
    async def story(here: Place) -> None:
        await here.channel.send(outgoing(ANNE))
        here.radio.say("+CREG: 2")
        here.radio.receives(b"\x82\x00\x56\x01noted")
        await here.intake.until(lambda: bool(here.intake.replies))
        assert "not registered" in here.intake.healths[-1][1]
        here.radio.hang_up()
        answer = await here.channel.send(outgoing(ANNE, index=1))
        while isinstance(answer, Retry):  # as dispatch does, while the line is opened anew
            answer = await here.channel.send(outgoing(ANNE, index=1))
        assert isinstance(answer, Sent)
        assert ("failing", "the terminal has closed the line") in here.intake.healths
        await here.intake.until(lambda: here.intake.healths[-1] == ("ok", ""))
        assert here.intake.healths[-1] == ("ok", "")

    play(story)


def test_a_text_of_which_a_part_is_lost_is_told_although_nothing_else_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "WAIT_S", 0.0)
    monkeypatch.setattr(terminal, "PARTS_S", 0.01)

    async def story(here: Place) -> None:
        await here.channel.send(outgoing(ANNE))
        here.radio.receives(sds.transfers("Effondrement rue Haute. " * 12, 9, 0)[0])
        await here.intake.until(lambda: bool(here.intake.replies))
        [reply] = here.intake.replies
        assert (reply.text[:23], reply.text[-5:]) == ("Effondrement rue Haute.", "[...]")

    play(story)


def test_a_terminal_at_work_is_not_reset_when_it_is_looked_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "LOOK_S", 0.01)

    async def story(here: Place) -> None:
        await here.channel.send(outgoing(ANNE))
        await here.radio.until(lambda: here.radio.commands.count("AT+CREG=1") >= 3)
        assert here.radio.commands.count("ATZ") == 1

    play(story)


def test_a_long_text_arrives_when_all_its_parts_have() -> None:
    async def story(here: Place) -> None:
        await here.channel.send(outgoing(ANNE, "Évacuation. " * 30))
        parts = [message for _, _, message in here.radio.sent]
        assert len(parts) == 3
        assert {message[0] for message in parts} == {sds.TL_LONG}
        for nth, message in enumerate(parts, 1):
            assert not here.intake.receipts
            here.radio.receives(bytes((0x8A, 0x10, 0, message[2])))
            here.radio.receives(b"\x82\x00\x56\x01x" + message[2:3])
            await here.intake.until(lambda: len(here.intake.replies) == nth)  # noqa: B023 # awaited within the turn
        assert [r.outcome for r in here.intake.receipts] == [Outcome.DELIVERED]

    play(story)
