"""Rosters: from their form to the vocabulary, and what is wrong with them."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from hub.binding import Misfit, instant
from hub.config.forms import LayerForm, OverrideForm, RosterForm, ShiftForm
from hub.findings import choice
from hub.model.people import Layer, Override, Roster, Shift
from hub.people.rosters import WEEKDAYS, NotOnDuty, double_bookings, gaps, span, taken_over
from hub.yaml import Document

AHEAD = timedelta(days=60)  # how far gaps and double bookings are looked for
NOTICE_MOST = timedelta(days=7)
_SHOWN = 5  # of each roster's gaps
_DAYS = {"weekdays": WEEKDAYS[:5], "weekend": WEEKDAYS[5:]}

Path = tuple[str | int, ...]


def rosters_of(
    document: Document, forms: Mapping[str, RosterForm], people: Collection[str], zone: str, today: str = ""
) -> dict[str, Roster]:
    """`today`: an ISO day; what rotates is looked at for `AHEAD` from then on."""
    rosters: dict[str, Roster] = {}
    for name, form in forms.items():
        for path, person in _named(name, form):
            if person not in people:
                document.add(document.at(*path), "unknown-person", f'"{person}" is nobody', choice(person, people))
        rosters[name] = _roster(document, name, form, zone)
        _check_gaps(document, rosters[name], zone, today)
    if today:
        _check_double_bookings(document, rosters, zone, today)
    return rosters


def _roster(document: Document, name: str, form: RosterForm, zone: str) -> Roster:
    shifts = [Shift(form.always)] if form.always else []
    for number, shift in enumerate(form.shifts):
        if (when := _when(document, (name, "shifts", number), shift, zone)) is not None:
            shifts.append(Shift(shift.people, *when))
    overrides = []
    for number, override in enumerate(form.overrides):
        if not override.people:
            place = document.at(name, "overrides", number, "people")
            remedy = "name somebody, or take the override out: the others are on duty then as ever"
            document.add(place, "nobody", "this override puts nobody on duty", remedy)
        if (when := _when(document, (name, "overrides", number), override, zone)) is not None:
            start, end = when
            overrides.append(Override(people=override.people, start=start, end=end, besides=override.besides))
    layers = tuple(_layer(document, (name, "layers", number), layer) for number, layer in enumerate(form.layers))
    roster = Roster(
        id=name,
        shifts=tuple(shifts),
        layers=layers,
        overrides=tuple(overrides),
        zone=zone,
        notice_s=_notice(document, name, form),
        may_be_empty=form.may_be_empty,
    )
    for number, pair in enumerate(form.swaps):
        overrides += _swap(document, (name, "swaps", number), roster, pair)
    return replace(roster, overrides=tuple(overrides))


def _notice(document: Document, name: str, form: RosterForm) -> float:
    notice = form.handover_notice or 0.0
    if notice > NOTICE_MOST.total_seconds():
        place = document.at(name, "handover notice")
        document.add(
            place, "too-early", "a week is the earliest that a handover can be told", "write less: 30 min, 1 day"
        )
    return notice


def _layer(document: Document, path: Path, form: LayerForm) -> Layer:
    if not form.people or not all(form.people):
        document.add(document.at(*path, "people"), "nobody", "nobody takes turns here", "write people: [...]")
    return Layer(
        turns=form.people or ((),),
        first=form.first.isoformat(),
        days=form.every,
        at=form.at,
        hours=form.hours,
        on=tuple(dict.fromkeys(day for kind in form.on for day in _DAYS.get(kind, (kind,)))),
    )


def _when(document: Document, path: Path, form: ShiftForm | OverrideForm, zone: str) -> tuple[str, str] | None:
    start, end = (_time(document, (*path, k), t, zone) for k, t in (("from", form.start), ("until", form.end)))
    if start is None or end is None:
        return None
    if end <= start:
        place = document.at(*path, "until")
        document.add(place, "ends-before-it-begins", "this shift ends before it begins", "swap from and until")
        return None
    return start.isoformat(), end.isoformat()


def _time(document: Document, path: Path, text: str, zone: str) -> datetime | None:
    """`2026-11-23 08:00` of the hub's time zone, or with an offset of its own; in UTC."""
    try:
        return local_time(text, zone)
    except Misfit as misfit:
        document.add(document.at(*path), misfit.rule, misfit.message, misfit.remedy)
        return None


