"""What of a CAP 1.2 alert is not as the standard wants it, also where the published schema lets it through. Pure."""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

from lxml import etree

from hub.model.cap import NAMESPACE
from hub.model.signal import Category, Certainty, MsgType, ResponseType, Scope, Severity, Status, Urgency

SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
HEADLINE_MAX = 160  # 3.2.2

_ALERT = (
    *("identifier", "sender", "sent", "status", "msgType", "source", "scope", "restriction", "addresses", "code"),
    *("note", "references", "incidents", "info"),
)
_INFO = (
    *("language", "category", "event", "responseType", "urgency", "severity", "certainty", "audience", "eventCode"),
    *("effective", "onset", "expires", "senderName", "headline", "description", "instruction", "web", "contact"),
    *("parameter", "resource", "area"),
)
_AREA = ("areaDesc", "polygon", "circle", "geocode", "altitude", "ceiling")
_PAIR = ("valueName", "value")
_MANY = frozenset({"code", "info", "category", "responseType", "eventCode", "parameter", "resource", "area", "polygon"})
_MANY |= {"circle", "geocode"}
_NEEDED = {
    "alert": ("identifier", "sender", "sent", "status", "msgType", "scope"),
    "info": ("category", "event", "urgency", "severity", "certainty"),
    "area": ("areaDesc",),
    "pair": _PAIR,
}
_WORDS: dict[str, type[StrEnum]] = {
    "status": Status,
    "msgType": MsgType,
    "scope": Scope,
    "category": Category,
    "responseType": ResponseType,
    "urgency": Urgency,
    "severity": Severity,
    "certainty": Certainty,
}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
_NAME = re.compile(r"[^\s,<>&]+")
_REFERENCE = re.compile(rf"[^\s,<>&]+,[^\s,<>&]+,{_TIME.pattern}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_POINT = re.compile(r"(-?\d{1,3}(?:\.\d+)?),(-?\d{1,3}(?:\.\d+)?)")


def problems(root: etree._Element) -> list[str]:
    """Each with where it is; none of an alert that is as it should be."""
    return list(_alert(root))


def _alert(root: etree._Element) -> Iterator[str]:
    if root.tag != f"{{{NAMESPACE}}}alert":
        yield f"{root.tag}: no alert of CAP 1.2"
        return
    children = [child for child in root if child.tag != SIGNATURE]
    if len(root) > len(children) and root[-1].tag != SIGNATURE:
        yield "alert: the signature does not come last"
    yield from _shape("alert", "alert", children, _ALERT)
    for name in ("identifier", "sender"):
        if not _NAME.fullmatch(_text(root, name)):
            yield f"alert/{name}: holds a blank, a comma, < or &"
    references = _text(root, "references").split()
    if any(not _REFERENCE.fullmatch(reference) for reference in references):
        yield "alert/references: not sender,identifier,sent"
    if _text(root, "msgType") in (MsgType.UPDATE, MsgType.CANCEL) and not references:
        yield "alert/references: an Update or a Cancel refers to nothing"
    if _text(root, "status") == Status.EXERCISE and not _text(root, "note"):
        yield "alert/note: does not say which exercise it is"
    languages = [_text(info, "language") for info in root.iter(f"{{{NAMESPACE}}}info")]
    if len(set(languages)) < len(languages):
        yield "alert/info: two blocks in one language"
    for info in root.iter(f"{{{NAMESPACE}}}info"):
        yield from _info(info)


def _info(info: etree._Element) -> Iterator[str]:
    where = f"info[{_text(info, 'language')}]"
    yield from _shape(where, "info", list(info), _INFO)
    if not _LANGUAGE.fullmatch(_text(info, "language") or "en-US"):
        yield f"{where}/language: no language of RFC 3066"
    if len(_text(info, "headline")) > HEADLINE_MAX:
        yield f"{where}/headline: more than {HEADLINE_MAX} characters"
    for area in info.iter(f"{{{NAMESPACE}}}area"):
        yield from _shape(f"{where}/area", "area", list(area), _AREA)
        for ring in area.iter(f"{{{NAMESPACE}}}polygon"):
            points = [_POINT.fullmatch(point) for point in (ring.text or "").split()]
            if any(p is None or abs(float(p[1])) > 90 or abs(float(p[2])) > 180 for p in points):
                yield f"{where}/area/polygon: no lat,lon pairs"
            elif len(points) < 4 or (ring.text or "").split()[0] != (ring.text or "").split()[-1]:
                yield f"{where}/area/polygon: not closed, or fewer than four pairs"
    for pair in info.iter(f"{{{NAMESPACE}}}parameter", f"{{{NAMESPACE}}}geocode"):
        yield from _shape(f"{where}/{_name(pair)}", "pair", list(pair), _PAIR)


def _shape(where: str, kind: str, children: Sequence[etree._Element], order: Sequence[str]) -> Iterator[str]:
    """Known children, in order, those that are needed, none empty, each with a word that it may have."""
    names = [_name(child) for child in children]
    if unknown := [name for name in names if name not in order]:
        yield f"{where}: {', '.join(unknown)}: not known there"
        return
    places = [order.index(name) for name in names]
    if places != sorted(places):
        yield f"{where}: {', '.join(names)}: not in order"
    for name in dict.fromkeys(names):
        if names.count(name) > 1 and name not in _MANY:
            yield f"{where}/{name}: more than once"
    for name in _NEEDED[kind]:
        if name not in names:
            yield f"{where}/{name}: missing"
    for name, child in zip(names, children, strict=True):
        text = child.text or ""
        if not len(child) and not text.strip():
            yield f"{where}/{name}: empty"
        elif name in _WORDS and text not in list(_WORDS[name]):
            yield f"{where}/{name}: {text[:40]!r} is not one of CAP's words"
        elif name in ("sent", "effective", "onset", "expires") and not _TIME.fullmatch(text):
            yield f"{where}/{name}: {text[:40]!r} is no time of CAP"


def _name(element: etree._Element) -> str:
    name = str(element.tag)
    return name.removeprefix(f"{{{NAMESPACE}}}")


def _text(element: etree._Element, name: str) -> str:
    return element.findtext(f"{{{NAMESPACE}}}{name}") or ""
