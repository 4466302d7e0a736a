"""Foreign text made safe to work with: encodings, the XML prolog, plain text out of HTML, instants, digests.

Pure. Nothing here raises for bad content unless its docstring says so.
"""

import codecs
import hashlib
import html
import re
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice

from lxml import etree

from hub.connector import ReadError

BYTES_MAX = 10 * 1024 * 1024

# --- bytes to text -----------------------------------------------------------------------------------------

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED = ((b"<\0?\0", "utf-16-le"), (b"\0<\0?", "utf-16-be"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))
_DECLARED = re.compile(rb"""^\s{0,64}<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_DECLARATION = re.compile(r"^\s*<\?xml\b[^>]{0,400}?\?>")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# Multi-byte sequences that are good UTF-8: Latin letters with accents, and what lies above.
_GOOD_UTF8 = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


def decode_xml(data: bytes, charset: str = "") -> tuple[str, tuple[str, ...]]:
    """The text of an XML document without its declaration, and notes on what was odd.

    The order is: byte order mark, the document's own declaration, the transport's `charset`, UTF-8 (RFC 7303; a
    declaration beats the transport, since servers guess and authors know). What then is not valid is read as UTF-8
    with replacement characters where most of it is UTF-8, otherwise as Windows-1252: a warning with one broken
    letter is still a warning. Characters that XML forbids are dropped.
    """
    notes: list[str] = []
    encoding = ""
    for mark, name in _BOMS:
        if data.startswith(mark):
            data, encoding = data[len(mark) :], name
            break
    if not encoding:
        encoding = next((name for start, name in _UNMARKED if data.startswith(start)), "")
    if not encoding:
        declared = _DECLARED.match(data[:512])
        encoding = known_encoding(declared.group(1).decode("ascii")) if declared else ""
        if declared and not encoding:
            notes.append("declares an encoding that is not known: read as UTF-8")
    encoding = encoding or known_encoding(charset) or "utf-8"
    try:
        text = data.decode(encoding)
    except (UnicodeError, ValueError):
        bad = data.decode("utf-8", "replace").count("�")
        mostly_utf8 = encoding.replace("_", "-") == "utf-8" and len(_GOOD_UTF8.findall(data)) >= bad
        fallback = "utf-8" if mostly_utf8 or encoding.startswith("utf-16") else "windows-1252"
        text = data.decode(fallback, "replace")
        notes.append(f"not valid {encoding}: read as {fallback}, some characters may be wrong")
    text = _DECLARATION.sub(_keep_lines, text, count=1)
    clean = _ILLEGAL.sub("", text)
    if clean != text:
        notes.append("characters that XML forbids were dropped")
    return clean.replace("\r\n", "\n"), tuple(notes)


def known_encoding(name: str) -> str:
    """The canonical name of a text encoding Python knows, or `""`."""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    # Codecs that are no character sets ("hex", "zip", "rot13", "idna") would read anything.
    if not getattr(found, "_is_text_encoding", True) or found.name in {"idna", "punycode", "undefined", "utf-7"}:
        return ""
    if "escape" in found.name or found.name in {"mbcs", "oem"}:
        return ""
    return found.name


def _keep_lines(match: re.Match[str]) -> str:
    return "\n" * match.group().count("\n")


def doctype(text: str) -> tuple[int, int] | None:
    """Where the document type declaration of an XML text starts and ends (offsets), or None. Linear."""
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if text.startswith("<!--", at):
            end = text.find("-->", at + 4)
            at = end + 3
        elif text.startswith("<?", at):
            end = text.find("?>", at + 2)
            at = end + 2
        elif text[at : at + 9].upper() == "<!DOCTYPE":
            return at, _doctype_end(text, at)
        else:
            return None
        if end < 0:
            return None


def _doctype_end(text: str, at: int) -> int:
    subset = text.find("[", at)
    end = text.find(">", at)
    if subset < 0 or 0 <= end < subset:
        return len(text) if end < 0 else end + 1
    close = re.compile(r"\]\s{0,64}>").search(text, subset)
    return close.end() if close else len(text)


def place_of(text: str, offset: int) -> str:
    """`line:column` (from 1) of an offset."""
    return f"{text.count(chr(10), 0, offset) + 1}:{offset - text.rfind(chr(10), 0, offset)}"


def parse_xml(text: str) -> etree._Element:
    """The root of an XML text from `decode_xml`. Raises ReadError (with line:column) for what is not well formed
    and for any document type declaration: an alert needs none, and entities are how XML bombs and file thefts work.
    """
    found = doctype(text)
    if found:
        raise ReadError(
            "carries a document type declaration, which can define entities: an alert needs none, remove it",
            place_of(text, found[0]),
        )
    if not text.strip():
        raise ReadError("empty: expected an XML document", "1:1")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        reason = (error.msg or "not well formed").split(", line ")[0]
        raise ReadError(
            f"not well-formed XML ({reason}): send a complete, valid document", f"{line}:{column}"
        ) from None
    if root is None or root.getroottree().docinfo.internalDTD is not None:
        raise ReadError("carries a document type declaration: an alert needs none, remove it", "1:1")
    return root


# --- HTML to plain text ------------------------------------------------------------------------------------

TAGS_MAX = 50_000  # a table of 5,000 rows, or far more words than any signal keeps

_TAGS = re.compile(
    r"</?(?:a|b|blockquote|body|br|center|code|dd|div|dl|dt|em|figure|font|footer|h[1-6]|head|header|hr|html|i|iframe|img|"
    r"li|ol|p|pre|script|section|small|span|strong|style|sub|sup|svg|table|tbody|td|th|tr|u|ul|video)\b[^<>]*>|<!--",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_DROPPED = frozenset({"script", "style", "iframe", "object", "head", "noscript", "svg", "template"})
_BREAKS = frozenset(
    {"p", "div", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "dd", "dt", "pre"}
    | {"blockquote", "section", "article", "header", "footer", "figure"}
)
# Control characters, and the overrides that make a line read backwards.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e\ufffe\uffff]")


def plain_text(markup: str) -> str:
    """The words of a text that may be HTML, as plain text: scripts and tags dropped, blocks and `<br>` as line
    ends, entities resolved. A text without known tags keeps its `<` and its line ends."""
    text = markup
    if _TAGS.search(text):
        text = _without_tags(text)
    elif _ENTITY.search(text):
        text = html.unescape(text)
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " "))
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def one_line(markup: str) -> str:
    """`plain_text` on one line (headlines, events, names)."""
    return " ".join(plain_text(markup).split())


def _without_tags(markup: str) -> str:
    if markup.count("<") > TAGS_MAX:  # each is held as an element: what has so many is read as far as that
        markup = markup[: next(islice(re.finditer("<", markup), TAGS_MAX, None)).start()]
    parser = etree.HTMLParser(no_network=True, huge_tree=False, remove_comments=True, remove_pis=True, encoding="utf-8")
    # Line ends are kept as they are: public warnings are laid out with them, HTML or not.
    try:
        root = etree.fromstring(f"<div>{markup}</div>".encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        return html.unescape(_TAGS.sub(" ", markup))
    out: list[str] = []
    skip: etree._Element | None = None
    for event, element in etree.iterwalk(root, events=("start", "end")):
        name = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            if skip is None and name in _DROPPED:
                skip = element
            if skip is None:
                out.append("\n" if name == "br" or name in _BREAKS else "")
                out.append("- " if name == "li" else "")
                out.append(element.text or "")
        else:
            if skip is element:
                skip = None
            if skip is None:
                out.append("\n" if name in _BREAKS else "")
                out.append(element.tail or "")
    return "".join(out)


def web_address(text: str) -> str:
    """An http(s) address, stripped; `""` for anything else (`javascript:`, `file:`, mail, relative ones)."""
    text = text.strip()
    return text if re.match(r"https?://[^\s/]", text, re.IGNORECASE) and len(text) <= 2000 else ""


# --- instants ----------------------------------------------------------------------------------------------

_INSTANT = re.compile(
    r"^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,12})?)?\s*(?:([Zz])|([-+,])(\d{2}):?(\d{2})?)?$"
)
_YEAR_FIRST, _YEAR_LAST = 2000, 2090  # CAP began in 2003; outside these years a clock was wrong


def instant(text: str, notes: list[str], what: str) -> datetime | None:
    """An aware UTC instant from CAP's form of a time (1.2, section 3.3.2), or None with a note saying why not.

    Also read, with a note where it departs: `Z`, fractions (dropped), an offset without colon or with a comma for a
    sign (the published schema lets it through), a blank instead of `T`, no offset (taken as UTC), 24:00."""
    text = text.strip()
    if not text:
        return None
    found = _INSTANT.match(text)
    if not found:
        notes.append(f"{what} {text[:40]!r} is no time: expected 2026-07-14T02:10:00+02:00")
        return None
    year, month, day, hour, minute = (int(part) for part in found.group(1, 2, 3, 4, 5))
    second = int(found.group(6) or 0)
    try:
        extra = timedelta()
        if hour == 24 and minute == second == 0:
            hour, extra = 0, timedelta(days=1)
        if second == 60:
            second, extra = 59, extra + timedelta(seconds=1)
        zone: timezone = UTC
        if found.group(8):
            minutes = int(found.group(9)) * 60 + int(found.group(10) or 0)
            zone = timezone(timedelta(minutes=-minutes if found.group(8) == "-" else minutes))
            if found.group(8) == ",":
                notes.append(f"{what} has a comma for the sign of its offset: read as +")
        elif not found.group(7):
            notes.append(f"{what} has no offset: read as UTC")
        value = (datetime(year, month, day, hour, minute, second, tzinfo=zone) + extra).astimezone(UTC)
    except (ValueError, OverflowError):
        notes.append(f"{what} {text[:40]!r} is no time: expected 2026-07-14T02:10:00+02:00")
        return None
    if not _YEAR_FIRST <= value.year < _YEAR_LAST:
        notes.append(f"{what} {value:%Y-%m-%d} is not credible: the sender's clock may be wrong")
    return value


# --- digests -----------------------------------------------------------------------------------------------


def digest(*parts: str | bytes) -> str:
    """32 hex digits over parts that cannot run into one another."""
    out = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        out.update(len(raw).to_bytes(8, "big"))
        out.update(raw)
    return out.hexdigest()[:32]
