"""Sheets in shadow: all that would happen is seen, tier by tier, and nothing of it happens."""

from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core import _ahead
from hub.engine.fold import fold_decision
from hub.engine.state import State
from hub.journal import show
from hub.model import events as e
from hub.model import records as r
from hub.model.message import Verb
from hub.model.people import Storms
from hub.model.quiet import Quiet, Silence
from hub.model.signal import Hazard, Info, MsgType, Reference, Severity, Signal
from hub.picture import Recent, picture
from hub.playbook.language import After, Cause, Condition, DraftBroadcast, Joining, Mode, Outcome, Playbook, Step
from hub.view import LANGUAGES, Words, changes
from hub.why import Trail
from tests.stories import START, Night, World, sheet
from tests.unit import test_engine_properties as nights

SHADOW = Mode.SHADOW
MINUTE = timedelta(minutes=1)


def would(night: Night, kind: type[Any] = e.Ordered) -> list[Any]:
    """What would have happened, of a kind, in order."""
    told = [ev.event for d in night.decisions for ev in d.events if isinstance(ev, e.InShadow)]
    return [ev for ev in told if isinstance(ev, kind)]


def _by_hand() -> Signal:
    return Signal(source="operators", identifier="1", sender="x", sent=START, infos=(Info(),))


def live(playbook: Playbook, mode: Mode = Mode.LIVE) -> Playbook:
    return msgspec.structs.replace(playbook, mode=mode, version=f"{playbook.version}-{mode}")


def test_a_chain_goes_through_its_tiers_as_if_nobody_answered() -> None:
    night = Night(World(sheet("storm", mode=SHADOW)))
    began = night.now
    night.signal()
    night.after(minutes=10)
    asked = [(o.recipients[0], o.channel) for o in would(night) if o.ask]
    assert asked == [("officer-a", "sms"), ("officer-a", "voice"), ("officer-b", "sms"), ("officer-b", "voice")]
    tiers = [
        d.at - began
        for d in night.decisions
        for ev in d.events
        if isinstance(ev, e.InShadow) and isinstance(ev.event, e.TierBegan) and ev.event.asks
    ]
    assert tiers == [0 * MINUTE, 4 * MINUTE]
    assert [ended.outcome for ended in would(night, e.RunEnded)] == ["exhausted"]
    assert night.outbox == []
    assert not night.state.alarms
    night.over()


def test_partners_would_have_been_told_and_all_of_them_the_all_clear() -> None:
    wake, partners, over = sheet("storm").steps
    exhausted = Condition(any=(After("wake", Outcome.EXHAUSTED),))
    steps = (wake, msgspec.structs.replace(partners, after=exhausted), over)
    night = Night(World(sheet("storm", *steps, mode=SHADOW)))
    night.signal()
    night.after(minutes=10)
    assert {o.recipients for o in would(night) if o.message == "storm-partners"} == {("police", "fire")}
    night.cancel(of="w1")
    told = {o.recipients[0] for o in would(night) if o.clears}
    assert told == {"officer-a", "officer-b", "police", "fire"}
    assert night.outbox == []


def test_a_broadcast_that_it_wants_is_drafted_by_nobody() -> None:
    draft = Step(name="public", action=DraftBroadcast(group="public", say="a", by=("sms",)))
    night = Night(World(sheet("storm", draft, mode=SHADOW)))
    night.signal()
    assert [wanted.proposal.step for wanted in would(night, e.BroadcastProposed)] == ["public"]
    assert night.state.proposals == {}
    assert not [ev for d in night.decisions for ev in d.events if isinstance(ev, e.BroadcastProposed)]


def test_nobodys_answer_is_for_what_is_in_shadow_and_no_code_is_used() -> None:
    night = Night(World(sheet("storm", mode=SHADOW), sheet("flood", hazard="flood")))
    night.signal()
    night.fact(r.ReplyReceived(channel="sms", person="officer-a", verb=Verb.ACCEPT))
    night.person("officer-a").receives("hub.nothing-open", by="sms")
    night.signal("f", hazard="flood")
    (ask,) = night.state.asks.values()
    assert ask.code == "A"
    night.person("officer-a").replies("A")
    (run,) = night.state.runs.values()
    assert run.outcome == "accepted"
    assert not would(night, e.Answered)


