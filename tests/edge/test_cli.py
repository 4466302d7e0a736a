"""Every command with right and with wrong input: what it says, where, and its exit code (0 fine, 1 found faults,
2 could not run). Commands that act are in test_cli_hub.py, beside a running hub."""

import json
import re
import shutil
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli.main import app
from hub.config import SOURCES
from tests.edge.running import ROOT, Said, change

CAP = ROOT / "samples" / "day" / "kmi" / "red-update.cap.xml"
PARTNER = ROOT / "samples" / "day" / "partners" / "emergency-calls-disturbed.json"


def vigie(*words: object, **environment: str) -> Said:
    """A command in this process. An error that is no exit is a fault of the command."""
    done = CliRunner().invoke(app, [str(word) for word in words], env=environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Said(done.exit_code, done.stdout, done.stderr)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A copy of the example configuration that a test may break."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    shutil.copytree(ROOT / "playbooks", tmp_path / "playbooks")
    return tmp_path / "config"


# --- read ----------------------------------------------------------------------------------------------------


def test_read_prints_a_json_line_for_each_signal() -> None:
    said = vigie("read", "cap", CAP)
    assert (said.code, said.err) == (0, "")
    (signal,) = said.json_lines()
    assert signal["identifier"] == "2.49.0.0.56.0.BE.20261013190136.1702214"
    assert [info["language"] for info in signal["infos"]] == ["nl-BE", "fr-BE", "en-GB", "de-DE"]


def test_read_goes_on_after_a_bad_file_and_says_why_it_is_bad(tmp_path: Path) -> None:
    (tmp_path / "a-broken.xml").write_text("<alert><identifier>")
    (tmp_path / "b-empty.xml").write_text("")
    (tmp_path / "c-bomb.xml").write_text(
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><alert>&b;</alert>'
    )
    (tmp_path / "d-bytes.xml").write_bytes(b"\xff\xfe\x00\x80\x81")
    shutil.copy(CAP, tmp_path / "e-good.xml")
    said = vigie("read", "cap", tmp_path, tmp_path / "none.xml")
    assert said.code == 1
    assert len(said.json_lines()) == 1
    complaints = said.err.splitlines()
    assert len(complaints) == 5
    for name, complaint in zip(("a-broken", "b-empty", "c-bomb", "d-bytes", "none"), complaints, strict=True):
        assert complaint.startswith(f"{tmp_path}/{name}.xml")
        assert re.search(r": \w.+", complaint), "and the reason"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("read", "nothing", CAP),
            f"nothing: no such kind of source: there are {', '.join(sorted(entry_points(group=SOURCES).names))}",
        ),
        (("read", "cap", "no-such-file"), "no-such-file: no such file"),
        (
            ("read", "cap", "--source", "press-bx1", CAP),
            "press-bx1: is a source of the kind feed: vigie read feed --source press-bx1 FILE",
        ),
    ],
)
def test_read_that_cannot(words: tuple[object, ...], said: str) -> None:
    done = vigie(*words)
    assert (done.code, done.out, done.err.strip()) == (2, "", said)


MAILBOX = """
permanence:
  type: mail
  reliability: B
  host: imap.example.org
  user: permanence@example.org
  password: IMAP
  trusted results: mx.example.org
  rules:
    - name: fire service
      from: siamu.example
      headline: "fire service: {subject}"
"""
MAIL = """\
From: dispatch@siamu.example
Authentication-Results: mx.example.org; dmarc=VERDICT
Date: Tue, 14 Jul 2026 02:10:00 +0200
Subject: fuite de gaz

Ixelles
"""


def test_read_and_match_as_a_source_that_is_configured(config: Path) -> None:
    (config / "sources.yaml").write_text(MAILBOX)
    for verdict, headline, believed in (
        ("pass", "fire service: fuite de gaz", "(B6)"),
        ("fail", "fuite de gaz", "(F6)"),
    ):
        file = config.parent / "mail.eml"
        file.write_text(MAIL.replace("VERDICT", verdict))
        read = vigie("read", "mail", "--source", "permanence", "--config", config, file)
        assert (read.code, read.err) == (0, "")
        assert read.json_lines()[0]["infos"][0]["headline"] == headline
        met = vigie("match", "--source", "permanence", "--config", config, file)
        assert believed in met.out, "whom nobody proves is believed as a stranger is"


