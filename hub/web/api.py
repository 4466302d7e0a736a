"""Operators' acts and questions over HTTP: the routes of `/api`, made from the list in hub/acts.py.

The handlers know no hub: they check who asks and what is sent, and put the question.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
import structlog
from aiohttp import web

from hub.acts import ACTS, Act, Body, Changed, PartShown, PersonShown, Refused, RosterShown, VersionBody
from hub.connector import Unavailable
from hub.web.openapi import Operation

Ask = Callable[[str, Sequence[Any]], Awaitable[bytes]]
"""Puts a question to the hub: its verb; what it is about (names in the path and the query) and what was sent, as JSON
can hold them. The answer is JSON, and durable where it is an act. Raises Refused and Unavailable."""

_log = structlog.get_logger()
_Handler = Callable[[web.Request], Awaitable[web.Response]]
_BIGGEST = 64 * 1024  # bytes: an operator's act is a few sentences
_SHORTEST_TOKEN = 24


def json_response(value: Any, status: int = 200) -> web.Response:
    """`value`: bytes are JSON already."""
    return web.Response(
        body=value if isinstance(value, bytes) else msgspec.json.encode(value),
        status=status,
        content_type="application/json" if status < 400 else "application/problem+json",
    )


def problem(status: int, title: str, detail: str) -> web.Response:
    """An error as RFC 9457 describes it."""
    return json_response({"title": title, "status": status, "detail": detail}, status)


class _Version(msgspec.Struct):
    """Of an answer, what else it may say aside."""

    version: str = ""


_VERSIONED = (PersonShown, PartShown, RosterShown, Changed)


class ApiRoutes:
    """The routes of `/api`, each behind the bearer token."""

    def __init__(self, ask: Ask, tokens: Sequence[str]) -> None:
        if not tokens or any(len(token) < _SHORTEST_TOKEN for token in tokens):
            raise ValueError(
                f"the API's token: has under {_SHORTEST_TOKEN} characters: make it with `openssl rand -hex 32`"
            )
        self._ask = ask
        self._tokens = [token.encode() for token in tokens]

    def routes(self) -> list[tuple[Operation, _Handler]]:
        return [(_operation(act), self._guarded(self._handler(act))) for act in ACTS]

    def _handler(self, act: Act) -> _Handler:
        async def handle(request: web.Request) -> web.Response:
            about = {**request.match_info, **{name: request.query[name] for name in act.query if name in request.query}}
            body = None if act.body is None else msgspec.to_builtins(await _read(request, act.body))
            if body is not None and "over" in body and body["over"] is None and "If-Match" in request.headers:
                body["over"] = request.headers["If-Match"].strip().removeprefix("W/").strip('"')
            answer = await self._ask(act.verb, (about, body))
            response = json_response(answer)
            if act.answer in _VERSIONED and (version := msgspec.json.decode(answer, type=_Version).version):
                response.headers["ETag"] = f'"{version}"'
            return response

        return handle

    def _guarded(self, handler: _Handler) -> _Handler:
        async def guarded(request: web.Request) -> web.Response:
            if not self._known(request.headers.get("authorization", "")):
                _log.warning("web.token_refused", path=request.path, peer=request.remote)
                refusal = problem(401, "No valid token", "send `Authorization: Bearer TOKEN`")
                refusal.headers["WWW-Authenticate"] = "Bearer"
                return refusal
            try:
                return await handler(request)
            except Refused as refused:
                if refused.conflict:
                    return problem(409, "Changed meanwhile", refused.reason)
                return problem(404 if refused.missing else 422, "Not possible as asked", refused.reason)
            except Unavailable as why:
                return unavailable(why)

        return guarded

    def _known(self, header: str) -> bool:
        scheme, _, token = header.partition(" ")
        given = token.strip().encode("utf-8", "surrogateescape")
        right = False
        for held in self._tokens:
            right |= hmac.compare_digest(held, given)
        return right and scheme.lower() == "bearer"


async def _read(request: web.Request, kind: type[Body]) -> Body:
    if (request.content_length or 0) > _BIGGEST:
        raise web.HTTPRequestEntityTooLarge(_BIGGEST, request.content_length or 0)
    try:
        body = msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"{error}: send a JSON object as {kind.__name__} in /openapi.json") from None
    empty = [name for name in ("by", "why") if getattr(body, name, "x").strip() == ""]
    if empty:
        raise Refused(f"{' and '.join(empty)}: is empty: say who acts, and why")
    return body


def _operation(act: Act) -> Operation:
    openapi: dict[str, Any] = {
        "responses": {
            "200": {"description": "Done, durably", "content": {"application/json": {"schema": act.answer}}},
            "401": {"description": "No valid bearer token"},
            "404": {"description": "What it is about does not exist"},
            "422": {"description": "Not possible as asked; `detail` says what would be"},
            "503": {"description": "Nothing can be recorded now: try again after `Retry-After` seconds"},
        }
    }
    if act.body is not None:
        openapi["requestBody"] = {"required": True, "content": {"application/json": {"schema": act.body}}}
    if act.query:
        openapi["parameters"] = [_parameter(name, description) for name, description in act.query.items()]
    if act.body is not None and issubclass(act.body, VersionBody):
        openapi["responses"]["409"] = {"description": "It was changed meanwhile; `detail` says by whom and what"}
        over = "The version it is made over, where the body does not say so"
        openapi["parameters"] = [_parameter("If-Match", over, place="header")]
    method = act.method or ("GET" if act.body is None else "POST")
    return Operation(method=method, path=act.path, summary=act.summary, openapi=openapi, tag="operators", bearer=True)


def _parameter(name: str, description: str, place: str = "query") -> Mapping[str, Any]:
    return {"name": name, "in": place, "description": description, "schema": {"type": "string"}}


def unavailable(why: Unavailable) -> web.Response:
    response = problem(503, "Not available", f"nothing can be recorded now ({why}): try again")
    response.headers["Retry-After"] = "5"
    return response
