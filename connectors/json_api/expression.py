"""JMESPath (jmespath.org) with the few functions that real answers need besides."""

import json
from typing import Any

import jmespath
import jmespath.exceptions
from jmespath import functions

LENGTH_MAX = 1_000_000  # characters of JSON inside JSON that are read


class _Functions(functions.Functions):  # type: ignore[misc] # published without types
    """`json(text)`: JSON written inside a text (STIB's API does that). `first(list)`: its first item, or null."""

    @functions.signature({"types": ["string"]})  # type: ignore[untyped-decorator] # published without types
    def _func_json(self, text: str) -> Any:
        try:
            return json.loads(text) if len(text) <= LENGTH_MAX else None
        except (ValueError, RecursionError):
            return None

    @functions.signature({"types": ["array"]})  # type: ignore[untyped-decorator] # published without types
    def _func_first(self, items: list[Any]) -> Any:
        return items[0] if items else None


_OPTIONS = jmespath.Options(custom_functions=_Functions())
FUNCTIONS = frozenset(_Functions.FUNCTION_TABLE)
"""The names of all functions an expression may call."""


def find(expression: str, value: Any) -> Any:
    """What an expression finds; None where there is nothing, or it cannot be worked out for this value."""
    try:
        return jmespath.search(expression, value, options=_OPTIONS)
    except (jmespath.exceptions.JMESPathError, RecursionError):
        return None
