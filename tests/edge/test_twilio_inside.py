"""A site nobody can reach from outside: replies and statuses are asked for at Twilio, calls carry their whole text."""

import asyncio
from itertools import pairwise

import pytest

from connectors.twilio.polling import PAGE
from hub.connector import Sent
from hub.model.message import Outcome
from tests.contracts.channel import Provider, outgoing
from tests.edge.twilio_room import ANNE, BART, HUB, KeepingIntake, Room, play
from tools.phones import Faults, ManualClock


def inside(kind: str, story: object, **config: object) -> None:
    play(kind, story, public=False, **config)  # type: ignore[arg-type]  # as play's


def clock_of(room: Room) -> ManualClock:
    clock = room.phones.exchange.clock
    assert isinstance(clock, ManualClock)
    return clock


def requests_of(room: Room) -> list[float]:
    """When Twilio was asked for something from now on, in simulated seconds."""
    times: list[float] = []
    clock = clock_of(room)
    room.phones._api.watchers.append(lambda: times.append(clock.now()))
    return times


async def listening(room: Room) -> None:
    """The channel has come up for the first time: what comes from now on is for us."""
    await room.until(lambda: isinstance(room.intake, KeepingIntake) and room.intake.kept is not None)


async def come_back(room: Room) -> None:
    """A hub that starts again: a channel that knows nothing but the journal's cursor."""
    before = room.channel
    room.channel = type(before)(before._config, _environment())
    for name in ("sleep", "now_s", "now"):
        setattr(room.channel.poller, name, getattr(before.poller, name))
    room.channel.settle_pause_s = 0.0
    await room.channel.open(room.intake)


def _environment() -> object:
    from tests.contracts.intake import environment
    from tests.edge.twilio_room import TOKEN

    return environment("sms", "", token=TOKEN, old="s3cret-old")


def heard(room: Room) -> list[tuple[str, str]]:
    return [(reply.address, reply.text) for reply in room.intake.replies]


# --- replies -------------------------------------------------------------------------------------------------


def test_a_reply_arrives_although_nobody_can_call_us() -> None:
    async def story(room: Room) -> None:
        await listening(room)
        assert room.channel.routes(room.intake) == []
        await room.channel.send(outgoing(ANNE))
        room.phones.network.text(ANNE, "AB ja, 20 min", to=HUB)
        room.phones.network.text(BART, "to somebody else", to="+3228080999")
        await room.until(lambda: bool(room.intake.replies))
        [reply] = room.intake.replies
        [sid] = [message.sid for message in room.phones.messages if message.sender == ANNE]
        assert (reply.channel, reply.address, reply.text, reply.key) == ("sms", ANNE, "AB ja, 20 min", sid)
        assert not room.phones.webhooks.sent
        assert room.intake.healths == [("ok", "")]

    inside("sms", story)


def test_a_reply_is_taken_once_however_often_it_is_listed() -> None:
    async def story(room: Room) -> None:
        await listening(room)
        room.phones.network.text(ANNE, "A oui", to=HUB)
        await room.until(lambda: bool(room.intake.replies))
        offers = room.intake.offers
        asked = requests_of(room)
        await room.until(lambda: len(asked) >= 5)  # it is in the list each time
        assert room.intake.offers == offers
        await room.channel.close()
        await come_back(room)  # it knows no more what it took: the journal does, by the message's id
        await room.until(lambda: room.intake.offers > offers)
        assert heard(room) == [(ANNE, "A oui")]

    inside("sms", story)


def test_a_hub_that_was_down_for_an_hour_reads_what_came_since_in_order() -> None:
    async def story(room: Room) -> None:
        room.phones.network.text(ANNE, "before it ever came up", to=HUB)
        await listening(room)
        await room.channel.close()
        for number, words in ((ANNE, "A oui"), (BART, "A nee"), (ANNE, "A non")):
            await clock_of(room).advance(1200.0)
            room.phones.network.text(number, words, to=HUB)
        await come_back(room)
        await room.until(lambda: len(room.intake.replies) == 3)
        assert heard(room) == [(ANNE, "A oui"), (BART, "A nee"), (ANNE, "A non")]

    inside("sms", story)


