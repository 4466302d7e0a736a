"""A real hub in a process of its own, with stand-ins on loopback for everything outside: phones (Twilio's REST API), a
mail server, publishers of feeds, partners who post. Tests act on it from outside, as the world does.

    with room(tmp_path) as here:
        here.start()
        here.alert("A-1", hazard="thunderstorm")
        here.until(lambda: here.sms_to(OFFICER_A), "an SMS")
"""

import asyncio
import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from aiosmtpd.smtp import SMTP, Envelope, Session
from msgspec import Struct
from ruamel.yaml import YAML
from standardwebhooks import Webhook
from typer.testing import CliRunner

from hub.cli.main import app
from hub.journal.codec import decode
from hub.journal.reader import Reader, open_reader
from hub.model import events as e
from hub.model import records as r
from tools.demo.folder import Folder, Secrets
from tools.demo.mailbox import Mailbox
from tools.phones import PacedClock, Phones, PhonesInThread
from tools.phones.resources import Call, Message
from tools.playback import Playback, Programme, Publication

ROOT = Path(__file__).resolve().parents[2]
PARTNERS = "partners"  # the webhook source of every room
OFFICER_A, OFFICER_B, OFFICER_C = "+32450000001", "+32450000002", "+32450000003"  # French, Dutch, German
DIRECTOR_A, DIRECTOR_B = "+32450000011", "+32450000012"
CELL_D5 = "+32450000025"  # English
HUB = "+32450000000"
EXERCISE_AT = "2026-10-13T21:00:00+02:00"
# How long what has to happen may take at most: not how fast it is to be, for the machine may have other work.
DEADLINE_S = 60.0
READY_S = 120.0
END_S = 60.0
LOOK_EVERY_S = 0.02
COMMUNES = [f"210{number:02}" for number in range(1, 20)]

T = TypeVar("T")

# The hub ends with the test that started it, even where that is killed (prctl(2), PR_SET_PDEATHSIG).
_LAUNCH = "import ctypes; ctypes.CDLL(None).prctl(1, 9); from hub.cli import main; main()"


def until(look: Callable[[], T], what: str, deadline_s: float = DEADLINE_S) -> T:
    """What `look` answers as soon as that is true. Fails after the deadline, saying what was waited for."""
    pause = threading.Event()
    ends = time.monotonic() + deadline_s
    while not (found := look()):
        assert time.monotonic() < ends, f"not within {deadline_s:g} s: {what}"
        pause.wait(LOOK_EVERY_S)
    return found


class Answer(Struct, frozen=True):
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Page(Struct, frozen=True):
    """What is published at an address."""

    body: bytes
    media_type: str
    hangs: bool


class Said(Struct, frozen=True):
    """What a command said."""

    code: int
    out: str
    err: str

    def json_lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


