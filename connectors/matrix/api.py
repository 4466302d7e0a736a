"""The few requests of the Matrix client-server API (v1.x, `/_matrix/client/v3`) that the channel makes.

Every request ends in bytes decoded to the struct that was asked for, or raises: `Refused` where the homeserver says no,
aiohttp's errors where it says nothing. Nothing is tried again here: that is dispatch's business, or the listener's.
"""

import re
import ssl
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from msgspec import Struct
from yarl import URL

from connectors.unanswered import LONGEST_WAIT_S, retry_after_s, unanswered
from hub.connector import Answer, Dead, Retry

T = TypeVar("T")

_CODE = re.compile(r"[A-Za-z0-9_.]{1,60}")
_BYTES_MAX = 64 << 20
# What the account itself may no longer do, whoever is written to (client-server API, "Standard error response").
_ACCOUNT = frozenset(
    {
        "M_UNKNOWN_TOKEN",
        "M_MISSING_TOKEN",
        "M_USER_DEACTIVATED",
        "M_USER_LOCKED",
        "M_USER_SUSPENDED",
        "M_CONSENT_NOT_GIVEN",
        "M_RESOURCE_LIMIT_EXCEEDED",
    }
)


class Refused(Exception):
    """The homeserver answered, and not with what was asked for. `code`: Matrix's own (`M_FORBIDDEN`), `""` where there
    is none; `after_s`: how long it asks to be left alone."""

    def __init__(self, status: int, code: str = "", after_s: float | None = None) -> None:
        super().__init__(f"{status} {code}".strip())
        self.status, self.code, self.after_s = status, code, after_s


# What a request may end in besides its answer. ValueError: an address that aiohttp cannot make a request of.
FAILED = (Refused, aiohttp.ClientError, TimeoutError, OSError, ValueError)


class _Error(Struct, frozen=True):
    errcode: str = ""
    retry_after_ms: float | None = None


class _Nothing(Struct, frozen=True):
    """An answer of which nothing is needed."""


class Api:
    """One account at one homeserver. `open`, `close` and all requests on one loop."""

    def __init__(
        self, homeserver: str, token: str, agent: str, *, connections: int, timeout_s: float, ca_file: str = ""
    ) -> None:
        self._base = homeserver.rstrip("/") + "/_matrix/client/v3"
        self._headers = {"Authorization": f"Bearer {token}", "User-Agent": agent}
        self._connections = connections
        self._timeout_s = timeout_s
        self._ca_file = ca_file
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"Api({self._base})"

    async def open(self) -> None:
        trusted: ssl.SSLContext | bool = True
        if self._ca_file:
            trusted = ssl.create_default_context(cafile=self._ca_file)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections + 1, ssl=trusted),  # one is the listener's
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def get(self, kind: type[T], *path: str, query: Mapping[str, str] | None = None, wait_s: float = 0.0) -> T:
        """`wait_s`: how long the homeserver was asked to wait for something new before it answers."""
        return await self._request("GET", kind, path, query=query, wait_s=wait_s)

    async def put(self, kind: type[T], *path: str, body: Any) -> T:
        return await self._request("PUT", kind, path, body=body)

    async def post(self, kind: type[T], *path: str, body: Any) -> T:
        return await self._request("POST", kind, path, body=body)

    async def tell(self, method: str, *path: str, body: Any) -> None:
        """A request of whose answer nothing is needed."""
        await self._request(method, _Nothing, path, body=body)

    async def _request(
        self,
        method: str,
        kind: type[T],
        path: tuple[str, ...],
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        wait_s: float = 0.0,
    ) -> T:
        assert self._session is not None, "open() comes before everything else"
        parts = "/".join(quote(part, safe="") for part in path)
        asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in (query or {}).items())
        url = URL(f"{self._base}/{parts}{'?' + asked if asked else ''}", encoded=True)
        async with self._session.request(
            method,
            url,
            data=None if body is None else msgspec.json.encode(body),
            headers={} if body is None else {"Content-Type": "application/json"},
            timeout=aiohttp.ClientTimeout(total=self._timeout_s + wait_s, sock_connect=self._timeout_s / 3),
            allow_redirects=False,
        ) as response:
            content = await _body(response)
            if response.status != 200:
                raise _refused(response, content)
        try:
            return msgspec.json.decode(content, type=kind)
        except msgspec.MsgspecError as error:
            # Something between us and the homeserver answered in its place; what it did with the request is not known.
            raise Refused(502, "answer.not.understood") from error


async def _body(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > _BYTES_MAX:
            raise Refused(502, "answer.too.large")
    return bytes(content)


def _refused(response: aiohttp.ClientResponse, content: bytes) -> Refused:
    try:
        error = msgspec.json.decode(content, type=_Error)
    except msgspec.MsgspecError:
        error = _Error()
    after_s = retry_after_s(response.headers.get("Retry-After"))
    if error.retry_after_ms is not None:  # older servers say it here only
        after_s = min(max(error.retry_after_ms / 1000, 0.0), LONGEST_WAIT_S)
    return Refused(response.status, error.errcode if _CODE.fullmatch(error.errcode) else "", after_s)


def meaning(error: Exception) -> Answer | None:
    """What a request that failed means for a delivery; None where the error is none of the outside's."""
    if not isinstance(error, Refused):
        answer = unanswered(error, "Matrix")
        # No delivery's address is in the way: whatever is wrong for good is wrong with the homeserver's.
        return Dead(reason=answer.reason, alarm=True) if isinstance(answer, Dead) else answer
    reason = f"Matrix: {error}"
    if error.status == 429 or error.code == "M_LIMIT_EXCEEDED":
        return Retry(reason=reason, after_s=error.after_s)
    if error.status >= 500 or error.status == 408:
        return Retry(reason=reason, after_s=error.after_s, doubt=True)
    if error.status == 401 or error.code in _ACCOUNT:
        return Dead(reason=f"{reason}: the hub's account is not let in: renew its access token", alarm=True)
    if 300 <= error.status < 400:
        return Dead(reason=f"{reason}: the homeserver has moved: correct `homeserver`", alarm=True)
    if error.status == 403:
        return Dead(reason=f"{reason}: the hub's account may not write there: invite it, or give it the right")
    if error.status == 413:
        return Dead(reason=f"{reason}: the message is too long")
    return Dead(reason=reason)
