"""The state: what is open, who is being asked, what is due. It is the fold of decisions (hub.engine.fold), and nothing
else. Bounded: an incident and all that belongs to it is dropped when its joining window is over and nothing
is left to do in it (`Forgotten`).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct, field

from hub.engine.dossier_state import Dossier
from hub.model import events as e
from hub.model.broadcast import Kind, Proposal
from hub.model.enclosure import Report
from hub.model.message import Lane
from hub.model.people import Chain, Override, Part
from hub.model.quiet import Seen, Silence
from hub.model.signal import Status
from hub.model.trust import Credibility

CODE_REST = timedelta(hours=24)  # a code is not used again for the same person for this long
TOLD_MAX = 64  # of the messages told to one person over one channel: the newest are known
GONE_KEPT = timedelta(hours=24)  # who left the access list stands on it as "no longer admitted" for this long
RECENT = timedelta(minutes=30)  # an answer without a code binds only if no other ask was open in this time


class InForce(Struct, kw_only=True, gc=False):
    version: str
    mode: str
    fact: str


class InIncident(Struct, kw_only=True, gc=False):
    """A signal in force in an incident."""

    name: str
    until: datetime | None


class Incident(Struct, kw_only=True, gc=False):
    """An open run of a playbook, or one that ended and may still be re-opened.

    `shadow`: it lies in `State.shadow` (or in a journal of a time when sheets in shadow began no step).
    `signals`: those in force, by id. `steps`: step → how often it began. `outcomes`: step → what it came to, in
    order. `reached`: person → channels over which something of this incident reached them. `told`: who has heard
    the all-clear. `last`: the newest signal, whose words fill the messages.
    """

    id: str
    playbook: str
    version: str
    key: tuple[str, ...]
    status: Status
    shadow: bool
    opened_at: datetime
    by: str
    last: str = ""
    ended: bool = False
    lapsed: bool = False  # nothing can re-open it; kept for the tasks of its end
    signals: dict[str, InIncident] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, list[str]] = field(default_factory=dict)
    reached: dict[str, list[str]] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    runs: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    since: int = 0  # where the orders since it was last opened begin
    before: dict[str, int] = field(default_factory=dict)  # `steps` when it was last re-opened
    tasks: list[str] = field(default_factory=list)
    places: tuple[str, ...] = ()  # of the newest signal, where the incident may be the cause of others
    organisation: str = ""  # whose word the newest signal is, where the directory knows them
    attached: int = 0  # signals that tell the same, and are not in force here themselves
    held_by: str = ""  # the silence that holds it back, or the incident that is its cause
    held_for: Seen | None = None  # the newest signal that it holds for

    def begun(self, step: str) -> bool:
        """Whether a step has begun since the incident was last opened."""
        return self.steps.get(step, 0) > self.before.get(step, 0)


class Run(Struct, kw_only=True, gc=False):
    """An alert chain under way for one step of one incident."""

    id: str
    incident: str
    step: str
    chain: Chain
    message: str
    tier: int = -1
    round: int = 0
    asks: list[str] = field(default_factory=list)  # of the current round
    asked: list[str] = field(default_factory=list)  # all there ever were
    accepted: list[str] = field(default_factory=list)  # people
    declined: list[str] = field(default_factory=list)  # people
    passed: list[str] = field(default_factory=list)  # people who are not asked
    promised: dict[str, datetime] = field(default_factory=dict)  # person → when they said they would be there
    held: bool = False
    by_hand: bool = False  # an officer began it
    verify: bool = False  # it asks whether what was told is true
    outcome: str = ""  # "" while it runs


class Ask(Struct, kw_only=True, gc=False):
    """One request to one person that wants an answer."""

    id: str
    person: str
    runs: tuple[str, ...]
    code: str
    by: tuple[str, ...]
    between_s: float
    answer_s: float
    opened_at: datetime
    orders: list[str] = field(default_factory=list)  # the i-th went over by[i]
    sent_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: str = ""  # "" while it is open


class Order(Struct, kw_only=True, gc=False):
    """What dispatch was told to send. `states[i]`: rank of delivery i (OUTCOME_RANK), 0 before anything is known.
    `followed`: those that another order took to their next address."""

    event: e.Ordered
    states: bytearray
    at: datetime
    withdrawn: bool = False
    followed: set[int] = field(default_factory=set)
    held: bool = False

    @property
    def over(self) -> bool:
        """Whether nothing of it is still to go out."""
        return self.withdrawn or self.settled

    @property
    def settled(self) -> bool:
        """Whether it is known of each delivery what became of it."""
        return all(self.states[i] for i in self.event.only) if self.event.only else all(self.states)

    def meant(self) -> Sequence[int]:
        """The indexes that are to go out."""
        return self.event.only or range(len(self.states))


class Broadcast(Struct, kw_only=True, gc=False):
    """A mass notification. `texts`: vault key of its Content. `released`: who stands behind it, besides its author.
    `incident`, `sheet`, `step`: on whose behalf, where no officer drafted it. `cap`: it stands on the CAP feed once it
    has begun."""

    id: str
    kind: Kind
    group: str
    by: str
    people: int
    sizes: tuple[tuple[str, int], ...]
    texts: str
    follows: str
    status: Status
    at: datetime
    released: list[str] = field(default_factory=list)
    began_at: datetime | None = None
    held: bool = False
    outcome: str = ""
    orders: list[str] = field(default_factory=list)
    incident: str = ""
    sheet: str = ""
    step: str = ""
    cap: bool = False

    @property
    def author(self) -> str:
        """Who drafted it, in words."""
        return self.by or f"sheet {self.sheet}"

    @property
    def lacking(self) -> int:
        """How many more must release it."""
        behind = {self.by, *self.released} - {""}
        return max(self.people - len(behind), 0 if self.released else 1)


class Task(Struct, kw_only=True, gc=False):
    id: str
    incident: str
    step: str
    index: int
    who: str
    due: datetime | None
    late: bool = False


class Alarm(Struct, kw_only=True, gc=False):
    what: str
    about: str
    detail: str
    at: datetime


class Duty(Struct, kw_only=True, gc=False):
    """What is known of a roster whose handovers are told (see hub.model.events.DutyTold)."""

    until: datetime
    people: tuple[str, ...]
    told: tuple[tuple[datetime, tuple[str, ...], tuple[str, ...]], ...]


class Code(Struct, kw_only=True, gc=False):
    """An answer code a person was given, and when it was last of use."""

    code: str
    ask: str
    at: datetime


class Asked(Struct, kw_only=True, gc=False):
    """What the state knows of a person: codes in use or resting, how often we said we did not understand, and when
    they were last told something, by channel."""

    codes: list[Code] = field(default_factory=list)
    unclear: list[datetime] = field(default_factory=list)
    told: dict[str, list[datetime]] = field(default_factory=dict)


class Digest(Struct, kw_only=True, gc=False):
    """Messages kept for one person. `counts` and `sheets`: by incident; `over`: whose all-clear is among them."""

    counts: dict[str, int] = field(default_factory=dict)
    sheets: dict[str, str] = field(default_factory=dict)
    over: list[str] = field(default_factory=list)


class Edit(Struct, kw_only=True, gc=False):
    """Somebody, a group, an organisation or a roster is not as the files say; how it is lies in the vault under
    `change`."""

    change: str
    by: str
    why: str
    at: datetime
    removed: bool = False


class RosterChange(Struct, kw_only=True, gc=False):
    """Others are on duty for a time than the files say."""

    roster: str
    overrides: tuple[Override, ...]
    by: str
    why: str
    at: datetime


class ModeChange(Struct, kw_only=True, gc=False):
    """A sheet's mode is not what its file says."""

    change: str
    mode: str
    by: str
    why: str
    at: datetime


