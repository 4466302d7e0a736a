"""The whole way with a real hub, a real form and a real mail server: a partner asks, a director says yes, the reception
gets the list, officers change it, and it is read while the hub is down."""

import csv
import email
import io
import re
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from pypdf import PdfReader
from ruamel.yaml import YAML

from tests.conftest import ROOT
from tests.edge.running import DIRECTOR_A, OFFICER_A, READY_S, Room, Said, change, code_in, room

CODE = "rouge-pompe-échelle"
RECEPTION = "reception@example.org"
TYPED = {
    "partner": "siamu", "code": CODE, "what": "Match", "who": "police", "from": "2026-11-28T02:10",
    "until": "2036-07-14T23:00", "rooms": "crisis-room", "phone": "+32 2 123 45 67",
    "people": "Jan Janssens, siamu, officier\n=Fatima Verzonnen, siamu, analist",
}  # fmt: skip


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    form: dict[str, Any] = YAML(typ="safe", pure=True).load((ROOT / "config" / "sources.yaml").read_text())
    shipped = form["crisis-centre"] | {"partners": {"siamu": "FORM_SIAMU"}}
    with room(tmp_path_factory.mktemp("access"), sources={"crisis-centre": shipped}, answer_s=60) as made:
        change(made.folder.config / "hub.yaml", lambda hub: hub["access list"].update({"gather": "2 s"}))
        made.begin(VIGIE_FORM_SIAMU=CODE)
        made.until(lambda: made.health().status == 200, "a hub that is ready", READY_S)
        yield made
        made.gone()


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """One in which no hub runs."""
    with room(tmp_path_factory.mktemp("idle")) as made:
        yield made


