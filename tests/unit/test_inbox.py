"""What the permanence's mails become: signals by rules, dead letters, or nothing, which is counted."""

import email
import hashlib
import time
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mail.inbox import CIRCLE_MOST, Circles, Place
from connectors.mail.inbox_config import InboxConfig
from connectors.mail.inbox_reading import Reading, read_mail
from connectors.mail.mime import Envelope, compose
from connectors.mail.parts import content_of, unflowed
from connectors.mail.source import MailSource
from hub.auditor import tell
from hub.connector import BadItem, SignalItem
from hub.model.signal import Hazard, Info, MsgType, Severity, Signal, Status
from hub.model.trust import Reliability
from tests.contracts.channel import outgoing
from tests.unit.nasty_mails import NASTY, attached, bomb

NOW = datetime(2026, 7, 14, 0, 15, tzinfo=UTC)
PROVEN = "mx.example.org; dmarc=pass header.from=siamu.example"
RULE: dict[str, Any] = {
    "name": "siamu",
    "from": "siamu.example",
    "sender": "siamu",
    "subject": r"(?i)incident (?P<number>\d+): (?P<what>[^,]+), (?P<place>.+)",
    "find": r"Niveau : (?P<level>\w+)",
    "identifier": "{number}",
    "headline": "{what} ({place})",
    "area": "{place}",
    "hazard": "{what}",
    "severity": "{level}",
    "words": {"hazard": {"fuite de gaz": "gas-leak"}, "severity": {"rouge": "Severe"}},
    "update": "(?i)mise à jour",
    "cancel": "(?i)fin d.alerte",
    "exercise": r"\bEXERCICE\b",
    "lasts": "6 h",
    "parameters": {"level": "{level}"},
    "cap": True,
}


def config(*rules: dict[str, Any], **settings: Any) -> InboxConfig:
    base = {
        "host": "imap.example.org",
        "user": "permanence@example.org",
        "password": "IMAP",
        "trusted_results": "mx.example.org",
        "ours": ["vigie@example.org"],
        "rules": list(rules),
    }
    return msgspec.convert(base | settings, InboxConfig, strict=False)


CONFIG = config(RULE)


TEXT = "Rue Haute 12.\nNiveau : rouge"