class HeldMailbox(Mailbox):
    """A mail server that can take mails without saying so: `hold` until `release`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._open = asyncio.Event()
        self._open.set()

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 # aiosmtpd's
        said = await super().handle_DATA(server, session, envelope)
        await self._open.wait()
        return said


class Publisher(Playback):
    """A publisher of feeds. Its slow pages do not come while it lives; `hanging` counts who asked for them."""

    def __init__(self) -> None:
        super().__init__(sleep=self._hang)
        self.hanging = 0
        self._over = asyncio.Event()

    async def close(self) -> None:
        self._over.set()
        await super().close()

    async def _hang(self, _: float) -> None:
        self.hanging += 1
        await self._over.wait()


class Outside(Phones):
    """The phones, and on the same loop a mail server and a publisher of feeds."""

    def __init__(self, folder: Folder, pace: float) -> None:
        super().__init__(
            folder.secrets.account, folder.secrets.twilio, inbound=folder.inbound_url, clock=PacedClock(pace)
        )
        self.mailbox = HeldMailbox(folder.mail)
        self.playback = Publisher()

    async def start(self) -> None:
        await self.mailbox.start()
        await self.playback.start()
        await super().start()

    async def stop(self) -> None:
        await super().stop()
        await self.playback.close()
        await self.mailbox.stop()


class Room:
    """One configuration, one journal, one hub after another on it."""

    def __init__(self, folder: Folder, outside: PhonesInThread) -> None:
        self.folder = folder
        self.outside = outside
        self.process: subprocess.Popen[bytes] | None = None
        self._sessions: list[int] = []
        self._pages: dict[str, Page] = {}

    # --- the hub's process ---------------------------------------------------------------------------------

    def begin(self, *words: str, **environment: str) -> None:
        """Starts a hub and does not wait for it."""
        assert self.process is None or self.process.poll() is not None, "a hub is running already"
        command = [sys.executable, "-c", _LAUNCH, "run", "--no-auditor", "--config", str(self.folder.config), *words]
        with self.folder.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment() | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._sessions.append(self.process.pid)

    def start(self, *words: str) -> None:
        """Starts a hub; returns once it takes what it is sent."""
        self.begin(*words)
        self.until(lambda: self.health().status == 200, "a hub that is ready", READY_S)

    def stop(self, within_s: float = END_S) -> int:
        """Tells the hub to stop, as an operating system does; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.exited(within_s)

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.exited()

    def exited(self, within_s: float = END_S) -> int:
        """The exit code of the hub, once it has ended."""
        assert self.process is not None
        return self.process.wait(within_s)

    def left_over(self) -> list[int]:
        """Processes that hubs of this room have started and that still live."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                stat = (entry / "stat").read_text() if entry.name.isdecimal() else ""
            except OSError:
                continue
            _, _, rest = stat.rpartition(") ")
            words = rest.split()
            if words and words[0] != "Z" and int(words[3]) in self._sessions:
                found.append(int(entry.name))
        return found

    def gone(self) -> None:
        """Returns once nothing lives any more that hubs of this room have started: a process that has been ended is not
        gone at that very moment."""
        until(lambda: not self.left_over(), "the end of what a hub has started")

    def close(self) -> None:
        """Kills what still runs."""
        for pid in self.left_over():
            os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait(10)

    def limit_files(self, bytes_max: int) -> None:
        """No file of the hub may grow beyond this: a disk that is full, for this process alone (setrlimit(2))."""
        assert self.process is not None
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (bytes_max, resource.RLIM_INFINITY))

    def environment(self) -> dict[str, str]:
        return self.folder.environment()

    def log(self) -> str:
        return self.folder.log.read_text("utf-8", "replace") if self.folder.log.exists() else ""

    def until(self, look: Callable[[], T], what: str, deadline_s: float = DEADLINE_S) -> T:
        """As `until`, but a hub that ends meanwhile fails at once."""

        def looked() -> T:
            assert self.process is None or self.process.poll() is None, (
                f"the hub ended with {self.process.returncode if self.process else ''}: {self.log()[-3000:]}"
            )
            return look()

        try:
            return until(looked, what, deadline_s)
        except AssertionError as error:
            error.add_note(f"the hub said:\n{self.log()[-3000:]}")
            raise

    # --- asking the hub ------------------------------------------------------------------------------------

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request over HTTP; status 0 when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.folder.port, timeout=30)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            got = connection.getresponse()
            return Answer(got.status, {name.title(): text for name, text in got.getheaders()}, got.read())
        except OSError as error:
            return Answer(0, {}, str(error).encode())
        finally:
            connection.close()

    def health(self) -> Answer:
        return self.request("GET", "/health")

    def api(self, method: str, path: str, body: Any = None) -> Answer:
        headers = {"Authorization": f"Bearer {self.folder.secrets.api}", "Content-Type": "application/json"}
        return self.request(method, path, None if body is None else json.dumps(body).encode(), headers)

    def status(self) -> Any:
        answer = self.api("GET", "/api/status")
        assert answer.status == 200, answer
        return answer.json()

    def command(self, *words: str) -> Said:
        """A command on this room's configuration, in the test's own process: a process of its own takes many seconds
        to begin where others are at work."""
        environment = {key: value for key, value in self.environment().items() if key.startswith("VIGIE_")}
        done = CliRunner().invoke(app, [*words, "--config", str(self.folder.config)], env=environment)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Said(done.exit_code, done.stdout, done.stderr)

    def vigie(self, *words: str, **environment: str) -> Said:
        """A command in a process of its own, beside the hub."""
        done = subprocess.run(
            [sys.executable, "-m", "hub.cli", *words],
            cwd=ROOT,
            env=self.environment() | environment,
            capture_output=True,
            text=True,
            timeout=READY_S,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    # --- what comes in -------------------------------------------------------------------------------------

    def post(
        self,
        body: bytes,
        id_: str,
        *,
        media_type: str = "application/json",
        at: datetime | None = None,
        source: str = PARTNERS,
        **headers: str,
    ) -> Answer:
        """Posts as a partner does, signed (Standard Webhooks). `headers`: in place of the right ones."""
        now = at or datetime.now(UTC)
        stamp = str(int(now.timestamp()))
        signed = {
            "content-type": media_type,
            "webhook-id": id_,
            "webhook-timestamp": stamp,
            "webhook-signature": signature(self.folder.secrets.partner, id_, stamp, body),
        }
        return self.request(
            "POST", f"/in/{source}", body, signed | {k.replace("_", "-"): v for k, v in headers.items()}
        )

    def alert(self, id_: str, **fields: Any) -> Answer:
        """A partner's alert about the whole Region, severe and observed, unless `fields` say otherwise."""
        return self.post(json.dumps(alert_json(id_, **fields)).encode(), id_)

    def cancel(self, id_: str, of: str, **fields: Any) -> Answer:
        """A partner withdraws an alert."""
        return self.alert(id_, **{"msg_type": "Cancel", "references": [of]} | fields)

    def text(self, number: str, words: str) -> None:
        """Somebody sends an SMS to the hub's number."""
        self.outside.do(lambda phones: phones.network.text(number, words, to=HUB))

    def script(self, number: str, **behaviour: Any) -> None:
        self.outside.do(lambda phones: phones.script(number, **behaviour))

    def publish(self, host_path: str, body: bytes, media_type: str = "application/xml", *, hangs: bool = False) -> str:
        """Serves this at an address from now on; answers the address. `hangs`: never answers who asks for it."""
        self._pages[host_path] = Page(body, media_type, hangs)
        at = datetime(2020, 1, 1, tzinfo=UTC)
        pages = tuple(
            Publication(
                at=at,
                url=f"https://{name}",
                body=page.body,
                headers={"Content-Type": page.media_type},
                delay_s=float(page.hangs),
            )
            for name, page in self._pages.items()
        )
        programme = Programme(title="pages", start=datetime.now(UTC), publications=pages)
        self.outside.do(lambda phones: phones.playback.load(programme))
        return str(self.outside.do(lambda phones: phones.playback.address(f"https://{host_path}")))

    # --- what went out -------------------------------------------------------------------------------------

    def messages(self) -> list[Message]:
        """Every SMS of the hub, in order."""
        messages = self.outside.do(lambda phones: phones.messages)
        return [m for m in messages if m.direction != "inbound" and not m.automatic]

    def sms_to(self, number: str) -> list[str]:
        """The texts sent to a phone, in order."""
        return [message.body for message in self.messages() if message.to == number]

    def calls_to(self, number: str) -> list[Call]:
        return [call for call in self.outside.do(lambda phones: phones.calls) if call.request.to == number]

    def mails(self) -> int:
        return int(self.outside.do(lambda phones: phones.mailbox.count))

    def settled(self) -> None:
        """Returns once no chain runs and of each delivery the journal says what became of it."""

        def quiet() -> bool:
            events = self.events(object)
            running = {x.run for x in events if isinstance(x, e.RunBegan)}
            running -= {x.run for x in events if isinstance(x, e.RunEnded)}
            withdrawn = {x.order for x in events if isinstance(x, e.OrderWithdrawn)}
            moved = {(x.order, move[0]) for x in events if isinstance(x, e.Delivered) for move in x.moves}
            waiting = [
                x.order
                for x in events
                if isinstance(x, e.Ordered) and x.order not in withdrawn
                if any((x.order, index) not in moved for index in range(x.size or len(x.recipients)))
            ]
            return not running and not waiting

        self.until(quiet, "a hub with nothing under way")

    def ended(self, hazard: str) -> None:
        """Returns once the incident of a hazard is over and all have been told."""

        def over() -> bool:
            opened = {x.incident for x in self.events(e.Opened) if hazard in x.key}
            return bool(opened) and opened <= {x.incident for x in self.events(e.Ended)}

        self.until(over, f"the end of {hazard}")
        self.settled()

    # --- the journal ---------------------------------------------------------------------------------------

    @contextmanager
    def journal(self) -> Iterator[Reader]:
        with open_reader(self.folder.journal) as reading:
            yield reading

    def records(self, kind: str = "") -> list[r.Record]:
        """Records in order; `kind` as `vigie journal show --kind`."""
        with self.journal() as reading:
            return [decode(row.body) for row in reading.rows(type_=kind or None)]

    def facts(self, kind: str) -> list[Any]:
        """The bodies of the facts of one kind."""
        return [record.body for record in self.records(kind) if isinstance(record, r.Fact)]

    def events(self, kind: type[T]) -> list[T]:
        """The events of one kind that decisions hold, in order."""
        decisions = [d for d in self.records("decision") if isinstance(d, r.Decision)]
        return [event for decision in decisions for event in decision.events if isinstance(event, kind)]

    def original(self, fact: r.Fact) -> bytes:
        """What a fact was read from, out of the vault."""
        with self.journal() as reading:
            (entry,) = reading.vault([fact.vault])
        assert entry is not None, f"nothing in the vault for {fact.id}"
        return entry.payload