# --- match -------------------------------------------------------------------------------------------------


def test_match_names_the_sheets_met_and_why_the_others_are_missed() -> None:
    said = vigie("match", CAP, "--source", "kmi-irm")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[:2] == [
        "red-update.cap.xml  2.49.0.0.56.0.BE.20261013190136.1702214",
        "  Update, Actual, of kmi-irm (A2), sent 2026-10-13 21:02",
    ]
    assert lines[2].startswith(
        "  blocks 1 (nl-BE), 2 (fr-BE), 3 (en-GB), 4 (de-DE)  thunderstorm  Extreme, Observed, Immediate  "
        "Brabant → brussels-capital-region"
    )
    met = next(n for n, x in enumerate(lines) if re.match(r"  meets +extreme-weather +by block 1 .nl-BE., case 1", x))
    assert "    ✓ severity   Extreme" in lines[met:]
    assert "    ✓ area       Brabant → brussels-capital-region" in lines[met:]
    missed = next(n for n, x in enumerate(lines) if re.match(r"  misses +emergency-calls-outage +nearest: block 1", x))
    assert lines[missed + 1] == "    ✗ hazard     thunderstorm   asked: emergency-calls"
    assert missed > met, "what is met comes first"
    assert "started by hand only: provincial-phase" in lines


def test_match_without_a_source_says_that_trust_fails_and_what_to_do() -> None:
    said = vigie("match", CAP)
    assert not re.search(r"^  meets ", said.out, re.M)
    assert re.search(r"misses +extreme-weather.*\n    ✗ trust +F6   asked: at least B2", said.out)
    assert "without --source nothing is known of a signal's trust" in said.out


def test_match_shows_every_condition_on_request() -> None:
    said = vigie("match", CAP, "--all")
    after = said.out.partition("misses      extreme-weather")[2]
    assert [line.split()[:2] for line in after.splitlines()[1:8]] == [
        ["✓", "status"], ["✗", "trust"], ["✓", "hazard"], ["✓", "severity"], ["✓", "certainty"], ["✓", "category"],
        ["✓", "area"],
    ]  # fmt: skip


def test_match_takes_what_read_printed(tmp_path: Path) -> None:
    lines = tmp_path / "signals.jsonl"
    lines.write_text(vigie("read", "cap", CAP).out)
    said = vigie("match", lines, "--source", "kmi-irm", "--json")
    (found,) = said.json_lines()
    assert found["signal"].startswith("2.49.0.0.56.0.BE")
    assert found["file"] == str(lines)
    assert "brussels-capital-region" in found["blocks"][0]["areas"][0]["places"]
    sheets = {sheet["playbook"]: sheet for sheet in found["sheets"]}
    assert "provincial-phase" not in sheets, "it is started by hand only"
    assert (sheets["extreme-weather"]["matched"], sheets["extreme-weather"]["first_failing"]) == (True, "")
    assert sheets["crisis-centre-activation"]["first_failing"] == "hazard"


def test_match_reads_a_partners_json_as_its_source_does() -> None:
    said = vigie("match", "--source", "siamu", PARTNER)
    assert said.code == 0
    assert re.search(r"^  meets +emergency-calls-outage", said.out, re.M)
    assert vigie("match", "--kind", "webhook", "--source", "siamu", PARTNER).out == said.out


def test_match_asks_of_one_sheet_and_tells_by_its_exit_code() -> None:
    met = vigie("match", CAP, "--source", "kmi-irm", "--sheet", "extreme-weather")
    assert (met.code, met.err) == (0, "")
    assert "emergency-calls" not in met.out
    missed = vigie("match", CAP, "--source", "kmi-irm", "--sheet", "emergency-calls-outage")
    assert (missed.code, missed.err) == (1, "")
    assert vigie("match", CAP, "--sheet", "extreme-wether").err.startswith("extreme-wether: no such sheet: ")
    by_hand = vigie("match", CAP, "--sheet", "provincial-phase")
    assert (by_hand.code, by_hand.out) == (2, "")
    assert "started by hand only" in by_hand.err


