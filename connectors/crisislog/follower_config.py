"""How another crisis log is told what happens in incidents: where to, in which form, in whose words."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct

from connectors.emsi.write import NAMESPACE
from connectors.mail.config import MailConfig
from connectors.mail.mime import address
from connectors.mapping_config import check_expression
from connectors.text import known_encoding
from hub.model.edxl import Version
from hub.model.people import Language

ENTRY = (
    *("id", "record", "at", "status", "incident", "playbook", "version", "title", "event", "headline", "text", "data"),
)
_NAME = re.compile(r"[A-Za-z_][\w.]*")


class Out(StrEnum):
    CSV = "csv"
    JSON = "json"  # one object a line
    EDXL = "edxl"  # an EDXL-DE envelope with a situation report, and a CAP alert where a signal came or went
    EMSI = "emsi"


class CrisislogFollowerConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `folder` and `to`.

    Example: `{folder: /srv/vigie/crisis-log/out, format: csv, columns: {Nr: id, Tijd: at, Tekst: headline}}`.
    """

    folder: Annotated[
        str,
        Meta(
            pattern="^(/.+)?$",
            description="Where a file for each entry is put, from the root",
            examples=["/srv/vigie/crisis-log/out"],
        ),
    ] = ""
    to: Annotated[
        tuple[str, ...],
        Meta(
            description="In place of a folder: addresses that get a mail for each entry", examples=["log@nccn.example"]
        ),
    ] = ()
    mail: Annotated[
        MailConfig | None, Meta(description="The mail server for `to`, written as a channel of the type email")
    ] = None
    format: Annotated[
        Out, Meta(description="csv, json (an object a line), edxl (DE with SitRep and CAP) or emsi (ISO/TR 22351)")
    ] = Out.CSV
    language: Annotated[Language, Meta(description="Language of the sentences: fr, nl, de or en")] = Language.FR
    columns: Annotated[
        Mapping[str, str],
        Meta(
            description="Column: what stands in it: id, record, at, status, incident, playbook, version, title, event, "
            "headline, text, data, or a JMESPath expression over these; all of them where left out"
        ),
    ] = msgspec.field(default_factory=dict)
    words: Annotated[
        Mapping[str, Mapping[str, str]],
        Meta(description="Column: what would stand there, and what does, as Soort: {opened: nieuw}"),
    ] = msgspec.field(default_factory=dict)
    zone: Annotated[str, Meta(description="Time zone of the times, as Europe/Brussels")] = "Europe/Brussels"
    time: Annotated[
        str,
        Meta(description="How times are written (strftime), ISO 8601 where left out", examples=["%d/%m/%Y %H:%M:%S"]),
    ] = ""
    delimiter: Annotated[str, Meta(min_length=1, max_length=1, description="Between two values of CSV")] = ";"
    header: Annotated[bool, Meta(description="CSV begins with the names of the columns")] = True
    encoding: Annotated[str, Meta(description="Of CSV: utf-8-sig is what Excel reads", examples=["windows-1252"])] = (
        "utf-8-sig"
    )
    sender: Annotated[
        str,
        Meta(
            max_length=200,
            description="Who says so, in EDXL and EMSI; the hub's name where left out",
            examples=["be.brussels.sitcen"],
        ),
    ] = ""
    edxl: Annotated[Version, Meta(description="Version of the envelope: 1.0 or 2.0")] = Version.DE_1
    confidentiality: Annotated[
        str, Meta(min_length=1, description="What the EDXL envelope says of it", examples=["RESTRICTED"])
    ] = "UNCLASSIFIED AND NOT SENSITIVE"
    codes: Annotated[Mapping[str, str], Meta(description="Sheet: its EMSI category (ETYPE), as gas-leak: EXP/GAS")] = (
        msgspec.field(default_factory=dict)
    )
    level: Annotated[str, Meta(pattern="^(STRTGC|OPR|TACTCL)$", description="EMSI's LEVEL: STRTGC, OPR, TACTCL")] = (
        "STRTGC"
    )
    namespace: Annotated[str, Meta(min_length=1, description="XML namespace of EMSI, as the other side has it")] = (
        NAMESPACE
    )

    def __post_init__(self) -> None:
        if bool(self.folder) == bool(self.to):
            raise ValueError("folder, to: give one of them: where do entries go?")
        if bool(self.to) != (self.mail is not None):
            raise ValueError("mail: is for `to`, and `to` needs it: by which server do mails go?")
        if self.mail is not None and (self.mail.imap_host or self.mail.link_secret):
            raise ValueError("mail: nobody answers an entry: leave imap host and link secret out")
        for one in self.to:
            try:
                address(one)
            except ValueError as error:
                raise ValueError(f"to: {one!r} {error}") from None
        for expression in self.columns.values():
            check_expression("columns", expression)
            if _NAME.fullmatch(expression) and expression.partition(".")[0] not in ENTRY:
                raise ValueError(f"columns: an entry has no {expression!r}: {', '.join(ENTRY)}")
        for column in self.words:
            if self.columns and column not in self.columns:
                raise ValueError(f"words: there is no column {column!r}")
        if not known_encoding(self.encoding):
            raise ValueError(f"encoding: {self.encoding!r} is not known: write utf-8-sig, utf-8, windows-1252")
        if self.delimiter.isalnum() or self.delimiter in "\"'\r\n ":
            raise ValueError("delimiter: no letter, digit, quote or blank: write ; or ,")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"zone: {self.zone!r} is no time zone: write it as Europe/Brussels") from None
        try:
            datetime.now(UTC).strftime(self.time)
        except ValueError:
            raise ValueError(f"time: {self.time!r} cannot be written: as in %d/%m/%Y %H:%M:%S") from None
