"""One CAP alert (as a Node) → a Signal, forgiving all that real publishers do and noting each departure.

Source: OASIS CAP 1.2 (section 3.2) and CAP 1.1; CAP 1.0 is mapped. What is missing and cannot be done without
(identifier, sender, sent) is a ReadError; everything else has a meaning that is safe to act on, and a note.
"""

import re
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from msgspec.structs import replace

from connectors.cap.area import area_of, pairs
from connectors.cap.node import Node
from connectors.hazards import hazard_of, severity_of
from connectors.text import digest, instant, one_line, plain_text, web_address
from hub.connector import ReadError
from hub.model.signal import (
    Category,
    Certainty,
    Hazard,
    Info,
    MsgType,
    Named,
    Reference,
    Resource,
    ResponseType,
    Scope,
    Severity,
    Signal,
    Status,
    Urgency,
)

E = TypeVar("E", bound=StrEnum)

_NAME_MAX = 1000  # characters of identifier and sender: longer ones are an attack or a fault
_NOTES_MAX = 40
_QUOTED = re.compile(r'"([^"]*)"|(\S+)')
_SAME_AS = {"very likely": "Likely", "very_likely": "Likely"}  # CAP 1.0


def signal_of(alert: Node, notes: tuple[str, ...] = ()) -> tuple[Signal, str]:
    """The signal of an alert, and the key that makes it idempotent (sender, identifier, sent, content).

    The content belongs to the key because one publisher sends an identifier twice with different words. Raises
    ReadError when identifier, sender or sent is missing or unreadable.
    """
    remarks = list(notes)
    identifier, sender = _required(alert, "identifier"), _required(alert, "sender")
    sent = instant(_required(alert, "sent"), remarks, "sent")
    if sent is None:
        raise ReadError(
            f"sent is no time ({alert.first('sent')[:40]!r}): expected 2026-07-14T02:10:00+02:00", alert.place
        )
    status = _status(alert, remarks)
    references = _references(alert, remarks)
    msg_type = _one(MsgType, alert, "msgType", remarks) or (MsgType.UPDATE if references else MsgType.ALERT)
    if msg_type in (MsgType.UPDATE, MsgType.CANCEL) and not references:
        remarks.append(f"{msg_type} without references: what it replaces must be found by incident and area")
    if msg_type is MsgType.ALERT and references:
        remarks.append("Alert with references: CAP has them on Update, Cancel, Ack and Error")
    infos = _shared_hazard([_info(info, remarks) for info in alert.all("info")])
    signal = Signal(
        identifier=identifier,
        sender=sender,
        sent=sent,
        status=status,
        msg_type=msg_type,
        scope=_one(Scope, alert, "scope", remarks) or Scope.PUBLIC,
        origin=one_line(alert.first("source")),
        restriction=one_line(alert.first("restriction")),
        addresses=_quoted(alert, "addresses"),
        codes=tuple(alert.texts("code")),
        note=plain_text(alert.first("note")),
        references=references,
        incidents=_quoted(alert, "incidents"),
        infos=infos,
        links=tuple(dict.fromkeys(info.web for info in infos if info.web)),
        notes=tuple(dict.fromkeys(remarks))[:_NOTES_MAX],
    )
    return signal, "cap:" + digest(sender, identifier, sent.isoformat(), alert.fingerprint())


def _required(alert: Node, name: str) -> str:
    text = alert.first(name)
    if not text:
        raise ReadError(f"{name} is missing: CAP requires it, nothing can be updated or withdrawn without", alert.place)
    if len(text) > _NAME_MAX:
        raise ReadError(f"{name} has {len(text)} characters: at most {_NAME_MAX} are taken", alert.place)
    return " ".join(text.split())


def _one(kind: type[E], node: Node, name: str, notes: list[str]) -> E | None:
    """The value of an enumerated element, whatever its case; None with a note where it is empty or unknown."""
    values = node.all(name)
    if len(values) > 1:
        notes.append(f"{name} is there {len(values)} times: the first counts")
    text = values[0].text if values else ""
    found = _value(kind, text)
    if found is None:
        notes.append(f"{name} {text[:40]!r} is not one of CAP's values" if text else f"{name} is missing or empty")
    elif text != found.value:
        notes.append(f"{name} {text[:40]!r} is read as {found.value}")
    return found


def _value(kind: type[E], text: str) -> E | None:
    wanted = " ".join(text.split()).casefold()
    wanted = _SAME_AS.get(wanted, wanted).casefold()
    return next((member for member in kind if member.value.casefold() == wanted), None)


def _many(kind: type[E], node: Node, name: str, notes: list[str]) -> list[E]:
    out: list[E] = []
    for text in node.texts(name):
        # One publisher writes several values in one element.
        for part in [text] if _value(kind, text) else text.replace(",", " ").split():
            found = _value(kind, part)
            if found is None:
                notes.append(f"{name} {part[:40]!r} is not one of CAP's values")
            elif found not in out:
                out.append(found)
    return out


