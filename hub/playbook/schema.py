"""The JSON Schema (2020-12) of a way of writing YAML, made from the structs it is bound to: for editors that complete
and underline while one types (`# yaml-language-server: $schema=...`).

It says what a key may hold, not what makes sense together: that is `vigie check`'s.
"""

import enum
import types
import typing
from typing import Annotated, Any

import msgspec
from msgspec import Struct

from hub.binding import Reads, ReadsNode, keys_of
from hub.playbook.form import SheetForm
from hub.playbook.messages import MessageForm


def playbook_schema() -> dict[str, Any]:
    """Of a reflex sheet."""
    return schema_of(SheetForm, "A reflex sheet of Vigie")


def messages_schema() -> dict[str, Any]:
    """Of config/messages.yaml."""
    return schema_of(dict[str, MessageForm], "The messages of Vigie")


def schema_of(kind: Any, title: str) -> dict[str, Any]:
    """Of anything hub/binding.py can bind."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **_schema(kind)}


def _schema(kind: Any) -> dict[str, Any]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        return _annotated(*arguments)
    if origin in (typing.Union, types.UnionType):
        left = [_schema(a) for a in arguments if a is not types.NoneType]
        return left[0] if len(left) == 1 else {"anyOf": left}
    if origin is tuple:
        one = _schema(arguments[0])
        return {"anyOf": [one, {"type": "array", "items": one}]}
    if origin is dict:
        out: dict[str, Any] = {"type": "object", "additionalProperties": _schema(arguments[1])}
        names = _schema(arguments[0])
        return out | {"propertyNames": names} if "pattern" in names or "enum" in names else out
    if isinstance(kind, type) and issubclass(kind, Struct):
        return _struct(kind)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {"type": "string", "enum": [str(member.value) for member in kind]}
    if kind is bool:
        return {"enum": ["yes", "no", True, False]}  # an editor may read yes as a truth value
    return {"type": ["string", "number", "boolean"]}  # as far as an editor's YAML goes: everything is text here


def _annotated(inner: Any, *extras: Any) -> dict[str, Any]:
    own = next((e.schema for e in extras if isinstance(e, Reads | ReadsNode)), None)
    out = dict(own) if own is not None else _schema(inner)
    for extra in extras:
        if isinstance(extra, msgspec.Meta) and extra.description:
            out["description"] = extra.description
    return out


def _struct(kind: type[Struct]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind, include_extras=True)
    required = {f.name for f in msgspec.structs.fields(kind) if f.required}
    keys = keys_of(kind)
    out: dict[str, Any] = {
        "type": "object",
        "properties": {key: _schema(hints[attribute]) for key, attribute in keys.items()},
        "required": [key for key, attribute in keys.items() if attribute in required],
        "additionalProperties": False,
    }
    if kind.__doc__:
        out["description"] = " ".join(kind.__doc__.split())
    return out
