"""Who may come in on behalf of a request: people of other services, in whose name an approved request asks for rooms.

Who they are lies in the vault alone; records hold the ids of their places on the list.
"""

from datetime import datetime

from msgspec import Struct

from hub.model.people import Contact, Language
from hub.model.signal import Status


class Guest(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """Somebody who is expected, as their service names them."""

    name: str
    service: str = ""
    function: str = ""


class Guests(Struct, frozen=True, kw_only=True):
    """What lies in the vault of a change of the list: id of the place on it → who has it."""

    guests: dict[str, Guest]


class Reception(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Who is sent the list at each change, over which channels; changes within `gather_s` make one message."""

    to: tuple[Contact, ...]
    by: tuple[str, ...]
    gather_s: float


class Room(Struct, frozen=True, kw_only=True):
    """A room that people can be let into, as it is called in each language."""

    id: str
    names: dict[Language, str]


# --- the list, as it is read ---------------------------------------------------------------------------------


class Pass(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What lets somebody in. `id`: of their place on the list; `whom`: who asked for them; `approved`: who said yes
    (ids of people); `by`: the officer who put them on it, `""` where the request names them."""

    id: str
    incident: str
    sheet: str
    rooms: tuple[str, ...]
    until: datetime
    since: datetime
    start: datetime | None = None
    whom: str = ""
    approved: tuple[str, ...] = ()
    by: str = ""


class Admitted(Struct, frozen=True, kw_only=True):
    """Somebody who may come in: as long as any of their passes says so. `guest`: None where they were erased."""

    guest: Guest | None
    passes: tuple[Pass, ...]


class NoLonger(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Somebody who was on the list and may not come in any more. `why`: ended, over, cancelled, removed."""

    id: str
    incident: str
    guest: Guest | None
    at: datetime
    why: str
    by: str = ""


class AccessList(Struct, frozen=True, kw_only=True):
    """The list at an instant: in the order of names; who left it in the last day."""

    status: Status
    at: datetime
    admitted: tuple[Admitted, ...] = ()
    gone: tuple[NoLonger, ...] = ()