def test_what_is_in_shadow_makes_no_storm_and_takes_nobodys_allowance() -> None:
    world = World(*(sheet(f"s{n}", mode=SHADOW) for n in range(6)), sheet("flood", hazard="flood"))
    world.storm = Storms(messages=1, messages_s=1800, incidents=2, incidents_s=600, call="directors")
    night = Night(world)
    night.signal()
    night.after(minutes=20)
    assert not night.state.alarms
    assert not night.state.people
    assert not [ran for ran in would(night, e.RunBegan) if ran.chain.id == "directors"]


def test_what_is_in_shadow_quiets_nobody_but_is_quiet_itself_for_a_silence_and_for_a_cause() -> None:
    symptom = sheet("symptom", hazard="flood", quiet_while=(Cause("cause"),))
    cause = sheet("cause")
    shadow = Night(World(live(cause, SHADOW), symptom))
    shadow.signal()
    shadow.signal("f", hazard="flood")
    assert [o.message for o in shadow.outbox if o.ask] == ["symptom-wake"]

    night = Night(World(cause, live(symptom, SHADOW)))
    night.signal()
    night.signal("f", hazard="flood")
    assert len(would(night, e.HeldBack)) == 1
    assert not would(night)
    night.cancel(of="w1")
    assert [o.message for o in would(night)] == ["symptom-wake"]
    assert "cause-over" not in [a.what for a in night.state.alarms.values()]

    night = Night(World(sheet("storm", mode=SHADOW)))
    silence = Silence(what=Quiet(), by="x", why="y", start=night.now, until=night.now + 60 * MINUTE)
    night.fact(r.SilenceSet(silence=silence))
    night.signal()
    assert not would(night)
    night.after(minutes=60)
    assert [o.message for o in would(night)][:1] == ["storm-wake"]


def test_a_sheet_made_live_meanwhile_calls_for_the_next_signal_and_its_shadow_runs_to_its_end() -> None:
    world = World(sheet("storm", mode=SHADOW))
    night = Night(world)
    night.signal()
    world.earlier, world.sheets = world.sheets, [live(world.sheets[0])]
    night.after(minutes=5)
    assert night.outbox == []
    assert "officer-b" in [o.recipients[0] for o in would(night)]
    night.signal("w2")
    assert [o.recipients for o in night.outbox] == [("officer-a",)]
    assert night.state.shadow is not None
    assert len(night.state.shadow.incidents) == len(night.state.incidents) == 1
    night.cancel(of="w1")
    assert [ended.why for ended in would(night, e.Ended)] == ["no-signal"]
    assert not [i for i in night.state.incidents.values() if i.ended]


def test_an_update_of_what_is_in_shadow_calls_where_the_sheet_is_live_by_now() -> None:
    world = World(sheet("storm", mode=SHADOW))
    night = Night(world)
    night.signal()
    world.earlier, world.sheets = world.sheets, [live(world.sheets[0])]
    night.update("w1-b", of="w1")
    assert [o.message for o in night.outbox] == ["storm-wake"]


def test_an_incident_in_earnest_goes_on_whatever_becomes_of_its_sheet() -> None:
    for mode in (Mode.SHADOW, Mode.DRAFT, None):
        world = World(sheet("storm"))
        night = Night(world)
        night.signal()
        (incident,) = night.state.incidents.values()
        world.earlier = world.sheets
        world.sheets = [live(world.sheets[0], mode)] if mode else []
        night.update("w1-b", of="w1")
        assert not incident.ended  # an update of what it is about is no end of it
        assert list(incident.signals)
        night.signal("w2")
        assert len(incident.signals) == (2 if mode is Mode.SHADOW else 1)
        assert not would(night)
        night.cancel(of="w1-b")
        night.cancel(of="w2")
        assert incident.ended
        night.signal("w3")
        assert len(would(night, e.Opened)) == (1 if mode is Mode.SHADOW else 0)
        assert [i for i in night.state.incidents.values() if not i.ended] == []


