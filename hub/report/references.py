"""From the records that parts of a document rest on to numbers, and the list that says which record each is. Pure."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import TypeVar

from msgspec.structs import replace

from hub.report.document import Block, Document, Figure, Paragraph, Refs, Row, Section, Table

Part = TypeVar("Part", Paragraph, Row, Figure)


RECORDS_MOST = 60  # of one part: what rests on more names the first of them


def referenced(document: Document, title: str, heads: Sequence[str], told: Callable[[str], Sequence[str]]) -> Document:
    """The document with a number wherever it rests on records, counted as they come, and at its end the list of them.
    `heads` name the list's columns after the number, `told` fills them for a record."""
    numbers: dict[str, int] = {}

    def part(one: Part) -> Part:
        known = dict.fromkeys(record for record in one.records if record)
        found = [numbers.setdefault(record, len(numbers) + 1) for record in list(known)[:RECORDS_MOST]]
        return replace(one, refs=runs(found)) if found else one

    def block(one: Block) -> Block:
        if isinstance(one, Table):
            return replace(one, rows=tuple(part(row) for row in one.rows))
        if isinstance(one, Figure):
            return part(one)
        return part(one)

    sections = [replace(s, blocks=tuple(block(one) for one in s.blocks)) for s in document.sections]
    if numbers:
        rows = tuple(Row(cells=(str(n), *told(record)), anchor=n) for record, n in numbers.items())
        listed = Table(heads=("", *heads), rows=rows, widths=(1, *(6 for _ in heads)))
        sections.append(Section(title=title, blocks=(listed,)))
    return replace(document, sections=tuple(sections))


def runs(numbers: Iterable[int]) -> Refs:
    """1, 2, 3, 7 → ((1, 3), (7, 7))."""
    ordered = sorted(set(numbers))
    found = []
    for _, group in groupby(enumerate(ordered), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        found.append((run[0], run[-1]))
    return tuple(found)


def marks(refs: Refs) -> list[str]:
    """How each run is written: `1–3`, `7`."""
    return [str(a) if a == b else f"{a}, {b}" if b == a + 1 else f"{a}–{b}" for a, b in refs]
