"""`vigie people`: what it prints, and its exit codes."""

import csv
import io
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli.main import app
from hub.config import load
from tests.conftest import shipped
from tests.edge.running import ROOT, Said

EVERYBODY = len(shipped()[0].people)


def vigie(*words: object, config: Path = ROOT / "config") -> Said:
    done = CliRunner().invoke(app, ["people", *map(str, words), "--config", str(config)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Said(done.exit_code, done.stdout_bytes.decode(), done.stderr)


def test_list_shows_everybody_or_who_meets_all_of_it() -> None:
    assert len(vigie("list").out.splitlines()) == EVERYBODY
    assert len(vigie("list", "--group", "communes").out.splitlines()) == 19
    said = vigie("list", "--competence", "duty-officer", "--language", "en", "--organisation", "sitcen")
    assert (said.code, said.err) == (0, "")
    assert [line.split()[0] for line in said.out.splitlines()] == ["officer-a", "officer-b"]
    assert [person["id"] for person in vigie("list", "--language", "de", "--json").json_lines()] == ["officer-c"]


def test_show_tells_all_of_somebody() -> None:
    said = vigie("show", "zone-5341")
    assert (said.code, said.err) == (0, "")
    assert "police-5341 (Zone de police Midi)" in said.out
    assert "discipline    D3" in said.out
    assert "groups        police-zones" in said.out
    assert "sms           +32 450 00 00 33" in said.out
    (person,) = vigie("show", "zone-5341", "--json").json_lines()
    assert person["groups"] == ["police-zones"]


def test_export_prints_a_table_or_cards() -> None:
    table = vigie("export", "--group", "directors", "--separator", ",").out
    rows = list(csv.reader(io.StringIO(table.removeprefix("\ufeff"))))
    assert [row[0] for row in rows] == ["id", "director-a", "director-b"]
    assert vigie("export", "--format", "vcard").out.count("BEGIN:VCARD\r\nVERSION:4.0\r\n") == EVERYBODY


@pytest.mark.parametrize(("kind", "name"), [("csv", "guests.csv"), ("vcard", "guests.vcf")])
def test_what_import_prints_can_be_put_into_the_configuration(kind: str, name: str, tmp_path: Path) -> None:
    exported = vigie("export", "--format", kind, "--group", "crisis-cell").out
    renamed = (
        exported.replace("cell-", "guest-")
        .replace("+324500000", "+324500001")
        .replace("+32 450 00 00", "+32 450 00 01")
    )
    (tmp_path / name).write_text(renamed, "utf-8", newline="")
    shutil.copytree(ROOT / "playbooks", tmp_path / "playbooks")
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "config" / "people").mkdir()
    guests = tmp_path / "config" / "people" / "guests.yaml"
    guests.touch()  # as a shell does for `> config/people/guests.yaml`, before the command begins
    said = vigie("import", tmp_path / name, config=tmp_path / "config")
    assert (said.code, said.err) == (0, "5 people read, 0 errors, 0 warnings\n")
    guests.write_text(said.out, "utf-8")
    config, findings = load(tmp_path / "config")
    assert findings == []
    people = {person.id: person for person in config.people}
    assert people["guest-d5"].speaks == people["cell-d5"].speaks
    assert people["guest-d5"].discipline == people["cell-d5"].discipline


def test_import_tells_what_it_could_not_read_and_prints_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "guests.csv"
    file.write_text("name;language;gsm\nAnne;fr;450000071\nBart;nl;12\nCarl;de;0450 00 00 73\n")
    said = vigie("import", file)
    assert said.code == 1
    assert "Anne" in said.out
    assert "Carl" in said.out
    assert said.err.splitlines() == [
        f'{file}:3:1: Bart: "12": this number has too few digits: write it as +32 450 00 00 01 [not-an-address]',
        "2 people read, 1 error, 0 warnings",
    ]
    (whole,) = vigie("import", file, "--json").json_lines()
    assert [person["id"] for person in whole["people"]] == ["anne", "carl"]
    assert [finding["line"] for finding in whole["findings"]] == [3]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("show", "oficer-a"), 2, '"oficer-a" is nobody: did you mean "officer-a"?'),
        (("list", "--group", "comunes"), 2, 'there is no group "comunes": '),
        (("list", "--competence", "juggler"), 1, "nobody is all of this"),
        (("list", "--language", "it"), 2, "'it' is not one of"),
        (("export", "--format", "pdf"), 2, "pdf: no such format: there are csv, vcard"),
        (("export", "--separator", "!"), 2, "!: no separator: it can be ; or , or tab"),
        (("import", "no-such-file"), 2, "no-such-file: No such file or directory"),
        (("import", ROOT / "README.md"), 1, "README.md:1:1: "),
    ],
)
def test_what_cannot_be_done_is_said(words: tuple[object, ...], code: int, said: str) -> None:
    done = vigie(*words)
    assert done.code == code
    assert said in done.err
    assert done.out == ""
