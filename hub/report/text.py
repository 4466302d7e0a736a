"""A document as plain text: for a terminal, or a mail's words. Pure."""

from collections.abc import Iterator

from hub.report.document import Block, Document, Figure, Refs, Table
from hub.report.references import marks


def text_of(document: Document) -> str:
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    if document.banner:
        yield f"*** {document.banner} ***"
    yield document.title.upper()
    for line in document.head:
        yield f"{line.name}: {line.value}"
    for section in document.sections:
        yield ""
        if section.title:
            yield section.title.upper() if section.level == 1 else f"-- {section.title}"
        for block in section.blocks:
            yield from _block(block, document.new)
    if document.banner:
        yield f"*** {document.banner} ***"


def _block(block: Block, new: str) -> Iterator[str]:
    if isinstance(block, Table):
        yield from _rows(block, new)
    elif isinstance(block, Figure):
        yield f"({block.alt}){_refs(block.refs)}"
    else:
        yield f"{_new(block.new, new)}{block.text}{_refs(block.refs)}"


def _new(is_new: bool, word: str) -> str:
    return f"[{word}] " if is_new and word else ""


def _refs(refs: Refs) -> str:
    return f" [{', '.join(marks(refs))}]" if refs else ""


def _rows(table: Table, new: str) -> Iterator[str]:
    """Columns as wide as their widest line."""
    cells = []
    for one in table.rows:
        said = list(one.cells)
        said[table.main] = f"{_new(one.new, new)}{said[table.main]}{_refs(one.refs)}"
        cells.append(tuple(cell.split("\n") for cell in said))
    widths = [max((len(line) for row in cells for line in row[n]), default=0) for n in range(len(table.heads))]
    for row in cells:
        for nth in range(max(len(lines) for lines in row)):
            parts = (lines[nth] if nth < len(lines) else "" for lines in row)
            yield "  ".join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip()
