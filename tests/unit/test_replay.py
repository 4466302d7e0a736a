"""A night as it happened, through other sheets: told as stories (tests/stories.py), replayed, compared."""

import re
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from hub.drill.calls import Calls, Kind
from hub.drill.difference import Change, Difference, Differs, Matter, Someone, difference
from hub.drill.difference_page import page_of
from hub.drill.difference_words import WORDS
from hub.drill.replay import Assumed, Replay, beginning
from hub.engine.state import State
from hub.model import records as r
from hub.model.message import Verb
from hub.model.people import Address, Asked, Contact, Language, Person
from hub.model.quiet import Quiet, Silence
from hub.model.signal import Hazard, Severity
from hub.people.directory import Directory
from hub.playbook.language import After, Call, Condition, Mode, Notify, Outcome, Playbook, Step
from tests.stories import START, Night, World, sheet, tasks

WAKE = Step(name="wake", action=Call(chain="duty", say="storm-wake"))
PARTNERS = sheet().steps[1]


def replayed(night: Night, *sheets: Playbook, world: World | None = None, since_min: float = 0) -> Difference:
    """What these sheets would have made of a night, from so long after its beginning on."""
    other = world or World()
    other.sheets = [*sheets]
    since, until = START + timedelta(minutes=since_min), night.now
    before = [d for d in night.decisions if d.at < since]
    state, then = State(), Calls()
    for decision in before:
        _fold(state, decision)
    then.begin(state)
    for decision in night.decisions[len(before) :]:
        then.add(decision)
    replies = {e.record.id: e.record for e in night.entries if isinstance(e.record.body, r.ReplyReceived)}
    other.sheets += [s for s in night.world.sheets if s not in other.sheets and since_min]  # open on an older version
    replay = Replay(beginning(state, sheets), other, then, replies)
    taken = {fact for decision in before for fact in decision.took}
    for entry in night.entries:
        if entry.record.id not in taken:
            replay.take(entry)
    replay.pass_time(until)
    versions = {s.name: s.version for s in sheets}
    return difference(then, replay.calls, replay.counts, since, until, versions, lambda call: "fr", lambda call: "fr")


def _fold(state: State, decision: r.Decision) -> None:
    from hub.engine.fold import fold_decision

    fold_decision(state, decision)


def only(found: Difference) -> Matter:
    (matter,) = found.matters
    return matter


def someone(matter: Matter, person: str, kind: Kind = Kind.ASKED) -> Someone:
    return next(p for p in matter.people if (p.person, p.kind) == (person, kind))


def storm_night(world: World | None = None) -> Night:
    """A storm at 02:10; officer-a does not answer, officer-b does, a minute after being asked; it is over at 05:10."""
    night = Night(world)
    for known in night.world.sheets:
        night.fact(r.Installed(what="playbook", name=known.name, version=known.version))
    night.signal("w1", expires_min=180)
    night.after(minutes=5)
    night.person("officer-b").replies("ok")
    night.after(hours=4)
    return night


def test_the_same_sheets_call_the_same_people_at_the_same_times() -> None:
    found = replayed(storm_night(), sheet())
    assert only(found).change is Change.SAME
    assert {p.person for p in only(found).people} == {"officer-a", "officer-b", "police", "fire"}
    assert all(load.same for load in (*found.by_person, *found.by_sheet))
    assert (found.counts.signals, found.counts.answers, found.counts.not_given) == (1, 1, 0)
    assert found.sheets.same == 1


def test_a_sheet_that_asks_for_more_calls_nobody() -> None:
    stricter = replace(sheet(), when=(replace(sheet().when[0], severity=(Severity.EXTREME,)),), version="storm-v2")
    found = replayed(storm_night(), stricter)
    assert only(found).change is Change.NO_LONGER
    assert {p.change for p in only(found).people} == {Change.NO_LONGER}
    assert found.sheets.changed == ("storm",)
    assert found.counts.not_given == 1
    officer = next(load for load in found.by_person if load.name == "officer-b")
    assert (officer.asked_then, officer.asked_now) == (1, 0)


def test_a_new_sheet_calls_people_who_slept() -> None:
    night = storm_night()
    new = sheet("thunder", Step(name="wake", action=Call(chain="directors", say="thunder-wake")))
    found = replayed(night, sheet(), new)
    changes = {m.playbook: m.change for m in found.matters}
    assert changes == {"storm": Change.SAME, "thunder": Change.ONLY_NOW}
    (thunder,) = [m for m in found.matters if m.playbook == "thunder"]
    director = someone(thunder, "director")
    assert director.now is not None
    assert (director.now.channels, director.now.messages) == (("sms", "voice"), ("thunder-wake",))
    assert thunder.now is not None
    assert thunder.now.exhausted == ("directors",), "nobody answers who did not then"
    assert found.sheets.new == ("thunder",)