def mail(subject: str = "Incident 4711: fuite de gaz, Ixelles", text: str = TEXT, **headers: str) -> bytes:
    """A mail of the fire service's, proven; `headers` with underscores, `""` leaves one out."""
    made = EmailMessage()
    given = {
        "From": "Dispatch <dispatch@siamu.example>",
        "To": "permanence@example.org",
        "Date": "Tue, 14 Jul 2026 02:10:00 +0200",
        "Message-ID": "<1@siamu.example>",
        "Subject": subject,
        "Authentication-Results": PROVEN,
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in given.items():
        if value:
            made[name] = value
    made.set_content(text)
    return made.as_bytes()


def reading(raw: bytes, by: InboxConfig = CONFIG) -> Reading:
    return read_mail(raw, len(raw), "1.1", by, NOW)


def item_of(raw: bytes, by: InboxConfig = CONFIG) -> SignalItem:
    [item] = reading(raw, by).items
    assert isinstance(item, SignalItem)
    return item


def signal_of(raw: bytes, by: InboxConfig = CONFIG) -> Signal:
    return item_of(raw, by).signal


def info_of(raw: bytes, by: InboxConfig = CONFIG) -> Info:
    [info] = signal_of(raw, by).infos
    return info


def named(info: Info) -> dict[str, str]:
    return {one.name: one.value for one in info.parameters}


# --- rules -------------------------------------------------------------------------------------------------


def test_a_rule_makes_a_signal_of_subject_and_text() -> None:
    item = item_of(mail())
    signal, [info] = item.signal, item.signal.infos
    assert (signal.sender, signal.identifier, signal.msg_type) == ("siamu", "4711", MsgType.ALERT)
    assert signal.sent == datetime(2026, 7, 14, 0, 10, tzinfo=UTC)
    assert (info.headline, info.hazard, info.severity) == ("fuite de gaz (Ixelles)", Hazard.GAS_LEAK, Severity.SEVERE)
    assert info.areas[0].description == "Ixelles"
    assert info.expires == signal.sent + timedelta(hours=6)
    assert info.description == "Rue Haute 12.\nNiveau : rouge"
    assert named(info)["mail_verified"] == "yes"
    assert named(info)["level"] == "rouge"
    assert item.reliability is None


def test_update_and_cancel_find_what_they_are_about_by_the_number() -> None:
    update = signal_of(mail("Incident 4711: fuite de gaz, Ixelles", "Mise à jour : maîtrisée", Message_ID="<2@x>"))
    assert (update.msg_type, update.identifier) == (MsgType.UPDATE, "4711")
    cancel = signal_of(mail("Incident 4711: fuite de gaz, Ixelles", "Fin d'alerte", Message_ID="<3@x>"))
    assert (cancel.msg_type, cancel.identifier) == (MsgType.CANCEL, "3@x")
    for signal in (update, cancel):
        assert [(r.sender, r.identifier) for r in signal.references] == [("siamu", "4711")]


def test_without_a_number_the_mail_that_is_answered_is_meant() -> None:
    by = config(RULE | {"identifier": ""})
    first = signal_of(mail(), by)
    cancel = signal_of(mail(text="Fin d'alerte", In_Reply_To="<1@siamu.example>", Message_ID="<2@siamu.example>"), by)
    assert cancel.references[0].identifier == first.identifier
    lost = signal_of(mail(text="Fin d'alerte", Message_ID="<2@siamu.example>"), by)
    assert (lost.msg_type, lost.references) == (MsgType.CANCEL, ())
    assert "not of what" in " ".join(lost.notes)


def test_an_exercise_is_one() -> None:
    assert signal_of(mail(text="EXERCICE EXERCICE")).status is Status.EXERCISE
    assert signal_of(mail()).status is Status.ACTUAL


def test_a_word_no_rule_knows_is_a_note_and_nothing_is_guessed() -> None:
    signal = signal_of(mail(text="Niveau : mauve"))
    assert signal.infos[0].severity is Severity.UNKNOWN
    assert "'mauve' means nothing here" in " ".join(signal.notes)


def test_the_first_rule_that_fits_is_used_and_a_stranger_is_a_stranger() -> None:
    by = config({"name": "any", "subject": "(?i)essai", "headline": "essai"}, RULE)
    assert info_of(mail("Incident 1: essai, X"), by).headline == "essai"
    assert reading(mail("Incident 1: feu, X"), by).rule == "siamu"
    strange = mail("Fuite de gaz rue Haute", From="anne@example.net", Authentication_Results="")
    assert reading(strange, by).rule == "stranger"
    item = item_of(strange, by)
    assert item.signal.sender == "unproven:anne@example.net"
    assert item.signal.infos[0].hazard is Hazard.GAS_LEAK, "by its words"


def test_who_is_ignored_is_ignored_for_a_reason() -> None:
    by = config({"name": "newsletter", "from": "siamu.example", "ignore": "the weekly newsletter"}, strangers="ignore")
    found = reading(mail(), by)
    assert (found.ignored, found.why, found.rule, found.items) == ("rule", "the weekly newsletter", "newsletter", ())
    assert reading(mail(From="a@b.example"), by).ignored == "stranger"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Début 14/07/2026 08:30", "2026-07-14T06:30:00+00:00"),
        ("Début 14-07-2026 08u30", "2026-07-14T06:30:00+00:00"),
        ("Début 2026-07-14T08:30+02:00", "2026-07-14T06:30:00+00:00"),
        ("Début 23:05", "2026-07-14T21:05:00+00:00"),
        ("Début 01:50", "2026-07-13T23:50:00+00:00"),
        ("Début 31/02/2026 08:30", None),
    ],
)
def test_times_are_read_as_people_write_them(written: str, read: str | None) -> None:
    by = config({"name": "t", "body": "Début (?P<at>.+)", "onset": "{at}"})
    signal = signal_of(mail(text=written), by)
    onset = signal.infos[0].onset
    assert (onset and onset.isoformat()) == read
    assert bool(signal.notes) == (read is None)


