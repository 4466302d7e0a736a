"""What happens in incidents, written into another crisis log: a file for each entry in a folder, or a mail.

A repeat is the same file under the same name, and a mail with the same Message-ID: whoever reads them drops it.
"""

import asyncio
import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import ClassVar

from msgspec import Struct

from connectors.crisislog.entry import Entry, content_of, entry_of, file_name
from connectors.crisislog.follower_config import CrisislogFollowerConfig, Out
from connectors.mail.config import MailConfig
from connectors.mail.mime import BANNERS, LOOP, address, one_line, printable
from connectors.mail.smtp import Postman
from hub.connector import Environment, Followed, Sent
from hub.model.occurrences import IncidentEvent

_SHARE_S = 10.0  # after so long what is taken is answered for, and the rest is handed over again
HANGS_S = 12.0  # a folder that answers no sooner is told
_TYPES = {Out.CSV: ("text", "csv"), Out.JSON: ("application", "x-ndjson")}
_POLICY = SMTP.clone(cte_type="7bit")


class CrisislogFollower:
    """Writes entries, in order."""

    Config: ClassVar[type[Struct]] = CrisislogFollowerConfig

    def __init__(self, config: CrisislogFollowerConfig, environment: Environment, *, hangs_s: float = HANGS_S) -> None:
        self._config = config
        self._hangs_s = hangs_s
        self._writing: asyncio.Future[tuple[int, str]] | None = None
        self._hub = environment.hub
        self._postman: Postman | None = None
        self._half: tuple[str, set[str]] = ("", set())  # an entry that some have taken, and they
        if config.mail is not None:
            password = environment.secret(config.mail.password) if config.mail.password else None
            self._postman = Postman(config.mail, environment.name, password)

    async def open(self) -> None:
        if self._postman is not None:
            self._postman.open()

    async def close(self) -> None:
        if self._postman is not None:
            await self._postman.close()

    async def follow(self, events: Sequence[IncidentEvent]) -> Followed:
        if self._postman is None:
            return await self._into_folder(events)
        assert self._config.mail is not None
        ends_s = asyncio.get_running_loop().time() + _SHARE_S
        for taken, event in enumerate(events):
            if taken and asyncio.get_running_loop().time() >= ends_s:
                return Followed(taken=taken)
            if reason := await self._mailed(event, self._postman, self._config.mail):
                return Followed(taken=taken, reason=reason)
        return Followed(taken=len(events))

    async def _into_folder(self, events: Sequence[IncidentEvent]) -> Followed:
        """A folder that hangs is waited for by one thread only, however often it is tried again."""
        files = [(file_name(event, self._config), content_of(event, self._config, self._hub)) for event in events]
        silent = Followed(taken=0, reason=f"the folder {self._config.folder}: does not answer")
        if self._writing is not None and not (await asyncio.wait({self._writing}, timeout=self._hangs_s))[0]:
            return silent
        self._writing = asyncio.ensure_future(asyncio.to_thread(write, self._config.folder, files))
        if not (await asyncio.wait({self._writing}, timeout=self._hangs_s))[0]:
            return silent
        taken, reason = self._writing.result()
        self._writing = None
        return Followed(taken=taken, reason=reason)

    async def _mailed(self, event: IncidentEvent, postman: Postman, mail: MailConfig) -> str:
        """Why it was not taken by all; "" where it was. Who has taken it does not get it again with each new try for
        the others."""
        if self._half[0] != event.id:
            self._half = (event.id, set())
        taken = self._half[1]
        made = compose(event, self._config, mail, self._hub)
        for to in self._config.to:
            if to in taken:
                continue
            answer = await postman.hand_over(made, str(address(to).addr_spec))
            if not isinstance(answer, Sent):
                return answer.reason
            taken.add(to)
        return ""


def compose(event: IncidentEvent, config: CrisislogFollowerConfig, server: MailConfig, hub: str) -> EmailMessage:
    """The mail of an entry: its sentence, its record, and the file."""
    entry: Entry = entry_of(event, config)
    banner = BANNERS.get(event.status, {}).get(config.language, "")
    mail = EmailMessage(policy=_POLICY)
    domain = str(address(parseaddr(server.sender)[1]).domain)
    mail["Message-ID"] = f"<log.{event.id.replace('/', '.')}@{domain}>"
    mail["Date"] = format_datetime(event.at)
    mail["From"] = server.sender
    mail["To"] = [address(to) for to in config.to]
    if server.reply_to:
        mail["Reply-To"] = server.reply_to
    headline = one_line(entry.headline)
    mail["Subject"] = f"[{banner}] {headline}" if banner else headline
    mail["Auto-Submitted"] = "auto-generated"
    mail[LOOP[0]] = LOOP[1]
    lines = (banner, entry.headline, entry.text, f"{entry.at}\n{entry.incident}\n{entry.id}")
    mail.set_content(printable("\n\n".join(filter(None, lines))) + "\n")
    kind, detail = _TYPES.get(config.format, ("application", "xml"))
    mail.add_attachment(
        content_of(event, config, hub), maintype=kind, subtype=detail, filename=file_name(event, config)
    )
    return mail


def write(folder: str, files: Sequence[tuple[str, bytes]]) -> tuple[int, str]:
    """Puts files into a folder: each whole or not at all, on the disk before it has its name. Answers how many, and why
    not the rest. Blocks."""
    taken, reason = 0, ""
    try:
        here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        return 0, f"the folder {folder}: {error.strerror or error}"
    try:
        for name, content in files:
            try:
                _put(here, name, content)
            except OSError as error:
                reason = f"the folder {folder}: {error.strerror or error}"
                break
            taken += 1
        _settle(here)
    except OSError as error:
        return 0, f"the folder {folder}: {error.strerror or error}"
    finally:
        os.close(here)
    return taken, reason


def _put(here: int, name: str, content: bytes) -> None:
    """Under a name that readers leave alone, until it is on the disk."""
    unfinished = f".{name}.tmp"
    with suppress(FileNotFoundError):
        os.unlink(unfinished, dir_fd=here)  # of a hub that was killed
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(unfinished, flags, 0o664, dir_fd=here)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(unfinished, name, src_dir_fd=here, dst_dir_fd=here)
    except OSError:
        with suppress(OSError):
            os.unlink(unfinished, dir_fd=here)
        raise


def _settle(here: int) -> None:
    """The names are on the disk too; some network folders have nothing to settle."""
    try:
        os.fsync(here)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
