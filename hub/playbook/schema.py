"""The JSON Schema (2020-12) of a way of writing YAML, made from the structs it is bound to: for editors that complete
and underline while one types (`# yaml-language-server: $schema=...`).

It says what a key may hold, not what makes sense together: that is `vigie check`'s. An editor reads YAML's numbers and
truth values where the hub reads text, so a number may stand here as either.
"""

import enum
import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Struct

from hub.binding import Reads, ReadsNode, duration, keys_of
from hub.playbook.form import SheetForm
from hub.playbook.messages import MessagesForm

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SAID = re.compile(r"e\.g\. ((?:[^\s,;()]|\.(?!\s|$))*[^\s,;().])")
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_LENGTHS = {"min_length": ("minLength", "minItems"), "max_length": ("maxLength", "maxItems")}


def playbook_schema() -> dict[str, Any]:
    """Of a reflex sheet."""
    return schema_of(SheetForm, "A reflex sheet of Vigie")


def messages_schema() -> dict[str, Any]:
    """Of config/messages.yaml."""
    return schema_of(MessagesForm, "The messages of Vigie")


def schema_of(kind: Any, title: str) -> dict[str, Any]:
    """Of anything hub/binding.py can bind."""
    return {"$schema": DIALECT, "title": title, **part_of(kind)}


def part_of(kind: Any) -> dict[str, Any]:
    """The same, to stand within another schema."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        return _annotated(*arguments)
    if origin in (typing.Union, types.UnionType):
        left = [part_of(a) for a in arguments if a is not types.NoneType]
        return left[0] if len(left) == 1 else {"anyOf": left}
    if origin is tuple:
        one = part_of(arguments[0])
        return {"anyOf": [one, {"type": "array", "items": one}]}
    if origin in (dict, Mapping):
        out: dict[str, Any] = {"type": "object", "additionalProperties": part_of(arguments[1])}
        names = part_of(arguments[0])
        return out | {"propertyNames": names} if "pattern" in names or "enum" in names else out
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if isinstance(kind, type) and issubclass(kind, Struct):
        return _struct(kind)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        values = [member.value for member in kind]
        return {"enum": [*values, *(str(value) for value in values if not isinstance(value, str))]}
    if kind is bool:
        return {"enum": ["yes", "no", True, False]}
    if kind is int:
        return {"type": ["integer", "string"], "pattern": "^-?[0-9]+$"}
    if kind is float:
        return {"type": ["number", "string"], "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
    return {"type": ["string", "number", "boolean"]}


def _annotated(inner: Any, *extras: Any) -> dict[str, Any]:
    own = next((e.schema for e in extras if isinstance(e, Reads | ReadsNode)), None)
    out = dict(own) if own is not None else part_of(inner)
    for extra in extras:
        if isinstance(extra, msgspec.Meta):
            out |= said(extra, typing.get_origin(inner) is tuple) if own is None else {}
            if extra.description:
                out["description"] = extra.description
            if extra.examples:
                out["examples"] = list(extra.examples)
    return out


def said(meta: msgspec.Meta, several: bool = False) -> dict[str, Any]:
    """What a struct asks of a value beyond its type. `several`: it is a list, and lengths count its items."""
    out = {word: getattr(meta, name) for name, word in _BOUNDS.items() if getattr(meta, name) is not None}
    out |= {words[several]: getattr(meta, name) for name, words in _LENGTHS.items() if getattr(meta, name) is not None}
    return out | ({"pattern": meta.pattern} if meta.pattern else {})


def _struct(kind: type[Struct]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind, include_extras=True)
    required = {f.name for f in msgspec.structs.fields(kind) if f.required}
    keys = keys_of(kind)
    out: dict[str, Any] = {
        "type": "object",
        "properties": {key: _field(hints[name], kind, name) for key, name in keys.items()},
        "required": [key for key, name in keys.items() if name in required],
        "additionalProperties": False,
    }
    if kind.__doc__:
        out["description"] = " ".join(kind.__doc__.split())
    return out


def _field(hint: Any, kind: type[Struct], name: str) -> dict[str, Any]:
    """A field with an example: the one it was given, else what is so where nothing is written."""
    out = part_of(hint)
    default = next(f.default for f in msgspec.structs.fields(kind) if f.name == name)
    return with_example(out, default, bool(_duration_in(hint)))


def _duration_in(hint: Any) -> bool:
    """Whether a field is written with a unit of time."""
    arguments = typing.get_args(hint)
    if any(isinstance(a, Reads) and a.read is duration for a in arguments):
        return True
    return typing.get_origin(hint) is not tuple and any(_duration_in(a) for a in arguments if a is not types.NoneType)


def with_example(schema: dict[str, Any], default: Any, seconds: bool = False) -> dict[str, Any]:
    """A field's schema with an example out of what is said of it ("e.g. ..."), or of its default. `seconds`: it is
    written as a duration."""
    if "examples" in schema or any("examples" in part or "enum" in part for part in _parts(schema)):
        return schema
    said = _SAID.search(schema.get("description", ""))
    if said:
        return schema | {"examples": [said[1]]}
    if seconds and isinstance(default, int | float):
        return schema | {"examples": [in_time(default)]}
    if isinstance(default, str | int | float) and not isinstance(default, bool) and default != "":
        return schema | {"examples": [default]}
    return schema


def _parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for part in schema.get("anyOf", ()):
        yield from _parts(part)
    if isinstance(schema.get("items"), dict):
        yield from _parts(schema["items"])


def in_time(seconds: float) -> str:
    """A duration as it is written: `4 min`."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
