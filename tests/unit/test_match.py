"""Which sheets a signal meets, and why: the matcher's tables must agree with the conditions worked out one by one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.model.area import Area
from hub.model.people import Language
from hub.model.signal import Category, Certainty, Hazard, Info, MsgType, Severity, Signal, Status, Urgency
from hub.model.trust import Credibility, Reliability
from hub.playbook.explain import explain
from hub.playbook.language import Mode, Playbook, Trust, When
from hub.playbook.match import Match, Matcher

NOW = datetime(2026, 7, 14, 0, 10, tzinfo=UTC)


def sheet(*when: When, name: str = "sheet", mode: Mode = Mode.LIVE) -> Playbook:
    return Playbook(
        name=name, title=dict.fromkeys(Language, name), version="v1", owner="sitcen", mode=mode, when=tuple(when)
    )


def warning(**info: Any) -> Info:
    given_ = {
        "categories": (Category.MET,),
        "event": "Orange thunderstorm warning",
        "hazard": Hazard.THUNDERSTORM,
        "urgency": Urgency.IMMEDIATE,
        "severity": Severity.SEVERE,
        "certainty": Certainty.LIKELY,
        "onset": NOW + timedelta(hours=2),
        "areas": (Area(description="Brabant", places=("brussels-capital-region", "ixelles")),),
    }
    return Info(**{**given_, **info})


def signal(*infos: Info, **fields: Any) -> Signal:
    given_ = {
        "source": "kmi",
        "identifier": "1",
        "sender": "kmi-irm",
        "sent": NOW,
        "reliability": Reliability.A,
        "credibility": Credibility.PROBABLY_TRUE,
    }
    return Signal(infos=infos, **{**given_, **fields})


def meets(when: When, of: Signal) -> bool:
    """Whether the sheet matches, by the matcher; its explanation has to say the same."""
    playbook = sheet(when)
    found = Matcher([playbook]).match(of, NOW)
    assert explain(of, NOW, playbook).matched == bool(found)
    return bool(found)


@pytest.mark.parametrize(
    "when",
    [
        When(hazards=(Hazard.WIND, Hazard.THUNDERSTORM)),
        When(categories=(Category.MET,), severity=(Severity.SEVERE, Severity.EXTREME)),
        When(urgency=(Urgency.IMMEDIATE,), certainty=(Certainty.LIKELY, Certainty.OBSERVED)),
        When(areas=("brussels-capital-region",), sources=("kmi", "press")),
        When(trust=Trust(Reliability.B, Credibility.PROBABLY_TRUE)),
        When(event=("thunderstorms",)),
        When(words=("warnings",)),
        When(hazards=(Hazard.THUNDERSTORM,), where='info.onset - now < duration("24h")'),
    ],
)
def test_a_signal_meets_what_is_true_of_it(when: When) -> None:
    assert meets(when, signal(warning()))


@pytest.mark.parametrize(
    ("when", "failing"),
    [
        (When(hazards=(Hazard.WIND,)), "hazard"),
        (When(severity=(Severity.EXTREME,)), "severity"),
        (When(areas=("uccle",)), "area"),
        (When(sources=("press",)), "source"),
        (When(trust=Trust(Reliability.A, Credibility.CONFIRMED)), "trust"),
        (When(event=("thunder",)), "event"),
        (When(words=("storm",)), "words"),
        (When(status=(Status.EXERCISE,), hazards=(Hazard.THUNDERSTORM,)), "status"),
        (When(hazards=(Hazard.THUNDERSTORM,), where='info.onset - now < duration("1h")'), "where"),
    ],
)
def test_a_miss_names_the_condition_that_fails(when: When, failing: str) -> None:
    of = signal(warning())
    assert not meets(when, of)
    check = explain(of, NOW, sheet(when)).first_failing
    assert check is not None
    assert check.key == failing


@pytest.mark.parametrize("word", ["blessés", "antenne", "presse", "personne", "stress", "expresse"])
def test_a_word_whose_stem_has_a_shorter_stem_is_found(word: str) -> None:
    assert meets(When(words=(word,)), signal(warning(headline=f"Alerte: {word} au centre")))


def test_all_conditions_must_hold_on_one_and_the_same_info_block() -> None:
    severe_elsewhere = warning(severity=Severity.EXTREME, areas=(Area(places=("uccle",)),))
    mild_here = warning(severity=Severity.MODERATE)
    when = When(severity=(Severity.EXTREME,), areas=("ixelles",))
    assert not meets(when, signal(severe_elsewhere, mild_here))
    assert meets(when, signal(severe_elsewhere, mild_here, warning(severity=Severity.EXTREME)))


def test_the_first_block_that_matches_is_named() -> None:
    match = Matcher([sheet(When(hazards=(Hazard.FLOOD,)), When(severity=(Severity.EXTREME,)))]).match(
        signal(warning(), warning(severity=Severity.EXTREME), warning(hazard=Hazard.FLOOD)), NOW
    )
    assert match == [Match("sheet", "v1", 1, 1)]


def test_an_exercise_runs_like_the_real_thing() -> None:
    assert meets(When(hazards=(Hazard.THUNDERSTORM,)), signal(warning(), status=Status.EXERCISE))


@pytest.mark.parametrize("status", [Status.TEST, Status.SYSTEM, Status.DRAFT])
def test_other_statuses_match_only_where_asked_for(status: Status) -> None:
    of = signal(warning(), status=status)
    assert not meets(When(hazards=(Hazard.THUNDERSTORM,)), of)
    assert meets(When(status=(status,), hazards=(Hazard.THUNDERSTORM,)), of)


@pytest.mark.parametrize("msg_type", [MsgType.ACK, MsgType.ERROR])
def test_acks_and_errors_never_match(msg_type: MsgType) -> None:
    for status in Status:
        assert not meets(
            When(status=tuple(Status), hazards=(Hazard.THUNDERSTORM,)),
            signal(warning(), status=status, msg_type=msg_type),
        )


def test_drafts_and_sheets_started_by_hand_only_never_match() -> None:
    when = When(hazards=(Hazard.THUNDERSTORM,))
    sheets = [sheet(when, mode=Mode.DRAFT), sheet(name="by-hand"), sheet(when, name="shadow", mode=Mode.SHADOW)]
    assert [m.playbook for m in Matcher(sheets).match(signal(warning()), NOW)] == ["shadow"]
    assert not explain(signal(warning()), NOW, sheets[0]).matched


def test_an_expression_that_cannot_be_worked_out_does_not_match_and_says_why() -> None:
    when = When(hazards=(Hazard.THUNDERSTORM,), where="info.onset < now")
    of = signal(warning(onset=None))
    assert not meets(when, of)
    check = explain(of, NOW, sheet(when)).first_failing
    assert check is not None
    assert "cannot be worked out" in check.found


def test_a_phrase_does_not_span_two_fields() -> None:
    when = When(words=("fuite de gaz",))
    assert not meets(when, signal(warning(event="Une fuite", headline="de gaz")))
    assert meets(when, signal(warning(event="Alerte", headline="Des FUITES DE GAZ à Ixelles")))


def test_a_signal_without_info_blocks_meets_nothing() -> None:
    assert not meets(When(sources=("kmi",)), signal())


# --- the tables agree with the conditions worked out one by one ----------------------------------------------

WORDS = ("gaslek", "gaslekken", "fuite de gaz", "fuites", "gaz", "Überschwemmung", "inondée", "brand", "de", "panne")
PLACES = ("brussels-capital-region", "ixelles", "uccle", "jette")


def some(values: Any, most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(tuple(values)), max_size=most, unique=True).map(tuple)


whens = st.builds(
    When,
    status=some(Status, 2).map(lambda s: s or (Status.ACTUAL,)),
    categories=some(Category),
    hazards=some(tuple(Hazard)[:4]),
    event=some(WORDS, 2),
    urgency=some(Urgency),
    severity=some(Severity),
    certainty=some(Certainty),
    sources=some(("kmi", "press", "stib"), 2),
    areas=some(PLACES, 2),
    words=some(WORDS, 2),
    trust=st.none() | st.builds(Trust, st.sampled_from(Reliability), st.sampled_from(Credibility)),
    where=st.sampled_from(("", "", 'info.severity == "Severe"', "info.onset > now", 'signal.source != "press"')),
)
texts = st.lists(st.sampled_from((*WORDS, "FUITE", "de", "gaz", "x", "overstroming")), max_size=6).map(", ".join)
infos = st.builds(
    Info,
    categories=some(Category, 2),
    event=texts,
    headline=texts,
    description=texts,
    hazard=st.none() | st.sampled_from(tuple(Hazard)[:4]),
    urgency=st.sampled_from(Urgency),
    severity=st.sampled_from(Severity),
    certainty=st.sampled_from(Certainty),
    onset=st.sampled_from((None, NOW + timedelta(hours=1), NOW - timedelta(hours=1))),
    areas=st.lists(st.builds(Area, places=some(PLACES)), max_size=2).map(tuple),
)
signals = st.builds(
    Signal,
    identifier=st.just("1"),
    sender=st.just("s"),
    sent=st.just(NOW),
    source=st.sampled_from(("kmi", "press", "stib")),
    status=st.sampled_from((Status.ACTUAL, Status.ACTUAL, Status.TEST)),
    msg_type=st.sampled_from(MsgType),
    reliability=st.sampled_from(Reliability),
    credibility=st.sampled_from(Credibility),
    infos=st.lists(infos, max_size=3).map(tuple),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(whens, min_size=1, max_size=2), min_size=1, max_size=12), st.lists(signals, max_size=4))
def test_matching_by_tables_equals_matching_one_by_one(blocks: list[list[When]], many: list[Signal]) -> None:
    # Hypothesis narrows each sheet down to what some signal is like, or nothing would ever match.
    sheets = [sheet(*when, name=f"sheet-{n}") for n, when in enumerate(blocks)]
    sheets += [
        sheet(
            msgspec.structs.replace(
                when,
                **{
                    key: getattr(When(), key)
                    for key in ("categories", "urgency", "severity", "certainty", "trust", "hazards", "event")[n % 8 :]
                },
            ),
            name=f"loose-{n}",
        )
        for n, (when, *_) in enumerate(blocks)
    ]
    matcher = Matcher(sheets)
    for one in many:
        found = {m.playbook: (m.info, m.when) for m in matcher.match(one, NOW)}
        expected = {}
        for playbook in sheets:
            explanation = explain(one, NOW, playbook)
            if explanation.matched:
                expected[playbook.name] = (explanation.info, explanation.when)
        assert found == expected
