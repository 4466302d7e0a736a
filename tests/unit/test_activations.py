"""How often sheets were activated."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from hub.activations import Activation, Count, activations, counted, kinds_of
from hub.model import records as r
from hub.model.signal import Info, Named, Signal
from hub.playbook.language import Joining
from tests.stories import Night, World, sheet

ZONE = ZoneInfo("Europe/Brussels")


class Reading:
    """A journal of what a night decided. `erased`: facts whose words are gone."""

    def __init__(self, night: Night) -> None:
        self.night = night
        self.erased: set[str] = set()

    def decisions(self, after: str, limit: int) -> Sequence[r.Decision]:
        every = sorted(self.night.decisions, key=lambda decision: decision.id)
        return [decision for decision in every if decision.id > after][:limit]

    def get(self, ids: Sequence[str]) -> Sequence[r.Record | None]:
        known = {entry.record.id: msgspec.structs.replace(entry.record, vault=entry.record.id) for entry in self._told}
        return [known.get(id_) for id_ in ids]

    def vault(self, keys: Sequence[str]) -> Sequence[r.VaultEntry | None]:
        known = {e.record.id: msgspec.json.encode(e.live) for e in self._told if e.record.id not in self.erased}
        return [r.VaultEntry(key=k, payload=known[k]) if k in known else None for k in keys]

    def attempts_of(self, orders: Sequence[str]) -> Sequence[r.Attempt]:
        return []

    @property
    def _told(self) -> list[r.Entry]:
        return [entry for entry in self.night.entries if isinstance(entry.live, Signal)]


def a_year() -> Night:
    """A storm on New Year's Eve at 23:30 in Brussels, another half an hour later, one started by hand, an exercise."""
    each = sheet("storm", incident=Joining(one_per=("event",)))
    night = Night(World(each), at=datetime(2026, 12, 31, 23, 30, tzinfo=ZONE))
    night.signal("w1", info={"event": "one"})
    night.after(hours=1)
    night.signal("w2", info={"event": "two"})
    night.signal("x1", status="Exercise")
    said = Signal(
        identifier="by hand", sender="officer-a", sent=night.now,
        infos=(Info(headline="A march", event="march", parameters=(Named("kind", "demonstration"),)),),
    )  # fmt: skip
    night.fact(r.Installed(what="playbook", name="storm", version="storm-v1"))
    night.fact(r.SheetStarted(playbook="storm", by="officer-a"), said)
    return night


def of(night: Night, first: date, last: date) -> list[Activation]:
    return list(activations(Reading(night), first, last, ZONE))


def test_a_year_is_the_local_one_and_exercises_are_apart() -> None:
    night = a_year()
    old = of(night, date(2026, 1, 1), date(2026, 12, 31))
    new = of(night, date(2027, 1, 1), date(2027, 12, 31))
    assert [(one.by_hand, one.exercise) for one in old] == [(False, False)]
    assert sorted((one.by_hand, one.exercise) for one in new) == [(False, False), (False, True), (True, False)]
    assert counted(old, ZONE) == [
        Count(sheet="storm", kind="", activations=1, by_hand=0, exercises=0, months=(0,) * 11 + (1,))
    ]
    (count,) = counted(new, ZONE)
    assert (count.activations, count.by_hand, count.exercises, count.months[0]) == (2, 1, 1, 2)


def test_they_are_told_apart_by_an_answer_and_what_was_erased_says_so() -> None:
    night = a_year()
    reading = Reading(night)
    found = of(night, date(2026, 1, 1), date(2027, 12, 31))
    kinds = kinds_of(reading, found, "kind")
    assert {(c.kind, c.activations) for c in counted(found, ZONE, kinds)} == {("demonstration", 1), ("(not said)", 2)}
    reading.erased = {one.about for one in found if one.by_hand}
    kinds = kinds_of(reading, found, "kind")
    assert {(c.kind, c.activations) for c in counted(found, ZONE, kinds)} == {("(erased)", 1), ("(not said)", 2)}


def test_what_is_opened_again_is_no_new_activation() -> None:
    night = Night(World(sheet("storm")))
    night.signal("w1")
    night.cancel("w1")
    night.after(seconds=timedelta(hours=1).total_seconds())
    night.signal("w3")
    assert len(of(night, date(2026, 1, 1), date(2026, 12, 31))) == 1
