"""What decisions say: the events whose fold is the state. Past tense, one subject each.

An event carries all that the fold needs: folding looks at no playbook, chain or directory.
"""

from datetime import datetime

from hub.model.broadcast import Kind, Proposal
from hub.model.enclosure import Enclosure
from hub.model.event import EventBase
from hub.model.event_access import AccessChanged as AccessChanged
from hub.model.event_access import AccessWanted as AccessWanted
from hub.model.event_access import AccessWithdrawn as AccessWithdrawn
from hub.model.event_dossier import DossierClosed as DossierClosed
from hub.model.event_dossier import DossierEvent as DossierEvent
from hub.model.event_dossier import DossierLinked as DossierLinked
from hub.model.event_dossier import DossierNoted as DossierNoted
from hub.model.event_dossier import DossierOpened as DossierOpened
from hub.model.event_dossier import FellBack as FellBack
from hub.model.event_dossier import Filed as Filed
from hub.model.event_dossier import FiledCancelled as FiledCancelled
from hub.model.event_dossier import Recounted as Recounted
from hub.model.event_dossier import RiseTold as RiseTold
from hub.model.event_dossier import Rose as Rose
from hub.model.event_dossier import Unfiled as Unfiled
from hub.model.event_report import ReportApproved as ReportApproved
from hub.model.event_report import ReportWanted as ReportWanted
from hub.model.event_report import ReportWritten as ReportWritten
from hub.model.event_room import AlarmCleared as AlarmCleared
from hub.model.event_room import AlarmRaised as AlarmRaised
from hub.model.event_room import Lifted as Lifted
from hub.model.event_room import OnWatch as OnWatch
from hub.model.event_room import PaperDone as PaperDone
from hub.model.event_room import PaperDue as PaperDue
from hub.model.event_room import Stopped as Stopped
from hub.model.event_trust import Attached as Attached
from hub.model.event_trust import Judged as Judged
from hub.model.event_trust import TrustMoved as TrustMoved
from hub.model.event_trust import VerdictTaken as VerdictTaken
from hub.model.message import Lane, Outcome, Verb
from hub.model.people import Chain, Override, Part
from hub.model.quiet import Seen, Silence
from hub.model.signal import Status
from hub.model.trust import Credibility

# --- what is in force --------------------------------------------------------------------------------------


class Enforced(EventBase, frozen=True, tag="enforced"):
    """A text is in force from here on (`fact`: the Installed fact that brought it)."""

    what: str
    name: str
    version: str
    mode: str
    fact: str


class Unenforced(EventBase, frozen=True, tag="unenforced"):
    what: str
    name: str


class PersonEdited(EventBase, frozen=True, tag="person-edited"):
    """Somebody is no longer as the files say. `change`: the fact that says how they are (`removed`: not there)."""

    change: str
    person: str
    by: str
    why: str
    removed: bool = False


class RosterEdited(EventBase, frozen=True, tag="roster-edited"):
    """Others are on duty for a time than the files say."""

    change: str
    roster: str
    overrides: tuple[Override, ...]
    by: str
    why: str


class ModeChanged(EventBase, frozen=True, tag="mode-changed"):
    """A sheet is live, in shadow or a draft from here on, whatever its file says."""

    change: str
    sheet: str
    mode: str
    by: str
    why: str


class PartEdited(EventBase, frozen=True, tag="part-edited"):
    """A group, an organisation or a roster is no longer as the files say. `change`: the fact that says how it is."""

    change: str
    part: Part
    name: str
    by: str
    why: str
    removed: bool = False


class Reverted(EventBase, frozen=True, tag="reverted"):
    """A change of a person, a group, an organisation, a roster or a sheet's mode holds no longer. `why`: also `over`,
    when its time is."""

    change: str
    by: str = ""
    why: str = ""


# --- incidents ---------------------------------------------------------------------------------------------


BY_HAND = "by hand"


class Opened(EventBase, frozen=True, tag="opened"):
    """`key`: what signals must agree on to join (values of `one per`); where a person opened it (BY_HAND, `by`). `by`:
    the signal that opened it, or the record of that act."""

    incident: str
    playbook: str
    version: str
    key: tuple[str, ...]
    status: Status
    by: str
    shadow: bool = False

    @property
    def by_hand(self) -> bool:
        return self.key == (BY_HAND, self.by)


