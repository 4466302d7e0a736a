"""From a mail that came into the permanence's mailbox to signals, a dead letter, or the reason why it is neither. Pure.

What a machine answers or gives back, and what comes from Vigie itself, is never a signal, whatever rules say: a loop
cannot begin.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from connectors.crisislog.ours import is_ours
from connectors.crisislog.read import read_slice
from connectors.edxl.read import parse_exchange
from connectors.mail.inbox_config import InboxConfig
from connectors.mail.inbox_rules import Fit, Letter, fitting, parameters_of, resources_of, signal_of
from connectors.mail.machine import addresses_in, machine, ours, report_kind
from connectors.mail.parts import Attachment, content_of, header
from connectors.mail.proof import proven, results_of
from connectors.mail.tree import Tree
from connectors.text import digest
from hub.connector import BadItem, SignalItem
from hub.model.signal import Signal
from hub.model.trust import Reliability

MEDIA_TYPE = "message/rfc822"
_FORWARDS_MAX = 5
_ADDRESSES_MAX = 50
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,400})>")
_ANSWERED = re.compile(r"(?i)^(?:\s*(?:re|fw|fwd|tr|aw|wg|antw|doorst)\s*:)+")
_XML_NAME = re.compile(r"(?i)\.(?:cap|xml)$")
_XML_SURELY = frozenset(f"application/{kind}+xml" for kind in ("cap", "edxl", "edxl-de", "edxl-sitrep", "emsi"))
_XML_TYPES = frozenset({"application/xml", "text/xml", "application/octet-stream", "text/plain"})
_XML_MARKS = (b"emergency:", b"CONTEXT>")  # of CAP and EDXL, of EMSI
_LOG_NAME = re.compile(r"(?i)\.(?:csv|json|jsonl|ndjson)$")
_LOG_TYPES = frozenset({"text/csv", "application/json", "application/x-ndjson"})
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


class Reading(Struct, frozen=True, kw_only=True):
    """What a mail led to. Without items it was `ignored`: the kind, for counting, and `why`, for the log. `rule`: by
    which it was read. `about`: a digest that mails going round in a circle have in common; `sent`: when it was."""

    items: tuple[SignalItem | BadItem, ...] = ()
    ignored: str = ""
    why: str = ""
    rule: str = ""
    about: str = ""
    sent: datetime = _NO_TIME


def read_mail(raw: bytes, size: int, place: str, config: InboxConfig, now: datetime | None) -> Reading:
    """Reads a mail, or its first bytes where it has more (`size`). `place`: where it lies. `now` stands in for a time
    that is missing or cannot be. The items have no original yet, so that a worker process does not send it back.
    Raises nothing."""
    try:
        return _Reader(Tree(raw), raw, size, place, config, now).read()
    except Exception as error:  # a stranger's bytes: the standard library raises whatever it stumbles over
        return Reading(items=(_bad(raw, place, f"this mail cannot be read ({type(error).__name__}): look at it"),))


def _bad(raw: bytes, place: str, reason: str) -> BadItem:
    return BadItem(reason=reason, original=b"", key=f"mail-bad:{digest(raw)}", place=place, media_type=MEDIA_TYPE)


def with_original(items: Sequence[SignalItem | BadItem], raw: bytes) -> list[SignalItem | BadItem]:
    """Each with the mail it was read from (one object for all of them)."""
    return [replace(item, original=raw, media_type=MEDIA_TYPE) for item in items]


class _Reader:
    def __init__(
        self, tree: Tree, raw: bytes, size: int, place: str, config: InboxConfig, now: datetime | None
    ) -> None:
        mail = tree.mail
        self._tree, self._mail = tree, mail
        self._raw, self._size, self._place = raw, size, place
        self._config, self._now = config, now
        self._key = digest(*(header(mail, name) for name in ("Message-ID", "From", "Date", "Subject")), _body(raw))

    def read(self) -> Reading:
        mail = self._mail
        if why := ours(mail, self._config.own_addresses):
            return Reading(ignored="ours", why=why)
        if report := report_kind(mail):
            return Reading(ignored="report", why=f"a {report} of a mail that went out")
        told = machine(mail)
        if told and told.answers:
            return Reading(ignored="answer", why=f"a machine's answer ({told.why})")
        letter, fit, why = self._letter()
        if why:
            return Reading(ignored="ours", why=why)
        if fit and fit.rule.ignore:
            return Reading(ignored="rule", why=fit.rule.ignore, rule=fit.rule.name)
        if told and not (fit and fit.rule.takes_automatic):
            return Reading(ignored="machine", why=told.why)
        if fit is None and self._config.strangers == "ignore":
            return Reading(ignored="stranger", why="no rule is for it")
        if not (letter.subject or letter.text or letter.attachments):
            return Reading(items=(_bad(self._raw, self._place, "a mail with nothing in it: ask who sent it"),))
        return Reading(
            items=(*self._items(letter, fit), *self._left_out()),
            rule=fit.rule.name if fit else "stranger",
            about=_about(letter, fit),
            sent=letter.sent,
        )

    def _left_out(self) -> list[BadItem]:
        """Parts beyond a bound may hold anything: somebody has to look."""
        if not self._tree.left_out:
            return []
        why = f"{'; '.join(self._tree.left_out)}: open the mail, and have it sent again in several"
        bad = _bad(self._raw, self._place, why)
        return [replace(bad, key=f"{bad.key}:parts")]

    # --- what the rules look at ----------------------------------------------------------------------------

    def _letter(self) -> tuple[Letter, Fit | None, str]:
        """The mail, or the one it forwards where its rule says that this counts, with the rule for it; why it is our
        own where the forwarded one is."""
        notes = []
        if self._size > len(self._raw):
            notes.append(f"of its {self._size} bytes the first {len(self._raw)} were read")
        sender, doubt = self._sender()
        letter, forwarded = self._read(self._mail, sender, doubt, (*notes, *self._tree.left_out, *self._tree.notes))
        fit = fitting(letter, self._config)
        for _ in range(_FORWARDS_MAX):
            for one in forwarded:
                if why := ours(cast(EmailMessage, one), self._config.own_addresses):
                    return letter, fit, f"it forwards one: {why}"
            if fit is None or not fit.rule.forwarded or not forwarded:
                break
            inner = forwarded[0]
            by = letter.forwarded_by or letter.sender
            # Whoever may forward vouches for what it says; an unproven forwarder proves nobody.
            letter, forwarded = self._read(inner, _sender_of(inner), doubt, letter.notes, by)
            fit = fitting(letter, self._config)
        return letter, fit, ""

    def _read(
        self, mail: Message, sender: str, doubt: str, notes: tuple[str, ...], forwarded_by: str = ""
    ) -> tuple[Letter, tuple[Message, ...]]:
        content = content_of(mail)
        found = _ids(mail, "Message-ID")
        remarks = [*notes, *content.notes]
        letter = Letter(
            sender=sender,
            to=_addresses(mail, "To", "Cc", "Delivered-To", "X-Original-To"),
            subject=header(mail, "Subject"),
            text=content.text,
            doubt=doubt,
            identifier=_identifier(found[0]) if found else f"mail {self._key[:16]}",
            thread=tuple(
                dict.fromkeys(
                    map(_identifier, [*_ids(mail, "In-Reply-To"), *reversed(_ids(mail, "References"))][:_ADDRESSES_MAX])
                )
            ),
            sent=self._sent(mail, remarks),
            attachments=content.attachments,
            forwarded_by=forwarded_by,
            notes=tuple(remarks),
        )
        return letter, content.forwarded

    def _sender(self) -> tuple[str, str]:
        """Who it says it is from, and why nobody proves that (`""`: it is proven)."""
        senders = _addresses(self._mail, "From")
        if len(senders) != 1 or sum(name.lower() == "from" for name, _ in self._mail.raw_items()) != 1:
            return senders[0] if senders else "", "it names no sender, or several"
        if self._config.believe_all:
            return senders[0], ""
        if not self._config.trusted_results:
            return senders[0], "no mail server is named whose findings are believed (trusted results)"
        return senders[0], proven(results_of(self._mail), self._config.trusted_results, senders[0])

    def _sent(self, mail: Message, notes: list[str]) -> datetime:
        text = header(mail, "Date")
        try:
            at = parsedate_to_datetime(text)
            at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            notes.append("its Date cannot be read: when it was read is taken" if text else "it has no Date")
            return self._now or _NO_TIME
        if self._now is not None and at > self._now + timedelta(hours=1):
            notes.append("its Date lies ahead: when it was read is taken")
            return self._now
        return at

    # --- what comes of it ----------------------------------------------------------------------------------

    def _items(self, letter: Letter, fit: Fit | None) -> tuple[SignalItem | BadItem, ...]:
        attached: list[SignalItem | BadItem] = []
        for attachment in letter.attachments if fit else ():
            assert fit is not None
            if fit.rule.cap and _may_be_xml(attachment):
                found: Sequence[SignalItem | BadItem] = parse_exchange(
                    attachment.content, self._language(fit), self._now
                )
                attached += self._of_attachment(found, attachment, letter, fit)
            elif fit.rule.log and _may_be_log(attachment):
                entries = [one for one in self._entries(attachment, letter, fit) if not _came_back(one)]
                attached += self._of_attachment(entries, attachment, letter, fit)
        if any(isinstance(item, SignalItem) for item in attached):
            return tuple(attached)
        signal = signal_of(letter, fit, self._config)
        own = SignalItem(signal=signal, key=f"mail:{self._key}", reliability=Reliability.F if letter.doubt else None)
        return (own, *attached)

    def _language(self, fit: Fit) -> str:
        return fit.rule.language or self._config.language

    def _entries(self, attachment: Attachment, letter: Letter, fit: Fit) -> Sequence[SignalItem | BadItem]:
        """Of a log in CSV or JSON; what is too much for one mail is told."""
        log = fit.rule.log
        assert log is not None
        found = read_slice(attachment.content, log, log.sender or fit.rule.sender or letter.sender, self._now)
        if not found.next:
            return found.items
        more = f"has more than {found.next} entries: of a mail no more are read, use a folder (docs/crisis-log.md)"
        return (*found.items, _bad(self._raw, self._place, more))

    def _of_attachment(
        self, found: Sequence[SignalItem | BadItem], attachment: Attachment, letter: Letter, fit: Fit
    ) -> list[SignalItem | BadItem]:
        """Alerts and entries of an attachment, each with what the mail adds."""
        out: list[SignalItem | BadItem] = []
        for item in found:
            if isinstance(item, BadItem):
                out.append(replace(item, reason=f"{attachment.name}: {item.reason}", place=item.place or self._place))
                continue
            out.append(replace(item, signal=_with_mail(item.signal, attachment, letter, fit)))
        return out


def _about(letter: Letter, fit: Fit | None) -> str:
    """What mails have in common that go round in a circle: they forward or answer, or are nobody's whom a rule names. A
    partner's own alerts may come as often as they do, under one subject."""
    bare = _ANSWERED.sub("", letter.subject)
    if fit and fit.rule.from_ and bare == letter.subject:
        return ""
    return digest(letter.sender, letter.forwarded_by, bare.strip().casefold())


