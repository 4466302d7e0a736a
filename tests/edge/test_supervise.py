"""The auditor and a real child on a real journal: it hangs, dies, will not end; and who is told of it.

The child (tests/edge/fake_hub.py) asks the test over a loopback connection what to do, so nothing here waits for time
to pass: only for something to happen.
"""

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from email import message_from_bytes
from email.message import Message
from email.policy import default as mail_policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trio
from aiosmtpd.controller import Controller

from hub.auditor.process import writer

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_S = 40.0  # longer than anything here takes, on a busy machine too

QUICK: dict[str, Any] = {
    "every": 0.05,
    "listening": 0.1,
    "overdue": 0.5,
    "untaken": 0.5,
    "patience": 0.2,
    "ending": 0.3,
    "stopping": 20.0,
    "silent": 30.0,
}

DRIVER = """
import json, sys
from pathlib import Path
import msgspec
from hub.auditor.config import AuditorConfig
from hub.auditor.supervise import supervise
config, journal, port = sys.argv[1:]
hub = [sys.executable, "-m", "tests.edge.fake_hub", journal, port]
sys.exit(supervise(hub, msgspec.convert(json.loads(config), AuditorConfig), Path(journal)))
"""


class Received:
    """What came in, by request or mail; `until` waits for something among it."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []
        self._came = threading.Condition()

    def add(self, what: dict[str, Any]) -> None:
        with self._came:
            self.all.append(what)
            self._came.notify_all()

    def which(self, **wanted: Any) -> list[dict[str, Any]]:
        return [one for one in self.all if all(one.get(k) == v for k, v in wanted.items())]

    async def until(self, count: int = 1, **wanted: Any) -> dict[str, Any]:
        def wait() -> bool:
            with self._came:
                return self._came.wait_for(lambda: len(self.which(**wanted)) >= count, PATIENCE_S)

        if not await trio.to_thread.run_sync(wait):
            raise AssertionError(f"{wanted} did not come; what came: {self.all}")
        return self.which(**wanted)[count - 1]


@contextmanager
def web() -> Iterator[tuple[str, Received]]:
    """An HTTP server; each request is received as its JSON body with `path`, `method` and `authorization`."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            told = json.loads(body) if body else {}
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()
            authorization = self.headers.get("authorization")
            received.add({**told, "path": self.path, "method": self.command, "authorization": authorization})

        do_GET = do_POST = _take  # noqa: N815 - http.server's names

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class FakeHub:
    """One start of the hub, as the test sees it."""

    def __init__(self, stream: trio.SocketStream, pid: int) -> None:
        self.pid = pid
        self.stream = stream
        self.said: list[str] = []
        self._rest = b""

    async def line(self) -> str | None:
        """The next word the hub says; None once it is gone."""
        with trio.fail_after(PATIENCE_S):
            while b"\n" not in self._rest:
                try:
                    more = await self.stream.receive_some()
                except trio.BrokenResourceError:
                    more = b""
                if not more:
                    return None
                self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    async def says(self, word: str) -> None:
        assert await self.line() == word

    async def do(self, word: str) -> None:
        await self.stream.send_all(word.encode() + b"\n")

    async def gone(self) -> None:
        assert await self.line() is None


class Stage:
    """A journal's place, a door where hubs report, and auditors."""

    def __init__(self, folder: Path, listener: trio.SocketListener) -> None:
        self.journal = folder / "journal.db"
        self.file = folder / "auditor.txt"
        self.folder = folder
        self._listener = listener
        self.port = listener.socket.getsockname()[1]
        self.hubs: list[FakeHub] = []
        self.auditors: list[trio.Process] = []

    async def audit(self, **config: Any) -> trio.Process:
        """Starts an auditor."""
        words = json.dumps({**QUICK, **config})
        with (self.folder / f"stderr-{len(self.auditors)}").open("wb") as err:
            process = await trio.lowlevel.open_process(
                [sys.executable, "-c", DRIVER, words, str(self.journal), str(self.port)],
                cwd=ROOT,
                stderr=err,
                env={**os.environ, "PYTHONPATH": str(ROOT), "ROOM_TOKEN": "a-token-of-the-room"},
            )
        self.auditors.append(process)
        return process

    def stderr(self, nth: int = 0) -> str:
        return (self.folder / f"stderr-{nth}").read_text()

    async def hub(self, word: str) -> FakeHub:
        """The next hub that is started; it is told what to do."""
        with trio.fail_after(PATIENCE_S):
            stream = await self._listener.accept()
        hub = FakeHub(stream, 0)
        self.hubs.append(hub)
        hub.pid = int(await hub.line() or 0)
        await hub.do(word)
        return hub

    async def code(self, process: trio.Process) -> int:
        with trio.fail_after(PATIENCE_S):
            return await process.wait()

    async def close(self) -> None:
        for process in self.auditors:
            if process.returncode is None:
                process.kill()
                await process.wait()
        for hub in self.hubs:
            await hub.stream.aclose()  # a fake hub ends when the test lets go of it


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    made = Stage(folder, listener)
    try:
        yield made
    finally:
        with trio.CancelScope(shield=True):
            await made.close()
            await listener.aclose()


