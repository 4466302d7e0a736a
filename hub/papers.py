"""The call list on paper: made when it is due, written into its folder, printed; what goes wrong is told in the room.

What is to be done is decided (`PaperDue`) before any of it, and stays open in the state until it is done: a hub that
goes down in between does it when it comes back.
"""

import math
import os
import re
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

import structlog
import trio
from msgspec import Struct

from hub.connector import Attachment
from hub.journal import JournalUnavailable
from hub.model import events as e
from hub.model import records as r
from hub.model.people import Language
from hub.model.signal import Status
from hub.report.making import Maker
from hub.report.typeset import bare_environment

log = structlog.get_logger(__name__)

PRINT_S = 60.0
RETRY_S = 1.0
_WORDS_MAX = 200  # of what a printing command says

Run = Callable[[Sequence[str], bytes], Awaitable[str]]


class Wanted(Struct, frozen=True, kw_only=True):
    """Where the call list goes. `folder`: None for none, `keep` older ones of each language stay in it; `command`: what
    prints it, its arguments behind, the file on its standard input."""

    languages: tuple[Language, ...]
    hours: int
    folder: Path | None = None
    keep: int = 28
    command: tuple[str, ...] = ()
    status: Status = Status.ACTUAL


class Papers:
    """`wanted`: None where there is neither folder nor printer. `record` makes a fact durable. `run_command` runs a
    command on bytes and returns what went wrong."""

    def __init__(
        self,
        *,
        wanted: Wanted | None,
        maker: Maker,
        record: Callable[[r.FactBody], Awaitable[object]],
        run_command: Run | None = None,
    ) -> None:
        self._wanted = wanted
        self._maker = maker
        self._record = record
        self._run_command = run_command or run_command_on
        self._due, self._taken = trio.open_memory_channel[str](math.inf)

    def follow(self, decision: r.Decision) -> None:
        """Takes up what a durable decision asks for."""
        for event in decision.events:
            if isinstance(event, e.PaperDue):
                self._due.send_nowait(event.paper)

    async def run(self, left: Sequence[str]) -> None:
        """Makes what is due, for ever. `left`: what was due when the hub went down; of several one is enough."""
        for paper in left[:-1]:
            await self._done(r.PaperMade(paper=paper))
        for paper in left[-1:]:
            await self._make(paper)
        async for paper in self._taken:
            await self._make(paper)

    async def _make(self, paper: str) -> None:
        try:
            problem = await self._on_paper()
        except OSError as error:
            problem = f"the call list cannot be written: {error.strerror or error}"
        if problem:
            log.error("the call list is not on paper", problem=problem)
        await self._done(r.PaperMade(paper=paper, problem=problem))

    async def _done(self, body: r.PaperMade) -> None:
        while True:
            try:
                await self._record(body)
                return
            except JournalUnavailable:
                await trio.sleep(RETRY_S)

    async def _on_paper(self) -> str:
        """What went wrong; `""` where nothing did. Whatever can be done is done all the same."""
        wanted = self._wanted
        if wanted is None:
            return "no folder and no printer is configured any more"
        problems = list[str]()
        for language in wanted.languages:
            file = await self._maker.call_list(language, wanted.status, wanted.hours)
            if wanted.folder is not None:
                await trio.to_thread.run_sync(write, file, wanted.folder, wanted.keep)
            if not file.name.endswith(".pdf"):
                problems.append(f"no PDF of it could be made ({language.upper()}), only a web page: see the hub's log")
            elif wanted.command:
                problems.append(await self._run_command(wanted.command, file.content))
        return "; ".join(problem for problem in problems if problem)


async def run_command_on(command: Sequence[str], content: bytes) -> str:
    """Runs a command (no shell, none of the hub's secrets) on some bytes. Returns what went wrong, in a sentence."""
    name = Path(command[0]).name
    with trio.move_on_after(PRINT_S):
        try:
            done = await trio.run_process(
                list(command),
                stdin=content,
                stdout=subprocess.DEVNULL,
                capture_stderr=True,
                check=False,
                env=bare_environment(),
            )
        except OSError as error:
            return f"{name} cannot be run: {error.strerror}"
        if not done.returncode:
            return ""
        said = " ".join(done.stderr.decode(errors="replace").split())[:_WORDS_MAX]
        return f"{name} ended with {done.returncode}{f': {said}' if said else ''}"
    return f"{name} was not done after {PRINT_S:g} s"


def write(file: Attachment, folder: Path, keep: int) -> None:
    """Into the folder under its own name and as the newest (call-list-FR.pdf), each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    stem, ending = file.name.rsplit(".", 1)
    kind, language = stem[: -len("-2026-01-01-0600-FR")], stem[-2:]
    for name in (file.name, f"{kind}-{language}.{ending}"):
        _write(folder / name, file.content)
    dated = re.compile(rf"{re.escape(kind)}-\d{{4}}-\d\d-\d\d-\d{{4}}-{language}\.\w+")
    older = sorted(path for path in folder.iterdir() if dated.fullmatch(path.name))[: -keep - 1]
    for path in older:
        with suppress(OSError):
            path.unlink()


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    os.replace(part, path)
