"""Whole nights of the pure core, as its users would tell them."""

from hub.model.message import Outcome, Verb
from hub.model.records import (
    IncidentClosed,
    Installed,
    Receipt,
    ReceiptsReceived,
    ReplyReceived,
    SheetStarted,
    StopAll,
    StopLifted,
    TaskTicked,
)
from hub.playbook.language import Joining, Step, Task, Tasks
from tests.stories import Night, World, sheet, tasks


def test_first_officer_answers_by_text() -> None:
    night = Night()
    night.signal()
    a = night.person("officer-a")
    a.receives("storm-wake", by="sms")
    night.after(seconds=60)
    a.replies("oui")
    a.receives("hub.accepted", by="sms")
    night.partners_are_told()
    night.after(minutes=30)
    night.over()


def test_an_officer_who_does_not_answer_is_called_then_the_next_one_is() -> None:
    night = Night()
    night.signal()
    a, b = night.person("officer-a"), night.person("officer-b")
    a.receives("storm-wake", by="sms")
    night.after(seconds=89)
    a.receives_nothing()
    night.after(seconds=1)
    a.receives("storm-wake", by="voice")
    night.after(minutes=2, seconds=29)
    b.receives_nothing()
    night.after(seconds=1)
    b.receives("storm-wake", by="sms")
    b.replies("A")
    b.receives("hub.accepted", by="sms")
    night.partners_are_told()
    night.after(minutes=30)
    night.over()


def test_a_key_pressed_on_the_phone_is_confirmed_by_the_phone_alone() -> None:
    night = Night()
    night.signal()
    a = night.person("officer-a")
    a.receives("storm-wake", by="sms")
    night.after(seconds=90)
    call = a.receives("storm-wake", by="voice")
    a.presses("1", on=call)
    a.receives_nothing()
    assert night.state.runs[next(iter(night.state.runs))].outcome == "accepted"


def test_a_decline_calls_the_next_at_once() -> None:
    night = Night()
    night.signal()
    a, b = night.person("officer-a"), night.person("officer-b")
    a.receives("storm-wake", by="sms")
    a.replies("nee")
    a.receives("hub.declined", by="sms")
    b.receives("storm-wake", by="sms")
    night.after(seconds=90)
    b.receives("storm-wake", by="voice")
    night.after(minutes=10)
    assert "chain-exhausted" in night.alarms()
    night.over()


def test_a_failed_channel_goes_over_to_the_next_at_once() -> None:
    night = Night()
    night.fails.add(("officer-a", "sms"))
    night.signal()
    a = night.person("officer-a")
    a.receives("storm-wake", by="sms")
    a.receives("storm-wake", by="voice")
    night.over()


def test_somebody_whom_nothing_reaches_is_not_waited_for() -> None:
    night = Night()
    night.fails |= {("officer-a", "sms"), ("officer-a", "voice")}
    night.signal()
    night.person("officer-a").receives("storm-wake", by="sms")
    night.person("officer-a").receives("storm-wake", by="voice")
    night.person("officer-b").receives("storm-wake", by="sms")
    night.over()


def test_time_to_answer_runs_from_the_attempt_not_from_the_decision() -> None:
    night = Night()
    night.silent.add(("officer-a", "sms"))
    night.signal()
    order = night.person("officer-a").receives("storm-wake", by="sms")
    night.after(seconds=100)
    night.person("officer-a").receives_nothing()
    from hub.model.message import Outcome
    from hub.model.records import Receipt, ReceiptsReceived

    night.fact(ReceiptsReceived(channel="sms", receipts=(Receipt(order.order, 0, Outcome.SENT),)))
    night.after(seconds=89)
    night.person("officer-a").receives_nothing()
    night.after(seconds=1)
    night.person("officer-a").receives("storm-wake", by="voice")
    night.over()