def test_match_of_a_draft_says_that_it_would_meet_and_never_runs(config: Path) -> None:
    change(config.parent / "playbooks" / "extreme-weather.yaml", lambda sheet: sheet.update(mode="draft"))
    said = vigie("match", CAP, "--source", "kmi-irm", "--config", config)
    assert re.search(r"^  would meet +extreme-weather .*\[draft: it never runs\]$", said.out, re.M)


def test_match_of_what_opens_nothing_says_why(tmp_path: Path) -> None:
    over = vigie("match", CAP, "--source", "kmi-irm", "--at", "2027-01-01T00:00:00Z", "--sheet", "extreme-weather")
    assert over.code == 1
    assert "it is over at 2027-01-01 00:00Z: it would be recorded and open nothing" in over.out
    cancel = tmp_path / "cancel.cap.xml"
    cancel.write_text(CAP.read_text().replace("<msgType>Update</msgType>", "<msgType>Cancel</msgType>"))
    said = vigie("match", cancel, "--source", "kmi-irm")
    assert "a Cancel opens nothing: it withdraws what it refers to" in said.out
    assert "meets" not in said.out


def test_match_of_many_signals_counts_which_sheets_they_meet(tmp_path: Path) -> None:
    shutil.copy(CAP, tmp_path / "a.xml")
    (tmp_path / "b.xml").write_text(CAP.read_text().replace("1702214", "1702215").replace("Extreme", "Minor"))
    said = vigie("match", tmp_path, "--source", "kmi-irm")
    assert said.code == 0
    assert "2 signals\n  extreme-weather  met by 1\n" in said.out
    assert re.search(r"  met by none: .*crisis-centre-activation, .*emergency-calls-outage", said.out)


def test_match_of_recorded_files_as_an_author_would(samples: Path) -> None:
    """Every recorded CAP file: nothing but the one that is no CAP is a fault, and each miss names what fails."""
    said = vigie("match", samples / "cap", "--source", "kmi-irm")
    assert said.code == 1
    assert len(said.err.splitlines()) == 1
    assert "identifier is missing" in said.err
    blizzard = said.out.partition("5c2cf27b1f56885d61654dc47fa411d5.xml")[2]
    assert re.search(r"misses +snow .*\n    ✗ area +Southern Cook, .* → no area of ours   asked: ", blizzard)
    assert "none that is known (event " in said.out
    assert not re.search(r"✗ \S+ +asked", said.out), "what was found is always shown"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("match", "no-such-file"), 2, "no-such-file: No such file"),
        (("match", "--kind", "nothing", CAP), 2, "nothing: no such kind of source"),
        (("match", "--source", "nobody", CAP), 2, "nobody: no such source: there are air-no2, crisis-centre"),
        (("match", "--at", "yesterday", CAP), 2, "yesterday: no instant: write it as 2026-07-14T02:10:00+02:00"),
        (("match", "--at", "2026-07-14T02:10:00", CAP), 2, "has no offset"),
        (("match", ROOT / "README.md"), 1, "README.md"),
    ],
)
def test_match_that_cannot(words: tuple[object, ...], code: int, said: str) -> None:
    done = vigie(*words)
    assert done.code == code
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_match_of_lines_that_are_no_signals(tmp_path: Path) -> None:
    (tmp_path / "cut.jsonl").write_text('{"identifier": "x"')
    done = vigie("match", tmp_path / "cut.jsonl")
    assert done.code == 1
    assert re.match(rf"{tmp_path}/cut.jsonl:1: this line is no signal", done.err)


# --- who ---------------------------------------------------------------------------------------------------


