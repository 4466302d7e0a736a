"""The partner who sends: so many signals a second whatever the hub does, each again and again under the same id until
the hub says that it has it.
"""

import asyncio
import contextlib
import random
import time
from datetime import UTC, datetime, timedelta

import aiohttp
import msgspec

from connectors.webhook.signature import key_of, sign
from tools.crash import world

WORKERS = 32
ANSWER_S = 3.0  # how long an answer is waited for
PAUSE_S = (0.1, 0.4)  # before an unanswered signal is sent again
AGAIN = 0.01  # how many are sent again although they were acknowledged
_KEY = key_of(world.SECRET, "of the campaign")
HEADLINES = ("Montée des eaux au pont", "Fumée dans le tunnel", "Coupure au dépôt")


class Sending(msgspec.Struct, kw_only=True):
    """One signal and what became of it. `event`: what its incident is about, `""` where it opens none."""

    id: str
    body: bytes
    event: str = ""
    chain: int | str = ""
    kind: str = "Alert"
    tries: int = 0
    accepted: str = ""  # the fact's id, as the hub gave it
    accepted_s: float = 0.0
    refused: str = ""


class Mix(msgspec.Struct, frozen=True, kw_only=True):
    """`rate`: signals a second; of these one opens a chain every `chain_s` seconds and one a mass message every
    `mass_s`, both on average. `life_s`: how long an incident lasts before it is cancelled; `long`: the share of those
    that last for `long_s`. `updated`: the share that is updated once."""

    rate: float = 200.0
    chain_s: float = 1.3
    mass_s: float = 20.0
    life_s: tuple[float, float] = (4.0, 40.0)
    long: float = 0.04
    long_s: tuple[float, float] = (65.0, 130.0)
    updated: float = 0.3


