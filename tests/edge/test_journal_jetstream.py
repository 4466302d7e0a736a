"""The journal on real nats-servers: the contract on one, the fence and fail-over on three."""

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from hub.journal import Fenced, Journal, JournalError, JournalUnavailable, Worth
from hub.journal.cluster import ClusterJournal
from hub.journal.jetstream import open_jetstream, token
from hub.journal.memory import MemoryJournal
from hub.journal.sqlite import open_sqlite
from hub.model.records import VaultEntry
from tests.contracts.journal import JournalContract, Maker, ids_of, take
from tests.edge.nats_servers import Server, all_ready, free_ports, outgoing, running
from tests.unit.test_journal_sqlite import SqliteJournals


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("nats")) as servers:
        yield servers[0]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    with running(tmp_path_factory.mktemp("cluster"), 3) as servers:
        yield servers


class JetStreamJournals(SqliteJournals):
    """On one server; the node's copy is a SQLite journal, which is what is tampered with."""

    def __init__(self, path: Path, folder: Path) -> None:
        super().__init__(path)
        self._folder = folder

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Journal]:
        with running(self._folder) as servers:
            await all_ready(servers)
            async with (
                outgoing() as loop,
                open_sqlite(self.path) as copy,
                open_jetstream(loop, [servers[0].url], copy, node="a", replicas=1) as journal,
            ):
                yield journal


class TestJetStream(JournalContract):
    @pytest.fixture
    def journals(self, tmp_path: Path) -> JetStreamJournals:
        (tmp_path / "nats").mkdir()
        return JetStreamJournals(tmp_path / "journal.db", tmp_path / "nats")


# -- what only the cluster has --


@asynccontextmanager
async def node(servers: list[Server], name: str, replicas: int = 1) -> AsyncIterator[ClusterJournal]:
    """A node with a memory copy, on a loop of its own."""
    urls = [server.url for server in servers]
    async with outgoing() as loop, open_jetstream(loop, urls, MemoryJournal(), node=name, replicas=replicas) as journal:
        yield journal


def test_any_key_makes_a_token_of_a_subject() -> None:
    keys = ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "", "a.b", "*", ">", "a b", "x-61", "é", "k-" + "y" * 200]
    tokens = [token(key) for key in keys]
    assert len(set(tokens)) == len(keys)
    assert all(part and not set(part) & set(".*> ") and part.isascii() for part in tokens)


@pytest.mark.trio
async def test_a_node_that_comes_later_has_it_all(server: Server) -> None:
    make = Maker(2)
    await all_ready([server])
    async with node([server], "a") as first:
        assert first.worth is Worth.PROCESS
        fact, entry = make.sealed("words", key="from-a")
        await first.put_facts([fact], [entry])
        await first.put_decision(make.decision([fact]))
        await first.put_attempts([make.attempt("late")])
        async with node([server], "b") as second:
            assert fact.id in ids_of(await take(second, 1))
            assert await second.verify() == await first.verify()
            assert await second.vault([entry.key]) == [entry]
            assert len(await second.attempts_of(["late"])) == 1
            again, spare = make.sealed("others", key="from-a")
            assert list(await second.put_facts([again], [spare])) == [fact.id]
            assert await first.vault([spare.key]) == [None]


@pytest.mark.trio
async def test_a_large_original_is_kept_in_parts_and_erased_whole(server: Server) -> None:
    original = VaultEntry(key="large one", payload=random.Random(5).randbytes(2_000_001), media_type="application/xml")
    await all_ready([server])
    async with node([server], "a") as journal:
        await journal.put_facts([Maker(3).fact(vault=original.key)], [original])
        assert await journal.vault([original.key]) == [original]
        await journal.erase([original.key])
        assert await journal.vault([original.key]) == [None]


@pytest.mark.trio
async def test_what_is_longer_than_a_message_is_refused_with_the_remedy(server: Server) -> None:
    make = Maker(4)
    await all_ready([server])
    async with node([server], "a") as journal:
        with pytest.raises(JournalError, match="put less at once, or keep the large part in the vault"):
            await journal.put_facts([make.fact(key="x" * 1_100_000)])
        last = make.fact()
        await journal.put_facts([last])


