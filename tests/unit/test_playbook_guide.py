"""The pages for authors cannot rot: each is walked as its reader would, from a fresh clone (tests/pages.py)."""

import re
from pathlib import Path

import pytest

from hub.config import Config, load
from hub.drill.suite import load_suite, run_test
from hub.findings import Finding, errors
from hub.playbook.expression import Expression
from tests.conftest import ROOT
from tests.pages import Block, Desk, blocks, same, typed, with_keys

FIRST = ROOT / "docs" / "first-sheet.md"
RECIPES = ROOT / "docs" / "recipes.md"
TODAY = "2026-07-14"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_first_sheet_comes_about_as_the_page_says(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.sit_down(monkeypatch)
    commands = 0
    for block in blocks(FIRST):
        if block.file:
            desk.write(block)
        else:
            assert block.info == "console", f"line {block.line}: {block.info}"
            for one in typed(block.text):
                real = desk.type(one.command)
                assert same(one.shown, real), f"line {block.line}: $ {one.command}\n" + "\n".join(real)
                commands += 1
    assert commands >= 11
    assert played(desk) == []


def words(text: str) -> int:
    return len(text.split())


def test_the_first_sheet_takes_no_longer_than_it_says() -> None:
    """An estimate: each word read at 150 a minute, commands typed at 200 characters, 15 s to copy a block, 5 s for a
    command to answer."""
    page = FIRST.read_text()
    commands = [one.command for block in blocks(FIRST) if not block.file for one in typed(block.text)]
    copied = [block for block in blocks(FIRST) if block.file]
    read_min = words(page) / 150 + sum(map(len, commands)) / 200 + len(commands) * 5 / 60
    assert read_min + len(copied) * 15 / 60 <= 20
    assert read_min + sum(len(block.text) for block in copied) / 200 <= 36


# --- recipes -----------------------------------------------------------------------------------------------

ALL = blocks(RECIPES)
BASE = [block for block in ALL if not block.heading]
TITLES = list(dict.fromkeys(block.heading for block in ALL if block.heading))


def of(title: str) -> list[Block]:
    return [block for block in ALL if block.heading == title]


def played(desk: Desk) -> list[str]:
    """All that is wrong with the sheet on the desk, its words, chains and tests, and with what they do."""
    config, findings = load(desk.folder / "config", today=TODAY)
    tests = desk.folder / "playbooks" / "tap-water.test.yaml"
    return [str(finding) for finding in findings if _ours(finding)] + failures(config, tests.read_text(), tests)


def failures(config: Config, text: str, file: Path) -> list[str]:
    """What is wrong with tests, and with what they play."""
    suite, findings = load_suite(text, str(file), config, lambda name: (file.parent / name).read_bytes())
    assert suite.tests or findings
    wrong = [str(finding) for finding in findings]
    for test in suite.tests:
        result = run_test(config, suite, test)
        wrong += [f"{test.name}: {v.expectation.text}: {v.said}" for v in result.verdicts if not v.good]
        wrong += [result.problem] if result.problem else []
    return wrong


def _ours(finding: Finding) -> bool:
    """Errors count wherever they are; of what ships, warnings do not."""
    return bool(errors([finding])) or "tap-water" in finding.file


def test_there_are_recipes() -> None:
    assert len(TITLES) >= 12
    assert all(block.file for block in ALL)
    assert all(any(".test.yaml" in block.file for block in of(title)) for title in TITLES)


@pytest.mark.parametrize("title", ["", *TITLES])
def test_a_recipe_does_what_its_tests_say(title: str, desk: Desk) -> None:
    for block in [*BASE, *of(title)] if title else BASE:
        desk.write(block)
    assert played(desk) == []


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The sheet that all recipes begin with."""
    desk = Desk(tmp_path_factory.mktemp("plain"))
    for block in BASE:
        desk.write(block)
    return load(desk.folder / "config", today=TODAY)[0]


@pytest.mark.parametrize("title", TITLES)
def test_and_its_tests_fail_without_it(title: str, plain: Config) -> None:
    tests = next(block for block in of(title) if block.file.endswith(".test.yaml"))
    before = next(block for block in BASE if block.file == tests.file)
    assert failures(plain, with_keys(before.text, tests.text), Path(tests.file)) != []


# --- how it works together -----------------------------------------------------------------------------------

CONCEPTS = blocks(ROOT / "docs" / "playbooks.md")


def test_the_page_of_concepts_shows_parts_of_a_sheet() -> None:
    assert len(CONCEPTS) >= 4


@pytest.mark.parametrize("block", CONCEPTS, ids=lambda block: f"line {block.line}")
def test_each_part_of_a_sheet_that_is_shown_is_right(block: Block, desk: Desk) -> None:
    for one in (*BASE, block):
        desk.write(one)
    findings = load(desk.folder / "config", today=TODAY)[1]
    assert [str(finding) for finding in findings if _ours(finding)] == []


def test_the_expressions_that_are_shown_are_accepted() -> None:
    page = (ROOT / "docs" / "sheet-reference.md").read_text()
    shown = re.findall(r"^\| [^|`]+ \| `([^`]*(?:info|signal)[^`]*)` \|$", page, re.MULTILINE)
    assert len(shown) == 4
    for text in shown:
        Expression(text)
