"""From a released broadcast to the alert that stands for it on the CAP feed, as a Signal: what the hub reads of others
is what it says itself. Pure.

An alert is an Alert; a correction and an all-clear are Updates, the latter with AllClear; what is stopped before it is
done is withdrawn by a Cancel. One block for each language; what is no earnest says so in every one of its texts.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from hub.cap.standing import ASSUMED
from hub.config.cap import EXPIRES_S_MAX, CapForm
from hub.config.groups import Areas
from hub.dispatch.render import EVERYWHERE, Texts, render
from hub.engine.state import Broadcast
from hub.model.area import Area, Geocode, Point
from hub.model.broadcast import Cap, Content, Kind, RegisteredIn
from hub.model.cap import clean
from hub.model.message import Message, Text
from hub.model.people import Language
from hub.model.signal import Certainty, Info, MsgType, Reference, ResponseType, Severity, Signal, Status, Urgency

LANGUAGES = {Language.FR: "fr-BE", Language.NL: "nl-BE", Language.DE: "de-DE", Language.EN: "en-GB"}
ALL_CLEAR_S = 3600.0  # for so long at least an all-clear or a Cancel is in force
TEXT_MAX = 8_000  # characters of a description or an instruction
CODE = "NIS"  # how Belgian communes are known

_MESSAGE = "cap"
_WITHDRAWN = {
    Language.FR: ("Alerte retirée: {headline}", "Cette alerte est retirée: elle n'est plus valable."),
    Language.NL: ("Waarschuwing ingetrokken: {headline}", "Deze waarschuwing is ingetrokken: ze geldt niet meer."),
    Language.DE: ("Warnung zurückgezogen: {headline}", "Diese Warnung ist zurückgezogen: Sie gilt nicht mehr."),
    Language.EN: ("Alert withdrawn: {headline}", "This alert has been withdrawn: it is no longer valid."),
}
_WITHIN_SHAPE = {Language.FR: "zone délimitée", Language.NL: "afgebakende zone", Language.DE: "abgegrenztes Gebiet",
                 Language.EN: "marked area"}  # fmt: skip


class Follows(Struct, frozen=True, kw_only=True):
    """The alerts that this one replaces or withdraws, from the first; `until`: how long they would be in force."""

    references: tuple[Reference, ...] = ()
    until: datetime | None = None


def alert_of(
    broadcast: Broadcast,
    content: Content,
    *,
    form: CapForm,
    texts: Texts,
    areas: Areas,
    sent: datetime,
    follows: Follows,
    withdraws: bool = False,
) -> Signal:
    """The alert; `withdraws`: the Cancel of a broadcast that was stopped. `sent`: when it is made. The content's `cap`
    must be there."""
    cap = content.cap
    assert cap is not None, "what is not published has no alert"
    msg_type = MsgType.CANCEL if withdraws else MsgType.UPDATE if follows.references else MsgType.ALERT
    if withdraws:
        cap = replace(cap, response=(ResponseType.NONE,), urgency=Urgency.PAST, severity=Severity.MINOR, onset=None)
        cap = replace(cap, instruction={})
    expires = _expires(cap, sent, follows, ends=withdraws or broadcast.kind is Kind.ALL_CLEAR)
    return Signal(
        identifier=identifier(form, broadcast.id, withdraws),
        sender=form.sender,
        sent=sent,
        status=broadcast.status,
        msg_type=msg_type,
        note="" if broadcast.status is Status.ACTUAL else EVERYWHERE,
        references=follows.references,
        infos=tuple(
            _info(language, broadcast.status, content, cap, form, texts, areas, expires, withdraws)
            for language in Language
        ),
    )


def bare_cancel(broadcast: Broadcast, *, form: CapForm, sent: datetime, follows: Follows) -> Signal:
    """The Cancel of a broadcast whose words were erased: it has no block, and withdraws all the same."""
    return Signal(
        identifier=identifier(form, broadcast.id, withdraws=True),
        sender=form.sender,
        sent=sent,
        status=broadcast.status,
        msg_type=MsgType.CANCEL,
        note="" if broadcast.status is Status.ACTUAL else EVERYWHERE,
        references=follows.references,
    )


def identifier(form: CapForm, broadcast: str, withdraws: bool = False) -> str:
    """Of the alert that stands for a broadcast, or of its Cancel: never anything else's, on whatever machine."""
    return ".".join(filter(None, (form.identifiers, broadcast))) + ("-cancel" if withdraws else "")


