"""CSV as systems really export it (RFC 4180 and its relatives) → rows by the names of their columns. Pure.

A row that is broken is told, and the next ones are read all the same.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from connectors.crisislog.config import TAB, LogFormat
from connectors.mapping_config import FIELDS, TEXTS
from hub.connector import ReadError

DELIMITERS = (";", ",", "\t", "|")
BAD_ROWS_MAX = 100  # beyond, it is no table
_COLUMNS_MAX = 500
_SEP = re.compile(r"sep=([^\w\s\"']|\t)\r?\n?", re.IGNORECASE)  # Excel's own first line
_NAMES = re.compile(r'"((?:[^"\\]|\\.)+)"|([A-Za-z_]\w*)')


class Row(Struct, frozen=True):
    """`line`: where it begins, from 1. `values`: what stands in its columns, "" where nothing. `fault`: why it cannot
    be read; its text is then in `values` under "". `short`: it has fewer values than there are columns."""

    line: int
    values: Mapping[str, str]
    fault: str = ""
    short: bool = False


class Table(Struct, frozen=True):
    """`columns`: their names. `rows`: those that are not empty."""

    delimiter: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def table_of(text: str, config: LogFormat) -> Table:
    """Raises ReadError where its columns are not those that are wanted."""
    lines = list(io.StringIO(text, newline=""))
    first = 0
    sep = ""
    if lines and (excel := _SEP.fullmatch(lines[0])):
        first, sep = 1, excel[1]
    while first < len(lines) and not lines[first].strip():
        first += 1
    if first == len(lines):
        raise ReadError("empty: expected the names of columns, and rows", "1:1")
    delimiter = ("\t" if config.delimiter == TAB else config.delimiter) or sep or _delimiter(lines[first:], config)
    rows = _Rows(lines, first, delimiter, config.quote)
    found = rows.all()
    header = found[0] if found else (first, [""], "")
    names = _names(header[1])
    if config.columns:
        columns = config.columns
        begin = 1 if tuple(names) == columns else 0
    else:
        columns, begin = tuple(names), 1
        _check(columns, config, header[0])
    return Table(delimiter, columns, tuple(_row(columns, one) for one in found[begin:]))


def wanted(config: LogFormat) -> frozenset[str]:
    """The names of columns that the config speaks of, alone or in expressions."""
    expressions = [*config.fields.values(), *config.parameters.values()]
    if not config.fields:
        return frozenset((*FIELDS, *expressions))
    inside = (a or b for expression in expressions for a, b in _NAMES.findall(expression))
    return frozenset((*expressions, *inside))


def is_field(column: str) -> bool:
    """Whether a column is called as a field of a signal is: `headline`, `headline.nl`."""
    base, _, language = column.partition(".")
    return column in FIELDS or (base in TEXTS and bool(re.fullmatch(r"[a-z]{2}(-[A-Z]{2})?", language)))


def _check(columns: Sequence[str], config: LogFormat, line: int) -> None:
    known = wanted(config)
    if not any(column in known or (not config.fields and is_field(column)) for column in columns):
        shown = ", ".join(columns[:20])[:300]
        raise ReadError(f"none of its columns ({shown}) is one of fields: correct fields", f"{line + 1}:1")


def _delimiter(lines: Sequence[str], config: LogFormat) -> str:
    """By which the first row has most of the columns that are wanted; else most columns at all."""
    known = wanted(config) | set(config.columns)

    def worth(delimiter: str) -> tuple[int, int]:
        row = next(iter(_Rows(lines, 0, delimiter, config.quote).some()), (0, [], ""))[1]
        names = _names(row)
        return sum(name in known or is_field(name) for name in names), len(names)

    return max(DELIMITERS, key=worth)


def _names(row: Sequence[str]) -> list[str]:
    """The names of columns; one that is there twice gets a number, one without a name its place."""
    names: dict[str, None] = {}
    for place, text in enumerate(row[:_COLUMNS_MAX], 1):
        name = base = " ".join(text.replace("\ufeff", "").split()) or f"column {place}"
        nth = 2
        while name in names:
            name, nth = f"{base} {nth}", nth + 1
        names[name] = None
    return list(names)


def _row(columns: Sequence[str], found: tuple[int, list[str], str]) -> Row:
    line, values, fault = found
    if fault:
        return Row(line + 1, {"": values[0]}, fault)
    if len(values) > len(columns) and any(value.strip() for value in values[len(columns) :]):
        text = f"it has {len(values)} values for {len(columns)} columns: is a delimiter inside a text without quotes?"
        return Row(line + 1, {"": "\x1f".join(values)}, text)
    padded = [*values, *("" for _ in range(len(columns) - len(values)))]
    return Row(
        line + 1,
        {name: value.strip() for name, value in zip(columns, padded, strict=False)},
        short=len(values) < len(columns),
    )


class _Rows:
    """Rows of lines, each with the index of the line it begins at; after one that is broken, from the next line on."""

    def __init__(self, lines: Sequence[str], first: int, delimiter: str, quote: str) -> None:
        self._lines = lines
        self._at = first
        self._delimiter = delimiter
        self._quote = quote

    def all(self) -> list[tuple[int, list[str], str]]:
        return list(self.some())

    def some(self) -> Iterator[tuple[int, list[str], str]]:
        bad = 0
        while self._at < len(self._lines):
            began = self._at
            reader = csv.reader(
                self._from_here(), delimiter=self._delimiter, quotechar=self._quote, doublequote=True, strict=True
            )
            try:
                for values in reader:
                    if any(value.strip() for value in values):
                        yield began, values, ""
                    began = self._at
            except csv.Error as error:
                bad += 1
                cut = " it may be cut off" if "unexpected end" in str(error) else ""
                yield began, [self._lines[began]], f"it is no row of a table ({error}):{cut or ' correct it'}"
                self._at = began + 1
                if bad >= BAD_ROWS_MAX:
                    if self._at < len(self._lines):
                        yield self._at, ["".join(self._lines[self._at :])], "too much of it is no table: correct it"
                    return

    def _from_here(self) -> Iterator[str]:
        while self._at < len(self._lines):
            self._at += 1
            yield self._lines[self._at - 1]
