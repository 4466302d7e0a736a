"""How a reflex sheet is written: the shape of its YAML. Loader and JSON Schema are both made from these structs.

A field's key is its name with spaces for underscores. What each means to an author: docs/playbooks.md.
"""

import re
from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from hub.binding import WRONG, Day, Misfit, Reads, ReadsNode, Seconds, Texts, Word
from hub.findings import choice
from hub.model.broadcast import WHERE_IT_IS, RegisteredIn
from hub.model.people import Asked, Contact
from hub.model.signal import CERTAINTIES, SEVERITIES, URGENCIES, Category, Certainty, Hazard, Severity, Status, Urgency
from hub.model.trust import Credibility, Reliability
from hub.playbook.language import Cause, Corroborated, Mode, Trust
from hub.yaml import Document, Node, Sequence

EVERYONE_REACHED = "everyone reached"
THE_SENDER = "the sender"
CHANNEL_WORDS = {"call": "voice"}  # the author's word for a channel → its name


def _scale(levels: tuple[Any, ...]) -> ReadsNode:
    """`at least Severe`, `Severe`, or a list: the levels meant, as a tuple."""
    names = [level.value for level in levels]

    def one(document: Document, node: Node, what: str) -> Any:
        text = getattr(node, "text", None)
        if text is None:
            document.add(node, "wrong-shape", f"{what} is no level", choice("", names))
            return WRONG
        name = text.removeprefix("at least ").strip()
        if name not in names:
            document.add(node, "unknown-word", f'{what}: "{name}" is not known here', choice(name, names))
            return WRONG
        at = names.index(name)
        return levels[at:] if text.startswith("at least ") else (levels[at],)

    def read(document: Document, node: Node, what: str) -> Any:
        parts = [one(document, item, what) for item in (node.items if isinstance(node, Sequence) else (node,))]
        if any(p is WRONG for p in parts):
            return WRONG
        meant = {level for part in parts for level in part}
        return tuple(level for level in levels if level in meant)

    words = {"type": "string", "enum": [*names, *(f"at least {n}" for n in names[1:])]}
    return ReadsNode(read, {"anyOf": [words, {"type": "array", "items": words}]})


_CORROBORATED = r"corroborated by ([2-9]) independent origins"


def _trust(text: str) -> Trust | Corroborated:
    grade = re.fullmatch(r"at least ([A-F])([1-6])", text)
    if grade:
        return Trust(Reliability(grade[1]), Credibility(int(grade[2])))
    origins = re.fullmatch(_CORROBORATED, text)
    if origins:
        return Corroborated(int(origins[1]))
    if text.startswith("corroborated"):
        message = f'"{text}" cannot be asked for'
        raise Misfit("not-a-grade", message, 'write "corroborated by 2 independent origins": from 2 to 9')
    bare = re.fullmatch(r"(?:at least )?([A-Fa-f]) ?([1-6])", text)
    meant = f'did you mean "at least {bare[1].upper()}{bare[2]}"?' if bare else 'write "at least B2": A-F, then 1-6'
    raise Misfit("not-a-grade", f'"{text}" is no grade of trust', meant)


def contact_of(text: str) -> Contact:
    """`police-zones` (a group), `roster sitcen-on-call`, `organisation siamu`, `person x`, everyone reached, the
    sender."""
    if text in (EVERYONE_REACHED, THE_SENDER):
        return Contact(Asked.GROUP, text)
    kind, _, name = text.rpartition(" ")
    if kind not in ("", *Asked) or not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise Misfit(
            "not-a-contact",
            f'"{text}" names nobody',
            f'write a group, "roster|competence|organisation|person NAME", or "{EVERYONE_REACHED}"',
        )
    return Contact(Asked(kind or "group"), name)


def _cause(text: str) -> Cause:
    """`power-cut`, `power-cut in the same area`."""
    found = re.fullmatch(r"([a-z0-9][a-z0-9-]{0,62})( in the same area)?", text)
    if found is None:
        raise Misfit("not-a-cause", f'"{text}" is no cause', 'write "SHEET" or "SHEET in the same area"')
    return Cause(found[1], found[2] is not None)


