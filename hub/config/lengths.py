"""How many SMS a message is as it goes out: with an exercise's banner, a repetition's mark, and how to answer."""

from collections.abc import Iterator

from msgspec import Struct

from hub.config.whole import Config
from hub.dispatch.render import Room, Texts, render
from hub.model import sms
from hub.model.message import Message
from hub.model.people import Language
from hub.model.signal import Status
from hub.playbook.language import Call, Notify, SendContacts, Step
from hub.playbook.messages import HOLE, SMS_PARTS_MAX, USUAL, bare_parts, place_of
from hub.yaml import Document, Mapping

_CODE = "B"


class Use(Struct, frozen=True):
    """A step says a message over a channel that sends SMS; `asks`: how to answer is added."""

    sheet: str
    step: str
    message: str
    channel: str
    asks: bool


def check_lengths(config: Config) -> None:
    """Adds a finding where what a step says is too long for its channel: one for each text."""
    texts = config.texts_in_force()
    uses: dict[str, dict[tuple[str, bool], Use]] = {}
    for use in _uses(config):
        uses.setdefault(use.message, {}).setdefault((use.channel, use.asks), use)
    for name, document in config.documents.items():
        if not name.startswith("messages") or not isinstance(document.root, Mapping):
            continue
        for key, _ in document.root.entries:
            message = config.messages.get(key.text)
            if message is None:
                continue
            for language in Language:
                any(_check(config, texts, document, use, message, language) for use in uses.get(key.text, {}).values())


def _uses(config: Config) -> Iterator[Use]:
    for sheet in config.playbooks:
        for step in sheet.steps:
            action = step.action
            if isinstance(action, Notify | SendContacts):
                by = action.by
            elif isinstance(action, Call) and action.chain in config.chains:
                by = _channels(config, action.chain)
            else:
                continue
            for channel in by:
                if channel in config.channels and config.channels[channel].limits.parts:
                    yield Use(sheet.name, step.name, _says(step), channel, isinstance(action, Call))


def _says(step: Step) -> str:
    return step.action.say if isinstance(step.action, Call | Notify | SendContacts) else ""


def _channels(config: Config, chain: str) -> tuple[str, ...]:
    """All that a chain, and those that go on when nobody is left, ask by."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    while chain in config.chains and chain not in seen:
        seen.add(chain)
        found.update(dict.fromkeys(channel for tier in config.chains[chain].tiers for channel in tier.by))
        chain = config.chains[chain].exhausted
    return tuple(found)


def _check(config: Config, texts: Texts, document: Document, use: Use, message: Message, language: Language) -> bool:
    """Whether it has added a finding."""
    channel = config.channels[use.channel]
    takes = channel.limits.parts
    allowed = min(SMS_PARTS_MAX, takes)
    parts = _parts(texts, use, message, language, Status.ACTUAL, repeat=False)
    most = _parts(texts, use, message, language, Status.EXERCISE, repeat=True)
    place = place_of(document, use.message, language)
    where = f"step {use.step} of {use.sheet}"
    added = " with how to answer" if use.asks else ""
    if parts > allowed:
        if bare_parts(message.texts[language].text) > SMS_PARTS_MAX:
            return False  # it is told of the text by itself
        document.add(
            place, "long-sms",
            f"{use.message} ({language.value}) takes about {parts} SMS by {use.channel}{added} ({where})",
            f"at most {allowed}: shorten it", warning=True,
        )  # fmt: skip
        return True
    if most > takes:
        document.add(
            place, "cut-sms",
            f"{use.message} ({language.value}) takes about {most} SMS by {use.channel} in an exercise, sent once more"
            f"{added} ({where})",
            f"at most {takes} go out: shorten it", warning=True,
        )  # fmt: skip
        return True
    return False


def _parts(texts: Texts, use: Use, message: Message, language: Language, status: Status, *, repeat: bool) -> int:
    """How many SMS it is with what is filled in as long as it usually is."""
    values = [
        (name, "x" * USUAL.get(name, 20))
        for name in set(HOLE.findall(message.texts[language].text))
        if name not in _INSTANTS
    ]
    if use.asks:
        values = [*((n, v) for n, v in values if n != "code"), ("code", _CODE)]
    room = Room(parts=_ALL, answers=use.asks)
    rendered = render(texts, use.message, language, values=values, status=status, repeat=repeat, room=room)
    return sms.segments(rendered.text).parts


_ALL = 999  # nothing is cut
_INSTANTS = {"at"}  # told by the hub alone, in its own messages
