"""Words whatever their accents, case and endings, in four languages."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.playbook.words import Phrases, fold, folded_fields, stem, stems


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("gaslek", "Twee gaslekken in Elsene"),
        ("gaslekken", "Een GASLEK."),
        ("fuite de gaz", "Plusieurs fuites de gaz signalées"),
        ("fuites", "une fuite"),
        ("Überschwemmung", "ÜBERSCHWEMMUNGEN in der Region"),
        ("Uberschwemmung", "eine Überschwemmung"),
        ("Straße", "in zwei STRASSEN"),
        ("brand", "Bränden, branden"),
        ("feu", "des feux"),
        ("inondé", "des rues inondées"),
        ("flood", "Flooding expected"),
        ("warning", "weather warnings"),
        ("panne", "pannes du 112"),
        ("eau", "Coupure d’eau"),
        ("cœur", "au COEUR de"),
        ("112", "le 112 ne répond plus"),
        ("Київ", "Новини: київ"),
    ],
)
def test_a_word_is_found_in_any_of_its_forms(asked: str, text: str) -> None:
    assert set(Phrases([asked]).found(folded_fields(text))) == {0}


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("gaslek", "gaslekdetectie"),
        ("gas", "Begas"),
        ("fuite de gaz", "fuite du gaz"),
        ("fuite de gaz", "gaz de fuite"),
        ("112", "1122"),
        ("101", "1010"),
        ("feu", "feuille"),
        ("brand", "Brandenburg"),
    ],
)
def test_a_word_is_not_found_in_another(asked: str, text: str) -> None:
    assert set(Phrases([asked]).found(folded_fields(text))) == set()


@settings(deadline=None)
@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)).split() == fold(text).split()


@settings(deadline=None)
@given(st.text(alphabet=st.characters(max_codepoint=0x17F), max_size=40))
def test_the_fast_way_folds_as_the_thorough_one(text: str) -> None:
    """A letter of another script sends the same text the slow way."""
    assert fold(text).split() == fold(f"{text} Ж").split()[:-1]


@settings(deadline=None)
@given(st.text(alphabet="abdegiklnorstuwx", min_size=1, max_size=14))
def test_a_stem_begins_its_word(word: str) -> None:
    assert word.startswith(stem(word))
    assert stem(word)


@settings(deadline=None)
@given(
    st.lists(st.text(alphabet="abens", min_size=1, max_size=5), min_size=1, max_size=8),
    st.lists(st.lists(st.text(alphabet="abens", min_size=1, max_size=4), min_size=1, max_size=3), max_size=8),
)
def test_all_phrases_at_once_equals_each_by_itself(words: list[str], asked: list[list[str]]) -> None:
    phrases = [" ".join(a) for a in asked]
    have = " " + " ".join(stems(" ".join(words))) + " "
    expected = {n for n, phrase in enumerate(phrases) if f" {' '.join(stems(phrase))} " in have}
    assert set(Phrases(phrases).found(folded_fields(" ".join(words)))) == expected
