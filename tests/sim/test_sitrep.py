"""Situation reports of whole nights in virtual time: every figure recomputed from the journal, every sentence with its
records, in four languages; what is new is marked; what is no earnest says so everywhere."""

import io
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import trio
from lxml import etree
from lxml import html as lxml_html
from msgspec.structs import replace
from pypdf import PdfReader
from trio.testing import MockClock

from hub.config import Config
from hub.drill.behaviour import Outage
from hub.drill.play import Play
from hub.drill.stage import Stage
from hub.drill.suite import load_suite
from hub.journal import Journal
from hub.model import events as e
from hub.model import records as r
from hub.model.edxl import SITREP
from hub.model.edxl_check import problems
from hub.model.message import Outcome
from hub.model.people import Classification, Language
from hub.model.signal import Status
from hub.model.situation import Fate, Heading, Sitrep, Situation, Topic, What, Written
from hub.report.document import Document, Figure, Paragraph, Table
from hub.report.html import html_of
from hub.report.pdf import pdf_of
from hub.report.sitrep import WORDS, measures_of, sitrep_document
from hub.report.sitrep_edxl import sitrep_xml
from hub.report.text import text_of
from hub.reporting import gathering, keeping
from hub.reporting.gathering import NoIncident
from hub.reporting.keeping import Reports
from hub.reporting.reading import Openings, situation_of
from tests.conftest import ROOT, shipped

HOSTILE = "<script>alert(1)</script> #let x = 1 *b* $x$ ]]> \\ {headline}"
_SHEETS = ("industrial-fire", "extreme-weather")


class Night(Stage):
    """A play whose journal is looked at afterwards."""

    def __init__(self, config: Config, play: Play) -> None:
        super().__init__(config, play)
        self.records: list[r.Decision] = []
        self.situations: dict[str, Situation] = {}

    async def run(self) -> None:
        await super().run()
        at = self.now()
        self.records = list(await self._journal.decisions("", 100_000))
        opened = [x.incident for d in self.records for x in d.events if isinstance(x, e.Opened)]
        sheets = {sheet.name: sheet for sheet in self._config.playbooks}
        for incident in opened:
            openings = Openings()
            self.situations[incident] = await situation_of(
                self._journal, incident, at, lambda name, _: sheets[name], openings
            )
            again = await situation_of(self._journal, incident, at, lambda name, _: sheets[name], openings)
            assert again == self.situations[incident], "read from where it begins, it is the same"
        with pytest.raises(NoIncident):
            await situation_of(self._journal, "nothing", at, lambda *_: None)
        frozen = [x.audience for d in self.records for x in d.events if isinstance(x, e.Ordered) and x.audience]
        entries = [entry for entry in await self._journal.vault(frozen) if entry is not None]
        self.audiences = {entry.key: msgspec.json.decode(entry.payload, type=list[str]) for entry in entries}
        self.facts = {fact.id for batch in [await self._facts()] for fact in batch}

    async def _facts(self) -> list[r.Fact]:
        async for batch in self._journal.facts():
            return [entry.record for entry in batch]
        return []


def play(sheet: str, nth: int = 0, lasts_s: float = 4 * 3600.0, exercise: bool = False) -> Night:
    config = shipped()[0]
    file = ROOT / "playbooks" / f"{sheet}.test.yaml"
    suite, findings = load_suite(file.read_text(), file.name, config, lambda name: (file.parent / name).read_bytes())
    assert not findings
    night = Night(config, replace(suite.tests[nth].play, lasts_s=lasts_s, exercise=exercise))
    trio.run(night.run, clock=MockClock(autojump_threshold=0))
    assert night.problem is None
    return night


@pytest.fixture(scope="module", params=_SHEETS)
def night(request: pytest.FixtureRequest) -> Night:
    return play(request.param)


@pytest.fixture(scope="module")
def fire() -> Night:
    return play("industrial-fire")


def only(night: Night) -> Situation:
    (situation,) = night.situations.values()
    return situation


def document(sitrep: Sitrep, language: Language, sees: Classification = Classification.INTERNAL) -> Document:
    return sitrep_document(sitrep, shipped()[0].known(sitrep.situation.status), language, sees)


def table_of(document: Document, title: str) -> Table:
    (section,) = [one for one in document.sections if one.title == title]
    return next(block for block in section.blocks if isinstance(block, Table))


# --- figures -------------------------------------------------------------------------------------------------


