"""The web page of phones: what it shows, how it is told of changes, what its buttons do."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web
from jinja2 import Environment, FileSystemLoader

from .control import json_body
from .network import Network
from .phone import Phone, PhoneError
from .resources import SMS_ERRORS, Call, Message
from .texts import LANGUAGES, TEXTS

STATIC = Path(__file__).parent / "static"
BEAT_S = 5.0
THREAD_MAX, CALLS_MAX = 100, 30  # what one phone shows; the API lists everything
STRANGERS_MAX = 12  # phones made by a first contact that the page shows, the earliest ones
FLUSH_S = 0.05  # changes within this time go out together

# What a phone's settings offer, by what texts.py calls them; phones.js makes fields of Behaviour of it.
CALL_CHOICES = ("hand", "1", "2", "answer", "machine", "busy", "decline", "no-answer", "unknown")
SMS_CHOICES = ("normal", "late", "order", "none", *(str(code) for code in sorted(SMS_ERRORS)))

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Page:
    """GET /, its events and its buttons. banner: a line shown on top, "Exercise" say. on_duty: the numbers of those who
    are on duty now, asked for every few seconds."""

    def __init__(
        self, network: Network, banner: str = "", on_duty: Callable[[], Collection[str]] | None = None
    ) -> None:
        self._network, self._banner = network, banner
        self._on_duty: Callable[[], Collection[str]] = on_duty or frozenset
        self._shown = {number for number, phone in network.phones.items() if phone.known}
        self._strangers = 0
        self._subscribers: set[_Subscriber] = set()
        network.exchange.watchers.append(self._changed)
        templates = Environment(loader=FileSystemLoader(STATIC), autoescape=True)
        self._template = templates.get_template("index.html")

    def routes(self) -> list[web.RouteDef]:
        number = r"/phones/{number:\+\d+}"
        return [
            web.get("/", self._index),
            web.get("/phones.css", self._file("phones.css", "text/css")),
            web.get("/phones.js", self._file("phones.js", "text/javascript")),
            web.get("/events", self._events),
            web.post(f"{number}/answer", self._button(lambda n, _: self._network.answer(n))),
            web.post(f"{number}/decline", self._button(lambda n, _: self._network.decline(n))),
            web.post(f"{number}/hang-up", self._button(lambda n, _: self._network.hang_up(n))),
            web.post(f"{number}/press", self._button(lambda n, form: self._network.press(n, form["digits"]))),
            web.post(f"{number}/text", self._button(self._text)),
        ]

    async def _index(self, request: web.Request) -> web.Response:
        language = choose_language(request.query.get("lang", ""), request.headers.get("Accept-Language", ""))
        html = self._template.render(
            t=TEXTS[language],
            language=language,
            languages=LANGUAGES,
            banner=self._banner,
            beat_s=BEAT_S,
            calls=CALL_CHOICES,
            sms=SMS_CHOICES,
        )
        headers = {"Content-Security-Policy": CSP, "Cache-Control": "no-store", "Vary": "Accept-Language"}
        return web.Response(text=html, content_type="text/html", headers=headers)

    def _file(self, name: str, content_type: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        body = (STATIC / name).read_bytes()

        async def serve(_: web.Request) -> web.Response:
            headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
            return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)

        return serve

    def _button(self, act: Callable[[str, dict[str, str]], object]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def press(request: web.Request) -> web.Response:
            try:
                form = msgspec.json.decode(await json_body(request), type=dict[str, str])
                act(request.match_info["number"], form)
            except (msgspec.DecodeError, KeyError) as error:
                return web.json_response({"error": f"bad request: {error}"}, status=400)
            except PhoneError as error:
                return web.json_response({"error": str(error)}, status=409)
            return web.json_response({})

        return press

    def _text(self, number: str, form: dict[str, str]) -> None:
        self._network.text(number, form["text"], form.get("to") or None)

    # Events

    def _changed(self, number: str) -> None:
        if number not in self._shown:
            self._strangers += 1
            if self._strangers > STRANGERS_MAX:
                return
            self._shown.add(number)
        for subscriber in self._subscribers:
            subscriber.tell(number)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: a whole picture first (`state`), then each phone that changed (`phone`)."""
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        subscriber = _Subscriber()
        self._subscribers.add(subscriber)
        try:
            shown = [phone for number, phone in self._network.phones.items() if number in self._shown]
            duty = frozenset(self._on_duty())
            await response.write(b"retry: 1000\n" + _event("state", [self._view(phone, duty) for phone in shown]))
            while True:
                numbers = await subscriber.changes(BEAT_S)
                before, duty = duty, frozenset(self._on_duty())
                for number in [*numbers, *(number for number in before ^ duty if number in self._shown)]:
                    await response.write(_event("phone", self._view(self._network.phones[number], duty)))
                if not numbers:
                    await response.write(_event("beat", {}))
        except ConnectionResetError:
            return response
        finally:
            self._subscribers.discard(subscriber)

    def _view(self, phone: Phone, duty: Collection[str]) -> dict[str, object]:
        run, x = phone.run, self._network.exchange
        thread = phone.thread[-THREAD_MAX:]
        last = next((m.sender for m in reversed(phone.thread) if m.direction != "inbound"), None)
        return {
            "number": phone.number,
            "name": phone.name,
            "language": phone.language,
            "behaviour": msgspec.to_builtins(phone.behaviour),
            "opted_out": self._network.opt_outs.any(phone.number),
            "waiting": len(phone.waiting),
            "on_duty": phone.number in duty,
            "replies_to": last or self._network.service_number,
            "can_reply": last is None or last.lstrip("+").isdigit(),
            "thread": [_bubble(message) for message in thread],
            # What goes straight to the voicemail is not seen on the phone.
            "call": _live_call(run.call, x.clock.pace) if run is not None and phone.behaviour.coverage else None,
            "calls": [_past_call(call) for call in phone.calls[-CALLS_MAX:] if not call.alive],
        }


