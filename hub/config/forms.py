"""How config/ is written: one struct per kind of entry. docs and the JSON Schema are made from these."""

import re
import zoneinfo
from enum import StrEnum
from typing import Annotated, Any

import phonenumbers
from msgspec import Meta, Struct, field

from hub.auditor.config import AuditorConfig
from hub.binding import WRONG, Day, Misfit, Reads, ReadsNode, Seconds, Word, duration
from hub.config.cap import CapForm, CapWordsForm
from hub.dispatch.policy import Limits
from hub.findings import choice
from hub.model.people import Classification, Contact, Discipline, Language, Plays, Role
from hub.model.situation import Heading
from hub.model.trust import Credibility, Reliability
from hub.playbook.form import EVERYONE_REACHED, THE_SENDER, ChannelText, contact_of
from hub.yaml import Document, Mapping, Node, Scalar


def _zone(text: str) -> str:
    if text not in zoneinfo.available_timezones():
        raise Misfit("unknown-zone", f'"{text}" is no time zone', 'write it as "Europe/Brussels"')
    return text


def _listen(text: str) -> tuple[str, int]:
    found = re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d{1,5})", text)
    if found is None or int(found[2]) > 65535:
        raise Misfit("not-an-address", f'"{text}" is no address to listen on', 'write it as "127.0.0.1:8080"')
    return found[1].strip("[]"), int(found[2])


def _url(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", text):
        raise Misfit("not-a-url", f'"{text}" is no web address', 'write it as "https://vigie.example.org"')
    return text.rstrip("/")


def _region(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}", text):
        raise Misfit("not-a-region", f'"{text}" is no country', 'two capitals: "BE"')
    return text


def _person_limit(text: str) -> tuple[int, float]:
    found = re.fullmatch(r"([1-9]\d{0,3}) in (\d{1,3}) (s|min|h)", text)
    if found is None or int(found[2]) == 0:
        raise Misfit("not-a-limit", f'"{text}" is no limit', 'write it as "10 in 10 min"')
    return int(found[1]), int(found[2]) * {"s": 1.0, "min": 60.0, "h": 3600.0}[found[3]]


def expected(text: str) -> float:
    """Seconds from "every 15 min". Raises Misfit."""
    said = text.removeprefix("every").strip()
    if not said:
        raise Misfit("not-a-duration", f'"{text}" is no time', 'write it as "every 15 min"')
    seconds = duration(said)
    if seconds < 60:
        raise Misfit("not-a-duration", f'"{text}" is too short to expect anything in', "write 1 min or more")
    return seconds


KINDS_OF_DAY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "weekdays", "weekend", "holiday")
_ONE_UP = {"type": "integer", "minimum": 1}
_NEED = {
    "anyOf": [
        _ONE_UP,
        {
            "type": "object",
            "properties": {"total": {**_ONE_UP, "description": "How many in all", "examples": [2]}},
            "patternProperties": {f"^({'|'.join(Plays)}) .+$": _ONE_UP},
            "additionalProperties": False,
        },
    ]
}


def _turn(text: str) -> int:
    """Days: `day`, `week`, `3 days`, `2 weeks`."""
    found = re.fullmatch(r"(?:([1-9]\d?) )?(day|week)s?", text)
    if found is None:
        raise Misfit("not-a-turn", f'"{text}" is no length of a turn', 'write "week", "2 weeks", "day" or "3 days"')
    return int(found[1] or 1) * {"day": 1, "week": 7}[found[2]]


