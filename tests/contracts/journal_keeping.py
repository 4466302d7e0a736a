"""What every journal promises of what it keeps: lookups, the vault, snapshots, verification."""

from datetime import timedelta
from hashlib import sha256

import pytest
from msgspec.structs import replace

from hub.journal import Corrupt, Found, JournalError, Snapshot
from hub.model.message import Outcome
from hub.model.records import (
    Attempt,
    CursorMoved,
    Decision,
    Fact,
    HubStarted,
    Installed,
    Receipt,
    ReceiptsReceived,
    SourceChanged,
    VaultEntry,
)
from tests.contracts.records import Journals, Maker


class KeepingContract:
    """What is there is found, and what was changed or is missing is named."""

    # -- lookups --

    @pytest.mark.trio
    async def test_attempts_and_the_receipts_that_settle_them(self, journals: Journals, make: Maker) -> None:
        first, second, other = make.attempt("o1"), make.attempt("o1", nth=2, repeat=True), make.attempt("o2")
        receipt = Receipt(order="o1", index=0, outcome=Outcome.SENT)
        async with journals.open() as journal:
            await journal.put_attempts([first])
            await journal.put_attempts([other, second])
            await journal.put_facts(
                [
                    make.fact(ReceiptsReceived(channel="sms", receipts=(receipt,), attempt=second.id)),
                    make.fact(ReceiptsReceived(channel="sms", receipts=(receipt,))),
                ]
            )
        async with journals.open() as journal:
            assert list(await journal.attempts_of(["o1"])) == [first, second]
            assert list(await journal.attempts_of(["o2", "o3", "o1"])) == [first, other, second]
            assert list(await journal.attempts_of([])) == []
            assert list(await journal.receipts_of([first.id, second.id, other.id])) == [second.id]
            assert list(await journal.receipts_of([])) == []

    @pytest.mark.trio
    async def test_what_channels_have_said_since(self, journals: Journals, make: Maker) -> None:
        receipts = [Receipt(order="o1", index=n, outcome=Outcome.SENT, ref=f"SM{n}") for n in range(3)]
        facts = [make.fact(ReceiptsReceived(channel="sms", receipts=(receipt,))) for receipt in receipts]
        other = make.fact(CursorMoved(source="kmi", cursor="1"))
        async with journals.open() as journal:
            await journal.put_facts([*facts[:2], other, facts[2]])
            assert [list(r) for r in await journal.receipts_since(facts[1].at)] == [[receipts[2]], [receipts[1]]]
            assert list(await journal.receipts_since(facts[2].at + timedelta(hours=1))) == []

    @pytest.mark.trio
    async def test_facts_of_some_types_since(self, journals: Journals, make: Maker) -> None:
        facts = [make.fact(CursorMoved(source="kmi", cursor=str(n))) for n in range(3)]
        other = make.fact(ReceiptsReceived(channel="sms", receipts=()))
        async with journals.open() as journal:
            await journal.put_facts([facts[0], other, *facts[1:]])
            assert list(await journal.facts_since(("cursor",), facts[0].at, 10)) == facts
            assert list(await journal.facts_since(("cursor",), facts[0].at, 2)) == facts[1:], "the newest"
            assert list(await journal.facts_since(("cursor",), facts[1].at, 10)) == facts[1:]
            assert list(await journal.facts_since(("cursor", "receipts"), facts[0].at, 3)) == [other, *facts[1:]]
            assert list(await journal.facts_since(("signal",), facts[0].at, 10)) == []

    @pytest.mark.trio
    async def test_the_latest_fact_of_a_subject(self, journals: Journals, make: Maker) -> None:
        cursors = [make.fact(CursorMoved(source="kmi", cursor=str(n))) for n in range(3)]
        other = make.fact(CursorMoved(source="stib", cursor="x"))
        sheet = make.fact(Installed(what="playbooks", name="storm", version="abc", text="..."))
        health = make.fact(SourceChanged(source="kmi", health="silent"))
        async with journals.open() as journal:
            await journal.put_facts([*cursors, other, sheet, health, make.fact()])
            assert await journal.latest("cursor", "kmi") == cursors[-1]
            assert await journal.latest("cursor", "stib") == other
            assert await journal.latest("installed", "playbooks/storm") == sheet
            assert await journal.latest("source", "kmi") == health
            assert await journal.latest("cursor", "nobody") is None

    @pytest.mark.trio
    async def test_records_by_id(self, journals: Journals, make: Maker) -> None:
        fact, attempt = make.fact(HubStarted(node="a", version="1")), make.attempt("o")
        decision = make.decision([fact])
        async with journals.open() as journal:
            await journal.put_facts([fact])
            await journal.put_decision(decision)
            await journal.put_attempts([attempt])
            found = await journal.get([attempt.id, "01NONE", decision.id, fact.id])
            assert list(found) == [attempt, None, decision, fact]
            assert list(await journal.get([])) == []

    # -- the vault --

    @pytest.mark.trio
    async def test_a_record_holds_the_salted_digest_of_its_vault_entry(self, journals: Journals, make: Maker) -> None:
        fact, entry = make.sealed()
        twin, same = make.sealed()  # the same words under another salt
        attempt = make.attempt("o", vault=entry.key)
        async with journals.open() as journal:
            await journal.put_facts([fact], [entry])
            await journal.put_facts([twin], [same])
            await journal.put_attempts([attempt])
            found = await journal.get([fact.id, twin.id, attempt.id])
        digests = [record.digest for record in found if isinstance(record, Fact | Attempt)]
        assert all(len(digest) == 64 for digest in digests)
        assert sha256(entry.payload).hexdigest() not in digests
        assert digests[0] != digests[1]
        assert digests[0] == digests[2]

    @pytest.mark.trio
    async def test_a_vault_entry_held_already_stays_as_it_is(self, journals: Journals, make: Maker) -> None:
        """One original may serve many signals: each that names it holds its one digest."""
        original = VaultEntry(key="sha-of-the-original", payload=b"<feed/>")
        facts = [make.fact(vault=original.key) for _ in range(4)]
        async with journals.open() as journal:
            await journal.put_facts(facts[:2], [original])
            await journal.put_facts(facts[2:3], [original])
        async with journals.open() as journal:
            await journal.put_facts(facts[3:], [original])
            digests = {record.digest for record in await journal.get([f.id for f in facts]) if isinstance(record, Fact)}
            assert len(digests) == 1
            assert await journal.verify() == 0

    @pytest.mark.trio
    async def test_erasing_leaves_the_journal_whole(self, journals: Journals, make: Maker) -> None:
        fact, entry = make.sealed()
        kept, other = make.sealed("other words")
        async with journals.open() as journal:
            await journal.put_facts([fact, kept], [entry, other])
            await journal.put_decision(make.decision([fact, kept]))
            before = await journal.get([fact.id])
            await journal.erase([entry.key, "nothing"])
            assert await journal.vault([entry.key, other.key]) == [None, other]
            assert await journal.get([fact.id]) == before
            assert await journal.verify() == 1
        async with journals.open() as journal:
            assert await journal.vault([entry.key]) == [None]
            again = make.fact(vault=entry.key)
            await journal.put_facts([again], [entry])
            assert await journal.vault([entry.key]) == [entry]
            assert await journal.verify() == 1

    @pytest.mark.trio
    async def test_words_are_found_in_records_and_in_the_vault(self, journals: Journals, make: Maker) -> None:
        about = "person officer-a"
        fact, entry = make.sealed("Aline Inventée, +32450000001")
        other, hers = make.sealed("yes")
        plain, words = make.sealed("somebody else")
        hers = replace(hers, about=about)
        large = VaultEntry(key=f"original-{make.id()}", payload=b"-" * 600_000 + b"Aline" + b"-" * 600_000)
        named = make.fact(HubStarted(node="Aline", version="1"))
        async with journals.open() as journal:
            await journal.put_facts([fact, other, plain, named], [entry, hers, words, large])
            found = await journal.find(["Inventée".encode(), b"Aline"], about)
            assert found.records == (named.id,)
            assert set(found.vault) == {entry.key, hers.key, large.key}
            assert await journal.find([b"%", b"nobody"]) == Found((), ())
            assert await journal.find([], about) == Found((), (hers.key,))
            await journal.erase(found.vault)
            assert (await journal.find([b"Aline"], about)).vault == ()

    # -- snapshots --

    @pytest.mark.trio
    async def test_the_newest_snapshot_that_can_be_read(self, journals: Journals, make: Maker) -> None:
        fact = make.fact()
        decisions = [make.decision() for _ in range(4)]
        saved = [Snapshot(decision=d.id, cursor=fact.id, state=bytes([n]) * 10_000) for n, d in enumerate(decisions)]
        async with journals.open() as journal:
            assert await journal.load_snapshot() is None
            await journal.put_facts([fact])
            for decision, snapshot in zip(decisions, saved, strict=True):
                await journal.put_decision(decision)
                await journal.save_snapshot(snapshot)
            assert await journal.load_snapshot() == saved[3]
        await journals.spoil_snapshot()
        async with journals.open() as journal:
            assert await journal.load_snapshot() == saved[2]

    @pytest.mark.trio
    async def test_a_snapshot_of_a_decision_that_is_not_there_is_refused(self, journals: Journals) -> None:
        async with journals.open() as journal:
            with pytest.raises(JournalError, match="01NONE"):
                await journal.save_snapshot(Snapshot(decision="01NONE", cursor="", state=b""))

    # -- verification --

    async def _fill(self, journals: Journals, make: Maker) -> tuple[list[Fact], list[Decision]]:
        facts = [make.fact() for _ in range(12)]
        decisions = [make.decision(facts[n : n + 2]) for n in range(0, 10, 2)]
        async with journals.open() as journal:
            await journal.put_facts(facts)
            for decision in decisions:
                await journal.put_decision(decision)
            assert await journal.verify() == 5
        return facts, decisions

    @pytest.mark.trio
    async def test_verify_names_a_changed_decision(self, journals: Journals, make: Maker) -> None:
        _, decisions = await self._fill(journals, make)
        await journals.change(decisions[2].id)
        async with journals.open() as journal:
            with pytest.raises(Corrupt, match=decisions[2].id):
                await journal.verify()

    @pytest.mark.trio
    async def test_verify_names_a_changed_fact(self, journals: Journals, make: Maker) -> None:
        facts, _ = await self._fill(journals, make)
        await journals.change(facts[3].id)
        async with journals.open() as journal:
            with pytest.raises(Corrupt, match=facts[3].id):
                await journal.verify()

    @pytest.mark.trio
    async def test_verify_names_a_changed_fact_that_no_decision_took(self, journals: Journals, make: Maker) -> None:
        facts, _ = await self._fill(journals, make)
        await journals.change(facts[11].id)
        async with journals.open() as journal:
            with pytest.raises(Corrupt, match=facts[11].id):
                await journal.verify()

    @pytest.mark.trio
    async def test_verify_names_the_place_of_a_removed_decision(self, journals: Journals, make: Maker) -> None:
        _, decisions = await self._fill(journals, make)
        await journals.remove(decisions[2].id)
        async with journals.open() as journal:
            with pytest.raises(Corrupt, match=f"{decisions[3].id}: the decision before it is missing"):
                await journal.verify()

    @pytest.mark.trio
    async def test_verify_names_a_removed_fact(self, journals: Journals, make: Maker) -> None:
        facts, decisions = await self._fill(journals, make)
        await journals.remove(facts[4].id)
        async with journals.open() as journal:
            with pytest.raises(Corrupt, match=f"fact {facts[4].id}: missing: decision {decisions[2].id} took it"):
                await journal.verify()

    @pytest.mark.trio
    async def test_verify_misses_a_decision_cut_off_after_a_snapshot(self, journals: Journals, make: Maker) -> None:
        _, decisions = await self._fill(journals, make)
        async with journals.open() as journal:
            await journal.save_snapshot(Snapshot(decision=decisions[4].id, cursor="", state=b""))
        await journals.remove(decisions[4].id)
        async with journals.open() as journal:
            with pytest.raises(Corrupt, match=f"{decisions[4].id}: missing"):
                await journal.verify()
