"""`vigie test`, as an author types it."""

import json
import shutil
from pathlib import Path

import pytest
from lxml import etree
from typer.testing import CliRunner

from hub.cli import app
from tests.conftest import ROOT

LEAK = "{hazard: thunderstorm, category: Met, severity: Severe, certainty: Likely, area: ixelles}"
GOOD = f"""
tests:
  the officer is told:
    given: [{{signal: {LEAK}}}]
    expect: [within 5 s: officer-a gets sms weather-ask]
    on duty: {{sitcen-on-call: officer-a}}
  nothing comes:
    expect: nothing
"""


@pytest.fixture
def centre(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    shutil.copytree(ROOT / "playbooks", tmp_path / "playbooks")
    for path in (tmp_path / "playbooks").glob("*.test.yaml"):
        path.unlink()
    return tmp_path


def run(centre: Path, *args: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["test", "--config", str(centre / "config"), *args])
    return done.exit_code, done.stdout, done.stderr


def author_writes(centre: Path, text: str) -> Path:
    path = centre / "playbooks" / "extreme-weather.test.yaml"
    path.write_text(text)
    return path


def test_all_is_well(centre: Path) -> None:
    author_writes(centre, GOOD)
    code, out, _ = run(centre)
    assert code == 0
    assert "2 tests" in out
    assert ": 0 failed" in out
    assert "no test: started by hand" in out


def test_a_failure_is_shown_with_its_place_and_what_happened(centre: Path) -> None:
    path = author_writes(centre, GOOD.replace("gets sms", "gets call"))
    code, out, _ = run(centre, str(centre / "playbooks" / "extreme-weather.yaml"), "--junit", str(centre / "r.xml"))
    assert code == 1
    assert f"{path.name}:3: the officer is told" in out.replace("\n", "")
    assert "✗" in out
    assert "incident 1 opens" in out
    root = etree.fromstring((centre / "r.xml").read_bytes())
    assert root[0].get("failures") == "1"


def test_json_names_the_line_of_what_did_not_come_true(centre: Path) -> None:
    author_writes(centre, GOOD.replace("gets sms", "gets call"))
    code, out, _ = run(centre, "--json", "--only", "officer")
    assert code == 1
    (told,) = [json.loads(line) for line in out.splitlines()]
    assert told["wrong"][0]["line"] == 5
    assert told["wrong"][0]["expected"] == "within 5 s: officer-a gets call weather-ask"


def test_a_mistake_in_a_test_is_told_and_the_others_are_played(centre: Path) -> None:
    author_writes(centre, GOOD + "  x:\n    expect: it rains\n")
    code, out, err = run(centre)
    assert code == 1
    assert 'extreme-weather.test.yaml:10:13: "it rains" is nothing that can be expected' in err
    assert "2 tests" in out


def test_what_cannot_be_read_is_not_counted_as_untested(centre: Path) -> None:
    author_writes(
        centre, f"tests:\n  a leak:\n    given: [{{signal: {LEAK}}}, {{done: checklist}}]\n    expect: 1 incident\n"
    )
    code, out, err = run(centre)
    assert code == 1
    assert '"checklist" does not say which task' in err
    assert "others could not be read" in out
    assert "no test:" not in out


def test_many_tests_share_the_processors(centre: Path) -> None:
    one = (
        "  t{}:\n    given: [{{signal: " + LEAK.replace("{", "{{").replace("}", "}}") + "}}]\n    expect: 1 incident\n"
    )
    author_writes(centre, "tests:\n" + "".join(one.format(n) for n in range(60)))
    code, out, _ = run(centre)
    assert code == 0
    assert "60 tests" in out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "there are no tests"),
        (("--only", "x"), 'no test\'s name contains "x"'),
        (("nowhere.yaml",), "nowhere.yaml: there is no such sheet"),
    ],
)
def test_what_cannot_be_run_is_said(centre: Path, args: tuple[str, ...], said: str) -> None:
    code, _, err = run(centre, *args)
    assert code == 2
    assert said in err
