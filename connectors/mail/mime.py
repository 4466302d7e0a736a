"""From a message to a mail: text and HTML side by side, and the same Message-ID for every attempt. Pure.

Sources: RFC 5322 (headers), RFC 2046 5.1.4 (multipart/alternative), RFC 3834 (Auto-Submitted).
"""

import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from jinja2 import Environment, select_autoescape
from msgspec import Struct

from hub.connector import Outgoing
from hub.model.people import Language
from hub.model.signal import Status

_POLICY = SMTP.clone(cte_type="7bit")  # passes every server, also one without 8BITMIME
ASKS_NOTHING = ".i"  # "for information", in a Message-ID
LOOP = ("X-Loop", "vigie")  # by it a hub knows mails of its own, or of another's, wherever they come back to
_LOCAL = re.compile(r"([A-Za-z0-9-]{1,64})\.(\d{1,9})(\.i)?")
_LONGEST_SUBJECT = 200  # characters; mail programs show some seventy

# `Actual` needs no banner; a message that is not in earnest must say so wherever one looks.
BANNERS = {
    Status.EXERCISE: {
        Language.FR: "EXERCICE",
        Language.NL: "OEFENING",
        Language.DE: "ÜBUNG",
        Language.EN: "EXERCISE",
    },
    Status.TEST: {Language.FR: "TEST", Language.NL: "TEST", Language.DE: "TEST", Language.EN: "TEST"},
    Status.SYSTEM: {Language.FR: "SYSTÈME", Language.NL: "SYSTEEM", Language.DE: "SYSTEM", Language.EN: "SYSTEM"},
    Status.DRAFT: {Language.FR: "PROJET", Language.NL: "ONTWERP", Language.DE: "ENTWURF", Language.EN: "DRAFT"},
}

# What stands over the link to the page with buttons, and what its button says.
LINK_WORDS = {
    Language.FR: ("Répondez sur cette page, en touchant un bouton :", "Répondre"),
    Language.NL: ("Antwoord op deze pagina met een druk op de knop:", "Antwoorden"),
    Language.DE: ("Antworten Sie auf dieser Seite per Knopfdruck:", "Antworten"),
    Language.EN: ("Answer on this page by pressing a button:", "Answer"),
}

_HTML = """\
<!DOCTYPE html>
<html lang="{{ language }}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{ subject }}</title></head>
<body style="margin:0;padding:16px;background:#f2f2f2;color:#111">
<div style="max-width:600px;margin:0 auto;padding:20px 24px;background:#fff;font:16px/1.5 sans-serif">
{%- if banner %}
<p style="margin:0 0 16px;padding:6px 10px;background:#5b2c83;color:#fff;font-weight:bold">{{ banner }}</p>
{%- endif %}
<h1 style="margin:0 0 16px;font-size:20px;line-height:1.3">{{ subject }}</h1>
{%- for paragraph in paragraphs %}
<p style="margin:0 0 12px">
{%- for line in paragraph -%}
{%- if not loop.first %}<br>{% endif -%}
{%- for piece in line -%}
{%- if piece.link %}<a href="{{ piece.text }}">{{ piece.text }}</a>{% else %}{{ piece.text }}{% endif -%}
{%- endfor -%}
{%- endfor -%}
</p>
{%- endfor %}
{%- if link %}
<p style="margin:20px 0 4px"><a href="{{ link }}" style="display:inline-block;padding:16px 40px;border-radius:8px;\
background:#0b6b3a;color:#fff;font-size:20px;font-weight:bold;text-decoration:none">{{ link_word }}</a></p>
{%- endif %}
</div>
</body>
</html>
"""
_page = Environment(autoescape=select_autoescape(default_for_string=True, default=True)).from_string(_HTML)


class Envelope(Struct, frozen=True, kw_only=True):
    """Who a mail is from. `sender` and `reply_to` are `Name <user@host>` or `user@host`; `domain` ends Message-IDs."""

    sender: str
    domain: str
    reply_to: str = ""


