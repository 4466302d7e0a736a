"""The mail channel against a real SMTP server (aiosmtpd)."""

import asyncio
import email
import email.policy
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd import smtp
from aiosmtpd.smtp import AuthResult, LoginPassword

from connectors.mail.channel import MailChannel
from connectors.mail.config import MailConfig, Security
from hub.connector import Attachment, Dead, Retry, Sent
from tests.contracts.channel import PROMISES, Arrival, Provider, outgoing
from tests.contracts.intake import MemoryIntake, environment

ANNE = "anne@example.brussels"


class Server:
    """A mail server. `answers`: what it says to a command, or to a recipient, in place of 250."""

    def __init__(self, tls: ssl.SSLContext | None = None, security: Security = Security.NONE) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.connections = 0
        self.answers: dict[str, str] = {}
        self.provider = Provider.WORKING
        self.hanging = asyncio.Event()
        self.signed_in: list[str] = []
        self.port = 0
        self._tls, self._security = tls, security
        self._server: asyncio.Server | None = None
        self._protocols: list[smtp.SMTP] = []

    async def start(self) -> None:
        def protocol() -> smtp.SMTP:
            self.connections += 1
            starttls = self._security is Security.STARTTLS
            made = smtp.SMTP(
                self,
                enable_SMTPUTF8=True,
                tls_context=self._tls if starttls else None,
                require_starttls=starttls,
                auth_require_tls=starttls,
                authenticator=self._authenticate,
                loop=asyncio.get_running_loop(),
            )
            self._protocols.append(made)
            return made

        at_once = self._tls if self._security is Security.TLS else None
        self._server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", self.port, ssl=at_once)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self.hang_up()
            await self._server.wait_closed()
            self._server = None

    def hang_up(self) -> None:
        for protocol in self._protocols:
            if isinstance(protocol.transport, asyncio.WriteTransport):
                protocol.transport.abort()
        self._protocols.clear()

    def _authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, auth: Any) -> AuthResult:
        assert isinstance(auth, LoginPassword)
        self.signed_in.append(auth.login.decode())
        return AuthResult(success=auth.password == b"s3cret", handled=False)

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802  # aiosmtpd's name
        if "MAIL" in self.answers:
            return self.answers["MAIL"]
        envelope.mail_from = address
        return "250 2.1.0 Ok"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802  # aiosmtpd's name
        match self.provider:
            case Provider.BUSY:
                return "451 4.3.0 try again later"
            case Provider.REFUSING:
                return f"550 5.1.1 <{address}> no such user here"
            case Provider.HANGING:
                self.hanging.set()
                await asyncio.Event().wait()
        if answer := self.answers.get(address) or self.answers.get("RCPT"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        if "DATA" in self.answers:
            return self.answers["DATA"]
        assert envelope.content.isascii(), "not every server takes eight bits"
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        self.recipients.extend(envelope.rcpt_tos)
        if self.provider is Provider.LOSING:
            server.transport.abort()
        return "250 2.0.0 Ok: queued as 4F2A"


class Place:
    def __init__(self, channel: MailChannel, server: Server) -> None:
        self.channel, self.server = channel, server
        self.intake = MemoryIntake()
        self.good = self.wrong = ANNE

    async def behave(self, provider: Provider) -> None:
        self.server.provider = provider
        await self.server.stop()
        if provider is not Provider.DOWN:
            await self.server.start()

    def arrivals(self) -> Sequence[Arrival]:
        return [
            Arrival(to, text_of(mail), str(mail["Message-ID"]))
            for to, mail in zip(self.server.recipients, self.server.mails, strict=True)
        ]

    async def together(self, work: Sequence[Awaitable[Any]]) -> Sequence[Any]:
        return await asyncio.gather(*work)

    async def given_up(self, work: Awaitable[Any]) -> bool:
        task = asyncio.ensure_future(work)
        await self.server.hanging.wait()
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=5)
        return bool(done) and task.cancelled()


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body(preferencelist=(kind,))
    assert found is not None
    return str(found.get_content())


def text_of(mail: EmailMessage) -> str:
    return part(mail, "plain")


