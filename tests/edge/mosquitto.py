"""A real MQTT broker (Mosquitto) on a free loopback port, started and stopped by the tests."""

import json
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from tests.edge.nats_servers import free_ports

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
