"""People as a table: CSV (RFC 4180) as spreadsheets write and read it.

One row is one person; the first row names the columns, in any of the four languages:

    id;name;language;speaks;organisation;discipline;competences;exercises;sms;sms 2;call;email

A second address of a channel stands in a column of its own (`sms 2`); ` (live only)` behind an address keeps exercises
and tests from it. Taken as they come: `;`, `,` or tab between the cells, `sep=` lines, `="0450"`, a number without its
first 0 or its plus. On the way out, a cell that a spreadsheet would take for a formula gets an apostrophe before it,
which is taken off again on the way in.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from hub.findings import choice
from hub.model.people import Person
from hub.people.directory import readable
from hub.people.exchange.draft import Draft, Known, Notes, made_id

SEPARATORS = ";,\t"
FIELDS = ("id", "name", "language", "speaks", "organisation", "discipline", "competences", "exercises")
LIVE_ONLY = " (live only)"
_LIVE_ONLY = re.compile(r"(?i)\s*\(live only\)$")
_CALL = "call"  # what people say for the channel `voice`
_WORDS: dict[str, str] = {
    **dict.fromkeys(("nom", "naam", "full-name", "nom-complet", "volledige-naam", "display-name"), "name"),
    **dict.fromkeys(("langue", "taal", "sprache"), "language"),
    **dict.fromkeys(("autres-langues", "andere-talen", "weitere-sprachen", "parle", "spreekt", "spricht"), "speaks"),
    **dict.fromkeys(("organisatie", "organization", "service", "dienst", "company", "societe"), "organisation"),
    **dict.fromkeys(("disziplin",), "discipline"),
    **dict.fromkeys(("competence", "competenties", "kompetenzen", "skills", "competency"), "competences"),
    **dict.fromkeys(("exercices", "oefeningen", "ubungen"), "exercises"),
}
_BY_PHONE = ("appel", "oproep", "anruf", "telephone", "telefoon", "telefon", "phone", "tel", "fixe", "vast", "festnetz")
_CHANNELS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("gsm", "mobile", "mobiel", "handy", "portable", "mobile-phone", "gsm-nummer"), ("sms", "voice")),
    **dict.fromkeys((_CALL, *_BY_PHONE), ("voice",)),
    **dict.fromkeys(("e-mail", "mail", "courriel", "e-mail-address", "adresse-e-mail"), ("email",)),
}
_FORMULA = re.compile(r"[=+\-@#\t\r\n＝＋－＠]")
_ERROR = re.compile(r"#(?:N/[AB]|NV|#+|[^\W\d_]+(?:/0)?[!?])")  # `#REF!`, `#NAAM?`, `#N/A`, and `####` for want of room
_INTERNATIONAL = re.compile(r"\+[1-9][\d ]+")
_LIST_ITEM = re.compile(r"(?:\\.|[^,;|\n\\]|\\$)+")
ROW_LINES_MAX = 20  # a quote that is never closed must not swallow the rest of the file


# --- in ----------------------------------------------------------------------------------------------------


def drafts_of(text: str, known: Known, notes: Notes) -> Iterator[Draft]:
    """One draft per row that has anything in it."""
    separator, rows = _rows(text, notes)
    head = next(rows, None)
    if head is None:
        notes.add(1, "empty", "the file is empty", f"name the columns in its first line: {';'.join(FIELDS)};sms")
        return
    columns = _columns(head, known, notes)
    if "name" not in columns:
        found = f"of {len(columns)} columns none is the name"
        notes.add(head[0], "no-name", found, f"call it name; between cells stands {separator!r}")
        return
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if any(cell.strip() for cell in cells[len(columns) :]):
            told = f"this row has {len(cells)} cells, the first row {len(columns)}"
            notes.add(line, "too-many-cells", told, f"put a text with {separator!r} in it into quotes")
            continue
        draft = Draft(line)
        taken = [_put(draft, column, _cell(cell), known, notes) for column, cell in zip(columns, cells, strict=False)]
        if all(taken):
            yield draft


def _rows(text: str, notes: Notes) -> tuple[str, Iterator[tuple[int, list[str]]]]:
    """The separator, as a `sep=` line says or as the first row shows; the rows, with the line each begins in."""
    lines = io.StringIO(text, newline="").readlines()
    first = next((n for n, line in enumerate(lines) if line.strip()), 0)
    separator = ""
    if lines and (said := re.fullmatch(r'(?i)"?sep=([;,|\t])"?\s*', lines[first])):
        separator, first = said[1], first + 1
    if not separator:
        head = re.sub(r'"[^"]*"', "", lines[first]) if first < len(lines) else ""
        separator = max(SEPARATORS, key=head.count)
    return separator, _split(lines, first, separator, notes)


def _split(lines: Sequence[str], at: int, separator: str, notes: Notes) -> Iterator[tuple[int, list[str]]]:
    while at < len(lines):
        reader = csv.reader(iter(lines[at : at + ROW_LINES_MAX]), delimiter=separator, strict=True)
        try:
            cells = next(reader)
        except (csv.Error, StopIteration):
            remedy = 'close them, or write "" for a quote in a text'
            notes.add(at + 1, "not-csv", "the quotes of this row do not pair", remedy)
            at += 1
            continue
        yield at + 1, cells
        at += reader.line_num


def _columns(head: tuple[int, list[str]], known: Known, notes: Notes) -> list[str]:
    """What each column holds: a field, `reach sms voice` for addresses, `""` for what has no place here."""
    columns: list[str] = []
    for title in head[1]:
        column = _column(title, known)
        if column in columns and column in FIELDS:
            message = f'there are two columns for "{column}"'
            notes.add(head[0], "column-twice", message, "the first counts", warning=True)
            column = ""
        elif not column and title.strip():
            words = [*FIELDS, *known.channels]
            message = f'the column "{title.strip()}" is not read'
            notes.add(head[0], "unknown-column", message, choice(title.strip(), words), warning=True)
        columns.append(column)
    return columns


def _column(title: str, known: Known) -> str:
    word = (_cell(title) or "").strip().removesuffix(":")
    base = re.sub(r"\s\d+$", "", word)
    for channel in (word, base):
        if channel.casefold() in known.channels:
            return f"reach {channel.casefold()}"
    plain = made_id(base)
    if plain in FIELDS:
        return plain
    if plain in _WORDS:
        return _WORDS[plain]
    return " ".join(["reach", *_CHANNELS[plain]]) if plain in _CHANNELS else ""


def _cell(text: str) -> str | None:
    """The value of a cell, without what spreadsheets or we ourselves put around it; None for a formula or an error."""
    text = text.strip(" \u00a0")
    if wrapped := re.fullmatch(r'="(.*)"', text, re.DOTALL):
        return wrapped[1].replace('""', '"')
    if re.fullmatch(r"=\+?[\d ]+", text):
        return text[1:]
    if _guarded(text):
        return text[1:]
    return None if text.startswith("=") or _ERROR.fullmatch(text) else text


def _guarded(text: str) -> bool:
    return text.startswith("''") or (text.startswith("'") and _FORMULA.match(text, 1) is not None)


def _put(draft: Draft, column: str, text: str | None, known: Known, notes: Notes) -> bool:
    """Whether the cell could be taken."""
    if text is None and column:
        told = f"{column.removeprefix('reach ')} holds a formula or its error"
        notes.add(draft.line, "a-formula", told, "write the value itself")
        return False
    if not text or not column:
        return True
    if column.startswith("reach "):
        named = column.split(" ")[1:]
        for channel in [c for c in named if c in known.channels] or named[:1]:
            several = channel in known.phones or channel in known.mails
            for one in re.split(r"\s*[|\n]\s*", text) if several else [text]:
                address = _LIVE_ONLY.sub("", one.strip())
                draft.addresses.append((channel, address, address != one.strip()))
    elif column in ("speaks", "competences"):
        setattr(draft, column, _items(text))
    else:
        setattr(draft, column, text.strip())
    return True


def _items(text: str) -> list[str]:
    return [re.sub(r"\\(.)", r"\1", item).strip() for item in _LIST_ITEM.findall(text) if item.strip()]


# --- out ---------------------------------------------------------------------------------------------------


def csv_of(people: Iterable[Person], separator: str = ";") -> str:
    """A table of the people, for spreadsheets: with the mark by which Excel knows UTF-8, and CRLF."""
    kept = list(people)
    most: dict[str, int] = {}  # channel → addresses of whoever has most
    for person in kept:
        for channel in {way.channel for way in person.addresses}:
            most[channel] = max(most.get(channel, 0), sum(way.channel == channel for way in person.addresses))
    columns = [(channel, n) for channel in _ordered(most) for n in range(most[channel])]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow([*FIELDS, *(_title(channel, n) for channel, n in columns)])
    for person in kept:
        writer.writerow([*map(_safe, _fields(person)), *(_reached(person, channel, n) for channel, n in columns)])
    return "\ufeff" + out.getvalue()


def _ordered(channels: Iterable[str]) -> list[str]:
    usual = ("sms", "voice", "email")
    return sorted(channels, key=lambda c: (usual.index(c) if c in usual else len(usual), c))


def _title(channel: str, n: int) -> str:
    word = _CALL if channel == "voice" else channel
    return word if n == 0 else f"{word} {n + 1}"


def _fields(person: Person) -> Sequence[str]:
    return (
        person.id,
        person.name,
        person.language,
        ", ".join(person.speaks),
        person.organisation,
        person.discipline or "",
        ", ".join(re.sub(r"([,;|\n\\])", r"\\\1", one) for one in person.competences),
        "yes" if person.exercises else "no",
    )


def _reached(person: Person, channel: str, n: int) -> str:
    ways = [way for way in person.addresses if way.channel == channel]
    if n >= len(ways):
        return ""
    way = ways[n]
    return _safe(way.address, LIVE_ONLY if way.live_only else "")


def harmless(text: str) -> str:
    """A cell of any table, whatever is written in it."""
    return _safe(text)


def _safe(text: str, after: str = "") -> str:
    """A cell no spreadsheet takes for a formula (OWASP: CSV injection). A number with its plus is none, written with
    spaces: it stays readable."""
    if _INTERNATIONAL.fullmatch(text):
        return readable(text) + after
    return ("'" if _FORMULA.match(text) or _guarded(text) else "") + text + after