@pytest.mark.trio
async def test_a_deposed_leader_is_told_and_may_lead_again(server: Server) -> None:
    make = Maker(6)
    await all_ready([server])
    async with node([server], "a") as old, node([server], "b") as new:
        await new.lead()
        theirs = make.decision()
        await new.put_decision(theirs)
        with pytest.raises(Fenced, match=theirs.id):
            await old.put_decision(make.decision())
        with pytest.raises(Fenced):
            await old.put_decision(make.decision())
        await old.lead()
        assert theirs in await old.decisions()
        await old.put_decision(make.decision())
        assert await old.verify() == len(await old.decisions())


@pytest.mark.trio
async def test_a_server_that_is_gone_is_said_and_endured(tmp_path: Path) -> None:
    make = Maker(7)
    with running(tmp_path) as servers:
        await all_ready(servers)
        async with node(servers, "a") as journal:
            before = make.fact()
            await journal.put_facts([before])
            servers[0].kill()
            with pytest.raises(JournalUnavailable):
                await journal.put_facts([make.fact()])
            assert trouble(journal)
            decision = make.decision([before])
            waiting = journal.put_decision(decision)
            servers[0].start()
            await waiting
            assert list(await journal.decisions()) == [decision]
            last = make.fact()
            # The streams of facts and of decisions come back each in its own time.
            while trouble(journal):  # noqa: ASYNC110 # the journal has no event for it; it is asked
                await trio.sleep(0.05)
            await journal.put_facts([last])
            assert await journal.get([before.id, last.id]) == [before, last]


def trouble(journal: ClusterJournal) -> str:
    """Read anew each time: the type checker takes an attribute not to change by itself."""
    return journal.trouble or ""


@pytest.mark.trio
async def test_no_cluster_at_all_is_said(tmp_path: Path) -> None:
    url = f"nats://127.0.0.1:{free_ports(1)[0]}"
    async with outgoing() as loop:
        opening = open_jetstream(loop, [url], MemoryJournal(), node="a", connect_s=0.5)
        with pytest.raises(JournalUnavailable, match=f"cannot be reached: no answer from {url} in 0.5 s"):
            await opening.__aenter__()


RACES = 200


@pytest.mark.timeout(300)
@pytest.mark.trio
async def test_of_two_leaders_never_both_win(three: list[Server]) -> None:
    """Two that both believe they lead decide at the same moment, again and again, on three servers at R3."""
    await all_ready(three)
    make = Maker(8)
    won: dict[str, int] = {"a": 0, "b": 0}
    both = neither = 0
    async with node(three, "a", replicas=3) as a, node(three[1:], "b", replicas=3) as b:
        assert a.worth is Worth.REPLICAS
        for _ in range(RACES):
            winners: list[str] = []

            async def decide(name: str, journal: ClusterJournal, winners: list[str] = winners) -> None:
                try:
                    await journal.put_decision(make.decision())
                except Fenced:
                    return
                winners.append(name)

            await a.lead()
            await b.lead()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(decide, "a", a)
                nursery.start_soon(decide, "b", b)
            both += len(winners) == 2
            neither += not winners
            for name in winners:
                won[name] += 1
        print(f"{RACES} races: won by {won}, both {both}, neither {neither}")
        await a.lead()
        await b.lead()
        order = [decision.id for decision in await a.decisions()]
        assert order == [decision.id for decision in await b.decisions()]
    assert both == 0
    assert neither == 0
    assert len(order) == RACES
    assert min(won.values()) > 0, "it was no race"


@pytest.mark.timeout(180)
@pytest.mark.trio
async def test_a_server_that_dies_takes_nothing_acknowledged_with_it(tmp_path: Path) -> None:
    """At R3 one of three is killed, whoever it leads, while facts are written and decided on."""
    make = Maker(9)
    acknowledged: list[str] = []
    decided: list[str] = []

    async def write(journal: ClusterJournal, servers: list[Server]) -> None:
        for n in range(60):
            fact, entry = make.sealed(key=f"fact {n}")
            while True:  # as a source does: the same again until it is taken
                try:
                    (held,) = await journal.put_facts([fact], [entry])
                    break
                except JournalUnavailable:
                    await trio.sleep(0.1)
            assert held == fact.id
            acknowledged.append(held)
            decision = make.decision([held])
            await journal.put_decision(decision)
            decided.append(decision.id)
            if n == 20:
                random.Random(9).choice(servers).kill()

    with running(tmp_path, 3) as servers:
        await all_ready(servers)
        async with node(servers, "a", replicas=3) as journal:
            await write(journal, servers)
        async with node(servers, "b", replicas=3) as journal:
            assert ids_of(await take(journal, 60)) == acknowledged
            assert [decision.id for decision in await journal.decisions()] == decided
            assert await journal.verify() == 60
