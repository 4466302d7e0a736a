"""`vigie people list|show|export|import`: the directory as configured, or, handed in, as it is in force. None of these
changes anything."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from hub.cli import say
from hub.config import Config
from hub.config.writing import people_yaml
from hub.findings import choice, errors, tally
from hub.model.people import Language, Person, Query
from hub.people.directory import Directory, readable
from hub.people.exchange import FORMATS, Known, csv_of, read, vcards_of
from hub.people.query import meets
from hub.yaml import CHARACTERS_MAX


def listed(
    directory: Directory,
    group: str,
    competences: Sequence[str],
    organisations: Sequence[str],
    languages: Sequence[Language],
    as_json: bool,
) -> None:
    """One line for each. Exits 1 where nobody is."""
    query = Query(competences=tuple(competences), organisations=tuple(organisations), languages=tuple(languages))
    people = _of_group(directory, group)
    if query != Query():
        people = [p for p in people if meets(p, query, directory.organisations.get(p.organisation))]
    if as_json:
        for person in people:
            say.json_line(person)
    else:
        say.table((p.id, p.name, p.language, p.organisation, ", ".join(_channels(p))) for p in people)
    if not people:
        say.error("nobody is all of this")
    say.done(not people)


def show(directory: Directory, person: str, as_json: bool) -> None:
    known = directory.person(person)
    if known is None:
        say.could_not(f'"{person}" is nobody: {choice(person, directory.people, "there are")}')
    groups = [group for group in directory.groups if person in directory.members(group)]
    if as_json:
        say.json_line({**msgspec.to_builtins(known), "groups": groups})
        return
    organisation = directory.organisations.get(known.organisation)
    works_for = f"{known.organisation} ({organisation.names[known.language]})" if organisation else known.organisation
    rows = [
        ("id", known.id),
        ("name", known.name),
        ("language", ", ".join((known.language, *known.speaks))),
        ("organisation", works_for),
        ("discipline", known.discipline or ""),
        ("competences", ", ".join(known.competences)),
        ("groups", ", ".join(groups)),
        ("exercises", "takes part" if known.exercises else "is left out"),
    ]
    rows += [(w.channel, readable(w.address) + (", never in exercises" * w.live_only)) for w in known.addresses]
    say.table((name, value) for name, value in rows if value)


def export(directory: Directory, kind: str, group: str, separator: str) -> None:
    if kind not in FORMATS:
        say.could_not(f"{kind}: no such format: there are {', '.join(FORMATS)}")
    separator = {"tab": "\t", "\\t": "\t"}.get(separator, separator)
    if separator not in (";", ",", "\t"):
        say.could_not(f"{separator}: no separator: it can be ; or , or tab")
    people = _of_group(directory, group)
    say.text(csv_of(people, separator) if kind == "csv" else vcards_of(people, directory))


def import_(config: Config, file: Path, kind: str, as_json: bool) -> None:
    """Prints what can be read, and tells what cannot; exits 1 where something could not."""
    if kind and kind not in FORMATS:
        say.could_not(f"{kind}: no such format: there are {', '.join(FORMATS)}")
    try:
        data = file.read_bytes()
    except OSError as error:
        say.could_not(f"{file}: {error.strerror}")
    ways = config.ways()
    known = Known(
        directory=config.directory(),
        channels=tuple(ways.channels),
        phones=tuple(ways.phones),
        mails=tuple(ways.mails),
        region=ways.region,
    )
    reading = read(data, str(file), known, kind)
    if as_json:
        say.json_line(reading)
    else:
        text = people_yaml(reading.people) if reading.people else ""
        say.text(text)
        if len(text) > CHARACTERS_MAX:
            say.error(
                f"this is too much for one file ({len(text)} characters, at most {CHARACTERS_MAX}): cut it in several"
            )
        for finding in reading.findings:
            say.error(str(finding))
        say.error(f"{len(reading.people)} people read, {tally(reading.findings)}")
    say.done(bool(errors(reading.findings)))


def _of_group(directory: Directory, group: str) -> list[Person]:
    """Everybody, or those of a group. Ends the command where there is no such group."""
    if not group:
        return list(directory.people.values())
    if group not in directory.groups:
        say.could_not(f'there is no group "{group}": {choice(group, directory.groups, "there are")}')
    return [directory.people[p] for p in directory.members(group) if p in directory.people]


def _channels(person: Person) -> Sequence[str]:
    return list(dict.fromkeys(way.channel for way in person.addresses))