# --- whom to believe ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "results",
    [
        "",
        "mx.example.org; dmarc=fail",
        "evil.example; dmarc=pass",
        "mx.example.org; dmarc=pass header.from=evil.example",
    ],
)
def test_a_forged_sender_is_a_stranger_whatever_rule_names_it(results: str) -> None:
    item = item_of(mail(Authentication_Results=results))
    assert item.reliability is Reliability.F
    assert item.signal.sender == "unproven:dispatch@siamu.example"
    assert item.signal.identifier == "1@siamu.example"
    info = item.signal.infos[0]
    assert (named(info)["mail_verified"], named(info)["mail_rule"]) == ("no", "stranger")
    assert named(info)["mail_doubt"]


def test_a_forged_mail_withdraws_nothing_a_proven_one_said() -> None:
    by = config({"name": "any", "subject": r"(?P<n>\d+)", "identifier": "{n}", "cancel": "Fin"})
    cancel = signal_of(mail(text="Fin", Authentication_Results=""), by)
    assert cancel.references[0].sender == "unproven:dispatch@siamu.example"
    assert signal_of(mail(text="Fin"), by).references[0].sender == "dispatch@siamu.example"


def test_without_a_server_that_is_trusted_nobody_is_proven_unless_all_are() -> None:
    assert item_of(mail(), config(RULE, trusted_results="")).reliability is Reliability.F
    assert item_of(mail(), config(RULE, trusted_results="", believe_all=True)).reliability is None


def test_two_senders_are_nobody() -> None:
    for headers in (
        b"From: a@siamu.example, b@siamu.example\r\n",
        b"From: a@siamu.example\r\nFrom: b@siamu.example\r\n",
    ):
        raw = headers + mail(From="")
        assert item_of(raw, config(RULE, trusted_results="", believe_all=True)).reliability is Reliability.F


def test_a_domain_is_itself_and_what_is_below_it() -> None:
    for sender, fits in (("x@siamu.example", True), ("x@mail.siamu.example", True), ("x@notsiamu.example", False)):
        raw = mail(From=sender, Authentication_Results=f"mx.example.org; spf=pass smtp.mailfrom={sender}")
        assert (reading(raw).rule == "siamu") == fits


# --- no loops ----------------------------------------------------------------------------------------------

OUR_MAIL = compose(
    outgoing("permanence@example.org", order="01J0000000000000000000000A", subject="Gaz"),
    Envelope(sender="Vigie <other@elsewhere.example>", domain="elsewhere.example"),
    NOW,
)
ANYBODY = config({"name": "all", "automatic": True}, ours=())
OUR_ID = str(OUR_MAIL["Message-ID"])


def without(made: EmailMessage, *names: str) -> bytes:
    copy = email.message_from_bytes(made.as_bytes())
    for name in names:
        del copy[name]
    return copy.as_bytes()


def test_no_mail_of_vigies_becomes_a_signal_whatever_rules_say() -> None:
    assert reading(OUR_MAIL.as_bytes(), ANYBODY).ignored == "ours"
    assert reading(without(OUR_MAIL, "X-Loop", "Auto-Submitted"), ANYBODY).ignored == "ours", "by its Message-ID"
    assert reading(without(OUR_MAIL, "Message-ID"), ANYBODY).ignored == "ours", "by its mark"
    assert reading(mail(From="permanence@example.org"), ANYBODY).ignored == "ours", "the mailbox's own address"
    assert reading(mail(From="vigie@example.org")).ignored == "ours"


def test_the_auditors_mails_carry_the_mark() -> None:
    assert 'message["X-Loop"] = "vigie"' in Path(str(tell.__file__)).read_text()


@pytest.mark.parametrize("header", ["In_Reply_To", "References"])
def test_what_answers_or_forwards_one_of_ours_is_none(header: str) -> None:
    assert reading(mail("FW: Gaz", **{header: OUR_ID}), ANYBODY).ignored == "ours"


