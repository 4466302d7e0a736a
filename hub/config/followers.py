"""followers.yaml: the other systems that follow incidents. The file may be left out."""

import re
from collections.abc import Collection
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from hub.binding import Misfit, Reads, Seconds
from hub.findings import choice
from hub.followers.followers import FollowerConfig
from hub.followers.wanted import GROUPS, From, Wanted
from hub.model.occurrences import NAMES
from hub.model.signal import Status
from hub.yaml import Document, Mapping, Sequence

_EVENTS = (*NAMES, *GROUPS)
_ID = r"[0-9A-HJKMNP-TV-Z]{26}/\d+(/\d+)?"


def _event(text: str) -> str:
    if text not in _EVENTS:
        raise Misfit("unknown-word", f'"{text}" is no event', choice(text, _EVENTS))
    return text


def _event_id(text: str) -> str:
    if not re.fullmatch(_ID, text):
        raise Misfit("not-an-id", f'"{text}" is no event\'s id', "copy it from the alarm, or the hub's log")
    return text


EventName = Annotated[str, Reads(_event, {"enum": list(_EVENTS)})]
EventId = Annotated[str, Reads(_event_id, {"type": "string", "pattern": f"^{_ID}$"})]


class FollowerForm(Struct, frozen=True, kw_only=True):
    """What the hub wants to know of every follower; the rest is the connector's. What is changed here is in force when
    it is saved, and nothing is lost by it: a follower goes on where it was, by its name. What comes, and how to follow:
    [followers.md](followers.md)."""

    type: Annotated[str, Meta(description="Which connector", examples=["webhook"])]
    events: Annotated[
        tuple[EventName, ...],
        Meta(
            description="Events it is told, or groups of them; all where none is named", examples=[["opened", "chain"]]
        ),
    ] = ()
    playbooks: Annotated[
        tuple[str, ...],
        Meta(description="Sheets whose incidents it is told of; all where none is named", examples=[["gas-leak"]]),
    ] = ()
    statuses: Annotated[
        tuple[Status, ...], Meta(description="Incidents in earnest only, or exercises and tests, too", min_length=1)
    ] = (Status.ACTUAL,)
    texts: Annotated[
        bool, Meta(description="Words of signals, replies and officers go along: these may hold personal data")
    ] = False
    start: Annotated[From, Meta(description="Where it begins when it is new; later it goes on where it was")] = field(
        name="from", default=From.NOW
    )
    skip: Annotated[
        tuple[EventId, ...],
        Meta(
            description="Events that the other side will never take, so that the next ones can follow",
            examples=[["01K0A1B2C3D4E5F6G7H8J9KMNP/3"]],
        ),
    ] = ()
    alarm_after: Annotated[
        Seconds, Meta(description="So long it may fail, or fall behind, before the room is told", examples=["5 min"])
    ] = 300.0

    def wanted(self) -> Wanted:
        """What it is told."""
        return Wanted(
            events=frozenset(self.events),
            playbooks=frozenset(self.playbooks),
            statuses=frozenset(self.statuses),
            texts=self.texts,
            start=self.start,
            skip=frozenset(self.skip),
            alarm_s=self.alarm_after,
        )


def follower_of(form: FollowerForm, make: Any, settings: Struct) -> FollowerConfig:
    """One of followers.yaml, with its connector."""
    return FollowerConfig(type=form.type, make=make, settings=settings, wanted=form.wanted())


def check_playbooks(document: Document, node: Mapping, form: FollowerForm, sheets: Collection[str]) -> None:
    """A sheet that is retired may still have incidents to be told of; a wrong name has none."""
    written = node.get("playbooks")
    items = written.items if isinstance(written, Sequence) else (written or node,) * len(form.playbooks)
    for place, name in zip(items, form.playbooks, strict=True):
        if name not in sheets:
            document.add(place, "follows-no-sheet", f'there is no sheet "{name}"', choice(name, sheets), warning=True)
