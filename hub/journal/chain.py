"""Hashes: of records, of vault entries, and the chain of decisions (rule 9 of the journal).

A record's digest is SHA-256 over its stored bytes. A decision's hash is SHA-256 over three things of fixed size, so
that no two inputs run together: the hash of the decision before, the digest of its own body, and the digests of the
facts it took, in the order it took them. The first decision follows `GENESIS`.
"""

from collections.abc import Iterable
from hashlib import sha256

GENESIS = bytes(32)
SALT_BYTES = 16


def digest_of(body: bytes) -> bytes:
    """SHA-256 of a record's stored bytes (32 bytes)."""
    return sha256(body).digest()


def link(previous: bytes, body_digest: bytes, fact_digests: Iterable[bytes]) -> bytes:
    """A decision's hash (32 bytes)."""
    return sha256(b"".join((previous, body_digest, *fact_digests))).digest()


def salted(salt: bytes, payload: bytes) -> str:
    """What a record holds of its vault entry: hex SHA-256 over salt and payload. Without the salt, which is erased
    with the entry, the digest tells nothing, not even of a guess."""
    h = sha256(salt)
    h.update(payload)
    return h.hexdigest()