class Joined(EventBase, frozen=True, tag="joined"):
    """A signal is in force in an incident until `until` (None: until it is withdrawn).

    `name` identifies the sender's message: a digest of source, sender and identifier. `places`: the centre's own areas
    that it touches, where other sheets are quiet while this one's incidents are open there. `story`: what it tells (by
    the id of the first signal that did), where that was compared with others; `credibility`: how far that was believed
    then. `organisation`: whose word it
    is, where the directory knows them.
    """

    incident: str
    signal: str
    source: str
    name: str
    until: datetime | None = None
    update: bool = False
    places: tuple[str, ...] = ()
    story: str = ""
    credibility: Credibility = Credibility.CANNOT_BE_JUDGED
    organisation: str = ""


class SignalWithdrawn(EventBase, frozen=True, tag="withdrawn"):
    """`why`: cancelled, expired, replaced."""

    incident: str
    signal: str
    why: str


class Ended(EventBase, frozen=True, tag="ended"):
    """`why`: no-signal, officer."""

    incident: str
    why: str
    by: str = ""


class Reopened(EventBase, frozen=True, tag="reopened"):
    incident: str


class HeldBack(EventBase, frozen=True, tag="held-back"):
    """An incident wakes nobody for now: its steps have not begun. `silence`: which one holds, or the incident that is
    its cause; `seen`: the signal that it holds for."""

    incident: str
    silence: str
    seen: Seen


class Released(EventBase, frozen=True, tag="released"):
    """What was held back goes its way."""

    incident: str


class Lapsed(EventBase, frozen=True, tag="lapsed"):
    """Its joining window is over: nothing can re-open it. It is kept for the tasks of its end that are still open."""

    incident: str


class Forgotten(EventBase, frozen=True, tag="forgotten"):
    """Its joining window is over and so is all that is left to do: nothing can re-open it, the state drops it."""

    incident: str


class StepBegan(EventBase, frozen=True, tag="step"):
    """`nth` counts from 1 (steps with `every` begin again)."""

    incident: str
    step: str
    nth: int = 1


class StepEnded(EventBase, frozen=True, tag="step-ended"):
    """`outcome`: accepted, declined, exhausted, cancelled, sent, failed, done, over."""

    incident: str
    step: str
    outcome: str


# --- alert chains ------------------------------------------------------------------------------------------


class RunBegan(EventBase, frozen=True, tag="run"):
    """A chain is set in motion; its definition is frozen with it. Where it takes over from another run: `accepted`,
    who has accepted already; `passed`, who is not to be asked again. `officer` and `why`: who began it by hand.
    `verify`: it finds somebody who says whether what was told is true."""

    run: str
    incident: str
    step: str
    chain: Chain
    message: str
    accepted: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    officer: str = ""
    why: str = ""
    verify: bool = False


class TierBegan(EventBase, frozen=True, tag="tier"):
    """`round` counts from 1 to the tier's `times`; `asks` are the asks it opened or shares."""

    run: str
    tier: int
    round: int
    asks: tuple[str, ...]


class RunEnded(EventBase, frozen=True, tag="run-ended"):
    """`outcome`: accepted, exhausted, cancelled, handed-over. `officer` and `why`: who ended it by hand."""

    run: str
    outcome: str
    by: tuple[str, ...] = ()
    officer: str = ""
    why: str = ""


class RunHeld(EventBase, frozen=True, tag="run-held"):
    """Nobody more is asked until it is resumed."""

    run: str
    by: str
    why: str


class RunResumed(EventBase, frozen=True, tag="run-resumed"):
    run: str
    by: str


class RunTaken(EventBase, frozen=True, tag="run-taken"):
    """A person has accepted, an officer says."""

    run: str
    person: str
    by: str
    why: str


class Asked(EventBase, frozen=True, tag="asked"):
    """One request to one person, on behalf of one or more runs, answered with `code`."""

    ask: str
    person: str
    runs: tuple[str, ...]
    code: str
    by: tuple[str, ...]
    between_s: float
    answer_s: float


class AskSent(EventBase, frozen=True, tag="ask-sent"):
    """The first attempt that really went out: time to answer runs from here."""

    ask: str
    at: datetime


class AskClosed(EventBase, frozen=True, tag="ask-closed"):
    """`outcome`: accepted, declined, delegated, expired (sent, not answered), unreachable (never sent), stood-down."""

    ask: str
    outcome: str
    eta_min: int | None = None


class Answered(EventBase, frozen=True, tag="answered"):
    """What a person's reply was taken to mean; `ask` is `""` where it could not be bound to one."""

    person: str
    verb: Verb
    ask: str = ""
    fact: str = ""


# --- sending -----------------------------------------------------------------------------------------------


