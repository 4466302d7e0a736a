"""The whole way with a real hub and a real mail server: a fire, its situation report, an officer's words beside the
facts, an approval, mails with the report as page, PDF and EDXL; the power goes, and all of it is there."""

import email
import io
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from lxml import etree
from pypdf import PdfReader

from hub.model.edxl import SITREP
from hub.model.edxl_check import problems
from tests.edge.running import OFFICER_A, READY_S, Room, Said, code_in, room

AUTHORITY = "haut-fonctionnaire@example.org"
WORDS = "Le vent tourne vers le nord ; les fumées restent hautes."


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with room(tmp_path_factory.mktemp("sitrep"), answer_s=60) as made:
        made.begin()
        made.until(lambda: made.health().status == 200, "a hub that is ready", READY_S)
        yield made


def mails(here: Room, to: str) -> list[EmailMessage]:
    found = []
    for path in sorted(here.folder.mail.glob("*.eml")):
        mail = email.message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(mail, EmailMessage)
        found += [mail] if mail["To"] == to and "Rapport de situation" in str(mail["Subject"]) else []
    return found


def part(mail: EmailMessage, kind: str) -> bytes:
    (found,) = [one for one in mail.iter_attachments() if one.get_content_type() == kind]
    content = found.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def vigie(here: Room, *words: str) -> Said:
    return here.command("report", *words)


def test_from_the_fire_to_the_authorities_and_back(here: Room, tmp_path: Path) -> None:
    answers = {"headline": "Incendie d’entrepôt <b>quai</b>", "area": "Ixelles"}
    started = here.api("POST", "/api/start", {"sheet": "industrial-fire", "by": "officer-a", "answers": answers})
    assert started.status == 200, started.body
    (incident,) = here.until(lambda: [i["id"] for i in here.status()["incidents"]], "an incident")
    (text,) = here.until(lambda: here.sms_to(OFFICER_A), "an ask")
    here.text(OFFICER_A, f"{code_in(text)} oui 20")
    here.until(lambda: here.status()["tasks"], "tasks")

    # The state as it is, read beside the hub: no number, nothing kept.
    now = vigie(here, "sitrep", incident)
    assert (now.code, now.err) == (0, "")
    assert "Incendie d’entrepôt <b>quai</b>" in now.out
    assert "ÉTAT DE LA SITUATION" in now.out
    assert "a accepté et sera là dans 20 minutes" in now.out
    assert vigie(here, "list", incident).out.startswith("there is no report")
    assert vigie(here, "send", incident, "haut-fonctionnaire", "--by", "officer-a").code == 2

    # Drafted, written beside, approved, sent.
    drafted = vigie(here, "draft", incident, "--by", "officer-a", "--approval")
    assert (drafted.code, drafted.err) == (0, "")
    assert "SITREP 1 is drafted, nothing has gone out yet" in drafted.out
    assert here.status()["reports"][0] | {"at": ""} == {
        "incident": incident, "number": 1, "version": 1, "by": "officer-a", "step": "", "at": "", "waits": True,
    }  # fmt: skip
    refused = vigie(here, "send", incident, "haut-fonctionnaire", "--by", "officer-a")
    assert refused.code == 1
    assert "has to be approved first" in refused.err
    edited = vigie(here, "edit", incident, f"outlook={WORDS}", "casualties=Deux blessés légers", "--by", "officer-a")
    assert edited.out.startswith("SITREP 1, version 2")
    stale = vigie(here, "approve", incident, "--by", "director-a", "--version", "1")
    assert stale.code == 1
    assert "at version 2 now, not 1" in stale.err
    assert vigie(here, "edit", incident, "weather=sun", "--by", "officer-a").code == 2
    assert vigie(here, "approve", incident, "--by", "director-a", "--version", "2").out.startswith("approved: send it")
    by_sms = vigie(here, "send", incident, "haut-fonctionnaire", "--by", "officer-a", "--channel", "sms")
    assert "sms carries none" in by_sms.err
    sent = vigie(here, "send", incident, "haut-fonctionnaire", "--by", "officer-a")
    assert (sent.code, sent.err) == (0, "")
    (mail,) = here.until(lambda: mails(here, AUTHORITY), "a mail to the authority")
    page = mail.get_body(("html",))
    plain = mail.get_body(("plain",))
    assert page is not None
    assert plain is not None
    assert "Incendie d’entrepôt &lt;b&gt;quai&lt;/b&gt;" in page.get_content()
    assert WORDS in page.get_content()
    assert WORDS in plain.get_content()
    pdf = "".join(p.extract_text() for p in PdfReader(io.BytesIO(part(mail, "application/pdf"))).pages)
    assert "Deux blessés légers" in pdf
    root = etree.fromstring(part(mail, "application/xml"))
    (element,) = root.iterfind(f".//{{{SITREP}}}sitRep")
    assert problems(element) == []
    assert root.findtext("{*}distributionStatus") == "Actual"
    behind = "".join(str(text) for text in element[2].itertext())
    assert "Centre de situation régional" in behind, "who approved it stands behind it, for a reader who sees no names"
    assert b"Fictif" not in part(mail, "application/xml")
    late = vigie(here, "edit", incident, "outlook=other words", "--by", "officer-a")
    assert late.code == 1
    assert "SITREP 1 is sent" in late.err

    # Why they got it.
    order = next(d["order"] for d in here.status()["deliveries"] if d["message"] == "hub.report")
    why = here.command("why", order)
    assert "this is sitrep 1, version 2" in why.out
    assert "officer-a sent it" in why.out

    # The power goes. It is read while the hub is down, and the next has the next number.
    here.kill()
    file = tmp_path / "sitrep.pdf"
    assert vigie(here, "show", incident, "-o", str(file), "--language", "nl").code == 0
    assert "Situatierapport nr. 1" in PdfReader(io.BytesIO(file.read_bytes())).pages[0].extract_text()
    rows = vigie(here, "list", incident).out
    assert [word for word in ("drafted", "edited", "approved", "sent to") if word not in rows] == []
    here.begin()
    here.until(lambda: here.health().status == 200, "a hub that is ready again", READY_S)
    (task, *_) = here.status()["tasks"]
    assert here.api("POST", f"/api/tasks/{task['id']}/done", {"by": "officer-a"}).status == 200
    assert "SITREP 2 is drafted" in vigie(here, "draft", incident, "--by", "officer-a").out
    second = vigie(here, "show", incident, "--language", "en").out
    assert "Situation report no. 2".upper() in second.upper()
    assert "[NEW] Task done by Aline Inventée" in second
    assert "[NEW] Alert chain" not in second
    assert "Deux blessés" not in second, "what was true an hour ago is not said again by itself"
    old = here.api("POST", f"/api/incidents/{incident}/reports/1/edit", {"by": "x", "written": {"outlook": "y"}})
    assert old.status == 409
    assert here.api("POST", "/api/incidents/nothing/reports", {"by": "x"}).status == 404
    assert vigie(here, "sitrep", "nothing").code == 2
    assert here.stop() == 0
