"""What replaying a month costs: `python -m tools.bench.replay [--signals N] [--sheets N] [--seed N]`.

A month is recorded as a hub records it (facts, vault, decisions, receipts, answers) under so many sheets on the people
and chains of config/, then replayed under a changed set: of ten sheets one asks for more, one calls another chain, one
is new and one is gone. In the same run, on the same journal: what reading all signals takes, and what the matcher takes
for them. Exits 1 where the replay takes a minute or more.
"""

import argparse
import itertools
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
import trio
from msgspec.structs import replace

from hub.cli.replay import run
from hub.config import Config, load
from hub.drill.difference import Change, Difference
from hub.engine.engine import Decided, Engine
from hub.engine.state import State
from hub.findings import errors
from hub.install import rules_of
from hub.journal.reader import Reader, open_reader
from hub.journal.sqlite import SqliteJournal, open_sqlite
from hub.model import events as e
from hub.model import records as r
from hub.model.area import Area
from hub.model.ids import Ids
from hub.model.message import Lane, Outcome, Verb
from hub.model.signal import Category, Certainty, Hazard, Info, Severity, Signal, Status, Urgency
from hub.model.trust import Credibility, Reliability
from hub.playbook.match import Matcher
from tools.bench.figures import machine, say, verdict
from tools.bench.matching import FILLER, STEMS

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
BEGAN = datetime(2026, 6, 1, tzinfo=UTC)
MONTH = timedelta(days=30)
MOST_S = 60.0
OPENS = 200  # one signal in so many meets a sheet by its word
ANSWERS = 0.7  # of those asked
NEW = 1_000_000  # the number of the first new sheet
BURST = 500  # records an append
_HAZARDS = tuple(h for h in Hazard if h is not Hazard.FOG)  # no sheet asks for fog


# --- sheets ------------------------------------------------------------------------------------------------


def sheet_text(number: int, edition: int) -> str:
    """A sheet in YAML. Half ask for a hazard, a severity and an area, the rest for a word; only the new ones, from
    `NEW` on, for one that another asks for, too."""
    name = f"sheet-{number}"
    number %= NEW
    changed = edition and number % 10
    if number % 2:
        when = f"hazard: {_HAZARDS[number % len(_HAZARDS)]}\n  severity: Extreme\n  area: [anderlecht, ixelles]"
    else:
        when = f"words: [{word_of(number)}, {STEMS[number % len(STEMS)]} {word_of(number)}]\n  trust: at least C3"
    if changed == 4:
        when += "\n  certainty: Observed"
    chain = "directors" if changed == 2 else "duty-officers"
    return (
        f"playbook: {name}\ntitle:\n  fr: {name}\n  nl: {name}\n  de: {name}\n  en: {name}\nowner: bench\n"
        f"review by: 2099-01-01\nmode: live\nwhen:\n  {when}\nincident:\n  one per: [event]\nsteps:\n"
        f"  wake:\n    call: {chain}\n    say: weather-ask\n"
        f"  partners:\n    after: wake is accepted\n    notify: [police-zones, siamu]\n    by: [sms, email]\n"
        f"    say: weather-partners\n"
        f"  over:\n    when: incident ends\n    notify: everyone reached\n    say: weather-over\n"
    )


def word_of(number: int) -> str:
    return f"mot{number}x"


