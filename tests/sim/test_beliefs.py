"""What comes in by several sources, with a journal beneath: stories, origins, denials, an officer's word, a restart."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import trio
import trio.testing

from hub.acts import GradeBody, Refused
from hub.connector import SignalItem
from hub.desk import Desk
from hub.engine.state import State
from hub.grader import Grader
from hub.intake.beliefs import FLOOD, Trusted
from hub.intake.intake import Intake
from hub.intake.port import Answered, Offered
from hub.journal import Journal
from hub.journal.memory import MemoryJournal
from hub.model import events as e
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.message import Verb
from hub.model.signal import Info, MsgType, Reference, Signal, Status
from hub.model.trust import Backing, Credibility, Reliability, Rule

START = datetime(2026, 7, 14, 2, 10, tzinfo=UTC)
TRUST = {
    "bruzz": Trusted(reliability=Reliability.C, credibility=Credibility.POSSIBLY_TRUE),
    "bx1": Trusted(reliability=Reliability.C, credibility=Credibility.POSSIBLY_TRUE),
    "bx1-social": Trusted(reliability=Reliability.C, origin="bx1"),
    "fire-service": Trusted(reliability=Reliability.A, credibility=Credibility.PROBABLY_TRUE),
    "crowd": Trusted(origin="each sender"),
    "newcomer": Trusted(reliability=Reliability.A, credibility=Credibility.PROBABLY_TRUE, shadow=True),
}
LINK = "https://news.example.org/fire-in-the-rue-haute"


class Room:
    """The intake of a hub, its clock turned by hand."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.now = START
        self.up()

    def up(self) -> None:
        """A hub that has just come up, and remembers nothing."""
        self.intake = Intake(
            self.journal,
            lambda: self.now,
            Ids(random.Random(self.now.timestamp())),
            locate=lambda signal: signal,
            understanding=lambda: None,  # type: ignore[arg-type, return-value]  # nobody answers here
            trust=TRUST,
        )

    async def says(self, source: str, headline: str = "Fire in the Rue Haute", key: str = "", **more: Any) -> Signal:
        self.now += timedelta(minutes=1)
        info = Info(headline=headline, web=more.pop("web", LINK), description=more.pop("description", ""))
        signal = Signal(
            identifier=more.pop("identifier", f"{source} {self.now:%H:%M}"),
            sender=more.pop("sender", source),
            sent=self.now,
            infos=(info,),
            **more,
        )
        (answer,) = await self.intake.take(
            source, [Offered((SignalItem(signal=signal, key=key or signal.identifier),))]
        )
        assert isinstance(answer, Answered)
        return await self.kept(answer.taken[0].fact)

    async def kept(self, fact_id: str) -> Signal:
        (fact,) = await self.journal.get([fact_id])
        assert isinstance(fact, r.Fact)
        (entry,) = await self.journal.vault([fact.vault])
        assert entry is not None
        return msgspec.json.decode(entry.payload, type=Signal)

    async def grades(self, signal: str, credibility: int | None) -> Signal:
        desk = Desk(self.intake, State, lambda: None, lambda: self.now)  # type: ignore[arg-type, return-value]
        done = await Grader(desk, self.journal, self.intake.beliefs, desk.state).done["grade"](
            {"signal": signal}, GradeBody(by="officer-a", why="called them", credibility=credibility)
        )
        return await self.kept(done.id)


@asynccontextmanager
async def rooms() -> AsyncIterator[Room]:
    yield Room(MemoryJournal())


def grade(signal: Signal) -> str:
    reliability, credibility, origins = signal.graded
    return f"{reliability}{credibility.value} by {origins}"


def backing(signal: Signal) -> Backing:
    assert signal.backing is not None
    return signal.backing