def test_one_of_ours_inside_another_is_found() -> None:
    made = email.message_from_bytes(mail("FW"), policy=email.policy.default)
    assert isinstance(made, EmailMessage)
    made.add_attachment(OUR_MAIL)
    assert reading(made.as_bytes(), ANYBODY).ignored == "ours"


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated", "X_Autoreply": "yes"},
        {"Return_Path": "<>"},
        {"From": "MAILER-DAEMON@siamu.example"},
        {"From": "postmaster@siamu.example"},
        {"subject": "Réponse automatique : incident 1: x, y"},
        {"subject": "Automatisch antwoord: x"},
        {"Precedence": "auto_reply"},
    ],
    ids=str,
)
def test_what_a_machine_answers_is_never_news(headers: dict[str, str]) -> None:
    assert reading(mail(**headers), ANYBODY).ignored == "answer"


def test_bounces_are_no_news() -> None:
    made = b"From: x@siamu.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
    made += b"--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n\r\n--b--\r\n"
    assert reading(made, ANYBODY).ignored == "report"


@pytest.mark.parametrize(
    "headers", [{"Auto_Submitted": "auto-generated"}, {"Precedence": "bulk"}, {"List_Id": "<a.b>"}]
)
def test_a_partners_machine_may_tell_something_a_strangers_may_not(headers: dict[str, str]) -> None:
    assert reading(mail(**headers)).rule == "siamu"
    assert reading(mail(From="a@b.example", **headers)).ignored == "machine"
    assert reading(mail(**headers), config(RULE | {"automatic": False})).ignored == "machine"


def test_what_goes_round_in_a_circle_has_something_in_common() -> None:
    first = reading(mail("Hello", From="a@b.example"))
    again = reading(mail("Fwd: RE: hello", From="a@b.example", Message_ID="<2@x>"))
    assert first.about == again.about != ""
    assert reading(mail()).about == "", "a partner's alerts under one subject are no circle"
    assert reading(mail("FW: incident 1: x, y")).about != ""
    circles = Circles()
    turns = [circles.seen("a", NOW + timedelta(minutes=n)) for n in range(25)]
    assert turns == list(range(1, 26))
    assert turns[-1] > CIRCLE_MOST
    assert circles.seen("a", NOW + timedelta(hours=2)) == 1
    assert circles.seen("b", NOW) == 1


# --- forwarding --------------------------------------------------------------------------------------------

COLLEAGUE = {"name": "colleagues", "from": "example.org", "forwarded": True}


def forward(inner: bytes, **headers: str) -> bytes:
    given = {"From": "anne@example.org", "Authentication_Results": "mx.example.org; dmarc=pass"} | headers
    made = email.message_from_bytes(mail("FW: voir", "ci-joint", **given), policy=email.policy.default)
    assert isinstance(made, EmailMessage)
    made.add_attachment(email.message_from_bytes(inner, policy=email.policy.default))
    return made.as_bytes()


def test_the_forwarded_sender_counts_where_the_rule_says_so() -> None:
    signal = signal_of(forward(mail()), config(COLLEAGUE, RULE))
    assert (signal.sender, signal.identifier) == ("siamu", "4711")
    assert named(signal.infos[0])["mail_forwarded_by"] == "anne@example.org"
    twice = signal_of(forward(forward(mail())), config(COLLEAGUE, RULE))
    assert twice.identifier == "4711"


def test_else_it_is_a_mail_with_an_attachment() -> None:
    info = info_of(forward(mail()), config(COLLEAGUE | {"forwarded": False}, RULE))
    assert info.headline == "FW: voir"
    assert named(info)["attachments"] == "Incident 4711: fuite de gaz, Ixelles.eml"


def test_an_unproven_forwarder_proves_nobody() -> None:
    item = item_of(forward(mail(), Authentication_Results=""), config(COLLEAGUE, RULE))
    assert item.reliability is Reliability.F
    assert item.signal.sender == "unproven:anne@example.org"


# --- CAP ---------------------------------------------------------------------------------------------------

CAP = b"""<?xml version="1.0"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>A1</identifier>
<sender>siamu</sender><sent>2026-07-14T02:10:00+02:00</sent><status>Actual</status><msgType>Alert</msgType>
<scope>Public</scope><info><category>Fire</category><event>Fire</event><urgency>Immediate</urgency>
<severity>Severe</severity><certainty>Observed</certainty></info></alert>"""


