"""Whether a machine wrote a mail (RFC 3834, and what older programs do), and whether it is of our own. Pure.

Two kinds of machines: those that answer or give back (out of office, a mail server), whose mails are never news, and
those that tell something (a partner's monitoring, a list), whose mails may be.
"""

import re
from collections.abc import Collection, Sequence
from email.message import EmailMessage, Message
from email.utils import getaddresses

from msgspec import Struct

from connectors.mail.mime import LOOP, delivery_of
from connectors.mail.tree import unparsed

AUTO_REPLIED = "Auto-Submitted: auto-replied"
_RETURNS = frozenset({"mailer-daemon", "postmaster"})
_TELLS = frozenset({"noreply", "no-reply", "donotreply"})
_SAYS_REPLY = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Mail-Autoreply")
_ABSENT = re.compile(
    r"(?i)^\s*(?:automatic reply|auto(?:matic)?[- ]?reply|out of (?:the )?office|réponse automatique|absence du bureau|"
    r"automatisch antwoord|automatische beantwoording|niet aanwezig|afwezig|automatische antwort|abwesenheit)"
)
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,400})>")
# An order's id is a ULID (hub.model.ids): nobody else's Message-IDs look like ours.
_ORDER = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


class Machine(Struct, frozen=True):
    """Why a mail counts as a machine's. `answers`: it answers a mail or gives one back."""

    why: str
    answers: bool


def machine(mail: EmailMessage) -> Machine | None:
    """What tells that a machine wrote a mail; None where a person may have. What answers counts before what tells."""
    found = list(_found(mail))
    return next((one for one in found if one.answers), found[0] if found else None)


def _found(mail: EmailMessage) -> list[Machine]:
    found = []
    submitted = _header(mail, "Auto-Submitted").partition(";")[0].strip().lower()
    if submitted not in ("", "no"):
        found.append(Machine(f"Auto-Submitted: {submitted[:40]}", submitted == "auto-replied"))
    if (precedence := _header(mail, "Precedence").strip().lower()) in ("bulk", "junk", "list", "auto_reply"):
        found.append(Machine(f"Precedence: {precedence}", precedence == "auto_reply"))
    for name in _SAYS_REPLY:
        if _header(mail, name).strip().lower() not in ("", "no"):
            found.append(Machine(name, True))
    if _header(mail, "List-Id").strip():
        found.append(Machine("List-Id", False))
    if _header(mail, "Return-Path").strip() == "<>":
        found.append(Machine("an empty Return-Path", True))
    sender = next(iter(addresses_in([_header(mail, "From")])), "")
    if (local := sender.partition("@")[0].lower()) in _RETURNS | _TELLS:
        found.append(Machine(f"from {local}", local in _RETURNS))
    if _ABSENT.match(_header(mail, "Subject")):
        found.append(Machine("its subject is an automatic reply's", True))
    return found


def report_kind(mail: EmailMessage) -> str:
    """The kind of a multipart/report (RFC 6522); `""` where it is none."""
    types = {part.get_content_type() for part in mail.walk()}
    for kind in ("delivery-status", "disposition-notification"):
        if f"message/{kind}" in types or f"message/global-{kind}" in types:
            return kind
    return ""


def ours(mail: EmailMessage, addresses: Collection[str]) -> str:
    """Why a mail is one of Vigie's own, of this hub or another, or about one; `""` where it is not. `addresses`: from
    which the centre's own programs write, in small letters."""
    if _header(mail, LOOP[0]).strip().lower() == LOOP[1]:
        return "a mail of Vigie's"
    senders = set(addresses_in([_header(mail, "From"), _header(mail, "Sender")]))
    if senders & set(addresses):
        return "from an address of our own"
    for name in ("Message-ID", "In-Reply-To", "References"):
        for one in _MESSAGE_ID.findall(_header(mail, name)):
            delivery = delivery_of(one.rpartition("@")[0])
            if delivery is not None and _ORDER.fullmatch(delivery[0]):
                return "a mail of Vigie's" if name == "Message-ID" else "it answers or forwards a mail of Vigie's"
    return ""


def addresses_in(lines: Sequence[str]) -> list[str]:
    """The addresses in the lines of address headers, in small letters; none where they cannot be read."""
    try:
        return [address.strip().lower() for _, address in getaddresses(list(lines)) if address]
    except (RecursionError, ValueError, IndexError):  # brackets in brackets in brackets
        return []


def _header(mail: Message, name: str) -> str:
    if name not in ("From", "Sender", "Subject"):
        return unparsed(mail, name)
    try:
        return str(mail.get(name, ""))
    except Exception:  # the standard library's parser of headers raises whatever it stumbles over
        return ""
