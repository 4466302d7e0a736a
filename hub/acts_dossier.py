"""What may be asked of the running hub about dossiers: one part of hub/acts.py; hub/dossiers does it."""

from hub.act import Act, Body
from hub.model.dossier import DossierListed


class DossierBody(Body, frozen=True):
    by: str
    why: str


class NoteBody(Body, frozen=True):
    """`text`: kept apart from the journal, as it may name people."""

    by: str
    text: str


DOSSIERS = (
    Act(
        verb="dossiers",
        path="/api/dossiers",
        summary="The dossiers in force, and how they stand",
        answer=list[DossierListed],
    ),
    Act(
        verb="dossier-add",
        path="/api/dossiers/{dossier}/signals/{signal}",
        summary="Put a signal into a dossier",
        body=DossierBody,
    ),
    Act(
        verb="dossier-remove",
        method="DELETE",
        path="/api/dossiers/{dossier}/signals/{signal}",
        summary="Take what a signal tells out of a dossier",
        body=DossierBody,
    ),
    Act(
        verb="dossier-note",
        path="/api/dossiers/{dossier}/notes",
        summary="Write a note into a dossier",
        body=NoteBody,
    ),
    Act(
        verb="dossier-link",
        path="/api/dossiers/{dossier}/incidents/{incident}",
        summary="An incident belongs to a dossier",
        body=DossierBody,
    ),
)
