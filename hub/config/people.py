"""People, groups and rosters: from their forms to the vocabulary, and what is wrong between them."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hub.binding import Misfit, instant
from hub.config.forms import PeopleForm, PersonForm, RosterForm
from hub.findings import choice
from hub.model.people import Address, Group, Person, Roster, Shift
from hub.people.directory import Directory, normalise, phone_problem
from hub.people.rosters import gaps, span
from hub.playbook.form import CHANNEL_WORDS
from hub.yaml import Document, Node


def people_of(
    document: Document, form: PeopleForm, channels: Collection[str], phones: Collection[str], region: str
) -> tuple[list[Person], list[Group]]:
    """`channels`: those configured; `phones`: those of them that need a phone number."""
    people = [_person(document, name, one, channels, phones, region) for name, one in form.people.items()]
    groups = [Group(id=name, members=members) for name, members in form.groups.items()]
    return people, groups


def _person(
    document: Document, name: str, form: PersonForm, channels: Collection[str], phones: Collection[str], region: str
) -> Person:
    for channel, address in form.reach.items():
        if channel not in channels:
            place = address_place(document, name, channel)
            document.add(place, "unknown-channel", f'"{channel}" is no channel', choice(channel, channels))
        elif channel in phones and (problem := phone_problem(address, region)):
            wrong, _, remedy = problem.partition(": ")
            document.add(address_place(document, name, channel), "not-a-number", f"{name}: {wrong}", remedy)
    if not form.reach:
        place = document.at("people", name)
        document.add(place, "unreachable", f"{name} has no address at all", "add reach: ...", warning=True)
    return Person(
        id=name,
        name=form.name,
        language=form.language,
        speaks=form.speaks,
        organisation=form.organisation,
        discipline=form.discipline,
        competences=form.competences,
        addresses=tuple(Address(c, normalise(a, region)) for c, a in form.reach.items()),
    )


def address_place(document: Document, person: str, channel: str) -> Node | None:
    """Where a person's address stands, whatever word was written for the channel (`call` for `voice`)."""
    words = [channel, *(word for word, name in CHANNEL_WORDS.items() if name == channel)]
    reach = document.at("people", person, "reach")
    return next((node for w in words if (node := document.at("people", person, "reach", w)) is not reach), reach)


def check_people(document: Document, form: PeopleForm, directory: Directory) -> None:
    """Members that exist; numbers that tell whose answer it is."""
    for group, members in form.groups.items():
        if not members:
            document.add(document.at("groups", group), "nobody", f"group {group} has nobody in it", warning=True)
        for index, member in enumerate(members):
            if member not in directory.people:
                place = document.at("groups", group, index)
                document.add(place, "unknown-person", f'"{member}" is nobody', choice(member, directory.people))
    shared = directory.shared()
    for name in form.people:
        for way in directory.people[name].addresses if name in directory.people else ():
            others = [p for p in shared.get(way.address, ()) if p != name]
            if others:
                document.add(
                    document.at("people", name, "reach"),
                    "shared-address",
                    f"{name} and {', '.join(others)} share an address: nobody can tell whose answer comes from it",
                    "give each their own",
                    warning=True,
                )
                break


# --- rosters -----------------------------------------------------------------------------------------------


def rosters_of(
    document: Document, forms: Mapping[str, RosterForm], people: Collection[str], zone: str
) -> dict[str, Roster]:
    rosters: dict[str, Roster] = {}
    for name, form in forms.items():
        shifts = [Shift(form.always)] if form.always else []
        for index, member in enumerate(form.always):
            _known(document, (name, "always", index), member, people)
        for number, shift in enumerate(form.shifts):
            start = _time(document, (name, "shifts", number, "from"), shift.start, zone)
            end = _time(document, (name, "shifts", number, "until"), shift.end, zone)
            for index, member in enumerate(shift.people):
                _known(document, (name, "shifts", number, "people", index), member, people)
            if start is None or end is None:
                continue
            if end <= start:
                place = document.at(name, "shifts", number, "until")
                document.add(place, "ends-before-it-begins", "this shift ends before it begins", "swap from and until")
                continue
            shifts.append(Shift(shift.people, start.isoformat(), end.isoformat()))
        rosters[name] = Roster(id=name, shifts=tuple(shifts))
        _check_gaps(document, rosters[name], zone)
    return rosters


def _known(document: Document, path: tuple[str | int, ...], person: str, people: Collection[str]) -> None:
    if person not in people:
        document.add(document.at(*path), "unknown-person", f'"{person}" is nobody', choice(person, people))


def _time(document: Document, path: tuple[str | int, ...], text: str, zone: str) -> datetime | None:
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


def _check_gaps(document: Document, roster: Roster, zone: str) -> None:
    place = document.at(roster.id)
    if not roster.shifts:
        document.add(place, "nobody", f"roster {roster.id} has nobody on duty ever", "add always: or shifts:")
        return
    dated = span(roster)
    for start, end in gaps(roster, *dated) if dated else ():
        told = " to ".join(at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") for at in (start, end))
        document.add(place, "gap", f"nobody is on duty from {told}", "add a shift, or always:", warning=True)