def test_who_answered_answers_as_long_after_being_asked() -> None:
    """The first officer has less time: the second is asked two minutes earlier, and takes it two minutes earlier."""
    world = World()
    first, second = world.chains["duty"].tiers
    world.chains["duty"] = replace(world.chains["duty"], tiers=(replace(first, answer_s=120.0), second))
    found = replayed(storm_night(), sheet(), world=world)
    officer, police = someone(only(found), "officer-b"), someone(only(found), "police", Kind.TOLD)
    assert officer.differs == (Differs.EARLIER,)
    assert officer.shift_s == -120.0
    assert police.shift_s == -120.0
    assert only(found).now is not None
    assert only(found).now.accepted == ("officer-b",)  # type: ignore[union-attr] # asserted above


def test_who_was_asked_by_another_channel_or_told_something_else() -> None:
    world = World()
    tiers = tuple(replace(t, by=("voice", "sms")) for t in world.chains["duty"].tiers)
    world.chains["duty"] = replace(world.chains["duty"], tiers=tiers)
    partners = replace(PARTNERS, action=Notify(say="storm-new", to=(Contact(Asked.GROUP, "partners"),), by=("sms",)))
    found = replayed(storm_night(), sheet("storm", WAKE, partners, sheet().steps[2]), world=world)
    assert someone(only(found), "officer-a").differs == (Differs.CHANNEL,)
    police = someone(only(found), "police", Kind.TOLD)
    assert set(police.differs) == {Differs.CHANNEL, Differs.MESSAGE, Differs.TIMES}


def test_a_step_that_waits_tells_later() -> None:
    night = storm_night()
    late = replace(PARTNERS, after=Condition(any=(After("checklist", Outcome.LATE),)))
    found = replayed(night, sheet("storm", WAKE, tasks("checklist", due_s=600.0), late, sheet().steps[2]))
    fire = someone(only(found), "fire", Kind.TOLD)
    assert fire.differs == (Differs.LATER,)
    assert fire.shift_s == 600.0


def test_a_sheet_under_another_name_is_the_same_matter() -> None:
    found = replayed(storm_night(), sheet("tempest"))
    matter = only(found)
    assert matter.then is not None
    assert matter.now is not None
    assert (matter.then.playbook, matter.now.playbook) == ("storm", "tempest")
    assert found.sheets.gone == ("storm",)
    assert someone(matter, "officer-b").differs == (Differs.MESSAGE,)


def test_shadow_opens_and_sends_nothing() -> None:
    found = replayed(storm_night(), replace(sheet(), mode=Mode.SHADOW, version="storm-v2"))
    matter = only(found)
    assert matter.now is not None
    assert matter.now.shadow
    assert {p.change for p in matter.people} == {Change.NO_LONGER}


def test_a_sheet_that_was_in_shadow_would_have_called() -> None:
    """What a sheet in shadow would have done is no call of then; made live, it calls."""
    shadow = replace(sheet(), mode=Mode.SHADOW)
    found = replayed(storm_night(World(shadow)), sheet())
    matter = only(found)
    assert matter.then is not None
    assert matter.now is not None
    assert (matter.then.shadow, matter.now.shadow) == (True, False)
    assert {p.change for p in matter.people} == {Change.ONLY_NOW}
    assert sum(load.asked_then + load.told_then for load in found.by_person) == 0


def test_what_officers_did_is_done_here_too() -> None:
    """The officer's end of the incident, ticks and a stop-all are carried over to what stands for them here."""
    steps = (WAKE, tasks("checklist", due_s=7200.0), PARTNERS, sheet().steps[2])
    night = Night(World(sheet("storm", *steps)))
    night.fact(r.Installed(what="playbook", name="storm", version="storm-v1"))
    night.signal("w1", expires_min=300)
    night.after(minutes=1)
    night.person("officer-a").replies("ok")
    night.after(minutes=1)
    (task,) = night.state.tasks
    night.fact(r.TaskTicked(task=task, by="officer-a"))
    night.after(hours=1)
    (incident,) = night.state.incidents
    night.fact(r.IncidentClosed(incident=incident, by="officer-a", why="over"))
    night.after(hours=3)
    more = Step(
        name="more",
        action=Notify(say="storm-done", to=(Contact(Asked.GROUP, "partners"),), by=("email",)),
        after=Condition(any=(After("checklist", Outcome.DONE),)),
    )
    found = replayed(night, sheet("storm", *steps[:-1], more, steps[-1]))
    assert (found.counts.acts, found.counts.not_done) == (2, 0)
    matter = only(found)
    assert matter.then is not None
    assert matter.now is not None
    assert matter.now.ended_at == matter.then.ended_at == START + timedelta(hours=1, minutes=2)
    assert someone(matter, "police", Kind.TOLD).differs == (Differs.MESSAGE, Differs.TIMES)


