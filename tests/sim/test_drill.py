"""A sheet's tests, played by the whole hub in virtual time and judged."""

import shutil
from pathlib import Path

import msgspec
import pytest
from lxml import etree
from msgspec.structs import replace

from connectors.cap.source import CapSource
from hub.config import Config, load
from hub.connector import SignalItem
from hub.drill.beside import junit, rows
from hub.drill.coverage import coverage
from hub.drill.play import GivenForm
from hub.drill.suite import Result, load_suite, run_test
from hub.findings import errors
from hub.model.broadcast import WHERE_IT_IS, RegisteredIn
from hub.model.signal import Signal
from hub.playbook.language import DraftBroadcast, Playbook, Step
from tests.conftest import ROOT

SHEET = """
playbook: gas
title: {fr: Gaz, nl: Gas, de: Gas, en: Gas}
owner: sitcen
review by: 2027-06-30
mode: draft
when:
  - hazard: gas-leak
    severity: at least Severe
    area: brussels-capital-region
  - hazard: explosion
start by hand:
  who: roster sitcen-on-call
  asks:
    headline:
      fr: Quoi ?
      nl: Wat?
      de: Was?
      en: What?
incident:
  one per: hazard
  within: 6 h
steps:
  wake:
    call: duty-officers
    say: weather-ask
  checklist:
    after: wake is accepted
    tasks:
      - do:
          fr: Un
          nl: Een
          de: Eins
          en: One
        who: duty officer
        due: 15 min
      - do:
          fr: Deux
          nl: Twee
          de: Zwei
          en: Two
        who: duty officer
        due: 45 min
  partners:
    after: wake is accepted
    notify: police-zones
    by: [sms, email]
    say: weather-partners
  director:
    after: wake is exhausted
    call: directors
    say: weather-nobody-answered
  again:
    after: wake is accepted
    every: 2 h
    notify: roster sitcen-on-call
    by: sms
    say: weather-review
  all-clear:
    when: incident ends
    notify: everyone reached
    say: weather-over
""".replace("title: {fr: Gaz, nl: Gas, de: Gas, en: Gas}", "title:\n  fr: Gaz\n  nl: Gas\n  de: Gas\n  en: Gas")

LEAK = "{hazard: gas-leak, severity: Severe, area: ixelles, headline: Fuite, lasts: 3 h}"

COMMON = """
every test:
  at: 2026-07-14 02:10
  on duty:
    sitcen-on-call: officer-a
    sitcen-backup: officer-b
tests:
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("centre")
    shutil.copytree(ROOT / "config", folder / "config")
    shutil.copytree(ROOT / "playbooks", folder / "playbooks")
    (folder / "playbooks" / "gas.yaml").write_text(SHEET)
    config, findings = load(folder / "config")
    assert not errors(findings), "\n".join(map(str, errors(findings)))
    return config


def play(config: Config, test: str, fetch: dict[str, bytes] | None = None) -> Result:
    suite, findings = load_suite(COMMON + test, "playbooks/gas.test.yaml", config, lambda name: (fetch or {})[name])
    assert not findings, "\n".join(map(str, findings))
    (one,) = suite.tests
    return run_test(config, suite, one)


def wrong(result: Result) -> dict[str, str]:
    return {v.expectation.text: v.said for v in result.verdicts if not v.good}


def test_a_night_as_its_author_expects_it(config: Config) -> None:
    result = play(
        config,
        f"""
  the second officer takes it:
    people:
      officer-a: does not answer
      officer-b: accepts after 40 s
    given:
      - signal: {LEAK}
      - after: 2 h
        cancels: 1
    expect:
      - within 5 s: officer-a gets sms weather-ask in fr
      - at 90 s: officer-a gets call weather-ask
      - never before 4 min: officer-b gets weather-ask
      - at 4 min: officer-b gets call weather-ask in nl
      - at 40 s after officer-b gets weather-ask: wake is accepted by officer-b
      - within 5 s after wake is accepted: police-zones get sms and email weather-partners
      - at 15 min after checklist begins: task 1 of checklist is late
      - at 45 min after checklist begins: task 2 of checklist is late
      - within 5 s after wake is accepted: officer-a gets sms weather-review
      - never: directors are called
      - 1 incident
      - within 5 s after incident ends: everyone reached gets weather-over
      - nothing else
