"""What other systems are told of incidents: one occurrence each, as data. Past tense, as decisions' events are, of
which they are made (hub/followers/telling.py); but each says by itself which incident it belongs to, and whether that
is one in earnest.

Names, fields and meanings are a promise to systems outside: a new field gets a default, a name is never given another
meaning. Nothing personal but ids of people; words only in `IncidentEvent.words`, for followers that are to have them.
"""

from datetime import datetime
from typing import get_args

from msgspec import Struct

from hub.model.message import Lane, Verb
from hub.model.signal import Status
from hub.model.trust import Credibility, Reliability


class _Occurrence(Struct, frozen=True, kw_only=True, tag_field="what", gc=False):
    """Base of all occurrences. Its tag is its name outside: `step.began` is `org.vigie.incident.step.began`."""


# --- the incident ------------------------------------------------------------------------------------------


class Opened(_Occurrence, frozen=True, tag="opened"):
    """`signal`: what opened it; where it is opened `by_hand`, the record of that act."""

    signal: str
    by_hand: bool = False


class Ended(_Occurrence, frozen=True, tag="ended"):
    """`why`: `no-signal` (none is in force any more) or `officer` (`by`)."""

    why: str
    by: str = ""


class Reopened(_Occurrence, frozen=True, tag="reopened"):
    """A signal joined it after its end."""


class Lapsed(_Occurrence, frozen=True, tag="lapsed"):
    """Nothing can re-open it any more; tasks of its end are still open."""


class Closed(_Occurrence, frozen=True, tag="closed"):
    """Nothing can re-open it, nothing is left to do: the last that is told of it."""


class HeldBack(_Occurrence, frozen=True, tag="held-back"):
    """It wakes nobody for now. `by`: the silence that holds it back, or the incident that is its cause."""

    by: str


class Released(_Occurrence, frozen=True, tag="released"):
    """What was held back goes its way."""


# --- what is known and believed ----------------------------------------------------------------------------


class SignalJoined(_Occurrence, frozen=True, tag="signal.joined"):
    """A signal is in force in it until `until` (None: until it is withdrawn). `update`: it took the place of an earlier
    one. `story`: the first signal that told the same, `""` where it was compared with nothing."""

    signal: str
    source: str
    update: bool = False
    until: datetime | None = None
    places: tuple[str, ...] = ()
    story: str = ""
    credibility: Credibility = Credibility.CANNOT_BE_JUDGED


class SignalAttached(_Occurrence, frozen=True, tag="signal.attached"):
    """A signal tells the same as one of the incident."""

    signal: str
    story: str


class SignalWithdrawn(_Occurrence, frozen=True, tag="signal.withdrawn"):
    """`why`: cancelled, expired, replaced."""

    signal: str
    why: str


class Graded(_Occurrence, frozen=True, tag="graded"):
    """What a story of the incident is believed from here on (Admiralty code): corroborated, doubted, denied, or an
    officer's word. `signal`: the one that brought it about."""

    story: str
    signal: str
    reliability: Reliability
    credibility: Credibility


# --- steps and tasks ---------------------------------------------------------------------------------------


class StepBegan(_Occurrence, frozen=True, tag="step.began"):
    """`nth` counts from 1: some steps repeat."""

    step: str
    nth: int = 1


class StepEnded(_Occurrence, frozen=True, tag="step.ended"):
    """`outcome`: accepted, declined, exhausted, cancelled, sent, failed, done, late, over. A step may come to more than
    one (late, then done)."""

    step: str
    outcome: str


class TaskOpened(_Occurrence, frozen=True, tag="task.opened"):
    """`index`: which of the step's tasks, from 0. `who`: who is to do it, as the sheet says."""

    task: str
    step: str
    index: int
    who: str
    due: datetime | None = None


class TaskClosed(_Occurrence, frozen=True, tag="task.closed"):
    """`outcome`: done (`by` whom), cancelled."""

    task: str
    step: str
    index: int
    outcome: str
    by: str = ""


class TaskLate(_Occurrence, frozen=True, tag="task.late"):
    task: str
    step: str
    index: int


# --- alert chains ------------------------------------------------------------------------------------------


