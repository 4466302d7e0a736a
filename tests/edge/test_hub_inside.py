"""The whole way at a site nobody can reach from outside: the hub asks Twilio for everything; nobody calls it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.edge.running import OFFICER_A, OFFICER_B, Room, change, code_in, room


def shut_in(channels: Any) -> None:
    for name in ("sms", "voice"):
        channels[name].update({"public": "no", "poll asks": "1 s", "requests per second": 20})


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Room]:
    with room(tmp_path, between_s=60.0, answer_s=90.0) as made:
        change(made.folder.config / "channels.yaml", shut_in)
        made.outside.do(lambda phones: setattr(phones.network, "inbound", None))
        yield made
        assert made.outside.do(lambda phones: not phones.webhooks.sent), "nobody called the hub"


def test_an_sms_that_does_not_arrive_brings_the_call_at_once_and_the_answer_by_sms_ends_the_chain(here: Room) -> None:
    here.script(OFFICER_A, sms_error=30005, call="answer", answers_after_s=1.0)
    here.start()
    assert here.alert("THUNDER-1").status == 202
    (asked,) = here.until(lambda: here.sms_to(OFFICER_A), "an SMS")
    (call,) = here.until(lambda: here.calls_to(OFFICER_A), "a call long before its time, as the SMS did not arrive")
    here.until(lambda: not call.alive, "a call that has said everything")
    code = code_in(asked)
    spoken = [caption.text for caption in call.captions]
    assert sum(f"par le code {', '.join(code)}" in text for text in spoken) == 2
    assert call.digits == []
    here.text(OFFICER_A, f"{code} oui")
    here.until(lambda: "accepted" in str(here.status()["incidents"]), "a chain that has stopped")
    assert here.calls_to(OFFICER_B) == []
    assert here.stop() == 0


def test_who_answers_while_the_hub_is_down_is_heard_when_it_is_back(here: Room) -> None:
    here.script(OFFICER_A, call="no-answer")
    here.start()
    assert here.alert("THUNDER-1").status == 202
    (asked,) = here.until(lambda: here.sms_to(OFFICER_A), "an SMS")
    here.kill()
    here.text(OFFICER_A, f"{code_in(asked)} oui")
    here.start()
    here.until(lambda: "accepted" in str(here.status()["incidents"]), "a chain that has stopped")
    assert here.calls_to(OFFICER_A) == []
    assert len(here.facts("reply")) == 1
    assert here.stop() == 0


def test_check_says_what_cannot_work(here: Room) -> None:
    said = here.vigie("check", "--config", str(here.folder.config))
    assert said.code == 0, said.out + said.err
    words = said.out + said.err
    assert "warning: voice calls without a keypad: nobody can answer in the call" in words
    change(here.folder.config / "chains.yaml", lambda held: held["directors"]["tiers"][0].update({"by": ["call"]}))
    said = here.vigie("check", "--config", str(here.folder.config))
    assert said.code == 1
    assert "nobody can answer on voice" in said.out + said.err