def _expires(cap: Cap, sent: datetime, follows: Follows, ends: bool) -> datetime:
    last = sent + timedelta(seconds=EXPIRES_S_MAX)
    if ends:  # who still shows what it ends must be able to find it
        return min(last, max(sent + timedelta(seconds=ALL_CLEAR_S), follows.until or sent))
    if cap.expires is not None and cap.expires > sent:
        return min(last, cap.expires)
    return sent + timedelta(seconds=cap.expires_s or ALL_CLEAR_S)


def _info(
    language: Language,
    status: Status,
    content: Content,
    cap: Cap,
    form: CapForm,
    texts: Texts,
    areas: Areas,
    expires: datetime,
    withdraws: bool,
) -> Info:
    words = content.texts[language]
    if withdraws:
        headline, said = _WITHDRAWN[language]
        named = " ".join((words.subject or words.text.strip().partition("\n")[0]).split())
        words = Text(text=said, subject=headline.replace("{headline}", named))
    said_as = _saying(texts, language, status)
    headline, description = said_as(words)
    event, _ = said_as(Text(text=clean(cap.event.get(language, "")) or ASSUMED.event[language]))
    return Info(
        language=LANGUAGES[language],
        categories=cap.category,
        event=event,
        response_types=cap.response,
        urgency=cap.urgency or Urgency.UNKNOWN,
        severity=cap.severity or Severity.UNKNOWN,
        certainty=cap.certainty or Certainty.UNKNOWN,
        onset=cap.onset,
        expires=expires,
        sender_name=clean(form.name[language]),
        headline=headline,
        description=description,
        instruction=_bounded(cap.instruction.get(language, "")),
        web=cap.web or form.web or "",
        contact=clean(cap.contact or form.contact),
        areas=() if content.registered is None else (area_of(content.registered, areas, language),),
    )


def _saying(texts: Texts, language: Language, status: Status) -> Callable[[Text], tuple[str, str]]:
    """A headline and a text, with what says that it is an exercise before both."""

    def said(words: Text) -> tuple[str, str]:
        # Braces would be filled in: a broadcast has none (it is refused), what others wrote may.
        plain = Text(
            text=_bounded(words.text).translate(_NO_BRACES), subject=clean(words.subject).translate(_NO_BRACES)
        )
        alone = replace(texts, messages={**texts.messages, _MESSAGE: Message(id=_MESSAGE, texts={language: plain})})
        rendered = render(alone, _MESSAGE, language, status=status)
        return rendered.subject, rendered.text

    return said


_NO_BRACES = str.maketrans("{}", "()")


def _bounded(text: str) -> str:
    text = clean(text)
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 3].rsplit(" ", 1)[0] + "..."


# --- where -------------------------------------------------------------------------------------------------


def area_of(where: RegisteredIn, areas: Areas, language: Language) -> Area:
    """Where a broadcast goes. A polygon stands alone: what is given must all hold, and the geometries of CAP are a
    union. Streets have no shape: they stand in the description."""
    named = [areas.name(text, language) for text in where.areas]
    said = [clean(text) for text in where.streets]
    within = ", ".join(named)
    description = f"{', '.join(said)} ({within})" if said and named else ", ".join([*said, *named])
    if where.polygon:
        shape = _WITHIN_SHAPE[language]
        ring = closed(where.polygon)
        return Area(description=f"{description}: {shape}" if description else shape, polygons=(ring,))
    return Area(description=description, geocodes=tuple(Geocode(CODE, code) for code in codes(where, areas)))


def codes(where: RegisteredIn, areas: Areas) -> Sequence[str]:
    """The codes of the communes, each once."""
    return tuple(dict.fromkeys(code for text in where.areas for code in areas.codes(text, CODE)))


def closed(corners: Sequence[Point]) -> tuple[Point, ...]:
    ring = tuple((round(lat, 6), round(lon, 6)) for lat, lon in corners)
    return ring if ring[0] == ring[-1] else (*ring, ring[0])


def minded(where: RegisteredIn, areas: Areas) -> Iterator[str]:
    """What whoever releases it should know of where it is read."""
    if where.streets and not where.polygon:
        if where.areas:
            yield f"CAP: streets have no shape there: whoever goes by codes warns all of {', '.join(where.areas)}"
        else:
            yield "CAP: streets have no shape there: alert hubs read of them at most; add areas or a polygon"
    if where.areas and not where.polygon and (lacking := [a for a in where.areas if not areas.codes(a, CODE)]):
        yield f"CAP: no {CODE} code is known for {', '.join(lacking)}: alert hubs find the name only"
    if where.areas and where.polygon:
        yield "CAP: the polygon is published as it is, also where it lies outside the areas"