def _corner(text: str) -> tuple[float, float]:
    found = re.fullmatch(r"(-?\d+(?:\.\d+)?)\s*[, ]\s*(-?\d+(?:\.\d+)?)", text)
    if found is None:
        raise Misfit("not-a-position", f'"{text}" is no corner', 'write latitude and longitude: "50.8331, 4.3662"')
    return float(found[1]), float(found[2])


def channel_word(name: str) -> str:
    """A channel as authors write it: `call` for voice."""
    return next((word for word, channel in CHANNEL_WORDS.items() if channel == name), name)


def _channel(text: str) -> str:
    return CHANNEL_WORDS.get(text, text)


Name = Annotated[str, Reads(str, {"type": "string"})]
Urgencies = Annotated[tuple[Urgency, ...], _scale(URGENCIES)]
Severities = Annotated[tuple[Severity, ...], _scale(SEVERITIES)]
Certainties = Annotated[tuple[Certainty, ...], _scale(CERTAINTIES)]
_GRADE = {"type": "string", "pattern": f"^(at least [A-F][1-6]|{_CORROBORATED})$"}
Grade = Annotated[Trust | Corroborated, Reads(_trust, _GRADE)]
ContactText = Annotated[Contact, Reads(contact_of)]
CauseText = Annotated[Cause, Reads(_cause, {"type": "string", "examples": ["power-cut in the same area"]})]
ChannelText = Annotated[str, Reads(_channel, {"type": "string", "examples": ["sms", "call", "email"]})]


Corner = Annotated[tuple[float, float], Reads(_corner, {"type": "string", "examples": ["50.8331, 4.3662"]})]
_OUTCOME = ["wake is accepted", "wake is exhausted", "checklist is done"]


class WhenForm(Struct, frozen=True, kw_only=True):
    """Which signals the sheet is about: one info block must meet all of it; in a list any item suffices."""

    status: Annotated[
        tuple[Status, ...], Meta(description="Actual and Exercise unless given; Test only where it is written")
    ] = (Status.ACTUAL, Status.EXERCISE)
    category: Annotated[tuple[Category, ...], Meta(description="The international category (CAP)")] = ()
    hazard: Annotated[tuple[Hazard, ...], Meta(description="What it is about, whatever the sender calls it")] = ()
    event: Annotated[
        tuple[str, ...], Meta(description="Whole words or phrases in the event's name", examples=["fuite de gaz"])
    ] = ()
    urgency: Annotated[Urgencies, Meta(description="How soon: at least Expected")] = ()
    severity: Annotated[Severities, Meta(description="How bad: at least Severe. MeteoAlarm's orange is Severe")] = ()
    certainty: Annotated[Certainties, Meta(description="How sure: at least Likely")] = ()
    source: Annotated[
        tuple[str, ...],
        Meta(
            description="From whom: a source of config/sources.yaml, or vigie: what the hub itself finds out",
            examples=["kmi-irm"],
        ),
    ] = ()
    area: Annotated[
        tuple[Word, ...], Meta(description="Where: an area of config/areas.yaml", examples=["brussels-capital-region"])
    ] = ()
    words: Annotated[
        tuple[str, ...],
        Meta(description="Whole words or phrases in event, headline, description", examples=["fuite de gaz", "gaslek"]),
    ] = ()
    trust: Annotated[
        tuple[Grade, ...],
        Meta(
            description="How far it is believed (Admiralty code); of a grade and a number of origins either is enough",
            examples=["at least B2", "corroborated by 2 independent origins"],
        ),
    ] = ()
    where: Annotated[
        str,
        Meta(
            description="Anything else: a CEL expression over signal, info and now",
            examples=['info.parameters.awareness_level.startsWith("3")'],
        ),
    ] = ""


class AskForm(Struct, frozen=True, kw_only=True):
    """One thing asked of a person who starts the sheet by hand."""

    fr: Annotated[str, Meta(description="The question in French", examples=["Que se passe-t-il, en une phrase ?"])]
    nl: Annotated[str, Meta(description="The question in Dutch", examples=["Wat is er aan de hand, in één zin?"])]
    de: Annotated[str, Meta(description="The question in German", examples=["Was ist los, in einem Satz?"])]
    en: Annotated[str, Meta(description="The question in English", examples=["What is happening, in one sentence?"])]
    required: Annotated[bool, Meta(description="no: it may be left empty")] = True