def test_whose_answering_machine_took_the_call_is_called_on_and_hears_that_it_is_over() -> None:
    night = Night()
    night.silent.add(("officer-a", "sms"))
    night.fails.add(("officer-a", "voice"))
    night.signal()
    a, b = night.person("officer-a"), night.person("officer-b")
    order = a.receives("storm-wake", by="sms").order
    left = [Receipt(order, 0, outcome, "answering machine") for outcome in (Outcome.SENT, Outcome.FAILED)]
    night.fact(ReceiptsReceived(channel="sms", receipts=tuple(left)))
    a.receives("storm-wake", by="voice")  # the next channel at once
    b.receives("storm-wake", by="sms")  # and the next officer
    night.cancel("w1")
    for reached in (a, b):
        reached.receives("storm-over", by="sms")
    night.over()


def test_dispatch_that_never_says_anything_does_not_stop_a_chain() -> None:
    night = Night()
    night.silent |= {("officer-a", "sms"), ("officer-a", "voice")}
    night.signal()
    night.person("officer-a").receives("storm-wake", by="sms")
    night.after(seconds=180)
    night.person("officer-a").receives("storm-wake", by="voice")
    night.after(seconds=180)
    night.person("officer-b").receives("storm-wake", by="sms")
    night.over()


def test_one_of_two_warnings_cancelled_the_incident_goes_on() -> None:
    night = Night()
    night.signal("w1")
    night.signal("w2")
    night.person("officer-a").receives("storm-wake", by="sms")
    night.cancel("w1")
    assert not next(iter(night.state.incidents.values())).ended
    night.cancel("w2")
    assert next(iter(night.state.incidents.values())).ended
    night.person("officer-a").receives("storm-over", by="sms")
    night.after(minutes=30)
    night.over()


def test_cancel_by_another_sender_withdraws_nothing() -> None:
    night = Night()
    night.signal("w1")
    night.person("officer-a").receives("storm-wake", by="sms")
    night.cancel("w1", sender="somebody-else")
    assert not next(iter(night.state.incidents.values())).ended


def test_cancelled_after_ten_minutes_those_reached_hear_it_nobody_else() -> None:
    night = Night()
    night.fails.add(("fire", "email"))
    night.world.no_address.add(("fire", "sms"))
    night.signal()
    a = night.person("officer-a")
    a.receives("storm-wake", by="sms")
    a.replies("ja")
    a.receives("hub.accepted", by="sms")
    night.person("police").receives("storm-partners", by="sms")
    night.person("police").receives("storm-partners", by="email")
    night.person("fire").receives("storm-partners", by="email")
    night.after(minutes=10)
    night.cancel("w1")
    a.receives("storm-over", by="sms")
    night.person("police").receives("storm-over", by="sms")
    night.person("fire").receives_nothing()
    night.after(hours=8)
    assert night.state.incidents == {}
    assert night.state.orders == {}
    assert night.state.asks == {}
    night.over()


def test_an_all_clear_that_has_not_gone_out_yet_is_not_forgotten_with_its_incident() -> None:
    night = Night()
    night.signal()
    a = night.person("officer-a")
    a.receives("storm-wake", by="sms")
    night.silent.add(("officer-a", "sms"))
    night.cancel("w1")
    over = a.receives("storm-over", by="sms")
    night.after(hours=8)
    assert night.state.incidents == {}
    assert set(night.state.orders) == {over.order}  # so a hub that comes back sends it
    night.fact(ReceiptsReceived(channel="sms", receipts=(Receipt(over.order, 0, Outcome.SENT),)))
    assert night.state.orders == {}
    night.over()


def test_an_update_informs_those_reached() -> None:
    night = Night()
    night.signal("w1")
    a = night.person("officer-a")
    a.receives("storm-wake", by="sms")
    night.update("w2", of="w1", severity="Extreme")
    a.receives("hub.update", by="sms")
    a.replies("ok")
    a.receives("hub.accepted", by="sms")
    assert len(night.state.incidents) == 1


def test_a_downgrade_below_the_sheet_ends_the_incident() -> None:
    night = Night()
    night.signal("w1")
    night.person("officer-a").receives("storm-wake", by="sms")
    night.update("w2", of="w1", severity="Minor")
    night.person("officer-a").receives("storm-over", by="sms")
    night.over()


