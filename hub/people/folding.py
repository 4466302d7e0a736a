"""Words of the four languages as they are compared: without case, accents and apostrophes. Pure."""

import re
import unicodedata

_EMOJI = {
    "\U0001f44d": "ok",  # thumbs up
    "\U0001f44c": "ok",  # OK hand
    "\U0001f197": "ok",  # OK button
    "\u2705": "ok",  # white heavy check mark
    "\u2714": "ok",  # heavy check mark
    "\u2611": "ok",  # ballot box with check
    "\u2713": "ok",  # check mark
    "\U0001f44e": "non",  # thumbs down
    "\u274c": "non",  # cross mark
    "\u274e": "non",  # negative squared cross mark
    "\u2716": "non",  # heavy multiplication x
    "\u2717": "non",  # ballot x
    "\U0001f6ab": "non",  # no entry
    "\u26d4": "non",  # no entry
    "\U0001f645": "non",  # face with no good gesture
}
_IGNORED = frozenset("\ufe0e\ufe0f\u200d\u200b\u2640\u2642\U0001f64f\U0001f642\U0001f600\U0001f60a")
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_LETTERS = {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l"}
_APOSTROPHES = "'’‘`´ʼ"
_PREPOSITION = re.compile(r"\bà\b")  # never code A


def fold(text: str) -> str:
    """Lower case, without accents, apostrophes and the like; emoji that answer become words."""
    out: list[str] = []
    for char in unicodedata.normalize("NFKC", text):
        if char in _EMOJI:
            out.append(f" {_EMOJI[char]} ")
        elif char in _IGNORED or ord(char) in _SKIN_TONES or char in _APOSTROPHES:
            continue
        else:
            out.append(char)
    lower = _PREPOSITION.sub("dans", "".join(out).casefold())
    decomposed = unicodedata.normalize("NFKD", lower)
    return "".join(_LETTERS.get(c, c) for c in decomposed if not unicodedata.combining(c))
