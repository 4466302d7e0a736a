"""Watching a mailbox (IMAP4rev1, RFC 3501): looked into again and again, and at once where the server tells of new
mail (IDLE, RFC 2177). What is made of its mails is somebody else's: the channel reads answers (mailbox.py), the source
signals (inbox.py).

IDLE only hastens: it ends after `every_s` in any case, so a server that forgets us costs no more than polling does.
"""

import asyncio
import contextlib
import imaplib
import re
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from typing import Any, Protocol, TypeVar

import structlog
from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxLoginError
from imap_tools.idle import get_socket_poller
from imap_tools.utils import encode_folder
from msgspec import Struct

from connectors.mail.config import Security
from connectors.polling import Sleep
from hub.connector import Intake, Unavailable

_log = structlog.get_logger()
T = TypeVar("T")

IDLE_S_MAX = 1500.0  # RFC 2177: at least every 29 minutes it is to be asked for again
_PAUSE_S_MAX = 60.0  # between two tries to sign in
_PART_S = 2.0  # how long the thread may take to end
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_SEPARATOR = re.compile(rb'^\([^)]*\) "([^"\\])"')
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Refused(Exception):
    """The server answered NO or BAD to a command."""


class IdleRefused(Exception):
    """The server says that it can IDLE, and does not do it: it is polled from now on."""


_BROKEN = (Refused, IdleRefused, imaplib.IMAP4.error, ImapToolsError, OSError)


class Account(Struct, frozen=True, kw_only=True):
    """Where a mailbox is. `called`, `user_key` and `waits` are words for the room: what it is, which setting names its
    user, and what waits there while it cannot be read."""

    host: str
    port: int
    security: Security
    user: str
    folder: str
    every_s: float
    timeout_s: float
    ca_file: str = ""
    called: str = "the mailbox"
    user_key: str = "user"
    waits: str = "what comes by mail waits there"


class Mail(Struct, frozen=True):
    """A mail's beginning (all of it, where it is no longer than was asked for), and how many bytes it has. Empty where
    somebody has just deleted it."""

    raw: bytes
    size: int


class Reader(Protocol):
    """What is done with a mailbox that is open."""

    async def begin(self, session: "Session", intake: Intake) -> None:
        """Called once for each connection, before the first `take`."""
        ...

    async def take(self, session: "Session", intake: Intake) -> None:
        """Reads all there is to read; called again whenever there may be more."""
        ...


class Watcher:
    """Keeps one mailbox open, signing in again whenever that is needed. Its blocking library runs in a thread of its
    own."""

    def __init__(self, account: Account, password: str, reader: Reader, name: str, sleep: Sleep) -> None:
        self._account = account
        self._password = password
        self._reader = reader
        self._name = name
        self._sleep = sleep
        self._failures = 0  # connections in a row that came to nothing
        self._idle_works = True

    async def run(self, intake: Intake) -> None:
        """Watches until cancelled. A connection that merely broke is no news: the room is told when the next one does
        not do better."""
        self._failures = 0
        thread = ThreadPoolExecutor(1, thread_name_prefix=f"imap {self._name}")
        try:
            while True:
                await self._one_connection(Session(self._account, self._password, thread), intake)
                await self._sleep(min(2.0 ** max(0, self._failures - 1), _PAUSE_S_MAX))
        finally:
            with contextlib.suppress(TimeoutError):  # while it still connects, that cannot be broken off
                async with asyncio.timeout(_PART_S):
                    await asyncio.get_running_loop().run_in_executor(thread, lambda: None)
            thread.shutdown(wait=False)

    async def _one_connection(self, session: "Session", intake: Intake) -> None:
        try:
            await session.open()
            await self._reader.begin(session, intake)
            while True:
                await self._reader.take(session, intake)
                if self._failures > 1:
                    await self._tell(intake, "ok", "")
                self._failures = 0
                await self._wait(session)
        except IdleRefused as error:
            self._idle_works = False
            await self._failed(error, intake)
        except Exception as error:  # whatever it is, nobody else would start this again
            await self._failed(error, intake)
        finally:
            session.hang_up()  # else the thread would sit out its wait
            session.close()

    async def _failed(self, error: Exception, intake: Intake) -> None:
        self._failures += 1
        if not isinstance(error, _BROKEN):
            _log.exception("mail.mailbox_fault", connector=self._name)
        if self._failures > 1:
            reason = _reason(error, self._account)
            _log.warning("mail.mailbox_failing", connector=self._name, reason=reason)
            await self._tell(intake, "failing", reason)

    async def _tell(self, intake: Intake, health: str, reason: str) -> None:
        with contextlib.suppress(Unavailable):
            await intake.health(health, reason)

    async def _wait(self, session: "Session") -> None:
        if session.idles and self._idle_works:
            await session.wait(self._account.every_s)
        else:
            await self._sleep(self._account.every_s)


