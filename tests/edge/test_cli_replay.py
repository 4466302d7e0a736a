"""`vigie journal replay`: a recorded month beside edited sheets, as an author would run it."""

import shutil
from pathlib import Path

import pytest
import trio

from tests.edge.running import ROOT, Said
from tests.edge.test_cli import vigie
from tools.bench.replay import config_of, record, sheet_text, write

SIGNALS, SHEETS = 2_000, 20


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with config/, playbooks/, edited/ and a recorded journal."""
    folder = tmp_path_factory.mktemp("month")
    config, before, _ = write(folder, SHEETS)
    trio.run(record, folder / "journal.db", config_of(config, before), SIGNALS, SHEETS, 5)
    return folder


def replay(month: Path, playbooks: str, *words: object) -> Said:
    where = ("--config", month / "config", "--data", month, "--playbooks", month / playbooks)
    return vigie("journal", "replay", *where, *words)


def test_the_sheets_as_they_were_change_nothing(month: Path) -> None:
    said = replay(month, "playbooks")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert "2000 signals" in lines[0]
    shipped = [path for path in (ROOT / "playbooks").glob("*.yaml") if not path.name.endswith(".test.yaml")]
    assert lines[1] == f"sheets: {SHEETS + len(shipped)} the same"
    assert lines[2] == "incidents: 10 the same, 0 otherwise, 0 only now, 0 no longer"
    assert lines[3:5] == ["", "Assumed:"]


def test_edited_sheets_are_told_person_by_person(month: Path) -> None:
    said = replay(month, "edited")
    assert (said.code, said.err) == (0, "")
    assert "2 new (" in said.out
    assert "2 gone (sheet-16, sheet-6)" in said.out
    assert " ONLY NOW" in said.out
    assert "Assumed:" in said.out
    assert replay(month, "edited", "--all").out.count("\n") > said.out.count("\n")


def test_json_names_nobody(month: Path) -> None:
    (found,) = replay(month, "edited", "--json").json_lines()
    assert found["counts"]["signals"] == SIGNALS
    assert {"sent", "answers", "silence"} <= set(found["assumed"])
    asked = {p["person"] for m in found["matters"] for p in m.get("people", ())}
    assert "officer-a" in asked
    names = (month / "config" / "people.yaml").read_text()
    assert all(name not in str(found) for name in ("Aline", "name:"))
    assert "officer-a" in names


def test_the_page_names_people_from_the_directory(month: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    said = replay(month, "edited", "-o", page, "--language", "nl")
    assert said.code == 0
    assert str(page) in said.out
    text = page.read_text()
    assert '<html lang="nl">' in text
    assert "<script" not in text
    assert "src=" not in text


def test_part_of_the_month_in_local_days(month: Path) -> None:
    (found,) = replay(month, "edited", "--since", "2026-06-10", "--until", "2026-06-20 12:00", "--json").json_lines()
    assert found["since"].startswith("2026-06-09T22:00:00")
    assert 0 < found["counts"]["signals"] < SIGNALS
    (ahead,) = replay(month, "edited", "--since", "3000 days", "--until", "2026-06-20", "--json").json_lines()
    assert ahead["counts"]["signals"] > found["counts"]["signals"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--since", "yesterday"), 'yesterday: no instant: write "2026-06-01", "2026-06-01 08:00" or "30 days"'),
        (("--since", "2099-01-01"), "nothing was decided then"),
        (("-o", "/nowhere/page.html"), "/nowhere/page.html: cannot be written: No such file or directory"),
    ],
)
def test_what_cannot_be_replayed(month: Path, words: tuple[str, ...], said: str) -> None:
    done = replay(month, "edited", *words)
    assert done.code == 2
    assert said in done.err


def test_a_broken_sheet_is_told_of_and_nothing_else(month: Path) -> None:
    broken = month / "broken"
    shutil.copytree(month / "edited", broken, dirs_exist_ok=True)
    (broken / "sheet-0.yaml").write_text(sheet_text(0, 1).replace("duty-officers", "duty-oficers"))
    done = replay(month, "broken")
    assert done.code == 2
    assert 'broken/sheet-0.yaml:17:11: there is no alert chain "duty-oficers"' in done.err
    assert ": 1 error, 0 warnings: mend them first" in done.err
    done = replay(month, "none-such")
    assert (done.code, done.out) == (2, "")
    assert "no such folder: name the one with the edited sheets" in done.err


def test_drafts_can_be_tried_as_if_they_were_live(month: Path) -> None:
    drafts = month / "drafts"
    shutil.copytree(month / "playbooks", drafts, dirs_exist_ok=True)
    for path in drafts.glob("sheet-*.yaml"):
        path.write_text(path.read_text().replace("mode: live", "mode: draft"))
    assert "0 the same, 0 otherwise, 0 only now, 10 no longer" in replay(month, "drafts").out
    said = replay(month, "drafts", "--as-live", "--json")
    (found,) = said.json_lines()
    assert found["sheets"]["changed"] == sorted(f"sheet-{n}" for n in range(SHEETS))
    theirs = [m for m in found["matters"] if "then" in m]
    assert {m["change"] for m in theirs} == {"same"}, "the shipped sheets were drafts, too"
