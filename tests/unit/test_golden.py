"""Every recorded file is read by the right source as one reads it off by eye (tests/golden/readings).

Changed on purpose? `python -m tools.golden` writes the readings anew and shows what has changed: look at it.
"""

import difflib
from pathlib import Path

import pytest

from tests.conftest import ROOT, samples_folder
from tools.golden.readers import reader_of
from tools.golden.readings import READINGS, file_of, names_of, reading_of

LARGEST = 16_000  # bytes of a reading: it is there to be looked at

NAMES = names_of(found) if (found := samples_folder()) else []
KNOWN = sorted(path.relative_to(READINGS).as_posix().removesuffix(".yaml") for path in READINGS.rglob("*.yaml"))


@pytest.mark.parametrize("name", KNOWN)
def test_a_file_is_read_as_it_is_known(samples: Path, name: str) -> None:
    assert (samples / name).is_file(), f"there is no recorded file {name} any more: python -m tools.golden"
    known, now = file_of(name).read_text("utf-8"), reading_of(samples, name)
    shown = str(file_of(name).relative_to(ROOT))
    changes = "".join(difflib.unified_diff(known.splitlines(True), now.splitlines(True), shown, "as it is read now"))
    assert not changes, f"{name} is read otherwise. Is it right? Then: python -m tools.golden\n{changes}"


def test_no_recorded_file_is_left_out(samples: Path) -> None:
    missing = [name for name in NAMES if reader_of(name) is None or not file_of(name).is_file()]
    assert missing == [], "give them a reader (tools/golden/readers.py), and look: python -m tools.golden --show NAME"


def test_readings_are_short_and_name_nobody() -> None:
    assert len(KNOWN) > 100
    for name in KNOWN:
        text = file_of(name).read_text("utf-8")
        assert len(text) <= LARGEST, f"{name}: {len(text)} bytes"
        assert not [word for word in text.split() if "@" in word and "...@" not in word and "." in word.split("@")[1]
                    and word.split("@")[0].strip("'\"").isalnum()], name  # fmt: skip
