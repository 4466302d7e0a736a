"""The lines of an iCalendar file (RFC 5545, 3.1) that are read, before the library sees them. Pure.

The library makes an object of everything and takes its time for it: alarms, attendees and pictures are nothing to us,
and what may stand in an event once is no more true for standing there a thousand times. So a file of any size costs
what its events cost. A file whose components do not close where they should is refused: of a single missing END the
library would make a calendar without any event.
"""

import re
from typing import Any

from icalendar.parser import Contentline, Parameters
from msgspec import Struct

DATES_MAX = 1_000  # EXDATE and RDATE of an event
ZONES_MAX = 50  # VTIMEZONE of a file
_TWICE = 2  # so often is kept what may stand in an event once: then it is known to be wrong
_OFTEN = {"RRULE": 5, "CATEGORIES": 20, "EXDATE": DATES_MAX + 1, "RDATE": DATES_MAX + 1}
_ONCE = frozenset(
    {"UID", "DTSTAMP", "SEQUENCE", "SUMMARY", "DESCRIPTION", "LOCATION", "GEO", "STATUS", "URL", "ORGANIZER"}
    | {"DTSTART", "DTEND", "DURATION", "RECURRENCE-ID"}
)
_OWN_MAX = 60  # properties named X-...
_ZONE_LINES_MAX = 500  # of a VTIMEZONE, and of the calendar itself
_ZONE_NAMES_MAX = 100
_DEPTH_MAX = 10
_LINES_MAX = 60_000  # that are read, of each MiB: a real calendar has 30,000
_TEXT_MAX = 40_000  # characters of a line; of one that is no text:
_FIELD_MAX = 1_000
_FIELDS = frozenset({"UID", "DTSTAMP", "SEQUENCE", "DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RRULE", "GEO"})
_ZONE_NAME = re.compile(r";TZID=([^;:]*)", re.IGNORECASE)
_UNREAD = frozenset({"VTODO", "VJOURNAL", "VFREEBUSY", "VALARM", "VAVAILABILITY"})
_SIMPLE = re.compile(r"([A-Za-z0-9-]+)(?:;([A-Za-z0-9-]+)=([A-Za-z0-9/_+-]+))?:")


class Stands(Struct, frozen=True):
    """Where an event stands: its line, from 1, and what is written there. `problem`: why it cannot be used."""

    line: int
    source: bytes
    problem: str = ""


class Damaged(Exception):
    """The file's components do not fit into one another."""


class Line(Contentline):
    """A line that is taken apart quickly where only a name and one plain parameter stand before its value, as in nearly
    all."""

    __slots__ = ()

    def __new__(cls, text: str) -> "Line":
        made: Line = super().__new__(cls, text)  # type: ignore[no-untyped-call] # theirs says no types
        return made

    def raw_parts(self) -> tuple[str, Any, str]:
        found = _SIMPLE.match(self)
        if found is None:
            return super().raw_parts()
        return found[1], Parameters({found[2]: found[3]} if found[2] else {}), self[found.end() :]


def read_lines(text: str) -> tuple[list[Contentline], list[Stands]]:
    """The lines that count, and where each event stands that is among them, in order. Raises Damaged."""
    reading = _Reading(text)
    reading.read()
    return reading.lines, reading.events


