"""What people read and hear."""

import re
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from hub.dispatch.render import NoText, Room, Texts, best_info, render
from hub.model import sms
from hub.model.area import Area
from hub.model.message import Message, Text
from hub.model.people import Language
from hub.model.signal import Info, Named, Severity, Signal, Status

SMS = Room(longest=1600, parts=2, answers=True)
CALL = Room(answers=True, voice=True)

MESSAGES = {
    "storm": {
        Language.FR: Text(
            text="{headline} ({area}). Début {onset}.", subject="Alerte {severity}", voice="Parlé {area}"
        ),
        Language.NL: Text(text="{headline} ({area}). Begin {onset}."),
        Language.DE: Text(text="{headline} ({area})."),
        Language.EN: Text(text="{headline} ({area}). {unknown}From {onset} to {expires}.\nMore to come."),
    },
    "hub.merged-ask": {language: Text(text=f"{language}: {{sheets}}") for language in Language},
    "hub.exercise": {language: Text(text=f"{language.upper()} EXERCISE -") for language in Language},
    "hub.repeat": {language: Text(text="(again)") for language in Language},
    "hub.ask-hint": {language: Text(text="Answer {code}, or {code} NO.") for language in Language},
    "french-only": {Language.FR: Text(text="seulement")},
}
TEXTS = Texts(
    messages={id: Message(id=id, texts=texts) for id, texts in MESSAGES.items()},
    titles={"extreme-weather": {Language.FR: "Météo extrême", Language.NL: "Extreem weer"}},
    areas={"brussels": {Language.FR: "Région de Bruxelles", Language.NL: "Brussel"}},
)


def info(language: str, headline: str, **more: object) -> Info:
    return Info(
        language=language,
        headline=headline,
        severity=Severity.SEVERE,
        onset=datetime(2026, 7, 14, 0, 10, tzinfo=UTC),
        expires=datetime(2026, 7, 14, 4, 0, tzinfo=UTC),
        areas=(Area(description="Brabant", places=("brussels",)), Area(description="Namur")),
        **more,  # type: ignore[arg-type]
    )


SIGNAL = Signal(
    identifier="1",
    sender="kmi",
    sent=datetime(2026, 7, 13, tzinfo=UTC),
    infos=(info("nl-BE", "Onweer"), info("fr-BE", "Orage"), info("en-GB", "Storm")),
)


def test_each_reads_their_own_language_with_local_times_and_our_names_of_areas() -> None:
    french = render(TEXTS, "storm", Language.FR, signal=SIGNAL)
    assert french.text == "Orage (Région de Bruxelles, Namur). Début mar. 14/07 à 02h10."
    assert french.subject == "Alerte grave"
    assert french.voice == "Parlé Région de Bruxelles, Namur"
    assert render(TEXTS, "storm", Language.NL, signal=SIGNAL).text.startswith(
        "Onweer (Brussel, Namur). Begin di 14 jul, 02.10 uur"
    )
    assert render(TEXTS, "storm", Language.EN, signal=SIGNAL).subject.startswith("Storm (")


def test_a_place_read_from_a_text_is_told_as_it_stands_there() -> None:
    areas = (Area(description="Zuidstation", places=("brussels", "saint-gilles"), from_text=True),)
    signal = replace(SIGNAL, infos=(replace(SIGNAL.infos[1], areas=areas),))
    assert render(TEXTS, "storm", Language.FR, signal=signal).text.startswith("Orage (Zuidstation).")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (Language.FR, "mardi 14 juillet à 2 heures 10"),
        (Language.NL, "dinsdag 14 juli om 2 uur 10"),
        (Language.DE, "Dienstag, 14. Juli, 2 Uhr 10"),
        (Language.EN, "Tuesday 14 July at 2:10"),
    ],
)
def test_a_call_says_times_in_whole_words(language: Language, said: str) -> None:
    texts = Texts(messages={"t": Message(id="t", texts={language: Text(text="x {onset}", voice="y {onset}")})})
    rendered = render(texts, "t", language, signal=SIGNAL, room=CALL)
    assert rendered.voice == f"y {said}"
    assert said not in rendered.text
    assert said not in render(texts, "t", language, signal=SIGNAL, room=SMS).voice


