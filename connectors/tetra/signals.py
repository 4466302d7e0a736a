"""What a text or a status of a radio says, as a signal. Pure."""

from datetime import UTC, datetime

from connectors.hazards import hazard_in
from connectors.tetra import sds
from connectors.tetra.config import Meaning, Sender, TetraSourceConfig
from connectors.tetra.gathering import Message, original
from connectors.tetra.pei import Unread
from connectors.text import digest, one_line
from hub.connector import BadItem, SignalItem
from hub.model.signal import Certainty, Hazard, Info, Named, Signal
from hub.model.trust import Reliability

MEDIA_TYPE = "text/plain; charset=utf-8"
HEADLINE_MAX = 160


def sender_of(message: Message, config: TetraSourceConfig) -> Sender | None:
    """Who speaks; None for whom the configuration does not know."""
    known = config.senders.get(message.caller) or config.groups.get(message.called)
    if known is None and config.others:
        return Sender(name=f"ISSI {message.caller or '?'}", reliability=Reliability.F)
    return known


def item_of(message: Message, config: TetraSourceConfig, now: datetime) -> SignalItem | None:
    """None for what is no signal of this source: somebody unknown, a status without meaning, a report."""
    sender, content = sender_of(message, config), message.content
    if sender is None:
        return None
    group = config.groups.get(message.called)
    if isinstance(content, sds.Text):
        text, language = content.text.strip("\0").strip(), sender.language or config.language
        event, meaning = "", Meaning(event="-", category=sender.category, hazard=_hazard(text, language, config))
    elif isinstance(content, int) and (known := config.statuses.get(str(content))):
        text, event, meaning, language = "", known.event, known, config.language
    else:
        return None
    parameters = {
        "issi": message.caller,
        "group": group.name if group else "",
        "status": str(content) if isinstance(content, int) else "",
    }
    said = event or text
    info = Info(
        language=language,
        categories=(meaning.category,),
        event=event,
        hazard=meaning.hazard,
        severity=meaning.severity,
        certainty=Certainty.UNKNOWN,
        headline=one_line(f"{sender.name}: {said}")[:HEADLINE_MAX],
        description=text,
        parameters=tuple(Named(key, value) for key, value in parameters.items() if value),
    )
    identifier = f"{message.caller or 'unknown'}.{now.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}.{digest(message.original)[:8]}"
    return SignalItem(
        signal=Signal(identifier=identifier, sender=sender.name, sent=now, infos=(info,)),
        key="tetra:" + digest(identifier),
        original=message.original,
        media_type=MEDIA_TYPE,
        reliability=sender.reliability,
    )


def _hazard(text: str, language: str, config: TetraSourceConfig) -> Hazard | None:
    folded = text.casefold()
    for word, hazard in config.words.items():
        if word.casefold() in folded:
            return hazard
    return hazard_in(text, language)


def bad_item(told: Message | Unread, now: datetime) -> BadItem:
    if isinstance(told, Unread):
        reason, raw = told.reason, original(told.lines)
    else:
        reason = "nobody is written for it: add its radio to senders, its talk group to groups, its status to statuses"
        raw = told.original
    key = "tetra-bad:" + digest(raw, now.isoformat())
    return BadItem(reason=reason, original=raw, key=key, media_type=MEDIA_TYPE)
