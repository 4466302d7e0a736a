"""What a mail that comes in means: an answer, news of a mail of ours, or neither."""

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mail.mime import message_id
from connectors.mail.proof import proven
from connectors.mail.reading import Rules, read
from hub.connector import BadItem, Item, ReceiptItem, ReplyItem
from hub.model.message import Outcome, Verb
from hub.people.answers import understand
from tests.contracts.channel import outgoing

RULES = Rules(channel="email", domain="example.org")
PROVING = Rules(channel="email", domain="example.org", trusted_results="mx.example.org")
OURS = "<01J0000000000000000000000A.7@example.org>"
ORDER = "01J0000000000000000000000A"
ANNE = "anne@example.org"


def mail(text: str = "oui", html: str = "", **headers: str) -> bytes:
    """A mail from Anne that replies to one of ours; `headers` with underscores, `""` leaves one out."""
    made = EmailMessage()
    given = {
        "From": f"Anne <{ANNE}>",
        "To": "answers@example.org",
        "Subject": "Re: Storm",
        "Message-ID": "<1@example.net>",
        "In-Reply-To": OURS,
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in given.items():
        if value:
            made[name] = value
    if text or not html:
        made.set_content(text)
    if html and text:
        made.add_alternative(html, subtype="html")
    elif html:
        made.set_content(html, subtype="html")
    return made.as_bytes()


def items(raw: bytes, rules: Rules = RULES) -> list[Item]:
    return read(raw, "7.1", rules)


def reply_of(raw: bytes, rules: Rules = RULES) -> ReplyItem:
    [found] = [item for item in items(raw, rules) if isinstance(item, ReplyItem)]
    return found


def bad_of(found: list[Item]) -> BadItem:
    [bad] = [item for item in found if isinstance(item, BadItem)]
    return bad


# --- an answer ---------------------------------------------------------------------------------------------


def test_a_reply_is_bound_to_the_mail_it_answers() -> None:
    reply, receipt = items(mail("Oui, 20 min"))
    assert isinstance(reply, ReplyItem)
    assert (reply.order, reply.index, reply.address, reply.verb) == (ORDER, 7, ANNE, None)
    assert understand(reply.text).eta_min == 20
    assert isinstance(receipt, ReceiptItem), "whoever answers has received it"
    assert (receipt.order, receipt.index, receipt.outcome) == (ORDER, 7, Outcome.DELIVERED)


@pytest.mark.parametrize(
    ("references", "bound"),
    [
        (f"<other@example.net> {OURS}", (ORDER, 7)),
        (f"<OLDER.1@example.org> {OURS} <theirs@example.net>", (ORDER, 7)),
        ("<ORDER.1@elsewhere.example>", ("", 0)),
        ("<no-delivery@example.org>", ("", 0)),
        ("garbage", ("", 0)),
    ],
)
def test_references_count_from_the_last_to_the_first_and_only_ours(references: str, bound: tuple[str, int]) -> None:
    reply = reply_of(mail(In_Reply_To="", References=references))
    assert (reply.order, reply.index) == bound


def test_a_reply_to_a_mail_that_asked_nothing_is_understood_by_its_words() -> None:
    asked_nothing = message_id(outgoing(ANNE, order=ORDER, index=7, ask=None), "example.org")
    assert asked_nothing != OURS == message_id(outgoing(ANNE, order=ORDER, index=7), "example.org")
    reply, receipt = items(mail("AB", In_Reply_To=asked_nothing))
    assert isinstance(reply, ReplyItem)
    assert (reply.order, reply.verb, reply.text) == ("", None, "AB")
    assert isinstance(receipt, ReceiptItem)
    assert (receipt.order, receipt.index) == (ORDER, 7)


OUTLOOK = """<html><head><style>p {margin:0}</style></head><body><p>Ich komme, 30 Minuten</p>
<div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>Von:</b> Vigie<br></div>
<div>Nein: antworten Sie AB NEIN.</div></body></html>"""
GMAIL = """<div dir="ltr">Ja, ik kom<br></div><br><div class="gmail_quote">
<div>Op di 14 jul 2026 schreef Vigie:<br></div>
<blockquote>Ja: antwoord AB. Nee: AB NEE.</blockquote></div>"""
APPLE = "<html><body>D’accord<br><br><blockquote type='cite'>Non&nbsp;: AB NON</blockquote></body></html>"


@pytest.mark.parametrize(
    ("html", "eta"), [(OUTLOOK, 30), (GMAIL, None), (APPLE, None), ("<p>OK</p><p>-- <br>Anne</p>", None)]
)
def test_a_mail_of_html_alone_is_read_without_what_it_quotes(html: str, eta: int | None) -> None:
    understood = understand(reply_of(mail("", html)).text)
    assert (understood.verb, understood.eta_min) == (Verb.ACCEPT, eta)


def test_words_behind_a_quotation_are_not_lost() -> None:
    text = reply_of(mail("", "<div>ja<blockquote>x</blockquote> maar niet nu</div>")).text
    assert understand(text).verb is Verb.UNCLEAR
    assert "maar niet nu" in text


def test_text_comes_before_html_and_an_encoding_nobody_knows_is_read_all_the_same() -> None:
    assert reply_of(mail("nee", "<p>ja</p>")).text == "nee"
    odd = mail("d'accord").replace(b'charset="utf-8"', b'charset="x-no-such"')
    assert reply_of(odd).text == "d'accord"
    assert reply_of(mail("", "<p></p>")).text == ""


def test_the_same_mail_has_the_same_key_wherever_it_lies() -> None:
    first, second = read(mail(), "7.1", RULES)[0], read(mail(), "8.5", RULES)[0]
    assert first.key == second.key
    assert "example" not in first.key, "a Message-ID may name somebody's machine"
    without = mail(Message_ID="")
    assert (
        read(without, "7.1", RULES)[0].key == read(without, "7.1", RULES)[0].key != read(without, "7.2", RULES)[0].key
    )


# --- who it is from ----------------------------------------------------------------------------------------


def test_a_fresh_mail_that_nobody_proves_counts_for_nothing_and_is_told() -> None:
    found = items(mail(In_Reply_To=""))
    reply = next(item for item in found if isinstance(item, ReplyItem))
    assert (reply.verb, reply.order) == (Verb.UNCLEAR, "")
    assert "nobody proves its sender" in bad_of(found).reason


def test_a_fresh_mail_whose_sender_is_proven_is_understood_by_its_words() -> None:
    reply = reply_of(mail(In_Reply_To="", Authentication_Results="mx.example.org; dmarc=pass"), PROVING)
    assert (reply.verb, reply.order, reply.text) == (None, "", "oui")


def test_a_forged_sender_does_not_count_even_with_our_message_id() -> None:
    found = items(
        mail(Authentication_Results="mx.example.org; spf=pass smtp.mailfrom=x@evil.example; dmarc=fail"), PROVING
    )
    [reply] = [item for item in found if isinstance(item, ReplyItem)]
    assert reply.verb is Verb.UNCLEAR
    assert "dmarc=fail" in bad_of(found).reason
    assert ANNE not in bad_of(found).reason
    assert not [item for item in found if isinstance(item, ReceiptItem)]


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        (["mx.example.org; dmarc=pass header.from=example.org"], ""),
        (["mx.example.org; dmarc=pass header.from=evil.example"], "dmarc passed for another domain"),
        (["MX.example.org 1; dkim=none; DMARC=Pass (p=reject) header.from=example.org"], ""),
        (["mx.example.org; dmarc=none; dkim=pass header.d=example.org"], ""),
        (["mx.example.org; spf=pass smtp.mailfrom=anne@example.org"], ""),
        (["mx.example.org; spf=pass smtp.mailfrom=bounce@sub.example.org"], "no check of the sender's domain passed"),
        (["mx.example.org; dkim=pass header.d=evil.example"], "no check of the sender's domain passed"),
        (["mx.example.org; dkim=pass (see header.d=example.org) header.d=evil.example"], "no check of"),
        (["mx.example.org; dkim=pass header.d=ample.org"], "no check of the sender's domain passed"),
        (["mx.example.org; dmarc=fail; dkim=pass header.d=example.org"], "dmarc=fail"),
        (["mx.example.org; dmarc=temperror"], "dmarc=temperror"),
        (["mx.example.org; dmarc=pass; dmarc=fail"], "dmarc=fail"),
        (["mx.example.org; none"], "no check of the sender's domain passed"),
        (["evil.example; dmarc=pass"], "mx.example.org wrote no result"),
        (["mx.example.org; dmarc=fail", "mx.example.org; dmarc=pass"], "dmarc=fail"),  # only the topmost is believed
        (["evil.example; dmarc=pass", "mx.example.org; dmarc=pass"], ""),
        ([], "mx.example.org wrote no result"),
        ([""], "mx.example.org wrote no result"),
        (["(((mx.example.org; dmarc=pass"], "mx.example.org wrote no result"),
    ],
)
def test_what_proves_a_sender(headers: list[str], why: str) -> None:
    found = proven(headers, "mx.example.org", ANNE)
    assert found.startswith(why) if why else found == ""


