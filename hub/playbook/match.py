"""Which sheets and dossiers a signal meets: one pass for all of them together.

Every `when` block of every sheet and dossier is one bit. For each field there is a table: value → the bits of the
blocks that accept it (those that ask for it, and those that do not ask). The blocks that an info block meets are the
AND of one entry per field; an info block with several values (areas, categories) takes the OR of theirs first. So the
cost hardly depends on the number of sheets: 10,000 of them make each entry 1.25 KB. Words are looked for only where a
block that is still in the running asks for some, all sheets' words at once; CEL runs only for blocks that passed
everything else. A signal's places (areas of config/areas.yaml) were found on intake (hub/intake/geography.py).

All conditions must hold on one and the same info block. Acks and errors never match; tests, drafts and
system messages only where a sheet asks for that status. No reasons are made here: `explain` (hub/playbook/explain.py)
makes them on request.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from hub.model.signal import Info, MsgType, Signal
from hub.model.trust import Credibility, Reliability
from hub.playbook.expression import Expression
from hub.playbook.language import Mode, Playbook, When
from hub.playbook.words import Phrases, folded_fields

_SOME = re.compile(rb"[^\x00]")
_MEMO_MAX = 4_096  # at 10,000 blocks 5 MB


class Asking(Protocol):
    """A sheet or a dossier."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def when(self) -> Sequence[When]: ...


class Match(Struct, frozen=True, gc=False):
    """A signal meets a sheet: in which version, on which info block, by which of its `when` blocks."""

    playbook: str
    version: str
    info: int
    when: int


class Met(Struct, frozen=True, gc=False):
    """What a signal meets of both; of the dossiers their names."""

    sheets: tuple[Match, ...] = ()
    dossiers: tuple[str, ...] = ()


NOTHING = Met()


class _Table:
    """For one field: value → bits of the blocks that accept it."""

    def __init__(self, blocks: Sequence[When], asked: Callable[[When], Iterable[Any]]) -> None:
        by_value: dict[Any, list[int]] = {}
        unasked: list[int] = []
        for bit, when in enumerate(blocks):
            values = tuple(asked(when))
            for value in values:
                by_value.setdefault(value, []).append(bit)
            if not values:
                unasked.append(bit)
        self.unasked = _bits(unasked, len(blocks))
        self.asks = _bits(range(len(blocks)), len(blocks)) & ~self.unasked
        self.of = {value: _bits(bits, len(blocks)) | self.unasked for value, bits in by_value.items()}

    def any_of(self, values: tuple[Any, ...]) -> int:
        """Bits of the blocks that accept at least one of the values."""
        bits = self.unasked
        for value in values:
            bits |= self.of.get(value, 0)
        return bits


class _WordTable:
    """The same for words and phrases."""

    def __init__(self, blocks: Sequence[When], asked: Callable[[When], Iterable[str]]) -> None:
        # As written: a stem is not always its own stem (blessés → bles → ble), so it is taken once only.
        self._table = _Table(blocks, lambda when: set(asked(when)))
        self.asks = self._table.asks
        self._phrases = Phrases(list(self._table.of))
        self._of = list(self._table.of.values())

    def found_in(self, text: str) -> int:
        bits = self._table.unasked
        for index in self._phrases.found(text):
            bits |= self._of[index]
        return bits


