"""What officers' phones do, told by Twilio, and what a real hub makes of it: machines, busy lines, no coverage,
receipts late and out of order, STOP. Times between channels and to answer are long, so that whatever comes soon came at
once; where a story is of silence they are short."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.model import events as e
from hub.model.message import Lane, Outcome
from tests.edge.running import DIRECTOR_A, OFFICER_A, OFFICER_B, OFFICER_C, Room, change, code_in, room
from tools.phones import Phones

LONG_S, SHORT_S = 60.0, 0.5


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Room]:
    """Nobody takes their phone unless a story says so."""
    with room(tmp_path, between_s=LONG_S, answer_s=LONG_S) as made:
        for number in (OFFICER_A, OFFICER_B, OFFICER_C):
            made.script(number, call="no-answer")
        yield made
        made.settled()
        made.until(lambda: made.outside.do(all_told), "a hub that was told everything")
        assert made.stop() == 0
        assert made.outside.do(lambda phones: phones.exchange.problems) == [], "every callback was taken"


def all_told(phones: Phones) -> bool:
    """Whether everything has come to its end, and the hub has heard of it."""
    told = {
        (x.form.get("MessageSid") or x.form.get("CallSid"), x.form.get("MessageStatus") or x.form.get("CallStatus"))
        for x in phones.webhooks.sent
    }
    over = all(not call.alive for call in phones.calls)
    messages = [message for message in phones.messages if message.status_callback]
    over = over and all(message.status in ("delivered", "undelivered") for message in messages)
    return over and all((one.sid, one.status) in told for one in (*messages, *phones.calls))


def texts(here: Room, number: str, word: str) -> list[str]:
    """SMS to somebody that hold a word: `répondez` in asks, `annulé` in stand-downs, `Fin d'alerte` in all-clears."""
    return [text for text in here.sms_to(number) if word in text]


def tier(here: Room, nth: int, **fields: Any) -> None:
    """Changes a tier of the officers' chain: the first asks A, the second B and C."""
    change(here.folder.config / "chains.yaml", lambda held: held["duty-officers"]["tiers"][nth].update(fields))


def accepted(here: Room) -> bool:
    return any(run.outcome == "accepted" for run in here.events(e.RunEnded))


def moves_to(here: Room, person: str, channel: str, message: str = "") -> list[tuple[Outcome, str]]:
    """What was heard of the deliveries to somebody over a channel, in order, as the journal has it."""
    events = here.events(object)
    orders = {
        x.order
        for x in events
        if isinstance(x, e.Ordered) and x.recipients == (person,) and x.channel == channel
        if (x.message == message if message else x.lane == Lane.ASK)
    }
    return [
        (outcome, reason)
        for x in events
        if isinstance(x, e.Delivered) and x.order in orders
        for _, outcome, reason in x.moves
    ]


def outcomes(here: Room) -> dict[str, str]:
    """What the asks of each person came to."""
    asked = {x.ask: x.person for x in here.events(e.Asked)}
    return {asked[x.ask]: x.outcome for x in here.events(e.AskClosed)}


def test_a_machine_acknowledges_nothing_and_the_next_channel_is_used_at_once(here: Room) -> None:
    tier(here, 0, by=["call", "sms"])
    here.script(OFFICER_A, call="machine", answers_after_s=1.0)
    here.start()
    assert here.alert("STORM-1").status == 202
    (asked,) = here.until(lambda: here.sms_to(OFFICER_A), "an SMS long before its time")
    (call,) = here.calls_to(OFFICER_A)
    assert (call.machine, call.answered_by) == (True, "machine_start")
    assert not accepted(here)
    assert here.calls_to(OFFICER_B) == []
    here.text(OFFICER_A, f"{code_in(asked)} oui")
    here.until(lambda: accepted(here), "a chain that has stopped")
    here.settled()
    assert moves_to(here, "officer-a", "voice")[-1] == (Outcome.FAILED, "answering machine")


def test_whose_machine_took_the_last_call_is_passed_by_at_once_and_hears_the_all_clear(here: Room) -> None:
    tier(here, 0, by=["call"])
    here.script(OFFICER_A, call="machine", answers_after_s=1.0)
    here.script(OFFICER_B, call="answer", digits=("1",))
    here.start()
    assert here.alert("STORM-1").status == 202
    here.until(lambda: accepted(here), "the next officer, long before the first one's time is over")
    assert here.calls_to(OFFICER_B)[0].digits == ["1"]
    here.settled()
    assert here.cancel("STORM-2", of="STORM-1").status == 202
    here.ended("thunderstorm")
    assert len(texts(here, OFFICER_A, "Fin d'alerte")) == 1
    assert texts(here, OFFICER_A, "annulé") == []


