"""`vigie access`: the list read from the journal, beside a running hub or while none runs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hub.access.listing import Kept, kept_of, list_of, needed, vault_keys
from hub.access.reading import guests_of as guests_in
from hub.cli import say
from hub.cli.contacts import give
from hub.cli.look import journal_of
from hub.cli.standing import state_of
from hub.clock import wall
from hub.config import Config
from hub.engine.state import State
from hub.journal import JournalError
from hub.journal.reader import Reader
from hub.model.access import AccessList, Guest
from hub.model.people import Classification, Language
from hub.model.records import HubStarted
from hub.model.signal import Status
from hub.report.access import access_document, access_table

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


def show(journal: Path, zone: str, exercise: bool, as_json: bool) -> None:
    listed, state = _read(journal, exercise)
    if as_json:
        say.json_line(listed)
        return
    local = ZoneInfo(zone)
    if not listed.admitted:
        say.line("nobody may come in")
    else:
        rows = [
            (
                one.id,
                _name(person.guest),
                ", ".join(one.rooms),
                f"{one.start.astimezone(local):%d/%m %H:%M}" if one.start else "now",
                f"{one.until.astimezone(local):%d/%m %H:%M}",
                one.whom,
                one.incident,
            )
            for person in listed.admitted
            for one in person.passes
        ]
        say.table([("id", "who", "rooms", "from", "until", "for", "request"), *rows])
    for left in listed.gone:
        by = f" by {left.by}" if left.by else ""
        say.line(f"no longer admitted: {_name(left.guest)}, {left.at.astimezone(local):%d/%m %H:%M}, {left.why}{by}")
    status = Status.EXERCISE if exercise else Status.ACTUAL
    for access in state.access.values():
        if not access.over and access.status is status and not access.held():
            say.line(f"nobody is on the list of {access.incident}: `vigie access add {access.incident} ...`")


def export(config: Config, journal: Path, language: Language, exercise: bool, output: Path | None) -> None:
    listed, _ = _read(journal, exercise)
    known = config.known(listed.status)
    document = access_document(listed, known, language, Classification.INTERNAL)
    give(document, output, {".csv": lambda _: access_table(listed, known, language)})


def guests_of(people: list[str]) -> list[dict[str, str]]:
    """`name, service, function` words as the API takes them. Ends the command where one is nobody."""
    found = []
    for text in people:
        guests, _ = guests_in(text)
        if len(guests) != 1:
            say.could_not(f'{text}: nobody can be made of it: write "name, service, function"')
        found.append({"name": guests[0].name, "service": guests[0].service, "function": guests[0].function})
    return found


def _read(journal: Path, exercise: bool) -> tuple[AccessList, State]:
    with journal_of(journal) as reading:
        try:
            state = state_of(reading)
            at = wall() + ahead(reading)
            wanted = needed(list(state.access.values()))
            records = reading.get([*wanted.changes, *wanted.signals])
            keys = vault_keys(records)
            kept: Kept = kept_of(records, dict(zip(keys, reading.vault(keys), strict=True)), wanted)
        except JournalError as error:
            say.could_not(str(error))
    return list_of(state, kept, Status.EXERCISE if exercise else Status.ACTUAL, at), state


def ahead(reading: Reader) -> timedelta:
    """How far the hub's time is from the wall clock's: a playback has its own date."""
    started = [fact.body for fact in reading.facts_since({"started"}, _EVER, 1)]
    return timedelta(seconds=next((body.ahead_s for body in started if isinstance(body, HubStarted)), 0.0))


def _name(guest: Guest | None) -> str:
    if guest is None:
        return "(name erased)"
    return ", ".join(part for part in (guest.name, guest.service, guest.function) if part)
