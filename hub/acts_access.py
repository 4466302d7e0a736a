"""What may be asked of the running hub about the access list: one part of hub/acts.py; hub/access does it."""

from msgspec import Struct

from hub.act import Act, Body, Erased, Instant
from hub.model.access import AccessList


class GuestBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Somebody who is expected."""

    name: str
    service: str = ""
    function: str = ""


class AccessAddBody(Body, frozen=True):
    by: str
    why: str
    people: tuple[GuestBody, ...]


class AccessRemoveBody(Body, frozen=True):
    """`who`: their name, or the id of their place on the list. `incident`: only there; left out, wherever they are."""

    by: str
    why: str
    who: str
    incident: str = ""


class AccessEraseBody(Body, frozen=True):
    """`who`: the whole name of somebody who is not on the list any more."""

    by: str
    why: str
    who: str


class AccessRoomsBody(Body, frozen=True):
    """`rooms`: those of config/rooms.yaml that all may enter from now on, and no others."""

    by: str
    why: str
    rooms: tuple[str, ...]


class AccessUntilBody(Body, frozen=True):
    by: str
    why: str
    until: Instant


ACCESS = (
    Act(verb="access", path="/api/access", summary="Who may come in", answer=list[AccessList]),
    Act(
        verb="access-add",
        path="/api/access/{incident}/people",
        summary="Let more people in on behalf of an approved request",
        body=AccessAddBody,
    ),
    Act(
        verb="access-remove",
        path="/api/access/remove",
        summary="Somebody may not come in any more: the request's own list does not bring them back",
        body=AccessRemoveBody,
    ),
    Act(
        verb="access-until",
        path="/api/access/{incident}/until",
        summary="Who comes in on behalf of an approved request may until then",
        body=AccessUntilBody,
    ),
    Act(
        verb="access-rooms",
        path="/api/access/{incident}/rooms",
        summary="Who comes in on behalf of an approved request may enter these rooms",
        body=AccessRoomsBody,
    ),
    Act(
        verb="access-erase",
        path="/api/access/erase",
        summary="Erase the name of somebody who was on the access list",
        body=AccessEraseBody,
        answer=Erased,
    ),
)
