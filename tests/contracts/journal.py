"""The contract of every journal. Each implementation's tests subclass `JournalContract` and say, as a `Journals`, how
one of its kind is opened, opened again, and tampered with."""

import pytest

from tests.contracts.journal_keeping import KeepingContract
from tests.contracts.journal_putting import PuttingContract
from tests.contracts.records import NOON, Journals, Maker, ids_of, take


class JournalContract(PuttingContract, KeepingContract):
    """What every journal promises."""

    @pytest.fixture
    def make(self) -> Maker:
        return Maker()


__all__ = ["NOON", "JournalContract", "Journals", "Maker", "ids_of", "take"]
