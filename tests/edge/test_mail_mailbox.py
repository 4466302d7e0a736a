"""The mailbox of replies against a real IMAP server (dovecot)."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from connectors.mail.channel import MailChannel
from connectors.mail.config import MailConfig, Security
from connectors.mail.imap import Account, Session
from connectors.mail.mailbox import Mailbox
from connectors.mail.reading import Rules
from hub.connector import Sent
from hub.model.message import Outcome, Verb
from tests.contracts.channel import outgoing
from tests.contracts.intake import MemoryIntake, environment
from tests.edge.imap_servers import PASSWORD, USER, ImapServer, imap_server
from tests.edge.test_mail import Server, made_certificate

ANNE = "anne@example.org"
RULES = Rules(channel="email", domain="example.org")


class Intake(MemoryIntake):
    """Keeps the cursor, too, as the journal does."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: str | None = None

    async def offer(self, items: Any, *, cursor: str | None = None) -> Any:
        taken = await super().offer(items, cursor=cursor)
        self.kept = cursor or self.kept
        async with self.arrived:
            self.arrived.notify_all()
        return taken

    async def cursor(self) -> str | None:
        return self.kept

    async def until(self, met: Callable[[], bool], timeout_s: float = 40.0) -> None:
        await super().until(met, timeout_s)

    async def health(self, health: str, reason: str = "") -> None:
        await super().health(health, reason)
        async with self.arrived:
            self.arrived.notify_all()


class Room:
    """A server, and a mailbox of the hub's that watches it."""

    def __init__(self, server: ImapServer, **settings: Any) -> None:
        self.server, self.intake = server, Intake()
        self.config = MailConfig(
            **{
                "host": "127.0.0.1",
                "sender": "Vigie <vigie@example.org>",
                "imap_host": "127.0.0.1",
                "imap_port": server.port,
                "imap_security": Security.NONE,
                "imap_user": USER,
                "imap_password": "imap",
                "imap_every_s": 1500,  # only IDLE brings news in time
                **settings,
            }
        )
        self.mailbox = Mailbox(self.config, PASSWORD, RULES, sleep=shortly)

    async def deliver(self, mail: bytes, folder: str = "INBOX") -> None:
        await asyncio.to_thread(self.server.deliver, mail, folder)

    async def seen(self, count: int, folder: str = "INBOX") -> None:
        """Returns once so many mails are marked as seen."""
        async with asyncio.timeout(40):
            while await asyncio.to_thread(self.server.seen, folder) != count:
                pass

    async def watching(self) -> None:
        """Starts, and returns once it knows where it begins."""
        self.mailbox.start(self.intake)
        await self.intake.until(lambda: self.intake.kept is not None)


