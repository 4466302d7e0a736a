"""The whole way with a real hub in a process of its own: officers asked by mail alone, a scanner that opens every link,
a button pressed, a mail answered by replying, one that bounces."""

import email
import re
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from hub.model import events as e
from hub.model.message import Outcome, Verb
from tests.edge.imap_servers import PASSWORD, USER, ImapServer, imap_server
from tests.edge.running import READY_S, Room, change, room

PUBLIC = "https://vigie.example.org"
A, B = "officer-a", "officer-b"


def mail_alone(here: Room, server: ImapServer) -> None:
    """Officers are asked by mail alone, all who are on duty at once, two of them must accept."""
    change(here.folder.config / "hub.yaml", lambda hub: hub.setdefault("web", {}).update({"public": PUBLIC}))
    settings = {
        "sender": "Vigie <vigie@example.org>",
        "link secret": "MAIL_LINK_SECRET",
        "imap host": "127.0.0.1",
        "imap port": server.port,
        "imap security": "none",
        "imap user": USER,
        "imap password": "IMAP_PASSWORD",
    }
    change(here.folder.config / "channels.yaml", lambda channels: channels["email"].update(settings))
    people = f"{A}, {B}, officer-c".split(", ")
    tier = {"ask": "group night", "by": ["email"], "for": "60 s"}
    change(here.folder.config / "people.yaml", lambda held: held["groups"].update({"night": people}))
    change(
        here.folder.config / "chains.yaml",
        lambda chains: chains.update({"duty-officers": {"need": 2, "tiers": [tier], "exhausted": "directors"}}),
    )


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Room, ImapServer]]:
    with imap_server() as server, room(tmp_path_factory.mktemp("mail")) as made:
        mail_alone(made, server)
        made.begin(VIGIE_MAIL_LINK_SECRET="m" * 40, VIGIE_IMAP_PASSWORD=PASSWORD)
        made.until(lambda: made.health().status == 200, "a hub that is ready", READY_S)
        made.until(lambda: [f for f in made.facts("cursor") if f.source == "email"], "a mailbox that is read")
        yield made, server
        assert made.stop() == 0
        made.gone()


def mails_to(here: Room, person: str) -> list[EmailMessage]:
    found = []
    for path in sorted(here.folder.mail.glob("*.eml")):
        mail = email.message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(mail, EmailMessage)
        if mail["To"] == f"{person}@example.org":
            found.append(mail)
    return found


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def replies(here: Room, person: str) -> list[Any]:
    return [fact for fact in here.facts("reply") if fact.person == person]


def test_asked_by_mail_one_presses_a_button_one_replies_one_cannot_be_reached(here: tuple[Room, ImapServer]) -> None:
    hub, server = here
    hub.alert("MAIL-1")
    asked = {person: hub.until(lambda p=person: mails_to(hub, p), f"a mail to {person}")[0] for person in (A, B)}
    text = text_of(asked[A])
    link = re.search(rf"{PUBLIC}(/callback/email/answer/\S+)", text)
    assert link is not None
    assert "Oui: répondez" in text, "the mailbox is read, so the code is told, too"

    # The mail scanner of the officer's office.
    for method in ("HEAD", "GET"):
        assert hub.request(method, link[1]).status == 200
    assert hub.facts("reply") == []

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    said = hub.request("POST", link[1], b"answer=20", form)
    assert (said.status, "Votre réponse est enregistrée" in said.body.decode()) == (200, True)
    (answered,) = replies(hub, A)
    assert (answered.verb, answered.eta_min, bool(answered.order)) == (Verb.ACCEPT, 20, True)
    confirmed = hub.until(lambda: mails_to(hub, A)[1:], "a confirmation")[0]
    assert "c'est noté" in text_of(confirmed)
    assert "/answer/" not in text_of(confirmed)

    # The third one's mail comes back: nobody waits for an answer to it.
    third = hub.until(lambda: mails_to(hub, "officer-c"), "a mail to the third")[0]
    server.deliver(bounce_of(third))
    failed = hub.until(
        lambda: [m for d in hub.events(e.Delivered) for m in d.moves if m[1] is Outcome.FAILED], "a failed delivery"
    )
    assert failed[0][2] == "mail failed: 5.1.1 (no such mailbox)"

    # The second one is out of office, and then answers all the same.
    server.deliver(answer_to(asked[B], "Ja, ik ben terug op maandag.", "1", Auto_Submitted="auto-replied"))
    letters = hub.until(lambda: hub.facts("dead-letter"), "a dead letter")
    assert "no answer" in letters[0].reason
    assert replies(hub, B) == []
    server.deliver(answer_to(asked[B], "Ja, 10 min\r\n\r\nOp di 14 jul schreef Vigie:\r\n> Nee: AB NEE", "2"))
    (answered,) = hub.until(lambda: replies(hub, B), "a reply by mail")
    assert (answered.verb, answered.eta_min, answered.channel) == (Verb.ACCEPT, 10, "email")
    hub.until(lambda: [x for x in hub.events(e.RunEnded) if x.outcome == "accepted"], "a chain that is filled")

    # Twice the same link: the journal holds the first answer, and says no more.
    again = hub.request("POST", link[1], b"answer=decline", form)
    assert again.status == 409
    assert len(replies(hub, A)) == 1
    for kind in ("reply", "receipts", "dead-letter", "decision", "attempt"):
        assert (records := hub.records(kind)), kind
        assert not any("@example.org" in repr(record) for record in records), f"{kind}: an address is personal"


def answer_to(asked: EmailMessage, text: str, number: str, **headers: str) -> bytes:
    made = EmailMessage()
    made["From"] = str(asked["To"])
    made["To"] = USER
    made["Subject"] = f"Re: {asked['Subject']}"
    made["Message-ID"] = f"<{number}@example.net>"
    made["In-Reply-To"] = str(asked["Message-ID"])
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made.as_bytes()


def bounce_of(asked: EmailMessage) -> bytes:
    """As a mail server writes it (RFC 3464)."""
    lines = [
        "From: MAILER-DAEMON@example.org", f"To: {USER}", "Message-ID: <bounce@example.org>", "Return-Path: <>",
        "MIME-Version: 1.0", 'Content-Type: multipart/report; report-type=delivery-status; boundary="b"', "",
        "--b", "Content-Type: text/plain", "", "Sorry.",
        "--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example.org", "",
        f"Final-Recipient: rfc822; {asked['To']}", "Action: failed", "Status: 5.1.1", "",
        "--b", "Content-Type: text/rfc822-headers", "", f"Message-ID: {asked['Message-ID']}", "", "--b--", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def test_the_configuration_that_this_ran_on_has_no_fault(here: tuple[Room, ImapServer]) -> None:
    hub, _ = here
    said = hub.vigie("check", "--json", "--config", str(hub.folder.config))
    assert said.code in (0, 1), said
    about = [f for f in said.json_lines() if f["file"].endswith(("channels.yaml", "chains.yaml"))]
    assert [f for f in about if not f.get("warning")] == []
