"""The contract of every journal. Each implementation's tests subclass `JournalContract` and say, as a `Journals`, how
one of its kind is opened, opened again, and tampered with."""

import random
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol

import pytest
import trio
from msgspec.structs import replace

from hub.journal import Corrupt, Found, Journal, JournalError, Snapshot
from hub.model.ids import Ids
from hub.model.message import Outcome
from hub.model.records import (
    Attempt,
    CursorMoved,
    Decision,
    Entry,
    Fact,
    HubStarted,
    Installed,
    Receipt,
    ReceiptsReceived,
    SignalReceived,
    SourceChanged,
    VaultEntry,
)

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)


class Journals(Protocol):
    """Where journals of one kind are opened. Opening again finds what was there before."""

    def open(self) -> AbstractAsyncContextManager[Journal]: ...

    async def change(self, id_: str) -> None:
        """Changes a byte of a stored record, while no journal is open."""
        ...

    async def remove(self, id_: str) -> None:
        """Removes a stored record, while no journal is open."""
        ...

    async def spoil_snapshot(self) -> None:
        """Makes the newest snapshot unreadable, while no journal is open."""
        ...


class Maker:
    """Makes records with ids that sort, one millisecond apart."""

    def __init__(self, seed: int = 1) -> None:
        self._ids = Ids(random.Random(seed))
        self._at = NOON

    def id(self) -> str:
        self._at += timedelta(milliseconds=1)
        return self._ids.new(self._at)

    def fact(self, body: Any = None, **more: Any) -> Fact:
        return Fact(id=self.id(), at=self._at, body=body or SignalReceived(source="kmi"), **more)

    def decision(self, took: Sequence[Fact | str] = (), **more: Any) -> Decision:
        ids = tuple(fact if isinstance(fact, str) else fact.id for fact in took)
        return Decision(id=self.id(), at=self._at, took=ids, **more)

    def attempt(self, order: str, **more: Any) -> Attempt:
        return Attempt(id=self.id(), at=self._at, order=order, start=0, stop=1, **more)

    def sealed(self, text: str = "somebody's words", **more: Any) -> tuple[Fact, VaultEntry]:
        """A fact and the vault entry it names."""
        entry = VaultEntry(key=self.id(), payload=text.encode(), about="kmi")
        return self.fact(vault=entry.key, **more), entry


async def take(journal: Journal, count: int, after: str = "") -> list[Entry]:
    """The first `count` facts after `after`."""
    entries: list[Entry] = []
    async for batch in journal.facts(after):
        assert batch, "an empty batch was given out"
        entries += batch
        if len(entries) >= count:
            break
    assert len(entries) == count
    return entries


def ids_of(entries: Sequence[Entry]) -> list[str]:
    return [entry.record.id for entry in entries]


