"""The whole way with a real hub and a real mail server: the call list when the clock comes to it, contacts sent by an
officer and by a sheet."""

import email
import io
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default

import pytest
from pypdf import PdfReader

from hub.model import events as e
from hub.model import records as r
from tests.edge.running import EXERCISE_AT, OFFICER_B, READY_S, Room, change, room

STIB, NATIONAL = "stib@example.org", "national-crisis-centre@example.org"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    rhythm = {"at": "06:00", "languages": ["nl"], "mail to": ["roster sitcen-backup"], "write to": "../lists"}
    with room(tmp_path_factory.mktemp("contacts")) as made:
        change(made.folder.config / "hub.yaml", lambda hub: hub.update({"call list": rhythm}))
        made.begin("--at", EXERCISE_AT)
        made.until(lambda: made.health().status == 200, "a hub that is ready", READY_S)
        yield made
        assert made.stop() == 0
        made.gone()


def mails_to(here: Room, address: str) -> list[EmailMessage]:
    found = []
    for path in sorted(here.folder.mail.glob("*.eml")):
        mail = email.message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(mail, EmailMessage)
        if mail["To"] == address:
            found.append(mail)
    return found


def pdf_of(mail: EmailMessage) -> tuple[str, str]:
    """The file's name and its text."""
    (file,) = mail.iter_attachments()
    assert isinstance(file, EmailMessage)
    assert file.get_content_type() == "application/pdf"
    return str(file.get_filename()), read_pdf(file.get_content())


def read_pdf(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).replace("\u00a0", " ")


def test_an_officer_sends_a_partner_the_contacts(here: Room) -> None:
    said = here.vigie(
        "send-contacts", "roster sitcen-on-call", "directors", "--to", "stib", "--by", "Aline",
        "--config", str(here.folder.config),
    )  # fmt: skip
    assert said.code == 0, said
    assert "the contact sheet is on its way to 1" in said.out
    (mail,) = here.until(lambda: mails_to(here, STIB), "a mail to STIB")
    name, text = pdf_of(mail)
    assert name == "contacts-2026-10-13-2100-FR.pdf"
    assert "Aline Inventée" in text
    assert "+32 450 00 00 01" in text
    assert "Denis" not in text
    assert "Omis selon la diffusion permise : 2" in " ".join(text.split())
    assert "EXERCICE" in text.replace(" ", "")
    body = mail.get_body(("plain",))
    assert body is not None
    assert "Garde sitcen-on-call: Aline Inventée +32450000001" in body.get_content().replace("\r\n", " ")
    (attempt,) = [a for a in here.records("attempt") if isinstance(a, r.Attempt) and a.documents]
    with here.journal() as reading:
        (entry,) = reading.vault(attempt.documents)
    assert entry is not None
    assert read_pdf(entry.payload) == text, "what was sent lies in the vault"
    why = here.vigie("why", attempt.order, "--config", str(here.folder.config), "--data", str(here.folder.data))
    assert "Aline sent them the contacts of roster sitcen-on-call, group directors" in why.out
    assert "as it may be seen by partners" in why.out
    assert f"with a document, in the vault under {attempt.documents[0]}" in why.out
    assert not any("Inventée" in repr(record) for record in here.records()), "no name in a record"


def test_by_sms_the_names_and_numbers(here: Room) -> None:
    body = {"contacts": ["person director-a"], "to": ["person officer-b"], "by": "Aline", "channels": ["sms"]}
    assert here.api("POST", "/api/contacts", body).status == 200
    (text,) = here.until(lambda: here.sms_to(OFFICER_B), "an SMS")
    assert "SITCEN, contacten. Denis Fictif: Denis Fictif +32450000011" in text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"contacts": ["roster sitcen-oncall"]}, "sitcen-on-call"),
        ({"contacts": []}, "name at least one"),
        ({"to": ["Stib!"]}, "names nobody"),
        ({"to": ["organisation stibb"]}, "stib"),
        ({"channels": ["call"]}, "read out"),
        ({"channels": ["pigeon"]}, "nobody is reached over pigeon"),
        ({"to": ["crisis-cell"]}, "nobody of them is reached over email"),
    ],
)
def test_what_cannot_be_sent_is_refused(here: Room, changes: dict[str, object], told: str) -> None:
    answer = here.api("POST", "/api/contacts", {"contacts": ["directors"], "to": ["stib"], "by": "Aline"} | changes)
    assert answer.status == 422
    assert told in answer.json()["detail"]
    assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_a_sheet_sends_them(here: Room) -> None:
    answers = {"headline": "Essai", "area": "Ixelles", "decided-by": "moi", "meeting": "salle 1"}
    started = here.api("POST", "/api/start", {"sheet": "provincial-phase", "by": "Aline", "answers": answers})
    assert started.status == 200
    found = here.until(
        lambda: [m for m in mails_to(here, NATIONAL) if list(m.iter_attachments())], "a mail to the national centre"
    )
    _, text = pdf_of(found[0])
    assert "Wacht sitcen-backup" in text
    assert "Bram Verzonnen" in text


def test_at_six_the_call_list_is_mailed_and_lies_in_its_folder(here: Room) -> None:
    assert here.api("POST", "/api/playback/clock", {"at": "2026-10-14T05:59:59+02:00"}).status == 200
    here.until(lambda: mails_to(here, "officer-b@example.org"), "a mail to officer B")
    (mail,) = mails_to(here, "officer-b@example.org")
    name, text = pdf_of(mail)
    assert name == "call-list-2026-10-14-0600-NL.pdf"
    assert "zaterdag 17 oktober 2026, 06:00" in text
    assert "0450 00 00 11" in text
    newest = here.folder.config.parent / "lists" / "call-list-NL.pdf"
    here.until(newest.exists, "a call list in its folder")
    assert "OEFENING" in read_pdf(newest.read_bytes()).replace(" ", "")
    here.until(lambda: here.events(e.PaperDone), "a list that is done")
    assert here.events(e.PaperDone)[0].problem == ""


def test_a_hub_killed_while_it_prints_prints_again_when_it_is_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("printing")
    script, seen = path / "print.py", path / "seen"
    script.write_text(
        "import pathlib, sys, threading\n"
        f"seen = pathlib.Path({str(seen)!r})\n"
        "first = not seen.exists()\n"
        "seen.open('a').write(f'{len(sys.stdin.buffer.read()) > 1000}\\n')\n"
        "first and threading.Event().wait()\n"
    )
    with room(path / "room") as here:
        rhythm = {"at": "06:00", "print": [sys.executable, str(script)]}
        change(here.folder.config / "hub.yaml", lambda hub: hub.update({"call list": rhythm}))
        here.start("--at", EXERCISE_AT)
        assert here.api("POST", "/api/playback/clock", {"at": "2026-10-14T05:59:59+02:00"}).status == 200
        here.until(seen.exists, "a printer that has begun")
        assert here.events(e.PaperDone) == []
        here.kill()
        here.start("--at", "2026-10-14T06:05:00+02:00")
        (done,) = here.until(lambda: here.events(e.PaperDone), "a list that is printed")
        assert done.problem == ""
        assert seen.read_text() == "True\nTrue\n"
        assert len(here.events(e.PaperDue)) == 1
        assert here.stop() == 0
