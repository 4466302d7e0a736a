"""The short crash campaign: a real hub, killed twenty times (`python -m tools.crash` does it two hundred times)."""

import asyncio
from pathlib import Path

from tools.crash.__main__ import lines
from tools.crash.campaign import SHORT, Campaign

SEED = 112


def test_nothing_is_missing_after_twenty_kills(tmp_path: Path) -> None:
    plan, scale, mix = SHORT
    told = asyncio.run(Campaign(tmp_path, SEED, plan, scale, mix).run())
    assert not told.found.faults, "\n".join(lines(told))
    figures = told.found.figures
    assert told.kills.total() == plan.kills == 20
    # That there was something to lose.
    assert figures["acknowledged"] == figures["signals"] > 2_000
    assert figures["arrivals"] > 100
    assert figures["chains"] > 10
    assert figures["deadlines fired"] > 10
    assert figures["events followed"] > 100
