"""Erasing a person: whatever the vault holds of them goes, the journal stays whole and still verifies.

What is theirs alone is deleted. Texts of the directory as they once were in force hold others too, and messages of the
hub's own to others may name them ("before you: ..."): they are written anew without the person, and a `Rewritten` fact
has the digest that they have now. What others said or wrote of the person is not theirs alone; it is left, and told.
Cut short, it may simply be asked for again: the fact that says it is done comes last.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import structlog
import trio

from hub.acts import Erased, Left
from hub.journal import Journal, JournalUnavailable
from hub.model import events as e
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.people import Edited
from hub.people.directory import Directory, normalise
from hub.people.erasing import entries_of, guests_without, sent_without, telling, without
from hub.people.exchange.draft import made_id

log = structlog.get_logger(__name__)

PAGE = 500  # decisions read at a time: what is decoded at once holds timers up
HELD_TRIES, HELD_PAUSE_S = 10, 0.3
NAMED_MOST = 10  # records named in one sentence

_edited = msgspec.json.Decoder(Edited)
_said = msgspec.json.Decoder(dict[str, str])


class Nothing(Exception):
    """Nothing in the journal is about such a person: more likely the id is mistyped than that all is well."""


@dataclass
class Trail:
    """What decisions say of a person. `texts`: file → the facts that brought its texts, the newest last."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    replies: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    named: bool = False  # somebody has changed them while running


@dataclass
class Sorted:
    """Where something of them was found: vault entries that are theirs, texts of the directory and messages to others
    (as they are without them) that name them, and what is left."""

    theirs: dict[str, None] = field(default_factory=dict)
    texts: dict[str, None] = field(default_factory=dict)
    messages: dict[str, bytes] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)


async def erase(journal: Journal, others: Directory, person: str, by: str, why: str, now: datetime, ids: Ids) -> Erased:
    """Erases somebody who is in the directory no more. `others`: who still is. Raises JournalUnavailable, Nothing."""
    about = r.about_person(person)
    trail = await _trail(journal, person)
    texts = await _texts(journal, trail)
    names, addresses = await _known_by(journal, person, about, texts.values())
    kept, reached = telling(names, addresses, others)
    words = [word.encode() for word in (*kept, *reached)]
    found = await journal.find(words, about)
    sorted_ = Sorted()
    attempts = await journal.attempts_of(trail.orders) if trail.orders else ()
    rendered = [attempt.vault for attempt in attempts if attempt.vault]
    sorted_.theirs |= dict.fromkeys((*(await journal.find([], about)).vault, *trail.replies, *rendered))
    sorted_.texts |= dict.fromkeys(key for key, text in texts.items() if entries_of(text, person) != ([], []))
    await _sort(journal, sorted_, [k for k in found.vault if k not in sorted_.theirs], trail, person, (*kept, *reached))
    if not (sorted_.theirs or sorted_.texts or trail.orders or trail.named):
        raise Nothing(f'the journal holds nothing about "{person}": is the id right, or was it erased already?')
    there = [key for key, entry in await _entries(journal, list(sorted_.theirs)) if entry is not None]
    directory = {key: text for key in sorted_.texts if (text := without(texts[key], person, (*kept, *reached)))}
    rewritten = [
        *(r.VaultEntry(key=k, payload=t.encode(), media_type="application/yaml") for k, t in directory.items()),
        *(r.VaultEntry(key=key, payload=message) for key, message in sorted_.messages.items()),
    ]
    await delete(journal, [*there, *sorted_.texts, *sorted_.messages])
    gone = len(there) + len(sorted_.texts) - len(directory)
    erased = r.PersonErased(person=person, by=by, why=why, entries=gone, texts=len(rewritten))
    done = r.Fact(id=ids.new(now), at=now, body=erased)
    bodies = [(x.key, r.Rewritten(of=x.key, without=person)) for x in rewritten]
    again = [r.Fact(id=ids.new(now), at=now, body=body, vault=key) for key, body in bodies]
    await journal.put_facts([*again, done], rewritten)
    log.info("a person was erased", person=person, entries=erased.entries, texts=erased.texts)
    return Erased(
        id=done.id,
        said=f"what the vault held about {person} is gone",
        entries=erased.entries,
        texts=erased.texts,
        left=(*sorted_.left, *_left_in_records(found.records), *_elsewhere(person, names)),
    )


async def delete(journal: Journal, keys: Sequence[str]) -> None:
    """Deletes vault entries. A reading command may hold the log just now, in which the bytes lie: for moments only."""
    for _ in range(HELD_TRIES):
        try:
            await journal.erase(keys)
            break
        except JournalUnavailable:
            await trio.sleep(HELD_PAUSE_S)
    else:
        await journal.erase(keys)


async def _trail(journal: Journal, person: str) -> Trail:
    trail, after = Trail(), ""
    while decisions := await journal.decisions(after=after, limit=PAGE):
        for event in (event for decision in decisions for event in decision.events):
            match event:
                case e.Enforced(what="config") if event.name.startswith(("people", "rosters")):
                    trail.texts.setdefault(event.name, []).append(event.fact)
                case e.PersonEdited() if event.person == person:
                    trail.named = True
                case e.Answered() if event.person == person and event.fact:
                    trail.replies.append(event.fact)
                case e.Ordered() if event.recipients == (person,) or ("delegate", person) in event.values:
                    trail.orders.append(event.order)
                case _:
                    pass
        after = decisions[-1].id
    return trail