def test_who_was_reached_is_as_the_journal_has_it(night: Night) -> None:
    """Counted once more by other means: straight from the orders and their deliveries."""
    orders: dict[str, e.Ordered] = {}
    last: dict[tuple[str, int], Outcome] = {}
    for decision in night.records:
        for event in decision.events:
            if isinstance(event, e.Ordered):
                orders[event.order] = event
            elif isinstance(event, e.Delivered):
                for index, outcome, _ in event.moves:
                    last[event.order, index] = outcome
    meant: dict[str, list[Outcome | None]] = {}
    for id_, order in orders.items():
        if order.lane == "confirm" or order.clears or order.message == "hub.report":
            continue
        for index, person in enumerate(order.recipients or night.audiences[order.audience]):
            meant.setdefault(person, []).append(last.get((id_, index)))
    reached = {p for p, fates in meant.items() if Outcome.SENT in fates or Outcome.DELIVERED in fates}
    situation = only(night)
    assert len(meant) > 20
    assert {one.person for one in situation.contacted} == set(meant)
    assert {one.person for one in situation.contacted if one.fate is Fate.REACHED} == reached
    w = WORDS[Language.EN]
    text = text_of(document(Sitrep(situation=situation), Language.EN))
    assert w.of_people.partition("|")[2].partition(":")[0].format(count=len(meant)) in text
    assert f": {len(reached)} {w.reached}," in text


def test_tasks_signals_and_measures_are_as_the_journal_has_them(night: Night) -> None:
    situation = only(night)
    events = [event for decision in night.records for event in decision.events]
    opened = {x.task for x in events if isinstance(x, e.TaskOpened)}
    done = {x.task for x in events if isinstance(x, e.TaskClosed) and x.outcome == "done"}
    closed = {x.task for x in events if isinstance(x, e.TaskClosed)}
    late = {x.task for x in events if isinstance(x, e.TaskLate)} - closed
    assert {task.task for task in situation.tasks} == opened
    assert {task.task for task in situation.tasks if task.outcome == "done"} == done
    assert {task.task for task in situation.tasks if task.late and not task.outcome} == late
    assert {one.signal for one in situation.heard} == {x.signal for x in events if isinstance(x, e.Joined | e.Attached)}
    w = WORDS[Language.EN]
    shown = document(Sitrep(situation=situation), Language.EN)
    still = [row for row in table_of(shown, w.sections["tasks"]).rows if row.cells]
    assert len(still) == len(opened - closed)
    assert sum(row.cells[3] == w.task_late for row in still) == len(late)
    assert f"{len(done)} of {len(opened)} tasks" in text_of(shown)
    runs = {x.run: x.chain.id for x in events if isinstance(x, e.RunBegan)}
    begun = [one.name for one in situation.moments if one.what is What.CHAIN_BEGAN]
    assert begun == list(runs.values())
    accepted = [x.ask for x in events if isinstance(x, e.AskClosed) and x.outcome == "accepted"]
    assert sum(one.what is What.ACCEPTED for one in situation.moments) == len(accepted)


def test_every_sentence_drawn_from_data_names_records_that_are_there(night: Night) -> None:
    situation = only(night)
    before = replace(situation, at=situation.opened_at + timedelta(minutes=30))
    known = {decision.id for decision in night.records} | night.facts
    for language in Language:
        shown = document(Sitrep(situation=situation, number=2, previous=before), language)
        w = WORDS[language]
        empty = {w.nothing, w.no_tasks, w.nobody}
        named: set[int] = set()
        for section in shown.sections[1:]:  # the first says what the last report was
            for block in section.blocks:
                parts: Sequence[object] = block.rows if isinstance(block, Table) else [block]
                for part in parts:
                    records = getattr(part, "records", ())
                    assert set(records) <= known
                    named |= {n for a, b in getattr(part, "refs", ()) for n in range(a, b + 1)}
                    if isinstance(part, Paragraph) and not part.leads:
                        assert records or part.text in empty, part.text
        listed = shown.sections[-1]
        assert listed.title == w.sections["records"]
        rows = listed.blocks[0]
        assert isinstance(rows, Table)
        assert {row.anchor for row in rows.rows} == named == set(range(1, len(rows.rows) + 1))
        assert {row.cells[-1] for row in rows.rows} <= known
        for part_name in ("facts", "measures"):
            assert all(row.records for row in table_of(shown, w.sections[part_name]).rows)


