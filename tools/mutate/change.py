"""One behaving value of a sheet changed: a condition, duration, chain, channel, order, language; never prose."""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from hub.model.signal import CERTAINTIES, SEVERITIES, URGENCIES, Category, Hazard

LANGUAGES = ("fr", "nl", "de", "en")
_SCALES = {
    "severity": [s.value for s in SEVERITIES],
    "certainty": [c.value for c in CERTAINTIES],
    "urgency": [u.value for u in URGENCIES],
}
_WORDS = {"category": [c.value for c in Category], "hazard": [h.value for h in Hazard]}
_OUTCOMES = ("accepted", "exhausted", "cancelled", "sent", "failed", "done", "late", "over", "begun", "granted")
_DURATIONS = ("due", "every", "wait", "within")
_JOINS = ("hazard", "area", "source", "event", "category", "sender")


class Known(Struct, frozen=True, kw_only=True):
    """What may stand in a sheet in place of what does."""

    chains: Sequence[str]
    contacts: Sequence[str]
    channels: Sequence[str]
    messages: Sequence[str]
    areas: Sequence[str]
    sources: Sequence[str]
    sheets: Sequence[str]


class Change(Struct, frozen=True, kw_only=True):
    """`said`: for people: where, from what to what. `make` changes the tree it was found in."""

    said: str
    make: Callable[[], None]


def changes(tree: dict[str, Any], known: Known, chance: random.Random) -> list[Change]:
    """Every place of a sheet (as read from YAML, all texts) where something can be changed, each with one change."""
    found: list[Change] = []
    for number, when in enumerate(_list(tree.get("when"))):
        found += _when(when, f"when {number + 1}", known, chance)
    if isinstance(incident := tree.get("incident"), dict):
        found += _incident(incident, chance)
    if "quiet while" in tree:
        found.append(_drop(tree, "quiet while", "quiet while"))
    for name, step in tree["steps"].items():
        found += _step(step, f"step {name}", known, chance, tree)
    found += _languages(tree, "", chance)
    return found


