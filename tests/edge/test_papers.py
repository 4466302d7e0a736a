"""The call list on paper: a real folder, real typesetting, real commands in place of a printer."""

import io
import os
import random
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio
from pypdf import PdfReader

from hub import papers
from hub.config import Config
from hub.connector import Attachment
from hub.journal import JournalUnavailable
from hub.model import events as e
from hub.model import records as r
from hub.model.ids import Ids
from hub.model.people import Language
from hub.model.signal import Status
from hub.papers import Papers, Wanted, run_command_on, write
from hub.report.document import Document
from hub.report.making import Maker
from hub.report.pdf import CannotTypeset
from hub.report.typeset import typeset_apart
from tests.conftest import shipped

NOW = datetime(2026, 11, 27, 5, 0, tzinfo=UTC)
IDS = Ids(random.Random(1))


@pytest.fixture(scope="module")
def config() -> Config:
    return shipped()[0]


async def on_paper(
    config: Config, wanted: Wanted | None, typeset: object = typeset_apart, left: int = 1
) -> list[r.PaperMade]:
    """What is recorded of `left` call lists that were due when the hub went down."""
    recorded: list[r.PaperMade] = []
    refusals = [JournalUnavailable("full")]

    async def record(body: r.FactBody) -> None:
        assert isinstance(body, r.PaperMade)
        if refusals:
            raise refusals.pop()
        recorded.append(body)
        if len(recorded) == left:
            scope.cancel()

    maker = Maker(config.known, lambda: NOW, typeset, trio.to_thread.run_sync)  # type: ignore[arg-type] # one of ours, or the real one
    clerk = Papers(wanted=wanted, maker=maker, record=record)
    due = [IDS.new(NOW) for _ in range(left)]
    if left == 1:
        clerk.follow(r.Decision(id="d", at=NOW, events=(e.PaperDue(paper=due[0]),)))
        due = []
    with trio.CancelScope() as scope, trio.fail_after(60):
        await clerk.run(due)
    return recorded


def printer(folder: Path, code: str) -> tuple[str, ...]:
    """A command that stands in for one that prints."""
    script = folder / "print.py"
    script.write_text(code)
    return (sys.executable, str(script))


@pytest.mark.trio
async def test_each_language_lies_in_the_folder_whole_and_is_printed(config: Config, tmp_path: Path) -> None:
    folder, out = tmp_path / "lists", tmp_path / "printed"
    out.mkdir()
    code = f"import sys, os\nn = str(len(os.listdir({str(out)!r})))\n"
    code += f"open(os.path.join({str(out)!r}, n), 'wb').write(sys.stdin.buffer.read())"
    wanted = Wanted(
        languages=(Language.FR, Language.NL),
        hours=72,
        folder=folder,
        command=printer(tmp_path, code),
        status=Status.EXERCISE,
    )
    (made,) = await on_paper(config, wanted)
    assert made.problem == ""
    assert sorted(p.name for p in folder.iterdir()) == [
        "call-list-2026-11-27-0600-FR.pdf",
        "call-list-2026-11-27-0600-NL.pdf",
        "call-list-FR.pdf",
        "call-list-NL.pdf",
    ]
    newest = (folder / "call-list-NL.pdf").read_bytes()
    assert newest == (folder / "call-list-2026-11-27-0600-NL.pdf").read_bytes()
    assert [p.read_bytes() for p in sorted(out.iterdir())] == [(folder / "call-list-FR.pdf").read_bytes(), newest]
    text = PdfReader(io.BytesIO(newest)).pages[0].extract_text()
    assert "Oproeplijst" in text
    assert "OEFENING" in text.replace(" ", "")
    assert stat.S_IMODE((folder / "call-list-NL.pdf").stat().st_mode) & 0o007 == 0, "not for everybody on the machine"