def test_on_a_page_a_reference_is_a_link_and_in_print_a_number(fire: Night) -> None:
    shown = document(Sitrep(situation=only(fire), number=1), Language.NL)
    page = lxml_html.fromstring(html_of(shown))
    links = [str(a.get("href")) for a in page.iter("a")]
    ids = {str(node.get("id")) for node in page.iter("tr") if node.get("id")}
    assert links
    assert {link.removeprefix("#") for link in links} <= ids
    assert all(img.get("src", "").startswith("data:image/svg+xml") and img.get("alt") for img in page.iter("img"))
    pdf = PdfReader(io.BytesIO(pdf_of(shown)))
    assert all(shown.title in page.extract_text() for page in pdf.pages)


# --- words ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", list(Language))
def test_in_every_language_every_kind_of_moment_is_said(language: Language) -> None:
    words = WORDS[language]
    assert set(words.moments) == set(What)
    assert all(getattr(words, field) for field in words.__struct_fields__)
    assert set(words.methane) | set(words.sections) >= set(Topic)


def test_plurals_and_dates_are_those_of_each_language(fire: Night) -> None:
    situation = only(fire)
    told = next(one for one in situation.moments if one.what is What.TOLD)
    single = replace(situation, moments=(replace(told, people=told.people[:1], count=1),))
    for language, one, many, day in (
        (Language.FR, "Information envoyée par", "personnes ou permanences sont informées", "mardi 14"),
        (Language.NL, "ingelicht.", "personen of permanenties zijn", "dinsdag 14 juli 2026"),
        (Language.DE, "informiert.", "Personen oder Stellen sind", "Dienstag, 14. Juli 2026"),
        (Language.EN, "is informed by", "people or desks are informed", "Tuesday 14 July 2026"),
    ):
        assert one in text_of(document(Sitrep(situation=single), language))
        whole = text_of(document(Sitrep(situation=situation), language))
        assert many in whole
        assert day in whole
        assert not re.search(r"\{[a-z_]+\}", whole)


def test_who_may_not_see_names_reads_whom_somebody_works_for(fire: Night) -> None:
    situation = only(fire)
    inside = text_of(document(Sitrep(situation=situation), Language.FR))
    outside = text_of(document(Sitrep(situation=situation), Language.FR, Classification.PUBLIC))
    assert "Bram Verzonnen a accepté" in inside
    people = shipped()[0].directory().people.values()
    hidden = [p.name for p in people if not p.seen_by.within(Classification.PUBLIC) and not p.desk]
    assert hidden
    assert not [name for name in hidden if name in outside]
    assert "a accepté" in outside


def test_what_senders_and_officers_write_is_text_everywhere(fire: Night) -> None:
    situation = only(fire)
    heard = tuple(replace(one, headlines={"fr": HOSTILE}, sender=HOSTILE) for one in situation.heard)
    note = Written(text=HOSTILE, by=HOSTILE, at=situation.at)
    sitrep = Sitrep(situation=replace(situation, heard=heard), number=1, by=HOSTILE, written=dict.fromkeys(Topic, note))
    shown = document(sitrep, Language.FR)
    page = html_of(shown)
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;") > len(Topic)
    assert "#let x = 1" in "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf_of(shown))).pages)
    root = etree.fromstring(sitrep_xml(sitrep, shown, shipped()[0].known(), Classification.INTERNAL))
    assert HOSTILE in "".join(str(text) for text in root.itertext())
    for section in shown.sections:
        for block in section.blocks:
            if isinstance(block, Figure):
                etree.fromstring(block.svg)


# --- what is new, what is no earnest -------------------------------------------------------------------------


def test_what_changed_since_the_last_one_is_marked_and_nothing_else(fire: Night) -> None:
    situation = only(fire)
    since = situation.opened_at + timedelta(minutes=50)
    before = replace(
        situation,
        at=since,
        ended_at=None,
        moments=tuple(one for one in situation.moments if one.at <= since),
        contacted=situation.contacted,
    )
    w = WORDS[Language.EN]
    shown = document(Sitrep(situation=situation, number=2, previous=before), Language.EN)
    rows = table_of(shown, w.sections["measures"]).rows
    told = sorted(measures_of(situation), key=lambda one: one.at)
    assert [row.new for row in rows] == [one.at > since for one in told]
    assert {True, False} == {row.new for row in rows}
    assert f"[{w.new}]" in text_of(shown)
    assert lxml_html.fromstring(html_of(shown)).find_class("word")
    first = document(Sitrep(situation=situation, number=1), Language.EN)
    assert f"[{w.new}]" not in text_of(first)
    assert not lxml_html.fromstring(html_of(first)).find_class("word")


