"""People, groups, organisations, rosters and overrides as config/ has them: what the imports and `vigie people diff`
print. Pure.

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

from hub.model.people import Classification, Group, Layer, Organisation, Override, Person, Roster, Shift
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


def form_of_part(entry: Group | Organisation | Roster, zone: str) -> Any:
    """A group, an organisation or a roster as its form has it, as plain values; times in `zone`."""
    if isinstance(entry, Group):
        return _group(entry)
    return _organisation(entry) if isinstance(entry, Organisation) else _roster(entry, zone)


def parts_yaml(organisations: Iterable[Organisation], groups: Iterable[Group]) -> str:
    """Organisations and groups, as config/people.yaml has them."""
    whole = {
        "organisations": {one.id: _lists_in_line(_organisation(one)) for one in organisations},
        "groups": {one.id: _lists_in_line(_group(one)) for one in groups},
    }
    return _dumped({key: entries for key, entries in whole.items() if entries})


def turns_yaml(roster: Roster, zone: str) -> str:
    """A whole roster, as config/rosters.yaml has it."""
    return _dumped({roster.id: _lists_in_line(_roster(roster, zone))})


def _group(group: Group) -> Any:
    query = group.query
    if query is None:
        return list(group.members)
    whole: dict[str, Iterable[str]] = {
        "competence": query.competences,
        "discipline": query.disciplines,
        "organisation": query.organisations,
        "kind of organisation": query.kinds,
        "language": query.languages,
        "commune": query.communes,
        "also": query.also,
        "but not": query.but_not,
    }
    return {key: [str(value) for value in values] for key, values in whole.items() if values}


def _organisation(organisation: Organisation) -> dict[str, Any]:
    whole: dict[str, Any] = {
        **{language.value: name for language, name in organisation.names.items()},
        "kind": organisation.kind,
        "discipline": str(organisation.discipline or ""),
        "communes": list(organisation.communes),
        "sees": "" if organisation.sees is Classification.PUBLIC else organisation.sees.value,
    }
    return {key: value for key, value in whole.items() if value}


def _roster(roster: Roster, zone: str) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "always": [person for shift in roster.shifts if not shift.start for person in shift.people],
        "shifts": [_shift(shift, zone) for shift in roster.shifts if shift.start],
        "layers": [_layer(layer) for layer in roster.layers],
        "overrides": [_override(override, zone) for override in roster.overrides],
        "handover notice": _lasts(roster.notice_s),
        "may be empty": "yes" if roster.may_be_empty else "",
    }
    return {key: value for key, value in whole.items() if value}


def _layer(layer: Layer) -> dict[str, Any]:
    turns = [turn[0] if len(turn) == 1 else list(turn) for turn in layer.turns]
    whole: dict[str, Any] = {
        "people": turns if all(isinstance(turn, str) for turn in turns) else [list(turn) for turn in layer.turns],
        "from": layer.first,
        "every": _turn(layer.days),
        "at": layer.at,
        "hours": "-".join(layer.hours) if layer.hours else "",
        "on": list(layer.on),
    }
    return {key: value for key, value in whole.items() if value}


def _turn(days: int) -> str:
    number, unit = (days // 7, "week") if days % 7 == 0 else (days, "day")
    return unit if number == 1 else f"{number} {unit}s"


def _shift(shift: Shift, zone: str) -> dict[str, Any]:
    times = {"from": _written(shift.start, zone), "until": _written(shift.end, zone)}
    return {"people": list(shift.people), **times}


def _override(override: Override, zone: str) -> dict[str, Any]:
    times = {"from": _written(override.start, zone), "until": _written(override.end, zone)}
    return {"people": list(override.people), **times, **({"besides": "yes"} if override.besides else {})}


def _lasts(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return "" if not seconds else f"{seconds:g} s" if rest else f"{minutes:g} min"


def _lists_in_line(form: Any) -> Any:
    """With lists of words in one line each: `people: [a, b]`."""
    if isinstance(form, dict):
        return {key: _lists_in_line(value) for key, value in form.items()}
    if isinstance(form, list):
        plain = all(isinstance(item, str) for item in form)
        return _in_line(form) if plain else [_lists_in_line(item) for item in form]
    return form


def _dumped(whole: Mapping[str, Any]) -> str:
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 10_000
    out = io.StringIO()
    yaml.dump(whole, out)
    return out.getvalue()


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
