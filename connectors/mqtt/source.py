"""The `mqtt` source: listens to sensors at a broker, and tells when a level is passed, and when all is normal again."""

import asyncio
import random
import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, ClassVar

import aiomqtt
import structlog
from msgspec import Struct
from msgspec.structs import replace
from prometheus_client import Counter

from connectors.again import Again
from connectors.http import Lookup, is_public, system_lookup
from connectors.letters import Letters
from connectors.mqtt.config import MqttConfig, Reading
from connectors.mqtt.payload import Value, value_of
from connectors.mqtt.recorded import messages_in
from connectors.mqtt.sensors import Sensors
from connectors.polling import Sleep, offer, read_aside
from connectors.text import digest
from hub.connector import BadItem, Environment, Intake, ReadError, Route, SignalItem, Tape, Unavailable, WorkerLimit
from hub.model.recording import Message, raw

_log = structlog.get_logger()
_heard = Counter("vigie_mqtt_messages_total", "Messages that were meant for a reading", ["source"])
_unread = Counter("vigie_mqtt_unread_total", "Messages that could not be read", ["source", "reading"])

BATCH = 200  # messages taken together
WAITING_MAX = 10_000  # messages that wait to be taken; what comes beyond is not taken from the broker
TICK_S = 1.0
SAVE_S = 60.0  # how old the cursor may be where no level has changed
BACKLOG_S = 10.0  # after connecting: what comes may have waited at the broker
_JSON, _TEXT = "application/json", "text/plain"


class _Client(aiomqtt.Client):
    """Acknowledges a message when told so, not when it comes: what was not taken comes again. (paho's manual
    acknowledgement, to which aiomqtt has no way of its own.)"""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._client.manual_ack_set(True)

    def acknowledge(self, message: aiomqtt.Message) -> None:
        self._client.ack(message.mid, message.qos)


class MqttSource:
    """Subscribes, and offers a signal for each change of a sensor's level; see connectors/mqtt/README.md."""

    Config: ClassVar[type[Struct]] = MqttConfig

    def __init__(
        self,
        config: MqttConfig,
        environment: Environment,
        *,
        sleep: Sleep = asyncio.sleep,
        chance: random.Random | None = None,
        lookup: Lookup = system_lookup,
    ) -> None:
        self._config = config
        self._name = environment.name
        self._tape = environment.tape
        self._anywhere = config.internal or environment.allow_internal
        self._sleep = sleep
        self._chance = chance or random.SystemRandom()
        self._lookup = lookup
        # Read now, so that one that is missing is named before the hub starts.
        self._password = environment.secret(config.password) if config.password else None

    async def run(self, intake: Intake) -> None:
        config = self._config
        sensors = Sensors(config, config.sender or self._name, await intake.cursor())
        line = _Line(config, self._name, sensors, intake, self._sleep, self._tape)
        again = Again(self._chance)
        while True:
            reason, began = "", intake.now()
            try:
                async with await self._client() as client:
                    await line.begin(client)
                    async with asyncio.TaskGroup() as group:
                        group.create_task(line.receive(client))
                        group.create_task(line.watch())
            except* (aiomqtt.MqttError, OSError) as errors:
                reason = _first(errors)
            with suppress(Unavailable):
                await intake.health("failing", f"{config.host}: {reason or 'the line was closed'}")
            await line.save()
            await self._sleep(again.wait_s((intake.now() - began).total_seconds()))

    def routes(self, intake: Intake) -> Sequence[Route]:
        return ()

    @classmethod
    def read(cls, data: bytes, name: str, config: Any = None) -> Sequence[SignalItem | BadItem]:
        """Messages that mosquitto_sub has recorded: what would have been told of them."""
        if not isinstance(config, MqttConfig):
            reason = "messages are read as their source is configured: name a source of sources.yaml"
            return [BadItem(reason=reason, original=data, key=f"mqtt:{digest(data)}")]
        return _replay(data, config)

    async def _client(self) -> _Client:
        """Raises OSError where the broker's name leads nowhere, or inside although it may not."""
        config = self._config
        port = config.port or (8883 if config.tls else 1883)
        if not self._anywhere:
            # The broker is the operator's own choice; this is against a name that leads inside by mistake or trick.
            for address in await self._lookup(config.host, port):
                if not is_public(address):
                    raise OSError(f"is the internal address {address}: say internal: yes if that is meant")
        return _Client(
            config.host,
            port,
            username=config.user or None,
            password=self._password,
            identifier=config.client_id or f"vigie-{self._name}",
            clean_session=not config.keep_session,
            keepalive=round(config.keepalive_s),
            max_queued_incoming_messages=WAITING_MAX,
            tls_context=_tls(config) if config.tls else None,
        )