def test_no_sender_or_several_are_a_dead_letter() -> None:
    for sender in ("", "anne@example.org, bart@example.org", "Anne"):
        found = items(mail(From=sender))
        assert [type(item) for item in found] == [BadItem]
        assert "an answer has one" in bad_of(found).reason


def test_a_second_from_header_is_not_overlooked() -> None:
    twice = b"From: bart@example.org\r\n" + mail(Authentication_Results="mx.example.org; dmarc=pass")
    assert [type(item) for item in items(twice, PROVING)] == [BadItem]


# --- machines ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; owner-email=x"},
        {"Precedence": "bulk"},
        {"Precedence": "Auto_Reply"},
        {"X_Autoreply": "yes"},
        {"X_Autorespond": "Re: Storm"},
        {"Return_Path": "<>"},
        {"From": "MAILER-DAEMON@example.org"},
        {"List_Id": "<all.example.org>"},
        {"Subject": "Automatic reply: Storm"},
        {"Subject": "Réponse automatique : Orage"},
        {"Subject": "Automatisch antwoord: Storm"},
        {"Subject": "Abwesenheitsnotiz: Unwetter"},
    ],
    ids=lambda headers: " ".join(headers.values()),
)
def test_what_a_machine_wrote_is_no_answer(headers: dict[str, str]) -> None:
    found = items(mail("oui", **headers))
    assert not [item for item in found if isinstance(item, ReplyItem)]
    assert "no answer" in bad_of(found).reason


