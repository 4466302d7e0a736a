"""`vigie journal show|verify`: the journal beside a running hub."""

from datetime import datetime
from pathlib import Path

import msgspec

from hub.cli import say
from hub.cli.look import journal_of
from hub.journal.codec import decode
from hub.model import records as r


def show(path: Path, since: datetime | None, kind: str, as_json: bool) -> None:
    """The records in order; `kind` is a fact's tag, `decision` or `attempt`."""
    with journal_of(path) as reading:
        for row in reading.rows(since=since.timestamp() if since else None, type_=kind or None):
            if as_json:
                say.line(row.body.decode())
            else:
                say.line(one_line(decode(row.body)))


def one_line(record: r.Record) -> str:
    """A record as a person reads it."""
    at = f"{record.at:%Y-%m-%d %H:%M:%S}Z"
    match record:
        case r.Fact():
            tag = record.body.__struct_config__.tag
            said = msgspec.to_builtins(record.body)
            said.pop("type", None)
            said.pop("text", None)  # an installed text fills pages
            told = " ".join(f"{k}={v}" for k, v in said.items())
            return f"{at} {record.id} fact {tag} {told[:300]}"
        case r.Decision():
            events = ", ".join(str(event.__struct_config__.tag) for event in record.events)
            why = f"{len(record.took)} facts" if record.took else f"due: {', '.join(record.fired)}"
            return f"{at} {record.id} decision on {why}: {events or 'nothing follows'}"
        case r.Attempt():
            repeat = " (possible repeat)" if record.repeat else ""
            return f"{at} {record.id} attempt {record.nth} of {record.order} [{record.start}:{record.stop}]{repeat}"


def verify(path: Path, as_json: bool) -> None:
    """Exits 1 where something was changed or is missing, naming it."""
    with journal_of(path) as reading:
        report = reading.examine()
    if as_json:
        say.json_line(report)
    else:
        for fault in report.faults:
            say.error(fault)
        say.line(
            f"{report.facts} facts, {report.decisions} decisions, {report.attempts} attempts, "
            f"{report.vault_entries} vault entries ({report.erased} erased): "
            + (f"{len(report.faults)} faults" if report.faults else "whole")
        )
    say.done(bool(report.faults))
