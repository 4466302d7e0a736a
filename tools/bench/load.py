"""The load: alerts posted over HTTP, at a fixed rate (open loop) or by so many connections as fast as they go.

In an open loop alert n is due at start + n / rate whatever the service does, and every latency counts from there, so
that a service that stalls cannot hide its stall. The client is a bare asyncio protocol and the requests are made
beforehand, so that on a small machine it is not the client that is measured; a timer of the kernel paces it.
"""

import asyncio
import ctypes
import os
import struct
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import cast

from msgspec import Struct

UNSENT, REFUSED, CUT_OFF, TIMED_OUT = 0, -1, -2, -3
_WORDS = {UNSENT: "unsent", REFUSED: "refused", CUT_OFF: "no answer", TIMED_OUT: "timed out"}
TIMEOUT_S = 10.0


class Sent(Struct):
    """What became of the alerts, by number. Times in nanoseconds of the monotonic clock, which all processes share."""

    start: int = 0
    due: list[int] = []
    answered: list[int] = []
    status: list[int] = []  # HTTP, or one of the above
    late: list[int] = []  # how late the generator itself was

    def accepted(self) -> list[int]:
        """The numbers of those answered 2xx."""
        return [n for n, status in enumerate(self.status) if 200 <= status < 300]

    def refused(self) -> dict[str, int]:
        """Everything else, in words."""
        bad = (status for status in self.status if not 200 <= status < 300)
        return dict(Counter(_WORDS.get(status, f"HTTP {status}") for status in bad))

    def rate(self) -> float:
        """Accepted alerts per second, from the start to the last answer."""
        accepted = self.accepted()
        end = max((self.answered[n] for n in accepted), default=self.start)
        return len(accepted) / max(1e-9, (end - self.start) / 1e9)


