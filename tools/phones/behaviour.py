"""Who owns a phone and what its owner does without anyone touching the page."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from .resources import SMS_ERRORS

Calls = Literal["hand", "answer", "decline", "busy", "no-answer", "machine", "unknown"]


class Behaviour(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a phone does by itself. Times are simulated seconds."""

    call: Calls = "hand"
    """hand: rings until someone answers on the page; no-answer: rings out; machine: an answering machine takes it;
    unknown: the number is not in use, the call fails."""
    answers_after_s: float = 4.0
    """How long it rings before `answer`, `decline` or `machine` takes it."""
    digits: tuple[str, ...] = ()
    """Keys pressed, one entry for each Gather of a call: ["1"] or ["12#", "3"]."""
    digits_after_s: float = 2.0
    """How long after a Gather started listening (so usually while the voice speaks)."""
    hangs_up_after_s: float | None = None
    """Hangs up this long after answering, whatever is being said."""
    greeting_ends: Literal["beep", "silence", "other"] = "beep"
    """How a machine's greeting ends: machine_end_beep and so on, where DetectMessageEnd asks for it."""

    coverage: bool = True
    """False: switched off or out of reach. Calls fail, or go to the voicemail at once where `call` is machine. SMS
    stay `sent` and wait at the carrier; they come one after the other when coverage does."""
    kept_s: float = 14400.0
    """How long the carrier keeps an SMS for a phone it cannot reach; then it is undelivered, 30003."""

    sms_error: int | None = None
    """21610 (opted out), 21614 (no mobile), 21211 (no valid number: calls too): refused at once, HTTP 400. 30003 to
    30008: undelivered with that ErrorCode."""
    receipt_after_s: float | None = 0.0
    """From an SMS's arrival to the receipt that says so; None: a carrier that sends no receipts, it stays `sent`."""
    out_of_order: bool = False
    """The last status callback of each SMS and call comes before those that led to it."""
    reply: str | None = None
    """The SMS sent back; `\\1` stands for the first group of `reply_to`."""
    reply_to: str = ""
    """Answer only messages in which this regular expression is found; empty: all."""
    reply_after_s: float = 5.0

    def __post_init__(self) -> None:
        for name in ("answers_after_s", "digits_after_s", "hangs_up_after_s", "kept_s", "receipt_after_s"):
            if (getattr(self, name) or 0.0) < 0:
                raise ValueError(f"{name} {getattr(self, name):g}: must not be negative")
        if self.sms_error is not None and self.sms_error not in SMS_ERRORS:
            known = ", ".join(str(code) for code in sorted(SMS_ERRORS))
            raise ValueError(f"sms_error {self.sms_error}: must be one of {known}, or null")
        for keys in self.digits:
            if not re.fullmatch(r"[0-9*#]*", keys):
                raise ValueError(f"digits {keys!r}: keys are 0-9, * and #")
        try:
            re.compile(self.reply_to)
        except re.error as error:
            raise ValueError(f"reply_to {self.reply_to!r}: not a regular expression: {error}") from None

    def changed(self, changes: Mapping[str, Any]) -> "Behaviour":
        """The same with other fields, given as JSON would. Raises BehaviourError."""
        return read_behaviour(msgspec.to_builtins(self) | dict(changes))

    def reply_for(self, body: str) -> str | None:
        """What is answered to an SMS, None for nothing."""
        if self.reply is None:
            return None
        found = re.search(self.reply_to, body)
        return found.expand(self.reply) if found else None


class BehaviourError(Exception):
    """These are not fields of a behaviour; the text names the fault and what would be right."""


def read_behaviour(fields: Any) -> Behaviour:
    """A behaviour from JSON's objects. Raises BehaviourError."""
    try:
        return msgspec.convert(fields, Behaviour)
    except msgspec.ValidationError as error:
        raise BehaviourError(explained(error)) from None


def explained(error: msgspec.ValidationError) -> str:
    """msgspec's words, and what would be right where they do not say."""
    text = str(error)
    if "unknown field" in text:
        return f"{text}: the fields are {', '.join(Behaviour.__struct_fields__)}"
    for name, choice in (("call", Calls), ("greeting_ends", Literal["beep", "silence", "other"])):
        if text.endswith(f".{name}`"):
            return f"{text}: must be one of {', '.join(get_args(choice))}"
    return text


class Person(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A phone's owner, as the people file lists them."""

    name: str
    number: str
    """E.164: +32470123456."""
    language: str = ""
    behaviour: Behaviour = Behaviour()
    opted_out: bool = False
    """Whether it has said STOP to everybody before."""


class PeopleError(Exception):
    """The people file cannot be used; the text names the place and the remedy."""


def load_people(path: Path) -> list[Person]:
    """Read a YAML 1.2 or JSON list of {name, number, language, behaviour?, opted_out?}.

    Numbers keep their plus and zeros, quoted or not. Raises PeopleError.
    """
    try:
        # "base": every scalar stays text until its field gives it a type.
        entries: Any = YAML(typ="base", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PeopleError(f"{path}: {error.strerror}: name a file that can be read") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise PeopleError(f"{place}: {error.problem}: write a YAML or JSON list") from None
    if not isinstance(entries, list):
        raise PeopleError(f"{path}:1:1: not a list: write one entry {{name, number, language}} per person")
    people = []
    for index, entry in enumerate(entries, start=1):
        try:
            person = msgspec.convert(entry, Person, strict=False)
        except msgspec.ValidationError as error:
            raise PeopleError(f"{path}: person {index}: {explained(error)}") from None
        if not re.fullmatch(r"\+[1-9]\d{6,14}", person.number):
            raise PeopleError(f"{path}: person {index}: number {person.number!r}: must be E.164, such as +32470123456")
        people.append(person)
    return people
