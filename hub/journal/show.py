"""The journal in lines: what `vigie journal show` and `vigie journal verify` print."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, get_args

import msgspec

from hub.journal import JournalError
from hub.journal.codec import Kind, Row, decode
from hub.journal.reader import Reader
from hub.journal.verify import Report
from hub.model.events import Event, InShadow
from hub.model.records import Attempt, Decision, Fact, FactBody

KINDS = ("fact", *(body.__struct_config__.tag for body in get_args(FactBody)), "decision", "attempt")
_LONG = 60  # characters of one value that a line shows


class Shown(msgspec.Struct, frozen=True):
    """A record with its place, as `--json` prints it."""

    place: int
    digest: str
    record: Fact | Decision | Attempt
    hash: str = ""


def records(reader: Reader, since: datetime | None = None, kind: str = "") -> Iterator[Row]:
    """Records in order, from an aware instant on, of one kind: `fact`, `decision`, `attempt`, or a fact's tag. Raises
    JournalError for a kind there is not."""
    if kind and kind not in KINDS:
        raise JournalError(f"{kind}: there is no such kind of record: it is one of {', '.join(KINDS)}")
    tag = kind if kind and kind != "fact" else None
    for row in reader.rows(since=since.timestamp() if since else None, type_=tag):
        if kind != "fact" or row.kind == Kind.FACT:
            yield row


def line(row: Row) -> str:
    """One record for a person: place, time, kind, id, and what it says, shortened."""
    record = decode(row.body)
    return f"{row.seq:>8}  {record.at:%Y-%m-%d %H:%M:%S}Z  {row.type:<11}  {row.id}  {_said(record)}".rstrip()


def as_json(row: Row) -> Shown:
    """One record for a program."""
    return Shown(row.seq, row.digest.hex(), decode(row.body), row.hash.hex() if row.hash else "")


def report(found: Report) -> Iterator[str]:
    """What verification saw; the faults first."""
    yield from found.faults
    yield from totals(found)


def totals(found: Report) -> Iterator[str]:
    """The same without the faults themselves."""
    counted = f"{found.decisions} decisions, {found.facts} facts, {found.attempts} attempts"
    yield f"{counted}; {found.vault_entries} vault entries, {found.erased} erased"
    yield "something is changed or missing" if found.faults else "every record is there and as it was written"


def _said(record: Fact | Decision | Attempt) -> str:
    if isinstance(record, Decision):
        events = [_tag(event) for event in record.events]
        parts = [
            f"took {len(record.took)}" if record.took else "",
            f"fired {len(record.fired)}" if record.fired else "",
        ]
        return ", ".join(part for part in (*parts, " ".join(events)) if part)
    if isinstance(record, Attempt):
        repeat = " possible repeat" if record.repeat else ""
        by = f" provider={record.provider}" if record.provider else ""
        return f"order={record.order} {record.start}-{record.stop} nth={record.nth}{by}{repeat}"
    said: dict[str, Any] = msgspec.to_builtins(record.body)
    said.pop("type", None)
    return " ".join(f"{name}={_short(value)}" for name, value in said.items())


def _tag(event: Event) -> str:
    tag = str(event.__struct_config__.tag)
    return f"{tag}:{_tag(event.event)}" if isinstance(event, InShadow) else tag


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    text = " ".join(text.split())
    return text if len(text) <= _LONG else text[: _LONG - 1] + "…"
