"""One line that multimon-ng prints → what was decoded. Pure.

As its source has it (pocsag.c, unixinput.c): `POCSAG1200: Address:  240017  Function: 3  Alpha:   text<EOT>`, with `-`
for an address that was lost, `<LOST SYNC>` and `Certainty:` with more verbosity, a label and a time stamp in front of
it, control characters as their names in angle brackets; newer ones also an object of JSON.
"""

import re
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from connectors.expression import instant_of
from hub.connector import ReadError

BAD = "\N{REPLACEMENT CHARACTER}"  # stands for each character that was not received
_HEAD = re.compile(r"^(?P<before>.*?)\bPOCSAG(?P<baud>\d{3,4})(?P<rest>:.*)$", re.DOTALL)
_BODY = re.compile(
    r":\s*Address:\s*(?P<address>\d{1,7}|-)\s+Function:\s*(?P<function>[0-3]|-)\s*"
    r"(?:Certainty:\s*-?\d+\s*)?(?:(?P<kind>Alpha|Numeric|Skyper|Tone):?(?P<text>.*))?(?P<other>.*)$",
    re.DOTALL,
)
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)([ T])(\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:?\d\d)?")
_NAMES = "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS"
_NAMES += " RS US DEL"
_TOKEN = re.compile(f"<({_NAMES.replace(' ', '|')})>")
_ENDS = re.compile(r"(?:<(?:NUL|EOT|ETX)>)+$")
_BLANKS = {"LF": "\n", "CR": "\n", "HT": " ", "VT": "\n", "FF": "\n"}
# What it says of itself and of the sound it is given.
_CHATTER = re.compile(
    r"^\s*$|^(multimon-ng|Enabled demodulators|Available demodulators|===|warning: noninteger|sox )"
    r"|^(Total bits|Words BCH|Corrected|Invalid word|Bits processed|Successfully decoded)|^\s+\(C\)"
)
LOST = "<LOST SYNC>"


class Printed(Struct, frozen=True, kw_only=True):
    """A page as printed once. `kind`: how it was read ("alpha", "numeric", "skyper"; "tone": it holds nothing). `text`
    has BAD where a character was lost. `ended`: it has an end of its own (networks differ: what has none may be whole),
    `lost`: the decoder says that it has lost the rest. `at`: the decoder's time stamp."""

    baud: int
    address: int
    function: int
    kind: str
    text: str
    ended: bool = False
    lost: bool = False
    at: datetime | None = None
    line: str = ""

    @property
    def damage(self) -> int:
        """How many characters were lost."""
        return self.text.count(BAD)


def read_line(line: str, zone: str) -> Printed | None:
    """None for what a decoder says besides. Raises ReadError for what is no page, or not enough of one."""
    if line.lstrip().startswith("{"):
        return _of_json(line, zone)
    head = _HEAD.match(line)
    if head is None:
        if _CHATTER.search(line):
            return None
        raise ReadError("is no line of a POCSAG decoder: start it with -a POCSAG512 -a POCSAG1200 -a POCSAG2400 only")
    body = _BODY.match(head["rest"])
    if body is None or (body["other"].strip() not in ("", LOST)):
        raise ReadError("is cut or garbled: its address and function cannot be read")
    if "-" in (body["address"], body["function"]):
        raise ReadError("has lost its address: whom it calls is not known")
    text = body["text"] or ""
    return _printed(
        Printed(
            baud=int(head["baud"]),
            address=int(body["address"]),
            function=int(body["function"]),
            kind=(body["kind"] or "tone").lower(),
            text=text.replace(LOST, "").lstrip(" "),
            lost=LOST in text + body["other"],
            at=_stamp(head["before"], zone),
            line=line,
        )
    )


def _of_json(line: str, zone: str) -> Printed | None:
    try:
        found: Any = msgspec.json.decode(line)
    except (msgspec.DecodeError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("demod_name"), str):
        raise ReadError("is cut or garbled: it is no page as JSON")
    baud = re.fullmatch(r"POCSAG(\d{3,4})", found["demod_name"])
    if baud is None:
        raise ReadError("is no line of a POCSAG decoder: start it with -a POCSAG512 -a POCSAG1200 -a POCSAG2400 only")
    address, function = found.get("address"), found.get("function")
    if type(address) is not int or type(function) is not int or address < 0 or not 0 <= function <= 3:
        raise ReadError("has lost its address: whom it calls is not known")
    kind = next((kind for kind in ("alpha", "numeric", "skyper") if isinstance(found.get(kind), str)), "tone")
    return _printed(
        Printed(
            baud=int(baud[1]),
            address=address,
            function=function,
            kind=kind,
            text=found.get(kind, ""),
            at=_stamp(str(found.get("timestamp", "")), zone),
            line=line,
        )
    )


def _printed(raw: Printed) -> Printed:
    text = text_of(raw.text)
    return replace(raw, text=text, kind=raw.kind if text else "tone", ended=_ENDS.search(raw.text) is not None)


def text_of(printed: str) -> str:
    """The words of a page as printed: without what ends it, line ends as such, BAD for other control characters."""
    ended = _ENDS.sub("", printed.rstrip("\r\n"))
    text = _TOKEN.sub(lambda token: _BLANKS.get(token[1], BAD), ended)
    text = "".join(c if c in "\n " or c.isprintable() else BAD for c in text)
    return "\n".join(" ".join(part.split(" ")) for part in text.split("\n")).strip()


def _stamp(before: str, zone: str) -> datetime | None:
    """`2026-07-14 02:10:00` is local; `2026-07-14T00:10:00.000000` (--iso8601) is UTC."""
    found = _STAMP.search(before)
    if found is None:
        return None
    try:
        return instant_of(f"{found[1]}T{found[3]}{found[4] or ''}", "UTC" if found[2] == "T" else zone)
    except ValueError:
        return None
