"""How a form is described: what it asks, of whom, and what a signal of it says."""

import re
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from hub.model.people import Language
from hub.model.signal import Category, Certainty, Hazard, Severity, Urgency

_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")
RESERVED = frozenset({"partner", "code", "id", "lang", "organisation"})


class Kind(StrEnum):
    """What is typed into a field."""

    LINE = "line"
    TEXT = "text"  # several lines
    CHOICE = "choice"
    CHOICES = "choices"  # any of several
    PEOPLE = "people"  # one to a line: name, service, function
    NUMBER = "number"
    MOMENT = "moment"  # a day and a time
    PHONE = "phone"
    EMAIL = "email"


class Words(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text in the four languages."""

    fr: Annotated[str, Meta(min_length=1, description="In French", examples=["À partir de"])]
    nl: Annotated[str, Meta(min_length=1, description="In Dutch", examples=["Vanaf"])]
    de: Annotated[str, Meta(min_length=1, description="In German", examples=["Ab"])]
    en: Annotated[str, Meta(min_length=1, description="In English", examples=["From"])]

    def of(self, language: Language) -> str:
        """The text in a language."""
        text: str = getattr(self, language.value)
        return text


class Field(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that is asked."""

    label: Annotated[Words, Meta(description="What is asked, as it stands over the field")]
    kind: Annotated[
        Kind, Meta(description="What is typed: line, text, choice, choices, people, number, moment, phone, email")
    ] = Kind.LINE
    required: Annotated[bool, Meta(description="no: it may be left empty")] = True
    choices: Annotated[
        dict[str, Words], Meta(description="Of a choice, or choices: what is recorded → what is shown")
    ] = {}


class FormConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A form for partners, at `/in/NAME`."""

    title: Annotated[Words, Meta(description="What the form is for")]
    fields: Annotated[dict[str, Field], Meta(min_length=1, description="Name → what is asked, in order")]
    hazard: Annotated[Hazard, Meta(description="What a signal of it is about", examples=["crisis-centre"])]
    intro: Annotated[Words | None, Meta(description="A few words above the fields")] = None
    partners: Annotated[
        dict[str, str],
        Meta(description="Who may: partner → name of the secret that is their code. None: anybody, who counts as F"),
    ] = {}
    category: Annotated[Category, Meta(description="The international category (CAP)")] = Category.OTHER
    severity: Annotated[Severity, Meta(description="How bad it is")] = Severity.UNKNOWN
    urgency: Annotated[Urgency, Meta(description="How soon it is")] = Urgency.UNKNOWN
    certainty: Annotated[Certainty, Meta(description="How sure it is")] = Certainty.LIKELY
    headline: Annotated[
        str, Meta(description="The field that says it in one line; the first when left out", examples=["what"])
    ] = ""
    area: Annotated[str, Meta(description="The field that says where", examples=["where"])] = ""
    begins: Annotated[str, Meta(description="The field (a moment) that says from when on", examples=["from"])] = ""
    ends: Annotated[str, Meta(description="The field (a moment) that says until when", examples=["until"])] = ""
    replaces: Annotated[
        str,
        Meta(
            description="The field (a line) for the reference of an earlier form, of which this one takes the place",
            examples=["earlier"],
        ),
    ] = ""
    zone: Annotated[str, Meta(description="Time zone of moments", examples=["Europe/Brussels"])] = "Europe/Brussels"

    def __post_init__(self) -> None:
        for name, field in self.fields.items():
            if not _NAME.fullmatch(name) or name in RESERVED:
                raise ValueError(f'fields: "{name}" cannot be a field\'s name: write a word of small letters')
            if (field.kind in (Kind.CHOICE, Kind.CHOICES)) is not bool(field.choices):
                raise ValueError(
                    f'fields: "{name}" is a choice, or has choices, and not both: write "kind: choice" and "choices:"'
                )
        if self.replaces and not self.partners:
            raise ValueError("replaces: anybody could take the place of anybody's form: name partners")
        for key, of in (
            ("headline", None),
            ("area", None),
            ("replaces", Kind.LINE),
            ("begins", Kind.MOMENT),
            ("ends", Kind.MOMENT),
        ):
            named: str = getattr(self, key)
            if named and named not in self.fields:
                raise ValueError(f'{key}: there is no field "{named}": name one of {", ".join(self.fields)}')
            if named and of is not None and self.fields[named].kind is not of:
                raise ValueError(f'{key}: "{named}" is no {of}: write "kind: {of}" there')
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(f'zone: there is no time zone "{self.zone}": write one as Europe/Brussels') from None
