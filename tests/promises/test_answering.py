"""Every way to answer: in words by SMS, by a key on the telephone, by a button, by mail."""

import pytest
from trio.testing import MockClock

from hub.model.events import Delivered
from hub.model.message import Outcome
from tests.promises.night import night
from tests.promises.rules import OUTAGE, WEATHER, asking, chain, rules, tier

pytestmark = pytest.mark.trio

# --- in words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("officer", "words"),
    [
        ("anna", "Oui, j'arrive"),
        ("anna", "d'acord"),
        ("anna", "A 20"),
        ("bea", "ja hoor, ik kom"),
        ("bea", "OK 👍"),
        ("carl", "Jawohl, bin unterwegs"),
        ("carl", "a"),
        ("dirk", "yes, on my way"),
        ("dirk", "✅"),
        ("dirk", "1"),
    ],
)
async def test_yes_in_many_words(autojump_clock: MockClock, officer: str, words: str) -> None:
    async with night(asking(officer)) as n:
        (person,) = n.people(officer)
        await n.warning()
        asked = await person.is_asked()
        confirmed = await person.accepts(words, there_in=20 if words == "A 20" else 0)
        assert f"({asked.code})" in confirmed.words
        assert n.run.outcome == "accepted"


@pytest.mark.parametrize(
    ("officer", "words"), [("anna", "Non, malade"), ("bea", "A NEE"), ("carl", "geht nicht"), ("dirk", "no 👎")]
)
async def test_no_in_many_words_calls_the_next_at_once(autojump_clock: MockClock, officer: str, words: str) -> None:
    async with night(rules(chain(tier(officer), tier("emma")))) as n:
        person, emma = n.people(officer, "emma")
        await n.warning()
        await person.is_asked()
        await person.declines(words)
        await emma.is_asked()
        await emma.accepts("oui")
        await n.nobody_is_disturbed(hours=9)


@pytest.mark.parametrize("words", ["oui mais pas avant demain", "ok?", "peut-être", "reçu", "A B", "https://x.be"])
async def test_what_is_not_clearly_yes_is_asked_about_and_the_chain_goes_on(
    autojump_clock: MockClock, words: str
) -> None:
    async with night(asking("anna")) as n:
        (anna,) = n.people("anna")
        await n.warning()
        await anna.is_asked()
        await anna.replies(words)
        await anna.receives("hub.not-understood")
        await n.after(seconds=90)
        await anna.is_rung()
        await anna.accepts("A")


async def test_all_is_an_answer_to_all_that_is_open(autojump_clock: MockClock) -> None:
    async with night(rules(chain(tier("anna")), sheets=(WEATHER, OUTAGE))) as n:
        (anna,) = n.people("anna")
        await n.warning("w1")
        await n.warning("w2", hazard="flood")
        await anna.is_asked()
        await anna.is_asked("calls-ask")
        await anna.replies("tous")
        codes = {(await anna.receives("hub.accepted")).words for _ in range(2)}
        assert len(codes) == 2
        await n.nobody_is_disturbed(hours=9)


async def test_two_machines_that_answer_each_other_do_not_go_on_for_ever(autojump_clock: MockClock) -> None:
    async with night(asking("anna")) as n:
        (anna,) = n.people("anna")
        await n.warning()
        await anna.is_asked()
        for _ in range(3):
            await anna.replies("I am out of the office until Monday")
            await anna.receives("hub.not-understood")
        for _ in range(20):
            await anna.replies("I am out of the office until Monday")
        assert "not-understood" in n.alarms
        await n.nobody_is_disturbed(seconds=60)
        await n.after(seconds=30)
        await anna.presses("1", on=await anna.is_rung())


async def test_the_stop_of_an_officer_keeps_them_on_the_roster_warns_the_room_and_rings(
    autojump_clock: MockClock,
) -> None:
    async with night(rules(chain(tier("anna"), tier("bea")))) as n:
        anna, _ = n.people("anna", "bea")
        await n.warning("w1")
        await anna.is_asked()
        await anna.replies("STOP")
        rung = await anna.is_rung()
        assert n.alarms == ["stop-from-officer"]
        await anna.presses("1", on=rung)
        await n.all_clear("w1")
        await anna.receives("weather-over")
        await n.warning("w2")
        await anna.is_asked()
        await anna.accepts("B")


