"""Sensors at a real broker: what a restart, a lost line, a retained message and rubbish make of the levels."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.mqtt.config import MqttConfig
from connectors.mqtt.source import MqttSource
from hub.connector import Source
from hub.model.signal import MsgType
from tests.contracts.intake import environment
from tests.edge.hours import Hours, WatchedIntake, listening
from tests.edge.mosquitto import PASSWORD, USER, Broker, running
from tests.edge.polling import outside, run
from tests.edge.test_mail import made_certificate

NAME = {"fr": "Niveau", "nl": "Peil", "de": "Pegel", "en": "Level"}


def config(broker: Broker, **more: Any) -> MqttConfig:
    level = {"topics": ["basins/+/level"], "name": NAME, "above": {"Severe": 3.8}, "hysteresis": 0.2, "dwell_s": 5}
    raw = {
        "host": "127.0.0.1",
        "port": broker.port,
        "tls": False,
        "internal": True,
        "user": USER,
        "password": "SENSORS",
    }
    made: MqttConfig = msgspec.convert(raw | {"readings": {"level": level}} | more, MqttConfig)
    return made


def source(broker: Broker, hours: Hours, **more: Any) -> MqttSource:
    secrets = environment("basins", SENSORS=PASSWORD, WRONG="guess")
    return MqttSource(config(broker, **more), secrets, sleep=hours, chance=random.Random(7))


def said(intake: WatchedIntake) -> list[tuple[str, str]]:
    return [(item.signal.msg_type.value, item.signal.origin) for item in intake.signals]


async def told(intake: WatchedIntake, count: int) -> None:
    await intake.until(lambda: len(intake.signals) >= count)
    assert len(intake.signals) == count


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Shared; each test has topics, and a client, of its own."""
    with running(tmp_path_factory.mktemp("mosquitto")) as started:
        yield started


def topics(test: str, **more: Any) -> dict[str, Any]:
    level = {"topics": [f"{test}/+"], "name": NAME, "above": {"Severe": 3.8}, "hysteresis": 0.2, "dwell_s": 5}
    return {"readings": {"level": level | more}, "client_id": test}


def test_a_level_is_told_as_it_is_passed_and_as_it_is_normal_again(broker: Broker) -> None:
    async def story() -> None:
        hours = Hours()
        intake = hours.intake()
        made = source(broker, hours, **topics("passed"))
        assert isinstance(made, Source)
        async with listening(made, intake), broker.sensor() as sensor:
            await sensor.publish("passed/a", "1.0", qos=1)
            await sensor.publish("passed/a", "4.0", qos=1)
            await sensor.publish("passed/a", "4.5", qos=0)
            await sensor.publish("passed/a", "1.0", qos=1)
            await sensor.publish("passed/b", "4.0", qos=1)
            await told(intake, 2)
            assert said(intake) == [("Alert", "passed/a"), ("Alert", "passed/b")]
            assert intake.signals[0].original == b"4.0"
            await hours.pass_by(4)
            assert len(intake.signals) == 2
            await hours.pass_by(1)
            assert said(intake)[2:] == [("Cancel", "passed/a")]
            assert intake.signals[2].signal.references[0].identifier == intake.signals[0].signal.identifier
        assert [h for h, _ in intake.healths] == ["ok"]

    run(story)


def test_a_restart_repeats_nothing_and_hears_what_came_meanwhile(broker: Broker) -> None:
    async def story() -> None:
        hours = Hours()
        first = hours.intake()
        async with broker.sensor() as sensor:
            async with listening(source(broker, hours, **topics("restart")), first):
                await sensor.publish("restart/a", "4.0", qos=1, retain=True)
                await told(first, 1)
            await sensor.publish("restart/b", "4.0", qos=1)  # the broker keeps it for us
            again = hours.intake(first.kept)
            async with listening(source(broker, hours, **topics("restart")), again):
                await told(again, 1)
                await sensor.publish("restart/c", "4.0", qos=1)
                await told(again, 2)
        assert said(again) == [("Alert", "restart/b"), ("Alert", "restart/c")], "what is retained of a is no crossing"

    run(story)


def test_what_was_not_durable_comes_again(broker: Broker) -> None:
    async def story() -> None:
        hours = Hours()
        first = hours.intake()
        async with broker.sensor() as sensor:
            async with listening(source(broker, hours, **topics("durable")), first):
                first.down = "disk full"
                await sensor.publish("durable/a", "4.0", qos=1)
                await first.until(lambda: first.offers >= 1)
                await hours.asleep(2)  # it waits to offer it again: nothing was acknowledged
            again = hours.intake(first.kept)
            async with listening(source(broker, hours, **topics("durable")), again):
                await told(again, 1)
        assert first.signals == []

    run(story)


def test_a_full_disk_that_has_room_again_gets_what_waited(broker: Broker) -> None:
    async def story() -> None:
        hours = Hours()
        intake = hours.intake()
        async with listening(source(broker, hours, **topics("full")), intake), broker.sensor() as sensor:
            intake.down = "disk full"
            await sensor.publish("full/a", "4.0", qos=1)
            await intake.until(lambda: intake.offers >= 1)
            await hours.asleep(2)
            intake.down = ""
            await hours.pass_by(1)
            await told(intake, 1)

    run(story)