def test_stop_all_holds_what_is_ordered_until_it_is_lifted() -> None:
    night = Night()
    night.fact(r.StopAll(by="officer-a", why="trying"))
    night.signal("w1")
    night.after(minutes=20)
    night.fact(r.StopLifted(by="officer-a", why="tried"))
    night.after(minutes=10)
    found = replayed(night, sheet())
    assert someone(only(found), "officer-a").change is not Change.NO_LONGER
    assert someone(only(found), "officer-b").now is not None


def test_a_silence_of_then_holds_here() -> None:
    night = Night()
    what = Quiet(hazards=(Hazard.THUNDERSTORM,))
    night.fact(
        r.SilenceSet(
            silence=Silence(what=what, by="officer-a", why="known", start=START, until=START + timedelta(hours=2))
        )
    )
    night.after(minutes=1)
    night.signal("w1", expires_min=60)
    night.after(hours=3)
    found = replayed(night, sheet())
    assert only(found).change is Change.SAME
    assert only(found).now is not None
    assert only(found).now.held  # type: ignore[union-attr] # asserted above


def test_what_was_under_way_goes_on_as_it_was() -> None:
    """From 02:13 on, under a sheet that would not have called anybody: the incident goes on on its own version."""
    night = storm_night()
    stricter = replace(sheet(), when=(replace(sheet().when[0], severity=(Severity.EXTREME,)),), version="storm-v2")
    found = replayed(night, stricter, since_min=3)
    matter = only(found)
    assert matter.change is Change.SAME
    assert someone(matter, "officer-b").now is not None
    assert found.counts.answers == 1


def test_signals_whose_words_were_erased_are_counted() -> None:
    night = storm_night()
    night.entries = [
        r.Entry(e.record, None) if isinstance(e.record.body, r.SignalReceived) else e for e in night.entries
    ]
    found = replayed(night, sheet())
    assert found.counts.erased == 1
    assert only(found).change is Change.NO_LONGER


def test_a_decline_is_repeated_and_calls_the_next_at_once() -> None:
    night = Night()
    night.signal("w1")
    night.after(seconds=20)
    night.person("officer-a").replies("non")
    night.after(minutes=1)
    night.person("officer-b").replies("ok")
    night.after(minutes=30)
    found = replayed(night, sheet())
    assert only(found).change is Change.SAME
    assert someone(only(found), "officer-b").shift_s == 0.0
    assert found.counts.answers == 2


def test_an_answer_by_key_reaches_the_ask_that_stands_for_its_own() -> None:
    night = Night()
    night.signal("w1")
    night.after(seconds=95)
    call = next(o for o in night.outbox if o.channel == "voice")
    night.person("officer-a").presses("1", on=call)
    night.after(minutes=30)
    (reply,) = [e.record.body for e in night.entries if isinstance(e.record.body, r.ReplyReceived)]
    assert isinstance(reply, r.ReplyReceived)
    assert (reply.order, reply.verb) == (call.order, Verb.ACCEPT)
    found = replayed(night, sheet())
    assert only(found).change is Change.SAME
    assert only(found).now is not None
    assert only(found).now.accepted == ("officer-a",)  # type: ignore[union-attr] # asserted above


def test_the_page_stands_by_itself_and_takes_all_text_as_text() -> None:
    people = [
        Person(id="officer-b", name="Bé <b>Name</b>", language=Language.FR, addresses=(Address("sms", "+32450000002"),))
    ]
    new = replace(sheet("thunder"), title=dict.fromkeys(Language, "<script>alert(1)</script>"))
    found = replayed(storm_night(), sheet(), new)
    for language in Language:
        page = page_of(found, language, Directory(people), {"thunder": new.title}, "Europe/Brussels")
        assert "<script" not in page
        assert "http" not in page
        assert "&lt;script&gt;" in page
        assert "Bé &lt;b&gt;Name&lt;/b&gt;" in page
        assert "officer-a" in page, "who is not in the directory stands there by their id"


def test_every_word_of_the_page_is_there_in_four_languages_and_none_hides_another() -> None:
    """A word of an enum is a text, too: two of one spelling would be one key."""
    kinds = [*Change, *Differs, *Kind, *Assumed]
    assert len(set(map(str, kinds))) == len(kinds)
    for words in WORDS.values():
        assert set(words) == set(WORDS[Language.EN])
        assert set(kinds) <= set(words)
    source = (Path(__file__).parents[2] / "hub" / "drill" / "difference_page.py").read_text()
    named = set(re.findall(r"w\[\"([a-z_]+)\"\]", source)) | set(re.findall(r"\{\{ w\.([a-z_]+) \}\}", source))
    assert named <= set(WORDS[Language.EN]), "and all that the page asks for"
    assert not named & set(map(str, kinds))
