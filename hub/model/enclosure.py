"""Documents that go along with messages, as records name them: by what they are made of, never by what they say."""

from msgspec import Struct

from hub.model.people import Classification, Contact, Language
from hub.model.signal import Status


class ContactSheet(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="contacts", gc=False):
    """Who is on duty where, for a reader who may see `sees`."""

    contacts: tuple[Contact, ...]
    sees: Classification


class CallList(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="call-list", gc=False):
    """Who is on duty in the next `hours`, all chains and numbers, for a reader who may see `sees`."""

    hours: int
    sees: Classification


class AccessSheet(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="access", gc=False):
    """Who may come in, as it is when the document is made, for a reader who may see `sees`."""

    sees: Classification


class Report(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="report", gc=False):
    """A situation report: the fact in whose vault entry this version of it lies, for a reader who may see `sees`."""

    report: str
    sees: Classification


Enclosure = ContactSheet | CallList | AccessSheet | Report


class CallListRhythm(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """When the call list is made (`at`: HH:MM of `zone`, every day) and where it goes: by which channels (`by`) to
    whom (`to`), and, where `paper`, into a folder or to a printer in `languages`. `status`: Exercise in a playback."""

    at: tuple[str, ...]
    zone: str
    hours: int
    languages: tuple[Language, ...]
    to: tuple[Contact, ...] = ()
    by: tuple[str, ...] = ()
    paper: bool = False
    status: Status = Status.ACTUAL