def test_who_says_whom_when_and_by_what() -> None:
    said = vigie("who", "duty-officers", "--at", "2026-07-14T02:10:00+02:00")
    assert (said.code, said.err) == (0, "")
    assert "duty-officers at 2026-07-14 02:10: 1 must accept" in said.out
    assert "officer-a (Aline Inventée, fr): sms +32450000001, then call +32450000001 after 90 s" in said.out
    (plan,) = vigie("who", "duty-officers", "--json").json_lines()
    assert [len(tier["people"]) for tier in plan["tiers"]] == [1, 2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("who", "nobody"), "nobody: no such chain: there are "),
        (("who", "directors", "--at", "2026-13-01"), "2026-13-01: no instant"),
        (("who", "directors", "--config", "no-such-folder"), "no-such-folder: no such folder"),
    ],
)
def test_who_that_cannot(words: tuple[object, ...], said: str) -> None:
    done = vigie(*words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


# --- check -------------------------------------------------------------------------------------------------


ROSTER = """
sitcen-on-call:
  layers:
    - {people: [officer-a, officer-b], from: 2026-03-23, at: 08:00}
  overrides:
    - {people: officer-c, from: 2026-03-28 20:00, until: 2026-03-29 08:00}
sitcen-backup:
  always: [officer-b, officer-c]
"""


def test_roster_shows_who_is_on_duty_over_the_change_of_the_clocks(config: Path) -> None:
    (config / "rosters.yaml").write_text(ROSTER)
    span = ("--from", "2026-03-28T08:00:00+01:00", "--until", "2026-03-31T08:00:00+02:00")
    said = vigie("roster", "show", "sitcen-on-call", *span, "--config", config)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        "Sat 2026-03-28 08:00 to Sat 2026-03-28 20:00  officer-a",
        "Sat 2026-03-28 20:00 to Sun 2026-03-29 08:00  officer-c",
        "Sun 2026-03-29 08:00 to Mon 2026-03-30 08:00  officer-a",
        "Mon 2026-03-30 08:00 to Tue 2026-03-31 08:00  officer-b",
    ]
    early = vigie("roster", "show", "sitcen-on-call", "--from", "2026-03-20T08:00:00+01:00", "--config", config)
    assert (early.code, "NOBODY" in early.out) == (1, True)
    night = ("--at", "2026-03-29T02:30:00+01:00")  # which no clock in Brussels shows
    assert "officer-c" in vigie("who", "duty-officers", *night, "--config", config).out


AHEAD = """
sitcen-on-call:
  layers:
    - {people: [officer-a, officer-b], from: 2026-03-23, at: 08:00, hours: 08:00-20:00}
sitcen-backup:
  layers:
    - {people: officer-c, from: 2026-03-23}
    - {people: officer-a, from: 2026-03-25, every: 30 days}
other:
  shifts:
    - {people: officer-c, from: 2026-03-23 08:00, until: 2026-03-24 08:00}
"""


def test_who_names_gaps_and_double_bookings_of_the_coming_week(config: Path) -> None:
    (config / "rosters.yaml").write_text(AHEAD)
    said = vigie("who", "duty-officers", "--at", "2026-03-23T12:00:00+01:00", "--config", config)
    assert said.code == 1
    ahead = [line.removeprefix("ahead: ") for line in said.err.splitlines() if line.startswith("ahead: ")]
    assert ahead[:2] == [
        "officer-c is on duty in sitcen-backup and other from 2026-03-23 12:00 to 2026-03-24 08:00",
        "nobody is on duty in sitcen-on-call from 2026-03-23 20:00 to 2026-03-24 08:00",
    ]
    assert "officer-a is on duty in sitcen-on-call and sitcen-backup from 2026-03-25 08:00" in " ".join(ahead)
    assert not any("nobody is on duty in other" in line for line in ahead), "the chain does not ask it"
    (plan,) = vigie("who", "duty-officers", "--json", "--config", config).json_lines()
    assert plan["ahead"]


