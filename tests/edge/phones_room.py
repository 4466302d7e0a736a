"""The phone simulator, a hub that is none, and the real twilio SDK: the room in which the simulator's tests play."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.twiml.voice_response import Gather, VoiceResponse

from tools.phones import ManualClock, Person, Phones

ACCOUNT, TOKEN = "AC" + "0123456789abcdef" * 2, "a-made-up-token"
HUB, ANNE, BART = "+3228080112", "+32470000001", "+32470000002"


class Hub:
    """What the hub would be: it keeps what is posted to it, having checked the signature, and answers."""

    def __init__(self) -> None:
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.answers: dict[str, tuple[str, str]] = {}
        self.signed: list[bool] = []
        self.base = ""

    def of(self, path: str) -> list[dict[str, str]]:
        return [form for at, form in self.forms if at == path]

    def says(self, path: str, document: object, content_type: str = "text/xml") -> str:
        self.answers[path] = (str(document), content_type)
        return self.base + path

    async def handle(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        given = request.headers.get("X-Twilio-Signature", "")
        self.signed.append(RequestValidator(TOKEN).validate(self.base + request.path_qs, form, given))
        self.forms.append((request.path, form or dict(request.query)))
        if request.path == "/broken":
            return web.Response(status=500)
        text, content_type = self.answers.get(request.path, ("", "text/xml"))
        return web.Response(text=text, content_type=content_type)


class Room:
    """A simulator, a hub and the SDK, together."""

    def __init__(self, phones: Phones, hub: Hub, client: Client, http: AsyncTwilioHttpClient) -> None:
        self.phones, self.hub, self.client, self.http = phones, hub, client, http
        self.clock = phones.exchange.clock

    async def advance(self, seconds: float) -> None:
        assert isinstance(self.clock, ManualClock)
        await self.clock.advance(seconds)

    async def advance_until(self, condition: Callable[[], bool]) -> None:
        """Let time pass in small steps, and the network do its work in between, until it holds."""
        assert isinstance(self.clock, ManualClock)
        for _ in range(3000):
            if condition():
                return
            await self.clock.advance(0.1)
        raise AssertionError("it did not come about in 300 simulated seconds")

    async def status(self, *expected: str) -> None:
        """Wait until the last call has one of the statuses."""
        await self.advance_until(lambda: self.phones.calls[-1].status in expected)

    async def heard(self, path: str, count: int) -> list[dict[str, str]]:
        """Wait until the hub got `count` posts to `path`."""
        await self.phones.until(lambda: len(self.hub.of(path)) >= count)
        return self.hub.of(path)


def play(story: Callable[[Room], Awaitable[None]], **options: object) -> None:
    """Run a story in a fresh room, on a manual clock unless told otherwise."""

    async def run() -> None:
        hub = Hub()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", hub.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        hub.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        options.setdefault("clock", ManualClock())
        phones = Phones(
            ACCOUNT,
            TOKEN,
            people=[Person(name="Anne", number=ANNE, language="fr"), Person(name="Bart", number=BART)],
            inbound=hub.base + "/inbound",
            **options,  # type: ignore[arg-type]  # the story's own options
        )
        try:
            async with phones, AsyncTwilioHttpClient(timeout=5) as http:
                client = Client(ACCOUNT, TOKEN, http_client=http)
                client.api.base_url = phones.base_url
                await story(Room(phones, hub, client, http))
                assert all(hub.signed), "a webhook's signature was not accepted by the SDK"
        finally:
            await runner.cleanup()

    asyncio.run(run())


async def refusal(work: Awaitable[object]) -> TwilioRestException:
    with pytest.raises(TwilioRestException) as caught:
        await work
    return caught.value


def menu(action: str, **options: object) -> VoiceResponse:
    response = VoiceResponse()
    gather = Gather(input="dtmf", num_digits=1, timeout=5, action=action, method="POST", **options)
    gather.say("Alerte pluie. Appuyez sur 1 pour accepter.", language="fr-BE")
    response.append(gather)
    response.say("Aucune réponse.", language="fr-BE")
    return response


def thanks() -> VoiceResponse:
    response = VoiceResponse()
    response.say("Merci.", language="fr-BE")
    response.hangup()
    return response
