"""What a mail holds: its words, its attachments, the mails it forwards. Pure.

Sources: RFC 2045 to 2047 (MIME, encoded words), RFC 2046 5.1.4 (multipart/alternative), RFC 3676 (format=flowed).

Mail programs get all of this wrong, and a warning is a warning in whatever charset it was mangled. Nothing is unpacked:
an archive is a name and a size.
"""

import hashlib
import re
from collections.abc import Iterator
from email.header import decode_header
from email.message import Message

from msgspec import Struct

from connectors.mail.mime import printable
from connectors.mail.tree import Part
from connectors.text import known_encoding, plain_text

TEXT_MAX = 20_000  # characters
_NAME_MAX = 120
# Bytes that are good UTF-8 beyond ASCII: what calls itself Latin-1 and is all of these is not Latin-1.
_UTF8_LETTER = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_ONE_BYTE = frozenset({"iso8859-1", "iso8859-15", "cp1252", "ascii"})
_OPAQUE = {
    "application/ms-tnef": "Outlook's own format (winmail.dat)",
    "application/vnd.ms-tnef": "Outlook's own format (winmail.dat)",
    "application/pkcs7-mime": "encrypted or signed as one (S/MIME)",
    "application/x-pkcs7-mime": "encrypted or signed as one (S/MIME)",
    "application/pgp-encrypted": "encrypted (PGP)",
}


class Attachment(Struct, frozen=True):
    """A file that came along. `content`: as decoded; the bytes as they came are in the mail."""

    name: str
    media_type: str
    content: bytes

    def sha1(self) -> str:
        """As CAP 3.2.3 wants a digest."""
        return hashlib.sha1(self.content, usedforsecurity=False).hexdigest()


class Content(Struct, frozen=True):
    """`text`: what a reader of the mail would read. `forwarded`: whole mails inside it, as attachments are."""

    text: str
    attachments: tuple[Attachment, ...]
    forwarded: tuple[Message, ...]
    notes: tuple[str, ...]


def content_of(mail: Message) -> Content:
    """What a mail holds. May raise whatever the standard library's parser does for what is broken."""
    found = _Walk()
    found.into(mail)
    text = "\n\n".join(part for part in found.plain if part.strip()).strip()
    if len(text) > TEXT_MAX:
        found.notes.append(f"of its text the first {TEXT_MAX} characters are shown")
    return Content(
        printable(text)[:TEXT_MAX].strip(),
        tuple(found.attachments),
        tuple(found.forwarded),
        tuple(dict.fromkeys(found.notes)),
    )


class _Walk:
    def __init__(self) -> None:
        self.plain: list[str] = []
        self.attachments: list[Attachment] = []
        self.forwarded: list[Message] = []
        self.notes: list[str] = []
        self._parts = 0

    def into(self, part: Message) -> None:
        self._parts += 1
        kind = part.get_content_type()
        if kind == "multipart/alternative" and part.is_multipart():
            self._alternatives(part)
        elif kind.startswith("multipart/") and part.is_multipart():
            for inner in _inside(part):
                self.into(inner)
        elif kind in ("message/rfc822", "message/global") and part.is_multipart():
            self._forwarded(part)
        elif kind in ("text/plain", "text/html") and not _is_file(part):
            self.plain.append(text_of(part))
        else:
            self._attached(part, kind)

    def _alternatives(self, part: Message) -> None:
        """The plain text where it says anything, else what was made of the HTML; the rest is kept as files."""
        texts: list[str] = []
        for inner in _inside(part):
            mark = len(self.plain)
            self.into(inner)
            text = "\n\n".join(self.plain[mark:]).strip()
            del self.plain[mark:]
            texts += [text] if text else []
        if texts:
            self.plain.append(texts[0])

    def _forwarded(self, part: Message) -> None:
        for inner in _inside(part):
            self.forwarded.append(inner)
            name = header(inner, "Subject") or "mail"
            self.attachments.append(Attachment(f"{name[: _NAME_MAX - 4]}.eml", "message/rfc822", _source(part)))

    def _attached(self, part: Message, kind: str) -> None:
        name = _file_name(part) or f"part-{self._parts}"
        try:
            data = part.get_payload(decode=True)
        except Exception:  # an encoding that says one thing and is another: kept as it came
            data = None
        if part.is_multipart():
            data = _source(part)
        elif not isinstance(data, bytes):
            data = str(part.get_payload()).encode("utf-8", "surrogateescape")
        if kind in _OPAQUE:
            self.notes.append(f"{name} is {_OPAQUE[kind]}: kept, not read")
        self.attachments.append(Attachment(name, kind[:100], data))