def _status(alert: Node, notes: list[str]) -> Status:
    """The status; an EDXL envelope that says Exercise or Test outweighs an alert that says Actual. What is missing
    or unreadable counts as Actual, because a real warning must not be lost for a slip; misspelt exercises and tests
    are recognised, because a drill must not wake a city."""
    return status_of(alert.first("status"), alert.first("distributionStatus"), notes)


def status_of(written: str, envelope_says: str, notes: list[str]) -> Status:
    """A status as CAP and its relatives write it, by the rules of `_status`."""
    text = written.casefold()
    status = _value(Status, text)
    if status is None:
        if re.match(r"(test|tst)", text):
            status = Status.TEST
        elif re.match(r"(ex+er|excer|exer|drill|oefening|ubung|übung)", text):
            status = Status.EXERCISE
        notes.append(
            f"status {text[:40]!r} is read as {status or Status.ACTUAL}" if text else "status is missing: Actual"
        )
    envelope = _value(Status, envelope_says)
    if envelope and envelope is not Status.ACTUAL and status in (None, Status.ACTUAL):
        notes.append(f"the EDXL envelope says {envelope}: taken for the alert")
        return envelope
    return status or Status.ACTUAL


def _references(alert: Node, notes: list[str]) -> tuple[Reference, ...]:
    """`sender,identifier,sent` triples separated by white space; CAP 1.0 has `identifier/sender`."""
    out: list[Reference] = []
    for token in " ".join(alert.texts("references")).split():
        parts = token.split(",")
        if len(parts) >= 3:
            out.append(Reference(parts[0], ",".join(parts[1:-1]), instant(parts[-1], notes, "a reference's sent")))
        elif len(parts) == 2 and all(parts):
            out.append(Reference(parts[0], parts[1], None))
        elif alert.first("capVersion") == "1.0" and "/" in token:
            identifier, _, sender = token.partition("/")
            out.append(Reference(sender, identifier, None))
        else:
            notes.append(f"reference {token[:60]!r} is not sender,identifier,sent: left out")
    return tuple(out)


def _quoted(node: Node, name: str) -> tuple[str, ...]:
    """A list separated by blanks, in which items with blanks stand in double quotes (addresses, incidents)."""
    return tuple(a or b for text in node.texts(name) for a, b in _QUOTED.findall(text) if a or b)


def _info(node: Node, notes: list[str]) -> Info:
    language = node.first("language")
    event, headline = one_line(node.first("event")), one_line(node.first("headline"))
    codes = tuple(Named(name, value) for name, value in pairs(node, "eventCode"))
    parameters = tuple(Named(name, value) for name, value in pairs(node, "parameter"))
    severity = _one(Severity, node, "severity", notes) or Severity.UNKNOWN
    implied = severity_of(parameters)
    if severity is Severity.UNKNOWN and implied:
        notes.append(f"severity is unknown: {implied} taken from the sender's own level")
        severity = implied
    times: dict[str, datetime | None] = {
        name: instant(node.first(name), notes, name) for name in ("effective", "onset", "expires")
    }
    return Info(
        language=language or "en-US",
        categories=_categories(node, notes),
        event=event,
        # Without a language of its own the block counts as English (CAP 3.2.2), but its words may be any.
        hazard=hazard_of(event, codes, parameters, headline, language),
        response_types=tuple(_many(ResponseType, node, "responseType", notes)),
        urgency=_one(Urgency, node, "urgency", notes) or Urgency.UNKNOWN,
        severity=severity,
        certainty=_one(Certainty, node, "certainty", notes) or Certainty.UNKNOWN,
        audience=one_line(node.first("audience")),
        event_codes=codes,
        effective=times["effective"],
        onset=times["onset"],
        expires=times["expires"],
        sender_name=one_line(node.first("senderName")),
        headline=headline,
        description=plain_text(node.first("description")),
        instruction=plain_text(node.first("instruction")),
        web=web_address(node.first("web")),
        contact=one_line(node.first("contact")),
        parameters=parameters,
        resources=tuple(_resource(resource) for resource in node.all("resource")),
        areas=tuple(area_of(area, notes) for area in node.all("area")),
    )


def _categories(node: Node, notes: list[str]) -> tuple[Category, ...]:
    known = _many(Category, node, "category", notes)
    if not known and node.texts("category"):
        known = [Category.OTHER]
    return tuple(known)


def _resource(node: Node) -> Resource:
    size = node.first("size")
    return Resource(
        description=one_line(node.first("resourceDesc")),
        mime_type=node.first("mimeType"),
        size=int(size) if re.fullmatch(r"\d{1,15}", size) else None,
        uri=node.first("uri"),
        digest=node.first("digest"),
        embedded=bool(node.first("derefUri")),
    )


def _shared_hazard(infos: list[Info]) -> tuple[Info, ...]:
    """Blocks in several languages describe one warning: what one calls by a word we do not know, another names."""
    named: set[Hazard] = {info.hazard for info in infos if info.hazard}
    if len(named) != 1:
        return tuple(infos)
    (hazard,) = named
    return tuple(info if info.hazard else replace(info, hazard=hazard) for info in infos)