""",
    )
    assert not wrong(result)
    assert result.good


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ("within 5 s: officer-b gets sms", "officer-b"),
        ("officer-a gets sms weather-ask in nl", "officer-a gets sms weather-ask in fr"),
        ("at 2 min: officer-a gets call", "officer-a gets call at 1:30, not between 1:59 and 2:05"),
        ("never: officer-a gets call", "but it was so at 1:30"),
        ("never after officer-a gets call: wake is accepted", "wake is accepted"),
        ("wake is accepted by officer-a", "wake is accepted by officer-b"),
        ("after wake is exhausted: director begins", "what it counts from never happened"),
        ("2 incidents", "1 were opened"),
        ("nothing", "incident 1 opens"),
        ("nothing else", "officer-a gets sms weather-ask"),
        ("everyone reached gets weather-partners", "not so: officer-a gets weather-partners"),
        ("alarm exhausted", "alarm exhausted"),
    ],
)
def test_what_does_not_come_true_is_told_with_what_did(config: Config, expected: str, said: str) -> None:
    """None of the sentences can pass by chance: each of these is false of the same night."""
    result = play(
        config,
        f"""
  x:
    people: {{officer-b: accepts after 40 s}}
    given:
      - signal: {LEAK}
    expect:
      - {expected}
""",
    )
    assert not result.good
    assert said in wrong(result)[expected]


def test_nobody_answers_and_channels_fail(config: Config) -> None:
    result = play(
        config,
        f"""
  x:
    people:
      officer-a: is unreachable
      officer-b: [is busy, has an answering machine]
    steps:
      director: declines after 1 min
    channels:
      sms: is down from 0 s to 10 min
    given:
      - signal: {LEAK}
    lasts: 2 h
    expect:
      - wake is exhausted
      - after wake is exhausted: directors are called
      - director is exhausted
      - nobody gets weather-partners
""",
    )
    assert not wrong(result)
    assert result.timeline is not None
    assert [m.detail for m in result.timeline.moments if m.what == "outage"] == ["sms goes down", "sms is back"]


def test_a_hub_that_was_down_goes_on_where_it_was(config: Config) -> None:
    result = play(
        config,
        f"""
  x:
    people: {{officer-b: accepts after 40 s}}
    hub: is down from 2 min to 42 min
    given:
      - signal: {LEAK}
    expect:
      - within 5 s: officer-a gets sms weather-ask
      - between 42 min and 43 min: officer-b gets call weather-ask
      - wake is accepted by officer-b
""",
    )
    assert not wrong(result)


def test_by_hand_updates_ticks_and_the_end_by_an_officer(config: Config) -> None:
    result = play(
        config,
        """
  x:
    people: {everyone: accepts after 10 s}
    given:
      - start: {headline: Fuite}
        by: officer-b
      - after: 10 min
        done: checklist 1
      - after: 1 h
        ends: the incident
      - after: 2 h
        signal: {hazard: gas-leak, severity: Minor, area: ixelles}
      - after: 3 h
        updates: 4
        signal: {severity: Extreme}
    expect:
      - wake is accepted by officer-a
      - at 10 min: task 1 of checklist is done
      - never before 1 h: task 1 of checklist is late
      - at 1 h: incident 1 ends
      - at 3 h: incident 2 opens
      - 2 incidents
""",
    )
    assert not wrong(result)


def test_each_of_several_signals_meets_the_sheet_or_misses_it(config: Config) -> None:
    result = play(
        config,
        """
  x:
    given:
      - signal: {severity: Severe, area: ixelles}
        one for each:
          hazard: [gas-leak, explosion]
      - signal: {hazard: gas-leak, area: ixelles, headline: petite}
        one for each:
          severity: [Minor, Moderate]
    expect:
      - signal 1 meets it
      - signal 2 misses it
      - each signal meets it
      - 2 incidents
""",
    )
    assert wrong(result) == {
        "each signal meets it": 'signal 2 misses gas: "petite"; signal 2 misses gas: "petite"',
    }


def test_what_cannot_be_played_is_said(config: Config) -> None:
    result = play(
        config,
        """
  x:
    given:
      - start: {what: Fuite}
    expect: nothing
