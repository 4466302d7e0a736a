"""From decisions to what an incident has come to. Pure: decisions go in one by one, then the records and vault entries
that they name, and the situation comes out.

What happened is what followers are told (hub/followers/telling.py); who was reached is counted by people here, as an
audience of many is told to nobody by name.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.dispatch.render import best_info
from hub.engine.state import counts_as_reached
from hub.followers.known import Known
from hub.followers.telling import tell
from hub.model import events as e
from hub.model import occurrences as o
from hub.model import records as r
from hub.model.broadcast import Kind
from hub.model.enclosure import Report
from hub.model.ids import made_at
from hub.model.message import Lane, Outcome
from hub.model.people import Language
from hub.model.signal import SEVERITIES, Info, Named, Severity, Signal, Status
from hub.model.situation import Contacted, Fate, Heard, Moment, Situation, TaskSeen, What
from hub.playbook.language import Playbook, Tasks

_CASUALTIES = ("casualt", "victim", "injur", "dead", "wounded", "slachtoffer", "bless", "opfer")
_HEADLINE_MAX = 300
NAMED_MOST = 1_000  # people of one situation: an audience of a town is counted, not listed
_signal = msgspec.json.Decoder(Signal)
_audience = msgspec.json.Decoder(list[str])


class NoIncident(Exception):
    """The journal has no such incident in earnest or as an exercise."""


class Needs(Struct, frozen=True, kw_only=True):
    """`facts`: records whose vault entries are wanted; `audiences`: vault keys."""

    facts: tuple[str, ...]
    audiences: tuple[str, ...]


class _Order(Struct, kw_only=True):
    ordered: e.Ordered
    record: str
    at: datetime
    withdrawn: bool = False
    moves: dict[int, tuple[Outcome, str, datetime]] = {}


class Gathering:
    """Of one incident, as of `at` (None: as far as the journal goes)."""

    def __init__(self, incident: str, at: datetime | None = None) -> None:
        self.incident = incident
        self.over = False  # nothing later can matter
        self._at = at
        self._last = at
        self._begins = made_at_of(incident)
        self._known = Known()
        self._opened: tuple[datetime, str, o.Opened] | None = None
        self._told: list[tuple[datetime, str, o.Occurrence]] = []
        self._orders: dict[str, _Order] = {}
        self._broadcasts: dict[str, bool] = {}  # whether it is the alert itself
        self._playbook, self._version = "", ""
        self._status: Status | None = None

    @property
    def sheet(self) -> tuple[str, str]:
        """Name and version of its sheet; known once it was opened."""
        return self._playbook, self._version

    def take(self, decision: r.Decision) -> None:
        """In the journal's order, none left out since before the incident was opened."""
        if self._at is not None and decision.at > self._at:
            self.over = True
            return
        if self._begins is not None and decision.at < self._begins:
            return
        for told in tell(self._known, decision):
            event = told.event
            if event.incident != self.incident:
                continue
            if isinstance(event.what, o.Opened) and self._opened is None:
                self._opened = (event.at, decision.id, event.what)
                self._playbook, self._version, self._status = event.playbook, event.version, event.status
            if isinstance(event.what, o.BroadcastDrafted):
                self._broadcasts[event.what.broadcast] = event.what.kind == Kind.ALERT
            self._told.append((event.at, decision.id, event.what))
        for sent in decision.events:
            self._sending(sent, decision)
        if self._at is None:
            self._last = decision.at

    def _sending(self, event: e.Event, d: r.Decision) -> None:
        if isinstance(event, e.Ordered):
            # What a broadcast sends names no incident: it belongs to that of its draft.
            ours = self.incident in event.incidents or event.broadcast in self._broadcasts
            if ours and not isinstance(event.enclosed, Report):
                self._orders[event.order] = _Order(ordered=event, record=d.id, at=d.at)
        elif isinstance(event, e.Delivered) and event.order in self._orders:
            for index, outcome, _ in event.moves:
                self._orders[event.order].moves[index] = (outcome, d.id, d.at)
        elif isinstance(event, e.OrderWithdrawn) and event.order in self._orders:
            self._orders[event.order].withdrawn = True

    def needs(self) -> Needs:
        """Raises NoIncident."""
        if self._opened is None:
            raise NoIncident(f"{self.incident}: this journal has no such incident: see `vigie status`")
        signals = [w.signal for _, _, w in self._told if isinstance(w, o.SignalJoined | o.SignalAttached | o.Opened)]
        audiences = [one.ordered.audience for one in self._orders.values() if one.ordered.audience]
        return Needs(facts=tuple(dict.fromkeys(signals)), audiences=tuple(dict.fromkeys(audiences)))

    def situation(
        self,
        facts: Mapping[str, tuple[r.Fact, r.VaultEntry | None]],
        audiences: Mapping[str, r.VaultEntry],
        sheet: Playbook | None,
        now: datetime | None = None,
    ) -> Situation:
        """`now`: as of when, where no instant was asked for. Raises NoIncident."""
        if self._opened is None or self._status is None:
            raise NoIncident(f"{self.incident}: this journal has no such incident: see `vigie status`")
        opened_at, record, opened = self._opened
        heard = _Hearing(facts)
        moments: list[Moment] = []
        for at, of, what in self._told:
            heard.take(at, of, what)
            moments += _moments(at, of, what)
        moments += self._messages(audiences)
        at = self._at or now or self._last or opened_at
        first = facts.get(opened.signal)
        by = first[0].body.by if first is not None and isinstance(first[0].body, r.SheetStarted) else ""
        turns = [(told_at, w) for told_at, _, w in self._told if isinstance(w, o.Ended | o.Reopened)]
        ended_at = turns[-1][0] if turns and isinstance(turns[-1][1], o.Ended) else None
        contacted = self._contacted(audiences)
        return Situation(
            incident=self.incident,
            playbook=self._playbook,
            version=self._version,
            status=self._status,
            at=at,
            opened_at=opened_at,
            records=(opened.signal, record),
            titles={} if sheet is None else dict(sheet.title),
            opened_by=by,
            ended_at=ended_at,
            heard=tuple(heard.found.values()),
            moments=tuple(sorted(moments, key=lambda one: one.at)),
            contacted=_named(contacted),
            people=dict(Counter(one.fate for one in contacted)),
            tasks=tuple(_tasks(self._told, sheet)),
        )

    # -- who was told --

    def _messages(self, audiences: Mapping[str, r.VaultEntry]) -> Iterable[Moment]:
        """What one decision orders of one message is one moment: to whom, over which channels. Asks are told with
        their chains, broadcasts by what people did with them."""
        groups: dict[tuple[str, str], list[_Order]] = {}
        for one in self._orders.values():
            sent = one.ordered
            if sent.ask or sent.after or sent.broadcast or (sent.lane in (Lane.ASK, Lane.CONFIRM) and not sent.clears):
                continue
            groups.setdefault((one.record, one.ordered.message), []).append(one)
        for (record, _), orders in groups.items():
            people = dict.fromkeys(person for one in orders for _, person in _meant(one, audiences) if person)
            yield Moment(
                at=orders[0].at,
                what=What.ALL_CLEAR if orders[0].ordered.clears else What.TOLD,
                records=(record,),
                people=tuple(people),
                count=len(people),
                channels=tuple(dict.fromkeys(one.ordered.channel for one in orders)),
            )

    def _contacted(self, audiences: Mapping[str, r.VaultEntry]) -> tuple[Contacted, ...]:
        """Each person once, by the best that is known of anything for them."""
        found: dict[str, Contacted] = {}
        for one in self._orders.values():
            if not counts_as_reached(one.ordered) or not self._broadcasts.get(one.ordered.broadcast, True):
                continue
            for index, person in _meant(one, audiences):
                if not person:
                    continue
                fate, at, records = _fate(one, index)
                known = found.get(person)
                if known is None:
                    found[person] = Contacted(
                        person=person, fate=fate, channels=(one.ordered.channel,), at=at, records=records
                    )
                    continue
                found[person] = replace(
                    known,
                    fate=min(known.fate, fate, key=_BEST.index),
                    channels=tuple(dict.fromkeys((*known.channels, one.ordered.channel))),
                    at=max(known.at, at),
                    records=tuple(dict.fromkeys((*known.records, *records))),
                )
        for at, record, what in self._told:
            if isinstance(what, o.AskClosed) and what.person in found:
                known = found[what.person]
                found[what.person] = replace(
                    known,
                    answer=what.outcome,
                    at=max(known.at, at),
                    records=tuple(dict.fromkeys((*known.records, record))),
                )
        return tuple(found.values())


