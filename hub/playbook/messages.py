"""Reading config/messages.yaml: each message in French, Dutch, German and English, or all that is wrong with it.

    weather-orange:
      fr:
        text: "{headline} ({area}). Début {onset}."    # SMS, and mail where nothing else is given
        subject: Alerte météo                          # mail; otherwise the text's first line
        voice: Alerte météo pour {area}. {headline}.   # spoken; otherwise the text
      nl: ...                                          # or the text itself, where it is all there is

Pure: text in, structs out.
"""

import re
from collections.abc import Collection, Mapping
from typing import Annotated

from msgspec import Meta, Struct

from hub.binding import Misfit, Reads, bind
from hub.findings import Finding, choice, errors
from hub.model.message import Message, Text
from hub.model.people import Language
from hub.model.sms import segments
from hub.yaml import Document, Node, read
from hub.yaml import Mapping as MappingNode

# What the hub itself can fill in (hub/dispatch/render.py). What a sheet asks of a person who starts it comes on top.
PLACEHOLDERS = (
    "headline", "event", "description", "instruction", "area", "severity", "onset", "expires", "sent", "sender",
    "sheet", "sheets", "code", "codes", "eta", "delegate", "roster", "at", "others",
    "count", "over", "verdict", "number", "report",
)  # fmt: skip
ENCLOSED = ("contacts", "until")  # of a document that goes along: who is on duty where; how long it holds
SMS_PARTS_MAX = 3
# How long what is filled in usually is, to count SMS by.
USUAL = {"headline": 60, "description": 300, "instruction": 120, "area": 40, "onset": 22, "expires": 22, "sent": 22}
USUAL |= {
    "sender": 20,
    "sheet": 35,
    "sheets": 70,
    "code": 1,
    "codes": 5,
    "eta": 3,
    "delegate": 20,
    "roster": 20,
    "at": 22,
    "others": 25,
    "count": 2,
    "over": 2,
    "verdict": 9,
    "contacts": 200,
    "until": 35,
    "severity": 8,
    "event": 40,
    "number": 2,
}
HOLE = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


def _message_id(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)?", text):
        raise Misfit("not-an-id", f'"{text}" is no name for a message', "small letters, digits and hyphens")
    return text


class TextForm(Struct, frozen=True, kw_only=True):
    """A text, and what is different in a mail and on the telephone."""

    text: Annotated[
        str, Meta(description="The SMS, and the mail's body", examples=["Gas leak: {headline}. Can you take charge?"])
    ]
    subject: Annotated[
        str, Meta(description="Of the mail; otherwise the text's first line", examples=["Gas leak: {headline}"])
    ] = ""
    voice: Annotated[
        str,
        Meta(
            description="What a call says, written as one speaks; otherwise the text",
            examples=["There is a gas leak. {headline}. Can you take charge?"],
        ),
    ] = ""


class MessageForm(Struct, frozen=True, kw_only=True):
    """What is said in each language: the text itself, or text, subject and voice."""

    fr: Annotated[str | TextForm, Meta(description="In French", examples=["Fuite de gaz: {headline}"])]
    nl: Annotated[str | TextForm, Meta(description="In Dutch", examples=["Gaslek: {headline}"])]
    de: Annotated[str | TextForm, Meta(description="In German", examples=["Gasleck: {headline}"])]
    en: Annotated[str | TextForm, Meta(description="In English", examples=["Gas leak: {headline}"])]


_ID = {"type": "string", "pattern": r"^[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)?$"}
MessagesForm = dict[Annotated[str, Reads(_message_id, _ID)], MessageForm]


def load_messages(
    text: str | bytes, file: str, asked: Collection[str] | None = None
) -> tuple[dict[str, Message] | None, list[Finding]]:
    """The messages by id, or None where one has an error; and all findings. `asked`: names of what sheets ask of who
    starts them by hand; None: not known here, any name may be filled in."""
    document = read(text, file)
    messages = messages_of(document, asked)
    return (None if errors(document.findings) else messages), document.findings


def messages_of(document: Document, asked: Collection[str] | None = None) -> dict[str, Message] | None:
    """The same of a text that was read; those without an error in how they are written, though perhaps in what they
    say (see `document.findings`)."""
    if document.root is None and document.findings:
        return None
    forms = bind(document, document.root, MessagesForm)
    if forms is None:
        return None
    messages = {}
    for message_id, form in forms.items():
        texts = {}
        for language in Language:
            written: str | TextForm = getattr(form, language.value)
            one = TextForm(text=written) if isinstance(written, str) else written
            texts[language] = Text(text=one.text.strip(), subject=one.subject, voice=one.voice.strip())
            _check(document, message_id, language, texts[language], asked)
        _check_same_holes(document, message_id, texts)
        messages[message_id] = Message(id=message_id, texts=texts)
    return messages


def placeholders(message: Message) -> frozenset[str]:
    """The names of what has to be filled in, in any language."""
    return frozenset(name for text in message.texts.values() for name in _holes(text))


def placeholders_of(messages: Mapping[str, Message]) -> dict[str, frozenset[str]]:
    """Message id → what has to be filled in: what `Known.messages` (hub/playbook/lint.py) wants."""
    return {message_id: placeholders(message) for message_id, message in messages.items()}


def _holes(text: Text) -> list[str]:
    return [name for part in (text.text, text.subject, text.voice) for name in HOLE.findall(part)]


def _check(document: Document, message_id: str, language: Language, text: Text, asked: Collection[str] | None) -> None:
    place = place_of(document, message_id, language)
    for name in dict.fromkeys(_holes(text)):
        known = (*PLACEHOLDERS, *ENCLOSED, *(asked or ()))
        wrong = not _NAME.fullmatch(name) if asked is None else name not in known
        if wrong:
            message = f'{message_id} ({language.value}): nothing fills in "{{{name}}}"'
            document.add(place, "unknown-placeholder", message, choice(name, known))
    bare = HOLE.sub("", " ".join((text.text, text.subject, text.voice)))
    if "{" in bare or "}" in bare:
        message = f"{message_id} ({language.value}): a brace is opened or closed by itself"
        document.add(place, "lone-brace", message, 'write "{headline}"')
    if not text.text:
        document.add(place, "empty", f"{message_id} ({language.value}) has no text", "write what it says")
    parts = bare_parts(text.text)
    if parts > SMS_PARTS_MAX:
        document.add(
            place, "long-sms",
            f"{message_id} ({language.value}) takes about {parts} SMS",
            f"at most {SMS_PARTS_MAX}: shorten it", warning=True,
        )  # fmt: skip


def bare_parts(text: str) -> int:
    """How many SMS a text is, with what is filled in as long as it usually is and nothing added by the hub."""
    return segments(HOLE.sub(lambda hole: "x" * USUAL.get(hole[1], 20), text)).parts


def _check_same_holes(document: Document, message_id: str, texts: Mapping[Language, Text]) -> None:
    """A fact that stands in one language and not in another is a mistake of translation."""
    everywhere = {language: set(HOLE.findall(text.text)) for language, text in texts.items()}
    union = set().union(*everywhere.values())
    for language, holes in everywhere.items():
        for name in sorted(union - holes):
            document.add(
                place_of(document, message_id, language), "missing-placeholder",
                f'{message_id}: "{{{name}}}" stands in another language, not in {language.value}',
                "say the same in all four", warning=True,
            )  # fmt: skip


def place_of(document: Document, message_id: str, language: Language) -> Node | None:
    node = document.at(message_id, language.value)
    return node.get("text") or node if isinstance(node, MappingNode) else node
