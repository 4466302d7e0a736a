"""Two sheets, and what is different between them in words: nothing that counts is left out, nothing else is said."""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from hub.config import load as load_config
from hub.model.broadcast import RegisteredIn
from hub.model.message import Message, Text
from hub.model.people import Asked, Contact, Language
from hub.model.report import ReportKind
from hub.playbook.diff import differences, message_differences, messages_of
from hub.playbook.language import (
    Admit,
    After,
    Cause,
    Condition,
    DraftBroadcast,
    Notify,
    Outcome,
    Playbook,
    SendContacts,
    Step,
    Wait,
    WriteReport,
)
from hub.playbook.load import load
from tests.conftest import ROOT

SHIPPED = {sheet.name: sheet for sheet in load_config(ROOT / "config")[0].playbooks}
WEATHER = (ROOT / "playbooks" / "extreme-weather.yaml").read_text()


def sheet(text: str) -> Playbook:
    playbook, findings = load(text, "x.yaml")
    assert playbook is not None, findings
    return playbook


def edited(old: str, new: str) -> list[str]:
    assert old in WEATHER
    return differences(sheet(WEATHER), sheet(WEATHER.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("call: duty-officers", "call: directors", ["step wake now calls directors instead of duty-officers"]),
        ("say: weather-ask", "say: gas-ask", ["step wake says gas-ask instead of weather-ask"]),
        (
            "severity: at least Severe",
            "severity: at least Moderate",
            ["case 1 of when is met from Moderate instead of Severe"],
        ),
        (
            "certainty: at least Possible",
            "certainty: at least Likely",
            ["case 2 of when is met from Likely instead of Possible (certainty)"],
        ),
        ("[thunderstorm, cold]", "[cold]", ["case 1 of when is no longer met by hazard thunderstorm"]),
        ("mode: live", "mode: shadow", ["it is in shadow instead of live"]),
        ("due: 45 min", "due: 30 min", ["task 2 of step checklist is due after 30 min instead of 45 min"]),
        ("        due: 15 min\n", "", ["task 1 of step checklist is without a time instead of due after 15 min"]),
        (
            "nl: Extreme weersomstandigheden",
            "nl: Noodweer",
            ['the title changed in nl: "Noodweer" instead of "Extreme weersomstandigheden"'],
        ),
        (
            "within: 6 h",
            "within: 90 min",
            ["a signal re-opens an incident within 1 h 30 min of its end instead of 6 h"],
        ),
        ("one per: [hazard, area]", "one per: hazard", ["one incident per hazard instead of per hazard and area"]),
        (
            "ends: when no warning is in force any more",
            "ends: when an officer ends it",
            ["an incident ends when an officer ends it instead of when no warning is in force any more"],
        ),
        ("owner: sitcen", "owner: cell", ["owner is cell instead of sitcen"]),
        ("review by: 2027-06-30", "review by: 2028-06-30", ["review by is 2028-06-30 instead of 2027-06-30"]),
        (
            "who: roster sitcen-on-call",
            "who: directors",
            ["it is started by hand by directors instead of roster sitcen-on-call"],
        ),
        ("# Orange: dangerous, and likely.", "# Orange.", []),
        ("mode: live", "mode:    live   # since June", []),
    ],
)
def test_what_an_author_changes_is_said_as_what_happens_otherwise(old: str, new: str, said: list[str]) -> None:
    assert edited(old, new) == said


def test_a_step_that_waits_for_less_or_more_or_something_else() -> None:
    base = sheet(WEATHER)

    def waits(*after: str, all_of: bool = False) -> Playbook:
        parts = tuple(After(*text.split(" is ")) for text in after)  # type: ignore[arg-type] # words of an outcome
        condition = Condition(all=parts) if all_of else Condition(any=parts)
        step = Step(name="then", action=Wait(seconds=60), after=condition if parts else None)
        return replace(base, steps=(*base.steps, step))

    accepted, exhausted = "wake is accepted", "wake is exhausted"
    said = [
        (waits(accepted, exhausted), waits(accepted), "step then no longer begins when wake is exhausted"),
        (waits(accepted), waits(accepted, exhausted), "step then also begins when wake is exhausted"),
        (waits(accepted), waits(exhausted), "step then begins when wake is exhausted instead of wake is accepted"),
        (waits(accepted), waits(), "step then begins at once instead of when wake is accepted"),
        (
            waits(accepted, exhausted),
            waits(accepted, exhausted, all_of=True),
            "step then begins when wake is accepted and wake is exhausted instead of wake is accepted or "
            "wake is exhausted",
        ),
        (waits(accepted), base, "step then is gone"),
        (base, waits(accepted), "step then is new: it waits for 1 min, when wake is accepted"),
    ]
    for old, new, words in said:
        assert differences(old, new) == [words]


def test_a_step_with_another_name_is_the_same_step() -> None:
    base = sheet(WEATHER)
    first = replace(base.steps[0], name="rouse")
    said = differences(base, replace(base, steps=(first, *base.steps[1:])))
    assert said[0] == "step wake is called rouse now"


