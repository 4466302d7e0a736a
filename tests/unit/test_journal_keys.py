"""Which keys a journal holds: the same answer from memory, from the table, half way between them, and after a restart
at any moment."""

import random
from collections.abc import Iterator

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.journal import keys
from hub.journal.codec import Row, fact_row, key_digest
from hub.journal.insert import insert
from hub.journal.keys import Keys
from hub.journal.tables import prepare
from tests.contracts.journal import Maker

KEEP = 700  # more than a slice, so that it takes two commits to bring a generation into the table


@pytest.fixture(autouse=True, scope="module")
def small_generations() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "KEEP", KEEP)
        yield


class Held:
    """A journal's records and keys, and the plain answer to compare with."""

    def __init__(self) -> None:
        self.journal = apsw.Connection(":memory:")
        prepare(self.journal)
        self.keys = Keys(self.journal)
        self.expected: dict[bytes, str] = {}
        self._make = Maker()
        self._seq = 0

    def commit(self, count: int, fails: bool = False) -> None:
        rows = [self._row(n) for n in range(count)]
        self.journal.execute("BEGIN IMMEDIATE")
        insert(self.journal, "records", 11, rows)
        durable = self.keys.settle(count) if self.keys.waiting else None
        if fails:
            self.journal.execute("ROLLBACK")
            self.restart()
            return
        self.journal.execute("COMMIT")
        if durable is not None:
            durable()
        self.keys.add(rows)
        self._seq += count
        self.expected |= {row.key: row.id for row in rows if row.key}

    def _row(self, n: int) -> Row:
        fact = self._make.fact(key=f"partner:{self._seq + n}" if n % 7 else "")
        return fact_row(fact)._replace(seq=self._seq + n + 1)

    def restart(self) -> None:
        self.keys = Keys(self.journal)

    def in_table(self) -> int:
        return int(self.journal.execute("SELECT count(*) FROM keys").get)

    def check(self) -> None:
        strangers = [key for n in range(50) if (key := key_digest(f"stranger:{n}"))]
        places, unknown = self.keys.places([*self.expected, *strangers])
        stored = "SELECT k.key, k.seq FROM carray(?) a CROSS JOIN keys k ON k.key = a.value"
        places.update(self.journal.execute(stored, (apsw.carray(tuple(unknown)),)))
        assert self.keys.named(places) == self.expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["commit", "commit", "fail", "restart"]), st.integers(1, 900)), max_size=12))
def test_what_is_held_is_found_wherever_it_lies(steps: list[tuple[str, int]]) -> None:
    held = Held()
    for step, count in steps:
        if step == "restart":
            held.restart()
        else:
            held.commit(count, fails=step == "fail")
        held.check()


def test_each_generation_ends_in_the_table() -> None:
    held, chance = Held(), random.Random(7)
    while len(held.expected) < 20 * KEEP:
        held.commit(chance.randrange(1, 200))
    held.check()
    assert len(held.expected) - held.in_table() < 3 * KEEP
    assert held.in_table() < len(held.expected)
    held.restart()
    held.check()


def test_a_restart_half_way_brings_the_rest_in() -> None:
    held = Held()
    held.commit(900)
    held.commit(1)
    assert 0 < held.in_table() < KEEP
    held.restart()
    held.check()
    while held.keys.waiting:
        held.commit(1)
    assert held.in_table() >= KEEP
    held.check()


def test_nothing_held() -> None:
    held = Held()
    held.check()
    assert held.keys.places([]) == ({}, [])
    assert held.keys.named({}) == {}
