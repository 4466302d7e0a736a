"""What people do with dossiers, as facts."""

from datetime import datetime

from msgspec import Struct


class SignalFiled(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="dossier-add", gc=False):
    """An officer puts a signal into a dossier. `at`: when it came in; `stories`: the names of what it tells, and of the
    signals it follows on; `places`: the centre's areas that it touches; `apart`: why it does not count, `""` where it
    does (hub.model.event_dossier.Filed)."""

    dossier: str
    signal: str
    at: datetime
    stories: tuple[str, ...]
    by: str
    why: str
    places: tuple[str, ...] = ()
    apart: str = ""


class SignalUnfiled(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="dossier-remove", gc=False):
    """An officer takes out of a dossier what a signal tells (`story`)."""

    dossier: str
    signal: str
    story: str
    by: str
    why: str


class DossierNote(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="dossier-note", gc=False):
    """An officer writes something into a dossier; the text lies in the vault."""

    dossier: str
    by: str


class IncidentLinked(Struct, frozen=True, omit_defaults=True, kw_only=True, tag="dossier-link", gc=False):
    """An officer says that an incident belongs to a dossier."""

    dossier: str
    incident: str
    by: str
    why: str


DossierFact = SignalFiled | SignalUnfiled | DossierNote | IncidentLinked
