"""The simulation itself: a seed replays exactly, and what must never happen is seen when it does."""

from collections.abc import Sequence
from typing import Any

import pytest

from hub.dispatch.attempt import Attempts
from hub.engine import chain, incidents
from hub.engine.work import Work
from hub.model.events import Ordered
from hub.model.records import Decision
from tools.simulate.night import Fault, simulate


def faults_of(seeds: range) -> list[str]:
    found: list[str] = []
    for seed in seeds:
        try:
            simulate(seed)
        except BaseExceptionGroup as group:
            found += [str(fault) for fault in _leaves(group)]
        except Fault as fault:
            found.append(str(fault))
    return found


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_seed_replays_exactly(seed: int) -> None:
    assert simulate(seed) == simulate(seed)


def test_nights_as_they_are_have_no_fault() -> None:
    assert faults_of(range(10, 20)) == []


def test_sending_without_a_durable_attempt_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(self: Attempts, attempts: Sequence[Any], vault: Sequence[Any]) -> bool:
        return True

    monkeypatch.setattr(Attempts, "_durable", never)
    assert any("without a durable attempt" in fault for fault in faults_of(range(10, 14)))


def test_asking_whoever_accepted_again_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "filled", lambda w, run: chain._next_round(w, run))
    monkeypatch.setattr(chain, "_wanted", lambda w, run, person: True)
    assert faults_of(range(10, 30))


def test_an_all_clear_that_reaches_nobody_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(w: Work, *args: Any, **more: Any) -> int:
        return 0

    monkeypatch.setattr("hub.engine.steps.tell_reached", nobody)
    monkeypatch.setattr(incidents, "tell_reached", nobody)
    assert any("reached" in fault for fault in faults_of(range(10, 30)))


def test_preparing_a_mass_message_before_its_audience_is_durable_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_of_them(decision: Decision) -> list[Ordered]:
        return [event for event in decision.events if isinstance(event, Ordered)]

    monkeypatch.setattr("hub.core._ahead", all_of_them)
    assert any("lost its audience" in fault for fault in faults_of(range(100, 120)))