class Connection(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection with one request under way at most."""

    __slots__ = ("_buffer", "_load", "_missing", "_status", "_transport", "number", "since")

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._missing = -1  # bytes of the body still to come; -1: the head is not whole
        self._status = 0
        self.number = -1  # the alert under way
        self.since = 0

    @property
    def alive(self) -> bool:
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self, number: int, request: bytes) -> None:
        assert self._transport is not None
        self.number, self._buffer, self._missing = number, b"", -1
        self.since = time.perf_counter_ns()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            self._buffer += data
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._buffer[:end].lower()
            self._status = int(head[9:12])
            at = head.find(b"\r\ncontent-length:")
            length = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            self._missing = length - (len(self._buffer) - end - 4)
        else:
            self._missing -= len(data)
        if self._missing <= 0 and self.number >= 0:
            number, self.number = self.number, -1
            self._load.answered(number, self._status, self)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._load.lost(self)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class Load:
    """One load on one address. `requests` gives the whole HTTP request of an alert by its number."""

    def __init__(self, port: int, requests: Callable[[int], bytes] | Sequence[bytes], connections: int = 64) -> None:
        self.sent = Sent(due=[], answered=[], status=[], late=[])
        self._port = port
        self._request: Callable[[int], bytes] = requests if callable(requests) else requests.__getitem__
        self._most = None if callable(requests) else len(requests)
        self._connections = connections
        self._idle: list[Connection] = []
        self._queue: deque[int] = deque()
        self._live: set[Connection] = set()
        self._count = 0  # open or being opened
        self._opening: set[asyncio.Task[None]] = set()
        self._under_way = 0
        self._accepted = 0
        self._more: Callable[[], bool] = bool  # closed loop: whether a free connection sends again

    # --- one request ---------------------------------------------------------------------------------------

    def _new(self, due: int) -> int:
        sent = self.sent
        sent.due.append(due)
        sent.answered.append(0)
        sent.status.append(UNSENT)
        self._under_way += 1
        return len(sent.due) - 1

    def _submit(self, due: int) -> None:
        number = self._new(due)
        self.sent.late.append(time.perf_counter_ns() - due)
        if self._idle:
            self._idle.pop().send(number, self._request(number))
        else:
            self._queue.append(number)
            self._grow()

    def _grow(self) -> None:
        if self._count < self._connections:
            self._count += 1
            task = asyncio.ensure_future(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _open(self) -> None:
        try:
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(lambda: Connection(self), "127.0.0.1", self._port)
        except OSError:
            self._count -= 1
            if self._queue:
                self._over(self._queue.popleft(), REFUSED)
            return
        self._live.add(connection)
        self._free(connection)

    def _free(self, connection: Connection) -> None:
        if not connection.alive:
            return
        if self._queue:
            number = self._queue.popleft()
            connection.send(number, self._request(number))
        elif self._more():
            number = self._new(time.perf_counter_ns())
            connection.send(number, self._request(number))
        else:
            self._idle.append(connection)

    def _over(self, number: int, status: int) -> None:
        self.sent.status[number] = status
        self.sent.answered[number] = time.perf_counter_ns()
        self._under_way -= 1
        self._accepted += 200 <= status < 300

    def answered(self, number: int, status: int, connection: Connection) -> None:
        self._over(number, status)
        self._free(connection)

    def lost(self, connection: Connection) -> None:
        self._count -= 1
        self._live.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if connection.number >= 0:
            number, connection.number = connection.number, -1
            self._over(number, CUT_OFF)
        if self._queue or self._more():
            self._grow()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            old = time.perf_counter_ns() - int(TIMEOUT_S * 1e9)
            for connection in list(self._live):
                if connection.number >= 0 and connection.since < old:
                    number, connection.number = connection.number, -1
                    self._over(number, TIMED_OUT)
                    connection.abort()

    async def _settle(self) -> None:
        end = time.monotonic() + TIMEOUT_S + 2
        while self._under_way and time.monotonic() < end:  # noqa: ASYNC110 # bounded, and no figure hangs on it
            await asyncio.sleep(0.02)

    @property
    def connected(self) -> int:
        """How many connections are open."""
        return len(self._live)

    def close(self) -> None:
        self._more = bool
        for connection in list(self._live):
            connection.abort()

    # --- the two ways of loading ---------------------------------------------------------------------------

    async def at_rate(
        self, rate: float, count: int | None = None, until_accepted: int | None = None, most_s: float = 120.0
    ) -> Sent:
        """`count` alerts at a fixed rate, or as many as it takes until so many were accepted."""
        for _ in range(min(16, self._connections)):
            self._grow()
        await asyncio.sleep(0.3)
        sweeping = asyncio.ensure_future(self._sweep())
        step = int(1e9 / rate)
        self.sent.start = start = time.perf_counter_ns() + 50_000_000
        timer = _timer(start, step)
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def tick() -> None:
            try:
                (due,) = struct.unpack("Q", os.read(timer, 8))
            except BlockingIOError:
                return
            for _ in range(due):
                number = len(self.sent.due)
                if (
                    (count is not None and number >= count)
                    or (until_accepted is not None and self._accepted >= until_accepted)
                    or number * step > most_s * 1e9
                ):
                    loop.remove_reader(timer)
                    over.set()
                    return
                self._submit(start + number * step)

        loop.add_reader(timer, tick)
        await over.wait()
        os.close(timer)
        await self._settle()
        sweeping.cancel()
        return self.sent

    async def flat_out(self, seconds: float) -> Sent:
        """Every connection posts again as soon as it is answered, while there is time and there are requests."""
        sweeping = asyncio.ensure_future(self._sweep())
        self.sent.start = time.perf_counter_ns()
        end = self.sent.start + int(seconds * 1e9)
        self._more = lambda: time.perf_counter_ns() < end and (self._most is None or len(self.sent.due) < self._most)
        for _ in range(self._connections):
            self._grow()
        while self._more():  # noqa: ASYNC110 # as above
            await asyncio.sleep(0.05)
        await self._settle()
        sweeping.cancel()
        return self.sent


class _Spec(ctypes.Structure):
    _fields_ = [(name, ctypes.c_long) for name in ("step_s", "step_ns", "first_s", "first_ns")]  # so ctypes asks


def _timer(first_ns: int, step_ns: int) -> int:
    """A descriptor that becomes readable at `first_ns` of the monotonic clock and every `step_ns` from there."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor: int = libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
    spec = _Spec(step_ns // 10**9, step_ns % 10**9, first_ns // 10**9, first_ns % 10**9)
    if descriptor < 0 or libc.timerfd_settime(descriptor, 1, ctypes.byref(spec), None):
        raise OSError(ctypes.get_errno(), "timerfd")
    return descriptor