class Sender:
    """`run` sends until cancelled; `finish` opens nothing more, ends what is open and sees everything acknowledged."""

    def __init__(self, url: str, scale: world.Scale, mix: Mix, chance: random.Random) -> None:
        self.sent: list[Sending] = []
        self.settled = 0  # acknowledged, or refused for good
        self.opening = True
        self._url = url
        self._scale = scale
        self._mix = mix
        self._chance = chance
        self._run = f"{chance.getrandbits(32):08x}"
        self._queue: asyncio.Queue[Sending] = asyncio.Queue()
        self._follow: set[asyncio.Task[None]] = set()
        self._last: dict[str, Sending] = {}  # event → its signal in force
        self._hasten = asyncio.Event()
        self._all: asyncio.Event = asyncio.Event()

    async def run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        connector = aiohttp.TCPConnector(limit=WORKERS)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session, asyncio.TaskGroup() as group:
            group.create_task(self._feed())
            for _ in range(WORKERS):
                group.create_task(self._work(session))

    async def finish(self, over_s: float) -> bool:
        """Ends every incident, and returns whether everything was acknowledged within `over_s`."""
        self.opening = False
        self._hasten.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(over_s):
                while self._follow or self.settled < len(self.sent):
                    self._all.clear()
                    await self._all.wait()
        return not self._follow and self.settled == len(self.sent)

    # --- what is sent --------------------------------------------------------------------------------------

    async def _feed(self) -> None:
        mix, chance = self._mix, self._chance
        start, count = time.monotonic(), 0
        next_chain, next_mass = 0.2, 0.5
        while self.opening:
            await asyncio.sleep(max(0.0, start + count / mix.rate - time.monotonic()))
            now = count / mix.rate
            if now >= next_chain:
                next_chain = now + chance.expovariate(1 / mix.chain_s)
                self._open(chance.randrange(self._scale.chains))
            elif now >= next_mass:
                next_mass = now + mix.mass_s * chance.uniform(0.5, 1.5)
                self._open(world.MASS)
            else:
                self._put(self._alert(text="rien de particulier"))
            count += 1

    def _open(self, chain: int | str) -> None:
        """Opens an incident. Every second one says the very same as others do, and only its event tells them apart."""
        event = f"Evenement {self._run}-{len(self.sent)}"
        headline = self._chance.choice(HEADLINES) + (f" ({event})" if self._chance.random() < 0.5 else "")
        sending = self._alert(text=f"alerte {world.word(chain)}", event=event, headline=headline, chain=chain)
        self._last[event] = sending
        self._put(sending)

    def _alert(
        self,
        *,
        text: str,
        event: str = "",
        headline: str = "",
        chain: int | str = "",
        kind: str = "Alert",
        about: str = "",
        expires_s: float = 0.0,
    ) -> Sending:
        number = f"{self._run}-{len(self.sent):07d}"
        now = datetime.now(UTC)
        fields: dict[str, object] = {
            "id": f"al-{number}",
            "sent": now.isoformat(timespec="milliseconds"),
            "event": event or "Relevé",
            "headline": headline or f"relevé {number}",
            "description": text,
            "category": "Infra",
            "severity": "Severe",
            "certainty": "Observed",
            "urgency": "Immediate",
            "msg_type": kind,
        }
        if about:
            fields["references"] = [about]
        if expires_s:
            fields["expires"] = (now + timedelta(seconds=expires_s)).isoformat(timespec="milliseconds")
        return Sending(id=f"al-{number}", body=msgspec.json.encode(fields), event=event, chain=chain, kind=kind)

    def _put(self, sending: Sending) -> None:
        self.sent.append(sending)
        self._queue.put_nowait(sending)

    async def _live(self, first: Sending, headline: str) -> None:
        """What a partner sends about an event after its alert was taken: an update perhaps, and the end."""
        chance, mix = self._chance, self._mix
        span = mix.long_s if chance.random() < mix.long else mix.life_s
        life_s = chance.uniform(*span)
        expires = chance.random() < 0.3
        updated = expires or chance.random() < mix.updated
        if updated:
            await self._pass(life_s * chance.uniform(0.2, 0.8))
            changed = self._alert(
                text=f"alerte {world.word(first.chain)}",
                event=first.event,
                headline=f"{headline}, suite",
                chain=first.chain,
                kind="Update",
                about=first.id,
                expires_s=max(2.0, life_s * 0.2) if expires else 0.0,
            )
            self._last[first.event] = changed
            self._put(changed)
            if expires:
                return  # ends by itself
        await self._pass(life_s * (0.2 if updated else 1.0))
        last = self._last[first.event]
        while not last.accepted:  # in this order, as it makes sense
            self._all.clear()
            await self._all.wait()
        self._put(
            self._alert(
                text="fin",
                event=first.event,
                headline=headline,
                chain=first.chain,
                kind="Cancel",
                about=last.id,
            )
        )

    async def _pass(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hasten.wait()

    # --- sending it ----------------------------------------------------------------------------------------

    async def _work(self, session: aiohttp.ClientSession) -> None:
        while True:
            sending = await self._queue.get()
            while not await self._try(session, sending):  # noqa: ASYNC110 # as a sender does: after a while
                await asyncio.sleep(self._chance.uniform(*PAUSE_S))
            self.settled += 1
            if sending.refused:
                self._all.set()
                continue
            if sending.kind == "Alert" and sending.event:
                headline = msgspec.json.decode(sending.body)["headline"]
                task = asyncio.create_task(self._live(sending, headline))
                self._follow.add(task)
                task.add_done_callback(self._ended)
            self._all.set()
            if self._chance.random() < AGAIN:
                await self._try(session, sending)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._follow.discard(task)
        self._all.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error

    async def _try(self, session: aiohttp.ClientSession, sending: Sending) -> bool:
        """One request; whether there is nothing left to try."""
        seconds = int(time.time())
        sending.tries += 1
        headers = {
            "content-type": "application/json",
            "webhook-id": sending.id,
            "webhook-timestamp": str(seconds),
            "webhook-signature": sign(_KEY, sending.id, seconds, sending.body),
        }
        try:
            async with session.post(self._url, data=sending.body, headers=headers) as response:
                answer = await response.read()
                if response.status == 202:
                    fact = str(msgspec.json.decode(answer)["id"])
                    if sending.accepted and sending.accepted != fact:
                        sending.refused = f"acknowledged as {sending.accepted} first and as {fact} then"
                    elif not sending.accepted:
                        sending.accepted, sending.accepted_s = fact, time.time()
                    return True
                if response.status not in (429, 503):
                    sending.refused = f"HTTP {response.status}: {answer[:300].decode(errors='replace')}"
                    return True
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError):
            pass  # the hub is away: again, as a real sender does
        return False