class Place(Struct, kw_only=True, gc=False):
    """A place on the access list. `change`: the fact in whose vault entry lies who has it. `by`: the officer who gave
    it. Once it is given up: since when, why (`removed`, or why all was withdrawn), and the officer who took it."""

    change: str
    at: datetime
    by: str = ""
    gone_at: datetime | None = None
    gone_why: str = ""
    gone_by: str = ""


class Access(Struct, kw_only=True, gc=False):
    """Who may come in on behalf of an incident, into which rooms, from when to when. `signal`: the request, as it was
    read; `since`: for the first time. `over`: why all of it was withdrawn, and not given again since. `word`: until
    when, as an officer has said, whatever the request says anew."""

    incident: str
    sheet: str
    step: str
    status: Status
    signal: str
    since: datetime
    until: datetime
    start: datetime | None = None
    rooms: tuple[str, ...] = ()
    approved: tuple[str, ...] = ()
    places: dict[str, Place] = field(default_factory=dict)
    over: str = ""
    word: datetime | None = None

    def held(self) -> dict[str, Place]:
        """The places that somebody has."""
        return {key: place for key, place in self.places.items() if place.gone_at is None}


class ReportKept(Struct, kw_only=True, gc=False):
    """The newest report on an incident (`written`: the fact in whose vault entry it lies). `by`: who wanted it, `step`:
    which step did. `approval`: it does not go out before an officer approves it."""

    written: str
    number: int
    version: int
    at: datetime
    by: str = ""
    step: str = ""
    approval: bool = False
    approved_by: str = ""

    @property
    def waits(self) -> bool:
        return self.approval and not self.approved_by


