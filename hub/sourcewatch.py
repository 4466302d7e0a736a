"""Watches over sources: who has said nothing for longer than was expected, whose layout has changed, whose news comes
late. Pure: time is an argument. What it finds becomes a fact (SourceWatched), and by that an alarm in the room.

A finding is made once and stands until it is over. What was told before a restart is handed in as `told`.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from statistics import median

from msgspec import Struct, field

from hub.model.records import SourceWatched

SILENT, LAYOUT, LATE = "source-silent", "source-layout", "source-late"
FINDINGS = (SILENT, LAYOUT, LATE)

LAST_ITEMS, ITEMS_LEAST = 20, 10  # a layout is judged by so many items, and not by fewer
UNREADABLE, READABLE = 0.5, 0.25  # more than the first are dead letters: it has changed; at most the second: it is over
LAST_DELAYS, USUAL_DELAYS, USUAL_LEAST = 10, 200, 30
LATE_TIMES, LATE_S = 4.0, 300.0  # as many times the usual delay, and so much more than it, is late


class _Watched(Struct, gc=False):
    heard: datetime | None = None
    unread: deque[bool] = field(default_factory=lambda: deque(maxlen=LAST_ITEMS))
    delays: deque[float] = field(default_factory=deque)
    usual: deque[float] = field(default_factory=lambda: deque(maxlen=USUAL_DELAYS))


class SourceWatch:
    """`expected`: seconds within which each source says something (0: whenever it likes). `told`: (finding, source)
    that stand already."""

    def __init__(self, expected: Mapping[str, float], since: datetime, told: Collection[tuple[str, str]] = ()) -> None:
        self._expected = expected
        self._since = since
        self._told = set(told)
        self._watched = {name: _Watched() for name in expected}

    def stepped(self, now: datetime) -> None:
        """The clock jumped: nobody could say anything meanwhile."""
        self._since = now

    def heard(self, source: str, at: datetime) -> None:
        """It sent something, or was asked and answered."""
        if source in self._watched:
            self._watched[source].heard = at

    def took(self, source: str, unreadable: bool) -> None:
        """An item that is new; `unreadable`: a dead letter."""
        if source in self._watched:
            self._watched[source].unread.append(unreadable)

    def arrived(self, source: str, sent: datetime, at: datetime) -> None:
        """A signal that is new, and no backlog."""
        watched = self._watched.get(source)
        if watched is None:
            return
        watched.delays.append(max(0.0, (at - sent).total_seconds()))
        if len(watched.delays) > LAST_DELAYS:
            oldest = watched.delays.popleft()
            # A delay that has been told does not become the usual one.
            if (LATE, source) not in self._told or len(watched.usual) < USUAL_LEAST:
                watched.usual.append(oldest)

    def findings(self, now: datetime) -> Iterator[SourceWatched]:
        """What has changed since it was last told; the same again until `tell` has it."""
        for source, watched in self._watched.items():
            for what, reason in (
                (SILENT, self._silent(source, watched, now)),
                (LAYOUT, _layout(watched, (LAYOUT, source) in self._told)),
                (LATE, _late(watched, (LATE, source) in self._told)),
            ):
                if reason is not None and bool(reason) != ((what, source) in self._told):
                    yield SourceWatched(source=source, what=what, reason=reason, over=not reason)

    def tell(self, found: SourceWatched) -> None:
        """It is in the journal."""
        change = self._told.discard if found.over else self._told.add
        change((found.what, found.source))

    def _silent(self, source: str, watched: _Watched, now: datetime) -> str | None:
        expected_s = self._expected[source]
        if not expected_s:
            return ""
        quiet_s = (now - max(watched.heard or self._since, self._since)).total_seconds()
        if quiet_s > expected_s:
            heard = f"since {watched.heard:%Y-%m-%d %H:%M}Z" if watched.heard is not None else "since the hub started"
            return f"nothing heard {heard}; expected every {expected_s / 60:g} min"
        return "" if watched.heard is not None else None  # after a restart it is not known yet


def _layout(watched: _Watched, told: bool) -> str | None:
    """None: it cannot be said, or it stays as it was told."""
    if len(watched.unread) < ITEMS_LEAST:
        return None
    bad, all_ = sum(watched.unread), len(watched.unread)
    if bad > UNREADABLE * all_:
        return f"{bad} of its last {all_} items could not be read: its layout may have changed"
    return None if told and bad > READABLE * all_ else ""


def _late(watched: _Watched, told: bool) -> str | None:
    """As `_layout`."""
    if len(watched.delays) < LAST_DELAYS or len(watched.usual) < USUAL_LEAST:
        return None
    now_s, usual_s = median(watched.delays), median(watched.usual)
    if now_s > max(LATE_TIMES * usual_s, usual_s + LATE_S):
        return f"its news arrives {now_s / 60:.0f} min after it was sent; usually {usual_s / 60:.0f} min"
    return None if told and now_s > max(LATE_TIMES * usual_s, usual_s + LATE_S) / 2 else ""
