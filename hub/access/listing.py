"""Who may come in now: the state's places, with the names that lie in the vault. Of the running hub or beside it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from hub.access.reading import who
from hub.engine.state import GONE_KEPT, Access, Place, State
from hub.journal import Journal
from hub.model.access import AccessList, Admitted, Guest, Guests, NoLonger, Pass
from hub.model.records import Fact, Record, VaultEntry
from hub.model.signal import Signal, Status

_guests = msgspec.json.Decoder(Guests)
_signal = msgspec.json.Decoder(Signal)


class Needed(Struct, frozen=True):
    """The records in whose vault entries the names lie (`changes`), and the requests (`signals`)."""

    changes: tuple[str, ...]
    signals: tuple[str, ...]


class Kept(Struct, frozen=True):
    """What the vault has of that: place → who has it (none: erased); request → what it says."""

    guests: Mapping[str, Guest]
    signals: Mapping[str, Signal]


def needed(accesses: Sequence[Access]) -> Needed:
    changes = dict.fromkeys(place.change for access in accesses for place in access.places.values())
    return Needed(tuple(changes), tuple(dict.fromkeys(access.signal for access in accesses)))


def kept_of(records: Sequence[Record | None], vault: Mapping[str, VaultEntry | None], wanted: Needed) -> Kept:
    """`records`: of `wanted`, changes first; `vault`: their entries, by key."""
    guests: dict[str, Guest] = {}
    signals: dict[str, Signal] = {}
    for record in records:
        entry = vault.get(record.vault) if isinstance(record, Fact) else None
        if not isinstance(record, Fact) or entry is None:
            continue
        try:
            if record.id in wanted.changes:
                guests.update(_guests.decode(entry.payload).guests)
            else:
                signals[record.id] = _signal.decode(entry.payload)
        except msgspec.MsgspecError:
            continue  # it was erased, or is of a version that is not known: the place stays, without a name
    return Kept(guests, signals)


def vault_keys(records: Sequence[Record | None]) -> list[str]:
    return [record.vault for record in records if isinstance(record, Fact) and record.vault]


async def read(journal: Journal, accesses: Sequence[Access]) -> Kept:
    """From the running hub's journal. Raises JournalError."""
    wanted = needed(accesses)
    records = await journal.get([*wanted.changes, *wanted.signals])
    keys = vault_keys(records)
    return kept_of(records, dict(zip(keys, await journal.vault(keys), strict=True)), wanted)


async def access_list(journal: Journal, state: State, status: Status, at: datetime) -> AccessList:
    """Raises JournalError."""
    return list_of(state, await read(journal, list(state.access.values())), status, at)


def list_of(state: State, kept: Kept, status: Status, at: datetime) -> AccessList:
    """One entry for each person, however many requests name them; who may still come in for another is not gone."""
    passes: dict[str, list[Pass]] = {}
    people: dict[str, Guest | None] = {}
    gone: dict[str, NoLonger] = {}
    for access in state.access.values():
        for key, place in access.places.items() if access.status is status else ():
            guest = kept.guests.get(key)
            person = key if guest is None else who(guest)
            gone_at = place.gone_at or (access.until if access.until <= at else None)  # the hub may be down meanwhile
            if gone_at is None:
                people.setdefault(person, guest)
                passes.setdefault(person, []).append(_pass(access, key, place, kept.signals.get(access.signal)))
            elif at - gone_at <= GONE_KEPT and (person not in gone or gone[person].at < gone_at):
                why = place.gone_why or "over"
                gone[person] = NoLonger(
                    id=key, incident=access.incident, guest=guest, at=gone_at, why=why, by=place.gone_by
                )
    admitted = [Admitted(guest=guest, passes=tuple(passes[person])) for person, guest in people.items()]
    left = [one for person, one in gone.items() if person not in people]
    return AccessList(
        status=status,
        at=at,
        admitted=tuple(sorted(admitted, key=lambda one: _order(one.guest))),
        gone=tuple(sorted(left, key=lambda one: _order(one.guest))),
    )


def statuses(state: State) -> list[Status]:
    """Of what there are lists, that in earnest first."""
    there = {access.status for access in state.access.values()}
    return [Status.ACTUAL, *(status for status in Status if status in there and status is not Status.ACTUAL)]


def _pass(access: Access, key: str, place: Place, request: Signal | None) -> Pass:
    return Pass(
        id=key,
        incident=access.incident,
        sheet=access.sheet,
        rooms=access.rooms,
        start=access.start,
        until=access.until,
        since=place.at,
        whom=_whom(request),
        approved=access.approved,
        by=place.by,
    )


def _whom(request: Signal | None) -> str:
    if request is None:
        return ""
    return request.sender or next((info.sender_name for info in request.infos if info.sender_name), "")


def _order(guest: Guest | None) -> tuple[bool, str]:
    return guest is None, "" if guest is None else who(guest)