def _reason(error: BaseException, account: Account) -> str:
    """What is wrong with a mailbox, without the server's words."""
    if isinstance(error, MailboxLoginError):
        return f"{account.called}: sign-in refused: see `{account.user_key}` and its secret"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{account.called}: its server's certificate is not trusted: see `ca file`"
    return f"{account.called} cannot be read ({type(error).__name__}): {account.waits}"


class Session:
    """One connection. Every method but `hang_up` and `close` waits for the thread; what they raise is one of the
    library's errors, OSError, or one of this module's."""

    def __init__(self, account: Account, password: str, thread: ThreadPoolExecutor) -> None:
        self._box = _Box(account, password)
        self._thread = thread

    @property
    def idles(self) -> bool:
        return self._box.idles

    async def open(self) -> None:
        await self._in_thread(self._box.open)

    async def state(self) -> tuple[int, int]:
        """UIDVALIDITY, and the highest UID given out so far."""
        return await self._in_thread(self._box.state)

    async def uids(self, after: int, criteria: str = "") -> list[int]:
        """The mails behind a UID that meet the criteria (RFC 3501, 6.4.4), the oldest first."""
        return await self._in_thread(partial(self._box.uids, after, criteria))

    async def fetch(self, uid: int, bytes_max: int) -> Mail:
        """A mail, or its beginning. Marks nothing as seen."""
        return await self._in_thread(partial(self._box.fetch, uid, bytes_max))

    async def flag(self, uid: int, flag: str) -> None:
        await self._in_thread(partial(self._box.flag, uid, flag))

    async def move(self, uid: int, folder: str) -> None:
        """Into another folder, which is made where it is not there; `/` stands for the server's own separator."""
        await self._in_thread(partial(self._box.move, uid, folder))

    async def wait(self, at_most_s: float) -> None:
        """Returns when the server tells of anything, or after so long. Raises IdleRefused."""
        await self._in_thread(partial(self._box.wait, at_most_s))

    def hang_up(self) -> None:
        """Breaks the connection, from whatever thread: what waits on it fails at once."""
        self._box.hang_up()

    def close(self) -> None:
        """Lets go of it, when the thread comes to it."""
        self._thread.submit(self._box.close)

    async def _in_thread(self, fn: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, fn)


def since(day: date) -> str:
    """The criterion for mails that arrived on a day or later, by the server's own calendar."""
    return f"SINCE {day.day}-{_MONTHS[day.month - 1]}-{day.year}"