class ChainBegan(_Occurrence, frozen=True, tag="chain.began"):
    """`need`: how many must accept. `by`: the officer who began it by hand."""

    run: str
    chain: str
    step: str
    need: int = 1
    by: str = ""


class ChainTier(_Occurrence, frozen=True, tag="chain.tier"):
    """Its next people are asked. `tier` and `round` count from 1."""

    run: str
    chain: str
    step: str
    tier: int
    round: int


class ChainEnded(_Occurrence, frozen=True, tag="chain.ended"):
    """`outcome`: accepted (by `people`), exhausted, cancelled, handed-over. `by`: the officer who ended it by hand."""

    run: str
    chain: str
    step: str
    outcome: str
    people: tuple[str, ...] = ()
    by: str = ""


class ChainHeld(_Occurrence, frozen=True, tag="chain.held"):
    """Nobody more is asked until it is resumed."""

    run: str
    chain: str
    step: str
    by: str


class ChainResumed(_Occurrence, frozen=True, tag="chain.resumed"):
    run: str
    chain: str
    step: str
    by: str


class ChainTaken(_Occurrence, frozen=True, tag="chain.taken"):
    """A person has accepted, an officer (`by`) says."""

    run: str
    chain: str
    step: str
    person: str
    by: str


# --- asks and answers --------------------------------------------------------------------------------------


class AskOpened(_Occurrence, frozen=True, tag="ask.opened"):
    """One person is to be asked for the chains `runs`, over `channels` one after the other. Where these are of several
    incidents, it is one ask, and told of each of them."""

    ask: str
    person: str
    runs: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    answer_s: float = 0.0


class AskSent(_Occurrence, frozen=True, tag="ask.sent"):
    """It really went out: time to answer runs from `sent`."""

    ask: str
    person: str
    sent: datetime


class AskClosed(_Occurrence, frozen=True, tag="ask.closed"):
    """`outcome`: accepted, declined, delegated, expired, unreachable, stood-down. `eta_min`: in how many minutes they
    say they are there."""

    ask: str
    person: str
    outcome: str
    eta_min: int | None = None


class Answered(_Occurrence, frozen=True, tag="answered"):
    """What a person's reply to an ask was taken to mean. `reply`: its record."""

    ask: str
    person: str
    verb: Verb
    reply: str = ""


# --- messages ----------------------------------------------------------------------------------------------


class MessageOrdered(_Occurrence, frozen=True, tag="message.ordered"):
    """A message is to go out over a channel, to `people` of them; to whom is told where they are not many. `clears`: it
    is the all-clear. `ask`, `step`, `broadcast`: what it is for, `""` where not for that."""

    order: str
    channel: str
    message: str
    lane: Lane
    people: int
    to: tuple[str, ...] = ()
    step: str = ""
    ask: str = ""
    broadcast: str = ""
    clears: bool = False


class Delivery(Struct, frozen=True, kw_only=True, gc=False):
    """What became of one delivery: (order, index) names it. `person`: `""` where the message goes to many. `reason`:
    the provider's code or a short English phrase."""

    index: int
    outcome: str
    person: str = ""
    reason: str = ""


class MessageDelivered(_Occurrence, frozen=True, tag="message.delivery"):
    """Deliveries moved on: `outcomes` says how many to what (sent, delivered, failed, withdrawn); each of
    `deliveries` by itself, where the message does not go to many."""

    order: str
    channel: str
    message: str
    outcomes: dict[str, int]
    deliveries: tuple[Delivery, ...] = ()
    step: str = ""
    ask: str = ""
    broadcast: str = ""


class MessageWithdrawn(_Occurrence, frozen=True, tag="message.withdrawn"):
    """What had not gone out stays."""

    order: str
    why: str


class MessageHeld(_Occurrence, frozen=True, tag="message.held"):
    order: str


class MessageResumed(_Occurrence, frozen=True, tag="message.resumed"):
    order: str


class MessageKept(_Occurrence, frozen=True, tag="message.kept"):
    """A person has had enough messages over a channel for now: this one waits for their next digest."""

    person: str
    channel: str
    clears: bool = False


# --- broadcasts --------------------------------------------------------------------------------------------


class BroadcastProposed(_Occurrence, frozen=True, tag="broadcast.proposed"):
    """The sheet wants very many to be told something; people have to release it."""

    proposed: str
    step: str
    group: str


