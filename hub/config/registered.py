"""Those of the public who registered: config/registered/*.csv, as a register exports them.

    id;language;commune;street;number;latitude;longitude;sms;call;email
    r-000001;fr;Ixelles;Chaussée d'Ixelles;12;50.8331;4.3662;+32 450 00 10 01;;

One row a person; of several addresses in a cell, a bar stands between. A row that cannot be read is left out and told,
and is no reason for the hub not to start. Pure: text in, structs out.
"""

import csv
import io
import re
from collections.abc import Iterator

from hub.config.groups import Areas
from hub.config.people import Ways
from hub.findings import Finding, choice
from hub.model.people import Address, Language, Registered
from hub.people.directory import mail_problem, normalise, phone_problem
from hub.playbook.form import CHANNEL_WORDS

COLUMNS = ("id", "language", "commune", "street", "number", "latitude", "longitude")
TOLD = 20  # findings on one file that are told one by one
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_NUMBER = re.compile(r"\s*(\d{1,4})\s*[A-Za-z]?\s*(?:[/ -].*)?")


class _Wrong(Exception):
    """What is wrong with a row, and what would be right."""

    def __init__(self, rule: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.rule, self.message, self.remedy = rule, message, remedy


def registered_of(text: str, file: str, ways: Ways, areas: Areas) -> tuple[list[Registered], list[Finding]]:
    """The registered of a file, and what is wrong with it."""
    found: dict[str, Registered] = {}
    findings: list[Finding] = []

    def note(line: int, rule: str, message: str, remedy: str) -> None:
        findings.append(
            Finding(file=file, line=line, column=1, rule=rule, message=message, remedy=remedy, warning=True)
        )

    for line, row in _rows(text):
        try:
            one = _registered(row, ways, areas)
            if one.id in found:
                raise _Wrong("id-twice", f"{one.id} is there twice", "keep one")
            found[one.id] = one
        except _Wrong as wrong:
            note(line, wrong.rule, f"{wrong.message}: the row is left out", wrong.remedy)
    more = findings[TOLD:]
    if more:
        del findings[TOLD:]
        note(more[0].line, "more", f"and {len(more)} rows more are left out", "mend these first")
    return list(found.values()), findings


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    lines = io.StringIO(text.removeprefix("\ufeff"), newline="")
    reader = csv.reader(lines, delimiter=";")
    head: list[str] = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if not head:
            head = [cell.strip().casefold() for cell in cells]
            continue
        yield reader.line_num, dict(zip(head, (cell.strip() for cell in cells), strict=False))


def _registered(row: dict[str, str], ways: Ways, areas: Areas) -> Registered:
    missing = [name for name in ("id", "language", "commune") if not row.get(name)]
    if missing:
        columns = ";".join((*COLUMNS, *ways.channels))
        raise _Wrong("incomplete", f"there is no {', '.join(missing)}", f"the first row names the columns: {columns}")
    if not _ID.fullmatch(row["id"]):
        raise _Wrong("not-an-id", f'"{row["id"][:70]}" is no id', "letters, digits, hyphens: it stands in records")
    languages = [language.value for language in Language]
    if row["language"].casefold() not in languages:
        raise _Wrong("not-a-language", f'"{row["language"]}" is no language', f"one of {', '.join(languages)}")
    communes = areas.communes(row["commune"])
    if len(communes) != 1:
        remedy = "name the commune, or its NIS code" if communes else areas.meant(row["commune"])
        raise _Wrong("unknown-commune", f'"{row["commune"]}" is no commune', remedy)
    addresses = tuple(_addresses(row, ways))
    if not addresses:
        raise _Wrong("unreachable", f"{row['id']} has no address at all", "give a number or a mail address")
    number = _NUMBER.fullmatch(row.get("number", ""))
    return Registered(
        id=row["id"],
        language=Language(row["language"].casefold()),
        commune=communes[0],
        street=row.get("street", ""),
        number=int(number[1]) if number else None,
        at=_position(row),
        addresses=addresses,
    )


def _addresses(row: dict[str, str], ways: Ways) -> Iterator[Address]:
    for column, cell in row.items():
        channel = CHANNEL_WORDS.get(column, column)
        if column in COLUMNS or not cell:
            continue
        if channel not in ways.channels:
            raise _Wrong("unknown-channel", f'"{column}" is no channel', choice(column, ways.channels))
        for text in filter(None, (part.strip() for part in cell.split("|"))):
            problem = ""
            if channel in ways.phones:
                problem = phone_problem(text, ways.region)
            elif channel in ways.mails:
                problem = mail_problem(text)
            if problem:
                wrong, _, remedy = problem.partition(": ")
                raise _Wrong("bad-address", f"{row['id']}: {channel}: {wrong}", remedy)
            yield Address(channel, normalise(text, ways.region))


def _position(row: dict[str, str]) -> tuple[float, float] | None:
    latitude, longitude = row.get("latitude", ""), row.get("longitude", "")
    if not latitude and not longitude:
        return None
    try:
        at = float(latitude.replace(",", ".")), float(longitude.replace(",", "."))
    except ValueError:
        at = (91.0, 0.0)
    if not (-90 <= at[0] <= 90 and -180 <= at[1] <= 180):
        raise _Wrong("not-a-position", f"{row['id']}: this is no position", "latitude 50.8331, longitude 4.3662")
    return at
