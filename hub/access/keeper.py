"""Keeping the list as approved requests have it: what they say of people, rooms and times is read, held against who is
on the list, and the difference becomes a fact.

What is wanted is decided (`AccessWanted`) before any of it, and stays open in the state until it is answered: a hub
that goes down in between does it when it comes back.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import msgspec
import structlog

from hub.access.listing import read
from hub.access.reading import Asked, asked_for, called, who
from hub.desk import Desk
from hub.journal import Journal
from hub.model import events as e
from hub.model import records as r
from hub.model.access import Guests, Room
from hub.model.ids import Ids
from hub.model.signal import Signal
from hub.owed import Owed
from hub.playbook.language import Admit

log = structlog.get_logger(__name__)


_signal = msgspec.json.Decoder(Signal)


class Keeper:
    """`rooms`: those of the configuration in force; `zone`: of times without an offset. `decided`: until the next
    decision is durable. `follow` is called with each durable decision."""

    def __init__(
        self,
        *,
        desk: Desk,
        journal: Journal,
        rooms: Callable[[], Mapping[str, Room]],
        zone: str,
        ids: Ids,
        decided: Callable[[], Awaitable[None]],
    ) -> None:
        self._desk = desk
        self._journal = journal
        self._rooms = rooms
        self._zone = zone
        self._ids = ids
        self._decided = decided
        self._owed = Owed("an access list", self._keep)

    def follow(self, decision: r.Decision) -> None:
        for event in decision.events:
            if isinstance(event, e.AccessWanted):
                self._owed.add(event.wanted)

    async def run(self, left: Iterable[str]) -> None:
        """Reads what is wanted, for ever, one after the other. `left`: what was wanted when the hub went down."""
        await self._owed.run(left)

    async def _keep(self, wanted: str) -> None:
        known = self._desk.state().access_wanted.get(wanted)
        if known is None:
            return  # its incident is over meanwhile
        body, guests = await self._changed(known)
        await self._desk.act(body, "", guests)
        while wanted in self._desk.state().access_wanted:  # the next is held against what this one has made of the list
            await self._decided()

    async def _changed(self, wanted: e.AccessWanted) -> tuple[r.AccessChanged, Any]:
        action = self._action(wanted)
        signal = await self._request(wanted.signal)
        if action is None or signal is None:
            lacking = "its sheet cannot be read back" if action is None else "what it says was erased"
            return r.AccessChanged(
                incident=wanted.incident, wanted=wanted.wanted, problem=f"nobody is let in: {lacking}"
            ), None
        known = self._desk.state().access.get(wanted.incident)
        since = None if known is None else known.since
        asked = asked_for(signal, action, self._rooms(), self._zone, self._desk.now(), since)
        return await self._difference(wanted, asked)

    async def _difference(self, wanted: e.AccessWanted, asked: Asked) -> tuple[r.AccessChanged, Any]:
        """Who is to be on the list and is not, and who is because the request said so and says it no more. Whom an
        officer took out stays out; whom an officer put on it stays."""
        state = self._desk.state()
        problems = list(asked.problems)
        kept = await read(self._journal, list(state.access.values()))
        barred = {
            called(kept.guests[key])
            for access in state.access.values()
            for key, place in access.places.items()
            if place.gone_by and key in kept.guests
        }
        access = state.access.get(wanted.incident)
        held = {} if access is None else access.held()
        there = {who(kept.guests[key]): key for key in held if key in kept.guests}
        listed = {who(guest): guest for guest in asked.guests}
        out = [person for person, guest in listed.items() if called(guest) in barred and person not in there]
        if out:
            problems.append(
                f"{len(out)} whom an officer took out stand on it again, and are not let in: `vigie access add` does"
            )
        added = {
            self._ids.new(self._desk.now()): guest
            for person, guest in listed.items()
            if person not in there and person not in out
        }
        removed = [key for person, key in there.items() if person not in listed and not held[key].by]
        body = r.AccessChanged(
            incident=wanted.incident,
            wanted=wanted.wanted,
            added=tuple(added),
            removed=tuple(removed),
            rooms=asked.rooms,
            start=asked.start,
            until=asked.until,
            problem="; ".join(problems),
        )
        return body, Guests(guests=added) if added else None

    def _action(self, wanted: e.AccessWanted) -> Admit | None:
        incident = self._desk.state().incidents[wanted.incident]
        playbook = self._desk.rules().playbook(incident.playbook, incident.version)
        found = [s.action for s in playbook.steps if s.name == wanted.step] if playbook is not None else []
        return next((action for action in found if isinstance(action, Admit)), None)

    async def _request(self, id_: str) -> Signal | None:
        (fact,) = await self._journal.get([id_])
        if not isinstance(fact, r.Fact) or not fact.vault:
            return None
        (entry,) = await self._journal.vault([fact.vault])
        try:
            return None if entry is None else _signal.decode(entry.payload)
        except msgspec.MsgspecError as error:
            log.error("a request cannot be read back", fact=id_, error=str(error))
            return None