def test_a_warning_that_expires_ends_the_incident_and_one_that_returns_reopens_it() -> None:
    night = Night()
    night.signal("w1", expires_min=60)
    a = night.person("officer-a")
    a.receives("storm-wake", by="sms")
    a.replies("yes")
    a.receives("hub.accepted", by="sms")
    night.outbox.clear()
    night.after(minutes=60)
    a.receives("storm-over", by="sms")
    night.outbox.clear()
    night.signal("w2")
    assert len(night.state.incidents) == 1
    a.receives("storm-wake", by="sms")


def test_one_signal_two_sheets_one_call_that_names_both() -> None:
    night = Night(World(sheet("storm"), sheet("parks")))
    night.signal()
    a = night.person("officer-a")
    order = a.receives("hub.merged-ask", by="sms")
    assert dict(order.values)["sheets"] == "storm,parks"
    a.replies("B")  # not the code
    a.receives("hub.which", by="sms")
    a.replies("A")
    a.receives("hub.accepted", by="sms")
    assert [run.outcome for run in night.state.runs.values()] == ["accepted", "accepted"]


def test_an_answer_too_late_is_told_so_and_nobody_is_asked_again() -> None:
    world = World()
    world.groups["a"] = ("officer-a", "officer-c")
    night = Night(world)
    night.signal()
    a, c = night.person("officer-a"), night.person("officer-c")
    a.receives("storm-wake", by="sms")
    c.receives("storm-wake", by="sms")
    a.replies("ok")
    a.receives("hub.accepted", by="sms")
    c.receives("hub.stood-down", by="sms")
    c.replies("ok")
    c.receives("hub.too-late", by="sms")
    a.replies("ok")
    a.receives("hub.accepted", by="sms")
    night.outbox.clear()
    night.after(hours=1)
    night.over()


def test_what_is_not_understood_is_answered_three_times_an_hour_at_most() -> None:
    night = Night()
    night.signal()
    a = night.person("officer-a")
    a.receives("storm-wake", by="sms")
    for _ in range(3):
        a.replies("qwertz uiop")
        a.receives("hub.not-understood", by="sms")
    a.replies("qwertz uiop")
    a.receives_nothing()
    assert "not-understood" in night.alarms()
    night.over()


def test_a_reply_from_a_stranger_is_seen_in_the_room() -> None:
    night = Night()
    night.fact(ReplyReceived(channel="sms", person="", verb=Verb.ACCEPT))
    assert night.alarms() == ["unknown-sender"]
    night.over()


def test_exercise_does_not_join_the_real_incident() -> None:
    night = Night()
    night.signal("w1")
    night.signal("w2", status="Exercise")
    assert len(night.state.incidents) == 2
    statuses = {o.status for o in night.outbox}
    assert statuses == {"Actual", "Exercise"}


def test_started_by_hand_ended_by_hand() -> None:
    night = Night(World(sheet("phase", incident=Joining(by_officer=True))))
    night.fact(Installed(what="playbook", name="phase", version="phase-v1"))
    from hub.model.signal import Info, Signal

    said = Signal(source="operator", identifier="s1", sender="officer-x", sent=night.now, infos=(Info(headline="x"),))
    night.fact(SheetStarted(playbook="phase", by="officer-x"), said)
    a = night.person("officer-a")
    a.receives("phase-wake", by="sms")
    night.fact(IncidentClosed(incident=next(iter(night.state.incidents)), by="officer-x", why="lifted"))
    a.receives("phase-over", by="sms")
    night.after(hours=7)
    night.over()


def test_two_alerts_that_name_no_incident_are_two_where_a_sheet_asks_for_it() -> None:
    night = Night(World(sheet("missing", incident=Joining(one_per=("source", "incident")))))
    night.signal("child", expires_min=None)
    night.signal("old-man", expires_min=None)
    assert len(night.state.incidents) == 2, "the second is another person, not more of the first"
    night.signal("fire", expires_min=None, incidents=("F-1",))
    night.signal("more of the fire", expires_min=None, incidents=("F-1",))
    assert len(night.state.incidents) == 3


