"""What an editor needs beside a configuration: a schema for each kind of file, with the names there are, and VS Code's
settings that say which is for which. Pure, given the configuration: who writes them asks first (hub/cli/schema.py).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.config.schema import FILES
from hub.config.whole import Config
from hub.model.signal import VIGIE
from hub.playbook.form import CHANNEL_WORDS

FOLDER = ".vscode/vigie"
SETTINGS = ".vscode/settings.json"
EXTENSIONS = ".vscode/extensions.json"
_MAPPED = "yaml.schemas"


def files(schemas: Mapping[str, dict[str, Any]], config: Config | None) -> dict[str, str]:
    """File name → JSON Schema as text. `config`: the names that may be used are offered as one types; they are no
    limit, as the next one may be new."""
    names = _names(config) if config is not None else {}
    return {f"{name}.json": _text(_offering(schema, names)) for name, schema in schemas.items()}


def settings(before: str, config: str, sheets: str) -> str:
    """VS Code's settings, with what is needed added to those there are. `config`, `sheets`: the folders, seen from the
    workspace. Raises ValueError where what is there cannot be read (it may hold comments)."""
    there = json.loads(before) if before.strip() else {}
    if not isinstance(there, dict) or not isinstance(there.get(_MAPPED, {}), dict):
        raise ValueError("it is no mapping of settings")
    mapped = {
        f"{FOLDER}/playbook.json": [f"{sheets}/*.yaml", f"!{sheets}/*.test.yaml"],
        f"{FOLDER}/tests.json": [f"{sheets}/*.test.yaml"],
    }
    more = {"people": [f"{config}/people/*.yaml"], "messages": [f"{config}/messages/*.yaml"]}
    for name in FILES:
        mapped[f"{FOLDER}/{name}.json"] = [f"{config}/{name}.yaml", *more.get(name, ())]
    ours = {"yaml.validate": True, "yaml.completion": True, "yaml.hover": True, "yaml.yamlVersion": "1.2"}
    return _text({**ours, **there, _MAPPED: {**there.get(_MAPPED, {}), **mapped}})


def extensions(before: str) -> str:
    """The extension that reads them, recommended to whoever opens the folder. Raises ValueError likewise."""
    there = json.loads(before) if before.strip() else {}
    if not isinstance(there, dict) or not isinstance(there.get("recommendations", []), list):
        raise ValueError("it is no mapping of recommendations")
    return _text({**there, "recommendations": list(dict.fromkeys([*there.get("recommendations", []), YAML_EXTENSION]))})


YAML_EXTENSION = "redhat.vscode-yaml"


def _text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


# --- names -------------------------------------------------------------------------------------------------


def _names(config: Config) -> dict[str, Sequence[str]]:
    """Key → what may stand under it."""
    groups = sorted(g.id for g in config.groups)
    rosters = [f"roster {name}" for name in sorted(config.rosters)]
    contacts = [*groups, *rosters, *(f"organisation {o.id}" for o in config.organisations)]
    words = {name: word for word, name in CHANNEL_WORDS.items()}
    chains = sorted(config.chains)
    return {
        "call": chains,
        "exhausted": chains,
        "say": sorted(name for name in config.messages if not name.startswith("hub.")),
        "area": sorted(config.geography.places) if config.geography is not None else (),
        "source": sorted((*config.sources, VIGIE)),
        "notify": contacts,
        "to": contacts,
        "send contacts": contacts,
        "ask": contacts,
        "by": [words.get(name, name) for name in sorted(config.channels)],
        "rooms": sorted(config.rooms),
        "quiet while": [f"{sheet.name} in the same area" for sheet in config.playbooks],
    }


def _offering(schema: Any, names: Mapping[str, Sequence[str]]) -> Any:
    """The schema with the names there are as examples."""
    if isinstance(schema, list):
        return [_offering(part, names) for part in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: _offering(value, names) for key, value in schema.items()}
    if isinstance(out.get("properties"), dict):
        for key, field in out["properties"].items():
            if names.get(key) and isinstance(field, dict):
                for part in _texts(field):
                    part["examples"] = list(names[key])
    return out


def _texts(field: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A field, and what of it is written as one word."""
    field.pop("examples", None)
    if field.get("type") == "string" or isinstance(field.get("type"), list):
        yield field
    for part in field.get("anyOf", ()):
        yield from _texts(part)
    if isinstance(field.get("items"), dict):
        yield from _texts(field["items"])
