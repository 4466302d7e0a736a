"""A real IMAP server (dovecot) on a free loopback port with mailboxes of its own, started and stopped by the tests."""

import contextlib
import grp
import imaplib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.nats_servers import free_ports

PROGRAM = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
USER, PASSWORD = "answers@example.org", "s3cret-imap"

_CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
{tls}
disable_plaintext_auth = no
auth_failure_delay = 0
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 1
mail_location = maildir:{folder}/mail
{capability}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class ImapServer:
    """One server with one mailbox. `idles`: whether it offers IDLE; `tls`: its certificate and key (PEM files)."""

    def __init__(self, folder: Path, *, idles: bool = True, tls: tuple[str, str] | None = None) -> None:
        self.port, self.tls_port = free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None
        me = pwd.getpwuid(os.getuid())
        # dovecot gives no mailbox to root; its own users come with its package.
        owner = me if me.pw_uid else pwd.getpwnam("nobody")
        mail = folder / "mail"
        mail.mkdir()
        if not me.pw_uid:
            os.chown(mail, owner.pw_uid, owner.pw_gid)
            folder.chmod(0o711)
        root = me.pw_uid == 0
        self._config, self._log = folder / "dovecot.conf", folder / "log"
        self._config.write_text(
            _CONFIG.format(
                folder=folder,
                port=self.port,
                tls_port=self.tls_port if tls else 0,
                tls=f"ssl = yes\nssl_cert = <{tls[0]}\nssl_key = <{tls[1]}" if tls else "ssl = no",
                password=PASSWORD,
                uid=owner.pw_uid,
                gid=owner.pw_gid,
                internal="dovecot" if root else me.pw_name,
                login="dovenull" if root else me.pw_name,
                group="dovecot" if root else grp.getgrgid(me.pw_gid).gr_name,
                capability="" if idles else "imap_capability = IMAP4rev1 LITERAL+ UIDPLUS",
            )
        )

    def start(self) -> None:
        """Returns once it answers."""
        self._process = subprocess.Popen(
            [str(PROGRAM), "-F", "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        pause, ends = threading.Event(), time.monotonic() + 40
        while not self._answers():
            assert self._process.poll() is None, f"dovecot ended: {self._log.read_text()}"
            assert time.monotonic() < ends, f"dovecot does not answer: {self._log.read_text()}"
            pause.wait(0.02)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as link:
                return link.recv(4) == b"* OK"
        except OSError:
            return False

    def stop(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)  # told to stop, it would wait ten seconds for its clients
            self._process.wait(30)
            self._process = None

    @contextlib.contextmanager
    def client(self, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        """As somebody with a mail program."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=20)
        try:
            client.login(USER, PASSWORD)
            client.select(f'"{folder}"')
            yield client
        finally:
            client.logout()

    def deliver(self, mail: bytes, folder: str = "INBOX") -> None:
        with self.client() as client:
            status, answer = client.append(folder, "", "", mail)
            assert status == "OK", answer

    def seen(self, folder: str = "INBOX") -> int:
        """How many mails are marked as seen."""
        with self.client(folder) as client:
            return len(client.search(None, "SEEN")[1][0].split())


def works() -> str:
    """Why there is no such server here; `""` where there is."""
    if PROGRAM is None:
        return "dovecot not found"
    version = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=False).stdout
    return "" if version.startswith("2.3.") else f"dovecot {version.split()[:1]} is not 2.3, whose settings are known"


@contextlib.contextmanager
def imap_server(*, idles: bool = True, tls: tuple[str, str] | None = None) -> Iterator[ImapServer]:
    """A server that runs. Skips where the program is missing."""
    if why := works():
        pytest.skip(why)
    # Not pytest's folder: the paths of its sockets would be too long.
    with tempfile.TemporaryDirectory(prefix="imap") as folder:
        server = ImapServer(Path(folder), idles=idles, tls=tls)
        server.start()
        try:
            yield server
        finally:
            server.stop()
