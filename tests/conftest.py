"""Fixtures every test may use."""

import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import settings

from hub.config import Config, load
from hub.findings import Finding

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


@functools.cache
def shipped() -> tuple[Config, list[Finding]]:
    """The example that the project carries, and what is wrong with it; read once, for nobody changes it."""
    return load(ROOT / "config")


@pytest.fixture(autouse=True)
def logs_as_they_were(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command that a test runs in this process sets logs up for good; the next test begins as if it had not."""
    before, real = structlog.get_config(), structlog.configure

    def configure(**said: Any) -> None:
        real(**{**said, "cache_logger_on_first_use": False})

    monkeypatch.setattr(structlog, "configure", configure)
    yield
    real(**before)


@pytest.fixture(scope="session")
def samples() -> Path:
    found = samples_folder()
    if found is None:
        pytest.skip(NO_SAMPLES)
    return found
