"""Warnings that are waived in the file, with the reason; and waivers that are none."""

import pytest

from hub.findings import Finding
from hub.waivers import settle

FILE = "a.yaml"


def warning(line: int, rule: str = "no-review", *names: str, error: bool = False) -> Finding:
    return Finding(file=FILE, line=line, column=1, rule=rule, message="m", warning=not error, names=names)


def left(text: str, *findings: Finding) -> list[str]:
    return [f"{f.line} {f.rule}" for f in settle(findings, {FILE: text})]


@pytest.mark.parametrize(
    "text",
    [
        "# vigie: allow no-review, because it is summer\na: b\n",
        "# vigie: allow no-review because it is summer\na: b\n",
        "# Vigie:allow no-review, because it is summer\n# and more of it\n\na: b\n",
    ],
)
def test_a_waiver_above_a_line_is_good_for_that_line(text: str) -> None:
    line = text.splitlines().index("a: b") + 1
    assert left(text, warning(line)) == []
    assert left(text + "c: d\n", warning(line + 1)) == ["1 waives-nothing", f"{line + 1} no-review"]


def test_a_waiver_on_its_own_line_is_good_for_it() -> None:
    text = "a: b  # vigie: allow no-review, because it is summer\nc: d\n"
    assert left(text, warning(1)) == []
    assert left(text, warning(2)) == ["1 waives-nothing", "2 no-review"]


def test_two_waivers_stand_above_one_line() -> None:
    text = "# vigie: allow no-review, because x\n# vigie: allow gap, because y\na: b\n"
    assert left(text, warning(3), warning(3, "gap")) == []


def test_an_error_is_never_waived() -> None:
    text = "# vigie: allow no-answers, because x\na: b\n"
    assert left(text, warning(2, "no-answers", error=True)) == ["1 waives-nothing", "2 no-answers"]


def test_what_is_about_others_is_waived_with_their_names() -> None:
    both = warning(2, "overlap", "gas"), warning(2, "overlap", "flood")
    one = "# vigie: allow overlap with gas, because x\na: b\n"
    assert left(one, *both) == ["2 overlap"]
    assert left(one.replace("gas", "gas and flood"), *both) == []
    assert left(one.replace("gas", "gas, flood"), *both) == []
    assert left(one.replace(" with gas", ""), both[0]) == ["1 waives-nothing", "2 overlap"]


@pytest.mark.parametrize(
    ("waiver", "told"),
    [
        ("allow no-review", "waiver-without-reason"),
        ("allow no-review, because", "waiver-without-reason"),
        ("allow no-review, as it is summer", "waiver-without-reason"),
        ("allow cycle, because x", "waiver-of-an-error"),
        ("allow no-revue, because x", "waiver-unclear"),
        ("ignore", "waiver-unclear"),
        ("", "waiver-unclear"),
    ],
)
def test_a_waiver_that_cannot_be_right_is_told_and_waives_nothing(waiver: str, told: str) -> None:
    assert left(f"# vigie: {waiver}\na: b\n", warning(2)) == [f"1 {told}", "2 no-review"]


@pytest.mark.parametrize(
    "text",
    [
        "a: |\n  # vigie: allow no-review, because x\nb: c\n",
        'a: "x  # vigie: allow no-review, because x"\nb: c\n',
        "a: >-\n\n  # vigie: allow no-review, because x\nb: c\n",
    ],
)
def test_what_stands_in_a_text_is_no_waiver(text: str) -> None:
    line = len(text.splitlines())
    assert left(text, warning(line)) == [f"{line} no-review"]


def test_what_was_not_looked_for_is_not_missed() -> None:
    text = "# vigie: allow common-words, because it is the city\na: b\n"
    assert settle([], {FILE: text}, lambda rule: rule != "common-words") == []
    assert [f.rule for f in settle([], {FILE: text})] == ["waives-nothing"]
