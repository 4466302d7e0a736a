"""What was changed while the hub runs: read from its journal, beside it, whether or not it is up."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from hub.cli import say
from hub.cli.setting import checked, journal_of
from hub.clock import wall
from hub.config import Config
from hub.config.writing import overrides_yaml, parts_yaml, people_yaml, turns_yaml
from hub.findings import Finding
from hub.journal import JournalError
from hub.journal.reader import open_reader
from hub.model.people import Edited, EditedPart, Group, Organisation, Override, Part, Roster
from hub.model.records import Fact, PartChanged, PersonChanged, RosterChanged
from hub.people.directory import Directory
from hub.people.layers import Layers, part_of, version_of
from hub.people.rosters import bounds


class Changes:
    """The changes that hold, less those that the files say by now; `facts`: who made each, when and why."""

    def __init__(self, config: Config, data: Path | None = None) -> None:
        """Without a journal there are none. Raises JournalError."""
        self.layers = Layers()
        self.facts: dict[str, Fact] = {}
        journal = journal_of(config, data)
        if not journal.exists():
            return
        with open_reader(journal) as reader:
            facts = reader.changes()
            kept = dict(zip([f.vault for f in facts], reader.vault([f.vault for f in facts]), strict=True))
        for fact in facts:
            self.facts[fact.id] = fact
            entry = kept.get(fact.vault)
            kind: type[Edited | EditedPart] = EditedPart if isinstance(fact.body, PartChanged) else Edited
            self.layers.take(fact, msgspec.json.decode(entry.payload, type=kind) if entry is not None else None)
        for change in self.layers.said_by(config.directory(), config.rosters):
            self.layers.revert(change)

    def told(self, change: str) -> str:
        fact = self.facts[change]
        body = fact.body
        assert isinstance(body, PersonChanged | PartChanged | RosterChanged)
        return f"by {body.by} at {fact.at:%Y-%m-%d %H:%M}Z ({body.why})"

    def open(self) -> list[tuple[str, str, tuple[Override, ...]]]:
        """Changes of rosters that are not over: change, roster, overrides."""
        now = wall()
        found = [(change, *known) for change, known in self.layers.rosters.items()]
        return [known for known in found if any(bounds(override)[1] > now for override in known[2])]


def in_force(config: Config) -> tuple[Directory, dict[str, Roster]]:
    """Who there is and who is on duty, changes included; those are named on the way."""
    changes = _changes(config)
    parts = [name for _, name in changes.layers.parts]
    named = [*changes.layers.people, *parts, *dict.fromkeys(roster for _, roster, _ in changes.open())]
    if named:
        say.error(
            f"changed while running, and not in {config.folder.name}/ yet: {', '.join(named)} (`vigie people diff`)"
        )
    return changes.layers.directory(config.directory()), changes.layers.over(config.rosters)


def directory(folder: Path, running: bool) -> Directory:
    """As configured; `running`: as it is in force."""
    config = checked(folder)
    return _changes(config).layers.directory(config.directory()) if running else config.directory()


def _changes(config: Config, data: Path | None = None) -> Changes:
    try:
        return Changes(config, data)
    except JournalError as error:
        say.could_not(str(error))


def diff(config: Config, data: Path | None) -> None:
    """YAML to be put into the files, on standard output; what it is about in comments."""
    changes, files = _changes(config, data), config.directory()
    people = []
    for id_, (change, edited) in changes.layers.people.items():
        where = _where(config, id_)
        since = "; the entry there was edited since" if edited.over != version_of(files.person(id_)) else ""
        if edited.person is None:
            say.line(f"# {id_}: taken out {changes.told(change)}: delete the entry in {where}{since}")
        else:
            people.append(edited.person)
            what = f"put this in place of the entry in {where}" if id_ in files.people else f"add this to {where}"
            say.line(f"# {id_}: changed {changes.told(change)}: {what}{since}")
    if people:
        say.text(people_yaml(people, files.organisations))
    _diff_parts(config, changes)
    for change, roster, overrides in changes.open():
        say.line(
            f"# {roster}: changed {changes.told(change)}: add these overrides in {config.folder.name}/rosters.yaml"
        )
        say.text(overrides_yaml(roster, overrides, config.hub.zone))
    if not changes.layers.people and not changes.layers.parts and not changes.open():
        say.error(f"{config.folder.name}/ says all that is in force")


def _diff_parts(config: Config, changes: Changes) -> None:
    """Groups, organisations and who takes turns in rosters."""
    files, entries, rosters = config.directory(), [], []
    for (part, name), (change, edited) in changes.layers.parts.items():
        where, there = _where_part(config, part, name), part_of(files, config.rosters, part, name)
        since = "; the entry there was edited since" if edited.over != version_of(there) else ""
        if edited.entry is None:
            say.line(f"# {part} {name}: taken out {changes.told(change)}: delete the entry in {where}{since}")
            continue
        what = f"put this in place of the entry in {where}" if there is not None else f"add this to {where}"
        told = f"# {part} {name}: changed {changes.told(change)}: {what}{since}"
        if isinstance(edited.entry, Roster):
            rosters.append((told, edited.entry))
        else:
            say.line(told)
            entries.append(edited.entry)
    if entries:
        organisations = [entry for entry in entries if isinstance(entry, Organisation)]
        say.text(parts_yaml(organisations, [entry for entry in entries if isinstance(entry, Group)]))
    for told, roster in rosters:
        say.line(told)
        say.text(turns_yaml(roster, config.hub.zone))


def not_in_files(config: Config, data: Path | None = None) -> list[Finding]:
    """A warning for each change that the files do not say; where there is no journal to be read, none."""
    try:
        changes = Changes(config, data)
    except JournalError:
        return []
    found = []
    for id_, (change, edited) in changes.layers.people.items():
        what = "taken out" if edited.person is None else "changed"
        message = f"{id_} was {what} while running {changes.told(change)}, and the files do not say so"
        found.append(_finding(config, _where(config, id_), ("people", id_), message))
    for (part, name), (change, part_edited) in changes.layers.parts.items():
        what = "taken out" if part_edited.entry is None else "changed"
        message = f"{part} {name} was {what} while running {changes.told(change)}, and the files do not say so"
        path = (name,) if part is Part.ROSTER else (f"{part}s", name)
        found.append(_finding(config, _where_part(config, part, name), path, message))
    for change, roster, _ in changes.open():
        message = f"{roster} was changed while running {changes.told(change)}, and the files do not say so"
        found.append(_finding(config, f"{config.folder.name}/rosters.yaml", (roster,), message))
    return found


def _where(config: Config, person: str) -> str:
    """The file in which somebody stands, or would."""
    names = (
        n
        for n, d in config.documents.items()
        if n.startswith("people") and _stands(d.at("people", person), d.at("people"))
    )
    return f"{config.folder.name}/{next(names, 'people.yaml')}"


def _where_part(config: Config, part: Part, name: str) -> str:
    """The file in which a group, an organisation or a roster stands, or would."""
    if part is Part.ROSTER:
        return f"{config.folder.name}/rosters.yaml"
    names = (
        n
        for n, d in config.documents.items()
        if n.startswith("people") and _stands(d.at(f"{part}s", name), d.at(f"{part}s"))
    )
    return f"{config.folder.name}/{next(names, 'people.yaml')}"


def _stands(entry: object, people: object) -> bool:
    return entry is not None and entry is not people


def _finding(config: Config, file: str, path: Iterable[str], message: str) -> Finding:
    document = config.documents.get(file.partition("/")[2])
    place = document.at(*path) if document is not None else None
    line, column = (place.line, place.column) if place is not None else (1, 1)
    remedy = "see `vigie people diff`, or take it back"
    return Finding(
        file=file, line=line, column=column, rule="not-in-files", message=message, remedy=remedy, warning=True
    )
