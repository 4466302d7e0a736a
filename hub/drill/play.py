"""What is played in virtual time, as an author writes it: what comes in, how people behave, what is down.

The YAML forms, and the structs made of them. Pure: documents in, structs out. docs/testing.md says what each means.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from hub.binding import Misfit, Reads, Seconds, Word
from hub.drill.behaviour import Outage, Reaction, outage, reaction
from hub.model.people import Language
from hub.model.signal import Category, Certainty, Hazard, Severity, Signal, Status, Urgency


def local_time(text: str) -> datetime:
    """A local time, without an offset: 2026-07-14 02:10. Raises Misfit."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None or len(text) < len("2026-07-14 02:10"):
        raise Misfit("not-a-time", f'"{text}" is no local time', 'write it as "2026-07-14 02:10"')
    return at


def grade(text: str) -> str:
    """How far something is believed: B3. Raises Misfit."""
    if not re.fullmatch(r"[A-F][1-6]", text):
        raise Misfit("not-a-grade", f'"{text}" is no grade of trust', 'write "B3": A-F, then 1-6')
    return text


GradeText = Annotated[str, Reads(grade, {"type": "string", "pattern": "^[A-F][1-6]$"})]
ReactionText = Annotated[
    Reaction, Reads(reaction, {"type": "string", "examples": ["does not answer", "accepts after 40 s"]})
]
OutageText = Annotated[Outage, Reads(outage, {"type": "string", "examples": ["is down from 5 min to 20 min"]})]
LocalTime = Annotated[datetime, Reads(local_time, {"type": "string", "examples": ["2026-07-14 02:10"]})]


class SignalForm(Struct, frozen=True, kw_only=True):
    """A short signal. What is not said is as a careful sender would say it: nothing."""

    source: Annotated[
        str | None,
        Meta(description="A source of config/sources.yaml, which says how far it is believed", examples=["siamu"]),
    ] = None
    trust: Annotated[
        GradeText | None, Meta(description="In place of a source: how far it is believed", examples=["B3"])
    ] = None
    sender: Annotated[
        str | None, Meta(description="Who sends it, where that is not the source", examples=["dispatch@fire.example"])
    ] = None
    identifier: Annotated[str | None, Meta(description="The sender's own id for it", examples=["FD-2026-4417"])] = None
    status: Annotated[Status | None, Meta(description="Actual unless given", examples=["Exercise"])] = None
    language: Annotated[Language | None, Meta(description="Of its texts; fr unless given", examples=["nl"])] = None
    category: Annotated[tuple[Category, ...], Meta(description="Met, Fire, Security ...", examples=["Safety"])] = ()
    hazard: Annotated[Hazard | None, Meta(description="What it is about", examples=["gas-leak"])] = None
    event: Annotated[str | None, Meta(description="What the sender calls it", examples=["Fuite de gaz"])] = None
    headline: Annotated[
        str | None,
        Meta(description="What it says, in a line; {headline} in messages", examples=["Fuite de gaz place Liedts"]),
    ] = None
    description: Annotated[
        str | None, Meta(description="What it says at length", examples=["Conduite percée par un chantier"])
    ] = None
    instruction: Annotated[str | None, Meta(description="What the sender advises", examples=["Éviter le quartier"])] = (
        None
    )
    urgency: Annotated[Urgency | None, Meta(description="How soon; Unknown unless given", examples=["Immediate"])] = (
        None
    )
    severity: Annotated[Severity | None, Meta(description="How bad; Unknown unless given", examples=["Severe"])] = None
    certainty: Annotated[Certainty | None, Meta(description="How sure; Unknown unless given", examples=["Likely"])] = (
        None
    )
    area: Annotated[
        tuple[str, ...],
        Meta(description="An area of config/areas.yaml, or as a sender calls it", examples=["ixelles", "Namur"]),
    ] = ()
    begins_after: Annotated[
        Seconds | None, Meta(description="How long after it is sent it begins", examples=["6 h"])
    ] = None
    lasts: Annotated[Seconds | None, Meta(description="How long after it is sent it expires", examples=["12 h"])] = None
    parameters: Annotated[
        dict[str, str],
        Meta(description="What the sender adds under names of its own", examples=["awareness_level: 3; orange"]),
    ] = {}


