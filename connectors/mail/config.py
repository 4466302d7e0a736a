"""How the mail channel is configured: the server mails go out by, the page with buttons, the mailbox of replies."""

from email.utils import parseaddr
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from connectors.mail.mime import address


class Security(StrEnum):
    TLS = "tls"  # from the first byte (ports 465 and 993)
    STARTTLS = "starttls"  # after a greeting in the clear (ports 587 and 143); refused where the server has none
    NONE = "none"  # in the clear: only on a network of one's own


class MailConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Example: `host: smtp.example.brussels`, `sender: "Vigie <vigie@example.brussels>"`, `user: vigie`,
    `password: SMTP_PASSWORD`, `link secret: MAIL_LINK_SECRET`, `imap host: imap.example.brussels`."""

    host: Annotated[str, Meta(min_length=1, description="The SMTP server", examples=["smtp.example.org"])]
    sender: Annotated[
        str,
        Meta(min_length=3, description="`Name <user@host>`, or `user@host`", examples=["Vigie <vigie@example.org>"]),
    ]
    port: Annotated[int, Meta(ge=0, le=65535, description="0: 465 with tls, 587 with starttls, 25 without")] = 0
    security: Annotated[
        Security,
        Meta(description="tls: from the first byte; starttls: after a greeting; none: only in one's own network"),
    ] = Security.STARTTLS
    user: Annotated[str, Meta(description="Whom to sign in as; nobody when left out", examples=["vigie"])] = ""
    password: Annotated[str, Meta(description="Name of the secret with the password", examples=["SMTP_PASSWORD"])] = ""
    reply_to: Annotated[
        str, Meta(description="Where answers go, when not to `sender`", examples=["sitcen@example.org"])
    ] = ""
    ca_file: Annotated[
        str,
        Meta(
            description="Certificates to trust in place of the system's (PEM file)",
            examples=["/etc/ssl/private-ca.pem"],
        ),
    ] = ""
    connections: Annotated[int, Meta(ge=1, le=50, description="Mails handed over at the same time")] = 8
    timeout_s: Annotated[float, Meta(gt=0, description="How long to wait for each answer, seconds")] = 20.0
    link_secret: Annotated[
        tuple[str, ...],
        Meta(
            description="Names of the secrets that seal the link to the page with buttons, two while it is replaced, "
            "new first; without one, mails carry no link",
            examples=["MAIL_LINK_SECRET"],
        ),
    ] = ()
    link_lasts_s: Annotated[float, Meta(ge=60, description="How long a link can be used, seconds")] = 86_400.0
    imap_host: Annotated[
        str,
        Meta(
            description="The IMAP server with the mailbox that replies come to; none: replies are not read",
            examples=["imap.example.org"],
        ),
    ] = ""
    imap_port: Annotated[int, Meta(ge=0, le=65535, description="0: 993 with tls, 143 otherwise")] = 0
    imap_security: Annotated[Security, Meta(description="As `security`, for the mailbox")] = Security.TLS
    imap_user: Annotated[str, Meta(description="Whom to sign in to the mailbox as", examples=["vigie"])] = ""
    imap_password: Annotated[
        str, Meta(description="Name of the secret with the mailbox's password", examples=["IMAP_PASSWORD"])
    ] = ""
    imap_folder: Annotated[str, Meta(min_length=1, description="The mailbox's folder that replies arrive in")] = "INBOX"
    imap_every_s: Annotated[
        float,
        Meta(gt=0, le=1500, description="How long at most between two looks into the mailbox, seconds"),
    ] = 30.0
    trusted_results: Annotated[
        str,
        Meta(
            description="The name (authserv-id) under which one's own mail server writes what it found of a sender "
            "(Authentication-Results, RFC 8601): with it, an answer counts only where the sender is proven",
            examples=["mx.example.org"],
        ),
    ] = ""

    def __post_init__(self) -> None:
        for field, value in (("sender", self.sender), ("reply_to", self.reply_to)):
            if value:
                try:
                    address(parseaddr(value)[1])
                except ValueError as error:
                    raise ValueError(f"{field}: {value!r} {error}") from None
        if bool(self.user) != bool(self.password):
            raise ValueError("user, password: one is there without the other: give both, or neither")
        if self.imap_host and not (self.imap_user and self.imap_password):
            raise ValueError("imap_host: a mailbox is signed in to: give imap user and imap password, too")
        if self.imap_user and not self.imap_host:
            raise ValueError("imap_user: there is no imap host: name the IMAP server, or leave both out")
