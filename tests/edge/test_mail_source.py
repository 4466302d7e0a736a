"""The permanence's mailbox against a real IMAP server (dovecot): nothing lost, nothing twice, nothing marked early."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.mail.inbox_config import InboxConfig
from connectors.mail.source import MailSource
from hub.connector import Item, Source, Taken
from tests.contracts.intake import MemoryIntake, environment
from tests.edge.imap_servers import PASSWORD, USER, ImapServer, imap_server
from tests.edge.test_mail import made_certificate


class Intake(MemoryIntake):
    """Keeps the cursor as the journal does. `die_after`: how many offers are made durable before the source is ended,
    in the moment when they are, so that it never hears of it."""

    def __init__(self, now: datetime | None = None) -> None:
        super().__init__(now)
        self.kept: str | None = None
        self.die_after: int | None = None

    async def offer(self, items: Sequence[Item], *, cursor: str | None = None) -> Sequence[Taken]:
        taken = await super().offer(items, cursor=cursor)
        self.kept = cursor or self.kept
        if self.die_after is not None:
            self.die_after -= bool(items)
            if self.die_after < 0:
                await asyncio.Event().wait()
        await self._told()
        return taken

    async def cursor(self) -> str | None:
        return self.kept

    async def health(self, health: str, reason: str = "") -> None:
        await super().health(health, reason)
        await self._told()

    async def until(self, met: Callable[[], bool], timeout_s: float = 40.0) -> None:
        await super().until(met, timeout_s)

    async def _told(self) -> None:
        async with self.arrived:
            self.arrived.notify_all()


class Room:
    """A server, and a source that watches a mailbox on it."""

    def __init__(self, server: ImapServer, **settings: Any) -> None:
        self.server, self.intake, self.settings = server, Intake(), settings
        self._running: asyncio.Task[None] | None = None

    def start(self, secret: str = PASSWORD, **changes: Any) -> None:
        base = {
            "host": "127.0.0.1",
            "port": self.server.port,
            "security": "none",
            "user": USER,
            "password": "imap",
            "every_s": 1500,  # only IDLE brings news in time
            "believe_all": True,
        }
        config = msgspec.convert(base | self.settings | changes, InboxConfig)
        source = MailSource(config, environment("permanence", imap=secret), sleep=shortly)
        assert isinstance(source, Source)
        self._running = asyncio.ensure_future(source.run(self.intake))

    async def watching(self, **changes: Any) -> None:
        """Starts, and returns once it knows where it begins."""
        self.start(**changes)
        told = len(self.intake.healths)
        await self.intake.until(lambda: len(self.intake.healths) > told)

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})
            self._running = None

    async def deliver(self, *mails: bytes, folder: str = "INBOX") -> None:
        for one in mails:
            await asyncio.to_thread(self.server.deliver, one, folder)

    async def headlines(self, *wanted: str) -> None:
        """Returns once exactly these signals are there, in this order."""
        await self.intake.until(lambda: len(self.intake.signals) >= len(wanted))
        assert [item.signal.infos[0].headline for item in self.intake.signals] == list(wanted)

    async def flagged(self, flags: list[str], folder: str = "INBOX") -> None:
        """Returns once the folder's mails have these flags: S(een), D(eleted), or a keyword."""
        async with asyncio.timeout(40):
            while (found := await asyncio.to_thread(self._flags, folder)) != flags:
                assert len(found) <= max(len(flags), 3)

    def _flags(self, folder: str) -> list[str]:
        with self.server.client(folder) as client:
            _, lines = client.fetch("1:*", "(FLAGS)") if client.untagged_responses.get("EXISTS") != [b"0"] else ("", [])
            found = [re.search(rb"FLAGS \(([^)]*)\)", line) for line in lines if isinstance(line, bytes)]
            return [one[1].decode().replace("\\Recent", "").strip() for one in found if one]