def _named(contacted: Sequence[Contacted]) -> tuple[Contacted, ...]:
    """Those a report has something to say of, where there are too many for all of them."""
    if len(contacted) <= NAMED_MOST:
        return tuple(contacted)
    return tuple(sorted(contacted, key=lambda one: (not one.answer, one.fate is not Fate.NOT_REACHED))[:NAMED_MOST])


_BEST = (Fate.REACHED, Fate.WAITING, Fate.NOT_REACHED)


def made_at_of(incident: str) -> datetime | None:
    """When an incident was opened, by its id; None where that is no id of ours."""
    try:
        return datetime.fromtimestamp(made_at(incident), tz=UTC) - timedelta(seconds=1)
    except (ValueError, KeyError, IndexError):
        return None


def _meant(one: _Order, audiences: Mapping[str, r.VaultEntry]) -> Iterable[tuple[int, str]]:
    """Index and person of each delivery of an order."""
    people: Sequence[str] = one.ordered.recipients
    if one.ordered.audience:
        entry = audiences.get(one.ordered.audience)
        people = [] if entry is None else _audience.decode(entry.payload)
    for index in one.ordered.only or range(len(people)):
        yield index, people[index] if index < len(people) else ""


def _fate(one: _Order, index: int) -> tuple[Fate, datetime, tuple[str, ...]]:
    move = one.moves.get(index)
    if move is None or move[0] is Outcome.RETRY:
        return (Fate.NOT_REACHED if one.withdrawn else Fate.WAITING), one.at, (one.record,)
    outcome, record, at = move
    reached = outcome in (Outcome.SENT, Outcome.DELIVERED)
    return (Fate.REACHED if reached else Fate.NOT_REACHED), at, (one.record, record)


