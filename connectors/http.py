"""Polite and careful HTTP for sources, also answers that do not end: bounded in size and time, never led astray.

Where an address comes from decides where it may lead. An address that an operator configured is used as it stands,
but must be public unless its config says `internal: true`. An address found inside a feed, and every redirect, must
be public: loopback, private, link-local, unique-local, metadata, multicast and reserved addresses are refused, in
every spelling (numbers, IPv4 inside IPv6). The check is made where the connection is made, in the resolver, so a name
that resolves differently a moment later leads nowhere else. An origin configured as internal may link to itself.
"""

import asyncio
import ipaddress
import re
import socket
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec import Struct
from yarl import URL

from connectors.taped import Listened, Socket, Told
from connectors.text import BYTES_MAX
from hub.connector import NO_TAPE, Tape
from hub.model.recording import KEPT_HEADERS, kept, without_secrets

REDIRECTS_MAX = 5
_ACCEPT = "application/cap+xml, application/atom+xml, application/rss+xml, application/xml, application/json, */*;q=0.5"
_CHUNK = 64 * 1024
# IPv4 addresses hidden in IPv6 ones: NAT64 (RFC 6052), 6to4 (RFC 3056; bits 16-47), IPv4-compatible.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")

_FIGURES = re.compile(r"[0-9.]+|[^:]*:.*|(?:0[xX])?[0-9a-fA-F.]*0[xX][0-9a-fA-FxX.]*")

Lookup = Callable[[str, int], Awaitable[list[str]]]


class Fetched(Struct, frozen=True, kw_only=True):
    """An answer with status 200 or 304. `body` is decompressed; empty when `unchanged`. `url` is where it came from
    after redirects. `link`: its Link header (RFC 8288)."""

    url: str
    unchanged: bool = False
    body: bytes = b""
    media_type: str = ""
    charset: str = ""
    etag: str = ""
    last_modified: str = ""
    link: str = ""


