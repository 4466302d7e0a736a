"""How far information is believed, by the stated rules."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.intake.grading import Voice, grade
from hub.model.trust import Credibility, Reason, Reliability, Rule, rank


def voices(*said: str) -> list[Voice]:
    """`B3`: tells; `B3 denies`; `B3 takes back`. Each is an origin of its own."""
    return [
        Voice(
            origin=f"{nth}",
            reliability=Reliability(text[0]),
            credibility=Credibility(int(text[1])),
            denies="denies" in text,
            withdrawn="takes back" in text,
        )
        for nth, text in enumerate(said)
    ]


@pytest.mark.parametrize(
    ("said", "grade_", "rules"),
    [
        (["C3"], "C3", "starts"),
        (["F6"], "F6", "starts"),
        (["A6", "D4"], "A6", "starts"),  # what one calls doubtful is no better than what cannot be judged
        (["C6", "C6"], "C3", "starts corroborated"),
        (["C3", "C3"], "C2", "starts corroborated"),
        (["C6", "C6", "C6"], "C2", "starts corroborated"),
        (["C3", "C3", "C3", "C3"], "C2", "starts corroborated"),  # many fairly reliable ones confirm nothing
        (["A2", "B3"], "A1", "starts corroborated"),
        (["A2", "C3"], "A2", "starts"),
        (["F6", "F6"], "F6", "starts"),
        (["F6", "F6", "F6", "F6"], "F3", "starts corroborated"),
        (["C3", "F6"], "C3", "starts"),
        (["C3", "F6", "D4"], "C2", "starts corroborated"),
        (["E6", "E6", "E6", "E6"], "E6", "starts"),
        (["C3", "B3 denies"], "C5", "starts denied"),
        (["B3", "B3 denies"], "B5", "starts denied"),
        (["B2", "C3 denies"], "B4", "starts doubted"),
        (["B4", "C3 denies"], "B5", "starts doubted"),
        (["B2", "E3 denies"], "B2", "starts"),
        (["A2", "B2", "C3 denies"], "A4", "starts corroborated doubted"),
        (["B2 takes back"], "B5", "starts withdrawn"),
        (["B3 takes back", "C3"], "C3", "starts"),
        (["C3", "F6 denies"], "C3", "starts"),  # one stranger denies nothing
        (["C3", "F6 denies", "D4 denies"], "C4", "starts doubted"),
        (["F6", "F6 denies"], "F6", "starts"),
        (["F6", "F6 denies", "F6 denies"], "F5", "starts denied"),
        ([], "F6", "starts"),
    ],
)
def test_the_rules(said: list[str], grade_: str, rules: str) -> None:
    found = grade(voices(*said))
    assert f"{found.reliability}{found.credibility.value}" == grade_
    assert " ".join(reason.rule for reason in found.reasons) == rules


def test_an_officers_word_stands_above_all() -> None:
    word = Reason(Rule.SET, ("officer-a",), Credibility.CONFIRMED)
    found = grade(voices("C3", "A2 denies"), word)
    assert found.credibility is Credibility.CONFIRMED
    assert found.reasons[-1] == word
    assert found.reasons[-2].rule is Rule.DENIED, "what the rules would say is still told"


@pytest.mark.parametrize(
    ("said", "own", "credibility", "stands"),
    [
        (["A2", "C3 denies"], 0, 2, True),  # no newspaper silences a fire service
        (["A2", "A2 denies"], 0, 2, True),  # nor does another that knows as much: the room hears both
        (["B3", "A2 denies"], 0, 5, False),
        (["A2", "C3 denies", "C3"], 2, 3, True),
        (["A2", "C3 denies", "F6"], 2, 4, False),
        (["A2", "B2", "C3 denies"], 1, 2, True),
        (["C3", "C3"], 0, 2, False),  # nobody denies it: it is believed as its story
    ],
)
def test_who_is_as_reliable_as_whoever_denies_it_is_believed_as_by_themselves(
    said: list[str], own: int, credibility: int, stands: bool
) -> None:
    those = voices(*said)
    found = grade(those, own=those[own])
    assert (found.credibility.value, found.reasons[-1].rule is Rule.STANDS) == (credibility, stands)


@pytest.mark.parametrize(
    ("said", "count"),
    [(["F6"], 0), (["F6", "D4"], 1), (["C3", "F6"], 1), (["C3", "F6", "F6"], 2), (["A2", "E1"], 1), ([], 0)],
)
def test_two_strangers_are_one_voice(said: list[str], count: int) -> None:
    assert grade(voices(*said)).voices == count


_VOICE = st.builds(
    Voice,
    origin=st.uuids().map(str),
    reliability=st.sampled_from(list(Reliability)),
    credibility=st.sampled_from(list(Credibility)),
    denies=st.booleans(),
    withdrawn=st.booleans(),
)


@given(st.lists(_VOICE, max_size=6), _VOICE)
def test_another_who_tells_it_never_makes_it_less_likely_and_a_denial_never_more(told: list[Voice], one: Voice) -> None:
    tells = Voice(origin=one.origin, reliability=one.reliability, credibility=one.credibility)
    denies = Voice(origin=one.origin, reliability=one.reliability, credibility=one.credibility, denies=True)
    before = grade(told)
    if before.origins and not any(v.denies for v in told):
        assert rank(grade([*told, tells]).credibility) <= rank(before.credibility)
    if before.origins:
        assert rank(grade([*told, denies]).credibility) >= rank(before.credibility)


@given(st.permutations([*voices("C3", "F6", "B2", "D4", "A2 denies", "E6", "C6 takes back")]))
def test_the_order_does_not_matter(said: list[Voice]) -> None:
    found, usual = grade(said), grade(sorted(said, key=lambda v: v.origin))
    assert (found.reliability, found.credibility) == (usual.reliability, usual.credibility)


@given(st.lists(_VOICE, max_size=6))
def test_each_grade_is_explained_to_its_end(said: list[Voice]) -> None:
    found = grade(said)
    assert found.reasons[0].rule is Rule.STARTS
    assert found.reasons[-1].credibility == found.credibility
    told = [reason.credibility for reason in found.reasons]
    assert all(before != after for before, after in itertools.pairwise(told)), "no step that changes nothing"
