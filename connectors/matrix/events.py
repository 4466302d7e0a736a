"""Matrix events: what a delivery looks like in a room, and what somebody's event says. Pure.

Sources: client-server API v1.11 to v1.15: m.room.message, m.reaction (11.35), rich replies (11.6), edits (11.34),
threads (11.32), intentional mentions (11.36).
"""

import html
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from hub.connector import Outgoing
from hub.model.people import Language

MARK = "vigie.delivery"  # in the content of what we send: which delivery it is
DIRECT = "vigie.direct"  # a state event in the direct chats we made: whose it is

REACT = {
    Language.FR: "Ou réagissez à ce message: 👍 ou ✅ pour oui, 👎 ou ❌ pour non.",
    Language.NL: "Of reageer op dit bericht met een emoji: 👍 of ✅ voor ja, 👎 of ❌ voor nee.",
    Language.DE: "Oder reagieren Sie auf diese Nachricht: 👍 oder ✅ für Ja, 👎 oder ❌ für Nein.",
    Language.EN: "Or react to this message: 👍 or ✅ for yes, 👎 or ❌ for no.",
}
CANNOT_READ = (
    "Ce salon est chiffré: je ne peux pas lire ce que vous y écrivez. Répondez là où je vous ai écrit.\n"
    "Deze kamer is versleuteld: ik kan niet lezen wat u hier schrijft. Antwoord waar ik u geschreven heb.\n"
    "Dieser Raum ist verschlüsselt: Ich kann nicht lesen, was Sie hier schreiben. Antworten Sie dort, wo ich Ihnen"
    " geschrieben habe.\n"
    "This room is encrypted: I cannot read what you write here. Answer where I wrote to you."
)


class Mark(Struct, frozen=True):
    """Which delivery an event is, and whether it asks for an answer. It tells nothing to others: ids only."""

    order: str
    index: int
    ask: bool = False


def content(outgoing: Outgoing, person: str) -> dict[str, Any]:
    """The content of the m.room.message for a delivery. `person`: whose direct chat it goes to, `""` for a room.

    It is an `m.text`: clients ring for that, and by default not for an `m.notice`. It mentions whom it is for, so that
    it rings louder than talk."""
    text = outgoing.text.strip()
    if outgoing.ask is not None:
        text = f"{text}\n{REACT[outgoing.language]}"
    return {
        "msgtype": "m.text",
        "body": text,
        "format": "org.matrix.custom.html",
        "formatted_body": formatted(text),
        "m.mentions": {"user_ids": [person]} if person else {"room": True},
        MARK: Mark(outgoing.order, outgoing.index, outgoing.ask is not None),
    }


def formatted(text: str) -> str:
    """Paragraphs and line breaks, and nothing else that could be markup."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "".join(f"<p>{'<br>'.join(html.escape(line) for line in p.split(chr(10)))}</p>" for p in paragraphs)


def transaction(outgoing: Outgoing) -> str:
    """The same for every attempt of a delivery: the homeserver makes one event of it, however often it comes."""
    return f"{outgoing.order}.{outgoing.index}"


# --- what comes in -----------------------------------------------------------------------------------------


class Event(Struct, frozen=True, kw_only=True):
    """An event as the homeserver gives it. `content` is the sender's, who may write what they like."""

    type: str
    sender: str
    event_id: str = ""  # not in the state of an invitation
    content: Any = None
    state_key: str | None = None
    redacts: str = ""  # before room version 11; in the content since
    origin_server_ts: int = 0  # milliseconds since 1970
    unsigned: Any = None

    def mapping(self) -> Mapping[str, Any]:
        return self.content if isinstance(self.content, dict) else {}

    def text(self, name: str) -> str:
        """A text in the content; `""` where there is none."""
        return _text(self.mapping(), name)


def event(raw: Raw) -> Event | None:
    """None for what is no event."""
    try:
        return msgspec.json.decode(raw, type=Event)
    except msgspec.MsgspecError:
        return None


def membership(event: Event | None, person: str) -> str:
    """What an event makes of somebody in its room (`invite`, `join`, `leave`, `ban`); `""` where it changes nothing
    (a new name, say)."""
    if event is None or event.type != "m.room.member" or event.state_key != person:
        return ""
    before = event.unsigned.get("prev_content") if isinstance(event.unsigned, dict) else None
    now = event.text("membership")
    return "" if isinstance(before, dict) and before.get("membership") == now else now


class Said(Struct, frozen=True, kw_only=True):
    """What somebody said. `answers`: the events it may be an answer to, the likeliest first; `edits`: the event it
    replaces, `""` for none."""

    text: str
    answers: tuple[str, ...] = ()
    edits: str = ""
    reaction: bool = False


def said(event: Event) -> Said | None:
    """None for what is no answer: other events, notices (which programs send to one another), reactions to nothing."""
    related = event.mapping().get("m.relates_to")
    related = related if isinstance(related, dict) else {}
    kind, target = _text(related, "rel_type"), _text(related, "event_id")
    if event.type == "m.reaction":
        key = _text(related, "key")
        return Said(text=key, answers=(target,), reaction=True) if kind == "m.annotation" and target and key else None
    if event.type != "m.room.message" or event.text("msgtype") in ("", "m.notice"):
        return None
    body = event.text("body")
    if kind == "m.replace" and target:
        new = event.mapping().get("m.new_content")
        return Said(text=_text(new, "body") if isinstance(new, dict) else body.removeprefix("* "), edits=target)
    replied = related.get("m.in_reply_to")
    replied = _text(replied, "event_id") if isinstance(replied, dict) else ""
    if replied:
        body = without_quote(body)
    root = target if kind == "m.thread" else ""
    if root and related.get("is_falling_back") is True:
        replied = ""  # only there for programs that do not know threads: it is no answer to the message before it
    return Said(text=body, answers=tuple(id_ for id_ in (replied, root) if id_))


def without_quote(body: str) -> str:
    """A reply without the lines that quote what it replies to (spec before v1.13)."""
    lines = body.split("\n")
    while lines and lines[0].startswith(">"):
        del lines[0]
    own = "\n".join(lines).strip()
    return own or body


def mark(event: Event) -> Mark | None:
    """The delivery an event of ours is."""
    try:
        return msgspec.convert(event.mapping().get(MARK), Mark)
    except msgspec.ValidationError:
        return None


def redacted(event: Event) -> str:
    return event.redacts or event.text("redacts")


def _text(mapping: Mapping[str, Any], name: str) -> str:
    value = mapping.get(name)
    return value if isinstance(value, str) else ""
