"""The benchmarks' own parts: a load that counts right, a gateway that remembers, a configuration without a fault."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
import trio

from hub import config as configuration
from hub.drill.stage import perform
from hub.drill.timeline import What
from hub.findings import errors
from hub.playbook.match import Matcher
from tools.bench import asks, bridge, drill, fanout, misbehaving, world
from tools.bench.figures import milliseconds
from tools.bench.load import REFUSED, Load, Sent
from tools.bench.services import Bare, free_port
from tools.bench.sink import Sink


async def played(load: Load, loading: Coroutine[Any, Any, Sent]) -> Sent:
    sent = await loading
    load.close()
    while load.connected:  # noqa: ASYNC110 # a turn of the loop ends them
        await asyncio.sleep(0)
    return sent


def test_every_alert_of_a_load_is_answered_and_counted(tmp_path: Path) -> None:
    service = Bare(tmp_path)
    service.start("")
    try:
        load = Load(service.port, service.request)
        sent = asyncio.run(played(load, load.at_rate(400, count=100)))
        assert len(sent.accepted()) == len(sent.due) == 100
        assert sent.due[-1] - sent.due[0] == 99 * 2_500_000  # due whatever the service does
        load = Load(service.port, service.requests(50), connections=4)
        flat_out = asyncio.run(played(load, load.flat_out(30)))
        assert len(flat_out.accepted()) == 50  # as many as there are requests, long before the time is up
    finally:
        service.stop()


def test_deadlines_are_met_while_a_source_sleeps_and_the_watchdog_names_it() -> None:
    with bridge.standard_error() as said:
        late, _ = trio.run(bridge.measure_latency, misbehaving.Sleeps, 20.0, 1.5)
        said.seek(0)
        named = bridge.reports(said.read())
    assert len(late) == 30  # each arrived
    assert named.keys() == {"in: source"}


def test_everybody_is_told_and_the_officer_called_through_the_whole_hub(tmp_path: Path) -> None:
    base, sink, process = fanout.start_sink()
    try:
        rate, call_s = fanout.through_hub(base, 30, tmp_path)  # ends the run where somebody is missing
    finally:
        sink.send("stop")
        process.join(10)
    assert rate > 0
    assert call_s > 0


def test_each_of_many_replies_has_its_effect_through_the_whole_hub(tmp_path: Path) -> None:
    base, sink, process = fanout.start_sink()
    hub = asks.Asking(tmp_path, sheets=1, twilio=base, audience=2 * asks.EACH)
    try:
        hub.start("http://127.0.0.1:9")
        asks.open_asks(base, hub, range(2))
        took_ms = asks.measure(base, hub, range(2 * asks.EACH), 200.0)  # ends the run where a reply has none
    finally:
        hub.stop()
        sink.send("stop")
        process.join(10)
    assert len(took_ms) == 2 * asks.EACH
    assert took_ms[0] > 0


def test_a_service_that_is_not_there_accepts_nothing() -> None:
    load = Load(free_port(), lambda number: b"")
    sent = asyncio.run(played(load, load.at_rate(400, count=5)))
    assert sent.accepted() == []
    assert set(sent.status) == {REFUSED}
    assert sent.refused() == {"refused": 5}


def test_the_gateway_remembers_each_arrival_and_can_be_down() -> None:
    sink = Sink()
    try:
        for number in (1, 2, 2):
            urllib.request.urlopen(sink.url + "/hook", world.alert_id("0" * 8, number).encode(), timeout=5).close()
        arrivals = sink.arrivals()
        assert {known: len(times) for known, times in arrivals.items()} == {
            "al-00000000-0000001": 1,
            "al-00000000-0000002": 2,
        }
        sink.down()
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(sink.url + "/hook", b"", timeout=5)
        assert sink.up() > arrivals["al-00000000-0000001"][0]
        urllib.request.urlopen(sink.url + "/hook", b"al-00000000-0000003", timeout=5).close()
        assert sink.count() == 3
    finally:
        sink.close()


def test_the_generated_sheets_are_sound_and_each_opening_alert_meets_exactly_one(tmp_path: Path) -> None:
    from connectors.webhook.alert import decode, to_signal

    config, findings = configuration.load(world.write_config(tmp_path, sheets=30, port=1), today="2026-11-23")
    assert errors(findings) == []
    matcher = Matcher(config.playbooks)
    for number in range(20):
        signal = to_signal(decode(world.body("0" * 8, number, 30, world.every(5))), "partner-0", "fr-BE")
        assert len(matcher.match(signal, signal.sent)) == (number % 5 == 0)


def test_the_crisis_of_a_drill_is_one_and_comes_out_the_same_each_time() -> None:
    config, _ = configuration.load(drill.ROOT / "config")
    first, second = (perform(config, drill.crisis(200, 72)) for _ in range(2))
    assert len([m for m in first.of(What.SIGNAL) if m.nth]) == 200
    opened = {m.sheet for m in first.of(What.OPENED)}
    assert opened >= {"extreme-weather", "emergency-calls-outage", "provincial-phase"}
    assert {m.outcome for m in first.of(What.ANSWERED)} == {"accept", "decline"}
    assert len({m.person for m in first.of(What.GOT)}) >= 40
    alike, again = (sorted((m.s, m.what, m.person, m.message) for m in played.moments) for played in (first, second))
    assert alike == again


def test_milliseconds_are_quantiles() -> None:
    assert milliseconds([n * 1_000_000 for n in range(100)]) == (50.0, 90.0, 99.0, 99.0)
