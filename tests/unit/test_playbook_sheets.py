"""The centre's reflex sheets, with the messages and areas they use, and what the four of the spine are met by. What
each does is proved beside it (playbooks/*.test.yaml)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.config import Config
from hub.intake.geography import Geography, load_areas, shape_files
from hub.model.area import Area, Geocode
from hub.model.message import Message
from hub.model.people import Language
from hub.model.signal import Category, Certainty, Hazard, Info, Severity, Signal, Urgency
from hub.model.sms import Encoding, segments
from hub.model.trust import Credibility, Reliability
from hub.playbook.language import Call, DraftBroadcast, Mode, Notify, Playbook, SendContacts, Tasks
from hub.playbook.match import Matcher
from tests.conftest import shipped

ROOT = Path(__file__).resolve().parent.parent.parent
NOW = datetime(2026, 7, 14, 0, 10, tzinfo=UTC)
SHEETS = ("crisis-centre-activation", "emergency-calls-outage", "extreme-weather", "provincial-phase")
ALL = sorted(p.stem for p in (ROOT / "playbooks").glob("*.yaml") if not p.name.endswith(".test.yaml"))
HUB_MESSAGES = """
access-list call-list contacts report report-waits
accepted accepted-eta declined delegated delegate-unknown too-late stood-down which not-understood nothing-open
merged-ask ask-hint verify-hint verify verdict verdict-and repeat exercise test
update all-clear broadcast-waits opted-out opted-in not-read digest storm doubted duty-begins duty-ends duty-now
"""


@pytest.fixture(scope="module")
def here() -> Geography:
    text = (ROOT / "config" / "areas.yaml").read_text()
    shapes = {name: (ROOT / "config" / name).read_text() for name in shape_files(text, "areas.yaml")}
    geography, _ = load_areas(text, "areas.yaml", shapes)
    assert geography is not None
    return geography


@pytest.fixture(scope="module")
def example() -> Config:
    config, findings = shipped()
    assert [str(f) for f in findings] == []
    return config


@pytest.fixture(scope="module")
def messages(example: Config) -> Mapping[str, Message]:
    return example.messages


@pytest.fixture(scope="module")
def every_sheet(example: Config) -> dict[str, Playbook]:
    return {playbook.name: playbook for playbook in example.playbooks}


@pytest.fixture(scope="module")
def sheets(every_sheet: dict[str, Playbook]) -> dict[str, Playbook]:
    """The four of the spine."""
    return {name: every_sheet[name] for name in SHEETS}


def test_all_are_there_and_complete(every_sheet: dict[str, Playbook], sheets: dict[str, Playbook]) -> None:
    assert sorted(every_sheet) == ALL
    assert all(sheet.mode is Mode.LIVE for sheet in sheets.values())
    for sheet in every_sheet.values():
        assert sheet.mode is not Mode.DRAFT
        assert sheet.by_hand is not None
        assert any(isinstance(s.action, Call) for s in sheet.steps)
        assert any(isinstance(s.action, Tasks) for s in sheet.steps)
        ends = [s for s in sheet.steps if s.at_end and isinstance(s.action, Notify) and s.action.everyone_reached]
        assert len(ends) == 1


def test_an_unanswered_call_always_goes_on_to_somebody(every_sheet: dict[str, Playbook]) -> None:
    for sheet in every_sheet.values():
        waited_for = {
            (a.step, a.outcome.value) for s in sheet.steps if s.after is not None for a in s.after.any + s.after.all
        }
        calls = [s for s in sheet.steps if isinstance(s.action, Call) and s.action.chain != "directors"]
        assert calls
        for step in calls:
            assert (step.name, "exhausted") in waited_for, f"{sheet.name}: {step.name}"


def test_each_discipline_has_its_task_where_the_public_is_in_danger(sheets: dict[str, Playbook]) -> None:
    for name in ("emergency-calls-outage", "provincial-phase"):
        tasks = [t for s in sheets[name].steps if isinstance(s.action, Tasks) for t in s.action.tasks]
        for discipline in ("D1", "D2", "D3", "D4", "D5"):
            assert any(discipline in t.who for t in tasks)


def test_no_message_is_left_unused_and_the_hub_has_its_own(
    every_sheet: dict[str, Playbook], messages: Mapping[str, Message]
) -> None:
    said = {
        s.action.say
        for p in every_sheet.values()
        for s in p.steps
        if isinstance(s.action, Call | Notify | SendContacts | DraftBroadcast)
    } | {"hub.contacts"}
    said |= {s.action.all_clear for p in every_sheet.values() for s in p.steps if isinstance(s.action, DraftBroadcast)}
    assert set(messages) == said | {f"hub.{name}" for name in HUB_MESSAGES.split()}


@pytest.mark.parametrize("language", list(Language))
def test_texts_fit_two_sms_in_the_phones_old_alphabet(messages: Mapping[str, Message], language: Language) -> None:
    usual = {"headline": "Avertissement orange orage en Belgique - Brabant", "area": "Brabant", "meeting": "RCCR 22:00"}
    for message in messages.values():
        text = message.texts[language].text
        for name, value in usual.items():
            text = text.replace(f"{{{name}}}", value)
        size = segments(text)
        assert size.encoding is Encoding.GSM7, message.id
        assert size.parts <= 2, message.id


def test_what_is_spoken_has_no_signs_a_voice_stumbles_on(messages: Mapping[str, Message]) -> None:
    asks = [m for m in messages.values() if m.texts[Language.FR].voice]
    assert len(asks) >= 12
    for message in asks:
        for text in message.texts.values():
            assert not set(text.voice) & set("/()[]#&*"), message.id


# --- what meets them -----------------------------------------------------------------------------------------


def kmi(here: Geography, **fields: Any) -> Signal:
    """A warning as MeteoAlarm carries KMI's: four languages, Brussels as Brabant."""
    given_: dict[str, Any] = {
        "categories": (Category.MET,),
        "hazard": Hazard.THUNDERSTORM,
        "urgency": Urgency.IMMEDIATE,
        "severity": Severity.SEVERE,
        "certainty": Certainty.LIKELY,
        "onset": NOW + timedelta(hours=40),
        "areas": (Area(description="Brabant", geocodes=(Geocode("EMMA_ID", "BE004"),)),),
    }
    infos = tuple(Info(language=lang, **{**given_, **fields}) for lang in ("nl-BE", "fr-BE", "en-GB", "de-DE"))
    signal = Signal(
        source="kmi", identifier="1", sender="kmi-irm", sent=NOW, infos=infos,
        reliability=Reliability.A, credibility=Credibility.PROBABLY_TRUE,
    )  # fmt: skip
    return here.locate(signal, "2026-07-14")


