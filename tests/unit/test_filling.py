"""The words of what a sheet proposes: frozen with the incident's in them, short enough for every channel."""

from datetime import UTC, datetime

import pytest

from hub.broadcasts.filling import filled
from hub.dispatch.prepare import room_of
from hub.dispatch.render import NoText, Texts, render
from hub.model.broadcast import Proposal
from hub.model.message import Message
from hub.model.people import Language
from hub.model.signal import Area, Info, Signal, Status
from hub.model.sms import segments
from tests.conftest import shipped

CONFIG = shipped()[0]
TEXTS = CONFIG.texts_in_force()


def proposal(message: str = "weather-partners", status: Status = Status.ACTUAL) -> Proposal:
    return Proposal(
        incident="i", sheet="extreme-weather", step="public", group="public", message=message, signal="s", status=status
    )


def signal(headline: str) -> Signal:
    at = datetime(2026, 7, 14, 2, 10, tzinfo=UTC)
    info = Info(
        language="nl-BE", headline=headline, onset=at, expires=at, areas=(Area(description="Ixelles / Elsene"),)
    )
    return Signal(source="s", identifier="i", sender="x", sent=at, infos=(info,))


def test_what_a_sender_wrote_is_never_filled_in_again() -> None:
    words = filled(proposal(), signal("{sheet} {area} {"), TEXTS, [CONFIG.channels["email"]])
    assert words[Language.NL].text.startswith("SITCEN: (sheet) (area) (. Plaats: Ixelles / Elsene. Van di 14 jul")
    assert words[Language.NL].subject == "Weerwaarschuwing: (sheet) (area) ("


def test_a_call_says_times_in_words_and_an_sms_by_numbers() -> None:
    words = filled(proposal(), signal("Storm"), TEXTS, [CONFIG.channels["sms"], CONFIG.channels["voice"]])
    assert "mardi 14 juillet à 4 heures 10" in words[Language.FR].voice
    assert "mar. 14/07 à 04h10" in words[Language.FR].text
    assert "Ixelles, Elsene" in words[Language.FR].voice


@pytest.mark.parametrize("status", [Status.ACTUAL, Status.EXERCISE])
@pytest.mark.parametrize("language", list(Language))
def test_however_much_a_sender_writes_nothing_is_cut_when_it_goes_out(status: Status, language: Language) -> None:
    sms, mail = CONFIG.channels["sms"], CONFIG.channels["email"]
    words = filled(proposal(status=status), signal("ê" * 2000), TEXTS, [mail, sms])
    frozen = words[language].text
    assert frozen.endswith("SITCEN."), "our own words stay"
    sent = Texts(messages={**TEXTS.messages, "broadcast": Message(id="broadcast", texts=words)})
    out = render(sent, "broadcast", language, status=status, room=room_of(sms.abilities, sms.limits))
    assert out.text.endswith(frozen)
    assert segments(out.text).parts <= sms.limits.parts


def test_without_an_sms_nothing_is_shortened() -> None:
    words = filled(proposal(), signal("x" * 2000), TEXTS, [CONFIG.channels["email"]])
    assert "x" * 2000 in words[Language.EN].text


def test_a_message_that_is_not_in_force_is_said() -> None:
    with pytest.raises(NoText):
        filled(proposal("nonsense"), signal("x"), TEXTS, [CONFIG.channels["sms"]])
