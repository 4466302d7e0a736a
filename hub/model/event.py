"""What all events are."""

from msgspec import Struct


class EventBase(Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="e", gc=False):
    """Base of all events (hub.model.events)."""
