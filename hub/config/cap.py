"""How config/hub.yaml turns the CAP feed on (docs/cap-feed.md): its forms, and what is wrong with them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from cryptography import x509
from msgspec import Meta, Struct

from hub.binding import Misfit, Reads, Texts, duration
from hub.model.broadcast import Cap
from hub.model.signal import Category, Certainty, ResponseType, Severity, Urgency
from hub.secrets import NAME
from hub.yaml import Document

EXPIRES_S_MAX = 7 * 86400.0  # for so long a broadcast can be followed by what ends it


def _identifying(text: str) -> str:
    """CAP 1.2, section 3.2.1: neither blanks, nor commas, nor `<` and `&`."""
    if not re.fullmatch(r"[^\s,<>&\"']{3,200}", text):
        remedy = 'an address or a domain of yours, without blanks, commas, < and &: "alerts@sitcen.brussels"'
        raise Misfit("not-an-identifier", f'"{text}" is no sender of CAP alerts', remedy)
    return text


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?", text):
        remedy = 'letters, digits, dots and hyphens, as in an OID: "2.49.0.0.56.2"'
        raise Misfit("not-an-identifier", f'"{text}" begins no identifier of CAP alerts', remedy)
    return text


def _address(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", text) or len(text) > 2000:
        raise Misfit("not-a-url", f'"{text}" is no web address', 'write it as "https://www.be-alert.be"')
    return text


def _secret_name(text: str) -> str:
    if not NAME.fullmatch(text):
        remedy = 'the name of a file in the folder of secrets, in capitals: "CAP_KEY"'
        raise Misfit("secret-in-config", f'"{text[:40]}" is no name of a secret', remedy)
    return text


def _lasting(text: str) -> float:
    seconds = duration(text)
    if not 60 <= seconds <= EXPIRES_S_MAX:
        raise Misfit("not-a-duration", f'"{text}" is no time for which an alert is in force', "1 min to 7 days")
    return seconds


Identifying = Annotated[str, Reads(_identifying, {"type": "string", "pattern": "^[^\\s,<>&\"']{3,200}$"})]
Address = Annotated[str, Reads(_address, {"type": "string", "pattern": "^https?://"})]
Lasting = Annotated[float, Reads(_lasting, {"type": "string", "examples": ["4 h"]})]


class CapWordsForm(Struct, frozen=True, kw_only=True):
    """What broadcasts say on the CAP feed besides their words, in the terms of CAP 1.2."""

    category: Annotated[tuple[Category, ...], Meta(description="Geo, Met, Safety, Security, Fire, Health ...")] = ()
    event: Annotated[Texts | None, Meta(description="What it is about, in two or three words of each language")] = None
    response: Annotated[
        tuple[ResponseType, ...], Meta(description="What people are to do: Shelter, Evacuate, Avoid, Monitor ...")
    ] = ()
    urgency: Annotated[Urgency | None, Meta(description="Immediate, Expected, Future, Past, Unknown")] = None
    severity: Annotated[Severity | None, Meta(description="Extreme, Severe, Moderate, Minor, Unknown")] = None
    certainty: Annotated[Certainty | None, Meta(description="Observed, Likely, Possible, Unlikely, Unknown")] = None
    expires: Annotated[
        Lasting | None, Meta(description="How long it is in force where nothing ends it", examples=["6 h"])
    ] = None
    instruction: Annotated[
        Texts | None, Meta(description="What people are to do, where the text does not say it itself")
    ] = None
    web: Annotated[Address | None, Meta(description="Where to read more", examples=["https://www.be-alert.be"])] = None
    contact: Annotated[str, Meta(description="Whom to ask", examples=["1722"])] = ""

    def meant(self) -> Cap:
        return Cap(
            category=self.category,
            event=self.event or {},
            response=self.response,
            urgency=self.urgency,
            severity=self.severity,
            certainty=self.certainty,
            expires_s=self.expires,
            instruction=self.instruction or {},
            web=self.web or "",
            contact=self.contact,
        )


class CapForm(Struct, frozen=True, kw_only=True):
    """Our own alerts as a signed CAP 1.2 feed that alert hubs subscribe to (docs/cap-feed.md)."""

    sender: Annotated[
        Identifying, Meta(description="Who we are, for ever and everywhere", examples=["alerts@sitcen.brussels"])
    ]
    name: Annotated[Texts, Meta(description="Who we are, as people read it")]
    certificate: Annotated[
        str, Meta(description="A PEM file: the certificate, and those above it", examples=["cap/certificate.pem"])
    ]
    key: Annotated[
        Annotated[str, Reads(_secret_name, {"type": "string", "pattern": "^[A-Z][A-Z0-9_]+$"})],
        Meta(description="The name of the secret that is its private key (PEM)"),
    ] = "CAP_KEY"
    identifiers: Annotated[
        Annotated[str, Reads(_prefix, {"type": "string"})] | None,
        Meta(description="What the identifiers of alerts begin with: an OID of yours", examples=["2.49.0.0.56.2"]),
    ] = None
    web: Annotated[
        Address | None,
        Meta(description="Where to read more, where nothing else is said", examples=["https://be.brussels"]),
    ] = None
    contact: Annotated[str, Meta(description="Whom to ask, where nothing else is said", examples=["1722"])] = ""
    entries: Annotated[int, Meta(ge=1, le=500, description="The newest so many are listed, and all in force")] = 50
    exercises: Annotated[bool, Meta(description="Whether exercises and tests are published, as what they are")] = False


def check_cap(document: Document, form: CapForm | None, published: Mapping[str, bool], folder: Path) -> None:
    """Adds a finding for a class that is published and not public, a feed that no class stands on, and a certificate
    that cannot be read. `published`: each class that stands on the feed, and whether it is public."""
    for name, public in published.items():
        if not public:
            place = document.at("broadcasts", "classes", name, "cap")
            message = f"broadcasts of the class {name} are published, and the class is not public"
            document.add(place, "published-not-public", message, "write public: yes, or take cap: away")
    if form is None:
        return
    if not published:
        remedy = "write cap: below a class of broadcasts that is public"
        document.add(document.at("cap"), "nothing-published", "no class stands on the CAP feed", remedy, warning=True)
    try:
        x509.load_pem_x509_certificates((folder / form.certificate).read_bytes())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds no certificate"
        remedy = "docs/cap-feed.md says how one is made"
        place = document.at("cap", "certificate")
        document.add(place, "no-certificate", f"{form.certificate} cannot be read: {reason}", remedy)
