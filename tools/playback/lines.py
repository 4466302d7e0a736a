"""Lines of text as they came: a pager's decoder and a radio terminal, each on a TCP port of its own."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress

from hub.model.recording import Line, raw
from tools.playback.pace import Pace
from tools.playback.recording import Piece

# What a terminal says to a command: here it answers commands itself.
_ANSWERS = re.compile(rb"\s*(?:OK|ERROR|\+CM[ES] ERROR.*|\+CMGS:.*|AT.*|>?)\s*", re.DOTALL)
_HEX = re.compile(rb"\s*[0-9A-Fa-f]+\s*")


class Lines:
    """Says what was recorded to whoever has connected. Who connects again is told what comes next."""

    def __init__(self, said: Sequence[Piece], pace: Pace) -> None:
        self.port = 0
        self._said = self._chosen(said)
        self._pace = pace
        self._next = 0
        self._turn = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def over(self) -> bool:
        return self._next >= len(self._said)

    def left(self) -> int:
        """How many pieces are due and were not said: nobody has connected."""
        return sum(self._pace.due(piece.at) for piece in self._said[self._next :])

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.transport.abort()
            self._server = None

    def _chosen(self, said: Sequence[Piece]) -> list[Piece]:
        return list(said)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        self._turn += 1
        saying = asyncio.create_task(self._say(writer, self._turn))
        try:
            while data := await reader.read(4096):
                self._hear(data, writer)
        except OSError:
            pass
        finally:
            saying.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await saying
            self._open.discard(writer)
            writer.transport.abort()

    def _hear(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        """Nothing is said to a decoder."""

    async def _say(self, writer: asyncio.StreamWriter, turn: int) -> None:
        while self._next < len(self._said):
            piece = self._said[self._next]
            await self._pace.until(piece.at)
            if turn != self._turn:
                return
            self._next += 1
            writer.write(piece.heard.raw)
            await writer.drain()


class Terminal(Lines):
    """A radio terminal (ETSI EN 300 392-5): it says yes to every command, and what it received that day."""

    def __init__(self, said: Sequence[Piece], pace: Pace) -> None:
        super().__init__(said, pace)
        self._rest = b""

    def _chosen(self, said: Sequence[Piece]) -> list[Piece]:
        """A message's head and its body together, so that no answer comes between them."""
        kept = [piece for piece in said if not _ANSWERS.fullmatch(piece.heard.raw)]
        whole: list[Piece] = []
        for piece in kept:
            if whole and whole[-1].heard.raw.lstrip().startswith(b"+CTSDSR") and _HEX.fullmatch(piece.heard.raw):
                whole[-1] = Piece(piece.at, piece.source, joined(whole[-1], piece))
            else:
                whole.append(piece)
        return whole

    def _hear(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        self._rest = (self._rest + data).replace(b"\x1b", b"")
        while found := re.search(rb"\x1a|\r\n?|\n", self._rest):
            said, self._rest = self._rest[: found.start()].strip(), self._rest[found.end() :]
            if found.group() == b"\x1a":
                writer.write(b"\r\n+CMGS: 0,1\r\n\r\nOK\r\n")
            elif said and not said.startswith(b"AT+CMGS="):
                writer.write(b"\r\nOK\r\n")


def joined(first: Piece, second: Piece) -> Line:
    return Line(**raw(first.heard.raw + second.heard.raw))
