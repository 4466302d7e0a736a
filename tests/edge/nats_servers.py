"""Real nats-servers on free loopback ports with a store of their own, started and stopped by the tests."""

import json
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import trio

from hub.bridge import Loop, open_bridge

PROGRAM = shutil.which("nats-server")
NOT_FOUND = "nats-server not found"


class Server:
    """One server: its process can be stopped and started again on the same store."""

    def __init__(self, name: str, folder: Path, client: int, monitor: int, cluster: str = "") -> None:
        self.name = name
        self.url = f"nats://127.0.0.1:{client}"
        self._state = f"http://127.0.0.1:{monitor}/jsz"
        self._config = folder / f"{name}.conf"
        self._log = folder / f"{name}.log"
        self._config.write_text(
            f'server_name: {name}\nlisten: "127.0.0.1:{client}"\nhttp: "127.0.0.1:{monitor}"\n'
            f'jetstream {{ store_dir: "{folder / name}", max_mem: 64MB, max_file: 1GB }}\n{cluster}'
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([str(PROGRAM), "-c", str(self._config)], stdout=log, stderr=log)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ready(self, peers: int = 0) -> bool:
        """Whether it answers, and where it is one of a cluster, knows the leader and its peers."""
        try:
            with urllib.request.urlopen(self._state, timeout=1) as answer:
                found = json.load(answer)
        except OSError:
            return False
        if not peers:
            return True
        meta = found.get("meta_cluster") or {}
        return bool(meta.get("leader")) and int(meta.get("cluster_size", 0)) == peers


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def running(folder: Path, count: int = 1) -> Iterator[list[Server]]:
    """That many servers, as one cluster where there is more than one. Skips where the program is missing."""
    if PROGRAM is None:
        pytest.skip(NOT_FOUND)
    ports = free_ports(3 * count)
    clients, monitors, routes = ports[:count], ports[count : 2 * count], ports[2 * count :]
    servers = []
    for n in range(count):
        cluster = ""
        if count > 1:
            others = ", ".join(f'"nats://127.0.0.1:{port}"' for port in routes)
            cluster = f'cluster {{ name: vigie, listen: "127.0.0.1:{routes[n]}", routes: [{others}] }}\n'
        servers.append(Server(f"n{n}", folder, clients[n], monitors[n], cluster))
    try:
        for server in servers:
            server.start()
        yield servers
    finally:
        for server in servers:
            server.kill()


async def all_ready(servers: list[Server]) -> None:
    """Waits for the servers."""
    peers = len(servers) if len(servers) > 1 else 0
    with trio.fail_after(30):
        for server in servers:
            # A process that starts gives no event to wait for: it is asked until it answers.
            while not await trio.to_thread.run_sync(server.ready, peers):  # noqa: ASYNC110
                await trio.sleep(0.05)


@asynccontextmanager
async def outgoing() -> AsyncIterator[Loop]:
    """The bridge's outgoing loop."""
    async with open_bridge(close_grace_s=2.0) as bridge:
        yield bridge.out