_EACH: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("headline", "event", "description", "sender"), str),
    "hazard": Hazard,
    "severity": Severity,
    "certainty": Certainty,
    "urgency": Urgency,
    "status": Status,
    "category": lambda word: (Category(word),),
    "area": lambda word: (word,),
}
"""What signals that are given at once may differ in, and how that is read."""


def each_of(form: SignalForm, each: Mapping[str, Sequence[str]]) -> list[SignalForm]:
    """One signal for each value: of several keys, for each combination. Raises ValueError for what is no such value."""
    forms = [form]
    for key, values in each.items():
        if key not in _EACH:
            raise ValueError(f'signals cannot differ in "{key}": {", ".join(_EACH)}')
        forms = [replace(one, **{key: _EACH[key](value)}) for one in forms for value in values]
    return forms


class GivenForm(Struct, frozen=True, kw_only=True):
    """One thing that happens. What has no time comes at once."""

    after: Annotated[Seconds, Meta(description="When, from the beginning", examples=["10 min"])] = 0.0
    signal: Annotated[SignalForm | None, Meta(description="A short signal comes in")] = None
    one_for_each: Annotated[
        dict[str, tuple[str, ...]],
        Meta(description="Several signals, alike but for this", examples=["headline: [Gaslek, Gasleck]"]),
    ] = {}
    file: Annotated[
        str | None,
        Meta(
            description="A recorded file comes in: its path, from the folder of the test", examples=["orange.cap.xml"]
        ),
    ] = None
    source: Annotated[str | None, Meta(description="Whose file it is, and who reads it", examples=["kmi-irm"])] = None
    cancels: Annotated[
        int | None, Meta(description="The sender withdraws the nth thing given, counted from 1", examples=[1])
    ] = None
    updates: Annotated[
        int | None,
        Meta(description="The sender says the nth thing given anew; signal says what changes", examples=[1]),
    ] = None
    start: Annotated[
        dict[str, str] | None,
        Meta(
            description="Somebody starts the sheet by hand, and answers what it asks",
            examples=["headline: Fuite de gaz rue du Trône"],
        ),
    ] = None
    sheet: Annotated[
        Word | None, Meta(description="Which sheet is started, where there are several", examples=["gas-leak"])
    ] = None
    by: Annotated[str | None, Meta(description="Who does it", examples=["officer-a"])] = None
    done: Annotated[
        str | None, Meta(description="Somebody ticks a task: its step, and which one of it", examples=["checklist 2"])
    ] = None
    ends: Annotated[
        str | None, Meta(description="An officer ends an incident", examples=["the incident", "incident 2"])
    ] = None
    stops: Annotated[str | None, Meta(description="An officer holds up all that goes out", examples=["everything"])] = (
        None
    )
    lifts: Annotated[str | None, Meta(description="And lets it go again", examples=["everything"])] = None
    releases: Annotated[
        Word | None,
        Meta(description="Somebody stands behind the broadcast that a step has drafted", examples=["public"]),
    ] = None
    discards: Annotated[
        Word | None, Meta(description="Somebody throws away what a step has drafted", examples=["public"])
    ] = None
    approves: Annotated[
        Word | None, Meta(description="Somebody approves the report that a step has written", examples=["sitrep"])
    ] = None

    @property
    def left(self) -> str:
        """What an officer does in it: in an exercise with real people that is left to them. `""` for anything else."""
        acts = (self.done, self.stops, self.lifts, self.releases, self.discards, self.approves)
        return next((act for act in acts if act), "")


_At = Annotated[
    LocalTime | None,
    Meta(
        description="When it begins, local time; left out, the date of the first file, or a Wednesday at 10:00",
        examples=["2026-07-14 02:10"],
    ),
]
_OnDuty = Annotated[
    dict[Word, tuple[Word, ...]],
    Meta(description="Who is on duty, in place of a roster of config/", examples=["sitcen-on-call: officer-a"]),
]
_People = Annotated[
    dict[str, tuple[ReactionText, ...]],
    Meta(
        description="How people behave: a person, a group, roster NAME or everyone",
        examples=["officer-a: does not answer"],
    ),
]


