"""What people's words mean. The one thing that must never happen: a refusal taken for an acceptance."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.model.message import Verb
from hub.people.answers import CODE_LETTERS, CODES, ETA_MAX_MIN, LENGTH_MAX, Understood, understand

ACCEPTING = """oui|OUI !|Oui.|ja|Ja!|yes|YES|ok|Okay|oké|d'accord|D’ACCORD|d accord|akkoord|Einverstanden|j'accepte|o|j
y|👍|👍🏽|✅|👌🏿|oui merci|ok, j'arrive|ik kom eraan|Ich komme|on my way|pas de problème|geen probleem|kein Problem
no problem|c'est bon|ouiiii|jaaa|akoord|einverstaden|acceptr|Bonjour, oui|𝐨𝐮𝐢|ＯＫ|disponible|verfügbar
beschikbaar|si si"""

DECLINING = """non|Non!|nee|neen|nein|no|n|nope|👎|👎🏾|❌|pas disponible|niet beschikbaar|nicht verfügbar|not available
indisponible|onbeschikbaar|unavailable|kan niet|ik kan niet|kann nicht|can't|CAN’T|cannot|je ne peux pas|unable
je refuse|pas d'accord|niet akkoord|nicht einverstanden|impossible|onmogelijk|unmöglich|malade|ziek|krank|neeee
non je suis malade|ik kan niet komen|Ich kann leider nicht|je ne peux malheureusement pas|no. problem|pas possible"""

UNCLEAR = """oui non|non oui|ja nee|👍👎|ok?|B?|?|qui est-ce|pas ok|not ok|oui mais malade|ja maar niet nu|peut-être
maybe|als het moet|si possible|demain|2|0|20h|20h30|20:30|0475123456|+32475123456|999999|20 30|bien reçu|begrepen|roger
received|stop oui|oui stop|B C|B oui demain|oui a tantôt|\ufffd|I|L|Q|V|IL|ja aber|niet akoord|ok sauf jeudi|да|.|😭"""


def cases(text: str) -> list[str]:
    return [case for line in text.splitlines() for case in line.split("|")]


@pytest.mark.parametrize("text", cases(ACCEPTING))
def test_accepting_in_four_languages(text: str) -> None:
    assert understand(text) == Understood(verb=Verb.ACCEPT)


@pytest.mark.parametrize("text", cases(DECLINING))
def test_declining_in_four_languages(text: str) -> None:
    assert understand(text).verb is Verb.DECLINE


@pytest.mark.parametrize("text", ["", " ", "\n", *cases(UNCLEAR)])
def test_unclear_rather_than_guessed(text: str) -> None:
    assert understand(text).verb is Verb.UNCLEAR


SAYS_IT_IS_SO = """vrai|B VRAI|b vrai.|C'est vrai|oui c'est vrai|juist|B JUIST|het is waar|dat is juist|wahr|B WAHR
es ist wahr|true|B TRUE|it's true|yes, it is true|merci, B vrai"""

SAYS_IT_IS_NOT = """faux|B FAUX|c'est faux|fausse alerte|B fausse alerte|non, fausse alerte|ce n'est pas vrai|pas vrai
vals|B VALS|vals alarm|nee, vals alarm|niet waar|falsch|B FALSCH|Fehlalarm|nicht wahr|false|B FALSE|false alarm
not true|hoax"""

CANNOT_TELL = """incertain|B INCERTAIN|je ne sais pas|onzeker|B ONZEKER|ik weet het niet|unklar|B UNKLAR
ich weiß es nicht|unsure|B UNSURE|I don't know|cannot tell"""

NO_VERDICT = """vrai ?|vrai?|pas faux|vrai faux|vrai ou faux|oui faux|non c'est vrai|B vrai 20|B C vrai|vrai demain|waar
B waar|waar is het|klopt|exact|fout|maybe true|vrai mais pas sûr|stop vrai|tout vrai|B ?|peut-être vrai|fait, vrai"""


@pytest.mark.parametrize(
    ("texts", "verb"), [(SAYS_IT_IS_SO, Verb.TRUE), (SAYS_IT_IS_NOT, Verb.FALSE), (CANNOT_TELL, Verb.UNSURE)]
)
def test_whether_it_is_so_in_four_languages(texts: str, verb: Verb) -> None:
    read = {text: understand(text) for text in cases(texts)}
    assert {text: said.verb for text, said in read.items()} == dict.fromkeys(read, verb)
    assert {said.code for text, said in read.items() if "B " in text} == {"B"}


