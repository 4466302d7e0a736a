"""Who may come in, told as stories of the engine: granted after a yes, changed, withdrawn at once, told of once."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from hub.model import events as e
from hub.model import records as r
from hub.model.access import Reception
from hub.model.enclosure import AccessSheet
from hub.model.people import Asked, Classification, Contact
from hub.model.signal import Status
from hub.playbook.language import Admit, After, Call, Condition, Joining, Mode, Outcome, Playbook, Step, Task, Tasks
from tests.stories import Night, World, sheet

ADMIT = Admit(people="people", at_most_s=7 * 86_400.0, rooms=("crisis-room",))


def on(step: str, outcome: Outcome) -> Condition:
    return Condition(all=(After(step, outcome),))


def request_sheet(name: str = "request", mode: Mode = Mode.LIVE, hazard: str = "crisis-centre") -> Playbook:
    return sheet(
        name,
        Step(name="approval", action=Call(chain="duty", say="approve")),
        Step(
            name="confirm",
            action=Tasks(tasks=(Task(do={}, who="officer"),)),
            after=on("approval", Outcome.ACCEPTED),
        ),
        Step(name="admit", action=ADMIT, after=on("confirm", Outcome.DONE)),
        hazard=hazard,
        mode=mode,
        incident=Joining(one_per=("incident",), by_officer=True),
    )


class Door(Night):
    """A night with a reception, and what hub/access does played by the story."""

    def __init__(self, *sheets: Playbook) -> None:
        super().__init__(World(*(sheets or (request_sheet(),))))
        self.world.groups["reception"] = ("porter",)
        self.world.desk = Reception(to=(Contact(Asked.GROUP, "reception"),), by=("email",), gather_s=180.0)

    def asks(self, identifier: str = "r1", **more: Any) -> str:
        """A partner asks for the centre. Returns the incident."""
        before = set(self.state.incidents)
        self.signal(identifier, hazard="crisis-centre", expires_min=more.pop("expires_min", 2000), **more)
        new = set(self.state.incidents) - before
        return new.pop() if new else ""

    def approved(self) -> None:
        """The officer who is asked says yes, and the list is confirmed."""
        ask = self.person("officer-a").receives("approve", by="sms")
        self.person("officer-a").replies(f"{dict(ask.values)['code']} ok")
        self.person("officer-a").receives("hub.accepted", by="sms")
        for task in list(self.state.tasks):
            self.fact(r.TaskTicked(task=task, by="officer-a"))

    def read(self, *added: str, removed: tuple[str, ...] = (), hours: float = 24.0, **more: Any) -> None:
        """What was wanted is read: so the request has it."""
        (wanted,) = list(self.state.access_wanted.values())[:1]
        until = self.now + timedelta(hours=hours) if hours else None
        body = r.AccessChanged(
            incident=wanted.incident,
            wanted=wanted.wanted,
            added=added,
            removed=removed,
            rooms=("crisis-room",),
            until=until,
        )
        self.fact(replace(body, **more))

    def act(self, **body: Any) -> None:
        self.fact(r.AccessChanged(by="officer-b", why="story", **body))

    def held(self) -> list[str]:
        return sorted(key for access in self.state.access.values() for key in access.held())

    def reception_is_told(self, status: Status = Status.ACTUAL) -> None:
        order = self.person("porter").receives("hub.access-list", by="email")
        assert order.enclosed == AccessSheet(sees=Classification.PUBLIC)
        assert order.status is status

    def came_to(self, step: str = "admit") -> list[str]:
        return [o for i in self.state.incidents.values() for o in i.outcomes.get(step, ())]


def granted(*people: str) -> tuple[Door, str]:
    n = Door()
    incident = n.asks()
    n.approved()
    n.read(*(people or ("a", "b")))
    n.after(minutes=3)
    n.reception_is_told()
    return n, incident


def test_nobody_is_let_in_before_somebody_has_said_yes() -> None:
    n = Door()
    n.asks()
    assert not n.state.access_wanted
    n.approved()
    assert [wanted.step for wanted in n.state.access_wanted.values()] == ["admit"]
    assert not n.state.access
    n.read("a", "b")
    (access,) = n.state.access.values()
    assert (n.held(), access.approved, access.rooms) == (["a", "b"], ("officer-a",), ("crisis-room",))
    assert n.came_to() == ["granted"]
    n.after(seconds=179)
    n.person("porter").receives_nothing()
    n.after(seconds=1)
    n.reception_is_told()
    n.over()


def test_what_is_refused_lets_nobody_in_and_tells_no_reception() -> None:
    n = Door()
    n.asks()
    for person in ("officer-a", "officer-b"):
        ask = n.person(person).receives("approve", by="sms")
        n.person(person).replies(f"{dict(ask.values)['code']} nok")
        n.outbox = [o for o in n.outbox if o.message != "hub.declined"]
    n.after(hours=24)
    assert (n.state.access, n.state.access_wanted) == ({}, {})
    n.over()


def test_several_changes_within_minutes_make_one_message() -> None:
    n, incident = granted()
    for person in ("c", "d", "e"):
        n.after(seconds=30)
        n.act(incident=incident, added=(person,))
    n.after(seconds=119)
    n.person("porter").receives_nothing()
    n.after(seconds=2)
    n.reception_is_told()
    assert n.held() == ["a", "b", "c", "d", "e"]
    n.after(hours=1)
    n.over()


def test_who_may_not_come_in_any_more_is_told_of_at_once() -> None:
    n, incident = granted()
    n.act(incident=incident, added=("c",))
    n.after(seconds=60)
    n.act(removed=("a",))
    assert n.held() == ["b", "c"]
    n.after(seconds=20)
    n.reception_is_told()
    n.after(hours=1)
    n.over()


def test_the_end_withdraws_it_at_once() -> None:
    n, incident = granted()
    n.fact(r.IncidentClosed(incident=incident, by="officer-a", why="over"))
    assert n.held() == []
    assert {p.gone_why for p in n.state.access[incident].places.values()} == {"ended"}
    n.after(seconds=20)
    n.reception_is_told()
    for message in ("hub.all-clear",):
        n.person("officer-a").receives(message, by="sms")
    n.after(hours=30)
    n.over()


def test_its_time_is_over_and_the_room_is_told_before() -> None:
    n, _ = granted()
    n.after(hours=23, minutes=26)
    assert n.alarms() == []
    n.after(minutes=2)
    assert n.alarms() == ["access-ends"]
    n.after(minutes=30)
    assert (n.held(), n.alarms(), n.came_to()) == ([], [], ["granted", "withdrawn"])
    n.reception_is_told()
    n.over()


def test_an_officer_prolongs_it_also_when_it_is_just_over() -> None:
    n, incident = granted()
    n.after(hours=23, minutes=40)
    n.act(incident=incident, until=n.now + timedelta(hours=5))
    assert n.alarms() == []
    n.after(minutes=3)
    n.reception_is_told()
    n.after(hours=5)
    n.reception_is_told()
    assert n.held() == []
    n.act(removed=("b",))
    n.act(incident=incident, until=n.now + timedelta(hours=1))
    assert n.held() == ["a"], "whom an officer took out stays out"
    n.after(minutes=3)
    n.reception_is_told()
    n.after(minutes=57)
    n.after(seconds=20)
    n.reception_is_told()
    n.over()


def test_the_partner_sends_three_more_and_the_room_hears_of_it() -> None:
    n, _ = granted()
    n.asks("r1", msg_type="Alert")  # the same form once more
    assert len(n.state.incidents) == 1
    n.read("c", "d", "e", removed=("b",))
    assert n.held() == ["a", "c", "d", "e"]
    assert [(a.what, a.detail) for a in n.state.alarms.values()] == [
        ("access-changed", "by what the request says anew: 3 more, 1 fewer")
    ]
    assert n.came_to() == ["granted"]
    n.after(seconds=20)
    n.reception_is_told()
    n.over()


def test_an_update_that_changes_nobody_says_nothing() -> None:
    n, _ = granted()
    n.asks("r1")
    n.read(hours=23.95)
    assert n.alarms() == []
    n.after(hours=1)
    assert n.held() == ["a", "b"]


def test_the_partner_takes_it_back() -> None:
    n, _ = granted()
    n.cancel("r1")
    assert (n.held(), n.came_to()) == ([], ["granted", "withdrawn"])
    n.after(seconds=20)
    n.reception_is_told()
    n.after(hours=48)
    n.over()


def test_what_ends_before_it_is_read_lets_nobody_in() -> None:
    n = Door()
    incident = n.asks()
    n.approved()
    (wanted,) = n.state.access_wanted
    n.fact(r.IncidentClosed(incident=incident, by="officer-a", why="over"))
    n.fact(r.AccessChanged(incident=incident, wanted=wanted, added=("a",), until=n.now + timedelta(hours=1)))
    assert (n.state.access, n.held()) == ({}, [])
    n.after(hours=1)
    n.person("porter").receives_nothing()


def test_a_request_of_which_nothing_can_be_made_fails_and_says_why() -> None:
    n = Door()
    incident = n.asks()
    n.approved()
    n.read("a", hours=0, problem="no time")
    assert (n.held(), n.came_to()) == ([], ["failed"])
    assert [(a.what, a.about, a.detail) for a in n.state.alarms.values()] == [("access-problem", incident, "no time")]
    n.after(hours=1)
    n.person("porter").receives_nothing()
    n.act(incident=incident, until=n.now + timedelta(hours=2))
    assert n.held() == ["a"], "an officer has said until when"
    assert n.came_to() == ["failed", "granted"]
    n.after(minutes=3)
    n.reception_is_told()
    n.over()


def test_what_is_said_anew_and_cannot_be_made_out_changes_nobody() -> None:
    n, incident = granted()
    n.asks("r1")
    n.read("c", hours=0, removed=("a",), problem="no time")
    assert n.held() == ["a", "b"]
    assert n.alarms() == ["access-problem"]
    n.act(incident=incident, rooms=("press-room",))
    assert n.state.access[incident].rooms == ("press-room",)
    n.after(minutes=3)
    n.reception_is_told()


def test_what_is_corrected_before_it_is_read_is_not_lost() -> None:
    n = Door()
    n.asks("r1")
    n.approved()
    n.asks("r1")
    assert len(n.state.access_wanted) == 2
    n.read(hours=0, problem="no time")
    n.read("a")
    assert n.held() == ["a"]


def test_a_time_that_is_over_when_it_is_read_lets_nobody_in() -> None:
    n = Door()
    n.asks()
    n.approved()
    n.read("a", hours=-1)
    assert (n.held(), n.came_to()) == ([], ["failed"])


def test_two_requests_have_each_their_own_time() -> None:
    n, first = granted("a")
    second = n.asks("r2", sender="fire")
    n.approved()
    n.read("b", hours=48)
    n.after(minutes=3)
    n.reception_is_told()
    n.fact(r.IncidentClosed(incident=first, by="officer-a", why="over"))
    assert n.held() == ["b"]
    n.act(removed=("a", "b"))
    assert n.held() == []
    assert n.state.access[second].places["b"].gone_by == "officer-b"
    n.outbox = [o for o in n.outbox if o.message == "hub.access-list"]
    n.after(seconds=20)
    n.reception_is_told()
    n.over()


def test_an_exercise_has_a_list_of_its_own() -> None:
    n = Door()
    n.asks("r1", status="Exercise")
    n.approved()
    n.read("a")
    n.after(minutes=3)
    n.reception_is_told(Status.EXERCISE)
    n.over()


def test_a_sheet_in_shadow_lets_nobody_in() -> None:
    n = Door(request_sheet(mode=Mode.SHADOW))
    n.asks()
    n.after(hours=2)
    assert (n.state.access, n.state.access_wanted) == ({}, {})
    shown = [ev.event for d in n.decisions for ev in d.events if isinstance(ev, e.InShadow)]
    assert not [ev for ev in shown if isinstance(ev, e.AccessWanted | e.AccessChanged)]
    n.over()


def test_what_ended_is_forgotten_a_day_later() -> None:
    n, first = granted("a")
    n.fact(r.IncidentClosed(incident=first, by="officer-a", why="over"))
    n.after(hours=30)
    n.outbox.clear()
    assert list(n.state.access) == [first]
    n.asks("r2", sender="fire")
    n.approved()
    n.read("b")
    assert first not in n.state.access, "the state does not grow"


def test_without_a_reception_the_list_is_kept_all_the_same() -> None:
    n = Door()
    n.world.desk = None
    n.asks()
    n.approved()
    n.read("a")
    n.after(hours=1)
    assert n.held() == ["a"]
    n.over()


def test_a_reception_nobody_reaches_alarms_the_room() -> None:
    n = Door()
    n.world.no_address.add(("porter", "email"))
    n.asks()
    n.approved()
    n.read("a")
    n.after(minutes=3)
    assert set(n.alarms()) == {"no-address", "nobody-to-notify"}
    n.over()


def test_an_officers_word_on_the_time_holds_whatever_the_request_says_anew() -> None:
    n, incident = granted()
    for hours in (2, 40):
        word = n.now + timedelta(hours=hours)
        n.act(incident=incident, until=word)
        n.asks("r1")
        n.read("c" if hours == 2 else "d")
        assert n.state.access[incident].until == word
    assert n.held() == ["a", "b", "c", "d"]


def test_an_act_that_comes_after_the_end_lets_nobody_in() -> None:
    """One officer ends the incident while another prolongs it."""
    n, incident = granted()
    n.after(hours=24)
    assert n.held() == [], "its time is over"
    n.fact(r.IncidentClosed(incident=incident, by="officer-a", why="over"))
    n.act(incident=incident, until=n.now + timedelta(hours=5), added=("c",))
    assert n.held() == []
    n.after(hours=48)
    n.act(incident=incident, until=n.now + timedelta(hours=5), added=("c",))
    assert n.held() == []
