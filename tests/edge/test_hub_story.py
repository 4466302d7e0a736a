"""The whole way, with a real hub in a process of its own, the real Twilio SDK and stand-ins on loopback: a warning in,
a phone that rings, an answer, a chain that stops, partners who hear of it, and the all-clear."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.model import events as e
from hub.model import records as r
from tests.edge.running import (
    CELL_D5,
    DIRECTOR_A,
    DIRECTOR_B,
    EXERCISE_AT,
    OFFICER_A,
    OFFICER_B,
    OFFICER_C,
    Room,
    cap_xml,
    change,
    code_in,
    configure_sources,
    polled,
    room,
)

PARTNERS_TOLD = 29  # six zones, siamu, stib, mobility, environment, nineteen communes
CELL = {"fr": "+32450000021", "nl": "+32450000022", "de": "+32450000023", "en": CELL_D5}
KMI = "kmi.example/warnings"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with room(tmp_path_factory.mktemp("story"), between_s=0.6, answer_s=3) as made:
        url = made.publish(KMI, cap_xml("KMI-0", msg_type="Alert", event="Green warning").replace(b"Extreme", b"Minor"))
        configure_sources(made, {"kmi-irm": polled(url)})
        change(made.folder.config / "people.yaml", lambda held: held["people"]["cell-d3"].update({"language": "de"}))
        change(made.folder.config / "chains.yaml", _four_of_the_cell)
        made.start()
        yield made
        made.settled()
        assert made.outside.do(lambda phones: phones.exchange.problems) == [], "every callback was taken"
        assert made.stop() == 0
        made.gone()


def _four_of_the_cell(chains: Any) -> None:
    """Four have to come, and have time to say so."""
    chains["crisis-cell"]["need"] = 4
    chains["crisis-cell"]["tiers"][0].update({"between": "60 s", "for": "2 min"})


def incident(here: Room, hazard: str) -> Any:
    return next((i for i in here.status()["incidents"] if hazard in i["key"]), None)


def step(here: Room, hazard: str, name: str) -> str:
    found = incident(here, hazard)
    return str(found["steps"].get(name, "")) if found else ""


def since(texts: list[str], before: int, word: str) -> list[str]:
    return [text for text in texts[before:] if word in text]


def test_an_alert_rings_until_somebody_presses_1_and_all_who_were_reached_hear_the_all_clear(here: Room) -> None:
    here.script(OFFICER_A, call="hand")
    texts, calls = len(here.sms_to(OFFICER_A)), len(here.calls_to(OFFICER_A))
    others = len(here.sms_to(OFFICER_B)), len(here.calls_to(OFFICER_B))
    answer = here.alert("THUNDER-1")
    assert (answer.status, answer.json()["repeated"]) == (202, False)
    (asked,) = here.until(lambda: here.sms_to(OFFICER_A)[texts:], "an SMS on the officer's phone")
    assert "Essai THUNDER-1" in asked, "in the officer's language"
    assert code_in(asked)

    (call,) = here.until(lambda: here.calls_to(OFFICER_A)[calls:], "a call after the SMS")
    here.until(lambda: call.status == "ringing", "a ringing phone")
    here.outside.do(lambda phones: phones.network.answer(OFFICER_A))
    here.until(lambda: call.gathering, "a voice that listens for keys")
    here.outside.do(lambda phones: phones.network.press(OFFICER_A, "1"))
    here.until(lambda: step(here, "thunderstorm", "wake") == "accepted", "a chain that has stopped")
    here.settled()

    assert call.digits == ["1"]
    assert any("accepté" in caption.text for caption in call.captions)
    assert (len(here.sms_to(OFFICER_B)), len(here.calls_to(OFFICER_B))) == others, "nobody else was rung"
    assert step(here, "thunderstorm", "partners") == "sent"
    told = [m.to for m in here.messages() if "SITCEN" in m.body and "THUNDER-1" in m.body]
    assert len(told) == len(set(told)) == PARTNERS_TOLD

    before = {m.sid for m in here.messages()}
    mails = here.mails()
    assert here.cancel("THUNDER-2", of="THUNDER-1").status == 202
    here.ended("thunderstorm")
    cleared = [m.to for m in here.messages() if m.sid not in before]
    assert sorted(cleared) == sorted([*told, OFFICER_A]), "each who was reached, and nobody else"
    assert here.mails() == mails + 2, "the two authorities, who are reached by mail alone"


def test_a_warning_of_a_feed_calls_and_its_cancel_stands_the_chain_down(here: Room) -> None:
    here.script(OFFICER_A, call="no-answer")
    before = len(here.sms_to(OFFICER_A))
    here.publish(KMI, cap_xml("KMI-1", event="Red warning for wind").replace(b"3; Thunderstorm", b"1; Wind"))
    here.until(lambda: since(here.sms_to(OFFICER_A), before, "Orage KMI-1"), "an SMS of the warning")
    reference = _reference(here, "KMI-1")
    here.publish(
        KMI,
        cap_xml("KMI-2", msg_type="Cancel", references=reference, event="Green warning for wind").replace(
            b"3; Thunderstorm", b"1; Wind"
        ),
    )
    here.ended("wind")
    runs = {run.run: run for run in here.events(e.RunEnded)}
    last = here.events(e.RunBegan)[-1]
    assert runs[last.run].outcome == "cancelled"
    assert since(here.sms_to(OFFICER_A), before, "Fin d'alerte"), "who had the SMS hears that it is over"


def _reference(here: Room, identifier: str) -> str:
    """`sender,identifier,sent` of a signal, as a CAP Cancel names it."""
    with here.journal() as reading:
        for record in here.records("signal"):
            if isinstance(record, r.Fact):
                (entry,) = reading.vault([record.vault])
                if entry and identifier.encode() in entry.payload:
                    signal = msgspec.json.decode(entry.payload)
                    return f"{signal['sender']},{signal['identifier']},{signal['sent']}"
    raise AssertionError(f"no signal {identifier}")


def test_answers_by_sms_in_four_languages_are_confirmed_in_each(here: Room) -> None:
    before = {language: len(here.sms_to(number)) for language, number in CELL.items()}
    said = here.command(
        "start", "provincial-phase", "headline=Essai", "area=Ixelles", "decided-by=moi", "meeting=salle 1",
        "--by", "officer-a",
    )  # fmt: skip
    assert (said.code, said.err) == (0, "")
    asked = {
        language: here.until(lambda n=number, b=before[language]: here.sms_to(n)[b:], f"an SMS in {language}")[0]
        for language, number in CELL.items()
    }
    assert [word in asked[language] for language, word in _ASKED.items()] == [True] * 4
    answers = {"fr": "oui", "nl": "JA", "de": "Ja, ich komme", "en": "yes"}
    for language, number in CELL.items():
        here.text(number, f"{code_in(asked[language])} {answers[language]}")
    here.until(lambda: any(s.step == "cell" and s.outcome == "accepted" for s in here.events(e.StepEnded)), "four yes")
    here.settled()
    for language, number in CELL.items():
        confirmed = here.sms_to(number)[before[language] :]
        assert any(_NOTED[language] in text for text in confirmed), (language, confirmed)
    (opened,) = [i for i in here.status()["incidents"] if i["playbook"] == "provincial-phase"]
    done = here.api("POST", f"/api/incidents/{opened['id']}/end", {"by": "officer-a", "why": "it was a test"})
    assert done.status == 200, done
    here.settled()


_ASKED = {"fr": "PHASE PROVINCIALE", "nl": "PROVINCIALE FASE", "de": "PROVINZIALE PHASE", "en": "PROVINCIAL PHASE"}
_NOTED = {"fr": "c'est noté", "nl": "genoteerd", "de": "notiert", "en": "noted"}


def test_a_stranger_is_recorded_and_shown_in_the_room_but_acts_on_nothing(here: Room) -> None:
    stranger = "+32470999888"
    here.text(stranger, "oui")
    here.until(lambda: "unknown-sender" in {a["what"] for a in here.status()["alarms"]}, "an alarm in the room")
    replies = [reply for reply in here.facts("reply") if not reply.person]
    assert replies, "kept"
    assert all(stranger not in str(reply) for reply in replies), "the number lies in the vault, not in the record"
    here.settled()
    assert here.sms_to(stranger) == []
    (alarm,) = [a for a in here.status()["alarms"] if a["what"] == "unknown-sender"]
    assert here.api("POST", f"/api/alarms/{alarm['id']}/acknowledge", {"by": "officer-a"}).status == 200
    here.until(lambda: not [a for a in here.status()["alarms"] if a["id"] == alarm["id"]], "an alarm that is gone")


def test_when_nobody_answers_the_directors_are_called_and_the_room_is_alarmed(here: Room) -> None:
    numbers = (OFFICER_A, OFFICER_B, OFFICER_C, DIRECTOR_A, DIRECTOR_B)
    for number in numbers:
        here.script(number, call="no-answer")
    before = {number: len(here.calls_to(number)) + len(here.sms_to(number)) for number in numbers}
    assert here.alert("RAIN-1", hazard="rain").status == 202
    here.until(
        lambda: any("flood" in a["detail"] for a in here.status()["alarms"] if a["what"] == "chain-exhausted"),
        "an alarm in the room",
    )
    here.until(lambda: step(here, "rain", "partners") == "sent", "partners who are warned all the same")
    here.until(lambda: not here.status()["chains"], "the directors' chain at its end")
    for number in numbers:
        assert len(here.calls_to(number)) + len(here.sms_to(number)) > before[number], f"{number} was tried"
    assert step(here, "rain", "wake") == "exhausted"
    assert step(here, "rain", "director") == "exhausted"
    said = here.vigie("status", "--config", str(here.folder.config))
    assert said.code == 0
    assert "chain-exhausted" in said.out
    assert here.cancel("RAIN-2", of="RAIN-1", hazard="rain").status == 202
    here.ended("rain")


def test_in_a_playback_everything_says_that_it_is_an_exercise_and_only_there_time_may_jump(
    here: Room, tmp_path: Path
) -> None:
    refused = here.api("POST", "/api/playback/clock", {"at": "2099-01-01T00:00:00Z"})
    assert refused.status == 422
    assert "no playback" in refused.json()["detail"]
    with room(tmp_path, between_s=60, answer_s=1800) as there:
        there.start("--at", EXERCISE_AT)
        times = {"sent": EXERCISE_AT, "onset": EXERCISE_AT, "expires": "2026-10-14T03:00:00+02:00"}
        assert there.alert("PLAYED-1", **times).status == 202, "that day's alert, signed today"
        there.until(lambda: there.sms_to(OFFICER_A), "an SMS")
        assert there.sms_to(OFFICER_A)[0].startswith("EXERCICE - ")
        assert {x.status for x in there.facts("signal")} == {"Exercise"}
        assert {x.status for x in there.events(e.Opened)} == {"Exercise"}
        assert there.status()["now"].startswith("2026-10-13T19:0")
        # The time to answer goes by at once: who has not been rung yet is, then the next in line.
        for time, officer in (("21:31:00", OFFICER_A), ("21:32:10", OFFICER_B)):
            jumped = there.api("POST", "/api/playback/clock", {"at": f"2026-10-13T{time}+02:00"})
            assert jumped.status == 200, jumped
            there.until(lambda who=officer: there.calls_to(who), f"a call to {officer}")  # type: ignore[misc]
        back = there.api("POST", "/api/playback/clock", {"at": EXERCISE_AT})
        assert back.status == 422
        assert "cannot go back" in back.json()["detail"]
        assert there.stop() == 0
