"""How a crisis log's folder is described: what lies in it, and which of an entry's values fills which field."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct

from connectors.mapping_config import (
    Always,
    Items,
    Lasts,
    Levels,
    Only,
    Parameters,
    TextLanguage,
    Words,
    Zone,
    check_mapping,
)
from connectors.text import BYTES_MAX, known_encoding

TAB = "tab"


class Format(StrEnum):
    AUTO = "auto"  # by its first character: < XML, { or [ JSON, else CSV
    CSV = "csv"
    JSON = "json"  # a document, or one on each line
    XML = "xml"  # CAP, EDXL-DE, EDXL-SitRep, EMSI


class LogFormat(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file of a log is like, and what its entries mean.

    Example: `{delimiter: ";", fields: {identifier: Nr, headline: Titre}}`.
    """

    format: Annotated[
        Format, Meta(description="csv, json or xml (CAP, EDXL, EMSI); auto: by the first character of a file")
    ] = Format.AUTO
    encoding: Annotated[
        str,
        Meta(
            description="Of CSV and JSON; UTF-8, else Windows-1252 where left out; XML says it itself",
            examples=["windows-1252"],
        ),
    ] = ""
    delimiter: Annotated[
        str,
        Meta(
            pattern="^([^A-Za-z0-9\"'\r\n\\s]|tab)?$",
            description="Between two values of a CSV row, or tab; found by the names of the columns where left out",
            examples=[";"],
        ),
    ] = ""
    quote: Annotated[
        str, Meta(pattern="^[\"']$", description="Around a value of a CSV row, doubled inside it", examples=['"'])
    ] = '"'
    columns: Annotated[
        tuple[str, ...],
        Meta(description="Names of the columns of a CSV file that begins without them", examples=[["Nr", "Texte"]]),
    ] = ()
    fields: Annotated[
        Mapping[str, str],
        Meta(
            description="Field of the signal: the column, or where an item has it, as headline.nl: Titel; "
            "those that are called as the fields are where left out"
        ),
    ] = msgspec.field(default_factory=dict)
    items: Items = "@"
    only: Only = ""
    always: Always = msgspec.field(default_factory=dict)
    words: Words = msgspec.field(default_factory=dict)
    levels: Levels = msgspec.field(default_factory=dict)
    parameters: Parameters = msgspec.field(default_factory=dict)
    language: TextLanguage = "fr-BE"
    zone: Zone = "Europe/Brussels"
    lasts: Lasts = 0.0
    sender: Annotated[
        str, Meta(max_length=200, description="Whose log it is; the source's name when left out", examples=["nccn"])
    ] = ""

    def __post_init__(self) -> None:
        check_mapping(self, columns=True)
        if self.encoding and not known_encoding(self.encoding):
            raise ValueError(f"encoding: {self.encoding!r} is not known: write utf-8, windows-1252, utf-16")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"zone: {self.zone!r} is no time zone: write it as Europe/Brussels") from None
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("columns: two have one name: give each its own")


class CrisislogConfig(LogFormat, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A folder that another system's log is exported to.

    Example: `{folder: /srv/vigie/crisis-log/in, delimiter: ";", fields: {identifier: Nr, headline: Titre}}`.
    """

    folder: Annotated[
        str,
        Meta(
            pattern="^/.+$",
            description="The folder, from the root; what was read is moved to done/ or bad/ in it",
            examples=["/srv/vigie/crisis-log/in"],
        ),
    ]
    files: Annotated[
        str, Meta(min_length=1, description="Pattern of the names of files that count, as *.csv", examples=["*.csv"])
    ] = "*"
    ours: Annotated[
        bool,
        Meta(description="Entries that a hub wrote (by their id) count too: only where they are never this hub's own"),
    ] = False
    every: Annotated[
        float,
        Meta(ge=0.1, le=3600, description="Seconds between two looks, e.g. 2; a file alike at two is whole"),
    ] = 2.0
    patience: Annotated[
        float,
        Meta(
            ge=0,
            le=86_400,
            description="How long a file that cannot be read as it is may still be being written, seconds",
        ),
    ] = 30.0
    max_bytes: Annotated[
        int, Meta(ge=1024, le=BYTES_MAX, description="Largest file that is read, in bytes, e.g. 1048576")
    ] = BYTES_MAX
