"""From a tree of nodes (hub/yaml.py) to typed structs, with a finding for everything that does not fit.

    class Feed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
        url: str
        every: Seconds = 60.0                                # "90 s", "4 min"
        review_by: Day | None = None                         # in YAML: review by
        speaks: tuple[Language, ...] = ()                    # a list, or one without brackets
        title: Texts                                         # fr, nl, de and en, each once

    feed = bind(document, document.root, Feed)               # None: see document.findings
    feeds = bind(document, document.root, dict[str, Feed])   # a mapping of names
    feed = bind(document, node, Feed, besides={"kind"})      # keys somebody else reads

A field's key is its (encode) name with spaces for underscores. Types understood: str, int, float, bool (yes/no/
true/false), enums by value, Struct, tuple[X, ...], dict[str | enum, X], X | None, unions told apart by what is
written (a word, a list, a mapping), and `Annotated[X, Reads(...)]` for a way of writing of one's own. The JSON
Schema (hub/playbook/schema.py) is made from the same types.
"""

import enum
import re
import types
import typing
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Struct

from hub.findings import choice
from hub.model.people import Language
from hub.yaml import Document, Mapping, Node, Scalar, Sequence

T = TypeVar("T")


class Misfit(Exception):
    """A text does not fit its field. Raised by readers of `Reads`, made into a finding by `bind`."""

    def __init__(self, rule: str, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, eq=False)
class Reads:
    """A way of writing a value: `read` takes the text (raises Misfit), `schema` says the same to an editor."""

    read: Callable[[str], Any]
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, eq=False)
class ReadsNode:
    """The same for what is more than a text: gets the document and the node, notes its own findings, and gives
    `WRONG` where it did."""

    read: Callable[[Document, Node, str], Any]
    schema: dict[str, Any] = field(default_factory=dict)


WRONG: Any = object()


# --- ways of writing ---------------------------------------------------------------------------------------

_UNITS = {
    "ms": 0.001,
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    **dict.fromkeys(("week", "weeks"), 604800.0),
}
_PIECE = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*([A-Za-z]+)\s*")
_LONGEST_S = 10 * 366 * 86400.0


def duration(text: str) -> float:
    """Seconds from "90 s", "4 min", "6h", "2 days", "1 h 30 min". Raises Misfit."""
    good = 'a number and a unit: "90 s", "4 min", "6 h", "2 days"'
    if re.fullmatch(r"[\d.]+", text):
        raise Misfit("no-unit", f'"{text}" has no unit', f'did you mean "{text} s" or "{text} min"?')
    total, at = 0.0, 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            raise Misfit("not-a-duration", f'"{text}" is no duration', good)
        unit = piece[2]
        if unit not in _UNITS:
            near = "min" if unit == "m" else ""
            remedy = f'did you mean "{piece[1]} min"?' if near else choice(unit, _UNITS, "a unit can be")
            raise Misfit("unknown-unit", f'"{unit}" is no unit of time', remedy)
        total += float(piece[1]) * _UNITS[unit]
        at = piece.end()
    if not text or total > _LONGEST_S:
        raise Misfit("not-a-duration", f'"{text}" is no duration one can wait for', good)
    return total


