"""Dossiers in the engine: what is filed and counts, what takes it back, which incidents are linked, what rises."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hub.engine.dossier_state import DAYS_KEPT, LINKED_MOST, STORIES_MOST
from hub.engine.dossiers import rise_name, stories_of
from hub.model import events as e
from hub.model import records as r
from hub.model.area import Area
from hub.model.people import Language
from hub.model.signal import VIGIE, Hazard, Info, MsgType, Reference, Signal, Status
from hub.model.trust import Backing, Credibility, Reliability
from hub.playbook.dossiers import Dossier, Rise
from hub.playbook.language import When
from tests.stories import Night, World

SCAMS = Dossier(
    name="scams",
    title=dict.fromkeys(Language, "Scams"),
    owner="sitcen",
    version="1",
    when=(When(hazards=(Hazard.CYBER,)),),
    rise=Rise(days=7, times=2.0, at_least=5),
)
WATER = replace(SCAMS, name="water", when=(When(hazards=(Hazard.WATER_QUALITY,)),), rise=None)
NOON = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)


class Room(Night):
    """A night of months, whose hub knows dossiers."""

    def __init__(self, *dossiers: Dossier, at: datetime = NOON) -> None:
        super().__init__(World(), at=at)
        self.have(*dossiers or (SCAMS,))
        self.fact(r.HubStarted(node="here", version=""))
        self._nth = 0

    def have(self, *dossiers: Dossier) -> None:
        self.world.dossiers = {dossier.name: dossier for dossier in dossiers}

    def saved(self) -> None:
        self.fact(r.Installed(what="config", name="dossiers.yaml", version=f"{self.now}"))

    def says(self, story: str = "", hazard: Hazard = Hazard.CYBER, **more: Any) -> str:
        """A signal of a story of its own, unless one is named. Returns its fact."""
        self._nth += 1
        backing = Backing(story=story or f"story-{self._nth}", how="new", denies=more.pop("denies", False))
        told = dict(more.pop("told", {}))
        signal = Signal(
            source=more.pop("source", "press"),
            identifier=more.pop("identifier", f"item-{self._nth}"),
            sender="press",
            sent=self.now,
            infos=(Info(hazard=hazard, areas=more.pop("areas", ())),),
            backing=more.pop("backing", backing),
            credibility=more.pop("credibility", Credibility.POSSIBLY_TRUE),
            **more,
        )
        return self.fact(r.SignalReceived(source=signal.source, status=signal.status, **told), signal)

    def week(self, count: int) -> None:
        """So many stories, one on each of the week's days in turn; then the week is over."""
        for day in range(7):
            for _ in range(count // 7 + (day < count % 7)):
                self.says()
            self.after(hours=24)

    def events(self, *kinds: type[Any]) -> list[Any]:
        return [event for decision in self.decisions for event in decision.events if isinstance(event, kinds)]

    def grades(self, signal: str, credibility: Credibility) -> None:
        known = next(entry for entry in self.entries if entry.record.id == signal).live
        body = r.SignalGraded(signal=signal, story=known.backing.story, credibility=credibility, by="anna", why="asked")
        self.fact(body, replace(known, id=signal, credibility=credibility))

    @property
    def scams(self) -> Any:
        return self.state.dossiers["scams"]

    @property
    def counted(self) -> dict[date, int]:
        return {date.fromordinal(day): count for day, count in self.scams.days.items()}


def test_a_signal_that_meets_a_dossier_is_filed_on_its_local_day() -> None:
    room = Room(SCAMS, WATER, at=datetime(2026, 9, 1, 21, 59, tzinfo=UTC))
    room.says()
    room.after(minutes=2)  # past midnight in Brussels, and not in Greenwich
    room.says()
    room.says(hazard=Hazard.FIRE)
    assert room.counted == {date(2026, 9, 1): 1, date(2026, 9, 2): 1}
    assert room.state.dossiers["water"].days == {}
    room.over()


def test_a_story_counts_once_whoever_tells_it_and_however_late() -> None:
    room = Room()
    first = room.says("story", areas=(Area(description="Ixelles", places=("region", "ixelles")),))
    room.says("story", source="other")
    room.after(hours=20)
    room.says("story")
    assert room.counted == {date(2026, 9, 1): 1}
    assert room.scams.places == {"region": 1, "ixelles": 1}
    assert [(filed.signal == first, filed.apart) for filed in room.events(e.Filed)] == [
        (True, ""), (False, "same"), (False, "same"),
    ]  # fmt: skip
    room.over()


def test_what_was_compared_with_nothing_is_known_by_its_sender_and_what_it_refers_to() -> None:
    room = Room()
    room.says(backing=None, identifier="a")
    room.says(backing=None, identifier="a")
    room.says(backing=None, identifier="b", references=(Reference("press", "a", None),), msg_type=MsgType.UPDATE)
    room.says(backing=None, identifier="c", references=(Reference("somebody", "a", None),))
    assert sum(room.counted.values()) == 2, "a reference to somebody else's message is no repetition"
    room.over()


@pytest.mark.parametrize(
    ("apart", "more"),
    [
        ("exercise", {"status": Status.EXERCISE}),
        ("test", {"status": Status.TEST}),
        ("trial", {"told": {"shadow": True}}),
        ("backlog", {"told": {"baseline": True}}),
        ("improbable", {"credibility": Credibility.IMPROBABLE}),
        ("improbable", {"denies": True}),
    ],
)
def test_what_is_not_in_earnest_is_filed_apart_and_counts_once_it_is(apart: str, more: dict[str, Any]) -> None:
    room = Room()
    room.says("story", **more)
    assert [filed.apart for filed in room.events(e.Filed)] == [apart]
    assert room.counted == {}
    room.after(hours=24)
    room.says("story")
    assert room.counted == {date(2026, 9, 2): 1}
    room.over()


def test_acks_errors_and_what_the_hub_says_itself_are_filed_nowhere() -> None:
    room = Room()
    room.says(msg_type=MsgType.ACK)
    room.says(msg_type=MsgType.ERROR)
    room.says(source=VIGIE)
    assert room.events(e.Filed) == []
    room.over()


def test_a_cancel_takes_nothing_back_and_is_seen() -> None:
    room = Room()
    room.says("story")
    cancel = room.says("story", msg_type=MsgType.CANCEL)
    assert sum(room.counted.values()) == 1
    assert [(event.story, event.signal) for event in room.events(e.FiledCancelled)] == [("story", cancel)]
    room.says("other", msg_type=MsgType.CANCEL)
    assert len(room.events(e.FiledCancelled)) == 1
    room.over()


def test_what_an_officer_calls_false_counts_no_more_until_it_is_said_otherwise() -> None:
    room = Room()
    signal = room.says("story")
    room.grades(signal, Credibility.IMPROBABLE)
    room.grades(signal, Credibility.IMPROBABLE)
    assert room.counted == {}
    room.says("story", credibility=Credibility.IMPROBABLE)
    assert room.counted == {}
    room.after(hours=24)
    room.grades(signal, Credibility.CONFIRMED)
    assert room.counted == {date(2026, 9, 1): 1}, "on the day on which it was told"
    assert [(event.apart, event.by) for event in room.events(e.Recounted)] == [("improbable", "anna"), ("", "anna")]
    room.over()


def test_a_dossier_that_asks_for_trust_takes_a_signal_when_it_has_it() -> None:
    room = Room(replace(SCAMS, when=(When(hazards=(Hazard.CYBER,)),)))
    room.have()  # not met yet
    signal = room.says("story")
    room.have(SCAMS)
    room.after(hours=30)
    room.grades(signal, Credibility.CONFIRMED)
    assert room.counted == {date(2026, 9, 1): 1}, "on the day on which it came in"
    room.over()


# --- by hand -----------------------------------------------------------------------------------------------


def added(room: Room, *stories: str, days_ago: float = 0, **more: Any) -> None:
    at = room.now - timedelta(days=days_ago)
    body = r.SignalFiled(dossier="scams", signal="s", at=at, stories=stories, by="anna", why="it is one", **more)
    room.fact(body)


def test_what_is_added_by_hand_counts_when_it_came_in_and_what_is_taken_out_stays_out() -> None:
    room = Room()
    added(room, "story", days_ago=3, places=("ixelles",))
    assert room.counted == {date(2026, 8, 29): 1}
    assert room.scams.places == {"ixelles": 1}
    out = r.SignalUnfiled(dossier="scams", signal="s", story="story", by="bea", why="another town")
    room.fact(out)
    room.fact(out)
    assert (room.counted, room.scams.places) == ({}, {})
    room.says("story")
    assert room.counted == {}, "what else tells the same is not filed by rule"
    added(room, "story", days_ago=3)
    assert room.counted == {date(2026, 8, 29): 1}, "by hand it is put in again"
    added(room, "exercise", apart="exercise")
    room.fact(r.SignalUnfiled(dossier="scams", signal="s", story="never", by="bea", why="?"))
    assert sum(room.counted.values()) == 1
    room.over()


def test_acts_on_a_dossier_that_is_not_there_come_to_nothing() -> None:
    room = Room()
    for body in (
        r.SignalFiled(dossier="none", signal="s", at=room.now, stories=("a",), by="anna", why="?"),
        r.SignalUnfiled(dossier="none", signal="s", story="a", by="anna", why="?"),
        r.DossierNote(dossier="none", by="anna"),
        r.IncidentLinked(dossier="none", incident="i", by="anna", why="?"),
    ):
        room.fact(body)
    assert list(room.state.dossiers) == ["scams"]
    room.over()


def test_notes_and_links_are_kept_by_their_ids_the_newest_of_very_many() -> None:
    room = Room()
    notes = [room.fact(r.DossierNote(dossier="scams", by="anna")) for _ in range(LINKED_MOST + 5)]
    for nth in range(LINKED_MOST + 5):
        room.fact(r.IncidentLinked(dossier="scams", incident=f"i-{nth}", by="anna", why="same gang"))
    room.fact(r.IncidentLinked(dossier="scams", incident="i-100", by="anna", why="again"))
    assert room.scams.notes == notes[5:]
    assert room.scams.incidents == [f"i-{nth}" for nth in range(5, LINKED_MOST + 5)]
    room.over()


def test_incidents_whose_signals_are_filed_are_linked() -> None:
    room = Room(replace(SCAMS, when=(When(hazards=(Hazard.THUNDERSTORM,)),)))
    room.world.sheets[:] = [room.world.sheets[0]]
    backing = Backing(story="story", how="new")
    room.signal("w1", backing=backing)
    (incident,) = room.state.incidents
    room.signal("w2", severity="Minor", sender="other", backing=backing)  # of the same story, in no incident itself
    assert [(link.incident, link.by) for link in room.events(e.DossierLinked)] == [(incident, "")]
    room.signal("w3", status="Exercise")
    assert len(room.state.incidents) == 2
    assert len(room.events(e.DossierLinked)) == 1, "an exercise's incident is none of a phenomenon"


# --- what is in force --------------------------------------------------------------------------------------


def test_other_words_begin_another_count_and_a_dossier_that_is_gone_closes() -> None:
    room = Room()
    room.says()
    since = room.scams.since
    room.after(hours=24 * 40)
    room.have(replace(SCAMS, owner="somebody", rise=None))
    room.saved()
    assert room.scams.since == since, "its words are the same"
    room.have(replace(SCAMS, version="2"))
    room.saved()
    assert room.scams.since == since + 40
    assert sum(room.counted.values()) == 1, "what was counted is still seen"
    room.have()
    room.saved()
    assert room.scams.closed == since + 40
    added(room, "late")
    assert sum(room.counted.values()) == 1
    room.after(hours=20)
    room.have(replace(SCAMS, version="2"))
    room.saved()
    assert (room.scams.since, room.scams.closed) == (since + 40, 0), "gone by mistake, and back in time"
    room.have()
    room.saved()
    room.after(hours=72)
    room.have(replace(SCAMS, version="2"))
    room.saved()
    assert room.scams.since > since + 43, "days without a count are no days without a scam"
    room.over()


def test_it_takes_no_more_room_than_it_may() -> None:
    room = Room()
    for _ in range(STORIES_MOST + 50):
        room.says()
    assert len(room.scams.stories) == STORIES_MOST
    assert sum(room.counted.values()) == STORIES_MOST + 50
    for _ in range(3):
        added(room, *(f"old-{room.ids.new(room.now)}",), days_ago=DAYS_KEPT + 100)
    assert len(room.scams.days) <= DAYS_KEPT + 1


# --- rises -------------------------------------------------------------------------------------------------


def test_a_rise_is_found_once_until_it_has_fallen_back() -> None:
    room = Room()
    for count in (3, 2, 4, 3, 2):
        room.week(count)
    assert room.events(e.Rose) == []
    for _ in range(40):
        room.says()
    (rose,) = room.events(e.Rose)
    assert (rose.dossier, rose.day, rose.span, rose.spans) == ("scams", date(2026, 10, 6), 7, 4)
    assert (rose.count, rose.usual) == (12, 2.75), "as soon as chance alone would not do it, 40 or not"
    room.week(10)
    assert len(room.events(e.Rose)) == 1, "it is still high"
    room.week(1)
    room.week(1)
    assert [event.day for event in room.events(e.FellBack)], "two calm weeks"
    assert room.scams.rising is None
    for _ in range(40):
        room.says()
    assert len(room.events(e.Rose)) == 2
    room.over()


def test_it_is_told_once_a_day_at_most_whatever_is_taken_out_and_put_in() -> None:
    room = Room()
    for count in (3, 2, 4, 3, 2):
        room.week(count)
    told = [f"again-{nth}" for nth in range(15)]
    for _ in range(3):
        for story in told:
            added(room, story)
        for story in told:
            room.fact(r.SignalUnfiled(dossier="scams", signal="s", story=story, by="bea", why="?"))
    assert len(room.events(e.Rose)) == 1
    room.over()


def test_days_on_which_the_clocks_change_are_days() -> None:
    """Every 24 hours over 25 October 2026, which has 25: half past midnight, then half past eleven of the same day."""
    room = Room(replace(SCAMS, rise=Rise(days=1, times=2.0, at_least=3)), at=datetime(2026, 10, 20, 22, 30, tzinfo=UTC))
    for _ in range(10):
        room.says()
        room.after(hours=24)
    assert {day: count for day, count in room.counted.items() if count != 1} == {date(2026, 10, 25): 2}
    assert sorted(room.counted) == [date(2026, 10, 21) + timedelta(days=n) for n in range(9)], "no day is missed"
    assert room.events(e.Rose) == []
    room.over()


def test_the_signal_that_tells_it_closes_it_and_is_known_by_its_name() -> None:
    room = Room()
    for count in (3, 2, 4, 3, 2, 40):
        room.week(count)
    (rose,) = room.events(e.Rose)
    rising = room.scams.rising
    assert rising is not None
    assert not rising.told
    room.says(source=VIGIE, identifier="dossier water 2026-10-06")
    assert not room.scams.rising.told
    told = room.says(source=VIGIE, identifier=rise_name("scams", rose.day), hazard=Hazard.OTHER)
    assert room.scams.rising.told
    room.says(source=VIGIE, identifier=rise_name("scams", rose.day), hazard=Hazard.OTHER)
    assert [event.signal for event in room.events(e.RiseTold)] == [told]
    room.over()


steps = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(["says", "same", "false", "out", "hand", "saved", "words"])),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_whatever_happens_counts_are_those_of_the_stories_and_no_rise_is_found_twice(
    steps: list[tuple[int, str]],
) -> None:
    room = Room(replace(SCAMS, rise=Rise(days=2, times=1.5, at_least=2)))
    room.after(hours=24 * 35)  # so long that it is known what is usual
    last = room.says("story-0")
    for nth, (hours, what) in enumerate(steps):
        room.after(hours=hours)
        if what == "says":
            last = room.says(f"story-{nth}")
        elif what == "same":
            room.says("story-0")
        elif what == "false":
            room.grades(last, Credibility.IMPROBABLE)
        elif what == "out":
            room.fact(r.SignalUnfiled(dossier="scams", signal="s", story=f"story-{nth // 2}", by="b", why="?"))
        elif what == "hand":
            added(room, f"story-{nth // 3}", days_ago=nth % 4)
        elif what == "saved":
            room.saved()
        else:
            room.have(replace(SCAMS, version=f"{nth}", rise=Rise(days=2, times=1.5, at_least=2)))
            room.saved()
    stories = room.scams.stories.values()
    by_day: dict[int, int] = {}
    for story in stories:
        if story.counts:
            by_day[story.day] = by_day.get(story.day, 0) + 1
    assert room.scams.days == by_day
    found = room.events(e.Rose)
    assert len({rose.day for rose in found}) == len(found)
    for one, other in pairwise(room.events(e.Rose, e.FellBack, e.DossierOpened)):
        assert not (isinstance(one, e.Rose) and isinstance(other, e.Rose)), "told twice, and not fallen back between"
    room.over()


def test_the_name_of_a_story_comes_first() -> None:
    signal = Signal(identifier="i", sender="s", sent=NOON, source="press", reliability=Reliability.C)
    assert len(stories_of(signal)) == 1
    assert stories_of(replace(signal, backing=Backing(story="first", how="new")))[0] == "first"
