"""What a watched part of a web page says, line by line. Pure."""

import re
from collections.abc import Sequence

import re2
from cssselect import SelectorError
from lxml import etree
from lxml.cssselect import CSSSelector
from msgspec import Struct

from connectors.text import digest, one_line, plain_text
from hub.connector import ReadError

LINES_MAX = 2_000
LINE_MAX = 500  # characters
_DEPTH_MAX = 250


class Said(Struct, frozen=True):
    """`title`: the page's; `lines`: what the watched parts say, each once, in order."""

    title: str
    lines: tuple[str, ...]


def selector(text: str) -> CSSSelector:
    """Raises ValueError for what is none."""
    try:
        return CSSSelector(text, translator="html")
    except SelectorError as error:
        raise ValueError(f"{text!r} is no CSS selector ({error}): write #news, .alert, main article") from None


def said(data: bytes, charset: str, watch: str, ignore: Sequence[str], ignore_text: Sequence[str]) -> Said:
    """The lines of the parts that `watch` finds, without those that `ignore` does and what `ignore_text` matches.
    Raises ReadError where there is no such part."""
    parser = etree.HTMLParser(
        no_network=True, huge_tree=False, remove_comments=True, remove_pis=True, encoding=charset or _charset(data)
    )
    try:
        root = etree.fromstring(data, parser) if data.strip() else None
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise ReadError(f"cannot be read as a web page ({error})") from error
    if root is None:
        raise ReadError("the page is empty")
    titles = root.findtext(".//title") or ""
    for pattern in ignore:
        for element in _found(pattern, root):
            _drop(element)
    parts = _found(watch, root)
    if not parts:
        raise ReadError(f"nothing on the page is {watch}: its layout has changed, correct watch")
    kept: dict[str, None] = {}
    for part in parts:
        part.tail = None
        text = plain_text(etree.tostring(part, encoding="unicode", method="html"))
        for line in text.split("\n"):
            for pattern in ignore_text:
                line = re2.sub(pattern, "", line)
            if re.search(r"\w", line):
                kept[one_line(line)[:LINE_MAX]] = None
    return Said(one_line(titles)[:200], tuple(kept)[:LINES_MAX])


def _charset(data: bytes) -> str | None:
    """What a page is written in that neither server nor page names: UTF-8 where it can be, as nearly all are."""
    if re.search(rb"<meta[^>]{0,200}charset", data[:4096], re.IGNORECASE) or data.startswith(
        (b"\xff\xfe", b"\xfe\xff")
    ):
        return None  # the parser reads it there
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def _found(pattern: str, root: etree._Element) -> list[etree._Element]:
    found = selector(pattern)(root)
    return [one for one in found if isinstance(one, etree._Element)] if isinstance(found, list) else []


def _drop(element: etree._Element) -> None:
    above = element.getparent()
    if above is None:
        return
    before = element.getprevious()
    tail = element.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        above.text = (above.text or "") + tail
    above.remove(element)


def mark(line: str) -> str:
    """By what a line is known again, without keeping it."""
    return digest(line)[:16]
