"""One Twilio account: the SDK's asynchronous client, its requests to us checked, its words understood."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import aiohttp
import structlog
from msgspec import Meta, Struct
from multidict import MultiDict
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from connectors.twilio.codes import refused
from connectors.unanswered import retry_after_s, unanswered
from hub.connector import Answer, Environment, Item, Outgoing, Retry, Unavailable, WebRequest, WebResponse

_log = structlog.get_logger()

XML = "text/xml; charset=utf-8"
# Twilio tries a callback that failed again when its address asks for it (connection overrides); the fragment is
# neither sent nor signed.
TRY_AGAIN = "#rc=5&rp=5xx,ct,rt"
_KNOWN = 20_000  # provider ids remembered, to tell our own deliveries apart when settling
_MOST_FIELDS = 200  # of a form; Twilio sends about thirty
_UNDER_WAY = timedelta(seconds=3)  # a request cut off by a crash may take effect so long after
_SKEW = timedelta(seconds=5)  # between Twilio's clock and ours


class TwilioConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What SMS and voice share. Example: `account: AC0123...`, `tokens: [TWILIO_TOKEN]`, `sender: +32460001122`."""

    account: Annotated[
        str, Meta(pattern="^AC", description="Account SID", examples=["AC00000000000000000000000000000000"])
    ]
    tokens: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            description="Names of the secrets with the auth token; two while it is replaced, new first",
            examples=["TWILIO_TOKEN"],
        ),
    ]
    sender: Annotated[
        str, Meta(description="E.164 number, short code or (SMS) up to 11 letters", examples=["+32450000000"])
    ] = ""
    api: Annotated[
        str, Meta(description="Where the API is, when not at Twilio (a stand-in)", examples=["https://api.twilio.com"])
    ] = ""
    connections: Annotated[int, Meta(ge=1, description="Requests under way at the same time")] = 100
    timeout_s: Annotated[float, Meta(gt=0, description="How long to wait for an answer, seconds")] = 15.0
    public: Annotated[
        bool,
        Meta(description="no: nobody outside can reach this hub; Twilio is asked for replies and statuses instead"),
    ] = True
    poll_s: Annotated[float, Meta(ge=5, le=600, description="Without `public`: how often it is asked, seconds")] = 30.0
    poll_asks_s: Annotated[
        float, Meta(ge=0.5, le=60, description="Without `public`: how often while an answer is awaited, seconds")
    ] = 2.0
    requests_per_second: Annotated[
        float, Meta(gt=0, le=100, description="Without `public`: requests a second at most, for asking")
    ] = 5.0


class Http(AsyncTwilioHttpClient):  # type: ignore[misc]  # the SDK has no types
    """The SDK's asynchronous HTTP client on a session of ours: bounded, with time-outs, without its log (which holds
    numbers and texts), and with `Retry-After` kept (the SDK's exception loses it)."""

    def __init__(self, username: str, password: str, connections: int, timeout_s: float) -> None:
        super().__init__(pool_connections=False)
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections),
            timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=timeout_s / 3),
            headers={"Authorization": aiohttp.encode_basic_auth(username, password, encoding="utf-8")},
        )

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """As the SDK's own; `auth` is on the session already. Raises Later for 429 and 503."""
        assert self.session is not None
        async with self.session.request(
            method.upper(), url, params=params, data=data, headers=headers, allow_redirects=allow_redirects
        ) as response:
            if response.status in (429, 503):
                raise Later(response.status, retry_after_s(response.headers.get("Retry-After")))
            return Response(response.status, await response.text(), response.headers)


class Later(Exception):
    """Twilio has taken nothing and asks to be tried again."""

    def __init__(self, status: int, after_s: float | None) -> None:
        super().__init__(f"HTTP {status}")
        self.status, self.after_s = status, after_s


# What is raised where a list or a resource cannot be had; the last four by the SDK, of a 2xx that holds something else.
NOT_HAD = (
    *(TwilioException, Later, aiohttp.ClientError, TimeoutError, OSError),
    *(ValueError, KeyError, TypeError, AttributeError),
)


