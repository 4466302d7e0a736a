"""A small day with every kind of source, on real servers and stand-ins, for a hub that records it."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.edge.bluesky_server import BlueskyServer, bluesky
from tests.edge.imap_servers import PASSWORD, USER, ImapServer
from tests.edge.mastodon_server import MastodonServer, mastodon
from tests.edge.mosquitto import PASSWORD as BROKER_PASSWORD
from tests.edge.mosquitto import USER as BROKER_USER
from tests.edge.mosquitto import Broker
from tests.edge.running import Room, cap_xml, polled
from tests.edge.tetra_room import TcpRadio

FORM_CODE = "drie woorden lang"
MONITOR = "an-alertmanagers-own-password"
SECRETS = {
    "VIGIE_FORM_SIAMU": FORM_CODE,
    "VIGIE_MONITOR": MONITOR,
    "VIGIE_MAIL": PASSWORD,
    "VIGIE_BROKER": BROKER_PASSWORD,
}
PRESS, AGENDA, TUNNELS, LIST, WARNINGS = (
    f"recorded.example/{name}" for name in ("press", "agenda.ics", "tunnels", "works?lang=fr&key=abc", "warnings")
)
ALERTS = {
    "version": "4",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "MainsDown", "severity": "critical"},
            "annotations": {"summary": "Mains are down in room 2"},
            "startsAt": "2026-07-14T18:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": "a1",
        }
    ],
}


class Pager:
    """A decoder that prints on a TCP line."""

    def __init__(self) -> None:
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []
        self.connected = asyncio.Event()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    def prints(self, data: bytes) -> None:
        for writer in self._writers:
            writer.write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self.connected.set()
        with suppress(OSError):
            await reader.read()


class Day:
    """What there is outside. `sources`: for sources.yaml."""

    def __init__(self, folder: Path, broker: Broker | None, imap: ImapServer | None) -> None:
        self.broker, self.imap = broker, imap
        self.radio, self.pager = TcpRadio(), Pager()
        self.mastodon: MastodonServer
        self.bluesky: BlueskyServer
        self.log, self.calendars = folder / "log", folder / "calendars"
        self.log.mkdir()
        self.calendars.mkdir()
        (self.calendars / "zone.ics").write_bytes(calendar("zone-1", "Foire"))

    def publish(self, here: Room) -> dict[str, str]:
        """Serves the first pages; answers their addresses."""
        return {
            PRESS: here.publish(PRESS, feed("Premier"), "application/rss+xml"),
            AGENDA: here.publish(AGENDA, calendar("city-1", "Marché"), "text/calendar"),
            TUNNELS: here.publish(TUNNELS, page("Tout est ouvert"), "text/html; charset=utf-8"),
            LIST: here.publish(LIST, works("Pont", "Gare"), "application/json"),
            WARNINGS: here.publish(WARNINGS, cap_xml("W-1")),
        }

    def sources(self, at: dict[str, str]) -> dict[str, dict[str, Any]]:
        common = {"reliability": "B", "credibility": 3}
        ear = common | {"internal": "yes"}
        every = {"every": "1 s"}
        found: dict[str, dict[str, Any]] = {
            "press": polled(at[PRESS], "feed"),
            "warnings": polled(at[WARNINGS]),
            "agenda": polled(at[AGENDA], "calendar") | {"horizon": "30 days"},
            "tunnels": polled(at[TUNNELS], "page"),
            "works": polled(at[LIST], "json_api")
            | {"items": "works", "fields": {"identifier": "id", "headline": "title"}, "gone is over": "yes"},
            "zone": common | every | {"type": "calendar", "folder": str(self.calendars), "horizon": "30 days"},
            "log": common
            | every
            | {
                "type": "crisislog",
                "folder": str(self.log),
                "fields": {"identifier": "Nr", "headline": "Titel"},
                "language": "nl-BE",
            },
            "monitor": common | {"type": "alertmanager", "secrets": "MONITOR", "user": "am"},
            "drone": common
            | {
                "type": "form",
                "title": dict.fromkeys(("fr", "nl", "de", "en"), "Drone"),
                "partners": {"siamu": "FORM_SIAMU"},
                "hazard": "other",
                "fields": {"what": {"label": dict.fromkeys(("fr", "nl", "de", "en"), "What?")}},
            },
            "toots": ear | {"type": "mastodon", "server": self.mastodon.url, "hashtags": ["brussel"]},
            "skies": ear
            | {
                "type": "bluesky",
                "accounts": ["ann.example"],
                "servers": [self.bluesky.stream],
                "api": self.bluesky.url,
            },
            "radio": ear | {"type": "tetra", "terminal": self.radio.place, "others": "yes"},
            "pages": ear | {"type": "pocsag", "host": "127.0.0.1", "port": self.pager.port, "others": "yes"},
        }
        if self.broker is not None:
            found["pumps"] = ear | {
                "type": "mqtt",
                "host": "127.0.0.1",
                "port": self.broker.port,
                "tls": "no",
                "user": BROKER_USER,
                "password": "BROKER",
                "readings": {
                    "level": {
                        "topics": "pumps/+/level",
                        "name": dict.fromkeys(("fr", "nl", "de", "en"), "Water"),
                        "above": {"Severe": 2.5},
                        "dwell": "0 s",
                    }
                },
            }
        if self.imap is not None:
            found["permanence"] = common | {
                "type": "mail",
                "host": "127.0.0.1",
                "port": self.imap.port,
                "security": "none",
                "user": USER,
                "password": "MAIL",
                "every": "1 s",
            }
        return found


@asynccontextmanager
async def day(folder: Path, broker: Broker | None, imap: ImapServer | None) -> AsyncIterator[Day]:
    """In a folder that is there."""
    async with AsyncExitStack() as opened:
        made = Day(folder, broker, imap)
        made.mastodon = await opened.enter_async_context(mastodon())
        made.bluesky = await opened.enter_async_context(bluesky())
        for one in (made.radio, made.pager):
            await one.start()
            opened.push_async_callback(one.stop)
        yield made


def feed(*titles: str) -> bytes:
    items = "".join(
        f"<item><guid>{title}</guid><title>{title} – à Ixelles</title>"
        f"<pubDate>Tue, 14 Jul 2026 18:0{n}:00 +0200</pubDate></item>"
        for n, title in enumerate(titles)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>P</title>{items}</channel></rss>'.encode()


def page(*lines: str) -> bytes:
    return ("<html><body>" + "".join(f"<p>{line}</p>" for line in lines) + "</body></html>").encode()


def works(*titles: str) -> bytes:
    return json.dumps({"works": [{"id": title, "title": f"Chantier {title}"} for title in titles]}).encode()


def calendar(uid: str, summary: str) -> bytes:
    starts = datetime.now(UTC) + timedelta(days=2)
    return "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//test//",
            "BEGIN:VEVENT",
            f"UID:{uid}",
            "DTSTAMP:20260714T080000Z",
            f"DTSTART:{starts:%Y%m%d}T180000Z",
            f"DTEND:{starts:%Y%m%d}T200000Z",
            f"SUMMARY:{summary}",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
    ).encode()


def mail(subject: str, text: str) -> bytes:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "Siamu <siamu@example.org>", USER, subject
    made["Date"], made["Message-ID"] = "Tue, 14 Jul 2026 18:00:00 +0200", f"<{subject.split()[0]}@example.org>"
    made.set_content(text)
    return made.as_bytes()


def drop(folder: Path, name: str, data: bytes) -> None:
    beside = folder / f".{name}.part"
    beside.write_bytes(data)
    os.replace(beside, folder / name)
