"""A file of a crisis log → signals and dead letters: CSV and JSON by the mapping of the config, XML by what it says
itself (CAP, EDXL, EMSI). Pure; nothing here raises for bad content.

An entry is known again by its number and what it says: the same is one, wherever it stands.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from connectors.crisislog.config import Format, LogFormat
from connectors.crisislog.table import Row, Table, is_field, table_of
from connectors.edxl.read import parse_exchange
from connectors.expression import find
from connectors.hazards import hazard_in
from connectors.json_api.mapping import answer_of
from connectors.mapping import said, signal_of, wanted
from connectors.mapping_config import may_be_column
from connectors.text import decode_xml, digest, known_encoding
from hub.connector import BadItem, ReadError, SignalItem
from hub.model.signal import Signal

CSV_TYPE, JSON_TYPE = "text/csv", "application/json"
KEY = "log:"  # before the key of an entry that was mapped, and no message with an identity of its own
ENTRIES_MAX = 5_000  # that are read at one time
_PARAMETERS_MAX = 50
_CUT = ("not well-formed", "empty", "it may be cut off")  # what a file that is still being written looks like


class Slice(Struct, frozen=True):
    """What a part of a file holds. `next`: the number of the entry at which the rest begins, 0 where there is none.
    `cut`: it looks as if its end were missing."""

    items: tuple[SignalItem | BadItem, ...]
    next: int = 0
    cut: bool = False


class _Entry(Struct, frozen=True):
    """One entry before it is mapped. `original`: what it was read from. `fault`: why it cannot be mapped. `short`:
    values are missing at its end."""

    place: str
    value: Any
    original: bytes
    fault: str = ""
    short: bool = False


def read_slice(data: bytes, config: LogFormat, sender: str, now: datetime | None = None, first: int = 0) -> Slice:
    """At most ENTRIES_MAX entries of a file, from the one numbered `first` on. Items of XML have no original yet: it is
    the whole file. `now` stands in for a time that an entry does not give."""
    kind = config.format if config.format is not Format.AUTO else kind_of(data)
    media_type = {Format.CSV: CSV_TYPE, Format.JSON: JSON_TYPE}.get(kind, "application/xml")
    try:
        if kind is Format.XML:
            items: Sequence[SignalItem | BadItem] = parse_exchange(data, config.language, now)
            return Slice(tuple(items), cut=_cut(items))
        text, notes = text_of_file(data, config.encoding)
        if kind is Format.CSV:
            table = table_of(text, config)
            mapped, more = _by_columns(table.columns, config)
            return _slice(list(_of_table(table, config)), mapped, sender, now, first, (*notes, *more), media_type)
        entries, whole = _of_json(text, config)
        mapped = config if config.fields else _alike(entries, config)
        found = _slice(entries, mapped, sender, now, first, notes, media_type)
        return found if whole else replace(found, cut=True)
    except ReadError as error:
        return Slice((bad_file(error, data, media_type),), cut=error.reason.startswith(_CUT))
    except Exception as error:  # foreign input: whatever it does to a library is a dead letter, never a crash
        return Slice((bad_file(ReadError(f"cannot be read ({type(error).__name__})"), data, media_type),))


def kind_of(data: bytes) -> Format:
    """By the first character, whatever the encoding."""
    start = data[:4096].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1]
    return {b"<": Format.XML, b"{": Format.JSON, b"[": Format.JSON}.get(start, Format.CSV)


def text_of_file(data: bytes, encoding: str) -> tuple[str, tuple[str, ...]]:
    """The text of CSV or JSON, and what was odd about it: byte order mark, the encoding that is configured, UTF-8, else
    Windows-1252, which is what spreadsheets on Windows write."""
    marked = data[:3] == b"\xef\xbb\xbf" or data[:2] in (b"\xff\xfe", b"\xfe\xff")
    known = known_encoding(encoding)
    if not marked and known not in ("", "utf-8"):
        return data.decode(known, "replace"), ()
    if marked:
        return decode_xml(data)
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError:
        note = "not valid utf-8: read as windows-1252, some characters may be wrong"
        return data.decode("windows-1252", "replace"), (note,)


def bad_file(error: ReadError, data: bytes, media_type: str) -> BadItem:
    return BadItem(
        reason=error.reason,
        place=error.place,
        original=data,
        key="log-bad:" + digest(data, error.reason),
        media_type=media_type,
    )


# --- tables ------------------------------------------------------------------------------------------------


def _by_columns(columns: Sequence[str], config: LogFormat) -> tuple[LogFormat, tuple[str, ...]]:
    """The config for a table with these columns: without fields those that are called so, the others as parameters.
    What it wants and is not there is noted."""
    if config.fields:
        known = frozenset(columns)
        missing = [one for one in config.fields.values() if may_be_column(one) and "." not in one and one not in known]
        return config, tuple(f"there is no column {name!r}" for name in dict.fromkeys(missing))
    fields = {name: name for name in columns if is_field(name)}
    rest = {name: name for name in columns if name not in fields}
    parameters = dict(list(rest.items())[:_PARAMETERS_MAX]) | dict(config.parameters)
    return replace(config, fields=fields, parameters=parameters), ()


def _of_table(table: Table, config: LogFormat) -> Iterator[_Entry]:
    for row in table.rows:
        yield _Entry(f"{row.line}:1", row.values, _written(table, row, config), row.fault, row.short)


def _written(table: Table, row: Row, config: LogFormat) -> bytes:
    """The row with the names of its columns, as a file that the same config reads."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=table.delimiter, quotechar=config.quote)
    writer.writerow(table.columns)
    if row.fault:
        out.write(row.values[""].replace("\x1f", table.delimiter))
    else:
        writer.writerow([row.values[name] for name in table.columns])
    return out.getvalue().encode(known_encoding(config.encoding) or "utf-8", "replace")


