"""Messages: a text in each language, and what came of handing it to somebody."""

from enum import StrEnum

from msgspec import Struct

from hub.model.people import Language


class Lane(StrEnum):
    """Priority, from the first served to the last. An ask never waits behind a mass message."""

    ASK = "ask"  # somebody is asked to answer
    CONFIRM = "confirm"  # the answer to an answer; all-clears; stand-downs
    NOTIFY = "notify"  # partners and groups
    MASS = "mass"  # large audiences


class Text(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One message in one language. `{headline}`, `{area}`, `{sheet}`, `{onset}`, `{expires}`, `{sender}` and what
    a person gave when starting a sheet by hand are filled in; `voice` defaults to `text`, `subject` to its first
    line."""

    text: str
    subject: str = ""
    voice: str = ""


class Message(Struct, frozen=True, kw_only=True, gc=False):
    """A text in each language (FR, NL, DE and EN are all there: checked on loading)."""

    id: str
    texts: dict[Language, Text]


class Outcome(StrEnum):
    """What a channel (or its provider, later) said of one delivery. Ranked: a later one never goes back.

    QUEUED < SENT < DELIVERED. FAILED ends it. UNCONFIRMED: sent, and nothing more was ever said.
    """

    RETRY = "retry"  # not handed over; dispatch tries again itself (never ends a delivery)
    SENT = "sent"  # the provider has taken it
    DELIVERED = "delivered"  # on the phone, in the mailbox, the call was answered
    FAILED = "failed"  # will not arrive this way; `reason` says why
    WITHDRAWN = "withdrawn"  # no longer wanted before it went out


NO_ADDRESS = "no address"  # how a reason begins where somebody has none, or no further one

OUTCOME_RANK = {
    Outcome.RETRY: 0,
    Outcome.SENT: 1,
    Outcome.DELIVERED: 2,
    Outcome.FAILED: 3,
    Outcome.WITHDRAWN: 4,
}


class Verb(StrEnum):
    """What a person's answer means."""

    ACCEPT = "accept"
    DECLINE = "decline"
    DELEGATE = "delegate"  # not me: call somebody else
    DONE = "done"
    TRUE = "true"  # what was told is so
    FALSE = "false"  # it is not
    UNSURE = "unsure"  # it cannot be told
    STOP = "stop"
    START = "start"  # takes STOP back
    UNCLEAR = "unclear"
