"""The JSON Schema (2020-12) of a way of writing YAML, made from the structs it is bound to: for editors that complete
and underline while one types (`# yaml-language-server: $schema=...`).

It says what a key may hold, not what makes sense together: that is `vigie check`'s. An editor reads YAML's numbers and
truth values where the hub reads text, so a number may stand here as either.
"""

import enum
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Struct

from hub.binding import Reads, ReadsNode, keys_of
from hub.playbook.form import SheetForm
from hub.playbook.messages import MessagesForm

DIALECT = "https://json-schema.org/draft/2020-12/schema"
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
        "properties": {key: part_of(hints[attribute]) for key, attribute in keys.items()},
        "required": [key for key, attribute in keys.items() if attribute in required],
        "additionalProperties": False,
    }
    if kind.__doc__:
        out["description"] = " ".join(kind.__doc__.split())
    return out
