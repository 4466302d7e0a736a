"""What a request says of who comes, where, and for how long. Pure; what partners type is foreign text."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.model.access import Guest, Room
from hub.model.signal import Signal
from hub.people.folding import fold
from hub.playbook.language import Admit

PEOPLE_MAX = 300  # of one request: more is no list of people but a mistake, or worse
PART_MAX = 120  # characters of a name, a service, a function
_LETTERS_MIN = 2
_LINES_TOLD = 5
_BULLET = re.compile(r"^(?:[-*•·–]|\d{1,3}[.)])\s+")
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})  # control signs, marks of direction, nothing at all


class Asked(Struct, frozen=True, kw_only=True):
    """What a request asks for. `until`: None where nobody can be let in for now. `problems`: what could not be made of
    it, in words that hold nothing of what was typed."""

    guests: tuple[Guest, ...]
    rooms: tuple[str, ...]
    start: datetime | None
    until: datetime | None
    problems: tuple[str, ...] = ()


def asked_for(
    signal: Signal, action: Admit, rooms: Mapping[str, Room], zone: str, now: datetime, since: datetime | None = None
) -> Asked:
    """`zone`: of times that are typed without an offset; `since`: when it was granted first, if it is said anew."""
    guests, problems = guests_of(_field(signal, action.people))
    nobody = not guests and not problems
    wanted, unknown = rooms_of(_field(signal, action.rooms_from), rooms)
    if unknown:
        problems.append(f'{unknown} of the rooms that are asked for cannot be made out ("{action.rooms_from}")')
    given = tuple(dict.fromkeys((*action.rooms, *wanted)))
    if not given:
        problems.append("it asks for no room: `vigie access rooms` says which")
    start, until, unclear = _window(signal, action, zone, now, since or now)
    if unclear:
        problems.append(f"{unclear}: nobody is let in until `vigie access until` says until when")
    elif nobody:
        problems.append(f'it names nobody ("{action.people}"): `vigie access add` does')
    return Asked(guests=tuple(guests), rooms=given, start=start, until=until, problems=tuple(problems))


def _window(
    signal: Signal, action: Admit, zone: str, now: datetime, since: datetime
) -> tuple[datetime | None, datetime | None, str]:
    """From when to when, never longer than the sheet allows; what is unclear about it (nothing is granted then)."""
    starts = [info.onset for info in signal.infos if info.onset is not None]
    ends = [info.expires for info in signal.infos if info.expires is not None]
    start, wrong = (min(starts), "") if starts else _moment(signal, action.start, zone)
    until, wrong_too = (max(ends), "") if ends else _moment(signal, action.until, zone)
    if field := wrong or wrong_too:
        return start, None, f'"{field}" of the request is no day and time'
    try:
        most = (max(start, since) if start is not None else since) + timedelta(seconds=action.at_most_s)
    except OverflowError:
        return None, None, "it begins after the end of time"
    until = most if until is None else min(until, most)
    if until <= now or (start is not None and until <= start):
        return start, None, "its time is over, or ends before it begins"
    return start, until, ""


def guests_of(text: str) -> tuple[list[Guest], list[str]]:
    """One to a line: name, service, function, parted by commas, semicolons or tabs. Who stands there twice is one."""
    found: dict[str, Guest] = {}
    wrong: list[int] = []
    for number, line in enumerate(text.splitlines(), 1):
        separator = next((sign for sign in "\t;" if sign in line), ",")
        name, service, function, *_ = [*(clean(part) for part in line.split(separator, 2)), "", "", ""]
        guest = Guest(name=clean(_BULLET.sub("", name)), service=service, function=function)
        if not any((guest.name, service, function)):
            continue
        if sum(c.isalpha() for c in guest.name) < _LETTERS_MIN or max(map(len, (name, service, function))) > PART_MAX:
            wrong.append(number)
            continue
        found.setdefault(who(guest), guest)
        if len(found) + len(wrong) > PEOPLE_MAX:
            return [], [f"it names more than {PEOPLE_MAX} people: nobody of them is let in"]
    lines = ", ".join(map(str, wrong[:_LINES_TOLD])) + (" ..." if len(wrong) > _LINES_TOLD else "")
    return list(found.values()), [f"nobody can be made of line {lines} of its list: it begins with no name"] * bool(
        wrong
    )


def rooms_of(text: str, rooms: Mapping[str, Room]) -> tuple[list[str], int]:
    """The rooms that are asked for, by id or name in any language; how many cannot be made out."""
    named = {fold(name): room.id for room in rooms.values() for name in (room.id, *room.names.values())}
    parts = [part for part in re.split(r"[,;\n]", text) if part.strip()]
    found = [named.get(fold(clean(part))) for part in parts]
    return [room for room in found if room is not None], found.count(None)


def clean(text: str) -> str:
    """In one line, without signs that nobody sees."""
    kept = "".join(" " if c in "\t\r\n" else c for c in text)
    seen = "".join(c for c in unicodedata.normalize("NFC", kept) if unicodedata.category(c) not in _UNSEEN)
    return " ".join(seen.split())


def who(guest: Guest) -> str:
    """What tells two people apart: name and service, however written."""
    return f"{called(guest)}\x1f{fold(guest.service)}"


def called(guest: Guest) -> str:
    """Their name, however written: accents, capitals, the order of its parts."""
    return " ".join(sorted(fold(guest.name).replace("-", " ").split()))


def meant(guests: Mapping[str, Guest], text: str) -> list[str]:
    """Whose id that is, or whose name."""
    if text in guests:
        return [text]
    name = called(Guest(name=clean(text)))
    return [key for key, guest in guests.items() if called(guest) == name] if name else []


def moment_of(text: str, zone: str) -> datetime:
    """A day and a time, in a zone unless it has an offset, as UTC. Raises ValueError."""
    at = datetime.fromisoformat(text.strip())
    return (at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def _moment(signal: Signal, field: str, zone: str) -> tuple[datetime | None, str]:
    """And the field, where it holds none."""
    text = _field(signal, field)
    if not text:
        return None, ""
    try:
        return moment_of(text, zone), ""
    except (ValueError, OverflowError):
        return None, field


def _field(signal: Signal, name: str) -> str:
    said: Iterable[Sequence[str]] = (
        ((p.name, p.value) for info in signal.infos for p in info.parameters) if name else ()
    )
    return next((value for key, value in said if key == name and value.strip()), "")
