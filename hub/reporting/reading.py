"""What an incident has come to, read from a journal: of the running hub, or beside it. Decides nothing."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from hub.journal import Journal
from hub.journal.codec import decode_decision
from hub.journal.reader import Reader
from hub.model import events as e
from hub.model import records as r
from hub.model.situation import Situation
from hub.playbook.language import Playbook
from hub.playbook.load import load
from hub.reporting.gathering import Gathering, Needs, NoIncident, made_at_of

PAGE = 500  # decisions read at once: the hub's timers go on in between

Sheet = Callable[[str, str], Playbook | None]
"""A sheet by its name and version, where it is at hand."""


class Openings:
    """Where in the journal incidents begin, so that a report of today reads no decision of last year: known of those
    opened since the hub came up, and of those a report was once read through. `follow` takes each durable decision."""

    def __init__(self) -> None:
        self._before: dict[str, str] = {}
        self._last = ""

    def follow(self, decision: r.Decision) -> None:
        for event in decision.events:
            if isinstance(event, e.Opened) and self._last:
                self._before[event.incident] = self._last
            elif isinstance(event, e.Forgotten):
                self._before.pop(event.incident, None)
        self._last = decision.id

    def before(self, incident: str) -> str:
        """The decision before the one that opened it; `""`: the journal's beginning."""
        return self._before.get(incident, "")

    def found(self, incident: str, before: str) -> None:
        self._before[incident] = before


async def situation_of(
    journal: Journal, incident: str, now: datetime, sheet: Sheet, openings: Openings | None = None
) -> Situation:
    """As it is now. Raises NoIncident and JournalError."""
    gathering = Gathering(incident)
    after = openings.before(incident) if openings is not None else ""
    while page := await journal.decisions(after, PAGE):
        for decision in page:
            if openings is not None and any(
                isinstance(x, e.Opened) and x.incident == incident for x in decision.events
            ):
                openings.found(incident, after)
            gathering.take(decision)
            after = decision.id
        if len(page) < PAGE:
            break
    needs = gathering.needs()
    records = await journal.get(needs.facts)
    entries = await journal.vault([*_keys(records), *needs.audiences])
    return _made(gathering, needs, records, entries, sheet(*gathering.sheet), now)


def _opens(decision: r.Decision, incident: str) -> bool:
    return any(isinstance(event, e.Opened) and event.incident == incident for event in decision.events)


def situation_in(reader: Reader, incident: str, now: datetime, at: datetime | None = None) -> Situation:
    """The same beside a running hub; `at`: as it was then. Raises NoIncident and JournalError."""
    begins = made_at_of(incident)
    if begins is None:
        raise NoIncident(f"{incident}: this is no incident's id: see `vigie status`")
    gathering = Gathering(incident, at)
    for row in reader.rows(since=begins.timestamp(), type_="decision"):
        gathering.take(decode_decision(row.body))
        if gathering.over:
            break
    needs = gathering.needs()
    records = reader.get(needs.facts)
    entries = reader.vault([*_keys(records), *needs.audiences])
    return _made(gathering, needs, records, entries, _sheet_in(reader, *gathering.sheet), now)


def _sheet_in(reader: Reader, name: str, version: str) -> Playbook | None:
    for fact in reader.about(("installed",), f"playbook/{name}"):
        if isinstance(fact.body, r.Installed) and fact.body.version == version and fact.body.text:
            return load(fact.body.text, name)[0]
    return None


def _keys(records: Sequence[r.Record | None]) -> list[str]:
    return [record.vault for record in records if isinstance(record, r.Fact) and record.vault]


def _made(
    gathering: Gathering,
    needs: Needs,
    records: Sequence[r.Record | None],
    entries: Sequence[r.VaultEntry | None],
    sheet: Playbook | None,
    now: datetime,
) -> Situation:
    kept: Mapping[str, r.VaultEntry] = {entry.key: entry for entry in entries if entry is not None}
    facts = {fact.id: (fact, kept.get(fact.vault)) for fact in records if isinstance(fact, r.Fact)}
    audiences = {key: kept[key] for key in needs.audiences if key in kept}
    return gathering.situation(facts, audiences, sheet, now)