@pytest.mark.parametrize("text", cases(NO_VERDICT))
def test_a_verdict_is_not_guessed_either(text: str) -> None:
    assert understand(text).verb is Verb.UNCLEAR


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("B", Understood(verb=Verb.ACCEPT, code="B")),
        ("b", Understood(verb=Verb.ACCEPT, code="B")),
        (" B. ", Understood(verb=Verb.ACCEPT, code="B")),
        ('"B"', Understood(verb=Verb.ACCEPT, code="B")),
        ("a", Understood(verb=Verb.ACCEPT, code="A")),
        ("XZ", Understood(verb=Verb.ACCEPT, code="XZ")),
        ("B 20", Understood(verb=Verb.ACCEPT, code="B", eta_min=20)),
        ("b20", Understood(verb=Verb.ACCEPT, code="B", eta_min=20)),
        ("B, 20 min.", Understood(verb=Verb.ACCEPT, code="B", eta_min=20)),
        ("B 2", Understood(verb=Verb.ACCEPT, code="B", eta_min=2)),
        ("B oui 15'", Understood(verb=Verb.ACCEPT, code="B", eta_min=15)),
        ("ok B", Understood(verb=Verb.ACCEPT, code="B")),
        ("B non", Understood(verb=Verb.DECLINE, code="B")),
        ("nee B", Understood(verb=Verb.DECLINE, code="B")),
        ("B demain", Understood(verb=Verb.UNCLEAR, code="B")),
        ("B done", Understood(verb=Verb.DONE, code="B")),
        ("20", Understood(verb=Verb.ACCEPT, eta_min=20)),
        ("1", Understood(verb=Verb.ACCEPT)),
        ("1 min", Understood(verb=Verb.ACCEPT, eta_min=1)),
        ("1h30", Understood(verb=Verb.ACCEPT, eta_min=90)),
        ("1 h 30 min", Understood(verb=Verb.ACCEPT, eta_min=90)),
        ("à 5 min", Understood(verb=Verb.ACCEPT, eta_min=5)),
        ("Oui, j'arrive dans 20 minutes", Understood(verb=Verb.ACCEPT, eta_min=20)),
        ("ja, binnen een half uur".replace("binnen ", ""), Understood(verb=Verb.ACCEPT, eta_min=30)),
        ("ja, eine Stunde", Understood(verb=Verb.ACCEPT, eta_min=60)),
        ("all", Understood(verb=Verb.ACCEPT, everything=True)),
        ("TOUS", Understood(verb=Verb.ACCEPT, everything=True)),
        ("alles 20", Understood(verb=Verb.ACCEPT, everything=True, eta_min=20)),
        ("oui à tout", Understood(verb=Verb.ACCEPT, everything=True)),
        ("non tous", Understood(verb=Verb.DECLINE, everything=True)),
        ("STOP", Understood(verb=Verb.STOP)),
        ("Arrêt", Understood(verb=Verb.STOP)),
        ("stop merci", Understood(verb=Verb.STOP)),
        ("fait", Understood(verb=Verb.DONE)),
        ("C'est fait!", Understood(verb=Verb.DONE)),
        ("klaar", Understood(verb=Verb.DONE)),
        ("pas fait", Understood(verb=Verb.UNCLEAR)),
    ],
)
def test_codes_times_and_all(text: str, understood: Understood) -> None:
    assert understand(text) == understood


@pytest.mark.parametrize(
    "attribution",
    [
        "Le mar. 14 juil. 2026 à 02:10, Vigie SITCEN <vigie@example.org> a\nécrit :",
        "Op di 14 jul 2026 om 02:10 schreef Vigie SITCEN <\nvigie@example.org>:",
        "Am Di., 14. Juli 2026 um 02:10 Uhr schrieb Vigie SITCEN <vigie@example.org\n>:",
        "On Tue, 14 Jul 2026 at 02:10, Vigie SITCEN <vigie@example.org>\nwrote:",
    ],
)
def test_who_wrote_what_is_quoted_may_be_told_on_two_lines(attribution: str) -> None:
    assert understand(f"On my way\n\n{attribution}\n\n> No: AB NO") == Understood(verb=Verb.ACCEPT)