def compose(outgoing: Outgoing, envelope: Envelope, at: datetime, link: str = "") -> EmailMessage:
    """The mail. `at`: its Date; `link`: to the page it is answered on. Raises ValueError for a recipient that is no
    address."""
    subject = one_line(outgoing.subject) or one_line(outgoing.text.strip().partition("\n")[0]) or "-"
    banner = BANNERS.get(outgoing.status, {}).get(outgoing.language, "")
    mail = EmailMessage(policy=_POLICY)
    mail["Message-ID"] = message_id(outgoing, envelope.domain)
    mail["Date"] = format_datetime(at)
    mail["From"] = envelope.sender
    mail["To"] = address(outgoing.to)
    if envelope.reply_to:
        mail["Reply-To"] = envelope.reply_to
    mail["Subject"] = subject if not banner or banner in subject.upper() else f"[{banner}] {subject}"
    mail["Auto-Submitted"] = "auto-generated"
    mail[LOOP[0]] = LOOP[1]
    text = printable(outgoing.text)
    plain = f"{banner}\n\n{text}\n" if banner and banner not in text.upper() else f"{text}\n"
    mail.set_content(f"{plain}\n{LINK_WORDS[outgoing.language][0]}\n{link}\n" if link else plain)
    shown = next((file for file in outgoing.attachments if file.shown and file.media_type == "text/html"), None)
    page = shown.content.decode() if shown is not None else html(subject, text, outgoing.language, banner, link)
    mail.add_alternative(page, subtype="html")
    for file in outgoing.attachments:
        if file is shown:
            continue
        kind, _, detail = file.media_type.partition("/")
        mail.add_attachment(file.content, maintype=kind, subtype=detail, filename=one_line(file.name))
    mail["Content-Language"] = str(outgoing.language)  # last: set_content would move it into the first part
    return mail


def message_id(outgoing: Outgoing, domain: str) -> str:
    """The same for every attempt of a delivery, so that a reader's mail program shows a repetition once. A mail that
    asks for nothing is marked: what replies to it (a confirmation, "which one?") answers no delivery by being a reply.
    """
    order = re.sub(r"[^A-Za-z0-9-]", "-", outgoing.order)
    return f"<{order}.{outgoing.index}{'' if outgoing.ask is not None else ASKS_NOTHING}@{domain}>"


def delivery_of(local: str) -> tuple[str, int, bool] | None:
    """What the part before the @ of a Message-ID of ours names: order, index, whether the mail asked."""
    found = _LOCAL.fullmatch(local)
    return (found[1], int(found[2]), not found[3]) if found else None


def html(subject: str, text: str, language: Language, banner: str = "", link: str = "") -> str:
    """The same text as a page: blank lines end paragraphs, web addresses are links, everything else is escaped. `link`:
    to the page it is answered on, as a button."""
    paragraphs = [
        [_pieces(line) for line in paragraph.split("\n")] for paragraph in re.split(r"\n{2,}", text.strip("\n"))
    ]
    return _page.render(
        subject=subject,
        paragraphs=paragraphs,
        language=str(language),
        banner=banner,
        link=link,
        link_word=LINK_WORDS[language][1],
    )


class _Piece(Struct, frozen=True):
    text: str
    link: bool


_LINK = re.compile(r"""(https?://[^\s<>"']*[^\s<>"'.,;:!?)\]])""")


def _pieces(line: str) -> list[_Piece]:
    """A line as words and web addresses in turn."""
    return [_Piece(part, nth % 2 == 1) for nth, part in enumerate(_LINK.split(line)) if part]


def address(to: str) -> Address:
    """A bare `user@host` as a header holds it; the host in its ASCII form. Raises ValueError saying what is wrong."""
    user, at, host = to.rpartition("@")
    if not at or not user or not host:
        raise ValueError("is no mail address: write user@example.org")
    if not to.isprintable() or re.search(r"[\s,;<>\"()\\]", to):
        raise ValueError("holds a character no mail address has: write user@example.org, without a name")
    if not user.isascii():
        raise ValueError("has a letter before the @ that many mail servers refuse: use an address without accents")
    try:
        ascii_host = host.encode("idna").decode()
    except UnicodeError:
        ascii_host = ""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", ascii_host) or ".." in ascii_host:
        raise ValueError("names a host that cannot be: write user@example.org")
    if user.startswith(".") or user.endswith(".") or ".." in user:
        raise ValueError("has a misplaced dot before the @: write user@example.org")
    return Address(username=user, domain=ascii_host)


def one_line(text: str) -> str:
    """Fit for a header: one line of printable characters, not endless."""
    return " ".join(printable(text).split())[:_LONGEST_SUBJECT]


def printable(text: str) -> str:
    """Without control characters (but for line ends and tabs) and half surrogate pairs, with line ends as `\\n`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(char for char in text if char >= " " or char in "\n\t")
    return kept.encode("utf-8", "replace").decode()
