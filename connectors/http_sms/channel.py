"""SMS through any provider with an HTTP interface, as the configuration describes it."""

import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import ClassVar

import aiohttp
import structlog
from msgspec import Struct
from msgspec.structs import replace

from connectors.http_sms.answer import meaning
from connectors.http_sms.callbacks import Delivery, Unreadable, is_proven, letter_of, our_id, replies_of, reports_of
from connectors.http_sms.config import Auth, HttpSmsConfig, Proof
from connectors.http_sms.template import filled, form_body, json_body
from connectors.number import bad_number
from connectors.unanswered import retry_after_s, unanswered
from hub.connector import (
    Abilities,
    Answer,
    Dead,
    Environment,
    Intake,
    Item,
    Outgoing,
    Route,
    Sent,
    Unavailable,
    WebRequest,
    WebResponse,
)
from hub.model.sms import fit, segments

_log = structlog.get_logger()

_ANSWER_BYTES = 64 * 1024  # of an answer are read; none is longer
_KNOWN = 20_000  # the provider's ids remembered, for reports that do not carry ours

_FORBIDDEN = WebResponse(status=403, body=b"this does not prove that you are the provider: check the secret\n")
_NOT_NOW = WebResponse(status=503, body=b"cannot be recorded now\n", headers={"retry-after": "5"})
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_OPENAPI = {
    "requestBody": {
        "description": "As the provider sends it, and the configuration says where in it things stand.",
        "content": {_JSON: {}, _FORM: {}},
    },
    "responses": {
        "200": {"description": "Recorded"},
        "400": {"description": "The body is neither JSON nor a form: kept as a dead letter"},
        "403": {"description": "Nothing proves that the provider sent it"},
        "503": {"description": "Nothing can be recorded now: send it again"},
    },
}


