"""`vigie check` as its users run it: for people, programs, GitHub and code scanners; beside a journal."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trio
from jsonschema import Draft4Validator

from hub.clock import wall
from hub.journal.sqlite import open_sqlite
from hub.model.people import Edited
from hub.model.records import Fact, PersonChanged, SignalReceived, VaultEntry
from hub.model.signal import Info, Signal
from tests.contracts.journal import Maker
from tests.edge.running import ROOT, Said
from tests.edge.test_cli import config, vigie

__all__ = ["config"]  # a fixture

SARIF = json.loads((ROOT / "tests" / "schemas" / "sarif-2.1.0.json").read_text("utf-8"))


@pytest.fixture
def bad(config: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One error in a sheet, one warning in another; the working directory is the centre's own."""
    change(config.parent / "playbooks" / "extreme-weather.yaml", "say: weather-ask", "say: weather-aks")
    change(config.parent / "playbooks" / "provincial-phase.yaml", "review by: 2027-06-30", "review by: 2020-06-30")
    monkeypatch.chdir(config.parent)
    return config


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def check(*words: object) -> Said:
    return vigie("check", *words)


def test_the_example_is_without_a_finding(config: Path) -> None:
    said = check("--config", config, "--strict")
    assert (said.code, said.err) == (0, "")
    assert said.out == "0 errors, 0 warnings\n"


def test_a_warning_is_no_fault_unless_one_is_strict(bad: Path) -> None:
    assert check("playbooks/provincial-phase.yaml").code == 0
    assert check("playbooks/provincial-phase.yaml", "--strict").code == 1


def test_a_file_of_the_configuration_is_checked_against_the_rest_of_it(bad: Path) -> None:
    said = check("playbooks/extreme-weather.yaml")
    assert said.code == 1
    assert 'there is no message "weather-aks"' in said.err
    assert "provincial" not in said.err
    assert check("config").out == "0 errors, 0 warnings\n"
    alone = bad.parent / "elsewhere.yaml"
    alone.write_text((bad.parent / "playbooks" / "extreme-weather.yaml").read_text("utf-8"), "utf-8")
    assert check(alone).code == 0, "what is no file of the configuration is looked at by itself"


def test_a_waiver_silences_a_warning_and_is_told_when_it_is_one_too_many(bad: Path) -> None:
    sheet = bad.parent / "playbooks" / "provincial-phase.yaml"
    waiver = "# vigie: allow review-overdue, because the decree is being rewritten\n"
    change(sheet, "review by:", f"{waiver}review by:")
    assert check(sheet, "--strict").code == 0
    change(sheet, "2020-06-30", "2027-06-30")
    assert check(sheet, "--strict").code == 0, "with an error left anywhere, none is called one too many"
    change(bad.parent / "playbooks" / "extreme-weather.yaml", "say: weather-aks", "say: weather-ask")
    said = check(sheet, "--strict")
    assert said.code == 1
    assert "nothing is wrong here by the rule review-overdue" in said.err


def test_annotations_for_github_name_the_file_the_line_and_the_rule(bad: Path) -> None:
    lines = check("--format", "github").out.splitlines()
    assert len(lines) == 2
    sheet = (bad.parent / "playbooks" / "extreme-weather.yaml").read_text("utf-8").splitlines()
    line = sheet.index("    say: weather-aks") + 1
    place = f"file=playbooks/extreme-weather.yaml,line={line},col=10,endColumn=21,title=vigie unknown-message"
    assert lines[0].startswith(f'::error {place}::there is no message "weather-aks": ')
    assert lines[1].startswith("::warning file=playbooks/provincial-phase.yaml,line=")
    assert 'did you mean "weather-ask"?' in lines[0]


def test_sarif_is_valid_against_its_schema(bad: Path) -> None:
    log: dict[str, Any] = json.loads(check("--format", "sarif").out)
    Draft4Validator.check_schema(SARIF)
    assert [error.message for error in Draft4Validator(SARIF).iter_errors(log)] == []
    (run,) = log["runs"]
    results = run["results"]
    assert [(r["ruleId"], r["level"]) for r in results] == [("unknown-message", "error"), ("review-overdue", "warning")]
    for result in results:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    place = results[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "playbooks/extreme-weather.yaml", "uriBaseId": "%SRCROOT%"}
    text = (bad.parent / place["artifactLocation"]["uri"]).read_text("utf-8").splitlines()
    region = place["region"]
    assert text[region["startLine"] - 1][region["startColumn"] - 1 : region["endColumn"] - 1] == "weather-aks"