@pytest.mark.parametrize("language", list(Language))
def test_an_exercise_says_so_on_every_page_and_in_the_xml(fire: Night, language: Language) -> None:
    sitrep = Sitrep(situation=replace(only(fire), status=Status.EXERCISE), number=1)
    shown = document(sitrep, language)
    assert shown.banner
    pages = PdfReader(io.BytesIO(pdf_of(shown))).pages
    assert len(pages) > 1
    assert all(shown.banner in page.extract_text().replace(" ", "") for page in pages)
    assert html_of(shown).count(shown.banner) >= 2
    root = etree.fromstring(sitrep_xml(sitrep, shown, shipped()[0].known(), Classification.PARTNERS))
    assert root.findtext("{*}distributionStatus") == "Exercise"
    assert root.findtext("{*}combinedConfidentiality") == "PARTNERS"
    assert shown.banner in str(root.findtext(f".//{{{SITREP}}}reportPurpose"))
    assert shown.banner in str(root.findtext(f".//{{{SITREP}}}observationText"))


@pytest.mark.parametrize("language", list(Language))
def test_the_xml_is_well_built_and_says_what_the_report_says(night: Night, language: Language) -> None:
    situation = only(night)
    sitrep = Sitrep(situation=situation, number=3, by="officer-a", approved_by="director-a", approved_at=situation.at)
    shown = document(sitrep, language)
    root = etree.fromstring(sitrep_xml(sitrep, shown, shipped()[0].known(), Classification.INTERNAL))
    (element,) = root.iterfind(f".//{{{SITREP}}}sitRep")
    assert problems(element) == []
    assert element.findtext(f"{{{SITREP}}}reportNumber") == "3"
    assert element.findtext(f"{{{SITREP}}}reportVersion") == ("Final" if situation.ended_at else "Update")
    assert "Denis Fictif" in "".join(str(t) for t in element[2].itertext())
    text = str(element.findtext(f".//{{{SITREP}}}observationText"))
    for row in table_of(shown, WORDS[language].sections["measures"]).rows:
        assert row.cells[1] in text


def test_as_it_was_then(fire: Night) -> None:
    """An instant of before knows nothing of what came after."""
    situation = only(fire)
    assert all(one.at <= situation.at for one in situation.moments)
    assert situation.opened_at == datetime(2026, 7, 14, 0, 10, tzinfo=UTC)


# --- as a sheet wants it -------------------------------------------------------------------------------------


class Kept(Night):
    """Its reports, as facts."""

    async def run(self) -> None:
        await super().run()
        facts = await self._facts()
        self.written = [f for f in facts if isinstance(f.body, r.ReportWritten)]
        entries = await self._journal.vault([fact.vault for fact in self.written])
        self.sitreps = [msgspec.json.decode(x.payload, type=Sitrep) for x in entries if x is not None]


def _kept(change: Callable[[Play], Play]) -> Kept:
    config = shipped()[0]
    file = ROOT / "playbooks" / "industrial-fire.test.yaml"
    suite, _ = load_suite(file.read_text(), file.name, config, lambda name: (file.parent / name).read_bytes())
    night = Kept(config, change(replace(suite.tests[0].play, lasts_s=4 * 3600.0)))
    trio.run(night.run, clock=MockClock(autojump_threshold=0))
    assert night.problem is None
    return night


def test_a_sheets_reports_are_numbered_and_each_knows_the_one_before() -> None:
    night = _kept(lambda play: play)
    bodies = [fact.body for fact in night.written if isinstance(fact.body, r.ReportWritten)]
    assert [(b.number, b.version, b.step, b.approval, b.by) for b in bodies] == [
        (1, 1, "sitrep", True, ""),
        (2, 1, "sitrep", True, ""),
    ]
    first, second = night.sitreps
    assert first.previous is None
    assert second.previous == first.situation
    assert first.situation.at - first.situation.opened_at == timedelta(hours=1, minutes=4, seconds=40)
    text = text_of(sitrep_document(second, shipped()[0].known(), Language.FR, Classification.INTERNAL, approval=True))
    assert "PAS ENCORE APPROUVÉ" in text
    assert "Le rapport précédent (n° 1)" in text
    assert "Vigie, selon la fiche « Incendie industriel" in text
    assert all(
        "haut-fonctionnaire" not in one.person or one.at < first.situation.at for one in second.situation.contacted
    )


