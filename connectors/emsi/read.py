"""An EMSI message (ISO/TR 22351) → a signal. Pure.

CONTEXT is about the message, EVENT about what has happened, MISSION and RESOURCE about what is done. What has no field
in a signal is a parameter, by its path: EVENT/CAUSE is `event_cause`. Required is CONTEXT with an ID; everything else
has a meaning that is safe to act on, and a note.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from lxml import etree

from connectors.cap.alert import status_of
from connectors.cap.node import Node
from connectors.cap.xml import distribution_status, local, node_of
from connectors.emsi.codes import CATEGORIES, COMPLETE, MODES, SCALES, SUPERSEDES, URGENCIES, certainty_of, meaning
from connectors.emsi.place import areas_of
from connectors.hazards import hazard_in
from connectors.text import digest, instant, one_line, plain_text, web_address
from hub.connector import ReadError
from hub.model.area import Area
from hub.model.signal import (
    Category,
    Certainty,
    Hazard,
    Info,
    MsgType,
    Named,
    Reference,
    Resource,
    ResponseType,
    Scope,
    Severity,
    Signal,
    Urgency,
)

MEDIA_TYPE = "application/emsi+xml"
_NAME_MAX = 1000
_HEADLINE_MAX = 160
_TEXT_MAX = 20_000
_PARAMETERS_MAX = 200
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS = ("CONTEXT", "EVENT", "MISSION", "RESOURCE")
# Fields of the signal are made of these; they are no parameters besides.
_READ = frozenset(
    {
        *("context_id", "context_mode", "context_msgtype", "context_creation", "context_freetext"),
        *(
            "context_origin_org_id",
            "context_origin_name",
            "context_origin_user_id",
            "context_link_id",
            "context_link_role",
        ),
        *("context_link_link_role", "event_id", "event_main_event_id", "event_name", "event_freetext"),
        *("event_occ_datime", "event_decl_datime"),
    }
)


def messages_in(root: etree._Element) -> Iterator[etree._Element]:
    """The messages of a tree, in order: each element that holds a CONTEXT with something in it."""
    for context in root.iter("{*}CONTEXT"):
        parent = context.getparent()
        # CASUALTIES have a CONTEXT too, which is one word.
        if parent is not None and len(context) and parent.find("{*}CONTEXT") is context:
            yield parent


def signal_of(message: etree._Element, language: str, now: datetime | None) -> tuple[Signal, str]:
    """The signal of a message, and the key that makes it idempotent (sender, ID, content). `language`: of its texts,
    for EMSI does not say. `now` stands in for a missing CREATION. Raises ReadError without an ID."""
    node = node_of(message, local(message))
    (context, *_), event = node.all("CONTEXT"), next(iter(node.all("EVENT")), Node())
    notes: list[str] = []
    identifier = " ".join(context.first("ID").split())
    if not identifier:
        raise ReadError("CONTEXT/ID is missing: without it nothing can be updated or withdrawn", context.place)
    if len(identifier) > _NAME_MAX:
        raise ReadError(f"CONTEXT/ID has {len(identifier)} characters: at most {_NAME_MAX} are taken", context.place)
    origin = next(iter(context.all("ORIGIN")), Node())
    sender = one_line(origin.first("ORG_ID") or origin.first("NAME") or _outside(message, "senderid"))[:200] or "emsi"
    links = [
        (link.first("ID"), (link.first("ROLE") or link.first("LINK_ROLE")).upper()) for link in context.all("LINK")
    ]
    msg_type, references = _type_and_references(context, links, sender, notes)
    external = [web for info in context.all("EXTERNAL_INFO") if (web := web_address(info.first("URI")))]
    mode = context.first("MODE").upper()
    status = status_of(MODES[mode].value if mode in MODES else mode, distribution_status(message), notes)
    infos = (_info(node, context, event, origin, language, notes),)
    signal = Signal(
        identifier=identifier,
        sender=sender,
        sent=_sent(message, context, event, notes, now),
        status=status,
        msg_type=msg_type,
        scope=Scope.RESTRICTED,  # from one control room to another
        origin=one_line(origin.first("USER_ID"))[:200],
        restriction=one_line(context.first("SECLASS"))[:200],
        references=references,
        incidents=tuple(dict.fromkeys(one_line(e) for e in event.texts("ID") + event.texts("MAIN_EVENT_ID"))),
        infos=infos,
        links=tuple(dict.fromkeys(external)),
        notes=tuple(dict.fromkeys(notes))[:40],
    )
    return signal, "emsi:" + digest(sender, identifier, node.fingerprint())


def _type_and_references(
    context: Node, links: list[tuple[str, str]], sender: str, notes: list[str]
) -> tuple[MsgType, tuple[Reference, ...]]:
    """A message that supersedes another takes its place; an update or a cancellation is about all that it names."""
    written = context.first("MSGTYPE").upper()
    superseded = [name for name, role in links if name and role == SUPERSEDES]
    kinds = {kind.upper(): kind for kind in MsgType}
    if written in kinds:
        kind = kinds[written]
    else:  # REPORT, or a word nobody knows
        kind = MsgType.UPDATE if superseded else MsgType.ALERT
        if written != "REPORT":
            notes.append(f"MSGTYPE {written[:40]!r} is read as {kind}" if written else f"MSGTYPE is missing: {kind}")
    names = superseded if kind is MsgType.ALERT else superseded or [name for name, _ in links if name]
    if names and kind is MsgType.ALERT:
        kind = MsgType.UPDATE
        notes.append("it says ALERT and supersedes another: read as Update")
    if kind in (MsgType.UPDATE, MsgType.CANCEL) and not names:
        notes.append(f"{kind} without LINK: what it replaces must be found by its event and area")
    return kind, tuple(Reference(sender, one_line(name)) for name in dict.fromkeys(names))


def _sent(message: etree._Element, context: Node, event: Node, notes: list[str], now: datetime | None) -> datetime:
    written = (
        ("CREATION", context.first("CREATION")),
        ("the envelope's time", _outside(message, "datetimesent", "sentat")),
        ("OBS_DATIME", event.first("OBS_DATIME")),
        ("DECL_DATIME", event.first("DECL_DATIME")),
    )
    for name, text in written:
        if text and (at := instant(text, notes, name)) is not None:
            return at
    notes.append("it has no time: " + ("when it was first seen is taken" if now else "none is known"))
    return now or _NO_TIME


def _info(node: Node, context: Node, event: Node, origin: Node, language: str, notes: list[str]) -> Info:
    missions = node.all("MISSION")
    texts = [context.first("FREETEXT"), event.first("FREETEXT")]
    texts += [": ".join(filter(None, (m.first("NAME"), m.first("FREETEXT")))) for m in missions if m.first("FREETEXT")]
    description = "\n\n".join(dict.fromkeys(text for one in texts if (text := plain_text(one))))[:_TEXT_MAX]
    name = one_line(event.first("NAME"))
    headline = (name or one_line(description))[:_HEADLINE_MAX]
    categories, hazard = _kinds(event, notes)
    over = event.first("STATUS").upper() == COMPLETE
    positions = [p for egeo in event.all("EGEO") for p in egeo.all("POSITION")]
    return Info(
        language=language,
        categories=categories,
        event=name,
        hazard=hazard or hazard_in(f"{name} {description}", language),
        response_types=(ResponseType.ALL_CLEAR,) if over else (),
        urgency=Urgency.PAST if over else URGENCIES.get(context.first("URGENCY").upper(), Urgency.UNKNOWN),
        severity=_severity(event, notes),
        certainty=_certainty(event, notes),
        event_codes=tuple(Named("EMSI", code) for code in _codes(event)),
        onset=_time(event, "OCC_DATIME", notes) or _time(event, "DECL_DATIME", notes),
        sender_name=one_line(origin.first("NAME"))[:200],
        headline=headline,
        description=description,
        parameters=_parameters(node, notes),
        resources=_resources(context),
        areas=_areas(positions, missions, notes),
    )


def _time(event: Node, name: str, notes: list[str]) -> datetime | None:
    return instant(event.first(name), notes, name)


def _areas(positions: list[Node], missions: list[Node], notes: list[str]) -> tuple[Area, ...]:
    """Where it is; of an event that does not say so, where somebody is sent."""
    return areas_of(positions or [p for mission in missions for p in mission.all("POSITION")], notes)


def _codes(event: Node) -> list[str]:
    return [code for etype in event.all("ETYPE") for code in etype.texts("CATEGORY")][:20]


def _kinds(event: Node, notes: list[str]) -> tuple[tuple[Category, ...], Hazard | None]:
    categories: dict[Category, None] = {}
    hazards: list[Hazard] = []
    for code in _codes(event):
        found = meaning(code, CATEGORIES)
        if found is None:
            notes.append(f"ETYPE/CATEGORY {code[:40]!r} is not known: Other")
        categories[found[0] if found else Category.OTHER] = None
        hazards += [found[1]] if found and found[1] else []
    return tuple(categories), next(iter(hazards), None)


def _severity(event: Node, notes: list[str]) -> Severity:
    """By SCALE; where there is none, what has cost lives or may is severe."""
    scale = event.first("SCALE")
    if scale in SCALES:
        return SCALES[scale]
    if scale:
        notes.append(f"SCALE {scale[:40]!r} is none of 1 to 5")
    worst = ("TRIAGERED", "TRIAGEBLACK")
    if any(_count(casualties.first(name)) for casualties in event.all("CASUALTIES") for name in worst):
        notes.append("no SCALE, and casualties triaged red or black: taken as Severe")
        return Severity.SEVERE
    return Severity.UNKNOWN


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _certainty(event: Node, notes: list[str]) -> Certainty:
    text = event.first("CERTAINTY")
    if not text:
        return Certainty.UNKNOWN
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 100):
        notes.append(f"CERTAINTY {text[:40]!r} is none of 0 to 100")
        return Certainty.UNKNOWN
    return certainty_of(int(text))


def _parameters(node: Node, notes: list[str]) -> tuple[Named, ...]:
    """What is in no field, by its path; several of one path in one."""
    found: dict[str, list[str]] = {}
    for part in _PARTS:
        for nth, one in enumerate(node.all(part), 1):
            for path, text in _leaves(one, part.lower() if nth == 1 else f"{part.lower()}_{nth}"):
                if path not in _READ:
                    found.setdefault(path, []).append(text)
    if len(found) > _PARAMETERS_MAX:
        notes.append(f"of {len(found)} further values {_PARAMETERS_MAX} are kept as parameters")
    kept = list(found.items())[:_PARAMETERS_MAX]
    return tuple(Named(path, one_line(", ".join(dict.fromkeys(texts)))[:400]) for path, texts in kept)


def _leaves(node: Node, path: str) -> Iterator[tuple[str, str]]:
    for name, children in node.children.items():
        inner = f"{path}_{name.lower()}"
        if inner.endswith("_position"):
            continue  # an area
        for child in children:
            if child.text:
                yield inner, child.text
            yield from _leaves(child, inner)


def _resources(context: Node) -> tuple[Resource, ...]:
    return tuple(
        Resource(
            description=one_line(info.first("FREETEXT") or info.first("TYPE"))[:400] or "external information",
            uri=web_address(info.first("URI")),
        )
        for info in context.all("EXTERNAL_INFO")[:50]
        if web_address(info.first("URI"))
    )


def _outside(message: etree._Element, *names: str) -> str:
    """What an envelope around the message says."""
    for ancestor in message.iterancestors():
        for child in ancestor:
            if local(child).lower() in names and (child.text or "").strip():
                return (child.text or "").strip()
    return ""
