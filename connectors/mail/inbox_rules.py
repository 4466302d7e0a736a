"""From a mail to a signal, by the rules of the configuration. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import re2
from msgspec import Struct

from connectors.hazards import hazard_in, hazard_of
from connectors.mail.inbox_config import ENUMS, PLACEHOLDER, InboxConfig, Rule, several
from connectors.mail.parts import Attachment
from connectors.text import digest
from hub.model.area import Area
from hub.model.signal import (
    Category,
    Hazard,
    Info,
    MsgType,
    Named,
    Reference,
    Resource,
    Scope,
    Signal,
    Status,
)

UNPROVEN = "unproven:"
"""Before the sender of a signal that nobody proves: no such mail updates or withdraws what a proven one said."""
_HEADLINE_MAX = 200
_LINE_MAX = 400
_IDENTIFIER_MAX = 200
_ATTACHMENTS_MAX = 50
_DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})[ T,]+(?:à |om |um |at )?(\d{1,2})[:hu](\d{2})?")


class Letter(Struct, frozen=True, kw_only=True):
    """What rules and signals need of a mail. `sender` and `to`: addresses in small letters. `doubt`: why nobody proves
    the sender, `""` where it is proven. `thread`: the Message-IDs it names, the one it answers first."""

    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    doubt: str
    identifier: str
    thread: tuple[str, ...] = ()
    sent: datetime
    attachments: tuple[Attachment, ...] = ()
    forwarded_by: str = ""
    notes: tuple[str, ...] = ()


class Fit(Struct, frozen=True):
    """The rule that fits, and what its patterns found."""

    rule: Rule
    found: Mapping[str, str]


def fitting(letter: Letter, config: InboxConfig) -> Fit | None:
    """The first rule that fits."""
    return next((fit for rule in config.rules if (fit := _fits(letter, rule)) is not None), None)


def _fits(letter: Letter, rule: Rule) -> Fit | None:
    """Nobody unproven is anybody a rule names."""
    senders, to = several(rule.from_), several(rule.to)
    if senders and (letter.doubt or not any(belongs(letter.sender, one) for one in senders)):
        return None
    if to and not any(belongs(address, one) for address in letter.to for one in to):
        return None
    found: dict[str, str] = {}
    for pattern, text in ((rule.subject, letter.subject), (rule.body, letter.text)):
        if not pattern:
            continue
        match = re2.search(pattern, text)
        if match is None:
            return None
        found |= _groups(match)
    for pattern in several(rule.find):
        found |= _groups(re2.search(pattern, f"{letter.subject}\n{letter.text}"))
    own = {"subject": letter.subject, "text": letter.text, "from": letter.sender, "to": ", ".join(letter.to)}
    own["first line"] = letter.text.strip().partition("\n")[0]
    return Fit(rule, own | found)


def _groups(match: Any) -> dict[str, str]:
    return {name: " ".join(text.split()) for name, text in match.groupdict().items() if text} if match else {}


def belongs(address: str, to: str) -> bool:
    """Whether an address is one, or of a domain or one below it."""
    known, domain = to.lower(), address.rpartition("@")[2]
    return address == known if "@" in known else domain == known or domain.endswith(f".{known}")


_STRANGERS = Rule(name="stranger")


def signal_of(letter: Letter, fit: Fit | None, config: InboxConfig) -> Signal:
    """The signal a mail is; without a rule, its subject and its text as they stand."""
    rule = fit.rule if fit else _STRANGERS
    found = fit.found if fit else {"subject": letter.subject, "text": letter.text}
    notes = list(letter.notes)
    sender = (rule.sender or letter.sender or "nobody") if not letter.doubt else f"{UNPROVEN}{letter.sender}"
    number = _short(filled(rule.identifier, found))
    msg_type, references = _about(letter, rule, number, sender, notes)
    identifier = number if number and msg_type is not MsgType.CANCEL else letter.identifier
    exercise = bool(rule.exercise and _says(rule.exercise, letter))
    status = Status.EXERCISE if exercise else _member("status", rule, found, notes)
    return Signal(
        identifier=identifier,
        sender=sender,
        sent=letter.sent,
        status=Status(status) if status else Status.ACTUAL,
        msg_type=msg_type,
        scope=Scope.RESTRICTED,
        references=references,
        infos=(_info(letter, rule, found, config, notes),),
        notes=tuple(dict.fromkeys(notes)),
    )


def _about(
    letter: Letter, rule: Rule, number: str, sender: str, notes: list[str]
) -> tuple[MsgType, tuple[Reference, ...]]:
    """Whether it updates or withdraws an earlier mail, and which: by the sender's number, else by what it answers."""
    kind = MsgType.ALERT
    if rule.cancel and _says(rule.cancel, letter):
        kind = MsgType.CANCEL
    elif rule.update and _says(rule.update, letter):
        kind = MsgType.UPDATE
    if kind is MsgType.ALERT:
        return kind, ()
    earlier = (number,) if number else letter.thread
    if not earlier:
        notes.append(f"it says that it is {kind}, and not of what: no number is found in it, and it answers no mail")
    return kind, tuple(Reference(sender, one) for one in earlier)


