"""Words that are looked for, what is wanted of posts, and the signals they become."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.post import Media, Post, PostConfig, as_edit, deletion, item_of, wanted
from connectors.words import Finder, fold, word
from hub.model.signal import Certainty, Hazard, MsgType, Severity, Urgency
from hub.model.trust import Credibility, Reliability

AT = datetime(2026, 7, 14, 18, 0, tzinfo=UTC)


def post(text: str = "", **more: Any) -> Post:
    return Post(identifier="https://a.example/1", author="ann@a.example", sent=AT, text=text, **more)


def config(**more: Any) -> PostConfig:
    made: PostConfig = msgspec.convert(more, PostConfig)
    return made


@pytest.mark.parametrize(
    ("pattern", "text", "there"),
    [
        ("feu", "Un FEU!", True),
        ("feu", "un feuilleton", False),
        ("brand*", "een brandje", True),
        ("brand*", "waldbrand", False),
        ("*brand", "waldbrand", True),
        ("*brand", "waldbrandje", False),
        ("*brand*", "waldbrandje", True),
        ("évacu*", "on EVACUE", True),
        ("gas leak", "a gas-leak here", True),
        ("gas leak", "a gas\nleak here", True),
        ("bruxelles", "vu à #Bruxelles.", True),
        ("feu", "au_feu", False),
        ("ß", "strasse", False),
        ("日本", "日本", True),
    ],
)
def test_a_word_is_found_as_it_is_written(pattern: str, text: str, there: bool) -> None:
    assert Finder([word(pattern)]).any_in(fold(text)) is there


@given(
    st.lists(st.text(alphabet="ab-é", min_size=1, max_size=4), min_size=1, max_size=5), st.text("ab -é", max_size=40)
)
def test_whole_words_are_those_between_what_is_no_letter(patterns: list[str], text: str) -> None:
    words = [word(one) for one in patterns if any(c.isalnum() for c in one)]
    found = {words[n].stem for n, _, _ in Finder(words).places(fold(text))} if words else set()
    expected = {
        one.stem
        for one in words
        for at in range(len(fold(text)))
        if fold(text).startswith(one.stem, at)
        and not fold(text)[:at][-1:].isalnum()
        and not fold(text)[at + len(one.stem) :][:1].isalnum()
    }
    assert found == expected


@pytest.mark.parametrize("wrong", ["", " ", "*", "**", "-", "!"])
def test_what_is_no_word_is_told_when_the_config_is_read(wrong: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"not_words: .* is no word"):
        config(not_words=[wrong])


def test_no_text_makes_finding_slow() -> None:
    made = config(words=["a*", "*aaaaaaaaaaaaab", "aaaa aaaa"], and_words=["*b"], not_words=["*c*"])
    started = time.process_time()
    for text in ("a" * 200_000, "a " * 100_000, "é" * 200_000, "-" * 200_000):
        assert not wanted(post(text), made)
    assert time.process_time() - started < 1.0


def test_all_of_the_filters_must_be_met() -> None:
    made = config(words=["feu", "brand"], and_words=["midi"], not_words=["concert"], languages=["fr", "nl-BE"])
    assert wanted(post("feu au Midi"), made)
    assert wanted(post("au Midi", warning="feu"), made)
    assert wanted(post("brand, Midi", language="nl"), made)
    assert wanted(post("Midi", more="brand"), made)
    assert not wanted(post("feu au Nord"), made)
    assert not wanted(post("calme au Midi"), made)
    assert not wanted(post("feu au Midi, concert"), made)
    assert not wanted(post("feu au Midi", language="en"), made)
    assert wanted(post("tout"), config())
    assert not wanted(post("réponse", reply=True), config(replies=False))


def test_a_post_is_a_signal_of_its_author_of_whom_nothing_is_known() -> None:
    media = (Media(url="https://a.example/x.jpg", mime="image/jpeg", description="a street"), Media(url="javascript:x"))
    full = post(
        "Incendie\nrue Haute", warning="images dures", language="fr", web="https://a.example/@ann/1", media=media,
        sensitive=True, tags=("bruxelles", "feu"), author_name="Ann\nA.", version="2",
    )  # fmt: skip
    item = item_of("mastodon", full, config(lasts=3600, area="Ixelles", category="Safety"), b"raw", "application/json")
    signal, (info,) = item.signal, item.signal.infos
    assert (signal.identifier, signal.sender, signal.sent) == ("https://a.example/1", "ann@a.example", AT)
    assert (info.severity, info.urgency, info.certainty) == (Severity.UNKNOWN, Urgency.UNKNOWN, Certainty.UNKNOWN)
    assert (info.language, info.hazard, info.sender_name) == ("fr", Hazard.FIRE, "Ann A.")
    assert info.headline == "images dures"
    assert info.description == "images dures\n\nIncendie\nrue Haute"
    assert info.expires == AT + timedelta(hours=1)
    assert [(one.uri, one.description, one.mime_type) for one in info.resources] == [
        ("https://a.example/x.jpg", "a street", "image/jpeg")
    ]
    assert {p.name: p.value for p in info.parameters} == {"sensitive": "yes", "tags": "bruxelles feu"}
    assert info.areas[0].description == "Ixelles"
    other = item_of("mastodon", post(version="3"), config(), b"", "")
    assert other.key != item.key
    assert other.signal.infos[0].headline == "ann@a.example"


def test_an_author_may_be_believed_less_and_whom_nobody_follows_is() -> None:
    made = config(believed={"@Ann@a.example": "E", "bob.example": "D"})
    grades = [
        (item.reliability, item.credibility)
        for one in (post("x"), post("x", handle="bob.example"), post("x", author_name="bob.example", strange=True))
        for item in [item_of("k", one, made, b"", "")]
    ]
    assert grades == [(Reliability.E, None), (Reliability.E, None), (Reliability.F, Credibility.CANNOT_BE_JUDGED)]
    other = item_of("k", Post(identifier="1", author="bob@b.example", sent=AT), made, b"", "")
    assert (other.reliability, other.credibility) == (None, None)


def test_edits_and_deletions_refer_to_the_post() -> None:
    item = item_of("mastodon", post("a"), config(), b"", "")
    edit = as_edit(item)
    assert edit.signal.msg_type is MsgType.UPDATE
    assert edit.signal.references[0].identifier == edit.signal.identifier == item.signal.identifier
    gone = deletion("mastodon", item.signal.sender, item.signal.identifier, AT)
    assert gone.signal.msg_type is MsgType.CANCEL
    assert gone.signal.references[0].sender == gone.signal.sender == item.signal.sender
    assert gone.signal.references[0].identifier == item.signal.identifier
