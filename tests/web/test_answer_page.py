"""The page an ask is answered on, in a real browser and without JavaScript: at a phone's and a desk's width, in light
and dark, in each language."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import pytest
from playwright.async_api import Page, async_playwright, expect

from hub.model.message import Verb
from hub.model.people import Language
from hub.model.signal import Status
from tests.edge.test_mail_page import Room, room
from tests.web.test_phones_page import CHROMIUM, WIDTHS, needs_chromium

SUBJECTS = {
    Language.FR: "EXERCICE - Orage violent: Ixelles, Saint-Gilles. Êtes-vous disponible?",
    Language.NL: "OEFENING - Zwaar onweer: Elsene, Sint-Gillis. Bent u beschikbaar?",
    Language.DE: "ÜBUNG - Schweres Gewitter: Ixelles, Saint-Gilles. Sind Sie verfügbar?",
    Language.EN: "EXERCISE - Violent storm: Ixelles, Saint-Gilles. Are you available?",
}
Scheme = Literal["light", "dark"]
TOUCH_PX = 44  # what a finger hits (WCAG 2.5.5)


def visit(story: Callable[[Room, Page], Awaitable[None]], width: str = "phone", scheme: Scheme = "light") -> None:
    """Runs a story in a browser that executes no script of the page."""

    async def run() -> None:
        complaints: list[str] = []
        async with room() as here, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            context = await browser.new_context(
                viewport=WIDTHS[width], color_scheme=scheme, java_script_enabled=False, base_url=here.base
            )
            page = await context.new_page()
            page.on("console", lambda message: complaints.append(message.text))
            await story(here, page)
            await browser.close()
        refused = [text for text in complaints if "Content Security Policy" in text or "Refused" in text]
        assert refused == []

    asyncio.run(run())


async def fits(page: Page) -> None:
    """Nothing is wider than the window, and every button can be hit with a finger."""
    window = page.viewport_size
    assert window is not None
    for box in [await b.bounding_box() for b in await page.locator("main, h1, p, button").all()]:
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= window["width"]
    for button in await page.get_by_role("button").all():
        box = await button.bounding_box()
        assert box is not None
        assert box["height"] >= TOUCH_PX
        assert box["width"] >= TOUCH_PX


RECORDED = {"fr": "serez là dans 20", "nl": "er over 20", "de": "in 20\u00a0Minuten da", "en": "there in 20"}


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_an_officer_answers(width: str, scheme: Scheme) -> None:
    async def story(here: Room, page: Page) -> None:
        for index, language in enumerate(Language):
            subject = SUBJECTS[language]
            path = await here.ask(index=index, language=language, subject=subject, status=Status.EXERCISE)
            await page.goto(path)
            await expect(page.get_by_role("note")).to_be_visible()
            await expect(page.get_by_role("heading", level=1)).to_have_text(subject)
            await expect(page.get_by_role("button")).to_have_count(6)
            await fits(page)
            await page.get_by_role("button", name="20").click()
            await expect(page.get_by_role("status")).to_contain_text(RECORDED[language])
            await fits(page)
            assert here.intake.replies[-1].index == index
            await page.goto(path)
            await expect(page.get_by_role("button")).to_have_count(0)
            await expect(page.get_by_role("status")).to_contain_text(RECORDED[language])
        assert [reply.verb for reply in here.intake.replies] == [Verb.ACCEPT] * 4

    visit(story, width, scheme)


@needs_chromium
def test_the_style_is_in_force_under_the_pages_own_policy() -> None:
    colours: dict[str, Any] = {}

    def look(scheme: Scheme) -> None:
        async def story(here: Room, page: Page) -> None:
            await page.goto(await here.ask(status=Status.ACTUAL))
            await expect(page.locator("main")).to_have_css("max-width", "560px")
            session = await page.context.new_cdp_session(page)  # the page itself runs no script
            await session.send("DOM.enable")
            await session.send("CSS.enable")
            root = (await session.send("DOM.getDocument"))["root"]["nodeId"]
            body = (await session.send("DOM.querySelector", {"nodeId": root, "selector": "body"}))["nodeId"]
            style = (await session.send("CSS.getComputedStyleForNode", {"nodeId": body}))["computedStyle"]
            colours[scheme] = next(one["value"] for one in style if one["name"] == "background-color")

        visit(story, scheme=scheme)

    look("light")
    look("dark")
    assert colours == {"light": "rgb(242, 242, 242)", "dark": "rgb(18, 18, 18)"}


@needs_chromium
def test_by_keyboard_alone() -> None:
    async def story(here: Room, page: Page) -> None:
        await page.goto(await here.ask())
        for _ in range(6):
            await page.keyboard.press("Tab")
        await expect(page.get_by_role("button", name="I decline")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("You decline.")
        assert [reply.verb for reply in here.intake.replies] == [Verb.DECLINE]

    visit(story, "desk")


@needs_chromium
@pytest.mark.parametrize("width", WIDTHS)
def test_what_went_wrong_is_seen(width: str) -> None:
    async def story(here: Room, page: Page) -> None:
        await page.goto("/callback/email/answer/forged")
        for words in ("n’est pas valable", "niet geldig", "ungültig", "not valid"):
            await expect(page.get_by_text(words)).to_be_visible()
        await fits(page)
        await page.goto(await here.ask(language=Language.FR))
        here.intake.down = "disk full"
        await page.get_by_role("button", name="J’accepte", exact=True).click()
        await expect(page.get_by_role("alert")).to_contain_text("PAS enregistrée")
        await fits(page)
        here.intake.down = ""
        await page.get_by_role("button", name="J’accepte", exact=True).click()
        await expect(page.get_by_role("status")).to_have_text("Vous acceptez.")

    visit(story, width)
