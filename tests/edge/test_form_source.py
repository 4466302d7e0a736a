"""A form, through the hub's real web server: who may send it, what is marked, when it is said to be received."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from connectors.form.config import FormConfig
from connectors.form.page import WORDS
from connectors.form.reading import check
from connectors.form.source import TRIES, FormSource
from hub.config import load
from hub.connector import BadItem, SignalItem
from hub.model.people import Language
from hub.model.signal import Hazard, MsgType, Urgency
from hub.model.trust import Reliability
from hub.web.server import Mount, WebConfig, WebServer
from tests.conftest import ROOT
from tests.contracts.intake import MemoryIntake, environment

CODES = {"FORM_SIAMU": "rouge-pompe-échelle", "FORM_POLICE_5339": "bleu-feu-couloir"}
FILLED = {
    "partner": "siamu", "code": "rouge-pompe-échelle", "what": "Toit en feu, <voir> de haut",
    "where": "Rue Haute, Bruxelles", "camera": "thermal", "from": "2026-07-14T02:10", "until": "",
    "phone": "+32 2 123 45 67",
}  # fmt: skip


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> FormConfig:
    """The form that the README shows."""
    text = (ROOT / "connectors" / "form" / "README.md").read_text("utf-8")
    found = re.search(r"```yaml\n(# config/sources.yaml\n.*?)```", text, re.DOTALL)
    assert found is not None
    folder = tmp_path_factory.mktemp("form")
    for name in ("hub.yaml", "messages.yaml", "areas.yaml"):
        (folder / name).write_text((ROOT / "config" / name).read_text("utf-8"), "utf-8")
    (folder / "sources.yaml").write_text(found[1], "utf-8")
    config, _ = load(folder)
    settings = config.sources["drone-request"].settings
    assert isinstance(settings, FormConfig)
    return settings


class Room:
    """A form's source behind a web server."""

    def __init__(self, config: FormConfig) -> None:
        self.intake = MemoryIntake(datetime(2026, 7, 14, tzinfo=UTC))
        self.source = FormSource(config, environment("drone-request", **CODES))
        self.base = ""
        self.session = aiohttp.ClientSession()

    async def opened(self, language: str = "fr") -> tuple[str, str]:
        """The page, and the id on it."""
        async with self.session.get(f"{self.base}/in/drone-request?lang={language}") as response:
            text = await response.text()
            assert response.status == 200
            assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        found = re.search(r'name="id" value="([A-Za-z0-9_-]+)"', text)
        assert found is not None
        return text, found[1]

    async def sends(self, form: dict[str, str], language: str = "fr") -> tuple[int, str]:
        async with self.session.post(f"{self.base}/in/drone-request?lang={language}", data=form) as response:
            return response.status, await response.text()

    @property
    def signals(self) -> list[SignalItem]:
        return [item for item in self.intake.items if isinstance(item, SignalItem)]


@asynccontextmanager
async def room(config: FormConfig) -> AsyncIterator[Room]:
    here = Room(config)

    async def healthy() -> dict[str, Any]:
        return {}

    server = WebServer(
        WebConfig(port=0),
        [Mount(prefix="/in/drone-request", routes=here.source.routes(here.intake))],
        health=healthy,
        registry=CollectorRegistry(),
    )
    here.base = f"http://127.0.0.1:{await server.start()}"
    try:
        async with here.session:
            yield here
    finally:
        await server.stop()


def told(config: FormConfig, story: Callable[[Room], Awaitable[None]]) -> None:
    async def run() -> None:
        async with room(config) as here:
            await story(here)

    asyncio.run(run())


