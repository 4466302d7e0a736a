"""The demo as a newcomer runs it: a process without a terminal, its phones answered through the simulator's page."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from ruamel.yaml import YAML

from tools.demo.folder import DemoError, Folder, Secrets, number_of, phones_of
from tools.demo.process import HubProcess
from tools.demo.texts import TEXTS
from tools.playback import Playback, load_day

ROOT = Path(__file__).resolve().parents[2]
DAY = ROOT / "samples" / "day"
WITHIN_S = 90.0


class Run:
    """A demo under way. `until` reads on until a line holds all the words."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def until(self, *words: str) -> str:
        assert self.process.stdout is not None
        while line := (await self.process.stdout.readline()).decode():
            self.lines.append(line.rstrip("\n"))
            if all(word in line for word in words):
                return line.rstrip("\n")
        raise AssertionError(f"the demo ended without saying {words}:\n" + "\n".join(self.lines))

    async def ends(self, number: int = signal.SIGINT) -> str:
        """Tells it to stop; everything it said."""
        self.process.send_signal(number)
        assert self.process.stdout is not None
        rest = (await self.process.stdout.read()).decode()
        self.lines += rest.splitlines()
        assert await self.process.wait() == 0, "\n".join(self.lines)
        return "\n".join(self.lines)


@asynccontextmanager
async def demo(work: Path, *options: str) -> AsyncIterator[Run]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tools.demo", "--work", str(work), "--port", "0", *options),
        cwd=ROOT,
        env=os.environ
        | {"TERM": "dumb", "LANG": "en_GB.UTF-8", "LC_ALL": "", "PYTHONWARNINGS": "error::ResourceWarning"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            yield Run(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert not list(processes_of(work)), "a process was left behind"


def processes_of(work: Path) -> Iterator[str]:
    """The command lines of processes that still name the working folder (Linux)."""
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if str(work) in line and "pytest" not in line:
            yield line


async def phone_events(session: aiohttp.ClientSession, url: str) -> AsyncIterator[dict[str, Any]]:
    """Each phone as it changes, from the page's own events."""
    async with session.get(f"{url}events", timeout=aiohttp.ClientTimeout(total=None)) as events:
        name = b""
        async for line in events.content:
            if line.startswith(b"event: "):
                name = line[7:].strip()
            elif line.startswith(b"data: ") and name in (b"phone", b"state"):
                data = json.loads(line[6:])
                for phone in data if isinstance(data, list) else [data]:
                    yield phone


def test_a_phone_gets_an_sms_then_a_call_and_answering_it_stops_the_chain(tmp_path: Path) -> None:
    async def story() -> None:
        async with demo(tmp_path, "--start-at", "21:00:14") as run, aiohttp.ClientSession() as session:
            url = (re.search(r"http://\S+/", await run.until("Phones:")) or pytest.fail("no address"))[0]
            assert "EXERCISE" in await run.until("hub time")
            await run.until("incident extreme-weather", "opened Exercise")
            await run.until("sms to officer-a", "sent")
            reading = asyncio.create_task(run.until("voice to officer-a sent"))

            pressed = False
            async for phone in phone_events(session, url):
                call = phone["call"]
                if phone["number"] != "+32450000001" or call is None:
                    continue
                if call["ringing"]:
                    assert any("EXERCI" in bubble["text"] for bubble in phone["thread"])  # the SMS came first
                    await post(session, f"{url}phones/+32450000001/answer", {})
                elif call["gathering"] and not pressed:
                    pressed = True
                    await post(session, f"{url}phones/+32450000001/press", {"digits": "1"})
                    break
            await reading
            await run.until("chain duty-officers: over")
            told = await run.ends()
            assert re.search(r"incident extreme-weather .*: wake accepted", told)
            assert "officer-b" not in told, "the chain went on after it was accepted"
            assert "Traceback" not in told
            assert re.search(r"1 calls \(1 answered\)", told)
            assert "answers understood: 1" in told
            assert int((re.search(r"(\d+) mails", told) or pytest.fail("no mails"))[1]) == len(
                list((tmp_path / "mail").iterdir())
            )
        log = (tmp_path / "hub.log").read_text()
        assert "Traceback" not in log
        assert '"level": "error"' not in log

    asyncio.run(story())


async def post(session: aiohttp.ClientSession, url: str, body: dict[str, str]) -> None:
    async with session.post(url, json=body) as answer:
        assert answer.status in (200, 409), await answer.text()  # 409: two events told of one ringing


def test_nobody_answers_and_the_next_officer_is_called_who_answers_by_script(tmp_path: Path) -> None:
    async def story() -> None:
        async with demo(tmp_path, "--start-at", "21:00:19", "--answer", "--patience", "12", "--lang", "nl") as run:
            await run.until("officier antwoordt volgens script")
            await run.until("keten duty-officers: trap 2 van 2")
            await run.until("extreme-weather", "wake aanvaard")
            told = await run.ends(signal.SIGTERM)
            assert "OEFENING" in told
            assert "Overzicht" in told

    asyncio.run(story())


def test_told_to_stop_while_it_starts_it_stops_in_order(tmp_path: Path) -> None:
    async def story() -> None:
        async with demo(tmp_path) as run:
            await run.until("Playing:")
            told = await run.ends(signal.SIGTERM)
            assert "Traceback" not in told

    asyncio.run(story())


CAP = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">{identifier}<sender>met.example</sender>
<sent>{sent}</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
<info><language>en</language><category>Met</category><event>Fog</event><urgency>Expected</urgency>
<severity>Minor</severity><certainty>Likely</certainty><area><areaDesc>Nowhere</areaDesc></area></info></alert>"""


def test_recorded_files_play_as_sets_and_the_journal_is_summed_up(tmp_path: Path) -> None:
    recorded = tmp_path / "recorded"
    for name, sent, identifier in (
        ("cap/fog_2019.xml", "2019-02-03T08:00:00+00:00", "<identifier>fog-2019</identifier>"),
        ("cap/fog_2021.xml", "2021-02-03T08:00:00+00:00", "<identifier>fog-2021</identifier>"),
        ("cap/nameless_2021.xml", "2021-02-03T08:01:00+00:00", ""),
        ("misc/report.eml", "", ""),
    ):
        (recorded / name).parent.mkdir(parents=True, exist_ok=True)
        (recorded / name).write_text(CAP.format(sent=sent, identifier=identifier))

    async def story() -> None:
        async with demo(tmp_path / "work", "--samples", str(recorded), "--set-seconds", "0", "--seconds", "1") as run:
            assert "2019" in await run.until("Set 1 of 3:")
            await run.until("source cap-fog-2019: 1 signal")
            assert "2021" in await run.until("Set 2 of 3:")
            await run.until("Playing:")
            assert run.process.stdout is not None
            told = (await run.process.stdout.read()).decode()  # it ends by itself
            assert await run.process.wait() == 0, told
            assert "files played: 3 of 3" in told
            assert "no source reads yet: 1" in told
            assert re.search(r"dead letters: 1\n    cap-nameless-2021: .*identifier", told)
            taken = int((re.search(r"signals taken: (\d+)", told) or pytest.fail(told))[1])
            assert taken >= 2, "the two fogs, and what the written evening had published already"

    asyncio.run(story())


def test_samples_that_are_not_there_are_refused(tmp_path: Path) -> None:
    async def story() -> None:
        async with demo(tmp_path, "--samples", str(tmp_path / "none")) as run:
            await run.until("there is no such folder")
            assert await run.process.wait() == 2

    asyncio.run(story())


def test_two_demos_in_one_folder_are_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path, Secrets.new())
    with pytest.raises(DemoError, match="another demo runs here"):
        Folder(tmp_path, Secrets.new())
    folder.release()
    Folder(tmp_path, Secrets.new()).release()


def test_the_port_of_a_hub_that_is_down_is_given_to_nobody_else_and_the_hub_may_listen_there(tmp_path: Path) -> None:
    folder = Folder(tmp_path, Secrets.new())
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", folder.port))
    with socket.socket() as nobody, pytest.raises(ConnectionRefusedError):
        nobody.connect(("127.0.0.1", folder.port))

    async def listens() -> None:
        for _ in range(2):  # it goes down, and comes back
            server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", folder.port)
            reader, writer = await asyncio.open_connection("127.0.0.1", folder.port)
            assert await reader.read() == b""
            writer.close()
            server.close()
            await server.wait_closed()

    asyncio.run(listens())
    folder.release()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # whoever was connected a moment ago lingers there
        other.bind(("127.0.0.1", folder.port))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    made = Folder(tmp_path, Secrets.new())
    made.override(twilio_url="http://127.0.0.1:1", smtp_port=2)
    day, playback = load_day(DAY), Playback()
    playback.load(day)
    made.listen_to(day, playback.sources())
    yield made
    made.release()


def test_the_configuration_leads_to_this_machine_only(folder: Folder) -> None:
    config = folder.checked()
    for name in ("sources.yaml", "channels.yaml", "hub.yaml"):
        text = (folder.config / name).read_text()
        for address in re.findall(
            r"https?://([^\s:/]+)", "\n".join(re.sub(r"(^|\s)#.*", "", t) for t in text.splitlines())
        ):
            assert address == "127.0.0.1", name
    assert config.sources["kmi-irm"].trusted.reliability == "A", "the example's source keeps its name and trust"
    assert {"kmi-irm", "press-fr", "sncb", "partners"} <= config.sources.keys()
    assert "press-bruzz" not in config.sources, "what the playback does not serve is not listened to"
    tiers = [tier for chain in config.chains.values() for tier in chain.tiers]
    assert tiers
    assert all(tier.answer_s <= 60 and tier.between_s <= 20 for tier in tiers)


def test_everything_else_is_as_in_the_example(folder: Folder) -> None:
    for name in ("people.yaml", "rosters.yaml", "messages.yaml", "areas.yaml"):
        assert (folder.config / name).read_bytes() == (ROOT / "config" / name).read_bytes()
    read = YAML(typ="base", pure=True)
    ours, example = (read.load((place / "channels.yaml").read_text()) for place in (folder.config, ROOT / "config"))
    for name, channel in example.items():
        kept = channel.keys() - {"account", "host", "user", "password"}
        assert {key: ours[name][key] for key in kept} == {key: channel[key] for key in kept}


def test_secrets_stay_in_the_environment(folder: Folder) -> None:
    secrets, environment = folder.secrets, folder.environment()
    assert {"VIGIE_API_TOKEN", "VIGIE_TWILIO_TOKEN", "VIGIE_PARTNER_SECRET"} <= environment.keys()
    for secret in (secrets.api, secrets.twilio, secrets.partner):
        assert secret in environment.values()
        assert secret not in repr(secrets)
        for path in folder.path.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_the_officers_phones_come_first(folder: Folder) -> None:
    config = folder.checked()
    phones = phones_of(config)
    assert [phone.number for phone in phones[:2]] == [number_of(config, "officer-a"), number_of(config, "officer-b")]
    assert len({phone.number for phone in phones}) == len(phones)
    assert number_of(config, "nobody") == ""


def test_a_fault_in_the_configuration_is_told_with_its_place(folder: Folder) -> None:
    (folder.config / "chains.yaml").write_text("duty-officers:\n  tiers: none\n")
    with pytest.raises(DemoError, match=r"chains\.yaml:2:"):
        folder.checked()


def test_a_hub_that_cannot_start_is_told_with_its_last_words(folder: Folder) -> None:
    (folder.config / "chains.yaml").write_text("duty-officers:\n  tiers: none\n")

    async def story() -> None:
        async with aiohttp.ClientSession() as session:
            hub = HubProcess(folder, session)
            with pytest.raises(DemoError, match=r"(?s)ended with code 2.*mend them first"):
                await hub.start(load_day(DAY).start)
            await hub.stop()

    asyncio.run(story())


def test_every_language_says_the_same() -> None:
    for texts in TEXTS.values():
        assert texts.keys() == TEXTS["en"].keys()
        for key, text in texts.items():
            assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", TEXTS["en"][key])), key
