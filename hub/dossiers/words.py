"""What a rise says, in each language."""

from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from hub.model.event_dossier import Rose
from hub.model.people import Language

_LOCALES = {Language.FR: "fr-BE", Language.NL: "nl-BE", Language.DE: "de-BE", Language.EN: "en-GB"}
EVENTS = {
    Language.FR: "Dossier en hausse",
    Language.NL: "Stijging in een dossier",
    Language.DE: "Anstieg in einem Dossier",
    Language.EN: "Dossier rises",
}


class Said(Struct, frozen=True, kw_only=True):
    """One info block's words."""

    language: str
    event: str
    headline: str
    description: str


def said(rose: Rose, titles: Mapping[Language, str]) -> list[Said]:
    """The words of a rise; `titles`: the dossier's."""
    return [
        Said(
            language=_LOCALES[language],
            event=EVENTS[language],
            headline=_HEADLINES[language].format(
                title=titles[language], count=rose.count, span=_span(rose.span, language), usual=_usual(rose, language)
            ),
            description=_DESCRIPTIONS[language].format(
                count=rose.count,
                span=_span(rose.span, language),
                day=_day(rose.day, language),
                mean=_number(rose.usual, language),
                spans=rose.spans,
            ),
        )
        for language in Language
    ]


_HEADLINES = {
    Language.FR: "Dossier « {title} » : {count} signalements {span}, {usual}",
    Language.NL: "Dossier “{title}”: {count} meldingen {span}, {usual}",
    Language.DE: "Dossier „{title}“: {count} Meldungen {span}, {usual}",
    Language.EN: "Dossier “{title}”: {count} reports {span}, {usual}",
}
_DESCRIPTIONS = {
    Language.FR: "Jusqu'au {day}, {count} signalements ont été classés dans ce dossier {span}. La moyenne des {spans} "
    "périodes précédentes de même durée est de {mean}.",
    Language.NL: "Tot en met {day} zijn {span} {count} meldingen in dit dossier opgenomen. Het gemiddelde van de "
    "{spans} vorige periodes van dezelfde duur is {mean}.",
    Language.DE: "Bis zum {day} wurden {span} {count} Meldungen in dieses Dossier aufgenommen. Der Durchschnitt der "
    "{spans} vorigen Zeiträume gleicher Dauer beträgt {mean}.",
    Language.EN: "Up to {day}, {count} reports were filed in this dossier {span}. The average of the {spans} periods "
    "of the same length before is {mean}.",
}
_USUALLY = {
    Language.FR: ("contre {} d'habitude", "contre aucun d'habitude"),
    Language.NL: ("gewoonlijk {}", "gewoonlijk geen"),
    Language.DE: ("gewöhnlich {}", "gewöhnlich keine"),
    Language.EN: ("usually {}", "usually none"),
}
_SPANS = {
    Language.FR: ("en {} jours", "en un jour"),
    Language.NL: ("in {} dagen", "op één dag"),
    Language.DE: ("in {} Tagen", "an einem Tag"),
    Language.EN: ("in {} days", "in one day"),
}


def _span(days: int, language: Language) -> str:
    several, one = _SPANS[language]
    return one if days == 1 else several.format(days)


def _usual(rose: Rose, language: Language) -> str:
    some, none = _USUALLY[language]
    return some.format(_number(rose.usual, language)) if round(rose.usual, 1) else none


def _number(value: float, language: Language) -> str:
    text = f"{value:.0f}" if value >= 10 else f"{value:.1f}".removesuffix(".0")
    return text if language is Language.EN else text.replace(".", ",")


def _day(day: date, language: Language) -> str:
    return f"{day:%d.%m.%Y}" if language is Language.DE else f"{day:%d/%m/%Y}"
