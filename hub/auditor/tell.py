"""Telling: by channels of the auditor's own, which share no code with the hub's dispatch.

Each channel has a task and a short queue of its own, so that a mail server that does not answer keeps neither the
others nor the audit waiting. Loud first: the terminal and the file beside the journal need no network.
"""

import json
import os
import smtplib
import ssl
import sys
import urllib.request
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from functools import partial
from http.client import HTTPException
from pathlib import Path

import structlog
import trio
from msgspec import Struct

from hub.auditor import words
from hub.auditor.config import AuditorConfig, AuditorHeartbeat, AuditorMail, AuditorPost
from hub.auditor.standing import Kind, Told
from hub.clock import wall

log = structlog.get_logger(__name__)

TRIES_S = (0.0, 5.0, 30.0)  # waits before each try of what goes over a network
TRY_S_MAX = 60.0  # a try that has not come back by then is left behind
QUEUE = 50
API_TIMEOUT_S = 5.0

Secret = Callable[[str], str]
"""Reads a secret by its name. Raises KeyError with the remedy."""


class Way(Struct, frozen=True):
    """One channel: `send` is plain and may block; it raises OSError (or smtplib's, urllib's) when it was not told."""

    name: str
    send: Callable[[Told], None]
    kinds: frozenset[Kind] = frozenset(Kind)
    tries_s: tuple[float, ...] = TRIES_S


def ways_of(config: AuditorConfig, journal: Path, secret: Secret) -> list[Way]:
    """The channels that are configured. Raises KeyError where a secret they name is missing."""
    file = Path(config.file) if config.file else journal.with_name("auditor.txt")
    ways = [
        Way("terminal", shout, tries_s=(0.0,)),
        Way("file", partial(write_down, file), tries_s=(0.0,)),
    ]
    if config.api:
        ways.append(
            Way("room", partial(tell_room, config.api, secret(config.api_token)), frozenset({Kind.NEW, Kind.AGAIN}))
        )
    if config.mail is not None:
        password = secret(config.mail.password) if config.mail.password else ""
        ways.append(Way("mail", partial(mail, config.mail, password)))
    if config.post is not None:
        token = secret(config.post.token) if config.post.token else ""
        ways.append(Way("post", partial(post, config.post, token)))
    return ways


class Teller:
    """Takes what is to be told and never waits."""

    def __init__(self, ways: Sequence[Way]) -> None:
        self._queues = [(way, *trio.open_memory_channel[Told](QUEUE)) for way in ways]
        self._open = 0
        self._idle = trio.Event()

    def tell(self, told: Told) -> None:
        for way, send, _ in self._queues:
            if told.kind in way.kinds:
                try:
                    send.send_nowait(told)
                    self._open += 1
                except trio.WouldBlock:
                    log.error("an alarm could not even be queued", by=way.name, what=told.finding.what)

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            for way, _, receive in self._queues:
                nursery.start_soon(self._serve, way, receive)

    async def finish(self, within_s: float) -> None:
        """Waits until all is told, but not longer than that."""
        with trio.move_on_after(within_s):
            while self._open:
                self._idle = trio.Event()
                await self._idle.wait()

    async def _serve(self, way: Way, queue: trio.MemoryReceiveChannel[Told]) -> None:
        async for told in queue:
            await self._send(way, told)
            self._open -= 1
            if not self._open:
                self._idle.set()

    async def _send(self, way: Way, told: Told) -> None:
        for wait_s in way.tries_s:
            await trio.sleep(wait_s)
            try:
                with trio.fail_after(TRY_S_MAX):
                    await trio.to_thread.run_sync(way.send, told, abandon_on_cancel=True)
                return
            except (OSError, smtplib.SMTPException, HTTPException, trio.TooSlowError, ValueError) as error:
                log.error("an alarm was not told", by=way.name, what=told.finding.what, error=str(error))


# --- the channels --------------------------------------------------------------------------------------------


def shout(told: Told) -> None:
    """One clear block on the terminal."""
    bar = "=" * 100 if told.kind is Kind.OVER else "!" * 100
    sys.stderr.write(f"\n{bar}\n{wall():%Y-%m-%d %H:%M:%S} UTC  VIGIE'S AUDITOR\n{words.text(told)}{bar}\n")
    sys.stderr.flush()


def write_down(file: Path, told: Told) -> None:
    """One line in the file beside the journal, synced."""
    exercise = " EXERCISE" if told.playback else ""
    line = f"{wall():%Y-%m-%dT%H:%M:%SZ} {told.kind.upper()}{exercise} {told.finding.what}: {told.finding.detail}\n"
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with open(descriptor, "a", encoding="utf-8") as out:
        out.write(line)
        out.flush()
        os.fsync(out.fileno())


def mail(config: AuditorMail, password: str, told: Told) -> None:
    """One mail to everybody configured, in four languages."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = config.sender, ", ".join(config.to), words.subject(told)
    message["Date"], message["Message-ID"] = format_datetime(wall()), make_msgid(domain="auditor.vigie.invalid")
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message["X-Loop"] = "vigie"  # a hub that reads this mailbox makes no signal of it
    message.set_content(words.text(told))
    tls = ssl.create_default_context()
    if config.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(config.host, config.port, timeout=config.timeout, context=tls)
    else:
        server = smtplib.SMTP(config.host, config.port, timeout=config.timeout)
    with server:
        if config.security == "starttls":
            server.starttls(context=tls)
        if config.user:
            server.login(config.user, password)
        refused = server.send_message(message)
        if refused:
            log.error("some do not get the auditor's mail", refused=sorted(refused))


def post(config: AuditorPost, token: str, told: Told) -> None:
    """What is told as JSON."""
    finding = told.finding
    body = {
        "kind": str(told.kind),
        "what": finding.what,
        "detail": finding.detail,
        "since_s": round(finding.since_s, 1),
        "playback": told.playback,
        "text": words.text(told),
    }
    _request(config.url, "POST", config.timeout, token, body)


def tell_room(api: str, token: str, told: Told) -> None:
    """Through the running hub, where it answers: the fact becomes an alarm in the room."""
    body = {"what": told.finding.what, "detail": told.finding.detail}
    _request(api.rstrip("/") + "/api/auditor", "POST", API_TIMEOUT_S, token, body)


def beat(config: AuditorHeartbeat) -> None:
    """One sign of life."""
    _request(config.url, config.method, config.timeout)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer nobody configured: the token and the alarm go nowhere else."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def _request(url: str, method: str, timeout_s: float, token: str = "", body: object = None) -> None:
    """Raises OSError (of which urllib's errors are kinds) unless the answer is a 2xx."""
    data = json.dumps(body).encode() if body is not None else (b"" if method == "POST" else None)
    headers = {"User-Agent": "vigie-auditor"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 # http(s) by the config
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout_s) as answer:
        answer.read(1024)
