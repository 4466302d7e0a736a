"""The hub's web server: limits, time-outs, health, metrics, operators' acts, and what it says of itself."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter

from connectors.webhook.source import WebhookConfig, WebhookSource
from hub.acts import Done, Duty, Refused
from hub.connector import Route, Unavailable, WebRequest, WebResponse
from hub.model.people import Steer
from hub.web.api import ApiRoutes
from hub.web.server import Mount, WebConfig, WebServer
from tests.contracts.intake import MemoryIntake, environment

TOKEN, NEXT = "t" * 32, "n" * 32


class Operators:
    """The hub's side: keeps what it was asked."""

    def __init__(self) -> None:
        self.done: list[tuple[str, dict[str, str], Any]] = []
        self.down = False

    async def ask(self, verb: str, words: Sequence[Any]) -> bytes:
        about, body = words
        if verb == "status":
            raise RuntimeError("a fault of ours, with +32470123456 in it")
        if self.down:
            raise Unavailable("disk full")
        if verb == "start" and body["sheet"] != "extreme-weather":
            raise Refused(f"{body['sheet']}: there is no such sheet: one of extreme-weather", missing=True)
        if verb == "start" and "area" not in body["answers"]:
            raise Refused("area: is not answered: name the place")
        self.done.append((verb, about, body))
        duty = [Duty(tier=1, person="officer-a", by=("sms", "call"))]
        return msgspec.json.encode(duty if verb == "who" else Done(id=f"FACT{len(self.done)}"))


async def ready() -> Mapping[str, Any]:
    return {"ready": True}


class Hub:
    """A server with three routes of a connector."""

    def __init__(self) -> None:
        self.operators = Operators()
        self.registry = CollectorRegistry()
        self.picture: dict[str, Any] = {"ready": True, "journal": "ok"}
        self.requests: list[WebRequest] = []
        self.gate: asyncio.Event | None = None
        self.entered = asyncio.Event()
        self.session: aiohttp.ClientSession
        self.server: WebServer
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def health(self) -> Mapping[str, Any]:
        return self.picture

    async def echo(self, request: WebRequest) -> WebResponse:
        self.requests.append(request)
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        return WebResponse(status=201, body=request.body, media_type="text/x-echo", headers={"x-extra": "1"})

    async def broken(self, request: WebRequest) -> WebResponse:
        raise Unavailable("disk full") if request.body else ValueError("secret detail")

    async def call(self, method: str, path: str, **how: Any) -> tuple[int, Any, Mapping[str, str]]:
        async with self.session.request(method, self.url + path, **how) as response:
            text = await response.text()
            is_json = "json" in response.headers.get("Content-Type", "")
            return response.status, json.loads(text) if is_json else text, response.headers

    async def act(self, path: str, body: Any, token: str = TOKEN) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        status, answer, _ = await self.call("POST", path, json=body, headers=headers)
        return status, answer


@asynccontextmanager
async def hub(**config: Any) -> AsyncIterator[Hub]:
    here = Hub()
    routes = [
        Route(method="POST", path="", handler=here.echo, max_bytes=1000, summary="Echo"),
        Route(method="POST", path=r"/of/{order}/{index:\d+}", handler=here.echo),
        Route(method="PUT", path="/broken", handler=here.broken),
    ]
    here.server = WebServer(
        WebConfig(**{"port": 0, **config}),
        [Mount(prefix="/in/test", routes=routes)],
        health=here.health,
        api=here.operators.ask,
        tokens=(TOKEN, NEXT),
        version="1.2.3",
        registry=here.registry,
    )
    here.port = await here.server.start()
    try:
        async with aiohttp.ClientSession() as here.session:
            yield here
    finally:
        await here.server.stop()


def play(story: Callable[[Hub], Awaitable[None]], **config: Any) -> None:
    async def run() -> None:
        async with hub(**config) as here:
            await story(here)

    asyncio.run(run())


async def raw(here: Hub, sent: bytes, timeout_s: float = 5.0) -> bytes:
    """The first line the server says to these bytes; empty when it closes without a word."""
    reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
    try:
        writer.write(sent)
        await writer.drain()
        async with asyncio.timeout(timeout_s):
            return await reader.readline()
    finally:
        writer.close()


# --- connectors' routes ------------------------------------------------------------------------------------


