"""The JSON Schema of the files of config/, for editors; a connector's settings come from its own `Config`.

file_schema("chains")       # of chains.yaml
config_schema()             # of all of them: one property per file
"""

import typing
from collections.abc import Collection
from typing import Any

from msgspec import Struct

from hub.binding import Seconds, Word
from hub.config import CHANNELS, FOLLOWERS, SOURCES, Lookup, installed
from hub.config.followers import FollowerForm
from hub.config.foreign import Setting, settings_of
from hub.config.forms import ChainForm, ChannelForm, HubForm, PeopleForm, RoomForm, RosterForm, SourceForm
from hub.intake.gazetteer_file import GazetteerForm
from hub.intake.geography import AreasForm
from hub.playbook.dossiers import DossierForm
from hub.playbook.messages import MessagesForm
from hub.playbook.schema import DIALECT, part_of, said, with_example

FORMS: dict[str, Any] = {
    "hub": HubForm,
    "people": PeopleForm,
    "rosters": dict[str, RosterForm],
    "chains": dict[str, ChainForm],
    "areas": AreasForm,
    "gazetteer": GazetteerForm,
    "rooms": dict[str, RoomForm],
    "messages": MessagesForm,
    "dossiers": dict[Word, DossierForm],
}
_GROUPS = {"sources": SOURCES, "channels": CHANNELS, "followers": FOLLOWERS}
FILES = (*FORMS, *_GROUPS)
"""The files of config/, without `.yaml`."""

_FORM: dict[str, type[Struct]] = {SOURCES: SourceForm, CHANNELS: ChannelForm, FOLLOWERS: FollowerForm}


def file_schema(name: str, lookup: Lookup = installed) -> dict[str, Any]:
    """Of one file of config/. Raises KeyError for a name that is not in FILES."""
    return _whole(f"Vigie: config/{name}.yaml", _file(name, lookup), lookup, [name])


def config_schema(lookup: Lookup = installed) -> dict[str, Any]:
    """Of the folder, read as one mapping: file → what it holds."""
    files = {f"{name}.yaml": _file(name, lookup) for name in FILES}
    folder = {"type": "object", "properties": files, "additionalProperties": False}
    return _whole("Vigie: config/", folder, lookup, FILES)


def _whole(title: str, schema: dict[str, Any], lookup: Lookup, names: Collection[str]) -> dict[str, Any]:
    groups = [group for name, group in _GROUPS.items() if name in names]
    connectors = {
        _name(group, kind): _settings(_FORM[group], load()) for group in groups for kind, load in lookup(group).items()
    }
    return {"$schema": DIALECT, "title": title, **schema} | ({"$defs": connectors} if connectors else {})


def _name(group: str, kind: str) -> str:
    return f"{group.rpartition('.')[2]}-{kind}"


def _file(name: str, lookup: Lookup) -> dict[str, Any]:
    if name in ("sources", "followers"):
        return {"type": "object", "additionalProperties": _entry(_GROUPS[name], lookup, "")}
    if name == "channels":
        by_name = {channel: _entry(CHANNELS, lookup, channel) for channel in lookup(CHANNELS)}
        others = _entry(CHANNELS, lookup, "")
        return {"type": "object", "properties": by_name, "additionalProperties": others}
    return part_of(FORMS[name])


def _entry(group: str, lookup: Lookup, own: str) -> dict[str, Any]:
    """A source, channel or follower: what it may hold depends on its type. `own`: the type where none is written."""
    kinds = list(lookup(group))
    refers = {kind: {"$ref": f"#/$defs/{_name(group, kind)}"} for kind in kinds}
    cases: list[dict[str, Any]] = [
        {"if": {"properties": {"type": {"const": kind}}, "required": ["type"]}, "then": refers[kind]} for kind in kinds
    ]
    if own:
        cases.append({"if": {"not": {"required": ["type"]}}, "then": refers[own]})
    return {
        "type": "object",
        "description": f"A {group.partition('.')[2][:-1]}: its keys depend on its type",
        "properties": {"type": {"enum": kinds, "description": "Which connector"}},
        "required": [] if own else ["type"],
        "allOf": cases,
    }


def _settings(form: type[Struct], connector: Any) -> dict[str, Any]:
    """The hub's own keys and the connector's, together."""
    hub = part_of(form)
    settings = settings_of(connector.Config).values()
    return {
        "properties": hub["properties"] | {setting.key: _setting(setting) for setting in settings},
        "required": hub["required"] + [setting.key for setting in settings if setting.required],
        "additionalProperties": False,
        "description": " ".join((connector.__doc__ or "").split()),
    }


def _setting(setting: Setting) -> dict[str, Any]:
    out = _within(setting) if setting.within else part_of(Seconds if setting.seconds else setting.kind)
    for meta in setting.metas:
        if not setting.seconds:  # its bounds are seconds, what is written is "90 s"
            out |= said(meta, "anyOf" in out)
    out |= {"description": setting.description} if setting.description else {}
    examples = [e for meta in setting.metas for e in meta.examples or ()]
    return out | {"examples": examples} if examples else with_example(out, setting.default, setting.seconds)


def _within(setting: Setting) -> dict[str, Any]:
    """A setting that is a struct, a list of them or a mapping to them."""
    assert setting.within is not None
    settings = settings_of(setting.within).values()
    one: dict[str, Any] = {
        "type": "object",
        "properties": {inner.key: _setting(inner) for inner in settings},
        "required": [inner.key for inner in settings if inner.required],
        "additionalProperties": False,
        "description": " ".join((setting.within.__doc__ or "").split()),
    }
    if setting.kind is setting.within:
        return one
    if typing.get_origin(setting.kind) is tuple:
        return {"anyOf": [one, {"type": "array", "items": one}]}
    return {"type": "object", "additionalProperties": one}
