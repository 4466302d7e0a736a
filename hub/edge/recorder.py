"""Recording what comes in, so that a real day becomes a test (docs/playback.md).

Nothing waits for it and nothing fails with it: what is heard is handed to a thread that writes, and what that cannot
take (a disk that is full or slow) is counted and leaves a gap in the recording, never in what the hub hears. It leaves
room on the disk, for the journal is often on the same one.
"""

import os
import queue
import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from msgspec.structs import replace
from prometheus_client import Counter

from hub.connector import Route, Tape, WebRequest, WebResponse
from hub.edge.setup import Recording, Setup
from hub.model.recording import (
    FORMAT,
    PROOFS,
    PUSHED_HEADERS,
    Begun,
    Entry,
    Exchange,
    File,
    Gap,
    Heard,
    Push,
    Raw,
    kept,
    line_of,
    raw,
    taken_out,
    without_secrets,
)
from hub.version import VERSION

log = structlog.get_logger(__name__)
_recorded = Counter("vigie_recorded_total", "Pieces of raw input that were recorded", ["source"])
_lost = Counter("vigie_recording_lost_total", "Pieces of raw input that a recording lacks")

WAITING_MAX = 20_000  # pieces that wait to be written
WAITING_BYTES = 64 << 20
FREE_LEAST = 1 << 30  # bytes left on the disk for the journal
ENDING = ".jsonl"
_TOGETHER = 500  # pieces between two looks at the disk
_CLOSE_S = 5.0


class Recorder:
    """Writes a folder of files, one a day (hub time). `now`: hub time, from whatever thread."""

    def __init__(
        self, recording: Recording, now: Callable[[], datetime], begun: Begun, *, free_least: int = FREE_LEAST
    ) -> None:
        self._recording = recording
        self._now = now
        self._begun = begun
        self._free_least = free_least
        self._waiting: queue.Queue[Entry | None] = queue.Queue(WAITING_MAX)
        self._bytes = 0  # that wait
        self._gap = 0  # pieces lost since the last that was taken
        self._day = ""
        self._whole: set[str] = set()  # addresses and files of which today's recording has all
        self._lock = threading.Lock()
        self._fault = ""
        self.gap_why = ""  # why the recording lacks something: what it lacked last
        self._thread = threading.Thread(target=self._write_all, name="recorder", daemon=True)
        self._thread.start()

    def tape(self, source: str) -> "SourceTape":
        wanted = not self._recording.sources or source in self._recording.sources
        return SourceTape(self, source, wanted)

    def put(self, source: str, heard: Heard) -> None:
        """From whatever thread; never waits."""
        size = len(heard.text) + len(heard.data) if isinstance(heard, Raw) else 0
        with self._lock:
            entry = Entry(at=self._now(), source=source, heard=heard)
            self._turn(entry.at)
            if self._bytes + size > WAITING_BYTES and self._bytes:
                self._lose(1)
                return
            try:
                self._waiting.put_nowait(entry)
            except queue.Full:
                self._lose(1)
                return
            self._bytes += size
            if isinstance(heard, Exchange) and heard.status == 200 and not heard.error:
                self._whole.add(heard.url)
            elif isinstance(heard, File):
                self._whole.add(heard.name)

    def lacks(self, what: str) -> bool:
        with self._lock:
            self._turn(self._now())
            return what not in self._whole

    def close(self) -> None:
        """Writes what waits, for a few seconds at most."""
        try:
            self._waiting.put(None, timeout=_CLOSE_S)
        except queue.Full:
            return
        self._thread.join(_CLOSE_S)

    def _turn(self, at: datetime) -> None:
        """Each day's file stands on its own."""
        day = f"{at:%Y-%m-%d}"
        if day != self._day:
            self._day = day
            self._whole.clear()

    def _lose(self, count: int) -> None:
        self._gap += count
        _lost.inc(count)

    # --- the thread that writes ------------------------------------------------------------------------------

    def _write_all(self) -> None:
        file: int | None = None
        day, size = "", 0
        while True:
            entries, last = self._next()
            try:
                if entries:
                    if f"{entries[0].at:%Y-%m-%d}" != day or file is None:
                        if file is not None:
                            os.close(file)
                        file, day = None, f"{entries[0].at:%Y-%m-%d}"
                        file, size = self._open(day, entries[0].at)
                    size += self._write(file, size, entries)
            except OSError as error:
                self._missed(entries, error.strerror or str(error))
            if last:
                self._end(file)
                return

    def _next(self) -> tuple[list[Entry], bool]:
        """What waits, of one day."""
        first = self._waiting.get()
        if first is None:
            return [], True
        entries, last = [first], False
        while len(entries) < _TOGETHER:
            with self._waiting.mutex:
                ahead = self._waiting.queue[0] if self._waiting.queue else first
            if ahead is first or (ahead is not None and ahead.at.date() != first.at.date()):
                break
            found = self._waiting.get()
            if found is None:
                last = True
                break
            entries.append(found)
        with self._lock:
            for entry in entries:
                if isinstance(entry.heard, Raw):
                    self._bytes -= len(entry.heard.text) + len(entry.heard.data)
        return entries, last

    def _open(self, day: str, at: datetime) -> tuple[int, int]:
        folder = self._recording.folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._tidy(at)
        path = folder / f"{day}{ENDING}"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            _all(file, b"\n")  # a line that was cut short when the hub was killed stands by itself
        size += _all(file, line_of(Entry(at=at, source="", heard=self._begun)))
        log.info("recording", file=str(path))
        return file, size

    def _end(self, file: int | None) -> None:
        if file is not None:
            with suppress(OSError):
                _all(file, b"".join(self._gap_before(self._now())))
            os.close(file)

    def _write(self, file: int, size: int, entries: Sequence[Entry]) -> int:
        if shutil.disk_usage(self._recording.folder).free < self._free_least:
            raise OSError(f"less than {self._free_least >> 20} MB are free on the disk: they are left to the journal")
        lines = self._gap_before(entries[0].at)
        size += sum(map(len, lines))
        for entry in entries:
            line = line_of(entry)
            if size + len(line) > self._recording.bytes_max:
                why = f"the day's file has reached its {self._recording.bytes_max // 10**6} MB (max megabytes)"
                self._missed([entry], why)
                continue
            lines.append(line)
            size += len(line)
            _recorded.labels(entry.source).inc()
        return _all(file, b"".join(lines))

    def _gap_before(self, at: datetime) -> list[bytes]:
        """What is to be said of pieces that were lost."""
        with self._lock:
            gap, self._gap = self._gap, 0
        why, self._fault = self._fault or "they came faster than they could be written", ""
        return [line_of(Entry(at=at, source="", heard=Gap(lost=gap, why=why)))] if gap else []

    def _missed(self, entries: Sequence[Entry], why: str) -> None:
        with self._lock:
            self._lose(len(entries))
        if why != self._fault:
            self._fault = self.gap_why = why
            log.error("what comes in is not recorded (the hub hears it all the same)", why=why)

    def _tidy(self, at: datetime) -> None:
        """Deletes the files of days that are over for longer than they are kept."""
        first = f"{at - timedelta(days=self._recording.keep_days):%Y-%m-%d}"
        for path in self._recording.folder.glob(f"????-??-??{ENDING}"):
            if path.stem < first:
                path.unlink(missing_ok=True)
                log.info("a recording is deleted", file=str(path))


