"""Short data as it is on the air: SDS type 4 protocol identifiers, SDS-TL and texts (ETSI EN 300 392-2, clause 29).

Pure. Texts that are sent are ISO 8859-1 where that has every character, otherwise UTF-16BE.
"""

from enum import IntEnum

from msgspec import Struct

from hub.connector import ReadError

TEXT, IMMEDIATE = 0x02, 0x09
TL_TEXT, TL_IMMEDIATE, TL_LONG = 0x82, 0x89, 0x8A
TEXTS = frozenset({TEXT, IMMEDIATE, TL_TEXT, TL_IMMEDIATE, TL_LONG})
PART_BYTES = 140  # of a text in one message: networks carry that everywhere
_UDH = b"\x05\x00\x03"  # concatenation, 8-bit reference (3GPP TS 23.040, 9.2.3.24.1)
_UTF16 = 26
_CHARSETS = {  # table 29.29, text coding scheme
    **{n: f"iso8859-{n}" for n in range(1, 11)},
    11: "iso8859-13",
    12: "iso8859-14",
    13: "iso8859-15",
    **dict(
        zip(
            range(14, 26),
            (
                "cp437",
                "cp737",
                "cp850",
                "cp852",
                "cp855",
                "cp857",
                "cp860",
                "cp861",
                "cp863",
                "cp865",
                "cp866",
                "cp869",
            ),
            strict=True,
        )
    ),
    _UTF16: "utf-16-be",
}
_GSM = (  # 3GPP TS 23.038, 6.2.1
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_MORE = dict(zip((0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65), "\f^{}\\[~]|€", strict=True))


class Kind(IntEnum):
    TRANSFER = 0
    REPORT = 1
    ACK = 2


class Part(Struct, frozen=True):
    """Which part of a long message this is; `index` from 1."""

    ref: int
    total: int
    index: int


class Text(Struct, frozen=True):
    """A text, or a part of one. `ref`: its SDS-TL message reference; None without transport layer. `reports`: what the
    sender wants to hear: bit 0 that it was received, bit 1 that it was read."""

    pid: int
    text: str
    ref: int | None = None
    reports: int = 0
    part: Part | None = None


class Report(Struct, frozen=True):
    """What became of a message of ours. `status`: table 29.16. `wants_ack`: it is to be answered with an SDS-ACK."""

    pid: int
    ref: int
    status: int
    wants_ack: bool = False


class Ack(Struct, frozen=True):
    """A report of ours has arrived."""

    pid: int
    ref: int


def read(data: bytes) -> Text | Report | Ack:
    """An SDS type 4 message. Raises ReadError for what is cut short and for other protocols than text."""
    if not data:
        raise ReadError("the message is empty", "byte 0")
    pid = data[0]
    if pid not in TEXTS:
        raise ReadError(f"protocol identifier 0x{pid:02X} is no text: only texts and their reports are read", "byte 0")
    if pid < 0x80:
        return Text(pid, _text(data, 1)[0])
    if len(data) < 4:
        raise ReadError("the message ends in its SDS-TL header", f"byte {len(data)}")
    kind, flags = data[1] >> 4, data[1] & 15
    if kind == Kind.TRANSFER:
        if flags & 1:
            raise ReadError("it is stored and forwarded with a header that is not read: send it directly", "byte 1")
        text, part = _text(data, 3, pid == TL_LONG)
        return Text(pid, text, data[2], flags >> 2, part)
    if kind == Kind.REPORT:
        return Report(pid, data[3], data[2], bool(flags & 8))
    if kind == Kind.ACK:
        return Ack(pid, data[3])
    raise ReadError(f"SDS-TL message type {kind} is none of transfer, report, acknowledgement", "byte 1")


def _text(data: bytes, at: int, long: bool = False) -> tuple[str, Part | None]:
    if at >= len(data):
        raise ReadError("the text has no coding", f"byte {at}")
    scheme, stamped = data[at] & 0x7F, data[at] & 0x80
    start = at + 1 + (3 if stamped else 0)
    part = None
    if long:
        header = data[start : start + 6]
        if len(header) < 6 or header[:3] != _UDH or not 1 <= header[5] <= header[4]:
            raise ReadError("the part of a long text does not say which it is", f"byte {start}")
        part, start = Part(*header[3:]), start + 6
    body = data[start:]
    if scheme == 0:
        return _gsm(body), part
    charset = _CHARSETS.get(scheme)
    if charset is None:
        raise ReadError(f"text coding scheme {scheme} is not known", f"byte {at}")
    return body.decode(charset, "replace"), part


def _gsm(body: bytes) -> str:
    """7-bit characters, packed from the lowest bit on."""
    bits = int.from_bytes(body, "little")
    codes = [bits >> 7 * n & 0x7F for n in range(len(body) * 8 // 7)]
    if len(body) % 7 == 0 and codes and codes[-1] in (0, 0x0D):
        codes.pop()  # seven bits of padding
    text, escaped = "", False
    for code in codes:
        if code == 0x1B and not escaped:
            escaped = True
            continue
        text += _GSM_MORE.get(code, _GSM[code]) if escaped else _GSM[code]
        escaped = False
    return text


def transfers(text: str, ref: int, reports: int, part_bytes: int = PART_BYTES) -> list[bytes]:
    """The SDS-TRANSFER messages that carry a text; several have `ref` and the following numbers. Raises ValueError
    where it would take more than 255."""
    try:
        body, scheme, step = text.encode("iso8859-1"), 1, 1
    except UnicodeEncodeError:
        body, scheme, step = text.encode("utf-16-be", "replace"), _UTF16, 2
    flags = reports << 2
    if len(body) <= part_bytes:
        return [bytes((TL_TEXT, flags, ref, scheme)) + body]
    size = (part_bytes - 6) // step * step
    parts = _cut(body, size, step)
    if len(parts) > 255:
        raise ValueError("the text takes more than 255 messages: shorten it")
    return [
        bytes((TL_LONG, flags, next_ref(ref, n), scheme)) + _UDH + bytes((ref, len(parts), n + 1)) + part
        for n, part in enumerate(parts)
    ]


def _cut(body: bytes, size: int, step: int) -> list[bytes]:
    """Never between the two halves of a character beyond the basic plane."""
    parts, at = [], 0
    while at < len(body):
        end = min(at + size, len(body))
        if step == 2 and end < len(body) and 0xDC <= body[end] <= 0xDF:
            end -= 2
        parts.append(body[at:end])
        at = end
    return parts


def next_ref(ref: int, n: int = 1) -> int:
    """References go from 1 to 255."""
    return (ref - 1 + n) % 255 + 1


def report(text: Text, status: int = 0) -> bytes:
    """An SDS-REPORT that a message was received (0) or read (2)."""
    assert text.ref is not None
    return bytes((text.pid, Kind.REPORT << 4, status, text.ref))


def acknowledgement(of: Report) -> bytes:
    return bytes((of.pid, Kind.ACK << 4, 1, of.ref))


def short_report(status: int) -> tuple[int, int] | None:
    """An SDS-SHORT-REPORT within a status value: delivery status and message reference; None where it is none."""
    if status >> 10 != 0b011110:
        return None
    return ({2: 0x00, 3: 0x02}.get(status >> 8 & 3, 0x4A), status & 0xFF)


_FAILURES = {
    0x40: "the network is overloaded",
    0x41: "the service is not available",
    0x42: "the service is not available at present",
    0x43: "the sender is not authorised",
    0x44: "the destination is not authorised",
    0x45: "the destination is unknown",
    0x46: "the forward address is unknown",
}


def outcome(status: int) -> tuple[bool | None, str]:
    """Whether a message has arrived by its delivery status (table 29.16): yes, no and why, or None: not yet."""
    match status >> 5:
        case 0:
            return True, ""
        case 1 | 3:
            return None, ""
        case _:
            return False, _FAILURES.get(status, f"the radio network says delivery status 0x{status:02X}")