class _Box:
    """The same, blocking, in the one thread."""

    def __init__(self, account: Account, password: str) -> None:
        self._account = account
        self._password = password
        self._box: BaseMailBox | None = None
        self._can: frozenset[bytes] = frozenset()

    @property
    def idles(self) -> bool:
        return b"IDLE" in self._can

    def open(self) -> None:
        """Signs in and opens the folder."""
        account = self._account
        port = account.port or (993 if account.security is Security.TLS else 143)
        if account.security is Security.NONE:
            self._box = MailBoxUnencrypted(account.host, port, timeout=account.timeout_s)
        else:
            kind = MailBox if account.security is Security.TLS else MailBoxStartTls
            tls = ssl.create_default_context(cafile=account.ca_file or None)
            self._box = kind(account.host, port, timeout=account.timeout_s, ssl_context=tls)
        self._box.login(account.user, self._password, initial_folder=account.folder)
        # What it can do may be said only after signing in.
        [found, *_] = _checked(*self._client.capability())
        self._can = frozenset(bytes(found or b"").upper().split())

    def state(self) -> tuple[int, int]:
        assert self._box is not None
        status = self._box.folder.status(self._account.folder, ["UIDVALIDITY", "UIDNEXT"])
        return status["UIDVALIDITY"], status["UIDNEXT"] - 1

    def uids(self, after: int, criteria: str) -> list[int]:
        """`N:*` always names the last mail, too, so what is not newer is left out (RFC 3501, 6.4.8). A mail that comes
        while the server searches may be told with the answer to that, and then never again, not in IDLE either: so it
        is asked once more."""
        client = self._client
        while True:
            client.untagged_responses.pop("EXISTS", None)
            [found, *_] = _checked(*client.uid("SEARCH", f"{criteria} UID {after + 1}:*".strip()))
            if not client.untagged_responses.get("EXISTS"):
                return sorted(uid for uid in map(int, (found or b"").split()) if uid > after)

    def fetch(self, uid: int, bytes_max: int) -> Mail:
        parts = _checked(*self._client.uid("FETCH", str(uid), f"(RFC822.SIZE BODY.PEEK[]<0.{bytes_max}>)"))
        raw = next((bytes(part[1]) for part in parts if isinstance(part, tuple)), b"")
        said = b" ".join(part[0] if isinstance(part, tuple) else part or b"" for part in parts)
        size = _SIZE.search(said)
        return Mail(raw, int(size[1]) if size else len(raw))

    def flag(self, uid: int, flag: str) -> None:
        _checked(*self._client.uid("STORE", str(uid), "+FLAGS.SILENT", f"({flag})"))

    def move(self, uid: int, folder: str) -> None:
        [said, *_] = _checked(*self._client.list('""', '""'))
        separator = _SEPARATOR.search(bytes(said or b""))
        if separator:
            folder = folder.replace("/", separator[1].decode())
        name = encode_folder(folder).decode("ascii")
        try:
            self._move(uid, name)
        except Refused:  # most likely it is not there
            self._client.create(name)
            self._move(uid, name)

    def _move(self, uid: int, name: str) -> None:
        """MOVE (RFC 6851); without it a copy, and only this mail deleted: a bare EXPUNGE would take others along."""
        if b"MOVE" in self._can:
            _checked(*self._client.uid("MOVE", str(uid), name))
            return
        _checked(*self._client.uid("COPY", str(uid), name))
        self.flag(uid, r"\Deleted")
        if b"UIDPLUS" in self._can:
            _checked(*self._client.uid("EXPUNGE", str(uid)))

    def wait(self, at_most_s: float) -> None:
        """IDLE. News may stand before the server's `+`, or in the same packet behind it, where no poll of the socket
        would show it: both end the wait at once."""
        client = self._client
        tag = client._command("IDLE")  # imaplib offers no IDLE before Python 3.14
        news = False
        while client._get_response() is not None:  # None is the `+`
            if client.tagged_commands.get(tag):
                raise IdleRefused
            news = True
        if not (news or self._has_read_ahead()):
            get_socket_poller(client.sock, int(at_most_s) if at_most_s >= 1 else 1)
        client.send(b"DONE\r\n")
        assert self._box is not None
        self._box.consume_until_tagged_response(tag)

    def _has_read_ahead(self) -> bool:
        sock = self._client.sock
        timeout = sock.gettimeout()
        sock.settimeout(0)
        try:
            return bool(self._client.file.peek(1))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            sock.settimeout(timeout)

    def close(self) -> None:
        if self._box is not None:
            with contextlib.suppress(OSError):
                self._box.client.shutdown()
            self._box.client.sock.close()

    def hang_up(self) -> None:
        if self._box is not None:
            with contextlib.suppress(OSError):
                self._box.client.sock.shutdown(socket.SHUT_RDWR)

    @property
    def _client(self) -> Any:
        assert self._box is not None
        return self._box.client


def _checked(status: str, data: list[Any]) -> list[Any]:
    if status != "OK":
        raise Refused(f"the server answered {status}")
    return data