@asynccontextmanager
async def place(
    tls: ssl.SSLContext | None = None, serving: Security = Security.NONE, **config: Any
) -> AsyncIterator[Place]:
    server = Server(tls, serving)
    await server.start()
    settings = {
        "host": "127.0.0.1",
        "port": server.port,
        "sender": "Vigie <vigie@safe.example>",
        "security": Security.NONE,
        **config,
    }
    channel = MailChannel(MailConfig(**settings), environment("email", smtp="s3cret", wrong="s3cret-wrong"))
    await channel.open(MemoryIntake())
    try:
        yield Place(channel, server)
    finally:
        await channel.close()
        await server.stop()


def play(story: Callable[[Place], Awaitable[None]], **settings: Any) -> None:
    async def run() -> None:
        async with place(**settings) as here:
            await story(here)

    asyncio.run(run())


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_promise(promise: Any) -> None:
    play(promise)


def test_what_arrives() -> None:
    async def story(here: Place) -> None:
        message = outgoing(
            ANNE,
            "Évacuez « maintenant ».\n.\nVoir https://example.org/a?b=1&c=<x>.\n\n<script>alert(1)</script>",
            order="ORDER1",
            index=3,
            subject="Orage à Ixelles – œuf\r\nBcc: evil@example.org",
        )
        answer = await here.channel.send(message)
        assert answer == Sent(ref="2.0.0 Ok: queued as 4F2A")
        [mail] = here.server.mails
        assert mail["Message-ID"] == "<ORDER1.3@safe.example>"
        assert mail["Subject"] == "[EXERCISE] Orage à Ixelles – œuf Bcc: evil@example.org"
        assert mail["Bcc"] is None
        assert (mail["From"], mail["To"]) == ("Vigie <vigie@safe.example>", ANNE)
        assert mail["Reply-To"] == "duty@safe.example"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["Content-Language"] == "en"
        assert mail["Date"]
        assert mail.get_content_type() == "multipart/alternative"
        assert text_of(mail).replace("\r\n", "\n") == f"EXERCISE\n\n{message.text}\n"
        html = part(mail, "html")
        assert "&lt;script&gt;" in html
        assert "<script>" not in html
        assert '<a href="https://example.org/a?b=1&amp;c=">' in html

    play(story, reply_to="duty@safe.example")


def test_a_file_goes_along_byte_by_byte_beside_text_and_page() -> None:
    pdf = b"%PDF-1.7\r\n\x00\xff\n.\n" + bytes(range(256)) * 400

    async def story(here: Place) -> None:
        assert here.channel.abilities.attachments
        files = (
            Attachment(name="call-list-FR.pdf", media_type="application/pdf", content=pdf),
            Attachment(name="sheet.html", media_type="text/html", content="<p>é</p>".encode()),
        )
        await here.channel.send(outgoing(ANNE, "Voici la liste, à imprimer.", attachments=files, ask=None))
        [mail] = here.server.mails
        assert mail.get_content_type() == "multipart/mixed"
        assert "Voici la liste, à imprimer." in text_of(mail)
        assert "Voici la liste" in part(mail, "html")
        assert mail["Content-Language"] == "en"
        first, second = mail.iter_attachments()
        assert isinstance(first, EmailMessage)
        assert isinstance(second, EmailMessage)
        assert (first.get_content_type(), first.get_filename()) == ("application/pdf", "call-list-FR.pdf")
        assert first.get_content() == pdf
        assert first.get_content_disposition() == "attachment"
        assert second.get_payload(decode=True) == "<p>é</p>".encode()

    play(story)


def test_the_same_message_id_for_every_attempt() -> None:
    async def story(here: Place) -> None:
        for nth in (1, 2):
            await here.channel.send(outgoing(ANNE, nth=nth, attempt=f"A{nth}", repeat=nth > 1))
        await here.channel.send(outgoing(ANNE, index=1))
        first, second, other = [mail["Message-ID"] for mail in here.server.mails]
        assert first == second != other

    play(story)


def test_one_connection_serves_many_mails() -> None:
    async def story(here: Place) -> None:
        for index in range(20):
            assert isinstance(await here.channel.send(outgoing(ANNE, index=index)), Sent)
        assert here.server.connections == 1
        await here.together([here.channel.send(outgoing(ANNE, index=index)) for index in range(40)])
        assert here.server.connections <= 3
        assert len(here.server.mails) == 60

    play(story, connections=3)


