"""`vigie drill`, as it is typed: right and wrong."""

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from hub.cli import app
from tests.conftest import ROOT

STORM = str(ROOT / "drills" / "storm-night.yaml")
TESTS = """
tests:
  nobody answers:
    given:
      - signal: {source: kmi-irm, category: Met, hazard: cold, severity: Severe, certainty: Likely, area: Brabant}
    expect: [wake is exhausted]
  an officer answers:
    people: {officer-a: accepts}
    given:
      - signal: {source: kmi-irm, category: Met, hazard: cold, severity: Severe, certainty: Likely, area: Brabant}
    expect: [wake is accepted]
"""


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("centre")
    shutil.copytree(ROOT / "config", folder / "config")
    shutil.copytree(
        ROOT / "playbooks", folder / "playbooks", ignore=lambda _, names: [n for n in names if ".test" in n]
    )
    (folder / "playbooks" / "extreme-weather.test.yaml").write_text(TESTS)
    return folder


class Done(NamedTuple):
    code: int
    out: str
    err: str


def drill(centre: Path, *words: str) -> Done:
    done = CliRunner(env={"COLUMNS": "120"}).invoke(app, ["drill", *words, "--config", str(centre / "config")])
    return Done(done.exit_code, done.stdout, done.stderr)


def test_a_scenario_in_the_terminal_and_as_a_page(centre: Path, tmp_path: Path) -> None:
    done = drill(centre, STORM, "-o", str(tmp_path / "storm.html"), "--language", "nl")
    assert (done.code, done.err) == (0, "")
    assert "Bram Verzonnen antwoordt: ja" in done.out
    assert "Gespeeld in virtuele tijd: niemand werd opgeroepen." in done.out
    page = (tmp_path / "storm.html").read_text("utf-8")
    assert '<html lang="nl">' in page
    assert "<script" not in page


def test_a_sheet_plays_its_first_test_or_the_one_that_is_named(centre: Path) -> None:
    first = drill(centre, "extreme-weather", "--language", "en")
    assert "nobody answers" in first.out
    assert "wake: exhausted" in first.out
    named = drill(centre, "extreme-weather", "--test", "an officer", "--language", "en")
    assert "wake: accepted (Aline Inventée)" in named.out


def test_a_sheet_without_tests_is_played_at_its_worst_and_says_so(centre: Path) -> None:
    done = drill(centre, "emergency-calls-outage", "--language", "en")
    assert done.code == 0
    assert "nobody answers: the worst case" in done.out
    assert "answers: yes" not in done.out


def test_for_programs(centre: Path) -> None:
    done = drill(centre, STORM, "--json")
    (line,) = done.out.splitlines()
    told = json.loads(line)
    assert told["moments"][0]["what"] == "signal"
    assert {ask["outcome"] for ask in told["debriefing"]["asks"]} >= {"accepted", "declined", "unreachable"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nowhere.yaml",), 2, "nowhere.yaml: neither a file nor a sheet"),
        (("gaz",), 2, "extreme-weather"),
        (("extreme-weather", "--test", "nosuch"), 2, 'no test\'s name contains "nosuch": nobody answers; an officer'),
        (("provincial-phase", "--test", "x"), 2, "provincial-phase has no tests"),
        ((STORM, "--test", "x"), 2, "a scenario has no tests"),
        ((STORM, "--language", "es"), 2, "es"),
        ((STORM, "-o", "/nowhere/x.html"), 2, "/nowhere/x.html: cannot be written"),
    ],
)
def test_what_cannot_be_played_is_said(centre: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = drill(centre, *words)
    assert done.code == code
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_mistake_is_told_with_its_place(centre: Path, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("title: x\ngiven:\n  - sgnal: {}\n")
    done = drill(centre, str(tmp_path / "x.yaml"))
    assert done.code == 1
    assert "x.yaml:3:5" in done.err
    assert "signal" in done.err