def send(here: Room, **more: str) -> str:
    """Sends the form; the reference that its page gives."""
    body = urlencode({**TYPED, **more})
    answer = here.request(
        "POST", "/in/crisis-centre?lang=en", body.encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status == 200, answer.body
    found = re.search(r"<code>([^<]+)</code>", answer.body.decode())
    assert found is not None
    return found[1]


def says_yes(here: Room, number: str) -> None:
    (text,) = here.until(lambda: [t for t in here.sms_to(number) if "répondez" in t], f"an ask to {number}")
    here.text(number, f"{code_in(text)} oui")


def done(here: Room, step: str) -> None:
    tasks = here.until(lambda: [t for t in here.status()["tasks"] if t["step"] == step], f"the tasks of {step}")
    for task in tasks:
        assert here.api("POST", f"/api/tasks/{task['id']}/done", {"by": "Aline"}).status == 200


def mails(here: Room) -> list[EmailMessage]:
    found = []
    for path in sorted(here.folder.mail.glob("*.eml")):
        mail = email.message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(mail, EmailMessage)
        found += [mail] if mail["To"] == RECEPTION else []
    return found


def table(mail: EmailMessage) -> dict[str, str]:
    """Name → whether they may come in."""
    (file,) = [part for part in mail.iter_attachments() if part.get_content_type() == "text/csv"]
    payload = file.get_payload(decode=True)
    assert isinstance(payload, bytes)
    rows = csv.DictReader(io.StringIO(payload.decode("utf-8-sig")), delimiter=";")
    return {row["Nom"]: row["État"] for row in rows}


def vigie(here: Room, *words: str) -> Said:
    return here.command("access", *words)


def test_from_the_form_to_the_reception_and_back(here: Room, tmp_path: Path) -> None:
    reference = send(here)
    says_yes(here, OFFICER_A)
    done(here, "form")
    says_yes(here, DIRECTOR_A)
    assert not mails(here), "nobody has confirmed the list yet"
    done(here, "access-list")
    (mail,) = here.until(lambda: mails(here), "a mail to the reception")
    assert table(mail) == {"Jan Janssens": "admis", "'=Fatima Verzonnen": "admis"}
    assert mail["Subject"].endswith(": 2 admis")
    (pdf,) = [part for part in mail.iter_attachments() if part.get_content_type() == "application/pdf"]
    content = pdf.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert "Jan Janssens" in PdfReader(io.BytesIO(content)).pages[0].extract_text()

    shown = vigie(here, "show")
    assert (shown.code, shown.err) == (0, "")
    assert "Jan Janssens, siamu, officier" in shown.out
    (access,) = vigie(here, "show", "--json").json_lines()
    incident = access["admitted"][0]["passes"][0]["incident"]
    (listed,) = [one for one in here.api("GET", "/api/access").json() if one["status"] == "Actual"]
    assert [one["guest"]["name"] for one in listed["admitted"]] == [one["guest"]["name"] for one in access["admitted"]]

    # Three more at two in the morning: by an officer, and by the partner, who names the earlier reference.
    by = ("--by", "Aline", "--why", "called back")
    added = vigie(here, "add", incident, "Karim Bedacht; stib; tolk", *by)
    assert (added.code, added.err) == (0, "")
    assert "1 more may come in" in added.out
    assert vigie(here, "remove", "jan janssens", *by).out.startswith("may not come in any more")
    assert send(here, earlier=reference, people=TYPED["people"] + "\nA Een, siamu, x") == reference
    alarms = here.until(
        lambda: [a for a in here.status()["alarms"] if a["what"] == "access-problem"], "an alarm in the room"
    )
    assert "1 whom an officer took out" in alarms[0]["detail"]
    here.until(
        lambda: (
            table(mails(here)[-1])
            == {
                "'=Fatima Verzonnen": "admis",
                "Karim Bedacht": "admis",
                "A Een": "admis",
                "Jan Janssens": "N’EST PLUS ADMIS",
            }
        ),
        "the list as it is now",
    )

    # The power goes; the list is there all the same, and is what the hub goes on with.
    here.kill()
    paper, sheet = tmp_path / "list.pdf", tmp_path / "list.csv"
    for file in (paper, sheet):
        assert vigie(here, "export", "-o", str(file), "--language", "nl").code == 0
    assert "A Een" in PdfReader(io.BytesIO(paper.read_bytes())).pages[0].extract_text()
    assert "NIET MEER TOEGELATEN;Jan Janssens" in sheet.read_text("utf-8-sig")
    wrong = vigie(here, "export", "-o", str(tmp_path / "list.docx"))
    assert wrong.code == 2
    assert "what kind of file? end its name in .pdf, .html, .txt, .csv" in wrong.err
    assert vigie(here, "export", "--exercise").out.startswith("*** EXERCICE ***")
    assert "nobody may come in" in vigie(here, "show", "--exercise").out
    here.begin(VIGIE_FORM_SIAMU=CODE)
    here.until(lambda: here.health().status == 200, "a hub that is ready", READY_S)
    before = len(mails(here))

    assert here.api("POST", f"/api/incidents/{incident}/end", {"by": "Aline", "why": "over"}).status == 200
    here.until(lambda: len(mails(here)) > before, "the last list")
    assert set(table(mails(here)[-1]).values()) == {"N’EST PLUS ADMIS"}
    assert vigie(here, "show").out.startswith("nobody may come in")
    assert vigie(here, "add", incident, "Te Laat", *by).code == 1
    verified = here.command("journal", "verify")
    assert verified.code == 0, verified
    assert here.stop() == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("add", "none", "x1", "--by", "me", "--why", "x"),
            'nobody can be made of it: write "name, service, function"',
        ),
        (("add", "none", "A B\nC D", "--by", "me", "--why", "x"), "nobody can be made of it"),
        (("until", "none", "tomorrow", "--by", "me", "--why", "x"), "no instant"),
        (("until", "none", "2026-07-14T02:10:00", "--by", "me", "--why", "x"), "has no offset"),
        (("remove", "A B", "--by", "me", "--why", "x"), "no hub answers"),
    ],
)
def test_what_is_asked_wrongly_is_said_with_what_would_be_right(idle: Room, words: tuple[str, ...], said: str) -> None:
    answer = vigie(idle, *words)
    assert answer.code == 2
    assert said in answer.err


def test_without_a_journal_there_is_no_list(idle: Room, tmp_path: Path) -> None:
    answer = vigie(idle, "show", "--data", str(tmp_path))
    assert answer.code == 2
    assert "there is no journal" in answer.err