def local_time(text: str, zone: str) -> datetime:
    """Raises Misfit, also for the hour that comes twice (or never) when the clocks change."""
    try:
        wall = datetime.fromisoformat(text)
    except ValueError:
        raise Misfit("not-a-time", f'"{text}" is no time', 'write it as "2026-11-23 08:00"') from None
    if wall.tzinfo is not None:
        return instant(text)
    once, again = (wall.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    if once.utcoffset() != again.utcoffset():
        remedy = f'write it with its offset, as "{once.isoformat(" ", "minutes")}"'
        raise Misfit("clocks-change", f"on that day the clocks change, and {text} comes twice or never", remedy)
    return once.astimezone(UTC)


# --- swaps -------------------------------------------------------------------------------------------------


def _swap(document: Document, path: Path, roster: Roster, pair: Mapping[str, str]) -> Iterator[Override]:
    """Two people, each with a moment of the shift they give away: each takes the other's."""
    if len(pair) != 2:
        remedy = "write two lines: the person, and a moment of the shift that they give away"
        document.add(document.at(*path), "not-a-swap", f"a swap is between two people, here are {len(pair)}", remedy)
        return
    (one, when_one), (other, when_other) = pair.items()
    for giver, text, taker in ((one, when_one, other), (other, when_other, one)):
        at = _time(document, (*path, giver), text, roster.zone)
        if at is None:
            continue
        try:
            yield taken_over(roster, giver, at, taker)
        except NotOnDuty as error:
            document.add(document.at(*path, giver), "not-on-duty", str(error), "name a moment of their shift")


# --- what is missing ---------------------------------------------------------------------------------------


def _named(name: str, form: RosterForm) -> Iterator[tuple[Path, str]]:
    """Everybody whom a form names, and where."""
    for index, member in enumerate(form.always):
        yield (name, "always", index), member
    for number, shift in enumerate(form.shifts):
        for index, member in enumerate(shift.people):
            yield (name, "shifts", number, "people", index), member
    for number, override in enumerate(form.overrides):
        for index, member in enumerate(override.people):
            yield (name, "overrides", number, "people", index), member
    for number, layer in enumerate(form.layers):
        for index, turn in enumerate(layer.people):
            for place, member in enumerate(turn):
                yield (name, "layers", number, "people", index, place), member
    for number, swap in enumerate(form.swaps):
        for member in swap:
            yield (name, "swaps", number, member), member


def _check_gaps(document: Document, roster: Roster, zone: str, today: str) -> None:
    place = document.at(roster.id)
    if not roster.shifts and not roster.layers:
        document.add(place, "nobody", f"roster {roster.id} has nobody on duty ever", "add always:, shifts: or layers:")
        return
    if roster.may_be_empty:
        return
    looked = span(roster)
    if roster.layers and today:
        start = _midnight(today, zone)
        looked = (start, start + AHEAD)
    found = gaps(roster, *looked) if looked else ()
    for start, end in found[:_SHOWN]:
        told = f"nobody is on duty from {_local(start, zone)} to {_local(end, zone)}"
        document.add(place, "gap", told, "add a shift, or always:", warning=True)
    if len(found) > _SHOWN:
        more = f"and {len(found) - _SHOWN} times more in {AHEAD.days} days"
        document.add(place, "gap", more, "add a layer for that time, or always:", warning=True)


def _check_double_bookings(document: Document, rosters: Mapping[str, Roster], zone: str, today: str) -> None:
    """Only what changes is looked at: who is always in two rosters is there on purpose."""
    start = _midnight(today, zone)
    changing = {name: roster for name, roster in rosters.items() if roster.layers or span(roster)}
    seen: set[tuple[str, ...]] = set()
    for booking in double_bookings(changing, start, start + AHEAD):
        about = (booking.person, *booking.rosters)
        if about in seen:
            continue
        seen.add(about)
        told = f"{booking.person} is on duty in {' and '.join(booking.rosters)} from {_local(booking.start, zone)}"
        document.add(
            document.at(booking.rosters[1]),
            "double-booking",
            told,
            "give one of the two to somebody else",
            warning=True,
        )


def _midnight(today: str, zone: str) -> datetime:
    return datetime.combine(date.fromisoformat(today), time(), ZoneInfo(zone)).astimezone(UTC)


def _local(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