class ByHandForm(Struct, frozen=True, kw_only=True):
    """Who may start the sheet, and what they are asked in place of a signal."""

    who: Annotated[str, Meta(description="Who may start it, as it is to be shown", examples=["roster sitcen-on-call"])]
    asks: Annotated[dict[Word, AskForm], Meta(description="What is asked: {name} then stands in messages")] = {}


class Joins(StrEnum):
    """What signals can be asked to agree on."""

    HAZARD = "hazard"
    AREA = "area"
    SOURCE = "source"
    EVENT = "event"
    CATEGORY = "category"
    SENDER = "sender"
    INCIDENT = "incident"


class Ends(StrEnum):
    NO_WARNING = "when no warning is in force any more"
    OFFICER = "when an officer ends it"


class IncidentForm(Struct, frozen=True, kw_only=True):
    """Which signals belong to one incident, and when it ends."""

    one_per: Annotated[
        tuple[Joins, ...],
        Meta(description="Signals that agree on these join one incident; area: the first area of when that they touch"),
    ] = ()
    within: Annotated[Seconds, Meta(description="A signal this soon after the end re-opens it", examples=["6 h"])] = (
        21_600.0
    )
    ends: Annotated[Ends, Meta(description="What ends the incident")] = Ends.NO_WARNING


class TaskForm(Struct, frozen=True, kw_only=True):
    """One thing to be done."""

    do: Annotated[Texts, Meta(description="What is to be done, in each language")]
    who: Annotated[
        str, Meta(description="Who does it, as it is to be shown", examples=["duty officer", "discipline D1"])
    ]
    due: Annotated[Seconds | None, Meta(description="How long it may take", examples=["30 min"])] = None


class ConditionForm(Struct, frozen=True, kw_only=True):
    """Several outcomes: any of them, or all of them."""

    any_of: Annotated[tuple[str, ...], Meta(description="One of these suffices", examples=_OUTCOME)] = ()
    all_of: Annotated[tuple[str, ...], Meta(description="Each of these is needed", examples=_OUTCOME)] = ()


class StepWhen(StrEnum):
    INCIDENT_ENDS = "incident ends"


class RegisteredForm(Struct, frozen=True, kw_only=True):
    """Where those live who registered; all that is given must hold, of several any one."""

    areas: Annotated[
        tuple[str, ...],
        Meta(description='Communes, police zones, the Region, "where it is"', examples=["ixelles", WHERE_IT_IS]),
    ] = ()
    streets: Annotated[
        tuple[str, ...], Meta(description="A street, or houses of it", examples=["Rue Haute", "Rue Haute 1-99"])
    ] = ()
    polygon: Annotated[
        tuple[Corner, ...], Meta(description="Its corners: latitude, longitude", examples=["50.8331, 4.3662"])
    ] = ()

    def meant(self) -> RegisteredIn:
        return RegisteredIn(areas=self.areas, streets=self.streets, polygon=self.polygon)


class AccessForm(Struct, frozen=True, kw_only=True):
    """Whom an approved request lets in, where, and for how long. What it names are fields: of a form, or what is asked
    of a person who starts the sheet."""

    people: Annotated[
        Word, Meta(description="The field with who comes: name, service, function; one to a line", examples=["people"])
    ]
    at_most: Annotated[
        Seconds, Meta(description="How long it lasts at most, whatever is asked for", examples=["7 days"])
    ]
    rooms: Annotated[
        tuple[Word, ...], Meta(description="Rooms of config/rooms.yaml that all may enter", examples=["crisis-room"])
    ] = ()
    rooms_from: Annotated[
        Word | None, Meta(description="The field with the rooms that are asked for", examples=["rooms"])
    ] = None
    start: Annotated[
        Word | None,
        Meta(description="The field that says from when, where the request itself does not", examples=["from"]),
    ] = field(default=None, name="from")
    until: Annotated[
        Word | None,
        Meta(description="The field that says until when, where the request itself does not", examples=["until"]),
    ] = None


