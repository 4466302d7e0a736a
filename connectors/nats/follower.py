"""What happens in incidents on NATS subjects: `PREFIX.actual.gas-leak.step.began`, a CloudEvent each.

Into a JetStream stream, whose acknowledgement is awaited one by one, so that each event is there once (the server knows
a repeat by `Nats-Msg-Id`, within the stream's window) and in its order, for whoever reads it, whenever. Without a
stream (`stream: none`) over core NATS: the server has it, and passes it on to those who listen at that moment.

The connection is made when there is something to tell, and again after each failure: nothing is buffered here.
"""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, ClassVar

import nats.errors
import nats.js.errors
from msgspec import Meta, Struct
from nats.aio.client import Client

from connectors.cloudevents import MEDIA_TYPE, encoded
from hub.connector import Environment, Followed
from hub.model.occurrences import IncidentEvent

_SHARE_S = 10.0  # after so long what is taken is answered for, and the rest is handed over again
_NONE = "none"
_SERVER = re.compile(r"(nats|tls|ws|wss)://(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?")
_TOKEN = r"[A-Za-z0-9_-]+"  # noqa: S105 # of a subject


class NatsFollowerConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Example: `servers: tls://nats.example.brussels:4222`, `user: vigie`, `password: NATS_PASSWORD`."""

    servers: Annotated[
        tuple[str, ...],
        Meta(min_length=1, description="The servers, tls:// or nats://", examples=[["tls://nats.example.org:4222"]]),
    ]
    subject: Annotated[str, Meta(pattern=rf"^{_TOKEN}(\.{_TOKEN})*$", description="What every subject begins with")] = (
        "vigie.incident"
    )
    stream: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9_-]+$",
            description="The JetStream stream that keeps them; none: who does not listen at that moment misses them",
        ),
    ] = "VIGIE_INCIDENTS"
    user: Annotated[str, Meta(description="Whom to sign in as; nobody when left out", examples=["vigie"])] = ""
    password: Annotated[str, Meta(description="Name of the secret with the password", examples=["NATS_PASSWORD"])] = ""
    token: Annotated[
        str, Meta(description="Name of the secret with the token, in place of a user", examples=["NATS_TOKEN"])
    ] = ""
    unencrypted: Annotated[bool, Meta(description="nats:// too, in the clear: only inside a network of one's own")] = (
        False
    )
    timeout_s: Annotated[float, Meta(gt=0, le=15, description="How long to wait for the server, seconds")] = 5.0

    def __post_init__(self) -> None:
        for server in self.servers:
            if not _SERVER.fullmatch(server):
                raise ValueError(f"servers: {server!r} is no server: write tls://host:4222, without user or password")
            if not server.startswith(("tls://", "wss://")) and not self.unencrypted:
                raise ValueError(f"servers: {server} goes in the clear: write tls://, or say unencrypted: yes")
        if bool(self.user) != bool(self.password):
            raise ValueError("password: a user and a password go together")
        if self.token and self.user:
            raise ValueError("token: a token stands in place of a user: leave one out")


class NatsFollower:
    """Publishes events."""

    Config: ClassVar[type[Struct]] = NatsFollowerConfig

    def __init__(self, config: NatsFollowerConfig, environment: Environment) -> None:
        self._config = config
        self._environment = environment
        self._password = environment.secret(config.password) if config.password else None
        self._token = environment.secret(config.token) if config.token else None
        self._client: Client | None = None
        self._said = ""  # what the server has complained of since it was asked last

    async def open(self) -> None:
        """It is connected to when there is something to tell."""

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(nats.errors.Error, OSError, TimeoutError):
                await client.close()

    async def follow(self, events: Sequence[IncidentEvent]) -> Followed:
        taken = 0
        try:
            client = await self._connected()
            if self._config.stream == _NONE:
                return await self._spread(client, events)
            ends_s = asyncio.get_running_loop().time() + _SHARE_S
            for event in events:
                if taken and asyncio.get_running_loop().time() >= ends_s:
                    break
                await self._keep(client, event)
                taken += 1
        except (nats.errors.Error, OSError, TimeoutError, ValueError) as error:
            reason = self._explained(error)
            await self.close()
            return Followed(taken=taken, reason=reason)
        return Followed(taken=taken)

    async def _connected(self) -> Client:
        if self._client is not None and self._client.is_connected:
            return self._client
        await self.close()
        self._said = ""
        client = self._client = Client()
        config = self._config
        async with asyncio.timeout(config.timeout_s):
            await client.connect(
                list(config.servers),
                name=f"{self._environment.hub} {self._environment.name}",
                user=config.user or None,
                password=self._password,
                token=self._token,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=max(1, int(config.timeout_s)),
                error_cb=self._heard,
                max_outstanding_pings=2,
                ping_interval=30,
            )
        return client

    async def _heard(self, error: Exception) -> None:
        self._said = str(error) or type(error).__name__

    async def _keep(self, client: Client, event: IncidentEvent) -> None:
        """Into the stream; returns once it has acknowledged it."""
        await client.jetstream().publish(
            self._subject(event),
            encoded(event, self._environment.hub),
            timeout=self._config.timeout_s,
            stream=self._config.stream,
            headers=self._headers(event),
        )

    async def _spread(self, client: Client, events: Sequence[IncidentEvent]) -> Followed:
        """Over core NATS; returns once the server has them all."""
        self._said = ""
        for event in events:
            await client.publish(
                self._subject(event), encoded(event, self._environment.hub), headers=self._headers(event)
            )
        # Twice: the library's ping overtakes what waits to be written; the second one comes behind it.
        for _ in range(2):
            await client.flush(timeout=max(1, int(self._config.timeout_s)))
        if self._said:  # it may have refused any of them (a subject we may not publish to)
            raise nats.errors.Error(self._said)
        return Followed(taken=len(events))

    def _subject(self, event: IncidentEvent) -> str:
        sheet = re.sub(r"[^A-Za-z0-9_-]", "_", event.playbook)
        return f"{self._config.subject}.{event.status.value.lower()}.{sheet}.{event.name}"

    def _headers(self, event: IncidentEvent) -> dict[str, str]:
        return {"Content-Type": MEDIA_TYPE, "Nats-Msg-Id": event.id}

    def _explained(self, error: Exception) -> str:
        """In words that help whoever keeps the server; without what the server calls us."""
        stream, subject = self._config.stream, f"{self._config.subject}.>"
        match error:
            case nats.js.errors.NoStreamResponseError():
                return f"no stream takes {subject}: make {stream} (docs/followers.md), or say stream: none"
            case nats.js.errors.APIError(description=str(why)):
                return f"stream {stream}: {why}"
            case nats.errors.MaxPayloadError():
                return "the event is larger than the server takes: raise its max_payload"
            case nats.errors.NoServersError() | ConnectionError():
                return "no server can be reached"
            case TimeoutError():
                return f"the server did not answer within {self._config.timeout_s:g} s"
        return f"the server: {self._said or str(error) or type(error).__name__}"[:300]
