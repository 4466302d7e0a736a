"""The directory and the rosters change while chains run: who is asked next, who is let go, what is forgotten when."""

from datetime import timedelta

from hub.model import events as e
from hub.model import records as r
from hub.model.people import Override, Part, Steer
from tests.stories import Night


def test_somebody_taken_out_while_being_asked_is_let_go_and_the_next_is_asked() -> None:
    night = Night()
    night.signal()
    night.person("officer-a").receives("storm-wake", by="sms")
    night.after(seconds=90)
    night.person("officer-a").receives("storm-wake", by="voice")
    night.world.gone.add("officer-a")
    change = night.fact(r.PersonChanged(person="officer-a", by="z", why="left", removed=True))
    night.person("officer-b").receives("storm-wake", by="sms")
    assert [a.outcome for a in night.state.asks.values()] == ["stood-down", ""]
    assert (night.state.edited["officer-a"].change, night.state.edited["officer-a"].removed) == (change, True)
    night.person("officer-b").replies("yes")
    night.person("officer-b").receives("hub.accepted", by="sms")
    night.person("police").receives("storm-partners", by="sms")
    night.person("police").receives("storm-partners", by="email")
    night.person("fire").receives("storm-partners", by="sms")
    night.person("fire").receives("storm-partners", by="email")
    night.over()


def test_the_last_one_taken_out_ends_the_chain_instead_of_blocking_it() -> None:
    night = Night()
    night.world.gone.add("officer-b")
    night.signal()
    night.person("officer-a").receives("storm-wake", by="sms")
    night.world.gone.add("officer-a")
    night.fact(r.PersonChanged(person="officer-a", by="z", why="left", removed=True))
    assert "chain-exhausted" in night.alarms()
    night.over()


def test_whose_entry_is_changed_goes_on_being_asked() -> None:
    night = Night()
    night.signal()
    night.person("officer-a").receives("storm-wake", by="sms")
    night.fact(r.PersonChanged(person="officer-a", by="z", why="new number"))
    night.after(seconds=90)
    night.person("officer-a").receives("storm-wake", by="voice")
    assert [a.outcome for a in night.state.asks.values()] == [""]
    night.over()


def test_a_held_chain_lets_go_and_asks_nobody_until_it_is_resumed() -> None:
    night = Night()
    night.signal()
    night.person("officer-a").receives("storm-wake", by="sms")
    (run,) = night.state.runs
    night.fact(r.ChainSteered(run=run, act=Steer.HOLD, by="z", why="y"))
    night.world.gone.add("officer-a")
    night.fact(r.PersonChanged(person="officer-a", by="z", why="left", removed=True))
    assert [a.outcome for a in night.state.asks.values()] == ["stood-down"]
    night.fact(r.ChainSteered(run=run, act=Steer.RESUME, by="z", why="y"))
    night.person("officer-b").receives("storm-wake", by="sms")
    night.over()


def test_a_change_of_a_roster_is_forgotten_once_nobody_asks_who_was_on_duty() -> None:
    night = Night()
    end = night.now + timedelta(hours=8)
    override = Override(people=("officer-b",), start=night.now.isoformat(), end=end.isoformat())
    change = night.fact(r.RosterChanged(roster="on-call", overrides=(override,), by="z", why="ill"))
    night.after(hours=24 * 90)
    assert list(night.state.rosters) == [change]
    night.after(hours=9)
    assert night.state.rosters == {}
    assert night.decisions[-1].events == (e.Reverted(change=change, why="over"),)
    night.over()


def test_a_change_taken_back_twice_is_taken_back_once() -> None:
    night = Night()
    first = night.fact(r.PersonChanged(person="officer-a", by="z", why="x"))
    second = night.fact(r.PersonChanged(person="officer-a", by="z", why="y"))
    night.fact(r.ChangeReverted(change=first, by="z", why="too late"))
    assert night.state.edited["officer-a"].change == second, "the newer one stands"
    night.fact(r.ChangeReverted(change=second, by="z", why="w"))
    night.fact(r.ChangeReverted(change=second, by="z", why="w"))
    assert night.state.edited == {}
    assert night.decisions[-1].events == ()
    night.fact(r.PersonChanged(person="officer-a", by="z", why="x", removed=True))
    night.fact(r.PersonErased(person="officer-a", by="z", why="asked for"))
    assert night.state.edited == {}
    night.over()


def test_a_group_is_changed_and_taken_back_and_the_newest_change_counts() -> None:
    night = Night()
    changed = [
        night.fact(r.PartChanged(part=Part.GROUP, name="cell", by="z", why="y", removed=removed))
        for removed in (False, True)
    ]
    assert night.state.parts["group/cell"].removed
    night.fact(r.ChangeReverted(change=changed[0], by="z", why="y"))
    assert list(night.state.parts) == ["group/cell"], "another took its place"
    night.fact(r.ChangeReverted(change=changed[1], by="z", why="y"))
    assert night.state.parts == {}
    reverted = [ev.change for d in night.decisions for ev in d.events if isinstance(ev, e.Reverted)]
    assert reverted == changed[1:]
    night.over()


def test_who_is_in_the_group_no_more_goes_on_being_asked_and_who_is_new_is_asked_next() -> None:
    night = Night()
    night.signal()
    night.person("officer-a").receives("storm-wake", by="sms")
    night.world.groups |= {"a": ("officer-c",), "b": ("officer-d",)}
    night.fact(r.PartChanged(part=Part.GROUP, name="b", by="z", why="y"))
    night.after(seconds=90)
    night.person("officer-a").receives("storm-wake", by="voice")
    night.after(seconds=150)
    night.person("officer-d").receives("storm-wake", by="sms")
    night.person("officer-d").replies("yes")
    night.person("officer-d").receives("hub.accepted", by="sms")
    night.partners_are_told()
    night.over()