class SourceTape:
    """One source's. Fulfils hub.connector.Tape."""

    def __init__(self, recorder: Recorder, source: str, runs: bool) -> None:
        self.runs = runs
        self._recorder = recorder
        self._source = source

    def heard(self, what: Heard) -> None:
        if self.runs:
            self._recorder.put(self._source, what)

    def lacks(self, what: str) -> bool:
        return self.runs and self._recorder.lacks(what)


def recorder_of(setup: Setup, now: Callable[[], datetime]) -> Recorder | None:
    """As the setup has it; None where nothing is to be recorded."""
    if setup.record is None:
        return None
    begun = Begun(format=FORMAT, hub=setup.hub, version=VERSION, playback=setup.playback)
    return Recorder(setup.record, now, begun)


def taped(routes: Sequence[Route], prefix: str, tape: Tape) -> Sequence[Route]:
    """A source's routes, which record what is sent to them. What only asks (a GET) is not input."""
    if not tape.runs:
        return routes
    return [route if route.method == "GET" else _taped(route, prefix, tape) for route in routes]


def _taped(route: Route, prefix: str, tape: Tape) -> Route:
    handler = route.handler

    async def recording(request: WebRequest) -> WebResponse:
        response = await handler(request)
        body, fields = taken_out(request.body, route.secret_fields)
        tape.heard(
            Push(
                method=request.method,
                path=_path_of(request, prefix),
                headers=kept(request.headers, PUSHED_HEADERS),
                withheld=(*(name for name in PROOFS if name in request.headers), *fields),
                answered=response.status,
                **raw(body),
            )
        )
        return response

    return replace(route, handler=recording)


def _path_of(request: WebRequest, prefix: str) -> str:
    """What follows the source's own prefix, with the query but for keys in it."""
    query = without_secrets(request.url).partition("?")[2]
    return request.path.removeprefix(prefix) + (f"?{query}" if query else "")


def _all(file: int, data: bytes) -> int:
    """Writes all of it. Raises OSError."""
    with memoryview(data) as rest:
        at = 0
        while at < len(data):
            at += os.write(file, rest[at:])
    return len(data)