def test_what_is_in_shadow_leaves_nothing_behind() -> None:
    night = Night(World(sheet("storm", mode=SHADOW, incident=Joining(within_s=60))))
    night.signal()
    night.after(minutes=10)
    assert night.state.shadow is not None
    assert {a.what for a in night.state.shadow.alarms.values()} == {"chain-exhausted"}
    night.cancel(of="w1")
    night.after(minutes=2)
    assert night.state.shadow is None
    assert night.engine.next_deadline() is None


def test_an_officer_ends_it_like_any_other_and_starts_it_by_hand() -> None:
    night = Night(World(sheet("storm", mode=SHADOW)))
    night.fact(r.Installed(what="playbook", name="storm", version=night.world.sheets[0].version, mode="shadow"))
    night.fact(r.SheetStarted(playbook="storm", by="x"), _by_hand())
    assert [o.message for o in would(night)] == ["storm-wake"]
    assert night.state.shadow is not None
    (incident,) = night.state.shadow.incidents
    night.fact(r.IncidentClosed(incident=incident, by="x", why="y"))
    assert [ended.by for ended in would(night, e.Ended)] == ["x"]
    assert night.outbox == []


def test_a_draft_runs_for_nobody() -> None:
    night = Night(World(sheet("storm", mode=Mode.DRAFT)))
    night.fact(r.Installed(what="playbook", name="storm", version=night.world.sheets[0].version, mode="draft"))
    night.fact(r.SheetStarted(playbook="storm", by="x"), _by_hand())
    night.signal()
    assert not night.state.incidents
    assert [a.what for a in night.state.alarms.values()] == ["sheet-unknown"]


def test_it_is_seen_marked_in_every_language() -> None:
    night = Night(World(sheet("storm", mode=SHADOW)))
    recent = Recent()
    night.signal()
    for decision in night.decisions:
        recent.decided(decision)
    shown = picture(night.state, night.now, recent)
    assert [i["shadow"] for i in shown["incidents"]] == [True]
    assert [c["shadow"] for c in shown["chains"]] == [True]
    (delivery,) = shown["deliveries"]
    assert (delivery["outcome"], delivery["shadow"], delivery["language"]) == ("not sent", True, "fr")
    assert shown["chains"][0]["asking"][0]["code"] == ""
    for language in LANGUAGES:
        words = Words(language)
        text = "\n".join(changes({}, shown, words))
        assert text.count(words("shadow")) >= 2
        assert words("not sent") in text
        assert words("would be asked") in text
        assert words("asked") + " " not in text.replace(words("would be asked"), "")


# --- in any night ------------------------------------------------------------------------------------------


def _shadows() -> list[Playbook]:
    """A sheet in shadow beside each of the nights' own, on the same signals."""
    return [
        msgspec.structs.replace(s, name=f"{s.name}-shadow", version=f"{s.name}-s", mode=SHADOW)
        for s in nights.world().sheets
    ]


