"""The hub as a process of its own, as an operator would start it, and its API."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import aiohttp

from hub.auditor.process import writer
from hub.view.glance import instant
from tools.demo.folder import ROOT, DemoError, Folder

READY_S = 90.0
STOP_S = 15.0
_PR_SET_PDEATHSIG = 1


class HubProcess:
    """One hub after another on the same journal: `start`, `status` …, `stop`."""

    def __init__(self, folder: Folder, session: aiohttp.ClientSession) -> None:
        self._folder = folder
        self._session = session
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, at: datetime, audited: bool = True, through: str = "") -> datetime:
        """Starts the hub with its clock at `at`, under its auditor or alone; `through`: what stands in for all web
        servers that sources ask. Returns hub time, once it takes what it is sent. Raises DemoError."""
        folder = self._folder
        command = [sys.executable, "-m", "hub.cli", "run"]
        command += ["--config", str(folder.config), "--data", str(folder.data), "--at", at.isoformat()]
        command += [] if audited else ["--no-auditor"]
        command += ["--through", through] if through else []
        with folder.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                cwd=ROOT,
                env=folder.environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A Ctrl-C in the terminal is for the demo, which then stops the hub in its turn.
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        try:
            async with asyncio.timeout(READY_S):
                while (now := await self._ready()) is None:
                    await self._still_running(0.1)
                return now
        except TimeoutError:
            raise DemoError(f"the hub was not ready after {READY_S:.0f} s: {self._last_words()}") from None

    async def status(self) -> Mapping[str, Any]:
        """The picture of the moment. Raises DemoError when the hub has ended, OSError when it cannot be asked now."""
        await self._still_running(0.0)
        headers = {"Authorization": f"Bearer {self._folder.secrets.api}"}
        try:
            async with self._session.get(f"{self._folder.hub_url}/api/status", headers=headers) as answer:
                answer.raise_for_status()
                shown: Mapping[str, Any] = await answer.json()
                return shown
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OSError(f"{type(error).__name__} {error}") from error

    async def stop(self) -> None:
        """Stops the hub in its own order; one that does not end is killed, with all it started."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            # The auditor's own patience (folder.py) has run out before ours: neither ends by itself.
            for process_id in (process.pid, writer(self._folder.journal)):
                with contextlib.suppress(ProcessLookupError):
                    if process_id:
                        os.kill(process_id, signal.SIGKILL)
            await process.wait()

    async def _ready(self) -> datetime | None:
        """Hub time as `/health` says it; None while the hub is not ready."""
        try:
            async with self._session.get(f"{self._folder.hub_url}/health") as answer:
                shown = await answer.json()
                return instant(shown.get("now")) if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError):
            return None

    async def _still_running(self, wait_s: float) -> None:
        """Waits a moment. Raises DemoError when the hub ends by itself."""
        if self._process is None:
            raise DemoError("the hub was not started")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._process.wait()
        if self._process.returncode is not None:
            raise DemoError(f"the hub ended with code {self._process.returncode}: {self._last_words()}")

    def _last_words(self) -> str:
        log = self._folder.log
        lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
        return f"see {log}\n" + "\n".join(f"    {line}" for line in lines[-12:])


def _end_with_parent() -> None:
    """Linux: should the demo be killed, its hub is told to stop (prctl(2), PR_SET_PDEATHSIG): no orphan."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
