"""An editor set up by `vigie schema --write`: what is written, and what the language server of VS Code's YAML extension
makes of it. Without node and that server (tools/install-system), the latter is skipped."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.cli.schema import KINDS
from tests.conftest import ROOT
from tests.edge.language_server import Editor, command, editor
from tests.edge.test_cli import config, vigie

__all__ = ["config"]  # a fixture


# --- what is written ---------------------------------------------------------------------------------------


def settings_of(folder: Path) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads((folder / ".vscode" / "settings.json").read_text("utf-8"))
    return settings


def test_done_again_it_changes_nothing(config: Path) -> None:
    folder = config.parent
    assert vigie("schema", "--write", folder, "--config", config).code == 0
    before = {p: p.read_bytes() for p in (folder / ".vscode").rglob("*") if p.is_file()}
    said = vigie("schema", "--write", folder, "--config", config)
    assert said.code == 0
    assert said.out.startswith("0 files written")
    assert {p: p.read_bytes() for p in (folder / ".vscode").rglob("*") if p.is_file()} == before


def test_every_file_an_author_writes_has_its_schema(config: Path) -> None:
    folder = config.parent
    vigie("schema", "--write", folder, "--config", config)
    mapped = settings_of(folder)["yaml.schemas"]
    assert {f"{kind}.json" for kind in KINDS if kind != "config"} == {Path(name).name for name in mapped}
    for name, patterns in mapped.items():
        json.loads((folder / name).read_text("utf-8"))
        assert any(list(folder.glob(p)) for p in patterns if not p.startswith("!")) or "test" in name, name


def test_settings_that_are_there_are_kept_and_asked_about(config: Path) -> None:
    folder = config.parent
    (folder / ".vscode").mkdir()
    there = {"editor.fontSize": 14, "yaml.schemas": {"https://example.org/x.json": "x.yaml"}, "yaml.hover": False}
    (folder / ".vscode" / "settings.json").write_text(json.dumps(there), "utf-8")
    arguments = ["schema", "--write", str(folder), "--config", str(config)]
    refused = CliRunner().invoke(app, arguments, input="n\n")
    assert refused.exit_code == 2
    assert "add to it?" in refused.output
    assert settings_of(folder) == there
    assert CliRunner().invoke(app, arguments, input="y\n").exit_code == 0
    after = settings_of(folder)
    assert (after["editor.fontSize"], after["yaml.hover"]) == (14, False)
    assert after["yaml.schemas"]["https://example.org/x.json"] == "x.yaml"
    assert len(after["yaml.schemas"]) > 5


def test_settings_with_comments_are_left_alone_and_what_is_needed_is_shown(config: Path) -> None:
    folder = config.parent
    (folder / ".vscode").mkdir()
    text = '{\n  // mine\n  "editor.fontSize": 14\n}\n'
    (folder / ".vscode" / "settings.json").write_text(text, "utf-8")
    said = vigie("schema", "--write", folder, "--config", config, "--yes")
    assert said.code == 2
    assert "yaml.schemas" in said.err
    assert (folder / ".vscode" / "settings.json").read_text("utf-8") == text


def test_without_a_folder_there_is_nothing_to_set_up(tmp_path: Path) -> None:
    assert vigie("schema", "--write", tmp_path / "none").code == 2


# --- what an editor makes of it ----------------------------------------------------------------------------

real = pytest.mark.skipif(not command(), reason="node or yaml-language-server is not installed")


@pytest.fixture
def opened(config: Path) -> Iterator[Editor]:
    vigie("schema", "--write", config.parent, "--config", config)
    with editor(config.parent) as running:
        yield running


@real
def test_nothing_is_underlined_in_what_we_ship(opened: Editor) -> None:
    files = [*(ROOT / "config").glob("*.yaml"), *(ROOT / "playbooks").glob("*.yaml")]
    assert len(files) > 10
    for file in files:
        underlined = opened.opens(f"{file.parent.name}/{file.name}", file.read_text("utf-8"))
        assert [u["message"] for u in underlined] == [], file.name


@real
def test_what_is_wrong_is_underlined_where_it_stands(opened: Editor) -> None:
    text = (ROOT / "playbooks" / "extreme-weather.yaml").read_text("utf-8")
    text = text.replace("severity: at least Severe", "severity: at least Sever").replace("\nincident:", "\nincidnet:")
    underlined = opened.opens("playbooks/bad.yaml", text)
    lines = text.splitlines()
    told = {lines[u["range"]["start"]["line"]].strip(): u["message"] for u in underlined}
    assert "at least Severe" in told["severity: at least Sever"]
    assert "incidnet" in told["incidnet:"]
    assert len(underlined) == 2


@real
def test_keys_and_names_are_offered_as_one_types(opened: Editor) -> None:
    text = "playbook: a\nwhen:\n  hazard: \nsteps:\n  wake:\n    call: \n    \n"
    opened.opens("playbooks/part.yaml", text)
    assert {"wind", "gas-leak"} <= set(opened.completes("playbooks/part.yaml", 2, 10))
    assert {"crisis-cell", "directors", "duty-officers"} <= set(opened.completes("playbooks/part.yaml", 5, 10))
    assert {"say", "after", "every", "notify"} <= set(opened.completes("playbooks/part.yaml", 6, 4))
    opened.opens("config/chains.yaml", "duty:\n  tiers:\n    - ask: \n      by: [sms]\n")
    assert {"roster sitcen-on-call", "police-zones"} <= set(opened.completes("config/chains.yaml", 2, 11))


@real
def test_a_key_says_what_it_is_and_gives_an_example(opened: Editor) -> None:
    text = (ROOT / "playbooks" / "extreme-weather.yaml").read_text("utf-8")
    opened.opens("playbooks/extreme-weather.yaml", text)
    lines = text.splitlines()
    call = opened.hover("playbooks/extreme-weather.yaml", lines.index("    call: duty-officers"), 5)
    assert "Sets an alert chain of config/chains.yaml in motion" in call
    assert "duty-officers" in call
    review = opened.hover("playbooks/extreme-weather.yaml", lines.index("review by: 2027-06-30"), 2)
    assert "When it has to be looked at again" in review
    assert "2027-06-30" in review
