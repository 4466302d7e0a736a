"""docs/configuration.md and docs/sheet-reference.md say what the code says."""

import json
import re
import typing
from typing import Any

import pytest

from hub.binding import bind, keys_of
from hub.config.forms import ChainForm, TierForm
from hub.drill import play
from hub.playbook.form import (
    AskForm,
    ByHandForm,
    ConditionForm,
    IncidentForm,
    RegisteredForm,
    SheetForm,
    StepForm,
    TaskForm,
    WhenForm,
)  # fmt: skip
from hub.playbook.messages import ENCLOSED, PLACEHOLDERS, MessageForm, TextForm
from hub.yaml import Mapping, read
from tests.conftest import ROOT
from tools import sheets
from tools.reference import PAGE, page

FORMS = (
    *(SheetForm, WhenForm, ByHandForm, AskForm, IncidentForm, StepForm, ConditionForm, TaskForm, RegisteredForm),
    *(MessageForm, TextForm, ChainForm, TierForm),
    *(play.TestsForm, play.TestForm, play.GivenForm, play.SignalForm),
)


def test_the_reference_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tools.reference`"


def test_what_the_reference_links_to_exists() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", page()):
        assert (ROOT / "docs" / link).exists(), link


def test_the_reference_for_authors_is_up_to_date() -> None:
    assert sheets.PAGE.read_text(encoding="utf-8") == sheets.page(), "run `python -m tools.sheets`"


def test_all_that_can_be_filled_in_is_told() -> None:
    assert {*sheets.FILLED, *sheets.HUBS_OWN} == {*PLACEHOLDERS, *ENCLOSED}


def fits(key: str, example: str, hint: Any) -> bool:
    """Whether an example can be written under its key: as a value, a mapping, or a list of one."""
    for text in (
        f"{key}: {example}",
        f"{key}: {json.dumps(example)}",
        f"{key}:\n  {example}",
        f"{key}:\n  - {example}",
    ):
        document = read(text, "example.yaml")
        value = document.root.get(key) if isinstance(document.root, Mapping) else None
        if not document.findings and value is not None and bind(document, value, hint) is not None:
            return True
    return False


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_every_example_is_one(form: Any) -> None:
    hints = typing.get_type_hints(form, include_extras=True)
    for key, name in keys_of(form).items():
        for example in sheets.examples(hints[name]):
            assert fits(key, example, hints[name]), f"{key}: {example}"


def test_what_is_no_example_is_noticed() -> None:
    hints = typing.get_type_hints(StepForm, include_extras=True)
    assert fits("every", "2 h", hints["every"])
    assert not fits("every", "2 parsecs", hints["every"])