def word(text: str) -> str:
    """An id: small letters, digits and hyphens. Raises Misfit."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", text):
        made = re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")[:63]
        raise Misfit(
            "not-an-id",
            f'"{text}" is no name for this',
            "small letters, digits and hyphens" + (f': did you mean "{made}"?' if made else ""),
        )
    return text


def day(text: str) -> date:
    """A day as 2027-06-30. Raises Misfit."""
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise Misfit("not-a-day", f'"{text}" is no day', 'write it as "2027-06-30"') from None


def instant(text: str) -> datetime:
    """An instant with its offset, in UTC: 2026-07-14T02:10+02:00 (a space may stand for the T). Raises Misfit."""
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)", text):
            raise ValueError(text)
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Misfit("not-a-time", f'"{text}" is no instant', 'write it as "2026-07-14T02:10+02:00"') from None


def _texts(document: Document, node: Node, what: str) -> Any:
    if not isinstance(node, Mapping):
        document.add(node, "one-language", f"{what} is not given per language", "write fr, nl, de and en, one per line")
        return WRONG
    if document.line(node.line)[node.column - 1 : node.column] == "{":
        document.add(node, "texts-in-braces", f"{what} stands in braces, where a comma would cut a text",
                     "write fr, nl, de and en, one per line")  # fmt: skip
        return WRONG
    out = _dict(document, node, Language, str, what)
    if out is WRONG:
        return WRONG
    missing = [language.value for language in Language if language not in out]
    if missing:
        document.add(node, "missing-language", f"{what} lacks {', '.join(missing)}", "write fr, nl, de and en")
        return WRONG
    return out


_DURATION = {"type": "string", "pattern": r"^([0-9.]+ ?[a-z]+ ?)+$", "examples": ["90 s", "4 min", "6 h", "2 days"]}
_SPOKEN = {
    Language.FR: ("French", "Fuite de gaz"),
    Language.NL: ("Dutch", "Gaslek"),
    Language.DE: ("German", "Gasleck"),
    Language.EN: ("English", "Gas leak"),
}
_TEXTS = {
    "type": "object",
    "properties": {
        language.value: {"type": "string", "description": f"In {name}", "examples": [example]}
        for language, (name, example) in _SPOKEN.items()
    },
    "required": [language.value for language in Language],
    "additionalProperties": False,
}
Seconds = Annotated[float, Reads(duration, _DURATION)]
Word = Annotated[str, Reads(word, {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"})]
Day = Annotated[date, Reads(day, {"type": "string", "format": "date"})]
Instant = Annotated[datetime, Reads(instant, {"type": "string"})]
Texts = Annotated[dict[Language, str], ReadsNode(_texts, _TEXTS)]


# --- binding -----------------------------------------------------------------------------------------------


def bind(
    document: Document, node: Node | None, kind: "type[T]", what: str = "", besides: Collection[str] = ()
) -> "T | None":
    """The value a node holds, read as `kind`; None where something is wrong (noted in `document.findings`).

    `what` names it in findings. `besides`: keys of the mapping that are read elsewhere.
    """
    if node is None:
        document.add(None, "empty", f"{what or 'the file'} is empty")
        return None
    if isinstance(node, Mapping) and besides:
        entries = tuple(e for e in node.entries if e[0].text not in besides)
        node = Mapping(entries, node.line, node.column, node.width)
    value = _bind(document, node, kind, what)
    return None if value is WRONG else typing.cast(T, value)


def keys_of(kind: type[Struct]) -> dict[str, str]:
    """YAML key → attribute name of a struct's fields."""
    return {e.replace("_", " "): n for e, n in zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True)}


@cache
def _fields(kind: type[Struct]) -> tuple[dict[str, str], dict[str, Any], frozenset[str]]:
    """A struct's keys, the types of its attributes, and which of these have no default: worked out once, as most of a
    configuration is many of the same."""
    required = frozenset(f.name for f in msgspec.structs.fields(kind) if f.required)
    return keys_of(kind), typing.get_type_hints(kind, include_extras=True), required


def _bind(document: Document, node: Node, kind: Any, what: str) -> Any:
    origin = typing.get_origin(kind)
    if origin is Annotated:
        return _annotated(document, node, kind, what)
    if origin in (typing.Union, types.UnionType):
        return _union(document, node, typing.get_args(kind), what)
    if origin is tuple:
        return _list(document, node, typing.get_args(kind)[0], what)
    if origin is dict:
        key, value = typing.get_args(kind)
        return _dict(document, node, key, value, what)
    if isinstance(kind, type) and issubclass(kind, Struct):
        return _struct(document, node, kind, what)
    return _scalar(document, node, lambda text: _plain(text, kind), what)


def _annotated(document: Document, node: Node, kind: Any, what: str) -> Any:
    inner, *extras = typing.get_args(kind)
    for extra in extras:
        if isinstance(extra, Reads):
            return _scalar(document, node, extra.read, what)
        if isinstance(extra, ReadsNode):
            if isinstance(node, Scalar) and node.empty:
                document.add(node, "empty", f"{what} is empty", "write a value, or leave the key out")
                return WRONG
            return extra.read(document, node, what)
    return _bind(document, node, inner, what)  # msgspec.Meta: a description


def _scalar(document: Document, node: Node, read: Callable[[str], Any], what: str) -> Any:
    if not isinstance(node, Scalar):
        found = "a list" if isinstance(node, Sequence) else "a mapping (key: value)"
        document.add(node, "wrong-shape", f"{what or 'this'} is {found}", "write one value")
        return WRONG
    if node.empty:
        document.add(node, "empty", f"{what or 'this'} is empty", "write a value, or leave the key out")
        return WRONG
    try:
        return read(node.text)
    except Misfit as misfit:
        message = f"{what}: {misfit.message}" if what else misfit.message
        document.add(node, misfit.rule, message, misfit.remedy)
        return WRONG