class FetchFailed(Exception):
    """No usable answer. `retry_after_s`: what the server asked for. `gone`: 410, this address will not come back.
    `lasting`: the same request will fail the same way (4xx, refused address, too large). `status`: what it answered
    with, 0 where it did not."""

    def __init__(
        self,
        reason: str,
        *,
        retry_after_s: float | None = None,
        gone: bool = False,
        lasting: bool = False,
        status: int = 0,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.retry_after_s = retry_after_s
        self.gone = gone
        self.lasting = lasting


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet; false for all that is internal, and for what is none."""
    try:
        ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        hidden = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if hidden is None and (ip in _NAT64 or ip in _COMPATIBLE):
            hidden = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if hidden is not None:
            ip = hidden
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


async def system_lookup(host: str, port: int) -> list[str]:
    """The addresses of a host by the system's resolver."""
    infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


class _PublicOnly(AbstractResolver):
    """Gives the connector only checked addresses, and all of a host's addresses must pass: a mixed answer is a trap."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = await self._lookup(host, port)
        for address in addresses:
            if not is_public(address):
                raise _Internal(host, address)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        return


class _Internal(Exception):
    """Not an OSError: aiohttp would dress that up as a connection error, and it would be tried again."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(f"{host} is the internal address {address}")


_BROKEN = (_Internal, aiohttp.ClientError, OSError, ValueError)


def _broken(url: URL, error: Exception, patience_s: float) -> FetchFailed:
    if isinstance(error, TimeoutError):
        return FetchFailed(f"{url} did not answer within {patience_s:g} s")
    if isinstance(error, _Internal):
        return FetchFailed(f"{url} leads inside: {error}: refused", lasting=True)
    return FetchFailed(f"{url} cannot be reached: {error or type(error).__name__}")


class Fetcher:
    """Fetches for one source; an async context manager. Keeps cookies from nobody, uses no proxy and no netrc.

    `configured` is the operator's address: `authorization` is sent to its origin (scheme, host, port) only, and with
    `internal` that origin may be internal. `allow_internal` lifts the rule altogether (playback, tests). `tape`: where
    what is fetched is recorded. `through`: a playback's address, to which everything goes instead of where it is meant
    for (`https://host/path` is `THROUGH/host/path` there); no `authorization` goes with it.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        timeout_s: float = 30.0,
        bytes_max: int = BYTES_MAX,
        configured: str = "",
        internal: bool = False,
        allow_internal: bool = False,
        authorization: str = "",
        lookup: Lookup = system_lookup,
        tape: Tape = NO_TAPE,
        through: str = "",
    ) -> None:
        self._agent = user_agent if "/" in user_agent else f"{user_agent}/{_version()} (alerting hub; feed reader)"
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(timeout_s, 10.0))
        self._bytes_max = bytes_max
        self._own = URL(configured).origin() if configured else None
        self._internal = internal
        self._allow_internal = allow_internal
        self._authorization = authorization
        self._lookup = lookup
        self._tape = tape
        self._through = through.rstrip("/")
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def get(self, address: str, *, etag: str = "", last_modified: str = "") -> Fetched:
        """One GET, conditional where `etag` or `last_modified` (of an earlier answer) is given, following up to
        REDIRECTS_MAX redirects. Raises FetchFailed for every other outcome than 200 and 304."""
        headers = {}
        if (etag or last_modified) and self._tape.lacks(without_secrets(address.strip())):
            etag = last_modified = ""  # a recording begins with the whole of it, not with "unchanged"
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        try:
            url = URL(address.strip())
        except ValueError:
            raise FetchFailed(f"{address[:200]!r} is no address", lasting=True) from None
        for _ in range(REDIRECTS_MAX + 1):
            answer = await self._step(url, headers)
            if isinstance(answer, Fetched):
                return answer
            if url.scheme == "https" and answer.scheme == "http":
                raise FetchFailed(f"{url} redirects from https to http: refused", lasting=True)
            url = answer
        raise FetchFailed(f"{address} redirects more than {REDIRECTS_MAX} times", lasting=True)

    async def _step(self, url: URL, conditions: dict[str, str]) -> Fetched | URL:
        told = Told()
        try:
            answer = await self._ask(url, conditions, told)
        except FetchFailed as error:
            self._record(url, told, error.reason)
            raise
        self._record(url, told)
        return answer

    async def _ask(self, url: URL, conditions: dict[str, str], told: Told) -> Fetched | URL:
        session, led = self._session_for(url), self._led(url)
        try:
            async with session.get(led, headers=conditions | self._proof(url), allow_redirects=False) as response:
                told.status, told.headers = response.status, kept(response.headers, KEPT_HEADERS)
                if response.status in (301, 302, 303, 307, 308):
                    return _target(url, response.headers.get("Location", ""))
                if response.status == 304:
                    return Fetched(url=str(url), unchanged=True, etag=conditions.get("If-None-Match", ""))
                if response.status != 200:
                    raise _refused(url, response)
                body = told.body = await self._body(url, response)
                return Fetched(
                    url=str(url),
                    body=body,
                    media_type=response.content_type or "",
                    charset=response.charset or "",
                    etag=response.headers.get("ETag", "")[:500],
                    last_modified=response.headers.get("Last-Modified", "")[:100],
                    link=response.headers.get("Link", "")[:4000],
                )
        except (TimeoutError, *_BROKEN) as error:
            raise _broken(url, error, self._timeout.total or 0.0) from error

    def _record(self, url: URL, told: Told, error: str = "") -> None:
        if self._tape.runs:
            self._tape.heard(told.exchange(str(url), error))

    def _led(self, url: URL) -> URL:
        """Where a request goes: where it is meant to, or to the playback in its place."""
        if not self._through:
            return url
        return URL(f"{self._through}/{url.raw_authority.rpartition('@')[2]}{url.raw_path_qs}", encoded=True)

    @asynccontextmanager
    async def stream(self, address: str, *, accept: str, quiet_s: float) -> AsyncIterator[AsyncIterator[bytes]]:
        """One GET whose answer does not end: its pieces as they come. No redirect is followed. Raises FetchFailed for
        every other status than 200 and every other media type than `accept`, when it breaks, and when nothing came
        for `quiet_s`."""
        url = URL(address)
        headers = {"Accept": accept, "Accept-Encoding": "identity", **self._proof(url)}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._timeout.sock_connect, sock_read=quiet_s)
        asked = self._session_for(url).get(self._led(url), headers=headers, allow_redirects=False, timeout=timeout)
        told = Listened(self._tape, str(url))
        async with AsyncExitStack() as opened:
            with told.until_it_ends():
                try:
                    response = await opened.enter_async_context(asked)
                except (TimeoutError, *_BROKEN) as error:
                    raise _broken(url, error, quiet_s) from error
                told.opened(response.status, kept(response.headers, KEPT_HEADERS))
                if response.status != 200:
                    raise _refused(url, response)
                if response.content_type != accept:
                    raise FetchFailed(f"{url} answers with {response.content_type or 'nothing'}: no {accept}")
                yield told.pieces(_pieces(url, response.content, quiet_s))

    @asynccontextmanager
    async def websocket(self, address: str, *, quiet_s: float, bytes_max: int) -> AsyncIterator[Socket]:
        """A websocket (RFC 6455). No redirect is followed. It is asked for a sign of life (a ping) every half of
        `quiet_s` in which it says nothing, and closes itself where there is none. Raises FetchFailed when it cannot be
        had or breaks."""
        url = URL(address)
        plain = url.with_scheme({"ws": "http", "wss": "https"}.get(url.scheme, url.scheme))
        asked = self._session_for(plain).ws_connect(
            self._led(plain), headers=self._proof(plain), heartbeat=quiet_s / 2, max_msg_size=bytes_max
        )
        told = Listened(self._tape, str(url))
        async with AsyncExitStack() as opened:
            with told.until_it_ends():
                try:
                    socket = await opened.enter_async_context(asked)
                except aiohttp.WSServerHandshakeError as error:
                    raise FetchFailed(f"{url} answers {error.status} {error.message}: no websocket") from error
                except (TimeoutError, *_BROKEN) as error:
                    raise _broken(url, error, self._timeout.total or quiet_s) from error
                told.opened(101, {})
                yield Socket(socket, told)

    def _proof(self, url: URL) -> dict[str, str]:
        """The Authorization header, for the configured origin only."""
        ours = self._authorization and self._own == url.origin() and not self._through
        return {"Authorization": self._authorization} if ours else {}

    def _session_for(self, url: URL) -> aiohttp.ClientSession:
        if url.scheme not in ("http", "https") or not url.host:
            raise FetchFailed(f"{url} is not http(s): refused", lasting=True)
        open_to_all = bool(self._through) or self._allow_internal or (self._internal and url.origin() == self._own)
        # An address written as a figure is never looked up, so the resolver does not see it.
        if not open_to_all and _FIGURES.fullmatch(url.host) and not is_public(url.host):
            raise FetchFailed(f"{url} leads inside: {url.host} is an internal address: refused", lasting=True)
        if open_to_all not in self._sessions:
            connector = aiohttp.TCPConnector(resolver=None if open_to_all else _PublicOnly(self._lookup), limit=8)
            self._sessions[open_to_all] = aiohttp.ClientSession(
                connector=connector,
                timeout=self._timeout,
                auto_decompress=False,  # done here, so that the limit holds for what comes out
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                trace_configs=[_no_redirect()],
                headers={"User-Agent": self._agent, "Accept": _ACCEPT, "Accept-Encoding": "gzip, deflate"},
            )
        return self._sessions[open_to_all]

    async def _body(self, url: URL, response: aiohttp.ClientResponse) -> bytes:
        """The body, decompressed; given up as soon as it is too large, before or after decompression."""
        too_large = FetchFailed(f"{url} is larger than {self._bytes_max} bytes: not read further", lasting=True)
        if (response.content_length or 0) > self._bytes_max:
            raise too_large
        chunks: AsyncIterator[bytes] = aiter(response.content.iter_chunked(_CHUNK))
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding in ("gzip", "x-gzip", "deflate"):
            chunks = _inflated(chunks, encoding, self._bytes_max)
        elif encoding not in ("", "identity"):
            raise FetchFailed(f"{url} answers in the encoding {encoding[:40]!r}: only gzip and deflate are read")
        body = bytearray()
        try:
            async for chunk in chunks:
                body += chunk
                if len(body) > self._bytes_max:
                    raise too_large
        except zlib.error as error:
            raise FetchFailed(f"{url} sends damaged {encoding} data: {error}") from None
        return bytes(body)


async def _inflated(chunks: AsyncIterator[bytes], encoding: str, bytes_max: int) -> AsyncIterator[bytes]:
    """Decompresses in pieces of bounded size, however much a few bytes blow up to."""
    inflate = zlib.decompressobj(wbits=47 if encoding != "deflate" else 15)
    first = True
    async for chunk in chunks:
        data = chunk
        if first and encoding == "deflate" and data[:1] and data[0] & 0x0F != 8:
            inflate = zlib.decompressobj(wbits=-15)  # raw deflate, as some servers send it
        first = False
        while data and not inflate.eof:
            yield inflate.decompress(data, min(_CHUNK * 4, bytes_max + 1))
            data = inflate.unconsumed_tail
    yield inflate.flush()
    if not inflate.eof:
        raise zlib.error("the stream is cut short")


async def _pieces(url: URL, content: aiohttp.StreamReader, quiet_s: float) -> AsyncIterator[bytes]:
    pieces = content.iter_any()
    while True:
        try:
            piece = await anext(pieces, b"")
        except (TimeoutError, *_BROKEN) as error:
            raise _broken(url, error, quiet_s) from error
        if not piece:
            return
        yield piece


def _no_redirect() -> aiohttp.TraceConfig:
    """Refuses what aiohttp would follow by itself (a websocket's handshake): where it leads was not looked at."""

    async def refuse(_: aiohttp.ClientSession, __: object, params: aiohttp.TraceRequestRedirectParams) -> None:
        raise FetchFailed(f"{params.url} redirects: refused, correct the address", lasting=True)

    config = aiohttp.TraceConfig()
    config.on_request_redirect.append(refuse)
    return config


def _target(url: URL, location: str) -> URL:
    try:
        return url.join(URL(location))
    except ValueError:
        raise FetchFailed(f"{url} redirects to what is no address", lasting=True) from None


def _refused(url: URL, response: aiohttp.ClientResponse) -> FetchFailed:
    status = response.status
    if status == 410:
        return FetchFailed(
            f"{url} is gone (410): ask the publisher for the new address", gone=True, lasting=True, status=410
        )
    headers = response.headers
    # Mastodon and others say when their limit is lifted as an instant (X-RateLimit-Reset).
    later = "" if status != 429 else headers.get("X-RateLimit-Reset", "")
    retry_after_s = _retry_after_s(headers.get("Retry-After", later), headers.get("Date", ""))
    reason = f"{url} answers {status} {response.reason or ''}".strip()
    return FetchFailed(
        reason,
        retry_after_s=retry_after_s,
        lasting=400 <= status < 500 and status not in (408, 425, 429),
        status=status,
    )


def _retry_after_s(value: str, date: str) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3): a number, or a date (ISO 8601 too), taken against the
    server's own."""
    if re.fullmatch(r"\d{1,9}", value.strip()):
        return float(value)
    try:
        until = datetime.fromisoformat(value) if re.match(r"\d{4}-", value) else parsedate_to_datetime(value)
        now = parsedate_to_datetime(date) if date else datetime.now(UTC)
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):
        return None


def _version() -> str:
    try:
        return version("vigie")
    except PackageNotFoundError:
        return "0"