class JournalContract:
    """What every journal promises."""

    @pytest.fixture
    def make(self) -> Maker:
        return Maker()

    # -- facts --

    @pytest.mark.trio
    async def test_facts_come_in_the_order_they_were_put_and_survive(self, journals: Journals, make: Maker) -> None:
        facts = [make.fact() for _ in range(5)]
        async with journals.open() as journal:
            assert list(await journal.put_facts(facts[:2])) == [facts[0].id, facts[1].id]
            for fact in facts[2:]:
                await journal.put_facts([fact])
            assert ids_of(await take(journal, 5)) == [fact.id for fact in facts]
        async with journals.open() as journal:
            entries = await take(journal, 5)
            assert [entry.record for entry in entries] == facts
            assert all(entry.live is None for entry in entries)
            assert ids_of(await take(journal, 2, after=facts[2].id)) == [facts[3].id, facts[4].id]

    @pytest.mark.trio
    async def test_following_after_an_unknown_record_is_an_error(self, journals: Journals) -> None:
        async with journals.open() as journal:
            with pytest.raises(JournalError, match="01NONE"):
                await take(journal, 1, after="01NONE")

    @pytest.mark.trio
    async def test_a_live_follower_gets_the_object_that_was_put(self, journals: Journals, make: Maker) -> None:
        async with journals.open() as journal:
            await journal.put_facts([make.fact()])
            follower = journal.facts()
            await anext(follower)
            first, second, live = make.fact(), make.fact(), object()
            await journal.put_facts([first, second], live=[live, None])
            entries = list(await anext(follower))
            while len(entries) < 2:
                entries += await anext(follower)
            assert ids_of(entries) == [first.id, second.id]
            assert entries[0].live is live
            assert entries[1].live is None

    @pytest.mark.trio
    async def test_live_objects_must_match_the_facts(self, journals: Journals, make: Maker) -> None:
        async with journals.open() as journal:
            with pytest.raises(ValueError, match="1 live objects for 2 facts"):
                await journal.put_facts([make.fact(), make.fact()], live=[object()])

    @pytest.mark.trio
    async def test_a_repeated_key_returns_the_id_already_held(self, journals: Journals, make: Maker) -> None:
        first, entry = make.sealed(key="partner:42")
        again, spare = make.sealed("other words", key="partner:42")
        other, third = make.fact(key="partner:43"), make.fact(key="partner:43")
        async with journals.open() as journal:
            assert list(await journal.put_facts([first], [entry])) == [first.id]
            assert list(await journal.put_facts([again], [spare])) == [first.id]
            assert list(await journal.put_facts([other, third])) == [other.id, other.id]
            assert await journal.vault([entry.key, spare.key]) == [entry, None]
        async with journals.open() as journal:
            fresh = make.fact()
            assert list(await journal.put_facts([again, fresh], [spare])) == [first.id, fresh.id]
            assert (await journal.vault([spare.key])) == [None]
            assert ids_of(await take(journal, 3)) == [first.id, other.id, fresh.id]
            assert (await journal.get([again.id, third.id])) == [None, None]

    @pytest.mark.trio
    async def test_an_original_is_kept_where_a_fact_that_is_no_repetition_names_it(
        self, journals: Journals, make: Maker
    ) -> None:
        def read(original: VaultEntry, key: str) -> Fact:
            return make.fact(SignalReceived(source="kmi", original=original.key), key=key)

        pages = [VaultEntry(key=f"original-{make.id()}", payload=b"page %d" % n, about="kmi") for n in range(3)]
        first, second = read(pages[0], "1"), read(pages[0], "2")
        async with journals.open() as journal:
            await journal.put_facts([first, second], [pages[0]])
            later = [read(pages[1], "1"), read(pages[1], "3"), read(pages[2], "2")]
            held = await journal.put_facts(later, [pages[1], pages[2]])
            assert list(held) == [first.id, later[1].id, second.id]
            assert await journal.vault([page.key for page in pages]) == [pages[0], pages[1], None]

    @pytest.mark.trio
    async def test_putting_the_same_record_again_is_harmless(self, journals: Journals, make: Maker) -> None:
        fact, attempt = make.fact(), make.attempt("order")
        decision = make.decision([fact])
        async with journals.open() as journal:
            for _ in range(2):
                assert list(await journal.put_facts([fact])) == [fact.id]
                await journal.put_decision(decision)
                await journal.put_attempts([attempt])
            last = make.fact()
            await journal.put_facts([last])
            assert ids_of(await take(journal, 2)) == [fact.id, last.id]
            assert list(await journal.decisions()) == [decision]
            assert list(await journal.attempts_of(["order"])) == [attempt]
            assert await journal.verify() == 1

    @pytest.mark.trio
    async def test_many_tasks_put_at_once(self, journals: Journals, make: Maker) -> None:
        """Every fact once, each task's own in its order."""
        returned: dict[str, str] = {}
        mine = [[make.fact(key=f"{n}/{i}") for i in range(10)] for n in range(20)]

        async def put(facts: list[Fact]) -> None:
            for fact in facts:
                (returned[fact.id],) = await journal.put_facts([fact], [VaultEntry(key=f"v{fact.id}", payload=b"x")])

        async with journals.open() as journal:
            async with trio.open_nursery() as nursery:
                for facts in mine:
                    nursery.start_soon(put, facts)
            order = ids_of(await take(journal, 200))
        assert all(mine == held for mine, held in returned.items())
        assert sorted(order) == sorted(returned)
        for facts in mine:
            places = [order.index(fact.id) for fact in facts]
            assert places == sorted(places)

    @pytest.mark.trio
    async def test_no_gap_and_no_repeat_while_facts_are_being_written(self, journals: Journals, make: Maker) -> None:
        """Followers that begin before, during and after see the same order."""
        seen: list[list[str]] = []

        async def follow(journal: Journal, begin: trio.Event) -> None:
            await begin.wait()
            seen.append(ids_of(await take(journal, 600)))

        async def write(journal: Journal, count: int) -> None:
            for _ in range(count):
                await journal.put_facts([make.fact()])

        async with journals.open() as journal, trio.open_nursery() as nursery:
            begins = [trio.Event() for _ in range(4)]
            for begin in begins:
                nursery.start_soon(follow, journal, begin)
            for n, begin in enumerate(begins):
                begin.set()
                async with trio.open_nursery() as writers:
                    for _ in range(5):
                        writers.start_soon(write, journal, 30)
                await journal.put_decision(make.decision(fired=(f"deadline {n}",)))
        assert len(seen) == 4
        assert all(order == seen[0] for order in seen)
        assert len(set(seen[0])) == 600

    @pytest.mark.trio
    async def test_a_follower_that_lags_far_behind_misses_nothing(self, journals: Journals, make: Maker) -> None:
        async with journals.open() as journal:
            await journal.put_facts([make.fact()])
            follower = journal.facts()
            got = list(await anext(follower))
            batch = 1_500
            for _ in range(8):  # more than a follower's buffer holds
                await journal.put_facts([make.fact() for _ in range(batch)])
            while len(got) < 1 + 8 * batch:
                got += await anext(follower)
            order = ids_of(got)
            assert order == sorted(set(order))

    @pytest.mark.trio
    async def test_cancelling_the_wait_does_not_take_the_fact_back(self, journals: Journals, make: Maker) -> None:
        fact, after = make.fact(), make.fact()

        async def put_and_leave() -> None:
            with trio.CancelScope() as scope:
                nursery.start_soon(cancel, scope)
                await journal.put_facts([fact])

        async def cancel(scope: trio.CancelScope) -> None:
            scope.cancel()

        async with journals.open() as journal:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(put_and_leave)
            await journal.put_facts([after])
            assert fact.id in ids_of(await take(journal, 2))

    @pytest.mark.trio
    async def test_a_put_in_a_cancelled_scope_does_nothing(self, journals: Journals, make: Maker) -> None:
        fact, after = make.fact(), make.fact()
        async with journals.open() as journal:
            with trio.CancelScope() as scope:
                scope.cancel()
                await journal.put_facts([fact])
            await journal.put_facts([after])
            assert ids_of(await take(journal, 1)) == [after.id]

    # -- decisions --

    @pytest.mark.trio
    async def test_decisions_keep_the_order_of_the_calls(self, journals: Journals, make: Maker) -> None:
        facts = [make.fact() for _ in range(30)]
        decisions = [make.decision([fact]) for fact in facts]
        async with journals.open() as journal:
            await journal.put_facts(facts)
            pending = [journal.put_decision(decision) for decision in decisions]
            for put in reversed(pending):
                await put
            assert list(await journal.decisions()) == decisions
            assert list(await journal.decisions(limit=3)) == decisions[:3]
            assert list(await journal.decisions(after=decisions[9].id, limit=2)) == decisions[10:12]
            assert await journal.verify() == 30
        async with journals.open() as journal:
            await journal.put_decision(make.decision(fired=("deadline",)))
            assert len(await journal.decisions()) == 31
            assert await journal.verify() == 31

    @pytest.mark.trio
    async def test_a_decision_may_not_take_a_fact_that_is_not_there(self, journals: Journals, make: Maker) -> None:
        async with journals.open() as journal:
            bad = journal.put_decision(make.decision(["01NONE"]))
            after = journal.put_decision(make.decision())
            with pytest.raises(JournalError, match="01NONE"):
                await bad
            with pytest.raises(JournalError, match="01NONE"):
                await after
            assert list(await journal.decisions()) == []
        async with journals.open() as journal:
            await journal.put_decision(make.decision())
            assert await journal.verify() == 1

    @pytest.mark.trio
    async def test_an_attempt_is_durable_no_sooner_than_the_decisions_put_before_it(
        self, journals: Journals, make: Maker
    ) -> None:
        decisions = [make.decision() for _ in range(5)]
        async with journals.open() as journal:
            for decision in decisions:
                journal.put_decision(decision)
            await journal.put_attempts([make.attempt("o1")])
            assert list(await journal.decisions()) == decisions

    @pytest.mark.trio
    async def test_of_a_decision_that_was_refused_no_attempt_is_made(self, journals: Journals, make: Maker) -> None:
        async with journals.open() as journal:
            bad = journal.put_decision(make.decision(["01NONE"]))
            with pytest.raises(JournalError, match="01NONE"):
                await journal.put_attempts([make.attempt("o1")])
            with pytest.raises(JournalError, match="01NONE"):
                await bad
            assert list(await journal.attempts_of(["o1"])) == []
            await journal.put_facts([make.fact()])  # what comes in is still kept

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