# --- JSON --------------------------------------------------------------------------------------------------


def _of_json(text: str, config: LogFormat) -> tuple[list[_Entry], bool]:
    """The entries of a document, or of one on each line; and whether its end is there. Raises ReadError."""
    try:
        return _found(answer_of(text.encode("utf-8", "replace")), config), True
    except ReadError as error:
        lines = text.split("\n")
        if sum(bool(line.strip()) for line in lines) < 2 or not _is_object(next(filter(str.strip, lines))):
            raise error from None
    entries: list[_Entry] = []
    whole = True
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = _found(answer_of(line.encode("utf-8", "replace")), config)
        except ReadError as error:
            entries.append(_Entry(f"{number}:1", None, line.encode("utf-8", "replace"), error.reason))
            whole = any(map(str.strip, lines[number:]))
        else:
            entries += [replace(one, place=f"{number}:1") for one in found]
    return entries, whole


def _is_object(line: str) -> bool:
    try:
        return isinstance(answer_of(line.encode("utf-8", "replace")), dict)
    except ReadError:
        return False


def _found(answer: Any, config: LogFormat) -> list[_Entry]:
    found = find(config.items, answer)
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list):
        raise ReadError(f"{config.items} is no list of entries: correct items", config.items)
    return [
        _Entry(f"{config.items}[{n}]", one, json.dumps(one, ensure_ascii=False, sort_keys=True).encode())
        for n, one in enumerate(found)
    ]


def _alike(entries: Sequence[_Entry], config: LogFormat) -> LogFormat:
    """Without fields: values that are called as fields are, the others as parameters."""
    names: dict[str, None] = {}
    for entry in entries[:ENTRIES_MAX]:
        if isinstance(entry.value, Mapping):
            names.update(dict.fromkeys(list(entry.value)[:200]))
    fields = {name: name for name in names if is_field(name)}
    if not fields and names:
        raise ReadError("none of its names is one of fields: write fields in the configuration", config.items)
    rest = [name for name in names if name not in fields and name.strip()][:_PARAMETERS_MAX]
    return replace(config, fields=fields, parameters={name: name for name in rest} | dict(config.parameters))


# --- entries -----------------------------------------------------------------------------------------------


def _slice(
    entries: Sequence[_Entry],
    config: LogFormat,
    sender: str,
    now: datetime | None,
    first: int,
    notes: tuple[str, ...],
    media_type: str,
) -> Slice:
    items = [
        _item(entry, config, sender, now, notes, media_type)
        for entry in entries[first : first + ENTRIES_MAX]
        if entry.fault or wanted(entry.value, config)
    ]
    rest = first + ENTRIES_MAX
    cut = (bool(entries) and entries[-1].short) or _cut(items)
    return Slice(tuple(items), next=rest if rest < len(entries) else 0, cut=cut)


def _cut(items: Sequence[SignalItem | BadItem]) -> bool:
    last = items[-1] if items else None
    return isinstance(last, BadItem) and (last.reason.startswith(_CUT) or last.reason.endswith(_CUT))


def _item(
    entry: _Entry,
    config: LogFormat,
    sender: str,
    now: datetime | None,
    notes: tuple[str, ...],
    media_type: str,
) -> SignalItem | BadItem:
    try:
        if entry.fault:
            raise ReadError(entry.fault)
        if not isinstance(entry.value, Mapping):
            raise ReadError("the entry is no object with names and values: correct items")
        content = hashlib.sha256(entry.original).hexdigest()[:16]
        signal = signal_of(entry.value, config, sender, now, content)
        if not any(info.headline or info.description for info in signal.infos):
            raise ReadError("the entry says nothing: correct headline, event or description under fields")
    except ReadError as error:
        return replace(bad_file(error, entry.original, media_type), place=entry.place)
    signal = _completed(signal, config, notes)
    references = [one.identifier for one in signal.references]
    key = KEY + digest(signal.sender, signal.identifier, said(signal), signal.msg_type, *references)
    return SignalItem(signal=signal, key=key, original=entry.original, media_type=media_type)


def _completed(signal: Signal, config: LogFormat, notes: tuple[str, ...]) -> Signal:
    """What it is about, where no field says so, by its words."""
    infos = tuple(
        info
        if info.hazard
        else replace(info, hazard=hazard_in(f"{info.event} {info.headline} {info.description}", info.language))
        for info in signal.infos
    )
    return replace(signal, infos=infos, notes=tuple(dict.fromkeys((*signal.notes, *notes)))[:40])
