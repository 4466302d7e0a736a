"""Broadcasts that sheets want, told as stories: drafted by the hub, released by people, over with their incident."""

import pytest

from hub.model import events as e
from hub.model.broadcast import Control, Kind, Proposal, RegisteredIn
from hub.model.message import Outcome
from hub.model.people import Asked, Contact
from hub.model.records import BroadcastDrafted, BroadcastReleased, IncidentClosed, ProposalFailed
from hub.model.signal import Status
from hub.playbook.language import After, Call, Condition, DraftBroadcast, Mode, Notify, Step, Wait
from hub.playbook.language import Outcome as StepOutcome
from tests.stories import World, sheet
from tests.town import TOWN, Town

IXELLES = RegisteredIn(areas=("ixelles",))
TO = (Contact(Asked.GROUP, "partners"),)


def when(*outcomes: StepOutcome, of: str = "public") -> Condition:
    return Condition(any=tuple(After(of, outcome) for outcome in outcomes))


WANTED = DraftBroadcast(
    group="public", say="smoke-public", by=("sms",), to=TO, registered=IXELLES, all_clear="smoke-public-over"
)
STEPS = (
    Step(name="wake", action=Call(chain="duty", say="wake")),
    Step(name="public", action=WANTED, after=when(StepOutcome.ACCEPTED, of="wake")),
    *(
        Step(name=f"after-{outcome}", action=Wait(seconds=1e6), after=when(outcome))
        for outcome in StepOutcome
        if outcome not in (StepOutcome.BEGUN, StepOutcome.CANCELLED)
    ),
    Step(name="over", action=Notify(say="over", everyone_reached=True), at_end=True),
)


class Smoke(Town):
    """A sheet that calls the duty, and once somebody has accepted drafts a broadcast to the public. `drafts()` plays
    the hub's part in that (hub/broadcasts/proposing.py)."""

    def __init__(self) -> None:
        super().__init__(World(sheet("smoke", *STEPS)))

    def begins(self, accepted: bool = True) -> None:
        self.signal(expires_min=None)
        officer = self.person("officer-a")
        officer.receives("wake", by="sms")
        if accepted:
            officer.replies("oui")
            officer.receives("hub.accepted", by="sms")

    def proposal(self) -> Proposal:
        (proposal,) = self.state.proposals.values()
        return proposal

    def drafts(self, people: int = 2) -> str:
        """Whoever has accepted is told that a draft waits."""
        (proposed,) = self.state.proposals
        found = self.hub_drafts(proposed, people)
        told = self.person("officer-a").receives("hub.broadcast-waits", by="sms")
        assert dict(told.values)["count"] == str(people)
        return found

    def hub_drafts(self, proposed: str, people: int = 2) -> str:
        proposal = self.state.proposals.get(proposed)
        kind, follows = (proposal.kind, proposal.follows) if proposal else (Kind.ALERT, "")
        return self.fact(
            BroadcastDrafted(
                kind=kind, group="public", by="", why="sheet", people=people, follows=follows, proposed=proposed
            )
        )

    def came_to(self) -> list[str]:
        (incident,) = self.state.incidents.values()
        return incident.outcomes.get("public", [])

    def follows(self) -> list[str]:
        """The steps that have begun because of it."""
        (incident,) = self.state.incidents.values()
        return [step.removeprefix("after-") for step in incident.steps if step.startswith("after-")]

    def ends(self) -> None:
        self.cancel("w1")
        self.person("officer-a").receives("over", by="sms")


# --- drafted, and released by people alone -----------------------------------------------------------------


def test_a_step_says_what_it_wants_with_the_words_of_its_incident_and_sends_nothing() -> None:
    n = Smoke()
    n.begins(accepted=False)
    assert not n.state.proposals
    n.person("officer-a").replies("oui")
    n.person("officer-a").receives("hub.accepted", by="sms")
    (incident,) = n.state.incidents.values()
    assert n.proposal() == Proposal(
        incident=incident.id,
        sheet="smoke",
        step="public",
        group="public",
        message="smoke-public",
        signal=incident.last,
        to=TO,
        registered=IXELLES,
        by=("sms",),
    )
    n.over()


def test_drafted_it_waits_for_as_many_people_as_its_class_asks_for() -> None:
    n = Smoke()
    n.begins()
    alert = n.drafts()
    assert not n.state.proposals
    assert n.follows() == ["drafted"]
    (alarm,) = n.state.alarms.values()
    assert (alarm.what, alarm.about) == ("broadcast-waits", alert)
    assert alarm.detail == "drafted by the sheet smoke (alert): 2 people have to release it"
    n.release(alert, by="officer-a")
    n.release(alert, by="officer-a")
    n.release(alert, by="")
    assert n.orders(alert) == []
    n.release(alert, by="officer-b")
    assert n.heard(alert) == list(TOWN)
    assert n.alarms() == []
    (order,) = n.orders(alert)
    assert n.follows() == ["drafted", "released"]
    n.comes_to(order.order, Outcome.SENT, 0, 1)
    n.comes_to(order.order, Outcome.SENT, 2)
    assert n.came_to() == ["drafted", "released", "sent"]
    n.over()


