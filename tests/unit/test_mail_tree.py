"""From a mail's bytes to its parts: as the standard library finds them, in time that grows with the length alone."""

import email
import random
from email.message import Message
from email.policy import default

import pytest

from connectors.mail.inbox_reading import Reading, read_mail
from connectors.mail.parts import unflowed
from connectors.mail.source import _NOBODYS
from connectors.mail.tree import DEPTH_MAX, PARTS_MAX, Tree
from connectors.text import TAGS_MAX, plain_text
from hub.connector import BadItem, SignalItem
from tests.costs import cost
from tests.unit.nasty_mails import HEAD, NASTY, attached, nested
from tools.fuzz.corpus import seeds
from tools.fuzz.mutating import damaged

MIB = 1 << 20
MIXED = HEAD + b'Subject: x\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
HTML = HEAD + b"Subject: x\r\nContent-Type: text/html\r\n\r\n<p>Fuite de gaz</p>"


def read(raw: bytes) -> Reading:
    return read_mail(raw, len(raw), "here", _NOBODYS, None)


def shape(part: Message) -> object:
    """What of a part counts: its kind, its words, what is in it."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return part.get_content_type(), [shape(inner) for inner in payload if isinstance(inner, Message)]
    return part.get_content_type(), part.get_filename(), part.get_payload(decode=True)


@pytest.mark.parametrize("name", [name for name in NASTY if "deep" not in name])
def test_parts_are_where_the_library_finds_them(name: str) -> None:
    raw = NASTY[name][0]
    assert shape(Tree(raw).mail) == shape(email.message_from_bytes(raw, policy=default))


def test_parts_of_damaged_mails_are_where_the_library_finds_them() -> None:
    """But where it drops the end of a multipart of which no part begins, or takes an end for a beginning."""
    chance, of, same = random.Random(4), seeds("mail", None), 0
    for _ in range(300):
        raw = damaged(of, chance)
        try:
            same += shape(Tree(raw).mail) == shape(email.message_from_bytes(raw, policy=default))
        except Exception:  # the library's, on what is damaged
            same += 1
    assert same >= 290


def test_a_report_and_a_digest_are_taken_apart() -> None:
    report = MIXED + b"--b\r\nContent-Type: message/delivery-status\r\n\r\nA: 1\r\n\r\nB: 2\r\nC: 3\r\n\r\n--b--\r\n"
    [status] = Tree(report).mail.get_payload()
    assert [block.items() for block in status.get_payload()] == [[("A", "1")], [("B", "2"), ("C", "3")]]
    digest = HEAD + b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: in it\r\n\r\nwords\r\n--b--"
    [mail] = Tree(digest).mail.get_payload()
    assert mail.get_payload()[0]["Subject"] == "in it"
    assert mail.source == b"Subject: in it\r\n\r\nwords", "as it came, for who keeps it"


# --- bounds ------------------------------------------------------------------------------------------------


def test_parts_beyond_the_bound_are_told_and_the_rest_is_read() -> None:
    raw = MIXED + b"--b\r\n\r\nFuite de gaz\r\n" + b"--b\r\nContent-Type: application/pdf\r\n\r\nx\r\n" * 300
    item, bad = read(raw).items
    assert isinstance(item, SignalItem)
    assert item.signal.infos[0].description == "Fuite de gaz"
    assert isinstance(bad, BadItem)
    assert bad.reason.startswith(f"it has more than {PARTS_MAX} parts")
    assert "sent again" in bad.reason, "what to do"


def test_parts_in_parts_beyond_the_bound_are_told() -> None:
    _, bad = read(nested(2_000)).items
    assert isinstance(bad, BadItem)
    assert f"more than {DEPTH_MAX} others" in bad.reason


def test_a_sender_too_long_is_nobody() -> None:
    """Cut off, it could be another's address; left out, the second one could count."""
    raw = b"From: " + b"a" * 600 + b"@siamu.example\r\nFrom: dispatch@siamu.example\r\nSubject: gaz\r\n\r\nx"
    [item] = read(raw).items
    assert isinstance(item, SignalItem)
    assert item.signal.sender.startswith("unproven:")
    assert any("taken for nobody's" in note for note in item.signal.notes)


