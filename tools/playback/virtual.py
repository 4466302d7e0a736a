"""A recorded day in virtual time: what pure readers make of it, through the whole hub in seconds.

Only what can be read without its source running is in it: what a source works out of several polls (what is gone from a
list, a page that changed), streams, sensors and radio need the playback in real time, and are named.
"""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from hub.config import Config
from hub.connector import SignalItem
from hub.drill.play import Given, GivenForm, Play
from hub.model.recording import Exchange, File, Heard, Line, Mail, Push
from hub.model.signal import Signal
from tools.playback.recording import Piece, Recorded

PURE = frozenset({"feed", "cap", "json_api", "webhook", "alertmanager", "mail", "crisislog", "pocsag"})
"""The types of sources whose input can be read piece by piece."""

_NAME = "recorded"


def play_of(recording: Recorded, config: Config) -> tuple[Play, list[str]]:
    """The day as a play, each signal once and at its own time, and what of the recording is not in it."""
    seen: set[tuple[str, str]] = set()
    given: list[Given] = []
    left: dict[str, int] = {}
    for piece in recording.pieces:
        source = config.sources.get(piece.source)
        data = _bytes(piece.heard)
        if source is None or source.type not in PURE:
            left[piece.source] = left.get(piece.source, 0) + 1
        elif data:
            signals = _read(source, data, piece, seen)
            if signals:
                after_s = (piece.at - recording.begin).total_seconds()
                form = GivenForm(source=piece.source)
                given.append(Given(after_s=after_s, form=form, source=piece.source, read=tuple(signals)))
    local = recording.begin.astimezone(ZoneInfo(config.hub.zone)).replace(tzinfo=None)  # as plays are written
    play = Play(name=_NAME, at=local, given=tuple(given), exercise=True)
    return play, [f"{name}: {count} pieces need the playback in real time" for name, count in sorted(left.items())]


def _read(source: Any, data: bytes, piece: Piece, seen: set[tuple[str, str]]) -> Sequence[Signal]:
    new = []
    for item in source.make.read(data, _NAME, source.settings):
        if isinstance(item, SignalItem) and (piece.source, item.key) not in seen:
            seen.add((piece.source, item.key))
            new.append(item.signal)
    return new


def _bytes(heard: Heard) -> bytes:
    """What a reader is given; nothing where nothing was to be read."""
    if isinstance(heard, Exchange):
        return heard.raw if heard.status == 200 and not heard.error else b""
    if isinstance(heard, Push):
        return heard.raw if 200 <= heard.answered < 300 else b""
    return heard.raw if isinstance(heard, Mail | File | Line) else b""
