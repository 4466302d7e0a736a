"""What is fetched, as a recording keeps it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import aiohttp

from hub.connector import Tape
from hub.model.recording import Exchange, Stream, raw, same_words, without_secrets


class Told:
    """What a server has said so far."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    def exchange(self, url: str, error: str) -> Exchange:
        """`error`: why it is no answer that can be used."""
        return Exchange(
            url=without_secrets(url),
            status=self.status,
            headers=self.headers,
            error=same_words(error),
            **raw(self.body),
        )


class Listened:
    """A line that stays open, as it is recorded."""

    def __init__(self, tape: Tape, url: str) -> None:
        self._tape = tape
        self._url = without_secrets(url) if tape.runs else ""

    @contextmanager
    def until_it_ends(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._say(Stream(url=self._url, state="end", error=same_words(str(error))))
            raise
        self._say(Stream(url=self._url, state="end"))

    def opened(self, status: int, headers: dict[str, str]) -> None:
        self._say(Stream(url=self._url, state="open", status=status, headers=headers))

    async def pieces(self, coming: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in coming:
            self.said(piece)
            yield piece

    def said(self, piece: bytes, frame: str = "") -> None:
        self._say(Stream(url=self._url, frame=frame, **raw(piece)))

    def _say(self, what: Stream) -> None:
        if self._tape.runs:
            self._tape.heard(what)


class Socket:
    """A websocket that is listened to."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, told: Listened) -> None:
        self._socket = socket
        self._told = told

    @property
    def close_code(self) -> int | None:
        return self._socket.close_code

    async def receive(self) -> aiohttp.WSMessage:
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            self._told.said(message.data.encode(), "text")
        elif message.type is aiohttp.WSMsgType.BINARY:
            self._told.said(message.data, "binary")
        return message
