"""How a mailbox of the permanence is configured: where it is, whom to believe, and rules from mails to signals."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import re2
from msgspec import Meta, Struct

from connectors.crisislog.config import LogFormat
from connectors.mail.config import Security
from connectors.mail.imap import IDLE_S_MAX
from connectors.text import BYTES_MAX
from hub.model.signal import Category, Certainty, Hazard, Severity, Status, Urgency

ENUMS: dict[str, type[StrEnum]] = {
    "hazard": Hazard,
    "category": Category,
    "severity": Severity,
    "urgency": Urgency,
    "certainty": Certainty,
    "status": Status,
}
BUILT_IN = frozenset({"subject", "text", "first line", "from", "to"})
"""What may stand in braces besides the named groups of a rule's own patterns."""
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_ ]{0,40})\}")
_SPAN = re.compile(r"(\d{1,4}) ?(min|h|day|days)")
_SECONDS = {"min": 60.0, "h": 3600.0, "day": 86_400.0, "days": 86_400.0}
_SENDER = re.compile(r"(?:[^@\s,<>]+@)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What mails it is for, and what signal they are. All conditions must hold; the first rule that fits is used.

    In `headline`, `event` and the other texts {name} is what the group (?P<name>...) of `subject`, `body` or `find`
    found, and {subject}, {text}, {first line}, {from} and {to} are the mail's own."""

    name: Annotated[
        str, Meta(min_length=1, max_length=60, description="By which it is counted", examples=["fire service"])
    ]
    from_: Annotated[
        str | tuple[str, ...],
        Meta(description="Addresses and domains; only a proven sender is one of them", examples=["siamu.example"]),
    ] = msgspec.field(default=(), name="from")
    to: Annotated[
        str | tuple[str, ...],
        Meta(description="Addresses and domains it is written to", examples=["permanence@example.org"]),
    ] = ()
    subject: Annotated[
        str, Meta(description="Pattern (RE2) that the subject holds", examples=[r"Incident (?P<number>\d+)"])
    ] = ""
    body: Annotated[
        str, Meta(description="Pattern (RE2) that the text holds", examples=["(?i)evacuation|évacuation"])
    ] = ""
    find: Annotated[
        str | tuple[str, ...],
        Meta(
            description="Patterns (RE2) looked for in subject and text: their groups may be used, none has to be there",
            examples=[r"Niveau : (?P<level>\w+)"],
        ),
    ] = ()
    ignore: Annotated[
        str,
        Meta(
            description="Why such mails are no signal: they are counted, and left unread",
            examples=["the weekly newsletter"],
        ),
    ] = ""
    forwarded: Annotated[
        bool, Meta(description="A mail attached to it counts in its place: its sender, its words, the rules for it")
    ] = False
    automatic: Annotated[
        bool | None, Meta(description="Whether machines' mails count; yes for a rule with `from`, else no")
    ] = None
    cap: Annotated[
        bool,
        Meta(description="A CAP alert, EDXL or EMSI message attached to it is read as such, in place of the mail"),
    ] = False
    log: Annotated[
        LogFormat | None,
        Meta(description="A CSV or JSON file attached to it is entries of a log, read so in place of the mail"),
    ] = None
    sender: Annotated[
        str, Meta(max_length=200, description="One name for all who write for it", examples=["siamu"])
    ] = ""
    identifier: Annotated[
        str,
        Meta(description="Their number of the event: by it an update finds what it updates", examples=["{number}"]),
    ] = ""
    update: Annotated[
        str,
        Meta(description="Pattern (RE2) in subject or text: it updates an earlier mail", examples=["(?i)mise à jour"]),
    ] = ""
    cancel: Annotated[
        str,
        Meta(
            description="Pattern (RE2) in subject or text: it withdraws an earlier mail", examples=["(?i)fin d.alerte"]
        ),
    ] = ""
    exercise: Annotated[
        str,
        Meta(description="Pattern (RE2) in subject or text: it is an exercise", examples=["EXERCICE|OEFENING"]),
    ] = ""
    headline: Annotated[str, Meta(description="The headline", examples=["{what}, {place}"])] = "{subject}"
    event: Annotated[str, Meta(description="What has happened, in their language", examples=["{what}"])] = ""
    description: Annotated[str, Meta(description="The text", examples=["{text}"])] = "{text}"
    instruction: Annotated[str, Meta(description="What is to be done", examples=["{advice}"])] = ""
    contact: Annotated[str, Meta(description="Whom to ask", examples=["{phone}"])] = ""
    area: Annotated[
        str, Meta(description="Where: names as in areas.yaml, separated by commas", examples=["{place}"])
    ] = ""
    hazard: Annotated[
        str, Meta(description="A hazard, or {group}; by its words where left out", examples=["gas-leak"])
    ] = ""
    category: Annotated[str, Meta(description="A CAP category, or {group}", examples=["Fire"])] = ""
    severity: Annotated[str, Meta(description="A CAP severity, or {group}", examples=["{level}"])] = ""
    urgency: Annotated[str, Meta(description="A CAP urgency, or {group}", examples=["Immediate"])] = ""
    certainty: Annotated[str, Meta(description="A CAP certainty, or {group}", examples=["Observed"])] = ""
    status: Annotated[str, Meta(description="Actual, Exercise, Test ..., or {group}", examples=["Actual"])] = ""
    onset: Annotated[
        str, Meta(description="{group} with a time: 2026-07-14 02:10, 14/07/2026 02:10", examples=["{begins}"])
    ] = ""
    expires: Annotated[str, Meta(description="{group} with a time, as onset", examples=["{ends}"])] = ""
    lasts: Annotated[
        str, Meta(description="For how long it is in force where no end is said", examples=["6 h", "2 days"])
    ] = ""
    language: Annotated[
        str, Meta(pattern="^([a-z]{2}(-[A-Z]{2})?)?$", description="Of these mails", examples=["nl-BE"])
    ] = ""
    words: Annotated[
        Mapping[str, Mapping[str, str]],
        Meta(description="Field: what is found, and what it means, as severity: {rouge: Severe}"),
    ] = msgspec.field(default_factory=dict)
    parameters: Annotated[
        Mapping[str, str], Meta(description='Parameters of the signal, by name, as victims: "{victims}"')
    ] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        groups = BUILT_IN | _groups("subject", self.subject) | _groups("body", self.body)
        for pattern in several(self.find):
            groups |= _groups("find", pattern)
        for field in ("update", "cancel", "exercise"):
            _groups(field, getattr(self, field))
        for field in (*TEXTS, *ENUMS):
            _check_template(field, getattr(self, field), groups)
        for name, template in self.parameters.items():
            _check_template(f"parameters {name}", template, groups)
        for one in (*several(self.from_), *several(self.to)):
            if not _SENDER.fullmatch(one):
                raise ValueError(f"{one!r} is no address and no domain: write user@example.org, or example.org")
        for field, meanings in self.words.items():
            if field not in ENUMS:
                raise ValueError(f"words: {field!r} is none of {', '.join(ENUMS)}")
            for meaning in meanings.values():
                _check_value(f"words {field}", field, meaning)
        if self.lasts and not _SPAN.fullmatch(self.lasts):
            raise ValueError(f"lasts: {self.lasts!r} is no duration: write 30 min, 6 h, 2 days")
        if not self.from_ and (self.sender or self.cap or self.log):
            raise ValueError(
                "sender, cap and log need `from`: who may speak under that name, whose alerts are believed"
            )

    @property
    def lasts_s(self) -> float:
        found = _SPAN.fullmatch(self.lasts)
        return float(found[1]) * _SECONDS[found[2]] if found else 0.0

    @property
    def takes_automatic(self) -> bool:
        return bool(self.from_) if self.automatic is None else self.automatic


TEXTS = (
    *("identifier", "headline", "event", "description", "instruction", "contact", "area"),
    *("onset", "expires"),
)


class InboxConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mailbox whose mails are signals.

    Example: `{host: imap.example.org, user: permanence@example.org, password: PERMANENCE_IMAP, rules: [...]}`.
    """

    host: Annotated[str, Meta(min_length=1, description="The IMAP server", examples=["imap.example.org"])]
    user: Annotated[str, Meta(min_length=1, description="Whom to sign in as", examples=["permanence@example.org"])]
    password: Annotated[
        str, Meta(min_length=1, description="Name of the secret with the password", examples=["PERMANENCE_IMAP"])
    ]
    port: Annotated[int, Meta(ge=0, le=65535, description="0: 993 with tls, 143 otherwise")] = 0
    security: Annotated[
        Security,
        Meta(description="tls: from the first byte; starttls: after a greeting; none: only in one's own network"),
    ] = Security.TLS
    ca_file: Annotated[
        str,
        Meta(description="Certificates to trust in place of the system's (PEM file)", examples=["/etc/ssl/ca.pem"]),
    ] = ""
    folder: Annotated[str, Meta(min_length=1, description="The folder that is read")] = "INBOX"
    every_s: Annotated[
        float, Meta(ge=1, le=IDLE_S_MAX, description="How long at most between two looks into it, seconds")
    ] = 30.0
    timeout_s: Annotated[float, Meta(gt=0, description="How long to wait for each answer, seconds")] = 20.0
    done: Annotated[
        str,
        Meta(
            pattern=r"^(seen|nothing|keyword [A-Za-z0-9$_.-]{1,60}|move \S.{0,100})$",
            description="What is done to a mail once it is recorded: seen, keyword NAME, move FOLDER or nothing",
            examples=["keyword Vigie", "move Archive/Vigie"],
        ),
    ] = "seen"
    backlog_s: Annotated[
        float,
        Meta(ge=0, le=31 * 86_400, description="The first time: how old what lies there unread may be, seconds"),
    ] = 86_400.0
    max_bytes: Annotated[
        int, Meta(ge=16_384, le=25 << 20, description="Of larger mails so many bytes are read and kept")
    ] = BYTES_MAX
    language: Annotated[
        str, Meta(pattern="^[a-z]{2}(-[A-Z]{2})?$", description="Language of mails where no rule says one")
    ] = "fr-BE"
    zone: Annotated[str, Meta(description="Time zone of times in mails that have no offset")] = "Europe/Brussels"
    ours: Annotated[
        tuple[str, ...],
        Meta(
            description="Addresses the centre's own programs write from: no signal is made of their mails",
            examples=["vigie@example.org"],
        ),
    ] = ()
    trusted_results: Annotated[
        str,
        Meta(
            description="The name (authserv-id) under which one's own mail server writes what it found of a sender "
            "(Authentication-Results, RFC 8601): whom it proves is believed",
            examples=["mx.example.org"],
        ),
    ] = ""
    believe_all: Annotated[
        bool, Meta(description="Every sender is believed: only where no mail from outside gets in")
    ] = False
    strangers: Annotated[
        Literal["signal", "ignore"], Meta(description="What becomes of a mail that no rule is for")
    ] = "signal"
    rules: Annotated[tuple[Rule, ...], Meta(description="From mails to signals: the first that fits is used")] = ()

    def __post_init__(self) -> None:
        if self.believe_all and self.trusted_results:
            raise ValueError("believe_all: and trusted results, too: leave one out")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"zone: {self.zone!r} is no time zone: write it as Europe/Brussels") from None
        for address in self.ours:
            if "@" not in address:
                raise ValueError(f"ours: {address!r} is no address: write vigie@example.org")
        names = [rule.name for rule in self.rules]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"rules: two are called {twice!r}: give each a name of its own")

    @property
    def own_addresses(self) -> frozenset[str]:
        """From which no mail ever becomes a signal."""
        return frozenset(address.lower() for address in (*self.ours, self.user) if "@" in address)


def several(value: str | tuple[str, ...]) -> tuple[str, ...]:
    """A list that may be written without brackets where it has one item."""
    return (value,) if isinstance(value, str) else value


def _groups(field: str, pattern: str) -> frozenset[str]:
    """The named groups of a pattern. Raises ValueError where it is none."""
    if not pattern:
        return frozenset()
    try:
        return frozenset(re2.compile(pattern).groupindex)
    except re2.error as error:
        raise ValueError(f"{field}: {pattern!r} is no pattern ({error}): see RE2's syntax") from None


def _check_template(field: str, template: str, groups: frozenset[str]) -> None:
    names = PLACEHOLDER.findall(template)
    for name in names:
        if name not in groups:
            raise ValueError(f"{field}: nothing finds {{{name}}}: there are {', '.join(sorted(groups))}")
    if template and not names and field in ENUMS:
        _check_value(field, field, template)


def _check_value(name: str, field: str, value: str) -> None:
    known = [member.value for member in ENUMS[field]]
    if value not in known:
        raise ValueError(f"{name}: {field} is never {value!r}: {', '.join(known)}")
