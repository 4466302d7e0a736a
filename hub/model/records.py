"""What the journal holds: facts, decisions and attempts.

Records refer to one another by id, never by position. A record's JSON form (msgspec, tagged) is its stored form
and its hash's input; a new field gets a default, so that old journals decode for ever. Nothing personal stands in
a record: names, addresses and free text lie in the vault under `Fact.vault`, with a salted digest here.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from hub.model.broadcast import Control, Kind
from hub.model.events import Event
from hub.model.message import Outcome, Verb
from hub.model.people import Contact, Override, Part, Steer
from hub.model.quiet import Silence
from hub.model.record_dossier import DossierNote as DossierNote
from hub.model.record_dossier import IncidentLinked as IncidentLinked
from hub.model.record_dossier import SignalFiled as SignalFiled
from hub.model.record_dossier import SignalUnfiled as SignalUnfiled
from hub.model.report import ReportKind
from hub.model.signal import Hazard, MsgType, Severity, Status
from hub.model.trust import Credibility

# --- what the outside told us ------------------------------------------------------------------------------


class SignalReceived(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="signal", gc=False):
    """A signal; the whole of it lies in the vault (its texts are somebody's words)."""

    source: str
    status: Status = Status.ACTUAL
    msg_type: MsgType = MsgType.ALERT
    severity: Severity = Severity.UNKNOWN
    hazards: tuple[Hazard, ...] = ()
    baseline: bool = False  # part of a new source's backlog and not in force: recorded, never acted on
    shadow: bool = False  # its source is on trial: sheets show what they would have done, and do nothing
    original: str = ""  # the vault key of what it was read from


class SignalGraded(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="graded", gc=False):
    """An officer's word on how far a signal is to be believed (None: by the rules again). The signal as it is believed
    now lies in the vault. `story`: what it tells. `verdict`: the answer to an ask by which it was given."""

    signal: str
    story: str
    credibility: Credibility | None
    by: str
    why: str
    verdict: str = ""


class VerdictFailed(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="verdict-failed", gc=False):
    """What somebody answered of a story could not be made its grade."""

    verdict: str
    problem: str


class ReplyReceived(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="reply", gc=False):
    """A person's answer, already understood (hub.people.answers); the words lie in the vault.

    `person` is `""` where the sender is unknown to the directory. `order` and `index` name the delivery answered
    where the channel knows it (a keypad, a link); otherwise the engine finds the ask by `code` or by context.
    """

    channel: str
    person: str
    verb: Verb
    code: str = ""
    everything: bool = False  # "all": every ask of theirs that is open
    eta_min: int | None = None
    order: str = ""
    index: int = 0
    to: str = ""  # the person named by "not me, call X"; "" where that is nobody, or not clear who


class Receipt(Struct, frozen=True, omit_defaults=True, array_like=True, gc=False):
    """What a channel said of one delivery (the `index`-th recipient of `order`).

    `reason` is the provider's code or a short English phrase without personal data; `ref` is the provider's id.
    """

    order: str
    index: int
    outcome: Outcome
    reason: str = ""
    ref: str = ""


class ReceiptsReceived(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="receipts", gc=False):
    """A burst of receipts. `attempt` names the attempt they settle, `""` for later ones (status callbacks)."""

    channel: str
    receipts: tuple[Receipt, ...]
    attempt: str = ""


class SheetStarted(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="start", gc=False):
    """A person starts a reflex sheet by hand. What they said in place of a signal is a signal in the vault."""

    playbook: str
    by: str


class StopAll(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="stop-all", gc=False):
    """Nothing more goes out until lifted."""

    by: str
    why: str


class StopLifted(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="lift", gc=False):
    by: str
    why: str


class IncidentClosed(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="end", gc=False):
    """An officer ends an incident."""

    incident: str
    by: str
    why: str


class ChainSteered(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="steer", gc=False):
    """An officer acts on a chain under way. `to`: the person or chain it is handed over to."""

    run: str
    act: Steer
    by: str
    why: str
    to: str = ""


class SilenceSet(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="silence", gc=False):
    """An officer wants something quiet; the fact's id is the silence's."""

    silence: Silence


class SilenceLifted(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="silence-lifted", gc=False):
    """An officer ends a silence before its time."""

    silence: str
    by: str
    why: str


class WatchTaken(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="watch", gc=False):
    """A person takes the watch of the room; `by`: who says so, where that is somebody else."""

    person: str
    by: str


class BroadcastDrafted(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="broadcast", gc=False):
    """An officer wants to tell very many something; the fact's id is the broadcast's. Its Content lies in the vault.

    `group`: the class of the message. `people`: how many different people must stand behind it, its author included.
    `sizes`: (channel, people). `follows`: the broadcast whose reached it goes to. `proposed`: what a sheet proposed,
    and the hub itself has drafted: nobody stands behind it then (`by` is `""`). `cap`: it stands on the CAP feed, too.
    """

    kind: Kind
    group: str
    by: str
    why: str
    people: int = 1
    sizes: tuple[tuple[str, int], ...] = ()
    follows: str = ""
    status: Status = Status.ACTUAL
    proposed: str = ""
    cap: bool = False


class ProposalFailed(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="proposal-failed", gc=False):
    """What a sheet proposed to tell very many could not be drafted; `problem` says why."""

    proposed: str
    problem: str


class BroadcastReleased(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="broadcast-released", gc=False):
    """A person stands behind a broadcast as it is. The Content with the audience as it is now lies in the vault."""

    broadcast: str
    by: str


class BroadcastControlled(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="broadcast-control", gc=False):
    """An officer holds, resumes or stops a broadcast."""

    broadcast: str
    act: Control
    by: str
    why: str


class CapPublished(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="cap", gc=False):
    """A CAP 1.2 alert was made of a broadcast and signed; the document, to the byte as it is served, lies in the vault.
    `references`: identifiers of the alerts that it replaces or withdraws."""

    broadcast: str
    identifier: str
    sender: str
    sent: datetime
    msg_type: MsgType
    status: Status = Status.ACTUAL
    expires: datetime | None = None
    references: tuple[str, ...] = ()


class ContactsSent(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="contacts", gc=False):
    """An officer sends people the contact sheet of others (`contacts`), over these `channels`. `by`: who does."""

    contacts: tuple[Contact, ...]
    to: tuple[Contact, ...]
    channels: tuple[str, ...]
    by: str
    status: Status = Status.ACTUAL


class PaperMade(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="paper", gc=False):
    """The call list lies in its folder and is printed; or `problem` says what went wrong."""

    paper: str
    problem: str = ""


class AccessChanged(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="access", gc=False):
    """Who may come in is changed: by what a request says (`wanted`: what had it read), or by an officer. Who those
    `added` are lies in the vault (hub.model.access.Guests). `incident`: `""` where people are taken out of several.
    `problem`: what could not be made of the request, in words that hold nothing personal."""

    incident: str = ""
    wanted: str = ""
    by: str = ""
    why: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    start: datetime | None = None
    until: datetime | None = None
    problem: str = ""


class ReportWritten(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="report", gc=False):
    """A version of a report: it lies in the vault whole (hub.model.situation.Sitrep), what it tells and what an officer
    wrote beside it. `number`: of the incident's reports of this kind, from 1; `version`: from 1, one more with each
    edit. `by`: `""` where a step of a sheet wants it (`wanted`: by which event, `step`). `approval`: it is not sent
    before an officer approves it. `problem`: why it could not be written; there is no report then (`number` 0)."""

    report: ReportKind
    incident: str
    number: int
    version: int = 1
    status: Status = Status.ACTUAL
    by: str = ""
    why: str = ""
    approval: bool = False
    wanted: str = ""
    step: str = ""
    problem: str = ""


class ReportApproved(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="report-approved", gc=False):
    """An officer stands behind this version of a report (`written`: its fact)."""

    written: str
    incident: str
    number: int
    by: str


class ReportSent(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="report-sent", gc=False):
    """An officer sends a version of a report (`written`: its fact) to people, over these `channels`."""

    written: str
    incident: str
    number: int
    to: tuple[Contact, ...]
    channels: tuple[str, ...]
    by: str
    status: Status = Status.ACTUAL


class TaskTicked(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="task-done", gc=False):
    task: str
    by: str


class Installed(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="installed", gc=False):
    """A text put in force under its hash. `text` for what holds nothing personal (playbooks, chains, messages,
    areas); the directory's lies in the vault. `file`: the sheet's. `by`: who stands behind it, and `how` that is known:
    `git 1a2b3c4` (its last commit), `owner of the file`, `vigie reload`."""

    what: str  # playbook | config
    name: str
    version: str
    mode: str = "live"
    text: str = ""
    file: str = ""
    by: str = ""
    how: str = ""


class Retired(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="retired", gc=False):
    """A text taken out of force; `by` and `how` as for what is put in force."""

    what: str
    name: str
    by: str = ""
    how: str = ""


class Wrong(Struct, frozen=True, array_like=True, gc=False):
    """A file and what is wrong with it, in words that hold nothing personal."""

    file: str
    what: str


class FilesRead(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="files-read", gc=False):
    """The files of the configuration were read. What of them is in force now follows as facts of its own; of `wrong`
    ones their last good version is, or none; `restart`: of these, what the hub was started with. `refused`: what is
    there does not go together, and nothing of it is in force that was not before. `by`: who asked; `""` on save."""

    wrong: tuple[Wrong, ...] = ()
    restart: tuple[str, ...] = ()
    refused: bool = False
    by: str = ""


class ModeSet(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="mode-set", gc=False):
    """A sheet is live, in shadow or a draft from here on, whatever its file says. The fact's id is the change's."""

    sheet: str
    mode: str
    by: str
    why: str


class PersonChanged(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="person-changed", gc=False):
    """Somebody in the directory is changed, put in or taken out while the hub runs; the fact's id is the change's. The
    whole person lies in the vault (hub.model.people.Edited)."""

    person: str
    by: str
    why: str
    removed: bool = False


class RosterChanged(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="roster-changed", gc=False):
    """Others are on duty for a time: somebody in their place, or two people's turns swapped. The fact's id is the
    change's."""

    roster: str
    overrides: tuple[Override, ...]
    by: str
    why: str


class PartChanged(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="part-changed", gc=False):
    """A group, an organisation or who takes turns in a roster is changed, put in or taken out while the hub runs; the
    fact's id is the change's. The whole of it lies in the vault (hub.model.people.EditedPart)."""

    part: Part
    name: str
    by: str
    why: str
    removed: bool = False


class ChangeReverted(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="change-reverted", gc=False):
    """A change of a person, a group, an organisation, a roster or a sheet's mode no longer holds: what the files say
    does. `by` is the hub itself where they now say the same."""

    change: str
    by: str
    why: str


class PersonErased(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="person-erased", gc=False):
    """What the vault held about a person is gone. `entries`: how many of its entries were deleted; `texts`: how many
    texts of the directory and messages to others were rewritten without them (a `Rewritten` fact each)."""

    person: str
    by: str
    why: str
    entries: int = 0
    texts: int = 0


class Rewritten(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="rewritten", gc=False):
    """The vault entry that this fact names was written anew without a person; its digest here is the new one. `of`: the
    fact it was made for."""

    of: str
    without: str


class CursorMoved(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="cursor", gc=False):
    """How far a source has been read; written with (in the same append as) the facts it covers."""

    source: str
    cursor: str


class SourceChanged(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="source", gc=False):
    """A source's health changed: `ok`, `failing`, `silent`."""

    source: str
    health: str
    reason: str = ""


class SourceWatched(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="source-watched", gc=False):
    """The watch over a source found something, or it is `over`. `what` (and the alarm): `source-silent` (it says
    nothing for longer than expected), `source-layout` (most of its items are unreadable), `source-late` (its delay
    grew); `certificate-expires` (of `cap`: what our own alerts are signed with is soon of no use)."""

    source: str
    what: str
    reason: str = ""
    over: bool = False


class ChannelChanged(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="channel", gc=False):
    """A provider's health changed, seen across recipients: `ok`, `failing` (nothing goes out by it), `silent` (it takes
    messages, and says nothing any more of what became of them). `people`: how many are concerned so far; `meanwhile`:
    the provider that takes over, `""` where there is none."""

    channel: str
    health: str
    reason: str = ""
    since: datetime | None = None
    people: int = 0
    meanwhile: str = ""


class FollowerChanged(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="follower", gc=False):
    """Whether another system that follows incidents keeps up: `ok`, `failing` (it takes nothing, since then), `behind`
    (it takes less than there comes). `behind_s`: how old what waits longest for it is; it is kept."""

    follower: str
    health: str
    reason: str = ""
    since: datetime | None = None
    behind_s: float = 0.0


class DeadLetter(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="dead-letter", gc=False):
    """What could not be read, kept in the vault as it came. `place` is line, element or byte as known."""

    source: str
    reason: str
    place: str = ""
    media_type: str = ""


class LetterRead(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="letter-read", gc=False):
    """A dead letter was read after all, as it came or `mended`. `signals`: the facts that are new by that."""

    letter: str
    source: str
    by: str
    why: str
    signals: tuple[str, ...] = ()
    mended: bool = False


class ClockStepped(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="clock", gc=False):
    """The wall clock was stepped or the machine was suspended: hub time jumped by `by_s` seconds here."""

    by_s: float


class HubStarted(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="started", gc=False):
    """The hub came (back) up. `playback`: everything from here on is a playback (status Exercise)."""

    node: str
    version: str
    playback: bool = False
    ahead_s: float = 0.0  # of the wall clock: a playback has its own date


class AlarmAcknowledged(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="alarm-ack", gc=False):
    alarm: str
    by: str


class AuditorFound(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="auditor", gc=False):
    """The auditor saw something standing still: an overdue deadline, a queue, an unread fact."""

    what: str
    detail: str = ""


FactBody = (
    SignalReceived
    | ReplyReceived
    | ReceiptsReceived
    | SignalGraded
    | VerdictFailed
    | SheetStarted
    | StopAll
    | StopLifted
    | IncidentClosed
    | ChainSteered
    | SilenceSet
    | SilenceLifted
    | WatchTaken
    | BroadcastDrafted
    | ProposalFailed
    | BroadcastReleased
    | BroadcastControlled
    | CapPublished
    | ContactsSent
    | PaperMade
    | AccessChanged
    | ReportWritten
    | ReportApproved
    | ReportSent
    | TaskTicked
    | Installed
    | Retired
    | FilesRead
    | ModeSet
    | PersonChanged
    | RosterChanged
    | PartChanged
    | ChangeReverted
    | PersonErased
    | Rewritten
    | CursorMoved
    | SourceChanged
    | SourceWatched
    | ChannelChanged
    | FollowerChanged
    | DeadLetter
    | LetterRead
    | ClockStepped
    | HubStarted
    | AlarmAcknowledged
    | AuditorFound
    | SignalFiled
    | SignalUnfiled
    | DossierNote
    | IncidentLinked
)


class Fact(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="fact", tag_field="kind", gc=False):
    """Something the outside told us, or that was put in force.

    `key` makes a repetition harmless: a fact whose key the journal already holds is not recorded again.
    `vault` is the key of what belongs to it in the vault and `digest` the salted digest of that entry (hex).
    """

    id: str
    at: datetime
    body: FactBody
    key: str = ""
    vault: str = ""
    digest: str = ""
    v: int = 1


class Decision(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="decision", tag_field="kind", gc=False):
    """What the engine made of facts or of deadlines: one record, so it is there whole or not at all.

    `took`: ids of the facts consumed, in the order taken, also those that led to nothing.
    `fired`: ids of the deadlines that fired.
    """

    id: str
    at: datetime
    took: tuple[str, ...] = ()
    fired: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    v: int = 1


class Attempt(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="attempt", tag_field="kind", gc=False):
    """Dispatch is about to hand recipients `start` (included) to `stop` (excluded) of an order to its channel.

    `nth` counts from 1; `repeat` says that an earlier attempt may have arrived. The texts as rendered lie in
    the vault under `vault`, the documents that go along under `documents`. `provider`: the one it goes to, `""` where
    that is the channel's own; `only`: the indexes that are meant, where not all are (the order itself may leave some
    out, too).
    """

    id: str
    at: datetime
    order: str
    start: int
    stop: int
    nth: int = 1
    repeat: bool = False
    vault: str = ""
    digest: str = ""
    documents: tuple[str, ...] = ()
    v: int = 1
    provider: str = ""
    only: tuple[int, ...] = ()


Record = Fact | Decision | Attempt


class VaultEntry(Struct, frozen=True, kw_only=True, gc=False):
    """Personal data and originals, apart from the journal. `key` has the id of the record it was made for in it, so
    that keys grow with time (an original's is that of the first signal read from it, after `original-`); `about` is
    what it concerns, for erasing: the source, the order or incident, or `about_person`."""

    key: str
    payload: bytes
    media_type: str = "application/json"
    about: str = ""


def about_person(person: str) -> str:
    """What a vault entry about a person says it is about: no source or record has a space in its name."""
    return f"person {person}"


class Entry(Struct, frozen=True, gc=False):
    """A record on its way from journal to engine. `live` is the object its vault entry was made from, where the
    same process wrote it a moment ago; `None` when it has to be read back."""

    record: Fact
    live: Any = None


Records = Sequence[Record]
