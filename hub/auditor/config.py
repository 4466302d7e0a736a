"""What the auditor is told: `auditor:` in config/hub.yaml."""

from typing import Annotated

from msgspec import Meta, Struct

from hub.binding import Seconds


class AuditorMail(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alarms by mail, by a way that is not the hub's own."""

    host: Annotated[str, Meta(min_length=1, description="SMTP server, e.g. mail.example.org")]
    to: Annotated[tuple[str, ...], Meta(min_length=1, description="Who is told, e.g. it-on-call@example.org")]
    sender: Annotated[str, Meta(min_length=3, description="From whom, e.g. vigie-auditor@example.org")]
    port: Annotated[int, Meta(ge=1, le=65535, description="587 with starttls, 465 with tls, 25 without")] = 587
    security: Annotated[str, Meta(pattern="^(starttls|tls|none)$", description="starttls, tls or none")] = "starttls"
    user: Annotated[str, Meta(description="Account on the server; empty for none", examples=["vigie-auditor"])] = ""
    password: Annotated[
        str, Meta(description="Name of the secret with the account's password", examples=["AUDITOR_SMTP_PASSWORD"])
    ] = ""
    timeout: Annotated[Seconds, Meta(gt=0, description="How long the server may take")] = 15.0


class AuditorPost(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alarms as JSON by HTTP POST: `{"kind", "what", "detail", "since_s", "text"}`."""

    url: Annotated[str, Meta(pattern="^https?://", description="Where to, e.g. https://pager.example.org/vigie")]
    token: Annotated[
        str, Meta(description="Name of the secret sent as bearer token; empty for none", examples=["PAGER_TOKEN"])
    ] = ""
    timeout: Annotated[Seconds, Meta(gt=0, description="How long the server may take")] = 10.0


class AuditorHeartbeat(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sign of life to an outside address, given only while all is well: its absence is the alarm."""

    url: Annotated[
        str,
        Meta(
            pattern="^https?://",
            description="Where to; it must notice by itself when nothing comes",
            examples=["https://heartbeat.example.org/vigie"],
        ),
    ]
    every: Annotated[Seconds, Meta(ge=0.05, description="Time between two, e.g. 1 min")] = 60.0
    method: Annotated[str, Meta(pattern="^(GET|POST)$", description="GET or POST")] = "GET"
    timeout: Annotated[Seconds, Meta(gt=0, description="How long the server may take")] = 10.0


class AuditorConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How closely the auditor looks, whom it tells, when it sets the hub going again."""

    every: Annotated[Seconds, Meta(ge=0.02, description="Time between two looks at the journal")] = 1.0

    # What counts as standing still.
    listening: Annotated[Seconds, Meta(ge=0, description="How long the hub may listen after a start")] = 10.0
    overdue: Annotated[Seconds, Meta(gt=0, description="How late a deadline may fire")] = 5.0
    untaken: Annotated[Seconds, Meta(gt=0, description="How long a fact may wait for its decision")] = 5.0
    asks: Annotated[Seconds, Meta(gt=0, description="How long nothing may be heard of an ask's delivery")] = 30.0
    confirmations: Annotated[Seconds, Meta(gt=0, description="The same for confirmations and all-clears")] = 120.0
    # Longer than the longest wait between two tries (144 s and 360 s, hub/dispatch/policy.py): a gateway that is down
    # must not look like a hub that hangs.
    notifications: Annotated[Seconds, Meta(gt=0, description="The same for notifications")] = 180.0
    mass: Annotated[Seconds, Meta(gt=0, description="The same for a whole message to a large audience")] = 420.0
    unsettled: Annotated[Seconds, Meta(gt=0, description="How long an attempt may be without an outcome")] = 60.0
    silent: Annotated[Seconds, Meta(gt=0, description="How long the hub may give no pulse")] = 15.0
    starting: Annotated[Seconds, Meta(gt=0, description="How long the hub may take to come up")] = 60.0
    unreadable: Annotated[Seconds, Meta(gt=0, description="How long the journal may not answer")] = 30.0

    # Setting going again.
    restart: Annotated[bool, Meta(description="Whether a hub that hangs is ended and started again")] = True
    patience: Annotated[Seconds, Meta(ge=0, description="How long it may hang after that was told")] = 15.0
    ending: Annotated[Seconds, Meta(ge=0, description="From SIGTERM to SIGKILL for a hub that hangs")] = 5.0
    stopping: Annotated[Seconds, Meta(gt=0, description="The same when somebody stops `vigie run`")] = 60.0

    # Telling.
    again: Annotated[Seconds, Meta(gt=0, description="What still stands is told again after this time")] = 600.0
    file: Annotated[
        str,
        Meta(
            description="Where alarms are written down; empty: auditor.txt beside the journal",
            examples=["../var/alarms"],
        ),
    ] = ""
    mail: Annotated[AuditorMail | None, Meta(description="Alarms by mail, by a way that is not the hub's own")] = None
    post: Annotated[AuditorPost | None, Meta(description="Alarms by HTTP POST")] = None
    api: Annotated[str, Meta(description="The hub's own web address, e.g. http://127.0.0.1:8080; empty: not told")] = ""
    api_token: Annotated[
        str, Meta(description="Name of the secret with the API's bearer token", examples=["API_TOKEN"])
    ] = ""
    heartbeat: Annotated[AuditorHeartbeat | None, Meta(description="A sign of life to an outside address")] = None
