"""Who wants no more SMS: the words Twilio acts on itself, and who has said them. Pure.

Twilio reads a message that is one of these words and nothing else, in capitals or not, before anybody else does: it
blocks or unblocks the pair of phone and sender, answers, and hands the message to the webhook all the same. A blocked
pair is refused with 21610 until START. Sources: twilio.com/docs/messaging/tutorials/advanced-opt-out (the eight English
words and that others are added for each language), twilio.com/docs/proxy/opt-out-keywords (the French ones),
twilio.com/docs/api/errors/21610, Twilio's help article 223134027 (opt-in and help words, only single words count, the
webhook hears of it). `OptOutType` names the kind to the webhook of a service with Advanced Opt-Out.
"""

import unicodedata
from collections.abc import Iterable
from typing import Literal

Kind = Literal["STOP", "START", "HELP"]

WORDS: dict[Kind, frozenset[str]] = {
    "STOP": frozenset(
        {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "ARRET", "ARRETE", "ARRETT"}
    ),
    "START": frozenset({"START", "YES", "UNSTOP"}),
    "HELP": frozenset({"HELP", "INFO"}),
}
ANSWERS: dict[Kind, str] = {
    "STOP": "You have been unsubscribed and will get no more messages from this number. Reply START to resubscribe.",
    "START": "You have been resubscribed to messages from this number. Reply STOP to unsubscribe.",
    "HELP": "Reply STOP to unsubscribe.",
}
EVERY_SENDER = ""


def kind_of(body: str) -> Kind | None:
    """Which kind of word an SMS is; None for every other text."""
    letters = unicodedata.normalize("NFD", body.strip().upper())
    word = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return next((kind for kind, words in WORDS.items() if word in words), None)


class OptOuts:
    """Pairs of phone and sender that are blocked. `stopped`: phones blocked for every sender from the start."""

    def __init__(self, stopped: Iterable[str] = ()) -> None:
        self._blocked = {(number, EVERY_SENDER) for number in stopped}

    def blocks(self, number: str, sender: str) -> bool:
        """Whether an SMS from `sender` to the phone `number` is refused."""
        return not self._blocked.isdisjoint({(number, sender), (number, EVERY_SENDER)})

    def any(self, number: str) -> bool:
        """Whether the phone has said STOP to anybody."""
        return any(blocked == number for blocked, _ in self._blocked)

    def heard(self, number: str, sender: str, body: str) -> tuple[Kind | None, str]:
        """Acts on an SMS from the phone `number` to `sender`: its kind, and what Twilio answers (`""`: nothing).

        Who was not blocked is not told of being unblocked: YES is also how people answer; who is blocked gets no help.
        """
        kind, was = kind_of(body), self.blocks(number, sender)
        if kind == "STOP":
            self._blocked.add((number, sender))
        elif kind == "START":
            self._blocked -= {(number, sender), (number, EVERY_SENDER)}
        silent = kind is None or (kind == "START" and not was) or (kind == "HELP" and was)
        return kind, "" if silent or kind is None else ANSWERS[kind]
