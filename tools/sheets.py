"""Writes docs/sheet-reference.md, all that authors may write, from the structs: `python -m tools.sheets`.

tests/unit/test_reference.py holds the page against what this makes.
"""

import enum
import re
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from hub.binding import Reads, keys_of
from hub.config.forms import ChainForm, TierForm
from hub.drill.play import CommonForm, GivenForm, SignalForm, TestForm, TestsForm
from hub.model.signal import Category, Certainty, Hazard, Severity, Urgency
from hub.playbook.expression import FIELDS
from hub.playbook.form import (
    AccessForm,
    AskForm,
    ByHandForm,
    ConditionForm,
    Ends,
    IncidentForm,
    Joins,
    RegisteredForm,
    SheetForm,
    StepForm,
    TaskForm,
    WhenForm,
)  # fmt: skip
from hub.playbook.language import OUTCOMES, Outcome
from hub.playbook.messages import MessageForm, TextForm
from tools.reference import default_of, described, doc, table, written_as

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "sheet-reference.md"

INTRODUCTION = """\
# Reflex sheets: every key

<!-- Made by `python -m tools.sheets` from the code; change the descriptions there. -->

All that may stand in a sheet, its messages, its chains and its tests. How it works together:
[playbooks.md](playbooks.md); by example: [first-sheet.md](first-sheet.md) and [recipes.md](recipes.md); what
`vigie check` says of it: [rules.md](rules.md). How durations, names and lists are written:
[configuration.md](configuration.md).
"""

OUTCOME = {
    "accepted": "enough people have said yes",
    "exhausted": "nobody is left to ask, and too few have said yes",
    "cancelled": "the incident's end, or a person, stopped it",
    "sent": "handed to a channel for at least one of them",
    "failed": "every address of everybody has failed; it could not be drafted; nobody could be let in",
    "granted": "people of the request are on the access list",
    "drafted": "it waits for people to release it",
    "released": "as many as are needed stand behind it",
    "lapsed": "nobody, or too few, released it within 24 hours",
    "withdrawn": "a person threw it away, or stopped it; access: its time is over, or who asked for it took it back",
    "done": "all are ticked",
    "late": "one has passed its time",
    "over": "the time is up",
    "begun": "it has begun",
}

EXPRESSION = """\
It is CEL, a small language made for conditions, for the rare case that the other keys cannot say.

| you want | write |
|---|---|
| it begins within 24 hours | `info.onset - now < duration("24h")` |
| MeteoAlarm's parameter says orange | `info.parameters.awareness_level.startsWith("3")` |
| one of two senders | `signal.sender in ["a", "b"]` |
| the headline begins with a word | `info.headline.matches("^Tunnel")` |
"""

FILLED = {
    "headline": "what it is, in a line",
    "event": "what the sender calls it",
    "description": "what the sender says at length",
    "instruction": "what the sender advises",
    "area": "where, in the centre's own names",
    "severity": "how bad, in a word",
    "onset": "when it begins",
    "expires": "until when it holds",
    "sent": "when it was sent",
    "sender": "who sent it",
    "sheet": "the sheet's title",
    "code": "in an ask: the letter that answers it, to show how minutes are given: `Dans 20 min: {code} 20`",
    "contacts": "in `send contacts`: the names and numbers",
    "until": "in `send contacts`: how long they hold",
}
HUBS_OWN = (
    "number",
    "report",
    "sheets",
    "codes",
    "eta",
    "delegate",
    "roster",
    "at",
    "others",
    "count",
    "over",
    "verdict",
)

SEE = "below"


def page() -> str:
    """The whole page."""
    return "\n".join(_parts()).rstrip() + "\n"


