"""One campaign: everything outside is put up, the hub is killed so many times, and then it is looked at what is there.

The stand-ins live in this process, the hub in one of its own: what they accepted, they know, whatever becomes of it.
"""

import asyncio
import contextlib
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from msgspec import Struct, field

from hub.config import load
from tools.crash import world
from tools.crash.checks import Found, check
from tools.crash.evidence import Outside, arrivals, read_journal, reply_key
from tools.crash.hub import Hub, HubGone
from tools.crash.sender import Mix, Sender
from tools.crash.sink import Sink
from tools.phones import Faults, PacedClock, Phones

PACE = 0.1  # the phones live ten times as fast
LISTENS_S = 3.0  # the hub, before it calls anybody (hub.core.LISTEN_S): more interesting moments come after
FLAKY = Faults(
    refused=0.04,
    error_500=0.04,
    too_many=0.04,
    hangs=0.01,
    answer_lost=0.05,
    answer_stalled=0.02,
    callback_lost=0.03,
    callback_twice=0.05,
    callback_held=0.05,
    callback_unknown=0.01,
)
SINK_FAULT = 0.15
DOWN = 0.1  # of the moments before a kill, how many the exchange is down altogether in


class Plan(Struct, frozen=True, kw_only=True):
    """When the hub is killed: in a share of cases while it starts, in a share while it is listening, else at work, and
    half of these the moment something is handed over. `settle_s`: how long it may take at the end; `quiet_s`: how long
    nothing must have happened for it to be over."""

    kills: int = 200
    starting: float = 0.2
    listening: float = 0.2
    starting_s: float = 2.5
    working_s: float = 4.0
    pause: float = 0.2
    pause_s: float = 2.0
    settle_s: float = 240.0
    quiet_s: float = 5.0


SHORT = (
    Plan(
        kills=20,
        starting=0.7,
        listening=0.12,
        starting_s=1.2,
        working_s=1.2,
        pause=0.1,
        pause_s=0.5,
        settle_s=60,
        quiet_s=1.5,
    ),
    world.Scale(chains=6, audience=150, between_s=0.8, answer_s=2.0),
    Mix(chain_s=1.0, mass_s=8.0, life_s=(4.0, 20.0), long=0.0),
)
"""What the tests run, in less than a minute: kills in quick succession, a smaller world, faster chains."""


class Told(Struct, kw_only=True):
    """What a campaign has to say."""

    found: Found
    kills: Counter[str] = field(default_factory=Counter)
    ready_s: list[float] = field(default_factory=list)
    struck: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


