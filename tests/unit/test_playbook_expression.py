"""The free condition of a sheet: what it sees, what it may cost, what is refused before it runs."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.model.area import Area
from hub.model.signal import Category, Hazard, Info, Named, Severity, Signal
from hub.playbook.expression import BadExpression, Expression

NOW = datetime(2026, 7, 14, 0, 10, tzinfo=UTC)
INFO = Info(
    language="fr-BE",
    categories=(Category.MET,),
    event="Avertissement orange orage",
    hazard=Hazard.THUNDERSTORM,
    severity=Severity.SEVERE,
    onset=NOW + timedelta(hours=3),
    headline="Orages",
    parameters=(Named("awareness_level", "3; orange; Severe"),),
    areas=(Area(description="Brabant", places=("brussels-capital-region", "ixelles")),),
)
SIGNAL = Signal(identifier="1", sender="kmi-irm", sent=NOW, source="kmi", codes=("MCP:v2.0",), infos=(INFO,))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('info.onset - now < duration("24h")', True),
        ('info.onset - now < duration("1h")', False),
        ('info.severity == "Severe" && signal.source == "kmi"', True),
        ('info.hazard in ["wind", "thunderstorm"]', True),
        ('"Met" in info.categories', True),
        ('info.parameters.awareness_level.startsWith("3")', True),
        ('"ixelles" in info.places', True),
        ('info.areas.exists(a, a.contains("Brabant"))', True),
        ('signal.codes.exists(c, c.startsWith("MCP"))', True),
        ('info.headline.matches("(?i)orage")', True),
        ("info.expires == null", True),
        ("info.expires > now", False),
        ('info.parameters.nothing == "x"', False),
        ('has(info.parameters.nothing) && info.parameters.nothing == "x"', False),
        ("signal.credibility <= 2", False),
        ('info["headline"] == "Orages"', True),
    ],
)
def test_what_an_expression_sees(text: str, value: bool) -> None:
    assert Expression(text).holds(SIGNAL, INFO, NOW) is value


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("info.severity ==", "not-cel"),
        ("info.severity > 3", "cel-type"),
        ("info.severity", "cel-not-yes-or-no"),
        ("info.nothing == 1", "cel-unknown-field"),
        ("onset < now", "cel-unknown-name"),
        ("shell(info.headline)", "cel-unknown-name"),
        ("false && shell(info.headline)", "cel-unknown-name"),
        ("1 / 0 > 1", "cel-type"),
        ('info.headline.matches("(")', "cel-type"),
        ('info.headline.matches("a{999}")', "cel-too-costly"),
        ("info.headline.matches(info.description)", "cel-too-costly"),
        ("info.places.all(a, info.places.all(b, info.places.all(c, true)))", "cel-too-costly"),
        (f'info.headline == "{"x" * 600}"', "cel-too-long"),
    ],
)
def test_what_is_refused(text: str, rule: str) -> None:
    with pytest.raises(BadExpression) as refused:
        Expression(text)
    assert refused.value.rule == rule
    assert refused.value.message


def test_a_field_of_the_other_is_pointed_to() -> None:
    with pytest.raises(BadExpression) as refused:
        Expression("signal.onset < now")
    assert refused.value.remedy == 'did you mean "info.onset"?'


def test_why_it_does_not_hold_is_told() -> None:
    assert Expression("info.expires > now").why(SIGNAL, INFO, NOW).startswith("cannot be worked out")
    assert Expression('info.headline == "x"').why(SIGNAL, INFO, NOW) == "false"


def test_a_pattern_that_would_backtrack_elsewhere_is_harmless() -> None:
    """Its engine is linear: this takes 2^40 steps where it is not, and would never come back."""
    evil = Info(headline="a" * 40 + "!")
    assert Expression('info.headline.matches("^(a+)+$")').holds(SIGNAL, evil, NOW) is False


@settings(deadline=None)
@given(st.text(max_size=40) | st.text(alphabet="info.signaow()[]\"'<>=&|!+-*/0123456789, ", max_size=40))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        expression = Expression(text)
    except BadExpression:
        return
    assert expression.holds(SIGNAL, INFO, NOW) in (True, False)
