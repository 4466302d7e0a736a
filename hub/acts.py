"""What may be asked of the running hub from outside: operators' acts and questions, each with its path, what it is
sent and what it answers. One list: the web makes routes of it, hub/operators.py does what is asked.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Struct

from hub.act import About as About
from hub.act import Act as Act
from hub.act import Body as Body
from hub.act import Done as Done
from hub.act import Erased as Erased
from hub.act import Instant as Instant
from hub.act import Left as Left
from hub.act import Refused as Refused
from hub.act import instant_of as instant_of
from hub.acts_access import ACCESS
from hub.acts_dossier import DOSSIERS
from hub.acts_reports import REPORTS
from hub.model.broadcast import Cap, Control, Kind, RegisteredIn
from hub.model.people import Language, Override, Part, Roster, Steer
from hub.model.signal import Hazard, Info, Reference

# --- what is answered --------------------------------------------------------------------------------------


class Duty(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One person a chain would ask: in which tier, by which channels, and when (`after_s` from the beginning)."""

    tier: int
    person: str
    name: str = ""
    by: tuple[str, ...] = ()
    after_s: float = 0.0
    why: str = ""


class Wording(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What those of one language read or hear: for an SMS in how many parts and in which encoding it goes; for a call
    how many seconds it speaks, about."""

    people: int
    text: str
    subject: str = ""
    parts: int = 0
    encoding: str = ""
    spoken_s: float = 0.0


class Reach(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One channel of a broadcast: how many it reaches, in what words, in how many seconds and for how many euros (None:
    no price is known)."""

    channel: str
    people: int
    seconds: float
    euros: float | None
    wordings: dict[Language, Wording]


class Preview(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a broadcast would do. `people`: those who are told by one channel at least; `unreached`: who is meant and
    cannot be; `opted_out`: of those, who wants nothing more. `needs`: how many people must stand behind it.
    `registered`: where those of the public live whom it tells."""

    people: int
    unreached: int
    opted_out: int
    seconds: float
    euros: float | None
    needs: int
    reach: tuple[Reach, ...]
    warnings: tuple[str, ...] = ()
    registered: RegisteredIn | None = None


class Drafted(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`id`: the broadcast's."""

    id: str
    said: str
    preview: Preview


class CapShown(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A broadcast as CAP 1.2: signed, as it is `published`, or unsigned, as it would be. `mind`: what whoever releases
    it should know."""

    published: bool
    xml: str
    mind: tuple[str, ...] = ()


class Subscribed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a calendar shows: one roster with the names of its people, or all those in which `person` is ever on duty.
    `now`: hub time."""

    now: datetime
    zone: str
    rosters: tuple[Roster, ...]
    person: str = ""
    names: dict[str, str] = {}


class Change(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an act says otherwise than the files. `id`: of its fact. `overtaken`: the entry in the files was edited
    since, and says something else again: the act still counts."""

    id: str
    by: str
    why: str
    at: datetime
    removed: bool = False
    overtaken: bool = False
    overrides: tuple[Override, ...] = ()


class Listed(Struct, frozen=True, kw_only=True):
    """One person of the directory in force."""

    id: str
    name: str
    language: Language
    organisation: str = ""
    changed: bool = False


class PersonShown(Struct, frozen=True, kw_only=True):
    """Somebody as they are in force. `version`: to be named by whoever changes them. `person`: the keys of their entry
    in config/people.yaml; None where an act has taken them out. `change`: what makes them other than the files say."""

    id: str
    version: str
    person: dict[str, Any] | None
    groups: tuple[str, ...] = ()
    in_files: bool = True
    change: Change | None = None


class Span(Struct, frozen=True, kw_only=True):
    """The same people from `start` (included) to `end` (excluded)."""

    people: tuple[str, ...]
    start: datetime
    end: datetime


class RosterShown(Struct, frozen=True, kw_only=True):
    """Who is on duty in a time. `changes`: what puts others in place for a time and the files do not say. `roster`: who
    takes turns, as config/rosters.yaml would have it; `change`: what makes that other than the files say."""

    id: str
    version: str
    spans: tuple[Span, ...]
    changes: tuple[Change, ...] = ()
    roster: dict[str, Any] = {}
    in_files: bool = True
    change: Change | None = None


class PartListed(Struct, frozen=True, kw_only=True):
    """A group, an organisation or a roster in force."""

    id: str
    changed: bool = False


class PartShown(Struct, frozen=True, kw_only=True):
    """A group or an organisation as it is in force. `version`: to be named by whoever changes it. `entry`: what stands
    under its name in config/people.yaml; None where an act has taken it out. `people`: who is in it, or works for it.
    `change`: what makes it other than the files say."""

    id: str
    version: str
    entry: Any
    people: tuple[str, ...] = ()
    in_files: bool = True
    change: Change | None = None


class Changed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The change is durable and in force. `version`: the one that it has made. `warnings`: what it leaves open."""

    id: str
    said: str
    version: str = ""
    warnings: tuple[str, ...] = ()


# --- what is sent ------------------------------------------------------------------------------------------


class StartBody(Body, frozen=True):
    """`answers` stand for what a signal would have said."""

    sheet: str
    by: str
    answers: dict[str, str] = msgspec.field(default_factory=dict)


class ExerciseSignal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A signal as a sender would say it, but for its status: it has none, as all that comes in by this act is an
    exercise."""

    identifier: str
    sender: str
    sent: Instant
    msg_type: Literal["Alert", "Update", "Cancel"] = "Alert"
    references: tuple[Reference, ...] = ()
    infos: tuple[Info, ...] = ()


class ExerciseBody(Body, frozen=True):
    """`source`: of config/sources.yaml: it is believed as far as that is; left out, as far as whoever hands it in."""

    by: str
    signal: ExerciseSignal
    source: str = ""


class WhyBody(Body, frozen=True):
    by: str
    why: str


class GradeBody(Body, frozen=True):
    """`credibility`: 1 (confirmed) to 5 (improbable), 6 (cannot be judged); null: by the rules again."""

    by: str
    why: str
    credibility: Annotated[int, msgspec.Meta(ge=1, le=6)] | None = None


class RetryBody(Body, frozen=True):
    """`mended`: what is to be read in place of what came (base64)."""

    by: str
    why: str
    mended: str | None = None


class HandOverBody(Body, frozen=True):
    """`to`: the person who takes over, having agreed, or another chain, which is set in motion."""

    by: str
    why: str
    to: str


class SilenceBody(Body, frozen=True):
    """What is to wake nobody, until when (at most two weeks) and, for a maintenance window, from when. All that is
    given must hold. `gravest`: also what is of severity Extreme."""

    by: str
    why: str
    until: Instant
    start: Instant | None = None
    sheets: tuple[str, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    sources: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    gravest: bool = False


class WatchBody(Body, frozen=True):
    """`person`: who has the watch of the room from now on."""

    person: str
    by: str


class WordsBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`subject`: a mail's; else the text's first line. `voice`: what a call says; else the text."""

    text: str
    subject: str = ""
    voice: str = ""


class BroadcastBody(Body, frozen=True, omit_defaults=True):
    """`group`: the class of the message (config/hub.yaml). `to`: a group, `roster NAME`, `competence NAME`,
    `organisation NAME` or `person NAME`; and `registered`. `by_channels`: each person is told over each of them that
    reaches them. Instead of `to`, `registered` and `by_channels`, an all-clear or a correction names the broadcast it
    `follows`. `cap`: what it says on the CAP feed besides, where its class stands there."""

    by: str
    why: str
    group: str
    texts: dict[Language, WordsBody]
    kind: Kind = Kind.ALERT
    to: tuple[str, ...] = ()
    registered: RegisteredIn | None = None
    by_channels: tuple[str, ...] = ()
    follows: str = ""
    status: Literal["Actual", "Exercise", "Test"] = "Actual"
    cap: Cap | None = None


class ContactsBody(Body, frozen=True):
    """`contacts`: whose names and numbers, `to`: who gets them, as much as each may see: `roster NAME`, a group's name,
    `organisation NAME`, `person NAME`, `competence NAME`. `channels`: over all of these. `exercise`: marked as one."""

    contacts: tuple[str, ...]
    to: tuple[str, ...]
    by: str
    channels: tuple[str, ...] = ("email",)
    exercise: bool = False


class AuditorBody(Body, frozen=True):
    what: str
    detail: str = ""


class ClockBody(Body, frozen=True):
    at: Instant


class ByBody(Body, frozen=True):
    by: str


class ModeBody(Body, frozen=True):
    """`live`: it calls people; `shadow`: it runs on real signals and sends nothing; `draft`: it never runs."""

    mode: Literal["live", "shadow", "draft"]
    by: str
    why: str


class VersionBody(Body, frozen=True, kw_only=True):
    """`over`: the version that was looked at, `""` for what is not there yet. The header If-Match may say it too."""

    by: str
    why: str
    over: str | None = None


class PersonBody(VersionBody, frozen=True, kw_only=True):
    """`person`: the keys of an entry in config/people.yaml (`vigie schema people`): name, language, reach ..."""

    person: dict[str, Any]


class GroupBody(VersionBody, frozen=True, kw_only=True):
    """`group`: as in config/people.yaml: its people, or what they are (`vigie schema people`)."""

    group: tuple[str, ...] | dict[str, Any]


class OrganisationBody(VersionBody, frozen=True, kw_only=True):
    """`organisation`: the keys of its entry in config/people.yaml: fr, nl, de, en, kind, communes ..."""

    organisation: dict[str, Any]


class RosterBody(VersionBody, frozen=True, kw_only=True):
    """`roster`: the keys of its entry in config/rosters.yaml: always, layers, shifts, handover notice ..."""

    roster: dict[str, Any]


class OverrideBody(VersionBody, frozen=True, kw_only=True):
    """Who is on duty from when to when, in place of whoever would be, or besides them."""

    people: tuple[str, ...]
    start: Instant = msgspec.field(name="from")
    until: Instant
    besides: bool = False


class SwapBody(VersionBody, frozen=True, kw_only=True):
    """`swap`: two people, each with a moment of the shift that they give away: each takes the other's."""

    swap: dict[str, Instant]


# --- the list ----------------------------------------------------------------------------------------------


_STEERING = {
    Steer.HOLD: "Nobody more is asked by this chain until it is resumed",
    Steer.RESUME: "A held chain goes on",
    Steer.CANCEL: "Cancel a chain: who was disturbed is told so",
    Steer.AGAIN: "Begin an ended chain again: nobody who accepted is asked again",
    Steer.HAND_OVER: "Hand a chain over to a person who has agreed, or to another chain",
}

_CONTROLS = {
    Control.HOLD: "What has not gone out of a broadcast waits",
    Control.RESUME: "What waited of a broadcast goes out",
    Control.STOP: "What has not gone out of a broadcast never will; a draft is thrown away",
}

_INSTANT = "RFC 3339 with its offset"
_PART_BODIES: dict[Part, type[Body]] = {
    Part.GROUP: GroupBody,
    Part.ORGANISATION: OrganisationBody,
    Part.ROSTER: RosterBody,
}


def _part(part: Part) -> tuple[Act, ...]:
    """What may be asked of groups, organisations and rosters alike."""
    path, a = f"/api/{part}s/{{{part}}}", "an" if part is Part.ORGANISATION else "a"
    turns = "Change who takes turns in a roster" if part is Part.ROSTER else f"Change {a} {part}"
    return (
        Act(verb=f"{part}s", path=f"/api/{part}s", summary=f"The {part}s in force", answer=list[PartListed]),
        Act(
            verb=f"set-{part}",
            method="PUT",
            path=path,
            summary=f"{turns}, or make a new one",
            body=_PART_BODIES[part],
            answer=Changed,
        ),
        Act(
            verb=f"remove-{part}",
            method="DELETE",
            path=path,
            summary=f"Take {a} {part} out that nothing names",
            body=VersionBody,
            answer=Changed,
        ),
        Act(
            verb=f"revert-{part}",
            path=f"{path}/revert",
            summary=f"{a.title()} {part} is as the files say again",
            body=WhyBody,
            answer=Changed,
        ),
    )


ACTS = (
    Act(verb="start", path="/api/start", summary="Start a reflex sheet by hand", body=StartBody),
    Act(
        verb="exercise",
        path="/api/exercise/signals",
        summary="Hand in a signal of an exercise: people are called, and told that it is one",
        body=ExerciseBody,
    ),
    Act(
        verb="exercise-start",
        path="/api/exercise/start",
        summary="Start a reflex sheet by hand, as an exercise",
        body=StartBody,
    ),
    Act(
        verb="grade",
        path="/api/signals/{signal}/grade",
        summary="Say how far a signal is to be believed",
        body=GradeBody,
    ),
    Act(
        verb="retry",
        path="/api/deadletters/{letter}/retry",
        summary="Have a dead letter read again, as it came or mended",
        body=RetryBody,
    ),
    Act(verb="stop-all", path="/api/stop-all", summary="Let nothing more go out", body=WhyBody),
    Act(verb="lift", path="/api/lift", summary="Let things go out again", body=WhyBody),
    Act(verb="end", path="/api/incidents/{incident}/end", summary="End an incident", body=WhyBody),
    *(
        Act(
            verb=str(act),
            path=f"/api/chains/{{run}}/{act}",
            summary=summary,
            body=HandOverBody if act is Steer.HAND_OVER else WhyBody,
        )
        for act, summary in _STEERING.items()
    ),
    Act(verb="silence", path="/api/silences", summary="Wake nobody for this for a while", body=SilenceBody),
    Act(verb="lift-silence", path="/api/silences/{silence}/lift", summary="End a silence", body=WhyBody),
    Act(
        verb="preview",
        path="/api/broadcasts/preview",
        summary="What a broadcast would do; nothing is kept",
        body=BroadcastBody,
        answer=Preview,
    ),
    Act(
        verb="draft",
        path="/api/broadcasts",
        summary="Draft a broadcast: it goes out when it is released",
        body=BroadcastBody,
        answer=Drafted,
    ),
    Act(
        verb="broadcast",
        path="/api/broadcasts/{broadcast}",
        summary="What a broadcast says to whom, as it is: to be read before it is released",
        answer=Preview,
    ),
    Act(
        verb="broadcast-cap",
        path="/api/broadcasts/{broadcast}/cap",
        summary="A broadcast as it stands on the CAP feed, or would",
        answer=CapShown,
    ),
    Act(
        verb="release",
        path="/api/broadcasts/{broadcast}/release",
        summary="Stand behind a broadcast as it is; with the last that is needed it goes out",
        body=ByBody,
    ),
    *(
        Act(verb=f"broadcast-{act}", path=f"/api/broadcasts/{{broadcast}}/{act}", summary=summary, body=WhyBody)
        for act, summary in _CONTROLS.items()
    ),
    Act(
        verb="reload",
        path="/api/reload",
        summary="Put in force what stands in the files now",
        body=ByBody,
        answer=Changed,
    ),
    Act(
        verb="set-mode",
        path="/api/playbooks/{sheet}/mode",
        summary="A sheet is live, in shadow or a draft from the next signal on, whatever its file says",
        body=ModeBody,
    ),
    Act(verb="watch", path="/api/watch", summary="Take the watch of the room", body=WatchBody),
    Act(verb="contacts", path="/api/contacts", summary="Send people the contact sheet of others", body=ContactsBody),
    *ACCESS,
    *DOSSIERS,
    *REPORTS,
    Act(verb="task", path="/api/tasks/{task}/done", summary="A task is done", body=ByBody),
    Act(
        verb="acknowledge",
        path="/api/alarms/{alarm}/acknowledge",
        summary="Somebody has seen an alarm",
        body=ByBody,
    ),
    Act(verb="auditor", path="/api/auditor", summary="What the auditor found", body=AuditorBody),
    Act(verb="clock", path="/api/playback/clock", summary="A playback goes on at another date", body=ClockBody),
    Act(
        verb="who",
        path="/api/who/{chain}",
        summary="Whom a chain would ask",
        query={"at": f"{_INSTANT}; now when left out"},
        answer=list[Duty],
    ),
    Act(verb="people", path="/api/people", summary="The directory in force", answer=list[Listed]),
    Act(verb="person", path="/api/people/{person}", summary="Somebody as they are in force", answer=PersonShown),
    Act(
        verb="set-person",
        method="PUT",
        path="/api/people/{person}",
        summary="Change somebody, or put them into the directory",
        body=PersonBody,
        answer=Changed,
    ),
    Act(
        verb="remove-person",
        method="DELETE",
        path="/api/people/{person}",
        summary="Take somebody out of the directory: nobody asks them anything any more",
        body=VersionBody,
        answer=Changed,
    ),
    Act(
        verb="revert-person",
        path="/api/people/{person}/revert",
        summary="Somebody is as the files say again",
        body=WhyBody,
        answer=Changed,
    ),
    Act(
        verb="erase-person",
        path="/api/people/{person}/erase",
        summary="Erase what is kept about somebody who is in the directory no more",
        body=WhyBody,
        answer=Erased,
    ),
    Act(
        verb="roster",
        path="/api/rosters/{roster}",
        summary="Who is on duty when",
        query={"from": f"{_INSTANT}; now when left out", "until": f"{_INSTANT}; four weeks later when left out"},
        answer=RosterShown,
    ),
    Act(verb="group", path="/api/groups/{group}", summary="A group as it is in force", answer=PartShown),
    Act(
        verb="organisation",
        path="/api/organisations/{organisation}",
        summary="An organisation as it is in force",
        answer=PartShown,
    ),
    *(act for part in Part for act in _part(part)),
    Act(
        verb="override",
        path="/api/rosters/{roster}/overrides",
        summary="Others are on duty for a time",
        body=OverrideBody,
        answer=Changed,
    ),
    Act(
        verb="swap",
        path="/api/rosters/{roster}/swaps",
        summary="Two people take each other's shift",
        body=SwapBody,
        answer=Changed,
    ),
    Act(
        verb="lift-override",
        method="DELETE",
        path="/api/rosters/{roster}/overrides/{change}",
        summary="What was changed in a roster while running holds no longer",
        body=WhyBody,
        answer=Changed,
    ),
    Act(verb="status", path="/api/status", summary="The current picture", answer={"type": "object"}),
)
# Questions that have no route here: they are asked by pages of the server's own.
HEALTH = "health"
CALENDAR = "calendar"  # about `name` and `token`; answered with Subscribed
