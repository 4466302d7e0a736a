"""What is measured, each as processes of its own on loopback: the hub, a bare aiohttp server (the ceiling), and the
peers that are installed: Alertmanager (Debian's prometheus-alertmanager) and, where asked for, Node-RED.

A peer gets what favours it: Alertmanager runs without its cluster, with one group per alert and no wait before a
group's first notification; Node-RED without debug nodes and with keep-alive.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from tools.bench import world
from tools.bench.world import Opens

READY_S = 90.0
ROUTES = 100  # Alertmanager's routes and Node-RED's switch: a tenth of the hub's sheets


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Service(ABC):
    """`start` it with a gateway's address; `request` gives the HTTP request of an alert. `folder` is its own."""

    name: ClassVar[str]
    ready_path: ClassVar[str] = "/"
    notifies: ClassVar[bool] = True

    def __init__(self, folder: Path, opens: Opens = world.ALL) -> None:
        self.folder = folder
        self.opens = opens
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.run = world.new_run()
        folder.mkdir(parents=True, exist_ok=True)

    def start(self, gateway: str) -> float:
        """Starts it (again, on the same port and data) and returns the seconds until it was ready."""
        if not self.port:
            self.port = free_port()
            self.prepare(gateway)
        begun = time.monotonic()
        with open(self.folder / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | self.environment(),
            )
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() - begun > READY_S:
                log_text = (self.folder / f"{self.name}.log").read_text(errors="replace")
                raise RuntimeError(f"{self.name} did not start:\n{log_text[-3000:]}")
            time.sleep(0.02)
        return time.monotonic() - begun

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{self.ready_path}", timeout=2) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        self._end(signal.SIGTERM, 20.0)

    def kill(self) -> None:
        """kill -9, the whole session of processes."""
        self._end(signal.SIGKILL, 10.0)

    def _end(self, number: signal.Signals, wait_s: float) -> None:
        process, self.process = self.process, None
        if process is None or process.poll() is not None:
            return
        os.killpg(process.pid, number)
        try:
            process.wait(wait_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)

    def memory_mb(self) -> float:
        """Resident memory of its processes, MB; what they share is counted for each."""
        statuses = [Path(f"/proc/{pid}/status").read_text() for pid in self._processes()]
        return sum(int(status.split("VmRSS:")[1].split()[0]) for status in statuses) / 1024

    def cpu_s(self) -> float:
        """Processor seconds of its processes so far."""
        ticks = 0
        for pid in self._processes():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _processes(self) -> list[int]:
        """Its first process and what that has started."""
        assert self.process is not None
        found = [self.process.pid]
        for pid in found:  # which grows meanwhile
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                found += map(int, children.read_text().split())
        return found

    def prepare(self, gateway: str) -> None:  # noqa: B027 # most need nothing
        """Writes what it needs before its first start."""

    @abstractmethod
    def command(self) -> list[str]:
        """How it is started."""

    def environment(self) -> dict[str, str]:
        return {}

    def new_run(self) -> None:
        """New alert ids from here on."""
        self.run = world.new_run()

    @abstractmethod
    def request(self, number: int) -> bytes:
        """The HTTP request of its alert of that number."""

    def post(self, path: str, body: bytes) -> bytes:
        return (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body

    def requests(self, count: int) -> list[bytes]:
        """Made beforehand, so that making (and signing) them costs nothing while it is measured."""
        return [self.request(number) for number in range(count)]


class Hub(Service):
    """`vigie run`, its journal on the disk, its sheets loaded."""

    name = "vigie"
    ready_path = "/health"

    def __init__(
        self,
        folder: Path,
        opens: Opens = world.ALL,
        *,
        sheets: int = 1_000,
        twilio: str = "",
        audience: int = 0,
        profile: Path | None = None,
    ) -> None:
        super().__init__(folder, opens)
        self.sheets = sheets
        self.twilio = twilio
        self.audience = audience
        self.profile = profile
        self.config = folder / "config"

    def prepare(self, gateway: str) -> None:
        self.config = world.write_config(
            self.folder,
            sheets=self.sheets,
            port=self.port,
            gateway=gateway,
            twilio=self.twilio,
            audience=self.audience,
        )

    def command(self) -> list[str]:
        run = ["run", "--config", str(self.config), "--data", str(self.folder / "data"), "--no-auditor"]
        return [sys.executable, "-m", "hub.cli", *run]

    def environment(self) -> dict[str, str]:
        return world.ENVIRONMENT

    def request(self, number: int) -> bytes:
        content = world.body(self.run, number, self.sheets, self.opens)
        return world.signed(content, world.alert_id(self.run, number), self.port, world.SOURCES[0])


class Bare(Service):
    """The ceiling of acceptance: aiohttp on uvloop reads the body and answers 202, and that is all it does."""

    name = "bare aiohttp"
    notifies = False

    def command(self) -> list[str]:
        return [sys.executable, "-m", "tools.bench.bare", str(self.port)]

    def request(self, number: int) -> bytes:
        return self.post("/", world.body(self.run, number, 1_000, self.opens))


def _labels(run: str, number: int, opens: bool) -> dict[str, object]:
    host = f"srv-{number % 997:04d}"
    rule = f"r{number % ROUTES:03d}" if opens else "none"
    return {
        "id": world.alert_id(run, number),
        "rule": rule,
        "host": host,
        "text": f"filesystem /var on {host} is {90 + number % 10}% full and still growing",
    }


class Alertmanager(Service):
    """Alerts that open nothing go to a route whose receiver does nothing."""

    name = "alertmanager"
    ready_path = "/-/ready"

    @staticmethod
    def installed() -> bool:
        return shutil.which("prometheus-alertmanager") is not None

    def prepare(self, gateway: str) -> None:
        routes = "".join(f"  - {{matchers: ['rule=\"r{n:03d}\"'], receiver: sink}}\n" for n in range(ROUTES))
        (self.folder / "alertmanager.yml").write_text(
            "route:\n  receiver: nobody\n  group_by: ['id']\n  group_wait: 0s\n  group_interval: 5m\n"
            f"  repeat_interval: 4h\n  routes:\n{routes}receivers:\n- name: nobody\n- name: sink\n"
            f"  webhook_configs:\n  - {{url: '{gateway}/hook', send_resolved: false}}\n"
        )

    def command(self) -> list[str]:
        return [
            "prometheus-alertmanager",
            f"--config.file={self.folder}/alertmanager.yml",
            f"--storage.path={self.folder}/data",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
            "--log.level=error",
        ]

    def request(self, number: int) -> bytes:
        known = _labels(self.run, number, self.opens(number))
        text = known.pop("text")
        alert = {"labels": {"alertname": "DiskFull", "severity": "critical", **known}, "annotations": {"summary": text}}
        return self.post("/api/v2/alerts", json.dumps([alert]).encode())


class NodeRed(Service):
    """http in → 202 at once, and → a switch with as many cases as Alertmanager has routes → http request."""

    name = "node-red"
    ready_path = "/ready"
    package = "node-red@4.1.15"
    cache: ClassVar[Path] = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vigie-bench"

    @classmethod
    def install(cls) -> bool:
        """Installs it through npm into a cache folder. False where there is no npm."""
        if not shutil.which("npm") or not shutil.which("node"):
            return False
        if not cls._program().exists():
            cls.cache.mkdir(parents=True, exist_ok=True)
            npm = ["npm", "install", "--no-audit", "--no-fund", "--omit=dev", "--prefix", str(cls.cache), cls.package]
            subprocess.run(npm, check=True, stdout=subprocess.DEVNULL)
        return True

    @classmethod
    def _program(cls) -> Path:
        return cls.cache / "node_modules" / "node-red" / "red.js"

    def prepare(self, gateway: str) -> None:
        cases = [{"t": "eq", "v": f"r{n:03d}", "vt": "str"} for n in range(ROUTES)]
        tab = {"z": "tab"}
        flow = [
            {"id": "tab", "type": "tab", "label": "alerts"},
            {"id": "asked", "type": "http in", "url": "/ready", "method": "get", "wires": [["up"]], **tab},
            {"id": "up", "type": "http response", "statusCode": "200", "wires": [], **tab},
            {"id": "in", "type": "http in", "url": "/alert", "method": "post", "wires": [["taken", "which"]], **tab},
            {"id": "taken", "type": "http response", "statusCode": "202", "wires": [], **tab},
            {"id": "which", "type": "switch", "property": "payload.rule", "propertyType": "msg", "checkall": "true",
             "outputs": ROUTES, "rules": cases, "wires": [["out"]] * ROUTES, **tab},
            {"id": "out", "type": "http request", "method": "POST", "ret": "txt", "url": f"{gateway}/hook",
             "persist": True, "senderr": False, "wires": [[]], **tab},
        ]  # fmt: skip
        (self.folder / "flows.json").write_text(json.dumps(flow))
        settings = {
            "uiHost": "127.0.0.1",
            "uiPort": self.port,
            "flowFile": "flows.json",
            "userDir": str(self.folder),
            "httpAdminRoot": False,
            "disableEditor": True,
            "credentialSecret": False,
            "telemetry": {"enabled": False},
            "diagnostics": {"enabled": False},
            "logging": {"console": {"level": "off", "metrics": False, "audit": False}},
        }
        (self.folder / "settings.js").write_text("module.exports=" + json.dumps(settings))

    def command(self) -> list[str]:
        return ["node", str(self._program()), "-s", f"{self.folder}/settings.js", "-u", str(self.folder)]

    def request(self, number: int) -> bytes:
        known = _labels(self.run, number, self.opens(number))
        return self.post("/alert", json.dumps({"event": "DiskFull", "severity": "critical", **known}).encode())
