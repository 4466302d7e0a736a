"""A tiny SMTP server: takes every mail, counts it and keeps it as a file, so that mails really go out in the demo."""

import asyncio
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """`start`, `stop`; `count` mails came, each is in `folder` as NNNN.eml."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server: asyncio.Server | None = None
        self.count = 0
        self.port = 0

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self, hostname="demo.invalid", loop=loop), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 # aiosmtpd's name
        self.count += 1
        content: Any = envelope.content
        data = content if isinstance(content, bytes) else str(content).encode()
        (self._folder / f"{self.count:04}.eml").write_bytes(data)
        return "250 OK"
