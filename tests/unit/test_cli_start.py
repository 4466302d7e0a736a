"""`vigie start` on a terminal: what is not given is asked, in the terminal's language."""

import pytest

from hub.cli.acts import ask_for_the_rest
from hub.config import Config, load
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def config() -> Config:
    return load(ROOT / "config", today="2026-07-14")[0]


def typing(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Somebody who gives these answers; the questions they saw."""
    left, seen = list(answers), []

    def answer(question: str) -> str:
        seen.append(question)
        return left.pop(0)

    monkeypatch.setattr("builtins.input", answer)
    return seen


def test_what_is_not_given_is_asked_in_the_terminals_language(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "nl_BE.UTF-8")
    seen = typing(monkeypatch, " Ixelles ")
    answers = ask_for_the_rest(config, "extreme-weather", {"headline": "Tempête"})
    assert answers == {"headline": "Tempête", "area": "Ixelles"}
    assert seen == ["Waar? (gemeente, politiezone of heel het Gewest) "]


def test_what_is_needed_is_asked_until_it_is_said(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = typing(monkeypatch, "", "", "Storm", "Jette")
    assert ask_for_the_rest(config, "extreme-weather", {}) == {"headline": "Storm", "area": "Jette"}
    assert len(seen) == 4


def test_a_sheet_that_is_none_is_for_the_hub_to_refuse(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    typing(monkeypatch)
    assert ask_for_the_rest(config, "no-such-sheet", {"a": "b"}) == {"a": "b"}
