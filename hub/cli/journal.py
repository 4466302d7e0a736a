"""`vigie journal show|verify`: the journal beside a running hub."""

from datetime import datetime
from pathlib import Path

from hub.cli import say
from hub.cli.look import journal_of
from hub.journal import JournalError
from hub.journal import show as words


def show(path: Path, since: datetime | None, kind: str, as_json: bool) -> None:
    """The records in order, one line each."""
    with journal_of(path) as reading:
        try:
            for row in words.records(reading, since, kind):
                if as_json:
                    say.json_line(words.as_json(row))
                else:
                    say.line(words.line(row))
        except JournalError as error:
            say.could_not(str(error))


def verify(path: Path, as_json: bool) -> None:
    """Exits 1 where something was changed or is missing, naming it."""
    with journal_of(path) as reading:
        found = reading.examine()
    if as_json:
        say.json_line(found)
    else:
        for fault in found.faults:
            say.error(fault)
        for text in words.totals(found):
            say.line(text)
    say.done(bool(found.faults))