class HttpSmsChannel:
    """Text messages by a provider's HTTP interface. It is answered, and reports, where the configuration says how."""

    Config: ClassVar[type[Struct]] = HttpSmsConfig
    abilities: Abilities = Abilities(numbers=True, segments=True)

    def __init__(self, config: HttpSmsConfig, environment: Environment) -> None:
        self._config = config
        self._environment = environment
        self._name = environment.name
        self._template = config.template
        self._auth_secret = environment.secret(config.auth_secret) if config.auth_secret else ""
        self._proofs = [environment.secret(name) for name in config.proof_secrets]
        self._session: aiohttp.ClientSession | None = None
        # Requests go out on one loop and callbacks come in on another: what both touch is locked.
        self._lock = threading.Lock()
        self._known: dict[str, Delivery] = {}
        self.abilities = replace(
            type(self).abilities,
            answers=bool(config.reply_id_at) and not any(char.isalpha() for char in config.sender),
            longest=config.longest,
            idempotent=config.idempotent,
            receipts=bool(config.report_id_at),
        )

    async def open(self, intake: Intake) -> None:
        timeout_s = self._config.timeout_s
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._config.connections),
            timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=timeout_s / 3),
            headers={"User-Agent": self._environment.user_agent, **self._authorization()},
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def check(self, address: str) -> str:
        if wrong := bad_number(address):
            return wrong
        if not self._serves(address):
            served = ", ".join(self._config.prefixes)
            return f"{address} is not served by this provider: numbers that begin with {served}, or another channel"
        return ""

    async def send(self, outgoing: Outgoing) -> Answer:
        assert self._session is not None, "open() comes before everything else"
        config = self._config
        if bad_number(outgoing.to):
            return Dead(reason="no number that can be written to", bad_address=True)
        if not self._serves(outgoing.to):
            return Dead(reason="a number this provider does not serve", elsewhere=True)
        values = self._values(outgoing)
        body, headers = self._body(values), filled(config.headers, values)
        if body is not None:
            headers["Content-Type"] = _FORM if config.form else _JSON
        try:
            async with self._session.request(
                config.method,
                config.url,
                params=filled(config.query, values) or None,
                data=body,
                headers=headers,
                allow_redirects=False,  # numbers and secrets go where the configuration says, and nowhere else
            ) as response:
                said = await _beginning(response)
                answer = meaning(config, response.status, said, retry_after_s(response.headers.get("Retry-After")))
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            lost = unanswered(error, "the provider")
            if lost is None:
                raise
            return lost
        if isinstance(answer, Sent) and answer.ref:
            self._remember(answer.ref, (outgoing.order, outgoing.index))
        return answer

    async def settle(self, outgoing: Outgoing) -> Answer | None:
        """There is no common way to ask."""
        return None

    async def recall(self, outgoing: Outgoing, ref: str) -> None:
        """An SMS cannot be taken back."""

    def routes(self, intake: Intake) -> Sequence[Route]:
        async def report(request: WebRequest) -> WebResponse:
            return await self._report(request, intake)

        async def reply(request: WebRequest) -> WebResponse:
            return await self._reply(request, intake)

        told = [
            ("/report", report, "SMS provider: delivery reports", self._config.report_id_at),
            ("/reply", reply, "SMS provider: replies", self._config.reply_id_at),
        ]
        # A GET has no body, so nothing that could be signed.
        methods = ("POST",) if self._config.proof is Proof.HMAC else ("POST", "GET")
        return [
            Route(method=method, path=path, handler=handler, summary=summary, max_bytes=1 << 18, openapi=_OPENAPI)
            for path, handler, summary, wanted in told
            for method in methods
            if wanted
        ]

    # --- what goes out -------------------------------------------------------------------------------------

    def _serves(self, number: str) -> bool:
        return not self._config.prefixes or number.startswith(self._config.prefixes)

    def _authorization(self) -> dict[str, str]:
        config, secret = self._config, self._auth_secret
        match config.auth:
            case Auth.BEARER:
                return {"Authorization": f"Bearer {secret}"}
            case Auth.BASIC:
                return {"Authorization": aiohttp.encode_basic_auth(config.auth_name, secret, encoding="utf-8")}
            case Auth.HEADER:
                return {config.auth_name: secret}
        return {}

    def _values(self, outgoing: Outgoing) -> Mapping[str, str]:
        text, encoding = _cut(outgoing.text, self._config.parts_max)
        return {
            "to": outgoing.to,
            "digits": outgoing.to.removeprefix("+"),
            "text": text,
            "from": self._config.sender,
            "id": our_id(outgoing.order, outgoing.index),
            "encoding": self._config.encodings.get(encoding, ""),
        }

    def _body(self, values: Mapping[str, str]) -> bytes | None:
        if self._template is not None:
            return json_body(self._template, values)
        return form_body(self._config.form, values) if self._config.form else None

    def _remember(self, ref: str, delivery: Delivery) -> None:
        with self._lock:
            if len(self._known) >= _KNOWN:
                del self._known[next(iter(self._known))]
            self._known[ref] = delivery

    def _known_as(self, ref: str) -> Delivery | None:
        with self._lock:
            return self._known.get(ref)

    # --- what the provider says ----------------------------------------------------------------------------

    async def _report(self, request: WebRequest, intake: Intake) -> WebResponse:
        if not is_proven(self._config, self._proofs, request):
            return self._forbid(request)
        try:
            items: Sequence[Item] = reports_of(self._config, request, self._known_as)
        except Unreadable as error:
            return await self._unreadable(request, error, intake)
        return await self._record(items, intake)

    async def _reply(self, request: WebRequest, intake: Intake) -> WebResponse:
        if not is_proven(self._config, self._proofs, request):
            return self._forbid(request)
        try:
            items: Sequence[Item] = replies_of(self._config, request, self._name)
        except Unreadable as error:
            return await self._unreadable(request, error, intake)
        return await self._record(items, intake)

    def _forbid(self, request: WebRequest) -> WebResponse:
        _log.warning("http_sms.not_proven", channel=self._name, path=request.path)
        return _FORBIDDEN

    async def _unreadable(self, request: WebRequest, error: Unreadable, intake: Intake) -> WebResponse:
        """Kept as a dead letter; the provider hears what would be right."""
        kept = await self._record([letter_of(self._config, request, error)], intake)
        return WebResponse(status=400, body=f"{error}\n".encode()) if kept.status == 200 else kept

    async def _record(self, items: Sequence[Item], intake: Intake) -> WebResponse:
        """Answered only once all are durable."""
        try:
            if items:
                await intake.offer(items)
        except Unavailable as why:
            _log.error("http_sms.not_recorded", channel=self._name, why=str(why))
            return _NOT_NOW
        return WebResponse(body=self._config.thanks.encode())


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(8192):
        body += chunk
        if len(body) >= _ANSWER_BYTES:
            break
    return bytes(body)


@lru_cache(256)  # a message to thousands is one text
def _cut(text: str, parts: int) -> tuple[str, str]:
    """The text that is sent, and its encoding (3GPP TS 23.038)."""
    text = fit(text, parts)
    return text, segments(text).encoding.value