def _says(pattern: str, letter: Letter) -> bool:
    return re2.search(pattern, f"{letter.subject}\n{letter.text}") is not None


def _info(letter: Letter, rule: Rule, found: Mapping[str, str], config: InboxConfig, notes: list[str]) -> Info:
    language = rule.language or config.language
    values = {field: _member(field, rule, found, notes) for field in ENUMS if field not in ("status", "category")}
    category = _member("category", rule, found, notes)
    headline = _line(filled(rule.headline, found)) or _line(letter.subject) or _line(letter.text)
    event = _line(filled(rule.event, found))
    hazard = values.pop("hazard") or hazard_of(event, (), (), headline, language) or hazard_in(letter.text, language)
    zone = ZoneInfo(config.zone)
    onset, expires = (
        moment(filled(template, found), zone, letter.sent, notes, name)
        for name, template in (("onset", rule.onset), ("expires", rule.expires))
    )
    if expires is None and rule.lasts_s:
        expires = (onset or letter.sent) + timedelta(seconds=rule.lasts_s)
    area = _line(filled(rule.area, found))
    rest: dict[str, Any] = {field: value for field, value in values.items() if value}
    return Info(
        language=language,
        categories=(Category(category) if category else Category.OTHER,),
        event=event,
        hazard=Hazard(hazard) if hazard else None,
        headline=headline or "(a mail without a subject)",
        description=filled(rule.description, found),
        instruction=filled(rule.instruction, found),
        contact=_line(filled(rule.contact, found)),
        onset=onset,
        expires=expires,
        parameters=parameters_of(letter, rule, found),
        resources=resources_of(letter.attachments),
        areas=(Area(description=area),) if area else (),
        **rest,
    )


def parameters_of(letter: Letter, rule: Rule, found: Mapping[str, str]) -> tuple[Named, ...]:
    """What the mail says besides, and how far its sender is proven, by names that sheets can ask for."""
    named = {name: _line(filled(template, found)) for name, template in rule.parameters.items()}
    named |= {
        "mail_from": letter.sender,
        "mail_to": ", ".join(letter.to)[:_LINE_MAX],
        "mail_rule": rule.name,
        "mail_verified": "no" if letter.doubt else "yes",
        "mail_doubt": letter.doubt,
        "mail_forwarded_by": letter.forwarded_by,
        "attachments": "; ".join(one.name for one in letter.attachments[:_ATTACHMENTS_MAX])[:_LINE_MAX],
    }
    return tuple(Named(name, value) for name, value in named.items() if value)


def resources_of(attachments: tuple[Attachment, ...]) -> tuple[Resource, ...]:
    """The attachments, as CAP lists what comes along; the bytes are in the original."""
    return tuple(
        Resource(
            description=one.name,
            mime_type=one.media_type,
            size=len(one.content),
            digest=one.sha1(),
            embedded=True,
        )
        for one in attachments[:_ATTACHMENTS_MAX]
    )


# --- what templates give -----------------------------------------------------------------------------------


def filled(template: str, found: Mapping[str, str]) -> str:
    """A template with what was found in it; `""` where it stands on groups and none of them found anything."""
    names = PLACEHOLDER.findall(template)
    if names and not any(found.get(name) for name in names):
        return ""
    return PLACEHOLDER.sub(lambda name: found.get(name[1], ""), template).strip()


def _member(field: str, rule: Rule, found: Mapping[str, str], notes: list[str]) -> StrEnum | None:
    """The field as one of its words; None, with a note, where what was found is none of them."""
    written = filled(getattr(rule, field), found)
    if not written:
        return None
    meanings = {text.casefold(): meaning for text, meaning in rule.words.get(field, {}).items()}
    meant = meanings.get(written.casefold(), written)
    for member in ENUMS[field]:
        if member.value.casefold() == meant.casefold():
            return member
    notes.append(f"{field} {written[:60]!r} means nothing here: add it to words of the rule {rule.name}")
    return None


def moment(text: str, zone: ZoneInfo, near: datetime, notes: list[str], what: str) -> datetime | None:
    """ISO 8601, day first (14/07/2026 02:10, 14-07-2026 02u10), or a time alone: of the day the mail was sent, or the
    next where that is long over."""
    if not text:
        return None
    try:
        if found := _DAY_FIRST.search(text):
            day, month, year, hour, minute = (int(part or 0) for part in found.groups())
            at = datetime(year, month, day, hour, minute, tzinfo=zone)
        elif found := re.fullmatch(r"(\d{1,2})[:hu](\d{2})?", text.strip()):
            local = near.astimezone(zone)
            at = local.replace(hour=int(found[1]), minute=int(found[2] or 0), second=0, microsecond=0)
            at = at + timedelta(days=1) if at < local - timedelta(hours=6) else at
        else:
            at = datetime.fromisoformat(text.strip())
            at = at if at.tzinfo else at.replace(tzinfo=zone)
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        notes.append(f"{what} {text[:60]!r} is no time")
        return None


def _line(text: str) -> str:
    return " ".join(text.split())[:_HEADLINE_MAX]


def _short(text: str) -> str:
    one = " ".join(text.split())
    return one if len(one) <= _IDENTIFIER_MAX else digest(one)
