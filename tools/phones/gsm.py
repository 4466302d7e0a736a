"""How many SMS parts a text takes (3GPP TS 23.038 alphabet, TS 23.040 concatenation)."""

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("^{}\\[~]|€\f")  # each takes two septets: an escape, then the character


def is_gsm7(text: str) -> bool:
    """Whether every character of `text` is in the GSM 03.38 default alphabet or its extension table."""
    return all(char in BASIC or char in EXTENSION for char in text)


def segments(text: str) -> int:
    """The number of SMS parts `text` is sent in; an empty text takes one.

    GSM-7: 160 septets in one part, 153 in each of several; UCS-2: 70 units, or 67. Neither an escape
    pair nor a surrogate pair is cut in two, so a part may stay one unit short.
    """
    if is_gsm7(text):
        return _parts([2 if char in EXTENSION else 1 for char in text], single=160, several=153)
    return _parts([2 if ord(char) > 0xFFFF else 1 for char in text], single=70, several=67)


def _parts(widths: list[int], single: int, several: int) -> int:
    if sum(widths) <= single:
        return 1
    parts, room = 1, several
    for width in widths:
        if width > room:
            parts, room = parts + 1, several
        room -= width
    return parts
