"""What is known after a campaign: from the journal, and from everything outside, which the hub could not touch."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec import Struct, field

from hub.engine.fold import fold_decision
from hub.engine.state import State
from hub.journal.reader import open_reader
from hub.model import records as r
from hub.model.events import Ordered
from tools.crash.sender import Sending
from tools.crash.sink import Notice
from tools.phones import Phones
from tools.phones.webhooks import Sent

Delivery = tuple[str, int]  # order, index

_DELIVERY = re.compile(r"/callback/(sms|voice)/status/([^/?#]+)/(\d+)")
_SAID = re.compile(r"<Say[^>]*>([^<]*)")


class Arrival(Struct, frozen=True, kw_only=True):
    """Something a stand-in accepted, whatever the hub heard of it. `at`: seconds since 1970, 0 where it was not noted.
    `arrived`: somebody has seen or heard it."""

    channel: str
    delivery: Delivery
    to: str
    text: str
    at: float
    arrived: bool
    ref: str = ""


class Outside(Struct, kw_only=True):
    """`arrivals` in the order they were accepted; `unknown`: accepted, with no sign of which delivery it was.
    `replies`: the keys of the SMS that people sent, and of the key presses that the hub acknowledged. `followed`: ids
    of the events that a follower took, as they came."""

    sent: list[Sending] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    followed: list[str] = field(default_factory=list)


class Inside(Struct, kw_only=True):
    """The journal, in order. `signals`: the sender's id → facts. `audiences`: vault key → people."""

    facts: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    signals: dict[str, list[str]] = field(default_factory=dict)
    decisions: list[r.Decision] = field(default_factory=list)
    attempts: list[r.Attempt] = field(default_factory=list)
    audiences: dict[str, list[str]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    state: State = field(default_factory=State)


def read_journal(path: Path) -> Inside:
    """Reads the whole journal. Raises JournalError."""
    inside = Inside()
    with open_reader(path) as reading:
        inside.broken = list(reading.examine().faults)
        for row in reading.rows():
            record = msgspec.json.decode(row.body, type=r.Record)
            match record:
                case r.Fact():
                    inside.facts.append(record.id)
                    inside.keys.add(record.key)
                    if isinstance(record.body, r.SignalReceived):
                        inside.signals.setdefault(_sender_id(record.key), []).append(record.id)
                case r.Decision():
                    inside.decisions.append(record)
                    fold_decision(inside.state, record)
                case r.Attempt():
                    inside.attempts.append(record)
        wanted = [
            event.audience
            for decision in inside.decisions
            for event in decision.events
            if isinstance(event, Ordered) and event.audience
        ]
        for key, entry in zip(wanted, reading.vault(wanted), strict=True):
            inside.audiences[key] = msgspec.json.decode(entry.payload) if entry is not None else []
    return inside


def _sender_id(key: str) -> str:
    """The webhook-id in a signal's key: `SOURCE, id:digest` (hub/intake, connectors/webhook)."""
    return key.partition("\x1f")[2].rpartition(":")[0]


def arrivals(phones: Phones, sink: list[Notice]) -> tuple[list[Arrival], list[str]]:
    """What the stand-ins accepted from the hub, and what of it names no delivery."""
    found: list[Arrival] = []
    unknown: list[str] = []

    def note(channel: str, url: str | None, thing: Any, to: str, text: str, arrived: bool) -> None:
        named = _DELIVERY.search(url or "")
        if named is None:
            unknown.append(f"{channel} {thing.sid} to {to}: {text[:80]}")
            return
        delivery = (unquote(named[2]), int(named[3]))
        at = thing.created.timestamp()
        found.append(
            Arrival(channel=channel, delivery=delivery, to=to, text=text, at=at, arrived=arrived, ref=thing.sid)
        )

    for message in phones.messages:
        if message.direction == "outbound-api":
            arrived = "delivered" in message.statuses
            note("sms", message.status_callback, message, message.to, message.body, arrived)
    for call in phones.calls:
        request = call.request
        text = " ".join(_SAID.findall(request.twiml or ""))
        note("voice", request.status_callback, call, request.to, text, "in-progress" in call.statuses)
    for notice in sink:
        order, _, index = notice.delivery.rpartition("/")
        found.append(
            Arrival(
                channel="webhook", delivery=(order, int(index)), to=notice.to, text=notice.text, at=0.0, arrived=True
            )
        )
    return found, unknown


def reply_key(request: Sent) -> str:
    """The key under which the hub must know an answer that it acknowledged; `""` where the request was none."""
    if request.status is None or not 200 <= request.status < 300:
        return ""
    if request.url.endswith("/callback/sms/reply"):
        return f"sms\x1f{request.form['MessageSid']}"
    if "/callback/voice/key/" in request.url and request.form.get("Digits") in ("1", "2"):
        verb = "accept" if request.form["Digits"] == "1" else "decline"
        return f"voice\x1f{request.form['CallSid']}:{verb}"
    return ""
