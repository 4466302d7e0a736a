"""Recorded messages, as `mosquitto_sub` prints them: `-F %j` (JSON, with times), or `-v` (topic, payload). Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from connectors.expression import instant_of

LINES_MAX = 200_000
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


class Recorded(Struct, frozen=True):
    """One message. `at`: what the line says; without that, a second after the line before."""

    line: int
    topic: str
    payload: bytes
    at: datetime
    retained: bool = False


def messages_in(data: bytes) -> Iterator[Recorded]:
    """Every line that has a topic; times never go back."""
    at = _BEGIN
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines()[:LINES_MAX], 1):
        found = _json(line) if line.startswith("{") else None
        if found is not None:
            at = max(at, _time(found.get("tst")) or at + timedelta(seconds=1))
            payload = found.get("payload")
            raw = payload.encode() if isinstance(payload, str) else msgspec.json.encode(payload)
            yield Recorded(number, found["topic"], raw, at, found.get("retain") in (1, True))
        elif line.strip() and not line.startswith("{"):
            topic, _, text = line.strip().partition(" ")
            at += timedelta(seconds=1)
            yield Recorded(number, topic, text.encode(), at)


def _json(line: str) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    is_message = isinstance(found, dict) and isinstance(found.get("topic"), str) and "payload" in found
    return found if is_message else None


def _time(found: Any) -> datetime | None:
    try:
        return instant_of(found, "UTC") if found is not None else None
    except ValueError:
        return None
