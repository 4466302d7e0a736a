"""`vigie journal replay`: what was recorded, through other sheets. Reads the journal, beside a running hub if there is
one, and changes nothing."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.binding import Misfit, duration
from hub.cli import say
from hub.cli.difference import lines_of
from hub.cli.look import journal_of
from hub.cli.setting import show
from hub.clock import wall
from hub.config import Config, load
from hub.drill.calls import Call, Calls, Kind
from hub.drill.difference import Difference, difference
from hub.drill.difference_page import page_of
from hub.drill.replay import Replay, beginning
from hub.engine.fold import fold_decision
from hub.engine.rules import Rules
from hub.engine.state import State
from hub.findings import errors, tally
from hub.install import rules_of, run_on
from hub.journal import JournalError
from hub.journal.reader import Reader
from hub.model import records as r
from hub.model.people import Edited, EditedPart, Language, Part
from hub.model.signal import Signal, Status
from hub.people.directory import Directory
from hub.people.layers import NO_PART, NOTHING, Layers
from hub.playbook.language import Mode, Playbook
from hub.playbook.load import load as load_sheet
from hub.rules import InForce

T = TypeVar("T")
PAGE = 2_000  # records read at a time: each read is short, so that a hub beside is not held up

_signal = msgspec.json.Decoder(Signal)
_edited = msgspec.json.Decoder(Edited)
_part = msgspec.json.Decoder(EditedPart)
_rendered = msgspec.json.Decoder(dict[Language, msgspec.Raw])


class Then(Struct, frozen=True):
    """What the journal holds of a time. `state`: as it was when that begins; `first`, `last`: when the first and the
    last record of it were made."""

    state: State
    calls: Calls
    replies: dict[str, r.Fact]
    first: datetime
    last: datetime


def replay(
    folder: Path, playbooks: Path, data: Path | None, since: str | None, until: str | None, *,
    as_live: bool, everything: bool, output: Path | None, language: Language, as_json: bool,
) -> None:  # fmt: skip
    """Ends with 0 whatever the difference: it is no fault."""
    config = _config(folder, playbooks, as_live)
    span = (since, until)
    path = data / "journal.db" if data is not None else config.path(config.hub.journal)
    with journal_of(path) as reading:
        try:
            found, directory = run(reading, config, *(moment(t, config.hub.zone, wall()) if t else None for t in span))
        except JournalError as error:
            say.could_not(str(error))
    if output is not None:
        try:
            output.write_text(page_of(found, language, directory, config.titles(), config.hub.zone), encoding="utf-8")
        except OSError as error:
            say.could_not(f"{output}: cannot be written: {error.strerror}")
    if as_json:
        say.json_line(found)
        return
    for text in lines_of(found, config.hub.zone, everything):
        say.line(text)
    if output is not None:
        say.line(f"the whole of it: {output}")


def moment(text: str, zone: str, now: datetime) -> datetime:
    """An instant: a day or a time of day local to the centre, one with its offset, or so long ago ("30 days")."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            return now - timedelta(seconds=duration(text))
        except Misfit:
            say.could_not(f'{text}: no instant: write "2026-06-01", "2026-06-01 08:00" or "30 days"')
    return (at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def run(
    reading: Reader, config: Config, since: datetime | None, until: datetime | None
) -> tuple[Difference, Directory]:
    """Replays what the journal holds from `since` (its beginning) until `until` (its end) under a configuration."""
    then = _then(reading, since, until)
    since, until = since or then.first, until or then.last
    in_force = rules_of(config, Status.ACTUAL, _earlier(reading, then.state, config))
    relaying = _Relaying(reading, in_force, then.state)
    cursor = then.state.cursor
    replayed = Replay(beginning(then.state, config.playbooks), relaying.rules(), then.calls, then.replies, relaying)
    for entry in _facts(reading, cursor, until):
        replayed.take(entry)
    replayed.pass_time(until)
    directory = relaying.directory
    speaks = _speaks(directory)
    spoke = _spoke(reading, then.calls, speaks)
    versions = {sheet.name: sheet.version for sheet in config.playbooks}
    return difference(then.calls, replayed.calls, replayed.counts, since, until, versions, spoke, speaks), directory


def _config(folder: Path, playbooks: Path, as_live: bool) -> Config:
    """The configuration as it is now, with these sheets in place of its own."""
    if not folder.is_dir():
        say.could_not(f"{folder}: no such folder: name the one with hub.yaml, --config DIR")
    if not playbooks.is_dir():
        say.could_not(f"{playbooks}: no such folder: name the one with the edited sheets, --playbooks DIR")
    config, findings = load(folder, today=f"{wall():%Y-%m-%d}", playbooks=playbooks)
    if errors(findings):
        show(findings)
        say.could_not(f"{playbooks}: {tally(errors(findings))}: mend them first")
    if as_live:
        config = replace(config, playbooks=tuple(replace(sheet, mode=Mode.LIVE) for sheet in config.playbooks))
    return config


# --- reading -----------------------------------------------------------------------------------------------


def _then(reading: Reader, since: datetime | None, until: datetime | None) -> Then:
    """What was decided before is folded, and what was decided then is noted."""
    state, calls, begun = State(), Calls(), False
    first = last = None
    for decision in _decisions(reading):
        if since is not None and decision.at < since:
            fold_decision(state, decision)
            last = decision.at
            continue
        if not begun:
            calls.begin(state)
            begun = True
        if until is not None and decision.at > until:
            break
        calls.add(decision)
        first, last = first or decision.at, decision.at
    if not begun:
        calls.begin(state)
    if first is None or last is None:
        raise JournalError(f"{reading.path}: nothing was decided then: name a time that the journal has, --since")
    answered = list(calls.answers)
    facts = [f for f in reading.get(answered) if isinstance(f, r.Fact)]
    return Then(state, calls, {fact.id: fact for fact in facts}, first, last)


def _decisions(reading: Reader) -> Iterator[r.Decision]:
    after = ""
    while page := reading.decisions(after, PAGE):
        yield from page
        after = page[-1].id


def _facts(reading: Reader, cursor: str, until: datetime) -> Iterator[r.Entry]:
    """The facts past the cursor, each with what lies in the vault of it and the engine looks at."""
    place = reading.place_of(cursor)
    while page := reading.facts_after(place, PAGE):
        place = page[-1][0]
        entries = [entry for _, entry in page]
        wanted = [e.record.vault for e in entries if e.record.vault and type(e.record.body) in _SEALED]
        kept = dict(zip(wanted, reading.vault(wanted), strict=True))
        for entry in entries:
            if entry.record.at > until:
                return
            decoder = _SEALED.get(type(entry.record.body))
            sealed = kept.get(entry.record.vault) if decoder is not None else None
            yield r.Entry(entry.record, _unsealed(sealed, decoder)) if decoder is not None else entry


def _unsealed(sealed: r.VaultEntry | None, decoder: "msgspec.json.Decoder[T]") -> T | None:
    try:
        return decoder.decode(sealed.payload) if sealed is not None else None
    except msgspec.MsgspecError:
        return None  # as if it were erased; it is counted


_SEALED: dict[type, "msgspec.json.Decoder[Any]"] = {
    r.SignalReceived: _signal,
    r.SignalGraded: _signal,
    r.SheetStarted: _signal,
    r.PersonChanged: _edited,
    r.PartChanged: _part,
}


def _earlier(reading: Reader, state: State, config: Config) -> list[Playbook]:
    """The versions of sheets on which what was under way then goes on."""
    current = {(s.name, s.version) for s in config.playbooks}
    found = []
    for name, version in sorted(run_on(state) - current):
        (fact,) = reading.get([state.versions.get(f"{name}/{version}", "")])
        if isinstance(fact, r.Fact) and isinstance(fact.body, r.Installed):
            sheet, _ = load_sheet(fact.body.text, f"{name} ({version[:12]})")
            found += [replace(sheet, version=version)] if sheet is not None else []
    return found


# --- people ------------------------------------------------------------------------------------------------


class _Relaying:
    """The rules in force as people, groups, organisations and rosters were changed while the hub ran, over the
    configuration of now. The modes of sheets are those of their files."""

    def __init__(self, reading: Reader, in_force: InForce, state: State) -> None:
        self._files, self._rosters = in_force.directory, dict(in_force.rosters)
        self._in_force = in_force
        self._layers = Layers()
        people = reading.vault([known.change for known in state.edited.values()])
        for (person, known), sealed in zip(state.edited.items(), people, strict=True):
            self._layers.people[person] = (known.change, _unsealed(sealed, _edited) or NOTHING)
        parts = reading.vault([known.change for known in state.parts.values()])
        for (key, change), sealed in zip(state.parts.items(), parts, strict=True):
            part, _, name = key.partition("/")
            self._layers.parts[Part(part), name] = (change.change, _unsealed(sealed, _part) or NO_PART)
        self._layers.rosters = {change: (known.roster, known.overrides) for change, known in state.rosters.items()}

    def __call__(self, entry: r.Entry) -> Rules:
        self._layers.take(entry.record, entry.live if isinstance(entry.live, Edited | EditedPart) else None)
        return self.rules()

    @property
    def directory(self) -> Directory:
        return self._in_force.directory

    def rules(self) -> InForce:
        laid = self._layers.directory(self._files), self._layers.over(self._rosters)
        self._in_force = self._in_force.with_people(*laid)
        return self._in_force


def _speaks(directory: Directory) -> Callable[[Call], str]:
    return lambda call: str(directory.language(call.person)) if call.person else ""


def _spoke(reading: Reader, calls: Calls, otherwise: Callable[[Call], str]) -> Callable[[Call], str]:
    """The language somebody was asked in: the one in which its words were written; else what the directory says."""
    asked = [c.order for i in calls.incidents.values() for c in i.calls if c.kind is Kind.ASKED]
    spoken: dict[str, str] = {}
    for start in range(0, len(asked), PAGE):
        attempts = reading.attempts_of(asked[start : start + PAGE])
        for attempt, sealed in zip(attempts, reading.vault([a.vault for a in attempts]), strict=True):
            written = _unsealed(sealed, _rendered) or {}
            if len(written) == 1:
                spoken[attempt.order] = str(next(iter(written)))
    return lambda call: spoken.get(call.order) or otherwise(call)
