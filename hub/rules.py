"""What is in force, as the engine asks for it: made from the texts of the configuration, swapped whole."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from datetime import datetime

from msgspec.structs import replace

from hub.model.access import Reception
from hub.model.enclosure import CallListRhythm
from hub.model.people import Asked, Chain, Classification, Contact, Role, Roster, Storms
from hub.model.signal import Signal, Status
from hub.people import quorum
from hub.people.directory import Directory
from hub.people.rosters import on_duty
from hub.playbook.dossiers import Dossier
from hub.playbook.language import Mode, Playbook
from hub.playbook.match import Match, Matcher, Met


class InForce:
    """Fulfils hub.engine.rules.Rules. `sheets`: those in force now; `earlier`: older versions that open incidents
    still run on. `voices`: the channels that ring; `carriers`: those on which files go along; `status`: of what the hub
    says on its own account; `call_list`: its rhythm; `reception`: who is sent the access list; `zone`: whose days
    dossiers count by."""

    def __init__(
        self,
        *,
        sheets: Iterable[Playbook],
        earlier: Iterable[Playbook] = (),
        chains: Mapping[str, Chain],
        directory: Directory,
        rosters: Mapping[str, Roster],
        voices: frozenset[str],
        status: Status = Status.ACTUAL,
        carriers: frozenset[str] = frozenset(),
        call_list: CallListRhythm | None = None,
        storms: Storms | None = None,
        dossiers: Mapping[str, Dossier] | None = None,
        zone: str = "UTC",
        reception: Reception | None = None,
    ) -> None:
        self.chains = dict(chains)
        self.directory = directory
        self.rosters = dict(rosters)
        self.status = status
        self.dossiers = dict(dossiers or {})
        self.zone = zone
        self._voices = voices
        self._carriers = carriers
        self._call_list = call_list
        self._storms = storms or Storms()
        self._reception = reception
        self._take(sheets, earlier)

    def _take(self, sheets: Iterable[Playbook], earlier: Iterable[Playbook]) -> None:
        self.sheets = tuple(sheets)
        self._versions = {(s.name, s.version): s for s in (*earlier, *self.sheets)}
        self._matcher = Matcher(self.sheets, self.dossiers.values())
        self._matchers: dict[tuple[str, str], Matcher] = {}  # of single versions, made when they are asked
        self._causes = frozenset(cause.sheet for sheet in self._versions.values() for cause in sheet.quiet_while)

    def with_sheets(self, sheets: Iterable[Playbook], earlier: Iterable[Playbook]) -> "InForce":
        """The same with other sheets."""
        changed = copy(self)
        changed._take(sheets, earlier)
        return changed

    def with_people(self, directory: Directory, rosters: Mapping[str, Roster]) -> "InForce":
        """The same with other people."""
        changed = copy(self)
        changed.directory, changed.rosters = directory, dict(rosters)
        return changed

    def match(self, signal: Signal, now: datetime) -> Sequence[Match]:
        return self._matcher.match(signal, now)

    def meet(self, signal: Signal, now: datetime) -> Met:
        return self._matcher.meet(signal, now)

    def playbook(self, name: str, version: str) -> Playbook | None:
        return self._versions.get((name, version))

    def meets(self, name: str, version: str, signal: Signal, now: datetime) -> Match | None:
        sheet = self._versions.get((name, version))
        if sheet is None:
            return None
        if (name, version) not in self._matchers:
            self._matchers[name, version] = Matcher([replace(sheet, mode=Mode.LIVE)])
        return next(iter(self._matchers[name, version].match(signal, now)), None)

    def chain(self, chain: str) -> Chain | None:
        return self.chains.get(chain)

    def people(self, contacts: Sequence[Contact], at: datetime) -> Sequence[str]:
        found: dict[str, None] = {}
        for contact in contacts:
            found.update(dict.fromkeys(p for p in self._contact(contact, at) if self.directory.person(p) is not None))
        return tuple(found)

    def _contact(self, contact: Contact, at: datetime) -> Sequence[str]:
        if contact.kind is Asked.PERSON:
            return (contact.id,)
        if contact.kind is Asked.GROUP:
            return self.directory.members(contact.id)
        if contact.kind is Asked.COMPETENCE:
            return self.directory.competent(contact.id)
        if contact.kind is Asked.ORGANISATION:
            return self.directory.working_for(contact.id)
        roster = self.rosters.get(contact.id)
        return on_duty(roster, at) if roster is not None else ()

    def channels(self, person: str) -> Sequence[str]:
        known = self.directory.person(person)
        return () if known is None else tuple(dict.fromkeys(way.channel for way in known.addresses))

    def knows(self, person: str) -> bool:
        return self.directory.person(person) is not None

    def language(self, person: str) -> str:
        known = self.directory.person(person)
        return "" if known is None else str(known.language)

    def known(self, kind: Asked) -> Collection[str]:
        """What contacts of a kind there are."""
        known: dict[Asked, Collection[str]] = {
            Asked.PERSON: self.directory.people,
            Asked.GROUP: self.directory.groups,
            Asked.ROSTER: self.rosters,
            Asked.COMPETENCE: self.directory.competences(),
            Asked.ORGANISATION: self.directory.organisations,
        }
        return known[kind]

    def uses(self, channel: str) -> bool:
        """Whether anybody has an address on the channel."""
        return any(way.channel == channel for person in self.directory.people.values() for way in person.addresses)

    def plays(self, person: str, role: Role) -> bool:
        return quorum.plays(self.directory, person, role)

    def ways(self, person: str, channel: str, status: Status) -> int:
        return len(self.directory.addresses(person, channel, status))

    def carries(self, channel: str) -> bool:
        return channel in self._carriers

    def sees(self, person: str) -> Classification:
        return self.directory.sees(person)

    def call_list(self) -> CallListRhythm | None:
        return self._call_list

    def reception(self) -> Reception | None:
        return self._reception

    def speaks(self, channel: str) -> bool:
        return channel in self._voices

    def storms(self) -> Storms:
        return self._storms

    def causes(self, sheet: str) -> bool:
        return sheet in self._causes

    def registered(self, person: str) -> bool:
        return person in self.directory.registered