def test_busy_no_answer_and_out_of_reach_are_told_apart_afterwards(here: Room) -> None:
    tier(here, 0, by=["call"])
    tier(here, 1, by=["call"])
    change(here.folder.config / "chains.yaml", lambda held: held["duty-officers"].pop("exhausted"))
    here.script(OFFICER_A, call="busy")
    here.script(OFFICER_B, call="no-answer")
    here.script(OFFICER_C, coverage=False)
    here.script(DIRECTOR_A, call="answer", digits=("1",))  # whom the sheet calls then
    here.start()
    assert here.alert("STORM-1").status == 202
    here.until(lambda: here.events(e.RunEnded), "a chain at its end, nobody waited for")
    assert outcomes(here) == dict.fromkeys(("officer-a", "officer-b", "officer-c"), "unreachable")
    asks = {x.person: x.ask for x in here.events(e.Asked)}
    for person, reason in (("officer-a", "busy"), ("officer-b", "no-answer"), ("officer-c", "failed")):
        assert moves_to(here, person, "voice")[-1] == (Outcome.FAILED, reason)
        said = here.vigie("why", asks[person], "--config", str(here.folder.config))
        assert (said.code, said.err) == (0, "")
        assert f"(voice: failed ({reason}))" in said.out.splitlines()[0]
        if person != "officer-a":
            assert "tier 1, round 1: officer-a: unreachable" in said.out
            assert "(voice: failed (busy))" in said.out, "why the next ones were called"


def test_a_phone_without_coverage_brings_the_next_address_at_once(here: Room) -> None:
    second = "+32450000099"
    tier(here, 0, by=["call"])
    reach = {"call": [OFFICER_A, second]}
    change(here.folder.config / "people.yaml", lambda held: held["people"]["officer-a"].update({"reach": reach}))
    here.script(OFFICER_A, coverage=False)
    here.script(second, call="answer", digits=("1",))
    here.start()
    assert here.alert("STORM-1").status == 202
    here.until(lambda: accepted(here), "the second number, long before its time")
    assert [call.status for call in here.calls_to(OFFICER_A)] == ["failed"]
    assert here.calls_to(OFFICER_B) == []


def test_an_sms_that_comes_late_after_others_have_answered_is_followed_by_a_stand_down(here: Room) -> None:
    tier(here, 0, **{"by": ["sms", "call"], "between": f"{SHORT_S} s", "for": "1 s"})
    here.script(OFFICER_A, coverage=False, kept_s=100_000)
    here.script(OFFICER_B, call="answer", digits=("1",))
    here.start()
    assert here.alert("STORM-1").status == 202
    here.until(lambda: accepted(here), "the next officer")
    here.settled()
    assert outcomes(here)["officer-a"] == "expired", "the carrier had taken the SMS"
    phone = here.outside.do(lambda phones: phones.network.phone(OFFICER_A))
    assert phone.thread == []
    assert texts(here, OFFICER_A, "annulé") == [], "nothing has disturbed them yet, and nothing does"

    here.script(OFFICER_A, coverage=True)
    here.until(lambda: "annulé" in phone.thread[-1].body if phone.thread else False, "a stand-down behind what waited")
    assert "répondez" in phone.thread[0].body
    here.until(
        lambda: (Outcome.DELIVERED, "") in moves_to(here, "officer-a", "sms", "hub.stood-down"),
        "the stand-down's receipt",
    )
    assert len(texts(here, OFFICER_A, "annulé")) == 1
    assert outcomes(here)["officer-a"] == "expired", "as it was"


def test_an_sms_that_the_carrier_throws_away_is_followed_by_nothing(here: Room) -> None:
    tier(here, 0, **{"by": ["sms", "call"], "between": f"{SHORT_S} s", "for": "1 s"})
    here.script(OFFICER_A, coverage=False, kept_s=200)  # 6 s of ours
    here.script(OFFICER_B, call="answer", digits=("1",))
    here.start()
    assert here.alert("STORM-1").status == 202
    here.until(lambda: accepted(here), "the next officer")
    here.until(
        lambda: (Outcome.FAILED, "30003 unreachable") in moves_to(here, "officer-a", "sms"), "the carrier's last word"
    )
    here.settled()
    assert texts(here, OFFICER_A, "annulé") == []