class _Subscriber:
    """One open page: which phones changed since it was last told."""

    def __init__(self) -> None:
        self._dirty: dict[str, None] = {}
        self._some = asyncio.Event()

    def tell(self, number: str) -> None:
        self._dirty[number] = None
        self._some.set()

    async def changes(self, timeout_s: float) -> list[str]:
        """The numbers that changed; empty when none did within the time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._some.wait()
        except TimeoutError:
            return []
        await asyncio.sleep(FLUSH_S)
        numbers, self._dirty = list(self._dirty), {}
        self._some.clear()
        return numbers


def _event(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def _bubble(message: Message) -> dict[str, object]:
    return {
        "sid": message.sid,
        "mine": message.direction == "inbound",
        "other": message.to if message.direction == "inbound" else message.sender,
        "text": message.body,
        "at": (message.arrived or message.created).timestamp(),
        "written_at": message.created.timestamp(),
        "status": message.status,
        "segments": message.segments,
    }


def _live_call(call: Call, pace: float | None) -> dict[str, object]:
    return {
        "sid": call.sid,
        "from": call.request.sender,
        "ringing": call.status == "ringing",
        "talking": call.status == "in-progress",
        "machine": call.machine,
        "gathering": call.gathering,
        "since": (call.start or call.created).timestamp(),
        # Real seconds a text takes, for showing word after word; none when time moves by hand.
        "captions": [
            {"text": caption.text, "language": caption.language, "seconds": caption.seconds * (pace or 0.0)}
            for caption in call.captions
        ],
    }


def _past_call(call: Call) -> dict[str, object]:
    return {
        "sid": call.sid,
        "from": call.request.sender,
        "status": "machine" if call.machine else call.status,
        "at": call.created.timestamp(),
        "duration_s": call.duration_s,
        "digits": [digits for digits in call.digits if digits],
        "captions": [{"text": caption.text, "language": caption.language} for caption in call.captions],
    }


def choose_language(asked: str, accepted: str) -> str:
    """The page's language: the one asked for in ?lang=, else the reader's first that we have, else English."""
    if asked.lower()[:2] in LANGUAGES:
        return asked.lower()[:2]
    ranked = []
    for place, part in enumerate(accepted.split(",")):
        tag, _, quality = part.partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        if weight > 0 and tag.strip().lower()[:2] in LANGUAGES:
            ranked.append((-weight, place, tag.strip().lower()[:2]))
    return min(ranked)[2] if ranked else "en"