def test_a_connector_sees_what_the_sender_sent() -> None:
    async def story(here: Hub) -> None:
        path = "/in/test/of/ORDER%2F1/7?a=1&b=%20x"
        status, body, headers = await here.call("POST", path, data=b"\x00\xff".hex(), headers={"X-Thing": "Y"})
        assert (status, body, headers["Content-Type"], headers["x-extra"]) == (201, "00ff", "text/x-echo", "1")
        [request] = here.requests
        assert (request.method, request.path) == ("POST", "/in/test/of/ORDER/1/7")
        assert request.match == {"order": "ORDER/1", "index": "7"}
        assert request.headers["x-thing"] == "Y"
        assert request.url == here.url + path

    play(story)


def test_behind_a_proxy_the_public_address_is_the_one_signed() -> None:
    async def story(here: Hub) -> None:
        await here.call("POST", "/in/test?x=1", headers={"Host": "inside", "X-Forwarded-Host": "evil.example"})
        assert here.requests[0].url == "https://vigie.example/base/in/test?x=1"

    play(story, public_url="https://vigie.example/base/")


def test_each_route_has_its_limit() -> None:
    async def chunks(size: int) -> AsyncIterator[bytes]:
        for _ in range(size // 100):
            yield b"x" * 100

    async def story(here: Hub) -> None:
        assert (await here.call("POST", "/in/test", data=b"x" * 1000))[0] == 201
        status, body, _ = await here.call("POST", "/in/test", data=b"x" * 1001)
        assert (status, body["title"]) == (413, "Too large")
        assert (await here.call("POST", "/in/test", data=chunks(900)))[0] == 201
        assert (await here.call("POST", "/in/test", data=chunks(1100)))[0] == 413
        assert (await here.call("POST", "/in/test/of/A/1", data=b"x" * 5000))[0] == 201
        assert [len(request.body) for request in here.requests] == [1000, 900, 5000]

    play(story)


def test_a_huge_body_is_refused_before_it_is_sent() -> None:
    async def story(here: Hub) -> None:
        head = b"POST /in/test HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n"
        assert (await raw(here, head)).startswith(b"HTTP/1.1 413 ")
        assert here.requests == []

    play(story)


def test_a_compressed_body_is_refused() -> None:
    async def story(here: Hub) -> None:
        assert (await here.call("POST", "/in/test", data=b"x", headers={"Content-Encoding": "gzip"}))[0] == 415

    play(story)


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def story(here: Hub) -> None:
        head = b"POST /in/test HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nonly this"
        assert (await raw(here, head)).startswith(b"HTTP/1.1 408 ")
        assert here.requests == []

    play(story, body_s=0.1)


@pytest.mark.parametrize("sent", [b"", b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_head_that_does_not_come_is_not_waited_for(sent: bytes) -> None:
    async def story(here: Hub) -> None:
        assert await raw(here, sent) == b""

    play(story, idle_s=0.1)


@pytest.mark.parametrize(
    "sent",
    [
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /in/test HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /in/test HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
        b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
)
def test_broken_http_is_refused(sent: bytes) -> None:
    async def story(here: Hub) -> None:
        assert b" 400 " in await raw(here, sent)
        assert here.requests == []
        assert (await here.call("GET", "/health"))[0] == 200

    play(story)


def test_a_fault_of_ours_shows_nothing_of_our_inside() -> None:
    async def story(here: Hub) -> None:
        status, body, _ = await here.call("PUT", "/in/test/broken")
        assert (status, body["title"]) == (500, "Internal error")
        assert "secret" not in json.dumps(body)
        status, body, headers = await here.call("PUT", "/in/test/broken", data=b"x")
        assert (status, headers["Retry-After"]) == (503, "5")

    play(story)


def test_what_is_not_there() -> None:
    async def story(here: Hub) -> None:
        status, body, _ = await here.call("GET", "/nothing/here")
        assert (status, body["title"]) == (404, "Not found")
        status, body, headers = await here.call("GET", "/in/test")
        assert (status, headers["Allow"]) == (405, "POST")
        assert (await here.call("POST", "/in/test/of/A/not-a-number"))[0] == 404

    play(story)


def test_every_answer_is_guarded_and_names_no_version() -> None:
    async def story(here: Hub) -> None:
        for method, path in [("GET", "/health"), ("POST", "/in/test"), ("GET", "/x"), ("GET", "/openapi.json")]:
            _, _, headers = await here.call(method, path)
            assert headers["Server"] == "vigie"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Cache-Control"] == "no-store"
            assert "default-src 'none'" in headers["Content-Security-Policy"]

    play(story)


def test_a_request_under_way_is_finished_before_the_server_stops() -> None:
    async def story(here: Hub) -> None:
        here.gate = asyncio.Event()
        posted = asyncio.create_task(here.call("POST", "/in/test", data=b"last words"))
        await here.entered.wait()
        stopped = asyncio.create_task(here.server.stop())
        await asyncio.sleep(0)
        here.gate.set()
        assert (await posted)[:2] == (201, "last words")
        await stopped
        with pytest.raises(aiohttp.ClientConnectorError):
            await here.call("GET", "/health")

    play(story)


def test_a_port_that_is_taken_is_named() -> None:
    async def story(here: Hub) -> None:
        second = WebServer(WebConfig(port=here.port), health=ready)
        with pytest.raises(OSError, match=f"127.0.0.1:{here.port} cannot be listened on"):
            await second.start()

    play(story)


# --- health and metrics ------------------------------------------------------------------------------------


def test_health_says_whether_the_hub_takes_what_it_is_sent() -> None:
    async def story(here: Hub) -> None:
        assert (await here.call("GET", "/health"))[:2] == (200, {"ready": True, "journal": "ok"})
        here.picture = {"ready": False, "journal": "disk full"}
        assert (await here.call("GET", "/health"))[:2] == (503, here.picture)

    play(story)


def test_probes_say_in_a_word_whether_it_answers_and_whether_it_is_ready() -> None:
    async def story(here: Hub) -> None:
        for path in ("/healthz", "/readyz"):
            async with here.session.get(here.url + path) as answer:
                assert (answer.status, await answer.text()) == (200, "ok\n")
        here.picture = {"ready": False, "trouble": "disk full"}
        async with here.session.get(here.url + "/healthz") as answer:
            assert answer.status == 200, "it is not to be restarted for that"
        async with here.session.get(here.url + "/readyz") as answer:
            assert (answer.status, await answer.text()) == (503, "disk full\n")

    play(story)


def test_metrics_are_given_as_prometheus_reads_them() -> None:
    async def story(here: Hub) -> None:
        Counter("vigie_things", "Things", registry=here.registry).inc(3)
        status, text, headers = await here.call("GET", "/metrics")
        assert status == 200
        assert "vigie_things_total 3.0" in text
        assert headers["Content-Type"].startswith("text/plain; version=")

    play(story)


# --- operators' acts ---------------------------------------------------------------------------------------

ACTS = [
    ("/api/start", {"sheet": "extreme-weather", "by": "an officer", "answers": {"area": "Ixelles"}}, "start"),
    ("/api/stop-all", {"by": "an officer", "why": "a false alarm"}, "stop-all"),
    ("/api/lift", {"by": "an officer", "why": "checked"}, "lift"),
    ("/api/incidents/INC1/end", {"by": "an officer", "why": "over"}, "end"),
    ("/api/tasks/TASK1/done", {"by": "an officer"}, "task"),
    ("/api/silences", {"by": "o", "why": "x", "until": "2030-01-01T00:00:00Z"}, "silence"),
    ("/api/watch", {"by": "an officer", "person": "officer-b"}, "watch"),
    ("/api/silences/S1/lift", {"by": "an officer", "why": "x"}, "lift-silence"),
    *(
        (f"/api/chains/RUN1/{act}", {"by": "an officer", "why": "x"}, str(act))
        for act in Steer
        if act is not Steer.HAND_OVER
    ),
    ("/api/chains/RUN1/hand-over", {"by": "an officer", "why": "x", "to": "officer-b"}, "hand-over"),
]


@pytest.mark.parametrize(("path", "body", "done"), ACTS)
def test_an_act_is_done_with_a_token_and_only_with_one(path: str, body: dict[str, Any], done: str) -> None:
    async def story(here: Hub) -> None:
        for wrong in ("", "x" * 32, TOKEN[:-1], TOKEN + " x", "\udcff"):
            if wrong != "\udcff":
                assert (await here.act(path, body, wrong))[0] == 401
        status, _, headers = await here.call("POST", path, json=body)
        assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
        assert (await here.call("POST", path, json=body, headers={"Authorization": f"Basic {TOKEN}"}))[0] == 401
        assert here.operators.done == []
        for token in (TOKEN, NEXT):
            status, answer = await here.act(path, body, token)
            assert status == 200
            assert answer["id"].startswith("FACT")
        assert [act[0] for act in here.operators.done] == [done, done]
        for field in body:
            without = {key: value for key, value in body.items() if key != field}
            if field != "answers":
                status, answer = await here.act(path, without)
                assert status == 422
                assert field in answer["detail"]
        assert (await here.act(path, {**body, "extra": 1}))[0] == 422
        assert (await here.act(path, {**body, "by": "  "}))[0] == 422
        assert (await here.act(path, []))[0] == 422
        assert len(here.operators.done) == 2

    play(story)


def test_what_cannot_be_done_is_told_and_what_would_be_right() -> None:
    async def story(here: Hub) -> None:
        act: dict[str, Any] = {"sheet": "no-such", "by": "an officer"}
        status, answer = await here.act("/api/start", act)
        assert (status, answer["detail"]) == (404, "no-such: there is no such sheet: one of extreme-weather")
        status, answer = await here.act("/api/start", {**act, "sheet": "extreme-weather"})
        assert (status, answer["detail"]) == (422, "area: is not answered: name the place")
        here.operators.down = True
        assert (await here.act("/api/start", act))[0] == 503
        assert (await here.act("/api/stop-all", {"by": "x", "why": "y" * 100_000}))[0] == 413

    play(story)


def test_who_would_be_asked() -> None:
    async def story(here: Hub) -> None:
        headers = {"Authorization": f"bearer {TOKEN}"}
        status, answer, _ = await here.call("GET", "/api/who/duty?at=2026-07-14T02:10:00%2B02:00", headers=headers)
        assert (status, answer) == (200, [{"tier": 1, "person": "officer-a", "by": ["sms", "call"]}])
        await here.call("GET", "/api/who/duty", headers=headers)
        asked = ("who", {"chain": "duty", "at": "2026-07-14T02:10:00+02:00"}, None)
        assert here.operators.done == [asked, ("who", {"chain": "duty"}, None)]
        status, body, _ = await here.call("GET", "/api/status", headers=headers)
        assert status == 500
        assert "+32" not in json.dumps(body)

    play(story)


@pytest.mark.parametrize("tokens", [(), ("short",), (TOKEN, "")])
def test_a_guessable_token_is_refused(tokens: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="token"):
        ApiRoutes(Operators().ask, tokens)


def test_without_an_api_there_is_none() -> None:
    async def run() -> None:
        server = WebServer(WebConfig(port=0), health=ready)
        port = await server.start()
        try:
            url = f"http://127.0.0.1:{port}/api/stop-all"
            async with aiohttp.ClientSession() as session, session.post(url, json={}) as response:
                assert response.status == 404
        finally:
            await server.stop()

    asyncio.run(run())


# --- what it says of itself --------------------------------------------------------------------------------


def references(value: Any) -> list[str]:
    """Every `$ref` in a document."""
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [ref for item in value.values() for ref in references(item)]
    return [ref for item in value for ref in references(item)] if isinstance(value, list) else []


def test_the_description_is_whole() -> None:
    source = WebhookSource(WebhookConfig(secrets=("s",)), environment("siamu", s="whsec_" + "c2VjcmV0" * 4))
    server = WebServer(
        WebConfig(public_url="https://vigie.example"),
        [Mount(prefix="/in/siamu", routes=source.routes(MemoryIntake()))],
        health=ready,
        api=Operators().ask,
        tokens=(TOKEN,),
        version="1.2.3",
    )

    async def run() -> dict[str, Any]:
        app = server.application()
        [route] = [route for route in app.router.routes() if getattr(route.resource, "canonical", "") == "/openapi.json"
                   and route.method == "GET"]  # fmt: skip
        response = await route.handler(None)  # type: ignore[arg-type]  # it looks at no request
        assert isinstance(response, web.Response)
        assert isinstance(response.body, bytes)
        return dict(msgspec.json.decode(response.body))

    document = asyncio.run(run())
    assert document["openapi"] == "3.1.0"
    assert document["info"] == {"title": "Vigie", "version": "1.2.3"}
    assert document["servers"] == [{"url": "https://vigie.example"}]
    schemas = document["components"]["schemas"]
    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas
    assert schemas["PartnerAlert"]["required"] == ["id", "sent", "event"]
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["responses"]
            declared = {given["name"] for given in operation.get("parameters", []) if given["in"] == "path"}
            assert all("{" + name + "}" in path for name in declared)
            assert path.count("{") == len(declared)
    alert = document["paths"]["/in/siamu"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert alert == {"$ref": "#/components/schemas/PartnerAlert"}
    assert document["paths"]["/api/stop-all"]["post"]["security"] == [{"bearer": []}]
