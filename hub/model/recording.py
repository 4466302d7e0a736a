"""What came in from outside, as a recording keeps it: a line of JSON for each piece, byte for byte (docs/playback.md).

A recording holds no secret: what proves who somebody is (signatures, passwords, codes, tokens in an address) is left
out where it is made, and only the name of what was left out is kept, so that a playback can prove it anew.
"""

import re
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

import msgspec
from msgspec import Struct

FORMAT = 1
"""The version of the format. What is added later has a default; what is changed gets another number."""


class Raw(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Bytes as they came: as `text` where they are UTF-8, so that a person can read them, else as `data` (base64)."""

    text: str = ""
    data: bytes = b""

    @property
    def raw(self) -> bytes:
        return self.data or self.text.encode()


class Begun(Struct, frozen=True, kw_only=True, tag="begun", tag_field="kind", gc=False):
    """A recorder has begun to write here: the first line of a file, and again after each start. `playback`: what it
    recorded was itself a playback."""

    format: int
    hub: str
    version: str
    playback: bool = False


class Exchange(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="http", tag_field="kind", gc=False):
    """One request of a source and the answer to it. `status` 0: there was none, `error` says why. The body is
    decompressed; a 304, a redirect and a refusal have none. `headers`: those of KEPT_HEADERS."""

    url: str
    status: int = 0
    headers: dict[str, str] = {}
    error: str = ""


class Stream(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="stream", tag_field="kind", gc=False):
    """A piece of an answer that does not end, or a frame of a websocket (`frame`: text or binary). `state`: the line
    was opened (`status` and `headers`: the answer's), says something, or is over (`error`: why)."""

    url: str
    state: str = "data"
    frame: str = ""
    status: int = 0
    headers: dict[str, str] = {}
    error: str = ""


class Push(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="push", tag_field="kind", gc=False):
    """A request to the source's own address: `path` is what follows `/in/NAME`, with its query. `withheld`: headers
    and fields that proved who it was, and are not kept. `answered`: what the hub answered."""

    method: str
    path: str = ""
    headers: dict[str, str] = {}
    withheld: tuple[str, ...] = ()
    answered: int = 0


class Mail(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="mail", tag_field="kind", gc=False):
    """A mail as it lay in the mailbox (RFC 5322); of one larger than is read, its beginning."""


class Message(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="mqtt", tag_field="kind", gc=False):
    """An MQTT message."""

    topic: str
    qos: int = 0
    retained: bool = False


class Line(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="line", tag_field="kind", gc=False):
    """What came over a line of text (a pager's decoder, a radio terminal): whole lines or pieces of them."""


class File(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="file", tag_field="kind", gc=False):
    """A file as it lay in the source's folder; `gone`: it lies there no more."""

    name: str
    gone: bool = False


class Gap(Struct, frozen=True, kw_only=True, tag="gap", tag_field="kind", gc=False):
    """So many pieces before this line are missing, and why."""

    lost: int
    why: str


Heard = Exchange | Stream | Push | Mail | Message | Line | File
"""What a source hears."""


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """One line. `at`: when it was whole, hub time. `source`: its name in sources.yaml."""

    at: datetime
    source: str
    heard: Begun | Gap | Heard


KEPT_HEADERS = ("content-type", "etag", "last-modified", "retry-after", "link", "location")
"""Of an answer."""

PUSHED_HEADERS = ("content-type", "accept-language", "webhook-id", "webhook-timestamp")
"""Of a request to the hub."""

PROOFS = ("authorization", "proxy-authorization", "cookie", "webhook-signature", "x-twilio-signature")
"""Headers that prove who somebody is: their names are kept, never what they say."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Entry)
_NO_TEXT = "-"  # an address without its secrets
# Whole words only: `geocode=BE10` and `geocode=BE20` are two addresses.
_KEY = r"(?:\w+[_-])?(?:token|secret|password|passwd|pwd|(?:api|access|subscription)?[_-]?key|sig|signature|auth|appid)"
_SECRET_KEY = re.compile(_KEY, re.IGNORECASE)
_USER = re.compile(r"://[^/\s@]+@")
_PROOF = re.compile(rf"([?&]{_KEY}=)[^&\s>\"']+", re.IGNORECASE)


def raw(data: bytes) -> dict[str, Any]:
    """The fields of a Raw that hold these bytes: `Mail(**raw(data))`."""
    try:
        return {"text": data.decode()} if data else {}
    except UnicodeDecodeError:
        return {"data": data}


def line_of(entry: Entry) -> bytes:
    """As it is written, with its line end."""
    return _encoder.encode(entry) + b"\n"


def entry_of(line: bytes) -> Entry:
    """Raises msgspec.MsgspecError (a ValueError) for what is no entry."""
    return _decoder.decode(line)


def without_secrets(url: str) -> str:
    """An address without a user, a password and the values of what looks like a key in its query: the same one gives
    the same."""
    scheme, found, rest = url.partition("://")
    if not found:
        return url
    rest = rest.partition("#")[0]
    host, slash, path = rest.partition("/")
    path, asks, query = path.partition("?")
    pairs = []
    for pair in query.split("&") if asks else ():
        name, equals, _ = pair.partition("=")
        pairs.append(f"{name}={_NO_TEXT}" if equals and _SECRET_KEY.fullmatch(unquote_plus(name)) else pair)
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}{asks}{'&'.join(pairs)}"


def kept(headers: Any, names: tuple[str, ...]) -> dict[str, str]:
    """The headers of these names, a few thousand characters of each, addresses in them without keys."""
    return {name: _without_proofs(str(headers[name])[:4000]) for name in names if name in headers}


def same_words(text: str) -> str:
    """What went wrong, as it may be kept: no key of an address, no password."""
    return _without_proofs(text)[:500]


def _without_proofs(text: str) -> str:
    return _PROOF.sub(rf"\g<1>{_NO_TEXT}", _USER.sub("://", text))


def taken_out(body: bytes, fields: frozenset[str]) -> tuple[bytes, tuple[str, ...]]:
    """A form's body (application/x-www-form-urlencoded) without the values of these fields, and which there were."""
    if not fields or not body:
        return body, ()
    out, found = [], []
    for pair in body.split(b"&"):
        name, equals, value = pair.partition(b"=")
        plain = unquote_plus(name.decode("ascii", "replace"))
        if plain in fields and value:
            found.append(plain)
            pair = name + equals
        out.append(pair)
    return b"&".join(out), tuple(found)