class _Reading:
    def __init__(self, text: str) -> None:
        self._text = text
        self.lines: list[Contentline] = []
        self.events: list[Stands] = []
        self._open: list[str] = []
        self._unread = 0  # how many of the open components are not read
        self._zones: set[str] = set()
        self._zone = ""
        self._first = 0  # where in `lines` the open event or time zone begins
        self._begins = (0, 0)  # line and place of the open event
        self._counts: dict[str, int] = {}
        self._seen: set[str] = set()
        self._dates = 0
        self._zone_names: set[str] = set()
        self._problem = ""
        self._room = _LINES_MAX * max(1.0, len(text) / (1 << 20))

    def read(self) -> None:
        pieces: list[str] = []
        number, begins, at = 0, 0, 0  # of the line, where the pieces begin, of the line's beginning
        began = 0
        for number, line in enumerate(self._text.split("\n"), 1):
            if line[:1] in (" ", "\t") and pieces:
                pieces.append(line[1:].removesuffix("\r"))
            elif line and line != "\r":
                self._line("".join(pieces), begins, began, at)
                pieces, begins, began = [line.removesuffix("\r")], number, at
            at += len(line) + 1
        self._line("".join(pieces), begins, began, len(self._text))

    def _line(self, line: str, number: int, at: int, end: int) -> None:
        """A whole line, unfolded. `at`, `end`: where it stands in the text."""
        if not line:
            return
        name = re.match(r"[^:;]*", line)[0].strip().upper()  # type: ignore[index] # matches always
        if name == "BEGIN":
            self._begin(_value(line), number, at)
        elif name == "END":
            self._end(_value(line), number, end)
        elif self._unread:
            return
        elif not self._open:
            if name != "X-COMMENT":
                raise Damaged(f"line {number} stands outside the calendar")
        elif self._open[-1] == "VEVENT":
            self._of_event(name, line)
        else:
            self._of_calendar(name, line)

    def _begin(self, component: str, number: int, at: int) -> None:
        inside = self._open[-1] if self._open else ""
        if component == "VEVENT" and "VEVENT" in self._open:
            raise Damaged(f"line {number}: an event begins within another: END:VEVENT is missing before it")
        self._open.append(component)
        if len(self._open) > _DEPTH_MAX:
            raise Damaged(f"line {number}: more than {_DEPTH_MAX} components within one another")
        if self._unread or component in _UNREAD or inside == "VEVENT":
            self._unread += 1
            return
        if component == "VEVENT" and inside != "VCALENDAR":
            raise Damaged(f"line {number}: an event begins outside the calendar")
        if component in ("VEVENT", "VTIMEZONE"):
            self._first, self._begins, self._dates, self._zone = len(self.lines), (number, at), 0, ""
            self._problem = ""
        if component in ("VEVENT", "VTIMEZONE", "VCALENDAR"):
            self._counts, self._seen = {}, set()
        self.lines.append(Line(f"BEGIN:{component}"))

    def _end(self, component: str, number: int, end: int) -> None:
        while self._unread and self._open[-1] != component:  # nothing is lost with an alarm that does not end
            self._open.pop()
            self._unread -= 1
        if not self._open or self._open.pop() != component:
            raise Damaged(f"line {number}: END:{component[:40]} ends nothing that is open there")
        if self._unread:
            self._unread -= 1
            return
        self.lines.append(Line(f"END:{component}"))
        if component == "VTIMEZONE":
            if self._zone in self._zones or len(self._zones) >= ZONES_MAX:
                del self.lines[self._first :]
            self._zones.add(self._zone)
        elif component == "VEVENT":
            line, at = self._begins
            self.events.append(Stands(line, self._text[at:end].encode("utf-8", "replace"), self._problem))
            if len(self.lines) > self._room:
                raise Damaged(
                    f"line {number}: more than {_LINES_MAX} lines of use in a MiB of it: no calendar has that"
                )

    def _of_event(self, name: str, line: str) -> None:
        own = name.startswith("X-")
        if not own and name not in _ONCE and name not in _OFTEN:
            return
        count = self._counts[name] = self._counts.get(name, 0) + 1
        if own and count == 1:
            self._counts["X-"] = self._counts.get("X-", 0) + 1
        if count > _OFTEN.get(name, _TWICE) or (own and self._counts["X-"] > _OWN_MAX):
            return
        if name in ("EXDATE", "RDATE"):
            if line in self._seen:
                return
            self._seen.add(line)
            self._dates += line.count(",") + 1
            if self._dates > DATES_MAX:
                self._problem = f"has more than {DATES_MAX} dates in EXDATE and RDATE: make several events of it"
                return
        if name in _FIELDS and len(line) > _FIELD_MAX:
            self._problem = f"has a {name} of {len(line)} characters: at most {_FIELD_MAX}, correct it"
            return
        if zone := _ZONE_NAME.search(line, 0, _FIELD_MAX):
            if zone[1] not in self._zone_names and len(self._zone_names) >= _ZONE_NAMES_MAX:
                self._problem = f"names a time zone beyond the first {_ZONE_NAMES_MAX} of its file: use fewer"
                return
            self._zone_names.add(zone[1])
        self.lines.append(Line(line[:_TEXT_MAX]))

    def _of_calendar(self, name: str, line: str) -> None:
        self._counts[""] = count = self._counts.get("", 0) + 1
        if count > _ZONE_LINES_MAX:
            return
        if name == "TZID" and not self._zone:
            self._zone = _value(line)
        self.lines.append(Line(line[:_TEXT_MAX]))


def _value(line: str) -> str:
    return line.partition(":")[2].strip().upper()
