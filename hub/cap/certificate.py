"""The room hears in good time that the certificate of the CAP feed expires: by real time, as subscribers see it."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
import trio

from hub.clock import wall
from hub.journal import Journal, JournalUnavailable
from hub.model.records import FactBody, SourceWatched

log = structlog.get_logger(__name__)

EXPIRES = "certificate-expires"
FEED = "cap"  # as whose finding it is told
SOON = timedelta(days=30)
EVERY_S = 3600.0


def watched(not_after: datetime, now: datetime, told: bool) -> SourceWatched | None:
    """What the room is to hear of the certificate; `told`: it has heard that it expires. None: nothing new."""
    left = not_after - now
    if left > SOON:
        return SourceWatched(source=FEED, what=EXPIRES, over=True) if told else None
    if told:
        return None
    when = f"{not_after:%Y-%m-%d %H:%M}Z"
    is_over = f"has expired ({when})" if left <= timedelta() else f"expires in {left.days} days ({when})"
    return SourceWatched(source=FEED, what=EXPIRES, reason=f"the certificate of the CAP feed {is_over}: renew it")


async def watch_certificate(
    not_after: datetime,
    journal: Journal,
    record: Callable[[FactBody], Awaitable[object]],
    now: Callable[[], datetime] = wall,
) -> None:
    """For ever. `record` makes a fact durable; what the room was told before a restart it is not told again."""
    last = await journal.latest("source-watched", f"{EXPIRES}/{FEED}")
    told = last is not None and isinstance(last.body, SourceWatched) and not last.body.over
    while True:
        if found := watched(not_after, now(), told):
            try:
                await record(found)
                told = not found.over
            except JournalUnavailable as error:
                log.error("the room cannot be told", error=str(error))
        await trio.sleep(EVERY_S)
