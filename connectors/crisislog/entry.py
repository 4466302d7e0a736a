"""An event of an incident as an entry of a log, and that entry in the form another system reads. Pure: the same event
is always the same file."""

import csv
import io
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from lxml import etree
from msgspec import Struct

from connectors.crisislog.follower_config import CrisislogFollowerConfig, Out
from connectors.crisislog.ours import OURS
from connectors.crisislog.words import sentence
from connectors.emsi.codes import COMPLETE, IN_PROGRESS
from connectors.emsi.write import Message, emsi_of
from connectors.expression import find, text_of
from connectors.mapping import found_in
from connectors.text import one_line
from hub.model.area import Area
from hub.model.cap import element_of
from hub.model.edxl import Envelope, Report, bytes_of, envelope_of, sitrep_of
from hub.model.occurrences import IncidentEvent, SignalJoined, SignalWithdrawn
from hub.model.signal import Info, MsgType, Reference, Scope, Signal, Status

COLUMNS = {
    "identifier": "id",
    "record": "record",
    "sent": "at",
    "status": "status",
    "incident": "incident",
    "event": "event",
    "headline": "headline",
    "description": "text",
    "playbook": "playbook",
    "title": "title",
    "data": "data",
}
_OVER = frozenset({"ended", "lapsed", "closed"})
_BEGUN = frozenset({"opened", "reopened"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would work out instead of showing
_TEXT_MAX = 20_000


class Entry(Struct, frozen=True, kw_only=True):
    """`id`: the event's, the same for a repeat. `record`: of the journal's record that says so. `text`: the words that
    go along, where the follower is to have them. `data`: what the event says besides, as JSON."""

    id: str
    record: str
    at: str
    status: str
    incident: str
    playbook: str
    version: str
    title: str
    event: str
    headline: str
    text: str
    data: Mapping[str, Any]


def entry_of(event: IncidentEvent, config: CrisislogFollowerConfig) -> Entry:
    """The entry, its sentence in the language of the log and its time in its zone."""
    data: dict[str, Any] = msgspec.to_builtins(event.what)
    data.pop("what", None)
    title = event.titles.get(config.language) or event.playbook
    words = [one_line(one.headline) for one in event.words] + [one.text.strip() for one in event.words]
    return Entry(
        id=event.id,
        record=event.id.partition("/")[0],
        at=_time(event.at, config),
        status=event.status,
        incident=event.incident,
        playbook=event.playbook,
        version=event.version,
        title=title,
        event=event.name,
        headline=f"{title}: {sentence(event.name, data, config.language)}",
        text="\n\n".join(dict.fromkeys(filter(None, words)))[:_TEXT_MAX],
        data=data,
    )


def file_name(event: IncidentEvent, config: CrisislogFollowerConfig) -> str:
    """Names in the order of events, the same for a repeat."""
    record, *indices = event.id.split("/")
    parts = [re.sub(r"[^A-Za-z0-9]", "", record), *(f"{int(one):04}" if one.isdecimal() else "x" for one in indices)]
    ending = {Out.CSV: "csv", Out.JSON: "jsonl"}.get(config.format, "xml")
    return f"vigie-{'-'.join(parts)}.{ending}"


def content_of(event: IncidentEvent, config: CrisislogFollowerConfig, hub: str) -> bytes:
    """The file. `hub`: what the hub is called."""
    entry = entry_of(event, config)
    match config.format:
        case Out.CSV:
            return _csv(entry, config)
        case Out.JSON:
            return msgspec.json.encode(_mapped(entry, config)) + b"\n"
        case Out.EDXL:
            return bytes_of(_edxl(event, entry, config, hub))
        case Out.EMSI:
            return bytes_of(_emsi(event, entry, config, hub))


def _time(at: datetime, config: CrisislogFollowerConfig) -> str:
    here = at.astimezone(ZoneInfo(config.zone))
    return here.strftime(config.time) if config.time else here.isoformat(timespec="seconds")


def _mapped(entry: Entry, config: CrisislogFollowerConfig) -> dict[str, Any]:
    """What stands in each column; in the words of the other system, where it has any."""
    value = msgspec.to_builtins(entry)
    found = {}
    for column, expression in (config.columns or COLUMNS).items():
        one = found_in(value, expression)
        words = config.words.get(column, {})
        found[column] = words.get(one, one) if isinstance(one, str) else one
    return found


def _csv(entry: Entry, config: CrisislogFollowerConfig) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=config.delimiter, quoting=csv.QUOTE_MINIMAL)
    mapped = _mapped(entry, config)
    if config.header:
        writer.writerow(mapped)
    writer.writerow(_cell(value) for value in mapped.values())
    return out.getvalue().encode(config.encoding, "replace")


def _cell(value: Any) -> str:
    text = msgspec.json.encode(value).decode() if isinstance(value, Mapping) else text_of(value)
    text = text.replace("\x00", "")
    return f"'{text}" if text.startswith(_FORMULA) else text


# --- XML -----------------------------------------------------------------------------------------------------


def _edxl(event: IncidentEvent, entry: Entry, config: CrisislogFollowerConfig, hub: str) -> etree._Element:
    """An envelope with a situation report of one sentence, and, where a signal came or went, an alert."""
    sender = config.sender or hub
    over = entry.event in _OVER
    report = Report(
        identifier=event.id,
        by=sender,
        at=event.at,
        purpose=entry.headline,
        text=entry.text or entry.headline,
        incident=event.incident,
        final=entry.event == "closed",
    )
    contents = [sitrep_of(report)]
    if (alert := _alert(event, entry, sender, config.confidentiality)) is not None:
        contents.append(element_of(alert))
    envelope = Envelope(
        identifier=event.id,
        sender=sender,
        sent=event.at,
        status=event.status,
        kind="Report" if entry.event in _BEGUN or over else "Update",
        confidentiality=config.confidentiality,
        language=config.language,
        incident=event.incident,
        description=one_line(entry.headline)[:200],
    )
    return envelope_of(envelope, contents, config.edxl)


def _alert(event: IncidentEvent, entry: Entry, sender: str, confidentiality: str) -> Signal | None:
    """The signal that joined, as far as a follower is told of it; what withdraws it."""
    what = event.what
    common: dict[str, Any] = {
        "sender": sender,
        "sent": event.at,
        "status": event.status,
        "scope": Scope.RESTRICTED,
        "restriction": confidentiality,
        "codes": (OURS,),
        "incidents": (event.incident,),
    }
    if isinstance(what, SignalWithdrawn) and what.why in ("cancelled", "expired"):
        return Signal(
            identifier=f"{what.signal}-withdrawn",
            msg_type=MsgType.CANCEL,
            references=(Reference(sender, what.signal, event.at),),
            **common,
        )
    if not isinstance(what, SignalJoined):
        return None
    areas = tuple(Area(description=place) for place in what.places)
    words = [one for one in event.words if one.of == "signal"]
    told = [(one.language or "en", one.headline or entry.headline, one.text) for one in words]
    infos = tuple(
        Info(
            language=language,
            event=event.titles.get(language[:2], event.playbook),
            headline=one_line(headline),
            description=text,
            expires=what.until,
            sender_name=what.source,
            areas=areas,
        )
        for language, headline, text in told or [("en", entry.headline, "")]
    )
    return Signal(identifier=what.signal, origin=what.source, infos=infos, **common)


def _emsi(event: IncidentEvent, entry: Entry, config: CrisislogFollowerConfig, hub: str) -> etree._Element:
    status = COMPLETE if entry.event in _OVER else IN_PROGRESS if entry.event in _BEGUN else ""
    sender = config.sender or hub
    message = Message(
        identifier=event.id,
        at=event.at.astimezone(ZoneInfo(config.zone)),
        status=Status.TEST if event.status is Status.DRAFT else event.status,
        msg_type=MsgType.ALERT if entry.event == "opened" else MsgType.UPDATE,
        text="\n\n".join(filter(None, (entry.headline, entry.text))),
        organisation=sender,
        organisation_name=hub,
        level=config.level,
        event=event.incident,
        event_name=entry.title,
        event_code=config.codes.get(event.playbook, ""),
        event_status=status,
        areas=tuple(Area(description=place) for place in find("data.places", msgspec.to_builtins(entry)) or ()),
    )
    return emsi_of(message, config.namespace)
