"""The mailbox that replies come to: each mail is read once, and marked as seen when what it says is durable.

How far it has been read is the channel's cursor, `UIDVALIDITY.UID`, made durable with the facts of each mail. Only then
is a mail marked as seen: a crash in between leads to the same facts under the same keys. Somebody who reads the mailbox
by hand hides nothing from the hub.
"""

import asyncio
import contextlib
from collections.abc import Sequence

from connectors.mail.config import MailConfig
from connectors.mail.imap import Account, Session, Watcher
from connectors.mail.reading import BYTES_MAX, Rules, read
from connectors.polling import Sleep, offer, read_aside
from connectors.text import digest
from hub.connector import BadItem, Intake, Item, Unavailable, WorkerLimit


class Mailbox:
    """One mailbox, watched from `start` to `stop`, both on one loop."""

    def __init__(self, config: MailConfig, password: str, rules: Rules, sleep: Sleep = asyncio.sleep) -> None:
        account = Account(
            host=config.imap_host,
            port=config.imap_port,
            security=config.imap_security,
            user=config.imap_user,
            folder=config.imap_folder,
            every_s=config.imap_every_s,
            timeout_s=config.timeout_s,
            ca_file=config.ca_file,
            called="the mailbox of replies",
            user_key="imap user",
            waits="answers by mail wait there",
        )
        self._watcher = Watcher(account, password, _Replies(rules, sleep), rules.channel, sleep)
        self._watching: asyncio.Task[None] | None = None

    def start(self, intake: Intake) -> None:
        self._watching = asyncio.get_running_loop().create_task(self._watcher.run(intake))

    async def stop(self) -> None:
        watching, self._watching = self._watching, None
        if watching is None:
            return
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


class _Replies:
    """Reads every mail behind the cursor, the oldest first."""

    def __init__(self, rules: Rules, sleep: Sleep) -> None:
        self._rules = rules
        self._sleep = sleep
        self._validity = 0
        self._after = 0

    async def begin(self, session: Session, intake: Intake) -> None:
        validity, newest = await session.state()
        cursor = await self._cursor(intake)
        if cursor is None:  # what came before the hub answers nothing of ours
            await offer(intake, (), f"{validity}.{newest}", self._sleep)
            cursor = (validity, newest)
        self._validity = validity
        if cursor[0] != validity:  # the server has numbered its mails anew: those not seen are still to be read
            self._after = 0
            await self._take(session, intake, "UNSEEN")
            cursor = (validity, max(newest, self._after))
        self._after = cursor[1]

    async def take(self, session: Session, intake: Intake) -> None:
        await self._take(session, intake, "")

    async def _take(self, session: Session, intake: Intake, criteria: str) -> None:
        while uids := await session.uids(self._after, criteria):
            for uid in uids:
                raw = (await session.fetch(uid, BYTES_MAX)).raw
                place = f"{self._validity}.{uid}"
                items = await self._read(intake, raw, place) if raw else ()
                await offer(intake, items, place, self._sleep)
                self._after = uid
                await session.flag(uid, r"\Seen")

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
