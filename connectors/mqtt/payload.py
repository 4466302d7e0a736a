"""From a message's payload to the value in it, by what the config says of its topic. Pure.

Reasons of what cannot be read hold nothing of the payload: there is one dead letter for each.
"""

import math
import re
from datetime import datetime
from typing import Any

from msgspec import Struct

from connectors.expression import find, instant_of, text_of
from connectors.json_api.mapping import answer_of
from connectors.mqtt.config import Reading
from connectors.text import one_line
from hub.connector import ReadError
from hub.model.signal import Severity

WORD_MAX = 60  # characters of a state's word, a sensor's name
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")


class Value(Struct, frozen=True):
    """What a payload says. `number`, or `word` and how bad that is (None: normal). `sensor`: which of several on its
    topic, `at`: when it was measured, both where the payload says so."""

    number: float | None = None
    word: str = ""
    severity: Severity | None = None
    sensor: str = ""
    at: datetime | None = None


def value_of(payload: bytes, reading: Reading, zone: str) -> Value | None:
    """None where it is not meant. Raises ReadError."""
    as_json = bool(reading.value or reading.only or reading.time or reading.sensor)
    answer = answer_of(payload) if as_json else _text(payload)
    if reading.only and find(reading.only, answer) is not True:
        return None
    found = find(reading.value, answer) if reading.value else answer
    if found is None:
        raise ReadError("has no value: correct value, or say with only which messages have one", reading.value)
    sensor = one_line(text_of(find(reading.sensor, answer)))[:WORD_MAX] if reading.sensor else ""
    if reading.sensor and not sensor:
        raise ReadError("names no sensor: correct sensor, or the sender", "sensor")
    at = _time(find(reading.time, answer), zone) if reading.time else None
    if reading.states:
        word = one_line(text_of(found))[:WORD_MAX]
        return Value(word=word, severity=_severity(word, reading), sensor=sensor, at=at)
    number = _number(found, reading.unit)
    low, high = reading.least, reading.most
    if (low is not None and number < low) or (high is not None and number > high):
        raise ReadError("is beyond what can be measured: look at the sensor, or correct least and most")
    return Value(number=number, sensor=sensor, at=at)


def _text(payload: bytes) -> str:
    try:
        return payload.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise ReadError("is no text in UTF-8: have it send a number or a word", f"byte {error.start}") from error


def _number(found: Any, unit: str) -> float:
    if isinstance(found, bool):
        raise ReadError("is true or false, no number: correct value, or write states")
    if isinstance(found, str):
        text = found.strip()
        text = text.removesuffix(unit).rstrip() if unit else text
        if re.fullmatch(r"[-+]?\d+,\d+", text):
            raise ReadError("is written with a decimal comma: have it send 12.5")
        found = float(text) if len(text) <= WORD_MAX and _NUMBER.fullmatch(text) else None
    try:
        number = float(found) if isinstance(found, int | float) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ReadError("is no number: have it send one as 12.5, or correct value")
    return number


def _severity(word: str, reading: Reading) -> Severity | None:
    folded = word.casefold()
    for known, severity in reading.states.items():
        if known.casefold() == folded:
            return severity
    if folded not in {known.casefold() for known in reading.normal}:
        raise ReadError("is a word that means nothing here: add it to states or to normal")
    return None


def _time(found: Any, zone: str) -> datetime | None:
    """None where there is none that can be believed: then it counts as measured when it came."""
    try:
        return instant_of(found, zone) if found is not None else None
    except ValueError:
        return None