def test_a_time_or_place_nobody_gave_is_seen_to_be_missing() -> None:
    bare = Signal(identifier="1", sender="x", sent=SIGNAL.sent, infos=(Info(language="en", headline="Storm"),))
    texts = Texts(
        messages={"t": Message(id="t", texts={Language.EN: Text(text="{headline}, {area}, until {expires}.")})}
    )
    assert render(texts, "t", Language.EN, signal=bare).text == "Storm, ?, until ?."


def test_who_has_no_block_of_their_language_reads_another() -> None:
    assert render(TEXTS, "storm", Language.DE, signal=SIGNAL).text.startswith("Orage (")
    only = Signal(identifier="1", sender="x", sent=SIGNAL.sent, infos=(info("sv-SE", "Åska"),))
    assert render(TEXTS, "storm", Language.DE, signal=only).text.startswith("Åska")
    assert render(TEXTS, "french-only", Language.DE).text == "seulement"


def test_the_severest_block_speaks_and_of_those_the_first() -> None:
    extreme = info("fr-BE", "Ouragan")
    later = info("fr", "Plus tard")
    blocks = (info("fr", "Un"), later, extreme)
    signal = Signal(identifier="1", sender="x", sent=SIGNAL.sent, infos=blocks)
    assert best_info(signal, Language.FR) is blocks[0]
    severest = Signal(identifier="1", sender="x", sent=SIGNAL.sent, infos=(info("fr", "Un"), _extreme("Pire")))
    found = best_info(severest, Language.FR)
    assert found is not None
    assert found.headline == "Pire"


def _extreme(headline: str) -> Info:
    return Info(language="fr", headline=headline, severity=Severity.EXTREME)


@pytest.mark.parametrize(("status", "first"), [(Status.EXERCISE, "FR EXERCISE - "), (Status.TEST, "FR EXERCISE - ")])
def test_an_exercise_says_so_everywhere_and_first(status: Status, first: str) -> None:
    rendered = render(TEXTS, "storm", Language.FR, signal=SIGNAL, status=status, repeat=True)
    banner = "EXERCICE – OEFENING – ÜBUNG – EXERCISE" if status is Status.EXERCISE else ""
    assert rendered.text.startswith(f"{banner}\n{first}(again) ".lstrip())
    assert rendered.subject.startswith(f"{banner} {first}(again) ".lstrip())
    assert rendered.voice.startswith(f"{first}(again) ")
    assert rendered.voice.endswith(" FR EXERCISE."), "who was half asleep at the beginning hears it at the end"


def test_an_sms_says_it_in_its_readers_language_and_costs_no_part_more() -> None:
    text = render(TEXTS, "storm", Language.NL, signal=SIGNAL, status=Status.EXERCISE, room=SMS).text
    assert text.startswith("NL EXERCISE - ")
    assert "ÜBUNG" not in text


def test_an_exercise_is_known_for_one_even_without_any_message() -> None:
    bare = Texts(messages={"storm": TEXTS.messages["storm"]})
    rendered = render(bare, "storm", Language.FR, values=(("code", "B"),), status=Status.EXERCISE, room=SMS)
    assert rendered.text.startswith("EXERCICE OEFENING")
    assert rendered.text.endswith("B?")


def test_a_text_says_how_to_answer_and_a_call_does_not() -> None:
    values = (("code", "BK"),)
    assert render(TEXTS, "storm", Language.EN, values=values, room=SMS).text.endswith("\nAnswer BK, or BK NO.")
    assert "Answer" not in render(TEXTS, "storm", Language.EN, values=values, room=CALL).text
    assert "Answer" not in render(TEXTS, "storm", Language.EN, values=values, room=Room()).text
    assert "Answer" not in render(TEXTS, "storm", Language.EN, room=SMS).text


def test_one_call_for_two_sheets_names_both() -> None:
    values = (("code", "B"), ("sheets", "extreme-weather,gas-leak"))
    assert render(TEXTS, "hub.merged-ask", Language.NL, values=values).text == "nl: Extreem weer + gas-leak"


def test_whole_hours_and_firsts_of_a_month_are_said_as_people_say_them() -> None:
    at = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)  # one o'clock in Brussels
    signal = Signal(identifier="1", sender="x", sent=at, infos=(Info(language="fr"),))
    texts = Texts(messages={"t": Message(id="t", texts=dict.fromkeys(Language, Text(text="{sent}")))})
    said = [render(texts, "t", language, signal=signal, room=CALL).voice for language in Language]
    assert said == [
        "dimanche 1er mars à 1 heure",
        "zondag 1 maart om 1 uur",
        "Sonntag, 1. März, 1 Uhr",
        "Sunday 1 March at 1:00",
    ]