@pytest.mark.trio
async def test_a_second_outlet_corroborates_and_is_of_the_same_story() -> None:
    async with rooms() as room:
        first = await room.says("bruzz")
        assert (grade(first), backing(first).story, backing(first).how) == ("C3 by 1", first.id, "new")
        second = await room.says("bx1")
        assert grade(second) == "C2 by 2"
        assert (backing(second).story, backing(second).how, backing(second).of) == (first.id, "same link", first.id)
        assert backing(second).origins == ("bruzz", "bx1")
        elsewhere = await room.says("bx1", "A flood in the Rue Basse", web="https://news.example.org/flood")
        assert grade(elsewhere) == "C3 by 1"


@pytest.mark.trio
async def test_two_feeds_of_one_outlet_and_two_outlets_that_print_one_agency_are_one_origin() -> None:
    async with rooms() as room:
        await room.says("bx1")
        assert grade(await room.says("bx1-social")) == "C3 by 1"
    async with rooms() as room:
        await room.says("bruzz", description="BRUSSELS (Belga) - A fire has broken out.")
        again = await room.says("bx1", description="A fire has broken out, Belga reports.")
        assert (grade(again), backing(again).origins) == ("C3 by 1", ("belga",))


@pytest.mark.trio
async def test_a_crowd_is_as_many_origins_as_it_has_senders() -> None:
    async with rooms() as room:
        said = [await room.says("crowd", sender=f"person {nth}") for nth in (1, 1, 2, 3, 4)]
        assert [grade(signal) for signal in said] == ["F6 by 0", "F6 by 0", "F6 by 1", "F6 by 1", "F3 by 2"]


@pytest.mark.trio
async def test_a_denial_by_one_who_knows_and_a_word_taken_back() -> None:
    async with rooms() as room:
        await room.says("bruzz")
        denied = await room.says("fire-service", "False alarm in the Rue Haute")
        assert (grade(denied), backing(denied).denies) == ("C5 by 1", True)
        assert [reason.rule for reason in backing(denied).reasons] == [Rule.STARTS, Rule.DENIED]
        back = await room.says("bruzz", "Fire in the Rue Haute was a false alarm")
        assert [reason.rule for reason in backing(back).reasons] == [Rule.STARTS, Rule.WITHDRAWN]


@pytest.mark.trio
async def test_news_of_a_denial_that_nobody_has_told_before_denies_nothing() -> None:
    async with rooms() as room:
        alone = await room.says("bruzz", "Minister denies all knowledge of the file")
        assert (grade(alone), backing(alone).denies) == ("C3 by 1", False)


@pytest.mark.trio
async def test_an_edited_item_is_of_its_story_and_counts_once() -> None:
    async with rooms() as room:
        first = await room.says("bruzz", identifier="item-1", key="1")
        edited = await room.says(
            "bruzz", "Large fire in the Rue Haute", identifier="item-1", key="2", msg_type=MsgType.UPDATE, web="",
            references=(Reference("bruzz", "item-1"),),
        )  # fmt: skip
        assert (backing(edited).story, backing(edited).how, grade(edited)) == (first.id, "same message", "C3 by 1")


@pytest.mark.trio
async def test_a_restart_forgets_no_story_no_voice_and_no_word() -> None:
    async with rooms() as room:
        first = await room.says("bruzz")
        await room.says("crowd", sender="person 1", description="It burns!")
        room.up()
        await room.intake.beliefs.recall(room.journal, room.now)
        second = await room.says("bx1")
        assert (grade(second), backing(second).story) == ("C2 by 2", first.id), "a stranger is half a voice"
        set_ = await room.grades(first.id, 1)
        room.up()
        await room.intake.beliefs.recall(room.journal, room.now)
        third = await room.says("fire-service", "Only a false alarm in the Rue Haute")
        assert (third.credibility, backing(third).reasons[-1]) == (Credibility.CONFIRMED, backing(set_).reasons[-1])
        await room.grades(first.id, None)
        fourth = await room.says("crowd", sender="person 2")
        assert fourth.credibility is Credibility.IMPROBABLE, "by the rules again"


