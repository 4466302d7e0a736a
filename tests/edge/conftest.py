"""Servers that several modules share, started once: they take seconds."""

from collections.abc import Iterator

import pytest

from tests.edge.synapse import Synapse, running


@pytest.fixture(scope="session")
def homeserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    """A Matrix homeserver; every test has accounts of its own there."""
    with running(tmp_path_factory.mktemp("synapse")) as started:
        yield started