def test_a_burst_that_changes_nothing_is_never_recorded(broker: Broker) -> None:
    async def story() -> None:
        hours = Hours()
        intake = hours.intake()
        async with listening(source(broker, hours, **topics("burst")), intake), broker.sensor() as sensor:
            for n in range(2000):
                await sensor.publish("burst/a", str(n % 30 / 10), qos=0)
            await sensor.publish("burst/b", "4.0", qos=1)
            await told(intake, 1)
            assert said(intake) == [("Alert", "burst/b")]
            assert intake.offers == 1

    run(story)


def test_rubbish_without_end_is_one_dead_letter(broker: Broker) -> None:
    async def story() -> None:
        hours = Hours()
        intake = hours.intake()
        async with listening(source(broker, hours, **topics("rubbish")), intake), broker.sensor() as sensor:
            for n in range(1000):
                await sensor.publish("rubbish/a", f"ERR {n}", qos=0)
            await sensor.publish("rubbish/a", b"\xff" * 20, qos=0)
            await sensor.publish("rubbish/a", b"1" * 70_000, qos=0)
            await sensor.publish("rubbish/a", "4.0", qos=1)
            await told(intake, 1)
            reasons = [item.reason.partition(": ")[2].partition(":")[0] for item in intake.bad]
            assert reasons == ["is no number", "is no text in UTF-8", "is larger than max bytes"]
            assert intake.bad[0].original == b"ERR 0"

    run(story)


def test_a_sensor_that_falls_silent_is_missed_only_while_we_listen(tmp_path: Path) -> None:
    async def story(broker: Broker) -> None:
        hours = Hours()
        intake = hours.intake()
        made = source(broker, hours, **topics("silent", silent_after_s=30))
        async with listening(made, intake):
            async with broker.sensor() as sensor:
                # QoS 0: one that the broker has no acknowledgement of before it stops would come again.
                await sensor.publish("silent/a", "4.0", qos=0)
                await told(intake, 1)
            await hours.pass_by(20)
            broker.stop()
            reason = await intake.becomes("failing")
            assert reason.startswith("127.0.0.1: ")
            await hours.pass_by(20)
            assert len(intake.signals) == 1, "nobody listens: it is the broker that is gone"
            broker.start()
            while intake.healths[-1][0] != "ok":
                await hours.pass_by(1)
            await hours.pass_by(28)
            assert len(intake.signals) == 1, "it is given its time anew"
            await hours.pass_by(2)
            assert said(intake)[1:] == [("Alert", "silent/a")]
            async with broker.sensor() as sensor:
                await sensor.publish("silent/a", "4.0", qos=1)
                await intake.until(lambda: intake.signals[-1].signal.msg_type is MsgType.CANCEL)
            assert said(intake) == [("Alert", "silent/a"), ("Alert", "silent/a"), ("Cancel", "silent/a")]

    with running(tmp_path) as broker:
        run(lambda: story(broker))


def test_who_we_are_and_what_we_may_read_is_told_where_it_is_wrong(tmp_path: Path) -> None:
    async def story(broker: Broker) -> None:
        hours = Hours()
        for wrong, told in (({"password": "WRONG"}, "ot authori"), ({"host": "localhost", "port": 1}, "refused")):
            intake = hours.intake()
            running_source = asyncio.ensure_future(source(broker, hours, **wrong).run(intake))
            assert told in await intake.becomes("failing")
            running_source.cancel()
            await asyncio.wait({running_source})
        intake = hours.intake()
        refused = asyncio.ensure_future(source(broker, hours, **topics("secret")).run(intake))
        assert "refuses secret/+: allow our user to read it" in await intake.becomes("failing")
        refused.cancel()
        await asyncio.wait({refused})

    with running(tmp_path, refuses=True) as broker:
        run(lambda: story(broker))


# paho leaves the socket of a failed handshake to the garbage collector, which says so.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning")
def test_an_encrypted_line_with_a_certificate_of_our_own(tmp_path: Path) -> None:
    certificate = made_certificate(tmp_path)

    async def story(broker: Broker) -> None:
        hours = Hours()
        intake = hours.intake()
        trusting = source(broker, hours, tls=True, ca_file=certificate[0], client_id="t")
        async with listening(trusting, intake):
            assert intake.healths == [("ok", "")]
        doubting = asyncio.ensure_future(source(broker, hours, tls=True, client_id="u").run(intake))
        assert "certificate verify failed" in await intake.becomes("failing")
        doubting.cancel()
        await asyncio.wait({doubting})

    with running(tmp_path, tls=certificate) as broker:
        run(lambda: story(broker))


def test_a_name_that_leads_inside_is_refused_and_a_missing_file_named() -> None:
    async def story() -> None:
        async def lookup(host: str, port: int) -> list[str]:
            return ["9.9.9.9", "10.0.0.7"]

        hours = Hours()
        raw: dict[str, Any] = {"host": "broker.example", "readings": topics("x")["readings"]}
        for more, told in (
            ({}, "is the internal address 10.0.0.7: say internal: yes"),
            ({"internal": True, "ca_file": "/nowhere.pem"}, "No such file"),
        ):
            intake = hours.intake()
            made = MqttSource(msgspec.convert(raw | more, MqttConfig), outside(), sleep=hours, lookup=lookup)
            refused = asyncio.ensure_future(made.run(intake))
            assert told in await intake.becomes("failing")
            refused.cancel()
            await asyncio.wait({refused})

    run(story)
