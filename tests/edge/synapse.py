"""A real Synapse (the Matrix homeserver) on a free loopback port, with SQLite, started and stopped by the tests.

It lives in a virtual environment of its own (tools/install-system), so that it weighs on nothing of ours; where it is
not there, the tests are skipped and named.
"""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from msgspec import Struct

from tests.conftest import ROOT
from tests.edge.nats_servers import free_ports

PROGRAM = ROOT / ".venv" / "synapse" / "bin" / "synapse_homeserver"
NOT_FOUND = "Synapse not found (tools/install-system)"
DOMAIN = "vigie.test"
_SECRET = "registration-of-the-tests"
_STARTS_IN_S = 90.0

# Limits as strict as they can be: who is not freed of them by an administrator may send once in five minutes.
_CONFIG = {
    "server_name": DOMAIN,
    "registration_shared_secret": _SECRET,
    "macaroon_secret_key": "m",
    "form_secret": "f",
    "report_stats": False,
    "trusted_key_servers": [],
    "bcrypt_rounds": 4,
    "rc_message": {"per_second": 0.003, "burst_count": 1},
    "presence": {"enabled": False},
}


class Account(Struct, frozen=True):
    user_id: str
    token: str


class Synapse:
    """One homeserver: its process can be stopped and started again on the same database and port."""

    def __init__(self, folder: Path) -> None:
        [self.port] = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._names = 0
        key = base64.b64encode(os.urandom(32)).decode().rstrip("=")
        (folder / "signing.key").write_text(f"ed25519 a_vigie {key}\n")
        listener = {
            "port": self.port,
            "type": "http",
            "bind_addresses": ["127.0.0.1"],
            "resources": [{"names": ["client"]}],
        }
        config = {
            **_CONFIG,
            "listeners": [listener],
            "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
            "media_store_path": str(folder / "media"),
            "signing_key_path": str(folder / "signing.key"),
            "pid_file": str(folder / "pid"),
        }
        (folder / "homeserver.yaml").write_text(json.dumps(config))  # JSON is YAML
        self._admin = Account("", "")

    def start(self) -> None:
        """Returns once it listens."""
        command = [str(PROGRAM), "-c", "homeserver.yaml"]
        process = subprocess.Popen(command, cwd=self._folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._process = process
        listens = threading.Event()
        threading.Thread(target=self._copy_log, args=(process, listens), daemon=True).start()
        if not listens.wait(_STARTS_IN_S) or process.poll() is not None:
            self.stop()
            raise AssertionError("Synapse does not start:\n" + (self._folder / "log").read_text()[-3000:])
        if not self._admin.token:
            self._admin = self.register("admin", admin=True)

    def _copy_log(self, process: subprocess.Popen[bytes], listens: threading.Event) -> None:
        assert process.stdout is not None
        with process.stdout, (self._folder / "log").open("ab") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                if b"now listening on" in line:
                    listens.set()
        listens.set()  # it has ended, as a stopped one does

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def account(self, name: str) -> Account:
        """A new account under no limits. A number is added to the name, so that every test has its own."""
        self._names += 1
        made = self.register(f"{name}{self._names}")
        self.limited(made, False)
        return made

    def register(self, name: str, *, admin: bool = False) -> Account:
        nonce = self.ask("GET", "/_synapse/admin/v1/register")["nonce"]
        words = "\0".join([nonce, name, "pw", "admin" if admin else "notadmin"])
        mac = hmac.new(_SECRET.encode(), words.encode(), hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": name, "password": "pw", "admin": admin, "mac": mac}
        made = self.ask("POST", "/_synapse/admin/v1/register", body)
        return Account(made["user_id"], made["access_token"])

    def limited(self, account: Account, limited: bool) -> None:
        """Whether the account is under the limits of `_CONFIG`."""
        path = f"/_synapse/admin/v1/users/{quote(account.user_id)}/override_ratelimit"
        none = {"messages_per_second": 0, "burst_count": 0}
        self.ask("DELETE" if limited else "POST", path, None if limited else none, self._admin)

    def ask(self, method: str, path: str, body: Any = None, account: Account | None = None) -> Any:
        """A request straight to the server, answered before anything else goes on. Raises urllib's HTTPError."""
        headers = {"Content-Type": "application/json"}
        if account is not None:
            headers["Authorization"] = f"Bearer {account.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def use_up(self, account: Account, room: str) -> None:
        """Puts an account under the limits, and uses up what they leave it."""
        self.limited(account, True)
        path = f"/_matrix/client/v3/rooms/{quote(room)}/send/m.room.message/use-up-"
        for number in range(20):
            try:
                self.ask("PUT", f"{path}{number}", {"msgtype": "m.notice", "body": "-"}, account)
            except urllib.error.HTTPError as error:
                error.close()
                if error.code == 429:
                    return
                raise
        raise AssertionError("the homeserver sets no limits")


@contextmanager
def running(folder: Path) -> Iterator[Synapse]:
    """A homeserver. Skips where the program is missing."""
    if not PROGRAM.exists():
        pytest.skip(NOT_FOUND)
    server = Synapse(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
