"""From a mail that came in to what it means for the hub: an answer, news of a mail of ours, or neither. Pure.

Sources: RFC 5322 (In-Reply-To, References), RFC 3834 (automatic answers), RFC 3464 (delivery status notifications),
RFC 8098 (read receipts).

An answer is bound by the Message-ID of the mail it replies to, which names the delivery (mime.py); a reply to a mail
that asked nothing ("which one?") is understood by its words. Those ids are not to be guessed, so whoever names one has
the mail. A mail that names none is anybody's who knows an officer's address:
its words count only where one's own mail server has proven the sender (proof.py). Words that do not count are recorded
as unclear, so that the person is told and can answer again.
"""

import re
from collections.abc import Iterator
from email.message import EmailMessage, Message
from email.utils import getaddresses

from lxml import etree
from msgspec import Struct

from connectors.mail.machine import AUTO_REPLIED, machine, report_kind
from connectors.mail.mime import delivery_of
from connectors.mail.parts import content
from connectors.mail.proof import proven, results_of
from connectors.mail.tree import Tree, unparsed
from connectors.text import digest, plain_text
from hub.connector import BadItem, Item, ReceiptItem, ReplyItem
from hub.model.message import Outcome, Verb

BYTES_MAX = 512 * 1024  # of a mail are looked at: an answer stands at its beginning, attachments behind it
_TEXT_MAX = 20_000  # characters; the quoted mail is among them
_MEDIA_TYPE = "message/rfc822"
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,400})>")

Delivery = tuple[str, int, bool]  # order, index, whether it asked


class Rules(Struct, frozen=True, kw_only=True):
    """How one channel's mails are read. `channel`: its name; `domain`: that of its Message-IDs; `trusted_results`:
    whose Authentication-Results are believed, `""`: nobody's."""

    channel: str
    domain: str
    trusted_results: str = ""


def read(raw: bytes, place: str, rules: Rules) -> list[Item]:
    """What a mail leads to. `place`: where it lies (`UIDVALIDITY.UID`), its key where it has no Message-ID. Raises
    nothing: what cannot be read is a dead letter."""
    key = "mail:" + digest(place)
    try:
        mail = Tree(raw).mail
        if found := _ids(unparsed(mail, "Message-ID")):
            key = "mail:" + digest(found[0])
        return _Mail(mail, raw, key, place, rules).items()
    except Exception as error:  # a stranger's bytes: the standard library raises whatever it stumbles over
        reason = f"this mail cannot be read ({type(error).__name__}): look at it, and call whoever sent it"
        return [BadItem(reason=reason, original=raw, key=key, place=place, media_type=_MEDIA_TYPE)]


class _Mail:
    """One mail being read."""

    def __init__(self, mail: EmailMessage, raw: bytes, key: str, place: str, rules: Rules) -> None:
        self._mail, self._raw, self._key, self._place, self._rules = mail, raw, key, place, rules

    def items(self) -> list[Item]:
        report = report_kind(self._mail)
        if report == "delivery-status":
            return self._bounce()
        if report == "disposition-notification":
            return self._read_receipt()
        if found := machine(self._mail):
            return self._automatic(found.why)
        return self._reply()

    # --- an answer -----------------------------------------------------------------------------------------

    def _reply(self) -> list[Item]:
        senders = [one for _, one in getaddresses([str(value) for value in self._mail.get_all("From", [])]) if one]
        if len(senders) != 1 or "@" not in senders[0]:
            return [self._bad("this mail names no sender, or several: an answer has one")]
        bound = self._replied_to()
        doubt = self._doubt(senders[0], bound is not None)
        order, index, _ = bound if bound is not None and bound[2] else ("", 0, False)
        reply = ReplyItem(
            channel=self._rules.channel,
            address=senders[0],
            key=self._key,
            text=own_text(self._mail),
            verb=Verb.UNCLEAR if doubt else None,
            order=order,
            index=index,
        )
        if doubt:
            return [reply, self._bad(f"an answer that does not count: {doubt}")]
        return [reply, self._delivered(bound)] if bound is not None else [reply]

    def _doubt(self, sender: str, bound: bool) -> str:
        """Why the answer does not count; `""` where it does."""
        server = self._rules.trusted_results
        if server:
            why = proven(results_of(self._mail), server, sender)
            return f"its sender is not proven ({why})" if why else ""
        return "" if bound else "it replies to no mail of ours, and nobody proves its sender (see `trusted results`)"

    def _replied_to(self) -> Delivery | None:
        """The delivery it answers: In-Reply-To first, then References from the last to the first."""
        direct = _ids(unparsed(self._mail, "In-Reply-To"))
        return self._first_of_ours([*direct, *reversed(_ids(unparsed(self._mail, "References")))])

    def _first_of_ours(self, ids: list[str]) -> Delivery | None:
        for one in ids:
            local, _, domain = one.rpartition("@")
            if domain.lower() == self._rules.domain.lower() and (found := delivery_of(local)):
                return found
        return None

    # --- news of our own mails -----------------------------------------------------------------------------

    def _bounce(self) -> list[Item]:
        """A delivery status notification: what became of a mail of ours."""
        about = self._first_of_ours(list(_returned_ids(self._mail))) or self._replied_to()
        if about is None:
            return [self._bad("a delivery status notification about no mail of ours: see who else sends from here")]
        action, status = _delivery_status(self._mail)
        outcome = _ACTIONS.get(action)
        if outcome is None:
            return [self._bad(f"a delivery status notification that tells no action known ({action[:20]!r}): RFC 3464")]
        reason = "" if outcome is Outcome.DELIVERED else f"mail {action}: {status}{_meaning(status)}".strip()
        return [self._receipt(about, outcome, reason)]

    def _read_receipt(self) -> list[Item]:
        """It was shown to somebody: no answer, but it has arrived."""
        about = self._first_of_ours(list(_returned_ids(self._mail))) or self._replied_to()
        return [self._delivered(about)] if about else [self._bad("a read receipt for no mail of ours")]

    def _automatic(self, why: str) -> list[Item]:
        """Nobody has read it: recorded, and no answer. An automatic reply shows that the mailbox exists."""
        items: list[Item] = [self._bad(f"an automatic mail ({why}) is no answer: reach them another way")]
        about = self._replied_to()
        if about is not None and why == AUTO_REPLIED:
            items.append(self._receipt(about, Outcome.DELIVERED, "automatic reply: not read by anybody yet"))
        return items

    def _delivered(self, about: Delivery) -> ReceiptItem:
        return self._receipt(about, Outcome.DELIVERED, "")

    def _receipt(self, about: Delivery, outcome: Outcome, reason: str) -> ReceiptItem:
        order, index, _ = about
        return ReceiptItem(order=order, index=index, outcome=outcome, key=f"{self._key}:{outcome}", reason=reason)

    def _bad(self, reason: str) -> BadItem:
        return BadItem(
            reason=reason, original=self._raw, key=f"{self._key}:bad", place=self._place, media_type=_MEDIA_TYPE
        )


