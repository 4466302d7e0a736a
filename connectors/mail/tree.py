"""From a mail's bytes to its parts, in time that grows with its length alone. Pure.

Sources: RFC 5322 2.2 (headers), RFC 2046 5.1 (multipart), 5.2.1 (message/rfc822), RFC 3464 2.1 (delivery-status).

The standard library's parser looks at each line once for every multipart around it, keeps each line apart, and reads
headers in a time that grows with the square of their length: a mail of a MiB could hold it up for minutes. What a
header means it still says; where parts begin and end is found here, as it would find it. What is beyond a bound is left
out, and noted.
"""

import re
from email.message import EmailMessage, Message
from email.policy import EmailPolicy

PARTS_MAX = 200  # of a mail, those of forwarded mails among them
DEPTH_MAX = 20
_HEADERS_MAX = 1_000  # of a part
_HEADER_MAX = 10_000  # characters
_PARSED_MAX = 1_000  # characters of a header that the library takes apart, slowly: the longest file name has room
_ADDRESS_MAX = 500  # characters of From and Sender
_BUDGET = 40_000  # characters of those, of all parts: two hundred attachments have 30,000
_SAME_MAX = 20  # headers of one name, in one part
_BOUNDARY_MAX = 200  # RFC 2046 allows 70

_HEADER_LINE = re.compile(rb"(?:From |[!-9;-~]*:|[\t ])[^\r\n]*(?:\r\n|\r|\n|\Z)")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_EMPTY_LINE = re.compile(rb"(?:\r\n|\r(?!\n)|\n)(?:\r\n|\r|\n)")
_TAKEN_APART = frozenset({"from", "sender"})  # besides Content-...: two of them are as bad as many
_ENCODING, _ENCODING_MAX = "content-transfer-encoding", 100
_PER_PART = ("content-type", "content-disposition", _ENCODING)

_POLICY = EmailPolicy()
_Payload = Message | str


def unparsed(mail: Message, name: str) -> str:
    """The first header of a name, on one line, as it was written: for those that hold no encoded words."""
    low = name.lower()
    value = next((str(value) for field, value in mail.raw_items() if field.lower() == low), "")
    return " ".join(value.encode("utf-8", "surrogateescape").decode("utf-8", "replace").split())


class Part(EmailMessage):
    """A mail, or a part of one. `source`: what a part of message/... holds, as it came."""

    source: bytes = b""


