"""Mails handed to an SMTP server (RFC 5321), on connections that are kept and used again."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.utils import parseaddr

import aiosmtplib
import structlog
from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPNotSupported,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from connectors.mail.config import MailConfig, Security
from hub.connector import Answer, Dead, Retry, Sent

_log = structlog.get_logger()


class Postman:
    """Hands mails over, so many at the same time as are configured. `password`: None where nobody signs in."""

    def __init__(self, config: MailConfig, name: str, password: str | None) -> None:
        self._config = config
        self._name = name
        self._password = password
        self._from = parseaddr(config.sender)[1]
        self._idle: list[SMTP] = []
        self._turns: asyncio.Semaphore | None = None
        self._tls: ssl.SSLContext | None = None

    def open(self) -> None:
        """Needs nobody to answer."""
        self._turns = asyncio.Semaphore(self._config.connections)
        self._tls = ssl.create_default_context(cafile=self._config.ca_file or None)

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        for client in idle:
            await _part(client)

    async def hand_over(self, mail: EmailMessage, to: str) -> Answer:
        """One mail to one recipient. Does not raise for what the server does."""
        assert self._turns is not None, "open() comes before everything else"
        async with self._turns:
            return await self._hand_over(mail, to)

    async def _hand_over(self, mail: EmailMessage, to: str) -> Answer:
        """One mail over one connection. A kept connection that turns out dead before the mail itself was sent costs
        nothing: a fresh one is tried at once."""
        while True:
            client = self._kept()
            fresh = client is None
            if client is None:
                try:
                    client = await self._connected()
                except (SMTPException, OSError) as error:
                    return self._unreachable(error)
            data_sent = False
            try:
                async with _closed_unless_whole(client):
                    await client.mail(self._from)
                    await client.rcpt(to)
                    data_sent = True
                    response = await client.data(mail.as_bytes())
            except SMTPResponseException as error:
                if error.code == 421 and not fresh and not data_sent:
                    await _part(client)
                    continue
                await self._keep_after_refusal(client, error)
                return _refused(error)
            except (SMTPServerDisconnected, SMTPTimeoutError, OSError) as error:
                if not fresh and not data_sent and not isinstance(error, TimeoutError):
                    continue
                # Once DATA has begun, the server may have taken the mail without our hearing of it.
                return Retry(reason=f"mail server: connection lost ({type(error).__name__})", doubt=data_sent)
            self._idle.append(client)
            return Sent(ref=_queue_id(response.message))

    def _kept(self) -> SMTP | None:
        while self._idle:
            client = self._idle.pop()
            if client.is_connected:
                return client
        return None

    async def _connected(self) -> SMTP:
        config = self._config
        client = SMTP(
            hostname=config.host,
            port=config.port or None,
            username=config.user or None,
            password=self._password,
            use_tls=config.security is Security.TLS,
            start_tls=config.security is Security.STARTTLS,
            tls_context=self._tls if config.security is not Security.NONE else None,
            timeout=config.timeout_s,
        )
        try:
            await client.connect()
        except BaseException:
            client.close()
            raise
        return client

    async def _keep_after_refusal(self, client: SMTP, error: SMTPResponseException) -> None:
        """A refused recipient does not spoil the connection: it is reset and kept."""
        try:
            if error.code == 421 or not client.is_connected:
                raise SMTPServerDisconnected("said goodbye")
            await client.rset()
        except (SMTPException, OSError):
            client.close()
        else:
            self._idle.append(client)

    def _unreachable(self, error: Exception) -> Answer:
        """No connection came about, so nothing was sent."""
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return Dead(reason="mail server: its certificate is not trusted", alarm=True)
            cause = cause.__cause__ or cause.__context__
        if isinstance(error, SMTPAuthenticationError) and error.code >= 500:
            return Dead(reason=f"mail server: sign-in refused ({error.code})", alarm=True)
        if isinstance(error, SMTPNotSupported) or (isinstance(error, SMTPException) and "STARTTLS" in str(error)):
            return Dead(reason="mail server: has no STARTTLS: see `security`", alarm=True)
        if isinstance(error, SMTPResponseException) and not isinstance(error, SMTPConnectError):
            return Retry(reason=f"mail server: {error.code} at the greeting")
        _log.warning("mail.unreachable", channel=self._name, error=type(error).__name__)
        return Retry(reason=f"mail server: cannot be reached ({type(error).__name__})")


@asynccontextmanager
async def _closed_unless_whole(client: SMTP) -> AsyncIterator[None]:
    """Closes the connection when the dialogue is broken off in its midst (cancelled, lost), so that no one finds it
    in a state nobody knows. A refusal is an answer: it does not break anything off."""
    try:
        yield
    except SMTPResponseException:
        raise
    except BaseException:
        client.close()
        raise


async def _part(client: SMTP) -> None:
    """Says goodbye, if anybody listens."""
    try:
        await client.quit(timeout=2.0)
    except (aiosmtplib.SMTPException, OSError):
        client.close()


def _refused(error: SMTPResponseException) -> Answer:
    """What a refusal means (RFC 5321 4.2.1; enhanced codes RFC 3463). Its words are not repeated: they tend to hold
    the address."""
    enhanced = _enhanced(error.message)
    reason = f"mail server: {error.code}{' ' + enhanced if enhanced else ''}"
    if error.code < 500:  # 421 ends the service, 454 the sign-in; else the mailbox is full, or greylisted
        return Retry(reason=reason, address=error.code not in (421, 454))
    if error.code in (530, 534, 535, 538):
        return Dead(reason=reason, alarm=True)
    unknown = enhanced.startswith("5.1.") and not enhanced.startswith(("5.1.7", "5.1.8"))  # those are the sender's
    return Dead(reason=reason, bad_address=unknown or (error.code in (550, 551, 553) and not enhanced))


def _enhanced(message: str) -> str:
    first = message.strip().partition(" ")[0]
    parts = first.split(".")
    return first if len(parts) == 3 and all(part.isdigit() for part in parts) else ""


def _queue_id(message: str) -> str:
    """The server's own words for the mail it took (`2.0.0 Ok: queued as 4F2...`), short."""
    return message.strip().split("\n")[0][:120]