class State(Struct, kw_only=True, gc=False):
    """Everything the engine knows. `cursor`: the last fact taken; `decision`: the last decision folded."""

    cursor: str = ""
    decision: str = ""
    at: datetime | None = None
    in_force: dict[str, InForce] = field(default_factory=dict)  # "playbook/extreme-weather"
    versions: dict[str, str] = field(default_factory=dict)  # "extreme-weather/HASH" → the fact that brought it
    incidents: dict[str, Incident] = field(default_factory=dict)
    by_key: dict[str, str] = field(default_factory=dict)  # playbook, status and key → incident
    signals: dict[str, dict[str, str]] = field(default_factory=dict)  # signal name → incident → signal id
    stories: dict[str, dict[str, Credibility]] = field(
        default_factory=dict
    )  # story → incident → how far it is believed
    verdicts: dict[str, e.Judged] = field(default_factory=dict)  # of which the story is not graded yet
    runs: dict[str, Run] = field(default_factory=dict)
    asks: dict[str, Ask] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    deadlines: dict[str, datetime] = field(default_factory=dict)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    people: dict[str, Asked] = field(default_factory=dict)
    stopped: tuple[str, str] | None = None  # by, why
    silences: dict[str, Silence] = field(default_factory=dict)
    digests: dict[str, Digest] = field(default_factory=dict)  # person, channel and status
    broadcasts: dict[str, Broadcast] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)  # broadcasts that sheets want drafted
    opted_out: dict[str, list[str]] = field(default_factory=dict)  # registered person → channels
    papers: dict[str, datetime] = field(default_factory=dict)  # call lists to be put on paper, and since when
    watch: tuple[str, datetime] | None = None  # who has the watch of the room, and since when
    duties: dict[str, Duty] = field(default_factory=dict)  # by roster
    rosters_told: tuple[str, ...] = ()  # gaps and double bookings that the room has been told of
    edited: dict[str, Edit] = field(default_factory=dict)  # person → the newest change of them
    parts: dict[str, Edit] = field(default_factory=dict)  # "group/crisis-cell" → the newest change of it
    rosters: dict[str, RosterChange] = field(default_factory=dict)  # change → what it says, in the order of the acts
    modes: dict[str, ModeChange] = field(default_factory=dict)  # sheet → what it is, whatever its file says
    dossiers: dict[str, Dossier] = field(default_factory=dict)
    access: dict[str, Access] = field(default_factory=dict)  # incident → who may come in on its behalf
    access_wanted: dict[str, e.AccessWanted] = field(default_factory=dict)  # lists that are to be read
    reports: dict[str, ReportKept] = field(default_factory=dict)  # incident → the newest report on it
    reports_wanted: dict[str, e.ReportWanted] = field(default_factory=dict)  # reports that are to be written
    shadow: "State | None" = None  # what sheets in shadow would have come to; None: none of them has an incident


def part_key(part: Part, name: str) -> str:
    return f"{part}/{name}"


def incident_key(playbook: str, status: Status, key: tuple[str, ...]) -> str:
    return "\x1f".join((playbook, status, *key))


def counts_as_reached(order: e.Ordered) -> bool:
    """Whether a delivery of this order is something the all-clear has to follow: asks, notifications and updates are;
    confirmations, reports and the all-clear itself are not."""
    return order.lane != Lane.CONFIRM and not order.clears and not isinstance(order.enclosed, Report)
