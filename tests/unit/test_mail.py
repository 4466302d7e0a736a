"""From a message to a mail, without a server."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from connectors.mail.channel import MailChannel, MailConfig
from connectors.mail.mime import Envelope, address, compose, html, message_id, one_line
from hub.connector import Attachment
from hub.model.people import Language
from hub.model.signal import Status
from tests.contracts.channel import outgoing
from tests.contracts.intake import environment

ENVELOPE = Envelope(sender="Vigie <vigie@safe.example>", domain="safe.example")
AT = datetime(2026, 7, 14, 0, 10, tzinfo=UTC)


@given(st.text(max_size=300), st.text(max_size=300), st.sampled_from(list(Language)), st.sampled_from(list(Status)))
def test_any_text_makes_a_mail(subject: str, text: str, language: Language, status: Status) -> None:
    made = compose(outgoing("a@b.be", text, subject=subject, language=language, status=status), ENVELOPE, AT)
    raw = made.as_bytes()
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998  # RFC 5322 2.1.1
    assert made["To"] == "a@b.be"
    assert made["Message-ID"] == "<01J00000000000000000ORDER1.0@safe.example>"
    assert made["Date"] == "Tue, 14 Jul 2026 00:10:00 +0000"
    assert raw.count(b"\r\nSubject: ") == 1
    assert len(raw.split(b"\n")) == len(raw.split(b"\r\n")), "every line ends as SMTP wants it"


@pytest.mark.parametrize("language", list(Language))
def test_an_exercise_says_so_in_the_readers_language(language: Language) -> None:
    made = compose(outgoing("a@b.be", "Text", language=language), ENVELOPE, AT)
    word = {"fr": "EXERCICE", "nl": "OEFENING", "de": "ÜBUNG", "en": "EXERCISE"}[language]
    assert made["Subject"] == f"[{word}] Storm over Ixelles"
    plain, page = (made.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert page is not None
    assert plain.get_content().startswith(word)
    assert word in page.get_content()
    assert f'lang="{language}"' in page.get_content()


def test_in_earnest_there_is_no_banner_and_one_is_enough() -> None:
    real = compose(outgoing("a@b.be", "Text", status=Status.ACTUAL), ENVELOPE, AT)
    assert real["Subject"] == "Storm over Ixelles"
    marked = compose(outgoing("a@b.be", "EXERCISE: text", subject="Exercise: storm"), ENVELOPE, AT)
    assert marked["Subject"] == "Exercise: storm"


def test_a_document_that_is_the_mail_itself_is_its_page_and_no_file() -> None:
    page = Attachment(name="r.html", media_type="text/html", content="<p>Rapport n° 1</p>".encode(), shown=True)
    file = Attachment(name="r.pdf", media_type="application/pdf", content=b"%PDF")
    made = compose(replace(outgoing("a@b.be", "Text"), attachments=(page, file)), ENVELOPE, AT)
    body = made.get_body(("html",))
    assert body is not None
    assert "<p>Rapport n° 1</p>" in body.get_content()
    assert [part.get_filename() for part in made.iter_attachments()] == ["r.pdf"]
    kept = compose(replace(outgoing("a@b.be", "Text"), attachments=(replace(page, shown=False),)), ENVELOPE, AT)
    assert [part.get_filename() for part in kept.iter_attachments()] == ["r.html"]


def test_paragraphs_lines_and_links() -> None:
    page = html("S", "One\nline\n\nTwo: https://x.be/a, (http://y.be).", Language.EN)
    assert page.count("<p ") == 2
    assert "One<br>line" in page
    assert '<a href="https://x.be/a">https://x.be/a</a>, (<a href="http://y.be">http://y.be</a>).' in page


@pytest.mark.parametrize(
    "text", ["<b>", "javascript:alert(1)", 'https://x/"onclick="y', "'><img src=x onerror=y>", "{{ 7*7 }}"]
)
def test_nothing_in_a_text_becomes_markup(text: str) -> None:
    page = html(text, text, Language.FR)
    body = page.partition("<body")[2]
    assert "<b>" not in body
    assert "<img" not in body
    assert 'onclick="' not in body
    assert 'href="javascript' not in body
    assert "49" not in body


def test_a_message_id_holds_nothing_it_must_not() -> None:
    assert message_id(outgoing("a@b.be", order="a/b c>\r\n", index=2), "x.be") == "<a-b-c---.2@x.be>"


def test_a_subject_is_one_line() -> None:
    assert one_line("a\r\nBcc: x\x00\ty") == "a Bcc: x y"
    assert len(one_line("x" * 1000)) == 200


@pytest.mark.parametrize(
    ("to", "header"), [("anne@example.be", "anne@example.be"), ("a.b+c@sub.example.be", "a.b+c@sub.example.be"),
                       ("anne@brüssel.example", "anne@xn--brssel-4ya.example")],
)  # fmt: skip
def test_addresses_that_are(to: str, header: str) -> None:
    assert str(address(to)) == header


@pytest.mark.parametrize(
    "to",
    ["", "anne", "@x.be", "anne@", "a b@x.be", "a@x.be\r\nBcc: b@y.be", "Anne <a@x.be>", "a@x.be,b@y.be",
     "é@x.be", ".a@x.be", "a..b@x.be", "a@-x.be", "a@x..be", "a@x.be\x00", "a@x_y.be", '"a"@x.be'],
)  # fmt: skip
def test_addresses_that_are_none(to: str) -> None:
    with pytest.raises(ValueError, match=r"@|mail address"):
        address(to)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"sender": "nobody"}, "sender"),
        ({"reply_to": "x y"}, "reply_to"),
        ({"user": "vigie"}, "password"),
        ({"password": "smtp"}, "user"),
    ],
)
def test_a_wrong_config_says_what_is(wrong: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        MailConfig(**{"host": "x", "sender": "vigie@safe.example", **wrong})


def test_the_password_is_in_no_repr() -> None:
    config = MailConfig(host="x", sender="v@x.be", user="v", password="smtp")
    channel = MailChannel(config, environment("email", smtp="s3cret"))
    assert "s3cret" not in repr(channel) + repr(config)
    with pytest.raises(KeyError, match="smtp"):
        MailChannel(config, environment("email"))