# --- what was heard ------------------------------------------------------------------------------------------


class _Hearing:
    """Signals in the order in which they came to belong to the incident."""

    def __init__(self, facts: Mapping[str, tuple[r.Fact, r.VaultEntry | None]]) -> None:
        self._facts = facts
        self.found: dict[str, Heard] = {}

    def take(self, at: datetime, record: str, what: o.Occurrence) -> None:
        match what:
            case o.SignalJoined():
                joined = self._heard(what.signal, at, record, what.source)
                self.found[what.signal] = replace(
                    joined, until=what.until, update=what.update, story=what.story, places=what.places or joined.places
                )
            case o.SignalAttached() if what.signal not in self.found:
                attached = self._heard(what.signal, at, record, "")
                self.found[what.signal] = replace(attached, attached=True, story=what.story)
            case o.SignalWithdrawn() if what.signal in self.found:
                known = self.found[what.signal]
                self.found[what.signal] = replace(known, over=what.why, over_at=at, over_records=(record,))
            case o.Graded():
                for id_, one in self.found.items():
                    if what.story and one.story == what.story:
                        self.found[id_] = replace(one, credibility=what.credibility)
            case _:
                pass

    def _heard(self, id_: str, at: datetime, record: str, source: str) -> Heard:
        fact, entry = self._facts.get(id_, (None, None))
        by_hand = fact is not None and isinstance(fact.body, r.SheetStarted)
        if fact is not None and isinstance(fact.body, r.SignalReceived):
            source = fact.body.source
        bare = Heard(signal=id_, at=at, records=(id_, record), source=source, by_hand=by_hand)
        signal = _read(entry)
        if signal is None:  # its words were erased
            severity = getattr(fact.body, "severity", Severity.UNKNOWN) if fact is not None else Severity.UNKNOWN
            return replace(bare, severity=severity)
        info = best_info(signal, Language.EN)
        areas = [area for one in signal.infos for area in one.areas]
        return replace(
            bare,
            sender=_one_line((info.sender_name if info else "") or signal.sender),
            headlines=_by_language(signal.infos, lambda i: i.headline or i.event),
            event=_by_language(signal.infos, lambda i: i.event),
            severity=max((i.severity for i in signal.infos), key=SEVERITIES.index, default=Severity.UNKNOWN),
            hazard=next((i.hazard for i in signal.infos if i.hazard is not None), None),
            areas=tuple(
                dict.fromkeys(_one_line(a.description) for i in signal.infos for a in i.areas if a.description)
            ),
            places=tuple(dict.fromkeys(place for area in areas for place in area.places)),
            reliability=signal.reliability,
            credibility=signal.credibility,
            casualties=tuple(
                dict.fromkeys(
                    Named(p.name, _one_line(p.value))
                    for i in signal.infos
                    for p in i.parameters
                    if any(word in p.name.casefold() for word in _CASUALTIES)
                )
            ),
        )