def write(folder: Path, sheets: int) -> tuple[Path, Path, Path]:
    """config/, the sheets as they were, and as they are edited."""
    config, before, after = folder / "config", folder / "playbooks", folder / "edited"
    shutil.copytree(ROOT / "config", config)
    for edition, place in ((0, before), (1, after)):
        place.mkdir()
        for path in (ROOT / "playbooks").glob("*.yaml"):  # they ask for what the messages of config/ fill in
            (place / path.name).write_text(path.read_text().replace("mode: live", "mode: draft"))
        for number in range(sheets):
            if edition and number % 10 == 6:
                continue
            (place / f"sheet-{number}.yaml").write_text(sheet_text(number, edition))
        for number in range(NEW, NEW + sheets // 10 * edition):
            (place / f"sheet-{number}.yaml").write_text(sheet_text(number, edition))
    return config, before, after


def config_of(folder: Path, playbooks: Path) -> Config:
    config, findings = load(folder, playbooks=playbooks)
    assert not errors(findings), "\n".join(map(str, errors(findings)))
    return config


# --- a month -----------------------------------------------------------------------------------------------


def signal_of(chance: random.Random, number: int, at: datetime, sheets: int) -> Signal:
    """A warning in four languages or a press item; one in `OPENS` has a sheet's word in it, and holds for two hours."""
    opens = number % OPENS == OPENS - 1
    press = opens or chance.random() < 0.5
    infos = []
    for language in ("fr-BE",) if press else ("nl-BE", "fr-BE", "en-GB", "de-DE"):
        words = [chance.choice(FILLER) for _ in range(60 if press else 25)]
        words[chance.randrange(len(words))] = chance.choice(STEMS)
        if opens:
            words[20] = word_of(chance.randrange(0, sheets, 2))
        infos.append(
            Info(
                language=language,
                categories=(Category.OTHER if press else Category.MET,),
                event=f"item {number}" if opens else " ".join(words[:3]),
                hazard=None if press else chance.choice(_HAZARDS),
                urgency=Urgency.UNKNOWN if press else Urgency.IMMEDIATE,
                severity=Severity.UNKNOWN if press else Severity.MODERATE,
                certainty=chance.choice((Certainty.LIKELY, Certainty.OBSERVED)),
                onset=at,
                expires=at + timedelta(hours=2),
                headline=" ".join(words[3:12]),
                description=" ".join(words[12:]),
                areas=() if press else (Area(description="Ixelles", places=("brussels-capital-region", "ixelles")),),
            )
        )
    source = chance.choice(("kmi-irm", "press-bruzz", "press-bx1", "siamu"))
    return Signal(
        source=source,
        identifier=str(number),
        sender=source,
        sent=at,
        infos=tuple(infos),
        reliability=Reliability.B,
        credibility=Credibility.PROBABLY_TRUE,
    )


class Recorder:
    """Plays a month: what is ordered is sent a second later, and most of those asked accept within two minutes."""

    def __init__(self, config: Config, seed: int) -> None:
        self.facts: list[r.Fact] = []
        self.vault: list[r.VaultEntry] = []
        self.decisions: list[r.Decision] = []
        self._chance = random.Random(seed)
        self._ids = Ids(random.Random(seed + 1))
        self._engine = Engine(State(), rules_of(config, Status.ACTUAL), Ids(random.Random(seed + 2)))
        self._outside: list[tuple[datetime, int, r.FactBody]] = []
        self._nth = itertools.count()
        for sheet in config.playbooks:
            self._fact(BEGAN, r.Installed(what="playbook", name=sheet.name, version=sheet.version, mode=sheet.mode))

    def signal(self, signal: Signal) -> None:
        self.until(signal.sent)
        self._fact(signal.sent, r.SignalReceived(source=signal.source), signal)

    def until(self, at: datetime) -> None:
        """What falls due, and what the outside says, each in its time."""
        while True:
            deadline = self._engine.next_deadline()
            outside = min(self._outside)[0] if self._outside else None
            first = min((t for t in (deadline, outside) if t is not None), default=None)
            if first is None or first > at:
                return
            if first == outside:
                said = min(self._outside)
                self._outside.remove(said)
                self._fact(first, said[2])
            elif (due := self._engine.due(first)) is not None:
                self._settle(due)

    def _fact(self, at: datetime, body: r.FactBody, live: Signal | None = None) -> None:
        fact = r.Fact(id=self._ids.new(at), at=at, body=body)
        if live is not None:
            fact = replace(fact, vault=fact.id)
            self.vault.append(r.VaultEntry(key=fact.id, payload=msgspec.json.encode(live), about=live.source))
        self.facts.append(fact)
        self._settle(self._engine.take((r.Entry(fact, live),), at))

    def _settle(self, decided: Decided) -> None:
        decision = decided.decision
        self.decisions.append(decision)
        for event in decision.events:
            if isinstance(event, e.Ordered):
                receipts = tuple(r.Receipt(event.order, i, Outcome.SENT) for i in range(len(event.recipients)))
                self._later(decision.at, 1.0, r.ReceiptsReceived(channel=event.channel, receipts=receipts))
                if event.lane is Lane.ASK and self._chance.random() < ANSWERS:
                    code = dict(event.values)["code"]
                    reply = r.ReplyReceived(channel="sms", person=event.recipients[0], verb=Verb.ACCEPT, code=code)
                    self._later(decision.at, self._chance.uniform(20, 120), reply)

    def _later(self, at: datetime, seconds: float, body: r.FactBody) -> None:
        self._outside.append((at + timedelta(seconds=seconds), next(self._nth), body))


async def record(path: Path, config: Config, signals: int, sheets: int, seed: int) -> None:
    """Writes a month's journal."""
    chance, recorder = random.Random(seed), Recorder(config, seed)
    async with open_sqlite(path) as journal:
        for number in range(signals):
            at = BEGAN + MONTH * (number / signals)
            recorder.signal(signal_of(chance, number, at, sheets))
            if len(recorder.facts) >= BURST:
                await _write(journal, recorder)
        recorder.until(BEGAN + MONTH)
        await _write(journal, recorder)


async def _write(journal: SqliteJournal, recorder: Recorder) -> None:
    await journal.put_facts(recorder.facts, recorder.vault)
    for decision in recorder.decisions:
        put = journal.put_decision(decision)
    await put
    recorder.facts, recorder.vault, recorder.decisions = [], [], []


# --- measuring ---------------------------------------------------------------------------------------------


def timed(work: Callable[[], T]) -> tuple[float, T]:
    begun = time.perf_counter()
    done = work()
    return time.perf_counter() - begun, done


def _pages(reading: Reader) -> Iterator[list[bytes]]:
    """What lies in the vault of all signals, page by page."""
    place = 0
    while page := reading.facts_after(place, 2_000):
        place = page[-1][0]
        keys = [entry.record.vault for _, entry in page if isinstance(entry.record.body, r.SignalReceived)]
        yield [kept.payload for kept in reading.vault(keys) if kept is not None]


def signals_of(path: Path) -> list[Signal]:
    decode = msgspec.json.Decoder(Signal).decode
    with open_reader(path) as reading:
        return [decode(payload) for page in _pages(reading) for payload in page]


def matched(config: Config, signals: list[Signal]) -> int:
    matcher = Matcher(config.playbooks)
    return sum(len(matcher.match(signal, signal.sent)) for signal in signals)


def replayed(path: Path, config: Config) -> Difference:
    with open_reader(path) as reading:
        return run(reading, config, None, None)[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--signals", type=int, default=200_000)
    parser.add_argument("--sheets", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="on the disk to measure (default: a temporary folder)")
    given = parser.parse_args()
    say(f"{machine()}\nseed {given.seed}, {given.signals} signals, {given.sheets} sheets\n")
    with tempfile.TemporaryDirectory(dir=given.folder) as place:
        folder = Path(place)
        path = folder / "journal.db"
        config, before, after = write(folder, given.sheets)
        took_s, _ = timed(
            lambda: trio.run(record, path, config_of(config, before), given.signals, given.sheets, given.seed)
        )
        say(f"recorded in {took_s:.1f} s: {path.stat().st_size / 1e6:.0f} MB")
        edited_s, edited = timed(lambda: config_of(config, after))
        say(f"the configuration and the edited sheets read in {edited_s:.1f} s")
        read_s, signals = timed(lambda: signals_of(path))
        matched_s, met = timed(partial(matched, edited, signals))
        del signals
        say(f"ceilings: all signals read in {read_s:.1f} s, matched in {matched_s:.1f} s ({met} met)")
        replayed_s, difference = timed(lambda: replayed(path, edited))
    changes = ", ".join(f"{difference.count(change)} {change}" for change in Change)
    say(f"replayed {difference.counts.facts} facts in {replayed_s:.1f} s; incidents: {changes}")
    say(f"that is {replayed_s / (read_s + matched_s):.1f} times reading and matching alone")
    fine = replayed_s + edited_s < MOST_S
    say(f"{verdict(fine)}: a month in {replayed_s + edited_s:.1f} s (less than {MOST_S:g} s)")
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
