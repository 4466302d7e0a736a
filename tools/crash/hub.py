"""The hub as a process of its own, and how it is killed."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from tools.crash import world

ROOT = Path(__file__).parents[2]
READY_S = 90.0
LOOK_S = 0.03
_PR_SET_PDEATHSIG = 1


class HubGone(Exception):
    """The hub ended by itself, or was not ready in time: a fault, whatever else is right."""


class Hub:
    """One hub after another on the same journal. `ready_s`: how long each took until it was ready."""

    def __init__(self, folder: Path, config: Path, port: int) -> None:
        self.ready_s: list[float] = []
        self.starts = 0
        self.started_s = 0.0
        self._folder = folder
        self._config = config
        self._url = f"http://127.0.0.1:{port}"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> Path:
        return self._folder / "hub.log"

    async def start(self) -> None:
        """Starts it; it is ready when `ready` says so."""
        command = [sys.executable, "-m", "hub.cli", "run", "--config", str(self._config)]
        command += ["--data", str(self._folder / "data"), "--no-auditor"]
        others = {name: value for name, value in os.environ.items() if not name.startswith("VIGIE_")}
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                cwd=ROOT,
                env=others | world.ENVIRONMENT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        self.starts += 1
        self.started_s = time.monotonic()

    async def ready(self) -> None:
        """Returns when it takes what it is sent. Raises HubGone."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            while await self._health(session) is None:
                self.check()
                if time.monotonic() - self.started_s > READY_S:
                    raise HubGone(f"not ready after {READY_S:.0f} s: see {self.log}")
                await asyncio.sleep(LOOK_S)
        self.ready_s.append(time.monotonic() - self.started_s)

    def check(self) -> None:
        """Raises HubGone where it has ended by itself."""
        if self._process is None or self._process.returncode is not None:
            code = self._process.returncode if self._process else None
            raise HubGone(f"the hub ended by itself with code {code}: see {self.log}")

    async def health(self) -> Mapping[str, object] | None:
        """What /health says; None where it does not answer."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            return await self._health(session)

    async def _health(self, session: aiohttp.ClientSession) -> Mapping[str, object] | None:
        try:
            async with session.get(f"{self._url}/health") as answer:
                if answer.status != 200:
                    return None
                told: Mapping[str, object] = await answer.json()
                return told
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    async def kill(self) -> None:
        """kill -9, its whole process group."""
        self.check()
        await self._end(signal.SIGKILL)

    async def stop(self) -> bool:
        """Stops it in its own order; whether it ended as it should."""
        self.check()
        assert self._process is not None
        process = self._process
        process.terminate()
        try:
            async with asyncio.timeout(20):
                return await process.wait() == 0
        except TimeoutError:
            await self._end(signal.SIGKILL)
            return False

    async def away(self) -> None:
        """Makes sure that nothing of it runs any more, whatever happened."""
        if self._process is not None and self._process.returncode is None:
            await self._end(signal.SIGKILL)

    async def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        assert process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        await process.wait()


def _end_with_parent() -> None:
    """Linux: should the campaign itself be killed, its hub goes with it (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
