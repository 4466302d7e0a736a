"""The demo's working folder: the example configuration with what a demo needs changed, secrets for one run, one lock.

var/demo/config     config/ of the checkout, with the overrides below
var/demo/data       the hub's journal
var/demo/mail       the mails that went out
var/demo/hub.log    what the hub logged
"""

import fcntl
import os
import secrets
import shutil
import socket
from base64 import b64encode
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct
from ruamel.yaml import YAML

from hub.config import Config, load
from hub.findings import errors
from hub.people.rosters import on_duty
from tools.phones import Behaviour, Person
from tools.playback import Programme
from tools.playback.programme import Kind

ROOT = Path(__file__).resolve().parents[2]
PARTNERS = "partners"  # the webhook source at which the playback's partners knock
POLL_S = 2
PATIENCE_S = 45.0  # time to answer before the next officer is asked
STOPPING_S = 8  # how long the hub may take to stop before its auditor ends it
_TYPES = {Kind.FEED: "feed", Kind.CAP: "cap", Kind.JSON_CAP: "cap"}


class DemoError(Exception):
    """The demo cannot start; the text names what is wrong and the remedy."""


class Secrets(Struct, frozen=True, kw_only=True):
    """Made up for one run, handed on in the environment only."""

    account: str
    twilio: str
    api: str
    partner: str

    @classmethod
    def new(cls) -> "Secrets":
        return cls(
            account="AC" + secrets.token_hex(16),
            twilio=secrets.token_hex(16),
            api=secrets.token_hex(24),
            partner="whsec_" + b64encode(secrets.token_bytes(24)).decode(),
        )

    def __repr__(self) -> str:
        return f"Secrets(account={self.account!r}, …)"


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def hold_port() -> socket.socket:
    """A port of 127.0.0.1 that nobody else is given as long as this socket is open, whether or not anybody listens on
    it: bound, and never listening itself. Who says which one they want (SO_REUSEADDR, as web servers do) may listen."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # after bind: else it could be one somebody else holds
    return held


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Folder:
    """A folder of one running demo. Raises DemoError where another demo runs in it."""

    def __init__(self, path: Path, secrets_: Secrets, config: Path = ROOT / "config") -> None:
        self.path = path
        self.config = path / "config"
        self.data = path / "data"
        self.mail = path / "mail"
        self.log = path / "hub.log"
        self.secrets = secrets_
        self._held = hold_port()  # also while its hub is down: others take ports all the time
        self.port = int(self._held.getsockname()[1])
        path.mkdir(parents=True, exist_ok=True)
        self._lock = (path / "lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise DemoError(f"{path}: another demo runs here: stop it first, or give another --work") from None
        for old in (self.config, self.data, self.mail):
            shutil.rmtree(old, ignore_errors=True)
        self.log.unlink(missing_ok=True)
        shutil.copytree(config, self.config)
        self.mail.mkdir()

    def release(self) -> None:
        self._lock.close()
        self._held.close()

    @property
    def journal(self) -> Path:
        return self.data / "journal.db"

    @property
    def hub_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def partners_url(self) -> str:
        return f"{self.hub_url}/in/{PARTNERS}"

    @property
    def inbound_url(self) -> str:
        """Where an SMS from a phone goes."""
        return f"{self.hub_url}/callback/sms/reply"

    @property
    def sms_number(self) -> str:
        """The number SMS come from, to which people reply."""
        return str(_read(self.config / "channels.yaml")["sms"]["sender"])

    def environment(self) -> dict[str, str]:
        """The hub's: ours, and the secrets under the names that the configuration gives them."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("VIGIE_")}
        environment["VIGIE_API_TOKEN"] = self.secrets.api
        for channel in _read(self.config / "channels.yaml").values():
            for name in _names(channel.get("tokens")):
                environment[f"VIGIE_{name}"] = self.secrets.twilio
        for source in _read(self.config / "sources.yaml").values():
            for name in _names(source.get("secrets")):
                environment[f"VIGIE_{name}"] = self.secrets.partner
        return environment

    # --- overrides -------------------------------------------------------------------------------------------

    def override(self, *, twilio_url: str, smtp_port: int, patience_s: float = PATIENCE_S) -> None:
        """Leads every channel to a stand-in on this machine, and lets chains run within a minute: `patience_s` to
        answer, a third of it from an officer's SMS to the call."""
        yaml, hub = _opened(self.config / "hub.yaml")
        hub["journal"] = str(self.journal)
        hub["secrets"] = str(self.path / "secrets")
        hub["playbooks"] = str(ROOT / "playbooks")
        hub["web"] = {"listen": f"127.0.0.1:{self.port}", "public": self.hub_url}
        hub["auditor"] = {**(hub.get("auditor") or {}), "stopping": f"{STOPPING_S} s"}
        yaml.dump(hub, self.config / "hub.yaml")

        yaml, channels = _opened(self.config / "channels.yaml")
        for name, channel in channels.items():
            if "tokens" in channel:
                channel["api"], channel["account"] = twilio_url, self.secrets.account
            elif "host" in channel:
                for account in ("user", "password"):
                    channel.pop(account, None)
                channel |= {"host": "127.0.0.1", "port": smtp_port, "security": "none"}
            else:
                raise DemoError(f"config/channels.yaml: {name}: the demo has no stand-in for this kind of channel")
        yaml.dump(channels, self.config / "channels.yaml")

        yaml, chains = _opened(self.config / "chains.yaml")
        for chain in chains.values():
            for tier in chain["tiers"]:
                tier["between"], tier["for"] = f"{patience_s / 3:g} s", f"{patience_s:g} s"
        yaml.dump(chains, self.config / "chains.yaml")

    def listen_to(self, programme: Programme, sources: Sequence[dict[str, str]]) -> None:
        """Writes sources.yaml for a programme. `sources`: where the playback serves each (`Playback.sources()`). A
        source that the example configuration has keeps its name and trust; others are added; those that the playback
        does not serve are left out, but for partners, who come by themselves."""
        path = self.config / "sources.yaml"
        known = {str(s.get("url", "")): (name, s) for name, s in _read(ROOT / "config" / "sources.yaml").items()}
        indexes = {publication.url for publication in programme.publications if publication.index}
        real = {source.name: source for source in programme.sources}
        written: dict[str, Any] = {
            name: dict(s) for name, s in _read(ROOT / "config" / "sources.yaml").items() if s["type"] == "webhook"
        }
        written[PARTNERS] = {
            "type": "webhook",
            "reliability": "A",
            "credibility": 2,
            "secrets": "PARTNER_SECRET",
            "language": "fr-BE",
        }
        for served in sources:
            source = real[served["name"]]
            name, entry = known.get(source.url, (source.name, {"type": _TYPES[source.kind]}))
            entry = dict(entry)
            if source.url not in known:
                official = source.kind is not Kind.FEED or source.url in indexes
                entry |= {"reliability": "A", "credibility": 2} if official else {"reliability": "C"}
            written[name] = entry | {"url": served["url"], "every": f"{POLL_S} s", "internal": "yes"}
        with path.open("w", encoding="utf-8") as file:
            _yaml().dump(written, file)

    def checked(self) -> Config:
        """The configuration as the hub will read it. Raises DemoError with what is wrong with it."""
        config, findings = load(self.config)
        if wrong := errors(findings):
            raise DemoError("\n".join(str(finding) for finding in wrong))
        return config


