"""The call list on its rhythm, told as stories: due on time on every night of the year, missed and made once."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from hub.engine.call_list import DEADLINE, next_time
from hub.model import events as e
from hub.model import records as r
from hub.model.enclosure import CallList, CallListRhythm
from hub.model.people import Asked, Classification, Contact, Language
from hub.model.signal import Status
from tests.stories import Night, World

BRUSSELS = ZoneInfo("Europe/Brussels")
RHYTHM = CallListRhythm(
    at=("06:00", "18:00"),
    zone="Europe/Brussels",
    hours=72,
    languages=(Language.FR,),
    to=(Contact(Asked.GROUP, "everybody"),),
    by=("email",),
    paper=True,
)
STARTED = r.HubStarted(node="test", version="")


def night(at: str = "2026-11-27 05:00", rhythm: CallListRhythm | None = RHYTHM) -> Night:
    world = World()
    world.rhythm = rhythm
    world.groups["everybody"] = ("officer-a", "officer-b", "police")
    world.seeing = {"officer-a": Classification.INTERNAL, "officer-b": Classification.INTERNAL}
    begun = Night(world, at=datetime.fromisoformat(at).replace(tzinfo=BRUSSELS).astimezone(UTC))
    begun.fact(STARTED)
    return begun


def papers(n: Night) -> list[str]:
    return [event.paper for d in n.decisions for event in d.events if isinstance(event, e.PaperDue)]


def test_at_its_time_everybody_gets_what_they_may_see_and_it_goes_on_paper() -> None:
    n = night()
    n.after(minutes=59)
    assert papers(n) == []
    n.after(minutes=1)
    officer = n.person("officer-a").receives("hub.call-list", by="email")
    assert n.person("officer-b").receives("hub.call-list", by="email").order == officer.order
    assert officer.enclosed == CallList(hours=72, sees=Classification.INTERNAL)
    partner = n.person("police").receives("hub.call-list", by="email")
    assert partner.enclosed == CallList(hours=72, sees=Classification.PUBLIC)
    (paper,) = papers(n)
    assert list(n.state.papers) == [paper]
    n.fact(r.PaperMade(paper=paper))
    assert not n.state.papers
    assert n.alarms() == []
    n.after(hours=12)
    for person in ("officer-a", "officer-b", "police"):
        n.person(person).receives("hub.call-list", by="email")
    assert len(papers(n)) == 2
    n.over()


def test_what_was_missed_while_the_hub_was_down_is_made_once() -> None:
    n = night()
    n.now += timedelta(days=3)
    n.fact(STARTED)
    n.after(seconds=1)
    for person in ("officer-a", "officer-b", "police"):
        n.person(person).receives("hub.call-list", by="email")
    assert len(papers(n)) == 1
    assert n.state.deadlines[DEADLINE] == datetime(2026, 11, 30, 5, tzinfo=UTC)
    n.over()


def test_a_changed_rhythm_moves_it_and_none_drops_it() -> None:
    n = night()
    n.world.rhythm = msgspec.structs.replace(RHYTHM, at=("07:30",))
    n.fact(r.Installed(what="config", name="hub.yaml", version="v2"))
    assert n.state.deadlines[DEADLINE] == datetime(2026, 11, 27, 6, 30, tzinfo=UTC)
    n.world.rhythm = None
    n.fact(r.Installed(what="config", name="hub.yaml", version="v3"))
    assert DEADLINE not in n.state.deadlines
    n.after(hours=48)
    n.over()


def test_nobody_to_mail_it_to_alarms_the_room_and_the_paper_is_made_all_the_same() -> None:
    n = night(rhythm=msgspec.structs.replace(RHYTHM, to=(Contact(Asked.GROUP, "nobody"),)))
    n.after(hours=1)
    assert n.alarms() == ["nobody-to-notify"]
    assert len(papers(n)) == 1
    n.over()


def test_over_a_channel_that_carries_no_files_it_is_never_sent() -> None:
    n = night(rhythm=msgspec.structs.replace(RHYTHM, by=("sms",), paper=False))
    n.after(hours=1)
    assert set(n.alarms()) == {"no-address", "nobody-to-notify"}
    assert papers(n) == []
    n.over()


def test_an_exercise_leaves_out_whom_it_must_and_says_what_it_is() -> None:
    n = night(rhythm=msgspec.structs.replace(RHYTHM, status=Status.EXERCISE))
    n.world.left_out.add("officer-b")
    n.after(hours=1)
    assert n.person("officer-a").receives("hub.call-list", by="email").status is Status.EXERCISE
    n.person("officer-b").receives_nothing()
    n.person("police").receives("hub.call-list", by="email")
    n.over()


def test_paper_that_could_not_be_made_alarms_the_room_until_it_can() -> None:
    n = night(rhythm=msgspec.structs.replace(RHYTHM, to=()))
    n.after(hours=1)
    n.fact(r.PaperMade(paper=papers(n)[0], problem="lp ended with 1: no such printer"))
    assert [(a.what, a.detail) for a in n.state.alarms.values()] == [("paper", "lp ended with 1: no such printer")]
    n.fact(r.PaperMade(paper=papers(n)[0]))
    assert n.alarms() == ["paper"], "it was told already how that one ended"
    n.after(hours=12)
    n.fact(r.PaperMade(paper=papers(n)[1]))
    assert n.alarms() == []
    n.over()


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("2026-10-24T17:00+02:00", "2026-10-25T02:30+02:00"),  # 02:30 comes twice: the first
        ("2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"),  # and only then
        ("2027-03-27T17:00+01:00", "2027-03-28T03:30+02:00"),  # 02:30 never comes
        ("2027-03-28T03:30+02:00", "2027-03-29T02:30+02:00"),
    ],
)
def test_the_nights_on_which_the_clocks_change(after: str, expected: str) -> None:
    rhythm = msgspec.structs.replace(RHYTHM, at=("02:30",))
    found = next_time(rhythm, datetime.fromisoformat(after).astimezone(UTC))
    assert found == datetime.fromisoformat(expected)