def with_cap(data: bytes, name: str = "alert.xml", media_type: str = "application/octet-stream") -> bytes:
    made = email.message_from_bytes(mail(), policy=email.policy.default)
    assert isinstance(made, EmailMessage)
    kind, _, detail = media_type.partition("/")
    made.add_attachment(data, maintype=kind, subtype=detail, filename=name)
    return made.as_bytes()


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("alert.xml", "application/octet-stream"), ("x", "application/cap+xml"), ("a.cap", "application/x-what")],
)
def test_a_cap_alert_attached_is_read_as_such(name: str, media_type: str) -> None:
    signal = signal_of(with_cap(CAP, name, media_type))
    assert (signal.sender, signal.identifier, signal.infos[0].hazard) == ("siamu", "A1", Hazard.FIRE)
    assert named(signal.infos[0])["mail_verified"] == "yes"
    assert signal.infos[0].resources[0].description == name
    assert "attached to a mail" in signal.notes[-1]


def test_a_broken_cap_alert_is_a_dead_letter_and_the_mail_a_signal() -> None:
    signal, bad = reading(with_cap(CAP.replace(b"<sender>siamu</sender>", b""))).items
    assert isinstance(signal, SignalItem)
    assert signal.signal.identifier == "4711"
    assert isinstance(bad, BadItem)
    assert bad.reason.startswith("alert.xml: sender is missing")


EMSI = b"""<emsi><CONTEXT><ID>m-1</ID><MODE>EXERCS</MODE><MSGTYPE>ALERT</MSGTYPE><ORIGIN><ORG_ID>siamu</ORG_ID></ORIGIN>
</CONTEXT><EVENT><ID>e-1</ID><NAME>Fire</NAME></EVENT></emsi>"""
ENVELOPE = (
    b'<EDXLDistribution xmlns="urn:oasis:names:tc:emergency:EDXL:DE:1.0"><contentObject><xmlContent>'
    b"<embeddedXMLContent>"
    + CAP.partition(b"?>")[2]
    + b"</embeddedXMLContent></xmlContent></contentObject></EDXLDistribution>"
)


@pytest.mark.parametrize(
    ("data", "name", "media_type", "identifier"),
    [
        (EMSI, "report.xml", "application/octet-stream", "m-1"),
        (EMSI, "x", "application/emsi+xml", "m-1"),
        (ENVELOPE, "envelope.xml", "text/xml", "A1"),
    ],
)
def test_emsi_and_edxl_attached_are_read_as_such(data: bytes, name: str, media_type: str, identifier: str) -> None:
    signal = signal_of(with_cap(data, name, media_type))
    assert (signal.sender, signal.identifier) == ("siamu", identifier)
    assert named(signal.infos[0])["mail_verified"] == "yes"


def test_xml_that_is_no_alert_is_an_attachment() -> None:
    for data, media_type in ((b"<svg/>", "image/svg+xml"), (b"<invoice/>", "text/xml")):
        items = reading(with_cap(data, "a.xml", media_type)).items
        assert len(items) == 1
        assert isinstance(items[0], SignalItem)
        assert items[0].signal.identifier == "4711"


LOGS = config(
    RULE | {"log": {"delimiter": ";", "fields": {"identifier": "Nr", "headline": "Titre"}, "language": "fr-BE"}}
)


@pytest.mark.parametrize(
    ("data", "name", "media_type"),
    [
        ("Nr;Titre\n1;Fuite de gaz à Ixelles\n2;Evacuée\n".encode("windows-1252"), "log.csv", "text/csv"),
        ("Nr;Titre\n1;Fuite de gaz à Ixelles\n2;Evacuée\n".encode(), "log.CSV", "application/vnd.ms-excel"),
        (
            '[{"Nr": 1, "Titre": "Fuite de gaz à Ixelles"}, {"Nr": 2, "Titre": "Evacuée"}]'.encode(),
            "x",
            "application/json",
        ),
    ],
    ids=["windows", "excel", "json"],
)
def test_entries_of_a_log_attached_are_signals(data: bytes, name: str, media_type: str) -> None:
    first, second = reading(with_cap(data, name, media_type), LOGS).items
    assert isinstance(first, SignalItem)
    assert isinstance(second, SignalItem)
    assert [(s.signal.sender, s.signal.identifier) for s in (first, second)] == [("siamu", "1"), ("siamu", "2")]
    assert first.signal.infos[0].headline == "Fuite de gaz à Ixelles"
    assert named(first.signal.infos[0])["mail_rule"] == "siamu"