async def shortly(seconds: float) -> None:
    """The mailbox's own pauses, made short."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.02):
            await asyncio.Event().wait()


def reply(text: str, number: int = 1, to: str = "<ORDER1.0@example.org>", sender: str = ANNE) -> bytes:
    lines = [f"From: Anne <{sender}>", "To: answers@example.org", f"Message-ID: <{number}@example.net>"]
    lines += [f"In-Reply-To: {to}"] if to else []
    return "\r\n".join([*lines, "Subject: Re: Storm", "", text, ""]).encode()


def play(story: Callable[[Room], Awaitable[None]], *, idles: bool = True, **settings: Any) -> None:
    async def run() -> None:
        with imap_server(idles=idles) as server:
            room = Room(server, **settings)
            try:
                await story(room)
            finally:
                await room.mailbox.stop()

    asyncio.run(run())


def test_a_reply_is_read_at_once_and_marked_as_seen() -> None:
    async def story(room: Room) -> None:
        await room.watching()
        quoted = "On Tue, 14 Jul 2026 at 02:10, Vigie <vigie@example.org>\r\nwrote:\r\n> Storm\r\n> No: AB NO"
        await room.deliver(reply(f"OK, 20 min\r\n\r\n{quoted}"))
        await room.intake.until(lambda: bool(room.intake.replies))
        [answer] = room.intake.replies
        assert (answer.channel, answer.address, answer.order, answer.index) == ("email", ANNE, "ORDER1", 0)
        assert answer.verb is None, "the hub reads the words"
        [receipt] = room.intake.receipts
        assert (receipt.order, receipt.outcome) == ("ORDER1", Outcome.DELIVERED)
        await room.seen(1)
        assert room.intake.healths == []

    play(story)


def test_a_mail_that_comes_between_two_searches_is_found_by_the_next() -> None:
    """The server tells of it with the answer to the search, and in IDLE no more."""

    async def story() -> None:
        with imap_server() as server:
            account = Account(
                host="127.0.0.1",
                port=server.port,
                security=Security.NONE,
                user=USER,
                folder="INBOX",
                every_s=1500,
                timeout_s=20,
            )
            with ThreadPoolExecutor(1) as thread:
                session = Session(account, PASSWORD, thread)
                await session.open()
                for number in range(1, 4):
                    await asyncio.to_thread(server.deliver, reply("A", number))
                    assert await session.uids(number - 1) == [number]
                session.close()

    asyncio.run(story())


def test_a_server_without_idle_is_polled() -> None:
    async def story(room: Room) -> None:
        await room.watching()
        for number in (1, 2):
            await room.deliver(reply("ja", number))
            await room.intake.until(lambda count=number: len(room.intake.replies) == count)

    play(story, idles=False, imap_every_s=0.01)


def test_nothing_is_seen_before_its_fact_is_durable() -> None:
    async def story(room: Room) -> None:
        await room.watching()
        room.intake.down = "disk full"
        before = room.intake.offers
        await room.deliver(reply("oui"))
        await room.intake.until(lambda: room.intake.offers > before + 2)  # it is offered again and again
        assert await asyncio.to_thread(room.server.seen) == 0
        room.intake.down = ""
        await room.seen(1)
        assert [r.text for r in room.intake.replies] == ["oui"]

    play(story)


def test_what_came_while_nobody_watched_is_read_and_what_was_there_before_is_not() -> None:
    async def story(room: Room) -> None:
        await room.deliver(reply("before the hub", 1))
        await room.watching()
        await room.mailbox.stop()
        await room.deliver(reply("ja", 2))
        with room.server.client() as somebody:  # who reads it by hand hides nothing
            somebody.store("1:*", "+FLAGS", r"(\Seen)")
        room.mailbox = Mailbox(room.config, PASSWORD, RULES, sleep=shortly)
        await room.watching()
        await room.intake.until(lambda: bool(room.intake.replies))
        assert [r.text for r in room.intake.replies] == ["ja"]

    play(story)


def test_a_mail_read_twice_counts_once() -> None:
    async def story(room: Room) -> None:
        await room.watching()
        start = room.intake.kept
        await room.deliver(reply("ja"))
        await room.seen(1)
        await room.mailbox.stop()
        room.intake.kept, offers = start, room.intake.offers  # as after a crash that lost the cursor's last step
        room.mailbox = Mailbox(room.config, PASSWORD, RULES, sleep=shortly)
        room.mailbox.start(room.intake)
        await room.intake.until(lambda: room.intake.offers > offers and room.intake.kept != start)
        assert len(room.intake.replies) == 1

    play(story)


def test_a_mailbox_that_was_made_anew_is_read_where_it_was_not_seen() -> None:
    async def story(room: Room) -> None:
        def anew() -> None:
            with room.server.client() as client:
                client.delete("Replies")
                client.create("Replies")

        await asyncio.to_thread(anew)
        await room.watching()
        await room.deliver(reply("ja", 1), "Replies")
        await room.seen(1, "Replies")
        await room.mailbox.stop()
        validity = room.intake.kept
        await asyncio.to_thread(anew)
        await room.deliver(reply("nee", 2), "Replies")
        room.mailbox = Mailbox(room.config, PASSWORD, RULES, sleep=shortly)
        await room.watching()
        await room.intake.until(lambda: len(room.intake.replies) == 2)
        assert [r.text for r in room.intake.replies] == ["ja", "nee"]
        assert str(room.intake.kept).partition(".")[0] != str(validity).partition(".")[0]

    play(story, imap_folder="Replies")


def test_a_server_that_goes_away_is_told_and_signed_in_to_again() -> None:
    async def story(room: Room) -> None:
        await room.watching()
        await asyncio.to_thread(room.server.stop)
        await room.intake.until(lambda: "failing" in dict(room.intake.healths))
        assert "answers by mail wait there" in room.intake.healths[0][1]
        await asyncio.to_thread(room.server.start)
        await room.intake.until(lambda: room.intake.healths[-1][0] == "ok")
        await room.deliver(reply("ja"))
        await room.intake.until(lambda: bool(room.intake.replies))

    play(story)


def test_a_wrong_password_is_told_without_saying_it() -> None:
    async def story(room: Room) -> None:
        room.mailbox = Mailbox(room.config, "wrong-s3cret", RULES, sleep=shortly)
        room.mailbox.start(room.intake)
        await room.intake.until(lambda: bool(room.intake.healths))
        health, reason = room.intake.healths[0]
        assert (health, "sign-in refused" in reason, "s3cret" in reason) == ("failing", True, False)

    play(story)


def test_a_large_mail_is_read_aside_and_one_that_takes_too_long_is_a_dead_letter() -> None:
    async def story(room: Room) -> None:
        await room.watching()
        await room.deliver(reply("ja\r\n\r\n-- \r\n" + "x" * 70 + "\r\n" * 20_000, 1))
        await room.intake.until(lambda: bool(room.intake.replies))
        assert room.intake.in_workers == ["read"]
        room.intake.worker_limit = "20 s"
        await room.deliver(reply("x" * 70 + "\r\n" * 20_000, 2))
        await room.deliver(reply("nee", 3))
        await room.intake.until(lambda: len(room.intake.replies) == 2)
        [bad] = room.intake.bad
        assert "could not be read in time" in bad.reason

    play(story)


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_an_encrypted_mailbox(security: Security, tmp_path: Path) -> None:
    certificate = made_certificate(tmp_path)

    async def run() -> None:
        with imap_server(tls=certificate) as server:
            port = server.tls_port if security is Security.TLS else server.port
            room = Room(server, imap_port=port, imap_security=security, ca_file=certificate[0])
            await room.watching()
            await room.deliver(reply("ja"))
            await room.intake.until(lambda: bool(room.intake.replies))
            await room.mailbox.stop()
            stranger = Room(server, imap_port=port, imap_security=security)
            stranger.mailbox.start(stranger.intake)
            await stranger.intake.until(lambda: bool(stranger.intake.healths))
            assert "certificate is not trusted" in stranger.intake.healths[0][1]
            await stranger.mailbox.stop()

    asyncio.run(run())


@pytest.mark.parametrize("repeated", [1, 2])
def test_an_ask_goes_out_by_smtp_and_its_answer_comes_in_by_imap(repeated: int) -> None:
    """The whole channel, opened and closed (twice: it can be opened again)."""

    async def run(smtp: Server) -> None:
        with imap_server() as server:
            config = MailConfig(
                host="127.0.0.1",
                port=smtp.port,
                security=Security.NONE,
                sender="Vigie <vigie@example.org>",
                imap_host="127.0.0.1",
                imap_port=server.port,
                imap_security=Security.NONE,
                imap_user=USER,
                imap_password="imap",
            )
            channel = MailChannel(config, environment("email", imap=PASSWORD))
            assert channel.abilities.answers
            assert channel.abilities.words
            intake = Intake()
            for number in range(1, repeated + 1):
                await channel.open(intake)
                await intake.until(lambda: intake.kept is not None)
                assert isinstance(await channel.send(outgoing(ANNE, index=number)), Sent)
                sent = smtp.mails[-1]["Message-ID"]
                await asyncio.to_thread(server.deliver, reply("Ja, 10 min", number, to=sent))
                await intake.until(lambda count=number: len(intake.replies) == count)
                answer = intake.replies[-1]
                assert (answer.order, answer.index) == (outgoing(ANNE).order, number)
                assert answer.verb is not Verb.UNCLEAR
                await channel.close()

    async def served() -> None:
        smtp = Server()
        await smtp.start()
        try:
            await run(smtp)
        finally:
            await smtp.stop()

    asyncio.run(served())
