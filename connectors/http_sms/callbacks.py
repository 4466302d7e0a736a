"""What a provider tells us later: that it is the provider, delivery reports, replies. Pure."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from connectors.http_sms.answer import code_of
from connectors.http_sms.config import HttpSmsConfig, Proof
from connectors.http_sms.template import at, word_at
from connectors.number import e164
from hub.connector import BadItem, ReceiptItem, ReplyItem, WebRequest
from hub.model.message import Outcome

_MOST_FIELDS = 200
_OURS = re.compile(r"([0-9A-Z]{26})-(\d{1,7})")  # a ULID and a place; no provider's ids look like that

Delivery = tuple[str, int]


def our_id(order: str, index: int) -> str:
    """What fills {id}: letters, digits and one hyphen, as every provider takes it."""
    return f"{order}-{index}"


def is_proven(config: HttpSmsConfig, secrets: Sequence[str], request: WebRequest) -> bool:
    """Whether the request is the provider's. Compared in constant time."""
    if config.proof is Proof.QUERY:
        given = dict(parse_qsl(urlsplit(request.url).query)).get(config.proof_name, "")
    else:
        given = request.headers.get(config.proof_name.lower(), "")
    if not given:
        return False
    if config.proof is Proof.HMAC:
        signature = _signature(given)
        expected = [hmac.digest(secret.encode(), request.body, "sha256") for secret in secrets]
        return any(hmac.compare_digest(signature, one) for one in expected)
    word = given.encode("utf-8", "surrogateescape")
    return any(hmac.compare_digest(word, secret.encode()) for secret in secrets)


def _signature(given: str) -> bytes:
    """Of `sha256=` and hex, hex, or base64."""
    text = given.strip().removeprefix("sha256=")
    try:
        return bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""


class Unreadable(Exception):
    """A callback whose body is none; the text says why, and what would be right."""


def document_of(request: WebRequest) -> Any:
    """The fields of a callback: JSON, a form, or the query of a GET. Raises Unreadable."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if request.method == "GET" or media_type == "application/x-www-form-urlencoded":
            text = urlsplit(request.url).query if request.method == "GET" else request.body.decode()
            return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        return msgspec.json.decode(request.body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Unreadable(f"body: {error}: send JSON or a form") from None


def reports_of(
    config: HttpSmsConfig, request: WebRequest, known: Callable[[str], Delivery | None]
) -> list[ReceiptItem | BadItem]:
    """Statuses on the way say nothing new. What is of no delivery of ours is kept as a dead letter. Raises
    Unreadable. `known`: the delivery to which the provider gave an id."""
    items: list[ReceiptItem | BadItem] = []
    for entry in _entries(document_of(request), config.report_list_at):
        outcome = _outcome(config, word_at(entry, config.report_status_at))
        if outcome is Outcome.SENT:
            continue
        ref = word_at(entry, config.report_id_at)
        delivery = known(ref) or _delivery(ref)
        if delivery is None:
            items.append(
                _letter(config, request, f"{config.report_id_at}: a report on no delivery of ours: send {{id}} back")
            )
            continue
        order, index = delivery
        code = word_at(entry, config.report_error_at)
        reason = ""
        if outcome is Outcome.FAILED:
            reason = code_of(code) if code and code not in config.no_error else "not delivered"
        key = f"{our_id(order, index)}:{outcome}"
        items.append(ReceiptItem(order=order, index=index, outcome=outcome, key=key, reason=reason, ref=ref[:100]))
    return items


def replies_of(config: HttpSmsConfig, request: WebRequest, channel: str) -> list[ReplyItem | BadItem]:
    """Raises Unreadable."""
    items: list[ReplyItem | BadItem] = []
    for entry in _entries(document_of(request), config.reply_list_at):
        key, sender = word_at(entry, config.reply_id_at), word_at(entry, config.reply_from_at)
        if not key or not sender:
            lacks = config.reply_from_at if key else config.reply_id_at
            items.append(_letter(config, request, f"{lacks}: is not in this reply: see what the provider sends"))
            continue
        text = word_at(entry, config.reply_text_at)
        items.append(ReplyItem(channel=channel, address=e164(sender, config.region), key=key[:200], text=text))
    return items


def letter_of(config: HttpSmsConfig, request: WebRequest, error: Unreadable) -> BadItem:
    return _letter(config, request, str(error))


def _letter(config: HttpSmsConfig, request: WebRequest, reason: str) -> BadItem:
    query = parse_qsl(urlsplit(request.url).query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    shown = [(name, value) for name, value in query if name != config.proof_name]  # it may be the secret itself
    original = request.body or urlencode(shown).encode()
    return BadItem(
        reason=reason,
        original=original,
        key=hashlib.sha256(original).hexdigest(),
        media_type=request.headers.get("content-type", "")[:100],
    )


def _entries(document: Any, path: str) -> list[Any]:
    found = at(document, path)
    return found if isinstance(found, list) else [found]


def _outcome(config: HttpSmsConfig, status: str) -> Outcome:
    word = status.casefold()
    if word in {known.casefold() for known in config.delivered}:
        return Outcome.DELIVERED
    if word in {known.casefold() for known in config.failed}:
        return Outcome.FAILED
    return Outcome.SENT


def _delivery(ref: str) -> Delivery | None:
    found = _OURS.fullmatch(ref)
    return (found[1], int(found[2])) if found else None
