"""The tests beside a sheet: reading SHEET.test.yaml, and running what is in it."""

import re
from collections.abc import Callable, Sequence
from pathlib import PurePath

from msgspec import Struct

from hub.binding import Misfit, bind, duration
from hub.config import Config
from hub.drill.checking import Fetch, check_play, keys
from hub.drill.judge import Judge, Verdict
from hub.drill.play import GivenForm, Play, TestForm, TestsForm, play_of
from hub.drill.sentences import PUBLIC, REACHED, Expectation, Happens, Names, expectation
from hub.drill.signals import CannotPlay
from hub.drill.stage import perform, rules_of
from hub.drill.timeline import Timeline, What
from hub.findings import Finding, choice, errors
from hub.model.signal import Status
from hub.playbook.form import contact_of
from hub.rules import InForce
from hub.yaml import Document, read

ENDING = ".test.yaml"
BEYOND_S = 60.0  # how long a test goes on after the last time that it names


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
    files = check_play(document, where, one, names, fetch)
    if len(errors(document.findings)) > before:
        return None
    play = play_of(name, one, files, (sheet, *form.also), form.every_test)
    line = next((key.line for key in keys(document, ("tests",)) if key.text == name), 1)
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
        if text == PUBLIC:
            return list(rules.directory.registered)
        if text in rules.directory.people:
            return (text,)
        contact = contact_of(text)
        return rules.people((contact,), timeline.start)

    return resolve