""",
    )
    assert result.problem == "given 1: gas asks for headline: answer with headline=…"


def test_a_recorded_file_is_read_as_its_source_reads_it_and_played_on_its_date(config: Config) -> None:
    orange = (ROOT / "samples" / "day" / "kmi" / "orange.cap.xml").read_bytes()
    suite, findings = load_suite(
        "also: extreme-weather\ntests:\n  x:\n    given: [{file: w.xml, source: kmi-irm}]\n    expect: 1 incident\n",
        "playbooks/gas.test.yaml",
        config,
        {"w.xml": orange}.__getitem__,
    )
    assert not findings
    result = run_test(config, suite, suite.tests[0])
    assert result.good
    assert result.timeline is not None
    (sent,) = {signal.sent for signal in signals_of(orange)}
    assert result.timeline.start == sent


@pytest.mark.parametrize(("trust", "opened"), [("B3", 1), ("B4", 0), ("C1", 0), ("A1", 1)])
def test_a_signal_is_believed_as_far_as_it_says(tmp_path: Path, trust: str, opened: int) -> None:
    for name in ("config", "playbooks"):
        shutil.copytree(ROOT / name, tmp_path / name)
    believing = SHEET.replace("  - hazard: gas-leak\n", "  - hazard: gas-leak\n    trust: at least B3\n", 1)
    assert believing != SHEET
    (tmp_path / "playbooks" / "gas.yaml").write_text(believing)
    strict, findings = load(tmp_path / "config")
    assert not errors(findings)
    signal = f"{{trust: {trust}, hazard: gas-leak, severity: Severe, area: ixelles}}"
    result = play(strict, f"  x:\n    given: [{{signal: {signal}}}]\n    expect: {opened} incidents\n")
    assert not wrong(result)


def signals_of(data: bytes) -> list[Signal]:
    return [item.signal for item in CapSource.read(data, "w.xml") if isinstance(item, SignalItem)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tests: {x: {expect: nothing, given: [{after: 1 min}]}}", "given 1 says nothing that happens"),
        ("tests: {x: {expect: nothing, given: [{signal: {}, one for each: {hazard: smoke}}]}}", "smoke"),
        ("tests: {x: {expect: nothing, given: [{signal: {}, one for each: {colour: red}}]}}", "colour"),
        ("tests: {x: {expect: nothing, given: [{cancels: 1}]}}", "nothing was given under 1 before"),
        ("tests: {x: {expect: nothing, on duty: {nobody: officer-a}}}", 'there is no roster "nobody"'),
        ("tests: {x: {expect: nothing, on duty: {sitcen-on-call: oficer-a}}}", 'there is no person "oficer-a"'),
        ("tests: {x: {expect: nothing, people: {oficer-a: accepts}}}", 'there is no person "oficer-a"'),
        ("tests: {x: {expect: nothing, channels: {smoke: is down}}}", 'there is no channel "smoke"'),
        ("tests: {x: {expect: nothing, steps: {walk: accepts}}}", 'there is no step "walk"'),
        (
            "tests: {x: {expect: nothing, given: [{file: nowhere.json, source: kmi-irm}]}}",
            "nowhere.json cannot be read",
        ),
        ("tests: {x: {expect: nothing, given: [{signal: {trust: B7}}]}}", '"B7" is no grade'),
        ("tests: {x: {expect: nothing, given: [{signal: {trust: B3, source: siamu}}]}}", "in place of a source"),
        (
            "tests: {x: {expect: nothing, given: [{releases: walk, by: officer-a}]}}",
            'there is no step "walk"',
        ),
        ("tests: {x: {expect: nothing, given: [{releases: wake}]}}", "who releases it? Nobody stands behind"),
        ("tests: {x: {expect: nothing, given: [{discards: wake, by: oficer-a}]}}", "who discards it?"),
        ("tests: {x: {expect: nothing, given: [{approves: wake}]}}", "who approves it? Nobody stands behind a report"),
        ("tests: {x: {expect: sitrep 1 is sent to nobody-there}}", "nobody-there"),
        ("tests: {x: {expect: sitrep 1 is sent to officer-a by pigeon}}", "pigeon"),
        ("tests: {x: {given: []}}", "lacks expect"),
        ("sheet: gaz\ntests: {x: {expect: nothing}}", 'there is no sheet "gaz"'),
        ("tests: {x: {expect: wake is acepted}}", "acepted"),
    ],
)
def test_a_mistake_in_a_test_is_told_with_its_place(config: Config, text: str, said: str) -> None:
    def fetch(name: str) -> bytes:
        return (ROOT / name).read_bytes()

    _, findings = load_suite(text, "gas.test.yaml", config, fetch)
    assert len(findings) == 1
    assert said in findings[0].message
    assert findings[0].remedy
    assert findings[0].line >= 1


def test_coverage_names_what_no_test_has_walked(config: Config) -> None:
    result = play(
        config,
        f"""
  x:
    people: {{officer-b: accepts after 40 s}}
    given:
      - signal: {LEAK}
    expect: [wake is accepted]