def _parts() -> Iterator[str]:
    yield INTRODUCTION
    yield "## The sheet\n\nA file in `playbooks/`, by its name.\n"
    yield from keys(
        SheetForm,
        {
            "when": SEE,
            "start by hand": "who may, or a form (below)",
            "incident": SEE,
            "quiet while": "`SHEET`, or `SHEET in the same area`",
            "steps": "name → step, below",
        },
    )
    yield "### when\n"
    yield from _told(WhenForm)
    yield from keys(
        WhenForm,
        {
            "hazard": "one of those below, or a list",
            "words": "text, or a list",
            "where": "an expression, below",
            "trust": "`at least` and a grade",
            **{key: f"{_words(kind)}; `at least ...`" for key, kind in SCALES.items()},
        },
    )
    yield f"**Hazards**: {_words(Hazard)}.\n"
    yield f"**Categories**: {_words(Category)}.\n"
    yield "#### An expression\n\n" + EXPRESSION
    has = [f"`{owner}` has {', '.join(f'`{field}`' for field in fields)}" for owner, fields in FIELDS.items()]
    yield "; ".join(has) + "; `now` is the time, in UTC.\n"
    yield "### start by hand\n"
    yield from _told(ByHandForm)
    yield from keys(ByHandForm, {"asks": "name → question, below"})
    yield "A question:\n"
    yield from keys(AskForm)
    yield "### incident\n"
    yield from _told(IncidentForm)
    yield from keys(IncidentForm, {"one per": f"{_words(Joins)}, or a list", "ends": " or ".join(_quoted(Ends))})
    yield "### A step\n"
    yield from _told(StepForm)
    condition = "`STEP is OUTCOME`, or several (below)"
    contacts = "a group, `roster NAME`, `organisation NAME`, `competence NAME`, `person NAME`, or a list"
    yield from keys(
        StepForm,
        {
            "call": "a chain",
            "notify": f"{contacts}; `everyone reached`",
            "send contacts": contacts,
            "to": contacts,
            "tasks": "a list, below",
            "say": "a message",
            "draft broadcast": "a class",
            "access": "keys, below",
            "registered": "keys, below",
            "all clear": "a message",
            "after": condition,
            "until": condition,
            "by": "a channel, or a list",
        },
    )
    yield "What a step can come to, for `after` and `until`:\n"
    of = {outcome: [action for action, can in OUTCOMES.items() if outcome in can] for outcome in map(Outcome, OUTCOME)}
    whose = {o: "each" if len(actions) == len(OUTCOMES) else ", ".join(actions) for o, actions in of.items()}
    yield from table(("outcome", "of", "when"), [(o, whose[Outcome(o)], when) for o, when in OUTCOME.items()])
    yield "Several outcomes:\n"
    yield from keys(ConditionForm, dict.fromkeys(("any of", "all of"), "a list of `STEP is OUTCOME`"))
    yield "A task:\n"
    yield from keys(TaskForm)
    yield "Whom a step lets in ([access.md](access.md)):\n"
    yield from keys(
        AccessForm,
        dict.fromkeys(("people", "rooms from", "from", "until"), "a field") | {"rooms": "a room, or a list"},
    )
    yield "The public who registered, for a broadcast; all that is given must hold:\n"
    yield from keys(RegisteredForm)
    yield "## Messages\n\nName → message, in `config/messages.yaml`, or in a file of a folder `messages/` beside it.\n"
    yield from keys(MessageForm, dict.fromkeys(("fr", "nl", "de", "en"), "text, or with the keys below"))
    yield "Where a mail or a call says it in other words:\n"
    yield from keys(TextForm)
    yield "Filled in, and what a form asks under its own name:\n"
    yield from table(("in braces", "is"), [(f"{{{name}}}", what) for name, what in FILLED.items()])
    own = ", ".join(f"`{{{name}}}`" for name in HUBS_OWN)
    yield f"In the hub's own messages (`hub....`) also {own}.\n"
    yield "## Alert chains\n\nName → chain, in `config/chains.yaml`. What they do: [chains.md](chains.md).\n"
    yield from keys(ChainForm, {"need": "a number, or roles", "exhausted": "a chain", "tiers": "a list, below"})
    yield "A tier, the people who are asked at the same time:\n"
    yield from keys(TierForm, {"ask": f"{contacts}", "by": "a list of channels"})
    yield "## Tests\n\n`SHEET.test.yaml` beside the sheet. Sentences and behaviour: [testing.md](testing.md).\n"
    yield from keys(TestsForm, {"every test": "at, on duty, people", "tests": "name → test, below"})
    yield "A test; `every test` has the first three of these keys:\n"
    assert list(keys_of(CommonForm)) == list(keys_of(TestForm))[:3]
    behaviour = "who → a behaviour, or a list"
    yield from keys(
        TestForm,
        {
            "at": "a local time",
            "on duty": "roster → people",
            "people": behaviour,
            "steps": behaviour,
            "channels": "channel → an outage",
            "hub": "an outage",
            "given": "a list, below",
            "expect": "a list of sentences",
        },
    )
    yield "What is `given`:\n"
    yield from keys(
        GivenForm,
        {"signal": "its keys, below", "one for each": "key → a list", "start": "name → answer", "done": "`STEP NTH`"},
    )
    yield "A `signal`:\n"
    yield from keys(
        SignalForm,
        {
            "hazard": "as in `when`",
            "category": "as in `when`",
            "area": "an area, or a list",
            **{key: _words(kind) for key, kind in SCALES.items()},
        },
    )


SCALES: Mapping[str, type[enum.Enum]] = {"severity": Severity, "certainty": Certainty, "urgency": Urgency}


def keys(kind: type[Struct], said: Mapping[str, str] = {}) -> Iterator[str]:
    """A table of a struct's keys. `said`: how a key is written, where the type alone does not tell."""
    hints = typing.get_type_hints(kind, include_extras=True)
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    rows = []
    for key, name in keys_of(kind).items():
        written = said.get(key) or re.sub("^a list: (.*)", r"\1, or a list", written_as(hints[name]))
        example = ", ".join(f"`{one}`" for one in examples(hints[name])[:2])
        rows.append((key, described(hints[name]), written, example, default_of(fields[name], hints[name])))
    yield from table(("key", "what it is", "written as", "for example", "default"), rows)


def examples(hint: Any) -> list[str]:
    """Those given of a field, the outermost first."""
    if typing.get_origin(hint) is not Annotated:
        return next((found for inner in typing.get_args(hint) if (found := examples(inner))), [])
    inner, *extras = typing.get_args(hint)
    for extra in reversed(extras):
        if isinstance(extra, Meta) and extra.examples:
            return [str(one) for one in extra.examples]
        if isinstance(extra, Reads) and extra.schema.get("examples"):
            return [str(one) for one in extra.schema["examples"]]
    return examples(inner)


def _told(kind: type[Struct]) -> Iterator[str]:
    yield doc(kind) + "\n"


def _words(kind: type[enum.Enum]) -> str:
    return ", ".join(_quoted(kind))


def _quoted(kind: type[enum.Enum]) -> list[str]:
    return [f"`{member.value}`" for member in kind]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
