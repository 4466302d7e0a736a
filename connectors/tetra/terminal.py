"""One radio terminal, shared by the source and the channels that name its address.

A serial line has one reader. Source and channels run on loops of their own, so that the line has a thread and a loop
of its own, too: the first to attach starts it, the last to detach ends it. A message is handed to all who listen, and
only when they have returned (it is durable) is anything told back to its sender.
"""

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import serial_asyncio_fast
import structlog
from msgspec import Struct

from connectors.again import Again
from connectors.http import is_public, system_lookup
from connectors.tetra import sds
from connectors.tetra.gathering import Gathering, Message
from connectors.tetra.pei import LINE_MAX, TYPE4, Reader, Received, Unread, error_of, registration

_log = structlog.get_logger()
T = TypeVar("T")

ANSWER_S = 10.0  # a terminal answers sooner, also when it asks the network
LOOK_S = 60.0  # how often it is asked whether it is there, and set up anew
PARTS_S = 5.0  # how often one looks for long texts whose parts do not come
PROFILES = ("1,3,130", "1,3,137", "1,3,138", "1,3,2", "1,3,9", "1,2,20")
FROM_NOTHING = ("ATZ", "AT+CTOM=0")  # on a line that was opened; a terminal at work is not interrupted by it
SETUP = ("ATE0", *(f"AT+CTSP={profile}" for profile in PROFILES), "AT+CREG=1")
OPTIONAL = frozenset({"ATZ", "AT+CTOM=0", "AT+CTSP=1,3,137", "AT+CTSP=1,3,138", "AT+CTSP=1,3,9", "AT+CREG=1"})


class NotNow(Exception):
    """There is no terminal to hand anything to: nothing was sent."""


class Refusal(Exception):
    """The terminal has said no to a command: nothing was sent."""


class Unsure(Exception):
    """The line was lost while a command was under way: it may have been carried out."""


class Listener(Protocol):
    """Who is told what the terminal receives. Each runs on the loop it attached from."""

    async def take(self, message: Message) -> bool:
        """Whether it was for this one; returns when it is durable. Raises Unavailable."""
        ...

    async def untaken(self, message: Message | Unread) -> bool:
        """Nobody has taken it, or it cannot be read: whether it is kept here."""
        ...

    async def standing(self, reason: str) -> None:
        """The terminal works (""), or why not."""
        ...


class Address(Struct, frozen=True):
    """Where the terminal is: a serial device with its speed, or a host and port."""

    place: str
    baud: int
    internal: bool


_terminals: dict[str, "Terminal"] = {}
_lock = threading.Lock()


def attach(address: Address, listener: Listener) -> "Terminal":
    """From the listener's loop. Raises ValueError where another has named the same terminal with another speed."""
    with _lock:
        terminal = _terminals.get(address.place)
        if terminal is None:
            terminal = _terminals[address.place] = Terminal(address)
        elif terminal.address.baud != address.baud:
            raise ValueError(f"baud: another connector has this terminal at {terminal.address.baud}: write the same")
        terminal.listeners[listener] = asyncio.get_running_loop()
    terminal.tell_standing(listener)
    return terminal


async def detach(terminal: "Terminal", listener: Listener) -> None:
    with _lock:
        terminal.listeners.pop(listener, None)
        if terminal.listeners:
            return
        _terminals.pop(terminal.address.place, None)
    await asyncio.to_thread(terminal.stop)


