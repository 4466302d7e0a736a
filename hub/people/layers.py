"""What was changed while the hub runs, laid over what the files say. Pure.

The files are the base; an act wins over the file's entry until it is reverted, or until the files say the same.
"""

import hashlib
from collections.abc import Iterable, Mapping

import msgspec
from msgspec.structs import replace

from hub.model import records as r
from hub.model.people import Edited, Override, Person, Roster
from hub.people.directory import Directory

NOTHING = Edited(person=None)
# The facts that change a layer.
CHANGES = (r.PersonChanged, r.RosterChanged, r.ModeSet, r.ChangeReverted, r.PersonErased)


def version_of(person: Person | None) -> str:
    """A digest of somebody as they are, 16 hex digits; `""` for nobody. It tells of no record: whoever knows half of
    an entry could find the rest by trying."""
    return hashlib.sha256(msgspec.json.encode(person)).hexdigest()[:16] if person is not None else ""


class Layers:
    """The changes that hold. `people`: person → the change, and how they are. `rosters`: change → roster and
    overrides, in the order of the acts. `modes`: sheet → the change, and its mode."""

    def __init__(self) -> None:
        self.people: dict[str, tuple[str, Edited]] = {}
        self.rosters: dict[str, tuple[str, tuple[Override, ...]]] = {}
        self.modes: dict[str, tuple[str, str]] = {}

    def take(self, fact: r.Fact, edited: Edited | None) -> None:
        """Lays one fact over the rest. `edited`: what lies in the vault with it; None where that was erased."""
        match fact.body:
            case r.PersonChanged(person=person):
                self.people[person] = (fact.id, edited or NOTHING)  # what was erased cannot be in force
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

    def directory(self, files: Directory) -> Directory:
        """The directory in force. People keep their place; who is only here comes last."""
        if not self.people:
            return files
        people: dict[str, Person | None] = dict(files.people)
        people |= {person: edited.person for person, (_, edited) in self.people.items()}
        return Directory(
            [person for person in people.values() if person is not None],
            files.groups.values(),
            files.region,
            files.organisations.values(),
            files.registered.values(),
            live_channels=files.live_channels,
            exercise_channels=files.exercise_channels,
        )

    def over(self, files: Mapping[str, Roster]) -> dict[str, Roster]:
        """The rosters in force: the changes after the files' own overrides, so that the newest act counts."""
        found = dict(files)
        for roster, overrides in self.rosters.values():
            if roster in found:
                found[roster] = replace(found[roster], overrides=(*found[roster].overrides, *overrides))
        return found

    def said_by(
        self, files: Directory, rosters: Mapping[str, Roster], modes: Mapping[str, str] | None = None
    ) -> list[str]:
        """The changes that are not needed any more: the files say the same, or no sheet of that name is left. `modes`:
        of the sheets; None: not looked at."""
        settled = [] if modes is None else [c for s, (c, mode) in self.modes.items() if modes.get(s, mode) == mode]
        people = [c for p, (c, edited) in self.people.items() if edited.person == files.person(p)]
        return settled + people + [c for c, (name, told) in self.rosters.items() if _says(told, rosters.get(name))]


def _says(wanted: Iterable[Override], roster: Roster | None) -> bool:
    """Whether a roster's own overrides have these among them."""
    return roster is not None and all(override in roster.overrides for override in wanted)
