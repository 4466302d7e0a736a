"""Alerts pushed by a partner: JSON (`PartnerAlert`), CAP, EDXL or EMSI, signed as Standard Webhooks asks.

Each partner has a source of its own: its name is part of the address (`/in/NAME`), its secrets are its own. A request
is answered 202 only when its alert is durable; what is signed but cannot be read is kept as a dead letter, and told.
"""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

import msgspec
import structlog
from msgspec import Meta, Struct
from prometheus_client import Counter

from connectors.webhook.alert import Fault, PartnerAlert, decode, to_signal
from connectors.webhook.signature import Unsigned, key_of, verify
from hub.connector import (
    BadItem,
    Environment,
    Intake,
    Item,
    Route,
    SignalItem,
    Unavailable,
    WebRequest,
    WebResponse,
    WorkerLimit,
)

_log = structlog.get_logger()
_refused = Counter("vigie_webhook_refused_total", "Requests of partners that were not accepted", ["source", "why"])

XML_TYPES = frozenset({"application/xml", "text/xml"})  # and whatever ends in +xml
_LARGE = 64 * 1024  # bytes; more is decoded in a worker process
_REMEMBERED = 65_536  # message ids, to notice one used again for something else
_LONGEST_ID = 256
_RETRY_AFTER_S = 5


class WebhookConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One partner. Example: `secrets: [SIAMU_WEBHOOK]`, `sender: siamu`, `language: fr-BE`."""

    secrets: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            description="Names of the secrets that may sign; two while one is replaced",
            examples=["SIAMU_WEBHOOK"],
        ),
    ]
    sender: Annotated[
        str, Meta(description="Who signals come from; the source's name when left out", examples=["siamu"])
    ] = ""
    language: Annotated[str, Meta(description="Language of texts sent without one")] = "fr-BE"
    max_bytes: Annotated[int, Meta(ge=1024, description="Largest body, bytes")] = 1 << 20
    ahead_max_s: Annotated[float, Meta(description="How far `sent` may lie in the future, seconds")] = 86_400.0


class WebhookSource:
    """Receives a partner's alerts. There is nothing to run: the hub's web server calls its route."""

    Config: ClassVar[type[Struct]] = WebhookConfig

    def __init__(self, config: WebhookConfig, environment: Environment) -> None:
        self._config = config
        self._name = environment.name
        self._sender = config.sender or environment.name
        self._keys = [key_of(environment.secret(name), name) for name in config.secrets]
        self._ahead_max = timedelta(seconds=config.ahead_max_s)
        self._seen: dict[str, bytes] = {}  # message id → digest of its content, oldest first

    async def run(self, intake: Intake) -> None:
        """Alerts come by the route: here it only says that it is ready, and stays so until cancelled."""
        await intake.health("ok")
        await asyncio.Event().wait()

    def routes(self, intake: Intake) -> Sequence[Route]:
        async def receive(request: WebRequest) -> WebResponse:
            return await self.receive(request, intake)

        return [
            Route(
                method="POST",
                path="",
                handler=receive,
                max_bytes=self._config.max_bytes,
                summary="Send an alert",
                openapi=OPENAPI,
            )
        ]

    @classmethod
    def read(cls, data: bytes, name: str, config: Any = None) -> Sequence[SignalItem | BadItem]:
        """An alert in a file: JSON, or CAP, EDXL or EMSI when it begins with `<`."""
        digest = _digest(data)
        if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            return read_xml(data)
        try:
            alert = decode(data)
        except Fault as fault:
            return [_bad(fault, data, f"file:{digest.hex()}")]
        signal = to_signal(alert, "", "fr-BE")
        return [SignalItem(signal=signal, key=f"file:{digest.hex()}", original=data, media_type="application/json")]

    # --- one request ---------------------------------------------------------------------------------------

    async def receive(self, request: WebRequest, intake: Intake) -> WebResponse:
        """Checks, records and answers one request."""
        headers, body = request.headers, request.body
        try:
            message_id = verify(self._keys, headers, body, time.time())
        except Unsigned as unsigned:
            return self._refuse(401, "signature", str(unsigned))
        if len(message_id) > _LONGEST_ID or not message_id.isprintable():
            return self._refuse(400, "id", f"webhook-id: at most {_LONGEST_ID} printable characters")
        digest = _digest(body)
        held = self._seen.setdefault(message_id, digest)
        if held != digest:
            fault = Fault("webhook-id", "was used before for other content", "give each message an id of its own")
            return await self._keep(409, fault, request, f"{message_id}:{digest.hex()}:bad", intake)
        first = held is digest  # the very object: it was put there just now, the id was free
        status = 0
        try:
            response = await self._take(request, f"{message_id}:{digest.hex()}", intake)
            status = response.status
        finally:
            if first and status != 202:
                self._seen.pop(message_id, None)  # nothing is durable under it: it is free again
            elif len(self._seen) > _REMEMBERED:
                del self._seen[next(iter(self._seen))]
        return response

    async def _take(self, request: WebRequest, key: str, intake: Intake) -> WebResponse:
        """Reads the body and offers what is in it. `key` names sender's id and content, so that a repetition is
        known as one after a restart too, and what is new is never taken for one."""
        body = request.body
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        items: Sequence[Item]
        try:
            if media_type == "application/json":
                items = [await self._alert(body, key, intake)]
            elif media_type in XML_TYPES or media_type.endswith("+xml"):
                items = await self._xml(body, key, intake)
            else:
                unknown = Fault("content-type", f"{media_type or 'nothing'} is not read here", _TYPES)
                return await self._keep(415, unknown, request, key + ":bad", intake)
        except Fault as fault:
            return await self._keep(400, fault, request, key + ":bad", intake)
        except WorkerLimit as limit:
            heavy = Fault("", f"takes more time or memory to read than is given: {limit}", "send a smaller alert")
            return await self._keep(400, heavy, request, key + ":bad", intake)
        try:
            taken = await intake.offer(items)
        except Unavailable as why:
            return self._unavailable(why)
        first = taken[0]
        if all(isinstance(item, BadItem) for item in items):
            bad = items[0]
            assert isinstance(bad, BadItem)
            return self._refuse(400, "unreadable", bad.reason, bad.place)
        return _accepted(first.fact, first.repeated)

    async def _alert(self, body: bytes, key: str, intake: Intake) -> SignalItem:
        if len(body) > _LARGE:
            found = await intake.in_worker(decode_apart, body, label="alert")
            if isinstance(found, tuple):
                raise Fault(*found)
            alert = found
        else:
            alert = decode(body)
        self._check_sent(alert.sent, intake.now())
        signal = to_signal(alert, self._sender, self._config.language)
        return SignalItem(signal=signal, key=key, original=body, media_type="application/json")

    def _check_sent(self, sent: datetime, now: datetime) -> None:
        if sent.year < 2000 or sent - now > self._ahead_max:
            raise Fault(
                "sent", f"{sent.isoformat()} cannot be: it is {now:%Y-%m-%d %H:%M} UTC here", "set the sender's clock"
            )

    async def _xml(self, body: bytes, key: str, intake: Intake) -> list[Item]:
        """The alerts and messages of a document; each has a key of its own under that of the request."""
        found = await intake.in_worker(read_xml, body, self._config.language, intake.now(), label="CAP")
        items: list[Item] = []
        for number, item in enumerate(found):
            items.append(msgspec.structs.replace(item, key=f"{key}:{number}"))
        if not items:
            raise Fault("", "the document holds no alert", "send one CAP alert, situation report or EMSI message")
        return items

    # --- answers -------------------------------------------------------------------------------------------

    async def _keep(self, status: int, fault: Fault, request: WebRequest, key: str, intake: Intake) -> WebResponse:
        """Refuses, once what was sent is kept as a dead letter."""
        media_type = request.headers.get("content-type", "")[:100]
        try:
            await intake.offer([_bad(fault, request.body, key, media_type)])
        except Unavailable as why:
            return self._unavailable(why)
        return self._refuse(status, _WHY[status], f"{fault.problem}: {fault.remedy}", fault.place)

    def _unavailable(self, why: Unavailable) -> WebResponse:
        _refused.labels(self._name, "unavailable").inc()
        return problem(503, f"nothing can be recorded now ({why}): send it again", {"retry-after": str(_RETRY_AFTER_S)})

    def _refuse(self, status: int, why: str, detail: str, place: str = "") -> WebResponse:
        _refused.labels(self._name, why).inc()
        _log.warning("webhook.refused", source=self._name, status=status, why=why, place=place)
        return problem(status, detail, place=place)


_WHY = {400: "unreadable", 409: "id used again", 415: "media type"}
_TYPES = "application/json (PartnerAlert), application/cap+xml (CAP 1.1, 1.2) or application/xml (EDXL, EMSI)"


def decode_apart(body: bytes) -> PartnerAlert | tuple[str, str, str]:
    """`decode` for a worker process: a fault as its three parts, which travel where an exception might not."""
    try:
        return decode(body)
    except Fault as fault:
        return fault.place, fault.problem, fault.remedy


def read_xml(data: bytes, language: str = "fr-BE", now: datetime | None = None) -> Sequence[SignalItem | BadItem]:
    """What CAP, EDXL and EMSI documents hold (runs in a worker process)."""
    from connectors.edxl.read import parse_exchange, with_original  # in here: lxml is loaded only where XML is read

    return with_original(parse_exchange(data, language, now), data)


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()


def _bad(fault: Fault, body: bytes, key: str, media_type: str = "application/json") -> BadItem:
    reason = f"{fault.problem}: {fault.remedy}"
    return BadItem(reason=reason, place=fault.place, original=body, key=key, media_type=media_type)


def _accepted(fact: str, repeated: bool) -> WebResponse:
    body = b'{"id":"%s","repeated":%s}' % (fact.encode(), b"true" if repeated else b"false")
    return WebResponse(status=202, body=body, media_type="application/json")


_TITLES = {
    400: "Bad alert",
    401: "Not signed by you",
    409: "Id used before",
    415: "Unsupported media type",
    503: "Not available",
}


def problem(status: int, detail: str, headers: dict[str, str] | None = None, place: str = "") -> WebResponse:
    """An error as RFC 9457 describes it; `place` is ours: the field, or line:column."""
    body = {"title": _TITLES[status], "status": status, "detail": detail} | ({"place": place} if place else {})
    encoded = msgspec.json.encode(body)
    return WebResponse(status=status, body=encoded, media_type="application/problem+json", headers=headers or {})


class Accepted(Struct, frozen=True):
    """The alert is durable. `id`: ours for it. `repeated`: it had been accepted before."""

    id: str
    repeated: bool


class Problem(Struct, frozen=True):
    """RFC 9457. `place`: the field (`area.polygons[0][2]`) or line:column in the body."""

    title: str
    status: int
    detail: str
    place: str = ""


def _answer(what: str) -> dict[str, object]:
    return {"description": what, "content": {"application/problem+json": {"schema": Problem}}}


def _header(name: str, what: str) -> dict[str, object]:
    return {"name": name, "in": "header", "required": True, "description": what, "schema": {"type": "string"}}


# A Python type in place of a schema is replaced by a reference to its JSON Schema (hub/web/openapi.py).
OPENAPI: dict[str, object] = {
    "description": "Signed as standardwebhooks.com describes. Send the same webhook-id again until the answer is 202.",
    "parameters": [
        _header("webhook-id", "The message's id: the same for every attempt, never used for another message"),
        _header("webhook-timestamp", "Seconds since 1970, UTC, of this attempt; at most five minutes off"),
        _header("webhook-signature", "v1,<base64 of HMAC-SHA256 over `id.timestamp.body`>; several, space-separated"),
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": PartnerAlert},
            "application/cap+xml": {"schema": {"type": "string", "description": "CAP 1.1 or 1.2"}},
            "application/xml": {
                "schema": {"type": "string", "description": "EDXL-DE 1.0 or 2.0, EDXL-SitRep 1.0, or EMSI"}
            },
        },
    },
    "responses": {
        "202": {"description": "Recorded durably", "content": {"application/json": {"schema": Accepted}}},
        "400": _answer("It cannot be read: `place` and `detail` say where and what would be right; kept here"),
        "401": _answer("Signature missing, wrong or too old"),
        "409": _answer("This webhook-id was used for other content; kept here"),
        "413": _answer("The body is too large"),
        "415": _answer("Neither JSON nor XML; kept here"),
        "503": _answer("Nothing can be recorded now: try again after `Retry-After` seconds"),
    },
}
