"""Whether what is played (a test, a scenario) names what there is, one thing at a time, and files that can be read."""

import re
from collections.abc import Callable

from hub.drill.play import GivenForm, PlayForm, SignalForm, each_of
from hub.drill.sentences import Names
from hub.findings import choice
from hub.yaml import Document, Mapping, Scalar

Fetch = Callable[[str], bytes]
"""What a recorded file holds, by its name in the tests. Raises OSError."""

Where = tuple[str | int, ...]


def check_play(document: Document, where: Where, one: PlayForm, names: Names, fetch: Fetch) -> dict[str, bytes]:
    """Adds what is wrong with a play, which stands at `where`, to the document's findings. Returns what the files hold
    that it names."""
    _check_people(document, where, one, names)
    files: dict[str, bytes] = {}
    for position, given in enumerate(one.given):
        _check_given(document, (*where, "given", position), one, position)
        _check_broadcast(document, (*where, "given", position), given, names)
        if given.file:
            try:
                files[given.file] = fetch(given.file)
            except OSError as error:
                place = document.at(*where, "given", position, "file")
                document.add(place, "no-file", f"{given.file} cannot be read: {error.strerror}", "correct the name")
    return files


def _check_broadcast(document: Document, where: Where, given: GivenForm, names: Names) -> None:
    """A broadcast, or a report, is of a step, and it is a person who stands behind it."""
    for key, step in (("releases", given.releases), ("discards", given.discards), ("approves", given.approves)):
        if step is None:
            continue
        if step not in names.steps:
            remedy = choice(step, sorted(names.steps))
            document.add(document.at(*where, key), "unknown-step", f'there is no step "{step}"', remedy)
        if given.by not in names.people:
            what = "a report" if key == "approves" else "a broadcast"
            message = f"who {key} it? Nobody stands behind {what} but people"
            remedy = choice(given.by or "", sorted(names.people))
            document.add(document.at(*where, "by") or document.at(*where, key), "unknown-person", message, remedy)


def _check_people(document: Document, where: Where, one: PlayForm, names: Names) -> None:
    anybody = {*names.people, *names.groups, *(f"roster {r}" for r in names.rosters), "everyone"}
    for kind, key, known in (
        ("roster", "on duty", names.rosters),
        ("step", "steps", names.steps),
        ("channel", "channels", names.channels),
        ("person", "people", anybody),
    ):
        for name in keys(document, (*where, key)):
            if name.text not in known:
                message = f'there is no {kind} "{name.text}"'
                document.add(name, f"unknown-{kind}", message, choice(name.text, sorted(known)))
    for roster, people in one.on_duty.items():
        for position, person in enumerate(people):
            if person not in names.people:
                place = document.at(*where, "on duty", roster, position) or document.at(*where, "on duty", roster)
                remedy = choice(person, sorted(names.people))
                document.add(place, "unknown-person", f'there is no person "{person}"', remedy)


def keys(document: Document, where: Where) -> list[Scalar]:
    """The keys of what stands at `where`."""
    above = document.at(*where[:-1])
    node = above.get(str(where[-1])) if isinstance(above, Mapping) else None
    return [name for name, _ in node.entries] if isinstance(node, Mapping) else []


_BROADCAST = ("releases", "discards", "approves")
_ACTIONS = ("signal", "file", "cancels", "updates", "start", "done", "ends", "stops", "lifts", *_BROADCAST)


def _check_given(document: Document, where: Where, one: PlayForm, position: int) -> None:
    """One thing at a time, and of what was given before."""
    given = one.given[position]
    said = [name for name in _ACTIONS if getattr(given, name) is not None]
    place = document.at(*where)
    if len(said) != 1 and said != ["signal", "updates"]:
        found = f"says {' and '.join(said)}" if said else "says nothing that happens"
        document.add(place, "one-thing", f"given {position + 1} {found}", f"write one of {', '.join(_ACTIONS)}")
    if given.one_for_each:
        try:
            each_of(given.signal or SignalForm(), given.one_for_each)
        except ValueError as error:
            document.add(place, "unknown-word", str(error), "see docs/testing.md")
        if given.signal is None:
            document.add(place, "one-thing", "signals that differ in what?", "write signal: beside one for each:")
    of = given.cancels or given.updates
    if of is not None and not 1 <= of <= position:
        document.add(place, "not-given", f"nothing was given under {of} before", "things given are counted from 1")
    if given.signal is not None and given.signal.source and given.signal.trust:
        document.add(place, "source-twice", "a grade of trust stands in place of a source", "keep one of the two")
    if given.done is not None and not re.fullmatch(r"\S+ \d+", given.done):
        message = f'"{given.done}" does not say which task'
        document.add(document.at(*where, "done"), "not-a-task", message, 'a step and a number: "checklist 2"')
    if given.source and given.file is None:
        document.add(place, "source-twice", "a source stands beside a file only", "write source under signal")
