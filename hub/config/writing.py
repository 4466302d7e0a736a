"""People as config/people/*.yaml has them, and rosters as config/rosters.yaml does: what the imports print. Pure.

What this writes, hub/yaml.py and the forms read back as the same.
"""

import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.scalarstring import SingleQuotedScalarString

from hub.model.people import Person, Shift
from hub.people.directory import readable
from hub.playbook.form import CHANNEL_WORDS

_SAID_AS = {channel: word for word, channel in CHANNEL_WORDS.items()}  # voice → call


def people_yaml(people: Iterable[Person]) -> str:
    """A whole file."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 10_000
    out = io.StringIO()
    yaml.dump({"people": {person.id: _person(person) for person in people}}, out)
    return out.getvalue()


def _person(person: Person) -> Mapping[str, Any]:
    """Keys in the order in which they are read; what is as usual is left out."""
    reach: dict[str, list[Any]] = {}
    for way in person.addresses:
        written = readable(way.address)
        entry = {"address": written, "live only": "yes"} if way.live_only else written
        reach.setdefault(_SAID_AS.get(way.channel, way.channel), []).append(entry)
    whole: dict[str, Any] = {
        "name": person.name,
        "language": person.language.value,
        "speaks": _in_line(language.value for language in person.speaks),
        "organisation": person.organisation,
        "discipline": person.discipline.value if person.discipline is not None else "",
        "competences": _in_line(person.competences),
        "reach": {channel: ways[0] if len(ways) == 1 else ways for channel, ways in reach.items()},
        "exercises": "" if person.exercises else "no",
    }
    return {key: value for key, value in whole.items() if value}


def _in_line(words: Iterable[str]) -> CommentedSeq:
    """`[nl, en]`. In brackets, the reader takes a question mark at the beginning for a key's, quoted it is none."""
    out = CommentedSeq(SingleQuotedScalarString(word) if word.startswith("?") else word for word in words)
    out.fa.set_flow_style()
    return out


def roster_yaml(name: str, shifts: Iterable[Shift], zone: str) -> str:
    """A roster of shifts, as config/rosters.yaml has it; times are those of the zone, with their offset only where the
    clocks change."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 10_000
    written = [
        {
            "people": shift.people[0] if len(shift.people) == 1 else _in_line(shift.people),
            "from": _local(shift.start, zone),
            "until": _local(shift.end, zone),
        }
        for shift in shifts
    ]
    out = io.StringIO()
    yaml.dump({name: {"shifts": written}}, out)
    return out.getvalue()


def _local(instant: str, zone: str) -> str:
    at = datetime.fromisoformat(instant).astimezone(ZoneInfo(zone))
    once, again = (at.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    text = at.isoformat(" ", "minutes" if at.second == 0 else "seconds")
    return text if once.utcoffset() != again.utcoffset() else text.removesuffix(text[-6:])
