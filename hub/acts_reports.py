"""What may be asked of the running hub about situation reports: one part of hub/acts.py; hub/reporting does it."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Struct

from hub.act import Act, Body
from hub.model.situation import Topic


class ReportListed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A report on an incident, as it is kept. `state`: draft (it can be edited and sent), waits (for approval),
    approved, sent. `id`: of the fact with the newest version."""

    id: str
    number: int
    version: int
    at: datetime
    state: str
    by: str = ""
    step: str = ""


class ReportDone(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The act is durable. `id`: of its fact; `number` and `version`: of the report."""

    id: str
    said: str
    number: int
    version: int


class DraftBody(Body, frozen=True, omit_defaults=True):
    """`approval`: it is not to be sent before somebody approves it."""

    by: str
    approval: bool = False


class EditBody(Body, frozen=True, omit_defaults=True):
    """`written`: topic → what stands beside the facts there; `""` takes it out. `version`: the one that was read."""

    by: str
    written: dict[Topic, str]
    version: Annotated[int, msgspec.Meta(ge=1)] | None = None


class ApproveBody(Body, frozen=True, omit_defaults=True):
    """`version`: the one that was read."""

    by: str
    version: Annotated[int, msgspec.Meta(ge=1)] | None = None


class SendBody(Body, frozen=True, omit_defaults=True):
    """`to`: a group, `roster NAME`, `organisation NAME`, `competence NAME`, `person NAME`. `channels`: that carry
    files."""

    by: str
    to: tuple[str, ...]
    channels: tuple[str, ...] = ("email",)
    version: Annotated[int, msgspec.Meta(ge=1)] | None = None


_REPORTS = "/api/incidents/{incident}/reports"

REPORTS = (
    Act(verb="reports", path=_REPORTS, summary="The newest situation report on an incident", answer=list[ReportListed]),
    Act(
        verb="report-draft",
        path=_REPORTS,
        summary="Draft the next situation report on an incident, from the journal as it is now",
        body=DraftBody,
        answer=ReportDone,
    ),
    Act(
        verb="report-edit",
        path=_REPORTS + "/{number}/edit",
        summary="Write beside the facts of a report: a new version of it",
        body=EditBody,
        answer=ReportDone,
    ),
    Act(
        verb="report-approve",
        path=_REPORTS + "/{number}/approve",
        summary="Stand behind the newest version of a report; one that a sheet wants sent goes out",
        body=ApproveBody,
        answer=ReportDone,
    ),
    Act(
        verb="report-send",
        path=_REPORTS + "/{number}/send",
        summary="Send the newest version of a report to people, as mail with PDF and EDXL-SitRep",
        body=SendBody,
        answer=ReportDone,
    ),
)