def test_a_voice_reads_out_no_link_and_no_slash() -> None:
    signal = Signal(
        identifier="1",
        sender="x",
        sent=SIGNAL.sent,
        infos=(info("fr", "Gaz, 24/7 (https://example.org/a?b=c) à Uccle/Ukkel: voir http://example.org/x"),),
    )
    texts = Texts(messages={"t": Message(id="t", texts={Language.FR: Text(text="{headline}")})})
    made = render(texts, "t", Language.FR, signal=signal, room=CALL)
    assert made.voice == "Gaz, 24/7 à Uccle, Ukkel: voir"
    assert "https://example.org/a?b=c" in made.text


def test_where_a_text_is_too_long_what_the_sender_wrote_is_shortened_between_words() -> None:
    long = Signal(identifier="1", sender="x", sent=SIGNAL.sent, infos=(info("fr", "Très long ŷ " * 200),))
    values = (("code", "BK"),)
    for room in (SMS, Room(longest=200, answers=True)):
        text = render(TEXTS, "storm", Language.FR, values=values, signal=long, status=Status.EXERCISE, room=room).text
        assert re.fullmatch(
            r"(EXERCICE – OEFENING – ÜBUNG – EXERCISE\n)?"
            r"FR EXERCISE - (Très long [yŷ] )+(Très|Très long|Très long [yŷ])\.\.\."
            r" \(Région de Bruxelles, Namur\)\. Début mar\. 14/07 à 02h10\.\nAnswer BK, or BK NO\.",
            text,
        ), text
        assert sms.segments(text).parts <= 2 if room.parts else len(text) <= 200


def test_before_anything_is_left_out_the_accents_go_that_take_twice_the_room() -> None:
    signal = Signal(
        identifier="1", sender="x", sent=SIGNAL.sent, infos=(info("fr", "Grêle, évacuée: " + "forêt " * 20),)
    )
    text = render(TEXTS, "storm", Language.FR, signal=signal, room=Room(parts=2)).text
    assert text == "Grele, évacuée: " + "foret " * 19 + "foret (Région de Bruxelles, Namur). Début mar. 14/07 à 02h10."
    assert "Grêle" in render(TEXTS, "storm", Language.FR, signal=signal, room=Room(parts=4)).text


def test_a_message_that_is_too_long_by_itself_loses_its_end_and_never_its_code() -> None:
    long = Message(id="t", texts={Language.FR: Text(text="Un mot de trop. " * 40)})
    texts = Texts(messages={"t": long, "hub.ask-hint": TEXTS.messages["hub.ask-hint"]})
    text = render(texts, "t", Language.FR, values=(("code", "BK"),), room=SMS).text
    assert re.fullmatch(r"(Un mot de trop\. )+(Un|Un mot|Un mot de)( trop\.)?\.\.\.\nAnswer BK, or BK NO\.", text)
    assert sms.segments(text).parts == 2


def test_a_long_subject_ends_with_a_word() -> None:
    signal = Signal(identifier="1", sender="x", sent=SIGNAL.sent, infos=(info("nl", "Onweersbui " * 30),))
    subject = render(TEXTS, "storm", Language.NL, signal=signal).subject
    assert len(subject) <= 150
    assert subject.endswith(" Onweersbui...")


def test_what_a_sender_writes_is_no_template() -> None:
    sly = Signal(identifier="1", sender="x", sent=SIGNAL.sent, infos=(info("fr", "{code} {sender}\n{{x}}"),))
    text = render(TEXTS, "storm", Language.FR, values=(("code", "B"),), signal=sly).text
    assert text.startswith("{code} {sender} {{x}} (")


def test_what_was_given_by_hand_fills_the_message_and_cannot_pose_as_more() -> None:
    by_hand = info("fr", "Orage", parameters=(Named("unknown", "Site: Midi. "), Named("x y", "no")))
    signal = Signal(identifier="1", sender="x", sent=SIGNAL.sent, infos=(by_hand,))
    assert "Site: Midi. From" in render(TEXTS, "storm", Language.EN, signal=signal).text


def test_holes_nobody_can_fill_are_left_out_and_a_message_not_in_force_is_said() -> None:
    assert render(TEXTS, "storm", Language.EN).text == " (). From  to .\nMore to come."
    with pytest.raises(NoText, match='no message "gone" is in force'):
        render(TEXTS, "gone", Language.FR)
