"""Reports: SITREP, daily, weekly, dossier. A SITREP is on one incident (hub.model.situation); the others come later."""

from enum import StrEnum


class ReportKind(StrEnum):
    SITREP = "sitrep"
    DAILY = "daily"
    WEEKLY = "weekly"
    DOSSIER = "dossier"
