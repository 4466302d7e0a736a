"""`vigie dossier list|show`: read from the journal, whether or not the hub is up."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hub.binding import Word, bind
from hub.cli import say
from hub.cli.look import journal_of
from hub.cli.standing import in_force, state_of
from hub.clock import wall
from hub.dossiers.reading import FiledSignal, History, history
from hub.dossiers.standing import standing
from hub.engine.state import State
from hub.findings import choice
from hub.journal import JournalError
from hub.journal.codec import decode_fact
from hub.journal.reader import Reader
from hub.model.dossier import DossierListed
from hub.model.people import Language
from hub.model.records import HubStarted, Installed
from hub.playbook.dossiers import Dossier, DossierForm, dossiers_of
from hub.playbook.lint import Known
from hub.view.glance import plain
from hub.why import Unknown
from hub.yaml import read

WEEKS = 12  # that are shown where no day is named
DAYS_MOST = 31  # a longer time is shown by weeks
_BAR = 40  # of the highest count, in characters
_HEADLINE = 100
_PLACES = 12  # that are named


def listed(journal: Path, zone: str, language: str, as_json: bool) -> None:
    with journal_of(journal) as reader:
        found = _standing(reader, state_of(reader), ZoneInfo(zone))
    if as_json:
        for one in found:
            say.json_line(one)
        return
    if not found:
        say.line("no dossier is in force: see docs/dossiers.md")
        return
    say.table(
        (
            one.id,
            plain(one.title[Language(language)]),
            f"{one.count} in {_days(one.days)}",
            _usually(one),
            f"RISING since {one.rising}" if one.rising is not None else "",
        )
        for one in found
    )


def show(journal: Path, name: str, zone: str, since: str, last: int, language: str, as_json: bool) -> None:
    """`since`: a day; "" for the last weeks. `last`: so many of the newest signals, 0 for all."""
    local = ZoneInfo(zone)
    with journal_of(journal) as reader:
        today = _now(reader).astimezone(local).date()
        first = _day(since) if since else today - timedelta(weeks=WEEKS, days=today.weekday())
        state = state_of(reader)
        try:
            found = history(reader, name, local, first)
        except Unknown as error:
            say.error(f"{error}: {choice(name, state.dossiers, 'there are')}")
            say.done(True)
        except JournalError as error:
            say.could_not(str(error))
        known = next((one for one in _standing(reader, state, local) if one.id == name), None)
    if as_json:
        say.json_line({"standing": known, "history": found})
        return
    for text in _page(found, known, first, today, last, language, local):
        say.line(text)


# --- what there is -----------------------------------------------------------------------------------------


def _standing(reader: Reader, state: State, zone: ZoneInfo) -> list[DossierListed]:
    return standing(state.dossiers, _dossiers(reader, state), _now(reader).astimezone(zone).date())


def _dossiers(reader: Reader, state: State) -> Mapping[str, Dossier]:
    """As they were put in force."""
    fact = in_force(reader, state, "config").get("dossiers.yaml")
    if fact is None or not isinstance(fact.body, Installed):
        return {}
    document = read(fact.body.text, "dossiers.yaml")
    forms = bind(document, document.root, dict[Word, DossierForm])
    return dossiers_of(document, forms, Known()) if forms is not None else {}


def _now(reader: Reader) -> datetime:
    """Hub time: a playback has a date of its own."""
    ahead_s = 0.0
    for row in reader.rows(type_="started"):
        body = decode_fact(row.body).body
        ahead_s = body.ahead_s if isinstance(body, HubStarted) and body.playback else 0.0
    return wall() + timedelta(seconds=ahead_s)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        say.could_not(f"{text}: no day: write it as 2026-06-01")


# --- how it is shown ---------------------------------------------------------------------------------------


def _page(
    found: History,
    known: DossierListed | None,
    first: date,
    today: date,
    last: int,
    language: str,
    zone: ZoneInfo,
) -> Iterator[str]:
    if known is not None:
        review = f", to be looked over by {known.review_by}" if known.review_by else ""
        yield f"{found.name}: {plain(known.title[Language(language)])} ({plain(known.owner)}{review})"
        rising = f": RISING since {known.rising}" if known.rising is not None else ""
        yield f"{known.count} in the last {_days(known.days)}, {_usually(known)}{rising}"
    else:
        yield f"{found.name}: not in force any more"
    yield f"from {first} on; it is kept since {found.begins}"
    yield ""
    yield from _bars(found.days, max(first, found.begins, min(found.days, default=first)), today)
    if found.places:
        named = [f"{place} {count}" for place, count in found.places.items()]
        more = f" and {len(named) - _PLACES} more" if len(named) > _PLACES else ""
        yield f"places: {', '.join(named[:_PLACES])}{more}"
    for rise in found.rises:
        over = f", over on {rise.over}" if rise.over is not None else ""
        told = f" (record {rise.signal})" if rise.signal else ""
        yield f"rise on {rise.day}: {rise.count} in {_days(rise.span)}, usually {rise.usual:g}{over}{told}"
    for incident in found.incidents:
        by = f", by {plain(incident.by)}: {plain(incident.why)}" if incident.by else ""
        opened = f" of {_local(incident.opened_at, zone)}" if incident.opened_at is not None else ""
        yield f"incident {incident.incident}: {incident.sheet}{opened}{by}"
    for note in found.notes:
        yield f"note of {_local(note.at, zone)} by {plain(note.by)} (record {note.id}):"
        for text in (note.text if note.text is not None else "(erased)").splitlines():
            yield f"  {plain(text, 1_000)}"
    shown = found.signals[-last:] if last else found.signals
    yield f"signals: {len(found.signals)}" + (f", the newest {last}" if len(shown) < len(found.signals) else "")
    for one in shown:
        yield f"  {_signal(one, language)}"


def _bars(days: Mapping[date, int], first: date, today: date) -> Iterator[str]:
    """One for each day, or for each week where they are many."""
    by = 1 if (today - first).days < DAYS_MOST else 7
    start = first if by == 1 else first - timedelta(days=first.weekday())
    counts: dict[date, int] = {}
    while start <= max([today, *days]):
        counts[start] = sum(days.get(start + timedelta(days=n), 0) for n in range(by))
        start += timedelta(days=by)
    most = max(counts.values(), default=0)
    yield f"by {'day' if by == 1 else 'week, from Monday on'}:"
    for day, count in counts.items():
        bar = "█" * (round(count / most * _BAR) or 1) if count else ""
        yield f"  {day}  {bar}{' ' if bar else ''}{count}"


def _signal(one: FiledSignal, language: str) -> str:
    said = "(erased)" if one.erased else plain(_headline(one.headlines, language), _HEADLINE)
    notes = [
        f"counts nothing: {one.apart}" if one.apart else "",
        "cancelled by its sender" if one.cancelled else "",
        f"added by {plain(one.by)}: {plain(one.why)}" if one.by else "",
        f"taken out by {plain(one.removed_by)}: {plain(one.removed_why)}" if one.removed_by else "",
    ]
    told = "; ".join(filter(None, notes))
    told = f" [{told}]" if told else ""
    return f"{one.day}  {one.grade or '--'}  {one.source or '?'}: {said}{told} (record {one.signal})"


def _headline(headlines: Mapping[str, str], language: str) -> str:
    own = next((text for key, text in headlines.items() if key.lower().startswith(language)), "")
    return own or next(iter(headlines.values()), "")


def _usually(one: DossierListed) -> str:
    if one.bound is None or one.usual is None:
        return "not known yet what is usual"
    return f"usually {one.usual:g}, a rise from {one.bound} on"


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