@contextmanager
def room(
    path: Path,
    *,
    sources: Mapping[str, Mapping[str, Any]] | None = None,
    between_s: float = 1.0,
    answer_s: float = 3.0,
    pace: float = 0.03,
    journal: Path | None = None,
) -> Iterator[Room]:
    """A room in a folder: the example configuration, with the stand-ins' addresses, chains that run in seconds and
    limits that one test after another does not meet. `pace`: real seconds of a phone's second. On leaving, nothing of
    it still runs."""
    folder = Folder(path, Secrets.new())
    with PhonesInThread(lambda: Outside(folder, pace)) as outside:
        here = Room(folder, outside)
        folder.override(twilio_url=outside.base_url, smtp_port=outside.server.mailbox.port)
        change(folder.config / "channels.yaml", _unlimited)
        change(folder.config / "chains.yaml", lambda chains: _in_seconds(chains, between_s, answer_s))
        # A test that runs at six in the morning finds the same as another.
        change(folder.config / "hub.yaml", lambda hub: hub.pop("call list", None))
        every = {"messages": "9999 in 1 s", "incidents": "9999 in 1 s"}  # no digests, whatever came before
        change(folder.config / "hub.yaml", lambda hub: hub.update({"storms": every}))
        configure_sources(here, sources or {})
        if journal is not None:
            change(folder.config / "hub.yaml", lambda hub: hub.update({"journal": str(journal)}))
            here.folder.data = journal.parent
        try:
            yield here
        finally:
            here.close()
            folder.release()