@pytest.mark.trio
async def test_what_somebody_answered_before_the_hub_went_down_becomes_the_grade_when_it_is_back() -> None:
    async with rooms() as room:
        told = await room.says("bruzz")
        verdicts = {
            name: e.Judged(verdict=name, incident="I", ask="A", person="officer-a", signal=signal, verb=verb)
            for name, signal, verb in (
                ("v1", told.id, Verb.FALSE),
                ("v2", "01ABC", Verb.TRUE),
                ("v3", told.id, Verb.TRUE),
            )
        }
        state = State(verdicts={name: verdicts[name] for name in ("v1", "v2")})  # the third is the grade already
        desk = Desk(room.intake, lambda: state, lambda: None, lambda: room.now)  # type: ignore[arg-type, return-value]
        grader = Grader(desk, room.journal, room.intake.beliefs, desk.state)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(grader.run, list(verdicts.values()))
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        facts = await room.journal.facts_since(("graded", "verdict-failed"), START, 10)
        graded, failed = [fact.body for fact in facts]
        assert isinstance(graded, r.SignalGraded)
        assert isinstance(failed, r.VerdictFailed)
        assert (graded.verdict, graded.by, graded.credibility) == ("v1", "officer-a", Credibility.IMPROBABLE)
        assert (failed.verdict, "no signal 01ABC" in failed.problem) == ("v2", True)
        assert grade(await room.says("bx1")) == "C5 by 2", "for what is told from here on, too"


@pytest.mark.trio
async def test_what_was_in_the_journal_already_keeps_its_story() -> None:
    async with rooms() as room:
        first = await room.says("bruzz", identifier="item-1", key="1")
        room.up()  # a source that offers its last items again before anything was read back
        assert (await room.says("bruzz", identifier="item-1", key="1")).id == first.id
        second = await room.says("bx1")
        assert backing(second).story == first.id


@pytest.mark.trio
async def test_a_flood_is_not_compared_and_holds_nothing_up() -> None:
    async with rooms() as room:
        disk = Info(headline="Disk full")
        said = [Signal(identifier=str(n), sender="monitor", sent=START, infos=(disk,)) for n in range(FLOOD + 50)]
        items = [SignalItem(signal=signal, key=signal.identifier) for signal in said]
        (answer,) = await room.intake.take("fire-service", [Offered(items)])
        assert isinstance(answer, Answered)
        kept = [await room.kept(taken.fact) for taken in answer.taken]
        assert all(signal.backing is not None for signal in kept[:FLOOD])
        assert all(signal.backing is None for signal in kept[FLOOD:])
        room.now += timedelta(seconds=11)
        assert (await room.says("fire-service")).backing is not None


@pytest.mark.trio
async def test_only_what_says_something_can_be_graded() -> None:
    async with rooms() as room:
        with pytest.raises(Refused, match="no signal 01ABC"):
            await room.grades("01ABC", 1)
        ack = await room.says("bruzz", msg_type=MsgType.ACK)
        with pytest.raises(Refused, match="says nothing that could be believed"):
            await room.grades(ack.id, 1)
        erased = await room.says("bruzz")
        await room.journal.erase([erased.id])
        with pytest.raises(Refused, match="was erased"):
            await room.grades(erased.id, 1)


@pytest.mark.trio
async def test_an_exercise_corroborates_nothing_that_is_real() -> None:
    async with rooms() as room:
        await room.says("bruzz")
        assert grade(await room.says("bx1", status=Status.EXERCISE)) == "C3 by 1"


@pytest.mark.trio
async def test_a_source_on_trial_corroborates_nothing() -> None:
    async with rooms() as room:
        await room.says("bruzz")
        tried = await room.says("newcomer")
        assert (tried.backing, grade(tried)) == (None, "A2 by 1")
        assert grade(await room.says("bx1")) == "C2 by 2"
        (fact,) = await room.journal.get([tried.id])
        assert isinstance(fact, r.Fact)
        assert isinstance(fact.body, r.SignalReceived)
        assert fact.body.shadow
