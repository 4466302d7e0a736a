"""Erasing somebody who was on the access list and is not any more: their name goes from the entries of each change and
with the documents that were sent; the places stay, without a name, and the journal still verifies.

What their service wrote of them (the request) names others too: it is left, and told (hub/erasing.py does likewise).
"""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from hub.access.reading import called
from hub.act import Erased, Left
from hub.erasing import PAGE, Nothing, delete
from hub.journal import Journal
from hub.model import events as e
from hub.model import records as r
from hub.model.access import Guest, Guests
from hub.model.enclosure import AccessSheet
from hub.model.ids import Ids
from hub.report.access import SEPARATOR

_EVER, _ALL = datetime(1970, 1, 1, tzinfo=UTC), 1_000_000
_guests = msgspec.json.Decoder(Guests)


async def erase_guest(journal: Journal, name: str, by: str, why: str, now: datetime, ids: Ids) -> Erased:
    """Erases whoever is called so. Raises JournalUnavailable; Nothing where the list never held such a name."""
    wanted = called(Guest(name=name))
    rewritten, places, names = await _entries(journal, wanted)
    documents = await _documents(journal, wanted)
    if not places and not documents:
        raise Nothing(f'the access list never held "{name}": write the whole name, as it stood there')
    await delete(journal, [*(entry.key for entry in rewritten), *documents])
    person = f"guest {places[0]}" if places else "guest"  # records name places on the list, never people
    body = r.PersonErased(person=person, by=by, why=why, entries=len(documents), texts=len(rewritten))
    done = r.Fact(id=ids.new(now), at=now, body=body)
    again = [
        r.Fact(id=ids.new(now), at=now, body=r.Rewritten(of=entry.key, without=person), vault=entry.key)
        for entry in rewritten
    ]
    await journal.put_facts([*again, done], rewritten)
    found = await journal.find([text.encode() for text in {name, *names}])
    left = [Left(what=f"vault entry {key}", why="it is what others wrote that names them, too") for key in found.vault]
    left += [Left(what=f"record {id_}", why="an operator wrote the name; records are chained") for id_ in found.records]
    sent = Left(what="what went out", why="the reception keeps its mails and prints for as long as it does: ask it")
    return Erased(
        id=done.id,
        said="their name is gone from the access lists that are kept",
        entries=len(documents),
        texts=len(rewritten),
        left=(*left, sent),
    )


async def _entries(journal: Journal, wanted: str) -> tuple[list[r.VaultEntry], list[str], set[str]]:
    """The entries of changes as they are without them; their places; how their name was written."""
    facts = [fact for fact in await journal.facts_since({"access"}, _EVER, _ALL) if fact.vault]
    rewritten: list[r.VaultEntry] = []
    places: list[str] = []
    names: set[str] = set()
    for start in range(0, len(facts), PAGE):
        for entry in await journal.vault([fact.vault for fact in facts[start : start + PAGE]]):
            if entry is None:
                continue
            guests = _guests.decode(entry.payload).guests
            theirs = [key for key, guest in guests.items() if called(guest) == wanted]
            names |= {guests[key].name for key in theirs}
            places += theirs
            if theirs:
                left = Guests(guests={key: guest for key, guest in guests.items() if key not in theirs})
                rewritten.append(r.VaultEntry(key=entry.key, payload=msgspec.json.encode(left)))
    return rewritten, places, names


async def _documents(journal: Journal, wanted: str) -> list[str]:
    """The documents of each message in whose table they stand."""
    orders, after = list[str](), ""
    while decisions := await journal.decisions(after=after, limit=PAGE):
        events = [event for decision in decisions for event in decision.events]
        orders += [ev.order for ev in events if isinstance(ev, e.Ordered) and isinstance(ev.enclosed, AccessSheet)]
        after = decisions[-1].id
    found: dict[str, None] = {}
    for attempt in await journal.attempts_of(orders) if orders else ():
        kept = await journal.vault(attempt.documents)
        if any(
            entry is not None and entry.media_type == "text/csv" and _names(entry.payload, wanted) for entry in kept
        ):
            found |= dict.fromkeys(key for key, entry in zip(attempt.documents, kept, strict=True) if entry is not None)
    return list(found)


def _names(table: bytes, wanted: str) -> bool:
    rows: Sequence[Sequence[str]] = list(csv.reader(io.StringIO(table.decode("utf-8-sig")), delimiter=SEPARATOR))
    return any(called(Guest(name=cell.removeprefix("'"))) == wanted for row in rows for cell in row)