class BroadcastDropped(_Occurrence, frozen=True, tag="broadcast.dropped"):
    """It is wanted no more, or could not be drafted (`failed`)."""

    proposed: str
    failed: bool = False


class BroadcastDrafted(_Occurrence, frozen=True, tag="broadcast.drafted"):
    """It waits for people to release it. `sizes`: (channel, people). `follows`: the broadcast whose reached it goes
    to."""

    broadcast: str
    step: str
    kind: str
    group: str
    sizes: tuple[tuple[str, int], ...] = ()
    follows: str = ""
    proposed: str = ""


class BroadcastReleased(_Occurrence, frozen=True, tag="broadcast.released"):
    """One more stands behind it."""

    broadcast: str
    by: str


class BroadcastBegan(_Occurrence, frozen=True, tag="broadcast.began"):
    broadcast: str


class BroadcastHeld(_Occurrence, frozen=True, tag="broadcast.held"):
    broadcast: str
    by: str


class BroadcastResumed(_Occurrence, frozen=True, tag="broadcast.resumed"):
    broadcast: str
    by: str


class BroadcastEnded(_Occurrence, frozen=True, tag="broadcast.ended"):
    """`outcome`: done, stopped, discarded (before it began), lapsed (nobody released it in time)."""

    broadcast: str
    outcome: str
    by: str = ""


# --- alarms ------------------------------------------------------------------------------------------------


class AlarmRaised(_Occurrence, frozen=True, tag="alarm.raised"):
    """Something about the incident needs a person in the room (`chain-exhausted`, `task-late`, ...)."""

    alarm: str
    name: str


class AlarmCleared(_Occurrence, frozen=True, tag="alarm.cleared"):
    alarm: str
    name: str
    by: str = ""


Occurrence = (
    Opened
    | Ended
    | Reopened
    | Lapsed
    | Closed
    | HeldBack
    | Released
    | SignalJoined
    | SignalAttached
    | SignalWithdrawn
    | Graded
    | StepBegan
    | StepEnded
    | TaskOpened
    | TaskClosed
    | TaskLate
    | ChainBegan
    | ChainTier
    | ChainEnded
    | ChainHeld
    | ChainResumed
    | ChainTaken
    | AskOpened
    | AskSent
    | AskClosed
    | Answered
    | MessageOrdered
    | MessageDelivered
    | MessageWithdrawn
    | MessageHeld
    | MessageResumed
    | MessageKept
    | BroadcastProposed
    | BroadcastDropped
    | BroadcastDrafted
    | BroadcastReleased
    | BroadcastBegan
    | BroadcastHeld
    | BroadcastResumed
    | BroadcastEnded
    | AlarmRaised
    | AlarmCleared
)


def name_of(kind: type[Struct]) -> str:
    """What an occurrence is called outside: `step.began`."""
    return str(kind.__struct_config__.tag)


KINDS: tuple[type[Struct], ...] = get_args(Occurrence)
NAMES: tuple[str, ...] = tuple(name_of(kind) for kind in KINDS)


class Words(Struct, frozen=True, kw_only=True, gc=False):
    """Somebody's words, in one language (BCP 47; `""` where that is not known). `of`: `signal` (`headline`, and in
    `text` its description and instruction), `task` (what is to be done), `reply`, `why` (an officer's reason)."""

    of: str
    text: str = ""
    headline: str = ""
    language: str = ""


class IncidentEvent(Struct, frozen=True, kw_only=True, gc=False):
    """One occurrence in one incident, as a follower is told it.

    `id` names it for ever: a repeat has the same. It begins with the id of the record that says so. `at`: when it was
    decided, hub time. `status`: whether the incident is one in earnest (Actual), an exercise or a test. `playbook` and
    `version`: its sheet. `words` and `titles` (the sheet's, by language) only for followers with `texts: yes`.
    """

    id: str
    at: datetime
    incident: str
    playbook: str
    version: str
    status: Status
    what: Occurrence
    words: tuple[Words, ...] = ()
    titles: dict[str, str] = {}

    @property
    def name(self) -> str:
        """`step.began`"""
        return name_of(type(self.what))
