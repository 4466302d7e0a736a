"""Whose word a signal is: its origin, and whether it says that something is not so. Pure.

Two outlets that print the same agency's text are one origin, whoever they are: a text that names its agency counts as
the agency's. Denials are told by words in the headline or at the beginning of the text, and only count where the signal
is about a story that somebody else has told.
"""

import re

from hub.model.signal import Severity, Signal

EACH_SENDER = "each sender"  # of a source of many voices (a social network): every account is an origin
_BEGINNING = 300  # characters of a description in which a denial is looked for

# As they sign: capital letters count, so that no belga is a beer and no efe a letter.
_AGENCIES = re.compile(
    r"(?<!\w)(Belga|BELGA|AFP|Agence France-Presse|ANP|Reuters|REUTERS|DPA|dpa|EFE|ANSA|TASS|Associated Press|PA Media)"
    r"(?!\w)"
)
_SAME = {"associated press": "ap", "agence france-presse": "afp"}

_DENIES = re.compile(
    r"(?<!\w)(?:"
    # French
    r"d[ée]ment(?:i|ie|ent|is)?|fausse[s]? (?:alertes?|alarmes?|informations?|rumeurs?)|canular|intox|infond[ée]e?s?"
    # Dutch
    r"|ontken(?:t|nen|d|de)|vals(?:e)? alarm|loos alarm|loze (?:melding|alarm|bommelding)|nepnieuws|ongegronde?"
    # German
    r"|dementier(?:t|te|en|ten)|fehlalarm|falsch(?:er|en) alarm|falschmeldung|entwarnung"
    # English
    r"|den(?:y|ies|ied)|false alarms?|hoax(?:es)?|unfounded|debunk(?:ed|s)?"
    r")(?!\w)",
    re.IGNORECASE,
)


_NEGATED = re.compile(r"(?<!\w)(?:pas|no|not|non|nullement|geen|niet|kein\w*|nicht)\W+(?:\w+\W+)?\Z", re.IGNORECASE)
_STATES_NOTHING = (Severity.UNKNOWN, Severity.MINOR)


def origin_of(signal: Signal, source_origin: str) -> str:
    """Whose word it is: a news agency that the text names, the sender where each is one, or the source's own."""
    if source_origin == EACH_SENDER:
        return f"{signal.source}: {signal.sender}"
    for info in signal.infos:
        found = _AGENCIES.search(f"{info.sender_name} {info.description} {info.headline}")
        if found is not None:
            name = found[1].casefold()
            return _SAME.get(name, name)
    return source_origin


def denies(signal: Signal) -> bool:
    """Whether its text says that something is not so. Who states how severe something is says that it is so, whatever
    words are in the text."""
    if any(info.severity not in _STATES_NOTHING for info in signal.infos):
        return False
    return any(_says(info.headline) or _says(info.description[:_BEGINNING]) for info in signal.infos)


def _says(text: str) -> bool:
    return any(not _NEGATED.search(text, 0, found.start()) for found in _DENIES.finditer(text))