class PlayForm(Struct, frozen=True, kw_only=True):
    """What is common to a test and a scenario."""

    at: _At = None
    on_duty: _OnDuty = {}
    people: _People = {}
    steps: Annotated[
        dict[Word, tuple[ReactionText, ...]],
        Meta(
            description="How whoever is asked by a step behaves, whatever stands under people",
            examples=["director: declines after 1 min"],
        ),
    ] = {}
    channels: Annotated[
        dict[str, OutageText],
        Meta(description="When a channel is down", examples=["sms: is down from 5 min to 20 min"]),
    ] = {}
    hub: Annotated[
        OutageText | None,
        Meta(
            description="When the hub itself is down, as if the power went", examples=["is down from 5 min to 45 min"]
        ),
    ] = None
    given: Annotated[tuple[GivenForm, ...], Meta(description="What happens, in a list")] = ()
    lasts: Annotated[
        Seconds | None,
        Meta(
            description="How long it is played; left out, an hour beyond the last thing given or sentence",
            examples=["8 h"],
        ),
    ] = None


class TestForm(PlayForm, frozen=True, kw_only=True):
    """One test of a sheet."""

    expect: Annotated[
        tuple[str | dict[str, str], ...],
        Meta(
            description="What has to happen: sentences, with a time before a colon or without",
            examples=["within 5 s: officer-a gets sms gas-ask in fr", "nothing"],
        ),
    ]


class CommonForm(Struct, frozen=True, kw_only=True):
    """What holds in every test of a file that does not say otherwise."""

    at: _At = None
    on_duty: _OnDuty = {}
    people: _People = {}


class TestsForm(Struct, frozen=True, kw_only=True):
    """The tests of a sheet: SHEET.test.yaml beside SHEET.yaml."""

    sheet: Annotated[
        Word | None, Meta(description="The sheet, where the file's name does not say it", examples=["gas-leak"])
    ] = None
    also: Annotated[
        tuple[Word, ...], Meta(description="Other sheets that are in force at the same time", examples=["power-outage"])
    ] = ()
    every_test: Annotated[CommonForm, Meta(description="What holds in each test that does not say otherwise")] = field(
        default_factory=CommonForm
    )
    tests: Annotated[dict[str, TestForm], Meta(description="The tests, by what they show")]


class Given(Struct, frozen=True, kw_only=True):
    """One thing that happens, ready to be played. `form`: what was written; `source`: whom it comes from; `data`: of a
    file; `read`: signals that were read from it already."""

    after_s: float
    form: GivenForm
    source: str = ""
    data: bytes = b""
    read: tuple[Signal, ...] = ()
    file: str = ""


class Play(Struct, frozen=True, kw_only=True):
    """A test or a scenario, ready to be played. `sheets`: the only ones in force; None: all that are live. `people`,
    `steps`: as written, groups not yet taken apart. `exercise`: nothing in it is Actual."""

    name: str
    at: datetime | None = None
    on_duty: dict[str, tuple[str, ...]] = {}
    people: dict[str, tuple[Reaction, ...]] = {}
    steps: dict[str, tuple[Reaction, ...]] = {}
    channels: dict[str, Outage] = {}
    hub: Outage | None = None
    given: tuple[Given, ...] = ()
    lasts_s: float | None = None
    sheets: tuple[str, ...] | None = None
    exercise: bool = False


def _source(signal: SignalForm | None) -> str:
    """A source of the configuration, or a grade of trust in its place; "" where neither is said."""
    return "" if signal is None else signal.source or signal.trust or ""


def play_of(
    name: str,
    form: PlayForm,
    files: dict[str, bytes],
    sheets: tuple[str, ...] | None = None,
    common: CommonForm | None = None,
) -> Play:
    """`files`: what the files hold that are named, by that name."""
    common = common or CommonForm()
    given = [
        Given(
            after_s=one.after,
            form=one,
            source=one.source or _source(one.signal),
            data=files.get(one.file, b"") if one.file else b"",
            file=one.file or "",
        )
        for one in form.given
    ]
    return Play(
        name=name,
        at=form.at or common.at,
        on_duty={**common.on_duty, **form.on_duty},
        people={**common.people, **form.people},
        steps=form.steps,
        channels=form.channels,
        hub=form.hub,
        given=tuple(given),
        lasts_s=form.lasts,
        sheets=sheets,
    )
