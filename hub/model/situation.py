"""What an incident has come to at an instant, as the journal has it: what situation reports are written of
(hub/reporting reads it, hub/report writes it). Each part names the records that say so.

People stand here by their ids: how they are called, and by whom, is looked up when a report is written. What senders
wrote stands here in their words; so a situation lies in the vault.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from hub.model.people import Language
from hub.model.signal import Hazard, Named, Severity, Status
from hub.model.trust import Credibility, Reliability


class Topic(StrEnum):
    """What of a report an officer may write beside the facts: the headings of METHANE, and the centre's own."""

    MAJOR = "major"
    LOCATION = "location"
    TYPE = "type"
    HAZARDS = "hazards"
    ACCESS = "access"
    CASUALTIES = "casualties"
    SERVICES = "services"
    FACTS = "facts"
    MEASURES = "measures"
    PEOPLE = "people"
    TASKS = "tasks"
    TREND = "trend"
    OUTLOOK = "outlook"


METHANE = tuple(Topic)[:7]


class Heading(StrEnum):
    """The parts of a report, as a centre may put them in order or leave them out."""

    METHANE = "methane"
    FACTS = "facts"
    MEASURES = "measures"
    PEOPLE = "people"
    TASKS = "tasks"
    TREND = "trend"
    OUTLOOK = "outlook"
    SOURCES = "sources"


class Heard(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A signal of the incident. `at`: since when it belongs to it; `signal`: its record. `headlines`: by language (two
    letters). `areas`: in the sender's words; `places`: ids of the centre's own areas. `attached`: it tells the same as
    another and is not in force here itself. `over`: why it is in force no more (cancelled, expired, replaced).
    `casualties`: what it says of them. `story`: what it tells."""

    signal: str
    at: datetime
    records: tuple[str, ...]
    source: str
    sender: str = ""
    headlines: Mapping[str, str] = {}
    severity: Severity = Severity.UNKNOWN
    hazard: Hazard | None = None
    event: Mapping[str, str] = {}
    areas: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    until: datetime | None = None
    story: str = ""
    reliability: Reliability = Reliability.F
    credibility: Credibility = Credibility.CANNOT_BE_JUDGED
    update: bool = False
    attached: bool = False
    by_hand: bool = False
    casualties: tuple[Named, ...] = ()
    over: str = ""
    over_at: datetime | None = None
    over_records: tuple[str, ...] = ()

    @property
    def in_force(self) -> bool:
        return not self.over and not self.attached


class What(StrEnum):
    """What happened, beside what was heard."""

    OPENED = "opened"
    REOPENED = "reopened"
    ENDED = "ended"
    HELD_BACK = "held-back"
    RELEASED = "released"
    GRADED = "graded"
    CHAIN_BEGAN = "chain-began"
    CHAIN_HELD = "chain-held"
    CHAIN_TAKEN = "chain-taken"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXHAUSTED = "exhausted"
    CHAIN_CANCELLED = "chain-cancelled"
    TOLD = "told"
    ALL_CLEAR = "all-clear"
    BROADCAST_DRAFTED = "broadcast-drafted"
    ALL_CLEAR_DRAFTED = "all-clear-drafted"
    BROADCAST_RELEASED = "broadcast-released"
    BROADCAST_BEGAN = "broadcast-began"
    BROADCAST_ENDED = "broadcast-ended"
    TASK_DONE = "task-done"


class Moment(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`people`: whom it is about; `count`: how many, or in how many minutes they are there (accepted). `by`: who did
    it, in their own words. `name`: of the chain, the broadcast's class, the task (STEP INDEX), or why it ended."""

    at: datetime
    what: What
    records: tuple[str, ...]
    people: tuple[str, ...] = ()
    count: int = 0
    by: str = ""
    name: str = ""
    channels: tuple[str, ...] = ()
    reliability: Reliability = Reliability.F
    credibility: Credibility = Credibility.CANNOT_BE_JUDGED


class Fate(StrEnum):
    REACHED = "reached"  # something was handed to a channel for them, or arrived
    WAITING = "waiting"  # nothing is known yet
    NOT_REACHED = "not-reached"  # everything failed, or was withdrawn before it went out


class Contacted(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Somebody who was to be told or asked something. `channels`: those tried. `answer`: what became of the last ask
    (accepted, declined, expired ...), `""` where they were asked nothing. `at`: when that was last known to change."""

    person: str
    fate: Fate
    channels: tuple[str, ...]
    at: datetime
    records: tuple[str, ...] = ()
    answer: str = ""


class TaskSeen(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A task. `do`: what is to be done, in each language; empty where its sheet is not at hand. `outcome`: done,
    cancelled; `""` while it is open."""

    task: str
    step: str
    index: int
    who: str
    at: datetime
    records: tuple[str, ...]
    do: Mapping[Language, str] = {}
    due: datetime | None = None
    late: bool = False
    outcome: str = ""
    changed: datetime | None = None
    by: str = ""


class Situation(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`at`: as of when; everything up to then is in it. `titles`: the sheet's. `records`: of its opening. `people`: how
    many there are of each fate, each person once; `contacted` names those who were asked, those who were not reached
    and others, as long as they are not too many to be named."""

    incident: str
    playbook: str
    version: str
    status: Status
    at: datetime
    opened_at: datetime
    records: tuple[str, ...]
    titles: Mapping[Language, str] = {}
    opened_by: str = ""
    ended_at: datetime | None = None
    heard: tuple[Heard, ...] = ()
    moments: tuple[Moment, ...] = ()
    contacted: tuple[Contacted, ...] = ()
    people: Mapping[Fate, int] = {}
    tasks: tuple[TaskSeen, ...] = ()

    @property
    def places(self) -> tuple[str, ...]:
        """Ids of the centre's areas it touches: those of what is in force, else of all that was heard."""
        within = [one for one in self.heard if one.in_force] or self.heard
        return tuple(dict.fromkeys(place for one in within for place in one.places))


class Written(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What an officer writes beside the facts, in their words."""

    text: str
    by: str
    at: datetime


class Sitrep(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A version of a situation report, as it lies in the vault. `number`: of the incident's reports, from 1; 0: it is
    none of them, only the state as it is. `version`: from 1, one more with each edit. `by`: who wants it (`""`: the
    sheet's step). `previous`: what the one before it told. `approved_by`: who stands behind it."""

    situation: Situation
    number: int = 0
    version: int = 1
    by: str = ""
    written: Mapping[Topic, Written] = {}
    previous: Situation | None = None
    approved_by: str = ""
    approved_at: datetime | None = None