def _time_of_day(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise Misfit("not-a-time", f'"{text}" is no time of day', 'write it as "08:00"')
    return text


def _hours(text: str) -> tuple[str, str]:
    begins, dash, ends = text.replace(" ", "").partition("-")
    if not dash:
        raise Misfit("not-hours", f'"{text}" are no hours', 'write them as "20:00-08:00"')
    return _time_of_day(begins), _time_of_day(ends)


def _kind_of_day(text: str) -> str:
    if text not in KINDS_OF_DAY:
        raise Misfit("not-a-day", f'"{text}" is no kind of day', f"it can be {', '.join(KINDS_OF_DAY)}")
    return text


class Need(Struct, frozen=True):
    """How many must accept, and of them, how many of each role."""

    total: int = 1
    roles: tuple[Role, ...] = ()


def _need(document: Document, node: Node, what: str) -> Any:
    """`3`; or `total: 3`, `speaks nl: 1`, `discipline D3: 1`, each on a line."""
    if isinstance(node, Scalar):
        total = _count(document, node, what)
        return WRONG if total is WRONG else Need(total)
    if not isinstance(node, Mapping):
        document.add(node, "not-a-number", f"{what} says how many must accept", 'write a number from 1: "need: 1"')
        return WRONG
    total, roles, right = 1, [], True
    for key, value in node.entries:
        count = _count(document, value, f"{what} {key.text}")
        kind, _, name = key.text.partition(" ")
        if count is WRONG:
            right = False
        elif key.text == "total":
            total = count
        elif wrong := _wrong_role(kind, name):
            document.add(key, "unknown-role", f'{what}: "{key.text}" is no role', wrong)
            right = False
        else:
            roles.append(Role(Plays(kind), name, count))
    return Need(total, tuple(roles)) if right else WRONG


def _count(document: Document, node: Node, what: str) -> Any:
    if isinstance(node, Scalar) and re.fullmatch(r"[1-9]\d{0,2}", node.text):
        return int(node.text)
    document.add(node, "not-a-number", f"{what} says how many must accept", "write a number from 1")
    return WRONG


def _wrong_role(kind: str, name: str) -> str:
    """What would be right instead of a role that is none; `""` for one that may be."""
    if kind not in list(Plays):
        kinds = ["total", *(f"{plays} ..." for plays in Plays)]
        return choice(kind, kinds, "each line is")
    if kind == Plays.DISCIPLINE and name not in list(Discipline):
        return choice(name, list(Discipline), "a discipline can be")
    if kind == Plays.SPEAKS and name not in list(Language):
        return choice(name, list(Language), "a language can be")
    return "" if name else f'write "{kind} NAME"'


def _contact(text: str) -> Contact:
    if text in (EVERYONE_REACHED, THE_SENDER):
        raise Misfit(
            "not-a-contact",
            f'a chain cannot ask "{text}"',
            'write a group, "roster NAME", "competence NAME", "organisation NAME" or "person NAME"',
        )
    return contact_of(text)


Asks = Annotated[Contact, Reads(_contact, {"type": "string", "examples": ["roster sitcen-on-call", "crisis-cell"]})]
Url = Annotated[str, Reads(_url, {"type": "string", "pattern": "^https?://"})]


# --- hub.yaml ----------------------------------------------------------------------------------------------


class WebForm(Struct, frozen=True, kw_only=True):
    """The hub's web server."""

    listen: Annotated[
        tuple[str, int],
        Reads(_listen, {"type": "string"}),
        Meta(description="Address and port of console, API and callbacks", examples=["127.0.0.1:8080"]),
    ] = ("127.0.0.1", 8080)
    public: Annotated[Url, Meta(description="The same as seen from outside: partners and providers call it")] = (
        "http://127.0.0.1:8080"
    )


class ClassForm(Struct, frozen=True, kw_only=True):
    """A class of broadcasts."""

    people: Annotated[
        int, Meta(ge=1, le=5, description="How many different people must stand behind one, its author included")
    ] = 1
    public: Annotated[bool, Meta(description="Whether it may go to the public who registered")] = False
    cap: Annotated[
        CapWordsForm | None,
        Meta(description="Those to the public stand on the CAP feed, too, with this where nothing else is said"),
    ] = None


class BroadcastsForm(Struct, frozen=True, kw_only=True):
    """Mass notification."""

    classes: Annotated[dict[Word, ClassForm], Meta(description="Name → class")] = field(
        default_factory=lambda: {"public": ClassForm(people=2, public=True), "partners": ClassForm()}
    )
    prices: Annotated[
        dict[str, float], Meta(description="Channel → euros for an SMS part, a minute of a call, or a message")
    ] = {}


class CallListForm(Struct, frozen=True, kw_only=True):
    """The call list for the night on which everything else is down: made every day at these times. It needs somewhere
    to go: `mail to`, `write to` or `print`."""

    at: Annotated[
        tuple[Annotated[str, Reads(_time_of_day, {"type": "string"})], ...],
        Meta(description='Every day at these times of the hub\'s time zone: ["06:00", "18:00"]', examples=["06:00"]),
    ]
    hours: Annotated[int, Meta(ge=1, le=336, description="How many hours it looks ahead")] = 72
    languages: Annotated[tuple[Language, ...], Meta(description="Of what is written and printed")] = (Language.FR,)
    mail_to: Annotated[
        tuple[Asks, ...], Meta(description="Who gets it, each in their language and with what they may see")
    ] = ()
    by: Annotated[tuple[ChannelText, ...], Meta(description="Channels that carry files")] = ("email",)
    write_to: Annotated[
        str, Meta(description="A folder: the newest is call-list-FR.pdf", examples=["../var/call-lists"])
    ] = ""
    keep: Annotated[int, Meta(ge=1, le=1000, description="How many older ones of each language stay in the folder")] = (
        28
    )
    print: Annotated[
        tuple[str, ...],
        Meta(description="A command and its arguments, which reads the PDF: [lp, -d, room]", examples=["lp"]),
    ] = ()


class AccessListForm(Struct, frozen=True, kw_only=True):
    """Where the access list goes at each change (docs/access.md)."""

    mail_to: Annotated[
        tuple[Asks, ...], Meta(description="The reception: gets it in its language, as PDF and CSV", min_length=1)
    ]
    by: Annotated[tuple[ChannelText, ...], Meta(description="Channels that carry files")] = ("email",)
    gather: Annotated[
        Seconds,
        Meta(
            description="Changes within this time make one message; who may not come in any more is told of in 20 s",
            examples=["3 min"],
        ),
    ] = 180.0


class RoomForm(Struct, frozen=True, kw_only=True):
    """A room, as it is called."""

    fr: Annotated[str, Meta(min_length=1, description="In French", examples=["Salle de crise"])]
    nl: Annotated[str, Meta(min_length=1, description="In Dutch", examples=["Crisiszaal"])]
    de: Annotated[str, Meta(min_length=1, description="In German", examples=["Krisenraum"])]
    en: Annotated[str, Meta(min_length=1, description="In English", examples=["Crisis room"])]


class StormsForm(Struct, frozen=True, kw_only=True):
    """What is a storm (docs/chains.md)."""

    messages: Annotated[
        tuple[int, float],
        Reads(_person_limit, {"type": "string"}),
        Meta(description="To one person over one channel; what is more comes as a digest", examples=["6 in 30 min"]),
    ] = (6, 1800.0)
    incidents: Annotated[
        tuple[int, float],
        Reads(_person_limit, {"type": "string"}),
        Meta(description="Opened in a span; when it is more the room is told", examples=["10 in 10 min"]),
    ] = (10, 600.0)
    call: Annotated[str, Meta(description="The chain that then asks for more hands", examples=["directors"])] = ""


class RecordForm(Struct, frozen=True, kw_only=True):
    """What comes in is recorded, so that a real day becomes a test (docs/playback.md). It is personal data, outside the
    vault: record for as long as you need, and tell whom you have to."""

    folder: Annotated[str, Meta(min_length=1, description="One file a day", examples=["../var/recordings"])]
    sources: Annotated[
        tuple[Word, ...], Meta(description="Of these sources only; of all when left out", examples=["kmi-irm"])
    ] = ()
    keep_days: Annotated[int, Meta(ge=1, le=366, description="Older files are deleted")] = 7
    max_megabytes: Annotated[
        int, Meta(ge=1, le=1_000_000, description="A day's file grows no larger; what comes then is counted")
    ] = 2000


class HubForm(Struct, frozen=True, kw_only=True):
    """config/hub.yaml. Paths are relative to the folder it lies in."""

    name: Annotated[Word, Meta(description="This machine's name in records")] = "hub"
    journal: Annotated[str, Meta(description="The journal's file; its vault lies in it")] = "../var/vigie.journal"
    secrets: Annotated[str, Meta(description="A folder of secrets, beside the environment")] = "../secrets"
    playbooks: Annotated[str, Meta(description="The folder of reflex sheets")] = "../playbooks"
    reload_on_save: Annotated[
        bool, Meta(description="What is saved is in force at once; no: at `vigie reload` or the next start")
    ] = True
    zone: Annotated[str, Reads(_zone, {"type": "string"}), Meta(description="Time zone of rosters and texts")] = (
        "Europe/Brussels"
    )
    region: Annotated[
        str, Reads(_region, {"type": "string"}), Meta(description="Country of phone numbers without a country code")
    ] = "BE"
    calendar_links: Annotated[
        dict[Word, Annotated[int, Meta(ge=1)]],
        Meta(description="Roster or person → serial of their calendar's address; raise it and the former is void"),
    ] = {}
    web: Annotated[WebForm, Meta(description="The hub's web server")] = WebForm()
    auditor: Annotated[AuditorConfig | None, Meta(description="Who watches the hub, whom it tells")] = None
    storms: Annotated[StormsForm, Meta(description="When much happens at once")] = StormsForm()
    broadcasts: Annotated[BroadcastsForm, Meta(description="Mass notification: classes and prices")] = BroadcastsForm()
    cap: Annotated[CapForm | None, Meta(description="Our own alerts as a CAP 1.2 feed (docs/cap-feed.md)")] = None
    call_list: Annotated[
        CallListForm | None, Meta(description="The call list on paper, on a rhythm (docs/contacts.md)")
    ] = None
    access_list: Annotated[
        AccessListForm | None, Meta(description="Where the access list goes at each change (docs/access.md)")
    ] = None
    sitrep: Annotated[
        tuple[Heading, ...],
        Meta(
            description="The headings of situation reports, in their order (docs/sitrep.md)",
            examples=["methane", "facts", "outlook"],
        ),
    ] = tuple(Heading)
    record: Annotated[
        RecordForm | None, Meta(description="What comes in is recorded for a playback (docs/playback.md)")
    ] = None


# --- people, rosters, chains -------------------------------------------------------------------------------


class AddressForm(Struct, frozen=True, kw_only=True):
    """An address of which more is to be said."""

    address: Annotated[str, Meta(description="The number or address", examples=["0450 00 00 01"])]
    live_only: Annotated[bool, Meta(description="Not for exercises and tests")] = False
    seen_by: Annotated[
        Classification | None, Meta(description="Who may see it on a contact sheet; as said of the person")
    ] = None


Reach = Annotated[dict[ChannelText, tuple[str | AddressForm, ...]], Meta(description="Channel → address, or several")]


class PersonForm(Struct, frozen=True, kw_only=True):
    """One person, or a desk with a phone of its own."""

    name: Annotated[str, Meta(description="As colleagues know them", examples=["Aline Peeters"])]
    language: Annotated[Language, Meta(description="What they are written to and called in")] = Language.FR
    speaks: Annotated[tuple[Language, ...], Meta(description="Besides that")] = ()
    organisation: Annotated[
        str, Meta(description="Whom they work for: the id of an organisation", examples=["siamu"])
    ] = ""
    discipline: Annotated[Discipline | None, Meta(description="D1 to D5; else that of their organisation")] = None
    competences: Annotated[
        tuple[str, ...], Meta(description="What they can do; chains and groups ask for it", examples=["cbrn"])
    ] = ()
    reach: Annotated[
        Reach, Meta(description="Channel → number or address; several in the order they are to be tried")
    ] = {}
    exercises: Annotated[bool, Meta(description="Whether they are to take part in exercises")] = True
    desk: Annotated[bool, Meta(description="It is no person, but a desk with a phone of its own")] = False
    seen_by: Annotated[
        Classification, Meta(description="Who may see them on a contact sheet: internal, partners, public")
    ] = Classification.INTERNAL
    sees: Annotated[
        Classification | None, Meta(description="What they may see of others; as said of their organisation")
    ] = None


class OrganisationForm(Struct, frozen=True, kw_only=True):
    """Whom people work for: a commune, a police zone, a fire service, an operator."""

    fr: Annotated[str, Meta(description="Its name in French", examples=["Zone de police Midi"])]
    nl: Annotated[str, Meta(description="Its name in Dutch", examples=["Politiezone Zuid"])]
    de: Annotated[str, Meta(description="Its name in German", examples=["Polizeizone Süd"])]
    en: Annotated[str, Meta(description="Its name in English", examples=["Midi police zone"])]
    kind: Annotated[
        Word,
        Meta(description="commune, police-zone, fire, transport ... : groups ask for it", examples=["police-zone"]),
    ]
    discipline: Annotated[Discipline | None, Meta(description="Of its people, where they have none of their own")] = (
        None
    )
    communes: Annotated[
        tuple[str, ...],
        Meta(
            description="Those it serves, by id, NIS code or name; a larger area stands for all in it",
            examples=["Ixelles", "21009"],
        ),
    ] = ()
    sees: Annotated[
        Classification, Meta(description="What its people may see of others: internal for the centre's own, partners")
    ] = Classification.PUBLIC


class QueryForm(Struct, frozen=True, kw_only=True):
    """A group by what its people are: all that is written must hold, of several values any."""

    competence: Annotated[tuple[str, ...], Meta(description="They have it", examples=["cbrn"])] = ()
    discipline: Annotated[tuple[Discipline, ...], Meta(description="They are of it")] = ()
    organisation: Annotated[tuple[str, ...], Meta(description="They work for it", examples=["siamu"])] = ()
    kind_of_organisation: Annotated[
        tuple[str, ...], Meta(description="They work for one of this kind", examples=["police-zone"])
    ] = ()
    language: Annotated[tuple[Language, ...], Meta(description="It is theirs, or they speak it besides")] = ()
    commune: Annotated[tuple[str, ...], Meta(description="Their organisation serves it", examples=["Ixelles"])] = ()
    also: Annotated[
        tuple[Word, ...], Meta(description="People who are in it all the same", examples=["officer-a"])
    ] = ()
    but_not: Annotated[tuple[Word, ...], Meta(description="People who are not in it", examples=["officer-b"])] = ()


class PeopleForm(Struct, frozen=True, kw_only=True):
    """Who can be reached. Thousands may be spread over `people/*.yaml`, in the same form."""

    people: Annotated[dict[Word, PersonForm], Meta(description="Id (it may stand in records) → person")] = {}
    groups: Annotated[
        dict[Word, tuple[Word, ...] | QueryForm], Meta(description="Group → its people, or what they are")
    ] = {}
    organisations: Annotated[dict[Word, OrganisationForm], Meta(description="Id → organisation")] = {}


class ShiftForm(Struct, frozen=True, kw_only=True):
    """Who is on duty from when to when; the end is excluded."""

    people: Annotated[tuple[Word, ...], Meta(description="On duty then, all of them", examples=["officer-a"])]
    start: Annotated[
        str, Meta(description="2026-11-23 08:00, in the hub's time zone", examples=["2026-11-23 08:00"])
    ] = field(name="from")
    end: Annotated[str, Meta(description="The next shift's beginning", examples=["2026-11-30 08:00"])] = field(
        name="until"
    )


class LayerForm(Struct, frozen=True, kw_only=True):
    """People who take turns. Times are of the hub's time zone."""

    people: Annotated[
        tuple[tuple[Word, ...], ...],
        Meta(description="Whose turn it is, over and over; [[a, b], [c, d]]: in pairs", examples=["officer-a"]),
    ]
    first: Annotated[Day, Meta(description="The day on which the first one's turn begins", examples=["2026-11-23"])] = (
        field(name="from")
    )
    every: Annotated[
        int,
        Reads(_turn, {"type": "string"}),
        Meta(description="How long a turn is: week, 2 weeks, day", examples=["week", "2 weeks"]),
    ] = 7
    at: Annotated[str, Reads(_time_of_day, {"type": "string"}), Meta(description="When it is handed over")] = "08:00"
    hours: Annotated[
        Annotated[tuple[str, str], Reads(_hours, {"type": "string"})] | None,
        Meta(description="On duty only between these: 20:00-08:00", examples=["20:00-08:00"]),
    ] = None
    on: Annotated[
        tuple[Annotated[str, Reads(_kind_of_day, {"type": "string"})], ...],
        Meta(
            description="Only on these days: mon to sun, weekdays, weekend, holiday (legal, in Belgium)",
            examples=["weekdays", "holiday"],
        ),
    ] = ()


class OverrideForm(Struct, frozen=True, kw_only=True):
    """Who is on duty from when to when whatever else is written."""

    people: Annotated[
        tuple[Word, ...], Meta(description="On duty then, in place of whoever would be", examples=["officer-b"])
    ]
    start: Annotated[
        str, Meta(description="2026-12-24 08:00, in the hub's time zone", examples=["2026-12-24 08:00"])
    ] = field(name="from")
    end: Annotated[str, Meta(description="The end, excluded", examples=["2026-12-26 08:00"])] = field(name="until")
    besides: Annotated[bool, Meta(description="yes: not in their place, but besides them")] = False


class RosterForm(Struct, frozen=True, kw_only=True):
    """Who is on duty: overrides before layers, the last layer that has somebody before the others, layers before
    shifts."""

    always: Annotated[
        tuple[Word, ...], Meta(description="On duty at any time that no layer covers", examples=["officer-a"])
    ] = ()
    shifts: Annotated[tuple[ShiftForm, ...], Meta(description="On duty from a time to a time")] = ()
    layers: Annotated[tuple[LayerForm, ...], Meta(description="People who take turns")] = ()
    overrides: Annotated[tuple[OverrideForm, ...], Meta(description="Replacements for a time")] = ()
    swaps: Annotated[
        tuple[dict[Word, str], ...], Meta(description="Two people, each with a moment of the shift they give away")
    ] = ()
    handover_notice: Annotated[
        Seconds | None, Meta(description="How long before a handover those who go and those who come are told")
    ] = None
    may_be_empty: Annotated[bool, Meta(description="yes: that nobody is on duty at times is on purpose")] = False


class TierForm(Struct, frozen=True, kw_only=True):
    """People who are asked at the same time."""

    ask: Annotated[tuple[Asks, ...], Meta(description="roster NAME, person NAME, competence NAME, or a group")]
    by: Annotated[tuple[ChannelText, ...], Meta(description="Channels, in this order")]
    between: Annotated[Seconds, Meta(description="From one channel to the next")] = 90.0
    answer: Annotated[Seconds, Meta(description="Time to answer, from the first attempt that went out")] = field(
        default=240.0, name="for"
    )
    times: Annotated[int, Meta(ge=1, description="How often the whole tier is gone through")] = 1
    in_turn: Annotated[bool, Meta(description="One person after the other, not all at once")] = False


class ChainForm(Struct, frozen=True, kw_only=True):
    """An alert chain: tiers gone through until enough have accepted."""

    tiers: Annotated[tuple[TierForm, ...], Meta(description="One after the other")]
    need: Annotated[
        Need,
        ReadsNode(_need, _NEED),
        Meta(description='How many accept: "2", or by role: "total: 2", "speaks nl: 1", "discipline D3: 1"'),
    ] = Need()
    exhausted: Annotated[
        str, Meta(description="The chain that goes on when nobody is left", examples=["directors"])
    ] = ""


# --- sources and channels: what the hub itself wants to know; the rest is the connector's --------------------


class SourceMode(StrEnum):
    LIVE = "live"
    SHADOW = "shadow"


class SourceForm(Struct, frozen=True, kw_only=True):
    """What the hub wants to know of every source; the rest is the connector's."""

    type: Annotated[str, Meta(description="Which connector", examples=["cap"])]
    reliability: Annotated[Reliability, Meta(description="A to F, of the source (Admiralty code)")] = Reliability.F
    credibility: Annotated[Credibility, Meta(description="1 to 6, of its information to begin with")] = (
        Credibility.CANNOT_BE_JUDGED
    )
    mode: Annotated[
        SourceMode, Meta(description="shadow: on trial, its signals are recorded and shown, and make nobody act")
    ] = SourceMode.LIVE
    expect: Annotated[
        Annotated[float, Reads(expected, {"type": "string"})],
        Meta(
            description='Something is heard of it, or it answers, that often: "every 15 min"; else the room is told',
            examples=["every 15 min"],
        ),
    ] = 0.0
    origin: Annotated[
        str,
        Meta(
            description='Whose word it is, where several sources carry one\'s: two feeds of one agency; "each sender" '
            "where many speak by it",
            examples=["belga", "each sender"],
        ),
    ] = ""


class LimitsForm(Struct, frozen=True, kw_only=True):
    """What a channel is given at most; what is left out is as in hub/dispatch/policy.py."""

    per_second: Annotated[float | None, Meta(description="Deliveries per second", examples=[100])] = None
    burst: Annotated[float | None, Meta(description="How many at once after a pause", examples=[200])] = None
    burst_for_asks: Annotated[float | None, Meta(description="Of these, how many only asks may use", examples=[20])] = (
        None
    )
    per_person: Annotated[
        Annotated[tuple[int, float], Reads(_person_limit, {"type": "string"})] | None,
        Meta(
            description='Deliveries to one person in a time: "10 in 10 min"; the last three only for asks',
            examples=["10 in 10 min"],
        ),
    ] = None
    at_once: Annotated[int | None, Meta(description="Deliveries under way at the same time", examples=[64])] = None
    at_once_for_asks: Annotated[int | None, Meta(description="Of these, how many are kept for asks", examples=[8])] = (
        None
    )
    one_try: Annotated[Seconds | None, Meta(description="How long one try may last")] = None
    sms_parts: Annotated[int | None, Meta(description="Texts are shortened to so many SMS", examples=[4])] = None

    def over(self, base: Limits) -> Limits:
        """The limits with what is not written taken from `base`."""
        person, person_s = self.per_person or (base.per_person, base.person_s)

        def given(value: Any, otherwise: Any) -> Any:
            return otherwise if value is None else value

        return Limits(
            rate=given(self.per_second, base.rate),
            burst=given(self.burst, base.burst),
            burst_asks=given(self.burst_for_asks, base.burst_asks),
            per_person=person,
            person_s=person_s,
            person_asks=base.person_asks,
            width=given(self.at_once, base.width),
            width_asks=given(self.at_once_for_asks, base.width_asks),
            try_s=given(self.one_try, base.try_s),
            parts=given(self.sms_parts, base.parts),
        )


def _prefix(text: str) -> str:
    """The beginning of numbers, with the country's code or a part of it."""
    digits = text.removeprefix("+")
    codes = [str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE]
    known = any(code.startswith(digits) or digits.startswith(code) for code in codes)
    if not re.fullmatch(r"\+[1-9]\d{0,13}", text) or not known:
        raise Misfit("not-a-prefix", f'"{text}" begins no phone number', 'with the country\'s code: "+49"')
    return text


Prefix = Annotated[str, Reads(_prefix, {"type": "string", "pattern": r"^\+[1-9]\d*$"})]


class ChannelForm(Struct, frozen=True, kw_only=True):
    """What the hub wants to know of every channel; the rest is the connector's. A channel may stand for several
    providers, of which each is an entry of its own: see [providers.md](providers.md)."""

    type: Annotated[
        str, Meta(description="Which connector; left out, the one of the channel's own name", examples=["http-sms"])
    ] = ""
    limits: Annotated[LimitsForm, Meta(description="What it is given at most")] = LimitsForm()
    live_only: Annotated[bool, Meta(description="No exercise and no test ever goes over it")] = False
    exercises_by: Annotated[
        str,
        Meta(
            description="The entry by whose provider exercises and tests go; nothing in earnest ever does",
            examples=["sms-exercises"],
        ),
    ] = ""
    fall_back_to: Annotated[
        str, Meta(description="The entry whose provider takes over when this one's is out", examples=["sms-second"])
    ] = ""
    by_prefix: Annotated[
        dict[Prefix, str], Meta(description="Beginning of a number → the entry by whose provider it goes")
    ] = {}
