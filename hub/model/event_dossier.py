"""Events of dossiers: what is filed in them, what was taken out again, when there is more of a theme than usual."""

from datetime import date

from hub.model.event import EventBase


class DossierOpened(EventBase, frozen=True, tag="dossier-opened"):
    """A dossier is in force from here on, or its `when` is another one (`version`). `since`: the first local day whose
    count can be compared with later ones."""

    dossier: str
    version: str
    since: date


class DossierClosed(EventBase, frozen=True, tag="dossier-closed"):
    """It is in force no more; `day`: local."""

    dossier: str
    day: date


class Filed(EventBase, frozen=True, tag="filed"):
    """A signal belongs to a dossier. `story`: what it tells, by a name that further signals about it have, too. It
    counts one on its local `day`, unless it is kept `apart`: as the same story (SAME), an exercise, a test, of a source
    on trial, of a new source's backlog, or improbable. `places`: the centre's areas that it touches. `by`: who added
    it by hand."""

    dossier: str
    signal: str
    story: str
    day: date
    apart: str = ""
    places: tuple[str, ...] = ()
    by: str = ""
    why: str = ""


class Unfiled(EventBase, frozen=True, tag="unfiled"):
    """An officer took a story out: it counts no more, and what else tells it is not filed by rule."""

    dossier: str
    story: str
    signal: str
    by: str
    why: str


class Recounted(EventBase, frozen=True, tag="recounted"):
    """A filed story counts no more (`apart`: improbable, by an officer's word), or again (""). `signal`: the one that
    the word is about."""

    dossier: str
    story: str
    signal: str
    apart: str = ""
    by: str = ""


class FiledCancelled(EventBase, frozen=True, tag="filed-cancelled"):
    """Whoever told a filed story takes it back. It was told, and counts as before."""

    dossier: str
    story: str
    signal: str


class DossierNoted(EventBase, frozen=True, tag="dossier-noted"):
    """Somebody wrote a note; its text lies in the vault of that fact."""

    dossier: str
    note: str


class DossierLinked(EventBase, frozen=True, tag="dossier-linked"):
    """An incident belongs to a dossier: a filed signal is in it, or somebody (`by`) says so."""

    dossier: str
    incident: str
    by: str = ""
    why: str = ""


class Rose(EventBase, frozen=True, tag="rose"):
    """There is more of it than usual: `count` in the `span` days up to `day`, where the `spans` before had `usual` on
    average. It is told as a signal, by what follows decisions (hub/dossiers/rises.py)."""

    dossier: str
    day: date
    span: int
    count: int
    usual: float
    spans: int


class RiseTold(EventBase, frozen=True, tag="rise-told"):
    """The signal that tells a rise is recorded."""

    dossier: str
    signal: str


class FellBack(EventBase, frozen=True, tag="fell-back"):
    """A rise is over since that local day."""

    dossier: str
    day: date


DossierEvent = (
    DossierOpened
    | DossierClosed
    | Filed
    | Unfiled
    | Recounted
    | FiledCancelled
    | DossierNoted
    | DossierLinked
    | Rose
    | RiseTold
    | FellBack
)
