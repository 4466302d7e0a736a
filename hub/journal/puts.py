"""What waits to be made durable: one Put per call, whole or not at all."""

from collections.abc import Callable, Generator, Sequence
from typing import Any

import trio
from msgspec.structs import replace

from hub.journal import JournalError, JournalUnavailable
from hub.journal.chain import SALT_BYTES
from hub.journal.codec import Kind, Row, VaultRow, attempt_row, decision_row, fact_row, vault_rows
from hub.model.records import Attempt, Decision, Entry, Fact, VaultEntry


class Put:
    """One append on its way. Awaiting it (once, by one task) waits until it is durable; its result is the ids under
    which the journal holds its records.

    Made and awaited in trio; between `submit` and delivery only the committing side touches it.
    """

    __slots__ = ("error", "held", "kind", "live", "new", "over", "records", "rows", "seal", "task", "vault")

    def __init__(
        self,
        kind: Kind,
        records: list[Any],
        rows: list[Row],
        vault: list[VaultRow],
        live: Sequence[Any] | None = None,
        seal: bool = False,
    ) -> None:
        self.kind = kind
        self.records = records
        self.rows = rows
        self.vault = vault
        self.live = live
        self.seal = seal  # a record names a vault entry that is not in this put: its digest is still to be filled in
        self.held: list[str] = []  # set when durable: the id of each record
        self.new: list[int] = []  # set when durable: which of them were not there before
        self.error: BaseException | None = None
        self.over = False
        self.task: trio.lowlevel.Task | None = None

    # -- trio's side --

    def settle(self) -> None:
        """Called in trio once the put is durable or refused."""
        self.over = True
        if self.task is not None:
            task, self.task = self.task, None
            trio.lowlevel.reschedule(task)

    async def wait(self) -> list[str]:
        """Waits until durable. Cancelling the wait does not take the put back."""
        if self.over:
            await trio.lowlevel.checkpoint()
        else:
            self.task = trio.lowlevel.current_task()

            def give_up(_: Callable[[], None]) -> trio.lowlevel.Abort:
                self.task = None
                return trio.lowlevel.Abort.SUCCEEDED

            await trio.lowlevel.wait_task_rescheduled(give_up)
        if self.error is not None:
            raise self.error
        return self.held

    def __await__(self) -> Generator[Any, None, list[str]]:
        return self.wait().__await__()

    def refuse(self, error: JournalError) -> None:
        """Ends the put with an error of its own: one exception raised in two tasks would mix their tracebacks."""
        self.error = type(error)(str(error))
        self.new = []

    def entries(self) -> list[Entry]:
        """What followers are to see of it."""
        live = self.live
        if live is None:
            return [Entry(self.records[i]) for i in self.new]
        return [Entry(self.records[i], live[i]) for i in self.new]

    # -- the committing side --

    def reseal(self, digests: dict[str, str]) -> None:
        """Gives records that name one of these vault entries its digest, and encodes them again."""
        for i, record in enumerate(self.records):
            digest = digests.get(record.vault) if self.kind is not Kind.DECISION else None
            if digest is not None and digest != record.digest:
                record = replace(record, digest=digest)
                self.records[i] = record
                self.rows[i] = fact_row(record) if self.kind is Kind.FACT else attempt_row(record)
        self.seal = False


def unavailable(why: str) -> JournalUnavailable:
    return JournalUnavailable(
        f"the journal cannot write: {why}: nothing more is acknowledged until it can; it goes on by itself"
    )


class Sealer:
    """Makes puts: salts vault entries, fills in digests, encodes. `entropy(n)` gives n bytes."""

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        self._entropy = entropy

    def facts(self, facts: Sequence[Fact], vault: Sequence[VaultEntry], live: Sequence[Any] | None) -> Put:
        if live is not None and len(live) != len(facts):
            raise ValueError(f"{len(live)} live objects for {len(facts)} facts: one each is needed")
        sealed = self._sealed(vault)
        filled, seal = _fill(facts, sealed)
        return Put(Kind.FACT, filled, [fact_row(fact) for fact in filled], sealed, live, seal)

    def decision(self, decision: Decision, vault: Sequence[VaultEntry]) -> Put:
        return Put(Kind.DECISION, [decision], [decision_row(decision)], self._sealed(vault))

    def attempts(self, attempts: Sequence[Attempt], vault: Sequence[VaultEntry]) -> Put:
        sealed = self._sealed(vault)
        filled, seal = _fill(attempts, sealed)
        return Put(Kind.ATTEMPT, filled, [attempt_row(attempt) for attempt in filled], sealed, None, seal)

    def _sealed(self, vault: Sequence[VaultEntry]) -> list[VaultRow]:
        # One block of entropy for all: asking the system costs more than sealing.
        return vault_rows(vault, self._entropy(SALT_BYTES * len(vault))) if vault else []


def _fill(records: Sequence[Any], sealed: list[VaultRow]) -> tuple[list[Any], bool]:
    """Records with the digests of the vault entries beside them, and whether one still lacks its own."""
    filled, lacking = [], False
    digests = {row.key: row.digest for row in reversed(sealed)}  # of a key given twice the first counts
    for record in records:
        if record.vault and not record.digest:
            digest = digests.get(record.vault)
            if digest is None:
                lacking = True
            else:
                record = replace(record, digest=digest)
        filled.append(record)
    return filled, lacking
