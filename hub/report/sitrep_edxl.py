"""A situation report as EDXL-SitRep 1.0, in an EDXL-DE 1.0 envelope that says whether it is in earnest. Pure."""

from hub.model.cap import UNSAID, clean
from hub.model.edxl import Envelope, Report, Version, bytes_of, envelope_of, sitrep_of
from hub.model.edxl_check import problems
from hub.model.people import Classification
from hub.model.signal import CERTAINTIES, SEVERITIES, Certainty, Severity
from hub.model.situation import Sitrep
from hub.model.trust import Credibility
from hub.report.document import Document, Paragraph, Table
from hub.report.known import Known
from hub.report.sitrep import WORDS
from hub.report.sitrep_phrases import Phrases

MEDIA_TYPE = "application/edxl-sitrep+xml"
_TEXT_MAX = 19_000  # the reading side of ours takes 20,000 characters
_CERTAINTY = {
    Credibility.CONFIRMED: Certainty.OBSERVED,
    Credibility.PROBABLY_TRUE: Certainty.LIKELY,
    Credibility.POSSIBLY_TRUE: Certainty.POSSIBLE,
    Credibility.CANNOT_BE_JUDGED: Certainty.POSSIBLE,
    Credibility.DOUBTFUL: Certainty.UNLIKELY,
    Credibility.IMPROBABLE: Certainty.UNLIKELY,
}


class NotWellBuilt(Exception):
    """What was made is not built as the standard has it: a fault of ours."""


def sitrep_xml(sitrep: Sitrep, document: Document, known: Known, sees: Classification) -> bytes:
    """`document`: the same report in a language, whose words it carries. Raises NotWellBuilt."""
    s = sitrep.situation
    actor = Phrases(WORDS[document.language], known, document.language, sees, s).actor
    heard = [one for one in s.heard if one.in_force] or [one for one in s.heard if not one.attached]
    identifier = f"{s.incident}-{sitrep.number}-{sitrep.version}"
    before = f"{document.banner}: " if document.banner else ""
    report = Report(
        identifier=identifier,
        by=f"{actor(sitrep.by)}, {known.hub}" if sitrep.by else known.hub,
        at=s.at,
        purpose=f"{before}{document.title}",
        text=f"{before}{_words(document)}"[:_TEXT_MAX],
        incident=s.incident,
        number=max(sitrep.number, 1),
        final=s.ended_at is not None,
        begins=sitrep.previous.at if sitrep.previous is not None else s.opened_at,
        severity=max((one.severity for one in heard), key=SEVERITIES.index, default=Severity.UNKNOWN),
        certainty=max((_CERTAINTY[one.credibility] for one in heard), key=CERTAINTIES.index, default=Certainty.UNKNOWN),
        authorized=actor(sitrep.approved_by) or UNSAID,
        authorized_at=sitrep.approved_at,
        needs="; ".join(
            task.do.get(document.language, f"{task.step} {task.index + 1}")
            for task in s.tasks
            if task.late and not task.outcome
        ),
        places=tuple(one.id for one in known.ground.values() if one.rings and one.id in s.places) or s.places,
    )
    element = sitrep_of(report)
    if wrong := problems(element):
        raise NotWellBuilt("; ".join(wrong))
    envelope = Envelope(
        identifier=identifier,
        sender=clean(known.hub),
        sent=s.at,
        status=s.status,
        confidentiality=sees.upper(),
        kind="Update" if sitrep.number > 1 else "Report",
        language=document.language.value,
        incident=s.incident,
        description=report.purpose[:200],
    )
    return bytes_of(envelope_of(envelope, [element], Version.DE_1))


def _words(document: Document) -> str:
    """What the report says, heading by heading; without the list of records, whose ids mean nothing elsewhere."""
    lines = []
    for section in document.sections:
        if any(isinstance(block, Table) and any(row.anchor for row in block.rows) for block in section.blocks):
            continue
        lines.append(section.title)
        for block in section.blocks:
            if isinstance(block, Paragraph):
                lines.append(block.text)
            elif isinstance(block, Table):
                lines += [": ".join(filter(None, row.cells)) for row in block.rows]
        lines.append("")
    return "\n".join(lines).strip()
