"""Drawing a diagram as SVG 1.1: rectangles, lines and text, nothing else. Pure.

What kind a box is shows in its head, black, grey, hatched or white, and in its frame; nothing hangs on colour.
"""

import re
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape as escaped
from xml.sax.saxutils import quoteattr

from msgspec import Struct

from hub.model.people import Language
from hub.playbook.diagram.content import Box, Graph, Kind, Mark, Part
from hub.playbook.diagram.layout import Layout, Line, Node, laid_out
from hub.playbook.diagram.text import FAMILY, width, wrap
from hub.playbook.diagram.words import WORDS

SIZE, NOTE, HEAD, TITLE, OUTCOME = 13.0, 11.5, 11.0, 22.0, 12.0
LEADING = 1.3
PADDING, INDENT = 9.0, 18.0
WIDTHS = {Kind.SIGNAL: 340.0, Kind.BY_HAND: 240.0, Kind.INCIDENT: 330.0, Kind.CALL: 290.0, Kind.TASKS: 310.0}
WIDTH = 235.0
MANY, WIDE = 4, 430.0  # a list of more tasks than that is set wider, so that it is not long
MARGIN = 18.0
HEAD_HEIGHT, TITLE_HEIGHT = 20.0, 22.0
_BAR = 26.0  # the height of what says that the incident ends

_STYLE = (
    f"text{{font-family:{FAMILY};fill:#000}}.b{{font-weight:bold}}.w{{fill:#fff}}"
    ".f{fill:#fff;stroke:#000;stroke-width:1.2}.k{fill:#000}.g{fill:#ddd;stroke:#000;stroke-width:1.2}"
    ".l{fill:none;stroke:#000;stroke-width:1.2}.t{stroke-width:2.4}.d{stroke-dasharray:5 3}"
)


# XML 1.0 has no way to write these.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escape(text: str) -> str:
    return escaped(_UNWRITABLE.sub("\ufffd", text))


class _Line(Struct, frozen=True, kw_only=True):
    """A line of text as it is placed: its left edge and baseline within the box."""

    text: str
    x: float
    y: float
    size: float
    bold: bool = False
    mark: Mark = Mark.NONE
    number: int = 0
    centred: bool = False


class _Drawn(Struct, frozen=True, kw_only=True):
    box: Box
    lines: tuple[_Line, ...]
    width: float
    height: float


def drawn(graph: Graph, language: Language) -> str:
    w = WORDS[language]
    boxes = {box.id: _set(box) for box in (*graph.boxes, *graph.end)}
    nodes = {key: _node(made) for key, made in boxes.items()}
    main = laid_out([nodes[box.id] for box in graph.boxes], graph.edges)
    end = laid_out([nodes[box.id] for box in graph.end], graph.end_edges)
    label = w["diagram"].format(title=graph.title)
    room = max(main.width, end.width, width(graph.title, TITLE, bold=True) if len(graph.title) < 60 else 0.0)
    titles = wrap(graph.title, room, TITLE, bold=True)
    under = wrap(graph.subtitle, room, NOTE)
    top = MARGIN + len(titles) * TITLE * LEADING + len(under) * NOTE * LEADING + 10
    below = top + main.height + (34.0 if graph.end else 0.0)
    height = below + end.height + MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" xml:lang="{language}" role="img" aria-labelledby="title desc" '
        f'viewBox="0 0 {room + 2 * MARGIN:.0f} {height:.0f}" '
        f'width="{room + 2 * MARGIN:.0f}" height="{height:.0f}">',
        f'<title id="title">{escape(label)}</title>',
        f'<desc id="desc">{escape(_in_words(graph, language))}</desc>',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
        'orient="auto"><path d="M0 0L10 5L0 10z"/></marker></defs>',
        '<rect width="100%" height="100%" fill="#fff"/>',
        *_titles(titles, under),
        *_part(graph.boxes, boxes, nodes, main, (room - main.width) / 2 + MARGIN, top),
    ]
    if graph.end:
        middle = below - 17
        out.append(f'<path class="l d" d="M{MARGIN:.1f} {middle:.1f}H{room + MARGIN:.1f}"/>')
        out += _part(graph.end, boxes, nodes, end, (room - end.width) / 2 + MARGIN, below)
    return "\n".join([*out, "</svg>"]) + "\n"