@pytest.mark.trio
async def test_of_several_that_were_missed_one_is_made(config: Config, tmp_path: Path) -> None:
    recorded = await on_paper(config, Wanted(languages=(Language.EN,), hours=24, folder=tmp_path), left=3)
    assert [body.problem for body in recorded] == ["", "", ""]
    assert len(os.listdir(tmp_path)) == 2  # a test


@pytest.mark.trio
async def test_a_folder_that_cannot_be_written_is_told(config: Config, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (made,) = await on_paper(config, Wanted(languages=(Language.FR,), hours=24, folder=tmp_path / "file"))
    assert made.problem == "the call list cannot be written: File exists"


@pytest.mark.trio
async def test_without_a_pdf_there_is_a_page_and_nothing_is_printed(config: Config, tmp_path: Path) -> None:
    async def broken(document: Document) -> bytes:
        raise CannotTypeset("no font")

    printed = printer(tmp_path, "raise SystemExit(9)")
    wanted = Wanted(languages=(Language.FR,), hours=24, folder=tmp_path / "lists", command=printed)
    (made,) = await on_paper(config, wanted, broken)
    assert made.problem == "no PDF of it could be made (FR), only a web page: see the hub's log"
    page = (tmp_path / "lists" / "call-list-FR.html").read_text()
    assert "Le PDF n’a pas pu être établi" in page
    assert "Aline Inventée" in page


@pytest.mark.trio
async def test_neither_folder_nor_printer_any_more(config: Config) -> None:
    (made,) = await on_paper(config, None)
    assert made.problem == "no folder and no printer is configured any more"


# --- the command -------------------------------------------------------------------------------------------


@pytest.mark.trio
async def test_what_a_printing_command_may_do_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = Path(sys.executable).name
    failing = printer(tmp_path, "import sys\nsys.exit('no such printer')")
    assert await run_command_on(failing, b"x") == f"{python} ended with 1: no such printer"
    assert (
        await run_command_on(("no-such-command", "-d"), b"x")
        == "no-such-command cannot be run: No such file or directory"
    )
    monkeypatch.setattr(papers, "PRINT_S", 0.2)
    hanging = printer(tmp_path, "import threading\nthreading.Event().wait()")
    assert await run_command_on(hanging, b"x") == f"{python} was not done after 0.2 s"


@pytest.mark.trio
async def test_a_command_that_reads_nothing_and_no_shell_and_no_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIGIE_SMTP_PASSWORD", "s3cret")
    seen = tmp_path / "seen"
    code = "import os, sys\nsecrets = [n for n in os.environ if 'VIGIE' in n]\n"
    code += f"open({str(seen)!r}, 'w').write(repr(sys.argv[1:]) + repr(secrets))"
    assert await run_command_on((*printer(tmp_path, code), "$(id)", "; rm -rf /"), b"x" * (1 << 20)) == ""
    assert seen.read_text() == "['$(id)', '; rm -rf /'][]"


@pytest.mark.trio
async def test_typesetting_that_takes_too_long_is_given_up(config: Config) -> None:
    document = Document(title="x", language=Language.EN, head=(), short="", classification="", sections=())
    with pytest.raises(CannotTypeset, match="longer than 0 s"):
        await typeset_apart(document, 0.0)


def test_the_oldest_are_dropped_and_nothing_else_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "notes.pdf").write_bytes(b"mine")
    for day in range(10, 16):
        for language in ("FR", "NL"):
            name = f"call-list-2026-11-{day}-0600-{language}.pdf"
            write(Attachment(name=name, media_type="application/pdf", content=name.encode()), tmp_path, 2)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        *(f"call-list-2026-11-{day}-0600-{language}.pdf" for day in (13, 14, 15) for language in ("FR", "NL")),
        "call-list-FR.pdf",
        "call-list-NL.pdf",
        "notes.pdf",
    ]
    assert (tmp_path / "call-list-FR.pdf").read_bytes() == b"call-list-2026-11-15-0600-FR.pdf"