class Tree:
    """A mail's parts. `left_out`: which of them are not read, for somebody to look; `notes`: what else is cut."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._parts = 0
        self._budget = _BUDGET
        self._full = False
        self._left_out: dict[str, None] = {}
        self._notes: dict[str, None] = {}
        self.mail = self._part(0, len(raw), 0)
        self.left_out, self.notes = tuple(self._left_out), tuple(self._notes)

    def _part(self, at: int, end: int, depth: int, kind: str = "text/plain") -> Part:
        """What stands between two places: headers, and what their Content-Type makes of the rest. `kind`: what it is
        where it does not say."""
        self._parts += 1
        part = Part(policy=_POLICY)
        part.set_default_type(kind)
        body = self._headers(part, at, end)
        main = part.get_content_maintype()
        if main not in ("multipart", "message"):
            self._leaf(part, body, end)
        elif depth >= DEPTH_MAX:
            self._left_out[f"it has parts in more than {DEPTH_MAX} others: those are not read"] = None
            self._leaf(part, body, end)
        elif main == "multipart":
            self._multipart(part, body, end, depth)
        else:
            part.source = self._raw[body:end]
            reports = part.get_content_type() == "message/delivery-status"
            inside = self._blocks(body, end) if reports else [self._part(body, end, depth + 1)]
            part.set_payload(list[_Payload](inside))
        return part

    def _leaf(self, part: Part, body: int, end: int) -> None:
        # As the library keeps what it has not decoded yet.
        part.set_payload(self._raw[body:end].decode("ascii", "surrogateescape"))

    # --- headers -------------------------------------------------------------------------------------------

    def _headers(self, part: Part, at: int, end: int) -> int:
        """Reads a part's headers; answers where what follows them begins."""
        start = at
        count, found, room = 0, list[str](), 0
        same: dict[str, int] = {}
        while (line := _HEADER_LINE.match(self._raw, at, end)) and line.end() > at:
            text = line[0][:_HEADER_MAX].decode("ascii", "surrogateescape")
            at = line.end()
            if text[0] in " \t":
                if found and room >= 0:  # the last one is cut where it is put together
                    found.append(text)
                    room -= len(text)
                continue
            self._header(part, found, same)
            found = []
            if text.startswith("From "):
                if line.start() > start and not _HEADER_LINE.match(self._raw, at, end):
                    at = line.start()  # the first line of the body, where the empty line is missing
                    break
                continue
            count += 1
            if not text.startswith(":"):
                if count <= _HEADERS_MAX:
                    found, room = [text], _HEADER_MAX - len(text)
                else:
                    self._notes[f"of its headers the first {_HEADERS_MAX} are read"] = None
        self._header(part, found, same)
        self._take_apart(part)
        separator = _LINE_END.match(self._raw, at, end)
        return separator.end() if separator else at

    def _header(self, part: Part, lines: list[str], same: dict[str, int]) -> None:
        if not lines:
            return
        name, value = _POLICY.header_source_parse(lines)
        low = name.lower()
        apart = low in _TAKEN_APART or low.startswith("content-")
        most = _ENCODING_MAX if low == _ENCODING else _PARSED_MAX if apart else _HEADER_MAX
        same[low] = same.get(low, 0) + 1
        if same[low] > (2 if apart else _SAME_MAX):
            return
        if low in _TAKEN_APART and len(value) > _ADDRESS_MAX:
            self._notes[f"its {name[:40]} has more than {_ADDRESS_MAX} characters: it is taken for nobody's"] = None
            value = ""  # cut, it might be another's address; left out, a second one might count
        elif len(value) > most:
            self._notes[f"of its header {name[:40]} the first {most} characters are read"] = None
        part.set_raw(name, value[:most])

    def _take_apart(self, part: Part) -> None:
        """What the library asks for again and again it reads once. One that it stumbles over is as if it were not
        there."""
        for name in [field.lower() for field in part]:
            if name not in _TAKEN_APART and name not in _PER_PART:
                continue
            try:
                self._budget -= len(unparsed(part, name))
                if self._budget < 0:
                    raise ValueError
                if name in _PER_PART:
                    part.replace_header(name, part[name])
            except Exception:  # whatever the library makes of a stranger's bytes
                del part[name]
                self._notes[f"a part's {name.title()} cannot be read: it is as if it had none"] = None

    # --- parts ---------------------------------------------------------------------------------------------

    def _multipart(self, part: Part, body: int, end: int, depth: int) -> None:
        boundary = part.get_boundary()
        if not boundary or len(boundary) > _BOUNDARY_MAX:
            return self._leaf(part, body, end)
        line = re.escape(b"--" + boundary.encode("utf-8", "surrogateescape"))
        # Only at the beginning of a line; said behind the boundary itself, which is quickly looked for.
        delimiter = re.compile(line + rb"(?<![^\r\n]" + line + rb")(--)?[ \t]*(?:\r\n|\r|\n|\Z)")
        inside = "message/rfc822" if part.get_content_type() == "multipart/digest" else "text/plain"
        parts: list[Part] = []
        begins, seen = -1, False
        for found in delimiter.finditer(self._raw, body, end):
            if begins >= 0 and found.start() > begins:
                parts += self._one_of(begins, self._without_line_end(begins, found.start()), depth, inside)
            seen = seen or not found[1]
            begins = -1 if found[1] else found.end()
            if found[1] or self._full:
                break
        else:
            if begins >= 0:
                parts += self._one_of(begins, self._without_line_end(begins, end), depth, inside)
        if seen:
            part.set_payload(list[_Payload](parts))
        else:
            self._leaf(part, body, end)
        return None

    def _one_of(self, at: int, end: int, depth: int, kind: str) -> list[Part]:
        if self._parts >= PARTS_MAX:
            self._full = True
            self._left_out[f"it has more than {PARTS_MAX} parts: no more are read"] = None
            return []
        return [self._part(at, end, depth + 1, kind)]

    def _without_line_end(self, at: int, end: int) -> int:
        """The line's end before a boundary belongs to it (RFC 2046, 5.1.1)."""
        for line_end in (b"\r\n", b"\n", b"\r"):
            if self._raw.endswith(line_end, at, end):
                return end - len(line_end)
        return end

    def _blocks(self, at: int, end: int) -> list[Part]:
        """The blocks of headers of a delivery-status, between empty lines."""
        blocks: list[Part] = []
        while at < end and self._parts < PARTS_MAX:
            self._parts += 1
            empty = _EMPTY_LINE.search(self._raw, at, end)
            block = Part(policy=_POLICY)
            stop = empty.start() if empty else end
            self._leaf(block, self._headers(block, at, stop), stop)
            blocks.append(block)
            at = empty.end() if empty else end
        return blocks