def test_the_list_is_read_page_after_page() -> None:
    async def story(room: Room) -> None:
        await listening(room)
        await room.channel.close()
        for n in range(PAGE + 60):
            room.phones.network.text(ANNE, f"reply {n}", to=HUB)
            await clock_of(room).advance(0.5)
        await come_back(room)
        await room.until(lambda: len(room.intake.replies) == PAGE + 60)
        assert [text for _, text in heard(room)] == [f"reply {n}" for n in range(PAGE + 60)]

    inside("sms", story)


def test_what_cannot_be_recorded_is_asked_for_again() -> None:
    async def story(room: Room) -> None:
        await listening(room)
        room.intake.down = "disk full"
        offers = room.intake.offers
        room.phones.network.text(ANNE, "A oui", to=HUB)
        await room.until(lambda: room.intake.offers >= offers + 2)
        assert room.intake.replies == []
        room.intake.down = ""
        await room.until(lambda: bool(room.intake.replies))
        assert heard(room) == [(ANNE, "A oui")]
        assert "failing" not in [health for health, _ in room.intake.healths], "Twilio did nothing wrong"

    inside("sms", story)


def test_a_message_that_is_listed_late_is_taken_all_the_same() -> None:
    async def story(room: Room) -> None:
        await listening(room)
        late = room.phones.network.text(BART, "A ja", to=HUB)
        del room.phones.network.messages[late.sid]
        await clock_of(room).advance(60.0)
        room.phones.network.text(ANNE, "A oui", to=HUB)
        await room.until(lambda: heard(room) == [(ANNE, "A oui")])
        room.phones.network.messages[late.sid] = late
        await room.until(lambda: len(room.intake.replies) == 2)

    inside("sms", story)


# --- statuses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "outcome", "reason"),
    [
        ({}, Outcome.DELIVERED, ""),
        ({"sms_error": 30003}, Outcome.FAILED, "30003 unreachable"),
        ({"sms_error": 30005}, Outcome.FAILED, "30005 unknown number"),
    ],
)
def test_what_became_of_a_message_is_asked_for(behaviour: dict[str, object], outcome: Outcome, reason: str) -> None:
    async def story(room: Room) -> None:
        room.phones.script(ANNE, **behaviour)
        answer = await room.channel.send(outgoing(ANNE, order="ORDER9", index=7))
        assert isinstance(answer, Sent)
        await room.outcomes(outcome)
        [receipt] = room.intake.receipts
        assert (receipt.order, receipt.index, receipt.ref) == ("ORDER9", 7, answer.ref)
        assert (receipt.outcome, receipt.reason) == (outcome, reason)
        asked = requests_of(room)
        await clock_of(room).advance(5.0)
        await room.until(lambda: len(asked) >= 3)
        assert room.channel.poller._pending == {}, "it has its last word"

    inside("sms", story)


def test_a_status_that_changed_while_the_hub_was_down_is_heard_on_coming_back() -> None:
    async def story(room: Room) -> None:
        await listening(room)
        room.phones.script(ANNE, sms_error=30005)
        answer = await room.channel.send(outgoing(ANNE, order="ORDER9", index=7))
        assert isinstance(room.intake, KeepingIntake)
        await room.until(lambda: answer.ref in str(room.intake.kept))
        assert room.intake.receipts == []
        await room.channel.close()
        await room.until(lambda: room.phones.messages[0].status == "undelivered")
        await come_back(room)
        await room.outcomes("failed")
        [receipt] = room.intake.receipts
        assert (receipt.order, receipt.index, receipt.reason) == ("ORDER9", 7, "30005 unknown number")
        assert ANNE not in room.intake.kept

    inside("sms", story, poll_asks_s=1.0)