class StepForm(Struct, frozen=True, kw_only=True):
    """One action (call, notify, send contacts, draft broadcast, access, wait, tasks or report), and when it begins."""

    call: Annotated[
        Word | None,
        Meta(description="Sets an alert chain of config/chains.yaml in motion", examples=["duty-officers"]),
    ] = None
    verify: Annotated[
        bool, Meta(description="Of a call: who accepts is to say whether what was told is true", examples=["yes"])
    ] = False
    notify: Annotated[
        tuple[ContactText, ...],
        Meta(
            description='Tells people who need not answer: groups, "roster NAME", "everyone reached", "the sender"',
            examples=["police-zones", "roster sitcen-on-call", EVERYONE_REACHED, THE_SENDER],
        ),
    ] = ()
    send_contacts: Annotated[
        tuple[ContactText, ...],
        Meta(
            description="Whose names and numbers are sent, to whom stands under to", examples=["roster sitcen-on-call"]
        ),
    ] = ()
    draft_broadcast: Annotated[
        Word | None,
        Meta(
            description="A class of config/hub.yaml: what is drafted goes out when the people it asks for release it",
            examples=["public"],
        ),
    ] = None
    access: Annotated[
        AccessForm | None,
        Meta(description="Puts the people of an approved request on the access list (docs/access.md)"),
    ] = None
    wait: Annotated[Seconds | None, Meta(description="Goes on after this time", examples=["10 min"])] = None
    tasks: Annotated[tuple[TaskForm, ...], Meta(description="A list of things to do, with who and by when")] = ()
    report: Annotated[
        str | None,
        Meta(
            description="Writes a report on the incident from the journal: sitrep (docs/sitrep.md)", examples=["sitrep"]
        ),
    ] = None
    approval: Annotated[
        bool, Meta(description="Of a report: it goes out once an officer has approved it", examples=["yes"])
    ] = False
    say: Annotated[
        str | None, Meta(description="A message of config/messages.yaml, by its name", examples=["gas-ask"])
    ] = None
    by: Annotated[tuple[ChannelText, ...], Meta(description="Over which channels: sms, call, email ...")] = ()
    to: Annotated[
        tuple[ContactText, ...],
        Meta(description="Who gets the contacts, the broadcast or the report", examples=["police-zones"]),
    ] = ()
    registered: Annotated[
        RegisteredForm | None, Meta(description="The public who registered, to whom the broadcast goes too")
    ] = None
    all_clear: Annotated[
        str | None,
        Meta(
            description="The message for those the broadcast reached, drafted when the incident ends",
            examples=["gas-public-over"],
        ),
    ] = None
    after: Annotated[
        str | ConditionForm | None,
        Meta(
            description="Begins when this has happened: wake is accepted; any of: [...]; all of: [...]",
            examples=_OUTCOME,
        ),
    ] = None
    when: Annotated[StepWhen | None, Meta(description="Begins at the end of the incident, in place of after")] = None
    every: Annotated[
        Seconds | None, Meta(description="Again and again while the incident is open", examples=["2 h"])
    ] = None
    until: Annotated[
        str | ConditionForm | None, Meta(description="Stops what every repeats", examples=["checklist is done"])
    ] = None


class SheetForm(Struct, frozen=True, kw_only=True):
    """A reflex sheet."""

    playbook: Annotated[Word, Meta(description="Its name: small letters, digits, hyphens", examples=["gas-leak"])]
    title: Annotated[Texts, Meta(description="Its title, in each language")]
    owner: Annotated[str, Meta(description="Who answers for it", examples=["sitcen"])]
    review_by: Annotated[Day | None, Meta(description="When it has to be looked at again", examples=["2027-06-30"])] = (
        None
    )
    mode: Annotated[Mode, Meta(description="draft: never runs; shadow: runs and sends nothing; live")] = Mode.DRAFT
    when: Annotated[
        tuple[WhenForm, ...], Meta(description="Which signals it is about; a list where there are several cases")
    ] = ()
    start_by_hand: Annotated[
        str | ByHandForm | None,
        Meta(description="A person may start it, too", examples=["roster sitcen-on-call"]),
    ] = None
    incident: Annotated[IncidentForm, Meta(description="Which signals belong to one incident, and when it ends")] = (
        field(default_factory=IncidentForm)
    )
    quiet_while: Annotated[
        tuple[CauseText, ...],
        Meta(description="While an incident of that sheet is open, this one wakes nobody: SHEET in the same area"),
    ] = ()
    steps: Annotated[dict[Word, StepForm], Meta(description="The steps, by name")]
