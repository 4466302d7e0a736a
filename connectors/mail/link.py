"""The link in a mail that asks: what it carries, sealed so that nobody can make one or read one.

The edge keeps nothing, so everything the page shows and everything an answer needs is in the link itself. A link passes
through logs (proxies, mail scanners), and the address in it is personal: the token is encrypted, too. It is Fernet's
(AES-128-CBC and HMAC-SHA256 over the whole, compared in constant time). Pure but for the chance of its initial vector.
"""

import base64
import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from hub.model.people import Language
from hub.model.signal import Status

SECRET_MIN = 32  # characters: a secret that people think up is not chance enough
TOKEN_MAX = 2_000  # characters; ours have some 500
_PURPOSE = b"vigie mail link 1"  # another purpose, or another form of `Invitation`, gets another key


class Invitation(Struct, frozen=True, array_like=True, gc=False):
    """What a link is about: the delivery (`order`, `index`) it was sent in, to which `address`, and as much of the mail
    as its reader needs to tell it from another. `until_s`: when it ends (real time, seconds since 1970)."""

    order: str
    index: int
    address: str
    language: Language
    status: Status
    code: str
    subject: str
    until_s: int


class Seal:
    """Seals and opens by any of the secrets; the first one seals. Raises ValueError for a secret that is too short."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(_key(secret)) for secret in secrets])
        self._decoder = msgspec.json.Decoder(Invitation)

    def seal(self, invitation: Invitation) -> str:
        """A token of letters, digits, `-` and `_`."""
        return self._fernet.encrypt(msgspec.json.encode(invitation)).decode().rstrip("=")

    def open(self, token: str) -> Invitation | None:
        """What was sealed; None for whatever we have not made. Whether it has ended is for the caller to see."""
        if len(token) > TOKEN_MAX or not token.isascii():
            return None
        try:
            return self._decoder.decode(self._fernet.decrypt(token + "=" * (-len(token) % 4)))
        except (InvalidToken, msgspec.DecodeError):
            return None


def _key(secret: str) -> bytes:
    if len(secret) < SECRET_MIN:
        raise ValueError(f"the link secret has {len(secret)} characters: take {SECRET_MIN} or more, made by chance")
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())
    return base64.urlsafe_b64encode(derived)


def leads_here(public_url: str) -> bool:
    """Whether a link below this address can be followed by people elsewhere: http(s), and not this machine's own."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    if parts.scheme not in ("https", "http") or not host or host == "localhost":
        return False
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return True
    return not (ip.is_loopback or ip.is_unspecified)
