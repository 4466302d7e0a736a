"""What sheets would have made of the signals that were recorded: words that tell nothing apart, and sheets that open
more incidents than anybody can work off. Pure, given the signals; `vigie check` reads them from the journal.

It is an estimate to be warned by, not a replay: signals are taken as they were recorded, with the trust that their
source has now, and an incident lasts as long as its warnings and its `within`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from hub.config.whole import Config
from hub.engine.incidents import joining_key
from hub.findings import Finding
from hub.model.signal import Info, MsgType, Signal
from hub.playbook.language import Mode
from hub.playbook.match import Asking, Match, Matcher
from hub.playbook.words import Phrases, folded_fields
from hub.yaml import Document

LOOKED_AT = timedelta(days=31)
SIGNALS_MAX = 50_000  # the newest; read and matched in a few seconds
SIGNALS_MIN = 50  # fewer say nothing about what is common
COMMON = 0.5
INCIDENTS_A_DAY = 10
_DOSSIER = "dossier "  # before the name of one

Recorded = Sequence[tuple[datetime, Signal]]
"""When each signal was recorded, and the signal; the oldest first."""


class Met(Struct, frozen=True, kw_only=True):
    """How many of the signals a sheet's or a dossier's `words` (or `event`) meet: all of a list, and each phrase by
    itself."""

    sheet: str
    block: int
    key: str
    signals: int
    of: int
    phrases: tuple[tuple[str, int], ...]

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.signals / self.of


def askers(config: Config) -> list[Asking]:
    """All that have a `when`; dossiers under names of their own."""
    return [*config.playbooks, *(replace(d, name=f"{_DOSSIER}{d.name}") for d in config.dossiers.values())]


def words_met(playbooks: Sequence[Asking], recorded: Recorded) -> list[Met]:
    """Every list of words, and what it meets; nothing where nothing was recorded."""
    if not recorded:
        return []
    lists = [(p.name, n, key) for p in playbooks for n, when in enumerate(p.when) for key in ("words", "event")
             if getattr(when, key)]  # fmt: skip
    by_sheet = {p.name: p for p in playbooks}
    asked = {at: getattr(by_sheet[at[0]].when[at[1]], at[2]) for at in lists}
    found: list[Met] = []
    for key in ("words", "event"):
        phrases = sorted({phrase for at in lists if at[2] == key for phrase in asked[at]})
        if not phrases:
            continue
        looked, alone, together = Phrases(phrases), Counter[str](), Counter[Any]()
        mine = {at: frozenset(asked[at]) for at in lists if at[2] == key}
        for _, signal in recorded:
            hit = {phrases[i] for info in signal.infos for i in looked.found(_text(key, info))}
            alone.update(hit)
            together.update(at for at, words in mine.items() if words & hit)
        for at in mine:
            each = tuple((phrase, alone[phrase]) for phrase in asked[at])
            found.append(Met(sheet=at[0], block=at[1], key=key, signals=together[at], of=len(recorded), phrases=each))
    return sorted(found, key=lambda met: lists.index((met.sheet, met.block, met.key)))


def _text(key: str, info: Info) -> str:
    return folded_fields(info.event) if key == "event" else folded_fields(info.event, info.headline, info.description)


def check_words(config: Config, met: Sequence[Met]) -> list[Finding]:
    """A finding for each list, or each word of it, that meets half of what was recorded."""
    found: list[Finding] = []
    for one in met:
        if one.of < SIGNALS_MIN or one.share <= COMMON:
            continue
        document = _document(config, one.sheet)
        single = [(n, phrase, count) for n, (phrase, count) in enumerate(one.phrases) if count / one.of > COMMON]
        places = [
            (document.at("when", one.block, one.key, n), f'"{phrase}" meets', count) for n, phrase, count in single
        ]
        places = places or [(document.at("when", one.block, one.key), f"these {one.key} meet", one.signals)]
        for place, what, count in places:
            told = f"{what} {count / one.of:.0%} of the {one.of} signals of the last {LOOKED_AT.days} days"
            document.add(place, "common-words", told, "write what tells it apart: a phrase, a hazard", warning=True)
            found.append(document.findings.pop())
    return found


# --- incidents ---------------------------------------------------------------------------------------------


def opened(config: Config, recorded: Recorded) -> dict[str, Counter[str]]:
    """Sheet → day (of the hub's time zone) → incidents it would have opened; drafts too."""
    sheets = {p.name: replace(p, mode=Mode.LIVE) for p in config.playbooks if p.when}
    matcher = Matcher(sheets.values())
    open_until: dict[tuple[Any, ...], datetime] = {}
    days: dict[str, Counter[str]] = {name: Counter() for name in sheets}
    for at, signal in _as_trusted_now(config, recorded):
        if signal.msg_type is MsgType.CANCEL:
            continue
        for met in matcher.match(signal, at):
            sheet = sheets[met.playbook]
            ends = _ends(signal, met)
            if ends is not None and ends <= at:
                continue
            key = (sheet.name, signal.status, *joining_key(sheet, met, signal))
            lasts = max(at, ends or at) + timedelta(seconds=sheet.incident.within_s)
            if open_until.get(key, at) <= at:
                days[sheet.name][f"{at.astimezone(ZoneInfo(config.hub.zone)):%Y-%m-%d}"] += 1
            open_until[key] = max(lasts, open_until.get(key, lasts))
    return days


def _as_trusted_now(config: Config, recorded: Recorded) -> Iterator[tuple[datetime, Signal]]:
    for at, signal in recorded:
        source = config.sources.get(signal.source)
        if source is not None:
            trusted = source.trusted
            signal = replace(signal, reliability=trusted.reliability, credibility=trusted.credibility)
        yield at, signal


def _ends(signal: Signal, met: Match) -> datetime | None:
    return signal.infos[met.info].expires


def check_incidents(config: Config, days: dict[str, Counter[str]]) -> list[Finding]:
    """A finding for each sheet with a day too full for anybody."""
    found: list[Finding] = []
    for sheet, counted in days.items():
        full = [(count, day) for day, count in counted.items() if count > INCIDENTS_A_DAY]
        if not full:
            continue
        most, day = max(full)
        more = f", and more than {INCIDENTS_A_DAY} on {len(full) - 1} other days" if len(full) > 1 else ""
        document = _document(config, sheet)
        document.add(
            document.at("when", 0), "too-many-incidents", f"{sheet} would have opened {most} incidents on {day}{more}",
            "ask for more (severity, trust, area), or let more join: one per, within", warning=True,
        )  # fmt: skip
        found.append(document.findings.pop())
    return found


def _document(config: Config, sheet: str) -> Document:
    if sheet.startswith(_DOSSIER):
        return config.documents["dossiers.yaml"].below(sheet.removeprefix(_DOSSIER))
    return next(d for d in config.documents.values() if _names(d, sheet))


def _names(document: Document, sheet: str) -> bool:
    name = document.at("playbook")
    return getattr(name, "text", None) == sheet
