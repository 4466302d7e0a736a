"""Connectors' own settings: from a YAML node to the msgspec Struct a connector calls its `Config`.

The connector knows nothing of YAML; here its fields are written as everywhere else in config/: spaces for
underscores, yes and no, and durations with their unit. A field holds a duration if its name ends in `_s` (written
without that: `ring: 30 s`) or its description speaks of seconds. A field may hold a Struct, a list of them or a mapping
to them: what is written in these is read in the same way.
"""

import re
import types
import typing
from typing import Any

import msgspec
from msgspec import Meta, Struct

from hub.binding import Misfit, duration
from hub.findings import choice
from hub.secrets import looks_secret
from hub.yaml import Document, Mapping, Node, Scalar, Sequence

_SECONDS = re.compile(r"(?i)^seconds\b|\bseconds[).]?$|, seconds\b")
_PATH = re.compile(r"^(?P<message>.*?) - at `\$(?P<path>[^`]*)`$", re.DOTALL)
_STEP = re.compile(r"\.([A-Za-z0-9_]+)|\[(\d+|\.\.\.)\]")
_WORDS = {"`int`": "a whole number", "`float`": "a number", "`str`": "text", "`bool`": "yes or no"}
_WORDS |= {"`array`": "a list", "`object`": "a mapping"}
_IN_WORDS = re.compile("|".join(_WORDS))
_FIELD_FIRST = re.compile(r"^(?P<field>[a-z_]+): (?P<message>.+)$", re.DOTALL)


class Setting:
    """One setting: how it is written (`key`), the field it fills (`name`; `encoded` as msgspec knows it), its type
    without Annotated and None (`kind`), what the struct says of it (`metas`, `description`), whether it is a duration
    (`seconds`), what it is where nobody writes it (`required`, `default`), and the Struct it is made of, if it is
    (`within`)."""

    def __init__(self, field: msgspec.structs.FieldInfo, hint: Any) -> None:
        self.name = field.name
        self.encoded = field.encode_name
        self.kind, self.metas = _unwrap(hint)
        self.description = " ".join(m.description or "" for m in self.metas)
        number = self.kind in (float, int)
        self.seconds = number and (self.name.endswith("_s") or bool(_SECONDS.search(self.description)))
        self.key = (self.encoded.removesuffix("_s") if self.seconds else self.encoded).replace("_", " ")
        self.required = field.required
        made = field.default_factory() if field.default_factory is not msgspec.NODEFAULT else None
        self.default = made if field.default is msgspec.NODEFAULT else field.default
        self.within = _struct_in(self.kind)


def settings_of(kind: type[Struct]) -> dict[str, Setting]:
    """The settings of a connector's `Config`, by the key they are written with."""
    hints = typing.get_type_hints(kind, include_extras=True)
    settings = [Setting(field, hints[field.name]) for field in msgspec.structs.fields(kind)]
    return {setting.key: setting for setting in settings}


def bind_foreign(document: Document, node: Mapping, kind: type[Struct], what: str, besides: set[str]) -> Struct | None:
    """The settings in a mapping, or None where something is wrong (noted in the document)."""
    fields = settings_of(kind)
    before = len(document.findings)
    values: dict[str, Any] = {}
    places: dict[str, Node] = {}
    for name, value in node.entries:
        if name.text in besides:
            continue
        field = fields.get(name.text)
        if field is None:
            document.add(name, "unknown-key", f'"{name.text}" is no key of {what}', choice(name.text, fields))
            continue
        _no_secret(document, name.text, value)
        values[field.encoded] = (
            _nested(document, field, value, what) if field.within else _plain(document, field, value)
        )
        places[field.encoded] = value
    missing = [f.key for f in fields.values() if f.required and f.encoded not in values]
    if missing:
        document.add(node, "missing-key", f"{what} lacks {', '.join(missing)}", f"add {missing[0]}: ...")
    if len(document.findings) > before:
        return None
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        _misfit(document, node, str(error), places, {f.encoded: f for f in fields.values()}, what)
        return None


