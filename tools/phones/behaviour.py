"""Who owns a phone and what its owner does without anyone touching the page."""

import re
from pathlib import Path
from typing import Any, Literal

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError


class Behaviour(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a phone does by itself. Times are simulated seconds."""

    call: Literal["hand", "answer", "decline", "busy", "no-answer", "machine", "off"] = "hand"
    """hand: rings until someone answers on the page; no-answer: rings out; off: the call fails."""
    answers_after_s: float = 4.0
    """How long it rings before `answer`, `decline` or `machine` takes it."""
    digits: tuple[str, ...] = ()
    """Keys pressed, one entry for each Gather of a call: ["1"] or ["12#", "3"]."""
    digits_after_s: float = 2.0
    """How long after a Gather started listening (so usually while the voice speaks)."""
    hangs_up_after_s: float | None = None
    """Hangs up this long after answering, whatever is being said."""

    sms_error: int | None = None
    """None: delivered. 21610 (opted out), 21614, 21211: refused at once, HTTP 400. 30003 (off), 30004,
    30005, 30006, 30007, 30008: undelivered with that ErrorCode."""
    sms_confirmed: bool = True
    """False: a message reaches the phone but stays `sent`; no receipt ever says delivered."""
    reply: str | None = None
    """The SMS sent back; `\\1` stands for the first group of `reply_to`."""
    reply_to: str = ""
    """Answer only messages in which this regular expression is found; empty: all."""
    reply_after_s: float = 5.0

    def reply_for(self, body: str) -> str | None:
        """What is answered to an SMS, None for nothing."""
        if self.reply is None:
            return None
        found = re.search(self.reply_to, body)
        return found.expand(self.reply) if found else None


class Person(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A phone's owner, as the people file lists them."""

    name: str
    number: str
    """E.164: +32470123456."""
    language: str = ""
    behaviour: Behaviour = Behaviour()


class PeopleError(Exception):
    """The people file cannot be used; the text names the place and the remedy."""


def load_people(path: Path) -> list[Person]:
    """Read a YAML 1.2 or JSON list of {name, number, language, behaviour?}.

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
            raise PeopleError(f"{path}: person {index}: {error}") from None
        if not re.fullmatch(r"\+[1-9]\d{6,14}", person.number):
            raise PeopleError(f"{path}: person {index}: number {person.number!r}: must be E.164, such as +32470123456")
        people.append(person)
    return people