def test_a_class_for_one_still_wants_a_person() -> None:
    n = Smoke()
    n.begins()
    alert = n.drafts(people=1)
    (alarm,) = n.state.alarms.values()
    assert alarm.detail == "drafted by the sheet smoke (alert): somebody has to release it"
    n.after(hours=1)
    assert n.orders(alert) == []
    n.release(alert, by="officer-a")
    assert n.heard(alert) == list(TOWN)
    n.over()


def test_who_accepts_while_it_waits_is_told_so() -> None:
    n = Smoke()
    n.world.sheets = [sheet("smoke", STEPS[0], Step(name="public", action=WANTED), STEPS[-1])]
    n.signal(expires_min=None)
    n.person("officer-a").receives("wake", by="sms")
    n.hub_drafts(*n.state.proposals)
    n.person("officer-a").replies("oui")
    n.person("officer-a").receives("hub.accepted", by="sms")
    n.person("officer-a").receives("hub.broadcast-waits", by="sms")
    n.over()


def test_drafted_twice_after_a_crash_it_is_there_once() -> None:
    n = Smoke()
    n.begins()
    (proposed,) = n.state.proposals
    alert = n.drafts()
    n.hub_drafts(proposed)
    assert list(n.state.broadcasts) == [alert]
    n.over()


def test_what_cannot_be_drafted_has_failed_and_the_room_hears_why() -> None:
    n = Smoke()
    n.begins()
    (proposed,) = n.state.proposals
    for _ in range(2):
        n.fact(ProposalFailed(proposed=proposed, problem="nobody would be told"))
    (incident,) = n.state.incidents
    (alarm,) = n.state.alarms.values()
    assert (alarm.what, alarm.about, alarm.detail) == (
        "broadcast-not-drafted",
        f"{incident} public",
        "nobody would be told",
    )
    assert n.follows() == ["failed"]
    n.hub_drafts(proposed)
    assert not n.state.broadcasts
    n.over()


# --- what it comes to --------------------------------------------------------------------------------------


def test_nobody_releases_it_in_time() -> None:
    n = Smoke()
    n.begins()
    alert = n.drafts()
    n.after(hours=23)
    assert n.follows() == ["drafted"]
    n.after(hours=1)
    assert (n.follows(), n.known(alert).outcome) == (["drafted", "lapsed"], "lapsed")
    n.release(alert, by="officer-a")
    n.release(alert, by="officer-b")
    assert n.orders(alert) == []
    n.over()


def test_a_person_throws_it_away() -> None:
    n = Smoke()
    n.begins()
    alert = n.drafts()
    n.control(alert, Control.STOP)
    assert (n.follows(), n.known(alert).outcome) == (["drafted", "withdrawn"], "discarded")
    assert n.alarms() == []
    n.over()


def test_it_reaches_nobody() -> None:
    n = Smoke()
    n.begins()
    alert = n.drafts()
    n.release(alert, by="officer-a")
    n.release(alert, by="officer-b")
    (order,) = n.orders(alert)
    n.comes_to(order.order, Outcome.FAILED, *range(len(TOWN)))
    assert n.came_to() == ["drafted", "released", "failed"]
    n.ends()
    assert not n.state.proposals, "whom nothing reached needs no all-clear"
    n.over()


def test_its_words_were_erased_before_it_was_released() -> None:
    n = Smoke()
    n.begins()
    alert = n.drafts()
    n.release(alert, by="officer-a")
    n.fact(BroadcastReleased(broadcast=alert, by="officer-b"), None)
    assert n.came_to() == ["drafted", "failed"]
    assert n.alarms() == ["broadcast-erased"]
    n.over()


# --- the incident's end ------------------------------------------------------------------------------------


def test_with_its_incident_a_draft_is_over() -> None:
    n = Smoke()
    n.begins()
    alert = n.drafts()
    n.ends()
    assert (n.known(alert).outcome, n.came_to()) == ("discarded", ["drafted", "cancelled"])
    assert (n.alarms(), n.state.proposals) == ([], {})
    n.release(alert, by="officer-a")
    n.release(alert, by="officer-b")
    assert n.orders(alert) == []
    n.over()


def test_what_was_not_drafted_yet_is_not_any_more() -> None:
    n = Smoke()
    n.begins()
    (proposed,) = n.state.proposals
    n.ends()
    n.hub_drafts(proposed)
    assert (n.state.broadcasts, n.state.proposals, n.came_to()) == ({}, {}, ["cancelled"])
    n.over()


