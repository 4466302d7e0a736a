"""A partner fills a form in, in a real browser and without JavaScript: at a phone's and a desk's width."""

import asyncio

import pytest
from playwright.async_api import Page, async_playwright, expect

from connectors.form.config import FormConfig
from connectors.form.page import WORDS
from hub.model.people import Language
from tests.edge.test_form_source import centre, room, shown
from tests.web.test_answer_page import TOUCH_PX
from tests.web.test_phones_page import CHROMIUM, WIDTHS, needs_chromium

__all__ = ["centre", "shown"]  # fixtures


async def fits(page: Page) -> None:
    """Nothing is wider than the window, and all that is pressed or typed into can be hit with a finger."""
    window = page.viewport_size
    assert window is not None
    assert await page.evaluate("document.documentElement.scrollWidth") <= window["width"]
    for box in [
        await one.bounding_box() for one in await page.locator("button, input:visible, select, textarea, nav a").all()
    ]:
        assert box is not None
        assert min(box["height"], box["width"]) >= TOUCH_PX


@needs_chromium
@pytest.mark.parametrize("width", WIDTHS)
def test_a_partner_asks_corrects_and_is_told_that_it_is_received(shown: FormConfig, width: str) -> None:
    async def story() -> None:
        async with room(shown) as here, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            context = await browser.new_context(viewport=WIDTHS[width], base_url=here.base, locale="fr-BE")
            page = await context.new_page()
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text))
            await page.goto("/in/drone-request")
            await page.get_by_role("link", name="NL").click()
            words = WORDS[Language.NL]
            await expect(page.get_by_role("heading", level=1)).to_have_text("Aanvraag van een drone")
            await fits(page)
            await page.get_by_label(words["who"], exact=True).select_option("siamu")
            await page.get_by_label(words["code"]).fill("rouge-pompe-échelle")
            await page.get_by_label("Waarvoor?").fill("Dak in brand")
            await page.get_by_label("Camera").select_option("thermal")
            await page.get_by_label("Vanaf").fill("2026-07-14T02:10")
            await page.get_by_role("button", name=words["send"]).click()
            await expect(page.get_by_role("alert")).to_have_text(words["not_sent"])
            await expect(page.get_by_label("Waarvoor?")).to_have_value("Dak in brand")
            assert await page.locator("[aria-invalid]").count() == 2, "where and the number"
            await fits(page)
            await page.get_by_label(words["code"]).fill("rouge-pompe-échelle")
            await page.get_by_label("Waar? (straat, gemeente)").fill("Hoogstraat, Brussel")
            await page.locator("#phone").fill("+32 2 123 45 67")
            await page.get_by_role("button", name=words["send"]).click()
            await expect(page.get_by_role("status")).to_have_text(words["sent"])
            await fits(page)
            await browser.close()
            (item,) = here.signals
            assert item.signal.infos[1].headline == "Aanvraag van een drone - siamu - Dak in brand"
            assert [text for text in complaints if "Content Security Policy" in text] == []

    asyncio.run(story())


@needs_chromium
@pytest.mark.parametrize("width", WIDTHS)
def test_a_partner_says_who_comes_and_which_rooms(centre: FormConfig, width: str) -> None:
    async def story() -> None:
        async with room(centre) as here, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            context = await browser.new_context(
                viewport=WIDTHS[width], base_url=here.base, locale="en-GB", java_script_enabled=False
            )
            page = await context.new_page()
            await page.goto("/in/drone-request?lang=en")
            words = WORDS[Language.EN]
            await page.get_by_label(words["who"], exact=True).select_option("siamu")
            await page.get_by_label(words["code"]).fill("rouge-pompe-échelle")
            await page.get_by_label("What for?").fill("Match")
            await page.get_by_label("Police only, or several disciplines?").select_option("police")
            await page.get_by_label("From").fill("2026-07-14T02:10")
            await page.get_by_label("Until").fill("2026-07-14T23:10")
            rooms = page.get_by_role("group", name="Which rooms?")
            await rooms.get_by_label("Crisis room").check()
            await rooms.get_by_label("Press room").check()
            await page.get_by_label("Who comes?").fill("Jan Janssens, siamu")
            await page.get_by_label("Whom to call back?").fill("+32 2 123 45 67")
            await page.get_by_role("button", name=words["send"]).click()
            await expect(page.get_by_text(words["people"])).to_be_visible()
            await expect(rooms.get_by_label("Press room")).to_be_checked()
            await expect(rooms.get_by_label("Meeting room 1")).not_to_be_checked()
            await page.get_by_label(words["code"]).fill("rouge-pompe-échelle")
            await page.get_by_label("Who comes?").fill("Jan Janssens, siamu, officer\nAnn Peeters, siamu, analyst")
            await page.get_by_role("button", name=words["send"]).click()
            await expect(page.get_by_role("status")).to_have_text(words["sent"])
            await browser.close()
            (item,) = here.signals
            said = {one.name: one.value for one in item.signal.infos[0].parameters}
            assert said["rooms"] == "crisis-room, press-room"
            assert said["people"].splitlines() == ["Jan Janssens, siamu, officer", "Ann Peeters, siamu, analyst"]

    asyncio.run(story())


@needs_chromium
@pytest.mark.parametrize("width", WIDTHS)
def test_the_form_with_boxes_and_a_list_fits(centre: FormConfig, width: str) -> None:
    async def story() -> None:
        async with room(centre) as here, async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            context = await browser.new_context(viewport=WIDTHS[width], base_url=here.base)
            page = await context.new_page()
            for language in Language:
                await page.goto(f"/in/drone-request?lang={language.value}")
                await fits(page)
            await browser.close()

    asyncio.run(story())
