"""The lines of a terminal's peripheral equipment interface (ETSI EN 300 392-5). Pure."""

import re

from msgspec import Struct

from hub.connector import ReadError

TYPE4, STATUS = 12, 13
LINE_MAX = 4096  # bytes
_HEX = re.compile(r"[0-9A-Fa-f]+")
_ERRORS = {  # EN 300 392-5, +CME ERROR
    0: "the terminal has failed",
    1: "the terminal has no connection",
    3: "it is not allowed",
    4: "it is not supported",
    33: "a parameter has the wrong type",
    34: "a parameter is out of range",
    35: "the syntax is wrong",
}


class Received(Struct, frozen=True):
    """What +CTSDSR tells. `caller`, `called`: identities as the terminal writes them, "" where it leaves them out.
    `lines`: as they came."""

    service: int
    caller: str
    called: str
    data: bytes
    lines: tuple[str, ...]

    @property
    def status(self) -> int:
        """The value of a pre-coded status."""
        return int.from_bytes(self.data[:2], "big")


class Header(Struct, frozen=True):
    service: int
    caller: str
    called: str
    bits: int
    data: str
    line: str


def header(line: str) -> Header:
    """`+CTSDSR: <service>,[calling],[type],<called>,<type>,<bits>[,e2e][,hex]`; types, and then the called identity,
    may be missing. Raises ReadError."""
    fields = [field.strip() for field in line.partition(":")[2].split(",")]
    data = ""
    if len(fields) > 6:  # the message on the same line; an end-to-end flag is one digit
        data = fields[-1] if len(fields[-1]) > 1 else ""
        fields = fields[:6]
    if len(fields) not in (3, 4, 6) or not (fields[0].isdecimal() and fields[-1].isdecimal()):
        raise ReadError("+CTSDSR is followed by service, caller, type, called, type, bits")
    called = {3: "", 4: fields[2], 6: fields[3] if len(fields) == 6 else ""}[len(fields)]
    if len(fields[0]) > 3 or len(fields[-1]) > 5:
        raise ReadError("+CTSDSR has a number that is too long")
    return Header(int(fields[0]), fields[1], called, int(fields[-1]), data, line)


def received(head: Header, data: str) -> Received:
    """A radio that declares 84 bits sends 88: what was sent counts, and less than declared is refused."""
    text = data.strip()
    if not _HEX.fullmatch(text) or len(text) % 2:
        raise ReadError("the message after +CTSDSR is not written in hexadecimal digits")
    raw = bytes.fromhex(text)
    if len(raw) * 8 < head.bits:
        raise ReadError(f"the message has {len(raw) * 8} of its {head.bits} bits")
    if head.service == STATUS and len(raw) != 2:
        raise ReadError("a status has 16 bits")
    lines = (head.line,) if head.data else (head.line, data)
    return Received(head.service, head.caller, head.called, raw, lines)


def error_of(line: str) -> str:
    """A refusal in words; "" for a line that is none."""
    if line == "ERROR":
        return "the terminal refuses it"
    found = re.fullmatch(r"\+CM[ES] ERROR: *(\d{1,4})", line)
    if found is None:
        return ""
    number = int(found[1])
    return f"{_ERRORS.get(number, 'the terminal refuses it')} (CME error {number})"


def registration(line: str) -> str | None:
    """What +CREG or +CTGS tells of the network: "" where registered, why not otherwise; None for other lines."""
    found = re.match(r"\+CREG: *(\d)", line)
    if found is not None:
        return "" if found[1] in "15" else f"the terminal is not registered with the network (+CREG {found[1]})"
    return None


def identity(caller: str) -> str:
    """The short subscriber identity of one that may be whole (country, network, number): the last digits."""
    digits = re.sub(r"\D", "", caller)
    return str(int(digits[-8:])) if digits else ""


class Unread(Struct, frozen=True):
    """What was meant to be a message and cannot be read as one."""

    reason: str
    lines: tuple[str, ...]


class Reader:
    """Puts headers and messages together, line by line."""

    def __init__(self) -> None:
        self._head: Header | None = None

    def feed(self, line: str) -> list[Received | Unread | str]:
        """What a line completes; lines that are something else as they are."""
        head, self._head = self._head, None
        try:
            if head is not None and _HEX.fullmatch(line.strip()):
                return [received(head, line)]
            if head is not None:
                lost = Unread("the message after +CTSDSR is missing", (head.line,))
                return [lost, *self.feed(line)]
            if not line.startswith("+CTSDSR:"):
                return [line]
            head = header(line)
            if head.data:
                return [received(head, head.data)]
        except ReadError as error:
            return [Unread(error.reason, (head.line, line) if head is not None and head.line != line else (line,))]
        self._head = head
        return []

    def end(self) -> list[Received | Unread | str]:
        """What is left when no more comes."""
        head, self._head = self._head, None
        return [Unread("the message after +CTSDSR is missing", (head.line,))] if head else []
