"""The REST API, as the twilio SDK speaks it."""

import asyncio
import base64
import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web
from multidict import MultiDictProxy

from .network import Network
from .resources import (
    API,
    ApiError,
    Call,
    CallRequest,
    Message,
    call_json,
    in_period,
    message_json,
    page_json,
)
from .voice import Jump

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HEADERS = {401: {"WWW-Authenticate": 'Basic realm="Twilio API"'}, 503: {"Retry-After": "7"}}
LATE = frozenset({"answer_lost", "answer_stalled"})


class RestApi:
    """Messages and Calls of one account. max_rate: requests a second above which it answers 429."""

    def __init__(self, network: Network, account: str, token: str, max_rate: float | None = None) -> None:
        self._network, self._account, self._token = network, account, token
        self._max_rate, self._room, self._filled_at = max_rate, 0.0, float("-inf")
        self.watchers: list[Callable[[], None]] = []
        """Called as each request comes in, whatever fault it meets."""

    def routes(self) -> list[web.RouteDef]:
        messages, calls = f"{API}/{{account}}/Messages", f"{API}/{{account}}/Calls"
        return [
            web.post(f"{messages}.json", self._guarded(self._send)),
            web.get(f"{messages}.json", self._guarded(self._list_messages)),
            web.get(f"{messages}/{{sid}}.json", self._guarded(self._show_message)),
            web.post(f"{messages}/{{sid}}.json", self._guarded(self._change_message)),
            web.delete(f"{messages}/{{sid}}.json", self._guarded(self._delete_message)),
            web.post(f"{calls}.json", self._guarded(self._dial)),
            web.get(f"{calls}.json", self._guarded(self._list_calls)),
            web.get(f"{calls}/{{sid}}.json", self._guarded(self._show_call)),
            web.post(f"{calls}/{{sid}}.json", self._guarded(self._change_call)),
            web.route("*", "/2010-04-01/{rest:.*}", self._guarded(self._missing)),
        ]

    def _guarded(self, handler: Callable[[web.Request], Awaitable[web.Response]]) -> Handler:
        """Around every handler: faults, authentication, errors in Twilio's form."""

        async def handle(request: web.Request) -> web.StreamResponse:
            fault = self._network.exchange.dice.request()
            for watcher in self.watchers:
                watcher()
            if fault == "refused":
                return cut(request)
            if fault == "garbled":
                return web.json_response([])
            if fault == "hangs":
                return await _stall()
            try:
                if fault == "error_500":
                    raise ApiError(500, 20500, "Internal Server Error")
                if fault == "too_many" or not self._has_room():
                    raise ApiError(429, 20429, "Too Many Requests")
                if fault == "unavailable":
                    raise ApiError(503, 20503, "Service Unavailable")
                self._check_account(request)
                response = await handler(request)
            except ApiError as error:
                headers = HEADERS.get(error.status, {})
                response = web.json_response(error.form(), status=error.status, headers=headers)
            if fault == "answer_lost":
                return cut(request)
            if fault == "answer_stalled":
                return await _stall()
            return response

        return handle

    def _has_room(self) -> bool:
        """A token bucket of one second's worth, at least one request."""
        if self._max_rate is None:
            return True
        now = asyncio.get_running_loop().time()
        self._room = min(max(1.0, self._max_rate), self._room + (now - self._filled_at) * self._max_rate)
        self._filled_at = now
        if self._room < 1:
            return False
        self._room -= 1
        return True

    def _check_account(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, basic_auth(self._account, self._token).encode()):
            raise ApiError(401, 20003, "Authenticate")
        if request.match_info.get("account", self._account) != self._account:
            raise ApiError(401, 20003, "Authenticate")

    # Messages

    async def _send(self, request: web.Request) -> web.Response:
        form = await request.post()
        message = self._network.send(
            to=text(form, "To") or "",
            sender=text(form, "From"),
            body=text(form, "Body") or "",
            service_sid=text(form, "MessagingServiceSid"),
            status_callback=_url(form, "StatusCallback"),
        )
        return web.json_response(message_json(message, self._account), status=201)

    async def _list_messages(self, request: web.Request) -> web.Response:
        query = request.query
        # By DateSent, the newest first; what has not been sent yet, by when it was made.
        newest_first = sorted(self._network.messages.values(), key=lambda m: m.sent or m.created)[::-1]
        found = [
            message
            for message in newest_first
            if query.get("To") in (None, message.to)
            and query.get("From") in (None, message.sender)
            and in_period(message.sent, "DateSent", query)
        ]
        return web.json_response(page_json(found, self._message, "messages", request.path, query))

    def _message(self, message: Message) -> dict[str, object]:
        return message_json(message, self._account)

    async def _show_message(self, request: web.Request) -> web.Response:
        return web.json_response(self._message(_find(self._network.messages, request)))

    async def _change_message(self, request: web.Request) -> web.Response:
        message: Message = _find(self._network.messages, request)
        form = await request.post()
        if "Status" in form:
            if (status := text(form, "Status")) != "canceled":
                raise ApiError(400, 20001, f"Invalid Status: {status}")
            self._network.cancel_message(message)
        if "Body" in form:
            if form["Body"] != "":
                raise ApiError(400, 20001, "Body can only be redacted: send an empty one")
            message.body = ""
        return web.json_response(self._message(message))

    async def _delete_message(self, request: web.Request) -> web.Response:
        message: Message = _find(self._network.messages, request)
        if message.status in ("accepted", "queued", "sending"):
            raise ApiError(409, 20009, "Cannot delete this resource before it is complete")
        del self._network.messages[message.sid]
        return web.Response(status=204)

    # Calls

    async def _dial(self, request: web.Request) -> web.Response:
        form = await request.post()
        events = {str(event) for value in form.getall("StatusCallbackEvent", []) for event in str(value).split()}
        if unknown := events - {"initiated", "ringing", "answered", "completed"}:
            raise ApiError(400, 21626, f"Invalid StatusCallbackEvent: {', '.join(sorted(unknown))}")
        call = self._network.dial(
            CallRequest(
                to=text(form, "To") or "",
                sender=text(form, "From") or "",
                url=text(form, "Url"),
                method=_method(form, "Method"),
                twiml=text(form, "Twiml"),
                fallback_url=_url(form, "FallbackUrl"),
                fallback_method=_method(form, "FallbackMethod"),
                status_callback=_url(form, "StatusCallback"),
                status_callback_method=_method(form, "StatusCallbackMethod"),
                events=frozenset(events or {"completed"}),
                machine_detection=text(form, "MachineDetection"),
                async_amd=(text(form, "AsyncAmd") or "").lower() == "true",
                async_amd_callback=_url(form, "AsyncAmdStatusCallback"),
                async_amd_callback_method=_method(form, "AsyncAmdStatusCallbackMethod"),
                timeout_s=_seconds(form, "Timeout", 60.0),
                time_limit_s=_seconds(form, "TimeLimit", 14400.0),
            )
        )
        return web.json_response(call_json(call, self._account), status=201)

    async def _list_calls(self, request: web.Request) -> web.Response:
        query = request.query
        found = [
            call
            for call in reversed(self._network.calls.values())
            if query.get("To") in (None, call.request.to)
            and query.get("From") in (None, call.request.sender)
            and query.get("Status") in (None, self._call(call)["status"])
            and in_period(call.start, "StartTime", query)
            and in_period(call.end, "EndTime", query)
        ]
        return web.json_response(page_json(found, self._call, "calls", request.path, query))

    def _call(self, call: Call) -> dict[str, object]:
        return call_json(call, self._account)

    async def _show_call(self, request: web.Request) -> web.Response:
        return web.json_response(self._call(_find(self._network.calls, request)))

    async def _change_call(self, request: web.Request) -> web.Response:
        """Stand a call down (Status), or give it another script (Url or Twiml)."""
        call: Call = _find(self._network.calls, request)
        form = await request.post()
        run = self._network.runs.get(call.sid)
        status = text(form, "Status")
        if status not in (None, "completed", "canceled"):
            raise ApiError(400, 20001, f"Invalid Status: {status}")
        if run is None or not call.alive:
            raise ApiError(400, 21220, "Call is not in-progress. Cannot redirect.")
        if status == "completed" or (status == "canceled" and call.status != "in-progress"):
            run.stand_down()
            await run.finished.wait()
        elif status is None:
            run.redirect(Jump(_url(form, "Url"), _method(form, "Method"), {}, text(form, "Twiml")))
        return web.json_response(self._call(call))

    async def _missing(self, request: web.Request) -> web.Response:
        raise _not_found(request)


