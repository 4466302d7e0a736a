"""The words that go along for who is to have them: from the vault, and only as long as they are there."""

import random
from typing import Any

import msgspec
import pytest
import trio

from hub.followers.known import Known
from hub.followers.runner import Runner
from hub.followers.telling import Told, tell
from hub.followers.wanted import Wanted
from hub.followers.words import TEXT_MAX, Words
from hub.journal.memory import MemoryJournal
from hub.model import occurrences as o
from hub.model import records as r
from hub.model.people import Language
from hub.model.signal import Signal
from hub.playbook.language import Playbook, Step, Task, Tasks
from tests.conftest import ROOT
from tests.stories import Night, World, sheet

DO = {language: f"Do it ({language})" for language in Language}
SHEET = sheet(
    "storm", *sheet().steps, Step(name="checklist", action=Tasks(tasks=(Task(do=DO, who="duty-officer", due_s=600),)))
)
HEADLINE = "Tempête, écrit Mme Peeters"


class Kept:
    """A night whose facts lie in a journal, and their vault entries as intake seals them."""

    def __init__(self) -> None:
        self.night = Night(World(SHEET))
        self.journal = MemoryJournal(entropy=random.Random(1).randbytes)
        self.known = Known()
        self._kept = 0
        self._told = 0

    async def keep(self, **sealed: Any) -> None:
        """Keeps what happened since; what belongs in the vault of a reply is `sealed`."""
        for entry in self.night.entries[self._kept :]:
            payload = entry.live if isinstance(entry.live, Signal) else None
            if isinstance(entry.record.body, r.ReplyReceived):
                payload = sealed.get("reply")
            fact, vault = entry.record, []
            if payload is not None:
                fact = msgspec.structs.replace(fact, vault=fact.id)
                vault = [r.VaultEntry(key=fact.id, payload=msgspec.json.encode(payload))]
            await self.journal.put_facts([fact], vault)
        self._kept = len(self.night.entries)

    def told(self) -> list[Told]:
        new = self.night.decisions[self._told :]
        self._told = len(self.night.decisions)
        return [one for decision in new for one in tell(self.known, decision)]

    async def filled(self, sheet: Playbook | None = SHEET) -> list[o.IncidentEvent]:
        return await Words(self.journal, lambda name, version: sheet)(self.told())


def words(events: list[o.IncidentEvent], kind: type) -> list[o.Words]:
    return [one for event in events if isinstance(event.what, kind) for one in event.words]


def play(story: Any) -> None:
    trio.run(story)


def signal(night: Night, **info: str) -> None:
    night.signal("w1", info={"headline": HEADLINE, "description": "Vent fort", "language": "fr-BE", **info})


def test_a_signal_s_words_go_along_with_what_it_brought_about() -> None:
    async def story() -> None:
        kept = Kept()
        signal(kept.night, instruction="Restez chez vous")
        await kept.keep()
        events = await kept.filled()
        expected = o.Words(of="signal", language="fr-BE", headline=HEADLINE, text="Vent fort\n\nRestez chez vous")
        assert words(events, o.Opened) == [expected]
        assert words(events, o.SignalJoined) == [expected]
        assert words(events, o.StepBegan) == []

    play(story)


def test_tasks_and_titles_are_those_of_the_sheet() -> None:
    async def story() -> None:
        kept = Kept()
        signal(kept.night)
        await kept.keep()
        titled = msgspec.structs.replace(SHEET, title={Language.FR: "Orage", Language.NL: "Onweer"})
        events = await kept.filled(titled)
        assert {tuple(event.titles.items()) for event in events} == {(("fr", "Orage"), ("nl", "Onweer"))}
        assert words(events, o.TaskOpened) == [
            o.Words(of="task", language=language.value, text=text) for language, text in DO.items()
        ]

    play(story)


def test_tasks_of_another_version_are_not_taken_for_these() -> None:
    async def story() -> None:
        kept = Kept()
        signal(kept.night)
        await kept.keep()
        events = await kept.filled(msgspec.structs.replace(SHEET, version="later"))
        assert words(events, o.TaskOpened) == []

    play(story)


def test_a_sheet_that_is_at_hand_no_more_is_read_from_the_journal() -> None:
    async def story() -> None:
        kept = Kept()
        text = (ROOT / "playbooks" / "gas-leak.yaml").read_text()
        kept.night.fact(r.Installed(what="playbook", name="storm", version="v", text=text))
        signal(kept.night)
        await kept.keep()
        events = await kept.filled(None)
        assert events[0].titles["nl"]

    play(story)


def test_a_reply_and_an_officer_s_reason_go_along() -> None:
    async def story() -> None:
        kept = Kept()
        signal(kept.night)
        await kept.keep()
        kept.told()
        kept.night.person("officer-a").replies("ok")
        await kept.keep(reply={"address": "+32450000001", "text": "ok, j'arrive"})
        answered = await kept.filled()
        assert words(answered, o.Answered) == [o.Words(of="reply", text="ok, j'arrive")]
        assert b"+32450000001" not in msgspec.json.encode(answered)
        (incident,) = kept.night.state.incidents
        kept.night.fact(r.IncidentClosed(incident=incident, by="room", why="fausse alerte"))
        await kept.keep()
        assert words(await kept.filled(), o.Ended) == [o.Words(of="why", text="fausse alerte")]

    play(story)


def test_what_was_erased_is_not_told() -> None:
    async def story() -> None:
        kept = Kept()
        signal(kept.night)
        await kept.keep()
        told = kept.told()
        await kept.journal.erase([fact for one in told for fact in one.facts])
        events = await Words(kept.journal, lambda name, version: None)(told)
        assert [event.words for event in events if event.words] == []

    play(story)


def test_a_text_without_end_is_cut() -> None:
    async def story() -> None:
        kept = Kept()
        signal(kept.night, description="a" * 1_000_000)
        await kept.keep()
        (told,) = words(await kept.filled(), o.Opened)
        assert len(told.text) == TEXT_MAX + 1

    play(story)


def test_who_is_to_have_none_gets_none() -> None:
    """Not even those that stand in the events themselves: an officer's reasons, an alarm's detail."""

    async def story() -> None:
        kept = Kept()
        kept.night.world.groups["a"] = ()  # nobody to ask: an alarm, whose detail is a sentence
        signal(kept.night)
        await kept.keep()
        told = kept.told()
        assert any(one.event.words for one in told)

        runner = Runner("log", Wanted(), None, Known(), None)  # type: ignore[arg-type] # neither is needed for this
        assert [event.words for event in await runner._words(told) if event.words] == []

    play(story)


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b'{"infos": 7}'])
def test_what_cannot_be_read_in_the_vault_stops_nothing(payload: bytes) -> None:
    async def story() -> None:
        journal = MemoryJournal()
        night = Night(World(SHEET))
        signal(night)
        fact = msgspec.structs.replace(night.entries[0].record, vault="k")
        await journal.put_facts([fact], [r.VaultEntry(key="k", payload=payload)])
        told = [one for decision in night.decisions for one in tell(Known(), decision)]
        events = await Words(journal, lambda name, version: None)(told)
        assert len(events) == len(told)

    play(story)
