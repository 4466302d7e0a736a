"""How a JSON API is described: where its list is, which of an item's values fills which field of a signal."""

import re
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from connectors.expression import problem_with
from connectors.polling import PollConfig
from hub.model.signal import Category, Certainty, Hazard, Severity, Status, Urgency

TEXTS = ("headline", "event", "description", "instruction")  # these may be there in several languages: headline.nl
FIELDS = (
    *("identifier", "sent", "onset", "expires", *TEXTS, "web", "sender", "sender_name", "contact"),
    *("hazard", "category", "severity", "certainty", "urgency", "status"),
    *("area", "lat", "lon", "radius_km", "geometry", "value"),
)
ENUMS = {
    "hazard": Hazard,
    "category": Category,
    "severity": Severity,
    "certainty": Certainty,
    "urgency": Urgency,
    "status": Status,
}
_LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")


class JsonConfig(PollConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A JSON API to poll, described by JMESPath expressions (jmespath.org).

    Example: `{url: "https://api.irail.be/disturbances/?format=json", items: disturbance, fields: {identifier: id,
    headline: title, sent: timestamp}, always: {hazard: rail, category: Transport}}`.
    """

    items: Annotated[str, Meta(description="Where the list of items is: features; the whole answer where left out")] = (
        "@"
    )
    only: Annotated[
        str,
        Meta(description="Only items of which this is true; all where left out", examples=["properties.mag >= `4`"]),
    ] = ""
    fields: Annotated[
        Mapping[str, str],
        Meta(description="Field of the signal: where an item has it, as headline.nl: titre.nl; identifier is needed"),
    ]
    always: Annotated[
        Mapping[str, str], Meta(description="Field of the signal: what it always is, as hazard: rail")
    ] = msgspec.field(default_factory=dict)
    words: Annotated[
        Mapping[str, Mapping[str, str]],
        Meta(description="Field of the signal: what is found, and what it means, as severity: {3: Severe}"),
    ] = msgspec.field(default_factory=dict)
    levels: Annotated[
        Mapping[str, float],
        Meta(description="Severity by the field value, from which on: {Moderate: 100, Severe: 180}"),
    ] = msgspec.field(default_factory=dict)
    parameters: Annotated[
        Mapping[str, str], Meta(description="Name of a parameter of the signal: where an item has it")
    ] = msgspec.field(default_factory=dict)
    language: Annotated[str, Meta(description="Language of texts without one, as fr-BE", pattern="^[A-Za-z-]*$")] = "en"
    zone: Annotated[str, Meta(description="Time zone of times without an offset, as Europe/Brussels")] = "UTC"
    lasts: Annotated[
        float,
        Meta(ge=0, description="Seconds for which an item without an end is in force, e.g. 7200 (2 h); 0: no end"),
    ] = 0.0
    gone_is_over: Annotated[
        bool, Meta(description="What is no longer in the list is over: its signal is withdrawn")
    ] = False
    next: Annotated[
        str,
        Meta(
            description="Where an answer has the address of the next page; one page only where left out",
            examples=["links.next"],
        ),
    ] = ""
    pages: Annotated[int, Meta(ge=1, le=50, description="How many pages are read at one poll, e.g. 5")] = 5

    def __post_init__(self) -> None:
        if "identifier" not in self.fields:
            raise ValueError(
                "fields: identifier is missing: without it nothing is known again: add where an item has it"
            )
        for name, given in (("fields", self.fields), ("always", self.always), ("words", self.words)):
            for field in given:
                _check_field(name, field)
        for name, expression in (("items", self.items), ("only", self.only), ("next", self.next)):
            _check_expression(name, expression)
        for name, expressions in (("fields", self.fields), ("parameters", self.parameters)):
            for expression in expressions.values():
                _check_expression(name, expression)
        for field, value in self.always.items():
            _check_value("always", field, value)
        for field, meanings in self.words.items():
            for value in meanings.values():
                _check_value("words", field, value)
        for level in self.levels:
            _check_value("levels", "severity", level)
        if self.levels and "value" not in self.fields:
            raise ValueError("levels: what is measured? Add value to fields: where an item has the number")


def _check_field(name: str, field: str) -> None:
    base, _, language = field.partition(".")
    if base not in FIELDS:
        raise ValueError(f"{name}: a signal has no {field!r}: {', '.join(FIELDS)}")
    if language and (base not in TEXTS or not _LANGUAGE.fullmatch(language)):
        raise ValueError(f"{name}: {field!r} is no text in a language: write headline.fr, description.nl-BE")


def _check_expression(name: str, expression: str) -> None:
    if expression and (problem := problem_with(expression)):
        raise ValueError(f"{name}: {problem}")


def _check_value(name: str, field: str, value: str) -> None:
    kind = ENUMS.get(field)
    if kind is not None and value not in [str(member.value) for member in kind]:
        known = ", ".join(str(member.value) for member in kind)
        raise ValueError(f"{name}: {field} is never {value!r}: {known}")