""",
    )
    sheet = next(s for s in config.playbooks if s.name == "gas")
    assert result.timeline is not None
    covered = coverage(sheet, config.chains, [result.timeline])
    assert [part.said for part in covered.missed] == [
        "condition 2 of when is met",
        "started by hand",
        "director begins",
        "wake is exhausted",
        "director asks tier 1",
        "again begins again",
        "all-clear begins",
    ]


def test_a_failure_is_shown_beside_what_happened_and_as_junit(config: Config) -> None:
    result = play(
        config,
        f"""
  x:
    given:
      - signal: {LEAK}
    expect:
      - at 90 s: officer-a gets call weather-ask
      - at 3 min: officer-b gets call
""",
    )
    told = [(row.good, row.expected, row.happened) for row in rows(result)]
    assert (True, "at 90 s: officer-a gets call weather-ask", "1:30") in told
    assert any(good is False and text.startswith("at 3 min") for good, text, _ in told)
    assert (None, "", "incident 1 opens") in told
    root = etree.fromstring(junit([result], 0.1))
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "1", "0")
    assert "at 3 min" in suite[0][0].text


def test_the_same_test_comes_out_the_same_each_time(config: Config) -> None:
    test = f"""
  x:
    people: {{officer-b: accepts after 40 s}}
    given:
      - signal: {LEAK}
    expect: [wake is accepted]
"""
    first, second = play(config, test), play(config, test)
    assert first.timeline is not None
    assert second.timeline is not None

    def shown(result: Result) -> list[object]:
        assert result.timeline is not None
        return sorted(msgspec.json.encode(msgspec.structs.replace(m, order="")) for m in result.timeline.moments)

    assert shown(first) == shown(second)


DRAFTS = """
  public:
    after: wake is accepted
    draft broadcast: public
    registered:
      areas: [ixelles]
    by: sms
    say: weather-partners
  nobody-released:
    after:
      any of:
        - public is lapsed
        - public is withdrawn
    notify: directors
    by: sms
    say: weather-review
  released:
    after: public is sent
    notify: directors
    by: sms
    say: weather-partners
"""
LONG_LEAK = LEAK.replace("lasts: 3 h", "lasts: 40 h")


@pytest.fixture
def drafting(tmp_path: Path) -> Config:
    """A sheet that drafts a broadcast to the public."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    shutil.copytree(ROOT / "playbooks", tmp_path / "playbooks")
    (tmp_path / "playbooks" / "gas.yaml").write_text(SHEET + DRAFTS.lstrip("\n"))
    config, findings = load(tmp_path / "config")
    assert not errors(findings), "\n".join(map(str, errors(findings)))
    return config


WRITES = """
  report-now:
    after: wake is accepted
    report: sitrep
    to: [haut-fonctionnaire]
    by: [email]
  report-checked:
    after: report-now is sent
    report: sitrep
    to: [minister-president-cabinet]
    by: [email]
    approval: yes
"""


def test_what_officers_do_is_known_for_it(config: Config) -> None:
    """In an exercise with real people it is left to them."""
    for act in ("done", "stops", "lifts", "releases", "discards", "approves"):
        assert GivenForm(**{act: "x"}).left == "x"
    assert not GivenForm(ends="the incident").left
    assert not GivenForm(start={}).left


