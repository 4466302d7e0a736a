"""Writes docs/rules.md from hub/rulebook.py and the galleries of tests/bad: `python -m tools.rulebook`.

tests/unit/test_rulebook.py holds the page against what this makes.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from hub.rulebook import DAY, JOURNAL, ROOM, RULES

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "rules.md"
GALLERY = ROOT / "tests" / "bad"

INTRODUCTION = """\
# The rules of `vigie check`

<!-- Made by `python -m tools.rulebook` from the code; change hub/rulebook.py. -->

Each finding ends with its rule in brackets; `vigie check --explain RULE` prints what stands here. An error keeps the
hub from starting; a warning does not, and can be **waived with a reason**, on the line or above it:

    # vigie: allow no-review, because it is replaced in spring
    playbook: gas-leak

What is about something else by name needs the name (`allow overlap with flood, because both have to run`), so that the
next one is told all the same. A waiver without a reason, of an error, or where nothing is wrong, is a warning itself.

The examples are files of [tests/bad](../tests/bad): each has one fault, and beside it stands exactly what is told.
"""

# A finding on one line, or the last line of one with its source.
_TOLD = re.compile(r"^(?:config/.* |   .*   |   )\[([a-z0-9-]+)\]$", re.MULTILINE)
_ASKS = {
    DAY: "depends on the day",
    ROOM: "looks at the coming month; `vigie check` only, not the hub's start",
    JOURNAL: "looks at the journal, where there is one; `vigie check` only",
}


def page() -> str:
    """The whole page."""
    return "\n".join(_parts()).rstrip() + "\n"


def shown() -> dict[str, list[Path]]:
    """Rule → the files of the gallery in which it is told, those with the fewest findings first."""
    found: dict[str, list[tuple[int, Path]]] = {}
    for expected in sorted([*GALLERY.rglob("*.expected"), *GALLERY.rglob("expected")]):
        rules = _TOLD.findall(expected.read_text("utf-8"))
        bad = expected.with_suffix(".yaml") if expected.suffix else expected.parent
        for rule in set(rules):
            found.setdefault(rule, []).append((len(rules), bad))
    return {rule: [path for _, path in sorted(paths)] for rule, paths in found.items()}


def _parts() -> Iterator[str]:
    yield INTRODUCTION
    examples = shown()
    for subject in dict.fromkeys(rule.subject for rule in RULES.values()):
        yield f"## {subject[0].upper()}{subject[1:]}\n"
        yield "| rule | what it means | example |\n|---|---|---|"
        for name, rule in RULES.items():
            if rule.subject == subject:
                more = f" ({_ASKS[rule.asks]})" if rule.asks else ""
                level = "" if rule.warns or rule.subject == "waivers" else " **Error.**"
                meaning = rule.meaning.replace("|", "\\|")
                yield f"| {name} | {meaning}{more}{level} | {_example(examples.get(name, []))} |"
        yield ""


def _example(paths: list[Path]) -> str:
    return f"[{paths[0].stem}](../{paths[0].relative_to(ROOT).as_posix()})" if paths else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
