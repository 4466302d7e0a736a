"""What messages and calls share: the clock, the way to the hub, word of every change."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, TypeVar

from .clock import Clock
from .faults import Dice
from .resources import rfc2822
from .webhooks import WebhookError, Webhooks

T = TypeVar("T")


class Exchange:
    """The telephone exchange behind the API."""

    def __init__(self, account: str, clock: Clock, webhooks: Webhooks, dice: Dice, now: Callable[[], datetime]) -> None:
        self.account, self.clock, self.webhooks, self.dice, self.now = account, clock, webhooks, dice, now
        self.watchers: list[Callable[[str], None]] = []
        """Called with a phone's number whenever something on it changed."""
        self.problems: list[str] = []
        """What the hub's webhooks did wrong, in order: Twilio's debugger, as it were."""
        self._tasks: set[asyncio.Task[None]] = set()

    def changed(self, number: str) -> None:
        for watcher in self.watchers:
            watcher(number)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` beside everything else; it ends with the exchange."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A fault of the simulator itself, which must not hide in a task nobody awaits.
            asyncio.get_running_loop().call_exception_handler(
                {"message": "phone simulator: a task broke", "exception": error, "task": task}
            )

    async def stop(self) -> None:
        while self._tasks:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class CallbackLine:
    """The status callbacks of one message or call, one after another, with the faults they meet.

    Putting one on the line never holds up what it reports on. `out_of_order`: the last one comes first (Twilio promises
    no order: twilio.com/docs/messaging/guides/track-outbound-message-status; calls therefore carry a SequenceNumber).
    """

    def __init__(
        self,
        exchange: Exchange,
        url: str | None,
        method: str,
        status_fields: tuple[str, ...],
        *,
        out_of_order: bool = False,
    ) -> None:
        self._exchange, self._url, self._method = exchange, url, method
        self._status_fields, self._out_of_order = status_fields, out_of_order
        self._waiting: list[dict[str, str]] = []
        self._held: list[dict[str, str]] = []
        self._working = False

    def put(self, form: dict[str, str], last: bool = False) -> None:
        """Report `form`; `last` also lets out whatever a fault held back."""
        if self._url is None:
            return
        dice = self._exchange.dice
        if dice.callback("callback_unknown"):
            self._waiting.append(form | dict.fromkeys(self._status_fields, "simulated-unknown"))
        if not dice.callback("callback_lost"):
            copies = [form] * (2 if dice.callback("callback_twice") else 1)
            if not last and (self._out_of_order or dice.callback("callback_held")):
                self._held += copies
                copies = []
            self._waiting += copies
            if copies or last:
                self._waiting += self._held
                self._held = []
        elif last:
            self._waiting += self._held
            self._held = []
        if self._waiting and not self._working:
            self._working = True
            self._exchange.spawn(self._work(self._url))

    async def _work(self, url: str) -> None:
        try:
            while self._waiting:
                form = self._waiting.pop(0)
                try:
                    await self._exchange.webhooks.send(url, form, self._method)
                except WebhookError as error:  # Twilio reports it in its debugger and goes on
                    self._exchange.problems.append(str(error))
        finally:
            self._working = False


def timestamp(now: datetime) -> str:
    """The Timestamp field of a callback."""
    return rfc2822(now) or ""


async def first(*works: Coroutine[Any, Any, T]) -> T:
    """The result of whichever is done first (the earlier named of two); the others are cancelled."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task.result() for task in tasks if task.done())
    finally:
        for task in tasks:
            await cancel(task)


async def cancel(task: "asyncio.Future[Any]") -> None:
    """Cancel it and wait until it has ended."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
