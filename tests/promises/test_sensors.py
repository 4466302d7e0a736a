"""Sensors and people: a level that is passed calls somebody once, and they are let off as all is normal again."""

from typing import Any

import msgspec
import pytest
from trio.testing import MockClock

from connectors.mqtt.config import MqttConfig
from connectors.mqtt.payload import Value
from connectors.mqtt.sensors import Sensors
from hub.model.events import Ended, Opened
from tests.promises.night import Night, night
from tests.promises.rules import asking

pytestmark = pytest.mark.trio

GUSTS: dict[str, Any] = {
    "topics": ["gusts/+"],
    "name": {"fr": "Rafales", "nl": "Windstoten", "de": "Böen", "en": "Gusts"},
    "unit": "km/h",
    "above": {"Moderate": 80, "Severe": 100, "Extreme": 120},
    "hysteresis": 10,
    "dwell_s": 600,
    "hazard": "thunderstorm",
}


class Mast:
    """A sensor whose readings come in by a source."""

    def __init__(self, n: Night) -> None:
        config = msgspec.convert({"host": "x", "readings": {"gusts": GUSTS}}, MqttConfig)
        self._night = n
        self._sensors = Sensors(config, "masts", None)
        self._sensors.listen(n.now)

    async def reads(self, value: float) -> None:
        for item in self._sensors.hear("gusts/a", "gusts", Value(number=value), self._night.now):
            await self._night.comes_in("masts", item)

    async def looks(self) -> None:
        for item in self._sensors.tick(self._night.now):
            await self._night.comes_in("masts", item)


async def test_a_level_calls_once_and_its_end_lets_everybody_off(autojump_clock: MockClock) -> None:
    async with night(asking("anna")) as n:
        (anna,) = n.people("anna")
        mast = Mast(n)
        await mast.reads(90)  # Moderate: the sheet asks for more
        await n.nobody_is_disturbed(minutes=1)
        await mast.reads(105)
        await anna.is_asked()
        await anna.accepts()
        for value in (99, 101, 95, 104, 91):  # to and fro within the band
            await mast.reads(value)
            await n.nobody_is_disturbed(minutes=2)
        assert len(await n.events(Opened)) == 1
        await mast.reads(40)
        await n.nobody_is_disturbed(minutes=9)
        await mast.looks()
        assert await n.events(Ended) == []
        await n.after(minutes=1)
        await mast.looks()
        await anna.receives("weather-over")
        assert len(await n.events(Ended)) == 1
