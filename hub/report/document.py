"""A document as data: sections of paragraphs, tables and figures. Whatever shows one (pdf.py, html.py, text.py) takes
all text as text: names and words of others are never markup. Pure.
"""

from msgspec import Struct

from hub.model.people import Language

Refs = tuple[tuple[int, int], ...]
"""Numbers of references, as runs from the first to the last of each (references.py makes them)."""


class Paragraph(Struct, frozen=True, omit_defaults=True, kw_only=True, tag=True):
    """`records`: ids of what it rests on. `marked`: it must not be overlooked. `leads`: it belongs to what follows.
    `new`: it was not so in the document before this one. `written`: a person's words, not drawn from records."""

    text: str
    marked: bool = False
    leads: bool = False
    records: tuple[str, ...] = ()
    new: bool = False
    written: bool = False
    refs: Refs = ()


class Row(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A line end within a cell stays one. `marked`: it must not be overlooked. `new`: as a paragraph's. `anchor`: the
    number of the reference that it is."""

    cells: tuple[str, ...]
    marked: bool = False
    records: tuple[str, ...] = ()
    new: bool = False
    refs: Refs = ()
    anchor: int = 0


class Table(Struct, frozen=True, omit_defaults=True, kw_only=True, tag=True):
    """`heads` name the columns, `widths` share out the page; `large`: the columns that are read from afar (numbers)."""

    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    widths: tuple[int, ...]
    large: tuple[int, ...] = ()

    @property
    def main(self) -> int:
        """The widest column, which tells most: there stands that a row is new, and its references."""
        return self.widths.index(max(self.widths)) if self.widths else 0


class Figure(Struct, frozen=True, omit_defaults=True, kw_only=True, tag=True):
    """A drawing (SVG, of ours: figures.py). `alt`: what it shows, in a sentence, for who cannot see it."""

    svg: str
    alt: str
    records: tuple[str, ...] = ()
    refs: Refs = ()


Block = Paragraph | Table | Figure


class Section(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`level` counts from 1. `new_page`: on paper it begins one."""

    title: str
    blocks: tuple[Block, ...] = ()
    level: int = 1
    new_page: bool = False


class Named(Struct, frozen=True, array_like=True):
    """A line of the head: `valid until`, `ven. 27 nov. 06:00`."""

    name: str
    value: str


class Document(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`head`: when it was made, by whom, for how long it holds. `banner`: EXERCISE and the like, on every page.
    `classification`: who may see it, in words, on every page. `short`: the head in one line, on every page. `new`: the
    word that marks what is new."""

    title: str
    language: Language
    head: tuple[Named, ...]
    short: str
    classification: str
    sections: tuple[Section, ...]
    banner: str = ""
    new: str = ""
