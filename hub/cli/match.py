"""`vigie match FILE…`: which sheets a signal meets, and for each it misses the first condition that fails, with the
value that was found; and the dossiers that it would be filed in."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hub.cli import say
from hub.cli.read import entry_of, files_of
from hub.config import Config, SourceConfig
from hub.connector import BadItem, SignalItem
from hub.findings import choice
from hub.intake.intake import in_force
from hub.letters import read_with
from hub.model.signal import Info, MsgType, Signal
from hub.playbook.explain import Check, Explanation, explain
from hub.playbook.language import Mode, Playbook
from hub.playbook.match import Matcher
from hub.view.glance import plain

_line = msgspec.json.Decoder(Signal)

YES, NO = "✓", "✗"
PLACES_MAX = 2  # areas that are named of those a block touches


class Met(Struct, frozen=True, kw_only=True):
    """How a sheet stands to a signal, whatever its mode; a draft never runs."""

    sheet: Playbook
    how: Explanation

    @property
    def verdict(self) -> str:
        if not self.how.matched:
            return "misses"
        return "would meet" if self.sheet.mode is Mode.DRAFT else "meets"


class Looked(Struct, frozen=True, kw_only=True):
    """A signal as the hub would see it, and how the sheets stand to it (none, where nothing of it can be met). `note`:
    why none of them would run. `dossiers`: those it would be filed in."""

    file: Path
    signal: Signal
    at: datetime
    note: str
    met: tuple[Met, ...]
    dossiers: tuple[str, ...] = ()

    @property
    def matched(self) -> list[Met]:
        return [met for met in self.met if met.how.matched and not self.note]


def match(
    config: Config, files: Sequence[Path], kind: str, source: str, sheets: Sequence[str], at: datetime | None, *,
    everything: bool, as_json: bool,
) -> None:  # fmt: skip
    """`kind`: of source, where not the source's own. `sheets`: only these; then a signal that misses one is a fault.
    `at`: hub time; a signal's own time of sending where it is not given."""
    chosen = _sheets(config, sheets)
    signals, bad = _signals(config, files, kind, source)
    filing = Matcher((), config.dossiers.values())
    looked = [_look(config, file, signal, at or signal.sent, chosen, filing) for file, signal in signals]
    if as_json:
        for one in looked:
            say.json_line(_as_json(one))
    else:
        zone = ZoneInfo(config.hub.zone)
        for number, one in enumerate(looked):
            if number:
                say.line()
            for text in lines_of(one, zone, everything):
                say.line(text)
        for text in _sum(looked, chosen, source):
            say.line(text)
    say.done(bad > 0 or bool(sheets and any(len(one.matched) < len(chosen) for one in looked)))


def _sheets(config: Config, names: Sequence[str]) -> list[Playbook]:
    known = {sheet.name: sheet for sheet in config.playbooks}
    for name in names:
        if name not in known:
            say.could_not(f"{name}: no such sheet: {choice(name, known, 'the sheets are')}")
        if not known[name].when:
            say.could_not(f'{name}: is started by hand only: no signal meets it (it has no "when:")')
    return [sheet for sheet in config.playbooks if not names or sheet.name in names]


def _look(
    config: Config, file: Path, signal: Signal, at: datetime, sheets: Iterable[Playbook], filing: Matcher
) -> Looked:
    located = config.geography.locate(signal, f"{at:%Y-%m-%d}") if config.geography else signal
    asked = [sheet for sheet in sheets if sheet.when] if _can_be_met(signal) else []
    met = tuple(Met(sheet=sheet, how=explain(located, at, replace(sheet, mode=Mode.LIVE))) for sheet in asked)
    dossiers = filing.meet(located, at).dossiers if _can_be_met(signal) else ()
    return Looked(file=file, signal=located, at=at, note=_note(signal, at), met=met, dossiers=dossiers)


def _can_be_met(signal: Signal) -> bool:
    return bool(signal.infos) and signal.msg_type in (MsgType.ALERT, MsgType.UPDATE)