def _titles(titles: Sequence[str], under: Sequence[str]) -> Iterable[str]:
    y = MARGIN + TITLE * 0.8
    for text in titles:
        yield _text(text, MARGIN, y, TITLE, "b")
        y += TITLE * LEADING
    y -= TITLE * LEADING - TITLE * 0.35 - NOTE
    for text in under:
        yield _text(text, MARGIN, y, NOTE)
        y += NOTE * LEADING


def _part(
    boxes: Sequence[Box], made: dict[str, _Drawn], nodes: dict[str, Node], layout: Layout, left: float, top: float
) -> Iterable[str]:
    yield f'<g transform="translate({left:.1f} {top:.1f})">'
    for line in layout.lines:
        yield _edge(line, nodes)
    for box in boxes:
        yield from _box(made[box.id], nodes[box.id])
    yield "</g>"


# --- one box -----------------------------------------------------------------------------------------------


def _set(box: Box) -> _Drawn:
    """Sets a box's lines."""
    if box.kind in (Kind.OUTCOME, Kind.JOIN, Kind.END):
        bold = box.kind is Kind.END
        wide = width(box.title, OUTCOME, bold=bold) + 2 * PADDING
        height = _BAR if bold else OUTCOME * LEADING + 6
        line = _Line(text=box.title, x=wide / 2, y=height / 2 + OUTCOME * 0.36, size=OUTCOME, bold=bold, centred=True)
        return _Drawn(box=box, lines=(line,), width=wide, height=height)
    wide = WIDTHS.get(box.kind, WIDTH)
    if sum(part.mark is Mark.CHECK for part in box.parts) > MANY:
        wide = WIDE
    lines: list[_Line] = []
    y = HEAD_HEIGHT + (0.0 if box.title else 4.0)
    for text in wrap(box.title, wide - 2 * PADDING, SIZE + 1, bold=True):
        y += (SIZE + 1) * LEADING
        lines.append(_Line(text=text, x=PADDING, y=y, size=SIZE + 1, bold=True))
    y += 3.0
    for part in box.parts:
        y = _paragraph(part, wide, y, lines)
    return _Drawn(box=box, lines=tuple(lines), width=wide, height=y + PADDING)


def _paragraph(part: Part, wide: float, y: float, lines: list[_Line]) -> float:
    size = NOTE if part.note else SIZE
    marked = part.mark in (Mark.CHECK, Mark.NUMBER)
    x = PADDING + (INDENT if marked or part.note else 0.0)
    y += 4.0 if marked else 0.0
    for number, text in enumerate(wrap(part.text, wide - x - PADDING, size, bold=part.bold)):
        y += size * LEADING
        mark = part.mark if number == 0 else Mark.NONE
        lines.append(_Line(text=text, x=x, y=y, size=size, bold=part.bold, mark=mark, number=part.number))
    return y


def _node(made: _Drawn) -> Node:
    counts = made.box.kind not in (Kind.OUTCOME, Kind.JOIN)
    return Node(id=made.box.id, width=made.width, height=made.height, counts=counts)


def _box(made: _Drawn, node: Node) -> Iterable[str]:
    box = made.box
    yield f'<g transform="translate({node.x - made.width / 2:.1f} {node.y:.1f})">'
    yield f"<title>{escape(_spoken(box))}</title>"
    yield from _frame(made)
    if box.head:
        white = box.kind in (Kind.CALL, Kind.SIGNAL, Kind.BY_HAND)
        yield _text(box.head, PADDING, HEAD_HEIGHT / 2 + HEAD * 0.36, HEAD, "b w" if white else "b")
    for line in made.lines:
        yield from _line(line, made)
    yield "</g>"