class Ordered(EventBase, frozen=True, tag="ordered"):
    """Dispatch is to hand `message` to `recipients` over `channel`. The i-th delivery is (order, i).

    A large audience is frozen in the vault under `audience` (JSON array of person ids) with `size` set, and
    `recipients` empty. `values` fill the message (nothing personal: code, sheet, eta). `incidents` and `signal`
    are what it is about. `address`: which of the person's addresses on the channel, from 0. `until`: no use sending
    it after that. `only`: the indexes of the audience that are meant, where not all are. `clears`: it is the all-clear
    of its incidents. `after`: the order whose failed deliveries this one takes to their next address; `addresses`: how
    many anybody of a large audience has. `broadcast`: the one it belongs to; its words lie in the vault under `texts`
    (a Content). `enclosed`: the document that goes along; it is made when it goes out, and lies in the vault then.
    """

    order: str
    channel: str
    lane: Lane
    message: str
    address: int = 0
    recipients: tuple[str, ...] = ()
    audience: str = ""
    size: int = 0
    only: tuple[int, ...] = ()
    ask: str = ""
    step: str = ""
    incidents: tuple[str, ...] = ()
    signal: str = ""
    values: tuple[tuple[str, str], ...] = ()
    status: Status = Status.ACTUAL
    until: datetime | None = None
    clears: bool = False
    after: str = ""
    addresses: int = 1
    broadcast: str = ""
    texts: str = ""
    enclosed: Enclosure | None = None


class OrderWithdrawn(EventBase, frozen=True, tag="order-withdrawn"):
    """What has not gone out yet is not to go out any more; a ringing call is to be hung up."""

    order: str
    why: str


class OrderHeld(EventBase, frozen=True, tag="order-held"):
    """What has not gone out yet waits until it is resumed."""

    order: str


class OrderResumed(EventBase, frozen=True, tag="order-resumed"):
    order: str


class Delivered(EventBase, frozen=True, tag="delivery"):
    """Deliveries of an order moved on: (index, outcome, reason)."""

    order: str
    moves: tuple[tuple[int, Outcome, str], ...]


class Digested(EventBase, frozen=True, tag="digested"):
    """A person has had enough messages over a channel for now: this one is kept for their next digest. `clears`: it is
    the incident's all-clear."""

    person: str
    channel: str
    incident: str
    status: Status = Status.ACTUAL
    clears: bool = False


class DigestSent(EventBase, frozen=True, tag="digest-sent"):
    person: str
    channel: str
    status: Status = Status.ACTUAL


# --- broadcasts --------------------------------------------------------------------------------------------


class BroadcastProposed(EventBase, frozen=True, tag="broadcast-proposed"):
    """A sheet wants a broadcast drafted: its words filled in, its audience frozen."""

    proposed: str
    proposal: Proposal


class ProposalDropped(EventBase, frozen=True, tag="proposal-dropped"):
    """It is not wanted any more, or `problem` says why it could not be drafted."""

    proposed: str
    problem: str = ""


class BroadcastDrafted(EventBase, frozen=True, tag="broadcast"):
    """A broadcast waits to be released: by so many that with its author `people` different ones stand behind it. Where
    a sheet proposed it (`by` is `""` then): what was `proposed`, and for which step of which incident. `cap`: once it
    is released it stands on the CAP feed."""

    broadcast: str
    kind: Kind
    group: str
    by: str
    people: int
    sizes: tuple[tuple[str, int], ...]
    texts: str
    follows: str = ""
    status: Status = Status.ACTUAL
    proposed: str = ""
    incident: str = ""
    sheet: str = ""
    step: str = ""
    cap: bool = False


class BroadcastReleased(EventBase, frozen=True, tag="broadcast-released"):
    """One more stands behind it."""

    broadcast: str
    by: str


class BroadcastBegan(EventBase, frozen=True, tag="broadcast-began"):
    broadcast: str


class BroadcastHeld(EventBase, frozen=True, tag="broadcast-held"):
    broadcast: str
    by: str
    why: str


class BroadcastResumed(EventBase, frozen=True, tag="broadcast-resumed"):
    broadcast: str
    by: str


class BroadcastEnded(EventBase, frozen=True, tag="broadcast-ended"):
    """`outcome`: done, stopped, discarded (before it began), lapsed (nobody released it in time)."""

    broadcast: str
    outcome: str
    by: str = ""
    why: str = ""


class BroadcastForgotten(EventBase, frozen=True, tag="broadcast-forgotten"):
    """Nothing can follow it any more: the state drops it."""

    broadcast: str


class OptedOut(EventBase, frozen=True, tag="opted-out"):
    """One of those who registered wants nothing more over a channel."""

    person: str
    channel: str