def test_what_is_sent_is_a_signal_in_four_languages(shown: FormConfig) -> None:
    async def story(here: Room) -> None:
        page, form_id = await here.opened()
        assert "Demande d&#39;un drone" in page
        status, answer = await here.sends({**FILLED, "id": form_id})
        assert (status, WORDS[Language.FR]["sent"] in answer, form_id in answer) == (200, True, True)
        (item,) = here.signals
        signal = item.signal
        assert (signal.sender, signal.identifier, item.reliability) == ("siamu", form_id, None)
        assert [info.language[:2] for info in signal.infos] == ["fr", "nl", "de", "en"]
        english = signal.infos[3]
        assert (english.hazard, english.urgency) == (Hazard.OTHER, Urgency.EXPECTED)
        assert english.headline == "Request for a drone - siamu - Toit en feu, <voir> de haut"
        assert english.onset == datetime(2026, 7, 14, 0, 10, tzinfo=UTC), "a time of Brussels in summer"
        assert "Camera: Thermal" in english.description
        assert "Until" not in english.description, "what was left empty"
        assert english.areas[0].description == "Rue Haute, Bruxelles"
        assert ("phone", "+32 2 123 45 67") in [(one.name, one.value) for one in english.parameters]
        assert "rouge" not in str(signal), "the code is nobody's to read"
        assert b"rouge" not in item.original

    told(shown, story)


def test_sent_twice_it_is_one_and_corrected_it_is_the_same_one_anew(shown: FormConfig) -> None:
    async def story(here: Room) -> None:
        _, form_id = await here.opened()
        for _ in range(2):
            assert (await here.sends({**FILLED, "id": form_id}))[0] == 200
        assert len(here.signals) == 1
        assert (await here.sends({**FILLED, "id": form_id, "where": "Rue Basse"}))[0] == 200
        first, second = (item.signal for item in here.signals)
        assert first.identifier == second.identifier
        assert second.msg_type is MsgType.ALERT, "an edit under its own name, which the engine takes for one"

    told(shown, story)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"what": " "}, "missing"),
        ({"camera": "x-ray"}, "choose"),
        ({"from": "2026-02-30T25:00"}, "moment"),
        ({"until": "2026-07-14T02:09"}, "before"),
        ({"phone": "call me"}, "phone"),
        ({"what": "x" * 301}, "too_long"),
    ],
)
def test_what_is_wrong_is_marked_and_what_was_typed_is_kept(
    shown: FormConfig, wrong: dict[str, str], word: str
) -> None:
    async def story(here: Room) -> None:
        for language in Language:
            _, form_id = await here.opened(language.value)
            status, page = await here.sends({**FILLED, **wrong, "id": form_id}, language.value)
            said = (
                WORDS[language][word].replace("’", "&#39;") if "'" in WORDS[language][word] else WORDS[language][word]
            )
            assert (status, said in page, form_id in page) == (422, True, True)
            assert page.count('aria-invalid="true"') == 1
            if "what" not in wrong:
                assert "Toit en feu, &lt;voir&gt; de haut" in page, "kept, and escaped"
            assert "rouge" not in page, "the code is typed again"
        assert not here.intake.items

    told(shown, story)


def test_a_wrong_code_sends_nothing_and_ten_of_them_have_to_wait(shown: FormConfig) -> None:
    async def story(here: Room) -> None:
        for partner, code in [("siamu", "bleu-feu-couloir"), ("nobody", ""), ("", "rouge-pompe-échelle")]:
            status, page = await here.sends({**FILLED, "partner": partner, "code": code})
            assert (status, WORDS[Language.FR]["wrong_code"] in page) == (403, True)
        for _ in range(TRIES - 3):
            assert (await here.sends({**FILLED, "code": "guess"}))[0] == 403
        status, page = await here.sends({**FILLED, "code": "guess"})
        assert (status, WORDS[Language.FR]["slow"] in page) == (429, True)
        assert not here.intake.items
        assert (await here.sends(FILLED))[0] == 200, "nobody who guesses locks the partners out"
        assert len(here.intake.items) == 1

    told(shown, story)


def test_a_code_that_can_be_guessed_is_none(shown: FormConfig) -> None:
    with pytest.raises(ValueError, match="secret FORM_SIAMU has fewer than 12 characters"):
        FormSource(shown, environment("drone-request", **{**CODES, "FORM_SIAMU": " 1234-5678 "}))