def _frame(made: _Drawn) -> Iterable[str]:
    w, h, kind = made.width, made.height, made.box.kind
    size = f'width="{w:.1f}" height="{h:.1f}"'
    if kind is Kind.OUTCOME:
        yield f'<rect class="f" {size} rx="{h / 2:.1f}"/>'
    elif kind is Kind.JOIN:
        yield f'<rect class="f t" {size}/>'
    elif kind is Kind.END:
        yield f'<rect class="g t" {size}/>'
    else:
        round_ = ' rx="12"' if kind in (Kind.SIGNAL, Kind.BY_HAND, Kind.INCIDENT) else ""
        extra = " t" if kind is Kind.CALL else " d" if kind is Kind.WAIT else ""
        yield f'<rect class="f{extra}" {size}{round_}/>'
        if kind in (Kind.SIGNAL, Kind.BY_HAND):
            yield f'<path class="k" d="M0 {HEAD_HEIGHT}V12Q0 0 12 0H{w - 12:.1f}Q{w:.1f} 0 {w:.1f} 12V{HEAD_HEIGHT}z"/>'
        elif kind is Kind.INCIDENT:
            d = f"M0 {HEAD_HEIGHT}V12Q0 0 12 0H{w - 12:.1f}Q{w:.1f} 0 {w:.1f} 12V{HEAD_HEIGHT}z"
            yield f'<path class="g" d="{d}"/>'
        elif kind is Kind.CALL:
            yield f'<rect class="k" width="{w:.1f}" height="{HEAD_HEIGHT}"/>'
        elif kind in (Kind.NOTIFY, Kind.CONTACTS, Kind.BROADCAST, Kind.ACCESS, Kind.REPORT):
            yield f'<rect class="g" width="{w:.1f}" height="{HEAD_HEIGHT}"/>'
        else:
            yield f'<path class="l{extra}" d="M0 {HEAD_HEIGHT}H{w:.1f}"/>'


def _line(line: _Line, made: _Drawn) -> Iterable[str]:
    if line.mark is Mark.OR:
        middle = line.y - line.size * 0.35
        word = width(line.text, line.size)
        yield f'<path class="l d" d="M{PADDING + word + 4:.1f} {middle:.1f}H{made.width - PADDING:.1f}"/>'
    elif line.mark is Mark.CHECK:
        yield f'<rect class="f" x="{PADDING}" y="{line.y - 10:.1f}" width="10" height="10"/>'
    elif line.mark is Mark.NUMBER:
        yield _text(f"{line.number}.", PADDING, line.y, line.size, "b")
    yield _text(line.text, line.x, line.y, line.size, "b" if line.bold else "", centred=line.centred)


# --- lines and text ----------------------------------------------------------------------------------------


def _edge(line: Line, nodes: dict[str, Node]) -> str:
    """Down from the bottom, across between the layers, down again."""
    start, end = nodes[line.start], nodes[line.end]
    (x, _, bottom), *rest = line.points
    d = f"M{x:.1f} {start.y + start.height:.1f}V{bottom:.1f}"
    for to, top, low in rest:
        half = (bottom + top) / 2
        d += f"C{x:.1f} {half:.1f} {to:.1f} {half:.1f} {to:.1f} {top:.1f}" if to != x else f"V{top:.1f}"
        if (to, top) != (rest[-1][0], rest[-1][1]):
            d += f"V{low:.1f}"
        x, bottom = to, low
    ends = ' marker-end="url(#arrow)"' if end.counts else ""
    return f'<path class="l" d="{d}"{ends}/>'


def _text(text: str, x: float, y: float, size: float, style: str = "", *, centred: bool = False) -> str:
    anchor = ' text-anchor="middle"' if centred else ""
    named = f" class={quoteattr(style)}" if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}"{anchor}{named}>{escape(text)}</text>'


# --- in words ----------------------------------------------------------------------------------------------


def _spoken(box: Box) -> str:
    """A box read out."""
    head = f"{box.head}: {box.title}" if box.head and box.title else box.head or box.title
    said = [head, *([box.begins] if box.begins else []), *(part.text for part in box.parts)]
    return ". ".join(said)


def _in_words(graph: Graph, language: Language) -> str:
    steps = [box for box in (*graph.boxes, *graph.end) if box.kind not in (Kind.OUTCOME, Kind.JOIN, Kind.END)]
    return " — ".join(map(_spoken, steps))
