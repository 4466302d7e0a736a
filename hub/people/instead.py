"""Who is named by "not me, call X", and who that is. Pure.

"pas moi, appelez Els Denkbeeldig"   "bel Els aub"   "rufen Sie Carla an"   "B: not me, call officer-b"

Only what asks *us* to call counts: "ik bel Els" says that they do it themselves, which is no answer to an ask.
"""

import re

from hub.people.directory import Directory
from hub.people.folding import fold

_CALL = (
    r"appelez|appelle|appeler|contactez|contacte|contacter|telephonez|demandez|voyez|prevenez|"
    r"bel|belt|bellen|contacteer|contacteert|vraag|vraagt|verwittig|"
    r"ruf|rufen sie|ruft|frag|fragen sie|kontaktiere|kontaktieren sie|"
    r"call|ring|phone|contact|ask|try"
)
_TO = r"dans|a|au|avec|plutot|naar|met|aan|liever|eens|bitte|stattdessen|lieber|instead|to|up|with|please"
_ASKED = re.compile(rf"(?s)^(?P<before>.*?)\b(?:{_CALL})\b(?:\s+(?:{_TO})\b)*\s+(?P<name>[^\d?!;]+)$")
_TO_CALL = re.compile(r"(?s)^(?:(?P<before>.*[,.;:])\s*)?(?:bitte\s+)?(?P<name>[\w -]+?)\s+(?:anrufen|bellen)$")
_AFTER = re.compile(
    r"\b(?:an|op|aub|alstublieft|alsjeblieft|svp|stp|please|pls|bitte|merci|bedankt|dank u|dank je|danke|thanks|"
    r"instead|plutot|liever|lieber|stattdessen|a ma place|dans ma place|in mijn plaats|an meiner stelle|in my place|"
    r"maar|eens)$"
)
_MYSELF = re.compile(
    r"(?:^|\s)(?:i|ik|je|j|ich|we|wij|nous|on|wir|will|zal|zullen|ga|gaan|vais|allons|werde|ill|al|deja|schon|already)$"
)
_NOBODY = re.compile(
    r"(?:me|moi|mij|mich|us|nous|ons|uns|you|u|vous|jou|je|sie|dich|back|him|her|them|lui|hem|haar|ihn|ihr|eux|leur)\b"
)
_WORDS_MOST = 5


def instead(text: str) -> tuple[str, str] | None:
    """What was said before it and who is named, folded; None where nobody is to be called in one's place."""
    folded = fold(text).strip(" .,\n\t")
    found = _ASKED.match(_without(_AFTER, folded)) or _TO_CALL.match(_without(_AFTER, folded))
    if found is None:
        return None
    before, name = (found["before"] or "").strip(), _without(_AFTER, found["name"])
    if not name or len(name.split()) > _WORDS_MOST or _NOBODY.match(name) or _MYSELF.search(before):
        return None
    return before, name


def _without(ending: re.Pattern[str], text: str) -> str:
    """The text without such endings, however many."""
    text = text.strip(" ,.\n\t")
    while (shorter := ending.sub("", text).strip(" ,.\n\t")) != text:
        text = shorter
    return text


def whom(directory: Directory, name: str) -> str:
    """The person whose id it is, or whose name has all these words; `""` where that is nobody or not one person only.
    `name` is folded."""
    if directory.person(name) is not None:
        return name
    words = set(_words(name))
    if not any(len(word) > 1 for word in words):
        return ""
    found = [p.id for p in directory.people.values() if p.addresses and words <= set(_words(fold(p.name)))]
    return found[0] if len(found) == 1 else ""


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text)