def test_a_log_that_cannot_be_read_is_a_dead_letter_and_the_mail_a_signal() -> None:
    signal, bad = reading(with_cap(b"A;B\n1;2\n", "log.csv", "text/csv"), LOGS).items
    assert isinstance(signal, SignalItem)
    assert isinstance(bad, BadItem)
    assert bad.reason == "log.csv: none of its columns (A, B) is one of fields: correct fields"


def test_entries_of_ours_that_come_back_by_mail_are_no_news() -> None:
    """Another log mails what stands in it, also what Vigie has written into it."""
    data = b"Nr;Titre\n1;Gaz\n01KXH3E0G0DHW93DTR98H6BCFN/4;Incident ouvert\n"
    (only,) = reading(with_cap(data, "log.csv", "text/csv"), LOGS).items
    assert isinstance(only, SignalItem)
    assert only.signal.identifier == "1"


def test_of_a_log_in_a_mail_so_many_entries_are_read() -> None:
    data = "Nr;Titre\n" + "".join(f"{n};Gaz\n" for n in range(5_001))
    items = reading(with_cap(data.encode(), "log.csv", "text/csv"), LOGS).items
    assert len(items) == 5_001
    assert isinstance(items[-1], BadItem)
    assert "has more than 5000 entries" in items[-1].reason


def test_nobody_unproven_sends_cap_alerts() -> None:
    raw = with_cap(CAP).replace(b"dmarc=pass", b"dmarc=fail")
    signal = signal_of(raw)
    assert signal.sender.startswith("unproven:")
    assert named(signal.infos[0])["attachments"] == "alert.xml"


# --- attachments, words ------------------------------------------------------------------------------------


def test_attachments_are_listed_as_they_came() -> None:
    data = bytes(range(256)) * 10
    info = info_of(attached("plan d'accès.pdf", "application/pdf", data))
    [resource] = info.resources
    assert (resource.description, resource.mime_type, resource.size) == ("plan d'accès.pdf", "application/pdf", 2560)
    assert resource.digest == hashlib.sha1(data).hexdigest()
    assert resource.embedded


def test_a_bomb_is_a_name_and_a_size() -> None:
    data = bomb()
    raw = attached("photos.zip", "application/zip", data)
    began = time.process_time()
    [resource] = info_of(raw).resources
    assert time.process_time() - began < 1.0, "200 MB take longer to unpack"
    assert (resource.description, resource.size) == ("photos.zip", len(data))


def test_flowed_lines_are_put_together() -> None:
    flowed = "Fuite de gaz \r\nrue Haute.\r\n\r\n Evacuation\r\n> cité \r\n> encore\r\n-- \r\nAnne"
    assert unflowed(flowed) == "Fuite de gaz rue Haute.\n\nEvacuation\n> cité encore\n-- \nAnne"
    assert unflowed("eva \r\ncuation", delsp=True) == "evacuation"
    raw = b"Subject: x\r\nContent-Type: text/plain; format=flowed\r\n\r\nrue \r\nHaute"
    assert content_of(email.message_from_bytes(raw)).text == "rue Haute"


@given(st.text(alphabet="ab >-\n", max_size=60))
def test_flowed_text_loses_no_word(text: str) -> None:
    assert [c for c in unflowed(text) if c in "ab"] == [c for c in text if c in "ab"]


def test_a_mail_that_is_too_large_says_so() -> None:
    raw = attached("film.mp4", "video/mp4", bytes(100_000))
    [item] = read_mail(raw[:20_000], len(raw), "1.1", CONFIG, NOW).items
    assert isinstance(item, SignalItem)
    assert f"of its {len(raw)} bytes the first 20000 were read" in item.signal.notes
    assert item.signal.infos[0].description == "see the file"