# --- the words ---------------------------------------------------------------------------------------------

_QUOTES = "//blockquote | //*[contains(concat(' ', @class, ' '), ' gmail_quote ')] | //*[@class='moz-cite-prefix']"
# From here on a mail program repeats the mail that is answered (Outlook).
_BEHIND = "//*[@id='divRplyFwdMsg' or @id='appendonsend']"


def own_text(mail: EmailMessage) -> str:
    """The text of a mail, plain where it has such a part, else made of its HTML. What it quotes and its signature are
    cut where its words are understood (hub.people.answers); what only HTML marks as quoted is left out here."""
    part = mail.get_body(preferencelist=("plain",))
    text = content(part) if part is not None else ""
    if not text.strip():
        part = mail.get_body(preferencelist=("html",))
        text = plain_text(_unquoted(content(part))) if part is not None else ""
    return text[:_TEXT_MAX].strip()


def _unquoted(markup: str) -> str:
    """HTML without what it quotes."""
    parser = etree.HTMLParser(no_network=True, huge_tree=False, remove_comments=True, encoding="utf-8")
    try:
        root = etree.fromstring(markup.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return markup
    if root is None:
        return markup
    for element in _found(root, _BEHIND):
        for behind in list(element.itersiblings()):
            _drop(behind)
        _drop(element)
    for element in _found(root, _QUOTES):
        _drop(element)
    return str(etree.tostring(root, encoding="unicode", method="html"))


def _found(root: etree._Element, path: str) -> list[etree._Element]:
    found = root.xpath(path)
    return [one for one in found if isinstance(one, etree._Element)] if isinstance(found, list) else []


def _drop(element: etree._Element) -> None:
    """Removes an element and keeps the text behind it, which lxml takes for a part of it."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
    parent.remove(element)


# --- reports -----------------------------------------------------------------------------------------------

_ACTIONS = {
    "failed": Outcome.FAILED,
    "delayed": Outcome.SENT,
    "relayed": Outcome.SENT,
    "expanded": Outcome.SENT,
    "delivered": Outcome.DELIVERED,
}
# RFC 3463, in words; the longest beginning that fits holds.
_MEANINGS = {
    "5.1": "the address is wrong",
    "5.1.1": "no such mailbox",
    "5.1.2": "no such mail server",
    "5.1.10": "its domain takes no mail",
    "5.2.1": "the mailbox is closed",
    "5.2.2": "the mailbox is full",
    "4.2.2": "the mailbox is full",
    "5.3.4": "too large",
    "4.4": "its mail server cannot be reached",
    "5.4": "its mail server cannot be reached",
    "4.4.7": "given up: its mail server took too long",
    "5.4.7": "given up: its mail server took too long",
    "5.7": "refused by its mail server's rules",
}


def _meaning(status: str) -> str:
    known = next((_MEANINGS[s] for s in (status, status.rpartition(".")[0]) if s in _MEANINGS), "")
    return f" ({known})" if known else ""


def _delivery_status(mail: EmailMessage) -> tuple[str, str]:
    """Action and status of the (only) recipient. The server's own words are not repeated: they tend to hold the
    address."""
    for part in mail.walk():
        if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
            for block in _blocks(part):
                if action := unparsed(block, "Action").strip().lower():
                    status = re.match(r"\s*(\d\.\d{1,3}\.\d{1,3})", unparsed(block, "Status"))
                    return action, status[1] if status else ""
    return "", ""


def _blocks(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [block for block in payload if isinstance(block, Message)] if isinstance(payload, list) else []


def _returned_ids(mail: EmailMessage) -> Iterator[str]:
    """The Message-IDs of the mails a report gives back or names."""
    for part in mail.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822" and part is not mail:
            for inner in _blocks(part):
                yield from _ids(unparsed(inner, "Message-ID"))
        elif kind == "text/rfc822-headers":
            yield from _ids(unparsed(Tree(content(part).encode("utf-8", "replace")).mail, "Message-ID"))
        elif kind == "message/disposition-notification":
            for block in _blocks(part):
                yield from _ids(unparsed(block, "Original-Message-ID"))


def _ids(header: str) -> list[str]:
    return _MESSAGE_ID.findall(header)
