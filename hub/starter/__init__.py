"""A new centre's folder: the files, made from what was asked. Pure, but for the templates that come with the package.

The templates (`files/`) are what is written, with `<<holes>>`; whatever a person typed goes into YAML as a quoted text.
"""

import json
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from importlib.resources import files as resources
from importlib.resources.abc import Traversable

from jinja2 import Environment, StrictUndefined
from msgspec import Struct

from hub.model.people import Language


class Provider(StrEnum):
    """Who carries the messages."""

    SIMULATOR = "simulator"  # phones on a page, for trying out: nothing leaves the machine
    TWILIO = "twilio"
    HTTP_SMS = "http-sms"


class Officer(Struct, frozen=True, kw_only=True):
    """One of the first people: a number that can be rung, and a mail address or none."""

    id: str
    name: str
    phone: str
    language: Language
    mail: str = ""


class Answers(Struct, frozen=True, kw_only=True):
    """What was asked. `name`: of the centre, as people call it, `name_id` as records do; `area_id` likewise. `public`:
    the hub's address as providers reach it, "" where they cannot; `warnings`: a feed of CAP alerts, or ""."""

    name: str
    name_id: str
    language: Language
    country: str
    zone: str
    area: str
    area_id: str
    officers: tuple[Officer, ...]
    provider: Provider
    sender: str
    account: str = ""
    url: str = ""
    public: str = ""
    mail_server: str = ""
    mail_from: str = ""
    warnings: str = ""

    @property
    def voice(self) -> bool:
        return self.provider is not Provider.HTTP_SMS

    @property
    def secrets(self) -> tuple[str, ...]:
        """The names of the secrets that the configuration needs."""
        carrier = ("SMS_KEY", "SMS_HOOK") if self.provider is Provider.HTTP_SMS else ("TWILIO_TOKEN",)
        return ("API_TOKEN", "PARTNERS_WEBHOOK", *carrier)


_jinja = Environment(
    variable_start_string="<<",
    variable_end_string=">>",
    block_start_string="<%",
    block_end_string="%>",
    comment_start_string="<#",
    comment_end_string="#>",
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 # YAML, not HTML: what was typed passes through `text`
)
_jinja.filters["text"] = lambda value: json.dumps(str(value), ensure_ascii=False)


def files_of(answers: Answers, shape: str, today: date) -> dict[str, str]:
    """Path in the new folder → its text. `shape`: GeoJSON of the area's outline, "" for none."""
    values = {name: getattr(answers, name) for name in answers.__struct_fields__}
    values |= {
        "voice": answers.voice,
        "secrets": answers.secrets,
        "shape": bool(shape),
        "review_by": today.replace(year=today.year + 1, day=min(today.day, 28)).isoformat(),
    }
    found = {
        path.replace("gitignore", ".gitignore"): _jinja.from_string(text).render(values)
        for path, text in _templates(resources(__name__) / "files")
    }
    if shape:
        found[f"config/areas/{answers.area_id}.geojson"] = shape
    return found


def _templates(folder: Traversable, under: str = "") -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        path = f"{under}{entry.name}"
        if entry.is_dir():
            yield from _templates(entry, f"{path}/")
        else:
            yield path, entry.read_text("utf-8")