def test_what_cannot_be_recorded_is_not_said_to_be(shown: FormConfig) -> None:
    async def story(here: Room) -> None:
        _, form_id = await here.opened("nl")
        here.intake.down = "the disk is full"
        status, page = await here.sends({**FILLED, "id": form_id}, "nl")
        assert (status, WORDS[Language.NL]["not_recorded"] in page, "Rue Haute" in page) == (503, True, True)
        here.intake.down = ""
        assert (await here.sends({**FILLED, "id": form_id}, "nl"))[0] == 200
        assert len(here.signals) == 1

    told(shown, story)


def test_a_form_for_anybody_is_believed_as_far_as_a_stranger(shown: FormConfig) -> None:
    async def story(here: Room) -> None:
        page, form_id = await here.opened()
        assert 'name="code"' not in page
        assert (await here.sends({**FILLED, "id": form_id}))[0] == 200
        assert here.signals[0].reliability is Reliability.F
        assert here.signals[0].signal.sender == "anybody"

    told(replace(shown, partners={}), story)


def test_the_language_is_the_links_else_the_browsers(shown: FormConfig) -> None:
    async def story(here: Room) -> None:
        for header, language in [("de-DE,de;q=0.9,en;q=0.8", "de"), ("es, nl;q=0.5", "nl"), ("", "fr"), ("xx", "fr")]:
            address = f"{here.base}/in/drone-request"
            async with here.session.get(address, headers={"accept-language": header}) as response:
                assert f'<html lang="{language}">' in await response.text()

    told(shown, story)


def test_rubbish_is_answered_with_the_form(shown: FormConfig) -> None:
    async def story(here: Room) -> None:
        for body in (b"", b"\xff\xfe", b"a=b" * 10_000, b"id=../../x&what=%00"):
            async with here.session.post(f"{here.base}/in/drone-request", data=body) as response:
                assert response.status == 403
                assert "../" not in await response.text()
        assert not here.intake.items

    told(shown, story)


def test_what_was_typed_is_read_from_a_file_too(shown: FormConfig) -> None:
    typed = {name: value for name, value in FILLED.items() if name not in ("partner", "code")}
    good = str(typed).replace("'", '"').encode()
    (item,) = FormSource.read(good, "f.json", shown)
    assert isinstance(item, SignalItem)
    assert check(shown, typed).wrong == {}
    for bad, why in [(b"{}", "what: Fill this in."), (b"[1]", "write field: value"), (good[:-5], "write field: value")]:
        (letter,) = FormSource.read(bad, "f.json", shown)
        assert isinstance(letter, BadItem)
        assert why in letter.reason
    (unread,) = FormSource.read(good, "f.json")
    assert isinstance(unread, BadItem)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (("area: where", "area: whre"), 'there is no field "whre"'),
        (("begins: from", "begins: what"), '"what" is no moment'),
        (("    what:\n      label:", "    Code!:\n      label:"), "cannot be a field's name"),
        (("kind: choice\n", "kind: line\n"), "is a choice, or has choices, and not both"),
        (("hazard: other\n", "hazard: other\n  zone: Europe/Brussel\n"), 'there is no time zone "Europe/Brussel"'),
    ],
)
def test_what_is_wrong_in_the_configuration_is_found(tmp_path: Path, change: tuple[str, str], finding: str) -> None:
    text = (ROOT / "connectors" / "form" / "README.md").read_text("utf-8")
    found = re.search(r"```yaml\n(# config/sources.yaml\n.*?)```", text, re.DOTALL)
    assert found is not None
    assert change[0] in found[1]
    for name in ("hub.yaml", "messages.yaml", "areas.yaml"):
        (tmp_path / name).write_text((ROOT / "config" / name).read_text("utf-8"), "utf-8")
    (tmp_path / "sources.yaml").write_text(found[1].replace(*change), "utf-8")
    _, findings = load(tmp_path)
    told_of = [one.message for one in findings if one.file.endswith("sources.yaml")]
    assert any(finding in message for message in told_of), told_of


# --- a list of people, several choices, an earlier form -------------------------------------------------------