def met(sheets: dict[str, Playbook], signal: Signal) -> list[str]:
    return [m.playbook for m in Matcher(sheets.values()).match(signal, NOW)]


def test_an_orange_warning_for_brabant_meets_extreme_weather(sheets: dict[str, Playbook], here: Geography) -> None:
    assert met(sheets, kmi(here)) == ["extreme-weather"]


def test_a_yellow_warning_meets_nothing(sheets: dict[str, Playbook], here: Geography) -> None:
    assert met(sheets, kmi(here, severity=Severity.MODERATE)) == []


def test_a_red_warning_that_is_only_possible_meets_it(sheets: dict[str, Playbook], here: Geography) -> None:
    assert met(sheets, kmi(here, severity=Severity.EXTREME, certainty=Certainty.POSSIBLE)) == ["extreme-weather"]
    assert met(sheets, kmi(here, severity=Severity.SEVERE, certainty=Certainty.POSSIBLE)) == []


def test_a_warning_for_flanders_only_meets_nothing(sheets: dict[str, Playbook], here: Geography) -> None:
    assert (
        met(sheets, kmi(here, areas=(Area(description="West-Vlaanderen", geocodes=(Geocode("NUTS2", "BE25"),)),))) == []
    )


def partner(
    text: str = "",
    reliability: Reliability = Reliability.B,
    hazard: Hazard | None = None,
    urgency: Urgency = Urgency.UNKNOWN,
) -> Signal:
    return Signal(
        source="partner", identifier="1", sender="p", sent=NOW,
        infos=(Info(headline=text, hazard=hazard, urgency=urgency),),
        reliability=reliability, credibility=Credibility.PROBABLY_TRUE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        (partner(hazard=Hazard.EMERGENCY_CALLS), ["emergency-calls-outage"]),
        (partner("Panne nationale, le 112 ne répond plus", hazard=Hazard.TELECOM), ["emergency-calls-outage"]),
        (partner("Panne nationale de téléphonie fixe", hazard=Hazard.TELECOM), []),
        (partner("Pannes du 112 : la Région touchée"), ["emergency-calls-outage"]),
        (partner("Noodcentrale onbereikbaar in Brussel"), ["emergency-calls-outage"]),
        (partner("Notrufe gestört"), ["emergency-calls-outage"]),
        (partner("Pannes du 112 ?", reliability=Reliability.F), []),
        (partner("Le 112 fête ses trente ans"), []),
        (partner(hazard=Hazard.CRISIS_CENTRE, urgency=Urgency.IMMEDIATE), ["crisis-centre-activation"]),
        (partner(hazard=Hazard.CRISIS_CENTRE), []),
        (partner(hazard=Hazard.CRISIS_CENTRE, urgency=Urgency.IMMEDIATE, reliability=Reliability.E), []),
    ],
)
def test_partners_and_press_meet_their_sheet(sheets: dict[str, Playbook], signal: Signal, expected: list[str]) -> None:
    assert met(sheets, signal) == expected


def test_a_provincial_phase_is_started_by_hand_only(sheets: dict[str, Playbook]) -> None:
    sheet = sheets["provincial-phase"]
    assert sheet.when == ()
    assert sheet.incident.by_officer
    assert sheet.by_hand is not None
    assert {f.name for f in sheet.by_hand.fields} == {"headline", "area", "decided-by", "meeting"}
