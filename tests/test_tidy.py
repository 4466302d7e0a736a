"""The rules of the house that no tool checks. Each rule names what is banned, where, why, and what to use instead."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINES_MAX = 680  # a file has one subject; 400 is usual, this is where it must be split


class Ban(NamedTuple):
    """`call` is a dotted name as written in the code; `except_in` the files where it has its place."""

    call: str
    instead: str
    except_in: frozenset[str] = frozenset()


HUB_BANS = (
    Ban("time.time", "trio's clock, or hub.clock", frozenset({"hub/clock.py"})),
    Ban("time.monotonic", "trio.current_time", frozenset({"hub/journal/writer.py"})),
    Ban("time.sleep", "trio.sleep"),
    Ban("datetime.now", "Clock.now, or an argument"),
    Ban("datetime.utcnow", "Clock.now, or an argument"),
    Ban("datetime.today", "Clock.now, or an argument"),
    Ban("date.today", "Clock.now, or an argument"),
    Ban("random.random", "a `chance` argument"),
    Ban("random.choice", "a `chance` argument"),
    Ban("random.randint", "a `chance` argument"),
    Ban("random.uniform", "a `chance` argument"),
    Ban("print", "structlog, or what the command returns", frozenset({"hub/cli.py", "hub/worker_process.py"})),
    Ban("asyncio.run", "hub.bridge"),
)
# The auditor is a process of its own that must not depend on what it watches; the worker process serves one job.
OWN_PROCESSES = ("hub/auditor/", "hub/worker_process.py", "hub/cli/", "hub/web/")


def python_files(*folders: str) -> list[Path]:
    return sorted(p for folder in folders for p in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else node.attr
    return ""


def calls_in(source: str) -> set[str]:
    """Dotted names of everything called: `a.b.c()` also counts as `b.c`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            words = dotted(node.func).split(".")
            found |= {".".join(words[i:]) for i in range(len(words))} if len(words) > 1 else set(words)
    return found


@pytest.mark.parametrize("ban", HUB_BANS, ids=lambda ban: ban.call)
def test_banned_in_hub(ban: Ban) -> None:
    for path in python_files("hub"):
        name = name_of(path)
        if name in ban.except_in or name.startswith(OWN_PROCESSES):
            continue
        called = calls_in(path.read_text())
        wanted = ban.call if "." in ban.call else None
        hit = (wanted in called) if wanted else any(c == ban.call for c in _bare_calls(path))
        assert not hit, f"{name}: {ban.call}() is not for hub/: use {ban.instead}"


def _bare_calls(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}


def test_no_test_sleeps() -> None:
    sleeping = re.compile(r"\b(?:time\.sleep|asyncio\.sleep)\(\s*(?!0\s*\))")
    for path in python_files("tests"):
        if path.name != "test_tidy.py":
            for number, line in enumerate(path.read_text().splitlines(), 1):
                assert not sleeping.search(line), (
                    f"{name_of(path)}:{number}: a test waits for what it tests, not for time"
                )


def test_exceptions_to_the_checkers_say_why() -> None:
    bare = re.compile(r"#\s*(?:noqa|type:\s*ignore)(?::\s*[A-Z0-9, ]+|\[[\w, -]+\])?\s*$")
    for path in python_files("hub", "connectors", "tools"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            assert not bare.search(line), f"{name_of(path)}:{number}: say why, behind the code: `# noqa: X # because`"


def test_no_file_has_two_subjects() -> None:
    for path in python_files("hub", "connectors", "tools"):
        count = len(path.read_text().splitlines())
        assert count <= LINES_MAX, f"{name_of(path)} has {count} lines: split it by subject"


def test_nothing_is_left_unfinished() -> None:
    words = re.compile(r"\b(?:TODO|FIXME|XXX|NotImplementedError)\b")
    for path in python_files("hub", "connectors", "tools", "tests"):
        if path.name != "test_tidy.py":
            for number, line in enumerate(path.read_text().splitlines(), 1):
                assert not words.search(line), f"{name_of(path)}:{number}: finish it, or write it down as an issue"


def test_architecture_names_paths_that_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = re.findall(r"`((?:hub|connectors|tools|tests|config|playbooks|samples|docs)/[\w./-]*)`", text)
    assert len(named) > 20
    for path in named:
        assert (ROOT / path).exists(), f"ARCHITECTURE.md names {path}, which does not exist"


def test_readme_commands_exist() -> None:
    """Every `vigie COMMAND` and `make TARGET` that the README shows is one."""
    text = (ROOT / "README.md").read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for target in re.findall(r"make ([a-z-]+)", text):
        assert target in targets, f"README: make {target}: no such target"
    from typer.main import get_command

    from hub.cli import app

    commands = set(get_command(app).commands)  # type: ignore[attr-defined] # a group, as it has several commands
    for command in re.findall(r"vigie ([a-z][a-z-]+)", text):
        assert command in commands, f"README: vigie {command}: no such command"


def test_nothing_names_this_machine() -> None:
    """No path of a developer's machine and no package registry in what is committed."""
    banned = re.compile(r"/(?:work|farm)/[a-z]|pypi\.org|files\.pythonhosted|registry\.npmjs|deb\.debian\.org")
    here = {"test_tidy.py"}
    for path in sorted(ROOT.rglob("*")):
        relative = path.relative_to(ROOT)
        if path.is_dir() or relative.parts[0] in {".git", ".venv", "var", "build"} or path.name in here:
            continue
        if path.suffix in {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ""} and "egg-info" not in str(relative):
            if any(part.startswith(".") and part not in {".ci"} for part in relative.parts):
                continue
            text = path.read_text(errors="replace")
            assert not banned.search(text), f"{relative} names a path or a host of one machine"
