"""People, rosters and overrides as config/ has them: what the imports and `vigie people diff` print. Pure.

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

from hub.model.people import Classification, Organisation, Override, Person, Shift
from hub.people.directory import readable
from hub.playbook.form import CHANNEL_WORDS

_SAID_AS = {channel: word for word, channel in CHANNEL_WORDS.items()}  # voice → call


def people_yaml(people: Iterable[Person], organisations: Mapping[str, Organisation] | None = None) -> str:
    """A whole file. `organisations`: what is known of them need not be said of their people."""
    known = organisations or {}
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 10_000
    out = io.StringIO()
    yaml.dump(
        {"people": {person.id: _in_lines(form_of(person, known.get(person.organisation))) for person in people}}, out
    )
    return out.getvalue()


def form_of(person: Person, organisation: Organisation | None = None) -> dict[str, Any]:
    """Somebody as `PersonForm` has them, as plain values: keys in the order in which they are read; what is as usual is
    left out, and what is so because their organisation is."""
    theirs = organisation.discipline if organisation is not None else None
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
        "speaks": [language.value for language in person.speaks],
        "organisation": person.organisation,
        "discipline": "" if person.discipline in (None, theirs) else str(person.discipline),
        "competences": list(person.competences),
        "reach": {channel: ways[0] if len(ways) == 1 else ways for channel, ways in reach.items()},
        "exercises": "" if person.exercises else "no",
        "desk": "yes" if person.desk else "",
        "seen by": "" if person.seen_by is Classification.INTERNAL else person.seen_by.value,
        "sees": "" if person.sees is None else person.sees.value,
    }
    return {key: value for key, value in whole.items() if value}


def _in_lines(form: Mapping[str, Any]) -> Mapping[str, Any]:
    """With lists of words in one line each: `speaks: [nl, en]`."""
    return {key: _in_line(value) if key in ("speaks", "competences") else value for key, value in form.items()}


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
            "from": _written(shift.start, zone),
            "until": _written(shift.end, zone),
        }
        for shift in shifts
    ]
    out = io.StringIO()
    yaml.dump({name: {"shifts": written}}, out)
    return out.getvalue()


def overrides_yaml(roster: str, overrides: Iterable[Override], zone: str) -> str:
    """Overrides of a roster, as config/rosters.yaml has them."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    entries = []
    for override in overrides:
        start, end = (_written(text, zone) for text in (override.start, override.end))
        entry: dict[str, Any] = {"people": _in_line(override.people), "from": start, "until": end}
        entries.append(entry | ({"besides": "yes"} if override.besides else {}))
    out = io.StringIO()
    yaml.dump({roster: {"overrides": entries}}, out)
    return out.getvalue()


def _written(instant: str, zone: str) -> str:
    """An instant of UTC in local time; with its offset where the clocks change on that day."""
    local = datetime.fromisoformat(instant).astimezone(ZoneInfo(zone))
    bare = local.replace(tzinfo=None)
    offsets = {bare.replace(tzinfo=ZoneInfo(zone), fold=fold).utcoffset() for fold in (0, 1)}
    precision = "minutes" if not (local.second or local.microsecond) else "auto"
    return (bare if len(offsets) == 1 else local).isoformat(" ", precision)
