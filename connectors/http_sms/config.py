"""How a provider is described: what is posted, how its answer is read, what it tells us later."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
import phonenumbers
from msgspec import Meta, Struct

from connectors.http_sms.template import HOLES, check_holes, holes_in

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 5.6.2, token
_VISIBLE = re.compile(r"[\x20-\x7e]*")
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "content-type"})
_ENCODINGS = frozenset({"GSM-7", "UCS-2"})


class Auth(StrEnum):
    NONE = "none"
    BEARER = "bearer"  # Authorization: Bearer SECRET (RFC 6750)
    BASIC = "basic"  # Authorization: Basic USER:SECRET (RFC 7617)
    HEADER = "header"  # a header of the provider's own


class Proof(StrEnum):
    NONE = "none"
    HMAC = "hmac"  # HMAC-SHA256 of the body in a header, hex or base64
    HEADER = "header"  # the secret itself in a header
    QUERY = "query"  # the secret itself in the address


class HttpSmsConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A provider of SMS with an HTTP interface."""

    url: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^\s{}]+$",
            description="Where messages are handed over",
            examples=["https://gateway.example.org/sms"],
        ),
    ]
    method: Annotated[str, Meta(pattern="^(POST|PUT|GET)$", description="POST, PUT or GET")] = "POST"
    json: Annotated[
        str,
        Meta(
            description='The body as JSON: {"to": "{to}", "text": "{text}", "from": "{from}"}',
            examples=['{"to": "{to}", "text": "{text}"}'],
        ),
    ] = ""
    form: Annotated[Mapping[str, str], Meta(description="The body as form fields, in place of `json`")] = msgspec.field(
        default_factory=dict
    )
    query: Annotated[Mapping[str, str], Meta(description="What is added to the address after the `?`")] = msgspec.field(
        default_factory=dict
    )
    headers: Annotated[Mapping[str, str], Meta(description="Headers besides; {id} may stand in them")] = msgspec.field(
        default_factory=dict
    )
    sender: Annotated[
        str, Meta(description="What fills {from}: a number, or up to 11 letters", examples=["SITCEN"])
    ] = ""
    encodings: Annotated[
        Mapping[str, str], Meta(description="What fills {encoding}: a word for GSM-7 and one for UCS-2")
    ] = msgspec.field(default_factory=dict)
    unencrypted: Annotated[bool, Meta(description="Post to http:// too: only inside a network of one's own")] = False

    auth: Annotated[Auth, Meta(description="How we prove who we are")] = Auth.NONE
    auth_name: Annotated[
        str, Meta(description="The user (basic), or the header's name (header)", examples=["Authorization"])
    ] = ""
    auth_secret: Annotated[str, Meta(description="Name of the secret that proves it", examples=["GATEWAY_TOKEN"])] = ""

    prefixes: Annotated[
        tuple[str, ...],
        Meta(description="Numbers it serves, by their beginning: +32, +352; all where left out", examples=["+49"]),
    ] = ()
    parts_max: Annotated[int, Meta(ge=1, le=10, description="Longer texts are cut to so many SMS")] = 4
    longest: Annotated[int, Meta(ge=160, le=2000, description="Longest text it takes, characters")] = 1600
    idempotent: Annotated[bool, Meta(description="It takes a message with the same {id} only once")] = False
    connections: Annotated[int, Meta(ge=1, le=500, description="Requests under way at the same time")] = 50
    timeout_s: Annotated[float, Meta(gt=0, le=60, description="How long to wait for an answer, seconds")] = 15.0

    accepted: Annotated[
        tuple[int, ...], Meta(description="HTTP statuses of a message taken; all 2xx where left out", examples=["0"])
    ] = ()
    id_at: Annotated[
        str, Meta(description="Where its JSON answer has the message's id: messages.0.id", examples=["messages.0.id"])
    ] = ""
    error_at: Annotated[
        str, Meta(description="Where its JSON answer has an error code", examples=["messages.0.error"])
    ] = ""
    no_error: Annotated[tuple[str, ...], Meta(description="Codes there that mean no error", examples=["0"])] = ("0", "")
    bad_number: Annotated[
        tuple[str, ...], Meta(description="Codes or HTTP statuses: the number is wrong", examples=["11"])
    ] = ()
    refused: Annotated[
        tuple[str, ...], Meta(description="Codes or HTTP statuses: will never arrive this way", examples=["29"])
    ] = ()
    again: Annotated[
        tuple[str, ...], Meta(description="Codes or HTTP statuses: not taken, to be tried again", examples=["1"])
    ] = ()
    broken: Annotated[
        tuple[str, ...],
        Meta(description="Codes or HTTP statuses: for nobody, as without credit; the room is told", examples=["401"]),
    ] = ()

    proof: Annotated[Proof, Meta(description="How the provider proves who it is when it calls us")] = Proof.NONE
    proof_name: Annotated[
        str, Meta(description="The header's name (hmac, header), or the parameter's (query)", examples=["X-Token"])
    ] = ""
    proof_secrets: Annotated[
        tuple[str, ...],
        Meta(
            description="Names of the secrets that prove it; two while one is replaced", examples=["GATEWAY_CALLBACK"]
        ),
    ] = ()
    report_id_at: Annotated[
        str,
        Meta(
            description="Delivery reports: where they have {id}, or the provider's id; no reports without",
            examples=["id"],
        ),
    ] = ""
    report_status_at: Annotated[
        str, Meta(description="Delivery reports: where they have the status", examples=["status"])
    ] = ""
    report_error_at: Annotated[
        str, Meta(description="Delivery reports: where they have the reason, a code", examples=["error"])
    ] = ""
    report_list_at: Annotated[
        str, Meta(description="Delivery reports: where the list is, when several come", examples=["reports"])
    ] = ""
    delivered: Annotated[
        tuple[str, ...], Meta(description="Statuses of a message that arrived", examples=["delivered"])
    ] = (
        "delivered",
        "DELIVRD",
    )
    failed: Annotated[
        tuple[str, ...], Meta(description="Statuses of a message that will not arrive", examples=["failed"])
    ] = (
        "failed",
        "undelivered",
        "rejected",
        "expired",
        "UNDELIV",
        "REJECTD",
    )
    reply_id_at: Annotated[
        str, Meta(description="Replies: where they have an id of their own; no replies without", examples=["id"])
    ] = ""
    reply_from_at: Annotated[str, Meta(description="Replies: where the sender's number is", examples=["from"])] = ""
    reply_text_at: Annotated[str, Meta(description="Replies: where the words are", examples=["text"])] = ""
    reply_list_at: Annotated[
        str, Meta(description="Replies: where the list is, when several come", examples=["messages"])
    ] = ""
    region: Annotated[
        str, Meta(pattern="^[A-Z]{2}$", description="Country of senders' numbers without a country code")
    ] = "BE"
    thanks: Annotated[str, Meta(description="What the provider wants to hear when it calls us")] = "OK"

    def __post_init__(self) -> None:
        self._check_request()
        self._check_headers()
        self._check_auth()
        self._check_numbers()
        self._check_callbacks()

    @property
    def template(self) -> Any:
        """The JSON body before it is filled in; None without."""
        return msgspec.json.decode(self.json) if self.json else None

    def _check_request(self) -> None:
        if urlsplit(self.url).scheme == "http" and not self.unencrypted:
            raise ValueError(
                "url: http:// would carry numbers and words unencrypted: write https://, or unencrypted: yes"
            )
        if self.json and self.form:
            raise ValueError("form: there is json as well: keep one of them")
        if self.method == "GET" and (self.json or self.form):
            raise ValueError("method: GET carries no body: write POST, or put the fields under query")
        try:
            template = self.template
        except msgspec.DecodeError as error:
            raise ValueError(f"json: is no JSON ({error}): holes stand between quotes, as in {{...}}") from None
        if template is not None and not isinstance(template, dict | list):
            raise ValueError("json: is a single value: write an object or a list")
        for field, given in (("json", template), ("form", dict(self.form)), ("query", dict(self.query))):
            check_holes(field, given)
        holes = holes_in([template, dict(self.form), dict(self.query)])
        for needed in ({"to", "digits"}, {"text"}):
            if not holes & needed:
                names = " or ".join(f"{{{name}}}" for name in sorted(needed, reverse=True))
                where = "form" if self.form else "query" if self.query and not self.json else "json"
                raise ValueError(f"{where}: {names} stands nowhere: without it there is no message")
        if "from" in holes and not self.sender:
            raise ValueError("sender: is missing, and {from} is to be filled with it: write a number or a name")
        if "encoding" in holes and set(self.encodings) != _ENCODINGS:
            raise ValueError("encodings: {encoding} needs a word for GSM-7 and one for UCS-2: write both")
        if self.idempotent and "id" not in holes | holes_in(dict(self.headers)):
            raise ValueError("idempotent: {id} stands nowhere, by which it could know a repetition: add it")

    def _check_headers(self) -> None:
        for name, value in self.headers.items():
            if not _HEADER.fullmatch(name) or not _VISIBLE.fullmatch(value):
                raise ValueError(f"headers: {name!r} is no header: letters, digits and hyphens, and one line of ASCII")
            if name.lower() in _OWN_HEADERS:
                raise ValueError(f"headers: {name} is written by us: leave it out")
            check_holes("headers", value, {"id": HOLES["id"]})

    def _check_auth(self) -> None:
        if (self.auth is Auth.NONE) != (not self.auth_secret):
            raise ValueError("auth: auth secret goes with bearer, basic or header: give both, or neither")
        if (self.auth in (Auth.BASIC, Auth.HEADER)) != bool(self.auth_name):
            raise ValueError("auth_name: goes with basic (the user) and header (its name): add it, or leave it out")
        if self.auth is Auth.HEADER and not _HEADER.fullmatch(self.auth_name):
            raise ValueError(f"auth_name: {self.auth_name!r} is no header's name: letters, digits and hyphens")

    def _check_numbers(self) -> None:
        if self.sender and not re.fullmatch(r"\+?\d{3,15}|[A-Za-z0-9 ]{1,11}", self.sender):
            raise ValueError(f"sender: {self.sender!r} can send no SMS: a number as +32450000000, or 1 to 11 letters")
        for prefix in self.prefixes:
            if not re.fullmatch(r"\+[1-9]\d{0,10}", prefix):
                raise ValueError(f"prefixes: {prefix!r} begins no number: write +32, or +3247")
        if self.region not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f"region: {self.region} is no country: write two letters, as BE")

    def _check_callbacks(self) -> None:
        if (self.report_id_at or self.reply_id_at) and self.proof is Proof.NONE:
            raise ValueError("proof: is missing: anybody could report and answer: write hmac, header or query")
        if self.proof is not Proof.NONE and not (self.proof_name and self.proof_secrets):
            raise ValueError("proof: lacks proof name and proof secrets: say where it stands, and the secret's name")
        if bool(self.report_id_at) != bool(self.report_status_at):
            raise ValueError("report_id_at: goes with report status at: give both, or neither")
        replies = (self.reply_id_at, self.reply_from_at, self.reply_text_at)
        if any(replies) and not all(replies):
            raise ValueError("reply_id_at: goes with reply from at and reply text at: give all three, or none")
