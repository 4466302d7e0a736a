"""Radio pages from a real decoder that hears a real transmission, and from files, pipes and lines as they are written.

A page is held for a moment, for more readings of it; the next one ends that (`NEXT`).
"""

import asyncio
import os
import random
import select
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.pocsag.config import PocsagConfig
from connectors.pocsag.source import PocsagSource
from hub.connector import Source
from tests.contracts.intake import environment
from tests.edge.hours import Hours, WatchedIntake
from tests.edge.pocsag_air import alpha, codeword, numeric, page, sound
from tests.edge.polling import outside, run

DECODER = shutil.which("multimon-ng")
NOT_FOUND = "multimon-ng not found"
DECODE = "multimon-ng -q -p -t raw -a POCSAG512 -a POCSAG1200 -a POCSAG2400"
RICS = {"1000000": {"name": "Garde", "language": "fr"}, "240017/0": {"name": "Rappel", "kind": "numeric"}}
NEXT = "POCSAG1200: Address:       5  Function: 0 \n"
LINE = "POCSAG1200: Address: 1000000  Function: 3  Alpha:   {}<EOT>\n"


def config(**more: Any) -> PocsagConfig:
    made: PocsagConfig = msgspec.convert({"rics": RICS} | more, PocsagConfig)
    return made


def source(hours: Hours, **more: Any) -> PocsagSource:
    return PocsagSource(config(**more), environment("pagers"), sleep=hours, chance=random.Random(7))


def said(intake: WatchedIntake) -> list[str]:
    return [item.signal.infos[0].headline for item in intake.signals]


@asynccontextmanager
async def running(made: PocsagSource, intake: WatchedIntake) -> AsyncIterator[None]:
    task = asyncio.ensure_future(made.run(intake))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def told(intake: WatchedIntake, count: int) -> None:
    await intake.until(lambda: len(intake.signals) >= count, timeout_s=20)
    assert len(intake.signals) == count


def heard(folder: Path, air: bytes, count: int, options: str = "", **more: Any) -> WatchedIntake:
    """What comes of a sound that a real decoder hears, in real time: so many signals."""
    if DECODER is None:
        pytest.skip(NOT_FOUND)
    (folder / "air.raw").write_bytes(air)
    # It does not end behind the last page: nothing is told only because it did.
    command = ["sh", "-c", f"{DECODE} {options} - < {folder / 'air.raw'}; exec sleep 1000"]
    intake = WatchedIntake()

    async def story() -> None:
        made = PocsagSource(config(command=command, settle_s=0.1, **more), environment("pagers"))
        async with running(made, intake):
            await told(intake, count)

    run(story)
    assert intake.healths == []
    return intake


@pytest.mark.parametrize("baud", [512, 1200, 2400])
def test_a_page_goes_from_the_air_to_a_signal(tmp_path: Path, baud: int) -> None:
    air = sound(
        baud,
        page(1000000, 3, alpha("Incendie rue du Test 12\x04")),
        page(240017, 0, numeric("0475 12-34")),
        page(8, 1, alpha("somebody else\x04")),
        page(1000000, 1),
    )
    intake = heard(tmp_path, air, 3)
    assert said(intake) == ["Garde: Incendie rue du Test 12", "Rappel: 0475 12-34", "Garde: appel sans texte"]
    assert intake.bad == []


def test_of_several_readings_by_the_decoder_the_right_one_is_told(tmp_path: Path) -> None:
    air = sound(1200, page(1000000, 3, alpha("Odeur de gaz au 3\x04")), page(240017, 1, numeric("112 0475 99")))
    intake = heard(tmp_path, air, 2, "-f auto", rics=RICS | {"240017": {"name": "Rappel"}})
    assert said(intake) == ["Garde: Odeur de gaz au 3", "Rappel: 112 0475 99"]
    assert all(len(item.original.splitlines()) > 1 for item in intake.signals)


def test_a_page_that_is_broken_on_the_air_is_kept_and_its_copy_betters_it(tmp_path: Path) -> None:
    whole = page(1000000, 3, alpha("Incendie rue du Test 12\x04"))
    broken = list(whole)
    broken[broken.index(codeword(1000000 >> 3 << 2 | 3)) + 3] ^= 0x15555 << 4  # more than its check bits can mend
    last = page(240017, 0, numeric("1"))
    intake = heard(tmp_path, sound(1200, broken, whole, whole, last), 3)
    assert said(intake) == ["Garde: Incen", "Garde: Incendie rue du Test 12", "Rappel: 1"]
    assert [item.signal.msg_type.value for item in intake.signals] == ["Alert", "Update", "Alert"]
    (rest,) = intake.bad
    assert "has lost its address" in rest.reason


