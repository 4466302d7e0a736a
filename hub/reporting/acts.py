"""What officers do with situation reports (docs/sitrep.md): draft, write beside the facts, approve, send, see them."""

import unicodedata
from collections.abc import Callable, Collection

from msgspec.structs import replace

from hub.act import About, Done, Refused
from hub.acts_reports import ApproveBody, DraftBody, EditBody, ReportDone, ReportListed, SendBody
from hub.connector import Unavailable
from hub.desk import Desk, Handler
from hub.findings import choice
from hub.journal import JournalError
from hub.model import records as r
from hub.model.situation import Sitrep, Written
from hub.reporting.gathering import NoIncident
from hub.reporting.keeping import Kept, Reports

TEXT_MAX = 10_000  # characters of what an officer writes under one heading


class ReportDesk:
    """`carriers`: the channels that carry files. `done`: what does each act, by its verb."""

    def __init__(self, desk: Desk, reports: Reports, carriers: Callable[[], Collection[str]]) -> None:
        self._desk = desk
        self._reports = reports
        self._carriers = carriers
        self.done: dict[str, Handler] = {
            "reports": self._list,
            "report-draft": self._draft,
            "report-edit": self._edit,
            "report-approve": self._approve,
            "report-send": self._send,
        }

    async def _list(self, about: About, _: None) -> list[ReportListed]:
        kept = await self._newest(about["incident"])
        if kept is None:
            return []
        body = kept.body
        return [
            ReportListed(
                id=kept.fact.id,
                number=body.number,
                version=body.version,
                at=kept.fact.at,
                state=kept.state,
                by=body.by,
                step=body.step,
            )
        ]

    async def _draft(self, about: About, sent: DraftBody) -> ReportDone:
        by = _somebody(sent.by)
        try:
            done, body = await self._reports.draft(about["incident"], by, sent.approval)
        except NoIncident as error:
            raise Refused(str(error), missing=True) from None
        except JournalError as error:
            raise Unavailable(str(error)) from error
        waits = "; it waits until somebody approves it" if sent.approval else ""
        said = f"SITREP {body.number} is drafted, nothing has gone out yet{waits}"
        return _told(done, said, body)

    async def _edit(self, about: About, sent: EditBody) -> ReportDone:
        by = _somebody(sent.by)
        if not sent.written:
            raise Refused("written: name at least one heading and what stands there")
        async with self._reports.lock:
            kept, sitrep = await self._open(about, sent.version)
            if kept.sent:
                raise Refused(f"SITREP {kept.body.number} is sent: what is to be added stands in the next one")
            written, now = dict(sitrep.written), self._desk.now()
            for topic, text in sent.written.items():
                said = _clean(text)
                if len(said) > TEXT_MAX:
                    raise Refused(f"{topic}: {len(said)} characters: at most {TEXT_MAX} are taken")
                if said:
                    written[topic] = Written(text=said, by=by, at=now)
                else:
                    written.pop(topic, None)
            body = replace(kept.body, version=kept.body.version + 1, by=kept.body.by, wanted="", why=f"edited by {by}")
            done = await self._reports.write(body, replace(sitrep, version=body.version, written=written))
        again = "; it has to be approved again" if kept.approved_by and body.approval else ""
        return _told(done, f"SITREP {body.number}, version {body.version}{again}", body)

    async def _approve(self, about: About, sent: ApproveBody) -> ReportDone:
        by = _somebody(sent.by)
        async with self._reports.lock:
            kept, _ = await self._open(about, sent.version)
            body = kept.body
            if kept.approved_by:
                raise Refused(
                    f"SITREP {body.number}, version {body.version}, is approved already, by {kept.approved_by}"
                )
            incident = self._desk.state().incidents.get(body.incident)
            fact = r.ReportApproved(written=kept.fact.id, incident=body.incident, number=body.number, by=by)
            done = await self._desk.act(fact, "")
        if not body.step:
            said = "approved: send it"
        elif incident is not None:
            said = f"approved: it goes out, as step {body.step} says"
        else:
            said = "approved; its incident is over and closed, so nothing goes out by itself: send it"
        return _told(done, said, body)

    async def _send(self, about: About, sent: SendBody) -> ReportDone:
        by = _somebody(sent.by)
        to = self._desk.named("to", sent.to)
        carriers = self._carriers()
        for channel in sent.channels or ("",):
            if channel not in carriers:
                raise Refused(
                    f"channels: a report is files, and {channel or 'nothing'} carries none: "
                    f"{choice(channel, sorted(carriers), 'these do')}"
                )
        async with self._reports.lock:
            kept, _ = await self._open(about, sent.version)
            body = kept.body
            if body.approval and not kept.approved_by:
                raise Refused(f"SITREP {body.number}, version {body.version}, has to be approved first")
            fact = r.ReportSent(
                written=kept.fact.id,
                incident=body.incident,
                number=body.number,
                to=to,
                channels=sent.channels,
                by=by,
                status=body.status,
            )
            done = await self._desk.act(fact, "")
        return _told(done, f"SITREP {body.number} goes out; `vigie status` shows whom it does not reach", body)

    async def _open(self, about: About, version: int | None) -> tuple[Kept, Sitrep]:
        """The report that is meant, which is the newest. Raises Refused."""
        kept = await self._newest(about["incident"])
        if kept is None:
            raise Refused(f"there is no report on {about['incident']}: draft one", missing=True)
        if about["number"] != str(kept.body.number):
            raise Refused(
                f"the newest report on {about['incident']} is {kept.body.number}: earlier ones stay as they are",
                conflict=True,
            )
        if version is not None and version != kept.body.version:
            raise Refused(
                f"SITREP {kept.body.number} is at version {kept.body.version} now, not {version}: read it again",
                conflict=True,
            )
        if kept.sitrep is None:
            raise Refused(f"what SITREP {kept.body.number} said was erased: draft another")
        return kept, kept.sitrep

    async def _newest(self, incident: str) -> Kept | None:
        try:
            return await self._reports.newest(incident)
        except JournalError as error:
            raise Unavailable(str(error)) from error


def _somebody(by: str) -> str:
    if not by.strip():
        raise Refused("by: who acts? write a name, or an id of the directory")
    return by.strip()


def _clean(text: str) -> str:
    """Without control characters, but with its lines."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").split("\n")
    return "\n".join("".join(c for c in line if unicodedata.category(c) not in _CONTROLS) for line in lines).strip()


_CONTROLS = ("Cc", "Cs", "Cf")


def _told(done: Done, said: str, body: r.ReportWritten) -> ReportDone:
    return ReportDone(id=done.id, said=said, number=body.number, version=body.version)
