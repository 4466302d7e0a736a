"""What is to be told of a calendar, by what was told of it before. Pure.

An occurrence is told when it comes within the horizon, again when it moves, changes or comes near, and withdrawn when
it is cancelled. What has vanished is withdrawn only when it is missing twice in a row, and never because of a fault: a
calendar that is being written anew must not call anything off.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from connectors.calendar.config import CalendarConfig
from connectors.calendar.meaning import info_of, is_near, told
from connectors.calendar.occurrences import Found, Occurrence
from connectors.text import digest
from hub.connector import SignalItem
from hub.model.signal import Info, MsgType, Reference, Scope, Signal

MEDIA_TYPE = "text/calendar"
_KEPT = timedelta(days=1)  # so long after its end an occurrence is forgotten


class Known(Struct, frozen=True, array_like=True):
    """What was told of an occurrence. Holds digests and times only: it lies in the journal. `content`: `""` where it
    was withdrawn. `n`: how often it was told. `missing`: it was not there when last looked for. `near`: told as such.
    `alone`: it was not worked out from a series, so it is looked for wherever it has moved."""

    content: str
    series: str
    start: int  # seconds since 1970, as `end`
    end: int
    n: int = 0
    missing: bool = False
    near: bool = False
    alone: bool = False
    last: int = 0  # the latest end that was ever told: until then what was told before could be told again

    @property
    def starts(self) -> datetime:
        return datetime.fromtimestamp(self.start, UTC)

    @property
    def ends(self) -> datetime:
        return datetime.fromtimestamp(self.end, UTC)

    @property
    def over(self) -> datetime:
        """From when on it may be forgotten."""
        return datetime.fromtimestamp(max(self.last, self.end), UTC) + _KEPT


class Change(Struct, frozen=True, kw_only=True):
    """What is to be offered (nothing, where only what is known changes), and what is known of the occurrence then
    (None: it is forgotten)."""

    name: str
    known: Known | None
    item: SignalItem | None = None


class Setting(Struct, frozen=True, kw_only=True):
    """Who tells, when, and up to when what is not there counts as missing."""

    sender: str
    now: datetime
    horizon: datetime


def changes(known: Mapping[str, Known], found: Found, config: CalendarConfig, setting: Setting) -> list[Change]:
    """What has to be told, in the order of time, and what is to be remembered."""
    return _Comparison(known, found, config, setting).changes()


class _Comparison:
    def __init__(self, known: Mapping[str, Known], found: Found, config: CalendarConfig, setting: Setting) -> None:
        self._known, self._found, self._config, self._setting = known, found, config, setting
        self._there = {one.name: one for one in (*found.occurrences, *found.elsewhere)}

    def changes(self) -> list[Change]:
        moved = self._moved_series()
        out: list[Change] = []
        for occurrence in self._there.values():
            out += self._one(occurrence, moved.get(occurrence.name, ""))
        gone = set(moved.values())
        out += [Change(name=name, known=replace(self._known[name], content="", missing=False)) for name in gone]
        for name, before in self._known.items():
            if name not in self._there and name not in gone:
                out += self._absent(name, before)
        return out

    # --- what is there -------------------------------------------------------------------------------------

    def _one(self, occurrence: Occurrence, instead_of: str) -> list[Change]:
        name, now = occurrence.name, self._setting.now
        before = self._known.get(name)
        standing = before if before is not None and before.content else None
        if occurrence.end <= now and (standing is None or standing.ends <= now):
            over = before is not None and before.over <= now
            return [Change(name=name, known=None)] if over else []
        near = is_near(occurrence, self._config, now)
        info = info_of(occurrence, self._config, near)
        if info is None or occurrence.cancelled:
            if standing is None:
                return []
            why = "cancelled in the calendar" if occurrence.cancelled else "a rule says now that it is no signal"
            return [self._withdrawn(name, standing, why, info, occurrence.original)]
        content = digest(msgspec.json.encode(told(info)))[:16]
        if standing is not None and (standing.content, standing.near) == (content, standing.near or near):
            return [Change(name=name, known=replace(standing, missing=False))] if standing.missing else []
        earlier_ones = [one for one in (before, self._known.get(instead_of)) if one is not None]
        after = Known(
            content=content,
            series=occurrence.series,
            start=int(occurrence.start.timestamp()),
            end=int(occurrence.end.timestamp()),
            n=max((one.n + 1 for one in earlier_ones), default=0),
            near=near,
            alone=occurrence.alone,
            last=max((max(one.last, one.end) for one in earlier_ones), default=0),
        )
        earlier = name if standing is not None else instead_of
        was = self._known.get(earlier)
        notes = () if was is None else (_what_changed(was, after),)
        item = self._item(name, after, MsgType.UPDATE if earlier else MsgType.ALERT, earlier, info, notes)
        return [Change(name=name, known=after, item=replace(item, original=occurrence.original))]

    # --- what is not ---------------------------------------------------------------------------------------

    def _missing(self, name: str, before: Known) -> bool:
        """Whether something that should be there is not. Beyond the horizon nobody has looked."""
        unsure = not self._found.whole or before.series in self._found.unsure
        return (
            name not in self._there
            and bool(before.content)
            and before.ends > self._setting.now
            and (before.alone or before.starts < self._setting.horizon)
            and not unsure
        )

    def _absent(self, name: str, before: Known) -> list[Change]:
        if before.over <= self._setting.now:
            return [Change(name=name, known=None)]
        if not self._missing(name, before):
            return []
        if not before.missing:
            return [Change(name=name, known=replace(before, missing=True))]
        return [self._withdrawn(name, before, "no longer in the calendar", None, b"")]

    def _stands(self, name: str) -> bool:
        before = self._known.get(name)
        return before is not None and bool(before.content)

    def _moved_series(self) -> dict[str, str]:
        """New occurrence → the one in whose place it is: a series that was moved as a whole has new names throughout.
        First what is on the same day, then, where as many came as went, one after another."""
        zone = ZoneInfo(self._config.zone)
        went: dict[str, list[tuple[str, Known]]] = {}
        for name, before in self._known.items():
            if self._missing(name, before):
                went.setdefault(before.series, []).append((name, before))
        out: dict[str, str] = {}
        for series, old in went.items():
            new = [
                one
                for one in self._found.occurrences
                if one.series == series and not self._stands(one.name) and not one.cancelled
                and one.end > self._setting.now
            ]  # fmt: skip
            old.sort(key=lambda pair: pair[1].start)
            days = {one.start.astimezone(zone).date(): one for one in reversed(new)}
            for name, before in list(old):
                same = days.pop(before.starts.astimezone(zone).date(), None)
                if same is not None:
                    out[same.name] = name
                    old.remove((name, before))
                    new.remove(same)
            if len(old) == len(new):
                out |= {one.name: name for one, (name, _) in zip(new, old, strict=True)}
        return out

    # --- signals -------------------------------------------------------------------------------------------

    def _withdrawn(self, name: str, before: Known, why: str, info: Info | None, original: bytes) -> Change:
        after = replace(before, content="", n=before.n + 1, missing=False, near=False)
        item = self._item(name, after, MsgType.CANCEL, name, info, (why,))
        return Change(name=name, known=after, item=replace(item, original=original))

    def _item(
        self, name: str, after: Known, kind: MsgType, earlier: str, info: Info | None, notes: tuple[str, ...]
    ) -> SignalItem:
        setting = self._setting
        signal = Signal(
            identifier=f"{name} over {after.n}" if kind is MsgType.CANCEL else name,
            sender=setting.sender,
            sent=setting.now,
            msg_type=kind,
            scope=Scope.RESTRICTED,
            references=(Reference(setting.sender, earlier),) if earlier else (),
            infos=(info,) if info is not None else (),
            notes=notes,
        )
        # The number tells one telling from another that says the same: what moves away and back again is news twice.
        before = self._known.get(name)
        was = before.content if before is not None else ""
        key = "calendar:" + digest(setting.sender, name, kind, was, after.content, str(after.n))
        return SignalItem(signal=signal, key=key, media_type=MEDIA_TYPE)


def _what_changed(before: Known, after: Known) -> str:
    if (before.start, before.end) != (after.start, after.end):
        return f"moved: it was {before.starts:%Y-%m-%d %H:%M} to {before.ends:%Y-%m-%d %H:%M} UTC"
    return "it has come near" if before.content == after.content else "what the calendar says of it has changed"


def in_order(found: Sequence[Change]) -> list[Change]:
    """Withdrawals first, then by the beginning: what takes something's place comes after it is gone."""
    return sorted(found, key=lambda one: (one.item is None or bool(one.item.signal.infos), _start(one)))


def _start(change: Change) -> int:
    return change.known.start if change.known is not None else 0
