"""A real MQTT broker (Mosquitto) on a free loopback port, started and stopped by the tests; and time turned by hand."""

import asyncio
import json
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from hub.connector import Source
from tests.edge.nats_servers import free_ports
from tests.edge.polling import PolledIntake

PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
NOT_FOUND = "mosquitto not found"
USER, PASSWORD = "vigie", "s3cret-mqtt"


class Broker:
    """One broker: it can be stopped and started again with what it keeps. `tls`: certificate and key files. `refuses`:
    nobody may subscribe to anything (its plugin for dynamic rules does that; a file of rules says nothing)."""

    def __init__(self, folder: Path, *, tls: tuple[str, str] | None = None, refuses: bool = False) -> None:
        self.port = free_ports(1)[0]
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._drain: threading.Thread | None = None
        passwords = folder / "passwords"
        passwords.touch(mode=0o600)
        subprocess.run(["mosquitto_passwd", "-b", str(passwords), USER, PASSWORD], check=True, capture_output=True)
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous false",
            f"password_file {passwords}",
            "persistence true",
            f"persistence_location {folder}/",
            "log_dest stderr",
            "log_type all",
            "set_tcp_nodelay true",
        ]
        if refuses:
            rights = {"publishClientSend": True, "publishClientReceive": True, "subscribe": False, "unsubscribe": True}
            rules = {"defaultACLAccess": rights, "clients": [], "groups": [], "roles": []}
            (folder / "rules.json").write_text(json.dumps(rules))
            (folder / "rules.json").chmod(0o600)
            (plugin,) = Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")
            lines += [f"plugin {plugin}", f"plugin_opt_config_file {folder / 'rules.json'}"]
        if tls is not None:
            lines += [f"certfile {tls[0]}", f"keyfile {tls[1]}"]
        # As root it would give up its rights, and then not be allowed to read what the test has written.
        lines.append("user root")
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        command = [str(PROGRAM), "-c", str(self._folder / "mosquitto.conf")]
        self._process = process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        up = threading.Event()
        said: list[str] = []

        def drain() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                if line.rstrip().endswith("running"):
                    up.set()
            up.set()

        self._drain = threading.Thread(target=drain, daemon=True)
        self._drain.start()
        assert up.wait(20), f"mosquitto does not start: {''.join(said)}"
        assert process.poll() is None, f"mosquitto has ended: {''.join(said)}"

    def stop(self, *, kill: bool = False) -> None:
        if self._process is not None:
            if kill:
                self._process.kill()
            else:
                self._process.terminate()
            self._process.wait(20)
            assert self._drain is not None
            self._drain.join(20)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    @asynccontextmanager
    async def sensor(self) -> AsyncIterator[aiomqtt.Client]:
        """A client that publishes."""
        async with aiomqtt.Client("127.0.0.1", self.port, username=USER, password=PASSWORD) as client:
            yield client


@contextmanager
def running(folder: Path, **more: Any) -> Iterator[Broker]:
    """Skips where the program is missing."""
    if PROGRAM is None or shutil.which("mosquitto_passwd") is None:
        pytest.skip(NOT_FOUND)
    broker = Broker(folder, **more)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop(kill=True)


class WatchedIntake(PolledIntake):
    """One whose health can be waited for."""

    async def health(self, health: str, reason: str = "") -> None:
        await super().health(health, reason)
        async with self.arrived:
            self.arrived.notify_all()

    async def becomes(self, wanted: str) -> str:
        """Waits for a health; answers its reason."""
        await self.until(lambda: bool(self.healths) and self.healths[-1][0] == wanted, timeout_s=20)
        return self.healths[-1][1]


class Hours:
    """Time that a test turns: it stands in for sleeping, and for the hub's clock."""

    def __init__(self) -> None:
        self.now = datetime(2026, 7, 14, 12, tzinfo=UTC)
        self.intakes: list[WatchedIntake] = []
        self._sleepers: list[tuple[datetime, asyncio.Future[None]]] = []
        self._changed = asyncio.Condition()

    def intake(self, kept: str | None = None) -> WatchedIntake:
        made = WatchedIntake(kept=kept)
        made.set_clock(self.now)
        self.intakes.append(made)
        return made

    async def __call__(self, wait_s: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (self.now + timedelta(seconds=wait_s), woken)
        self._sleepers.append(entry)
        await self._notify()
        try:
            await woken
        finally:
            if entry in self._sleepers:
                self._sleepers.remove(entry)
            await self._notify()

    async def asleep(self, count: int = 1) -> None:
        """Waits until so many sleep."""
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: len(self._sleepers) >= count)

    async def pass_by(self, seconds: float) -> None:
        """Second by second, each as long as it takes: whoever sleeps is woken in turn and sleeps again."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            await self.asleep()
            self.now = min([end, *(max(self.now, until) for until, _ in self._sleepers)])
            for made in self.intakes:
                made.set_clock(self.now)
            for until, woken in list(self._sleepers):
                if until <= self.now and not woken.done():
                    self._sleepers.remove((until, woken))
                    woken.set_result(None)
        await self.asleep()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@asynccontextmanager
async def listening(source: Source, intake: WatchedIntake) -> AsyncIterator[None]:
    """Runs a source until it is healthy, and while the test goes on."""
    running = asyncio.ensure_future(source.run(intake))
    healthy = asyncio.ensure_future(intake.becomes("ok"))
    try:
        await asyncio.wait({running, healthy}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        await healthy
        yield
    finally:
        running.cancel()
        healthy.cancel()
        await asyncio.wait({running, healthy})
