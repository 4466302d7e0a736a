"""What may be given in place of an answer: as options, or in a file; and whether an answer is right. Pure."""

import re
from typing import Annotated, Any

import phonenumbers
from msgspec import Meta, Struct, field
from phonenumbers import timezone

from hub.binding import Misfit
from hub.model.people import Language
from hub.people.directory import mail_problem, phone_problem
from hub.starter import Provider

WARNINGS = "https://feeds.meteoalarm.org/api/v1/warnings/feeds-"
_FEEDS = {
    "AT": "austria", "BE": "belgium", "CH": "switzerland", "DE": "germany", "DK": "denmark", "ES": "spain",
    "FR": "france", "IE": "ireland", "IT": "italy", "LU": "luxembourg", "NL": "netherlands", "PT": "portugal",
}  # fmt: skip


class OfficerForm(Struct, frozen=True, kw_only=True):
    """One of the first officers."""

    name: Annotated[str, Meta(description="As people say it")]
    phone: Annotated[str, Meta(description="A number that takes SMS and calls")]
    mail: Annotated[str, Meta(description="A mail address")] = ""
    language: Annotated[Language | None, Meta(description="Theirs; else the centre's first")] = None


class Given(Struct, frozen=True, kw_only=True):
    """The answers file of `vigie init`: what is missing is asked."""

    name: Annotated[str, Meta(description="The centre's name")] = ""
    language: Annotated[Language | None, Meta(description="Of the four, the first one")] = None
    country: Annotated[str, Meta(description="Of phone numbers without a country code", examples=["BE"])] = ""
    zone: Annotated[str, Meta(description="Time zone", examples=["Europe/Brussels"])] = ""
    area: Annotated[str, Meta(description="What the centre watches over")] = ""
    shape: Annotated[str, Meta(description="A GeoJSON file with its outline")] = ""
    officers: Annotated[tuple[OfficerForm, ...], Meta(description="Who is called first, and who then")] = ()
    provider: Annotated[Provider | None, Meta(description="simulator, twilio or http-sms")] = None
    sender: Annotated[str, Meta(description="The number SMS come from")] = ""
    account: Annotated[str, Meta(description="Twilio's account SID")] = ""
    url: Annotated[str, Meta(description="Where SMS are posted (http-sms)")] = ""
    public: Annotated[str, Meta(description="The hub's address as providers reach it; no: nobody can")] = ""
    mail_server: Annotated[str, Meta(description="SMTP host; no: none yet")] = field(default="", name="mail server")
    mail_from: Annotated[str, Meta(description="Whom mails come from")] = field(default="", name="mail from")
    warnings: Annotated[str, Meta(description="A feed of CAP warnings; no: none")] = ""


def officer(text: str) -> OfficerForm:
    """`Anne Lambert, +32 470 12 34 56, anne@example.org, fr` (mail and language may be left out). Raises Misfit."""
    parts = [part.strip() for part in text.split(",")]
    good = 'write "Anne Lambert, +32 450 00 00 01, anne@example.org, fr"'
    if len(parts) not in (2, 3, 4) or not parts[0]:
        raise Misfit("not-an-officer", f'"{text}" is no officer', good)
    given: dict[str, Any] = {"name": parts[0], "phone": parts[1]}
    for part in parts[2:]:
        if part in list(Language):
            given["language"] = Language(part)
        elif part:
            given["mail"] = part
    return OfficerForm(**given)


# --- whether an answer is right ----------------------------------------------------------------------------


def line_problem(text: str) -> str:
    """Of what is written on one line."""
    if not text.strip():
        return "nothing is written here"
    if len(text) > 80 or any(ord(character) < 32 for character in text):
        return "write it on one line, in at most 80 characters"
    return ""


def country_problem(text: str) -> str:
    return "" if text in phonenumbers.SUPPORTED_REGIONS else "no country has this code: two letters, as BE"


def account_problem(text: str) -> str:
    return (
        "" if re.fullmatch(r"AC[0-9a-fA-F]{32}", text) else "an account SID is AC and 32 digits, from Twilio's console"
    )


def url_problem(text: str) -> str:
    return (
        "" if re.fullmatch(r"https?://[^\s/\"'<>]+(/[^\s\"'<>]*)?", text) else 'write it as "https://example.org/..."'
    )


def host_problem(text: str) -> str:
    return "" if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", text) else "this is no host: smtp.example.org"


def sender_problem(text: str, country: str) -> str:
    """A number or a short code: to letters nobody can answer."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9 ]*", text):
        return "people answer to it: a number, or a short code"
    return "" if re.fullmatch(r"\d{3,6}", text) else phone_problem(text, country)


def from_problem(text: str) -> str:
    """`Vigie <vigie@example.org>`, or the address alone."""
    found = re.fullmatch(r"[^<>\n]*<([^<>]+)>|([^<>\s]+)", text)
    return mail_problem(found[1] or found[2]) if found else "write it as Vigie <vigie@example.org>"


# --- what is proposed --------------------------------------------------------------------------------------


def zones(country: str) -> tuple[str, ...]:
    """The time zones of a country's numbers; several where they do not tell."""
    number = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    return tuple(timezone.time_zones_for_number(number)) if number is not None else ()


def feed(country: str) -> str:
    """MeteoAlarm's feed of a country's official warnings, "" where we know of none."""
    return WARNINGS + _FEEDS[country] if country in _FEEDS else ""