def _in_earnest(night: Night) -> list[Any]:
    """All that was decided in earnest, with ids by when they first appear: what is in shadow uses some, too."""
    events = [ev for d in night.decisions for ev in d.events if not isinstance(ev, e.InShadow)]
    fired = [name for d in night.decisions for name in d.fired if not name.startswith("shadow ")]
    text = msgspec.json.encode([events, fired]).decode()
    named: dict[str, str] = {}
    words = []
    for word in text.replace('"', " ").replace(",", " ").split():
        is_id = len(word) == 26 and word.isalnum() and word.isupper()
        words.append(named.setdefault(word, f"id{len(named)}") if is_id else word)
    return words


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(nights.signals, nights.replies, nights.receipts, nights.waits, nights.acts, nights.steering,
                  nights.quiet, nights.editing),
        max_size=30,
    ),
    nights.silences,
    nights.silences,
    st.integers(0, 3),
)  # fmt: skip
def test_any_night_is_the_same_with_sheets_in_shadow(inputs: list[tuple], fails: set, silent: set, seed: int) -> None:
    plain, beside = Night(nights.world(), seed=seed), Night(nights.world(), seed=seed)
    beside.world.sheets += _shadows()
    for night in (plain, beside):
        night.fails, night.silent = fails, silent
        orders: list[e.Ordered] = []
        for what in inputs:
            nights._do(night, what, orders)
    assert _in_earnest(beside) == _in_earnest(plain)
    orders_in_shadow = {order.order for order in would(beside)}
    for decision in beside.decisions:  # what dispatch is handed, ahead of a decision, with it, and after a restart
        assert not orders_in_shadow & {order.order for order in _ahead(decision)}
        assert not orders_in_shadow & {ev.order for ev in decision.events if isinstance(ev, e.Ordered)}
    assert not orders_in_shadow & set(beside.state.orders)
    folded = State()
    for decision in msgspec.json.decode(msgspec.json.encode(beside.decisions), type=list[r.Decision]):
        fold_decision(folded, decision)
    assert folded == beside.state
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(folded), type=State) == folded


# --- told afterwards ---------------------------------------------------------------------------------------


class Told:
    """Of a journal what `vigie why` reads."""

    def __init__(self, night: Night) -> None:
        self._decisions = night.decisions

    def decisions(self, after: str, limit: int) -> list[r.Decision]:
        return [] if after else self._decisions

    def get(self, ids: Any) -> list[None]:
        return [None for _ in ids]

    vault = get

    def attempts_of(self, orders: Any) -> list[r.Attempt]:
        return []


def test_why_says_that_it_would_have_been() -> None:
    night = Night(World(sheet("storm", mode=SHADOW)))
    night.signal()
    night.after(minutes=10)
    trail = Trail(Told(night))
    order = would(night)[2]
    text = "\n".join(trail.why(order.order))
    assert text.startswith("officer-b would have been sent (in shadow: nothing went out), in nl, storm-wake over sms")
    assert "tier 1, round 1: officer-a: expired" in text
    assert "was opened in shadow at" in text
    asked = "\n".join(trail.why(order.ask))
    assert asked.startswith("officer-b would have been asked (in shadow: nothing went out) from 2026-07-14 02:14:00Z")
    assert "(sms at 2026-07-14 02:14:00Z; voice at 2026-07-14 02:15:30Z)" in asked
    (run,) = would(night, e.RunBegan)
    assert trail.why(run.run)[0].startswith("chain duty would have been set in motion")
    decision = next(d for d in night.decisions if any(isinstance(ev, e.InShadow) for ev in d.events))
    assert "shadow:opened" in show._said(decision)


def test_a_source_on_trial_shows_what_live_sheets_would_have_done_and_wakes_nobody() -> None:
    night = Night(World(sheet("storm")))
    info = Info(hazard=Hazard.THUNDERSTORM, severity=Severity.SEVERE)
    tried = Signal(source="meteo", identifier="t1", sender="new", sent=night.now, infos=(info,))
    night.fact(r.SignalReceived(source="meteo", shadow=True), tried)
    night.after(hours=1)
    assert not night.outbox
    assert not night.state.incidents
    assert night.state.shadow is not None
    assert [i.playbook for i in night.state.shadow.incidents.values()] == ["storm"]
    night.signal("w1", sender="kmi")  # the same by a source that is believed: it calls as ever
    night.person("officer-a").receives("storm-wake", by="sms")
    cancelled = msgspec.structs.replace(
        tried, identifier="t2", msg_type=MsgType.CANCEL, references=(Reference("new", "t1"),)
    )
    night.fact(r.SignalReceived(source="meteo", shadow=True), cancelled)
    assert [i.ended for i in night.state.incidents.values()] == [False], "it ends what it began, and nothing else"
    assert night.state.shadow is not None
    assert [i.ended for i in night.state.shadow.incidents.values()] == [True]
