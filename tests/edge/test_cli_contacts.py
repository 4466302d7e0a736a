"""`vigie call-list` and `vigie contacts`: what they write, and what they say to wrong words."""

import io
from pathlib import Path

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from hub.cli.main import app
from tests.edge.running import ROOT, Said

AT = ("--at", "2026-11-27T06:00:00+01:00")


def vigie(*words: object) -> Said:
    done = CliRunner().invoke(app, [*map(str, words), "--config", str(ROOT / "config")])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Said(done.exit_code, done.stdout_bytes.decode(), done.stderr)


def test_the_call_list_of_the_example_as_pdf(tmp_path: Path) -> None:
    file = tmp_path / "list.pdf"
    said = vigie("call-list", *AT, "--language", "nl", "--hours", 24, "--exercise", "-o", file)
    assert (said.code, said.out, said.err) == (0, f"{file}\n", "")
    assert [p.name for p in tmp_path.iterdir()] == ["list.pdf"], "nothing else is left behind"
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(file.read_bytes())).pages)
    assert "Oproeplijst" in text
    assert "zaterdag 28 november 2026, 06:00" in text
    assert "Aline Inventée" in text
    assert "0450 00 00 69" in text.replace("\u00a0", " ")


def test_a_partner_sees_who_is_on_duty_and_no_director(tmp_path: Path) -> None:
    words = ("contacts", "--roster", "sitcen-on-call", "--group", "directors", "--organisation", "siamu", *AT)
    stib = vigie(*words, "--for", "stib")
    assert stib.code == 0
    assert "+32 450 00 00 41" in stib.out.replace("\u00a0", " ")
    assert "Aline Inventée" in stib.out
    assert "Denis" not in stib.out
    assert "Omis selon la diffusion permise : 3" in stib.out
    own = vigie(*words, "--for", "officer-b", "-o", tmp_path / "sheet.html")
    assert own.code == 0
    page = (tmp_path / "sheet.html").read_text()
    assert "Denis Fictif" in page
    assert '<html lang="nl">' in page


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("contacts", "--for", "stib"), "whose contacts?"),
        (("contacts", "--roster", "sitcen-oncall", "--for", "stib"), 'Did you mean "sitcen-on-call"'),
        (("contacts", "--group", "directors", "--for", "stb"), 'did you mean "stib"'),
        (("call-list", "-o", "list.doc"), "end its name in .pdf, .html, .txt"),
        (("call-list", "-o", "/nowhere/list.pdf"), "No such file or directory"),
        (("call-list", "--at", "2026-11-27 06:00"), "has no offset"),
    ],
)
def test_what_is_wrong_is_told(words: tuple[str, ...], told: str) -> None:
    said = vigie(*words)
    assert said.code == 2
    assert told in said.err
