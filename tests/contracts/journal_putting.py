"""What every journal promises of putting and following: facts, decisions, attempts."""

import pytest
import trio

from hub.journal import Journal, JournalError
from hub.model.records import (
    Fact,
    SignalReceived,
    VaultEntry,
)
from tests.contracts.records import Journals, Maker, ids_of, take


class PuttingContract:
    """Each record once, in order, and durable before it is answered for."""

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