def test_the_same_mail_has_the_same_key_whatever_servers_add() -> None:
    key = item_of(mail()).key
    assert item_of(b"X-Moved: yes\r\nReceived: by a\r\n" + mail()).key == key
    assert item_of(mail(text="other words")).key != key
    assert item_of(mail(Message_ID="<2@siamu.example>")).key != key


# --- what a stranger may send ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NASTY)
def test_nasty_mails_are_read_for_what_they_say(name: str) -> None:
    raw, headline, description = NASTY[name]
    [item] = reading(raw).items
    assert isinstance(item, SignalItem), item
    info = item.signal.infos[0]
    assert headline in info.headline
    assert description in info.description
    msgspec.json.encode(item)


def test_a_mail_with_nothing_in_it_is_a_dead_letter() -> None:
    [empty] = reading(b"From: a@b.example\r\n\r\n").items
    assert isinstance(empty, BadItem)


@given(st.binary(max_size=400))
def test_reading_chance_raises_nothing(raw: bytes) -> None:
    for item in reading(raw).items:
        msgspec.json.encode(item)


@given(st.integers(0, 3000), st.sampled_from([b"\xff", b"\x00", b"=", b"<", b"\r\n\r\n", b";", b"--b"]), st.data())
def test_reading_what_is_nearly_right_raises_nothing(at: int, junk: bytes, data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([mail(), with_cap(CAP), forward(mail()), OUR_MAIL.as_bytes()]))
    at %= len(whole)
    for item in reading(whole[:at] + junk + whole[at + 1 :], config(COLLEAGUE, RULE)).items:
        msgspec.json.encode(item)


def test_recorded_mails_are_read(samples: Path) -> None:
    found = {path.name: MailSource.read(path.read_bytes(), path.name) for path in (samples / "misc").glob("*.eml")}
    assert len(found) == 4
    said = {
        name: [i.reason if isinstance(i, BadItem) else i.signal.infos[0] for i in items]
        for name, items in found.items()
    }
    [text] = said["intelmq_foobartxt.eml"]
    assert isinstance(text, Info)
    assert text.headline == "foobar txt"
    assert text.description.startswith("Please look at")
    [zipped] = said["intelmq_foobarzip.eml"]
    assert isinstance(zipped, Info)
    assert named(zipped)["attachments"] == "foobar.zip"
    assert zipped.description == "Please look at the attachment"
    [listed] = said["intelmq_fake_attachment.eml"]
    assert "no signal is made of it: Precedence: list" in str(listed)


# --- the configuration -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ({"subject": "("}, "no pattern"),
        ({"subject": r"(?P<a>x)\1"}, "no pattern"),
        ({"headline": "{place}"}, "nothing finds {place}"),
        ({"hazard": "gaz"}, "hazard is never 'gaz'"),
        ({"words": {"hazard": {"gaz": "gas"}}}, "hazard is never 'gas'"),
        ({"words": {"headline": {}}}, "none of"),
        ({"from": "no address"}, "is no address"),
        ({"lasts": "soon"}, "is no duration"),
        ({"sender": "siamu"}, "need `from`"),
        ({"cap": True}, "need `from`"),
        ({"log": {}}, "need `from`"),
        ({"colour": "red"}, "unknown field `colour`"),
    ],
    ids=str,
)
def test_a_rule_that_cannot_work_is_explained(rule: dict[str, Any], wrong: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"rules\[0\]") as error:
        config({"name": "a"} | rule)
    assert wrong in str(error.value)


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"believe_all": True}, "leave one out"),
        ({"zone": "Mars"}, "no time zone"),
        ({"ours": ["example.org"]}, "no address"),
        ({"done": "delete"}, "matching regex"),
        ({"rules": [{"name": "a"}, {"name": "a"}]}, "two are called 'a'"),
    ],
    ids=str,
)
def test_settings_that_cannot_work_are_explained(settings: dict[str, Any], wrong: str) -> None:
    with pytest.raises(msgspec.ValidationError) as error:
        config(**settings)
    assert wrong in str(error.value)


def test_a_place_is_short_and_comes_back() -> None:
    place = Place(7, 12, owed=True)
    assert msgspec.json.decode(place.dump(), type=Place) == place
    assert place.dump() == '{"validity":7,"uid":12,"owed":true}'