async def test_a_stranger_acts_on_nothing_and_is_seen_in_the_room(autojump_clock: MockClock) -> None:
    async with night(asking("anna")) as n:
        (anna,) = n.people("anna")
        await n.warning()
        await anna.is_asked()
        await anna.replies("oui", from_="+32470999888")
        assert n.alarms == ["unknown-sender"]
        await n.after(seconds=90)
        await anna.is_rung()
        await anna.accepts("oui")


async def test_whoever_was_called_may_answer_by_sms(autojump_clock: MockClock) -> None:
    async with night(asking("anna", by=("voice",))) as n:
        (anna,) = n.people("anna")
        await n.warning()
        rung = await anna.is_rung()
        await anna.accepts("oui")
        assert anna.stops_ringing(rung)


async def test_answered_twice_is_confirmed_twice_and_counts_once(autojump_clock: MockClock) -> None:
    async with night(rules(chain(tier("anna"), tier("bea"), need=2))) as n:
        anna, bea = n.people("anna", "bea")
        await n.warning()
        await anna.is_asked()
        for _ in range(2):
            await anna.accepts("oui")
        await bea.is_asked()
        await bea.accepts("ja")
        assert n.run.accepted == ["anna", "bea"]


# --- on the telephone --------------------------------------------------------------------------------------


async def test_two_is_no_and_the_next_is_called_at_once(autojump_clock: MockClock) -> None:
    async with night(rules(chain(tier("anna", by=("voice",)), tier("bea")))) as n:
        anna, bea = n.people("anna", "bea")
        await n.warning()
        await anna.presses("2", on=await anna.is_rung())
        await bea.is_asked()
        await bea.accepts("ja")


async def test_an_answering_machine_is_no_acknowledgement_and_its_owner_hears_the_all_clear(
    autojump_clock: MockClock,
) -> None:
    async with night(rules(chain(tier("anna", by=("voice",)), tier("bea")))) as n:
        anna, bea = n.people("anna", "bea")
        await n.warning()
        rung = await anna.is_rung()
        for outcome in (Outcome.SENT, Outcome.FAILED):
            await n.told(rung, outcome, "answering machine")
        await bea.is_asked()
        await bea.accepts("ja")
        await n.all_clear()
        for officer in (anna, bea):
            await officer.receives("weather-over")


async def test_busy_no_answer_and_failed_are_told_apart(autojump_clock: MockClock) -> None:
    async with night(asking("anna", "bea", "carl", by=("voice",))) as n:
        officers = n.people("anna", "bea", "carl")
        await n.warning()
        for officer, reason in zip(officers, ("busy", "no answer", "unknown number"), strict=True):
            await n.told(await officer.is_rung(), Outcome.FAILED, reason)
        said = [reason for event in await n.events(Delivered) for _, _, reason in event.moves if reason]
        assert said == ["busy", "no answer", "unknown number"]
        assert "unreachable: anna, bea, carl" in n.alarm("chain-exhausted")


# --- by mail, by a button ----------------------------------------------------------------------------------


async def test_a_reply_to_the_mail_is_an_answer_whatever_it_quotes(autojump_clock: MockClock) -> None:
    async with night(asking("bea", by=("email",))) as n:
        (bea,) = n.people("bea")
        await n.warning()
        await bea.is_asked(by="email")
        await bea.replies("Ja, ik kom\n\nOp 14 juli schreef SITCEN:\n> Nee: A NEE.", by="email")
        await bea.receives("hub.accepted", by="email")


async def test_a_button_answers_for_the_very_ask_whatever_else_is_open(autojump_clock: MockClock) -> None:
    async with night(rules(chain(tier("anna", by=("email",))), sheets=(WEATHER, OUTAGE))) as n:
        (anna,) = n.people("anna")
        await n.warning("w1")
        await n.warning("w2", hazard="flood")
        storm = await anna.is_asked(by="email")
        await anna.is_asked("calls-ask", by="email")
        await anna.presses("1", on=storm)
        await anna.receives("hub.accepted", by="email")
        assert [run.outcome for run in n.state.runs.values()] == ["accepted", ""]
        await anna.replies("B oui", by="email")
        await anna.receives("hub.accepted", by="email")
