"""A document as plain text: for a terminal, or a mail's words. Pure."""

from collections.abc import Iterator

from hub.report.document import Document, Paragraph, Table


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
            yield from [block.text] if isinstance(block, Paragraph) else _rows(block)


def _rows(table: Table) -> Iterator[str]:
    """Columns as wide as their widest line."""
    cells = [tuple(cell.split("\n") for cell in row.cells) for row in table.rows]
    widths = [max((len(line) for row in cells for line in row[n]), default=0) for n in range(len(table.heads))]
    for row in cells:
        for nth in range(max(len(lines) for lines in row)):
            parts = (lines[nth] if nth < len(lines) else "" for lines in row)
            yield "  ".join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip()
