"""How differences are put into words: lists, spans of time, quoted texts. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

import msgspec

from hub.model.people import Asked, Contact
from hub.playbook.form import CHANNEL_WORDS

_CHANNELS = {channel: word for word, channel in CHANNEL_WORDS.items()}


def told(value: Any) -> str:
    """A value as an author writes it, more or less."""
    if value is None or value == "" or value == ():
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def listed(values: Iterable[Any]) -> str:
    """`sms, call`: channels by the author's word for them."""
    return ", ".join(_CHANNELS.get(text, text) for text in map(told, values))


def quoted(text: str) -> str:
    return f'"{" ".join(text.split())}"' if text else "nothing"


def span(seconds: float) -> str:
    """`45 min`, `1 h 30 min`, `90 s`."""
    if seconds % 60 or seconds < 60:
        return f"{seconds:g} s"
    days, rest = divmod(int(seconds), 86_400)
    hours, minutes = rest // 3600, rest % 3600 // 60
    if days and not rest:
        return f"{days} day{'s' if days > 1 else ''}"
    hours += 24 * days
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "") if part)


def contacts(found: Sequence[Contact]) -> str:
    """`police-zones, roster sitcen-on-call`."""
    return ", ".join(one.id if one.kind is Asked.GROUP else f"{one.kind} {one.id}" for one in found)


def lists(old: Sequence[str], new: Sequence[str], *, gone: str, added: str, order: str) -> Iterator[str]:
    """What is in one list and not in the other: `gone` and `added`, filled with it; `order` where all are in both."""
    left, come = [one for one in old if one not in new], [one for one in new if one not in old]
    if left:
        yield gone.format(", ".join(dict.fromkeys(left)))
    if come:
        yield added.format(", ".join(dict.fromkeys(come)))
    if not left and not come and list(old) != list(new):
        yield order


def words_of(about: str, old: Mapping[Any, str], new: Mapping[Any, str]) -> Iterator[str]:
    """A text in several languages."""
    for language in dict.fromkeys((*old, *new)):
        was, is_ = old.get(language, ""), new.get(language, "")
        if was != is_:
            yield f"{about} changed in {language}: {quoted(is_)} instead of {quoted(was)}"


def rest(about: str, old: msgspec.Struct, new: msgspec.Struct, handled: Collection[str]) -> Iterator[str]:
    """The fields that have no words of their own."""
    for field in old.__struct_fields__:
        was, is_ = getattr(old, field), getattr(new, field)
        if field not in handled and was != is_:
            lead = f"{about}: " if about else ""
            yield f"{lead}{field.replace('_', ' ')} is {told(is_)} instead of {told(was)}"