async def _texts(journal: Journal, trail: Trail) -> dict[str, str]:
    """The directory's texts that are still there, by their vault key."""
    keys = [fact for facts in trail.texts.values() for fact in facts]
    return {k: entry.payload.decode("utf-8", "replace") for k, entry in await _entries(journal, keys) if entry}


async def _entries(journal: Journal, keys: Sequence[str]) -> list[tuple[str, r.VaultEntry | None]]:
    found: list[tuple[str, r.VaultEntry | None]] = []
    for at in range(0, len(keys), PAGE):
        part = keys[at : at + PAGE]
        found += zip(part, await journal.vault(part), strict=True)
    return found


async def _known_by(journal: Journal, person: str, about: str, texts: Iterable[str]) -> tuple[list[str], list[str]]:
    """Every name and address that they ever had here."""
    names: list[str] = []
    addresses: list[str] = []
    for text in texts:
        some_names, some_addresses = entries_of(text, person)
        names += some_names
        addresses += some_addresses
    for _, entry in await _entries(journal, (await journal.find([], about)).vault):
        edited = _decoded(_edited, entry)
        if isinstance(edited, Edited) and edited.person is not None:
            names.append(edited.person.name)
            addresses += [way.address for way in edited.person.addresses]
    return names, addresses


def _decoded(
    decoder: "msgspec.json.Decoder[Edited] | msgspec.json.Decoder[dict[str, str]]", entry: r.VaultEntry | None
) -> Edited | dict[str, str] | None:
    try:
        return None if entry is None else decoder.decode(entry.payload)
    except msgspec.MsgspecError:
        return None  # it is something else


async def _sort(
    journal: Journal, found: Sorted, keys: Sequence[str], trail: Trail, person: str, words: Sequence[str]
) -> None:
    """Of other vault entries in which their name or address (`words`) stands, those that are theirs or the hub's."""
    in_force = {facts[-1] for facts in trail.texts.values()}
    older = {fact for facts in trail.texts.values() for fact in facts} - in_force
    records = await journal.get([key.removeprefix("original-") for key in keys])
    for (key, entry), record in zip(await _entries(journal, keys), records, strict=True):
        body = record.body if isinstance(record, r.Fact) else None  # messages lie under keys of their own
        match body:
            case r.Installed() if key in older:
                found.texts[key] = None
            case r.Installed(name=name):
                said = "it stands in the text that is in force: take it out of config/, and erase again"
                found.left.append(Left(what=f"{name} (record {key})", why=said))
            case r.ReplyReceived() if body.person in ("", person) and _from(entry, words):
                found.theirs[key] = None
            case r.DeadLetter() if entry is not None and any(a.encode() in entry.payload for a in words):
                found.theirs[key] = None
            case r.ReplyReceived():
                found.left.append(Left(what=f"an answer of {body.person or 'somebody'} (record {key})", why=_OTHERS))
            case r.AccessChanged() if entry is not None and (left := guests_without(entry.payload, words)) is not None:
                found.messages[key] = left
            case r.SignalReceived() | r.DeadLetter():
                found.left.append(Left(what=f"what {body.source} sent (record {key})", why=_OTHERS))
            case r.ReportWritten():
                said = f"report {body.number} on {body.incident} (record {key})"
                found.left.append(Left(what=said, why=_OTHERS))
            case r.SheetStarted():
                found.left.append(Left(what=f"what {body.by} said when starting a sheet (record {key})", why=_OTHERS))
            case None if entry is not None and (message := sent_without(entry.payload, person, words)) is not None:
                found.messages[key] = message
            case _:
                found.left.append(Left(what=f"a text that went to others (vault entry {key})", why=_OTHERS))


_OTHERS = "they are others' words that name them: `vigie journal show` has the record"


def _from(entry: r.VaultEntry | None, addresses: Sequence[str]) -> bool:
    said = _decoded(_said, entry)
    return isinstance(said, Mapping) and normalise(said.get("address", "")) in addresses


def _left_in_records(records: Sequence[str]) -> list[Left]:
    if not records:
        return []
    named = ", ".join(records[:NAMED_MOST]) + (
        f" and {len(records) - NAMED_MOST} more" if len(records) > NAMED_MOST else ""
    )
    why = "an operator wrote the name or an address as who acts or why; records are chained and cannot be changed"
    return [Left(what=f"records {named}", why=why)]


def _elsewhere(person: str, names: Iterable[str]) -> list[Left]:
    made = any(made_id(name) == person or set(made_id(name).split("-")) & set(person.split("-")) for name in names)
    tells = "; it tells the name: " if made else ": "
    return [
        Left(
            what=f"the id {person}", why=f"records say what was asked of it and what it answered{tells}ids are for ever"
        ),
        Left(
            what="copies of the journal, logs, exported files",
            why="the hub does not have them: delete them where they lie",
        ),
        Left(
            what="what went out", why="providers of SMS, calls, mail and chat keep it for as long as they do: ask them"
        ),
    ]
