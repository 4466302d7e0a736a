"""What was changed while the hub runs, laid over what the files say. Pure.

The files are the base; an act wins over the file's entry until it is reverted, or until the files say the same.
"""

import hashlib
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.model import records as r
from hub.model.people import Edited, EditedPart, Group, Organisation, Override, Part, Person, Roster
from hub.people.directory import Directory

NOTHING = Edited(person=None)
NO_PART = EditedPart()
CHANGES = (
    r.PersonChanged,
    r.RosterChanged,
    r.PartChanged,
    r.ModeSet,
    r.ChangeReverted,
    r.PersonErased,
)  # the facts that change a layer


def version_of(entry: Struct | None) -> str:
    """A digest of somebody, or of a group, an organisation or a roster, as they are, 16 hex digits; `""` for nobody. Of
    somebody it stands in no record: whoever knows half of an entry could find the rest by trying."""
    return hashlib.sha256(msgspec.json.encode(entry)).hexdigest()[:16] if entry is not None else ""


class Layers:
    """The changes that hold. `people`: person → the change, and how they are. `parts`: the same of groups,
    organisations and rosters. `rosters`: change → roster and overrides, in the order of the acts. `modes`: sheet → the
    change, and its mode."""

    def __init__(self) -> None:
        self.people: dict[str, tuple[str, Edited]] = {}
        self.parts: dict[tuple[Part, str], tuple[str, EditedPart]] = {}
        self.rosters: dict[str, tuple[str, tuple[Override, ...]]] = {}
        self.modes: dict[str, tuple[str, str]] = {}

    def take(self, fact: r.Fact, edited: Edited | EditedPart | None) -> None:
        """Lays one fact over the rest. `edited`: what lies in the vault with it; None where that was erased."""
        match fact.body:
            case r.PersonChanged(person=person):
                # What was erased cannot be in force.
                self.people[person] = (fact.id, edited if isinstance(edited, Edited) else NOTHING)
            case r.PartChanged(part=part, name=name):
                self.parts[part, name] = (fact.id, edited if isinstance(edited, EditedPart) else NO_PART)
            case r.RosterChanged(roster=roster, overrides=overrides):
                self.rosters[fact.id] = (roster, overrides)
            case r.ModeSet(sheet=sheet, mode=mode):
                self.modes[sheet] = (fact.id, mode)
            case r.ChangeReverted(change=change):
                self.revert(change)
            case r.PersonErased(person=person):
                self.people.pop(person, None)
            case _:
                pass

    def revert(self, change: str) -> None:
        """Back to what the files say."""
        self.rosters.pop(change, None)
        self.people = {person: known for person, known in self.people.items() if known[0] != change}
        self.modes = {sheet: known for sheet, known in self.modes.items() if known[0] != change}
        self.parts = {part: known for part, known in self.parts.items() if known[0] != change}

    def directory(self, files: Directory) -> Directory:
        """The directory in force. Everybody keeps their place, and so do groups and organisations; who is only here
        comes last."""
        if not self.people and not self.parts:
            return files
        people: dict[str, Person | None] = dict(files.people)
        people |= {person: edited.person for person, (_, edited) in self.people.items()}
        groups: dict[str, Group | None] = dict(files.groups)
        groups |= {name: edited.group for name, edited in self._of(Part.GROUP)}
        organisations: dict[str, Organisation | None] = dict(files.organisations)
        organisations |= {name: edited.organisation for name, edited in self._of(Part.ORGANISATION)}
        return Directory(
            [_moved(person, files.organisations, organisations) for person in people.values() if person is not None],
            [group for group in groups.values() if group is not None],
            files.region,
            [organisation for organisation in organisations.values() if organisation is not None],
            files.registered.values(),
            live_channels=files.live_channels,
            exercise_channels=files.exercise_channels,
        )

    def over(self, files: Mapping[str, Roster]) -> dict[str, Roster]:
        """The rosters in force: the changes after the files' own overrides, so that the newest act counts."""
        found = self.turns(files)
        for roster, overrides in self.rosters.values():
            if roster in found:
                found[roster] = replace(found[roster], overrides=(*found[roster].overrides, *overrides))
        return found

    def turns(self, files: Mapping[str, Roster]) -> dict[str, Roster]:
        """The rosters without what acts put others in place for a time."""
        found: dict[str, Roster | None] = dict(files)
        found |= {name: edited.roster for name, edited in self._of(Part.ROSTER)}
        return {name: roster for name, roster in found.items() if roster is not None}

    def _of(self, wanted: Part) -> list[tuple[str, EditedPart]]:
        return [(name, edited) for (part, name), (_, edited) in self.parts.items() if part is wanted]

    def said_by(
        self, files: Directory, rosters: Mapping[str, Roster], modes: Mapping[str, str] | None = None
    ) -> list[str]:
        """The changes that are not needed any more: the files say the same, or no sheet of that name is left. `modes`:
        of the sheets; None: not looked at."""
        found = [] if modes is None else [c for s, (c, mode) in self.modes.items() if modes.get(s, mode) == mode]
        found += [c for p, (c, edited) in self.people.items() if edited.person == files.person(p)]
        bases: dict[str, Roster | None] = dict(rosters)
        for (part, name), (change, edited) in self.parts.items():
            if _same(edited.entry, part_of(files, rosters, part, name)):
                found.append(change)
            elif part is Part.ROSTER:
                bases[name] = edited.roster  # what is in force, whatever else the files say
        return found + [c for c, (name, told) in self.rosters.items() if _says(told, bases.get(name))]


def part_of(
    directory: Directory, rosters: Mapping[str, Roster], part: Part, name: str
) -> Group | Organisation | Roster | None:
    """A group, an organisation or a roster of that name; None where there is none."""
    match part:
        case Part.GROUP:
            return directory.groups.get(name)
        case Part.ORGANISATION:
            return directory.organisations.get(name)
        case Part.ROSTER:
            return rosters.get(name)


def _moved(person: Person, before: Mapping[str, Organisation], after: Mapping[str, Organisation | None]) -> Person:
    """Who is of the discipline of their organisation follows it."""
    old, new = before.get(person.organisation), after.get(person.organisation)
    was, now = (one.discipline if one is not None else None for one in (old, new))
    return replace(person, discipline=now) if was is not now and person.discipline in (None, was) else person


def _same(wanted: Group | Organisation | Roster | None, there: Group | Organisation | Roster | None) -> bool:
    """Whether the files say it: of a roster they may say more of who is in place for a time."""
    if isinstance(wanted, Roster) and isinstance(there, Roster):
        return _says(wanted.overrides, there) and replace(wanted, overrides=()) == replace(there, overrides=())
    return wanted == there


def _says(wanted: Iterable[Override], roster: Roster | None) -> bool:
    """Whether a roster's own overrides have these among them."""
    return roster is not None and all(override in roster.overrides for override in wanted)
