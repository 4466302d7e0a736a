"""The `mail` source: the permanence's mailboxes, each new mail a signal."""

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

from msgspec import Struct

from connectors.mail.imap import Account, Watcher
from connectors.mail.inbox import Inbox
from connectors.mail.inbox_config import InboxConfig
from connectors.mail.inbox_reading import read_mail, with_original
from connectors.polling import Sleep
from hub.connector import BadItem, Environment, Intake, Route, SignalItem

_NOBODYS = InboxConfig(host="mail.invalid", user="nobody", password="NONE")  # noqa: S106 # the name of no secret


class MailSource:
    """Offers a signal for each new mail of a mailbox; see docs/mailboxes.md."""

    Config: ClassVar[type[Struct]] = InboxConfig

    def __init__(self, config: InboxConfig, environment: Environment, *, sleep: Sleep = asyncio.sleep) -> None:
        account = Account(
            host=config.host,
            port=config.port,
            security=config.security,
            user=config.user,
            folder=config.folder,
            every_s=config.every_s,
            timeout_s=config.timeout_s,
            ca_file=config.ca_file,
        )
        inbox = Inbox(config, environment.name, sleep, environment.tape)
        self._watcher = Watcher(account, environment.secret(config.password), inbox, environment.name, sleep)

    async def run(self, intake: Intake) -> None:
        await self._watcher.run(intake)

    def routes(self, intake: Intake) -> Sequence[Route]:
        return ()

    @classmethod
    def read(cls, data: bytes, name: str, config: Any = None) -> Sequence[SignalItem | BadItem]:
        """A mail in a file (.eml), as the source would read it; without a source, as a stranger's."""
        made = config if isinstance(config, InboxConfig) else _NOBODYS
        reading = read_mail(data, len(data), name, made, None)
        if reading.ignored:
            key = f"mail-ignored:{name}:{reading.ignored}"
            return [BadItem(reason=f"no signal is made of it: {reading.why}", original=data, key=key)]
        return with_original(reading.items, data)
