"""What happens in incidents as CloudEvents 1.0 in JSON, structured mode (JSON Event Format 1.0): one form for all who
follow, whatever brings it to them. docs/followers.md shows an example of each.
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from hub.model.occurrences import IncidentEvent
from hub.model.signal import Status

MEDIA_TYPE = "application/cloudevents+json"
TYPE = "org.vigie.incident."

_encode = msgspec.json.Encoder().encode


class CloudEvent(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """`subject`: the incident. `status`: an extension attribute, so that whoever routes events need not read `data`,
    where it stands too."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    status: Status
    data: dict[str, Any]
    specversion: str = "1.0"
    datacontenttype: str = "application/json"


def cloud_event(event: IncidentEvent, hub: str) -> CloudEvent:
    """An event as others are told it. `hub`: what the hub is called."""
    data: dict[str, Any] = {
        "incident": event.incident,
        "playbook": event.playbook,
        "version": event.version,
        "status": event.status,
    }
    data |= msgspec.to_builtins(event.what)
    del data["what"]  # it is in `type`
    if event.words:
        data["words"] = event.words
    if event.titles:
        data["titles"] = event.titles
    return CloudEvent(
        id=event.id,
        source=f"vigie/{quote(hub, safe='')}",
        type=TYPE + event.name,
        subject=event.incident,
        time=event.at,
        status=event.status,
        data=data,
    )


def encoded(event: IncidentEvent, hub: str) -> bytes:
    """The same as JSON."""
    return _encode(cloud_event(event, hub))