def test_headers_that_cannot_be_read_are_as_if_they_were_not_there() -> None:
    raw = HEAD + b"Subject: gaz\r\nContent-Type: " + b"(" * 900 + b"\r\n\r\nFuite de gaz"
    [item] = read(raw).items
    assert isinstance(item, SignalItem)
    assert item.signal.infos[0].description == "Fuite de gaz"


def test_raw_letters_in_a_header_can_be_written_down() -> None:
    raw = b"Auto-Submitted: \xe9\xff\r\n" + HEAD + b"Subject: gaz\r\n\r\nx"
    assert read(raw).why.encode() == "Auto-Submitted: \ufffd\ufffd".encode()


def test_flowed_lines_and_many_tags_are_read() -> None:
    assert unflowed("one \ntwo \nthree\n> a \n> b") == "one two three\n> a b"
    assert plain_text("<li>a" * (TAGS_MAX + 10)).count("a") == TAGS_MAX


HOSTILE = {
    "a Content-Type of a MiB": HEAD + b"Content-Type: text/plain; " + b"&#1114112;" * 100_000 + b"\r\n\r\nx",
    "a boundary of a MiB": HEAD + b'Content-Type: multipart/mixed; boundary="' + b"<" * MIB + b'"\r\n\r\nx',
    "comments in every part": MIXED + (b"--b\r\nContent-Type: " + b"(a)" * 300 + b"\r\n\r\n") * 1_000,
    "parts without end": MIXED + b"--b\r\n\r\n" * (MIB // 7),
    "forwards with long headers": MIXED
    + (
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: "
        + b"(a)" * 400
        + b"\r\nSubject: "
        + b"=?x?q?a?=," * 900
        + b"\r\n\r\nx\r\n"
    )
    * 90,
    "half a million lines, nineteen deep": nested(19) + b"a\n" * (MIB // 2),
    "three hundred deep": nested(300) + b"--19\n" * (MIB // 5),
    "headers without end": HEAD + b"A:\n" * (MIB // 3),
    "one flowed paragraph": HEAD + b"Content-Type: text/plain; format=flowed\r\n\r\n" + b"a \n" * (MIB // 3),
    "a hundred thousand open tags": HTML + b"<li>a" * (MIB // 5),
    "results in brackets": HEAD + (b"Authentication-Results: " + b"(" * 4_000 + b")" * 4_000 + b"\r\n") * 120,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_mail_of_a_mebibyte_costs_little(name: str) -> None:
    assert len(HOSTILE[name]) < 1.6 * MIB
    cost(read, HOSTILE[name])


def test_a_large_mail_with_attachments_is_read() -> None:
    """5 MB: a plan, photographs, a CAP alert in the last of a hundred and fifty files."""
    photo = random.Random(1).randbytes(3_000_000)
    raw = attached("plan.pdf", "application/pdf", photo, "Fuite de gaz").rstrip().removesuffix(b"--b--")
    for n in range(150):
        name = b"foto-%d-" % n + b"n" * 60
        raw += b'--b\r\nContent-Type: image/jpeg; name="%s"\r\nContent-Disposition: attachment; filename="%s"\r\n' % (
            name,
            name,
        )
        raw += b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUFBQUFBQUFBQUFB\r\n" * 350
    raw += b"--b--\r\n"
    assert len(raw) > 4_900_000
    [item] = cost(read, raw).items
    assert isinstance(item, SignalItem)
    info = item.signal.infos[0]
    assert info.description == "Fuite de gaz"
    assert info.resources[0].size == len(photo)
    assert info.resources[1].description.startswith("foto-0-n")
    assert not item.signal.notes[1:], item.signal.notes
