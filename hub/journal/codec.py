"""Records as they are stored: one row each, whatever the journal keeps its rows in.

Encoding is the caller's work, not the writer thread's: a record that cannot be encoded then fails where it was made.
In throughput the two could not be told apart (docs/decisions/journal.md).
"""

from collections.abc import Callable, Sequence
from enum import IntEnum
from hashlib import blake2b
from typing import Any, NamedTuple, get_args

import msgspec

from hub.journal.chain import SALT_BYTES, digest_of, salted
from hub.model.records import (
    Attempt,
    CapPublished,
    ChangeReverted,
    ChannelChanged,
    CursorMoved,
    Decision,
    DossierNote,
    Fact,
    FactBody,
    FollowerChanged,
    IncidentLinked,
    Installed,
    ModeSet,
    PartChanged,
    PersonChanged,
    PersonErased,
    ReceiptsReceived,
    Record,
    ReportApproved,
    ReportSent,
    ReportWritten,
    Retired,
    RosterChanged,
    SignalFiled,
    SignalReceived,
    SignalUnfiled,
    SourceChanged,
    SourceWatched,
    VaultEntry,
)


class Kind(IntEnum):
    """The three kinds of record, as stored."""

    FACT = 1
    DECISION = 2
    ATTEMPT = 3


class Row(NamedTuple):
    """A record as stored.

    `seq`: its place, from 1, without gaps. `type`: a fact's tag, or `decision`, `attempt`. `subject`: what it is
    looked up by (a cursor's source, a receipt's attempt, an attempt's order; empty for a decision), None where it is
    never looked up. `key`: 16 bytes for a fact's idempotency key, None without. `at`: seconds since 1970. `digest`:
    of `body`. `prev`, `hash`: the chain, decisions only.
    """

    seq: int
    kind: int
    id: str
    type: str
    subject: str | None
    key: bytes | None
    at: float
    digest: bytes
    prev: bytes | None
    hash: bytes | None
    body: bytes


class VaultRow(NamedTuple):
    """A vault entry as stored; `digest` is what records hold of it (hex)."""

    key: str
    about: str
    media_type: str
    salt: bytes
    digest: str
    payload: bytes


_SUBJECTS: dict[type, Callable[[Any], str | None]] = {
    CursorMoved: lambda body: body.source,
    SourceChanged: lambda body: body.source,
    SourceWatched: lambda body: f"{body.what}/{body.source}",
    ChannelChanged: lambda body: body.channel,
    FollowerChanged: lambda body: body.follower,
    Installed: lambda body: f"{body.what}/{body.name}",
    Retired: lambda body: f"{body.what}/{body.name}",
    ModeSet: lambda body: body.sheet,
    PersonChanged: lambda body: body.person,
    PersonErased: lambda body: body.person,
    RosterChanged: lambda body: body.roster,
    PartChanged: lambda body: f"{body.part}/{body.name}",
    ChangeReverted: lambda body: body.change,
    ReceiptsReceived: lambda body: body.attempt or None,
    SignalFiled: lambda body: body.dossier,
    SignalUnfiled: lambda body: body.dossier,
    DossierNote: lambda body: body.dossier,
    IncidentLinked: lambda body: body.dossier,
    CapPublished: lambda body: body.identifier,
    ReportWritten: lambda body: None if body.problem else body.incident,
    ReportApproved: lambda body: body.incident,
    ReportSent: lambda body: body.incident,
}

_tags: dict[type, str] = {kind: str(kind.__struct_config__.tag) for kind in get_args(FactBody)}

_encode = msgspec.json.Encoder().encode
_decode: Callable[[bytes], Record] = msgspec.json.Decoder(Record).decode
_decode_fact = msgspec.json.Decoder(Fact).decode
_decode_decision = msgspec.json.Decoder(Decision).decode
_decode_attempt = msgspec.json.Decoder(Attempt).decode


def decode(body: bytes) -> Record:
    """A record from its stored bytes. Raises msgspec.ValidationError or DecodeError."""
    return _decode(body)


def decode_fact(body: bytes) -> Fact:
    return _decode_fact(body)


def decode_decision(body: bytes) -> Decision:
    return _decode_decision(body)


def decode_attempt(body: bytes) -> Attempt:
    return _decode_attempt(body)


def key_digest(key: str) -> bytes | None:
    """A fact's idempotency key as stored: 16 bytes, None for the empty key."""
    return blake2b(key.encode(), digest_size=16).digest() if key else None


def vault_keys(record: Fact | Attempt) -> tuple[str, ...]:
    """The vault entries a record names; "" for none."""
    if isinstance(record, Fact) and isinstance(record.body, SignalReceived):
        return record.vault, record.body.original
    return (record.vault,)


def fact_row(fact: Fact) -> Row:
    body = _encode(fact)
    told = fact.body
    subject = _SUBJECTS.get(type(told))
    return Row(
        0,
        Kind.FACT.value,
        fact.id,
        _tags[type(told)],
        subject(told) if subject else None,
        key_digest(fact.key),
        fact.at.timestamp(),
        digest_of(body),
        None,
        None,
        body,
    )


def decision_row(decision: Decision) -> Row:
    """`prev` and `hash` are the journal's to fill in."""
    body = _encode(decision)
    at = decision.at.timestamp()
    return Row(0, Kind.DECISION.value, decision.id, "decision", "", None, at, digest_of(body), None, None, body)


def attempt_row(attempt: Attempt) -> Row:
    body = _encode(attempt)
    at = attempt.at.timestamp()
    return Row(0, Kind.ATTEMPT.value, attempt.id, "attempt", attempt.order, None, at, digest_of(body), None, None, body)


def vault_rows(entries: Sequence[VaultEntry], salts: bytes) -> list[VaultRow]:
    """Vault entries sealed with a salt of their own each: `SALT_BYTES` of `salts`."""
    rows = []
    for at, entry in zip(range(0, len(salts), SALT_BYTES), entries, strict=True):
        salt, payload = salts[at : at + SALT_BYTES], entry.payload
        rows.append(VaultRow(entry.key, entry.about, entry.media_type, salt, salted(salt, payload), payload))
    return rows


def unseal(row: VaultRow) -> VaultEntry:
    return VaultEntry(key=row.key, payload=row.payload, media_type=row.media_type, about=row.about)
