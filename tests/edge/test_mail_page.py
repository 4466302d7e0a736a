"""The page an ask is answered on, through the hub's real web server, with the link as it stood in the mail."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from connectors.mail.answering import AnswerPage
from connectors.mail.channel import MailChannel
from connectors.mail.config import MailConfig, Security
from connectors.mail.link import Invitation, Seal, leads_here
from connectors.mail.page import ACCEPT, CHOICES, DECLINE, ETA_MIN, WORDS, told
from hub.connector import Sent, WebRequest
from hub.model.message import Outcome, Verb
from hub.model.people import Language
from hub.model.signal import Status
from hub.people.answers import understand
from hub.web.server import Mount, WebConfig, WebServer
from tests.contracts.channel import outgoing
from tests.contracts.intake import MemoryIntake, environment
from tests.edge.test_mail import Server, part, text_of

ANNE = "anne@example.org"
SECRET, OTHER = "k" * 20 + "0123456789ab", "o" * 40
PUBLIC = "https://vigie.example.org/callback/email"


class Answer:
    """What the web server said."""

    def __init__(self, status: int, headers: Any, text: str) -> None:
        self.status, self.headers, self.text = status, headers, text


class Room:
    """A channel with a page, a web server that serves it, a mail server that takes its mails."""

    def __init__(self, channel: MailChannel, intake: MemoryIntake, smtp: Server, base: str) -> None:
        self.channel, self.intake, self.smtp, self.base = channel, intake, smtp, base
        self.session = aiohttp.ClientSession()

    async def ask(self, **changes: Any) -> str:
        """Sends an ask; the path of the link in the mail that arrived."""
        assert isinstance(await self.channel.send(outgoing(ANNE, **changes)), Sent)
        found = re.search(rf"{PUBLIC}(/answer/[A-Za-z0-9_-]+)", text_of(self.smtp.mails[-1]))
        assert found is not None
        return "/callback/email" + found[1]

    async def request(self, method: str, path: str, **form: Any) -> Answer:
        async with self.session.request(method, self.base + path, **form) as response:
            return Answer(response.status, response.headers, await response.text())

    async def open(self, path: str) -> Answer:
        return await self.request("GET", path)

    async def press(self, path: str, button: str) -> Answer:
        return await self.request("POST", path, data={"answer": button})


@asynccontextmanager
async def room(**settings: Any) -> AsyncIterator[Room]:
    smtp, intake = Server(), MemoryIntake()
    await smtp.start()
    config = MailConfig(
        host="127.0.0.1",
        port=smtp.port,
        security=Security.NONE,
        sender="Vigie <vigie@example.org>",
        **{"link_secret": ("key",), **settings},
    )
    channel = MailChannel(config, environment("email", PUBLIC, key=SECRET, other=OTHER))
    await channel.open(intake)

    async def health() -> dict[str, bool]:
        return {"ready": True}

    mount = Mount(prefix="/callback/email", routes=channel.routes(intake))
    web = WebServer(WebConfig(port=0, shutdown_s=0.1), [mount], health=health, registry=CollectorRegistry())
    port = await web.start()
    made = Room(channel, intake, smtp, f"http://127.0.0.1:{port}")
    try:
        yield made
    finally:
        await made.session.close()
        await web.stop()
        await channel.close()
        await smtp.stop()


def play(story: Callable[[Room], Awaitable[None]], **settings: Any) -> None:
    async def run() -> None:
        async with room(**settings) as made:
            await story(made)

    asyncio.run(run())


def test_the_mail_carries_the_link_as_text_and_as_a_button() -> None:
    async def story(here: Room) -> None:
        path = await here.ask(language=Language.NL)
        [mail] = here.smtp.mails
        assert "Antwoord op deze pagina met een druk op de knop:" in text_of(mail)
        assert f'href="https://vigie.example.org{path}"' in part(mail, "html")
        assert ">Antwoorden</a>" in part(mail, "html")
        assert ANNE not in path
        await here.channel.send(outgoing(ANNE, ask=None))
        assert "answer" not in text_of(here.smtp.mails[-1]), "what asks for nothing has nothing to press"

    play(story)


def test_a_scanner_that_opens_the_link_answers_nothing() -> None:
    async def story(here: Room) -> None:
        path = await here.ask()
        for method in ("HEAD", "GET", "GET", "HEAD"):
            answer = await here.request(method, path)
            assert answer.status == 200
            assert ("Nothing has been recorded yet" in answer.text) == (method == "GET")
        for method in ("PUT", "DELETE", "OPTIONS"):
            assert (await here.request(method, path)).status == 405
        assert here.intake.items == []

    play(story)


def test_an_officer_presses_20_minutes() -> None:
    async def story(here: Room) -> None:
        path = await here.ask(order="ORDER1", index=3)
        assert 'value="20"' in (await here.open(path)).text
        answer = await here.press(path, "20")
        assert answer.status == 200
        assert "Your answer is recorded" in answer.text
        assert "You accept and will be there in 20\u00a0minutes." in answer.text
        [reply] = here.intake.replies
        assert (reply.channel, reply.address, reply.order, reply.index) == ("email", ANNE, "ORDER1", 3)
        assert reply.verb is Verb.ACCEPT
        assert understand(reply.text).eta_min == 20
        [receipt] = here.intake.receipts
        assert (receipt.order, receipt.index, receipt.outcome) == ("ORDER1", 3, Outcome.DELIVERED)

    play(story)


@pytest.mark.parametrize("button", sorted(CHOICES))
def test_every_button_is_recorded_as_what_it_says(button: str) -> None:
    async def story(here: Room) -> None:
        answer = await here.press(await here.ask(), button)
        [reply] = here.intake.replies
        assert reply.verb is (Verb.DECLINE if button == DECLINE else Verb.ACCEPT)
        assert understand(reply.text).eta_min == (int(button) if button.isdecimal() else None)
        assert told(WORDS[Language.EN], button) in answer.text

    play(story)
    assert {ACCEPT, DECLINE, *map(str, ETA_MIN)} == CHOICES


def test_it_is_confirmed_only_once_it_is_durable() -> None:
    async def story(here: Room) -> None:
        path = await here.ask(language=Language.FR)
        here.intake.gate = asyncio.Event()
        pressing = asyncio.ensure_future(here.press(path, ACCEPT))
        await here.intake.until(lambda: here.intake.offers == 1)
        assert not pressing.done()
        here.intake.gate.set()
        assert "Votre réponse est enregistrée" in (await pressing).text

    play(story)


def test_what_cannot_be_recorded_is_said_and_can_be_pressed_again() -> None:
    async def story(here: Room) -> None:
        path = await here.ask(language=Language.DE)
        here.intake.down = "disk full"
        answer = await here.press(path, "40")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert "Ihre Antwort ist NICHT erfasst" in answer.text
        assert "disk full" not in answer.text
        assert 'value="40"' in answer.text
        here.intake.down = ""
        assert "Ihre Antwort ist erfasst" in (await here.press(path, "40")).text
        assert len(here.intake.replies) == 1

    play(story)


def test_a_link_serves_once() -> None:
    async def story(here: Room) -> None:
        path = await here.ask()
        await here.press(path, "20")
        again = await here.press(path, "20")  # a browser that missed the first answer
        assert (again.status, "Your answer is recorded" in again.text) == (200, True)
        other = await here.press(path, DECLINE)
        assert other.status == 409
        assert "This link has been used already" in other.text
        assert "there in 20\u00a0minutes" in other.text
        opened = await here.open(path)
        assert (opened.status, "used already" in opened.text, "<form" in opened.text) == (200, True, False)
        # A second mail of the same delivery (a repetition) has another link, and it has served, too.
        repeated = await here.ask(repeat=True, nth=2)
        assert repeated != path
        assert (await here.press(repeated, DECLINE)).status == 409
        assert [reply.verb for reply in here.intake.replies] == [Verb.ACCEPT]

    play(story)


def test_a_link_used_before_a_restart_is_known_by_the_journal() -> None:
    async def story(here: Room) -> None:
        path = await here.ask()
        # As another process recorded it: the journal holds the key, this page remembers nothing.
        here.intake.keys["link:01J00000000000000000ORDER1:0"] = "FACT"
        assert "<form" in (await here.open(path)).text
        answer = await here.press(path, ACCEPT)
        assert answer.status == 409
        assert "the first answer is recorded and still holds" in answer.text
        assert here.intake.replies == []

    play(story)


def test_a_forged_link_is_refused_in_four_languages() -> None:
    async def story(here: Room) -> None:
        path = await here.ask()
        token = path.rpartition("/")[2]
        foreign = Seal([OTHER]).seal(Seal([SECRET]).open(token) or pytest.fail("our own link does not open"))
        swapped = "A" if token[40] != "A" else "B"
        forged = [token[:-1], token[:40] + swapped + token[41:], foreign, "x", "A" * 5000, "%00", token + "%0A", "é"]
        for bad in forged:
            for method in ("GET", "POST"):
                answer = await here.request(method, f"/callback/email/answer/{bad}", data={"answer": ACCEPT})
                assert answer.status == 404, bad[:60]
                for words in WORDS.values():
                    assert words.wrong in answer.text
        assert here.intake.items == []

    play(story)


def test_a_link_ends_in_real_time() -> None:
    now_s = 1_000_000.0
    seal, intake = Seal([SECRET]), MemoryIntake()
    made = AnswerPage("email", seal, PUBLIC, 3600, now=lambda: now_s)
    token = urlsplit(made.link(outgoing(ANNE, language=Language.NL))).path.rpartition("/")[2]
    routes = {route.method: route for route in made.routes(intake)}

    async def pressed(at_s: float) -> tuple[int, str]:
        nonlocal now_s
        now_s = at_s
        request = WebRequest(method="POST", url="", path="", headers={}, body=b"answer=accept", match={"token": token})
        response = await routes["POST"].handler(request)
        return response.status, response.body.decode()

    status, text = asyncio.run(pressed(1_003_601.0))
    assert (status, "Deze link is vervallen" in text, "<form" in text) == (410, True, False)
    assert intake.items == []
    assert asyncio.run(pressed(1_003_599.0))[0] == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"answer=", b"answer=25", b"answer=accept&answer=decline", b"other=1", b"answer=%FF", b"\xff", b"&" * 99],
)
def test_what_no_button_sends_is_no_answer(body: bytes) -> None:
    async def story(here: Room) -> None:
        path = await here.ask()
        form = {"headers": {"Content-Type": "application/x-www-form-urlencoded"}}
        answer = await here.request("POST", path, data=body, **form)
        assert answer.status == 400
        assert "Press one of the buttons" in answer.text
        too_much = await here.request("POST", path, data=b"answer=accept&x=" + b"y" * 1024, **form)
        assert too_much.status == 413
        assert here.intake.items == []

    play(story)


def test_the_page_loads_nothing_and_can_be_framed_by_nobody() -> None:
    async def story(here: Room) -> None:
        answer = await here.open(await here.ask(subject="<script>alert(1)</script>", status=Status.EXERCISE))
        csp = answer.headers["Content-Security-Policy"]
        assert csp.startswith("default-src 'none'; style-src 'sha256-")
        assert "form-action 'self'" in csp
        assert "frame-ancestors 'none'" in csp
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "<script>" not in answer.text
        assert "&lt;script&gt;" in answer.text
        assert ANNE not in answer.text

    play(story)


@pytest.mark.parametrize("language", list(Language))
def test_an_exercise_says_so_in_the_readers_language(language: Language) -> None:
    async def story(here: Room) -> None:
        words = {"fr": "EXERCICE", "nl": "OEFENING", "de": "ÜBUNG", "en": "EXERCISE"}
        text = (await here.open(await here.ask(language=language, status=Status.EXERCISE))).text
        assert f'<p class="banner" role="note">{words[language]}</p>' in text
        assert f'<html lang="{language}">' in text
        actual = (await here.open(await here.ask(index=1, language=language, status=Status.ACTUAL))).text
        assert 'class="banner"' not in actual
        test = (await here.open(await here.ask(index=2, language=language, status=Status.TEST))).text
        assert '<p class="banner" role="note">TEST</p>' in test

    play(story)


# --- what a channel can do as it is configured ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("public_url", "settings", "answers", "in_words"),
    [
        (PUBLIC, {}, False, False),
        (PUBLIC, {"link_secret": ("key",)}, True, False),
        ("http://127.0.0.1:8080/callback/email", {"link_secret": ("key",)}, False, False),
        ("/callback/email", {"imap_host": "imap", "imap_user": "u", "imap_password": "key"}, True, True),
    ],
)
def test_whether_people_can_answer_depends_on_how_it_is_configured(
    public_url: str, settings: dict[str, Any], answers: bool, in_words: bool
) -> None:
    config = MailConfig(host="smtp", sender="vigie@example.org", **settings)
    channel = MailChannel(config, environment("email", public_url, key=SECRET))
    assert (channel.abilities.answers, channel.abilities.words) == (answers, in_words)
    assert bool(channel.routes(MemoryIntake())) == (answers and not in_words)


@pytest.mark.parametrize(
    ("url", "leads"),
    [
        ("https://vigie.example.org/x", True),
        ("http://10.0.0.7:8080/x", True),
        ("http://localhost:8080/x", False),
        ("http://[::1]/x", False),
        ("http://0.0.0.0/x", False),
        ("/callback/email", False),
        ("", False),
    ],
)
def test_where_a_link_leads(url: str, leads: bool) -> None:
    assert leads_here(url) is leads


def test_a_secret_that_is_too_short_is_refused_without_being_shown() -> None:
    config = MailConfig(host="smtp", sender="vigie@example.org", link_secret=("key",))
    with pytest.raises(ValueError, match="32 or more") as caught:
        MailChannel(config, environment("email", PUBLIC, key="guessme"))
    assert "guessme" not in str(caught.value)


def test_links_of_the_secret_before_still_open_while_it_is_replaced() -> None:
    invitation = Invitation("O", 0, ANNE, Language.FR, Status.ACTUAL, "AB", "Orage", 5)
    old, both, new = Seal([OTHER]), Seal([SECRET, OTHER]), Seal([SECRET])
    assert both.open(old.seal(invitation)) == invitation
    assert new.open(both.seal(invitation)) == invitation
    assert new.open(old.seal(invitation)) is None
