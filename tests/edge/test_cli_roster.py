"""`vigie roster import`: what it prints, and its exit codes. (`link` is in test_calendar.py.)"""

import json
import shutil
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

import hub.cli.roster
from hub.cli.main import app
from hub.config import load
from hub.people.rosters import timeline
from tests.edge.running import ROOT, Said

FROM = "2026-11-23T00:00:00+01:00"


def vigie(*words: object, config: Path = ROOT / "config") -> Said:
    done = CliRunner().invoke(app, ["roster", *map(str, words), "--config", str(config)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Said(done.exit_code, done.stdout_bytes.decode(), done.stderr)


def calendar(tmp_path: Path, *events: str, name: str = "duty.ics") -> Path:
    file = tmp_path / name
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", "X-WR-CALNAME:SITCEN, nuits", *events, "END:VCALENDAR", ""
    ]  # fmt: skip
    file.write_text("\r\n".join(lines), newline="")
    return file


def event(uid: str, summary: str, *lines: str) -> str:
    own = ("DTSTART:20261123T200000", "DTEND:20261124T080000")
    return "\r\n".join(("BEGIN:VEVENT", f"UID:{uid}", *own, f"SUMMARY:{summary}", *lines, "END:VEVENT"))


def test_what_import_prints_can_be_put_into_the_configuration(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "playbooks", tmp_path / "playbooks")
    shutil.copytree(ROOT / "config", tmp_path / "config")
    file = calendar(tmp_path, event("1", "Nuit: Aline Inventée", "RRULE:FREQ=DAILY;COUNT=3"), event("2", "officer-b"))
    said = vigie("import", file, "--from", FROM, config=tmp_path / "config")
    assert (said.code, said.err) == (0, "4 shifts of 2 events read, 0 errors, 0 warnings\n")
    rosters = tmp_path / "config" / "rosters.yaml"
    rosters.write_text(rosters.read_text() + "\n" + said.out)
    config, findings = load(tmp_path / "config")
    assert {f.rule for f in findings} == {"gap"}
    roster = config.rosters["sitcen-nuits"]
    first, last = roster.shifts[0].start, roster.shifts[-1].end
    spans = timeline(roster, *(datetime.fromisoformat(t) for t in (first, last)))
    assert [" ".join(span.people) for span in spans] == ["officer-a officer-b", "", "officer-a", "", "officer-a"]


def test_our_own_export_is_read_as_it_was(tmp_path: Path) -> None:
    exported = vigie("export", "sitcen-backup", "--from", FROM).out
    (tmp_path / "b.ics").write_text(exported, newline="")
    said = vigie("import", tmp_path / "b.ics", "--from", FROM, "--as", "other")
    assert said.code == 0
    assert said.out.startswith("other:\n  shifts:\n    - people: [officer-b, officer-c]\n")


def test_import_tells_what_it_could_not_read_and_prints_the_rest(tmp_path: Path) -> None:
    file = calendar(tmp_path, event("1", "Aline"), event("2", "officer-b"))
    said = vigie("import", file, "--from", FROM)
    assert said.code == 1
    assert f"{file}:5:1: " in said.err
    assert "near are officer-a (Aline Inventée)" in said.err
    assert "1 shifts of 2 events read, 1 error, 0 warnings" in said.err
    assert "officer-b" in said.out
    found = json.loads(vigie("import", file, "--from", FROM, "--json").out)
    assert [finding["rule"] for finding in found["findings"]] == ["unknown-person"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--day-begins", "8"), '--day-begins 8: no time of day: write it as "08:00"'),
        (("--as", "Nuits !"), "--as Nuits !: no name for a roster"),
        (("--until", "2020-01-01T00:00:00+00:00"), "is not after --from"),
        (("--from", "tomorrow"), "tomorrow: no instant"),
    ],
)
def test_import_that_cannot(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = vigie("import", calendar(tmp_path), *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert vigie("import", tmp_path / "none.ics").code == 2


def test_a_rule_that_never_comes_true_does_not_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.cli.roster, "IMPORT_S", 1.0)
    never = [event(str(n), "officer-b", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30") for n in range(50)]
    said = vigie("import", calendar(tmp_path, *never), "--from", FROM)
    assert (said.code, said.out) == (2, "")
    assert "needed more than its limit of 1 s and was stopped" in said.err
