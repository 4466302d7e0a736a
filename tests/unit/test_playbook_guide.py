"""docs/playbooks.md cannot rot: its sheets load, and it explains every rule there is."""

import re
from pathlib import Path

import pytest

from hub.model.signal import Hazard
from hub.playbook.expression import Expression
from hub.playbook.load import load
from hub.playbook.messages import load_messages

ROOT = Path(__file__).resolve().parent.parent.parent
GUIDE = (ROOT / "docs" / "playbooks.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
SHEET = BLOCKS[0]


def whole(block: str) -> str:
    """The guide's first sheet with one of its keys as another block writes it."""
    key = block.partition(":")[0]
    without = re.sub(rf"^{key}:.*?(?=^\S|\Z)", "", SHEET, flags=re.DOTALL | re.MULTILINE)
    return f"{without}\n{block}"


@pytest.mark.parametrize("block", [b for b in BLOCKS if not b.startswith("gas-ask")])
def test_every_block_of_the_guide_is_a_sheet_or_part_of_one(block: str) -> None:
    playbook, findings = load(block if block.startswith("playbook") else whole(block), "guide.yaml")
    assert [str(f) for f in findings] == []
    assert playbook is not None


def test_the_guides_message_is_one() -> None:
    (block,) = (b for b in BLOCKS if b.startswith("gas-ask"))
    messages, findings = load_messages(block, "guide.yaml")
    assert findings == []
    assert messages is not None


def test_the_guides_expressions_are_accepted() -> None:
    shown = re.findall(r"^\| [^|`]+ \| `([^`]*(?:info|signal)[^`]*)` \|$", GUIDE, re.MULTILINE)
    assert len(shown) == 4
    for text in shown:
        Expression(text)


def test_the_hazards_the_guide_names_exist() -> None:
    row = next(line for line in GUIDE.splitlines() if line.startswith("| `hazard`"))
    named = set(re.findall(r"[a-z-]+", row.rsplit("|", 2)[1].partition("...")[0])) - {""}
    assert named <= {h.value for h in Hazard}
