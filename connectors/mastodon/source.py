"""The `mastodon` source: what is followed on a Mastodon server, as it is posted, edited and deleted."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any, ClassVar

from msgspec import Struct

from connectors.live import KEEP_S, together
from connectors.mastodon.config import MastodonConfig
from connectors.mastodon.follow import State, host_of
from connectors.mastodon.listen import CHECK_S, Listener
from connectors.mastodon.read import read_statuses
from connectors.polling import Sleep
from hub.connector import BadItem, Environment, Intake, Route, SignalItem


class MastodonSource:
    """Offers every public post that is followed and wanted, once for each version; see
    connectors/mastodon/README.md."""

    Config: ClassVar[type[Struct]] = MastodonConfig

    def __init__(
        self,
        config: MastodonConfig,
        environment: Environment,
        *,
        sleep: Sleep = asyncio.sleep,
        chance: random.Random | None = None,
        keep_s: float = KEEP_S,
        check_s: float = CHECK_S,
    ) -> None:
        self._config = config
        self._environment = environment
        self._sleep = sleep
        self._chance = chance or random.SystemRandom()
        self._keep_s = keep_s
        self._check_s = check_s
        if config.token:
            environment.secret(config.token)  # one that is missing is named before the hub starts

    async def run(self, intake: Intake) -> None:
        state = State.load(await intake.cursor())
        listener = Listener(self._config, self._environment, intake, state, self._sleep, self._chance, self._keep_s)
        async with listener:
            await together(listener.work(self._check_s))

    def routes(self, intake: Intake) -> Sequence[Route]:
        return ()

    @classmethod
    def read(cls, data: bytes, name: str, config: Any = None) -> Sequence[SignalItem | BadItem]:
        """Statuses in a file, as the API gives them."""
        made = config if isinstance(config, MastodonConfig) else _ANY
        return read_statuses(data, made, host_of(made.server))


_ANY = MastodonConfig(server="https://mastodon.invalid", timeline="local")
