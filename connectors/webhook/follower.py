"""What happens in incidents, pushed to another system: a CloudEvent each, signed as Standard Webhooks asks.

One at a time and in order: the next goes out when the other side has answered 2xx for the last. A repeat has the
`webhook-id` it had before. Whoever receives them reads docs/followers.md.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Annotated, ClassVar

import aiohttp
from msgspec import Meta, Struct

from connectors.cloudevents import MEDIA_TYPE, encoded
from connectors.unanswered import retry_after_s, unanswered
from connectors.webhook.address import fault
from connectors.webhook.signature import key_of, sign
from hub.connector import Environment, Followed
from hub.model.occurrences import IncidentEvent

_SHARE_S = 10.0  # after so long what is taken is answered for, and the rest is handed over again


class WebhookFollowerConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Example: `url: https://crisis.example.brussels/vigie`, `secrets: [CRISIS_DESK]`."""

    url: Annotated[
        str, Meta(min_length=1, description="Where events are posted", examples=["https://desk.example.org/vigie"])
    ]
    secrets: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            description="Names of the secrets to sign with; two while one is replaced",
            examples=["CRISIS_DESK"],
        ),
    ]
    timeout_s: Annotated[float, Meta(gt=0, le=15, description="How long to wait for an answer, seconds")] = 10.0
    unencrypted: Annotated[bool, Meta(description="Post to http:// too: only inside a network of one's own")] = False

    def __post_init__(self) -> None:
        if problem := fault(self.url, self.unencrypted):
            raise ValueError(f"url: {problem}")


class WebhookFollower:
    """Posts events to one address."""

    Config: ClassVar[type[Struct]] = WebhookFollowerConfig

    def __init__(self, config: WebhookFollowerConfig, environment: Environment) -> None:
        self._config = config
        self._environment = environment
        self._keys = [key_of(environment.secret(name), name) for name in config.secrets]
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        timeout_s = self._config.timeout_s
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=1),
            timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=timeout_s / 2),
            headers={"User-Agent": self._environment.user_agent, "Content-Type": f"{MEDIA_TYPE}; charset=utf-8"},
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def follow(self, events: Sequence[IncidentEvent]) -> Followed:
        ends_s = asyncio.get_running_loop().time() + _SHARE_S
        for taken, event in enumerate(events):
            if taken and asyncio.get_running_loop().time() >= ends_s:
                return Followed(taken=taken)
            refused = await self._post(event)
            if refused is not None:
                return Followed(taken=taken, reason=refused.reason, after_s=refused.after_s)
        return Followed(taken=len(events))

    async def _post(self, event: IncidentEvent) -> Followed | None:
        """None where it was taken."""
        assert self._session is not None, "open() comes before everything else"
        body = encoded(event, self._environment.hub)
        seconds = int(time.time())  # real time: it is signed
        headers = {
            "webhook-id": event.id,
            "webhook-timestamp": str(seconds),
            "webhook-signature": " ".join(sign(key, event.id, seconds, body) for key in self._keys),
        }
        posted = self._session.post(self._config.url, data=body, headers=headers, allow_redirects=False)
        try:
            async with posted as response:
                status, after = response.status, response.headers.get("Retry-After")
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            answer = unanswered(error, "the receiver")
            if answer is None:
                raise
            return Followed(taken=0, reason=answer.reason)
        if 200 <= status < 300:
            return None
        moved = ": it has moved: correct the address" if 300 <= status < 400 else ""
        return Followed(taken=0, reason=f"the receiver answered {status}{moved}", after_s=retry_after_s(after))