def test_a_kept_connection_that_died_costs_nothing() -> None:
    async def story(here: Place) -> None:
        await here.channel.send(outgoing(ANNE))
        here.server.hang_up()
        assert isinstance(await here.channel.send(outgoing(ANNE, index=1)), Sent)
        assert len(here.server.mails) == 2

    play(story)


@pytest.mark.parametrize(
    ("command", "says", "expected"),
    [
        ("RCPT", "450 4.2.1 mailbox busy", Retry(reason="mail server: 450 4.2.1", address=True)),
        ("RCPT", "452 too many", Retry(reason="mail server: 452", address=True)),
        ("RCPT", "550 5.1.1 no such user", Dead(reason="mail server: 550 5.1.1", bad_address=True)),
        ("RCPT", "550 5.1.2 no such host", Dead(reason="mail server: 550 5.1.2", bad_address=True)),
        ("RCPT", "550 no such user", Dead(reason="mail server: 550", bad_address=True)),
        ("RCPT", "550 5.7.1 policy", Dead(reason="mail server: 550 5.7.1")),
        ("RCPT", "554 5.7.1 relay denied", Dead(reason="mail server: 554 5.7.1")),
        ("RCPT", "530 5.7.0 sign in first", Dead(reason="mail server: 530 5.7.0", alarm=True)),
        ("MAIL", "553 5.1.8 sender refused", Dead(reason="mail server: 553 5.1.8")),
        ("DATA", "451 4.7.1 greylisted", Retry(reason="mail server: 451 4.7.1", address=True)),
        ("DATA", "552 5.3.4 too large", Dead(reason="mail server: 552 5.3.4")),
        ("RCPT", "421 4.3.2 closing", Retry(reason="mail server: 421 4.3.2")),
    ],
)
def test_what_a_refusal_means(command: str, says: str, expected: object) -> None:
    async def story(here: Place) -> None:
        here.server.answers[command] = says
        assert await here.channel.send(outgoing(ANNE)) == expected
        assert here.server.mails == []
        here.server.answers.clear()
        # The next mail is none the worse for it.
        assert isinstance(await here.channel.send(outgoing(ANNE, index=1)), Sent)

    play(story)


def test_signing_in() -> None:
    async def story(here: Place) -> None:
        assert isinstance(await here.channel.send(outgoing(ANNE)), Sent)
        assert here.server.signed_in == ["vigie"]

    play(story, user="vigie", password="smtp")


def test_a_wrong_password_alarms_the_room() -> None:
    async def story(here: Place) -> None:
        answer = await here.channel.send(outgoing(ANNE))
        assert answer == Dead(reason="mail server: sign-in refused (535)", alarm=True)

    play(story, user="vigie", password="wrong")


def test_a_server_without_starttls_gets_nothing() -> None:
    async def story(here: Place) -> None:
        answer = await here.channel.send(outgoing(ANNE))
        assert isinstance(answer, Dead)
        assert answer.alarm
        assert here.server.mails == []

    play(story, security=Security.STARTTLS)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return made_certificate(tmp_path_factory.mktemp("tls"))


def made_certificate(folder: Path) -> tuple[str, str]:
    """A certificate of our own for 127.0.0.1, and its key (PEM files)."""
    crt, key = folder / "crt.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    try:
        subprocess.run([*command, "-keyout", str(key), "-out", str(crt)], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return str(crt), str(key)


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_an_encrypted_connection(certificate: tuple[str, str], security: Security) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)

    async def trusted(here: Place) -> None:
        for index in (0, 1):
            assert isinstance(await here.channel.send(outgoing(ANNE, index=index)), Sent)
        assert here.server.connections == 1

    play(trusted, tls=context, serving=security, security=security, ca_file=certificate[0])

    async def stranger(here: Place) -> None:
        answer = await here.channel.send(outgoing(ANNE))
        assert answer == Dead(reason="mail server: its certificate is not trusted", alarm=True)
        assert here.server.mails == []

    play(stranger, tls=context, serving=security, security=security)
