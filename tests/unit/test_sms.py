"""An SMS knows its encoding and its parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model.sms import BASIC, EXTENSION, Encoding, fit, plain, segments

GSM_TEXT = st.text(alphabet=BASIC + EXTENSION, max_size=500)


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", Encoding.GSM7, 0, 1),
        ("a" * 160, Encoding.GSM7, 160, 1),
        ("a" * 161, Encoding.GSM7, 161, 2),
        ("a" * 306, Encoding.GSM7, 306, 2),
        ("a" * 307, Encoding.GSM7, 307, 3),
        ("€" * 80, Encoding.GSM7, 160, 1),
        ("€" * 81, Encoding.GSM7, 162, 2),
        # 153 is odd: the 77th escape pair does not fit into the first part and begins the second.
        ("€" * 152, Encoding.GSM7, 304, 2),
        ("€" * 153, Encoding.GSM7, 306, 3),
        ("ê" * 70, Encoding.UCS2, 70, 1),
        ("ê" * 71, Encoding.UCS2, 71, 2),
        ("ê" * 134, Encoding.UCS2, 134, 2),
        ("ê" * 135, Encoding.UCS2, 135, 3),
        ("😀" * 35, Encoding.UCS2, 70, 1),
        ("😀" * 36, Encoding.UCS2, 72, 2),
        # 67 is odd: 33 pairs to a part.
        ("😀" * 66, Encoding.UCS2, 132, 2),
        ("😀" * 67, Encoding.UCS2, 134, 3),
    ],
)
def test_parts_at_their_limits(text: str, encoding: Encoding, units: int, parts: int) -> None:
    found = segments(text)
    assert (found.encoding, found.units, found.parts) == (encoding, units, parts)


@pytest.mark.parametrize("char", "éèùìòàÇäöüñÅÆØß@£¥§")
def test_accents_of_the_gsm_table_cost_one_septet(char: str) -> None:
    assert segments(char).encoding is Encoding.GSM7
    assert segments(char).units == 1


@pytest.mark.parametrize("char", "êëçâîïôûáíóúÉ"[:-1])
def test_accents_outside_the_table_need_ucs2(char: str) -> None:
    assert segments(char).encoding is Encoding.UCS2


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("l’orage", "l'orage"),
        ("« abri »", '" abri "'),
        ("18–20 h…", "18-20 h..."),
        ("cœur", "coeur"),
        ("e\u0301vacuer", "évacuer"),
        ("10\u202f000\u00a0€", "10 000 €"),
        ("soft\u00adhyphen\u200b", "softhyphen"),
        ("tab\tand\r\nline", "tab and\nline"),
        ("déjà à l’abri", "déjà à l'abri"),
    ],
)
def test_typography_is_made_plain_before_it_is_counted(written: str, sent: str) -> None:
    assert plain(written) == sent
    assert segments(written).encoding is Encoding.GSM7


def test_accents_are_never_dropped() -> None:
    assert plain("côté, België, ça") == "côté, België, ça"


def test_half_a_surrogate_pair_cannot_stop_a_send() -> None:
    assert plain("feu \ud83d!").encode() == b"feu ?!"


def test_fit_leaves_what_fits_alone() -> None:
    assert fit("Storm over Ixelles", 1) == "Storm over Ixelles"


def test_fit_cuts_between_words_and_says_so() -> None:
    cut = fit("Orage violent sur la Région. " * 20, 1)
    assert cut.endswith("...")
    assert segments(cut).parts == 1
    assert cut.removesuffix("...").split(" ")[-1] in {"Orage", "violent", "sur", "la", "Région."}


def test_fit_cuts_no_emoji_in_two() -> None:
    family = "👨\u200d👩\u200d👧"
    cut = fit("x" * 57 + family * 4, 1).removesuffix("...")
    assert cut.removeprefix("x" * 57).replace(family, "") == ""


def test_fit_wants_a_part() -> None:
    with pytest.raises(ValueError, match="at least one SMS"):
        fit("text", 0)


def _by_packing(text: str) -> int:
    """The definition itself: fill part after part, character by character."""
    gsm = all(char in BASIC + EXTENSION for char in text)
    single, several = (160, 153) if gsm else (70, 67)
    widths = [(2 if char in EXTENSION else 1) if gsm else len(char.encode("utf-16-le")) // 2 for char in text]
    if sum(widths) <= single:
        return 1
    parts: list[int] = [0]
    for width in widths:
        if parts[-1] + width > several:
            parts.append(0)
        parts[-1] += width
    return len(parts)


@given(st.one_of(GSM_TEXT, st.text(max_size=300)))
def test_counting_agrees_with_packing(text: str) -> None:
    assert segments(text).parts == _by_packing(plain(text))


@given(st.one_of(GSM_TEXT, st.text(max_size=400)), st.integers(1, 4))
def test_what_fit_gives_fits_and_is_a_beginning(text: str, parts: int) -> None:
    cut = fit(text, parts)
    assert segments(cut).parts <= parts
    assert plain(text).startswith(cut if cut == plain(text) else cut.removesuffix("..."))


@given(st.text(max_size=200))
def test_plain_is_settled_after_once(text: str) -> None:
    assert plain(plain(text)) == plain(text)