def _read(entry: r.VaultEntry | None) -> Signal | None:
    try:
        return None if entry is None else _signal.decode(entry.payload)
    except msgspec.MsgspecError:
        return None


def _by_language(infos: Sequence[Info], text: Callable[[Info], str]) -> dict[str, str]:
    """Of several blocks in one language the most severe."""
    found: dict[str, str] = {}
    for info in sorted(infos, key=lambda i: -SEVERITIES.index(i.severity)):
        if words := _one_line(text(info)):
            found.setdefault(info.language[:2].casefold(), words)
    return found


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _HEADLINE_MAX else f"{line[: _HEADLINE_MAX - 1]}…"


# --- what happened -------------------------------------------------------------------------------------------


def _moments(at: datetime, record: str, what: o.Occurrence) -> Iterable[Moment]:
    def moment(kind: What, **about: Any) -> Moment:
        return Moment(at=at, what=kind, records=about.pop("records", (record,)), **about)

    match what:
        case o.Opened():
            yield moment(What.OPENED, records=(what.signal, record))
        case o.Reopened():
            yield moment(What.REOPENED)
        case o.Ended():
            yield moment(What.ENDED, name=what.why, by=what.by)
        case o.HeldBack():
            yield moment(What.HELD_BACK)
        case o.Released():
            yield moment(What.RELEASED)
        case o.Graded():
            yield moment(
                What.GRADED,
                reliability=what.reliability,
                credibility=what.credibility,
                records=(what.signal, record),
            )
        case o.ChainBegan():
            yield moment(What.CHAIN_BEGAN, name=what.chain, count=what.need, by=what.by)
        case o.ChainHeld():
            yield moment(What.CHAIN_HELD, name=what.chain, by=what.by)
        case o.ChainTaken():
            yield moment(What.CHAIN_TAKEN, name=what.chain, people=(what.person,), by=what.by)
        case o.ChainEnded(outcome="exhausted"):
            yield moment(What.EXHAUSTED, name=what.chain)
        case o.ChainEnded(outcome="cancelled"):
            yield moment(What.CHAIN_CANCELLED, name=what.chain, by=what.by)
        case o.AskClosed(outcome="accepted"):
            yield moment(What.ACCEPTED, people=(what.person,), count=what.eta_min or 0)
        case o.AskClosed(outcome="declined"):
            yield moment(What.DECLINED, people=(what.person,))
        case o.BroadcastDrafted():
            alert = what.kind != Kind.ALL_CLEAR
            drafted = What.BROADCAST_DRAFTED if alert else What.ALL_CLEAR_DRAFTED
            yield moment(drafted, name=what.group, count=max((n for _, n in what.sizes), default=0))
        case o.BroadcastReleased():
            yield moment(What.BROADCAST_RELEASED, by=what.by)
        case o.BroadcastBegan():
            yield moment(What.BROADCAST_BEGAN)
        case o.BroadcastEnded():
            yield moment(What.BROADCAST_ENDED, name=what.outcome, by=what.by)
        case o.TaskClosed(outcome="done"):
            yield moment(What.TASK_DONE, name=f"{what.step} {what.index}", by=what.by)
        case _:
            pass


def _tasks(told: Iterable[tuple[datetime, str, o.Occurrence]], sheet: Playbook | None) -> Iterable[TaskSeen]:
    found: dict[str, TaskSeen] = {}
    for at, record, what in told:
        match what:
            case o.TaskOpened():
                found[what.task] = TaskSeen(
                    task=what.task,
                    step=what.step,
                    index=what.index,
                    who=what.who,
                    at=at,
                    records=(record,),
                    due=what.due,
                    do=_do(sheet, what.step, what.index),
                )
            case o.TaskLate() if what.task in found:
                known = found[what.task]
                found[what.task] = replace(known, late=True, changed=at, records=(*known.records, record))
            case o.TaskClosed() if what.task in found:
                known = found[what.task]
                found[what.task] = replace(
                    known, outcome=what.outcome, changed=at, by=what.by, records=(*known.records, record)
                )
            case _:
                pass
    return found.values()


def _do(sheet: Playbook | None, step: str, index: int) -> Mapping[Language, str]:
    action = next((one.action for one in sheet.steps if one.name == step), None) if sheet is not None else None
    return dict(action.tasks[index].do) if isinstance(action, Tasks) and index < len(action.tasks) else {}
