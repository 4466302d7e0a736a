"""`vigie schema`: valid JSON Schema, and what the house ships is valid against it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from typer.testing import CliRunner

from hub.cli import app
from hub.cli.schema import KINDS
from hub.config.schema import FILES
from tests.conftest import ROOT

SHEETS = sorted(path for path in (ROOT / "playbooks").glob("*.yaml") if not path.name.endswith(".test.yaml"))


def printed(kind: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["schema", kind])
    assert result.exit_code == 0, result.output
    schema: dict[str, Any] = json.loads(result.output)
    return schema


def wrong(schema: dict[str, Any], value: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(value)]


def as_an_editor_reads(text: str) -> Any:
    """YAML 1.2 with its own types: 3 is a number there, which the hub reads as text."""
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(text), default=str))


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_a_json_schema(kind: str) -> None:
    schema = printed(kind)
    Draft202012Validator.check_schema(schema)
    for reference in references(schema):
        node: Any = schema
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_the_sheets_we_ship_are_valid(sheet: Any) -> None:
    assert wrong(printed("playbook"), as_an_editor_reads(sheet.read_text())) == []


def test_the_configuration_we_ship_is_valid() -> None:
    folder = {f"{name}.yaml": as_an_editor_reads((ROOT / "config" / f"{name}.yaml").read_text()) for name in FILES}
    assert wrong(printed("config"), folder) == []
    for name in FILES:
        assert wrong(printed(name), folder[f"{name}.yaml"]) == []


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("hub", "web: {listne: 127.0.0.1:8080}", "listne"),
        ("chains", "a: {tiers: [{ask: x, by: sms, for: 4 parsecs}], ned: 1}", "ned"),
        ("chains", "a: {need: 1}", "tiers"),
        ("sources", "a: {type: cap}", "url"),
        ("sources", "a: {type: cpa, url: 'https://example.org'}", "cpa"),
        ("sources", "a: {type: cap, url: 'https://example.org', every: 60}", "60"),
        ("sources", "a: {type: cap, url: 'https://example.org', reliability: G}", "G"),
        ("channels", "email: {host: a.example.org, sender: a@example.org, prot: 25}", "prot"),
        ("channels", "post: {host: a.example.org, sender: a@example.org}", "type"),
        ("messages", "Weather: {fr: a, nl: a, de: a}", "en"),
        ("playbook", "playbook: a\nstep: {}", "step"),
    ],
)
def test_what_is_wrong_is_underlined(kind: str, text: str, said: str) -> None:
    assert any(said in line for line in wrong(printed(kind), as_an_editor_reads(text)))


def test_a_kind_that_is_none_is_refused_with_those_there_are() -> None:
    result = CliRunner().invoke(app, ["schema", "playbok"])
    assert result.exit_code == 2
    assert "playbook" in result.output


def parts(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A field's schema, and what it may be instead or be a list of."""
    yield node
    for part in (*node.get("anyOf", ()), *([node["items"]] if isinstance(node.get("items"), dict) else [])):
        yield from parts(part)


def fields(node: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of a schema, however deep."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "properties":
                for name, field in value.items():
                    yield f"{path}/{name}", field
                    yield from fields(field, f"{path}/{name}")
            elif key not in ("enum", "examples", "if"):
                yield from fields(value, path)
    elif isinstance(node, list):
        for value in node:
            yield from fields(value, path)


SHOWN = ("examples", "enum", "const", "properties", "$ref")  # an example, all there is, or what is explained below


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("config", "tests")])
def test_every_field_is_described_and_has_an_example(kind: str) -> None:
    found = list(fields(printed(kind), kind))
    assert len(found) > 3
    assert [path for path, field in found if not field.get("description")] == []
    without = [
        path
        for path, field in found
        if not any(word in part for part in parts(field) for word in SHOWN)
        and not any(isinstance(part.get("additionalProperties"), dict) for part in parts(field))
    ]
    assert without == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("config", "tests", "sources", "channels")])
def test_an_example_is_right_itself(kind: str) -> None:
    schema = printed(kind)
    for path, field in fields(schema, kind):
        one = {key: value for key, value in field.items() if key != "examples"}
        for example in field.get("examples", ()):
            assert wrong(one, example) == [], path