def test_roster_exports_a_calendar(config: Path) -> None:
    said = vigie("roster", "export", "sitcen-backup", "--config", config)
    assert said.code == 0
    assert said.out.startswith("BEGIN:VCALENDAR")
    assert "+32" not in said.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "nights"), "nights: no such roster: there are sitcen-backup, sitcen-on-call"),
        (("show", "sitcen-backup", "--from", "noon"), "noon: no instant"),
        (
            ("show", "sitcen-backup", "--until", "2020-01-01T00:00:00Z"),
            "--until 2020-01-01T00:00:00+00:00 is not after",
        ),
    ],
)
def test_roster_that_cannot(words: tuple[str, ...], said: str) -> None:
    done = vigie("roster", *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(said)


def test_check_of_what_we_ship() -> None:
    said = vigie("check")
    assert (said.code, said.out, said.err) == (0, "0 errors, 0 warnings\n", "")
    assert vigie("check", ROOT / "playbooks").code == 0


def test_check_names_file_line_column_what_is_wrong_and_what_would_be_right(config: Path) -> None:
    people = config / "people.yaml"
    people.write_text(people.read_text().replace("sms: +32 450 00 00 01", "sms: +32 450 00 0x 01", 1))
    sheet = config.parent / "playbooks" / "extreme-weather.yaml"
    sheet.write_text(sheet.read_text().replace("    after: wake is accepted", "    aftr: wake is accepted", 1))
    said = vigie("check", "--config", config)
    assert said.code == 1
    number = _line(people, "0x 01")
    key = _line(sheet, "aftr")
    assert re.search(rf"^config/people.yaml:{number}:\d+: .*\n(?:.*\n)*?.*\+32", said.err, re.M)
    assert re.search(rf"^playbooks/extreme-weather.yaml:{key}:5: .*aftr", said.err, re.M)
    findings = vigie("check", "--config", config, "--json").json_lines()
    assert {(f["file"], f["line"]) for f in findings} >= {
        ("config/people.yaml", number),
        ("playbooks/extreme-weather.yaml", key),
    }
    assert all(f["message"] and f["remedy"] and f["column"] >= 1 for f in findings)


def test_check_of_one_sheet_that_goes_in_circles() -> None:
    said = vigie("check", ROOT / "tests" / "bad" / "playbooks" / "cycle.yaml")
    assert said.code == 1
    assert re.match(r".*cycle\.yaml:\d+:\d+: ", said.err)


def test_one_mistake_gives_one_complaint(config: Path) -> None:
    change(config / "channels.yaml", lambda held: held["sms"]["limits"].update({"per person": "10000 in 10 min"}))
    findings = vigie("check", "--config", config, "--json").json_lines()
    assert [(f["file"], f["rule"]) for f in findings] == [("config/channels.yaml", "not-a-limit")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "no-such.yaml"), "no-such.yaml: there is no such file or folder"),
        (("check", "playbooks/no-such.yaml"), "no-such.yaml: there is no such file or folder"),
        (("check", "--config", "no-such-folder"), "no-such-folder: no such folder"),
    ],
)
def test_check_that_cannot(words: tuple[object, ...], said: str) -> None:
    done = vigie(*words)
    assert done.code == 2
    assert said in done.err


def _line(path: Path, words: str) -> int:
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if words in line)


# --- journals that are not there, and commands without a hub ---------------------------------------------------


@pytest.mark.parametrize("words", [("journal", "show"), ("journal", "verify"), ("why", "X")])
def test_reading_commands_without_a_journal(words: tuple[str, ...], tmp_path: Path) -> None:
    done = vigie(*words, "--data", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert str(tmp_path / "journal.db") in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("words", [("journal", "show"), ("journal", "verify"), ("why", "X")])
def test_reading_commands_of_what_is_no_journal(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"this is no database" * 500)
    done = vigie(*words, "--data", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert str(tmp_path / "journal.db") in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("stop-all", "--by", "me", "--why", "test"),
        ("lift", "--by", "me", "--why", "test"),
        ("start", "provincial-phase", "headline=x"),
    ],
)
def test_acting_commands_without_a_hub(words: tuple[str, ...], config: Path) -> None:
    change(config / "hub.yaml", lambda held: held["web"].update({"listen": "127.0.0.1:1"}))
    done = vigie(*words, "--config", config, VIGIE_API_TOKEN="0" * 32)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("no hub answers at 127.0.0.1:1 (")
    assert len(done.err.splitlines()) == 1
    nameless = vigie(*words, "--config", config, VIGIE_API_TOKEN="")
    assert nameless.code == 2
    assert "VIGIE_API_TOKEN" in nameless.err