def test_a_mail_answer_is_read_without_what_it_quotes() -> None:
    quoted = "Oui\r\n\r\nLe 12 juil. 2026 à 02:10, Vigie <vigie@example.org> a écrit :\r\n> Répondez non pour refuser"
    assert understand(quoted) == Understood(verb=Verb.ACCEPT)
    assert understand("Nee\n\nOp ma 12 jul. 2026 schreef Vigie:\n> antwoord JA") == Understood(verb=Verb.DECLINE)
    assert understand("B 20\n-- \nAn Invented\nSitcen") == Understood(verb=Verb.ACCEPT, code="B", eta_min=20)
    assert understand("Ja\nGesendet von meinem Telefon").verb is Verb.ACCEPT


def test_known_open_codes_settle_what_letters_are() -> None:
    assert understand("de", {"DE", "B"}) == Understood(verb=Verb.ACCEPT, code="DE")
    assert understand("C", {"B"}).verb is Verb.UNCLEAR
    assert understand("b", {"B"}).code == "B"


def test_no_code_given_out_is_a_word_or_looks_like_another_answer() -> None:
    assert len(set(CODES)) == len(CODES) > 300
    for code in CODES:
        for written in (code, code.lower(), f"{code} 20", f"ok {code}"):
            assert understand(written).code == code, written
            assert understand(written).verb is Verb.ACCEPT, written
        assert not set(code) & set("JNOYILQV")


# --- properties --------------------------------------------------------------------------------------------

WORDS = [w for w in cases(DECLINING) if w.isascii() and w.isalpha() and len(w) > 2]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def slips(word: str) -> set[str]:
    """Every text one letter too many, too few, wrong, or two swapped away."""
    out = set()
    for i in range(len(word) + 1):
        out |= {word[:i] + c + word[i:] for c in LETTERS}
        if i < len(word):
            out |= {word[:i] + c + word[i + 1 :] for c in LETTERS} | {word[:i] + word[i + 1 :]}
        if i + 1 < len(word):
            out.add(word[:i] + word[i + 1] + word[i] + word[i + 2 :])
    return out - {word}


def test_no_slip_of_the_finger_turns_a_refusal_into_an_acceptance() -> None:
    for word in WORDS:
        for slipped in slips(word.lower()):
            said = understand(slipped, codes_open={"B"})
            assert said.verb is not Verb.ACCEPT, f"{word} → {slipped}"


anything = st.text(max_size=60)
accepting = st.sampled_from(cases(ACCEPTING))
declining = st.sampled_from(cases(DECLINING))


@given(anything)
@example("\ud800")
@example("İ 20")
def test_any_text_is_understood_without_an_error(text: str) -> None:
    said = understand(text)
    assert said.eta_min is None or 0 <= said.eta_min <= ETA_MAX_MIN
    assert said.code == said.code.upper()
    assert set(said.code) <= set(CODE_LETTERS)
    assert said.verb is Verb.ACCEPT or said.eta_min is None


@given(accepting, declining, st.sampled_from([" ", ", ", ". ", "\n", " - "]))
def test_a_text_that_says_both_is_never_an_acceptance(yes: str, no: str, between: str) -> None:
    assert understand(yes + between + no).verb is not Verb.ACCEPT
    assert understand(no + between + yes).verb is not Verb.ACCEPT


@given(declining, anything)
def test_nothing_added_to_a_refusal_makes_it_an_acceptance(no: str, more: str) -> None:
    assert understand(f"{no}. {more}").verb is not Verb.ACCEPT
    assert understand(f"{no}\t{more}").verb is not Verb.ACCEPT or "problem" in more


@given(accepting | declining, st.sampled_from(["{}", " {} ", "{}.", "{} !", "\t{}\n"]), st.booleans())
def test_case_and_punctuation_change_nothing(text: str, frame: str, upper: bool) -> None:
    said = understand(frame.format(text.upper() if upper else text))
    assert said.verb is understand(text).verb


@given(st.sampled_from(CODES), st.integers(0, ETA_MAX_MIN))
def test_a_code_and_a_number_are_an_acceptance_with_a_time(code: str, minutes: int) -> None:
    assert understand(f"{code} {minutes}") == Understood(verb=Verb.ACCEPT, code=code, eta_min=minutes)


def test_a_long_text_is_for_a_person_to_read() -> None:
    assert understand("oui " * LENGTH_MAX).verb is Verb.UNCLEAR
