"""Damaged inputs, made out of real ones: what a broken line, a bad program or somebody of ill will may send. Pure."""

import random
from collections.abc import Sequence

LARGEST = 1 << 20
# Pieces that readers of XML, JSON, mails, calendars, CSV and lines stumble over.
TOKENS = tuple(
    piece.encode("utf-8", "surrogatepass")
    for piece in (
        *(
            "<",
            "</",
            "/>",
            "<![CDATA[",
            "]]>",
            "<!DOCTYPE x [<!ENTITY a 'b'>]>",
            "&a;",
            "&#x0;",
            "&#xD800;",
            "&#1114112;",
        ),
        *(
            "<?xml version='1.1' encoding='utf-16'?>",
            "xmlns:x=''",
            "{",
            "}",
            "[",
            "]",
            '"',
            "\\u0000",
            "\\ud800",
            "null",
        ),
        *("NaN", "1e999", "-0", "9" * 400, "18446744073709551616", "true", ":", ",", ";", "\r\n", "\n", "\r", "\x00"),
        *(
            "\x85",
            "\u2028",
            "\ufeff",
            "\ud800",
            "\U0001f600",
            "e\u0301" * 8,
            "=?utf-8?q?=00?=",
            "=?x?b?!?=",
            "boundary=",
        ),
        *("Content-Type: ", "BEGIN:VEVENT\r\n", "END:VEVENT\r\n", "RRULE:FREQ=SECONDLY\r\n", "DTSTART:00000000\r\n"),
        *("RRULE:FREQ=YEARLY;BYDAY=-53MO\r\n", "2026-02-30T25:61:61+99:99", "0000-00-00T00:00:00Z", "-1", " ", "\t"),
        *("9999-12-31T23:59:59-23:59", "%s", "../..", "file:///x", "javascript:x", "50.8,4.3 50.8,4.3", "nan,nan"),
        *("1e308,1e308", "90.0001,-180.0001"),
    )
)


def damaged(of: Sequence[bytes], chance: random.Random) -> bytes:
    """One of some inputs, damaged in a few ways; at most LARGEST bytes."""
    data = bytearray(chance.choice(of))
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5, 8))):
        _damage(data, of, chance)
    return bytes(data[:LARGEST])


def _damage(data: bytearray, of: Sequence[bytes], chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    length = chance.choice((1, 1, 2, 4, 16, 64, 512))
    match chance.randrange(9):
        case 0:
            for _ in range(chance.randrange(1, 5)):
                if data:
                    data[chance.randrange(len(data))] = chance.randrange(256)
        case 1:
            del data[at : at + length]
        case 2:
            data[at:at] = chance.choice(TOKENS)
        case 3:
            data[at : at + length] = chance.choice(TOKENS)
        case 4:
            data[at:at] = data[at : at + length] * chance.choice((1, 2, 10))
        case 5:
            del data[at:]
        case 6:
            other = chance.choice(of)
            start = chance.randrange(len(other) + 1)
            data[at:at] = other[start : start + chance.choice((8, 64, 512))]
        case 7:
            there = chance.randrange(len(data) + 1)
            piece = data[at : at + length]
            del data[at : at + length]
            data[there:there] = piece
        case 8:
            data[:] = data.swapcase() if chance.random() < 0.5 else data.replace(b'"', b"'", 3)


def swollen(of: Sequence[bytes], chance: random.Random) -> bytes:
    """LARGEST bytes out of one input: a piece of it, or a token, over and over, where it stood."""
    data = chance.choice(of)
    at = chance.randrange(len(data) + 1)
    piece = chance.choice((chance.choice(TOKENS), data[at : at + chance.choice((1, 8, 64, 512, 4096))] or b"<a>"))
    room = max(LARGEST - len(data), 0)
    return (data[:at] + piece * (room // len(piece)) + data[at:])[:LARGEST]
