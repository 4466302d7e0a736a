"""The mailbox that replies come to (IMAP4rev1, RFC 3501): looked into again and again, and at once where the server
tells of new mail (IDLE, RFC 2177).

How far it has been read is the channel's cursor, `UIDVALIDITY.UID`, made durable with the facts of each mail. Only then
is a mail marked as seen: a crash in between leads to the same facts under the same keys. Somebody who reads the mailbox
by hand hides nothing from the hub. IDLE only hastens: it ends after `every` in any case, so a server that forgets us
costs no more than polling does.
"""

import asyncio
import contextlib
import imaplib
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import structlog
from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxLoginError

from connectors.mail.config import MailConfig, Security
from connectors.mail.reading import BYTES_MAX, Rules, read
from connectors.polling import Sleep, offer, read_aside
from connectors.text import digest
from hub.connector import BadItem, Intake, Item, Unavailable, WorkerLimit

_log = structlog.get_logger()
T = TypeVar("T")

_AT_ONCE = 20  # mails fetched together
_PAUSE_S_MAX = 60.0  # between two tries to sign in
_PART_S = 2.0  # how long the thread may take to end
_BROKEN = (imaplib.IMAP4.error, ImapToolsError, OSError)


class Mailbox:
    """One mailbox, watched from `start` to `stop`, both on one loop. Its blocking library runs in a thread of its
    own."""

    def __init__(self, config: MailConfig, password: str, rules: Rules, sleep: Sleep = asyncio.sleep) -> None:
        self._config = config
        self._password = password
        self._rules = rules
        self._sleep = sleep
        self._box: _Box | None = None
        self._watching: asyncio.Task[None] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._failures = 0  # connections in a row that came to nothing
        self._idle_works = True

    def start(self, intake: Intake) -> None:
        self._failures = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"imap {self._rules.channel}")
        self._watching = asyncio.get_running_loop().create_task(self._watch(intake))

    async def stop(self) -> None:
        watching, self._watching = self._watching, None
        if watching is None or self._thread is None:
            return
        watching.cancel()
        if self._box is not None:
            self._box.hang_up()  # else the thread would sit out its wait
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        with contextlib.suppress(TimeoutError):  # while it still connects, that cannot be broken off
            async with asyncio.timeout(_PART_S):
                await self._in_thread(lambda: None)
        self._thread.shutdown(wait=False)

    # --- on the loop ---------------------------------------------------------------------------------------

    async def _watch(self, intake: Intake) -> None:
        """Reads the mailbox for ever, signing in again whenever that is needed. A connection that merely broke is no
        news: the room is told when the next one does not do better."""
        assert self._thread is not None
        while True:
            self._box = box = _Box(self._config, self._password)
            try:
                await self._in_thread(box.open)
                await self._follow(box, intake)
            except Exception as error:  # whatever it is, nobody else would start this again
                self._failures += 1
                if not isinstance(error, _BROKEN):
                    _log.exception("mail.mailbox_fault", channel=self._rules.channel)
                if self._failures > 1:
                    await _tell(intake, "failing", _reason(error))
            finally:
                box.hang_up()
                self._thread.submit(box.close)
            await self._sleep(min(2.0 ** max(0, self._failures - 1), _PAUSE_S_MAX))

    async def _follow(self, box: "_Box", intake: Intake) -> None:
        validity, newest = await self._in_thread(box.state)
        cursor = await self._cursor(intake)
        if cursor is None:  # what came before the hub answers nothing of ours
            await offer(intake, (), f"{validity}.{newest}", self._sleep)
            cursor = (validity, newest)
        if cursor[0] != validity:  # the server has numbered its mails anew: those not seen are still to be read
            await self._take(box, intake, validity, 0, unseen=True)
            cursor = (validity, newest)
        after = cursor[1]
        while True:
            after = await self._take(box, intake, validity, after)
            if self._failures > 1:
                await _tell(intake, "ok", "")
            self._failures = 0
            await self._wait(box)

    async def _take(self, box: "_Box", intake: Intake, validity: int, after: int, unseen: bool = False) -> int:
        """Reads every mail behind `after`, the oldest first; returns the last one's UID."""
        while mails := await self._in_thread(partial(box.newer, after, unseen)):
            for uid, raw in mails:
                place = f"{validity}.{uid}"
                items = await self._read(intake, raw, place) if raw else ()
                await offer(intake, items, place, self._sleep)
                after = uid
                await self._in_thread(partial(box.mark, uid))
        return after

    async def _wait(self, box: "_Box") -> None:
        if not (box.idles and self._idle_works):
            await self._sleep(self._config.imap_every_s)
            return
        try:
            await self._in_thread(partial(box.wait, self._config.imap_every_s))
        except ImapToolsError:
            # It says that it can and answers in another way than the library knows: from now on it is polled.
            self._idle_works = False
            raise

    async def _cursor(self, intake: Intake) -> tuple[int, int] | None:
        while True:
            try:
                text = await intake.cursor()
            except Unavailable:
                await self._sleep(1.0)
                continue
            validity, _, uid = (text or "").partition(".")
            return (int(validity), int(uid)) if validity.isdecimal() and uid.isdecimal() else None

    async def _read(self, intake: Intake, raw: bytes, place: str) -> Sequence[Item]:
        try:
            return await read_aside(intake, read, raw, place, self._rules)
        except WorkerLimit as limit:
            reason = f"this mail could not be read in time ({limit}): look at it, and call whoever sent it"
            key = "mail:" + digest(place) + ":bad"
            return [BadItem(reason=reason, original=raw, key=key, place=place, media_type="message/rfc822")]

    async def _in_thread(self, fn: Callable[[], T]) -> T:
        assert self._thread is not None
        return await asyncio.get_running_loop().run_in_executor(self._thread, fn)


