"""Who was asked says whether it is so."""

from msgspec.structs import replace

from hub.model import events as e
from hub.model import records as r
from hub.model.message import Verb
from hub.model.people import Asked, Contact
from hub.model.trust import Backing, Credibility, Reliability
from hub.playbook.language import SIGNAL, After, Call, Condition, Notify, Outcome, Playbook, Step
from tests.stories import Night, World, sheet


def find_out(*outcomes: Outcome) -> Playbook:
    """Has somebody find out whether it is so, and tells partners what comes of it."""
    return sheet(
        "storm",
        Step(name="wake", action=Call(chain="duty", say="storm-wake", verify=True)),
        *(
            Step(
                name=f"when-{outcome}",
                action=Notify(say=f"storm-{outcome}", to=(Contact(Asked.GROUP, "partners"),), by=("sms",)),
                after=Condition(all=(After(SIGNAL, outcome),)),
            )
            for outcome in outcomes
        ),
    )


def night_of(playbook: Playbook) -> Night:
    night = Night(World(playbook))
    night.signal("w1", credibility=Credibility.POSSIBLY_TRUE, reliability=Reliability.C)
    return night


def judged(night: Night) -> list[e.Judged]:
    return [event for decision in night.decisions for event in decision.events if isinstance(event, e.Judged)]


def graded(night: Night, verdict: e.Judged, credibility: Credibility) -> None:
    """What hub.grader makes of a verdict."""
    backing = Backing(story=verdict.signal, how="new", origins=("kmi",), voices=1, reliability=Reliability.C)
    body = r.SignalGraded(
        signal=verdict.signal, story=verdict.signal, credibility=credibility, by=verdict.person, why="answered",
        verdict=verdict.verdict,
    )  # fmt: skip
    (told,) = [entry.live for entry in night.entries if entry.record.id == verdict.signal]
    night.fact(body, replace(told, id=verdict.signal, backing=backing, credibility=credibility))


def test_who_is_to_find_out_is_told_how_to_say_it_and_says_it_later() -> None:
    night = night_of(find_out(Outcome.CONFIRMED))
    ask = night.person("officer-a").receives("storm-wake", by="sms")
    assert ("verify", "yes") in ask.values
    night.person("officer-a").replies("oui")
    night.person("officer-a").receives("hub.verify", by="sms")
    night.after(minutes=20)
    night.person("officer-a").replies(f"{dict(ask.values)['code']} VRAI")
    told = night.person("officer-a").receives("hub.verdict", by="sms")
    assert ("verdict", "true") in told.values
    (verdict,) = judged(night)
    assert (verdict.person, verdict.verb, list(night.state.verdicts)) == ("officer-a", Verb.TRUE, [verdict.verdict])
    night.person("fire").receives_nothing()
    graded(night, verdict, Credibility.CONFIRMED)
    night.person("fire").receives("storm-confirmed", by="sms")
    night.person("police").receives("storm-confirmed", by="sms")
    assert not night.state.verdicts
    night.over()


def test_a_verdict_at_once_is_an_answer_and_nobody_else_is_woken_to_find_out() -> None:
    night = night_of(find_out(Outcome.DOUBTED))
    night.person("officer-a").receives("storm-wake", by="sms")
    night.person("officer-a").replies("fausse alerte")
    night.person("officer-a").receives("hub.verdict", by="sms")
    (verdict,) = judged(night)
    night.after(hours=2)
    night.person("officer-b").receives_nothing()
    graded(night, verdict, Credibility.IMPROBABLE)
    night.person("fire").receives("storm-doubted", by="sms")


def test_who_cannot_tell_leaves_the_grade_and_steps_may_wait_for_that() -> None:
    night = night_of(find_out(Outcome.UNDECIDED))
    night.person("officer-a").receives("storm-wake", by="sms")
    night.person("officer-a").replies("je ne sais pas")
    night.person("officer-a").receives("hub.verdict", by="sms")
    night.person("fire").receives("storm-undecided", by="sms")
    night.person("police").receives("storm-undecided", by="sms")
    night.person("officer-a").replies("je ne sais pas")
    night.person("officer-a").receives("hub.verdict", by="sms")
    assert not night.state.verdicts
    night.over()


def test_a_keypad_takes_it_and_the_way_to_say_it_comes_in_writing() -> None:
    night = night_of(find_out())
    night.person("officer-a").receives("storm-wake", by="sms")
    night.after(minutes=2)
    call = night.person("officer-a").receives("storm-wake", by="voice")
    night.person("officer-a").presses("1", call)
    night.person("officer-a").receives("hub.verify", by="sms")


def test_in_an_ordinary_alert_a_verdict_counts_and_whether_somebody_comes_is_still_asked() -> None:
    night = Night(World(sheet("storm", Step(name="wake", action=Call(chain="duty", say="storm-wake")))))
    night.signal("w1")
    night.person("officer-a").receives("storm-wake", by="sms")
    night.person("officer-a").replies("c'est vrai")
    night.person("officer-a").receives("hub.verdict-and", by="sms")
    assert len(judged(night)) == 1
    (ask,) = night.state.asks.values()
    assert not ask.outcome, "nobody comes yet"
    night.person("officer-a").replies("oui")
    night.person("officer-a").receives("hub.accepted", by="sms")


def test_of_two_incidents_in_one_ask_none_is_judged() -> None:
    wakes = {name: Step(name="wake", action=Call(chain="duty", say=f"{name}-wake")) for name in ("storm", "flood")}
    night = Night(World(*(sheet(name, wake) for name, wake in wakes.items())))
    night.signal("w1")
    night.person("officer-a").receives("hub.merged-ask", by="sms")
    night.person("officer-a").replies("vrai")
    night.person("officer-a").receives("hub.which", by="sms")
    assert not judged(night)


def test_to_find_out_is_asked_for_each_incident_by_itself() -> None:
    night = Night(World(find_out(), sheet("flood", Step(name="wake", action=Call(chain="duty", say="flood-wake")))))
    night.signal("w1")
    one = night.person("officer-a").receives("storm-wake", by="sms")
    other = night.person("officer-a").receives("flood-wake", by="sms")
    assert dict(one.values)["code"] != dict(other.values)["code"]


def test_a_verdict_that_cannot_be_taken_is_told_to_the_room() -> None:
    night = night_of(find_out())
    night.person("officer-a").receives("storm-wake", by="sms")
    night.person("officer-a").replies("vrai")
    (verdict,) = judged(night)
    night.fact(r.VerdictFailed(verdict=verdict.verdict, problem="what it said was erased"))
    assert not night.state.verdicts
    assert "verdict-not-taken" in {alarm.what for alarm in night.state.alarms.values()}


def test_after_the_end_nothing_is_judged() -> None:
    night = night_of(find_out())
    ask = night.person("officer-a").receives("storm-wake", by="sms")
    night.person("officer-a").replies("oui")
    night.person("officer-a").receives("hub.verify", by="sms")
    night.cancel("w1")
    night.person("officer-a").receives("hub.all-clear", by="sms")
    night.person("officer-a").replies(f"{dict(ask.values)['code']} faux")
    night.person("officer-a").receives("hub.nothing-open", by="sms")
    assert not judged(night)
