"""Every rule is explained, shown by the gallery, and in the docs; and every explanation is of a rule there is."""

import ast
import re
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.rulebook import RULES
from tests.conftest import ROOT
from tools.rulebook import PAGE, page, shown

# What only comes with a journal or a connector of its own has a test of its own.
ELSEWHERE = {
    "not-in-files": "tests/edge/test_check.py",
    "bad-address": "tests/unit/test_config.py",
}
CHECKED = (
    "yaml.py",
    "binding.py",
    "waivers.py",
    "playbook",
    "config",
    "intake/geography.py",
    "intake/gazetteer_file.py",
    "cli/check.py",
    "cli/changes.py",
)
# Of each way to note a finding, which argument is the rule.
_PLACE = {"add": 1, "add_at": 2, "note": 1, "_stop": 1, "Misfit": 0, "BadExpression": 0, "_Wrong": 0, "wrong": 0}
_LEAST = {"add": 3, "add_at": 4, "note": 3, "_stop": 4, "Misfit": 2, "BadExpression": 2, "_Wrong": 2, "wrong": 3}


def noted() -> Iterator[tuple[str, str]]:
    """Every rule that stands in the code as a text, and where."""
    for part in CHECKED:
        path = ROOT / "hub" / part
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    for rule in _rules(node):
                        yield rule, f"{file.name}:{node.lineno}"


def _rules(call: ast.Call) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = [keyword.value for keyword in call.keywords if keyword.arg == "rule"]
    if name in _PLACE and len(call.args) >= _LEAST[name]:
        given.append(call.args[_PLACE[name]])
    for value in given:
        for one in (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,):
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and re.fullmatch("[a-z0-9-]+", one.value):
                yield one.value


def test_every_rule_in_the_code_is_explained() -> None:
    found = dict(noted())
    assert len(found) > 120
    assert {rule: place for rule, place in found.items() if rule not in RULES} == {}


def test_every_rule_is_shown_by_the_gallery() -> None:
    examples = shown()
    assert set(RULES) - set(examples) - set(ELSEWHERE) == set()
    for rule, file in ELSEWHERE.items():
        assert rule in (ROOT / file).read_text("utf-8"), f"{file} is to show {rule}"


def test_the_gallery_tells_of_no_other_rules() -> None:
    assert {rule for rule in shown() if rule not in RULES} == set()


def test_what_the_gallery_shows_as_a_warning_is_one_that_may_be_waived() -> None:
    for file in (ROOT / "tests" / "bad").rglob("*expected"):
        text = file.read_text("utf-8")
        if "registered/" in text:
            continue  # a spreadsheet has no room for a waiver
        for told in re.findall(r": warning: [^\0]*? \[([a-z0-9-]+)\]$", text, re.MULTILINE):
            assert RULES[told].warns or RULES[told].subject == "waivers", f"{file}: {told}"


def test_the_page_says_what_the_code_says() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `python -m tools.rulebook`"


@pytest.mark.parametrize("rule", RULES)
def test_each_is_explained_on_the_command_line(rule: str) -> None:
    result = CliRunner().invoke(app, ["check", "--explain", rule])
    assert result.exit_code == 0
    assert RULES[rule].meaning in result.output
    assert ("# vigie: allow" in result.output) is RULES[rule].warns


def test_a_rule_there_is_not_is_told_with_the_nearest() -> None:
    result = CliRunner().invoke(app, ["check", "--explain", "overlaps"])
    assert result.exit_code == 2
    assert 'did you mean "overlap"?' in result.output
