"""Fixtures every test may use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("vigie", deadline=None)  # no test fails by how busy the machine is
settings.load_profile("vigie")

ROOT = Path(__file__).resolve().parent.parent
NO_SAMPLES = "recorded samples not found (set VIGIE_SAMPLES)"


def samples_folder() -> Path | None:
    """Where real recorded input lies: `VIGIE_SAMPLES`, or `../shared/data` beside the checkout."""
    for place in (os.environ.get("VIGIE_SAMPLES"), ROOT.parent / "shared" / "data"):
        if place and Path(place).is_dir():
            return Path(place)
    return None


@pytest.fixture(scope="session")
def samples() -> Path:
    found = samples_folder()
    if found is None:
        pytest.skip(NO_SAMPLES)
    return found