def test_a_program_that_ends_is_started_again_and_what_it_started_ends_with_it(tmp_path: Path) -> None:
    count, alive = tmp_path / "count", tmp_path / "alive"
    os.mkfifo(alive)
    living = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)  # ends when the last process that holds it has
    script = f"""exec 9> {alive}; echo x >> {count}; runs=$(wc -l < {count})
printf "{LINE.format("run $runs").strip()}\\n{NEXT}"
[ $runs -lt 3 ] && {{ echo no receiver >&2; exit 7; }}
sleep 1000 | sleep 1000
"""

    async def story() -> None:
        hours = Hours(sleepers=2)  # the one that looks, and the one that will try again
        intake = hours.intake()
        made = source(hours, command=["sh", "-c", script])
        assert isinstance(made, Source)
        async with running(made, intake):
            await told(intake, 1)
            await hours.pass_by(1.2)
            await told(intake, 2)
            hours.sleepers = 1
            await hours.asleep(2)
            await hours.pass_by(2.3)
            await told(intake, 3)
            assert intake.healths == [("failing", "sh ended with status 7: no receiver")] * 2
            await hours.pass_by(5)
            assert intake.healths[-1] == ("ok", "")
        assert said(intake) == ["Garde: run 1", "Garde: run 2", "Garde: run 3"]

    run(story)
    assert select.select([living], [], [], 20)[0]
    assert os.read(living, 1) == b""
    os.close(living)


def test_a_program_that_is_not_there_is_named() -> None:
    async def story() -> None:
        hours = Hours()
        intake = hours.intake()
        async with running(source(hours, command=["/nowhere/multimon-ng"]), intake):
            reason = await intake.becomes("failing")
        assert reason == "/nowhere/multimon-ng cannot be started: No such file or directory"

    run(story)


def test_a_file_is_read_on_where_it_was_durable_and_after_it_was_replaced(tmp_path: Path) -> None:
    log = tmp_path / "pages.log"
    log.write_text(LINE.format("before anyone listened"))

    def write(text: str) -> None:
        with log.open("a") as file:
            file.write(LINE.format(text))

    async def story() -> None:
        hours = Hours(sleepers=2)  # the one that looks at pages, and the one that looks at the file
        intake = hours.intake()
        async with running(source(hours, file=str(log)), intake):
            await hours.asleep()
            write("one")
            await hours.pass_by(3)
            assert said(intake) == ["Garde: one"]
        write("two")  # while nobody listens
        again = hours.intake(intake.kept)
        async with running(source(hours, file=str(log)), again):
            await hours.pass_by(3)
            log.rename(tmp_path / "pages.log.1")
            write("three")
            await hours.pass_by(4)
            log.write_text("")  # cut, as logrotate's copytruncate does
            await hours.pass_by(3)
            write("four")
            await hours.pass_by(3)
        assert said(again) == ["Garde: two", "Garde: three", "Garde: four"]

    run(story)


def test_a_page_that_was_held_when_the_hub_fell_is_read_again(tmp_path: Path) -> None:
    log = tmp_path / "pages.log"
    log.write_text("")

    async def story() -> None:
        hours = Hours(sleepers=2)
        intake = hours.intake()
        async with running(source(hours, file=str(log), settle_s=60), intake):
            await hours.asleep()
            log.write_text(LINE.format("one") + LINE.format("two"))
            await hours.pass_by(2)
            assert said(intake) == ["Garde: one"], "the second is held"
        again = hours.intake(intake.kept)
        async with running(source(hours, file=str(log)), again):
            await hours.pass_by(3)
        assert said(again) == ["Garde: two"]

    run(story)


def test_a_named_pipe_survives_those_who_write_to_it(tmp_path: Path) -> None:
    fifo = tmp_path / "pager.fifo"
    os.mkfifo(fifo)

    async def story() -> None:
        hours = Hours()
        intake = hours.intake()
        async with running(source(hours, file=str(fifo), silent_after_s=60), intake):
            await hours.pass_by(6)
            assert intake.healths[-1] == ("ok", "")
            for nth, text in enumerate(("one", "two"), 1):
                await asyncio.to_thread(fifo.write_text, LINE.format(text) + NEXT)
                await told(intake, nth)
            await hours.pass_by(60)
            assert intake.healths[-1] == ("silent", "no page for 60 s")

    run(story)


def test_a_line_by_tcp_is_had_again_when_it_is_closed() -> None:
    async def story() -> None:
        hours = Hours()
        intake, refused = hours.intake(), hours.intake()
        calls = 0

        async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal calls
            calls += 1
            writer.write(LINE.format(f"call {calls}").encode())
            writer.close()
            await writer.wait_closed()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with running(source(hours, host="127.0.0.1", port=port), intake):
                await told(intake, 1)
                assert await intake.becomes("failing") == f"127.0.0.1:{port} has closed the line"
                await hours.asleep(2)
                await hours.pass_by(2)
                await told(intake, 2)
        assert said(intake) == ["Garde: call 1", "Garde: call 2"]
        async with running(PocsagSource(config(host="127.0.0.1", port=9), outside(), sleep=hours), refused):
            assert "is the internal address 127.0.0.1" in await refused.becomes("failing")

    run(story)
