"""The Twilio channels keep every channel's promises, called back or not: the real SDK against the phone simulator."""

import pytest

from tests.contracts.channel import PROMISES
from tests.edge.twilio_room import play


@pytest.mark.parametrize("public", [True, False], ids=["public", "inside"])
@pytest.mark.parametrize("kind", ["sms", "voice"])
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_promise(kind: str, promise: object, public: bool) -> None:
    play(kind, promise, public=public)  # type: ignore[arg-type]  # a Room is a World