def test_sarif_of_nothing_is_valid_too(config: Path) -> None:
    log = json.loads(check("--config", config, "--format", "sarif").out)
    assert [error.message for error in Draft4Validator(SARIF).iter_errors(log)] == []
    assert log["runs"][0]["results"] == []


def test_json_is_one_finding_to_a_line(bad: Path) -> None:
    first, second = check("--json").json_lines()
    assert (first["rule"], second["rule"]) == ("unknown-message", "review-overdue")
    assert check("--json").out == check("--format", "json").out


# --- beside a journal --------------------------------------------------------------------------------------


def journal(folder: Path, headlines: list[str], changed: str = "") -> None:
    """A journal in which these came in during the last month, and somebody was changed."""
    make = Maker()
    now = wall()

    def received(number: int, headline: str, baseline: bool, at: timedelta) -> tuple[Fact, VaultEntry]:
        signal = Signal(
            identifier=f"s-{number}", sender="press", sent=now, source="press-bx1", infos=(Info(headline=headline),)
        )
        key = f"signal-{number}-{baseline}"
        body = SignalReceived(source="press-bx1", baseline=baseline)
        fact = msgspec.structs.replace(make.fact(body), at=now - at, vault=key)
        return fact, VaultEntry(key=key, payload=msgspec.json.encode(signal))

    entries = [received(0, headlines[0], False, timedelta(days=40))]
    entries += [received(n, h, False, timedelta(hours=2)) for n, h in enumerate(headlines, 1)]
    entries += [received(n, "Panne du 112", True, timedelta(hours=1)) for n in range(9)]
    if changed:
        fact = make.fact(PersonChanged(person=changed, by="duty", why="left", removed=True))
        sealed = VaultEntry(key="edited", payload=msgspec.json.encode(Edited(person=None)))
        entries.append((msgspec.structs.replace(fact, at=now, vault="edited"), sealed))

    async def fill() -> None:
        async with open_sqlite(folder / "journal.db") as opened:
            await opened.put_facts([fact for fact, _ in entries], [entry for _, entry in entries])

    trio.run(fill)


def test_words_that_meet_half_of_the_recorded_month_are_told(config: Path, tmp_path: Path) -> None:
    journal(tmp_path, ["Panne du 112 à Bruxelles"] * 60 + ["Le temps qu'il fait"] * 40)
    said = check("--config", config, "--data", tmp_path)
    assert said.code == 0
    assert '"panne du 112" meets 60% of the 100 signals of the last 31 days' in said.err
    assert "words were held against 100 recorded signals" in said.out, "neither the older ones nor a backlog"
    words = check("--config", config, "--data", tmp_path, "--words")
    assert "60.0%    panne du 112" in words.out
    assert "0.0%    noodcentrale onbereikbaar" in words.out


def test_a_waiver_of_what_the_journal_says_is_judged_only_where_there_is_one(config: Path, tmp_path: Path) -> None:
    sheet = config.parent / "playbooks" / "emergency-calls-outage.yaml"
    change(
        sheet, "      - panne du 112\n", "      # vigie: allow common-words, because of a test\n      - panne du 112\n"
    )
    assert check("--config", config, "--strict").code == 0
    journal(tmp_path, ["Panne du 112"] * 60)
    assert "panne du 112" not in check("--config", config, "--data", tmp_path).err
    other = tmp_path / "quiet"
    other.mkdir()
    journal(other, ["Le temps qu'il fait"] * 60)
    assert "waives-nothing" in check("--config", config, "--data", other).err


def test_what_was_changed_while_running_and_is_in_no_file_is_told(config: Path, tmp_path: Path) -> None:
    journal(tmp_path, ["Le temps"], changed="officer-a")
    said = check("--config", config, "--data", tmp_path, "--strict")
    assert said.code == 1
    assert "officer-a was taken out while running by duty" in said.err
    assert "[not-in-files]" in said.err


def test_a_journal_that_cannot_be_read_is_said_and_the_rest_is_checked(config: Path, tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"this is no journal at all, but a text of some length" * 40)
    said = check("--config", config, "--data", tmp_path)
    assert said.code == 0
    assert "(what was recorded is not looked at)" in said.err
    assert said.out == "0 errors, 0 warnings\n"
