"""Reports as they are kept: numbered, each version frozen in the vault before anything else is made of it.

What a sheet's step wants is decided (`ReportWanted`) before any of it, and stays open in the state until it is written,
or cannot be: a hub that goes down in between does it when it comes back.
"""

from collections.abc import Iterable

import msgspec
import trio
from msgspec import Struct
from msgspec.structs import replace

from hub.act import Done
from hub.desk import Desk
from hub.journal import Journal
from hub.model import events as e
from hub.model import records as r
from hub.model.report import ReportKind
from hub.model.situation import Sitrep, Situation
from hub.owed import Owed
from hub.playbook.language import WriteReport
from hub.reporting.gathering import NoIncident
from hub.reporting.reading import Openings, Sheet, situation_of

_sitrep = msgspec.json.Decoder(Sitrep)


class Kept(Struct, frozen=True, kw_only=True):
    """The newest version of the newest report on an incident. `fact`: its record; `sitrep`: None where it was
    erased."""

    fact: r.Fact
    body: r.ReportWritten
    sitrep: Sitrep | None
    approved_by: str = ""
    sent: bool = False

    @property
    def state(self) -> str:
        if self.sent:
            return "sent"
        if self.approved_by:
            return "approved"
        return "waits" if self.body.approval else "draft"


class Reports:
    """`sheet`: a version of a sheet, where it is at hand. One report is written at a time, so that no number is given
    twice. `follow` is called with each durable decision."""

    def __init__(self, *, desk: Desk, journal: Journal, sheet: Sheet) -> None:
        self._desk = desk
        self._journal = journal
        self._sheet = sheet
        self._openings = Openings()
        self.lock = trio.Lock()
        self._owed = Owed("a report", self._write)

    # -- what is kept --

    async def newest(self, incident: str) -> Kept | None:
        """Raises JournalError."""
        fact = await self._journal.latest("report", incident)
        if fact is None or not isinstance(fact.body, r.ReportWritten):
            return None
        approved = await self._journal.latest("report-approved", incident)
        sent = await self._journal.latest("report-sent", incident)
        return Kept(
            fact=fact,
            body=fact.body,
            sitrep=await self._read(fact),
            approved_by=_approver(approved, fact.id),
            sent=_is_sent(sent, fact.body) or _went_out(fact.body, _approver(approved, fact.id)),
        )

    async def report(self, written: str) -> Sitrep | None:
        """A version as it lies in the vault, with who approved it. Raises JournalError."""
        (fact,) = await self._journal.get([written])
        if not isinstance(fact, r.Fact) or not isinstance(fact.body, r.ReportWritten):
            return None
        sitrep = await self._read(fact)
        approved = await self._journal.latest("report-approved", fact.body.incident)
        if sitrep is None or approved is None or not (by := _approver(approved, fact.id)):
            return sitrep
        return replace(sitrep, approved_by=by, approved_at=approved.at)

    async def _read(self, fact: r.Fact) -> Sitrep | None:
        (entry,) = await self._journal.vault([fact.vault]) if fact.vault else (None,)
        return None if entry is None else _sitrep.decode(entry.payload)

    # -- writing --

    async def draft(
        self, incident: str, by: str, approval: bool, wanted: str = "", step: str = ""
    ) -> tuple[Done, r.ReportWritten]:
        """The next report on an incident, as the journal has it now. Raises NoIncident, JournalError, Unavailable."""
        async with self.lock:
            before = await self.newest(incident)
            situation = await self._situation(incident)
            body = r.ReportWritten(
                report=ReportKind.SITREP,
                incident=incident,
                number=before.body.number + 1 if before is not None else 1,
                status=situation.status,
                by=by,
                approval=approval,
                wanted=wanted,
                step=step,
            )
            previous = before.sitrep.situation if before is not None and before.sitrep is not None else None
            sitrep = Sitrep(situation=situation, number=body.number, by=by, previous=previous)
            return await self.write(body, sitrep), body

    async def write(self, body: r.ReportWritten, sitrep: Sitrep | None) -> Done:
        """Makes a version durable, once: what is done again after a crash is not recorded twice. Raises Unavailable."""
        key = body.wanted or f"{body.incident} {body.number} {body.version}"
        return await self._desk.act(body, "", sitrep, key=f"report {key}")

    async def _situation(self, incident: str) -> Situation:
        return await situation_of(self._journal, incident, self._desk.now(), self._sheet, self._openings)

    # -- what sheets want --

    def follow(self, decision: r.Decision) -> None:
        self._openings.follow(decision)
        for event in decision.events:
            if isinstance(event, e.ReportWanted):
                self._owed.add(event.wanted)

    async def run(self, left: Iterable[str]) -> None:
        """Writes what is wanted, for ever. `left`: what was wanted when the hub went down."""
        await self._owed.run(left)

    async def _write(self, wanted: str) -> None:
        known = self._desk.state().reports_wanted.get(wanted)
        if known is None:
            return  # its incident is forgotten meanwhile
        incident = self._desk.state().incidents[known.incident]
        playbook = self._sheet(incident.playbook, incident.version)
        action = (
            next((s.action for s in playbook.steps if s.name == known.step), None) if playbook is not None else None
        )
        approval = action.approval if isinstance(action, WriteReport) else True
        try:
            await self.draft(known.incident, "", approval, wanted, known.step)
        except NoIncident as error:
            problem = r.ReportWritten(
                report=ReportKind.SITREP,
                incident=known.incident,
                number=0,
                wanted=wanted,
                step=known.step,
                problem=str(error),
            )
            await self.write(problem, None)


def _approver(approved: r.Fact | None, written: str) -> str:
    """Who approved this version."""
    if approved is None or not isinstance(approved.body, r.ReportApproved) or approved.body.written != written:
        return ""
    return approved.body.by


def _is_sent(sent: r.Fact | None, body: r.ReportWritten) -> bool:
    return sent is not None and isinstance(sent.body, r.ReportSent) and sent.body.number == body.number


def _went_out(body: r.ReportWritten, approved_by: str) -> bool:
    """A step's report goes out by itself: at once, or when it is approved."""
    return bool(body.step) and (not body.approval or bool(approved_by))
