"""`vigie activations`: how often sheets were activated in a year."""

import re
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from hub.activations import Count, activations, counted, kinds_of
from hub.cli import say
from hub.cli.look import journal_of
from hub.journal import JournalError

_MONTHS = tuple("JFMAMJJASOND")


def count(journal: Path, zone: ZoneInfo, year: str, field: str, since: str, as_json: bool) -> None:
    """`field`: the question whose answers are told apart; "" for none. `since`: a day, "" for the year's first."""
    if not re.fullmatch(r"[12][0-9]{3}", year):
        say.could_not(f"{year}: no year: write it as 2026")
    first, last = _day(since) if since else date(int(year), 1, 1), date(int(year), 12, 31)
    with journal_of(journal) as reading:
        try:
            found = list(activations(reading, first, last, zone))
            kinds = kinds_of(reading, found, field) if field else None
        except JournalError as error:
            say.could_not(str(error))
    counts = counted(found, zone, kinds)
    if as_json:
        say.json_line(counts)
        return
    if not counts:
        say.line(f"no sheet was activated from {first} to {last}")
        return
    say.line(f"activations from {first} to {last}, exercises apart")
    head = ("sheet", *((field,) if field else ()), "", "by hand", "by signal", *_MONTHS, "exercises")
    say.table([head, *(_row(one, bool(field)) for one in counts), _row(_sum(counts), bool(field))])


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        say.could_not(f"{text}: no day: write it as 2026-06-01")


def _row(one: Count, kind: bool) -> tuple[str, ...]:
    figures = (one.activations, one.by_hand, one.activations - one.by_hand, *one.months, one.exercises)
    return (one.sheet, *((one.kind,) if kind else ()), *(str(figure) if figure else "-" for figure in figures))


def _sum(counts: list[Count]) -> Count:
    return Count(
        sheet="all",
        kind="",
        activations=sum(c.activations for c in counts),
        by_hand=sum(c.by_hand for c in counts),
        exercises=sum(c.exercises for c in counts),
        months=tuple(sum(month) for month in zip(*(c.months for c in counts), strict=True)),
    )
