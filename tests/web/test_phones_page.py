"""The simulator's page in a real browser: an SMS and its reply, a ringing call, a key pressed."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import Page, ViewportSize, async_playwright, expect
from twilio.request_validator import RequestValidator

from tools.phones import Behaviour, PacedClock, Person, Phones
from tools.phones.page import CALL_CHOICES, SMS_CHOICES
from tools.phones.resources import CallRequest
from tools.phones.texts import LANGUAGES, TEXTS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium not found (tools/install-system)")

ACCOUNT, TOKEN = "AC" + "0123456789abcdef" * 2, "a-made-up-token"
HUB, ANNE, BART = "+3228080112", "+32470000001", "+32470000002"
expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong

WIDTHS: dict[str, ViewportSize] = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1440, "height": 900}}
SPOKEN = "Alerte orange <b>orages</b>. Appuyez sur 1."
MENU = """<Response><Gather input="dtmf" numDigits="1" timeout="600" action="/digits">
<Say language="fr-BE">Alerte orange &lt;b&gt;orages&lt;/b&gt;. Appuyez sur 1.</Say></Gather></Response>"""


class Desk:
    """A simulator, what is posted from it, and the page open in a browser."""

    def __init__(self, phones: Phones, page: Page, posts: list[tuple[str, dict[str, str]]], hub: str) -> None:
        self.phones, self.page, self.posts, self.hub = phones, page, posts, hub

    def ring(self, number: str) -> None:
        self.phones.network.dial(CallRequest(to=number, sender=HUB, url=self.hub + "/voice", timeout_s=1200))

    async def posted(self, path: str) -> dict[str, str]:
        await self.phones.until(lambda: any(at == path for at, _ in self.posts))
        return next(form for at, form in self.posts if at == path)


def sit(story: Callable[[Desk], Awaitable[None]], width: str = "desk", query: str = "?lang=en") -> None:
    """Open the page at a desk's or a phone's width and run a story on it."""

    async def run() -> None:
        posts: list[tuple[str, dict[str, str]]] = []
        complaints: list[str] = []

        async def handle(request: web.Request) -> web.Response:
            form = {key: str(value) for key, value in (await request.post()).items()}
            signed = request.headers["X-Twilio-Signature"]
            assert RequestValidator(TOKEN).validate(str(request.url), form, signed)
            posts.append((request.path, form))
            return web.Response(text=MENU if request.path == "/voice" else "", content_type="text/xml")

        app = web.Application()
        app.router.add_post("/{path:.*}", handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        hub = f"http://127.0.0.1:{runner.addresses[0][1]}"
        people = [
            Person(name="Anne Lambert", number=ANNE, language="fr"),
            Person(name="Bart <i>Claes</i>", number=BART, language="nl"),
        ]
        phones = Phones(
            ACCOUNT,
            TOKEN,
            people=people,
            inbound=hub + "/inbound",
            clock=PacedClock(0.05),
            banner="Exercise: playback of 14 July 2021",
            on_duty=lambda: {BART},
        )
        try:
            async with phones, async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
                )
                page = await browser.new_page(viewport=WIDTHS[width], locale="nl-BE")
                page.on("pageerror", lambda error: complaints.append(str(error)))
                await page.goto(f"{phones.base_url}/{query}")
                await expect(page.locator("#connection")).to_have_attribute("data-state", "live")
                await story(Desk(phones, page, posts, hub))
                await browser.close()
        finally:
            await runner.cleanup()
        assert complaints == []

    asyncio.run(run())


@needs_chromium
@pytest.mark.parametrize("width", WIDTHS)
def test_sms_appears_and_is_answered(width: str) -> None:
    async def story(desk: Desk) -> None:
        card = desk.page.get_by_role("article", name="Anne Lambert")
        await expect(card.locator(".thread")).to_contain_text("No messages yet")
        text = "Code KQ: <script>alert(1)</script>"
        desk.phones.network.send(to=ANNE, sender=HUB, body=text)
        await expect(card.locator(".bubble .text")).to_have_text(text)
        field = card.get_by_label(f"Reply to {HUB}")
        await field.fill("KQ oui")
        await field.press("Enter")
        form = await desk.posted("/inbound")
        assert (form["From"], form["To"], form["Body"]) == (ANNE, HUB, "KQ oui")
        await expect(card.locator(".bubble.mine .text")).to_have_text("KQ oui")
        await expect(field).to_have_value("")
        assert await desk.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    sit(story, width)


@needs_chromium
@pytest.mark.parametrize("width", WIDTHS)
def test_call_rings_is_answered_and_a_key_pressed(width: str) -> None:
    async def story(desk: Desk) -> None:
        card = desk.page.get_by_role("article", name="Anne Lambert")
        await expect(card.get_by_role("button", name="Answer")).to_be_hidden()
        desk.ring(ANNE)
        await expect(card).to_contain_class("ringing")
        await expect(card.locator(".call-state")).to_have_text("Incoming call")
        assert "ringing" not in (await desk.page.locator("article").nth(1).get_attribute("class") or "")
        await card.get_by_role("button", name="Answer").click()
        await expect(card.locator(".call-state")).to_have_text("In call")
        await expect(card.locator(".captions p")).to_have_attribute("lang", "fr-BE")
        await expect(card.locator(".captions")).to_contain_text(SPOKEN)
        await expect(card.locator(".captions .word").last).to_contain_class("spoken")
        await expect(card.locator(".listening")).to_have_text("Waiting for a key")
        await card.get_by_role("group", name="Keypad").get_by_role("button", name="1", exact=True).click()
        assert (await desk.posted("/digits"))["Digits"] == "1"
        await expect(card.locator(".call")).to_be_hidden()
        await card.get_by_role("tab", name="Calls").click()
        await expect(card.locator(".past .outcome")).to_have_text("Answered")
        await expect(card.locator(".past .meta")).to_contain_text("pressed 1")

    sit(story, width)


@needs_chromium
def test_decline_hang_up_and_the_keyboard() -> None:
    async def story(desk: Desk) -> None:
        card = desk.page.get_by_role("article", name="Bart <i>Claes</i>")
        desk.ring(BART)
        await card.get_by_role("button", name="Decline").click()
        await desk.phones.until(lambda: desk.phones.calls[0].status == "busy")
        await expect(card.locator(".call")).to_be_hidden()
        desk.ring(BART)
        await card.get_by_role("button", name="Answer").press("Enter")
        await expect(card.locator(".listening")).to_have_text("Waiting for a key")
        await card.get_by_role("button", name="Hang up").focus()
        await desk.page.keyboard.press("2")
        assert (await desk.posted("/digits"))["Digits"] == "2"
        await desk.phones.until(lambda: desk.phones.calls[1].status == "completed")
        desk.ring(BART)
        await card.get_by_role("button", name="Answer").click()
        await card.get_by_role("button", name="Hang up").click()
        await desk.phones.until(lambda: desk.phones.calls[2].status == "completed")
        assert desk.phones.calls[2].ended_by == "callee"
        await card.get_by_role("tab", name="Messages").press("ArrowRight")
        await expect(card.get_by_role("tab", name="Calls")).to_be_focused()
        await expect(card.locator(".past")).to_have_count(3)

    sit(story)


@needs_chromium
def test_says_when_it_is_stale_and_catches_up() -> None:
    async def story(desk: Desk) -> None:
        connection = desk.page.locator("#connection")
        await desk.phones.down()
        await expect(connection).to_have_attribute("data-state", "stale")
        await expect(connection).to_contain_text("Connection lost")
        desk.phones.network.send(to=ANNE, sender=HUB, body="meanwhile")
        card = desk.page.get_by_role("article", name="Anne Lambert")
        await card.get_by_label("Reply to").fill("x")
        await card.get_by_role("button", name="Send").click()
        await expect(desk.page.get_by_role("alert")).to_have_text("The simulator does not answer.")
        await expect(card.get_by_label("Reply to")).to_have_value("x")
        await desk.phones.up()
        await expect(connection).to_have_attribute("data-state", "live", timeout=20_000)
        await expect(card.locator(".bubble .text")).to_have_text("meanwhile")

    sit(story)


@needs_chromium
def test_banner_languages_and_a_phone_made_on_first_contact() -> None:
    async def story(desk: Desk) -> None:
        page = desk.page
        await expect(page.locator("html")).to_have_attribute("lang", "nl")  # the browser's own language
        banner = page.get_by_role("note")
        await expect(banner).to_contain_text("Exercise: playback of 14 July 2021")
        await expect(banner).to_contain_text("niets hiervan bereikt een echte telefoon")
        for code, title in (("fr", "Téléphones"), ("de", "Telefone"), ("en", "Phones"), ("nl", "Telefoons")):
            await page.get_by_role("link", name=code.upper(), exact=True).click()
            await expect(page.locator("html")).to_have_attribute("lang", code)
            await expect(page.get_by_role("heading", level=1)).to_have_text(title)
        await expect(page.get_by_role("article")).to_have_count(2)
        desk.phones.network.send(to="+32479999999", sender="BE-Alert", body="x")
        stranger = page.get_by_role("article", name="+32479999999")
        await expect(stranger.locator(".bubble .text")).to_have_text("x")
        await expect(stranger.locator(".no-reply")).to_contain_text("BE-Alert is een naam")
        await expect(stranger.locator(".reply")).to_be_hidden()

    sit(story, query="")


@needs_chromium
@pytest.mark.parametrize("width", WIDTHS)
def test_what_a_phone_does_by_itself_is_set_on_the_page_and_seen_at_a_glance(width: str) -> None:
    async def story(desk: Desk) -> None:
        card = desk.page.get_by_role("article", name="Anne Lambert")
        glance = desk.page.get_by_role("navigation", name="Go to a phone").get_by_role("link", name="Anne Lambert")
        phone = desk.phones.network.phone(ANNE)
        await expect(card.locator(".badge")).to_have_count(0)
        await card.locator("summary", has_text="Behaviour").press("Enter")
        await card.get_by_role("combobox", name="Calls").select_option(label="Answering machine")
        await expect(card.locator(".badge")).to_have_text(["Answering machine"])
        await expect(glance).to_contain_text("Answering machine")
        await card.get_by_role("combobox", name="Text messages").select_option(label="Receipts late")
        await card.get_by_label("Receipt after (seconds)").fill("45")
        await card.get_by_label("Receipt after (seconds)").press("Tab")
        await expect(card.locator(".badge")).to_have_text(["Answering machine", "Receipts after 45 s"])
        assert (phone.behaviour.call, phone.behaviour.receipt_after_s) == ("machine", 45.0)

        await card.get_by_label("Has coverage").press("Space")
        await expect(card.locator(".no-reply")).to_have_text("Without coverage nothing can be sent.")
        desk.phones.network.send(to=ANNE, sender=HUB, body="waits")
        await expect(card.locator(".badge").first).to_have_text("No coverage · SMS waiting: 1")
        await expect(card.locator(".bubble")).to_have_count(0)
        await card.get_by_label("Has coverage").press("Space")
        await expect(card.locator(".bubble .text")).to_have_text("waits")

        await card.get_by_role("button", name="Reset").click()
        await expect(card.locator(".badge")).to_have_count(0)
        assert phone.behaviour == Behaviour()
        await card.get_by_role("button", name="Send STOP").click()
        assert (await desk.posted("/inbound"))["OptOutType"] == "STOP"
        await expect(card.locator(".badge")).to_have_text(["STOP"])
        await card.get_by_role("button", name="Send START").click()
        await expect(card.locator(".badge")).to_have_count(0)
        for control in await card.locator(".behaviour").locator("summary, select, button, .switch").all():
            box = await control.bounding_box()
            assert box is not None
            assert box["height"] >= 44, "a thumb finds it"
        assert await desk.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    sit(story, width)


@needs_chromium
def test_what_scripts_set_is_shown_too_and_a_machine_has_no_keypad() -> None:
    async def story(desk: Desk) -> None:
        card = desk.page.get_by_role("article", name="Bart <i>Claes</i>")
        await expect(card.locator(".badge")).to_have_text(["On duty"])
        desk.phones.script(BART, sms_error=30007, out_of_order=True, call="machine", answers_after_s=0.1)
        await expect(card.locator(".badge")).to_have_text(
            ["On duty", "Answering machine", "Blocked by the carrier (30007)", "Receipts out of order"]
        )
        await card.locator("summary", has_text="Behaviour").click()
        await expect(card.get_by_role("combobox", name="Text messages")).to_have_value("30007")
        desk.ring(BART)
        await expect(card.locator(".call-state")).to_have_text("The answering machine has taken the call")
        await expect(card.locator(".captions")).to_contain_text(SPOKEN)
        await expect(card.get_by_role("group", name="Keypad")).to_be_hidden()
        await expect(card.get_by_role("button", name="Hang up")).to_be_hidden()
        [run] = desk.phones.network.runs.values()
        run.stand_down()
        await card.get_by_role("tab", name="Calls").click()
        await expect(card.locator(".past .outcome")).to_have_text("Answering machine")
        # What cannot be is not sent: the field itself says why.
        await card.get_by_role("combobox", name="Text messages").select_option(label="Receipts late")
        await card.get_by_label("Receipt after (seconds)").fill("-1")
        await card.get_by_label("Receipt after (seconds)").press("Tab")
        assert desk.phones.network.phone(BART).behaviour.receipt_after_s == 120.0

    sit(story)


@needs_chromium
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_settings_have_their_words_in_every_language(language: str) -> None:
    async def story(desk: Desk) -> None:
        desk.phones.script(ANNE, coverage=False, call="unknown", sms_error=30003, receipt_after_s=None)
        for name in ("calls", "sms"):
            texts = await desk.page.locator("article").first.locator(f"select[name={name}] option").all_text_contents()
            assert len(set(texts)) == len({"calls": CALL_CHOICES, "sms": SMS_CHOICES}[name])
            assert all(texts)
        badges = desk.page.get_by_role("article", name="Anne Lambert").locator(".badge")
        words = TEXTS[language]
        expected = ("no_coverage", "call_unknown", "sms_30003", "sms_none")
        await expect(badges).to_have_text([words[key] for key in expected])

    sit(story, query=f"?lang={language}")


def test_buttons_refuse_what_is_not_possible_and_what_other_sites_could_send() -> None:
    async def run() -> None:
        async with Phones(ACCOUNT, TOKEN) as phones, aiohttp.ClientSession(phones.base_url) as session:
            for action, form, status in (
                ("answer", {}, 409),
                ("hang-up", {}, 409),
                ("press", {"digits": "1"}, 409),
                ("press", {}, 400),
                ("text", {"text": " "}, 409),
                ("text", {"text": 7}, 400),
            ):
                async with session.post(f"/phones/%2B32470000001/{action}", json=form) as response:
                    assert (response.status, "error" in await response.json()) == (status, True), action
            async with session.post("/phones/%2B32470000001/text", data={"text": "x"}) as response:
                assert response.status == 415
            async with session.get("/") as response:
                assert "script-src 'self'" in response.headers["Content-Security-Policy"]
            assert phones.messages == []

    asyncio.run(run())