def _plain(text: str, kind: Any) -> Any:
    if kind is str or kind is Any:
        return text
    if kind is bool:
        if text in ("yes", "true"):
            return True
        if text in ("no", "false"):
            return False
        raise Misfit("not-yes-or-no", f'"{text}" is neither yes nor no', "write yes or no")
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        for member in kind:
            if str(member.value) == text:
                return member
        raise Misfit("unknown-word", f'"{text}" is not known here', choice(text, [str(m.value) for m in kind]))
    if kind is int:
        if re.fullmatch(r"-?(0|[1-9]\d{0,17})", text):
            return int(text)
        raise Misfit("not-a-number", f'"{text}" is no whole number', "write digits, without a leading 0 or plus sign")
    if kind is float:
        if re.fullmatch(r"-?(0|[1-9]\d{0,17})(\.\d{1,12})?", text):
            return float(text)
        raise Misfit("not-a-number", f'"{text}" is no number', 'write it as "12" or "0.5"')
    raise TypeError(f"no way to read a {kind!r}")


def _union(document: Document, node: Node, kinds: tuple[Any, ...], what: str) -> Any:
    """The alternative whose shape fits what is written; among words the first that can read it."""
    left = [k for k in kinds if k is not types.NoneType]
    fitting = [k for k in left if _shape(k) is type(node)] or [k for k in left if _shape(k) is Sequence] or left
    for kind in fitting[:-1]:
        before = len(document.findings)
        value = _bind(document, node, kind, what)
        if value is not WRONG:
            return value
        del document.findings[before:]
    return _bind(document, node, fitting[-1], what)


def _shape(kind: Any) -> type:
    origin = typing.get_origin(kind)
    if origin is Annotated:
        inner, *extras = typing.get_args(kind)
        return Scalar if any(isinstance(e, Reads) for e in extras) else _shape(inner)
    if origin is tuple:
        return Sequence
    if origin is dict or (isinstance(kind, type) and issubclass(kind, Struct)):
        return Mapping
    return Scalar


def _list(document: Document, node: Node, kind: Any, what: str) -> Any:
    items = node.items if isinstance(node, Sequence) else (node,)
    values = [_bind(document, item, kind, what) for item in items]
    return WRONG if any(v is WRONG for v in values) else tuple(values)


def _dict(document: Document, node: Node, key_kind: Any, kind: Any, what: str) -> Any:
    if not isinstance(node, Mapping):
        document.add(node, "wrong-shape", f"{what or 'this'} is no mapping", 'write "name: value", one per line')
        return WRONG
    out: dict[Any, Any] = {}
    good = True
    for name, value in node.entries:
        key = _bind(document, name, key_kind, what)
        label = f"{what} {name.text}".strip() if _shape(kind) is Scalar else f'"{name.text}"'
        bound = _bind(document, value, kind, label)
        if key is WRONG or bound is WRONG:
            good = False
        elif key in out:  # two words for one thing: `call` and `voice`
            document.add(name, "key-twice", f'"{name.text}" is written twice, in two words', "keep one")
            good = False
        else:
            out[key] = bound
    return out if good else WRONG


def _struct(document: Document, node: Node, kind: type[Struct], what: str) -> Any:
    if not isinstance(node, Mapping):
        document.add(node, "wrong-shape", f"{what or 'this'} is no mapping", f"it has: {', '.join(keys_of(kind))}")
        return WRONG
    keys, hints, required = _fields(kind)
    values: dict[str, Any] = {}
    good = True
    for name, value in node.entries:
        attribute = keys.get(name.text)
        if attribute is None:
            where = f" of {what}" if what else ""
            document.add(name, "unknown-key", f'"{name.text}" is no key{where}', choice(name.text, keys))
            good = False
            continue
        values[attribute] = WRONG  # given, whatever it is worth: not missing
        if isinstance(value, Scalar) and value.empty:
            document.add(name, "empty", f"{name.text} is empty", "write a value, or leave the key out")
            good = False
            continue
        bound = _bind(document, value, hints[attribute], name.text)
        good = good and bound is not WRONG
        values[attribute] = bound
    missing = [key for key, attribute in keys.items() if attribute in required and attribute not in values]
    if missing:
        document.add(node, "missing-key", f"{what or 'this'} lacks {', '.join(missing)}", f"add {missing[0]}: ...")
        good = False
    return kind(**values) if good else WRONG