async def _tell(intake: Intake, health: str, reason: str) -> None:
    if reason:
        _log.warning("mail.mailbox_failing", reason=reason)
    with contextlib.suppress(Unavailable):
        await intake.health(health, reason)


def _reason(error: BaseException) -> str:
    """What is wrong with a mailbox, without the server's words."""
    if isinstance(error, MailboxLoginError):
        return "the mailbox of replies: sign-in refused: see `imap user` and its secret"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "the mailbox of replies: its server's certificate is not trusted: see `ca file`"
    return f"the mailbox of replies cannot be read ({type(error).__name__}): answers by mail wait there"


class _Box:
    """A session with the server. Every method but `hang_up` blocks and is called in the one thread."""

    def __init__(self, config: MailConfig, password: str) -> None:
        self._config = config
        self._password = password
        self._box: BaseMailBox | None = None
        self.idles = False

    def open(self) -> None:
        """Signs in and opens the folder. Raises one of _BROKEN."""
        config = self._config
        port = config.imap_port or (993 if config.imap_security is Security.TLS else 143)
        if config.imap_security is Security.NONE:
            self._box = MailBoxUnencrypted(config.imap_host, port, timeout=config.timeout_s)
        else:
            kind = MailBox if config.imap_security is Security.TLS else MailBoxStartTls
            tls = ssl.create_default_context(cafile=config.ca_file or None)
            self._box = kind(config.imap_host, port, timeout=config.timeout_s, ssl_context=tls)
        self._box.login(config.imap_user, self._password, initial_folder=config.imap_folder)
        # What it can do may be said only after signing in.
        self.idles = b"IDLE" in self._command("capability").upper().split()

    def state(self) -> tuple[int, int]:
        """UIDVALIDITY, and the highest UID given out so far."""
        assert self._box is not None
        status = self._box.folder.status(self._config.imap_folder, ["UIDVALIDITY", "UIDNEXT"])
        return status["UIDVALIDITY"], status["UIDNEXT"] - 1

    def newer(self, after: int, unseen: bool) -> list[tuple[int, bytes]]:
        """The next mails behind a UID, the oldest first, each with its beginning (empty where somebody has just deleted
        it). Marks nothing as seen."""
        found = []
        for uid in self._uids(after, unseen)[:_AT_ONCE]:
            parts: list[Any] = self._checked(*self._client.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{BYTES_MAX}>)"))
            raw = next((part[1] for part in parts if isinstance(part, tuple)), b"")
            found.append((uid, bytes(raw)))
        return found

    def mark(self, uid: int) -> None:
        self._checked(*self._client.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)"))

    def wait(self, at_most_s: float) -> None:
        """Returns when the server tells of anything, or after so long."""
        assert self._box is not None
        self._box.idle.wait(timeout=at_most_s)

    def close(self) -> None:
        if self._box is not None:
            with contextlib.suppress(OSError):
                self._box.client.shutdown()
            self._box.client.sock.close()

    def hang_up(self) -> None:
        """Breaks the connection, from whatever thread: what waits on it fails at once."""
        if self._box is not None:
            with contextlib.suppress(OSError):
                self._box.client.sock.shutdown(socket.SHUT_RDWR)

    @property
    def _client(self) -> imaplib.IMAP4:
        assert self._box is not None
        return self._box.client

    def _uids(self, after: int, unseen: bool) -> list[int]:
        """`N:*` always names the last mail, too, so what is not newer is left out (RFC 3501, 6.4.8)."""
        criteria = f"{'UNSEEN ' if unseen else ''}UID {after + 1}:*"
        [found, *_] = self._checked(*self._client.uid("SEARCH", criteria))
        return sorted(uid for uid in map(int, (found or b"").split()) if uid > after)

    def _command(self, name: str) -> bytes:
        [found, *_] = self._checked(*getattr(self._client, name)())
        return bytes(found or b"")

    def _checked(self, status: str, data: list[Any]) -> list[Any]:
        if status != "OK":
            raise imaplib.IMAP4.error(f"the server answered {status}")
        return data
