"""Where decoded pages come from, and what the addresses mean that they are sent to."""

import re
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from hub.model.signal import Category, Hazard, Severity
from hub.model.trust import Credibility, Reliability

_RIC = re.compile(r"(\d{1,7})(?:/([0-3A-Da-d]))?")


class Ric(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom an address calls, and what a page to it is about."""

    name: Annotated[str, Meta(min_length=1, description="Who is called", examples=["Pompiers, garde d'Ixelles"])]
    sender: Annotated[str, Meta(description="Who calls; as said of the source where left out", examples=["siamu"])] = ""
    reliability: Annotated[
        Reliability | None, Meta(description="A to F of this sender, where it is less than the source's")
    ] = None
    credibility: Annotated[
        Credibility | None, Meta(description="1 to 6 of its pages, where they are less credible than the source's")
    ] = None
    kind: Annotated[
        str,
        Meta(
            pattern="^(|alpha|numeric|skyper|tone)$",
            description="What it is sent: alpha, numeric, skyper or tone; what reads best where left out",
            examples=["alpha"],
        ),
    ] = ""
    category: Annotated[Category, Meta(description="CAP category, e.g. Fire")] = Category.RESCUE
    hazard: Annotated[Hazard | None, Meta(description="What its pages are about, where no word says it")] = None
    severity: Annotated[Severity, Meta(description="How bad it is, where no word says it")] = Severity.UNKNOWN
    words: Annotated[
        Mapping[str, Hazard],
        Meta(description="Word in the page → what it is about: {gaslek: gas-leak, '*brand': fire}"),
    ] = msgspec.field(default_factory=dict)
    severity_words: Annotated[
        Mapping[str, Severity], Meta(description='Word in the page → how bad it is: {"PRIO 1": Severe}')
    ] = msgspec.field(default_factory=dict)
    area: Annotated[str, Meta(description="The area's name, where it is always the same", examples=["Ixelles"])] = ""
    language: Annotated[
        str,
        Meta(
            description="Language of its pages; as of the source where left out",
            pattern="^[A-Za-z-]*$",
            examples=["fr-BE"],
        ),
    ] = ""


class PocsagConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A decoder to listen to: one of `command`, `file`, `host`.

    Example: `command: [multimon-ng, -q, -a, POCSAG2400, /run/receiver.raw]`, and `rics`.
    """

    rics: Annotated[
        Mapping[str, Ric], Meta(description="Address, as 1000000, or with its function, as 1000000/3 → whom it calls")
    ] = msgspec.field(default_factory=dict)
    command: Annotated[
        tuple[str, ...],
        Meta(description="A program and its arguments that prints pages; started again when it ends", examples=["sh"]),
    ] = ()
    file: Annotated[
        str, Meta(description="A file that is written on, or a named pipe", examples=["/run/vigie/pager.fifo"])
    ] = ""
    host: Annotated[str, Meta(description="Who prints pages on a TCP line", examples=["pager.example.org"])] = ""
    port: Annotated[int, Meta(ge=0, le=65535, description="Its port, with `host`")] = 0
    internal: Annotated[bool, Meta(description="`host` is in our own network (loopback, private): allow it")] = False
    others: Annotated[
        bool, Meta(description="Record pages to addresses that are not written here, too; no: they are counted only")
    ] = False
    sender: Annotated[
        str,
        Meta(description="Who calls, where no address says it; the source's name when left out", examples=["astrid"]),
    ] = ""
    language: Annotated[str, Meta(description="Language of pages", pattern="^[A-Za-z-]*$")] = "fr-BE"
    repeat_s: Annotated[float, Meta(ge=0, le=86_400, description="The same page within this time is one, seconds")] = (
        600.0
    )
    settle_s: Annotated[
        float, Meta(ge=0.1, le=60, description="How long other readings of one page are waited for, seconds")
    ] = 1.0
    silent_after_s: Annotated[
        float,
        Meta(
            ge=0, description="The source counts as silent when no page to anybody came for so long; 0: never, seconds"
        ),
    ] = 0.0
    zone: Annotated[str, Meta(description="Time zone of the decoder's time stamps")] = "Europe/Brussels"

    def __post_init__(self) -> None:
        given = [name for name in ("command", "file", "host") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(
                f"{given[1] if given else 'command'}: one of command, file and host says where pages come from"
            )
        if bool(self.host) != bool(self.port):
            raise ValueError("port: host and port go together: write both")
        if not self.rics and not self.others:
            raise ValueError("rics: no page would ever be told: write whom the addresses call, or others: yes")
        for meant in self.rics.values():
            for name, words in (("words", meant.words), ("severity_words", meant.severity_words)):
                if not all(any(c.isalnum() for c in word) for word in words):
                    raise ValueError(f"{name}: a word has letters: write gaslek, or *brand for all that end so")
        for ric in self.rics:
            if not _RIC.fullmatch(ric):
                raise ValueError(
                    f"rics: {ric!r} is no address: write 1000000, or 1000000/3 with its function (0-3 or A-D)"
                )

    def ric_of(self, address: int, function: int) -> Ric | None:
        """Whom a page calls: an address with its function goes before the address alone."""
        known = {_normal(ric): meant for ric, meant in self.rics.items()}
        return known.get((address, function)) or known.get((address, None))


def _normal(ric: str) -> tuple[int, int | None]:
    """Functions are written 0 to 3 by decoders, A to D by those who plan the addresses."""
    address, _, function = ric.partition("/")
    return int(address), "0123ABCD".index(function.upper()) % 4 if function else None
