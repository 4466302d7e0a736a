"""The gateway in a benchmark: it answers every POST and remembers when each alert's id came. It can be taken down.

It runs in a process of its own (`python -m tools.bench.sink`): one line of JSON on its standard input per question,
one line back. A bare asyncio protocol, so that it takes little of a small machine from whoever is measured.
"""

import asyncio
import contextlib
import json
import re
import signal
import subprocess
import sys
import time
from typing import Any, cast

ALERT_ID = re.compile(rb"al-[0-9a-f]{8}-[0-9]{7}")
_OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"ok"}'
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _Request(asyncio.Protocol):
    """HTTP/1.1 as the senders under test speak it: Content-Length or chunked, keep-alive."""

    def __init__(self, gateway: "_Gateway") -> None:
        self._gateway = gateway
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._gateway.open.add(self._transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._gateway.open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter_ns()
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            if (at := head.find(b"\r\ncontent-length:")) >= 0:
                whole = end + 4 + int(head[at + 17 :].split(b"\r\n", 1)[0])
            elif b"transfer-encoding: chunked" in head:
                last = self._buffer.find(b"0\r\n\r\n", end + 2)
                whole = last + 5 if last >= 0 else len(self._buffer) + 1
            else:
                whole = end + 4
            if len(self._buffer) < whole:
                if b"expect: 100-continue" in head and len(self._buffer) == end + 4:
                    self._transport.write(_CONTINUE)
                return
            self._gateway.note(self._buffer[:whole], now)
            self._buffer = self._buffer[whole:]
            self._transport.write(_OK)


class _Gateway:
    def __init__(self) -> None:
        self.open: set[asyncio.Transport] = set()
        self.arrivals: dict[str, list[int]] = {}
        self.requests = 0
        self._server: asyncio.Server | None = None
        self._port = 0

    def note(self, request: bytes, now: int) -> None:
        self.requests += 1
        for found in set(ALERT_ID.findall(request)):
            self.arrivals.setdefault(found.decode(), []).append(now)

    async def up(self) -> int:
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                lambda: _Request(self), "127.0.0.1", self._port, backlog=4096, reuse_address=True
            )
            self._port = self._server.sockets[0].getsockname()[1]
        return self._port

    async def down(self) -> None:
        """Refuses connections and breaks those there are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for transport in list(self.open):
            transport.abort()

    async def answer(self, question: str) -> Any:
        match question:
            case "up":
                await self.up()
                return time.perf_counter_ns()
            case "down":
                await self.down()
                return time.perf_counter_ns()
            case "count":
                return len(self.arrivals)
            case "arrivals":
                return self.arrivals
            case "reset":
                self.arrivals, self.requests = {}, 0
                return None
        raise ValueError(question)


class Sink:
    """The gateway's process, from outside. `url` is where it takes messages."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools.bench.sink"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def ask(self, question: str) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def down(self) -> int:
        """When it was down, in nanoseconds of the monotonic clock."""
        return int(self.ask("down"))

    def up(self) -> int:
        return int(self.ask("up"))

    def count(self) -> int:
        """How many different alerts have arrived."""
        return int(self.ask("count"))

    def arrivals(self) -> dict[str, list[int]]:
        """Alert id → when it arrived, each time."""
        found: dict[str, list[int]] = self.ask("arrivals")
        return found

    def reset(self) -> None:
        self.ask("reset")

    async def drained(self, expected: int, most_s: float, quiet_s: float = 8.0) -> None:
        """Waits until so many alerts have arrived, or none has come for `quiet_s`, or `most_s` are over."""
        end = time.monotonic() + most_s
        seen, since = -1, time.monotonic()
        while time.monotonic() < end:
            count = await asyncio.to_thread(self.count)
            if count >= expected:
                break
            if count != seen:
                seen, since = count, time.monotonic()
            elif time.monotonic() - since > quiet_s:
                break
            await asyncio.sleep(0.2)
        await asyncio.sleep(0.5)  # repetitions that come late

    def close(self) -> None:
        self.process.terminate()
        self.process.communicate()


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    gateway = _Gateway()
    sys.stdout.write(f"{await gateway.up()}\n")
    sys.stdout.flush()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        sys.stdout.write(json.dumps(await gateway.answer(line.decode().strip())) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    import uvloop

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the benchmark ends it
    with contextlib.suppress(BrokenPipeError):
        uvloop.run(_serve())
