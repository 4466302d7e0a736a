"""From the items of a JSON answer to signals, by what the config says. Pure."""

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from connectors.expression import find
from connectors.json_api.config import JsonConfig
from connectors.mapping import said, signal_of, wanted
from connectors.text import digest, place_of
from hub.connector import BadItem, ReadError, SignalItem

MEDIA_TYPE = "application/json"
ITEMS_MAX = 5_000


def answer_of(data: bytes) -> Any:
    """The JSON of an answer. Raises ReadError with the place."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReadError("not UTF-8: JSON is (RFC 8259)", f"byte {error.start}") from error
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        at = re.search(r"byte (\d+)", str(error))
        offset = len(text.encode()[: int(at[1])].decode("utf-8", "ignore")) if at else 0
        raise ReadError("not well-formed JSON: send a complete, valid document", place_of(text, offset)) from error


def items_of(data: bytes, config: JsonConfig, sender: str, now: datetime | None) -> list[SignalItem | BadItem]:
    """Every item of one answer. `now` stands in for a missing time. Raises ReadError where there is no list."""
    answer = answer_of(data)
    found = find(config.items, answer)
    if found is None:
        return []
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list):
        raise ReadError(f"{config.items} is no list: correct items", config.items)
    return [_item(one, n, config, sender, now) for n, one in enumerate(found[:ITEMS_MAX]) if wanted(one, config)]


def next_page(data: bytes, config: JsonConfig) -> str:
    """The address of the next page, "" where there is none."""
    found = find(config.next, answer_of(data)) if config.next else None
    return found if isinstance(found, str) else ""


def _item(item: Any, n: int, config: JsonConfig, sender: str, now: datetime | None) -> SignalItem | BadItem:
    place = f"{config.items}[{n}]"
    original = json.dumps(item, ensure_ascii=False, sort_keys=True).encode()
    content = hashlib.sha256(original).hexdigest()
    try:
        signal = signal_of(item, config, sender, now)
    except ReadError as error:
        return BadItem(
            reason=error.reason, place=place, original=original, key=f"json:{content}", media_type=MEDIA_TYPE
        )
    key = "json:" + digest(signal.sender, signal.identifier, said(signal))
    return SignalItem(signal=signal, key=key, original=original, media_type=MEDIA_TYPE)


def read_items(data: bytes, config: JsonConfig, sender: str) -> Sequence[SignalItem | BadItem]:
    """What an answer's bytes hold, with nothing fetched. Never raises."""
    try:
        return items_of(data, config, sender, None)
    except ReadError as error:
        return [bad_answer(error, data)]
    except Exception as error:  # foreign input: whatever it does to a library is a dead letter, never a crash
        return [bad_answer(ReadError(f"cannot be read ({type(error).__name__})"), data)]


def bad_answer(error: ReadError, data: bytes) -> BadItem:
    return BadItem(
        reason=error.reason,
        place=error.place,
        original=data,
        key=f"json:{hashlib.sha256(data).hexdigest()}",
        media_type=MEDIA_TYPE,
    )
