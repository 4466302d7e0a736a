"""When a server's certificate ends: looked at by a handshake of its own, so that nobody learns of it from silence.

What is wrong with the connection itself is not told here: fetching says so.
"""

import asyncio
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from yarl import URL

from connectors.http import Lookup, is_public, system_lookup

EVERY_S = 24 * 3600.0
WARN = timedelta(days=14)
PATIENCE_S = 10.0


class Certificate:
    """The certificate of the server at an operator's address. `anywhere`: it may be internal. `now` and `clock`: real
    time, as for all that guards a door."""

    def __init__(
        self,
        address: str,
        *,
        anywhere: bool = False,
        context: ssl.SSLContext | None = None,
        lookup: Lookup = system_lookup,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = URL(address)
        self._anywhere = anywhere
        self._context = context
        self._lookup = lookup
        self._now = now
        self._clock = clock
        self._ends: datetime | None = None
        self._looked_s = float("-inf")

    async def expiring(self) -> str:
        """What has to be said of it; "" while it holds for long, or none was seen. Looks once a day."""
        if self._url.scheme != "https" or not self._url.host:
            return ""
        if self._clock() - self._looked_s >= EVERY_S:
            self._looked_s = self._clock()
            try:
                async with asyncio.timeout(PATIENCE_S):
                    self._ends = await self._look(self._url.host, self._url.port or 443)
            except (OSError, TimeoutError, ValueError):
                pass  # it is as it was seen last
        if self._ends is None or self._ends - self._now() >= WARN:
            return ""
        return f"the certificate of {self._url.host} ends on {self._ends:%Y-%m-%d}: have its owner renew it"

    async def _look(self, host: str, port: int) -> datetime | None:
        addresses = await self._lookup(host, port)
        if not self._anywhere and not all(is_public(address) for address in addresses):
            return None
        context = self._context or ssl.create_default_context()
        _, writer = await asyncio.open_connection(addresses[0], port, ssl=context, server_hostname=host)
        try:
            shown = writer.get_extra_info("peercert") or {}
        finally:
            writer.close()
        ends = shown.get("notAfter")
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if ends else None