def basic_auth(account: str, token: str) -> str:
    """The Authorization header of an account."""
    return "Basic " + base64.b64encode(f"{account}:{token}".encode()).decode()


def cut(request: web.BaseRequest) -> web.Response:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _stall() -> web.Response:
    """Never answer. The server cancels this when the client goes away or the simulator stops."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("a future nobody completes was completed")


def _find(kept: Mapping[str, Any], request: web.Request) -> Any:
    found = kept.get(request.match_info["sid"])
    if found is None:
        raise _not_found(request)
    return found


def _not_found(request: web.Request) -> ApiError:
    return ApiError(404, 20404, f"The requested resource {request.path} was not found")


def text(form: MultiDictProxy[Any], name: str) -> str | None:
    """A form field; None when it is missing or empty."""
    value = form.get(name)
    return str(value) if value not in (None, "") else None


def _url(form: MultiDictProxy[Any], name: str) -> str | None:
    value = text(form, name)
    if value is not None and not value.startswith(("http://", "https://")):
        raise ApiError(400, 21609, f"The '{name}' URL {value} is not a valid URL.")
    return value


def _method(form: MultiDictProxy[Any], name: str) -> str:
    value = (text(form, name) or "POST").upper()
    if value not in ("GET", "POST"):
        raise ApiError(400, 20001, f"Invalid {name}: {value}")
    return value


def _seconds(form: MultiDictProxy[Any], name: str, default: float) -> float:
    value = text(form, name)
    if value is None:
        return default
    if not value.isdecimal():
        raise ApiError(400, 20001, f"Invalid {name}: {value}")
    return float(value)
