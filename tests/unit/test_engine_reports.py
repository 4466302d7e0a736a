"""Situation reports that a step or an officer sends, told as stories: the hub's part in writing them (hub/reporting) is
played here."""

from hub.model import records as r
from hub.model.enclosure import Report
from hub.model.people import Asked, Classification, Contact
from hub.model.report import ReportKind
from hub.playbook.language import After, Call, Condition, Notify, Step, WriteReport
from hub.playbook.language import Outcome as StepOutcome
from tests.stories import Night, World, sheet

TO = (Contact(Asked.GROUP, "partners"),)


def story(approval: bool = False, every_s: float | None = None) -> Night:
    action = WriteReport(report=ReportKind.SITREP, to=TO, by=("email",), approval=approval)
    steps = [
        Step(name="wake", action=Call(chain="duty", say="wake")),
        Step(
            name="sitrep",
            action=action,
            after=Condition(any=(After("wake", StepOutcome.ACCEPTED),)),
            every_s=every_s,
        ),
        Step(name="over", action=Notify(say="over", everyone_reached=True), at_end=True),
    ]
    night = Night(World(sheet("storm", *steps)))
    night.world.seeing = {"police": Classification.PARTNERS}
    night.signal()
    officer = night.person("officer-a")
    officer.receives("wake", by="sms")
    officer.replies("oui")
    officer.receives("hub.accepted", by="sms")
    return night


def incident(night: Night) -> str:
    (found,) = night.state.incidents
    return found


def wanted(night: Night) -> str:
    (found,) = night.state.reports_wanted
    return found


def writes(night: Night, number: int = 1, version: int = 1, approval: bool = False, of: str | None = None) -> str:
    body = r.ReportWritten(
        report=ReportKind.SITREP,
        incident=incident(night),
        number=number,
        version=version,
        approval=approval,
        wanted=(wanted(night) if of is None else of) if version == 1 else "",
        step="sitrep",
    )
    return night.fact(body)


def approves(night: Night, written: str, number: int = 1) -> None:
    night.fact(r.ReportApproved(written=written, incident=incident(night), number=number, by="officer-b"))


def partners_get(night: Night, written: str, number: int = 1) -> None:
    for person, sees in (("police", Classification.PARTNERS), ("fire", Classification.PUBLIC)):
        order = night.person(person).receives("hub.report", by="email")
        assert order.enclosed == Report(report=written, sees=sees)
        assert dict(order.values) == {"sheet": "storm", "number": str(number)}


def test_as_it_was_written_it_goes_to_each_as_they_may_see_it_and_is_no_alert() -> None:
    night = story()
    written = writes(night)
    partners_get(night, written)
    assert not night.state.reports_wanted
    assert night.state.incidents[incident(night)].outcomes["sitrep"] == ["drafted", "sent"]
    night.cancel("w1")
    night.person("officer-a").receives("over", by="sms")  # and nobody else: a report is no alert
    night.over()


def test_it_waits_for_an_officer_and_the_newest_version_alone_goes_out() -> None:
    night = story(approval=True)
    first = writes(night, approval=True)
    night.person("officer-a").receives("hub.report-waits", by="sms")
    assert night.alarms() == ["report-waits"]
    second = writes(night, version=2, approval=True)
    assert night.alarms() == ["report-waits"]
    approves(night, first)
    assert night.alarms() == ["report-waits"], "another version stands in its place"
    approves(night, second)
    partners_get(night, second)
    assert night.alarms() == []
    approves(night, second)  # once more changes nothing
    night.cancel("w1")
    night.person("officer-a").receives("over", by="sms")
    night.over()


def test_what_is_wanted_again_before_it_is_written_is_wanted_once() -> None:
    night = story(every_s=3600.0)
    night.after(hours=3)
    assert len(night.state.reports_wanted) == 1
    partners_get(night, writes(night))
    night.after(hours=1)
    partners_get(night, writes(night, number=2), number=2)
    night.cancel("w1")
    night.person("officer-a").receives("over", by="sms")
    night.over()


def test_a_fact_that_was_taken_already_is_no_second_report() -> None:
    night = story()
    of = wanted(night)
    partners_get(night, writes(night))
    writes(night, number=2, of=of)
    assert night.state.reports[incident(night)].number == 1
    night.cancel("w1")
    night.person("officer-a").receives("over", by="sms")
    night.over()


def test_what_could_not_be_written_is_heard_in_the_room_until_one_is() -> None:
    night = story()
    problem = r.ReportWritten(
        report=ReportKind.SITREP, incident=incident(night), number=0, wanted=wanted(night), step="sitrep", problem="no"
    )
    night.fact(problem)
    assert night.alarms() == ["report-not-written"]
    assert night.state.incidents[incident(night)].outcomes["sitrep"] == ["failed"]
    partners_get(night, writes(night, of=""))
    assert night.alarms() == []
    night.cancel("w1")
    night.person("officer-a").receives("over", by="sms")
    night.over()


def test_an_officer_sends_one_also_when_its_incident_is_forgotten() -> None:
    night = story(approval=True)
    written = writes(night, approval=True)
    night.person("officer-a").receives("hub.report-waits", by="sms")
    of = incident(night)
    night.cancel("w1")
    night.person("officer-a").receives("over", by="sms")
    night.after(hours=24)
    assert not night.state.incidents
    assert not night.state.reports
    night.fact(r.ReportApproved(written=written, incident=of, number=1, by="officer-b"))
    assert night.alarms() == []
    night.fact(r.ReportSent(written=written, incident=of, number=1, to=TO, channels=("email",), by="officer-b"))
    for person in ("police", "fire"):
        order = night.person(person).receives("hub.report", by="email")
        assert isinstance(order.enclosed, Report)
        assert order.incidents == ()
    night.over()
