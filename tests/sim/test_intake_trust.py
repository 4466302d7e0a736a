"""How far intake believes one item of a source: never more than the source itself."""

import random
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import trio

from hub.connector import SignalItem
from hub.intake.intake import Intake, Trusted
from hub.intake.port import Answered, Offered
from hub.journal.memory import MemoryJournal
from hub.model.ids import Ids
from hub.model.signal import Signal
from hub.model.trust import Credibility, Reliability

NOW = datetime(2026, 7, 14, tzinfo=UTC)
PAGERS = Trusted(reliability=Reliability.B, credibility=Credibility.PROBABLY_TRUE)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, (Reliability.B, Credibility.PROBABLY_TRUE)),
        ({"reliability": Reliability.D}, (Reliability.D, Credibility.PROBABLY_TRUE)),
        ({"credibility": Credibility.DOUBTFUL}, (Reliability.B, Credibility.DOUBTFUL)),
        (
            {"reliability": Reliability.A, "credibility": Credibility.CONFIRMED},
            (Reliability.B, Credibility.PROBABLY_TRUE),
        ),
    ],
)
def test_an_item_may_be_believed_less_than_its_source(
    said: dict[str, Any], expected: tuple[Reliability, Credibility]
) -> None:
    async def story() -> Signal:
        journal = MemoryJournal()
        intake = Intake(
            journal,
            lambda: NOW,
            Ids(random.Random(1)),
            locate=lambda signal: signal,
            understanding=lambda: pytest.fail("nobody answers"),
            trust={"pagers": PAGERS},
        )
        item = SignalItem(signal=Signal(identifier="1", sender="x", sent=NOW), key="1", **said)
        (answered,) = await intake.take("pagers", [Offered(items=(item,))])
        assert isinstance(answered, Answered)
        (kept,) = await journal.vault([answered.taken[0].fact])
        assert kept is not None
        return msgspec.json.decode(kept.payload, type=Signal)

    signal = trio.run(story)
    assert (signal.reliability, signal.credibility) == expected
