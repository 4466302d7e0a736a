"""A real day becomes a test: what a running hub heard is recorded, and played to another one it says the same."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.model import records as r
from hub.model.signal import Signal, Status
from tests.edge import imap_servers, mosquitto
from tests.edge.recorded_day import (
    AGENDA,
    ALERTS,
    FORM_CODE,
    LIST,
    MONITOR,
    PRESS,
    SECRETS,
    TUNNELS,
    WARNINGS,
    Day,
    calendar,
    day,
    drop,
    feed,
    mail,
    page,
    works,
)
from tests.edge.running import DEADLINE_S, Room, cap_xml, change, configure_sources, room
from tools.playback.lead import Broker, Mailbox
from tools.playback.pace import AT_ONCE
from tools.playback.recording import load_recording
from tools.playback.replay import Replay

# What the hub itself says of a signal, by its own clock: the day that is played has another.
BY_THE_HUB = {"id", "original", "sent", "status", "reliability", "credibility", "backing"}
NAMED_BY_TIME = {"tunnels", "pumps", "radio", "pages"}  # sources whose names of signals are made of the hub's time


@pytest.fixture
def broker(tmp_path: Path) -> Any:
    folder = tmp_path / "broker"
    folder.mkdir()
    with mosquitto.running(folder) as running:
        yield running


@pytest.fixture
def imap() -> Any:
    with imap_servers.imap_server() as server:
        yield server


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a short name: a long one with a figure looks like a secret in a configuration."""
    return tmp_path_factory.mktemp("day")


def test_a_day_is_recorded_and_says_the_same_when_it_is_played(folder: Path) -> None:
    asyncio.run(recorded_and_played(folder, None, None))


def test_sensors_are_played_by_a_broker(folder: Path, broker: mosquitto.Broker) -> None:
    asyncio.run(recorded_and_played(folder, broker, None, {"pumps"}))


def test_mails_are_played_into_a_mailbox(folder: Path, imap: imap_servers.ImapServer) -> None:
    asyncio.run(recorded_and_played(folder, None, imap, {"permanence"}))


async def recorded_and_played(
    tmp_path: Path,
    broker: mosquitto.Broker | None,
    imap: imap_servers.ImapServer | None,
    only: set[str] | None = None,
) -> None:
    """Of all sources, or of `only` these."""
    recordings = tmp_path / "recordings"
    (tmp_path / "outside").mkdir()
    async with day(tmp_path / "outside", broker, imap) as outside:
        with room(tmp_path / "first") as here:
            at = await asyncio.to_thread(outside.publish, here)
            sources = {n: s for n, s in outside.sources(at).items() if only is None or n in only}
            configure_sources(here, sources)
            change(here.folder.config / "hub.yaml", lambda hub: hub.update({"record": {"folder": str(recordings)}}))
            await asyncio.to_thread(start, here)
            said = await asyncio.to_thread(live_through, here, outside, asyncio.get_running_loop(), set(sources))
            assert await asyncio.to_thread(here.stop) == 0
            secrets = here.folder.secrets
            listed = yaml_of(here)
    recording = load_recording([recordings])
    assert recording.lost == ()
    no_secret_in(recordings, secrets.partner, secrets.api)
    with room(tmp_path / "second") as there:
        there.folder.secrets = secrets
        names = {"PARTNER_SECRET": secrets.partner} | {k.removeprefix("VIGIE_"): v for k, v in SECRETS.items()}
        stand_broker = broker and Broker("127.0.0.1", broker.port, mosquitto.USER, mosquitto.PASSWORD)
        stand_mail = imap and Mailbox("127.0.0.1", imap.port, imap_servers.USER, imap_servers.PASSWORD)
        async with Replay(
            recording,
            listed,
            names.__getitem__,
            folder=tmp_path / "dropped",
            speed=AT_ONCE,
            broker=stand_broker or None,
            mailbox=stand_mail or None,
        ) as replay:
            assert replay.unplayed() == []
            written = replay.led()
            change(there.folder.config / "sources.yaml", lambda held: (held.clear(), held.update(written)))
            await asyncio.to_thread(
                start,
                there,
                "--at",
                recording.begin.isoformat(),
                "--through",
                replay.base,
                password=imap_servers.PASSWORD if imap else mosquitto.PASSWORD,
            )
            await asyncio.to_thread(there.until, lambda: replay.listening() <= well(there), "its ears")
            playing = asyncio.create_task(replay.play(there.folder.hub_url))
            await asyncio.to_thread(until_same, there, said, replay)
            await playing
            assert [one for one in replay.answered if not one.same] == []
            assert replay.unknown() == {}
        assert await asyncio.to_thread(there.stop) == 0


def start(here: Room, *words: str, password: str = "") -> None:
    """`password`: of the broker or mailbox of a playback."""
    here.begin(*words, **SECRETS, VIGIE_PLAYBACK_PASSWORD=password)
    here.until(lambda: here.health().status == 200, "a hub that is ready")


def yaml_of(here: Room) -> dict[str, Any]:
    from ruamel.yaml import YAML

    return dict(YAML(typ="safe").load((here.folder.config / "sources.yaml").read_text()))


