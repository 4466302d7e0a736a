"""Sheets as pictures in a real browser: each text lies within its box, whatever the typeface there is."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from hub.model.people import Language
from hub.playbook.diagram import diagram
from tests.conftest import shipped
from tests.web.test_phones_page import CHROMIUM, needs_chromium

OUTSIDE = """() => [...document.querySelectorAll("g > g")].flatMap(g => {
  const box = g.querySelector("rect, path").getBBox();
  return [...g.querySelectorAll("text")].filter(text => {
    const b = text.getBBox();
    return b.x < box.x - 0.5 || b.x + b.width > box.x + box.width + 0.5 || b.y + b.height > box.y + box.height + 1;
  }).map(text => text.textContent);
})"""


@needs_chromium
@pytest.mark.parametrize("language", list(Language))
def test_each_text_lies_within_its_box(language: Language, tmp_path: Path) -> None:
    config, _ = shipped()
    assert config.geography is not None
    areas = {place.id: place.names for place in config.geography.places.values()}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        page = browser.new_page()
        for playbook in config.playbooks:
            file = tmp_path / f"{playbook.name}.svg"
            file.write_text(diagram(playbook, language, config.chains, areas))
            page.goto(file.as_uri())
            outside: Any = page.evaluate(OUTSIDE)
            assert outside == [], playbook.name
            assert page.evaluate("document.querySelectorAll('g > g').length") > len(playbook.steps)
        browser.close()