def test_an_answer_that_is_none() -> None:
    done = vigie("start", "provincial-phase", "headline", VIGIE_API_TOKEN="0" * 32)
    assert (done.code, done.err) == (2, "headline: an answer is written name=value\n")


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("run", "--nonsense"),
        ("stop-all", "--by", "me"),
        ("journal", "erase"),
        ("read", "cap"),
    ],
)
def test_words_that_no_command_knows(words: tuple[str, ...]) -> None:
    done = vigie(*words)
    assert (done.code, done.out) == (2, "")
    assert "Traceback" not in done.err


def test_every_command_has_help() -> None:
    readme = (ROOT / "README.md").read_text()
    commands = set(re.findall(r"^    vigie ([a-z-]+(?: (?:show|verify))?)", readme, re.M))
    assert len(commands) >= 12
    for command in sorted(commands):
        done = vigie(*command.split(), "--help")
        assert done.code == 0, command
        assert "Usage" in done.out


def test_json_is_one_value_a_line() -> None:
    for words in (("who", "directors", "--json"), ("match", CAP, "--json"), ("read", "cap", CAP)):
        for line in vigie(*words).out.splitlines():
            json.loads(line)


# --- playbook diagram --------------------------------------------------------------------------------------


def test_a_sheet_is_drawn_by_its_name_or_from_a_file(config: Path, tmp_path: Path) -> None:
    picture = tmp_path / "weather.svg"
    said = vigie("playbook", "diagram", "extreme-weather", "-o", picture, "--language", "fr", "--config", config)
    assert (said.code, said.out, said.err) == (0, "", "")
    assert "Conditions météo exceptionnelles" in picture.read_text()
    sheet = config.parent / "playbooks" / "extreme-weather.yaml"
    assert vigie("playbook", "diagram", sheet, "--language", "fr", "--config", config).out == picture.read_text()
    alone = vigie("playbook", "diagram", sheet, "--config", tmp_path / "none")
    assert (alone.code, alone.err) == (0, "")
    assert "chain duty-officers" in alone.out


def test_a_sheet_that_cannot_be_drawn(config: Path, tmp_path: Path) -> None:
    said = vigie("playbook", "diagram", "extreme-wether", "--config", config)
    assert (said.code, said.out) == (2, "")
    assert 'id you mean "extreme-weather"?' in said.err
    bad = tmp_path / "bad.yaml"
    bad.write_text("playbook: x\nsteps: {}\n")
    said = vigie("playbook", "diagram", bad, "--config", config)
    assert (said.code, said.out) == (2, "")
    assert f"{bad}:" in said.err
    assert "mend them first" in said.err
    said = vigie("playbook", "diagram", tmp_path / "none.yaml", "--config", config)
    assert (said.code, said.err.strip()) == (2, f"{tmp_path}/none.yaml: No such file or directory")
    (tmp_path / "file").write_text("no folder")
    said = vigie("playbook", "diagram", "extreme-weather", "-o", tmp_path / "file" / "x.svg", "--config", config)
    assert (said.code, said.out) == (2, "")
    assert "cannot be written: " in said.err
    said = vigie("playbook", "diagram", "--config", config)
    assert (said.code, said.out) == (2, "")
    assert "name it, -o FOLDER" in said.err


def test_all_sheets_are_drawn_into_a_folder(config: Path, tmp_path: Path) -> None:
    said = vigie("playbook", "diagram", "-o", tmp_path / "pictures", "--config", config)
    assert (said.code, said.err) == (0, "")
    drawn = {path.stem for path in (tmp_path / "pictures").glob("*.svg")}
    sheets = {path.stem for path in (config.parent / "playbooks").glob("*.yaml")}
    assert drawn == {name for name in sheets if not name.endswith(".test")}