def test_at_the_end_an_all_clear_is_proposed_and_waits_for_the_same_people() -> None:
    n = Smoke()
    n.begins()
    alert = n.drafts()
    n.release(alert, by="officer-a")
    n.release(alert, by="officer-b")
    (order,) = n.orders(alert)
    n.comes_to(order.order, Outcome.SENT, 0, 1, 2)
    n.ends()
    assert (n.known(alert).outcome, n.state.orders[order.order].withdrawn) == ("stopped", True)
    wanted = n.proposal()
    assert (wanted.kind, wanted.follows, wanted.message, wanted.group, wanted.step) == (
        Kind.ALL_CLEAR,
        alert,
        "smoke-public-over",
        "public",
        "",
    )
    clear = n.drafts()
    assert n.alarms() == ["broadcast-waits"]
    n.release(clear, by="officer-b", audience={"sms": TOWN[:3]}, seen=n.seen(alert))
    assert n.orders(clear) == []
    n.release(clear, by="officer-a", audience={"sms": TOWN[:3]}, seen=n.seen(alert))
    assert n.heard(clear) == list(TOWN[:3])
    n.over()


def test_the_all_clear_of_an_incident_that_is_open_again_is_thrown_away_and_proposed_anew_at_its_end() -> None:
    n = Smoke()
    n.begins()
    alert = n.drafts()
    n.release(alert, by="officer-a")
    n.release(alert, by="officer-b")
    (order,) = n.orders(alert)
    n.comes_to(order.order, Outcome.SENT, *range(len(TOWN)))
    n.ends()
    clear = n.drafts()
    n.signal("w2", expires_min=None)
    n.person("officer-a").receives("wake", by="sms")
    assert n.known(clear).outcome == "discarded"
    assert n.alarms() == []
    n.cancel("w2")
    n.person("officer-a").receives("over", by="sms")
    assert (n.proposal().kind, n.proposal().follows) == (Kind.ALL_CLEAR, alert)
    n.over()


def test_an_officers_own_all_clear_is_enough() -> None:
    n = Smoke()
    n.begins()
    alert = n.drafts()
    n.release(alert, by="officer-a")
    n.release(alert, by="officer-b")
    (order,) = n.orders(alert)
    n.comes_to(order.order, Outcome.SENT, *range(len(TOWN)))
    n.draft(Kind.ALL_CLEAR, follows=alert)
    n.ends()
    assert not n.state.proposals
    n.over()


def test_however_long_its_incident_is_open_the_all_clear_follows() -> None:
    n = Smoke()
    n.begins()
    alert = n.drafts()
    n.release(alert, by="officer-a")
    n.release(alert, by="officer-b")
    (order,) = n.orders(alert)
    n.comes_to(order.order, Outcome.SENT, *range(len(TOWN)))
    n.after(hours=24 * 20)
    n.ends()
    assert n.proposal().follows == alert
    n.after(hours=24 * 8)
    n.over()


@pytest.mark.parametrize("status", ["Exercise", "Actual"])
def test_it_is_of_the_status_of_its_incident(status: str) -> None:
    n = Smoke()
    n.signal(status=status, expires_min=None)
    n.person("officer-a").receives("wake", by="sms")
    n.person("officer-a").replies("oui")
    n.person("officer-a").receives("hub.accepted", by="sms")
    assert n.proposal().status is Status(status)
    n.over()


def test_an_officer_ends_the_incident_and_the_room_is_told_for_whom_what_was_cancelled() -> None:
    n = Smoke()
    n.begins()
    alert = n.drafts()
    (incident,) = n.state.incidents
    n.fact(IncidentClosed(incident=incident, by="officer-b", why="false alarm"))
    n.person("officer-a").receives("over", by="sms")
    ended = [ev for d in n.decisions for ev in d.events if isinstance(ev, e.BroadcastEnded)]
    assert [(ev.broadcast, ev.outcome, ev.why) for ev in ended] == [(alert, "discarded", "the incident is over")]
    n.over()


def test_a_sheet_in_shadow_shows_what_it_would_propose_and_nothing_is_drafted() -> None:
    n = Smoke()
    steps = (Step(name="public", action=WANTED), STEPS[-1])
    n.world.sheets = [sheet("smoke", *steps, mode=Mode.SHADOW)]
    n.signal(expires_min=None)
    assert n.state.shadow is not None
    (proposed,) = n.state.shadow.proposals
    assert not n.state.proposals
    asked = [ev for d in n.decisions for ev in d.events if isinstance(ev, e.BroadcastProposed)]
    assert asked == [], "nobody takes it for something to be done"
    n.hub_drafts(proposed)
    assert not n.state.broadcasts
    n.cancel("w1")
    assert not n.state.shadow or not n.state.shadow.proposals
    n.over()
