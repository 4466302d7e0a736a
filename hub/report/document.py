"""A document as data: sections of paragraphs and tables. Whatever shows one (pdf.py, html.py, text.py) takes all text
as text: names and words of others are never markup. Pure.
"""

from msgspec import Struct

from hub.model.people import Language


class Paragraph(Struct, frozen=True, omit_defaults=True, kw_only=True, tag=True):
    """`records`: ids of what it rests on. `marked`: it must not be overlooked. `leads`: it belongs to what follows."""

    text: str
    marked: bool = False
    leads: bool = False
    records: tuple[str, ...] = ()


class Row(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A line end within a cell stays one. `marked`: it must not be overlooked."""

    cells: tuple[str, ...]
    marked: bool = False
    records: tuple[str, ...] = ()


class Table(Struct, frozen=True, omit_defaults=True, kw_only=True, tag=True):
    """`heads` name the columns, `widths` share out the page; `large`: the columns that are read from afar (numbers)."""

    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    widths: tuple[int, ...]
    large: tuple[int, ...] = ()


class Section(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`level` counts from 1. `new_page`: on paper it begins one."""

    title: str
    blocks: tuple[Paragraph | Table, ...] = ()
    level: int = 1
    new_page: bool = False


class Named(Struct, frozen=True, array_like=True):
    """A line of the head: `valid until`, `ven. 27 nov. 06:00`."""

    name: str
    value: str


class Document(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`head`: when it was made, by whom, for how long it holds. `banner`: EXERCISE and the like, on every page.
    `classification`: who may see it, in words, on every page. `short`: the head in one line, on every page."""

    title: str
    language: Language
    head: tuple[Named, ...]
    short: str
    classification: str
    sections: tuple[Section, ...]
    banner: str = ""
