"""People as config/people/*.yaml has them: what `vigie people import` prints. Pure.

What this writes, hub/yaml.py and the forms read back as the same people.
"""

import io
from collections.abc import Iterable, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.scalarstring import SingleQuotedScalarString

from hub.model.people import Classification, Person
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
        more = ({"live only": "yes"} if way.live_only else {}) | (
            {"seen by": way.seen_by.value} if way.seen_by is not person.seen_by else {}
        )
        entry = {"address": written, **more} if more else written
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
        "desk": "yes" if person.desk else "",
        "seen by": "" if person.seen_by is Classification.INTERNAL else person.seen_by.value,
        "sees": "" if person.sees is None else person.sees.value,
    }
    return {key: value for key, value in whole.items() if value}


def _in_line(words: Iterable[str]) -> CommentedSeq:
    """`[nl, en]`. In brackets, the reader takes a question mark at the beginning for a key's, quoted it is none."""
    out = CommentedSeq(SingleQuotedScalarString(word) if word.startswith("?") else word for word in words)
    out.fa.set_flow_style()
    return out
