"""The `bluesky` source: what is followed on Bluesky, as it is posted, edited and deleted."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any, ClassVar

from msgspec import Struct

from connectors.bluesky.config import BlueskyConfig
from connectors.bluesky.listen import Listener
from connectors.bluesky.read import read_posts
from connectors.bluesky.state import State
from connectors.live import KEEP_S, together
from connectors.polling import Sleep
from connectors.post import PostConfig
from hub.connector import BadItem, Environment, Intake, Route, SignalItem


class BlueskySource:
    """Offers every post that is followed and wanted, once for each version; see connectors/bluesky/README.md."""

    Config: ClassVar[type[Struct]] = BlueskyConfig

    def __init__(
        self,
        config: BlueskyConfig,
        environment: Environment,
        *,
        sleep: Sleep = asyncio.sleep,
        chance: random.Random | None = None,
        keep_s: float = KEEP_S,
    ) -> None:
        self._config = config
        self._environment = environment
        self._sleep = sleep
        self._chance = chance or random.SystemRandom()
        self._keep_s = keep_s

    async def run(self, intake: Intake) -> None:
        state = State.load(await intake.cursor())
        async with Listener(
            self._config, self._environment, intake, state, self._sleep, self._chance, self._keep_s
        ) as listener:
            await together(listener.work())

    def routes(self, intake: Intake) -> Sequence[Route]:
        return ()

    @classmethod
    def read(cls, data: bytes, name: str, config: Any = None) -> Sequence[SignalItem | BadItem]:
        """An author's feed, or events of a Jetstream, in a file."""
        return read_posts(data, config if isinstance(config, BlueskyConfig) else PostConfig())