CENTRE = {
    "partner": "siamu", "code": "rouge-pompe-échelle", "what": "Match", "who": "police", "from": "2026-07-14T02:10",
    "until": "2026-07-14T23:00", "rooms": "crisis-room, press-room", "phone": "+32 2 123 45 67",
    "people": "Jan Janssens, police-5340, officier\r\nFatima El Verzonnen; siamu; <b>analist</b>",
}  # fmt: skip


@pytest.fixture(scope="module")
def centre() -> FormConfig:
    """The form for the crisis centre, as it is shipped."""
    settings = load(ROOT / "config")[0].sources["crisis-centre"].settings
    assert isinstance(settings, FormConfig)
    return replace(settings, partners={"siamu": "FORM_SIAMU", "police-5339": "FORM_POLICE_5339"})


def test_who_comes_and_which_rooms_are_said_in_the_signal(centre: FormConfig) -> None:
    async def story(here: Room) -> None:
        page, form_id = await here.opened("nl")
        assert page.count('type="checkbox"') == 4
        assert 'placeholder="Naam, dienst, functie"' in page
        rooms = [("rooms", "crisis-room"), ("rooms", "press-room")]
        boxes = [*((k, v) for k, v in {**CENTRE, "id": form_id}.items() if k != "rooms"), *rooms]
        async with here.session.post(f"{here.base}/in/drone-request?lang=nl", data=boxes) as response:
            assert response.status == 200
        (item,) = here.signals
        said = {one.name: one.value for one in item.signal.infos[0].parameters}
        assert said["rooms"] == "crisis-room, press-room"
        assert said["people"].splitlines()[1] == "Fatima El Verzonnen; siamu; <b>analist</b>"
        assert "Welke zalen?: Crisiszaal, Perszaal" in item.signal.infos[1].description

    told(centre, story)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"people": "Jan Janssens"}, "people"),
        ({"people": "Jan Janssens, , officier"}, "people"),
        ({"people": "\n".join(f"A{n} B, c, d" for n in range(201))}, "people"),
        ({"people": "x" * 10_001}, "too_long"),
        ({"people": ""}, "missing"),
        ({"rooms": ""}, "missing"),
        ({"rooms": "crisis-room, cellar"}, "choose"),
        ({"earlier": "../../x"}, "reference"),
    ],
)
def test_a_list_that_is_none_is_marked_and_kept(centre: FormConfig, wrong: dict[str, str], word: str) -> None:
    async def story(here: Room) -> None:
        status, page = await here.sends({**CENTRE, **wrong}, "en")
        assert (status, WORDS[Language.EN][word] in page) == (422, True)
        assert page.count('aria-invalid="true"') == 1
        if "people" not in wrong:
            assert "&lt;b&gt;analist&lt;/b&gt;" in page
        if "rooms" not in wrong:
            assert page.count(" checked") == 2
        assert not here.intake.items

    told(centre, story)


def test_a_later_form_takes_the_place_of_an_earlier_one_of_the_same_partner(centre: FormConfig) -> None:
    async def story(here: Room) -> None:
        _, first = await here.opened()
        assert (await here.sends({**CENTRE, "id": first}))[0] == 200
        _, second = await here.opened()
        more = {**CENTRE, "id": second, "earlier": first, "people": CENTRE["people"] + "\nC Drie, siamu, x"}
        status, page = await here.sends(more)
        assert (status, first in page, second in page) == (200, True, False)
        _, third = await here.opened()
        other = {**CENTRE, "id": third, "earlier": first, "partner": "police-5339", "code": "bleu-feu-couloir"}
        assert (await here.sends(other))[0] == 200
        one, two, three = (item.signal for item in here.signals)
        assert (one.identifier, one.sender) == (two.identifier, two.sender) == (first, "siamu")
        assert three.sender == "police-5339", "another's reference is another's message"
        assert "earlier" not in {named.name for info in two.infos for named in info.parameters}

    told(centre, story)


def test_a_form_for_anybody_replaces_nothing(centre: FormConfig) -> None:
    with pytest.raises(ValueError, match="anybody could take the place of anybody's form"):
        replace(centre, partners={})