def test_a_message_is_compared_where_both_know_it() -> None:
    def message(nl: str) -> dict[str, Message]:
        texts = {language: Text(text=nl if language is Language.NL else "same") for language in Language}
        return {"weather-ask": Message(id="weather-ask", texts=texts), "other": Message(id="other", texts=texts)}

    said = message_differences(message("Komt u?"), message("Komt u nu?"), ["weather-ask", "unknown"])
    assert said == ['the message weather-ask changed in nl: "Komt u nu?" instead of "Komt u?"']
    assert messages_of(sheet(WEATHER))[0] == "weather-ask"


# --- any single field --------------------------------------------------------------------------------------


def rich() -> list[Playbook]:
    """The shipped sheets, and one that uses what they do not."""
    base = SHIPPED["extreme-weather"]
    group = Contact(Asked.GROUP, "police-zones")
    more = (
        Step(name="tell", action=Notify(say="a", to=(group, Contact(Asked.PERSON, "x")), by=("sms", "email"))),
        Step(name="pause", action=Wait(seconds=90), every_s=3600, until=Condition(any=(After("tell", Outcome.SENT),))),
        Step(name="who", action=SendContacts(contacts=(group,), to=(group,), by=("email",))),
        Step(
            name="door",
            action=Admit(
                people="people", at_most_s=3600, rooms=("crisis-room",), rooms_from="rooms", start="from", until="until"
            ),
        ),
        Step(
            name="alert",
            action=DraftBroadcast(
                group="public", say="a", by=("sms",), to=(group,), registered=RegisteredIn(areas=("a",))
            ),
        ),
        Step(
            name="sitrep",
            action=WriteReport(report=ReportKind.SITREP, to=(group,), by=("email",), approval=True),
            every_s=7200,
        ),
        Step(
            name="both",
            action=Wait(seconds=60),
            after=Condition(all=(After("tell", Outcome.SENT), After("pause", Outcome.OVER))),
        ),
    )
    when = replace(base.when[0], words=("storm",), event=("wind",), where="now > info.onset", sources=("kmi-irm",))
    rich = replace(
        base, steps=(*base.steps, *more), when=(when, *base.when), quiet_while=(Cause("a", True), Cause("b"))
    )
    return [*SHIPPED.values(), rich]


def mutations(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The value with one thing in it changed, each way there is."""
    if isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            for what, changed in mutations(getattr(value, field), f"{path}.{field}"):
                yield what, replace(value, **{field: changed})
    elif isinstance(value, bool):
        yield path, not value
    elif isinstance(value, Enum):
        yield from ((path, other) for other in type(value) if other is not value)
    elif isinstance(value, str):
        yield path, value + "x"
    elif isinstance(value, int | float):
        yield path, value + 1
    elif isinstance(value, Mapping):
        for key, inside in value.items():
            yield from ((what, {**value, key: changed}) for what, changed in mutations(inside, f"{path}[{key}]"))
    elif isinstance(value, tuple):
        for i, inside in enumerate(value):
            yield f"{path}[{i}] gone", value[:i] + value[i + 1 :]
            yield f"{path}[{i}] twice", (*value, inside)
            for what, changed in mutations(inside, f"{path}[{i}]"):
                yield what, (*value[:i], changed, *value[i + 1 :])
        if len(value) > 1:
            yield f"{path} turned", value[::-1]


def optional(playbook: Playbook) -> Iterator[tuple[str, Playbook]]:
    """What there may be and is not, and the other way round."""
    yield "by_hand", replace(playbook, by_hand=None)
    for i, step in enumerate(playbook.steps):
        for field, value in (
            ("after", Condition(any=(After("z", Outcome.SENT),))),
            ("until", Condition(any=(After("z", Outcome.SENT),))),
            ("every_s", 60.0),
        ):
            changed = replace(step, **{field: value if getattr(step, field) is None else None})
            yield (
                f"steps[{i}].{field}",
                replace(playbook, steps=(*playbook.steps[:i], changed, *playbook.steps[i + 1 :])),
            )
    for i, when in enumerate(playbook.when):
        changed = replace(when, trust=None)
        yield f"when[{i}].trust", replace(playbook, when=(*playbook.when[:i], changed, *playbook.when[i + 1 :]))


def test_whatever_single_thing_is_changed_something_is_said_both_ways() -> None:
    count = 0
    for playbook in rich():
        assert differences(playbook, replace(playbook, version="other")) == []
        for what, changed in (*mutations(playbook, playbook.name), *optional(playbook)):
            twice = len({step.name for step in changed.steps}) < len(changed.steps)  # no text can say that
            if changed == playbook or what == f"{playbook.name}.version" or twice:
                continue
            count += 1
            assert differences(playbook, changed), what
            assert differences(changed, playbook), f"{what}, back"
    assert count > 1000


def test_the_shipped_sheets_mean_the_same_without_their_comments() -> None:
    for path in (ROOT / "playbooks").glob("*.yaml"):
        if path.name.endswith(".test.yaml"):
            continue
        bare = "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
        assert differences(sheet(path.read_text()), sheet(bare)) == []
