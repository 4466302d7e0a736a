"""How wide a text is, and where it is broken. Pure.

The widths are those of Helvetica, in thousandths of the type size, as Arial and Liberation Sans share them; whoever has
none of these sees a wider face, so a margin is added (DejaVu Sans is a sixth wider).
"""

import unicodedata

FAMILY = "Helvetica, Arial, 'Liberation Sans', sans-serif"
_MARGIN = 1.17
_BOLD = 1.08
_WIDTHS = {
    278: " \u00a0!,./:;I[\\]ft", 355: '"', 556: "#$0123456789?L_abdeghnopqu", 889: "%", 667: "&ABEKPSVXY", 191: "'",
    333: "()-`r", 389: "*", 584: "+<=>~", 1015: "@", 722: "CDHNRUw", 611: "FTZ", 778: "GOQ", 500: "Jcksvxyz",
    833: "Mm", 944: "W", 469: "^", 222: "ijl", 334: "{}", 260: "|", 1000: "→↻…—", 350: "•",
}  # fmt: skip
_OF = {character: width for width, characters in _WIDTHS.items() for character in characters}
_UNKNOWN, _WIDE = 700, 1100


def width(text: str, size: float, *, bold: bool = False) -> float:
    """In the unit of `size`, never too little."""
    thousandths = sum(map(_width, text))
    return thousandths / 1000 * size * _MARGIN * (_BOLD if bold else 1.0)


def _width(character: str) -> int:
    known = _OF.get(character)
    if known is not None:
        return known
    base = unicodedata.normalize("NFD", character)[:1]
    if base in _OF:
        return _OF[base]
    return _WIDE if unicodedata.east_asian_width(character) in "WF" else _UNKNOWN


def wrap(text: str, room: float, size: float, *, bold: bool = False) -> list[str]:
    """The lines of a text in a width, broken between words; a word that is too long is broken where it has to be."""
    lines: list[str] = []
    line = ""
    for word in filter(None, text.split(" ")):  # never at a no-break space
        longer = f"{line} {word}" if line else word
        if width(longer, size, bold=bold) <= room:
            line = longer
            continue
        if line:
            lines.append(line)
        *whole, line = _pieces(word, room, size, bold)
        lines += whole
    return [*lines, line] if line else lines


def _pieces(word: str, room: float, size: float, bold: bool) -> list[str]:
    pieces, piece = [], ""
    for character in word:
        if piece and width(piece + character, size, bold=bold) > room:
            pieces.append(piece)
            piece = ""
        piece += character
    return [*pieces, piece]
