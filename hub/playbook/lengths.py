"""A length of time in words, as each language shortens it. Pure."""

from hub.model.people import Language

_UNITS = {
    Language.FR: ("j", "h", "min", "s"),
    Language.NL: ("d", "u", "min", "s"),
    Language.DE: ("T.", "Std.", "Min.", "Sek."),
    Language.EN: ("d", "h", "min", "s"),
}


def span(seconds: float, language: Language) -> str:
    """To its two largest units: `40 s`, `4 min`, `1 h 20 min`."""
    whole, parts = round(abs(seconds)), []
    for unit, size in zip(_UNITS[language], (86_400, 3_600, 60, 1), strict=True):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or f"0 {_UNITS[language][-1]}"
