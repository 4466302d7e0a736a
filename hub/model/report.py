"""Reports: SITREP, daily, weekly, dossier. Their content is drafted in a later issue; the kinds are fixed here."""

from enum import StrEnum


class ReportKind(StrEnum):
    SITREP = "sitrep"
    DAILY = "daily"
    WEEKLY = "weekly"
    DOSSIER = "dossier"
