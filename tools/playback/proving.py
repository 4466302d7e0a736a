"""Who sends it, proved anew: a recording has no signature, password or code, so that the playback proves with the
secrets of the hub it plays to."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote_plus

from hub.model.recording import Push

UNPROVEN = (401, 403)
"""What the hub answers to who does not prove who they are: in a playback, too, they prove nothing."""


class CannotProve(ValueError):
    """There is no secret to prove it with; the text says which is needed."""


def proved(
    push: Push, source: Mapping[str, Any], secret: Callable[[str], str], now: datetime
) -> tuple[dict[str, str], bytes]:
    """The headers and body of a request as it is sent now. `source`: as sources.yaml has it; `now`: real time."""
    headers, body = dict(push.headers), push.raw
    headers.pop("webhook-timestamp", None)
    if not push.withheld or push.answered in UNPROVEN:
        return headers | ({"webhook-timestamp": _stamp(now)} if "webhook-id" in headers else {}), body
    match source.get("type"):
        case "webhook":
            stamp = _stamp(now)
            key = _secret(secret, _names(source.get("secrets")))
            signature = _signature(key, headers.get("webhook-id", ""), stamp, body)
            return headers | {"webhook-timestamp": stamp, "webhook-signature": signature}, body
        case "alertmanager":
            return headers | {"authorization": _authorization(source, secret)}, body
        case "form":
            return headers, _with_code(body, source, secret)
        case other:
            raise CannotProve(f"a source of type {other} proves by {', '.join(push.withheld)}: that is not known here")


def _signature(key: str, id_: str, stamp: str, body: bytes) -> str:
    """As Standard Webhooks has it, over bytes that need not be text (its library signs text only)."""
    secret = base64.b64decode(key.removeprefix("whsec_"))
    digest = hmac.new(secret, f"{id_}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def _authorization(source: Mapping[str, Any], secret: Callable[[str], str]) -> str:
    shown = _secret(secret, _names(source.get("secrets"))).strip()
    user = str(source.get("user") or "")
    return "Basic " + base64.b64encode(f"{user}:{shown}".encode()).decode() if user else f"Bearer {shown}"


def _with_code(body: bytes, source: Mapping[str, Any], secret: Callable[[str], str]) -> bytes:
    """A form's body with the code of the partner who sent it."""
    partner = parse_qs(body.decode("ascii"), keep_blank_values=True).get("partner", [""])[0]
    partners = source.get("partners") or {}
    if partner not in partners:
        raise CannotProve(f"{partner!r} is no partner of this form any more")
    code = quote_plus(_secret(secret, [str(partners[partner])])).encode()
    return b"&".join(b"code=" + code if pair == b"code=" else pair for pair in body.split(b"&"))


def _secret(secret: Callable[[str], str], names: list[str]) -> str:
    if not names:
        raise CannotProve("this source names no secrets")
    try:
        return secret(names[0])
    except KeyError as error:
        raise CannotProve(str(error.args[0])) from error


def _names(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else [str(one) for one in value]


def _stamp(now: datetime) -> str:
    return str(int(now.timestamp()))
