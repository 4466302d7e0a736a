"""Whose word a signal is, and whether it denies something."""

from datetime import UTC, datetime

import pytest

from hub.intake.origins import denies
from hub.model.signal import Info, Severity, Signal


def signal(headline: str, description: str = "", severity: Severity = Severity.UNKNOWN) -> Signal:
    info = Info(headline=headline, description=description, severity=severity)
    return Signal(identifier="1", sender="s", sent=datetime(2026, 11, 1, tzinfo=UTC), infos=(info,))


@pytest.mark.parametrize(
    ("headline", "says_so"),
    [
        ("Fausse alerte rue Haute", True),
        ("Vals alarm in de Hoogstraat", True),
        ("Bombendrohung: Fehlalarm", True),
        ("Only a false alarm in the Rue Haute", True),
        ("Ce n'est pas une fausse alerte : évacuez", False),
        ("Dit is geen vals alarm", False),
        ("Dies ist kein Fehlalarm", False),
        ("This is not a false alarm", False),
        ("Pas de blessés : une fausse alerte", True),
        ("Ce n'est pas un exercice. Fausse alerte rue Haute", True),
        ("Incendie rue Haute", False),
    ],
)
def test_denials_are_told_by_their_words_unless_these_are_negated(headline: str, says_so: bool) -> None:
    assert denies(signal(headline)) is says_so
    assert denies(signal("Rue Haute", headline)) is says_so


def test_who_states_a_severity_says_that_it_is_so() -> None:
    said = "Hoax messages go round; the warning is real"
    assert denies(signal(said))
    assert denies(signal(said, severity=Severity.MINOR))
    assert not denies(signal(said, severity=Severity.SEVERE))


def test_a_denial_deep_in_a_text_is_about_something_else() -> None:
    assert not denies(signal("Fire in the Rue Haute", "It burns. " * 40 + "Last week there was a false alarm."))
