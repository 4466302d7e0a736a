"""A stand-in for a radio terminal, on a TCP line or behind a pseudo terminal: it speaks the AT dialect of recorded
exchanges (ETSI EN 300 392-5)."""

import asyncio
import os
import re
import tty
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from connectors.tetra import sds
from connectors.tetra.channel import TetraChannel
from connectors.tetra.config import TetraChannelConfig
from connectors.tetra.gathering import Gathering, Message
from connectors.tetra.pei import TYPE4, Received
from tests.contracts.channel import Arrival, Provider
from tests.contracts.intake import MemoryIntake, environment

ANNE, HUB, GROUP = "1234567", "2345678", "4000001"


class Radio:
    """The terminal. `sent`: what was handed to it, as (to, service, message). `noise`: lines said between a command and
    its answer."""

    def __init__(self) -> None:
        self.provider = Provider.WORKING
        self.sent: list[tuple[str, int, bytes]] = []
        self.commands: list[str] = []
        self.noise: list[str] = []
        self.refused: dict[str, str] = {}
        self.changed = asyncio.Condition()
        self._service = 0
        self._to = ""
        self._rest = b""
        self._write: Callable[[bytes], object] = lambda _: None

    def connected(self, write: Callable[[bytes], object]) -> None:
        self._write, self._rest, self._to = write, b"", ""

    def say(self, *lines: str) -> None:
        self._write("".join(f"\r\n{line}\r\n" for line in lines).encode())

    def receives(self, message: bytes, service: int = 12, caller: str = ANNE, called: str = HUB) -> None:
        self.say(f"+CTSDSR: {service},{caller},0,{called},0,{len(message) * 8}\r\n{message.hex().upper()}")

    async def until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(met)

    async def feed(self, data: bytes) -> None:
        self._rest = (self._rest + data).replace(b"\x1b", b"")
        while found := re.search(rb"\x1a" if self._to else rb"\r\n?", self._rest):
            piece, self._rest = self._rest[: found.start()].strip(), self._rest[found.end() :]
            if piece:
                await self._does(piece.decode("ascii"))
            async with self.changed:
                self.changed.notify_all()

    async def _does(self, piece: str) -> None:
        if self._to:
            to, self._to = self._to, ""
            self._message(to, bytes.fromhex(piece))
            return
        self.commands.append(piece)
        if found := re.fullmatch(r"AT\+CMGS=(\d+),(\d+)", piece):
            self._to = found[1]
            return
        if found := re.fullmatch(r"AT\+CTSDS=(\d+),0", piece):
            self._service = int(found[1])
        self.say(*self.noise, self.refused.get(piece, "OK"))

    def _message(self, to: str, message: bytes) -> None:
        match self.provider:
            case Provider.BUSY:
                self.say("+CME ERROR: 0")
            case Provider.REFUSING:
                self.say("+CME ERROR: 35")
            case Provider.HANGING:
                pass
            case _:
                self.sent.append((to, self._service, message))
                if self.provider is Provider.LOSING:
                    self.hang_up()
                else:
                    self.say(*self.noise, f"+CMGS: 0,{len(self.sent) % 256}", "OK")

    def hang_up(self) -> None: ...


class TcpRadio(Radio):
    """Behind a serial server."""

    port = 0
    _server: asyncio.Server | None = None

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[asyncio.StreamWriter, asyncio.Event] = {}

    @property
    def place(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        ended = list(self._lines.values())
        self.hang_up()
        for one in ended:
            await one.wait()

    def hang_up(self) -> None:
        for writer in self._lines:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended = self._lines[writer] = asyncio.Event()
        self.connected(writer.write)
        with suppress(OSError):
            while data := await reader.read(4096):
                await self.feed(data)
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()
        del self._lines[writer]
        ended.set()


class PtyRadio(Radio):
    """At a serial line."""

    async def start(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.place = os.ttyname(self._slave)
        self.connected(lambda data: os.write(self._master, data))
        self._tasks: set[asyncio.Task[None]] = set()
        asyncio.get_running_loop().add_reader(self._master, self._readable)

    def _readable(self) -> None:
        task = asyncio.ensure_future(self.feed(os.read(self._master, 4096)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        os.close(self._slave)


class Place:
    """The channel and its terminal."""

    good, wrong = ANNE, ANNE

    def __init__(self, channel: TetraChannel, radio: Any, intake: MemoryIntake) -> None:
        self.channel, self.radio, self.intake = channel, radio, intake

    async def behave(self, provider: Provider) -> None:
        if provider is Provider.DOWN:
            await self.radio.stop()
        elif self.radio.provider is Provider.DOWN:
            await self.radio.start()
        self.radio.provider = provider

    def arrivals(self) -> Sequence[Arrival]:
        gathering, arrived = Gathering(), []
        for to, service, message in self.radio.sent:
            whole = gathering.add(Received(service, HUB, to, message, ()), 0.0)
            if service == TYPE4 and isinstance(whole, Message) and isinstance(whole.content, sds.Text):
                arrived.append(Arrival(to, whole.content.text))
        return arrived

    async def together(self, work: Sequence[Awaitable[Any]]) -> Sequence[Any]:
        return await asyncio.gather(*work)

    async def given_up(self, work: Awaitable[Any]) -> bool:
        task = asyncio.ensure_future(work)
        await self.radio.until(lambda: any(c.startswith("AT+CMGS") for c in self.radio.commands))
        task.cancel()
        return bool((await asyncio.gather(task, return_exceptions=True)) and task.done())


@asynccontextmanager
async def place(radio: Any = None, **config: Any) -> AsyncIterator[Place]:
    radio = radio or TcpRadio()
    await radio.start()
    intake = MemoryIntake()
    channel = TetraChannel(TetraChannelConfig(terminal=radio.place, **config), environment("radio"))
    await channel.open(intake)
    try:
        yield Place(channel, radio, intake)
    finally:
        await channel.close()
        await radio.stop()