def phones_of(config: Config, answering: Collection[str] = ()) -> list[Person]:
    """Everybody who has a phone, those whom chains ask first. `answering`: people who take a call and press 1."""
    asked = [p for chain in config.chains.values() for tier in chain.tiers for c in tier.ask for p in _ids(config, c)]
    order = {person: place for place, person in reversed(list(enumerate(asked)))}
    phones: dict[str, Person] = {}
    for person in sorted(config.people, key=lambda p: order.get(p.id, len(order))):
        number = number_of(config, person.id)
        if number:
            behaviour = Behaviour(call="answer", digits=("1",)) if person.id in answering else Behaviour()
            owner = Person(name=person.name, number=number, language=str(person.language), behaviour=behaviour)
            phones.setdefault(number, owner)
    return list(phones.values())


def on_duty_numbers(config: Config, at: datetime) -> frozenset[str]:
    """The numbers of those whom chains would ask first at `at`, as a roster has them on duty."""
    first = {c.id for chain in config.chains.values() for c in chain.tiers[0].ask if c.kind == "roster"}
    people = {p for name in first & set(config.rosters) for p in on_duty(config.rosters[name], at)}
    return frozenset(number_of(config, person) for person in people)


def second_officers(config: Config) -> list[str]:
    """Of each chain the first person who is asked when the first tier does not answer."""
    tiers = [chain.tiers[1] for chain in config.chains.values() if len(chain.tiers) > 1]
    asked = [[person for contact in tier.ask for person in _ids(config, contact)] for tier in tiers]
    known = {person.id for person in config.people}
    return [next(person for person in people if person in known) for people in asked if known & set(people)]


def number_of(config: Config, person: str) -> str:
    """The phone number of somebody; `""` where there is none."""
    ways = next((p.addresses for p in config.people if p.id == person), ())
    return next((way.address for way in ways if way.address.startswith("+")), "")


def _ids(config: Config, contact: Any) -> Sequence[str]:
    roster = config.rosters.get(contact.id)
    if contact.kind == "roster" and roster is not None:
        return [person for shift in roster.shifts for person in shift.people]
    members = next((group.members for group in config.groups if group.id == contact.id), ())
    return [contact.id, *members]


def _names(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.width = 4096  # no line is folded
    return yaml


def _opened(path: Path) -> tuple[YAML, Any]:
    """A file to be changed and written back, comments and all."""
    yaml = _yaml()
    return yaml, yaml.load(path.read_text("utf-8"))


def _read(path: Path) -> dict[str, Any]:
    return dict(_opened(path)[1])