class OptedIn(EventBase, frozen=True, tag="opted-in"):
    person: str
    channel: str


# --- time --------------------------------------------------------------------------------------------------


class DeadlineSet(EventBase, frozen=True, tag="deadline"):
    """`deadline` says what falls due, and is its id: `answer ASK`, `channel ASK`, `step INCIDENT STEP`, `repeat
    INCIDENT STEP`, `expiry INCIDENT SIGNAL`, `forget INCIDENT`, `task TASK`, `silence SILENCE`, `address ORDER`,
    `draft BROADCAST`, `forget-broadcast BROADCAST`, `handover ROSTER`, `look rosters`, `change CHANGE`, `call-list
    daily`, `access INCIDENT`, `access-ends INCIDENT`, `access-list STATUS`, `digest PERSON CHANNEL STATUS`. Setting
    one again moves it. (Of those that fire, those in shadow are told by a `shadow ` before their name.)"""

    deadline: str
    at: datetime


class DeadlineDropped(EventBase, frozen=True, tag="deadline-dropped"):
    deadline: str


# --- tasks, alarms, the big switch -------------------------------------------------------------------------


class TaskOpened(EventBase, frozen=True, tag="task"):
    """`index`: which of the step's tasks."""

    task: str
    incident: str
    step: str
    index: int
    who: str
    due: datetime | None = None


class TaskClosed(EventBase, frozen=True, tag="task-closed"):
    task: str
    outcome: str  # done, cancelled
    by: str = ""


class TaskLate(EventBase, frozen=True, tag="task-late"):
    task: str


class Silenced(EventBase, frozen=True, tag="silenced"):
    """A silence is known; it holds from its start to its end."""

    id: str
    silence: Silence


class SilenceEnded(EventBase, frozen=True, tag="silence-ended"):
    """`by` and `why`: who ended it before its time."""

    id: str
    by: str = ""
    why: str = ""


class DutyTold(EventBase, frozen=True, tag="duty-told"):
    """Of a roster, every handover up to `until` is done with, and `people` are on duty then. `told`: the handovers
    after it of which those concerned have been told: when, who goes, who comes."""

    roster: str
    until: datetime
    people: tuple[str, ...] = ()
    told: tuple[tuple[datetime, tuple[str, ...], tuple[str, ...]], ...] = ()


class DutyForgotten(EventBase, frozen=True, tag="duty-forgotten"):
    """Nobody is told of this roster's handovers any more."""

    roster: str


class RostersLooked(EventBase, frozen=True, tag="rosters-looked"):
    """What of the coming gaps and double bookings the room has been told: an opaque word for each."""

    told: tuple[str, ...] = ()


# --- sheets in shadow --------------------------------------------------------------------------------------


class InShadow(EventBase, frozen=True, tag="shadow"):
    """What would have happened, had a sheet in shadow been live. It folds into a state of its own and nothing follows
    from it: an order in here is none."""

    event: "Event"


Event = (
    Enforced
    | Unenforced
    | PersonEdited
    | RosterEdited
    | ModeChanged
    | PartEdited
    | Reverted
    | Opened
    | Joined
    | Attached
    | TrustMoved
    | SignalWithdrawn
    | Ended
    | Reopened
    | HeldBack
    | Released
    | Lapsed
    | Forgotten
    | StepBegan
    | StepEnded
    | RunBegan
    | TierBegan
    | RunEnded
    | RunHeld
    | RunResumed
    | RunTaken
    | Asked
    | AskSent
    | AskClosed
    | Answered
    | Judged
    | VerdictTaken
    | Ordered
    | OrderWithdrawn
    | OrderHeld
    | OrderResumed
    | Delivered
    | Digested
    | DigestSent
    | BroadcastProposed
    | ProposalDropped
    | BroadcastDrafted
    | BroadcastReleased
    | BroadcastBegan
    | BroadcastHeld
    | BroadcastResumed
    | BroadcastEnded
    | BroadcastForgotten
    | OptedOut
    | OptedIn
    | AccessWanted
    | AccessChanged
    | AccessWithdrawn
    | ReportWanted
    | ReportWritten
    | ReportApproved
    | DeadlineSet
    | DeadlineDropped
    | TaskOpened
    | TaskClosed
    | TaskLate
    | Silenced
    | SilenceEnded
    | DutyTold
    | DutyForgotten
    | RostersLooked
    | OnWatch
    | PaperDue
    | PaperDone
    | AlarmRaised
    | AlarmCleared
    | Stopped
    | Lifted
    | InShadow
    | DossierEvent
)