# --- starting and stopping -------------------------------------------------------------------------------------


@pytest.mark.trio
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_is_forwarded_and_the_hubs_exit_code_returned(tmp_path: Path, number: int) -> None:
    async with stage(tmp_path) as s:
        auditor = await s.audit()
        hub = await s.hub("live 7")
        await hub.says("up")
        auditor.send_signal(number)
        await hub.says(f"signal {int(number)}")
        await hub.gone()
        assert await s.code(auditor) == 7


@pytest.mark.trio
async def test_a_hub_that_does_not_end_when_told_is_killed(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        auditor = await s.audit(stopping=0.3)
        hub = await s.hub("stubborn")
        await hub.says("up")
        auditor.terminate()
        await hub.gone()
        assert await s.code(auditor) == 128 + signal.SIGKILL


@pytest.mark.trio
@pytest.mark.parametrize("word", ["exit 0", "exit 2", "half-up 2"])
async def test_a_hub_that_is_done_or_cannot_run_is_not_started_again(tmp_path: Path, word: str) -> None:
    async with stage(tmp_path) as s:
        auditor = await s.audit()
        await s.hub(word)
        assert await s.code(auditor) == int(word[-1])
        assert len(s.hubs) == 1


@pytest.mark.trio
async def test_a_second_auditor_and_a_second_hub_are_refused(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        first = await s.audit()
        hub = await s.hub("live 0")
        await hub.says("up")
        assert await s.code(await s.audit()) == 2
        assert f"another auditor watches this journal (process {first.pid})" in s.stderr(1)
        # A hub that no auditor left behind is somebody's who wants it that way.
        first.kill()
        await first.wait()
        s.journal.with_name("journal.db.auditor").unlink()
        assert await s.code(await s.audit()) == 2
        assert f"another hub writes to this journal (process {hub.pid})" in s.stderr(2)


# --- dying -----------------------------------------------------------------------------------------------------


@pytest.mark.trio
async def test_a_hub_that_dies_is_started_again_and_never_two_at_once(tmp_path: Path) -> None:
    with web() as (url, told):
        async with stage(tmp_path) as s:
            await s.audit(post={"url": url})
            for _ in range(2):
                hub = await s.hub("live 0")
                await hub.says("up")
                assert writer(s.journal) == hub.pid
                os.kill(hub.pid, signal.SIGKILL)
                await hub.gone()
            third = await s.hub("live 0")
            await third.says("up")
            died = await told.until(what="hub-died", kind="new")
            assert "killed by signal 9" in died["detail"]
            assert writer(s.journal) == third.pid


@pytest.mark.trio
async def test_a_hub_that_was_up_once_is_tried_again_whatever_its_exit_code(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        await s.audit()
        hub = await s.hub("live 0")
        await hub.says("up")
        os.kill(hub.pid, signal.SIGKILL)
        await s.hub("exit 2")
        await (await s.hub("live 0")).says("up")


@pytest.mark.trio
async def test_when_the_auditor_dies_the_hub_lives_and_the_next_auditor_takes_it_over(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        first = await s.audit()
        hub = await s.hub("live 0")
        await hub.says("up")
        first.kill()
        await hub.says("auditor gone")
        await hub.do("ping")
        await hub.says("pong")

        second = await s.audit(untaken=0.5, restart=False)
        await hub.do("fact")  # it is watched again
        await _line(s.file, "NEW EXERCISE fact-not-taken")
        assert len(s.hubs) == 1
        second.terminate()
        await hub.says(f"signal {int(signal.SIGTERM)}")
        await hub.gone()
        assert await s.code(second) == 0


@pytest.mark.trio
async def test_a_hub_that_was_taken_over_and_dies_is_started_again(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        first = await s.audit()
        hub = await s.hub("live 0")
        await hub.says("up")
        first.kill()
        await hub.says("auditor gone")
        second = await s.audit()
        lock = s.journal.with_name("journal.db.auditor")
        await _until(lambda: lock.read_text() == f"{second.pid} {hub.pid}\n")
        os.kill(hub.pid, signal.SIGKILL)
        await (await s.hub("live 0")).says("up")


# --- hanging ---------------------------------------------------------------------------------------------------


@pytest.mark.trio
async def test_facts_that_nobody_takes_are_told_by_every_channel_and_the_hub_is_set_going_again(tmp_path: Path) -> None:
    with web() as (url, told), mail_server() as (smtp, mails):
        async with stage(tmp_path) as s:
            await s.audit(
                post={"url": url + "/pager"},
                api=url,
                api_token="ROOM_TOKEN",
                mail={
                    "host": "127.0.0.1",
                    "port": smtp,
                    "security": "none",
                    "sender": "auditor@hub.example",
                    "to": ["on-call@centre.example", "room@centre.example"],
                },
            )
            hub = await s.hub("stubborn")
            await hub.says("up")
            await hub.do("fact")
            posted = await told.until(what="fact-not-taken", kind="new", path="/pager")
            assert "no decision since" in posted["detail"]
            room = await told.until(what="fact-not-taken", path="/api/auditor")
            assert room["authorization"] == "Bearer a-token-of-the-room"
            mail = await mails.until(subject="[EXERCISE] [Vigie] ALARM: fact-not-taken")
            assert mail["to"] == ["on-call@centre.example", "room@centre.example"]
            for words in ("n'est pas traitée", "niet verwerkt", "nicht verarbeitet", "not being processed"):
                assert words in mail["text"]
            assert "OEFENING" in mail["text"], "a playback says so"
            await _line(s.file, "NEW EXERCISE fact-not-taken")
            await hub.gone()  # it does not heed SIGTERM: it was killed

            again = await s.hub("live 0")
            await again.says("up")
            await told.until(what="hub-restarted", kind="new", path="/pager")
            assert "VIGIE'S AUDITOR" in s.stderr()
            assert "information received is not being processed" in s.stderr()
            await again.do("untaken")
            await again.says("untaken 0")


@pytest.mark.trio
async def test_a_deadline_that_does_not_fire_is_told_and_the_hub_is_set_going_again(tmp_path: Path) -> None:
    with web() as (url, told):
        async with stage(tmp_path) as s:
            await s.audit(post={"url": url})
            hub = await s.hub("live 0")
            await hub.says("up")
            await hub.do("deadline")
            overdue = await told.until(what="deadline-overdue", kind="new")
            assert "answer A" in overdue["detail"]
            await hub.says(f"signal {int(signal.SIGTERM)}")
            await hub.gone()
            await (await s.hub("live 0")).says("up")


@pytest.mark.trio
async def test_a_hub_whose_loop_is_blocked_gives_no_pulse(tmp_path: Path) -> None:
    with web() as (url, told):
        async with stage(tmp_path) as s:
            await s.audit(post={"url": url}, silent=3.0)
            hub = await s.hub("live 0")
            await hub.says("up")
            await hub.do("block")
            await told.until(what="hub-silent", kind="new")
            await hub.gone()
            await (await s.hub("live 0")).says("up")


@pytest.mark.trio
async def test_a_hub_that_does_not_come_up(tmp_path: Path) -> None:
    with web() as (url, told):
        async with stage(tmp_path) as s:
            await s.audit(post={"url": url}, starting=0.5)
            hub = await s.hub("dawdle")
            await told.until(what="hub-not-up", kind="new")
            await hub.gone()
            await s.hub("live 0")


@pytest.mark.trio
async def test_the_heartbeat_goes_on_only_while_all_is_well(tmp_path: Path) -> None:
    with web() as (url, told):
        async with stage(tmp_path) as s:
            heartbeat = {"url": url + "/alive", "every": 0.05}
            await s.audit(post={"url": url}, heartbeat=heartbeat, again=0.4, restart=False)
            hub = await s.hub("live 0")
            await hub.says("up")
            await told.until(3, path="/alive", method="GET")
            await hub.do("fact")
            await told.until(what="fact-not-taken", kind="new")
            beats = len(told.which(path="/alive"))
            await told.until(2, what="fact-not-taken", kind="again")
            assert len(told.which(path="/alive")) <= beats + 1, "one may have been under way"
            await hub.do("take")
            await told.until(what="fact-not-taken", kind="over")
            await told.until(beats + 3, path="/alive")


# --- telling ---------------------------------------------------------------------------------------------------


@contextmanager
def mail_server() -> Iterator[tuple[int, Received]]:
    received = Received()

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
            message: Message = message_from_bytes(envelope.content, policy=mail_policy)
            text = message.get_content()  # type: ignore[attr-defined]
            received.add({"subject": message["subject"], "to": envelope.rcpt_tos, "text": text})
            return "250 OK"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(Handler(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port, received
    finally:
        controller.stop()


async def _line(file: Path, words: str) -> None:
    """Waits for a line with these words in the auditor's file."""
    await _until(lambda: file.exists() and words in file.read_text())


async def _until(met: Callable[[], bool]) -> None:
    with trio.fail_after(PATIENCE_S):
        while not met():  # noqa: ASYNC110 - a file tells nobody that it has grown
            await trio.sleep(0.02)
