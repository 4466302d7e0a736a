"""What happened and what would have, side by side: incident by incident, person by person. Pure.

Incidents are the same matter where they share a signal (of the same sheet, or of one that took the place of another),
or where they are of one sheet and key and near in time. Somebody is compared with themselves by what they got: asked,
told, or the all-clear.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from hub.drill.calls import Call, Calls, Incident, Kind
from hub.drill.replay import Assumed, Counts

ALIKE_S = 30.0  # so far apart two calls are at the same time: then channels took their time, here they take none


class Change(StrEnum):
    """What became of an incident or of a person in it."""

    SAME = "same"
    OTHERWISE = "otherwise"
    ONLY_NOW = "only-now"
    NO_LONGER = "no-longer"


class Differs(StrEnum):
    """In what, where somebody got something in both."""

    EARLIER = "earlier"
    LATER = "later"
    CHANNEL = "channel"
    LANGUAGE = "language"
    MESSAGE = "message"
    TIMES = "times"  # more or less often


class Side(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What somebody got, on one side. `at`: the first time; `channels` in the order used; `messages`: their names;
    `times`: how many orders; `people`: of a large audience, how many."""

    at: datetime
    channels: tuple[str, ...]
    messages: tuple[str, ...]
    times: int
    language: str = ""
    people: int = 1