def _inside(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    yield from (inner for inner in payload if isinstance(inner, Message)) if isinstance(payload, list) else ()


def _source(part: Message) -> bytes:
    return part.source if isinstance(part, Part) else b""


def _is_file(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(_file_name(part))


def _file_name(part: Message) -> str:
    """Only a name: no folder, nothing invisible."""
    try:
        name = part.get_filename("") or ""
    except Exception:  # broken RFC 2231 continuations
        name = ""
    words = " ".join(_whole(name).replace("\\", "/").rpartition("/")[2].split())
    return "".join(char for char in words if char.isprintable())[:_NAME_MAX]


# --- words -------------------------------------------------------------------------------------------------


def text_of(part: Message) -> str:
    """The words of a text part: HTML as plain text, flowed lines put together."""
    text = content(part)
    if part.get_content_type() == "text/html":
        return plain_text(text)
    if str(part.get_param("format", "")).lower() == "flowed":
        return unflowed(text, delsp=str(part.get_param("delsp", "")).lower() == "yes")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def content(part: Message) -> str:
    """A part's text; in an encoding nobody knows, what can be read of it."""
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    return decoded(data, str(part.get_content_charset("") or ""))


def decoded(data: bytes, charset: str) -> str:
    """Text in the charset it says, unless it plainly is another: UTF-8, else Windows-1252, which reads anything."""
    encoding = known_encoding(charset)
    names = [encoding] if encoding and not (encoding in _ONE_BYTE and _UTF8_LETTER.search(data)) else []
    for name in dict.fromkeys([*names, "utf-8", encoding]):
        try:
            if name:
                return data.decode(name)
        except (UnicodeError, LookupError):
            continue
    return data.decode("windows-1252", "replace")


def unflowed(text: str, delsp: bool = False) -> str:
    """Paragraphs as they were written (RFC 3676, 4): a line that ends in a blank goes on in the next."""
    out: list[list[str]] = []
    depth_before, open_ = 0, False
    for line in text.replace("\r\n", "\n").split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        words = line[depth:].removeprefix(" ")
        flows = words.endswith(" ") and words != "-- "
        if flows and delsp:
            words = words[:-1]
        if open_ and depth == depth_before and line[depth:] != "-- ":
            out[-1].append(words)
        else:
            out.append([">" * depth + (" " if depth else "") + words])
        depth_before, open_ = depth, flows
    return "\n".join(map("".join, out))


# --- headers -----------------------------------------------------------------------------------------------


def header(mail: Message, name: str) -> str:
    """A header's text on one line: encoded words decoded, also where a mailer cut one in the middle of a letter."""
    raw = next((value for field, value in mail.raw_items() if field.lower() == name.lower()), "")
    unfolded = re.sub(r"\r?\n[ \t]*", " ", str(raw))[:10_000]
    try:
        # Neighbours in one charset are put together before they are decoded.
        words = [
            decoded(part, charset or "") if isinstance(part, bytes) else part for part, charset in _words(unfolded)
        ]
        text = "".join(words)
    except Exception:  # base64 that is none
        text = unfolded
    return " ".join(printable(_whole(text)).split())


def _words(text: str) -> list[tuple[bytes | str, str | None]]:
    return [
        (part.encode("utf-8", "surrogateescape") if isinstance(part, str) and charset is None else part, charset)
        for part, charset in decode_header(text)
    ]


def _whole(text: str) -> str:
    """Raw bytes that the parser could only carry along (surrogates) as the letters they were."""
    try:
        return decoded(text.encode("utf-8", "surrogateescape"), "") if not text.isascii() else text
    except UnicodeError:
        return text.encode("utf-8", "replace").decode()
