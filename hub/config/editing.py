"""One person, group, organisation or roster as somebody sends it while the hub runs: read and checked exactly as an
entry of config/people.yaml or config/rosters.yaml is.

person, findings = read_person(config, directory, channels, "officer-a", {"name": "Aline", "reach": {...}})
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from hub.binding import bind
from hub.config import Config, check_addresses
from hub.config.forms import PeopleForm, RosterForm
from hub.config.groups import Areas, check_groups, group_of, organisations_of
from hub.config.people import check_people, people_of
from hub.config.rosters import rosters_of
from hub.connector import Channel
from hub.findings import Finding
from hub.model.people import Group, Organisation, Part, Person, Roster
from hub.people.directory import Directory
from hub.yaml import Document, Node, Scalar, Sequence, read
from hub.yaml import Mapping as YamlMapping

E = TypeVar("E")


def read_person(
    config: Config, directory: Directory, channels: Mapping[str, Channel], id_: str, form: Mapping[str, Any]
) -> tuple[Person | None, list[Finding]]:
    """The person, None where there are errors; and what is wrong or worth a look. `form`: the keys of an entry in
    people.yaml. `directory`: the one in force, of which they become part. `channels`: as made, for their own check. A
    finding's `file` is the field it is about (`reach.sms`)."""
    document = _document({"people": {id_: form}})
    bound: PeopleForm | None = _bound(document, PeopleForm)
    person: Person | None = None
    if bound is not None:
        # Organisations are the directory's; of communes a person says nothing.
        (person,), _ = people_of(document, bound, config.ways(), directory.organisations, Areas(None))
        others = [known for known in directory.people.values() if known.id != id_]
        after = Directory(
            [*others, person], directory.groups.values(), directory.region, directory.organisations.values()
        )
        check_people(document, bound, after, Areas(None))
        alone = replace(config, people=(person,), documents={"people.yaml": document})
        check_addresses(alone, channels)
    return _checked(document, person, f"people.{id_}")


def read_part(
    config: Config, directory: Directory, part: Part, name: str, form: Any
) -> tuple[Group | Organisation | Roster | None, list[Finding]]:
    """The group, organisation or roster, None where there are errors; and what is wrong or worth a look. `form`: what
    stands under its name in people.yaml or rosters.yaml."""
    areas = Areas(config.geography)
    if part is Part.ROSTER:
        document = _document({name: form})
        forms: dict[str, RosterForm] | None = _bound(document, dict[str, RosterForm])
        rosters = {} if forms is None else rosters_of(document, forms, directory.people, config.hub.zone)
        return _checked(document, rosters.get(name), name)
    document = _document({f"{part}s": {name: form}})
    bound: PeopleForm | None = _bound(document, PeopleForm)
    if bound is None:
        return _checked(document, None, f"{part}s.{name}")
    entry: Group | Organisation
    if part is Part.GROUP:
        entry = group_of(name, bound.groups[name], areas)
        groups = [*(group for group in directory.groups.values() if group.id != name), entry]
        after = Directory(directory.people.values(), groups, directory.region, directory.organisations.values())
        check_groups(document, bound, after, areas)
    else:
        (entry,) = organisations_of(document, bound, areas)
    return _checked(document, entry, f"{part}s.{name}")


def _document(whole: Mapping[str, Any]) -> Document:
    """JSON is YAML, and indented it has a line for each value: one reader, one check, whatever people wrote it in."""
    return read(msgspec.json.format(msgspec.json.encode(whole), indent=2), "entry")


def _bound(document: Document, kind: Any) -> Any:
    return bind(document, document.root, kind) if document.root is not None else None


def _checked(document: Document, entry: E | None, at: str) -> tuple[E | None, list[Finding]]:
    wrong = any(not finding.warning for finding in document.findings)
    return None if wrong else entry, [_about(document, finding, at) for finding in document.findings]


def _about(document: Document, finding: Finding, at: str) -> Finding:
    """The finding with its field in place of a file."""
    best = ""
    for path, node in _places(document.root, ()):
        if (node.line, node.column) <= (finding.line, finding.column):
            best = path
    field = best.removeprefix(at).strip(".") or at.rpartition(".")[2]
    return replace(finding, file=field, line=1, column=1, source="")


def _places(node: Node | None, path: tuple[str, ...]) -> Iterator[tuple[str, Node]]:
    """Every key and value with its path, in the order of the text."""
    if isinstance(node, YamlMapping):
        for key, value in node.entries:
            yield ".".join((*path, key.text)), key
            yield from _places(value, (*path, key.text))
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _places(item, path)
    elif isinstance(node, Scalar):
        yield ".".join(path), node
