"""The fold of the access list: part of hub/engine/fold.py."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from hub.engine.state import GONE_KEPT, Access, Place, State
from hub.model import events as e


def _wanted(s: State, ev: e.AccessWanted, at: datetime) -> None:
    s.access_wanted[ev.wanted] = ev


def _changed(s: State, ev: e.AccessChanged, at: datetime) -> None:
    wanted = s.access_wanted.pop(ev.wanted, None)
    if wanted is not None and ev.until is not None:
        incident, known = s.incidents[ev.incident], s.access.get(ev.incident)
        s.access[ev.incident] = Access(
            incident=ev.incident,
            sheet=incident.playbook,
            step=wanted.step,
            status=incident.status,
            signal=wanted.signal,
            since=known.since if known is not None else at,
            start=ev.start,
            until=ev.until,
            rooms=ev.rooms,
            approved=ev.approved,
            places=known.places if known is not None else {},
            word=known.word if known is not None and not known.over else None,
        )
    access = s.access.get(ev.incident)
    if access is None:
        return
    if wanted is None and ev.until is not None:
        _prolong(access, ev.until)
    if wanted is None and ev.rooms:
        access.rooms = ev.rooms
    for key in ev.removed:
        if key in access.places:
            _give_up(access.places[key], at, "removed", ev.by)
    for key in ev.added:
        access.places[key] = Place(change=ev.change, at=at, by=ev.by)
    if access.until <= at and not access.over:  # until when could not be made out: an officer can still say so
        access.over = "over"
        for place in access.held().values():
            _give_up(place, at, "over", "")
    _forget(s, at)


def _prolong(access: Access, until: datetime) -> None:
    """Who was on the list until its time was over is on it again."""
    access.until = access.word = until
    if access.over == "over":
        access.over = ""
        for place in access.places.values():
            if place.gone_why == "over":
                place.gone_at, place.gone_why = None, ""


def _withdrawn(s: State, ev: e.AccessWithdrawn, at: datetime) -> None:
    for key in [key for key, wanted in s.access_wanted.items() if wanted.incident == ev.incident]:
        del s.access_wanted[key]
    access = s.access.get(ev.incident)
    if access is not None:
        access.over = ev.why
        for place in access.held().values():
            _give_up(place, at, ev.why, "")
    _forget(s, at)


def _give_up(place: Place, at: datetime, why: str, by: str) -> None:
    if place.gone_at is None:
        place.gone_at = at
    place.gone_why, place.gone_by = why, by


def _forget(s: State, at: datetime) -> None:
    """What ended a day ago and more stands on no list any more."""
    for incident, access in list(s.access.items()):
        gone = [place.gone_at for place in access.places.values() if place.gone_at is not None]
        still = incident in s.incidents and not s.incidents[incident].ended
        if access.over and not still and all(at - left > GONE_KEPT for left in gone):
            del s.access[incident]


FOLDS: dict[type, Callable[[State, Any, datetime], None]] = {
    e.AccessWanted: _wanted,
    e.AccessChanged: _changed,
    e.AccessWithdrawn: _withdrawn,
}
