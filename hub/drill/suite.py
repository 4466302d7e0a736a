"""The tests beside a sheet: reading SHEET.test.yaml, and running what is in it."""

import re
from collections.abc import Callable, Sequence
from pathlib import PurePath

from msgspec import Struct

from hub.binding import Misfit, bind, duration
from hub.config import Config
from hub.drill.judge import Judge, Verdict
from hub.drill.play import GivenForm, Play, SignalForm, TestForm, TestsForm, each_of, play_of
from hub.drill.sentences import REACHED, Expectation, Happens, Names, expectation
from hub.drill.signals import CannotPlay
from hub.drill.stage import perform, rules_of
from hub.drill.timeline import Timeline, What
from hub.findings import Finding, choice, errors
from hub.model.signal import Status
from hub.playbook.form import contact_of
from hub.rules import InForce
from hub.yaml import Document, Mapping, Scalar, read

ENDING = ".test.yaml"
BEYOND_S = 60.0  # how long a test goes on after the last time that it names

Fetch = Callable[[str], bytes]
"""What a recorded file holds, by its name in the tests. Raises OSError."""


class Test(Struct, frozen=True, kw_only=True):
    """One test, ready to run. `line`: where it stands; `at`: the line of each expectation."""

    name: str
    line: int
    play: Play
    expectations: tuple[Expectation, ...]
    at: tuple[int, ...]
    until_s: float


class Suite(Struct, frozen=True, kw_only=True):
    """The tests of one file."""

    file: str
    sheet: str
    tests: tuple[Test, ...] = ()


class Result(Struct, frozen=True, kw_only=True):
    """What a test came to. `problem`: why it could not be played."""

    suite: str
    sheet: str
    test: Test
    verdicts: tuple[Verdict, ...] = ()
    timeline: Timeline | None = None
    problem: str = ""

    @property
    def good(self) -> bool:
        return not self.problem and all(verdict.good for verdict in self.verdicts)


def load_suite(text: str | bytes, file: str, config: Config, fetch: Fetch) -> tuple[Suite, list[Finding]]:
    """The tests of a file, and all that is wrong with it. What has an error is left out."""
    document = read(text, file)
    form = bind(document, document.root, TestsForm) if document.root is not None or not document.findings else None
    named = PurePath(file).name.removesuffix(ENDING)
    sheet = form.sheet if form is not None and form.sheet else named
    sheets = {s.name: s for s in config.playbooks}
    tests: list[Test] = []
    if form is not None:
        for position, name in enumerate([sheet, *form.also]):
            if name not in sheets:
                place = document.at("also", position - 1) if position else document.at("sheet") or document.root
                document.add(place, "unknown-sheet", f'there is no sheet "{name}"', choice(name, sorted(sheets)))
        if not document.findings:
            names = names_of(config, [sheet, *form.also])
            made = [_test(document, form, sheet, name, one, names, fetch) for name, one in form.tests.items()]
            tests = [test for test in made if test is not None]
    findings = sorted(document.findings, key=lambda f: (f.line, f.column))
    return Suite(file=file, sheet=sheet, tests=tuple(tests)), findings


def names_of(config: Config, sheets: Sequence[str]) -> Names:
    """What the sentences of tests of these sheets may name."""
    directory = config.directory()
    return Names(
        sheet=next(iter(sheets), ""),
        sheets=sheets,
        people=directory.people,
        groups=directory.groups,
        rosters=config.rosters,
        organisations=directory.organisations,
        competences=directory.competences(),
        channels=config.channels,
        messages=config.messages,
        chains=config.chains,
        steps={step.name for s in config.playbooks if s.name in sheets for step in s.steps},
    )


def _test(
    document: Document, form: TestsForm, sheet: str, name: str, one: TestForm, names: Names, fetch: Fetch
) -> Test | None:
    before = len(errors(document.findings))
    where = ("tests", name)
    expectations, lines = _expectations(document, where, one, names)
    _check_names(document, where, one, names)
    files: dict[str, bytes] = {}
    for position, given in enumerate(one.given):
        _check_given(document, (*where, "given", position), one, position)
        if given.file:
            try:
                files[given.file] = fetch(given.file)
            except OSError as error:
                place = document.at(*where, "given", position, "file")
                document.add(place, "no-file", f"{given.file} cannot be read: {error.strerror}", "correct the name")
    if len(errors(document.findings)) > before:
        return None
    play = play_of(name, one, files, (sheet, *form.also), form.every_test)
    line = next((key.line for key in _keys(document, ("tests",)) if key.text == name), 1)
    until_s = max((_until(e) for e in expectations), default=0.0)
    if any(_looks_at_end(e) for e in expectations):
        until_s = max(until_s, *(given.after + _lasts(given) for given in one.given), 0.0)
    return Test(
        name=name, line=line, play=play, expectations=tuple(expectations), at=tuple(lines), until_s=until_s + BEYOND_S
    )


