"""Requests the simulator makes to the hub: form posts signed as Twilio signs them."""

import base64
import hmac
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha1
from urllib.parse import urldefrag, urlencode

import aiohttp
import msgspec
from yarl import URL

TIMEOUT_S = 15.0  # Twilio's own limit for a webhook
KEPT = 20_000


def signature(token: str, url: str, params: Mapping[str, str | Sequence[str]]) -> str:
    """X-Twilio-Signature: base64(HMAC-SHA1(token, URL + each key, sorted, with its distinct values, sorted))."""
    text = url
    for key in sorted(params):
        values = params[key]
        distinct = {values} if isinstance(values, str) else set(values)
        text += "".join(key + value for value in sorted(distinct))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), sha1).digest()).decode()


class Answer(msgspec.Struct, frozen=True):
    """What the hub answered."""

    status: int
    content_type: str
    body: bytes


class WebhookError(Exception):
    """The request brought no usable answer; the text says which URL and why."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """One request made to the hub, for tests to look at."""

    url: str
    method: str
    form: dict[str, str]
    signature: str
    status: int | None
    """The HTTP status of the answer, None when there was none."""
    error: str | None = None


class Webhooks:
    """Makes signed requests; keeps the last ones in `sent`."""

    def __init__(self, token: str, timeout_s: float = TIMEOUT_S) -> None:
        self.sent: deque[Sent] = deque(maxlen=KEPT)
        self.watchers: list[Callable[[], None]] = []
        """Called after each request, answered or not."""
        self._token = token
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(timeout=self._timeout)

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, url: str, form: Mapping[str, str], method: str = "POST") -> Answer:
        """Make one signed request and return its answer, if that is a 2xx one.

        With GET the form goes into the query and the signature covers the whole URL, with POST it is the
        body. Raises WebhookError for no answer within the limit or another status.
        """
        if self._session is None:
            raise RuntimeError("webhooks: start() first")
        url = urldefrag(url).url
        if method == "GET":
            url += ("&" if "?" in url else "?") + urlencode(form)
        posted = {} if method == "GET" else dict(form)
        signed = signature(self._token, url, posted)
        headers = {"X-Twilio-Signature": signed, "User-Agent": "TwilioProxy/1.1", "Accept": "*/*"}
        status: int | None = None
        error: str | None = None
        try:
            # encoded=True: the URL goes out exactly as it was signed.
            async with self._session.request(
                method,
                URL(url, encoded=True),
                data=posted if method == "POST" else None,
                headers=headers,
                allow_redirects=False,
            ) as response:
                status = response.status
                body = await response.read()
                if not 200 <= status < 300:
                    error = f"HTTP {status}"
                return_value = Answer(status, response.content_type, body)
        except (TimeoutError, aiohttp.ClientError, ValueError) as problem:
            error = f"{type(problem).__name__}: {problem}"
        self.sent.append(Sent(url=url, method=method, form=dict(form), signature=signed, status=status, error=error))
        for watcher in self.watchers:
            watcher()
        if error is not None:
            raise WebhookError(f"11200: {method} {url}: {error}")
        return return_value
