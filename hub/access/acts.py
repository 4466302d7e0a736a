"""What officers do with the access list (docs/access.md): put somebody on it, take somebody out, prolong it, see it."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from hub.access.erasing import erase_guest
from hub.access.listing import access_list, read, statuses
from hub.access.reading import PART_MAX, PEOPLE_MAX, clean, meant, who
from hub.act import About, Done, Erased, Refused
from hub.acts_access import AccessAddBody, AccessEraseBody, AccessRemoveBody, AccessRoomsBody, AccessUntilBody
from hub.connector import Unavailable
from hub.desk import Desk, Handler
from hub.engine.state import Access
from hub.erasing import Nothing
from hub.findings import choice
from hub.journal import Journal, JournalError
from hub.model import records as r
from hub.model.access import AccessList, Guest, Guests, Room
from hub.model.ids import Ids

UNTIL_MOST = timedelta(days=92)  # longer is no crisis but a staff badge


class AccessDesk:
    """`done`: what does each act, by its verb."""

    def __init__(self, desk: Desk, journal: Journal, ids: Ids, rooms: Callable[[], Mapping[str, Room]]) -> None:
        self._desk = desk
        self._rooms_there = rooms
        self._journal = journal
        self._ids = ids
        self.done: dict[str, Handler] = {
            "access": self._show,
            "access-add": self._add,
            "access-remove": self._remove,
            "access-until": self._until,
            "access-rooms": self._rooms,
            "access-erase": self._erase,
        }

    async def _show(self, about: About, _: None) -> list[AccessList]:
        state = self._desk.state()
        try:
            return [await access_list(self._journal, state, one, self._desk.now()) for one in statuses(state)]
        except JournalError as error:
            raise Unavailable(str(error)) from error

    async def _add(self, about: About, sent: AccessAddBody) -> Done:
        access = self._open(about["incident"])
        guests = [Guest(name=clean(g.name), service=clean(g.service), function=clean(g.function)) for g in sent.people]
        if not 0 < len(guests) <= PEOPLE_MAX:
            raise Refused(f"people: name at least one, and at most {PEOPLE_MAX}")
        for guest in guests:
            if sum(c.isalpha() for c in guest.name) < 2:
                raise Refused(f"people: {guest.name!r} is nobody's name: write name, service, function")
            if max(map(len, (guest.name, guest.service, guest.function))) > PART_MAX:
                raise Refused(f"people: a name, service or function is longer than {PART_MAX} characters: shorten it")
        kept = await self._kept([access])
        there = {who(kept[key]) for key in access.held() if key in kept}
        new = {self._ids.new(self._desk.now()): g for g in {who(g): g for g in guests}.values() if who(g) not in there}
        if not new:
            raise Refused("people: all of them are on the list already")
        body = r.AccessChanged(incident=access.incident, added=tuple(new), by=sent.by, why=sent.why)
        known = len(guests) - len(new)
        already = f"; {known} {'was' if known == 1 else 'were'} already" if known else ""
        said = f"{len(new)} more may come in until {access.until:%Y-%m-%d %H:%M}Z{already}"
        return await self._desk.act(body, said, Guests(guests=new))

    async def _remove(self, about: About, sent: AccessRemoveBody) -> Done:
        state = self._desk.state()
        if sent.incident and sent.incident not in state.access:
            raise Refused(f"incident: {_nothing(sent.incident, list(state.access))}", missing=True)
        kept = await self._kept(list(state.access.values()))
        places = {key: a for a in state.access.values() for key in a.held()}
        found = meant({key: kept[key] for key in places if key in kept}, sent.who)
        found = found or ([sent.who] if sent.who in places else [])  # somebody whose name was erased
        if not found:
            names = sorted({kept[key].name for key in places if key in kept})
            raise Refused(
                f"who: nobody of that name or id is on the list: {choice(sent.who, names, 'there are')}", missing=True
            )
        services = {who(kept[key]) for key in found if key in kept}
        if len(services) > 1:
            told = "; ".join(f"{key} ({kept[key].name}, {kept[key].service or 'no service'})" for key in found)
            raise Refused(f"who: several have that name, say which by their id: {told}")
        if sent.who in places and sent.who in kept:  # by id: the same person wherever they are
            found = [key for key in places if key in kept and who(kept[key]) == who(kept[sent.who])]
        taken = [key for key in found if not sent.incident or places[key].incident == sent.incident]
        if not taken:
            raise Refused(f"who: not on the list of {sent.incident}, but of {places[found[0]].incident}")
        left = {places[key].incident for key in found} - {places[key].incident for key in taken}
        still = f"; STILL ADMITTED for {', '.join(sorted(left))}" if left else ""
        body = r.AccessChanged(incident=sent.incident, removed=tuple(taken), by=sent.by, why=sent.why)
        return await self._desk.act(body, f"may not come in any more{still}")

    async def _until(self, about: About, sent: AccessUntilBody) -> Done:
        access, now = self._open(about["incident"], prolong=True), self._desk.now()
        if sent.until <= now:
            raise Refused(f"until: that is past: end the incident, or take people out; now is {now:%Y-%m-%d %H:%M}Z")
        if sent.until > now + UNTIL_MOST:
            raise Refused(f"until: at most {UNTIL_MOST.days} days from now")
        if access.start is not None and sent.until <= access.start:
            raise Refused(f"until: it begins at {access.start:%Y-%m-%d %H:%M}Z only: give a later time")
        body = r.AccessChanged(incident=access.incident, until=sent.until, by=sent.by, why=sent.why)
        return await self._desk.act(body, f"who is on its list may come in until {sent.until:%Y-%m-%d %H:%M}Z")

    async def _rooms(self, about: About, sent: AccessRoomsBody) -> Done:
        access, there = self._open(about["incident"], prolong=True), self._rooms_there()
        unknown = [room for room in sent.rooms if room not in there]
        if unknown or not sent.rooms:
            lacks = f"there is no room {', '.join(unknown)}" if unknown else "name at least one"
            raise Refused(f"rooms: {lacks}: there are {', '.join(sorted(there)) or 'none: see config/rooms.yaml'}")
        body = r.AccessChanged(incident=access.incident, rooms=sent.rooms, by=sent.by, why=sent.why)
        return await self._desk.act(body, f"who is on its list may enter {', '.join(sent.rooms)}")

    async def _erase(self, about: About, sent: AccessEraseBody) -> Erased:
        state = self._desk.state()
        kept = await self._kept(list(state.access.values()))
        held = {key: kept[key] for a in state.access.values() for key in a.held() if key in kept}
        if meant(held, sent.who):
            raise Refused("who: still on the list: take them out first, `vigie access remove`")
        try:
            return await erase_guest(self._journal, sent.who, sent.by, sent.why, self._desk.now(), self._ids)
        except Nothing as nothing:
            raise Refused(f"who: {nothing}", missing=True) from None
        except JournalError as error:
            raise Unavailable(str(error)) from error

    def _open(self, incident: str, prolong: bool = False) -> Access:
        state = self._desk.state()
        access = state.access.get(incident)
        if access is None:
            raise Refused(_nothing(incident, [a.incident for a in state.access.values() if not a.over]), missing=True)
        if access.over and not (prolong and access.over == "over"):
            remedy = "`vigie access until` gives it more time" if access.over == "over" else "a new request is needed"
            raise Refused(f"nobody is let in for {incident} any more ({access.over}): {remedy}")
        if incident not in state.incidents or state.incidents[incident].ended:
            raise Refused(f"{incident} has ended: a new request is needed")
        return access

    async def _kept(self, accesses: list[Access]) -> dict[str, Guest]:
        try:
            return dict((await read(self._journal, accesses)).guests)
        except JournalError as error:
            raise Unavailable(str(error)) from error


def _nothing(incident: str, there: list[str]) -> str:
    known = f"there are {', '.join(there)}" if there else "there is none now"
    return f"no approved request {incident} lets anybody in: {known}"
