"""From an operator's template to what is posted. Pure.

A template is data before anything is filled in: JSON is read first and its texts are filled one by one, form fields and
the query are pairs. So what is filled in is always one value, whatever it holds, and is encoded by whoever writes the
whole: nothing is pasted into JSON, an address or a header.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

HOLES = {
    "to": "the number, as +32450000001",
    "digits": "the number without its plus",
    "text": "the words",
    "from": "`sender`",
    "id": "our own id of the delivery",
    "encoding": "the word of `encodings` for GSM-7 or UCS-2",
}
_HOLE = re.compile(r"\{([a-z_]+)\}")


def holes_in(template: Any) -> set[str]:
    """The names in braces in a template's texts."""
    if isinstance(template, str):
        return set(_HOLE.findall(template))
    parts = template.values() if isinstance(template, Mapping) else template if isinstance(template, list) else ()
    return {hole for part in parts for hole in holes_in(part)}


def check_holes(field: str, template: Any, allowed: Mapping[str, str] = HOLES) -> None:
    """Raises ValueError, naming the field, for a hole nobody fills."""
    for hole in sorted(holes_in(template) - set(allowed)):
        raise ValueError(f"{field}: {{{hole}}} is filled by nobody: there are {', '.join(f'{{{h}}}' for h in allowed)}")


def filled(template: Any, values: Mapping[str, str]) -> Any:
    """The template with its texts filled in, in one pass: what is filled in is no template."""
    if isinstance(template, str):
        return _HOLE.sub(lambda hole: values[hole[1]], template)
    if isinstance(template, Mapping):
        return {name: filled(part, values) for name, part in template.items()}
    if isinstance(template, list):
        return [filled(part, values) for part in template]
    return template


def json_body(template: Any, values: Mapping[str, str]) -> bytes:
    return msgspec.json.encode(filled(template, values))


def form_body(template: Mapping[str, str], values: Mapping[str, str]) -> bytes:
    """application/x-www-form-urlencoded, UTF-8."""
    return urlencode(filled(template, values)).encode("ascii")


def at(document: Any, path: str) -> Any:
    """What stands at a path as `messages.0.id` (names and places in lists); None where nothing does. `""` is the whole
    document."""
    found = document
    for step in path.split(".") if path else ():
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found


def word_at(document: Any, path: str) -> str:
    """The same as text; `""` for nothing, and for what is no single value."""
    found = at(document, path) if path else None
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, str | int | float) else ""
