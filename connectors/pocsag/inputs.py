"""Where lines come from: a program that prints them, a file that is written on, a named pipe, a TCP line.

Each is an async iterator of what came in one piece: lines, and where the next piece begins (of a file; "" elsewhere).
It ends or raises Lost when there is no more: it is then opened anew.
"""

import asyncio
import os
import signal
import stat
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from connectors.http import Lookup, is_public
from connectors.pocsag.config import PocsagConfig
from connectors.polling import Sleep

LINE_MAX = 8_192  # bytes; a page has some hundred
PIECE = 65_536
LOOK_S = 1.0  # how often a file is looked at
END_S = 5.0  # from SIGTERM to SIGKILL


class Lost(Exception):
    """The lines have ended: the program, the connection. Its words say why."""


class Piece(Struct, frozen=True):
    """Lines that came together. `mark`: where in the file what follows begins."""

    lines: tuple[str, ...]
    mark: str = ""


class Splitter:
    """Bytes to lines; one without end is cut."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> tuple[str, ...]:
        *whole, self._rest = (self._rest + data).replace(b"\r\n", b"\n").split(b"\n")
        if len(self._rest) > LINE_MAX:
            whole, self._rest = [*whole, self._rest], b""
        return tuple(line[:LINE_MAX].decode("utf-8", "replace") for line in whole)

    @property
    def waiting(self) -> int:
        """Bytes of a line that is not whole yet."""
        return len(self._rest)

    def end(self) -> tuple[str, ...]:
        """What is left when no more comes."""
        return self.feed(b"\n") if self._rest else ()


Heard = Callable[[bytes], object]


def _nobody(_: bytes) -> None:
    return


def open_input(
    config: PocsagConfig, mark: str, sleep: Sleep, lookup: Lookup, anywhere: bool, heard: Heard = _nobody
) -> AsyncIterator[Piece]:
    """`heard` is told what comes, byte for byte."""
    if config.command:
        return program(config.command, heard)
    if config.host:
        return connection(config.host, config.port, lookup, anywhere, heard)
    return file(Path(config.file), mark, sleep, heard)


async def program(command: tuple[str, ...], heard: Heard = _nobody) -> AsyncIterator[Piece]:
    """What a program prints; it is ended, with all it has started, when nobody reads on."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise Lost(f"{command[0]} cannot be started: {error.strerror or error}") from error
    assert process.stdout is not None
    assert process.stderr is not None
    said: deque[str] = deque(maxlen=1)
    listening = asyncio.create_task(_listen(process.stderr, said))
    try:
        async for piece in _pieces(process.stdout, heard):
            yield piece
        status = await process.wait()
        await listening
        raise Lost(f"{Path(command[0]).name} ended with status {status}{': ' + said[0] if said else ''}")
    finally:
        listening.cancel()
        await _end(process)


async def _listen(errors: asyncio.StreamReader, said: deque[str]) -> None:
    """Keeps the last thing it said, and lets it say more."""
    splitter = Splitter()
    while data := await errors.read(PIECE):
        said.extend(line.strip()[:200] for line in splitter.feed(data) if line.strip())
    said.extend(line.strip()[:200] for line in splitter.end())


async def _end(process: asyncio.subprocess.Process) -> None:
    """A pipeline of a shell is a group of processes: all of them end, some perhaps later than the first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await process.wait()


async def connection(
    host: str, port: int, lookup: Lookup, anywhere: bool, heard: Heard = _nobody
) -> AsyncIterator[Piece]:
    """What comes by TCP. Raises OSError, Lost."""
    addresses = await lookup(host, port)
    if not anywhere and (inside := [address for address in addresses if not is_public(address)]):
        raise Lost(f"{host} is the internal address {inside[0]}: say internal: yes if that is meant")
    reader, writer = await asyncio.open_connection(addresses[0] if addresses else host, port, limit=PIECE)
    try:
        async for piece in _pieces(reader, heard):
            yield piece
        raise Lost(f"{host}:{port} has closed the line")
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def file(path: Path, mark: str, sleep: Sleep, heard: Heard = _nobody) -> AsyncIterator[Piece]:
    """A named pipe as it is; a file from the mark on (its end where there is none), and from the beginning of the file
    that takes its place. Raises OSError."""
    if stat.S_ISFIFO((await asyncio.to_thread(path.stat)).st_mode):
        async for piece in _pipe(path, heard):
            yield piece
        return
    while True:
        async for piece in _followed(path, mark, sleep, heard):
            yield piece
            mark = piece.mark
        mark = "0:0"  # another file


async def _pipe(path: Path, heard: Heard) -> AsyncIterator[Piece]:
    # Open for writing too: so it does not end as each writer goes.
    pipe = os.fdopen(os.open(path, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0)
    reader = asyncio.StreamReader(limit=PIECE)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    try:
        async for piece in _pieces(reader, heard):
            yield piece
    finally:
        transport.close()


async def _followed(path: Path, mark: str, sleep: Sleep, heard: Heard) -> AsyncIterator[Piece]:
    """One file, until another lies in its place or it was cut."""
    with await asyncio.to_thread(path.open, "rb") as handle:
        here = os.fstat(handle.fileno())
        inode, _, offset = mark.partition(":")
        known = offset.isdecimal() and inode == str(here.st_ino) and int(offset) <= here.st_size
        at = int(offset) if known else (0 if mark else here.st_size)
        handle.seek(at)
        splitter = Splitter()
        yield Piece((), f"{here.st_ino}:{at}")
        while True:
            data = await asyncio.to_thread(handle.read, PIECE)
            at += len(data)
            if data:
                heard(data)
                yield Piece(splitter.feed(data), f"{here.st_ino}:{at - splitter.waiting}")
                continue
            try:
                there = await asyncio.to_thread(path.stat)
            except FileNotFoundError:
                there = here  # it is being replaced
            if there.st_ino != here.st_ino or there.st_size < at:
                yield Piece(splitter.end(), f"{here.st_ino}:{at}")
                return
            await sleep(LOOK_S)


async def _pieces(reader: asyncio.StreamReader, heard: Heard) -> AsyncIterator[Piece]:
    splitter = Splitter()
    while data := await reader.read(PIECE):
        heard(data)
        yield Piece(splitter.feed(data))
    yield Piece(splitter.end())
