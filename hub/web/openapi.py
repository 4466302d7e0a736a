"""`/openapi.json`: OpenAPI 3.1, generated from the routes and the structs they speak. Pure.

Wherever an operation holds a Python type in place of a schema, the type's JSON Schema (2020-12, which OpenAPI 3.1 is
built on) stands in the components and a reference to it there.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import GenericAlias
from typing import Any

import msgspec
from msgspec import Struct

_REFERENCE = "#/components/schemas/{name}"


class Operation(Struct, frozen=True, kw_only=True):
    """One method of one full path, in aiohttp's form (`/api/who/{chain}`). `openapi` is an Operation Object."""

    method: str
    path: str
    summary: str
    openapi: Mapping[str, Any] = {}
    tag: str = ""
    bearer: bool = False


def document(operations: Sequence[Operation], title: str, version: str, server: str = "") -> dict[str, Any]:
    """The OpenAPI document. Deterministic: the same routes give the same text."""
    types = {kind: None for operation in operations for kind in _types(operation.openapi)}
    schemas, components = msgspec.json.schema_components(list(types), ref_template=_REFERENCE)
    reference = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = re.sub(r"\{(\w+)(?::[^{}]*)?\}", r"{\1}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation, path, reference)
    made: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": title, "version": version}}
    if server:
        made["servers"] = [{"url": server}]
    made["paths"] = paths
    made["components"] = {
        "schemas": components,
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
    }
    return made


def _operation(operation: Operation, path: str, reference: Mapping[Any, Any]) -> dict[str, Any]:
    name = re.sub(r"\W+", "-", path.strip("/")) or "root"
    made: dict[str, Any] = {"operationId": f"{operation.method.lower()}-{name}"}
    if operation.summary:
        made["summary"] = operation.summary
    if operation.tag:
        made["tags"] = [operation.tag]
    made.update(_filled(operation.openapi, reference))
    made.setdefault("responses", {"200": {"description": "Done"}})
    described = {given["name"] for given in made.get("parameters", ()) if given.get("in") == "path"}
    missing = [part for part in re.findall(r"\{(\w+)\}", path) if part not in described]
    if missing:
        made["parameters"] = [
            *made.get("parameters", ()),
            *({"name": part, "in": "path", "required": True, "schema": {"type": "string"}} for part in missing),
        ]
    if operation.bearer:
        made["security"] = [{"bearer": []}]
    return made


def _types(value: Any) -> Iterator[Any]:
    """Every Python type in a nested structure."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _types(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _types(item)
    elif _is_type(value):
        yield value


def _filled(value: Any, reference: Mapping[Any, Any]) -> Any:
    """The structure with references in place of types."""
    if isinstance(value, Mapping):
        return {key: _filled(item, reference) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(item, reference) for item in value]
    return reference[value] if _is_type(value) else value


def _is_type(value: Any) -> bool:
    return isinstance(value, type | GenericAlias)
