"""Pages for authors that are run as their reader would: files written, commands typed, what is shown compared.

A block says after three backticks what it is. A page is walked from its beginning to its end, in a folder that holds
what a fresh clone holds of `config/`, `playbooks/` and `samples/`.

    yaml playbooks/tap-water.yaml            the file
    yaml add to playbooks/tap-water.yaml     goes to the end of the file
    yaml in playbooks/tap-water.yaml         its keys take the place of those of the same name
    yaml for "at 3 min" in playbooks/...     takes the place of the one line that holds these words
    console                                  lines with `$ ` are typed; the rest is what they show
"""

import io
import re
import shlex
import shutil
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import Struct

from hub.cli import app
from tests.conftest import ROOT

DAY = datetime(2026, 7, 14, 10, 0, tzinfo=UTC)
WIDTH = 100  # of the terminal that pages show
_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_CHANGES = (  # what differs from one reader to the next
    (re.compile(r"in \d+\.\d s"), "in a moment"),
    (re.compile(r"at \d{4}-\d\d-\d\d \d\d:\d\d"), "now"),
)


class Block(Struct, frozen=True):
    """What stands between fences. `heading`: the last one of the second level before it, `""` before the first."""

    info: str
    text: str
    heading: str
    line: int

    @property
    def file(self) -> str:
        """The file it is, or is of."""
        return self.info.rpartition(" ")[2] if "/" in self.info else ""


class Typed(Struct, frozen=True):
    """A command, and what the page says that it shows."""

    command: str
    shown: tuple[str, ...]


def blocks(page: Path) -> list[Block]:
    """Those of a page, in its order. A block that is not closed, or not begun, is an error."""
    text = page.read_text()
    found = list(_FENCE.finditer(text))
    assert text.count("```") == 2 * len(found), f"{page}: a block is not closed"
    headings = [(m.start(), m[1]) for m in re.finditer(r"^## (.+)$", text, re.MULTILINE)]
    return [
        Block(
            info=block[1],
            text=block[2],
            heading=next((name for at, name in reversed(headings) if at < block.start()), ""),
            line=text.count("\n", 0, block.start()) + 1,
        )
        for block in found
    ]


def typed(text: str) -> Iterator[Typed]:
    """The commands of a console block."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *shown = part.rstrip("\n").split("\n")
        yield Typed(command, tuple(shown))


def same(shown: Sequence[str], real: Sequence[str]) -> bool:
    """Whether a page shows what there is; `...` stands for any lines, `…` at its end for the rest of a line."""
    if not shown:
        return not real
    if shown[0].strip() == "...":
        return any(same(shown[1:], real[n:]) for n in range(len(real) + 1))
    return bool(real) and _alike(_plain(shown[0]), _plain(real[0])) and same(shown[1:], real[1:])


def _alike(shown: str, real: str) -> bool:
    return real.startswith(shown[:-1]) if shown.endswith("…") else shown == real


def _plain(line: str) -> str:
    for pattern, instead in _CHANGES:
        line = pattern.sub(instead, line)
    return re.sub(r"\s+", " ", line).strip()


class Desk:
    """The folder an author works in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("config", "playbooks", "samples/guide"):
            shutil.copytree(ROOT / name, folder / name)

    def sit_down(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Commands are typed here from now on, on a known day, in a terminal of a known width."""
        monkeypatch.chdir(self.folder)
        monkeypatch.setattr("hub.cli.setting.wall", lambda: DAY)
        monkeypatch.setenv("COLUMNS", str(WIDTH))
        monkeypatch.setenv("NO_COLOR", "1")

    def write(self, block: Block) -> None:
        """Does with a file what a block says."""
        file = self.folder / block.file
        file.parent.mkdir(parents=True, exist_ok=True)
        how = block.info.removeprefix("yaml").removesuffix(block.file).strip()
        if how == "":
            assert not file.exists(), f"line {block.line}: {block.file} is there already"
            file.write_text(block.text)
        elif how == "add to":
            file.write_text(file.read_text() + "\n" + block.text)
        elif how == "in":
            file.write_text(with_keys(file.read_text(), block.text))
        else:
            words = re.fullmatch(r'for "(.+)" in', how)
            assert words is not None, f"line {block.line}: {block.info}"
            lines = file.read_text().splitlines(keepends=True)
            (at,) = (n for n, line in enumerate(lines) if words[1] in line)
            file.write_text("".join([*lines[:at], block.text, *lines[at + 1 :]]))

    def type(self, command: str) -> list[str]:
        """The lines a command shows."""
        program, *arguments = shlex.split(command)
        assert program == "vigie", command
        terminal = io.StringIO()
        with redirect_stdout(terminal), redirect_stderr(terminal), pytest.raises(SystemExit):
            app(arguments)
        return terminal.getvalue().rstrip("\n").split("\n")


def with_keys(text: str, block: str) -> str:
    """A file with those keys as the block writes them, in their place, or at its end."""
    for part in re.findall(r"(?:^#.*?\n)*^[^\s#].*?(?=^\S|\Z)", block, re.DOTALL | re.MULTILINE):
        key = re.escape(re.sub(r"^#.*\n", "", part, flags=re.MULTILINE).partition(":")[0])
        there = re.search(rf"^{key}:.*?(?=^\S|\Z)", text, re.DOTALL | re.MULTILINE)
        if there is None:
            text = f"{text.rstrip()}\n\n{part}"
        else:
            text = f"{text[: there.start()]}{part.rstrip()}\n\n{text[there.end() :]}"
    return text.rstrip() + "\n"
