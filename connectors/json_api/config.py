"""How a JSON API is described: where its list is, which of an item's values fills which field of a signal."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from connectors.mapping_config import (
    Always,
    Items,
    Lasts,
    Levels,
    Only,
    Parameters,
    TextLanguage,
    Words,
    Zone,
    check_expression,
    check_mapping,
)
from connectors.polling import PollConfig


class JsonConfig(PollConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A JSON API to poll, described by JMESPath expressions (jmespath.org).

    Example: `{url: "https://api.irail.be/disturbances/?format=json", items: disturbance, fields: {identifier: id,
    headline: title, sent: timestamp}, always: {hazard: rail, category: Transport}}`.
    """

    items: Items = "@"
    only: Only = ""
    fields: Annotated[
        Mapping[str, str],
        Meta(description="Field of the signal: where an item has it, as headline.nl: titre.nl; identifier is needed"),
    ]
    always: Always = msgspec.field(default_factory=dict)
    words: Words = msgspec.field(default_factory=dict)
    levels: Levels = msgspec.field(default_factory=dict)
    parameters: Parameters = msgspec.field(default_factory=dict)
    language: TextLanguage = "en"
    zone: Zone = "UTC"
    lasts: Lasts = 0.0
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
        check_mapping(self)
        check_expression("next", self.next)
