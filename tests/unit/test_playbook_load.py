"""From the text of a sheet to its structs: how each key reads."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from hub.model.people import Asked, Contact, Language
from hub.model.signal import Severity, Status
from hub.model.trust import Credibility, Reliability
from hub.playbook.language import After, Condition, Notify, Outcome, Playbook, Tasks, Trust, Wait
from hub.playbook.load import load
from hub.playbook.messages import load_messages, placeholders
from hub.playbook.schema import messages_schema, playbook_schema

ROOT = Path(__file__).resolve().parent.parent.parent
HEAD = "playbook: p\ntitle:\n  fr: a\n  nl: b\n  de: c\n  en: d\nowner: sitcen\n"
CALL = "steps:\n  wake:\n    call: officers\n    say: ask\n"


def sheet(when: str = "  hazard: gas-leak\n", steps: str = CALL, more: str = "") -> Playbook:
    playbook, findings = load(f"{HEAD}{more}when:\n{when}{steps}", "p.yaml")
    assert [str(f) for f in findings] == []
    assert playbook is not None
    return playbook


def test_the_version_is_the_hash_of_the_text() -> None:
    text = f"{HEAD}when:\n  hazard: gas-leak\n{CALL}"
    playbook, _ = load(text, "p.yaml")
    assert playbook is not None
    assert playbook.version == hashlib.sha256(text.encode()).hexdigest()
    assert load(text.encode(), "p.yaml")[0] == playbook


def test_a_sheet_is_a_draft_that_takes_real_signals_and_exercises_unless_it_says_otherwise() -> None:
    playbook = sheet()
    assert playbook.mode.value == "draft"
    assert playbook.when[0].status == (Status.ACTUAL, Status.EXERCISE)
    assert playbook.incident.within_s == 6 * 3600
    assert sheet("  hazard: gas-leak\n  status: Exercise\n").when[0].status == (Status.EXERCISE,)


@pytest.mark.parametrize(
    ("written", "levels"),
    [
        ("at least Severe", (Severity.SEVERE, Severity.EXTREME)),
        ("Severe", (Severity.SEVERE,)),
        ("[Extreme, Minor]", (Severity.MINOR, Severity.EXTREME)),
        ("at least Unknown", tuple(Severity)),
    ],
)
def test_levels(written: str, levels: tuple[Severity, ...]) -> None:
    assert sheet(f"  severity: {written}\n").when[0].severity == levels


def test_trust_and_several_whens() -> None:
    playbook = sheet("  - trust: at least B2\n    words: fuite de gaz\n  - area: [ixelles, uccle]\n")
    assert playbook.when[0].trust == Trust(Reliability.B, Credibility.PROBABLY_TRUE)
    assert playbook.when[0].words == ("fuite de gaz",)
    assert playbook.when[1].areas == ("ixelles", "uccle")


def test_conditions_between_steps() -> None:
    steps = CALL + (
        "  pause:\n    after: wake is exhausted\n    wait: 5 min\n"
        "  tell:\n    after:\n      any of: [wake is accepted, pause is over]\n"
        "    notify: siamu\n    by: sms\n    say: m\n"
        "  again:\n    after:\n      all of:\n        - wake is accepted\n        - tell is sent\n"
        "    notify: [roster on-call, person officer-a, group siamu]\n    by: [call, email]\n    say: m\n"
        "    every: 2h\n    until: pause is over\n"
    )
    playbook = sheet(steps=steps)
    assert playbook.step("pause").after == Condition(all=(After("wake", Outcome.EXHAUSTED),))
    assert playbook.step("pause").action == Wait(seconds=300.0)
    assert playbook.step("tell").after == Condition(any=(After("wake", Outcome.ACCEPTED), After("pause", Outcome.OVER)))
    again = playbook.step("again")
    assert again.after == Condition(all=(After("wake", Outcome.ACCEPTED), After("tell", Outcome.SENT)))
    assert again.every_s == 7200.0
    assert again.until == Condition(all=(After("pause", Outcome.OVER),))
    assert again.action == Notify(
        say="m",
        to=(Contact(Asked.ROSTER, "on-call"), Contact(Asked.PERSON, "officer-a"), Contact(Asked.GROUP, "siamu")),
        by=("voice", "email"),
    )


def test_the_end_of_an_incident() -> None:
    steps = CALL + "  over:\n    when: incident ends\n    notify: everyone reached\n    say: m\n"
    playbook = sheet(steps=steps, more="incident:\n  one per: [hazard, area]\n  within: 2 days\n"
                     "  ends: when an officer ends it\n")  # fmt: skip
    assert playbook.step("over").at_end
    assert playbook.step("over").action == Notify(say="m", everyone_reached=True)
    assert playbook.incident.one_per == ("hazard", "area")
    assert playbook.incident.within_s == 172_800.0
    assert playbook.incident.by_officer


def test_tasks() -> None:
    steps = CALL + (
        "  list:\n    after: wake is accepted\n    tasks:\n"
        "      - do:\n          fr: a\n          nl: b\n          de: c\n          en: d\n"
        "        who: D4\n        due: 30 min\n"
    )
    action = sheet(steps=steps).step("list").action
    assert isinstance(action, Tasks)
    assert action.tasks[0].do[Language.DE] == "c"
    assert action.tasks[0].due_s == 1800.0


def test_start_by_hand_short_and_long() -> None:
    short = sheet(more="start by hand: duty-officer\n").by_hand
    assert short is not None
    assert (short.who, short.fields) == ("duty-officer", ())
    long = sheet(
        more="start by hand:\n  who: roster on-call\n  asks:\n    place:\n      fr: Où\n      nl: Waar\n      de: Wo\n"
        "      en: Where\n      required: no\n"
    ).by_hand
    assert long is not None
    assert [(f.name, f.ask[Language.NL], f.required) for f in long.fields] == [("place", "Waar", False)]


def test_an_exercise_sheet_of_one_status_reads_aloud() -> None:
    assert sheet("  status: [Exercise, Test]\n  category: Met\n").when[0].status == (Status.EXERCISE, Status.TEST)


# --- messages ------------------------------------------------------------------------------------------------


def message(fr: str = "{headline}", **others: str) -> str:
    texts = {"fr": fr, "nl": "{headline}", "de": "{headline}", "en": "{headline}", **others}
    return "m:\n" + "".join(f'  {language}: "{text}"\n' for language, text in texts.items() if text)


def test_a_message_is_a_text_or_text_subject_and_voice() -> None:
    text = message().replace('  fr: "{headline}"', "  fr:\n    text: '{headline}'\n    subject: S\n    voice: V {area}")
    messages, findings = load_messages(text, "m.yaml")
    assert findings == []
    assert messages is not None
    assert messages["m"].texts[Language.FR].voice == "V {area}"
    assert messages["m"].texts[Language.NL].voice == ""
    assert placeholders(messages["m"]) == {"headline", "area"}


@pytest.mark.parametrize(
    ("text", "rule", "warning"),
    [
        (message(de=""), "missing-key", False),
        (message("{headline} {Headline}"), "unknown-placeholder", False),
        (message("{headline"), "lone-brace", False),
        (message("{headline} " + "x" * 500), "long-sms", True),
        (message("headline"), "missing-placeholder", True),
        (message().replace("m:", "M M:"), "not-an-id", False),
        (message().replace("  fr:", "  es:"), "unknown-key", False),
    ],
)
def test_faults_in_messages_are_told(text: str, rule: str, warning: bool) -> None:
    messages, findings = load_messages(text, "m.yaml")
    assert (rule, warning) in [(f.rule, f.warning) for f in findings]
    assert (messages is None) == (not warning)


def test_a_placeholder_nobody_fills_is_told_where_it_is_known_what_sheets_ask() -> None:
    text = message("{headline} {meeting}")
    assert load_messages(text, "m.yaml", {"meeting"})[0] is not None
    _, findings = load_messages(text, "m.yaml", {"other"})
    assert "unknown-placeholder" in [f.rule for f in findings]


# --- the schema says what the loader does ---------------------------------------------------------------------


def keys(schema: dict[str, Any]) -> set[str]:
    return set(schema["properties"])


def test_the_schema_knows_the_keys_of_a_sheet() -> None:
    schema = playbook_schema()
    assert json.loads(json.dumps(schema)) == schema
    assert {"playbook", "title", "review by", "start by hand", "when", "incident", "steps"} <= keys(schema)
    assert schema["required"] == ["playbook", "title", "owner", "steps"]
    when = schema["properties"]["when"]["anyOf"][0]
    assert {"hazard", "severity", "words", "where", "trust"} <= keys(when)
    assert "at least Severe" in when["properties"]["severity"]["anyOf"][0]["enum"]
    assert {"any of", "all of"} == keys(
        schema["properties"]["steps"]["additionalProperties"]["properties"]["after"]["anyOf"][1]
    )


def test_the_schema_of_messages_asks_for_four_languages() -> None:
    assert messages_schema()["additionalProperties"]["required"] == ["fr", "nl", "de", "en"]
