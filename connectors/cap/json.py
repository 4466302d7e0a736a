"""CAP alerts in JSON: MeteoAlarm's API (`{"warnings": [{"uuid", "alert": {…}}]}`) and single alerts (BBK MoWaS).

There is no standard for CAP in JSON. All known forms use CAP's names, with lists where an element may repeat, and
these differ: a polygon is a string or a list, `references` a string or a list, a geocode a pair or a mapping.
"""

import re
from typing import Any

import msgspec

from connectors.cap.node import Node
from connectors.text import place_of
from hub.connector import ReadError

_DEPTH_MAX = 12
_LISTS = ("warnings", "alerts")


def alerts_in(text: str) -> list[Node]:
    """The alerts of a JSON text, as Nodes. An empty list of warnings gives none. Raises ReadError."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        at = re.search(r"byte (\d+)", str(error))
        # msgspec counts bytes of UTF-8; the place is counted in characters.
        offset = len(text.encode()[: int(at.group(1))].decode("utf-8", "ignore")) if at else 0
        raise ReadError("not well-formed JSON: send a complete, valid document", place_of(text, offset)) from error
    found = _alerts(value)
    if found is None:
        raise ReadError('JSON without a CAP alert: expected {"warnings": [{"alert": …}]} or one alert', "1:1")
    return [_node(alert, place, 0) for place, alert in found]


def _alerts(value: Any) -> list[tuple[str, Any]] | None:
    if isinstance(value, dict):
        for name in _LISTS:
            if isinstance(value.get(name), list):
                return [(f"{name}[{n}]", _inner(item)) for n, item in enumerate(value[name])]
        alert = _inner(value)
        if isinstance(alert, dict) and {"identifier", "sender", "sent", "info", "msgType"} & alert.keys():
            return [("alert", alert)]
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        inner = [_inner(item) for item in value]
        if all("identifier" in item for item in inner):
            return [(f"[{n}]", item) for n, item in enumerate(inner)]
    return None


def _inner(value: Any) -> Any:
    """`{"uuid": …, "alert": {…}}` → the alert."""
    return value["alert"] if isinstance(value, dict) and isinstance(value.get("alert"), dict) else value


def _node(value: Any, place: str, depth: int) -> Node:
    node = Node("", {}, place)
    if isinstance(value, dict) and depth < _DEPTH_MAX:
        for name, inner in value.items():
            items = inner if isinstance(inner, list) else [inner]
            node.children[name] = [_node(item, f"{place}.{name}[{n}]", depth + 1) for n, item in enumerate(items)]
    elif isinstance(value, str):
        node.text = value.strip()
    elif isinstance(value, bool) or value is None:
        node.text = "" if value is None else str(value).lower()
    elif isinstance(value, int | float):
        node.text = str(value)
    elif isinstance(value, list):
        # A list in a list: a polygon as [[lat, lon], …] is written as CAP writes it.
        flat = [item for item in value if isinstance(item, int | float)]
        node.text = ",".join(str(item) for item in flat)
    return node