def test_a_hub_that_goes_down_in_the_middle_writes_it_when_it_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[datetime] = []

    async def hangs_first(journal: Journal, incident: str, now: datetime, *more: Any) -> Situation:
        calls.append(now)
        if len(calls) == 1:
            await trio.sleep_forever()
        return await situation_of(journal, incident, now, *more)

    monkeypatch.setattr(keeping, "situation_of", hangs_first)
    down = Outage(from_s=3890.0, to_s=4000.0)
    night = _kept(lambda play: replace(play, hub=down, given=play.given[:1]))
    assert [fact.body.number for fact in night.written if isinstance(fact.body, r.ReportWritten)] == [1, 2]
    assert night.written[0].at >= night.start + timedelta(seconds=down.to_s)


def test_what_was_written_and_not_yet_decided_is_not_written_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a crash between the fact and the decision that takes it."""
    own = Reports.draft
    ids: list[tuple[str, str]] = []

    async def twice(self: Reports, *about: Any) -> Any:
        first, _ = await own(self, *about)
        again = await own(self, *about)
        ids.append((first.id, again[0].id))
        return again

    monkeypatch.setattr(Reports, "draft", twice)
    night = _kept(lambda play: replace(play, given=play.given[:1]))
    assert ids
    assert all(first == again for first, again in ids)
    assert len(night.written) == len(ids)


def test_an_audience_of_a_town_is_counted_and_not_listed(fire: Night) -> None:
    situation = only(fire)
    one = situation.contacted[0]
    many = tuple(
        replace(
            one,
            person=f"r-{n}",
            answer="",
            fate=Fate.NOT_REACHED if n % 10 == 0 else Fate.REACHED,
            records=(f"{n:026}", *one.records),
        )
        for n in range(20_000)
    )
    named = gathering._named((*many, *situation.contacted))
    assert len(named) == gathering.NAMED_MOST
    assert {x.person for x in situation.contacted if x.answer} <= {x.person for x in named}
    town = replace(situation, contacted=named, people={Fate.REACHED: 18_000, Fate.NOT_REACHED: 2_000})
    shown = document(Sitrep(situation=town), Language.EN)
    assert "Of 20000 people or desks to be reached: 18000 reached, 0 not known yet, 2000 not reached." in text_of(shown)
    assert "1940 more lines are not shown here." in text_of(shown)
    assert len(msgspec.json.encode(town)) < 500_000
    assert len(PdfReader(io.BytesIO(pdf_of(shown))).pages) < 20


def test_a_centre_has_its_own_headings_and_an_officers_words_are_never_left_out(fire: Night) -> None:
    situation = only(fire)
    known = replace(shipped()[0].known(), headings=(Heading.OUTLOOK, Heading.METHANE))
    w = WORDS[Language.EN]
    bare = sitrep_document(Sitrep(situation=situation), known, Language.EN, Classification.INTERNAL)
    assert [one.title for one in bare.sections] == [w.sections["outlook"], "METHANE", w.sections["records"]]
    note = {Topic.TREND: Written(text="It calms down", by="officer-a", at=situation.at)}
    said = sitrep_document(Sitrep(situation=situation, written=note), known, Language.EN, Classification.INTERNAL)
    assert [one.title for one in said.sections][2] == w.sections["trend"]
    assert "It calms down" in text_of(said)


def test_what_is_done_again_and_again_is_said_once_with_all_its_records(fire: Night) -> None:
    situation = only(fire)
    told = next(one for one in situation.moments if one.what is What.TOLD)
    reminders = tuple(replace(told, at=told.at + timedelta(hours=n), records=(f"{n:026}",)) for n in range(1, 5))
    before = replace(situation, at=told.at + timedelta(hours=3, minutes=30))
    again = replace(situation, moments=(*situation.moments, *reminders))
    shown = document(Sitrep(situation=again, number=2, previous=before), Language.EN)
    (row,) = [
        r for r in table_of(shown, WORDS[Language.EN].sections["measures"]).rows if "(5 times, last" in r.cells[1]
    ]
    assert row.records == (*told.records, *(record for one in reminders for record in one.records))
    assert row.new, "the last of them is new"