def _nested(document: Document, field: Setting, node: Node, what: str) -> Any:
    """A setting that is a Struct, a list of them or a mapping to them; None where something is wrong (noted)."""
    assert field.within is not None
    inside = f"{what}, {field.key}"
    if typing.get_origin(field.kind) is tuple:
        items = node.items if isinstance(node, Sequence) else (node,)
        return [_struct(document, item, field.within, inside) for item in items]
    if not isinstance(node, Mapping):
        document.add(node, "wrong-shape", f"{inside} is no mapping", "write its keys below it, indented")
        return None
    if field.kind is field.within:
        return _struct(document, node, field.within, inside)
    return {name.text: _struct(document, value, field.within, f"{inside} {name.text}") for name, value in node.entries}


def _struct(document: Document, node: Node, kind: type[Struct], what: str) -> Struct | None:
    if isinstance(node, Mapping):
        return bind_foreign(document, node, kind, what, set())
    document.add(node, "wrong-shape", f"{what} is no mapping", "write its keys below it, indented")
    return None


def _misfit(
    document: Document, node: Mapping, error: str, places: dict[str, Node], fields: dict[str, Setting], what: str
) -> None:
    """A finding at the setting that the struct's own check refused."""
    place: Node = node
    message, remedy = error, ""
    if found := _PATH.match(error):
        message = _IN_WORDS.sub(lambda word: _WORDS[word[0]], found["message"])
        for step in _STEP.finditer(found["path"]):
            if place is node and step[1] in places:
                place = places[step[1]]
                message = f"{fields[step[1]].key}: {message[:1].lower()}{message[1:]}"
                remedy = fields[step[1]].description
            elif isinstance(place, Sequence) and (step[2] or "").isdecimal() and int(step[2]) < len(place.items):
                place = place.items[int(step[2])]
            elif isinstance(place, Mapping) and step[1]:
                place = next((value for name, value in place.entries if name.text == step[1].replace("_", " ")), place)
    elif (found := _FIELD_FIRST.match(error)) and found["field"] in places:
        place = places[found["field"]]
        message, _, remedy = found["message"].partition(": ")
    document.add(place, "bad-setting", f"{what}: {message.replace('`', '')}", remedy)


def _plain(document: Document, field: Setting, node: Node) -> Any:
    if isinstance(node, Mapping):
        return {name.text: _bare(value) for name, value in node.entries}
    if isinstance(node, Sequence):
        return [_bare(item) for item in node.items]
    if node.empty:
        document.add(node, "empty", f"{field.key} is empty", "write a value, or leave the key out")
        return None
    if field.seconds:
        try:
            seconds = duration(node.text)
        except Misfit as misfit:
            document.add(node, misfit.rule, f"{field.key}: {misfit.message}", misfit.remedy)
            return None
        return int(seconds) if field.kind is int else seconds
    if field.kind is bool and node.text in ("yes", "no"):
        return node.text == "yes"
    if typing.get_origin(field.kind) is tuple:
        return [node.text]  # a list of one may be written without brackets
    return node.text


def _bare(node: Node) -> Any:
    if isinstance(node, Mapping):
        return {name.text: _bare(value) for name, value in node.entries}
    if isinstance(node, Sequence):
        return [_bare(item) for item in node.items]
    return node.text


def _no_secret(document: Document, key: str, node: Node) -> None:
    match node:
        case Scalar(text=text):
            if looks_secret(key, text):
                document.add(
                    node,
                    "secret-in-config",
                    f"{key} looks like a secret itself",
                    "write a NAME here and its value to the environment (VIGIE_NAME) or the secrets folder",
                )
        case Sequence(items=items):
            for item in items:
                _no_secret(document, key, item)
        case Mapping(entries=entries):
            for name, value in entries:
                _no_secret(document, name.text, value)


def _struct_in(kind: Any) -> type[Struct] | None:
    """The Struct that a field's type is, or is a list of or a mapping to."""
    for inner in (kind, *typing.get_args(kind)):
        bare, _ = _unwrap(inner)
        if isinstance(bare, type) and issubclass(bare, Struct):
            return bare
    return None


def _unwrap(hint: Any) -> tuple[Any, list[Meta]]:
    """The bare type and its descriptions, out of Annotated and `X | None`."""
    metas: list[Meta] = []
    while True:
        if typing.get_origin(hint) is typing.Annotated:
            hint, *extras = typing.get_args(hint)
            metas += [e for e in extras if isinstance(e, Meta)]
        elif typing.get_origin(hint) in (typing.Union, types.UnionType):
            left = [a for a in typing.get_args(hint) if a is not types.NoneType]
            if len(left) != 1:
                return hint, metas
            hint = left[0]
        else:
            return hint, metas
