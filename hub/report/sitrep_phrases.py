"""Sentences of situation reports: one signal, one measure, one place, in one language, for a reader who may see so much
of people. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from hub.model.ids import made_at
from hub.model.people import Classification, Language
from hub.model.signal import SEVERITIES, Severity
from hub.model.situation import Contacted, Fate, Heard, Moment, Situation, TaskSeen, What
from hub.report.hazard_words import grade_words, hazard_word, severity_word
from hub.report.known import Known
from hub.report.sitrep_words import SitrepWords, listed, said
from hub.report.words import named, told

NAMED_MOST = 10  # names in one sentence
PLACES_MOST = 6
_FALLBACK = ("fr", "nl", "en", "de")


class Phrases:
    """`situation`: the one that is told of."""

    def __init__(
        self, words: SitrepWords, known: Known, language: Language, sees: Classification, situation: Situation
    ) -> None:
        self.w = words
        self._known = known
        self._language = language
        self._sees = sees
        self.situation = situation

    # -- words for single things --

    def time(self, at: datetime) -> str:
        return told(at, self._known.zone, self._language)

    def made(self, record: str) -> str:
        """When a record was made, as its id says; `""` where that is no id of ours."""
        try:
            return self.time(datetime.fromtimestamp(made_at(record), UTC))
        except (ValueError, OverflowError):
            return ""

    def count(self, text: str, count: int, **values: object) -> str:
        return said(text, self._language, count, **values)

    def severity(self, severity: Severity) -> str:
        return severity_word(severity, self._language)

    def title(self) -> str:
        return named(dict(self.situation.titles), self._language, self.situation.playbook)

    def headline(self, heard: Heard) -> str:
        for language in (self._language.value, *_FALLBACK):
            if language in heard.headlines:
                return heard.headlines[language]
        return next(iter(heard.headlines.values()), self.w.erased)

    def sender(self, heard: Heard) -> str:
        if heard.by_hand:
            return self.actor(self.situation.opened_by) or self.w.someone
        return heard.sender or heard.source

    def person(self, id_: str) -> str:
        """Their name for who may see it; else whom they work for."""
        person = self._known.directory.person(id_)
        if person is None:
            return self.w.someone
        if person.seen_by.within(self._sees):
            return person.name
        return self.organisation(id_) or self.w.someone

    def organisation(self, id_: str) -> str:
        """Whom they work for; `""` where the directory does not say."""
        person = self._known.directory.person(id_)
        if person is None or not person.organisation:
            return ""
        known = self._known.directory.organisations.get(person.organisation)
        return person.organisation if known is None else named(known.names, self._language, known.id)

    def actor(self, by: str) -> str:
        """Who acted, in their own words where they are in no directory; those are for the centre's own people."""
        if not by or self._known.directory.person(by) is not None:
            return self.person(by) if by else ""
        return by if self._sees is Classification.INTERNAL else self.w.someone

    def people(self, ids: Iterable[str]) -> str:
        """`SIAMU, STIB and 3 more`: organisations, each once; people who belong to none by their names."""
        names: dict[str, None] = {}
        unnamed = 0
        for id_ in ids:
            name = self.organisation(id_) or self.person(id_)
            if name == self.w.someone:
                unnamed += 1
            else:
                names[name] = None
        shown = list(names)[:NAMED_MOST]
        others = len(names) - len(shown) + unnamed
        if others and shown:
            shown.append(self.count(self.w.others, others))
        elif others:
            shown = [self.count(self.w.others, others) if others > 1 else self.w.someone]
        return listed(shown, self._language)

    def channels(self, channels: Sequence[str]) -> str:
        words = dict.fromkeys(self.w.by_channel.get(channel, channel) for channel in channels)
        return listed(list(words), self._language)

    def task(self, task: TaskSeen) -> str:
        return named(dict(task.do), self._language, f"{task.step} {task.index + 1}")

    # -- places --

    def places(self, ids: Sequence[str]) -> list[str]:
        """Those that say best where it is: a few narrow ones each by name, many by the narrowest that holds them."""
        ground = self._known.ground
        there = [id_ for id_ in ground if id_ in ids]  # the widest first
        drawn = [id_ for id_ in there if ground[id_].rings]
        narrow = drawn or [id_ for id_ in there if not any(id_ in ground[other].within for other in there)]
        if len(narrow) > PLACES_MOST:
            holding = [id_ for id_ in there if all(id_ in ground[one].within for one in narrow)]
            narrow = [max(holding, key=lambda id_: len(ground[id_].within))] if holding else narrow[:PLACES_MOST]
        return [ground[id_].names.get(self._language.value, id_) for id_ in narrow]

    def where(self) -> tuple[str, tuple[str, ...]]:
        """In the centre's own names, else in senders' words; and the records that say so."""
        s = self.situation
        telling = [one for one in s.heard if one.in_force] or list(s.heard)
        names = self.places(s.places) or list(dict.fromkeys(area for one in telling for area in one.areas))
        records = tuple(record for one in telling if one.places or one.areas for record in one.records[:1])
        return (f"{listed(names, self._language)}." if names else self.w.nowhere), records

    # -- METHANE --

    def extent(self) -> tuple[str, tuple[str, ...]]:
        heard = [one for one in self.situation.heard if not one.attached]
        in_force = [one for one in heard if one.in_force]
        gravest = max((one.severity for one in in_force or heard), key=SEVERITIES.index, default=Severity.UNKNOWN)
        number = self.count(self.w.in_force, len(in_force)) if in_force else self.w.none_in_force
        records = [record for one in in_force or heard for record in (*one.records, *one.over_records)]
        return f"{self.w.gravest.format(severity=self.severity(gravest))} {number}", tuple(records)

    def type(self) -> tuple[str, tuple[str, ...]]:
        return f"{self.title()}.", self.situation.records

    def hazards(self) -> tuple[str, tuple[str, ...]]:
        heard = [one for one in self.situation.heard if one.hazard is not None]
        names = dict.fromkeys(hazard_word(one.hazard, self._language) for one in heard if one.hazard is not None)
        if not names:
            return self.w.nothing, ()
        text = listed(list(names), self._language)
        return f"{text[0].upper()}{text[1:]}.", tuple(one.signal for one in heard)

    def casualties(self) -> tuple[str, tuple[str, ...]]:
        heard = [one for one in self.situation.heard if one.casualties]
        told_by = [
            self.w.casualties.format(
                value=", ".join(f"{c.name.replace('_', ' ')} {c.value}" for c in one.casualties),
                sender=self.sender(one),
            )
            for one in heard
        ]
        return ("\n".join(dict.fromkeys(told_by)) or self.w.nothing), tuple(one.signal for one in heard)

    def services(self) -> tuple[str, tuple[str, ...]]:
        reached = [one for one in self.situation.contacted if one.fate is Fate.REACHED]
        named_ones = [one for one in reached if self.organisation(one.person)]
        if not named_ones:
            return self.w.nobody_informed, ()
        names = self.people(one.person for one in named_ones)
        records = tuple(record for one in named_ones for record in one.records)
        return self.w.informed.format(names=names), records

    # -- what happened --

    def heard(self, one: Heard) -> str:
        template = self.w.heard
        if one.by_hand:
            template = self.w.heard_by_hand
        elif one.attached:
            template = self.w.heard_attached
        elif one.update:
            template = self.w.heard_update
        text = template.format(
            sender=self.sender(one), headline=self.headline(one), severity=self.severity(one.severity)
        )
        until = self.w.until.format(time=self.time(one.until)) if one.until is not None else ""
        return f"{text}{until}."

    def ended(self, one: Heard) -> str:
        """How it came out of force; `""` where another took its place, which says so itself."""
        template = {"cancelled": self.w.cancelled, "expired": self.w.expired}.get(one.over, "")
        return template.format(sender=self.sender(one), headline=self.headline(one))

    def moment(self, one: Moment) -> str:
        by = self.actor(one.by)
        name, eta = one.name, ""
        if one.what is What.TASK_DONE:
            task = next((t for t in self.situation.tasks if f"{t.step} {t.index}" == one.name), None)
            name = self.task(task) if task is not None else one.name
        elif one.what is What.BROADCAST_ENDED:
            name = self.w.broadcast_ends.get(one.name, one.name)
        elif one.what is What.ACCEPTED and one.count:
            eta = self.count(self.w.with_eta, one.count)
        people = (
            self.people(one.people)
            if one.what in (What.TOLD, What.ALL_CLEAR)
            else listed([self.person(id_) for id_ in one.people], self._language)
        )
        text = self.count(
            self.w.moments[one.what],
            one.count if one.what not in (What.ACCEPTED,) else 1,
            by=self.w.by_officer.format(by=by) if by else "",
            name=name,
            eta=eta,
            people=people,
            channels=self.channels(one.channels),
            grade=grade_words(one.reliability, one.credibility, self._language),
        )
        return f"{text[:1].upper()}{text[1:]}"

    def answer(self, one: Contacted) -> str:
        if one.answer in ("accepted", "declined"):
            return self.w.accepted if one.answer == "accepted" else self.w.declined
        return self.w.unanswered if one.answer in ("expired", "unreachable") else ""