class _Line:
    """What is done while the line stands. What was read and what time brings about take turns."""

    def __init__(
        self, config: MqttConfig, name: str, sensors: Sensors, intake: Intake, sleep: Sleep, tape: Tape
    ) -> None:
        self._tape = tape
        self._config = config
        self._name = name
        self._sensors = sensors
        self._intake = intake
        self._sleep = sleep
        self._letters = Letters()
        self._turn = asyncio.Lock()
        self._since = self._saved = intake.now()

    async def begin(self, client: _Client) -> None:
        """Subscribes. Raises MqttError."""
        self._since = self._intake.now()
        await self._offer(self._sensors.listen(self._since))
        patterns = dict.fromkeys(topic for reading in self._config.readings.values() for topic in reading.topics)
        granted = await client.subscribe([(pattern, 1) for pattern in patterns])
        refused = [pattern for pattern, code in zip(patterns, granted, strict=False) if _refused(code)]
        with suppress(Unavailable):
            if refused:
                reason = f"{self._config.host} refuses {', '.join(refused)[:200]}: allow our user to read it"
                await self._intake.health("failing", reason)
            else:
                await self._intake.health("ok")

    async def receive(self, client: _Client) -> None:
        """Takes what comes, and acknowledges it once what it means is durable. Raises MqttError."""
        messages = client.messages
        async for message in messages:
            batch = [message]
            while len(messages) and len(batch) < BATCH:
                batch.append(await anext(messages))
            async with self._turn:
                await self._take(batch)
            for one in batch:
                client.acknowledge(one)

    async def watch(self) -> None:
        """What time alone brings about."""
        while True:
            await self._sleep(TICK_S)
            async with self._turn:
                now = self._intake.now()
                await self._offer(self._sensors.tick(now))
                if now - self._saved >= timedelta(seconds=SAVE_S):
                    await self.save()

    async def save(self) -> None:
        """Makes the cursor durable where it says something new."""
        if self._sensors.unsaved:
            await self._offer((), anyway=True)

    async def _take(self, batch: Sequence[aiomqtt.Message]) -> None:
        items: list[SignalItem | BadItem] = []
        for message in batch:
            topic = message.topic.value
            self._record(topic, message)
            meant = self._sensors.meant(topic)
            if meant:
                _heard.labels(self._name).inc()
            for name, reading in meant:
                items += await self._read(topic, message.payload, name, reading, message.retain)
        await self._offer(items)

    def _record(self, topic: str, message: aiomqtt.Message) -> None:
        if self._tape.runs:
            body = raw(message.payload[: self._config.max_bytes + 1])  # one too large stays one
            self._tape.heard(Message(topic=topic, qos=message.qos, retained=message.retain, **body))

    async def _read(
        self, topic: str, payload: bytes, name: str, reading: Reading, retained: bool
    ) -> Sequence[SignalItem | BadItem]:
        now = self._intake.now()
        try:
            value = await self._value(payload, reading)
            if value is None:
                return ()
            aged = now - self._since < timedelta(seconds=BACKLOG_S)
            told = self._sensors.hear(topic, name, value, now, retained=retained, aged=aged)
        except (ReadError, WorkerLimit) as error:
            _unread.labels(self._name, name).inc()
            fault = error if isinstance(error, ReadError) else ReadError("takes too much time or memory to read")
            return bad_items(fault, topic, payload[: self._config.max_bytes], name, self._name, self._letters, now)
        return [replace(item, original=payload, media_type=_media_type(payload)) for item in told]

    async def _value(self, payload: bytes, reading: Reading) -> Value | None:
        if len(payload) > self._config.max_bytes:
            raise ReadError("is larger than max bytes: raise it, or have less sent")
        return await read_aside(self._intake, value_of, payload, reading, self._config.zone)

    async def _offer(self, items: Sequence[SignalItem | BadItem], *, anyway: bool = False) -> None:
        """Offers with the cursor where it has changed: a reading that changes nothing leaves no trace."""
        if not items and not anyway:
            return
        await offer(self._intake, items, self._sensors.dump() if self._sensors.unsaved else None, self._sleep)
        self._sensors.unsaved = False
        self._saved = self._intake.now()


def bad_items(
    fault: ReadError, topic: str, payload: bytes, name: str, source: str, letters: Letters, now: datetime
) -> list[BadItem]:
    """The dead letter of a message that cannot be read; none where there was one of it today."""
    letter = letters.first(f"{name} {topic} {fault.reason}", now)
    if letter is None:
        return []
    reason = f"{topic[:200]} ({name}): {fault.reason}"
    if letter.more:
        reason = "there is more that cannot be read, which is only counted today: look at vigie_mqtt_unread_total"
    elif letter.before:
        reason = f"{reason} ({letter.before} like it the day before)"
    _log.warning("mqtt.unread", source=source, reading=name, reason=fault.reason)
    key = "mqtt-bad:" + digest(source, letter.key)
    return [BadItem(reason=reason, place=fault.place, original=payload, key=key, media_type=_media_type(payload))]


def _replay(data: bytes, config: MqttConfig) -> list[SignalItem | BadItem]:
    sensors, letters = Sensors(config, config.sender or config.host, None), Letters()
    items: list[SignalItem | BadItem] = []
    for nth, message in enumerate(messages_in(data)):
        now = message.at
        items += sensors.listen(now) if nth == 0 else sensors.tick(now)
        for name, reading in sensors.meant(message.topic):
            try:
                value = value_of(message.payload, reading, config.zone)
                if value is not None:
                    items += sensors.hear(message.topic, name, value, now, retained=message.retained)
            except ReadError as error:
                fault = ReadError(error.reason, f"line {message.line}")
                items += bad_items(fault, message.topic, message.payload, name, config.host, letters, now)
    return items


def _tls(config: MqttConfig) -> ssl.SSLContext:
    """Raises OSError for files that are not there or hold no certificate (ssl.SSLError is one)."""
    context = ssl.create_default_context(cafile=config.ca_file or None)
    if config.certificate_file:
        context.load_cert_chain(config.certificate_file)
    return context


def _refused(code: Any) -> bool:
    """A SUBACK's return code (MQTT 3.1.1, section 3.9.3): 0x80 is failure."""
    return int(getattr(code, "value", code)) >= 0x80


def _media_type(payload: bytes) -> str:
    return _JSON if payload[:1] in (b"{", b"[") else _TEXT


def _first(errors: BaseExceptionGroup[Any]) -> str:
    """What went wrong first, in one line."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return " ".join(str(error).split())[:200] or type(error).__name__