def configure_sources(here: Room, sources: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes sources.yaml: the partners' webhook and these."""
    partners = {
        "type": "webhook",
        "reliability": "A",
        "credibility": 2,
        "secrets": "PARTNER_SECRET",
        "language": "fr-BE",
    }
    here.folder.config.joinpath("sources.yaml").write_text("{}\n")
    change(
        here.folder.config / "sources.yaml",
        lambda held: held.update({PARTNERS: partners} | {name: dict(source) for name, source in sources.items()}),
    )


def polled(url: str, kind: str = "cap", every_s: int = 1) -> dict[str, Any]:
    """The configuration of a source on loopback that is trusted as an authority's is."""
    return {
        "type": kind,
        "reliability": "A",
        "credibility": 2,
        "url": url,
        "every": f"{every_s} s",
        "internal": "yes",
    }


def change(path: Path, how: Callable[[Any], object]) -> None:
    """Changes a YAML file, comments and all."""
    yaml = YAML(typ="rt")
    yaml.width = 4096
    held = yaml.load(path.read_text("utf-8"))
    how(held)
    yaml.dump(held, path)


def _unlimited(channels: Any) -> None:
    for channel in channels.values():
        channel["limits"]["per person"] = "999 in 10 min"


def _in_seconds(chains: Any, between_s: float, answer_s: float) -> None:
    for chain in chains.values():
        for tier in chain["tiers"]:
            tier["between"], tier["for"], tier["times"] = f"{between_s:g} s", f"{answer_s:g} s", 1


def signature(secret: str, id_: str, stamp: str, body: bytes) -> str:
    """`v1,…` over bytes that need not be text (the library signs text only)."""
    try:
        at = datetime.fromtimestamp(int(stamp), UTC)
        return str(Webhook(secret).sign(id_, at, body.decode()))
    except UnicodeDecodeError:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        digest = hmac.new(key, f"{id_}.{stamp}.".encode() + body, hashlib.sha256).digest()
        return "v1," + base64.b64encode(digest).decode()


def alert_json(id_: str, **fields: Any) -> dict[str, Any]:
    """A partner's alert (connectors/webhook/alert.py, PartnerAlert)."""
    now = datetime.now(UTC)
    headlines = {"fr": f"Essai {id_}", "nl": f"Proef {id_}", "de": f"Probe {id_}", "en": f"Trial {id_}"}
    return {
        "id": id_,
        "sent": now.isoformat(),
        "event": headlines,
        "headline": headlines,
        "category": "Met",
        "hazard": "thunderstorm",
        "severity": "Extreme",
        "urgency": "Immediate",
        "certainty": "Observed",
        "area": {"description": "Région de Bruxelles-Capitale", "communes": COMMUNES},
        "onset": now.isoformat(),
        "expires": (now + timedelta(hours=3)).isoformat(),
    } | fields


def cap_xml(
    identifier: str, *, msg_type: str = "Alert", references: str = "", event: str = "Red warning for thunderstorm"
) -> bytes:
    """A warning for Brabant as the Royal Meteorological Institute's are formed, in force now."""
    now = datetime.now(UTC).replace(microsecond=0)
    infos = "".join(
        f"<info><language>{language}</language><category>Met</category><event>{event}</event>"
        f"<urgency>Immediate</urgency><severity>Extreme</severity><certainty>Observed</certainty>"
        f"<onset>{now.isoformat()}</onset><expires>{(now + timedelta(hours=3)).isoformat()}</expires>"
        f"<headline>{headline}</headline>"
        "<parameter><valueName>awareness_level</valueName><value>4; red; Extreme</value></parameter>"
        "<parameter><valueName>awareness_type</valueName><value>3; Thunderstorm</value></parameter>"
        "<area><areaDesc>Brabant</areaDesc><geocode><valueName>EMMA_ID</valueName><value>BE004</value></geocode></area>"
        "</info>"
        for language, headline in (("fr-BE", f"Orage {identifier}"), ("nl-BE", f"Onweer {identifier}"))
    )
    referring = f"<references>{references}</references>" if references else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">'
        f"<identifier>{identifier}</identifier><sender>kmi-irm</sender><sent>{now.isoformat()}</sent>"
        f"<status>Actual</status><msgType>{msg_type}</msgType><scope>Public</scope>{referring}{infos}</alert>"
    ).encode()


def code_in(text: str) -> str:
    """The answer code of an SMS that asks: `Oui: répondez KX. Non: KX NON.`"""
    found = re.search(r"(?:répondez|antwoord|antworten Sie|reply) ([A-Z]{1,6})\b", text)
    assert found, f"no code in {text!r}"
    return found[1]
