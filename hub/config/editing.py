"""One person as somebody sends them while the hub runs: read and checked exactly as an entry of config/people.yaml is.

person, findings = read_person(config, directory, channels, "officer-a", {"name": "Aline", "reach": {...}})
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.binding import bind
from hub.config import Config, check_addresses
from hub.config.forms import PeopleForm
from hub.config.groups import Areas
from hub.config.people import check_people, people_of
from hub.connector import Channel
from hub.findings import Finding
from hub.model.people import Person
from hub.people.directory import Directory
from hub.yaml import Document, Node, Scalar, Sequence, read
from hub.yaml import Mapping as YamlMapping


def read_person(
    config: Config, directory: Directory, channels: Mapping[str, Channel], id_: str, form: Mapping[str, Any]
) -> tuple[Person | None, list[Finding]]:
    """The person, None where there are errors; and what is wrong or worth a look. `form`: the keys of an entry in
    people.yaml. `directory`: the one in force, of which they become part. `channels`: as made, for their own check. A
    finding's `file` is the field it is about (`reach.sms`)."""
    # JSON is YAML, and indented it has a line for each value: one reader, one check, whatever people wrote it in.
    text = msgspec.json.format(msgspec.json.encode({"people": {id_: form}}), indent=2)
    document = read(text, "person")
    bound = bind(document, document.root, PeopleForm) if document.root is not None else None
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
    wrong = any(not finding.warning for finding in document.findings)
    return None if wrong else person, [_about(document, finding, id_) for finding in document.findings]


def _about(document: Document, finding: Finding, id_: str) -> Finding:
    """The finding with its field in place of a file."""
    best = ""
    for path, node in _places(document.root, ()):
        if (node.line, node.column) <= (finding.line, finding.column):
            best = path
    field = best.removeprefix(f"people.{id_}").strip(".") or id_
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
