"""The Twilio channels keep every channel's promises: the real SDK against the phone simulator."""

import pytest

from tests.contracts.channel import PROMISES
from tests.edge.twilio_room import play


@pytest.mark.parametrize("kind", ["sms", "voice"])
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_promise(kind: str, promise: object) -> None:
    play(kind, promise)  # type: ignore[arg-type]  # a Room is a World