def test_many_are_asked_for_by_the_list() -> None:
    async def story(room: Room) -> None:
        await listening(room)
        room.phones.script(BART, receipt_after_s=None)
        await room.together([room.channel.send(outgoing(ANNE, index=i)) for i in range(40)])
        await room.together([room.channel.send(outgoing(BART, index=100 + i)) for i in range(3)])
        await clock_of(room).advance(1.9)  # they have all arrived
        asked = requests_of(room)
        await room.until(lambda: len(room.intake.receipts) == 40)
        assert len(asked) < 12
        assert {receipt.index for receipt in room.intake.receipts} == set(range(40))
        assert {one.index for one in room.channel.poller._pending.values()} == {100, 101, 102}

    inside("sms", story)


def test_a_message_deleted_at_twilio_is_let_go() -> None:
    async def story(room: Room) -> None:
        await listening(room)
        await room.channel.send(outgoing(ANNE))
        room.phones.network.messages.clear()
        await room.until(lambda: room.channel.poller._pending == {})
        assert room.intake.receipts == []

    inside("sms", story)


# --- pace and trouble ----------------------------------------------------------------------------------------


def test_it_asks_seldom_and_while_an_answer_is_awaited_often() -> None:
    async def story(room: Room) -> None:
        await listening(room)
        asked = requests_of(room)
        await room.until(lambda: len(asked) >= 3)
        assert [round(b - a) for a, b in pairwise(asked)] == [20] * (len(asked) - 1)
        await room.channel.send(outgoing(ANNE))
        await room.outcomes("delivered")
        asked.clear()
        await room.until(lambda: len(asked) >= 10)
        assert max(b - a for a, b in pairwise(asked)) < 5.0, "delivered, and the answer is still to come"
        await clock_of(room).advance(400.0)  # who is late by more than a minute
        asked.clear()
        await room.until(lambda: len(asked) >= 3)
        assert min(b - a for a, b in pairwise(asked)) > 19.0

    inside("sms", story, poll_s=20.0)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("too_many", "HTTP 429"),
        ("unavailable", "HTTP 503"),
        ("error_500", "HTTP 500"),
        ("garbled", "no usable answer (AttributeError)"),
    ],
)
def test_a_twilio_that_takes_no_requests_is_asked_less_often_and_the_room_is_told(fault: str, words: str) -> None:
    async def story(room: Room) -> None:
        await listening(room)
        room.phones.network.text(ANNE, "A oui", to=HUB)
        asked = requests_of(room)
        room.phones.set_faults(Faults(**{fault: 1.0}))
        await room.until(lambda: ("failing" in [health for health, _ in room.intake.healths]) and len(asked) >= 6)
        reason = f"Twilio: {words}: replies and statuses cannot be asked for"
        assert room.intake.healths == [("ok", ""), ("failing", reason)]
        pauses = [b - a for a, b in pairwise(asked)]
        assert pauses[-1] > 12.0
        if fault == "unavailable":
            assert min(pauses) >= 6.9, "as long as Twilio asked us to wait"
        assert room.intake.replies == []
        room.phones.set_faults(Faults())
        await room.until(lambda: bool(room.intake.replies))
        await room.until(lambda: room.intake.healths[-1] == ("ok", ""))

    inside("sms", story)


def test_a_provider_that_is_down_is_told_and_nothing_is_lost() -> None:
    async def story(room: Room) -> None:
        await listening(room)
        await room.behave(Provider.DOWN)
        room.phones.network.text(ANNE, "A oui", to=HUB)
        await room.until(lambda: room.intake.healths[-1][0] == "failing")
        await room.behave(Provider.WORKING)
        await room.until(lambda: bool(room.intake.replies))
        assert heard(room) == [(ANNE, "A oui")]

    inside("sms", story)


def test_wrong_credentials_are_told_at_once() -> None:
    async def story(room: Room) -> None:
        await room.until(lambda: bool(room.intake.healths))
        assert room.intake.healths == [("failing", "Twilio: HTTP 401: replies and statuses cannot be asked for")]

    inside("sms", story, tokens=("old",))


def test_closing_while_twilio_does_not_answer() -> None:
    async def story(room: Room) -> None:
        await listening(room)
        await room.behave(Provider.HANGING)
        clock = clock_of(room)
        asked = requests_of(room)
        while not asked:
            await clock.advance(1.0)
        await asyncio.wait_for(room.channel.close(), 5)
        assert room.channel._polling.cancelled()

    inside("sms", story)