class Someone(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A person (`""`: a large audience) in an incident. `shift_s`: now minus then, seconds; None where only one."""

    person: str
    kind: Kind
    change: Change
    then: Side | None = None
    now: Side | None = None
    shift_s: float | None = None
    differs: tuple[Differs, ...] = ()


class Run(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An incident on one side. `held`: it woke nobody for a time; `began`: before the time looked at."""

    incident: str
    playbook: str
    version: str
    opened_at: datetime
    ended_at: datetime | None = None
    signals: int = 0
    shadow: bool = False
    held: bool = False
    began: bool = False
    accepted: tuple[str, ...] = ()
    exhausted: tuple[str, ...] = ()


class Matter(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An incident on both sides, or on one."""

    change: Change
    key: tuple[str, ...]
    status: str
    then: Run | None = None
    now: Run | None = None
    people: tuple[Someone, ...] = ()

    @property
    def playbook(self) -> str:
        run = self.now or self.then
        return run.playbook if run is not None else ""

    @property
    def at(self) -> datetime:
        return min(run.opened_at for run in (self.then, self.now) if run is not None)


class Group(Struct, frozen=True, kw_only=True):
    """People to whom the same happened, for showing: `like` is one of them; languages are theirs together."""

    people: tuple[str, ...]
    like: Someone
    spoken_then: tuple[str, ...]
    spoken_now: tuple[str, ...]


def groups(people: Iterable[Someone]) -> list[Group]:
    """In order. An all-clear that follows from what is shown of a person anyway is left out."""
    people = list(people)
    told = {(one.person, one.change) for one in people if one.kind is not Kind.OVER}
    found: dict[tuple[object, ...], list[Someone]] = {}
    for one in people:
        if one.kind is not Kind.OVER or (one.person, one.change) not in told:
            found.setdefault((one.kind, one.change, one.differs, _alike(one.then), _alike(one.now)), []).append(one)
    return [
        Group(
            people=tuple(one.person for one in those),
            like=those[0],
            spoken_then=tuple(dict.fromkeys(o.then.language for o in those if o.then and o.then.language)),
            spoken_now=tuple(dict.fromkeys(o.now.language for o in those if o.now and o.now.language)),
        )
        for those in found.values()
    ]


def _alike(side: Side | None) -> tuple[object, ...]:
    return (side.at, side.channels, side.messages, side.times, side.people) if side is not None else ()


class Load(Struct, frozen=True, kw_only=True):
    """How much of something there was, then and now: of a person, of a sheet. `asked` and `told` count orders."""

    name: str
    asked_then: int = 0
    asked_now: int = 0
    told_then: int = 0
    told_now: int = 0
    incidents_then: int = 0
    incidents_now: int = 0

    @property
    def same(self) -> bool:
        return (self.asked_then, self.told_then, self.incidents_then) == (
            self.asked_now,
            self.told_now,
            self.incidents_now,
        )


class Sheets(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How the sheets of the replay differ from those in force at the end of the time looked at."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    same: int = 0


class Difference(Struct, frozen=True, kw_only=True):
    """The whole. Ids only: names are the directory's to give."""

    since: datetime
    until: datetime
    counts: Counts
    sheets: Sheets
    matters: tuple[Matter, ...]
    by_person: tuple[Load, ...]
    by_sheet: tuple[Load, ...]
    assumed: tuple[Assumed, ...] = tuple(Assumed)

    def count(self, change: Change) -> int:
        return sum(matter.change is change for matter in self.matters)


Speaks = Callable[[Call], str]
"""The language in which somebody got something; "" where it is not known."""


def difference(
    then: Calls, now: Calls, counts: Counts, since: datetime, until: datetime, versions: Mapping[str, str],
    spoke: Speaks, speaks: Speaks,
) -> Difference:  # fmt: skip
    """`versions`: the sheets of the replay; `spoke` and `speaks`: the language of a call then and now."""
    pairs = list(_pairs(then, now, versions))
    matters = sorted((_matter(a, b, spoke, speaks) for a, b in pairs), key=lambda m: (m.at, m.playbook))
    return Difference(
        since=since,
        until=until,
        counts=counts,
        sheets=_sheets(then.sheets, versions),
        matters=tuple(m for m in matters if not _was_over(m, since)),
        by_person=_loads(pairs, lambda incident, call: call.person, of_incidents=False),
        by_sheet=_loads(pairs, lambda incident, call: incident.playbook, of_incidents=True),
    )


def _was_over(matter: Matter, since: datetime) -> bool:
    """Began before the time looked at, and nothing came of it in that time."""
    began = (matter.then or matter.now) is not None and all(r is None or r.began for r in (matter.then, matter.now))
    return began and not matter.people


def _sheets(then: Mapping[str, str], now: Mapping[str, str]) -> Sheets:
    both = sorted(set(then) & set(now))
    return Sheets(
        new=tuple(sorted(set(now) - set(then))),
        gone=tuple(sorted(set(then) - set(now))),
        changed=tuple(name for name in both if then[name] != now[name]),
        same=sum(then[name] == now[name] for name in both),
    )


# --- which incident stands for which -----------------------------------------------------------------------


def _pairs(then: Calls, now: Calls, versions: Mapping[str, str]) -> Iterable[tuple[Incident | None, Incident | None]]:
    taken: set[str] = set()
    for incident in now.incidents.values():
        found = next((i for i in _candidates(then, incident, versions) if i.id not in taken), None)
        if found is not None:
            taken.add(found.id)
        yield found, incident
    for incident in then.incidents.values():
        if incident.id not in taken:
            yield incident, None


def _candidates(then: Calls, incident: Incident, versions: Mapping[str, str]) -> list[Incident]:
    if incident.id in then.incidents:  # under way before
        return [then.incidents[incident.id]]
    alike = [i for i in then.alike(incident) if _took_its_place(i, incident, then, versions)]
    return sorted(alike, key=lambda i: (-len(i.signals.keys() & incident.signals.keys()), i.opened_at))


def _took_its_place(old: Incident, new: Incident, then: Calls, versions: Mapping[str, str]) -> bool:
    """Of the same sheet; or of one that is new while the old one is gone, so perhaps renamed."""
    renamed = new.playbook not in then.sheets and old.playbook not in versions
    return (old.playbook == new.playbook or renamed) and old.status is new.status


# --- one of them -------------------------------------------------------------------------------------------


def _matter(then: Incident | None, now: Incident | None, spoke: Speaks, speaks: Speaks) -> Matter:
    known = now or then
    assert known is not None  # one of a pair is always there
    people = _people(then, now, spoke, speaks)
    if then is None:
        change = Change.ONLY_NOW
    elif now is None:
        change = Change.NO_LONGER
    else:
        change = Change.SAME if all(p.change is Change.SAME for p in people) else Change.OTHERWISE
    return Matter(
        change=change, key=known.key, status=known.status, then=_run(then), now=_run(now), people=people
    )  # fmt: skip


def _run(incident: Incident | None) -> Run | None:
    if incident is None:
        return None
    return Run(
        incident=incident.id,
        playbook=incident.playbook,
        version=incident.version,
        opened_at=incident.opened_at,
        ended_at=incident.ended_at,
        signals=len(incident.signals),
        shadow=incident.shadow,
        held=incident.held,
        began=incident.began,
        accepted=tuple(incident.accepted),
        exhausted=tuple(incident.exhausted),
    )


def _people(then: Incident | None, now: Incident | None, spoke: Speaks, speaks: Speaks) -> tuple[Someone, ...]:
    before, after = _sides(then, spoke), _sides(now, speaks)
    found = [_someone(*key, before.get(key), after.get(key)) for key in {**before, **after}]
    order = list(Kind)
    return tuple(sorted(found, key=lambda s: (order.index(s.kind), _first(s), s.person)))


def _first(someone: Someone) -> datetime:
    return min(side.at for side in (someone.then, someone.now) if side is not None)


def _sides(incident: Incident | None, speaks: Speaks) -> dict[tuple[str, Kind], Side]:
    calls: dict[tuple[str, Kind], list[Call]] = {}
    for call in incident.calls if incident is not None else ():
        calls.setdefault((call.person, call.kind), []).append(call)
    return {key: _side(those, speaks) for key, those in calls.items()}


def _side(calls: list[Call], speaks: Speaks) -> Side:
    spoken = next((language for call in calls if call.person and (language := speaks(call))), "")
    return Side(
        at=calls[0].at,
        channels=tuple(dict.fromkeys(call.channel for call in calls)),
        messages=tuple(dict.fromkeys(call.message for call in calls)),
        times=len(calls),
        language=spoken,
        people=max(call.size for call in calls),
    )


def _someone(person: str, kind: Kind, then: Side | None, now: Side | None) -> Someone:
    if then is None or now is None:
        change = Change.NO_LONGER if now is None else Change.ONLY_NOW
        return Someone(person=person, kind=kind, change=change, then=then, now=now)
    shift_s = (now.at - then.at).total_seconds()
    differs = []
    if abs(shift_s) > ALIKE_S:
        differs.append(Differs.LATER if shift_s > 0 else Differs.EARLIER)
    differs += [Differs.CHANNEL] if now.channels != then.channels else []
    differs += [Differs.LANGUAGE] if then.language and now.language != then.language else []
    differs += [Differs.MESSAGE] if now.messages != then.messages else []
    differs += [Differs.TIMES] if (now.times, now.people) != (then.times, then.people) else []
    return Someone(
        person=person,
        kind=kind,
        change=Change.OTHERWISE if differs else Change.SAME,
        then=then,
        now=now,
        shift_s=shift_s,
        differs=tuple(differs),
    )


def _loads(
    pairs: Iterable[tuple[Incident | None, Incident | None]],
    name: Callable[[Incident, Call], str],
    *,
    of_incidents: bool,
) -> tuple[Load, ...]:
    """How much each got, the most asked now first. An order on behalf of several incidents counts once for a
    person."""
    counts: dict[str, dict[str, int]] = {}
    seen: set[tuple[str, str, str]] = set()
    for pair in pairs:
        for side, incident in zip(("then", "now"), pair, strict=True):
            if incident is None:
                continue
            if of_incidents and not incident.began:
                _more(counts, incident.playbook, f"incidents_{side}")
            for call in incident.calls:
                of = name(incident, call)
                if not of or call.kind is Kind.OVER or (side, call.order, of) in seen:
                    continue
                seen.add((side, call.order, of))
                _more(counts, of, f"{call.kind}_{side}", call.size)
    loads = [Load(name=of, **found) for of, found in counts.items()]
    return tuple(sorted(loads, key=lambda load: (-load.asked_now, -load.asked_then, load.name)))


def _more(counts: dict[str, dict[str, int]], of: str, what: str, by: int = 1) -> None:
    known = counts.setdefault(of, {})
    known[what] = known.get(what, 0) + by
