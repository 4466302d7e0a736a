"""The phone simulator as a whole: one server with the REST API and the page of phones."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from .api import RestApi
from .behaviour import Person
from .clock import Clock, PacedClock
from .control import Control
from .exchange import Exchange
from .faults import Dice, Faults
from .network import SERVICE_NUMBER, Network
from .page import Page
from .resources import Call, Message
from .webhooks import Webhooks

SHUTDOWN_S = 0.2


class Phones:
    """Twilio's stand-in on a loopback port, and the phones it reaches.

    account, token: what the hub authenticates with; the token also signs every webhook.
    inbound: where an SMS from a phone is posted. service_number: the hub's, which a Messaging Service sends from and to
    which an owner writes whom nobody has written to. clock: PacedClock(0.01) for a hundredfold speed,
    ManualClock() for tests. now: UTC for the resources' dates. banner: a line on top of the page.
    on_duty: the numbers of those who are on duty now, for the page to show.

    Use as `async with Phones(...) as phones`. What its phones do and hold is in `network`.
    """

    def __init__(
        self,
        account: str,
        token: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        people: Iterable[Person] = (),
        inbound: str | None = None,
        inbound_by_number: dict[str, str] | None = None,
        service_number: str = SERVICE_NUMBER,
        clock: Clock | None = None,
        faults: Faults | None = None,
        now: Callable[[], datetime] | None = None,
        banner: str = "",
        on_duty: Callable[[], Collection[str]] | None = None,
        max_rate: float | None = None,
        webhook_timeout_s: float = 15.0,
    ) -> None:
        self.host, self.port = host, port
        self.webhooks = Webhooks(token, webhook_timeout_s)
        self.dice = Dice(faults or Faults())
        self.exchange = Exchange(
            account, clock or PacedClock(), self.webhooks, self.dice, now or (lambda: datetime.now(UTC))
        )
        self.network = Network(self.exchange, people, inbound, inbound_by_number, service_number)
        self._api = RestApi(self.network, account, token, max_rate)
        self._page = Page(self.network, banner, on_duty)
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._waiting: set[asyncio.Future[None]] = set()
        self.exchange.watchers.append(self._wake)
        self.webhooks.watchers.append(self._wake)
        self._api.watchers.append(self._wake)

    async def __aenter__(self) -> "Phones":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; `port` 0 takes a free one."""
        await self.webhooks.start()
        app = web.Application()
        app.add_routes(self._api.routes())
        app.add_routes(self._page.routes())
        app.add_routes(Control(self).routes())
        # handler_cancellation: a request that hangs (a fault) or listens to events ends with its client.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_S)
        await self._runner.setup()
        await self.up()

    async def stop(self) -> None:
        """Hang up on everybody and close."""
        await self.exchange.stop()
        if self._runner is not None:
            await self._runner.cleanup()
        await self.webhooks.stop()

    async def up(self) -> None:
        """Accept connections again."""
        if self._runner is not None and self._site is None:
            self._site = web.TCPSite(self._runner, self.host, self.port, backlog=4096, reuse_address=True)
            await self._site.start()
            self.port = self._runner.addresses[0][1]

    async def down(self) -> None:
        """Refuse connections and drop those that are open; messages and calls under way go on."""
        if self._runner is not None and self._site is not None:
            await self._site.stop()
            self._site = None
            for connection in self._runner.server.connections if self._runner.server else ():
                connection.force_close()

    @property
    def base_url(self) -> str:
        """What to put in place of https://api.twilio.com."""
        return f"http://{self.host}:{self.port}"

    @property
    def messages(self) -> list[Message]:
        """Every SMS, in and out, in order."""
        return list(self.network.messages.values())

    @property
    def calls(self) -> list[Call]:
        """Every call, in order."""
        return list(self.network.calls.values())

    def script(self, number: str, **changes: Any) -> None:
        """Change what a phone does by itself: fields of Behaviour. Raises BehaviourError."""
        self.network.script(number, **changes)

    def set_faults(self, faults: Faults) -> None:
        """Put other faults in force, their random starting anew; counts start at nothing."""
        self.dice = self.exchange.dice = Dice(faults)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return as soon as `condition` holds; it is looked at after every change, request and webhook."""
        while not condition():
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.add(waiting)
            try:
                await waiting
            finally:
                self._waiting.discard(waiting)

    def _wake(self, *_: str) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