async def shortly(seconds: float) -> None:
    """The source's own pauses, made short."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.02):
            await asyncio.Event().wait()


def mail(subject: str, text: str = "rue Haute", **headers: str) -> bytes:
    lines = [f"From: dispatch@siamu.example\r\nMessage-ID: <{subject}@siamu.example>\r\nSubject: {subject}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", text, ""]).encode()


def play(story: Callable[[Room], Awaitable[None]], *, idles: bool = True, **settings: Any) -> None:
    async def run() -> None:
        with imap_server(idles=idles) as server:
            room = Room(server, **settings)
            try:
                await story(room)
            finally:
                await room.stop()

    asyncio.run(run())


def test_a_mail_is_a_signal_at_once_and_its_bytes_are_kept() -> None:
    async def story(room: Room) -> None:
        await room.watching()
        raw = mail("gaz")
        await room.deliver(raw)
        await room.headlines("gaz")
        assert room.intake.signals[0].original == raw
        assert room.intake.in_workers == ["mail"]
        await room.flagged([r"\Seen"])
        assert room.intake.healths == [("ok", "")]

    play(story)


def test_nothing_is_marked_before_it_is_durable() -> None:
    async def story(room: Room) -> None:
        await room.watching()
        room.intake.down = "disk full"
        before = room.intake.offers
        await room.deliver(mail("gaz"))
        await room.intake.until(lambda: room.intake.offers > before + 2)
        await room.flagged([""])
        room.intake.down = ""
        await room.flagged([r"\Seen"])
        await room.headlines("gaz")

    play(story)


@pytest.mark.parametrize("done", ["seen", "keyword Vigie", "move Archive/Vigie"])
def test_killed_between_offer_and_mark_nothing_is_lost_and_nothing_twice(done: str) -> None:
    async def story(room: Room) -> None:
        await room.watching()
        room.intake.die_after = 0
        await room.deliver(mail("one"), mail("two"))
        await room.intake.until(lambda: len(room.intake.signals) == 1)
        await room.stop()  # it never heard that its offer was durable
        await room.flagged(["", ""])
        room.intake.die_after = None
        await room.watching()
        await room.headlines("one", "two")
        marks = {"seen": r"\Seen", "keyword Vigie": "Vigie"}
        if done in marks:
            await room.flagged([marks[done]] * 2)
        else:
            await room.flagged([])
            await room.flagged(["", ""], "Archive.Vigie")
        assert len(room.intake.items) == 2

    play(story, done=done)


def test_a_server_without_idle_or_move_is_polled_and_moves_all_the_same() -> None:
    async def story(room: Room) -> None:
        with room.server.client() as somebody:  # a mail of theirs that is deleted, but not expunged, stays
            somebody.append("INBOX", r"(\Deleted)", "", mail("theirs"))
        await room.watching(backlog_s=0)
        await room.deliver(mail("gaz"))
        await room.headlines("gaz")
        await room.flagged([r"\Deleted"])
        await room.flagged([""], "Done")

    play(story, idles=False, every_s=1, done="move Done")


def test_a_connection_that_drops_in_idle_is_made_again() -> None:
    async def story(room: Room) -> None:
        relay = await Relay.to(room.server.port)
        await room.watching(port=relay.port)
        await room.deliver(mail("one"))
        await room.headlines("one")
        await relay.cut()
        await room.deliver(mail("two"))
        await room.headlines("one", "two")
        assert dict(room.intake.healths) == {"ok": ""}, "one that broke once is no news"
        await relay.close()

    play(story)


def test_a_connection_that_falls_silent_is_noticed() -> None:
    """As when a firewall forgets it: nothing arrives any more, and nobody says so."""

    async def story(room: Room) -> None:
        relay = await Relay.to(room.server.port)
        await room.watching(port=relay.port)
        relay.fall_silent()
        await room.deliver(mail("gaz"))
        await room.headlines("gaz")
        await relay.close()

    play(story, every_s=1, timeout_s=1)


def test_a_server_that_goes_away_is_told_and_found_again() -> None:
    async def story(room: Room) -> None:
        await room.watching()
        await asyncio.to_thread(room.server.stop)
        await room.intake.until(lambda: room.intake.healths[-1][0] == "failing")
        assert "what comes by mail waits there" in room.intake.healths[-1][1]
        await asyncio.to_thread(room.server.start)
        await room.intake.until(lambda: room.intake.healths[-1][0] == "ok")
        await room.deliver(mail("gaz"))
        await room.headlines("gaz")

    play(story)


def test_a_mailbox_that_was_made_anew_is_looked_at_again_and_what_is_known_counts_once() -> None:
    async def story(room: Room) -> None:
        def anew() -> None:
            with room.server.client() as client:
                client.delete("Alerts")
                client.create("Alerts")

        await asyncio.to_thread(anew)
        await room.watching()
        await room.deliver(mail("one"), folder="Alerts")
        await room.headlines("one")
        await room.stop()
        await asyncio.to_thread(anew)
        with room.server.client() as somebody:  # also what somebody has read meanwhile
            somebody.append("Alerts", r"(\Seen)", "", mail("one"))
            somebody.append("Alerts", r"(\Seen)", "", mail("two"))
        await room.watching()
        await room.headlines("one", "two")
        assert [item.baseline for item in room.intake.signals] == [False, False]

    play(story, folder="Alerts")


def test_the_first_time_only_what_is_unread_is_taken_as_of_before() -> None:
    async def story(room: Room) -> None:
        with room.server.client() as somebody:
            somebody.append("INBOX", r"(\Seen)", "", mail("read"))
            somebody.append("INBOX", "", '"01-Jan-2026 00:00:00 +0000"', mail("old"))
        await room.deliver(mail("new"))
        await room.watching()
        await room.headlines("new")
        await room.deliver(mail("newer"))
        await room.headlines("new", "newer")
        assert [item.baseline for item in room.intake.signals] == [True, False]

    play(story)


def test_a_restart_amid_the_backlog_goes_on_with_it() -> None:
    async def story(room: Room) -> None:
        await room.deliver(mail("one"), mail("two"))
        room.intake.die_after = 0
        room.start()
        await room.intake.until(lambda: len(room.intake.signals) == 1)
        await room.stop()
        room.intake.die_after = None
        await room.deliver(mail("three"))
        await room.watching()
        await room.headlines("one", "two", "three")
        assert [item.baseline for item in room.intake.signals] == [True, True, False]

    play(story)


def test_what_is_no_signal_is_left_unread() -> None:
    async def story(room: Room) -> None:
        await room.watching()
        await room.deliver(mail("away", Auto_Submitted="auto-replied"), mail("gaz"), mail("x", Subject="", From="a@b"))
        await room.headlines("gaz", "x")
        await room.flagged(["", r"\Seen", r"\Seen"])

    play(story)


def test_a_huge_mail_is_read_as_far_as_it_may_be_and_does_not_hold_up_the_next() -> None:
    async def story(room: Room) -> None:
        await room.watching(max_bytes=100_000)
        await room.deliver(mail("huge", "rue Haute\r\n" + ("x" * 70 + "\r\n") * 100_000), mail("next"))
        await room.headlines("huge", "next")
        huge = room.intake.signals[0]
        assert len(huge.original) == 100_000
        assert "the first 100000 were read" in huge.signal.notes[0]

    play(story)


def test_a_mail_that_takes_too_long_to_read_is_a_dead_letter_and_stays_unread() -> None:
    async def story(room: Room) -> None:
        await room.watching()
        room.intake.worker_limit = "20 s"
        await room.deliver(mail("slow"))
        await room.intake.until(lambda: bool(room.intake.bad))
        room.intake.worker_limit = ""
        await room.deliver(mail("next"))
        await room.headlines("next")
        assert room.intake.bad[0].original == mail("slow")
        await room.flagged(["", r"\Seen"])

    play(story)


def test_more_of_the_same_is_taken_for_a_loop_and_told_once() -> None:
    async def story(room: Room) -> None:
        with room.server.client() as client:
            for n in range(23):
                client.append("INBOX", "", "", mail("FW: gaz", f"{n}", Date="Tue, 14 Jul 2026 02:10:00 +0200"))
        room.start(backlog_s=31 * 86_400)
        await room.intake.until(lambda: bool(room.intake.bad))
        await room.deliver(mail("end"))
        await room.intake.until(lambda: room.intake.signals[-1].signal.infos[0].headline == "end")
        assert len(room.intake.signals) == 21
        [told] = room.intake.bad
        assert "taken for a loop" in told.reason

    play(story)


def test_a_wrong_password_is_told_without_saying_it() -> None:
    async def story(room: Room) -> None:
        room.start("wrong-s3cret")
        await room.intake.until(lambda: bool(room.intake.healths))
        health, reason = room.intake.healths[0]
        assert (health, "sign-in refused" in reason, "s3cret" in reason) == ("failing", True, False)

    play(story)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_an_encrypted_mailbox(security: str, tmp_path: Path) -> None:
    certificate = made_certificate(tmp_path)

    async def run() -> None:
        with imap_server(tls=certificate) as server:
            port = server.tls_port if security == "tls" else server.port
            room = Room(server, port=port, security=security)
            try:
                await room.watching(ca_file=certificate[0])
                await room.deliver(mail("gaz"))
                await room.headlines("gaz")
                await room.stop()
                room.start()
                await room.intake.until(lambda: room.intake.healths[-1][0] == "failing")
                assert "certificate is not trusted" in room.intake.healths[-1][1]
            finally:
                await room.stop()

    asyncio.run(run())


class Relay:
    """Between a source and the server, so that a connection can be cut without the server ending it."""

    def __init__(self) -> None:
        self.port = 0
        self._links: list[asyncio.StreamWriter] = []
        self._pouring: list[asyncio.Future[None]] = []

    @classmethod
    async def to(cls, port: int) -> "Relay":
        made = cls()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            inside, out = await asyncio.open_connection("127.0.0.1", port)
            made._links += [writer, out]
            made._pouring = [asyncio.ensure_future(_pour(reader, out)), asyncio.ensure_future(_pour(inside, writer))]
            await asyncio.wait(made._pouring)

        made._server = await asyncio.start_server(accept, "127.0.0.1", 0)
        made.port = made._server.sockets[0].getsockname()[1]
        return made

    def fall_silent(self) -> None:
        for task in self._pouring:
            task.cancel()

    async def cut(self) -> None:
        links, self._links = self._links, []
        for link in links:
            link.transport.abort()

    async def close(self) -> None:
        await self.cut()
        self._server.close()


async def _pour(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65_536):
            to.write(data)
            await to.drain()