class Account:
    """An account as one channel uses it. `open`, `close` and all requests on one loop; `form`, `record` and `remember`
    may be called on another."""

    def __init__(self, config: TwilioConfig, environment: Environment) -> None:
        self.config = config
        self.name = environment.name
        self._tokens = [environment.secret(name) for name in config.tokens]
        self._validators = [RequestValidator(token) for token in self._tokens]
        public = environment.public_url.rstrip("/")
        self._public_url = public if config.public and public.startswith(("https://", "http://")) else ""
        self._http: Http | None = None
        self._client: Any = None
        # Requests go out on one loop and callbacks come in on another: what both touch is locked.
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, int]] = {}  # provider's id → the delivery it is of, oldest first
        self._fresh_doubts: dict[tuple[str, int], None] = {}  # attempts of this process whose answer was just lost

    async def open(self) -> None:
        self._http = Http(self.config.account, self._tokens[0], self.config.connections, self.config.timeout_s)
        self._client = Client(self.config.account, self._tokens[0], http_client=self._http)
        if self.config.api:
            self._client.api.base_url = self.config.api.rstrip("/")

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    @property
    def client(self) -> Any:
        """The SDK's client (untyped)."""
        if self._client is None:
            raise RuntimeError(f"channel {self.name}: open() comes before everything else")
        return self._client

    # --- to Twilio -----------------------------------------------------------------------------------------

    def callback(self, what: str, outgoing: Outgoing, query: str = "") -> str | None:
        """The public address Twilio is to call about a delivery; None where the hub has none."""
        if not self._public_url:
            return None
        delivery = f"{quote(outgoing.order, safe='')}/{outgoing.index}"
        return f"{self._public_url}/{what}/{delivery}{'?' + query if query else ''}{TRY_AGAIN}"

    async def hand_over(self, outgoing: Outgoing, request: Callable[[], Awaitable[Any]]) -> tuple[str, Answer | None]:
        """Makes the request that creates a message or a call: its id, or the answer where it was not taken."""
        answer: Answer | None
        try:
            made = await request()
        except TwilioRestException as error:
            answer = refused(error, outgoing.nth)
        except Later as later:
            answer = Retry(reason=f"Twilio: {later}", after_s=later.after_s)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            answer = unanswered(error, "Twilio")
            if answer is None:
                raise
        except (TwilioException, ValueError, KeyError, TypeError, AttributeError) as error:
            # A 2xx whose body cannot be understood: most likely taken.
            answer = Retry(reason=f"Twilio: answer not understood ({type(error).__name__})", doubt=True)
        else:
            self.remember(made.sid, outgoing.order, outgoing.index)
            return made.sid, None
        if isinstance(answer, Retry) and answer.doubt:
            if len(self._fresh_doubts) >= _KNOWN:
                self._fresh_doubts.clear()
            self._fresh_doubts[(outgoing.order, outgoing.index)] = None
        return "", answer

    def remember(self, sid: str, order: str, index: int) -> None:
        """That the provider's `sid` is this delivery."""
        with self._lock:
            if sid not in self._known and len(self._known) >= _KNOWN:
                del self._known[next(iter(self._known))]
            self._known[sid] = (order, index)

    def sid_of(self, outgoing: Outgoing) -> str:
        """The provider's id of a delivery of which this process has heard (an answer or a callback); `""` else."""
        wanted = (outgoing.order, outgoing.index)
        with self._lock:
            return next((sid for sid, delivery in reversed(self._known.items()) if delivery == wanted), "")

    async def find(
        self,
        outgoing: Outgoing,
        listed: Callable[[], Awaitable[Sequence[Any]]],
        same: Callable[[Any], bool],
        now: datetime,
        pause_s: float,
    ) -> tuple[Any | None, bool]:
        """Looks an attempt in doubt up in Twilio's own list: (the message or call, whether the list could be read).
        Asked again after `pause_s` before it counts as absent, where the request may still be under way.

        Hub time may be another date (a playback), so the window is counted back from now on both clocks."""
        age = max(now - outgoing.since, timedelta()) if outgoing.since else timedelta(days=1)
        earliest = datetime.now(UTC) - age - _SKEW
        wanted = (outgoing.order, outgoing.index)
        fresh = wanted in self._fresh_doubts or age < _UNDER_WAY
        self._fresh_doubts.pop(wanted, None)
        for again in (True, False) if fresh else (False,):
            try:
                found = await listed()
            except NOT_HAD as error:
                _log.warning("twilio.settle_failed", channel=self.name, error=type(error).__name__)
                return None, False
            for thing in found:
                with self._lock:
                    ours = thing.sid not in outgoing.others and self._known.get(thing.sid, wanted) == wanted
                if ours and (thing.date_created is None or thing.date_created >= earliest) and same(thing):
                    self.remember(thing.sid, *wanted)
                    return thing, True
            if again:
                await asyncio.sleep(pause_s)
        return None, True

    # --- from Twilio ---------------------------------------------------------------------------------------

    def form(self, request: WebRequest) -> Mapping[str, str] | None:
        """The parameters of a request signed by Twilio; None when it is not (X-Twilio-Signature: HMAC-SHA1 over the
        public URL and the sorted parameters, with and without the port; a JSON body by its bodySHA256)."""
        signature = request.headers.get("x-twilio-signature", "")
        try:
            text = request.body.decode()
        except UnicodeDecodeError:
            return None
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        given: Any
        if media_type == "application/json":
            if "bodySHA256" not in parse_qs(urlsplit(request.url).query):
                return None
            given, form = text, MultiDict[str]()
        else:
            try:
                given = form = MultiDict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
            except ValueError:
                return None
        if not any(validator.validate(request.url, given, signature) for validator in self._validators):
            _log.warning("twilio.bad_signature", channel=self.name, path=request.path)
            return None
        return form

    async def record(self, offer: Callable[[Sequence[Item]], Awaitable[Any]], items: Sequence[Item]) -> bool:
        """Whether the items are durable now."""
        try:
            await offer(items)
        except Unavailable as why:
            _log.error("twilio.not_recorded", channel=self.name, why=str(why))
            return False
        return True


FORBIDDEN = WebResponse(status=403, body=b"X-Twilio-Signature does not match: check the public URL and the token\n")
NO_CONTENT = WebResponse(status=204)
# Twilio tries again (see TRY_AGAIN).
NOT_NOW = WebResponse(status=503, body=b"cannot be recorded now\n", headers={"retry-after": "5"})
