"""How well stories are recognised: on pairs that were labelled by reading, the half that nothing was tuned on.

Precision: of the pairs that are said to be one story, how many are. Recall: of those that are, how many are said to be.
"""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from hub.intake.stories import Stories, Told
from tests.golden.pairs import WHEN, Pair, press_pairs, press_signals, recorded_pairs


def joined(pair: Pair) -> bool:
    memory = Stories()
    memory.place(Told("a", WHEN, pair.first))
    return memory.place(Told("b", WHEN + timedelta(minutes=10), pair.second)).story == "a"


def measured(pairs: Iterable[Pair]) -> tuple[float, float, int]:
    """Precision, recall and the number of pairs that are the same."""
    said = [(joined(pair), pair.same) for pair in pairs if pair.judging]
    right = said.count((True, True))
    same = right + said.count((False, True))
    return right / (right + said.count((True, False))), right / same, same


@pytest.mark.parametrize("strangers", [True, False], ids=["by what they say alone", "as they come"])
def test_recorded_signals(samples: Path, strangers: bool) -> None:
    precision, recall, same = measured(recorded_pairs(samples, strangers=strangers))
    assert same == 88
    assert precision >= 0.95
    assert recall >= 0.8


def test_invented_news_in_four_languages() -> None:
    precision, recall, same = measured(press_pairs())
    assert same == 39
    assert precision >= 0.95
    assert recall >= 0.8


def test_a_week_of_invented_news_in_one_memory() -> None:
    """All at once, so that each telling could be taken for any other's."""
    memory = Stories()
    stories: dict[str, set[str]] = {}
    for nth, (name, signal) in enumerate(press_signals()):
        placed = memory.place(Told(f"{nth:03}", WHEN + timedelta(minutes=3 * nth), signal))
        stories.setdefault(placed.story, set()).add(name)
    assert all(len(told) == 1 for told in stories.values())
    assert len({name for told in stories.values() for name in told}) <= len(stories) <= 40
