"""Paper that cannot rot: what the pages name exists. (Each page's own examples have tests of their own.)"""

import re
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from hub.cli import app
from hub.web.api import ApiRoutes
from tests.conftest import ROOT

PAGES = sorted(
    page
    for page in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "var" for part in page.relative_to(ROOT).parts)
)
CODE = "\n".join(path.read_text() for folder in ("hub", "connectors") for path in (ROOT / folder).rglob("*.py"))

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def text_of(name: str) -> str:
    return (ROOT / name).read_text()


def test_the_pages_are_found() -> None:
    assert {"README.md", "runbook.md", "playbooks.md", "ARCHITECTURE.md"} <= {page.name for page in PAGES}


@pages
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not link.startswith(("http://", "https://", "#", "mailto:")):
            assert (page.parent / link.partition("#")[0]).exists(), f"{page}: {link}"


@pages
def test_files_that_are_named_exist(page: Path) -> None:
    roots = "hub|connectors|tools|tests|config|playbooks|samples|drills|docs"
    for path in re.findall(rf"`((?:{roots})/[\w./-]+)`", page.read_text()):
        invented = Path(path).name.partition(".")[0] in ("gas-leak", "tap-water")  # what readers write
        assert invented or (ROOT / path).exists(), f"{page}: {path}"


@pages
def test_commands_that_are_named_exist(page: Path) -> None:
    """`vigie COMMAND` with its options, `make TARGET`, `python -m MODULE`."""
    text = page.read_text()
    commands: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined] # a group: there are several
    shown = re.findall(r"^ {4}(vigie .*)$", text, re.M) + re.findall(r"`(vigie [^`]+)`", text)
    for line in shown:
        words = line.partition("#")[0].split()
        command = commands.get(words[1])
        if words[1] == "..." or words[1].startswith("--"):
            continue
        assert command is not None, f"{page}: {line}"
        rest = words[2:]
        if hasattr(command, "commands") and rest:
            inner = rest[0].partition("|")[0]
            assert inner in command.commands, f"{page}: {line}"
            command, rest = command.commands[inner], rest[1:]
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        for word in rest:
            if word.startswith("--"):
                assert word.partition("=")[0] in known, f"{page}: {line}: {word}"
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.M))
    for target in re.findall(r"(?:^ {4}|`)make ([a-z-]+)", text, re.M):
        assert target in targets, f"{page}: make {target}"
    for module in re.findall(r"python -m (tools[\w.]*)", text):
        place = ROOT / module.replace(".", "/")
        assert place.with_suffix(".py").exists() or (place / "__main__.py").exists(), f"{page}: {module}"


def test_what_the_auditor_finds_is_what_its_page_says() -> None:
    table = text_of("docs/auditor.md").partition("| finding |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`([a-z-]+)`", "\n".join(row.split("|")[1] for row in table.splitlines()[2:])))
    assert len(named) > 10
    assert {finding for finding in named if f'"{finding}"' not in CODE and not finding.startswith("queue-")} == set()


def test_the_runbook_names_records_alarms_and_routes_that_exist() -> None:
    text = text_of("docs/runbook.md")
    for kind in re.findall(r"--kind ([a-z-]+)", text):
        assert f'tag="{kind}"' in CODE, kind
    for alarm in re.findall(r"alarm `([a-z-]+)`", text):
        assert f'"{alarm}"' in CODE, alarm
    routes = {re.sub(r"\{\w+\}", "ID", operation.path) for operation in operations()}
    for path in re.findall(r"^ {4}post (\S+)", text, re.M):
        assert f"/api/{path}" in routes, path
    for path in re.findall(r"`(?:GET|POST) (/[\w./-]+)`", text):
        assert path in routes | {"/health", "/metrics", "/openapi.json"}, path


def operations() -> Any:
    api: Any = None  # nothing is called, only described
    return [operation for operation, _ in ApiRoutes(api, ["x" * 32]).routes()]
