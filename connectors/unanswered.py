"""What an HTTP request that got no proper answer means for a delivery: whether it may have been taken."""

import asyncio
import email.utils
import os
from datetime import UTC, datetime

import aiohttp

from hub.connector import Dead, Retry

LONGEST_WAIT_S = 3600.0


def unanswered(error: Exception, whom: str) -> Retry | Dead | None:
    """The outcome of a request that ended in `error` (None: not an error of the network). Only where no byte can
    have reached the other side is there no doubt. `whom` is named in the reason."""
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return Dead(reason=f"{whom}: no trusted TLS connection: renew its certificate, or correct the address")
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return Retry(reason=f"{whom}: cannot be reached ({_short(error)})")
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return Dead(reason=f"{whom}: is no address", bad_address=True)
        case asyncio.TimeoutError():
            return Retry(reason=f"{whom}: no answer in time", doubt=True)
        case aiohttp.ClientError() | ConnectionError():
            return Retry(reason=f"{whom}: connection lost before the answer ({_short(error)})", doubt=True)
    return None


def retry_after_s(header: str | None, now: datetime | None = None) -> float | None:
    """Seconds of a Retry-After header (RFC 9110 10.2.3: seconds or a date), at most an hour; None where there is none
    to be understood. `now` is real time."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_WAIT_S)
    try:
        at = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max((at - (now or datetime.now(UTC))).total_seconds(), 0.0), LONGEST_WAIT_S)


def _short(error: Exception) -> str:
    """The kind of error, without the address in it (a reason goes into records)."""
    number = getattr(error, "errno", None)  # strerror may hold the address
    return f"{type(error).__name__}{': ' + os.strerror(number) if isinstance(number, int) and number > 0 else ''}"