class Terminal:
    """The line, kept open. Made by `attach` only."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.listeners: dict[Listener, asyncio.AbstractEventLoop] = {}
        self._loop = asyncio.new_event_loop()
        self._standing = "the terminal has not answered yet"
        self._line: _Line | None = None
        self._tried = asyncio.Event()
        self._wanted = asyncio.Event()
        self._turn = asyncio.Lock()
        self._ref = random.SystemRandom().randrange(1, 256)  # so that one restarted does not repeat the last ones
        self._gathering = Gathering()
        self._main: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._serve, name="tetra", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(lambda: self._main and self._main.cancel())
        self._thread.join(5.0)

    def tell_standing(self, listener: Listener) -> None:
        self._loop.call_soon_threadsafe(
            lambda: self._loop.create_task(self._on(listener, listener.standing(self._standing)))
        )

    async def send(self, to: str, messages: list[bytes], service: int = TYPE4) -> None:
        """From any loop. Raises NotNow, Refusal, Unsure. Cancelled while under way, the line is opened anew."""
        await self._there(self._send(to, messages, service))

    async def refs(self, count: int) -> int:
        """The first of as many references of messages."""

        async def take() -> int:
            ref, self._ref = self._ref, sds.next_ref(self._ref, count)
            return ref

        return await self._there(take())

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    # --- on the thread of its own ----------------------------------------------------------------------------

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._main = self._loop.create_task(self._keep_open())
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._main)
        rest = asyncio.all_tasks(self._loop)
        for task in rest:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
        self._loop.close()

    async def _keep_open(self) -> None:
        again = Again(random.SystemRandom())
        while True:
            began = self._loop.time()
            reason = "the terminal has closed the line"
            line: _Line | None = None
            self._wanted.clear()
            try:
                line = _Line(*await self._open(), self._handle)
                async with asyncio.timeout(ANSWER_S * 3):
                    await line.set_up((*FROM_NOTHING, *SETUP))
                self._line = line
                await self._tell("")
                self._tried.set()
                while not line.ended.done():
                    await asyncio.wait([line.ended], timeout=LOOK_S)
                    if not line.ended.done():  # one that was switched off and on has forgotten its settings
                        async with self._turn, asyncio.timeout(ANSWER_S * 3):
                            await line.set_up(SETUP)
            except (OSError, TimeoutError, Refusal, Unsure) as error:
                reason = str(error) or "the terminal does not answer"
            finally:
                self._line = None
                if line is not None:
                    await line.closed()
            _log.warning("tetra.lost", terminal=self.address.place, reason=reason)
            self._tried.set()
            await self._tell(reason)
            with suppress(TimeoutError):
                async with asyncio.timeout(again.wait_s(self._loop.time() - began)):
                    await self._wanted.wait()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        place = self.address.place
        if not place.startswith("tcp://"):
            opened: tuple[asyncio.StreamReader, asyncio.StreamWriter]
            opened = await serial_asyncio_fast.open_serial_connection(
                url=place, baudrate=self.address.baud, limit=LINE_MAX, exclusive=True
            )
            return opened
        host, _, port = place.removeprefix("tcp://").rpartition(":")
        addresses = await system_lookup(host.strip("[]"), int(port))
        if not self.address.internal and (inside := [a for a in addresses if not is_public(a)]):
            raise OSError(f"{host} is the internal address {inside[0]}: say internal: yes if that is meant")
        async with asyncio.timeout(ANSWER_S):
            return await asyncio.open_connection(addresses[0], int(port), limit=LINE_MAX)

    async def _send(self, to: str, messages: list[bytes], service: int) -> None:
        async with self._turn:
            line = await self._ready()
            for nth, message in enumerate(messages):
                try:
                    async with asyncio.timeout(ANSWER_S):
                        await line.message(to, message, service)
                except Refusal as error:
                    if nth:
                        raise Unsure(f"{error}, after {nth} of {len(messages)} parts") from error
                    raise
                except (TimeoutError, OSError) as error:
                    line.close()
                    raise Unsure("the terminal did not answer") from error
                except asyncio.CancelledError:
                    line.close()  # it would take what comes next for the rest of the message
                    raise

    async def _ready(self) -> "_Line":
        """The line, opened now where it is not. Raises NotNow."""
        if self._line is not None and not self._line.ended.done():
            return self._line
        self._tried.clear()
        self._wanted.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                await self._tried.wait()
        if self._line is None:
            raise NotNow(self._standing or "the terminal does not answer")
        return self._line

    async def _handle(self, told: Received | Unread | str | None) -> None:
        """`told`: None when nothing has come for a while."""
        if isinstance(told, str):
            reason = registration(told)
            if reason is not None:
                await self._tell(reason)
            return
        for late in self._gathering.overdue(self._loop.time()):
            await self._hand_on(late)
        if told is None:
            return
        whole = self._gathering.add(told, self._loop.time()) if isinstance(told, Received) else told
        if whole is not None:
            await self._hand_on(whole)

    async def _hand_on(self, told: Message | Unread) -> None:
        with _lock:
            listeners = list(self.listeners)
        try:
            kept = False
            if isinstance(told, Message):
                kept = any([await self._on(one, one.take(told)) for one in listeners])
            for one in [] if kept else listeners:
                kept = bool(await self._on(one, one.untaken(told))) or kept
        except Exception as error:  # unrecorded: its sender hears nothing back, and tries again
            _log.error("tetra.not_recorded", error=type(error).__name__)
            return
        if kept and isinstance(told, Message):
            for part in told.received:
                await self._confirm(part)

    async def _confirm(self, message: Received) -> None:
        """Tells the sender that it has arrived, where it wants to hear that."""
        if message.service != TYPE4 or not message.caller:
            return
        found = sds.read(message.data)
        answer = b""
        if isinstance(found, sds.Text) and found.ref is not None and found.reports & 1:
            answer = sds.report(found)
        elif isinstance(found, sds.Report) and found.wants_ack:
            answer = sds.acknowledgement(found)
        if answer:
            with suppress(NotNow, Refusal, Unsure):
                await self._send(message.caller, [answer], TYPE4)

    async def _tell(self, reason: str) -> None:
        self._standing = reason
        with _lock:
            listeners = list(self.listeners)
        for one in listeners:
            with suppress(Exception):
                await self._on(one, one.standing(reason))

    async def _on(self, listener: Listener, work: Coroutine[Any, Any, T]) -> T | None:
        loop = self.listeners.get(listener)
        if loop is None or loop.is_closed():
            work.close()
            return None
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))


class _Line:
    """The AT dialogue on one open line. `ended` is done when it is lost."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handle: Callable[[Received | Unread | str | None], Awaitable[None]],
    ) -> None:
        self._reader, self._writer = reader, writer
        self._handle = handle
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._answer: asyncio.Future[str] | None = None
        self._service = 0
        self._told: asyncio.Queue[Received | Unread | str] = asyncio.Queue(1000)
        self._tasks = [self._loop.create_task(self._listen()), self._loop.create_task(self._work())]

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._end()
        self._writer.transport.abort()  # what a hung terminal does not take is not waited for

    async def closed(self) -> None:
        """Closes it, and returns when the device is free."""
        self.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._writer.wait_closed()

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Unsure("the line was lost before the terminal answered"))

    async def set_up(self, commands: tuple[str, ...]) -> None:
        """Raises Refusal where the terminal will not give us its messages."""
        self._service = 0
        self._writer.write(b"\x1b\r\n")  # whatever was being written on the line before
        for command in commands:
            try:
                async with asyncio.timeout(ANSWER_S):
                    await self.command(command)
            except Refusal as error:
                if command not in OPTIONAL:
                    raise Refusal(f"{command}: {error}") from error

    async def message(self, to: str, message: bytes, service: int) -> None:
        if self._service != service:
            self._service = 0  # whatever a refusal leaves there
            await self.command(f"AT+CTSDS={service},0")
            self._service = service
        text = message.hex().upper()
        await self.command(f"AT+CMGS={to},{len(message) * 8}", text.encode() + b"\x1a")

    async def command(self, command: str, more: bytes = b"") -> None:
        """Until OK. Raises Refusal, Unsure."""
        self._answer = self._loop.create_future()
        try:
            self._writer.write(command.encode() + b"\r\n" + more)
            await self._writer.drain()
            refused = error_of(await self._answer)
        finally:
            self._answer = None
        if refused:
            raise Refusal(refused)

    async def _listen(self) -> None:
        reader = Reader()
        try:
            while raw := await self._line():
                line = raw.decode("ascii", "replace").strip("\r\n\0 >")
                for told in reader.feed(line) if line else ():
                    await self._sort(told)
        except OSError:
            pass
        finally:
            self._end()

    async def _line(self) -> bytes:
        """b"" when the line has ended; what is too long for a line is dropped."""
        while True:
            try:
                return await self._reader.readline()
            except ValueError:
                _log.warning("tetra.garbage")

    async def _sort(self, told: Received | Unread | str) -> None:
        if isinstance(told, str) and (told == "OK" or error_of(told)):
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(told)
            return
        await self._told.put(told)

    async def _work(self) -> None:
        """Apart from reading: what is told back is a command that waits for its own OK."""
        while True:
            told = None
            with suppress(TimeoutError):
                async with asyncio.timeout(PARTS_S):
                    told = await self._told.get()
            await self._handle(told)
