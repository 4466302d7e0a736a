"""The fake keeps the promises the real channels keep (tests/edge/test_*: the same suite)."""

from collections.abc import Awaitable, Callable

import pytest

from tests.contracts.channel import PROMISES, World
from tests.contracts.fake_channel import ABILITIES, FakeWorld


@pytest.mark.trio
@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("kind", ABILITIES)
async def test_promise(promise: Callable[[World], Awaitable[None]], kind: str) -> None:
    await promise(FakeWorld(kind))
