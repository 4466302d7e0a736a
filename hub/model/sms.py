"""How many SMS a text takes, and how to make it take fewer. Pure.

Sources: 3GPP TS 23.038 (the GSM 7-bit default alphabet and its extension table), 3GPP TS 23.040 9.2.3.24.1
(concatenation: a 6-octet header leaves 153 septets or 67 UCS-2 units of each part).
"""

import re
import unicodedata
from enum import StrEnum

from msgspec import Struct

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "^{}\\[~]|€\f"  # two septets each: an escape, then the character

_GSM = re.compile(f"[{re.escape(BASIC + EXTENSION)}]*")
_EXTENSION = frozenset(EXTENSION)
_OLD = frozenset(BASIC + EXTENSION)

# Typographic characters that would force UCS-2, and what stands for them on a telex. Accents stay as long as there is
# room for them: "cote" is not "côté".
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("’‘‚‛′´`", "'"),
        **dict.fromkeys("«»“”„‟″", '"'),
        **dict.fromkeys("–—‒―−‐‑", "-"),
        **dict.fromkeys("\t\u00a0\u202f\u2009\u2007\u2002\u2003", " "),
        **dict.fromkeys("\u200b\ufeff\u00ad\u2060", ""),
        "‹": "<",
        "›": ">",
        "…": "...",
        "•": "-",
        "œ": "oe",
        "Œ": "OE",
    }
)


class Encoding(StrEnum):
    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


class Segments(Struct, frozen=True, kw_only=True, gc=False):
    """`units`: septets (GSM-7) or 16-bit units (UCS-2). `parts`: how many SMS are sent and paid for."""

    encoding: Encoding
    units: int
    parts: int


def plain(text: str) -> str:
    """The text as it is sent: composed (NFC), typographic quotes, dashes and spaces replaced by those every phone
    has, line ends as `\\n`, half surrogate pairs (which no encoding can carry) as `?`."""
    if text.isascii():
        return text.replace("\r\n", "\n").replace("\t", " ") if "\r" in text or "\t" in text else text
    text = unicodedata.normalize("NFC", text).translate(_PLAIN).replace("\r\n", "\n")
    return text.encode("utf-8", "replace").decode()


def unaccented(text: str) -> str:
    """`plain(text)` without the accents that the old alphabet of phones lacks (ê, ç, û ...); é, à, ü ... stay. Only for
    what would have to be left out otherwise: a "grele" is understood, a question that is cut is not."""
    return "".join(char if char in _OLD else _bare(char) for char in plain(text))


def _bare(char: str) -> str:
    base = unicodedata.normalize("NFD", char)[0]
    return base if base in _OLD else char


def segments(text: str) -> Segments:
    """How `plain(text)` is sent. An empty text takes one part. Neither an escape pair nor a surrogate pair is cut in
    two, so a part may stay one unit short."""
    text = plain(text)
    encoding, widths = _widths(text)
    units = sum(widths)
    return Segments(encoding=encoding, units=units, parts=_parts(widths, units, encoding))


def fit(text: str, parts: int) -> str:
    """The longest beginning of `plain(text)` that goes into `parts` SMS, ending in `...` where something is missing,
    cut between words where one ends near. Raises ValueError when `parts` is less than 1."""
    if parts < 1:
        raise ValueError(f"parts {parts}: a text needs at least one SMS: give 1 or more")
    text = plain(text)
    if segments(text).parts <= parts:
        return text
    low, high = 0, len(text)  # the longest cut that fits: fewer characters never take more parts
    while low < high:
        middle = (low + high + 1) // 2
        if segments(text[:middle] + "...").parts <= parts:
            low = middle
        else:
            high = middle - 1
    return _tidy_end(text, low) + "..."


def _tidy_end(text: str, cut: int) -> str:
    """`text[:cut]`, not ending within a character made of several (an accent, an emoji joined to another) and, where
    one ends in the last 20 characters, between words."""
    while 0 < cut < len(text) and (unicodedata.combining(text[cut]) or text[cut] in _JOINING or text[cut - 1] == _ZWJ):
        cut -= 1
    space = max(text.rfind(" ", max(0, cut - 20), cut + 1), text.rfind("\n", max(0, cut - 20), cut + 1))
    return text[: space if space > 0 else cut].rstrip()


_ZWJ = "\u200d"
_JOINING = frozenset([_ZWJ, "\ufe0f", *map(chr, range(0x1F3FB, 0x1F400))])  # variation selector, skin tones


def _widths(text: str) -> tuple[Encoding, list[int]]:
    if _GSM.fullmatch(text):
        return Encoding.GSM7, [2 if char in _EXTENSION else 1 for char in text]
    return Encoding.UCS2, [2 if char > "\uffff" else 1 for char in text]


def _parts(widths: list[int], units: int, encoding: Encoding) -> int:
    single, several = (160, 153) if encoding is Encoding.GSM7 else (70, 67)
    if units <= single:
        return 1
    if units == len(widths):
        return -(-units // several)
    parts, room = 1, several
    for width in widths:
        if width > room:
            parts, room = parts + 1, several
        room -= width
    return parts
