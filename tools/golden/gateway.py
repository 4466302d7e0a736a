"""What the gateway posts to us (Twilio's callbacks), read by the channel itself: signed anew with a token of ours."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from twilio.request_validator import RequestValidator

from connectors.twilio.account import Account, TwilioConfig
from connectors.twilio.sms import SmsChannel, SmsConfig
from hub.connector import Environment, Item, ReceiptItem, ReplyItem, Taken, WebRequest
from tools.golden.summary import Plain

TOKEN = "0123456789abcdef0123456789abcdef"
BASE = "https://vigie.invalid/callback/sms"
_FORM = "application/x-www-form-urlencoded"


class _Listening:
    """An intake that keeps what it is offered."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    async def offer(self, items: Sequence[Item], *, cursor: str | None = None) -> Sequence[Taken]:
        self.items += items
        return [Taken("fact")] * len(items)

    async def cursor(self) -> str | None:
        return None

    def now(self) -> datetime:
        return datetime(2026, 7, 14, tzinfo=UTC)

    async def health(self, health: str, reason: str = "") -> None:
        return

    async def in_worker(self, fn: Any, *args: Any, label: str) -> Any:
        return fn(*args)


def callback(path: Path) -> list[Plain]:
    """What the channel makes of a callback, and what it answers."""
    body = path.read_bytes().strip()
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    return asyncio.run(_hand_in(body, form, "/reply" if "Body" in form else "/status"))


async def _hand_in(body: bytes, form: dict[str, str], kind: str) -> list[Plain]:
    config = SmsConfig(account="AC" + "0" * 32, tokens=("TOKEN",), sender="+32450000000")
    channel, intake = SmsChannel(config, _environment(TOKEN)), _Listening()
    route = next(route for route in channel.routes(intake) if route.path.startswith(kind))
    url = BASE + kind
    signature = RequestValidator(TOKEN).compute_signature(url, form)
    headers = {"x-twilio-signature": signature, "content-type": _FORM}
    match = {"order": "ORDER", "index": "0"}
    request = WebRequest(method="POST", url=url, path=kind, headers=headers, body=body, match=match)
    response = await route.handler(request)
    return [{"answered": response.status}, *map(_item, intake.items)]


def _environment(token: str) -> Environment:
    return Environment(name="sms", secret=lambda _: token, public_url=BASE)


def _item(item: Item) -> Plain:
    if isinstance(item, ReplyItem):
        return {"reply": item.text, "key": item.key[:4] + "...", "number": bool(item.address)}
    assert isinstance(item, ReceiptItem)
    return {"receipt": str(item.outcome), "reason": item.reason}


def signatures(path: Path) -> list[Plain]:
    """Which of Twilio's own vectors the account accepts."""
    held = json.loads(path.read_bytes())
    account = Account(TwilioConfig(account="AC1", tokens=("TOKEN",)), _environment(held["auth_token"]))
    found: list[Plain] = []
    for vector in held["vectors"]:
        json_body = "body" in vector
        body = vector["body"].encode() if json_body else urlencode(vector["params"], doseq=True).encode()
        headers = {
            "x-twilio-signature": vector["signature"],
            "content-type": "application/json; charset=utf-8" if json_body else _FORM,
        }
        request = WebRequest(method="POST", url=vector["url"], path="/", headers=headers, body=body)
        accepted = account.form(request) is not None
        found.append({"url": vector["url"][:60], "body": "JSON" if json_body else "form", "accepted": accepted})
    return found
