"""docs/dossiers.md says what is so."""

import re
from pathlib import Path

import pytest

from hub.config import load
from hub.dossiers.words import EVENTS
from hub.engine import dossiers, rise
from hub.engine.dossier_state import DAYS_KEPT, STORIES_MOST
from hub.model.people import Language
from hub.playbook.dossiers import RiseForm
from tests.conftest import ROOT
from tests.pages import Desk, blocks

PAGE = ROOT / "docs" / "dossiers.md"
TEXT = PAGE.read_text()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_first_dossier_is_read_without_a_finding(desk: Desk) -> None:
    (block,) = [block for block in blocks(PAGE) if block.file]
    (desk.folder / block.file).write_text(block.text)
    config, findings = load(desk.folder / "config", today="2026-07-14")
    assert findings == []
    assert list(config.dossiers) == ["scams"]
    assert config.dossiers["scams"].rise is not None


def test_the_figures_are_those_of_the_code() -> None:
    assert f"last {DAYS_KEPT} days" in TEXT
    assert f"newest {STORIES_MOST:,} stories" in TEXT
    assert rise.CHANCE == 0.001
    assert (rise.SPANS_MOST, rise.DAYS_MOST // 7, rise.SPANS_LEAST, rise.DAYS_LEAST // 7) == (12, 12, 4, 4)
    form = RiseForm(over=604_800.0)
    assert f"so many ({form.at_least} unless you say otherwise)" in TEXT
    assert f"usual level ({form.times:g})" in TEXT


@pytest.mark.parametrize("language", Language)
def test_the_event_is_told_in_each_language(language: Language) -> None:
    assert EVENTS[language] in TEXT


def test_every_reason_for_which_something_is_not_counted_is_told() -> None:
    told = re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in TEXT.splitlines() if line.startswith("| `")))
    reasons = {dossiers.SAME, dossiers.EXERCISE, dossiers.TEST, dossiers.TRIAL, dossiers.BACKLOG, dossiers.IMPROBABLE}
    assert reasons <= set(told)