def test_a_report_goes_out_as_it_is_or_waits_for_an_officer(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    shutil.copytree(ROOT / "playbooks", tmp_path / "playbooks")
    (tmp_path / "playbooks" / "gas.yaml").write_text(SHEET + WRITES.lstrip("\n"))
    config, findings = load(tmp_path / "config")
    assert not errors(findings), "\n".join(map(str, errors(findings)))
    given = f"""
    people: {{officer-a: accepts after 10 s}}
    given:
      - signal: {LONG_LEAK}
"""
    approved = f"""
  it is approved:{given}      - approves: report-checked
        by: officer-b
        after: 5 min
    expect:
      - within 5 s after wake is accepted: report-now is drafted
      - within 5 s after report-now is drafted: sitrep 1 is sent to haut-fonctionnaire by email
      - within 5 s after report-now is sent: report-checked is drafted
      - within 5 s after report-checked is drafted: officer-a gets sms hub.report-waits
      - never before 5 min: sitrep 2 is sent to everyone
      - at 5 min: sitrep 2 is sent to minister-president-cabinet
      - never: sitrep 2 is sent to haut-fonctionnaire
"""
    assert not wrong(play(config, approved))
    unseen = f"""
  nobody approves it:{given}    expect:
      - sitrep 2 is sent to minister-president-cabinet
"""
    (said,) = wrong(play(config, unseen)).values()
    assert "hub.report 2" in said


def test_a_broadcast_that_a_sheet_drafts_waits_for_people_and_lapses_without_them(drafting: Config) -> None:
    result = play(
        drafting,
        f"""
  nobody releases it:
    people: {{officer-a: accepts after 10 s}}
    given:
      - signal: {LONG_LEAK}
    expect:
      - within 5 s after wake is accepted: public is drafted
      - within 5 s after public is drafted: officer-a gets sms hub.broadcast-waits
      - never: public is released
      - at 24 h after public is drafted: public is lapsed
      - within 5 s after public is lapsed: director-a gets sms weather-review
""",
    )
    assert not wrong(result)


def test_a_broadcast_goes_out_when_two_people_have_released_it(drafting: Config) -> None:
    result = play(
        drafting,
        f"""
  two release it, and its all-clear:
    people: {{officer-a: accepts after 10 s}}
    given:
      - signal: {LONG_LEAK}
      - releases: public
        by: officer-a
        after: 5 min
      - releases: public
        by: officer-b
        after: 6 min
      - ends: the incident
        after: 1 h
      - releases: public
        by: officer-b
        after: 1 h 5 min
      - releases: public
        by: officer-a
        after: 1 h 6 min
    expect:
      - never before 6 min: public is released
      - at 6 min: public is released
      - within 10 s after public is released: public is sent
      - within 20 s after public is released: directors get sms weather-partners
      - never before 6 min: the public gets sms
      - within 1 min after public is released: the public gets sms
      - at 1 h 6 min: the public gets sms
      - officer-a, directors get sms
      - police-zones get sms and email
      - the public gets sms
      - nothing else
""",
    )
    assert not wrong(result)


@pytest.mark.parametrize(
    ("area", "expect"),
    [
        ("ixelles", ["the public gets sms", "nobody-drafted does not begin"]),
        ("schaerbeek", ["never: the public gets sms", "public is failed"]),  # nobody there has registered
        ("", ["never: the public gets sms", "public is failed"]),
    ],
)
def test_a_broadcast_goes_to_where_the_incident_is(drafting: Config, area: str, expect: list[str]) -> None:
    sheets = [replace(s, steps=_there(s)) if s.name == "gas" else s for s in drafting.playbooks]
    leak = f"{{source: siamu, hazard: explosion, headline: Fuite, area: '{area}', lasts: 3 h}}"
    sentences = "\n".join(f"      - {one}" for one in expect if "does not begin" not in one)
    result = play(
        replace(drafting, playbooks=sheets),
        f"""
  x:
    people: {{officer-a: accepts after 10 s}}
    given:
      - signal: {leak}
      - releases: public
        by: officer-a
        after: 5 min
      - releases: public
        by: officer-b
        after: 6 min
    expect:
{sentences}
""",
    )
    if area != "ixelles":
        assert result.problem == "given 2: public has drafted nothing that waits to be released then"
        return
    assert not wrong(result)
    assert result.timeline is not None
    public = {m.person for m in result.timeline.moments if m.person.startswith("r-")}
    assert public == {one.id for one in drafting.registered if one.commune == "ixelles"}


def _there(sheet: Playbook) -> tuple[Step, ...]:
    def there(step: Step) -> Step:
        if not isinstance(step.action, DraftBroadcast):
            return step
        return replace(step, action=replace(step.action, registered=RegisteredIn(areas=(WHERE_IT_IS,))))

    return tuple(there(step) for step in sheet.steps)


def test_what_a_sheet_drafted_can_be_thrown_away(drafting: Config) -> None:
    result = play(
        drafting,
        f"""
  it is not so:
    people: {{officer-a: accepts after 10 s}}
    given:
      - signal: {LONG_LEAK}
      - discards: public
        by: officer-b
        after: 5 min
    expect:
      - at 5 min: public is withdrawn
      - never: the public gets sms
      - never: public is released
      - within 5 s after public is withdrawn: director-a gets sms weather-review
""",
    )
    assert not wrong(result)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            "{releases: public, by: officer-a, after: 5 min}, {releases: public, by: officer-a, after: 6 min}",
            "given 3: by: officer-a stands behind it already: somebody else has to release it, too",
        ),
        (
            "{releases: public, by: officer-a}",
            "given 2: public has drafted nothing that waits to be released then",
        ),
    ],
)
def test_what_cannot_be_released_is_said(drafting: Config, given: str, problem: str) -> None:
    test = f"""
  x:
    people: {{officer-a: accepts after 10 s}}
    given: [{{signal: {LONG_LEAK}}}, {given}]
    expect: [wake is accepted]
"""
    assert play(drafting, test).problem == problem
