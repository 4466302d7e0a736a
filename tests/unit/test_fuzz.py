"""Two thousand damaged inputs for the reader of each source (a million by hand: `python -m tools.fuzz`)."""

import random
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import structlog

from tests.conftest import ROOT, samples_folder
from tools.fuzz import trying
from tools.fuzz.corpus import kinds, reader, seeds
from tools.fuzz.mutating import LARGEST, damaged, swollen

INPUTS = 2_000
SEED_MAX = 1800  # bytes: small ones, which are read quickly: damage tells the same


@pytest.mark.parametrize("point", kinds(), ids=lambda point: point.name)
def test_no_damage_makes_a_reader_fail(point: EntryPoint) -> None:
    found_seeds = seeds(point.name, samples_folder())
    of = [data for data in found_seeds if len(data) <= SEED_MAX] or found_seeds[:1]
    assert any(of), f"tools/fuzz/seeds/{point.name}: put a real input there"
    with structlog.testing.capture_logs():
        found = trying.run(reader(point), of, 1, 0, INPUTS, large=False)
    assert found["tried"] == INPUTS
    faults = {why: number for why, number in found["faults"].items() if not why.startswith("took")}  # never by time
    assert faults == {}, f"`python -m tools.fuzz {point.name} --show NUMBER` writes the input"


def test_a_fault_is_found() -> None:
    def read(data: bytes) -> list[object]:
        return [] if b"&" not in data else [data.decode("ascii")]

    found = trying.run(read, [b"plain", b"a & b"], 1, 0, 300, large=False)  # type: ignore[arg-type]
    assert {why.partition(" (")[0].partition(":")[0] for why in found["faults"]} >= {
        "gives a str",
        "UnicodeDecodeError",
    }


def test_an_input_is_made_of_its_number_alone(tmp_path: Path) -> None:
    of = [b"one", b"another"]
    assert trying.made(of, 7, 12, large=False) == trying.made(of, 7, 12, large=False)
    assert len({trying.made(of, 7, number, large=False) for number in range(50)}) > 30
    chance = random.Random(1)
    assert all(len(damaged(of, chance)) <= LARGEST for _ in range(50))
    assert len(swollen(of, chance)) > LARGEST - 8192


def test_the_campaign_runs_and_says_what_it_found() -> None:
    words = [sys.executable, "-m", "tools.fuzz", "page", "--inputs", "40", "--large", "1"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("page: 41 inputs in ")
    assert done.stdout.endswith("no faults\n")
