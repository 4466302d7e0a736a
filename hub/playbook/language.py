"""The language of reflex sheets, as typed structs: what loading (text → structs) gives and matching and the engine use.

Everything here is frozen and holds no text that was not checked. Durations are seconds. Names of chains, groups,
messages and areas are ids of `config/`. How it reads in YAML: docs/playbooks.md.
"""

from enum import StrEnum

from msgspec import Struct

from hub.model.broadcast import RegisteredIn
from hub.model.people import Contact, Language
from hub.model.report import ReportKind
from hub.model.signal import Category, Certainty, Hazard, Severity, Status, Urgency
from hub.model.trust import Credibility, Reliability, at_least

ALL_CLEAR = "hub.all-clear"  # what is said where the sheet has no all-clear of its own


class Mode(StrEnum):
    DRAFT = "draft"  # loaded and checked, never runs
    SHADOW = "shadow"  # runs on real signals, sends nothing
    LIVE = "live"


class Trust(Struct, frozen=True, array_like=True):
    """`at least B2`."""

    reliability: Reliability
    credibility: Credibility


class Corroborated(Struct, frozen=True, array_like=True):
    """`corroborated by 2 independent origins`."""

    origins: int


class When(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Which signals a sheet is about. Every condition given must hold on one and the same info block; a list means
    any of its items. An empty tuple, None or "" means: not asked.

    `words`: whole words or phrases, folded (accents, case, inflection), looked for in event, headline and
    description in any language; `event`: the same in the event only. `where`: a CEL expression over `signal`, `info`
    and `now` that must be true. `trust`, `origins` (independent ones that tell the same): where both are asked for,
    either is enough. An exercise runs like the real thing and says on everything that it is one; tests,
    drafts and system messages never act unless a sheet of that status asks for them.
    """

    status: tuple[Status, ...] = (Status.ACTUAL, Status.EXERCISE)
    categories: tuple[Category, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    event: tuple[str, ...] = ()
    urgency: tuple[Urgency, ...] = ()
    severity: tuple[Severity, ...] = ()
    certainty: tuple[Certainty, ...] = ()
    sources: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    trust: Trust | None = None
    origins: int = 0
    where: str = ""

    def believes(self, reliability: Reliability, credibility: Credibility, origins: int) -> bool:
        """Whether that is trusted far enough."""
        if self.trust is None and not self.origins:
            return True
        asked = self.trust
        far = asked is not None and at_least(reliability, credibility, asked.reliability, asked.credibility)
        return far or 0 < self.origins <= origins


class Outcome(StrEnum):
    """What a step can come to."""

    ACCEPTED = "accepted"  # call: enough people accepted
    EXHAUSTED = "exhausted"  # call: nobody (not enough) did
    CANCELLED = "cancelled"  # any: stopped by the incident's end or a person
    SENT = "sent"  # notify, send contacts, draft broadcast, report: handed to a channel for at least one recipient
    FAILED = "failed"  # the same: could be handed over for nobody, or not drafted; access: nobody could be let in
    DRAFTED = "drafted"  # draft broadcast: it waits for people to release it; report: it is written
    RELEASED = "released"  # draft broadcast: all who are needed stand behind it
    GRANTED = "granted"  # access: people of the request are on the access list
    LAPSED = "lapsed"  # draft broadcast: nobody, or too few, did in time
    WITHDRAWN = "withdrawn"  # draft broadcast: a person threw it away, or stopped it; access: its time is over
    DONE = "done"  # tasks: all ticked
    LATE = "late"  # tasks: one passed its time
    OVER = "over"  # wait: the time is up
    BEGUN = "begun"  # any
    CONFIRMED = "confirmed"  # the signal: independent sources, or an officer, have confirmed it
    DOUBTED = "doubted"  # the signal: it is believed less than it was
    UNDECIDED = "undecided"  # the signal: who was asked whether it is true cannot tell


SIGNAL = "signal"  # what a step waits for that is no step: what the incident is about (`signal is doubted`)


class After(Struct, frozen=True, array_like=True):
    """`wake is accepted`. `step`: a step's name, or SIGNAL."""

    step: str
    outcome: Outcome


class Condition(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`any`: one of them suffices; `all`: each is needed. Exactly one of the two is filled."""

    any: tuple[After, ...] = ()
    all: tuple[After, ...] = ()


class Call(Struct, frozen=True, kw_only=True, tag="call"):
    """Sets an alert chain in motion with a message. `verify`: who accepts is to say whether what was told is true."""

    chain: str
    say: str
    verify: bool = False


class Notify(Struct, frozen=True, kw_only=True, tag="notify"):
    """Sends a message to people who need not answer. `the_sender`: and to the organisation whose word the incident is
    about. `everyone_reached`: all whom this incident's messages went to,
    also where delivery was never confirmed; `to` is empty then, and `by` may be (each over the channel used)."""

    say: str
    to: tuple[Contact, ...] = ()
    everyone_reached: bool = False
    the_sender: bool = False
    by: tuple[str, ...] = ()


class SendContacts(Struct, frozen=True, kw_only=True, tag="send-contacts"):
    """Sends people the contact sheet of others (`contacts`): each as much of it as they may see."""

    contacts: tuple[Contact, ...]
    to: tuple[Contact, ...]
    by: tuple[str, ...]
    say: str = "hub.contacts"


class DraftBroadcast(Struct, frozen=True, kw_only=True, tag="draft-broadcast"):
    """Drafts a broadcast of a class (`group`) of config/hub.yaml to people and to the public who registered. It goes
    out when as many people as its class asks for have released it. `all_clear`: what those it reached are told at the
    incident's end, once the same number of people have released that."""

    group: str
    say: str
    by: tuple[str, ...]
    to: tuple[Contact, ...] = ()
    registered: RegisteredIn | None = None
    all_clear: str = ALL_CLEAR


class Admit(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="access"):
    """Lets the people of the request in. `people`: the field of the signal that names them. `rooms`: always these;
    `rooms_from`: the field with those that are asked for. `start` and `until`: fields that say from when to when where
    the signal itself does not; never longer than `at_most_s`, from its beginning on."""

    people: str
    at_most_s: float
    rooms: tuple[str, ...] = ()
    rooms_from: str = ""
    start: str = ""
    until: str = ""

    def fields(self) -> dict[str, str]:
        """Key as the author writes it → the field that it names."""
        keys = {"people": self.people, "rooms from": self.rooms_from, "from": self.start, "until": self.until}
        return {key: field for key, field in keys.items() if field}


class WriteReport(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="report"):
    """Writes a report on the incident from the journal and sends it; with `approval` once an officer approves it."""

    report: ReportKind
    to: tuple[Contact, ...]
    by: tuple[str, ...]
    approval: bool = False


class Wait(Struct, frozen=True, kw_only=True, tag="wait"):
    seconds: float


class Task(Struct, frozen=True, kw_only=True):
    """Something a person has to do. `who` is shown as written; `due_s` runs from the step's beginning."""

    do: dict[Language, str]
    who: str
    due_s: float | None = None


class Tasks(Struct, frozen=True, kw_only=True, tag="tasks"):
    tasks: tuple[Task, ...]


Action = Call | Notify | SendContacts | DraftBroadcast | Admit | WriteReport | Wait | Tasks


class Step(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One action. It begins when `after` holds (at once where there is none), or, with `at_end`, when the incident
    ends; it is repeated every `every_s` while the incident is open and `until` does not hold."""

    name: str
    action: Action
    after: Condition | None = None
    at_end: bool = False
    every_s: float | None = None
    until: Condition | None = None


class Field(Struct, frozen=True, kw_only=True):
    """What a person who starts the sheet by hand is asked for, in place of a signal."""

    name: str
    ask: dict[Language, str]
    required: bool = True


class ByHand(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A person may start the sheet: who (a roster, group or competence, as written), and what is asked."""

    who: str
    fields: tuple[Field, ...] = ()


class Joining(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How signals make incidents. `one_per`: what they must agree on to join the same one (hazard, area, source,
    event, category, sender, incident); none: one incident of this sheet at a time. `within_s`: a signal that comes
    this soon after the end re-opens it. `by_officer`: only an officer ends it, not the last signal's withdrawal."""

    one_per: tuple[str, ...] = ()
    within_s: float = 21_600.0
    by_officer: bool = False


class Cause(Struct, frozen=True, array_like=True):
    """A sheet whose open incident is the cause of this one's: in the same area only, or wherever it is."""

    sheet: str
    same_area: bool = False


class Playbook(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A reflex sheet. `version` is the hex SHA-256 of its text. `when` is any of; none: started by hand only.
    `quiet_while`: while one of these causes is open, incidents of this sheet wake nobody."""

    name: str
    title: dict[Language, str]
    version: str
    owner: str
    review_by: str = ""
    mode: Mode = Mode.DRAFT
    when: tuple[When, ...] = ()
    by_hand: ByHand | None = None
    incident: Joining = Joining()
    quiet_while: tuple[Cause, ...] = ()
    steps: tuple[Step, ...] = ()

    def step(self, name: str) -> Step:
        """The step of that name. Raises KeyError."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)


# What the steps of each action can come to, by the author's word for it.
OUTCOMES: dict[str, tuple[Outcome, ...]] = {
    "call": (Outcome.ACCEPTED, Outcome.EXHAUSTED, Outcome.CANCELLED, Outcome.BEGUN),
    "notify": (Outcome.SENT, Outcome.FAILED, Outcome.CANCELLED, Outcome.BEGUN),
    "send contacts": (Outcome.SENT, Outcome.FAILED, Outcome.CANCELLED, Outcome.BEGUN),
    "draft broadcast": (
        Outcome.DRAFTED,
        Outcome.RELEASED,
        Outcome.SENT,
        Outcome.FAILED,
        Outcome.LAPSED,
        Outcome.WITHDRAWN,
        Outcome.CANCELLED,
        Outcome.BEGUN,
    ),
    "access": (Outcome.GRANTED, Outcome.FAILED, Outcome.WITHDRAWN, Outcome.CANCELLED, Outcome.BEGUN),
    "report": (Outcome.DRAFTED, Outcome.SENT, Outcome.FAILED, Outcome.CANCELLED, Outcome.BEGUN),
    "wait": (Outcome.OVER, Outcome.CANCELLED, Outcome.BEGUN),
    "tasks": (Outcome.DONE, Outcome.LATE, Outcome.CANCELLED, Outcome.BEGUN),
    SIGNAL: (Outcome.CONFIRMED, Outcome.DOUBTED, Outcome.UNDECIDED),
}