def live_through(here: Room, outside: Day, loop: asyncio.AbstractEventLoop, names: set[str]) -> dict[str, list[str]]:
    """The day itself; answers what the hub made of it."""

    def there(do: Callable[[], object]) -> None:
        async def done() -> None:
            do()

        asyncio.run_coroutine_threadsafe(done(), loop).result()

    def wait(what: Awaitable[Any]) -> None:
        asyncio.run_coroutine_threadsafe(what, loop).result(DEADLINE_S)  # type: ignore[arg-type]

    def heard(source: str, count: int) -> None:
        here.until(lambda: len(signals(here).get(source, [])) >= count, f"{count} signals of {source}")

    listening = names - {"drone"}
    here.until(lambda: listening <= well(here), "ears")
    if outside.broker is not None:
        for value in (1.0, 2.75):
            wait(publish(outside.broker, value))
        heard("pumps", 1)
    if outside.imap is not None:
        outside.imap.deliver(mail("Incendie rue Haute", "De la fumée."))
        heard("permanence", 1)
    if "press" not in names:
        return signals(here)
    wait(outside.mastodon.streamed())
    wait(outside.bluesky.streamed())
    wait(outside.pager.connected.wait())
    for source, count in {"press": 1, "warnings": 1, "agenda": 1, "works": 2, "zone": 1}.items():
        heard(source, count)
    here.publish(PRESS, feed("Premier", "Deuxième"), "application/rss+xml")
    here.publish(WARNINGS, b"<no xml", "application/xml")
    here.publish(AGENDA, calendar("city-1", "Marché annulé"), "text/calendar")
    here.publish(TUNNELS, page("Tout est ouvert", "Tunnel Belliard fermé"), "text/html; charset=utf-8")
    here.publish(LIST, works("Pont"), "application/json")
    heard("press", 2)
    heard("agenda", 2)
    heard("tunnels", 1)
    heard("works", 3)
    here.until(lambda: here.facts("dead-letter"), "a dead letter")
    here.publish(WARNINGS, cap_xml("W-2"))
    heard("warnings", 2)
    (outside.calendars / "zone.ics").write_bytes(calendar("zone-2", "Cortège"))
    heard("zone", 2)
    drop(outside.log, "1.csv", b"Nr;Titel\n1;Brand in Elsene\n")
    heard("log", 1)
    drop(outside.log, "1.csv", b"Nr;Titel\n2;Gaslek in Ukkel\n")
    heard("log", 2)
    assert here.alert("P-1", headline={"fr": "Fumée à Uccle"}).status == 202
    assert here.post(b"{not json", "P-2").status == 400
    assert here.post(json.dumps({"id": "x"}).encode(), "P-3", webhook_signature="v1,AAAA").status == 401
    for shown, status in ((MONITOR, 202), ("wrong", 401)):
        posted = here.request("POST", "/in/monitor", json.dumps(ALERTS).encode(), basic("am", shown))
        assert posted.status == status
    for code, status in ((FORM_CODE, 200), ("not this one at all", 403)):
        assert here.request("POST", "/in/drone?lang=nl", form(code), FORM_TYPE).status == status
    there(lambda: outside.mastodon.post("Fumée #brussel"))
    heard("toots", 1)
    there(lambda: outside.bluesky.post("Rook boven Elsene"))
    heard("skies", 1)
    there(lambda: outside.radio.receives(bytes.fromhex("820401016B6C61617220766F6F72")))
    heard("radio", 1)
    there(lambda: outside.pager.prints(b"POCSAG2400: Address: 1000000  Function: 3  Alpha:   GASLEK \xe9 rue haute\n"))
    heard("pages", 1)
    return signals(here)


def well(here: Room) -> set[str]:
    return {source["name"] for source in here.status()["sources"] if source["health"] == "ok"}


FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


def form(code: str) -> bytes:
    from urllib.parse import urlencode

    return urlencode({"id": "aaaabbbbcccc", "partner": "siamu", "code": code, "what": "Voir de haut"}).encode()


def basic(user: str, password: str) -> dict[str, str]:
    from base64 import b64encode

    shown = b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {shown}", "Content-Type": "application/json"}


async def publish(broker: mosquitto.Broker, value: float) -> None:
    async with broker.sensor() as sensor:
        await sensor.publish("pumps/foin/level", str(value).encode(), qos=1)


def signals(here: Room, status: Status | None = None) -> dict[str, list[str]]:
    """What was made of it, by source, in order, without what the hub's own clock says."""
    found: dict[str, list[str]] = {}
    with here.journal() as reading:
        from hub.journal.codec import decode

        facts = [decode(row.body) for row in reading.rows(type_="signal")]
        for fact in facts:
            assert isinstance(fact, r.Fact)
            (entry,) = reading.vault([fact.vault])
            assert entry is not None
            signal = msgspec.json.decode(entry.payload, type=Signal)
            assert status is None or signal.status is status
            found.setdefault(signal.source, []).append(plain(signal, fact.body))
    return found


def plain(signal: Signal, body: Any) -> str:
    said = {key: value for key, value in msgspec.to_builtins(signal).items() if key not in BY_THE_HUB}
    if signal.source in NAMED_BY_TIME:
        said.pop("identifier")
        for info in said.get("infos", ()):
            for key in ("onset", "effective", "expires", "description", "parameters"):
                info.pop(key, None)
    return json.dumps(said | {"baseline": body.baseline}, sort_keys=True, default=str, ensure_ascii=False)


def until_same(there: Room, said: dict[str, list[str]], replay: Replay) -> None:
    ends = time.monotonic() + DEADLINE_S
    while True:
        now = signals(there, Status.EXERCISE)
        if {s: sorted(x) for s, x in now.items()} == {s: sorted(x) for s, x in said.items()} and replay.over:
            return
        if time.monotonic() > ends:
            for source in said.keys() | now.keys():
                assert sorted(now.get(source, [])) == sorted(said.get(source, [])), (source, replay.left())
            assert replay.over, replay.left()
        import threading

        threading.Event().wait(0.1)


def no_secret_in(folder: Path, *secrets: str) -> None:
    text = b"".join(path.read_bytes() for path in folder.iterdir())
    for secret in (FORM_CODE, FORM_CODE.replace(" ", "+"), MONITOR, *secrets, "key=abc"):
        assert secret.encode() not in text
    assert b'"webhook-signature":' not in text
