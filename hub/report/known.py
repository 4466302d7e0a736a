"""What documents of the directory are made of, and what of it their reader may see. Pure."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from hub.model.access import Room
from hub.model.people import Chain, Classification, Language, Person, Roster
from hub.model.signal import Status
from hub.model.situation import Heading
from hub.people.directory import Directory
from hub.report.figures import Ground
from hub.report.words import WORDS, named


class Known(Struct, frozen=True, kw_only=True):
    """`phones` and `mails`: channels whose addresses are telephone numbers, mail addresses. `region`: how numbers are
    dialled. `hub`: who makes the document. `status`: Exercise where all of it is one. `ground`: the centre's
    own areas, the widest first. `headings`: of situation reports."""

    directory: Directory
    rosters: Mapping[str, Roster]
    chains: Mapping[str, Chain]
    phones: frozenset[str]
    mails: frozenset[str]
    zone: str
    region: str
    hub: str
    status: Status = Status.ACTUAL
    rooms: Mapping[str, Room] = {}
    ground: Mapping[str, Ground] = {}
    headings: tuple[Heading, ...] = tuple(Heading)


class Line(Struct, frozen=True, kw_only=True):
    """One person or desk, as their reader may see them."""

    id: str
    name: str
    organisation: str
    numbers: tuple[str, ...]
    mails: tuple[str, ...]


class Eyes:
    """Looks at people for one reader, and remembers what they may not see: `people`, and `addresses` of people who are
    shown. An exercise's reader does not see what is kept for what is in earnest."""

    def __init__(
        self, known: Known, sees: Classification, language: Language, written: Callable[[str], str] = str
    ) -> None:
        self.people: set[str] = set()
        self.addresses: set[tuple[str, str]] = set()
        self._known = known
        self._sees = sees
        self._language = language
        self._written = written

    def line(self, person: str) -> Line | None:
        """None for whom the reader may not see. Who is not in the directory (any more) has no number."""
        known = self._known.directory.person(person)
        if known is None:
            unknown = WORDS[self._language].unknown
            return Line(id=person, name=f"{person} ({unknown})", organisation="", numbers=(), mails=())
        if not known.seen_by.within(self._sees):
            self.people.add(person)
            return None
        return Line(
            id=person,
            name=known.name,
            organisation=self.organisation(known),
            numbers=tuple(self._written(a) for a in self._addresses(known, self._known.phones)),
            mails=self._addresses(known, self._known.mails),
        )

    def lines(self, people: tuple[str, ...]) -> tuple[tuple[Line, ...], int]:
        """Those who may be seen, and how many may not."""
        found = [self.line(person) for person in people]
        seen = tuple(line for line in found if line is not None)
        return seen, len(found) - len(seen)

    def organisation(self, person: Person) -> str:
        known = self._known.directory.organisations.get(person.organisation)
        return person.organisation if known is None else named(known.names, self._language, known.id)

    def _addresses(self, person: Person, channels: frozenset[str]) -> tuple[str, ...]:
        """Each once. A number that stands twice is seen by those who may see it both times: it is one telephone."""
        directory, found = self._known.directory, dict[str, bool]()
        for channel in dict.fromkeys(way.channel for way in person.addresses if way.channel in channels):
            usable = directory.addresses(person.id, channel, self._known.status)
            for way in (w for w in person.addresses if w.channel == channel):
                address = directory.written(way.address)
                allowed = way.seen_by.within(self._sees) and address in usable
                found[address] = found.get(address, True) and allowed
        self.addresses.update((person.id, address) for address, allowed in found.items() if not allowed)
        return tuple(address for address, allowed in found.items() if allowed)