def _with_mail(signal: Signal, attachment: Attachment, letter: Letter, fit: Fit) -> Signal:
    """What was attached, with how it came: each block has the mail's parameters, its attachments and its own words."""
    more = parameters_of(letter, fit.rule, fit.found)
    files = resources_of(letter.attachments)
    infos = tuple(
        replace(info, parameters=(*info.parameters, *more), resources=(*info.resources, *files))
        for info in signal.infos
    )
    return replace(signal, infos=infos, notes=(*signal.notes, f"attached to a mail ({attachment.name})"))


def _may_be_xml(attachment: Attachment) -> bool:
    """CAP, EDXL or EMSI: by its type, or by its name and how it begins."""
    if attachment.media_type in _XML_SURELY:
        return True
    named = attachment.media_type in _XML_TYPES or bool(_XML_NAME.search(attachment.name))
    return named and any(mark in attachment.content[:8192] for mark in _XML_MARKS)


def _came_back(item: SignalItem | BadItem) -> bool:
    return isinstance(item, SignalItem) and is_ours(item.signal)


def _may_be_log(attachment: Attachment) -> bool:
    return attachment.media_type in _LOG_TYPES or bool(_LOG_NAME.search(attachment.name))


def _body(raw: bytes) -> bytes:
    """What stands behind the headers: servers on the way, and the one it is moved to, add headers only."""
    found = re.search(rb"\r?\n\r?\n", raw)
    return hashlib.sha256(raw[found.end() :] if found else raw).digest()


def _sender_of(mail: Message) -> str:
    return next(iter(_addresses(mail, "From")), "")


def _addresses(mail: Message, *names: str) -> tuple[str, ...]:
    """The addresses in some headers, in small letters, each once."""
    wanted = {name.lower() for name in names}
    lines = [" ".join(str(value).split())[:10_000] for name, value in mail.raw_items() if name.lower() in wanted]
    found = (one for one in addresses_in(lines) if "@" in one and one.isprintable())
    return tuple(dict.fromkeys(found))[:_ADDRESSES_MAX]


def _ids(mail: Message, name: str) -> list[str]:
    return _MESSAGE_ID.findall(header(mail, name))


def _identifier(message_id: str) -> str:
    return message_id if len(message_id) <= 200 else digest(message_id)