def _expectations(
    document: Document, where: tuple[str, ...], one: TestForm, names: Names
) -> tuple[list[Expectation], list[int]]:
    found: list[Expectation] = []
    lines: list[int] = []
    for position, written in enumerate(one.expect):
        node = document.at(*where, "expect", position) or document.at(*where, "expect")
        entries = {"": written} if isinstance(written, str) else written
        for time, words in entries.items():
            try:
                found.append(expectation(words, time, names))
                lines.append(node.line if node is not None else 1)
            except Misfit as misfit:
                document.add(node, misfit.rule, misfit.message, misfit.remedy)
    return found, lines


def _until(expected: Expectation) -> float:
    """How far into the play a sentence looks."""
    return sum(
        duration(span) for span in re.findall(r"\d[\d.]* ?(?:s|sec|min|h|d|days?|hours?|minutes?)\b", expected.text)
    )


def _looks_at_end(expected: Expectation) -> bool:
    timing = expected.timing
    said = (expected.sentence, timing.after, timing.before)
    return any(isinstance(one, Happens) and one.what is What.ENDED for one in said)


def _lasts(given: GivenForm) -> float:
    return given.signal.lasts or 0.0 if given.signal is not None else 0.0


def _check_names(document: Document, where: tuple[str, ...], one: TestForm, names: Names) -> None:
    anybody = {*names.people, *names.groups, *(f"roster {r}" for r in names.rosters), "everyone"}
    for kind, key, known in (
        ("roster", "on duty", names.rosters),
        ("step", "steps", names.steps),
        ("channel", "channels", names.channels),
        ("person", "people", anybody),
    ):
        for name in _keys(document, (*where, key)):
            if name.text not in known:
                message = f'there is no {kind} "{name.text}"'
                document.add(name, f"unknown-{kind}", message, choice(name.text, sorted(known)))
    for roster, people in one.on_duty.items():
        for position, person in enumerate(people):
            if person not in names.people:
                place = document.at(*where, "on duty", roster, position) or document.at(*where, "on duty", roster)
                remedy = choice(person, sorted(names.people))
                document.add(place, "unknown-person", f'there is no person "{person}"', remedy)


def _keys(document: Document, where: tuple[str, ...]) -> list[Scalar]:
    above = document.at(*where[:-1])
    node = above.get(where[-1]) if isinstance(above, Mapping) else None
    return [name for name, _ in node.entries] if isinstance(node, Mapping) else []


_ACTIONS = ("signal", "file", "cancels", "updates", "start", "done", "ends", "stops", "lifts")


def _check_given(document: Document, where: tuple[str | int, ...], one: TestForm, position: int) -> None:
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
    if given.source and given.file is None:
        document.add(place, "source-twice", "a source stands beside a file only", "write source under signal")


def run_test(config: Config, suite: Suite, test: Test) -> Result:
    """Plays it and judges it."""
    try:
        timeline = perform(config, test.play, test.until_s)
    except CannotPlay as problem:
        return Result(suite=suite.file, sheet=suite.sheet, test=test, problem=str(problem))
    rules = rules_of(config, test.play)

    def reaches(person: str, channel: str) -> bool:
        return rules.ways(person, channel, Status.ACTUAL) > 0

    judge = Judge(timeline, _resolver(rules, timeline), reaches)
    return Result(
        suite=suite.file,
        sheet=suite.sheet,
        test=test,
        verdicts=tuple(judge.judge(test.expectations)),
        timeline=timeline,
    )


def _resolver(rules: InForce, timeline: Timeline) -> Callable[[str], Sequence[str]]:
    def resolve(text: str) -> Sequence[str]:
        if text == "everyone":
            return list(rules.directory.people)
        if text == REACHED:
            return ()
        if text in rules.directory.people:
            return (text,)
        contact = contact_of(text)
        return rules.people((contact,), timeline.start)

    return resolve
