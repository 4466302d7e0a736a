"""What the channels themselves say of people's addresses."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from hub.config.people import address_place
from hub.config.providers import problem_of
from hub.config.whole import Config
from hub.connector import Channel, Environment
from hub.findings import Finding
from hub.yaml import Document, Node, Scalar


def check_addresses(config: Config, channels: Mapping[str, Channel]) -> list[Finding]:
    """What the channels themselves say of people's addresses; needs the channels made, not opened."""
    findings: list[Finding] = []
    for person in config.people:
        tried: dict[str, int] = {}
        for way in person.addresses:
            index = tried[way.channel] = tried.get(way.channel, -1) + 1
            if problem := problem_of(config.routes, channels, way):
                document, place = _place_of(config, person.id, way.channel, index)
                if place is not None and any(
                    (f.line, f.column) == (place.line, place.column) for f in document.findings
                ):
                    continue  # it has been said, in the hub's own words
                wrong, _, remedy = problem.partition(": ")
                document.add(place, "bad-address", f"{person.id}: {wrong}", remedy)
                findings.append(document.findings[-1])
    return findings


def _place_of(config: Config, person: str, channel: str, index: int) -> tuple[Document, Node | None]:
    """Where a person's address is written."""
    for name, document in config.documents.items():
        if name.startswith("people"):
            place = address_place(document, person, channel, index)
            if isinstance(place, Scalar):
                return document, place
    return config.documents["people.yaml"], None


def made_to_ask(kind: Any, settings: Struct, name: str, public_url: str = "") -> Channel | None:
    """A channel to be asked what it can do; None where it cannot be made without its secrets: whoever runs or checks it
    is told why."""
    try:
        made: Channel = kind(settings, Environment(name=name, secret=lambda _: "0" * 32, public_url=public_url))
    except Exception:
        return None
    return made