def test_receipts_late_and_out_of_order_change_nothing_that_was_known(here: Room) -> None:
    tier(here, 0, between=f"{SHORT_S} s")
    here.script(OFFICER_A, out_of_order=True, receipt_after_s=100, call="busy")  # 3 s of ours
    here.start()
    assert here.alert("STORM-1").status == 202
    (asked,) = here.until(lambda: here.sms_to(OFFICER_A), "an SMS")
    here.until(lambda: (Outcome.FAILED, "busy") in moves_to(here, "officer-a", "voice"), "a busy line")
    here.text(OFFICER_A, f"{code_in(asked)} oui")
    here.until(lambda: accepted(here), "an answer that counts before its SMS is known to have arrived")
    arrived, busy = [(Outcome.SENT, ""), (Outcome.DELIVERED, "")], [(Outcome.SENT, ""), (Outcome.FAILED, "busy")]
    here.until(lambda: moves_to(here, "officer-a", "sms") == arrived, "the receipt, late")
    here.until(lambda: here.outside.do(all_told), "the receipts that came before others, after those others")
    here.settled()
    assert (moves_to(here, "officer-a", "sms"), moves_to(here, "officer-a", "voice")) == (arrived, busy)
    assert orders_told(here, OFFICER_A) == [["busy", "initiated"], ["delivered", "sent"]]
    assert outcomes(here) == {"officer-a": "accepted"}
    assert here.calls_to(OFFICER_B) == []
    assert texts(here, OFFICER_A, "annulé") == [], "no stand-down to who has accepted"


def orders_told(here: Room, number: str) -> list[list[str]]:
    """In which order the hub was told of a phone's call and of the SMS that asked."""
    forms = [x.form for x in here.outside.do(lambda phones: list(phones.webhooks.sent)) if x.form.get("To") == number]
    [call] = here.calls_to(number)
    asked = next(m for m in here.messages() if m.to == number)
    return [
        [form["CallStatus"] for form in forms if form.get("CallSid") == call.sid],
        [form["MessageStatus"] for form in forms if form.get("MessageSid") == asked.sid],
    ]


def test_who_says_stop_stays_on_the_roster_is_called_at_once_and_then_by_phone_alone(here: Room) -> None:
    here.script(OFFICER_A, call="hand")
    here.start()
    assert here.alert("STORM-1").status == 202
    here.until(lambda: here.sms_to(OFFICER_A), "an SMS")
    here.text(OFFICER_A, "STOP")
    (call,) = here.until(lambda: here.calls_to(OFFICER_A), "a call long before its time")
    alarm = next(a for a in here.status()["alarms"] if a["what"] == "stop-from-officer")
    assert alarm["about"] == "officer-a"
    answer(here, call)
    here.settled()
    who = here.vigie("who", "duty-officers", "--config", str(here.folder.config))
    assert "officer-a" in who.out, "nobody leaves the roster by SMS"

    before = len(here.messages())
    assert here.alert("RAIN-1", hazard="rain").status == 202
    _, again = here.until(lambda: here.calls_to(OFFICER_A)[1:] and here.calls_to(OFFICER_A), "a call, at once")
    assert moves_to(here, "officer-a", "sms")[-1] == (Outcome.FAILED, "Twilio: 21610 opted out (STOP)")
    answer(here, again)
    here.settled()
    assert OFFICER_A not in {message.to for message in here.messages()[before:]}, "Twilio takes none"

    here.text(OFFICER_A, "START")
    assert here.cancel("RAIN-2", of="RAIN-1", hazard="rain").status == 202
    here.ended("rain")
    assert any("Fin d'alerte" in text for text in here.sms_to(OFFICER_A)), "reached by SMS again"


def answer(here: Room, call: Any) -> None:
    """The officer takes a call and presses 1."""
    here.until(lambda: call.status == "ringing", "a ringing phone")
    here.outside.do(lambda phones: phones.network.answer(OFFICER_A))
    here.until(lambda: call.gathering, "a voice that listens for keys")
    here.outside.do(lambda phones: phones.network.press(OFFICER_A, "1"))
    here.until(lambda: not call.alive, "a call that is over")
