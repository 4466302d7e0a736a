"""Messages pushed to a partner's system: a CloudEvent in JSON, signed as Standard Webhooks asks.

The delivery is the message id, the same for every attempt, so a receiver that keeps ids sees each message once.
"""

import time
from collections.abc import Sequence
from typing import Annotated, ClassVar

import aiohttp
import msgspec
from msgspec import Meta, Struct

from connectors.unanswered import retry_after_s, unanswered
from connectors.webhook.address import fault
from connectors.webhook.signature import key_of, sign
from hub.connector import Abilities, Answer, AskDetails, Dead, Environment, Intake, Outgoing, Retry, Route, Sent
from hub.model.people import Language
from hub.model.signal import Status

_TYPE = "vigie.message.v1"
_MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"
_AGAIN = frozenset({408, 425, 429})
_GONE = frozenset({404, 410})


class WebhookChannelConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Example: `secrets: [PARTNERS_WEBHOOK]`."""

    secrets: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            description="Names of the secrets to sign with; two while one is replaced",
            examples=["SIAMU_WEBHOOK"],
        ),
    ]
    connections: Annotated[int, Meta(ge=1, description="Requests under way at the same time")] = 50
    timeout_s: Annotated[float, Meta(gt=0, description="How long to wait for an answer, seconds")] = 15.0
    unencrypted: Annotated[bool, Meta(description="Post to http:// too: only inside a network of one's own")] = False


class NoticeData(Struct, frozen=True, kw_only=True):
    """The message. `repeat`: an earlier attempt may have arrived under another id. `ask`: an answer is wanted, with
    this code, within so many seconds (by another channel: this one takes none)."""

    language: Language
    status: Status
    subject: str
    text: str
    repeat: bool = False
    ask: AskDetails | None = None


class Notice(Struct, frozen=True, kw_only=True):
    """What is posted: CloudEvents 1.0, structured mode. `id` is also the `webhook-id` header."""

    id: str
    source: str
    data: NoticeData
    type: str = _TYPE
    specversion: str = "1.0"
    datacontenttype: str = "application/json"


class WebhookChannel:
    """Posts messages to the address of the person or partner."""

    Config: ClassVar[type[Struct]] = WebhookChannelConfig
    abilities: ClassVar[Abilities] = Abilities(idempotent=True, shared=False)

    def __init__(self, config: WebhookChannelConfig, environment: Environment) -> None:
        self._config = config
        self._environment = environment
        self._keys = [key_of(environment.secret(name), name) for name in config.secrets]
        self._session: aiohttp.ClientSession | None = None

    async def open(self, intake: Intake) -> None:
        timeout_s = self._config.timeout_s
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._config.connections),
            timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=timeout_s / 3),
            headers={"User-Agent": self._environment.user_agent, "Content-Type": _MEDIA_TYPE},
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def check(self, address: str) -> str:
        return fault(address, self._config.unencrypted or self._environment.allow_internal)

    async def send(self, outgoing: Outgoing) -> Answer:
        assert self._session is not None, "open() comes before everything else"
        if self.check(outgoing.to):
            return Dead(reason="not an address that can be posted to", bad_address=True)
        message_id = f"{outgoing.order}/{outgoing.index}"
        body = self._notice(message_id, outgoing)
        seconds = int(time.time())
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(seconds),
            "webhook-signature": " ".join(sign(key, message_id, seconds, body) for key in self._keys),
        }
        try:
            async with self._session.post(outgoing.to, data=body, headers=headers, allow_redirects=False) as response:
                return _meaning(response.status, response.headers.get("Retry-After"))
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            answer = unanswered(error, "the receiver")
            if answer is None:
                raise
            return answer

    def _notice(self, message_id: str, outgoing: Outgoing) -> bytes:
        notice = Notice(
            id=message_id,
            source=f"vigie/{self._environment.name}",
            data=NoticeData(
                language=outgoing.language,
                status=outgoing.status,
                subject=outgoing.subject,
                text=outgoing.text,
                repeat=outgoing.repeat,
                ask=outgoing.ask,
            ),
        )
        return msgspec.json.encode(notice)

    async def settle(self, outgoing: Outgoing) -> Answer | None:
        """A receiver cannot be asked; it knows a repetition by its id."""
        return None

    async def recall(self, outgoing: Outgoing, ref: str) -> None:
        """What was posted cannot be taken back."""

    def routes(self, intake: Intake) -> Sequence[Route]:
        return []


def _meaning(status: int, retry_after: str | None) -> Answer:
    reason = f"the receiver answered {status}"
    if 200 <= status < 300:
        return Sent(final=True)
    if status in _AGAIN or status >= 500:
        return Retry(reason=reason, after_s=retry_after_s(retry_after))
    if 300 <= status < 400:
        return Dead(reason=f"{reason}: it has moved: correct the address", bad_address=True)
    return Dead(reason=reason, bad_address=status in _GONE)