def _list(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _set(owner: Any, key: Any, value: Any, where: str) -> Change:
    def make() -> None:
        owner[key] = value

    return Change(said=f"{where}: {owner[key]} → {value}", make=make)


def _drop(owner: Any, key: Any, where: str) -> Change:
    def make() -> None:
        del owner[key]

    return Change(said=f"{where}: without {owner[key]}", make=make)


def _other(words: Sequence[str], word: str, chance: random.Random) -> str:
    return chance.choice([w for w in words if w != word] or [word])


def _values(
    owner: dict[str, Any], key: str, where: str, others: Callable[[str], str], chance: random.Random
) -> Iterator[Change]:
    """Of a value or a list: another value, one less."""
    value = owner[key]
    if not isinstance(value, list):
        yield _set(owner, key, others(value), f"{where} {key}")
        return
    at = chance.randrange(len(value))
    yield _set(value, at, others(value[at]), f"{where} {key}")
    if len(value) > 1:
        yield _drop(value, chance.randrange(len(value)), f"{where} {key}")


# -- conditions --


def _when(when: dict[str, Any], where: str, known: Known, chance: random.Random) -> Iterator[Change]:
    for key in when:
        if key in _SCALES:
            yield from _values(when, key, where, lambda word, k=key: _level(_SCALES[k], word, chance), chance)  # type: ignore[misc] # bound now
        elif key in _WORDS:
            yield from _values(when, key, where, lambda word, k=key: _other(_WORDS[k], word, chance), chance)  # type: ignore[misc] # bound now
        elif key == "area":
            yield from _values(when, key, where, lambda word: _other(known.areas, word, chance), chance)
        elif key == "source":
            yield from _values(when, key, where, lambda word: _other(known.sources, word, chance), chance)
        elif key in ("words", "event"):
            yield from _values(when, key, where, lambda word: f"x{word}", chance)
        elif key == "trust":
            yield _set(when, key, _grade(when[key], chance), f"{where} {key}")
        elif key == "where":
            yield _set(when, key, f"!({when[key]})", f"{where} {key}")
        elif key == "status":
            yield from _values(
                when, key, where, lambda word: _other(["Actual", "Exercise", "Test"], word, chance), chance
            )
        if len(when) > 1 and key != "status":
            yield _drop(when, key, f"{where} {key}")


def _level(scale: Sequence[str], word: str, chance: random.Random) -> str:
    """One step up or down."""
    least = "at least " if word.startswith("at least ") else ""
    at = scale.index(word.removeprefix("at least "))
    nearby = [n for n in (at - 1, at + 1) if 0 <= n < len(scale)]
    level = scale[chance.choice(nearby)]
    return f"{least}{level}" if level != scale[0] else level


def _grade(text: str, chance: random.Random) -> str:
    found = re.fullmatch(r"at least ([A-F])([1-6])", text)
    assert found is not None
    if chance.random() < 0.5:
        letters = "ABCDEF"
        at = letters.index(found[1])
        return f"at least {letters[at + 1 if at < 3 else at - 1]}{found[2]}"
    number = int(found[2])
    return f"at least {found[1]}{number + 1 if number < 4 else number - 1}"


def _incident(incident: dict[str, Any], chance: random.Random) -> Iterator[Change]:
    if "one per" in incident:
        yield from _values(incident, "one per", "incident", lambda word: _other(_JOINS, word, chance), chance)
        yield _drop(incident, "one per", "incident one per")
    if "within" in incident:
        yield _set(incident, "within", _span(incident["within"], chance), "incident within")
    ends = incident.get("ends", "when no warning is in force any more")
    other = "when an officer ends it" if ends.startswith("when no") else "when no warning is in force any more"
    incident.setdefault("ends", ends)
    yield _set(incident, "ends", other, "incident ends")


# -- steps --


def _step(
    step: dict[str, Any], where: str, known: Known, chance: random.Random, tree: dict[str, Any]
) -> Iterator[Change]:
    for key in _DURATIONS:
        if key in step:
            yield _set(step, key, _span(step[key], chance), f"{where} {key}")
    for key, others in (
        ("call", known.chains),
        ("say", known.messages),
        ("notify", known.contacts),
        ("to", known.contacts),
        ("by", known.channels),
    ):
        if key in step and not str(step[key]).startswith("everyone"):
            yield from _values(step, key, where, lambda word, o=others: _other(o, word, chance), chance)  # type: ignore[misc] # bound now
    for key in ("after", "until"):
        if key in step:
            yield from _awaited(step, key, where, chance)
    if step.get("when") == "incident ends":
        yield _drop(step, "when", f"{where} when")
    if "every" in step:
        yield _drop(step, "every", f"{where} every")
    if isinstance(access := step.get("access"), dict):
        yield from _access(access, where, chance)
    for number, task in enumerate(_list(step.get("tasks"))):
        if "due" in task:
            yield _set(task, "due", _span(task["due"], chance), f"{where} task {number + 1} due")
    tasks = step.get("tasks")
    if isinstance(tasks, list) and len(tasks) > 1:
        yield _swap(tasks, where, chance)


def _access(access: dict[str, Any], where: str, chance: random.Random) -> Iterator[Change]:
    """Longer or shorter; other fields for people and rooms, or none; one room less."""
    yield _set(access, "at most", _span(access["at most"], chance), f"{where} at most")
    fields = [access[key] for key in ("people", "rooms from", "from", "until") if key in access]
    for key in ("people", "rooms from", "from", "until"):
        if key in access and len(fields) > 1:
            yield _set(access, key, _other(fields, access[key], chance), f"{where} {key}")
        if key in access and key != "people":
            yield _drop(access, key, f"{where} {key}")
    rooms = access.get("rooms")
    if isinstance(rooms, list) and len(rooms) > 1:
        yield _drop(rooms, chance.randrange(len(rooms)), f"{where} rooms")


def _swap(tasks: list[Any], where: str, chance: random.Random) -> Change:
    one, two = sorted(chance.sample(range(len(tasks)), 2))

    def make() -> None:
        tasks[one], tasks[two] = tasks[two], tasks[one]

    return Change(said=f"{where}: tasks {one + 1} and {two + 1} change places", make=make)


def _awaited(step: dict[str, Any], key: str, where: str, chance: random.Random) -> Iterator[Change]:
    value = step[key]
    if isinstance(value, str):
        yield _set(step, key, _outcome(value, chance), f"{where} {key}")
        yield _drop(step, key, f"{where} {key}")
        return
    for kind, conditions in value.items():
        if isinstance(conditions, list):
            at = chance.randrange(len(conditions))
            yield _set(conditions, at, _outcome(conditions[at], chance), f"{where} {key} {kind}")
            if len(conditions) > 1:
                yield _drop(conditions, chance.randrange(len(conditions)), f"{where} {key} {kind}")


def _outcome(text: str, chance: random.Random) -> str:
    step, _, outcome = text.rpartition(" is ")
    return f"{step} is {_other(_OUTCOMES, outcome, chance)}"


def _span(text: str, chance: random.Random) -> str:
    """Half as long, or twice."""
    factor = chance.choice((0.5, 2.0))
    return re.sub(r"\d+(\.\d+)?", lambda found: f"{float(found[0]) * factor:g}", text)


# -- languages --


def _languages(tree: Any, where: str, chance: random.Random) -> Iterator[Change]:
    """Of each text in four languages: one language is gone."""
    if isinstance(tree, Mapping):
        if set(LANGUAGES) <= set(tree):
            yield _drop(tree, chance.choice(LANGUAGES), f"{where} language")
            return
        for key, value in tree.items():
            yield from _languages(value, f"{where} {key}".strip(), chance)
    elif isinstance(tree, list):
        for number, value in enumerate(tree):
            yield from _languages(value, f"{where} {number + 1}", chance)
