"""How commands speak: results on standard output, errors on standard error, with the three exit codes."""

import sys
from collections.abc import Iterable
from typing import Any, NoReturn

import msgspec
import typer

FINE, FAULTS, COULD_NOT = 0, 1, 2


def line(text: str = "") -> None:
    sys.stdout.write(text + "\n")


def text(whole: str) -> None:
    """A file's text as it is, in UTF-8 whatever the terminal speaks."""
    sys.stdout.flush()
    sys.stdout.buffer.write(whole.encode())
    sys.stdout.buffer.flush()


def json_line(value: Any) -> None:
    """One value, one line."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


def error(text: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(text + "\n")


def could_not(text: str) -> NoReturn:
    """Ends the command with 2 and the reason."""
    error(text)
    raise typer.Exit(COULD_NOT)


def done(faults: bool) -> NoReturn:
    raise typer.Exit(FAULTS if faults else FINE)


def table(rows: Iterable[tuple[str, ...]]) -> None:
    """Columns as wide as their widest cell."""
    for text in columns(rows):
        line(text)


def columns(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """The lines of a table."""
    kept = [tuple(str(cell) for cell in row) for row in rows]
    widths = [max(len(row[i]) for row in kept) for i in range(len(kept[0]))] if kept else []
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in kept]
