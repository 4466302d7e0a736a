"""The situation report of an incident: from what it has come to, to a document. METHANE first, then the centre's own
headings. Every sentence that is drawn from data names its records; what an officer wrote stands beside it. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from hub.model.people import Classification, Language
from hub.model.situation import METHANE, Fate, Heading, Moment, Sitrep, Situation, TaskSeen, Topic, What
from hub.report.document import Block, Document, Figure, Named, Paragraph, Row, Section, Table
from hub.report.figures import Lane, Mark, Part, area_map, bars, timeline
from hub.report.hazard_words import grade_words
from hub.report.known import Known
from hub.report.references import referenced
from hub.report.sitrep_de_en import DE, EN
from hub.report.sitrep_fr_nl import FR, NL
from hub.report.sitrep_phrases import Phrases
from hub.report.sitrep_words import SitrepWords, listed
from hub.report.words import CLASSIFICATIONS, banner, told
from hub.report.words import WORDS as COMMON

WORDS: Mapping[Language, SitrepWords] = {Language.FR: FR, Language.NL: NL, Language.DE: DE, Language.EN: EN}
ROWS_MOST = 60  # of one table: whoever wants more reads the journal
AGAIN = 3  # so often the same is said once
_Told = tuple[datetime, str, tuple[str, ...], datetime]
"""When, what, by which records, and when for the last time."""
_FACTS = frozenset({What.OPENED, What.REOPENED, What.ENDED, What.GRADED})
_ANSWERS = frozenset({What.ACCEPTED, What.DECLINED, What.CHAIN_TAKEN})


def sitrep_document(
    sitrep: Sitrep,
    known: Known,
    language: Language,
    sees: Classification,
    approval: bool = False,
    last: int = 0,
) -> Document:
    """`approval`: it says so as long as nobody has approved it. `last`: the number of the report before it, where it
    has none itself."""
    return _Making(sitrep, known, language, sees, last or sitrep.number - 1).document(approval)


def measures_of(situation: Situation) -> list[Moment]:
    return [one for one in situation.moments if one.what not in _FACTS]


class _Making:
    def __init__(self, sitrep: Sitrep, known: Known, language: Language, sees: Classification, last: int) -> None:
        self._last = last
        self._sitrep, self._known, self._language, self._sees = sitrep, known, language, sees
        self._w = WORDS[language]
        self._s = sitrep.situation
        self._p = Phrases(self._w, known, language, sees, self._s)
        previous = sitrep.previous
        self._before = None if previous is None else Phrases(self._w, known, language, sees, previous)
        self._since = None if previous is None else previous.at

    def document(self, approval: bool) -> Document:
        w, s, sitrep = self._w, self._s, self._sitrep
        title = w.title.format(number=sitrep.number) if sitrep.number else w.unnumbered
        at = told(s.at, self._known.zone, self._language, True)
        made = Document(
            title=w.named.format(title=title, about=self._p.title()),
            language=self._language,
            head=tuple(self._head(at, approval)),
            short=f"{COMMON[self._language].at} {at}",
            classification=CLASSIFICATIONS[self._language][self._sees],
            banner=banner(s.status, self._language),
            new=w.new,
            sections=(
                *self._notice(approval),
                *(self._section(heading) for heading in self._headings()),
            ),
        )

        def record(id_: str) -> tuple[str, str]:
            return self._p.made(id_), id_

        return referenced(made, w.sections["records"], w.record_heads, record)

    def _head(self, at: str, approval: bool) -> Iterator[Named]:
        w, s, sitrep, common = self._w, self._s, self._sitrep, COMMON[self._language]
        going = w.going.format(time=self._p.time(s.opened_at))
        over = w.over.format(time=self._p.time(s.ended_at)) if s.ended_at is not None else going
        yield Named(w.incident, f"{s.incident}, {over}")
        version = f", {w.version.format(version=sitrep.version)}" if sitrep.number else ""
        yield Named(common.at, f"{at}{version}")
        by = self._p.actor(sitrep.by) if sitrep.by else w.by_sheet.format(sheet=self._p.title())
        yield Named(w.written_by, f"{by}, {self._known.hub}" if sitrep.number else self._known.hub)
        yield Named(common.classification, CLASSIFICATIONS[self._language][self._sees])

    def _notice(self, approval: bool) -> Iterator[Section]:
        w, sitrep = self._w, self._sitrep
        blocks: list[Paragraph] = []
        if sitrep.approved_by and sitrep.approved_at is not None:
            by, time = self._p.actor(sitrep.approved_by), self._p.time(sitrep.approved_at)
            blocks.append(Paragraph(text=w.approved.format(by=by, time=time)))
        elif approval:
            blocks.append(Paragraph(text=w.not_approved, marked=True))
        if sitrep.previous is not None:
            time = self._p.time(sitrep.previous.at)
            blocks.append(Paragraph(text=w.previous.format(number=self._last, time=time)))
        if blocks:
            yield Section(title="", blocks=tuple(blocks))

    def _headings(self) -> list[Heading]:
        """Those of the centre, and any other under which an officer has written."""
        told = [Heading.METHANE if topic in METHANE else Heading(topic) for topic in self._sitrep.written]
        return list(dict.fromkeys((*self._known.headings, *told)))

    def _section(self, heading: Heading) -> Section:
        if heading is Heading.METHANE:
            return Section(title="METHANE", blocks=tuple(self._methane()))
        make = {
            Heading.FACTS: self._facts,
            Heading.MEASURES: self._measures,
            Heading.PEOPLE: self._people,
            Heading.TASKS: self._tasks,
            Heading.TREND: self._trend,
            Heading.OUTLOOK: self._outlook,
            Heading.SOURCES: self._sources,
        }[heading]
        written = () if heading is Heading.SOURCES else tuple(self._written(Topic(heading)))
        return Section(title=self._w.sections[heading], blocks=(*make(), *written))

    def _written(self, topic: Topic) -> Iterator[Paragraph]:
        one = self._sitrep.written.get(topic)
        if one is not None:
            yield Paragraph(text=f"{self._note(one.by, one.at)}\n{one.text}", written=True)

    def _note(self, by: str, at: datetime) -> str:
        return self._w.note.format(by=self._p.actor(by) or self._w.someone, time=self._p.time(at))

    def _new(self, at: datetime | None) -> bool:
        return self._since is not None and at is not None and at > self._since

    # -- METHANE --

    def _methane(self) -> Iterator[Block]:
        rows = []
        for topic in METHANE:
            text, records = self._heading(topic, self._p)
            before = self._heading(topic, self._before)[0] if self._before is not None else text
            note = self._sitrep.written.get(topic)
            added = "" if note is None else f"{self._note(note.by, note.at)} {note.text}"
            cell = "\n".join(filter(None, ("" if added and text == self._w.nothing else text, added)))
            name = self._w.methane[topic]
            rows.append(Row(cells=(name, cell), records=records, new=text != before))
        yield Table(heads=("", ""), rows=tuple(rows), widths=(4, 14))
        places = self._s.places
        drawn = [one for one in self._known.ground.values() if one.rings and one.id in places]
        if drawn:
            names = listed(self._p.places(places), self._language)
            alt = self._w.alt_map.format(names=names)
            records = self._p.where()[1]
            figure = area_map(self._known.ground, places, self._language.value, alt, records)
            if figure is not None:
                yield figure

    def _heading(self, topic: Topic, phrases: Phrases) -> tuple[str, tuple[str, ...]]:
        match topic:
            case Topic.MAJOR:
                return phrases.extent()
            case Topic.LOCATION:
                return phrases.where()
            case Topic.TYPE:
                return phrases.type()
            case Topic.HAZARDS:
                return phrases.hazards()
            case Topic.CASUALTIES:
                return phrases.casualties()
            case Topic.SERVICES:
                return phrases.services()
            case _:
                return self._w.nothing, ()

    # -- what happened --

    def _facts(self) -> Iterator[Block]:
        yield self._timeline()
        told_of: list[_Told] = []
        for one in self._s.heard:
            told_of.append((one.at, self._p.heard(one), one.records, one.at))
            if one.over_at is not None and (text := self._p.ended(one)):
                told_of.append((one.over_at, text, one.over_records, one.over_at))
        told_of += [(m.at, self._p.moment(m), m.records, m.at) for m in self._s.moments if m.what in _FACTS]
        yield from self._happened(told_of)

    def _measures(self) -> Iterator[Block]:
        """What was done again and again, as reminders are, is said once."""
        alike: dict[object, list[Moment]] = {}
        for nth, one in enumerate(measures_of(self._s)):
            key = (one.people, one.channels) if one.what is What.TOLD else nth
            alike.setdefault(key, []).append(one)
        told_of: list[_Told] = []
        for those in alike.values():
            if len(those) < AGAIN:
                told_of += [(one.at, self._p.moment(one), one.records, one.at) for one in those]
                continue
            last = those[-1].at
            again = self._w.again.format(count=len(those), time=self._p.time(last))
            text = f"{self._p.moment(those[0]).removesuffix('.')}{again}."
            records = tuple(record for one in those for record in one.records)
            told_of.append((those[0].at, text, records, last))
        yield from self._happened(told_of)

    def _happened(self, told_of: list[_Told]) -> Iterator[Block]:
        if not told_of:
            yield Paragraph(text=self._w.nothing)
            return
        told_of.sort(key=lambda one: one[0])
        left = told_of[:-ROWS_MOST]
        rows = [
            Row(cells=(self._p.time(at), text), records=records, new=self._new(last))
            for at, text, records, last in told_of[-ROWS_MOST:]
        ]
        if left:
            yield self._left_out(len(left))
        yield Table(heads=(self._w.time, self._w.happened), rows=tuple(rows), widths=(4, 14))

    def _left_out(self, count: int) -> Paragraph:
        return Paragraph(text=self._p.count(self._w.truncated, count))

    def _timeline(self) -> Figure:
        w, s = self._w, self._s
        measures = measures_of(s)
        answers = [one for one in measures if one.what in _ANSWERS]
        late = [task for task in s.tasks if task.late and task.due is not None]
        lanes = (
            Lane(name=w.lanes[0], marks=tuple(Mark(at=h.at, open=h.attached) for h in s.heard), shape="triangle"),
            Lane(name=w.lanes[1], marks=tuple(Mark(at=m.at) for m in measures if m not in answers)),
            Lane(name=w.lanes[2], marks=tuple(Mark(at=m.at, open=m.what is What.DECLINED) for m in answers)),
            Lane(name=w.lanes[3], marks=tuple(Mark(at=t.due) for t in late if t.due is not None), shape="square"),
        )
        alt = w.alt_timeline.format(
            start=self._p.time(s.opened_at),
            end=self._p.time(s.at),
            heard=self._p.count(w.signals, len(s.heard)),
            measures=self._p.count(w.measures, len(measures)),
        )
        return timeline(lanes, s.opened_at, s.at, self._known.zone, alt, s.records)

    # -- people and tasks --

    def _people(self) -> Iterator[Block]:
        w, contacted = self._w, self._s.contacted
        if not contacted:
            yield Paragraph(text=w.nobody)
            return
        counts = {fate: self._s.people.get(fate, 0) for fate in Fate}
        values = {
            "reached": counts[Fate.REACHED],
            "waiting": counts[Fate.WAITING],
            "not_reached": counts[Fate.NOT_REACHED],
        }
        records = tuple(dict.fromkeys(record for one in contacted for record in one.records))
        new = self._new(max(one.at for one in contacted))
        yield Paragraph(text=self._p.count(w.of_people, sum(counts.values()), **values), records=records, new=new)
        parts = (
            Part(name=w.reached, count=counts[Fate.REACHED], shade=0.75),
            Part(name=w.waiting, count=counts[Fate.WAITING], shade=0.3),
            Part(name=w.not_reached, count=counts[Fate.NOT_REACHED], shade=0.0),
        )
        yield bars(parts, w.alt_bars.format(**values))
        asked = [one for one in contacted if one.answer]
        if asked:
            said = {
                "accepted": sum(one.answer == "accepted" for one in asked),
                "declined": sum(one.answer == "declined" for one in asked),
                "unanswered": sum(one.answer in ("expired", "unreachable") for one in asked),
            }
            of = tuple(dict.fromkeys(record for one in asked for record in one.records))
            yield Paragraph(text=w.answers.format(**said), records=of, new=self._new(max(one.at for one in asked)))
        missed = [one for one in contacted if one.fate is Fate.NOT_REACHED]
        rows = tuple(
            Row(
                cells=(self._p.person(one.person), self._p.organisation(one.person), self._p.channels(one.channels)),
                records=one.records,
                new=self._new(one.at),
            )
            for one in missed[:ROWS_MOST]
        )
        if rows:
            yield Paragraph(text=f"{w.not_reached[:1].upper()}{w.not_reached[1:]}", leads=True)
            yield Table(heads=(w.who, COMMON[self._language].organisation, w.tried), rows=rows, widths=(6, 6, 6))
        if counts[Fate.NOT_REACHED] > len(rows):
            yield self._left_out(counts[Fate.NOT_REACHED] - len(rows))

    def _tasks(self) -> Iterator[Block]:
        w, tasks = self._w, self._s.tasks
        still = [task for task in tasks if not task.outcome]
        if not still:
            yield Paragraph(text=w.no_tasks, records=tuple(r for task in tasks for r in task.records[-1:]))
            return
        rows = tuple(
            Row(
                cells=(
                    self._p.task(task),
                    task.who,
                    self._p.time(task.due) if task.due is not None else "",
                    w.task_late if task.late else w.task_open,
                ),
                records=task.records,
                new=self._new(task.changed or task.at),
            )
            for task in still[:ROWS_MOST]
        )
        yield Table(heads=w.task_heads, rows=rows, widths=(9, 4, 4, 3))
        if len(still) > ROWS_MOST:
            yield self._left_out(len(still) - ROWS_MOST)

    # -- where it goes --

    def _trend(self) -> Iterator[Block]:
        w, s = self._w, self._s
        own = [one for one in s.heard if not one.attached]
        if own:
            first, last = own[0], own[-1]
            moved = next((one for one in reversed(own) if one.severity != last.severity), None)
            if moved is None:
                text = w.same_severity.format(severity=self._p.severity(last.severity))
                yield Paragraph(text=text, records=(first.signal, last.signal))
            else:
                then = own[own.index(moved) + 1]
                text = w.other_severity.format(
                    before=self._p.severity(moved.severity),
                    after=self._p.severity(then.severity),
                    time=self._p.time(then.at),
                )
                yield Paragraph(text=text, records=(moved.signal, then.signal), new=self._new(then.at))
        if self._since is not None:
            heard = [one for one in s.heard if self._new(one.at)]
            measures = [one for one in measures_of(s) if self._new(one.at)]
            text = w.since_last.format(
                heard=self._p.count(w.signals, len(heard)), measures=self._p.count(w.measures, len(measures))
            )
            records = [record for one in heard for record in one.records]
            records += [record for one in measures for record in one.records]
            yield Paragraph(text=text, records=tuple(dict.fromkeys(records)))
        if s.tasks:
            done = [task for task in s.tasks if task.outcome == "done"]
            late = [task for task in s.tasks if task.late and not task.outcome]
            text = self._p.count(w.tasks_done, len(done), total=len(s.tasks))
            yield Paragraph(text=text, records=_ends(done or s.tasks), new=any(self._new(t.changed) for t in done))
            if late:
                text = self._p.count(w.tasks_late, len(late))
                yield Paragraph(text=text, records=_ends(late), new=any(self._new(t.changed) for t in late))

    def _outlook(self) -> Iterator[Block]:
        w, s = self._w, self._s
        if s.ended_at is not None:
            records = [record for one in s.moments if one.what is What.ENDED for record in one.records]
            yield Paragraph(text=w.outlook_over, records=tuple(records[-1:]), new=self._new(s.ended_at))
            return
        in_force = [one for one in s.heard if one.in_force]
        for one in in_force[:ROWS_MOST]:
            template = w.outlook_until if one.until is not None else w.outlook_open
            time = self._p.time(one.until) if one.until is not None else ""
            text = template.format(headline=self._p.headline(one), sender=self._p.sender(one), time=time)
            yield Paragraph(text=text, records=one.records, new=self._new(one.at))
        due = [t for t in s.tasks if not t.outcome and t.due is not None and t.due > s.at]
        if due:
            task = min(due, key=lambda t: t.due or s.at)
            if task.due is not None:
                text = w.next_due.format(time=self._p.time(task.due), task=self._p.task(task))
                yield Paragraph(text=text, records=task.records, new=self._new(task.at))
        if not in_force and not due:
            yield Paragraph(text=w.nothing)

    def _sources(self) -> Iterator[Block]:
        heard: dict[tuple[str, str], list[int]] = {}
        for nth, one in enumerate(self._s.heard):
            grade = grade_words(one.reliability, one.credibility, self._language)
            heard.setdefault((self._p.sender(one), grade), []).append(nth)
        rows = [
            Row(
                cells=(sender, grade, str(len(those))),
                records=tuple(self._s.heard[nth].signal for nth in those),
                new=all(self._new(self._s.heard[nth].at) for nth in those),
            )
            for (sender, grade), those in heard.items()
        ]
        if not rows:
            yield Paragraph(text=self._w.nothing)
            return
        yield Table(heads=self._w.source_heads, rows=tuple(rows), widths=(7, 8, 3))


def _ends(tasks: Sequence[TaskSeen]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(record for task in tasks for record in task.records[-1:]))