def test_tasks_are_ticked_or_late() -> None:
    night = Night(World(sheet("storm", *sheet().steps[:1], tasks("check", due_s=600))))
    night.signal()
    a = night.person("officer-a")
    a.receives("storm-wake", by="sms")
    a.replies("ok")
    a.receives("hub.accepted", by="sms")
    (task,) = night.state.tasks
    night.after(minutes=10)
    assert "task-late" in night.alarms()
    night.fact(TaskTicked(task=task, by="officer-a"))
    assert night.state.tasks == {}
    assert "task-late" not in night.alarms(), "it was late, and is done"
    incident = next(iter(night.state.incidents.values()))
    assert incident.outcomes["check"] == ["late", "done"]
    night.cancel("w1")
    a.receives("hub.all-clear", by="sms")
    night.over()


def _with_lessons(within_s: float) -> World:
    lessons = Step(name="lessons", action=Tasks(tasks=(Task(do={}, who="x", due_s=5 * 86_400),)), at_end=True)
    return World(sheet("storm", *sheet().steps[:1], lessons, incident=Joining(one_per=("hazard",), within_s=within_s)))


def _warned_and_over(night: Night, identifier: str = "w1") -> None:
    night.signal(identifier)
    a = night.person("officer-a")
    a.receives("storm-wake", by="sms")
    a.replies("ok")
    a.receives("hub.accepted", by="sms")
    night.cancel(identifier)
    a.receives("hub.all-clear", by="sms")


def test_what_the_end_left_to_do_outlives_the_time_in_which_signals_join() -> None:
    night = Night(_with_lessons(within_s=3600))
    _warned_and_over(night)
    (task,) = night.state.tasks
    night.after(hours=2)
    assert list(night.state.tasks) == [task]
    _warned_and_over(night, "w2")  # too late to join: another one
    assert len(night.state.incidents) == 2
    night.after(hours=5 * 24)
    assert night.alarms().count("task-late") == 2
    for left in list(night.state.tasks):
        night.fact(TaskTicked(task=left, by="officer-a"))
    assert night.state.incidents == {}
    night.over()


def test_what_nobody_ever_does_is_not_kept_for_ever() -> None:
    night = Night(_with_lessons(within_s=3600))
    _warned_and_over(night)
    night.after(hours=24 * 34)
    assert len(night.state.tasks) == 1
    night.after(hours=24 * 2)
    assert (night.state.tasks, night.state.incidents) == ({}, {})
    night.over()


def test_what_the_end_left_to_do_is_withdrawn_when_it_was_no_end() -> None:
    night = Night(_with_lessons(within_s=3600))
    _warned_and_over(night)
    night.after(minutes=30)
    night.signal("w2")
    assert night.state.tasks == {}
    a = night.person("officer-a")
    a.receives("storm-wake", by="sms")
    night.cancel("w2")
    a.receives("hub.all-clear", by="sms")
    assert len(night.state.tasks) == 1
    night.over()


def test_stop_all_holds_the_guards_back() -> None:
    night = Night()
    night.silent |= {("officer-a", "sms")}
    night.fact(StopAll(by="officer-x", why="test of the sirens"))
    night.signal()
    night.person("officer-a").receives("storm-wake", by="sms")
    night.after(minutes=30)
    night.fact(StopLifted(by="officer-x", why="over"))
    night.person("officer-a").receives_nothing()
    night.after(minutes=4)
    night.person("officer-a").receives("storm-wake", by="voice")


def test_codes_are_not_used_again_for_a_day() -> None:
    night = Night(World(sheet("storm")))
    a = night.person("officer-a")
    codes = []
    for n in range(5):
        night.signal(f"w{n}", expires_min=1)
        codes.append(dict(a.receives("storm-wake", by="sms").values)["code"])
        night.after(hours=7)
        night.outbox.clear()
    assert codes == ["A", "B", "C", "D", "A"]


def test_a_fact_that_is_over_on_arrival_calls_nobody() -> None:
    night = Night()
    night.signal("w1", expires_min=-5)
    assert night.state.incidents == {}
    night.over()


def test_an_alarm_about_an_incident_goes_with_it() -> None:
    night = Night()
    night.world.no_address |= {(p, c) for p in ("officer-a", "officer-b") for c in ("sms", "voice")}
    night.signal(expires_min=30)
    assert {"nobody-to-ask", "chain-exhausted"} <= set(night.alarms())
    night.after(hours=8)
    assert night.alarms() == []
    night.over()
