"""`vigie test`: the tests beside the sheets, in virtual time."""

import logging
import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from rich.console import Console

from hub.cli import say
from hub.cli.setting import checked, show
from hub.config import Config
from hub.drill.beside import junit, table
from hub.drill.coverage import Coverage, coverage
from hub.drill.suite import ENDING, Result, Suite, Test, load_suite, run_test
from hub.findings import Finding, errors
from hub.logs import configure_log

MANY = 40  # tests that are worth more than one process
PROCESSES = 8

_shared: list[tuple[Config, Sequence[tuple[Suite, Test]]]] = []  # what the processes are born with


def test(
    paths: Sequence[Path], folder: Path, *, only: str, verbose: bool, as_json: bool, junit_file: Path | None
) -> None:
    """Exits 1 where a test failed or could not be read, 2 where there is none."""
    configure_log(logging.CRITICAL)  # what the hub warns of is what a test is about: its timeline tells
    config = checked(folder)
    files = _files(paths, config)
    began = time.monotonic()
    suites, findings = _load(files, config)
    show(findings)
    results = _run(config, [(suite, one) for suite in suites for one in suite.tests if only in one.name])
    if not results and not findings:
        say.could_not(f'no test\'s name contains "{only}"' if only else "there are no tests: write SHEET.test.yaml")
    seconds = time.monotonic() - began
    if junit_file is not None:
        junit_file.write_bytes(junit(results, seconds))
    covered = [] if only or errors(findings) else _coverage(config, suites, results)
    if as_json:
        _as_json(results, covered)
    else:
        _told(results, covered, verbose, seconds, unread=bool(errors(findings)))
    say.done(bool(errors(findings)) or not all(result.good for result in results))


def _files(paths: Sequence[Path], config: Config) -> list[Path]:
    """The files of tests meant; a sheet means the tests beside it."""
    found: list[Path] = []
    for path in paths or [config.path(config.hub.playbooks)]:
        if path.is_dir():
            found += sorted(path.rglob(f"*{ENDING}"))
        elif path.name.endswith(ENDING):
            found.append(path)
        else:
            found.append(path.with_name(path.name.removesuffix(".yaml") + ENDING))
    for file in found:
        sheet = file.with_name(file.name.removesuffix(ENDING) + ".yaml")
        if not file.is_file() and not sheet.is_file():
            say.could_not(f"{sheet}: there is no such sheet, and no tests of one ({file.name})")
        if not file.is_file():
            say.could_not(f"{file}: there are no tests of this sheet yet: write them in this file")
    return found


def _load(files: Sequence[Path], config: Config) -> tuple[list[Suite], list[Finding]]:
    suites: list[Suite] = []
    findings: list[Finding] = []
    for file in files:
        suite, wrong = load_suite(file.read_bytes(), str(file), config, _Beside(file))
        suites.append(suite)
        findings += wrong
    return suites, findings


def _run(config: Config, work: Sequence[tuple[Suite, Test]]) -> list[Result]:
    """Plays them; many of them in several processes, born as copies of this one: they know the configuration."""
    processes = min(os.cpu_count() or 1, PROCESSES)
    if len(work) < MANY or processes == 1 or "fork" not in multiprocessing.get_all_start_methods():
        return [run_test(config, suite, one) for suite, one in work]
    _shared.clear()
    _shared.append((config, work))
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("fork")) as pool:
        return list(pool.map(_nth, range(len(work)), chunksize=4))


def _nth(nth: int) -> Result:
    ((config, work),) = _shared
    return run_test(config, *work[nth])


class _Beside:
    """Recorded files, by their name as seen from the tests."""

    def __init__(self, tests: Path) -> None:
        self._folder = tests.parent

    def __call__(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()


def _coverage(config: Config, suites: Sequence[Suite], results: Sequence[Result]) -> list[Coverage]:
    sheets = {sheet.name: sheet for sheet in config.playbooks}
    tested = dict.fromkeys(suite.sheet for suite in suites if suite.sheet in sheets)
    played: dict[str, list[Result]] = {name: [r for r in results if r.sheet == name and r.timeline] for name in tested}
    return [
        coverage(sheets[name], config.chains, [r.timeline for r in played[name] if r.timeline is not None])
        for name in tested
    ]


def _told(
    results: Sequence[Result], covered: Sequence[Coverage], verbose: bool, seconds: float, *, unread: bool
) -> None:
    """`unread`: there are tests that could not be read."""
    console = Console(highlight=False, soft_wrap=False)
    for result in results:
        sign = "✓" if result.good else "✗"
        style = "green" if result.good else "red"
        if not result.good or verbose:
            console.print(f"{sign} {result.suite}:{result.test.line}: {result.test.name}", style=style, markup=False)
            if result.problem:
                console.print(f"  cannot be played: {result.problem}", markup=False)
            else:
                console.print(table(result))
            console.print()
    for one in covered:
        walked = len(one.parts) - len(one.missed)
        console.print(f"{one.sheet}: {walked} of {len(one.parts)} parts walked", markup=False)
        for part in one.missed:
            console.print(f"  no test: {part.said}", style="yellow", markup=False)
    failed = sum(not result.good for result in results)
    rest = ", others could not be read" if unread else ""
    style = "red" if failed or unread else "green"
    console.print(f"{len(results)} tests in {seconds:.1f} s: {failed} failed{rest}", style=style)


def _as_json(results: Sequence[Result], covered: Sequence[Coverage]) -> None:
    for result in results:
        wrong = [
            {"line": line, "expected": v.expectation.text, "found": v.said}
            for v, line in zip(result.verdicts, result.test.at, strict=False)
            if not v.good
        ]
        say.json_line(
            {
                "file": result.suite,
                "line": result.test.line,
                "sheet": result.sheet,
                "test": result.test.name,
                "good": result.good,
                "problem": result.problem,
                "wrong": wrong,
            }
        )
    for one in covered:
        say.json_line({"sheet": one.sheet, "parts": len(one.parts), "not walked": [part.said for part in one.missed]})