class Matcher:
    """All sheets that run (live or shadow), and all dossiers, ready to be met. Made anew when one of them changes; for
    one thread."""

    def __init__(self, playbooks: Iterable[Playbook], dossiers: Iterable[Asking] = ()) -> None:
        sheets = [p for p in playbooks if p.mode is not Mode.DRAFT and p.when]
        self._sheets = len(sheets)
        self._owners: list[Asking] = [*sheets, *(d for d in dossiers if d.when)]  # sheets first
        blocks = [when for o in self._owners for when in o.when]
        self._owner = [(s, w) for s, o in enumerate(self._owners) for w in range(len(o.when))]
        self._status = _Table(blocks, lambda when: when.status)
        self._source = _Table(blocks, lambda when: when.sources)
        self._origins = max((when.origins for when in blocks), default=0) or 1  # more make no difference
        self._grade = _grades(blocks, self._origins)
        self._hazard = _Table(blocks, lambda when: when.hazards)
        self._severity = _Table(blocks, lambda when: when.severity)
        self._urgency = _Table(blocks, lambda when: when.urgency)
        self._certainty = _Table(blocks, lambda when: when.certainty)
        self._category = _Table(blocks, lambda when: when.categories)
        self._area = _Table(blocks, lambda when: when.areas)
        self._event = _WordTable(blocks, lambda when: when.event)
        self._words = _WordTable(blocks, lambda when: when.words)
        self._memo: dict[tuple[Any, ...], int] = {}
        self._where = {bit: Expression(when.where) for bit, when in enumerate(blocks) if when.where}

    def match(self, signal: Signal, now: datetime) -> list[Match]:
        """The sheets the signal meets, each once, with the first info block and `when` block that do."""
        return list(self.meet(signal, now).sheets)

    def meet(self, signal: Signal, now: datetime) -> Met:
        """The same, and the dossiers."""
        if signal.msg_type is MsgType.ACK or signal.msg_type is MsgType.ERROR:
            return NOTHING
        bits = self._status.of.get(signal.status, self._status.unasked)
        bits &= self._source.of.get(signal.source, self._source.unasked)
        if not bits:
            return NOTHING
        reliability, credibility, origins = signal.graded
        bits &= self._grade[reliability, credibility, min(origins, self._origins)]
        met: dict[int, Match] = {}
        for index, info in enumerate(signal.infos):
            left = self._meeting(info, bits)
            if left:
                self._note(left, signal, index, now, met)
        if not met:
            return NOTHING
        found = sorted(met)
        return Met(
            tuple(met[owner] for owner in found if owner < self._sheets),
            tuple(met[owner].playbook for owner in found if owner >= self._sheets),
        )

    def _meeting(self, info: Info, bits: int) -> int:
        """Of the blocks in `bits` those the info block meets, but for CEL."""
        areas = info.areas
        places = areas[0].places if len(areas) == 1 else tuple(place for area in areas for place in area.places)
        key = (info.hazard, info.severity, info.urgency, info.certainty, info.categories, places)
        accepting = self._memo.get(key)
        if accepting is None:
            accepting = self._accepting(info, places)
            if len(self._memo) >= _MEMO_MAX:
                self._memo.clear()
            self._memo[key] = accepting
        bits &= accepting
        if bits & self._event.asks:
            bits &= self._event.found_in(folded_fields(info.event))
        if bits & self._words.asks:
            bits &= self._words.found_in(folded_fields(info.event, info.headline, info.description))
        return bits

    def _accepting(self, info: Info, places: tuple[str, ...]) -> int:
        """Blocks that accept all of an info block that is no text. The languages of a warning share this, and so do
        most warnings of a day: it is worked out once."""
        return (
            self._hazard.of.get(info.hazard, self._hazard.unasked)
            & self._severity.of.get(info.severity, self._severity.unasked)
            & self._urgency.of.get(info.urgency, self._urgency.unasked)
            & self._certainty.of.get(info.certainty, self._certainty.unasked)
            & self._category.any_of(info.categories)
            & self._area.any_of(places)
        )

    def _note(self, bits: int, signal: Signal, index: int, now: datetime, met: dict[int, Match]) -> None:
        for bit in _set_bits(bits):
            sheet, when = self._owner[bit]
            if sheet in met:
                continue
            where = self._where.get(bit)
            if where is not None and not where.holds(signal, signal.infos[index], now):
                continue
            owner = self._owners[sheet]
            met[sheet] = Match(owner.name, owner.version, index, when)


def _grades(blocks: Sequence[When], most: int) -> dict[tuple[Reliability, Credibility, int], int]:
    """For each grade, told by so many origins, the bits of the blocks it is good enough for."""
    return {
        (r, c, n): _bits([bit for bit, when in enumerate(blocks) if when.believes(r, c, n)], len(blocks))
        for r in Reliability
        for c in Credibility
        for n in range(most + 1)
    }


def _bits(numbers: Iterable[int], size: int) -> int:
    out = bytearray(size // 8 + 1)
    for number in numbers:
        out[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(out, "little")


def _set_bits(bits: int) -> Iterable[int]:
    """The numbers of the bits that are set, ascending; most are not."""
    data = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
    for some in _SOME.finditer(data):
        byte, at = data[some.start()], some.start() * 8
        for bit in range(8):
            if byte >> bit & 1:
                yield at + bit
