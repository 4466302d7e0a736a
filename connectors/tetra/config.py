"""Where the terminal is, who speaks by it, and what status numbers mean."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from connectors.tetra.terminal import Address
from hub.model.message import Verb
from hub.model.signal import Category, Hazard, Severity
from hub.model.trust import Reliability

SSI_MAX = 16_777_214  # 24 bits; the last one is everybody (EN 300 392-1, 7.2)
_PLACE = re.compile(r"/dev/[\w./-]+|tcp://(?:[\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}")


def bad_ssi(text: str) -> str:
    """Why it cannot be the number of a radio or talk group; "" when it can."""
    if re.fullmatch(r"[1-9][0-9]{0,7}", text) and int(text) <= SSI_MAX:
        return ""
    return f"{text[:20]!r} is no radio's number: an ISSI or GSSI has 1 to 8 digits, up to {SSI_MAX}, as 1234567"


class TerminalConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the terminal is. Source and channels that name the same share it."""

    terminal: Annotated[
        str,
        Meta(
            description="The radio's serial device, or tcp://HOST:PORT of a serial server",
            examples=["/dev/ttyACM0", "tcp://192.0.2.7:4001"],
        ),
    ]
    baud: Annotated[int, Meta(ge=1200, le=921_600, description="Speed of the serial line, bits a second")] = 9600
    internal: Annotated[bool, Meta(description="The serial server is in our own network: allow it")] = False

    def __post_init__(self) -> None:
        if not _PLACE.fullmatch(self.terminal):
            raise ValueError(f"terminal: {self.terminal!r} is no terminal: write /dev/ttyACM0, or tcp://HOST:PORT")

    def address(self, anywhere: bool) -> Address:
        return Address(self.terminal, self.baud, self.internal or anywhere)


class Sender(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who speaks by a number, or to a talk group."""

    name: Annotated[str, Meta(min_length=1, description="Who it is", examples=["Pompiers, autopompe 3"])]
    reliability: Annotated[
        Reliability | None, Meta(description="A to F of this one, where it is less than the source's")
    ] = None
    language: Annotated[str, Meta(description="Language of its texts", examples=["nl-BE"], pattern="^[A-Za-z-]*$")] = ""
    category: Annotated[Category, Meta(description="CAP category, e.g. Fire")] = Category.RESCUE


class Meaning(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a status number means."""

    event: Annotated[str, Meta(min_length=1, description="What it says", examples=["Incendie confirmé"])]
    category: Annotated[Category, Meta(description="CAP category, e.g. Fire")] = Category.RESCUE
    hazard: Annotated[Hazard | None, Meta(description="What it is about")] = None
    severity: Annotated[Severity, Meta(description="How bad it is")] = Severity.UNKNOWN


class TetraSourceConfig(TerminalConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is listened to at a radio terminal, and what their words and numbers mean."""

    senders: Annotated[Mapping[str, Sender], Meta(description="ISSI → who it is")] = msgspec.field(default_factory=dict)
    groups: Annotated[
        Mapping[str, Sender], Meta(description="GSSI → the talk group; what any radio sends to it is a signal")
    ] = msgspec.field(default_factory=dict)
    statuses: Annotated[Mapping[str, Meaning], Meta(description="Status, 0 to 65535 → what it means")] = msgspec.field(
        default_factory=dict
    )
    words: Annotated[Mapping[str, Hazard], Meta(description="Word in a text → hazard: {gaslek: gas-leak}")] = (
        msgspec.field(default_factory=dict)
    )
    others: Annotated[bool, Meta(description="Texts of radios that are not written here count, too, as F")] = False
    language: Annotated[str, Meta(description="Language of texts", examples=["fr-BE"], pattern="^[A-Za-z-]*$")] = (
        "fr-BE"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, numbers in (("senders", self.senders), ("groups", self.groups)):
            for number in numbers:
                if wrong := bad_ssi(number):
                    raise ValueError(f"{name}: {wrong}")
        check_statuses("statuses", self.statuses)


class TetraChannelConfig(TerminalConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A radio terminal by which people are reached and answer."""

    answers: Annotated[
        Mapping[str, Verb], Meta(description='Status → what it answers: {"32772": accept, "32773": decline}')
    ] = msgspec.field(default_factory=dict)
    calls: Annotated[
        str,
        Meta(
            description="Status that is sent before each text that asks somebody, for their radio to sound an alarm at",
            examples=["32790"],
        ),
    ] = ""
    longest: Annotated[int, Meta(ge=60, le=2000, description="Longest text that is sent, characters")] = 600
    part: Annotated[int, Meta(ge=40, le=240, description="How much of a text one message carries, bytes")] = 140
    consumed: Annotated[bool, Meta(description="Ask radios to report that a text was read, too")] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_statuses("answers", self.answers)
        check_statuses("calls", [self.calls] if self.calls else [])
        for status, verb in self.answers.items():
            if verb not in (Verb.ACCEPT, Verb.DECLINE):
                raise ValueError(f"answers: {status} means {verb}: a status answers accept or decline")


def check_statuses(field: str, given: Iterable[str]) -> None:
    for status in given:
        if not re.fullmatch(r"[0-9]{1,5}", status) or int(status) > 0xFFFF or 0x7800 <= int(status) <= 0x7BFF:
            raise ValueError(f"{field}: {status!r} is no status: 0 to 65535, without 30720 to 31743 (reports)")
        if str(int(status)) != status:
            raise ValueError(f"{field}: {status!r} has zeros before it: write {int(status)}")
