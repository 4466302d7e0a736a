"""The language in which a source says what the items of foreign data mean: which of an item's values fills which
field of a signal. Written with JMESPath (jmespath.org), or with the names of an item's values where these are plain
columns.

Sources that use it have the settings named in `Mapped`, with the descriptions that stand here, so that they are one
language: a Struct of theirs cannot inherit them, having another base.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Protocol

from msgspec import Meta

from connectors.expression import problem_with
from hub.model.signal import Category, Certainty, Hazard, MsgType, Severity, Status, Urgency

TEXTS = ("headline", "event", "description", "instruction")  # these may be there in several languages: headline.nl
FIELDS = (
    *("identifier", "sent", "onset", "expires", *TEXTS, "web", "sender", "sender_name", "contact"),
    *("hazard", "category", "severity", "certainty", "urgency", "status", "msg_type", "references"),
    *("area", "lat", "lon", "radius_km", "geometry", "value"),
)
ENUMS = {
    "hazard": Hazard,
    "category": Category,
    "severity": Severity,
    "certainty": Certainty,
    "urgency": Urgency,
    "status": Status,
    "msg_type": MsgType,
}
_LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")

Items = Annotated[str, Meta(description="Where the list of items is: features; the whole answer where left out")]
Only = Annotated[
    str, Meta(description="Only items of which this is true; all where left out", examples=["properties.mag >= `4`"])
]
Always = Annotated[Mapping[str, str], Meta(description="Field of the signal: what it always is, as hazard: rail")]
Words = Annotated[
    Mapping[str, Mapping[str, str]],
    Meta(description="Field of the signal: what is found, and what it means, as severity: {3: Severe}"),
]
Levels = Annotated[
    Mapping[str, float],
    Meta(description="Severity by the field value, from which on: {Moderate: 100, Severe: 180}"),
]
Parameters = Annotated[Mapping[str, str], Meta(description="Name of a parameter of the signal: where an item has it")]
TextLanguage = Annotated[str, Meta(description="Language of texts without one, as fr-BE", pattern="^[A-Za-z-]*$")]
Zone = Annotated[str, Meta(description="Time zone of times without an offset, as Europe/Brussels")]
Lasts = Annotated[
    float, Meta(ge=0, description="Seconds for which an item without an end is in force, e.g. 7200 (2 h); 0: no end")
]


class Mapped(Protocol):
    """The settings that say what items mean."""

    @property
    def items(self) -> str: ...
    @property
    def only(self) -> str: ...
    @property
    def fields(self) -> Mapping[str, str]: ...
    @property
    def always(self) -> Mapping[str, str]: ...
    @property
    def words(self) -> Mapping[str, Mapping[str, str]]: ...
    @property
    def levels(self) -> Mapping[str, float]: ...
    @property
    def parameters(self) -> Mapping[str, str]: ...
    @property
    def language(self) -> str: ...
    @property
    def zone(self) -> str: ...
    @property
    def lasts(self) -> float: ...


def plain(field: str) -> str:
    """A field's name as written in YAML (`radius km`) in its own form."""
    return field.replace(" ", "_")


def check_mapping(config: Mapped, *, columns: bool = False) -> None:
    """Raises ValueError, naming the setting and the remedy. `columns`: what is no expression may be a column's name."""
    for name, given in (("fields", config.fields), ("always", config.always), ("words", config.words)):
        for field in given:
            _check_field(name, field)
    for name, expression in (("items", config.items), ("only", config.only)):
        check_expression(name, expression)
    for name, expressions in (("fields", config.fields), ("parameters", config.parameters)):
        for expression in expressions.values():
            if not (columns and may_be_column(expression)):
                check_expression(name, expression)
    for field, value in config.always.items():
        _check_value("always", plain(field), value)
    for field, meanings in config.words.items():
        for value in meanings.values():
            _check_value("words", plain(field), value)
    for level in config.levels:
        _check_value("levels", "severity", level)
    if config.levels and "value" not in config.fields:
        raise ValueError("levels: what is measured? Add value to fields: where an item has the number")


def may_be_column(expression: str) -> bool:
    """Whether it has nothing that only an expression has: `Date / heure` is a column."""
    return not re.search(r"[()\[\]`@{}|&]", expression)


def check_expression(name: str, expression: str) -> None:
    """Raises ValueError."""
    if expression and (problem := problem_with(expression)):
        raise ValueError(f"{name}: {problem}")


def _check_field(name: str, field: str) -> None:
    base, _, language = plain(field).partition(".")
    if base not in FIELDS:
        raise ValueError(f"{name}: a signal has no {field!r}: {', '.join(FIELDS)}")
    if language and (base not in TEXTS or not _LANGUAGE.fullmatch(language)):
        raise ValueError(f"{name}: {field!r} is no text in a language: write headline.fr, description.nl-BE")


def _check_value(name: str, field: str, value: str) -> None:
    kind = ENUMS.get(field)
    if kind is not None and value not in [str(member.value) for member in kind]:
        known = ", ".join(str(member.value) for member in kind)
        raise ValueError(f"{name}: {field} is never {value!r}: {known}")
