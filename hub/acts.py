"""What may be asked of the running hub from outside: operators' acts and questions, each with its path, what it is
sent and what it answers. One list: the web makes routes of it, hub/operators.py does what is asked.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Struct

from hub.model.people import Steer
from hub.model.signal import Hazard

Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Refused(Exception):
    """The act is not possible as asked; `reason` names what is wrong and what would be right. `missing`: what it is
    about does not exist (404 rather than 422)."""

    def __init__(self, reason: str, *, missing: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.missing = reason, missing


# --- what is answered --------------------------------------------------------------------------------------


class Done(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The act is durable. `id`: of its fact. `said`: what came of it, in a sentence."""

    id: str
    said: str = ""


class Duty(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One person a chain would ask: in which tier, by which channels, and when (`after_s` from the beginning)."""

    tier: int
    person: str
    name: str = ""
    by: tuple[str, ...] = ()
    after_s: float = 0.0
    why: str = ""


# --- what is sent ------------------------------------------------------------------------------------------


class Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all bodies. `by` is who acts, in their own words until there are accounts."""


class StartBody(Body, frozen=True):
    """`answers` stand for what a signal would have said."""

    sheet: str
    by: str
    answers: dict[str, str] = {}


class WhyBody(Body, frozen=True):
    by: str
    why: str


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


# --- the list ----------------------------------------------------------------------------------------------


class Act(Struct, frozen=True, kw_only=True):
    """`path`: with the names of what it is about in braces. `body`: None for a question, which is a GET and may have
    words in its query (name → what it is). `answer`: a type, or a JSON Schema."""

    verb: str
    path: str
    summary: str
    body: type[Body] | None = None
    query: dict[str, str] = {}
    answer: Any = Done


_STEERING = {
    Steer.HOLD: "Nobody more is asked by this chain until it is resumed",
    Steer.RESUME: "A held chain goes on",
    Steer.CANCEL: "Cancel a chain: who was disturbed is told so",
    Steer.AGAIN: "Begin an ended chain again: nobody who accepted is asked again",
    Steer.HAND_OVER: "Hand a chain over to a person who has agreed, or to another chain",
}

ACTS = (
    Act(verb="start", path="/api/start", summary="Start a reflex sheet by hand", body=StartBody),
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
    Act(verb="watch", path="/api/watch", summary="Take the watch of the room", body=WatchBody),
    Act(verb="contacts", path="/api/contacts", summary="Send people the contact sheet of others", body=ContactsBody),
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
        query={"at": "RFC 3339 with its offset; now when left out"},
        answer=list[Duty],
    ),
    Act(verb="status", path="/api/status", summary="The current picture", answer={"type": "object"}),
)
HEALTH = "health"  # the one question that has no route here: /health is the server's own