def _note(signal: Signal, at: datetime) -> str:
    if signal.msg_type is MsgType.CANCEL:
        return "a Cancel opens nothing: it withdraws what it refers to"
    if signal.msg_type in (MsgType.ACK, MsgType.ERROR):
        return f"an {signal.msg_type} is recorded and opens nothing"
    if not signal.infos:
        return "it has no info block: there is nothing to look at"
    if all(info.expires is not None for info in signal.infos) and not in_force(signal, at):
        return f"it is over at {at:%Y-%m-%d %H:%M}Z: it would be recorded and open nothing (--at another time)"
    return ""


# --- reading -----------------------------------------------------------------------------------------------


def _signals(config: Config, files: Sequence[Path], kind: str, source: str) -> tuple[list[tuple[Path, Signal]], int]:
    """All signals, as the source reads them and as far as it is believed; and how many things could not be read."""
    known = config.sources.get(source)
    if source and known is None:
        say.could_not(f"{source}: no such source: there are {', '.join(sorted(config.sources))}")
    found: list[tuple[Path, Signal]] = []
    faults = 0
    for file in files_of(files):
        signals, bad = _signals_of(kind or (known.type if known is not None else "cap"), known, file)
        faults += bad
        found += [(file, _believed(item, source, known)) for item in signals]
    return found, faults


def _believed(item: SignalItem, source: str, known: SourceConfig | None) -> Signal:
    if known is None:
        return item.signal
    return replace(item.believed(known.trusted.reliability, known.trusted.credibility), source=source)


def _signals_of(kind: str, source: SourceConfig | None, file: Path) -> tuple[list[SignalItem], int]:
    """As `vigie read` prints them, else as the source reads them, with its own settings where they are of that kind."""
    try:
        data = file.read_bytes()
    except OSError as error:
        say.could_not(f"{file}: {error.strerror}")
    signals: list[SignalItem] = []
    bad = 0
    if data.lstrip().startswith(b'{"identifier"'):
        for number, line in enumerate(data.splitlines(), 1):
            try:
                signals += [SignalItem(signal=_line.decode(line), key="")] if line.strip() else []
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                bad += 1
                say.error(f"{file}:{number}: this line is no signal ({error}): give lines as `vigie read` prints them")
        return signals, bad
    entry = entry_of(kind)
    same = source is not None and source.type == kind
    items: Sequence[Any] = (
        source.make.read(data, file.name, source.settings)
        if same and source is not None
        else read_with(entry, data, file.name)
    )
    for item in items:
        if isinstance(item, BadItem):
            bad += 1
            say.error(f"{file}:{item.place}: {item.reason}" if item.place else f"{file}: {item.reason}")
        else:
            signals.append(item)
    return signals, bad


# --- showing -----------------------------------------------------------------------------------------------


def lines_of(looked: Looked, zone: ZoneInfo, everything: bool) -> Iterator[str]:
    """A signal, its blocks, and the sheets: those that are met first."""
    signal = looked.signal
    yield f"{looked.file.name}  {plain(signal.identifier, 120)}"
    sent = f"{signal.sent.astimezone(zone):%Y-%m-%d %H:%M}"
    believed = f"{signal.reliability}{signal.credibility.value}"
    whose = plain(signal.source or signal.sender, 60)
    yield f"  {signal.msg_type}, {signal.status}, of {whose} ({believed}), sent {sent}"
    yield from (f"  {line}" for line in say.columns(_blocks(signal.infos)))
    if looked.note:
        yield f"  {looked.note}"
    order = sorted(looked.met, key=lambda met: not met.how.matched)
    width = max((len(met.sheet.name) for met in order), default=0)
    keys = max((len(check.key) for met in order for check in met.how.checks), default=0)
    for met in order:
        yield f"  {met.verdict:<10}  {met.sheet.name:<{width}}  {_where(met, signal)}".rstrip()
        checks = met.how.checks if everything or met.how.matched else [c for c in met.how.checks if not c.holds][:1]
        yield from (f"    {_check(check, keys)}" for check in checks)
    if looked.dossiers:
        yield f"  filed in {', '.join(looked.dossiers)}"


