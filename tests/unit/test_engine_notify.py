"""Whom a notification goes to: also to whoever's word the incident is about."""

from hub.model.people import Asked, Contact
from hub.playbook.language import Notify, Step
from tests.stories import Night, World, sheet


def answers(*to: str) -> Step:
    named = tuple(Contact(Asked.GROUP, name) for name in to)
    return Step(name="answer", action=Notify(say="storm-answer", to=named, the_sender=True, by=("sms",)))


def night_of(step: Step) -> Night:
    world = World(sheet("storm", step))
    world.groups["siamu"] = ("fire",)
    return Night(world)


def test_the_sender_is_the_organisation_whose_word_it_is() -> None:
    night = night_of(answers())
    night.signal("w1", sender="siamu")
    night.person("fire").receives("storm-answer", by="sms")
    night.person("police").receives_nothing()
    assert [incident.organisation for incident in night.state.incidents.values()] == ["siamu"]
    night.over()


def test_a_sender_whom_the_directory_does_not_know_is_told_by_hand_and_the_others_are_told() -> None:
    night = night_of(answers("partners"))
    night.signal("w1", sender="somebody@social.example")
    night.person("fire").receives("storm-answer", by="sms")
    night.person("police").receives("storm-answer", by="sms")
    assert night.alarms() == ["sender-unknown"]
    assert "somebody" not in str(night.decisions), "who that is lies in the vault only"
    night.over()


def test_where_nobody_else_is_to_be_told_the_step_has_failed() -> None:
    night = night_of(answers())
    night.signal("w1", sender="unknown")
    (incident,) = night.state.incidents.values()
    assert incident.outcomes["answer"] == ["failed"]
    assert night.alarms() == ["sender-unknown"]
    night.over()


def test_whose_word_it_is_is_kept_only_where_the_sheet_answers_them() -> None:
    night = Night()
    night.world.groups["siamu"] = ("fire",)
    night.signal("w1", sender="siamu")
    assert [incident.organisation for incident in night.state.incidents.values()] == [""]