class Campaign:
    """Everything of one campaign, made from its seed."""

    def __init__(self, folder: Path, seed: int, plan: Plan, scale: world.Scale, mix: Mix) -> None:
        self.plan = plan
        self.kills: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self._chance = random.Random(f"{seed} kills")
        self._port = _free_port()
        self._replies: list[str] = []
        self.phones = Phones(
            world.ACCOUNT,
            world.TOKEN,
            people=world.phones(scale),
            inbound=f"http://127.0.0.1:{self._port}/callback/sms/reply",
            clock=PacedClock(PACE),
            webhook_timeout_s=3.0,
        )
        self.sink = Sink(random.Random(f"{seed} sink"))
        self.sender = Sender(
            f"http://127.0.0.1:{self._port}/in/{world.SOURCE}", scale, mix, random.Random(f"{seed} sender")
        )
        self._folder = folder
        self._scale = scale
        self._seed = seed
        self.hub: Hub

    async def run(self) -> Told:
        """Runs it. Raises HubGone where the hub ended by itself or never became ready."""
        started = asyncio.get_running_loop().time()
        async with self._outside():
            sending = asyncio.create_task(self.sender.run())
            try:
                for number in range(self.plan.kills):
                    await self._until_killed(number)
                await self._let_settle()
                if not await self.hub.stop():
                    raise HubGone(f"the hub did not stop in its own order: see {self.hub.log}")
            finally:
                sending.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await sending
        took = asyncio.get_running_loop().time() - started
        return Told(
            found=self._look(), kills=self.kills, ready_s=self.hub.ready_s, struck=dict(self.struck), seconds=took
        )

    @asynccontextmanager
    async def _outside(self) -> AsyncIterator[None]:
        await self.sink.start()
        await self.phones.start()
        self.phones.webhooks.watchers.append(self._note_reply)
        sink = f"http://127.0.0.1:{self.sink.port}"
        config = world.write(self._folder, self._scale, port=self._port, twilio=self.phones.base_url, sink=sink)
        self.hub = Hub(self._folder, config, self._port)
        self._set_faults(FLAKY, SINK_FAULT)
        try:
            yield
        finally:
            await self.hub.away()
            await self.phones.stop()
            await self.sink.stop()

    def _note_reply(self) -> None:
        if key := reply_key(self.phones.webhooks.sent[-1]):
            self._replies.append(key)

    def _set_faults(self, faults: Faults, of_sink: float) -> None:
        self.struck.update(self.phones.dice.counts)
        self.phones.set_faults(msgspec.structs.replace(faults, seed=self._seed))
        self.sink.fault = of_sink

    # --- killing -------------------------------------------------------------------------------------------

    async def _until_killed(self, number: int) -> None:
        plan, chance = self.plan, self._chance
        throw = chance.random()
        moment = chance.random()
        await self.hub.start()
        if number and throw < plan.starting:
            kind = "starting"
            await asyncio.sleep(moment * plan.starting_s)
        else:
            await self.hub.ready()
            if number and throw < plan.starting + plan.listening:
                kind = "listening"
                await asyncio.sleep(moment * LISTENS_S)
            else:
                kind = await self._work(moment)
        await self.hub.kill()
        self.kills[kind] += 1
        if chance.random() < plan.pause:
            await asyncio.sleep(chance.random() * plan.pause_s)

    async def _work(self, moment: float) -> str:
        """Lets it work for a while, and chooses the instant."""
        plan, chance = self.plan, self._chance
        await asyncio.sleep(LISTENS_S if self.hub.starts > 1 else 0.5)
        down = chance.random() < DOWN
        if down:
            await self.phones.down()
        await asyncio.sleep(moment * plan.working_s)
        if down:
            await self.phones.up()
        if down or chance.random() < 0.5:
            return "working"
        count = len(self.phones.network.messages) + len(self.phones.network.calls)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2.0):
                network = self.phones.network
                await self.phones.until(lambda: len(network.messages) + len(network.calls) > count)
        await asyncio.sleep(chance.random() * 0.03)
        return "handing over"

    async def _let_settle(self) -> None:
        """The faults are over, and the hub comes back for good: everything must come to its end."""
        self._set_faults(Faults(), 0.0)
        await self.hub.start()
        await self.hub.ready()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.plan.settle_s):
                await asyncio.sleep(LISTENS_S)
                await self.sender.finish(self.plan.settle_s)
                await self._quiet()

    async def _quiet(self) -> None:
        """Nothing is open and nothing has happened for a while. Bounded by the caller; what is open then is found."""
        seen, since = "", asyncio.get_running_loop().time()
        while True:
            self.hub.check()
            health = await self.hub.health() or {}
            now = asyncio.get_running_loop().time()
            seen_outside = (len(self.phones.network.messages), len(self.sink.taken), len(self.sink.followed))
            state = f"{health.get('decisions')} {seen_outside}"
            busy = health.get("open_incidents") != 0 or health.get("in_flight") != 0
            if state != seen or busy:
                seen, since = state, now
            if now - since > self.plan.quiet_s:
                return
            await asyncio.sleep(0.2)

    # --- looking -------------------------------------------------------------------------------------------

    def _look(self) -> Found:
        self.struck.update(self.phones.dice.counts)
        self.struck.update({f"webhook {kind}": count for kind, count in self.sink.struck.items()})
        came, unknown = arrivals(self.phones, self.sink.taken)
        texts = [f"sms\x1f{message.sid}" for message in self.phones.messages if message.direction == "inbound"]
        replies = list(dict.fromkeys([*self._replies, *texts]))
        outside = Outside(
            sent=self.sender.sent, arrivals=came, unknown=unknown, replies=replies, followed=self.sink.followed
        )
        config, _ = load(self._folder / "config")
        message = config.texts_in_force().messages["hub.repeat"]
        return check(
            read_journal(self._folder / "data" / "journal.db"),
            outside,
            languages={person.number: person.language for person in world.phones(self._scale)},
            marks={str(language): text.text for language, text in message.texts.items()},
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
