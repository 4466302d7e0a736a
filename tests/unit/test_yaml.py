"""YAML that cannot surprise: what each scalar becomes, and what is an error with its place."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct, field

from hub.binding import Day, Instant, Seconds, Texts, Word, bind
from hub.model.people import Language
from hub.yaml import NODES_MAX, Document, Mapping, Node, Scalar, Sequence, quickly, read, slowly
from tests.conftest import ROOT


def scalar(text: str) -> str:
    document = read(f"key: {text}\n", "f.yaml")
    assert document.findings == []
    node = document.at("key")
    assert isinstance(node, Scalar)
    return node.text


def rules(text: str | bytes) -> list[tuple[int, int, str]]:
    return [(f.line, f.column, f.rule) for f in read(text, "f.yaml").findings]


@pytest.mark.parametrize(
    "text",
    ["18:00", "0475123456", "+32475123456", "no", "yes", "on", "~", "null", "1e3", "0x1F", "1_000", "2026-07-14",
     "C#5", "a: b".replace(": ", ":"), "12.50", ".inf", "0o17", "é"],
)  # fmt: skip
def test_a_scalar_comes_out_as_written(text: str) -> None:
    assert scalar(text) == text


def test_quoted_and_folded_texts_are_whole() -> None:
    assert scalar('"Sector #5: closed"') == "Sector #5: closed"
    document = read("a: |\n  one # not a comment\n  two\nb: >-\n  one\n  two\nc: ''\nd:\n", "f.yaml")
    assert document.findings == []
    texts = {k.text: v for k, v in document.root.entries if isinstance(v, Scalar)}  # type: ignore[union-attr]
    assert texts["a"].text == "one # not a comment\ntwo\n"
    assert texts["b"].text == "one two"
    assert not texts["c"].empty
    assert texts["d"].empty


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("a: 1\nb: 2\na: 3\n", (3, 1, "key-twice")),
        ("a:\n  b: 1\n  b: 2\n", (3, 3, "key-twice")),
        ("a: Sector #5\n", (1, 11, "cut-text")),
        ("a: Sector  #5\n", (1, 12, "cut-text")),
        ("a: no # comment\n", (1, 7, "cut-text")),
        ("a: [x, y #z\n  , w]\n", (1, 10, "cut-text")),
        ("a: !!int 3\n", (1, 4, "tag")),
        ("a: !exec rm\n", (1, 4, "tag")),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", (3, 3, "merge-key")),
        ("a: *x\n", (1, 4, "unknown-alias")),
        ("a: &x [*x]\n", (1, 8, "unknown-alias")),
        ("a: 1\n---\nb: 2\n", (2, 1, "several-documents")),
        ("%YAML 1.1\n---\na: 1\n", (2, 1, "several-documents")),
        ("? [a]\n: b\n", (1, 3, "key-not-text")),
        ("a:\n\tb: 1\n", (2, 1, "not-yaml")),
        ("a: b: c\n", (1, 5, "not-yaml")),
        ("a: @home\n", (1, 4, "not-yaml")),
        ("a: {b: c\n", (1, 4, "not-yaml")),
        ("a: 'b\n", (1, 4, "not-yaml")),
        ('a: "\\ud800"\n', (1, 4, "not-yaml")),
        ("a: \x01\n", (1, 4, "not-yaml")),
        ("[" * 100, (1, 41, "too-deep")),
        (b"a: b\nc: d\xe9f\n", (2, 5, "not-utf-8")),
    ],
)
def test_what_people_do_not_expect_is_an_error_with_its_place(text: str | bytes, finding: tuple[int, int, str]) -> None:
    assert rules(text) == [finding]


def test_a_comment_that_is_set_off_is_a_comment() -> None:
    text = "# at the top\na: b  # set off\nc:  # at a key\n  - d   # in a list\n  # on its own line\n  - e  ## more\n"
    assert rules(text) == []


def test_an_alias_bomb_is_stopped() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert [rule for _, _, rule in rules("\n".join(lines))] == ["too-large"]


def test_aliases_within_bounds_are_read() -> None:
    document = read("a: &x [1, 2]\nb: *x\n", "f.yaml")
    assert document.at("b") == document.at("a")


def test_a_large_file_is_refused_before_it_is_read() -> None:
    assert [rule for _, _, rule in rules("a" * 1_000_001)] == ["too-large"]
    assert [rule for _, _, rule in rules("[" + "x," * (NODES_MAX + 1) + "]")] == ["too-large"]


@settings(deadline=None)
@given(st.text(max_size=200) | st.text(alphabet="ab:- #[]{}&*!|>'\"%@`\n\t,?", max_size=60))
def test_any_text_gives_a_document_or_a_finding(text: str) -> None:
    document = read(text, "f.yaml")
    for finding in document.findings:
        assert finding.line >= 1
        assert finding.column >= 1
        assert finding.render()


@settings(deadline=None)
@given(st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=40))
def test_a_quoted_text_is_what_was_quoted(text: str) -> None:
    written = text.replace("'", "''")
    document = read(f"key: '{written}'\n", "f.yaml")
    node = document.at("key")
    # A lone line separator inside quotes is folded like a line end: as YAML says.
    if not any(c in text for c in "\x85\u2028\u2029\ufeff\ufffe\uffff"):
        assert isinstance(node, Scalar)
        assert node.text == text


def _plainly(node: Node | None) -> Any:
    """A tree with the places of all but empty texts, of which there is nothing to see."""
    match node:
        case Scalar() if node.empty:
            return ""
        case Sequence():
            return (node.line, node.column, [_plainly(item) for item in node.items])
        case Mapping():
            return (node.line, node.column, [(_plainly(key), _plainly(value)) for key, value in node.entries])
        case _:
            return node


def _alike(text: str) -> bool:
    """Whether the quick parser dared to read a text; where it did, it has read what the slow one does."""
    quick = quickly(text, "x.yaml")
    if quick is None:
        return False
    slow = slowly(text, "x.yaml")
    assert (_plainly(quick.root), quick.findings, quick.comments()) == (
        _plainly(slow.root),
        slow.findings,
        slow.comments(),
    )
    return True


def test_the_quick_parser_reads_every_file_there_is_as_the_slow_one_does() -> None:
    files = [f for f in ROOT.rglob("*.yaml") if not {".venv", "var", "build"} & set(f.relative_to(ROOT).parts)]
    read_quickly = [f for f in files if _alike(f.read_bytes().decode("utf-8", "replace"))]
    assert len(files) > 300
    assert len(read_quickly) > 0.7 * len(files), "many of them are wrong on purpose"


_PIECES = st.sampled_from(
    [
        *"abé: -\n#'\"[]{},&*!|>?%@`\t\\/~0",
        *("\n  ", "\n- ", ": ", "  # x\n", "\x85", "\u2028", "---\n", "...\n", "\r\n", "<<: ", "\ufeff", "\U0001f600"),
        *("|\n  ", ">-\n  ", "key: ", "\x00", "\x7f", "a: 1\n", "- b\n", "'it''s'", '"\\u00e9"', "\xa0", "\x0b"),
    ]
)


@given(st.lists(_PIECES, max_size=14).map("".join))
@settings(deadline=None, max_examples=400)
def test_the_quick_parser_reads_any_text_as_the_slow_one_does(text: str) -> None:
    _alike(text)


def test_a_finding_shows_its_place() -> None:
    document = read("one: 1\n\ttwo: 2\n", "config/x.yaml")
    document = Document("first\n  wrong: here\n", "config/x.yaml")
    document.add(Scalar("here", 2, 10, 4), "rule", "this is wrong", "write that")
    (finding,) = document.findings
    assert str(finding) == "config/x.yaml:2:10: this is wrong: write that [rule]"
    assert finding.render() == (
        "config/x.yaml:2:10: this is wrong\n"
        "    2 |   wrong: here\n"
        "      |          ^^^^\n"
        "   write that   [rule]"
    )  # fmt: skip


# --- binding -----------------------------------------------------------------------------------------------


class Inner(Struct, frozen=True, kw_only=True):
    name: str
    size: int = 1


class Outer(Struct, frozen=True, kw_only=True):
    word: Word
    every: Seconds = 60.0
    review_by: Day | None = None
    at: Instant | None = None
    speaks: tuple[Language, ...] = ()
    inner: tuple[Inner, ...] = ()
    need: int | dict[str, int] = 1
    answer_s: Seconds = field(default=240.0, name="for")
    ready: bool = False
    title: Texts | None = None


def bound(text: str) -> tuple[Any, list[str]]:
    document = read(text, "f.yaml")
    value = bind(document, document.root, Outer)
    return value, [f.rule for f in document.findings]


def test_fields_give_scalars_their_type() -> None:
    value, findings = bound(
        "word: a-1\nevery: 1 h 30 min\nreview by: 2027-06-30\nat: 2026-07-14T02:10+02:00\nspeaks: fr\n"
        "inner:\n  - name: 0475\n  - {name: no, size: 2}\nneed:\n  D1: 1\nfor: 4 min\nready: yes\n"
        "title:\n  fr: a\n  nl: b\n  de: c\n  en: d\n"
    )
    assert findings == []
    assert value == Outer(
        word="a-1",
        every=5400.0,
        review_by=date(2027, 6, 30),
        at=datetime(2026, 7, 14, 0, 10, tzinfo=UTC),
        speaks=(Language.FR,),
        inner=(Inner(name="0475"), Inner(name="no", size=2)),
        need={"D1": 1},
        answer_s=240.0,
        ready=True,
        title={Language.FR: "a", Language.NL: "b", Language.DE: "c", Language.EN: "d"},
    )


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("word: a\nevry: 3 s\n", "unknown-key"),
        ("every: 3 s\n", "missing-key"),
        ("word: A b\n", "not-an-id"),
        ("word: a\nevery: 90\n", "no-unit"),
        ("word: a\nevery: 3 m\n", "unknown-unit"),
        ("word: a\nevery: soon\n", "not-a-duration"),
        ("word: a\nevery: 99999 weeks\n", "not-a-duration"),
        ("word: a\nneed: 0475\n", "not-a-number"),
        ("word: a\nneed: +3\n", "not-a-number"),
        ("word: a\nready: maybe\n", "not-yes-or-no"),
        ("word: a\nspeaks: [fr, es]\n", "unknown-word"),
        ("word: a\nreview by: 2027-02-30\n", "not-a-day"),
        ("word: a\nat: 2026-07-14T02:10\n", "not-a-time"),
        ("word: a\ninner: [x]\n", "wrong-shape"),
        ("word: [a]\n", "wrong-shape"),
        ("word:\n", "empty"),
        ("word: a\ntitle:\n  fr: a\n", "missing-language"),
        ("word: a\ntitle: {fr: a, nl: b, de: c, en: d}\n", "texts-in-braces"),
        ("word: a\ntitle: a\n", "one-language"),
        ("[]\n", "wrong-shape"),
    ],
)
def test_what_does_not_fit_is_told_once(text: str, rule: str) -> None:
    value, findings = bound(text)
    assert value is None
    assert findings == [rule]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    _, findings = bound("wrd: a\nevery: 3\nspeaks: xx\ninner:\n  - size: big\n")
    assert sorted(findings) == sorted(
        ["unknown-key", "no-unit", "unknown-word", "not-a-number", "missing-key", "missing-key"]
    )


def test_keys_read_elsewhere_are_left_out() -> None:
    document = read("kind: feed\nname: x\n", "f.yaml")
    assert bind(document, document.root, Inner, besides={"kind"}) == Inner(name="x")
    assert document.findings == []


def test_a_path_ends_at_the_last_node_there_is() -> None:
    document = read("a:\n  - b: 1\n  - c\nd: e\n", "f.yaml")
    assert isinstance(document.at("a", 0), Mapping)
    assert document.at("d", 0) == document.at("d")
    assert document.at("a", 7) == document.at("a")
    assert document.at("nowhere") == document.root