def _blocks(infos: Sequence[Info]) -> Iterator[tuple[str, ...]]:
    """A line for blocks that say the same in several languages."""
    alike: dict[tuple[str, str, str], list[int]] = {}
    for number, info in enumerate(infos):
        key = (
            str(info.hazard or "no hazard"),
            f"{info.severity}, {info.certainty}, {info.urgency}",
            _places(info),
        )
        alike.setdefault(key, []).append(number)
    for said, numbers in alike.items():
        words = plain(infos[numbers[0]].headline or infos[numbers[0]].event, 60)
        which = ", ".join(f"{n + 1}{f' ({infos[n].language})' if infos[n].language else ''}" for n in numbers)
        yield (f"block{'s' if len(numbers) > 1 else ''} {which}", *said, f'"{words}"' if words else "")


def _places(info: Info) -> str:
    """What it names, and which of the centre's own areas that touches."""
    named = ", ".join(plain(area.description, 40) for area in info.areas[:2] if area.description)
    if any(area.from_text for area in info.areas):
        named += " (read from the text)"
    places = list(dict.fromkeys(place for area in info.areas for place in area.places))
    more = f" and {len(places) - PLACES_MAX} more" if len(places) > PLACES_MAX else ""
    shown = ", ".join(places[:PLACES_MAX]) + more if places else "no area of ours"
    return f"{named} → {shown}" if named else shown if info.areas else "no area"


def _where(met: Met, signal: Signal) -> str:
    """On which block and by which of its conditions; of a miss, the nearest."""
    how = met.how
    if how.info < 0:
        return ""
    language = signal.infos[how.info].language
    place = f"block {how.info + 1}" + (f" ({language})" if language else "")
    case = f", case {how.when + 1} of {len(met.sheet.when)}" if len(met.sheet.when) > 1 else ""
    if how.matched:
        mode = f"  [{met.sheet.mode}: {_MODES[met.sheet.mode]}]" if met.sheet.mode in _MODES else ""
        return f"by {place}{case}{mode}"
    failing = sum(not check.holds for check in how.checks)
    more = f", {failing - 1} more would fail" if failing > 1 else ""
    return f"nearest: {place}{case}{more}"


_MODES = {Mode.DRAFT: "it never runs", Mode.SHADOW: "it sends nothing"}


def _check(check: Check, width: int) -> str:
    if check.holds:
        return f"{YES} {check.key:<{width}}  {plain(check.found, 160)}"
    return f"{NO} {check.key:<{width}}  {plain(check.found, 120) or 'nothing'}   asked: {check.asked}"


def _sum(looked: Sequence[Looked], sheets: Sequence[Playbook], source: str) -> Iterator[str]:
    if looked:
        yield ""
    if len(looked) > 1:
        yield f"{len(looked)} signals"
        met = {sheet.name: sum(sheet.name in {m.sheet.name for m in one.matched} for one in looked) for sheet in sheets}
        rows = [(f"  {name}", f"met by {n}") for name, n in met.items() if n]
        yield from say.columns(rows)
        filed = Counter(dossier for one in looked for dossier in one.dossiers)
        yield from say.columns((f"  {name}", f"is filed {n}") for name, n in sorted(filed.items()))
        if nobody := [sheet.name for sheet in sheets if sheet.when and not met[sheet.name]]:
            yield f"  met by none: {', '.join(nobody)}"
    by_hand = [sheet.name for sheet in sheets if not sheet.when]
    if by_hand and looked:
        yield f"started by hand only: {', '.join(by_hand)}"
    if not source and any(not c.holds and c.key == "trust" for one in looked for m in one.met for c in m.how.checks):
        yield "without --source nothing is known of a signal's trust: name the source that it comes from"


def _as_json(looked: Looked) -> dict[str, Any]:
    signal = looked.signal
    return {
        "file": str(looked.file),
        "signal": signal.identifier,
        "source": signal.source,
        "at": looked.at,
        "note": looked.note,
        "blocks": [
            {
                "language": info.language,
                "hazard": info.hazard,
                "severity": info.severity,
                "certainty": info.certainty,
                "urgency": info.urgency,
                "areas": [
                    {"description": a.description, "places": a.places, "from_text": a.from_text} for a in info.areas
                ],
            }
            for info in signal.infos
        ],
        "sheets": [
            {**msgspec.to_builtins(met.how), "mode": str(met.sheet.mode), "first_failing": _failing(met.how)}
            for met in looked.met
        ],
        "dossiers": looked.dossiers,
    }


def _failing(how: Explanation) -> str:
    check = how.first_failing
    return check.key if check is not None else ""