def test_out_of_office_shows_that_the_mailbox_exists_and_nothing_else() -> None:
    found = items(mail("Ja, ik ben terug op maandag.", Auto_Submitted="auto-replied"))
    [receipt] = [item for item in found if isinstance(item, ReceiptItem)]
    assert (receipt.outcome, receipt.reason) == (Outcome.DELIVERED, "automatic reply: not read by anybody yet")


def test_what_a_person_wrote_is_one() -> None:
    assert reply_of(mail(Auto_Submitted="no", Precedence="normal", Subject="Re: Automatic reply")).verb is None


# --- bounces -----------------------------------------------------------------------------------------------

BOUNCE = f"""\
From: MAILER-DAEMON@mx.example.org
To: vigie@example.org
Return-Path: <>
Message-ID: <bounce@mx.example.org>
Auto-Submitted: auto-replied
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry. Ja, oui, yes: {ANNE} does not exist.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; {ANNE}
Action: ACTION
Status: STATUS
Diagnostic-Code: smtp; 550 5.1.1 <{ANNE}> unknown

--b
Content-Type: RETURNED

Message-ID: {OURS}
From: vigie@example.org
Subject: Storm

--b--
"""


def bounce(action: str, status: str, returned: str = "message/rfc822") -> bytes:
    made = BOUNCE.replace("ACTION", action).replace("STATUS", status).replace("RETURNED", returned)
    return made.replace("\n", "\r\n").encode()


@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers"])
@pytest.mark.parametrize(
    ("action", "status", "outcome", "reason"),
    [
        ("failed", "5.1.1", Outcome.FAILED, "mail failed: 5.1.1 (no such mailbox)"),
        ("Failed", "5.1.6 (moved)", Outcome.FAILED, "mail failed: 5.1.6 (the address is wrong)"),
        ("failed", "5.2.2", Outcome.FAILED, "mail failed: 5.2.2 (the mailbox is full)"),
        ("failed", "5.7.26", Outcome.FAILED, "mail failed: 5.7.26 (refused by its mail server's rules)"),
        ("failed", "nonsense", Outcome.FAILED, "mail failed:"),
        ("delayed", "4.4.1", Outcome.SENT, "mail delayed: 4.4.1 (its mail server cannot be reached)"),
        ("delivered", "2.1.5", Outcome.DELIVERED, ""),
    ],
)
def test_a_bounce_tells_what_became_of_our_mail(
    action: str, status: str, outcome: Outcome, reason: str, returned: str
) -> None:
    [receipt] = items(bounce(action, status, returned))
    assert isinstance(receipt, ReceiptItem)
    assert (receipt.order, receipt.index, receipt.outcome, receipt.reason) == (ORDER, 7, outcome, reason)


def test_a_bounce_of_no_mail_of_ours_or_of_no_known_action_is_a_dead_letter() -> None:
    foreign = bounce("failed", "5.1.1").replace(b"example.org>\r\nFrom: vigie", b"elsewhere.example>\r\nFrom: vigie")
    assert "no mail of ours" in bad_of(items(foreign)).reason
    assert "no action known" in bad_of(items(bounce("exploded", "5.0.0"))).reason


def test_a_read_receipt_says_that_it_arrived() -> None:
    raw = (
        f"From: {ANNE}\r\nMessage-ID: <mdn@x>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nread\r\n"
        f"--b\r\nContent-Type: message/disposition-notification\r\n\r\nOriginal-Message-ID: {OURS}\r\n"
        "Disposition: manual-action/MDN-sent-manually; displayed\r\n\r\n--b--\r\n"
    ).encode()
    [receipt] = items(raw)
    assert isinstance(receipt, ReceiptItem)
    assert (receipt.order, receipt.outcome) == (ORDER, Outcome.DELIVERED)


# --- what a stranger may send ------------------------------------------------------------------------------


@given(st.binary(max_size=400))
def test_reading_chance_raises_nothing(raw: bytes) -> None:
    for item in read(raw, "1.1", PROVING):
        assert isinstance(item, ReplyItem | BadItem | ReceiptItem)


@given(st.integers(0, 2000), st.integers(0, 2000), st.sampled_from([b"\xff", b"\x00", b"=", b"<", b"\r\n\r\n", b";"]))
def test_reading_what_is_nearly_right_raises_nothing(cut: int, at: int, junk: bytes) -> None:
    for whole in (bounce("failed", "5.1.1"), mail("ja", OUTLOOK), mail("", GMAIL)):
        at_ = at % len(whole)
        spoilt = (whole[:at_] + junk + whole[at_ + 1 :])[: cut or None]
        for item in read(spoilt, "1.1", RULES):
            assert item.key
            if isinstance(item, BadItem):
                assert item.original == spoilt
