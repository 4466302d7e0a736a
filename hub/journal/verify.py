"""Verification: walks all records in order and says what is changed or missing (rule 9).

What it can find: a changed record of any kind; a missing one anywhere but at the very end (places have no gaps, and
decisions are chained); a changed vault entry. Records cut off at the end, together with everything that refers to
them, leave no trace in the file itself: the newest snapshot's decision is held against it, and a signed checkpoint
outside will be (retention).

A vault entry that is gone has been erased, which is as it should be.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from hub.journal.chain import digest_of, link, salted
from hub.journal.codec import Kind, Row, VaultRow, decode
from hub.model.records import Attempt, Decision, Fact

_VAULT_PAGE = 500
_FAULTS_MAX = 1_000


class Checkpoint(NamedTuple):
    """Up to place `seq` records may be gone; the chain goes on from `hash`."""

    seq: int
    hash: bytes


class Report(msgspec.Struct, kw_only=True):
    """What verification saw. `faults` names each changed or missing record, in words; empty: all is whole."""

    facts: int = 0
    decisions: int = 0
    attempts: int = 0
    vault_entries: int = 0
    erased: int = 0  # vault entries that records name and that are no longer there
    faults: list[str] = msgspec.field(default_factory=list)


def examine(
    rows: Iterable[Row],
    start: Checkpoint,
    find: Callable[[str], Row | None],
    vault: Callable[[Sequence[str]], Sequence[VaultRow]],
    anchor: str = "",
) -> Report:
    """Examines all records past a checkpoint. `find` looks a record up by id; `anchor`: a decision that must be
    there. Memory: the facts no decision has taken yet, and a page of vault entries."""
    return _Examination(start, find, vault).run(rows, anchor)


class _Examination:
    def __init__(
        self, start: Checkpoint, find: Callable[[str], Row | None], vault: Callable[[Sequence[str]], Sequence[VaultRow]]
    ) -> None:
        self.report = Report()
        self._find = find
        self._vault = vault
        self._seq = start.seq
        self._tip = start.hash
        self._untaken: dict[str, bytes] = {}
        self._sealed: dict[str, set[str]] = {}  # vault key → digests that records hold of it
        self._doubtful: set[str] = set()  # vault keys that match none of the records looked at so far

    def run(self, rows: Iterable[Row], anchor: str) -> Report:
        for row in rows:
            self._place(row)
            record = self._body(row)
            if row.kind == Kind.DECISION:
                self.report.decisions += 1
                self._decision(row, record if isinstance(record, Decision) else None)
            elif row.kind == Kind.FACT:
                self.report.facts += 1
                self._untaken[row.id] = digest_of(row.body)
            else:
                self.report.attempts += 1
            if isinstance(record, Fact | Attempt) and record.vault and record.digest:
                self._sealed.setdefault(record.vault, set()).add(record.digest)
                if len(self._sealed) >= _VAULT_PAGE:
                    self._open_vault()
            if len(self.report.faults) >= _FAULTS_MAX:
                self._fault(f"stopped after {_FAULTS_MAX} faults")
                return self.report
        self._open_vault()
        for key in sorted(self._doubtful):
            self._fault(f"vault entry {key}: changed: it does not match the record that names it")
        if anchor and self._find(anchor) is None:
            self._fault(f"decision {anchor}: missing: a snapshot was made of it (records were cut off at the end)")
        return self.report

    def _fault(self, text: str) -> None:
        self.report.faults.append(text)

    def _place(self, row: Row) -> None:
        gap = row.seq - self._seq - 1
        if gap:
            records = "one record is" if gap == 1 else f"{gap} records are"
            self._fault(f"{records} missing before {_name(row)} (place {row.seq})")
        self._seq = row.seq

    def _body(self, row: Row) -> Fact | Decision | Attempt | None:
        if digest_of(row.body) != row.digest:
            self._fault(f"{_name(row)}: changed: its body does not match its digest")
        try:
            record = decode(row.body)
        except msgspec.MsgspecError as error:
            self._fault(f"{_name(row)}: cannot be read: {error}")
            return None
        if record.id != row.id:
            self._fault(f"{_name(row)}: changed: its body says it is {record.id}")
        return record

    def _decision(self, row: Row, decision: Decision | None) -> None:
        if row.prev != self._tip:
            self._fault(f"{_name(row)}: the decision before it is missing or changed")
        if decision is not None:
            digests = self._taken(row, decision)
            if digests is not None and link(row.prev or b"", digest_of(row.body), digests) != row.hash:
                self._fault(f"{_name(row)}: changed: it does not match the chain (it, or a fact it took)")
        self._tip = row.hash or b""

    def _taken(self, row: Row, decision: Decision) -> list[bytes] | None:
        digests = []
        for fact in decision.took:
            digest = self._untaken.pop(fact, None)
            if digest is None:
                held = self._find(fact)
                digest = digest_of(held.body) if held is not None else None
            if digest is None:
                self._fault(f"fact {fact}: missing: {_name(row)} took it")
                return None
            digests.append(digest)
        return digests

    def _open_vault(self) -> None:
        for entry in self._vault(tuple(self._sealed)):
            self.report.vault_entries += 1
            digest = salted(entry.salt, entry.payload)
            # Erased and kept again, an entry has a new salt: it matches the records made since.
            if digest in self._sealed.pop(entry.key):
                self._doubtful.discard(entry.key)
            else:
                self._doubtful.add(entry.key)
        self.report.erased += len(self._sealed)
        self._sealed.clear()


def _name(row: Row) -> str:
    """A record in words: its kind and id."""
    return f"{row.type if row.kind != Kind.FACT else 'fact'} {row.id}"
