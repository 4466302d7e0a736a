"""What hazards, severities and grades are called in the four languages, in the midst of a sentence. Pure."""

from hub.model.people import Language
from hub.model.signal import Hazard, Severity
from hub.model.trust import Credibility, Reliability

_ORDER = (Language.FR, Language.NL, Language.DE, Language.EN)

_HAZARDS: dict[Hazard, tuple[str, str, str, str]] = {
    Hazard.WIND: ("vent violent", "hevige wind", "Sturm", "strong wind"),
    Hazard.SNOW_ICE: ("neige et verglas", "sneeuw en ijzel", "Schnee und Eis", "snow and ice"),
    Hazard.THUNDERSTORM: ("orage", "onweer", "Gewitter", "thunderstorm"),
    Hazard.FOG: ("brouillard", "mist", "Nebel", "fog"),
    Hazard.HEAT: ("chaleur", "hitte", "Hitze", "heat"),
    Hazard.COLD: ("froid", "koude", "Kälte", "cold"),
    Hazard.COASTAL: ("submersion côtière", "gevaar aan de kust", "Gefahr an der Küste", "coastal danger"),
    Hazard.FOREST_FIRE: ("feu de forêt", "bosbrand", "Waldbrand", "forest fire"),
    Hazard.AVALANCHE: ("avalanche", "lawine", "Lawine", "avalanche"),
    Hazard.RAIN: ("fortes pluies", "hevige regen", "Starkregen", "heavy rain"),
    Hazard.FLOOD: ("inondation", "overstroming", "Überschwemmung", "flood"),
    Hazard.EARTHQUAKE: ("séisme", "aardbeving", "Erdbeben", "earthquake"),
    Hazard.VOLCANO: ("éruption volcanique", "vulkaanuitbarsting", "Vulkanausbruch", "volcanic eruption"),
    Hazard.TSUNAMI: ("tsunami", "tsunami", "Tsunami", "tsunami"),
    Hazard.CYCLONE: ("cyclone", "cycloon", "Zyklon", "cyclone"),
    Hazard.DROUGHT: ("sécheresse", "droogte", "Dürre", "drought"),
    Hazard.FIRE: ("incendie", "brand", "Brand", "fire"),
    Hazard.EXPLOSION: ("explosion", "ontploffing", "Explosion", "explosion"),
    Hazard.GAS_LEAK: ("fuite de gaz", "gaslek", "Gasleck", "gas leak"),
    Hazard.CHEMICAL: ("substances chimiques", "chemische stoffen", "chemische Stoffe", "chemical substances"),
    Hazard.RADIATION: ("rayonnement ionisant", "ioniserende straling", "ionisierende Strahlung", "ionising radiation"),
    Hazard.AIR_QUALITY: ("pollution de l’air", "luchtverontreiniging", "Luftverschmutzung", "air pollution"),
    Hazard.WATER_QUALITY: ("pollution de l’eau", "waterverontreiniging", "Wasserverschmutzung", "water pollution"),
    Hazard.EPIDEMIC: ("épidémie", "epidemie", "Epidemie", "epidemic"),
    Hazard.POWER_OUTAGE: ("panne d’électricité", "stroomuitval", "Stromausfall", "power outage"),
    Hazard.EMERGENCY_CALLS: (
        "panne des appels d’urgence",
        "uitval van de noodnummers",
        "Ausfall der Notrufe",
        "outage of emergency calls",
    ),
    Hazard.TELECOM: (
        "panne des télécommunications",
        "uitval van de telecommunicatie",
        "Ausfall der Telekommunikation",
        "telecommunications outage",
    ),
    Hazard.CYBER: ("cyberincident", "cyberincident", "Cybervorfall", "cyber incident"),
    Hazard.TRAFFIC: ("perturbation du trafic", "verkeershinder", "Verkehrsstörung", "traffic disruption"),
    Hazard.PUBLIC_TRANSPORT: (
        "perturbation des transports publics",
        "verstoord openbaar vervoer",
        "Störung des öffentlichen Verkehrs",
        "public transport disruption",
    ),
    Hazard.RAIL: ("incident ferroviaire", "spoorwegincident", "Bahnvorfall", "rail incident"),
    Hazard.AVIATION: ("incident aérien", "luchtvaartincident", "Flugvorfall", "aviation incident"),
    Hazard.DEMONSTRATION: ("manifestation", "betoging", "Kundgebung", "demonstration"),
    Hazard.RIOT: ("émeute", "rellen", "Ausschreitungen", "riot"),
    Hazard.TERROR: ("menace terroriste", "terreurdreiging", "Terrorgefahr", "terrorist threat"),
    Hazard.CROWD: ("affluence", "grote mensenmassa", "Menschenmenge", "crowd"),
    Hazard.VIP: ("visite protégée", "beveiligd bezoek", "geschützter Besuch", "protected visit"),
    Hazard.MISSING_PERSON: ("disparition", "vermissing", "vermisste Person", "missing person"),
    Hazard.PLANNED_EVENT: ("événement planifié", "gepland evenement", "geplante Veranstaltung", "planned event"),
    Hazard.CRISIS_CENTRE: (
        "activation du centre de crise",
        "activering van het crisiscentrum",
        "Aktivierung des Krisenzentrums",
        "activation of the crisis centre",
    ),
    Hazard.OTHER: ("autre danger", "ander gevaar", "andere Gefahr", "other hazard"),
}
_SEVERITIES: dict[Severity, tuple[str, str, str, str]] = {
    Severity.UNKNOWN: ("inconnue", "onbekend", "unbekannt", "unknown"),
    Severity.MINOR: ("faible", "gering", "gering", "minor"),
    Severity.MODERATE: ("modérée", "matig", "mäßig", "moderate"),
    Severity.SEVERE: ("grave", "ernstig", "schwer", "severe"),
    Severity.EXTREME: ("extrême", "extreem", "extrem", "extreme"),
}
_RELIABILITIES: dict[Reliability, tuple[str, str, str, str]] = {
    Reliability.A: ("fiable", "betrouwbaar", "zuverlässig", "reliable"),
    Reliability.B: ("habituellement fiable", "meestal betrouwbaar", "meist zuverlässig", "usually reliable"),
    Reliability.C: ("assez fiable", "vrij betrouwbaar", "ziemlich zuverlässig", "fairly reliable"),
    Reliability.D: ("peu fiable", "meestal niet betrouwbaar", "meist nicht zuverlässig", "not usually reliable"),
    Reliability.E: ("non fiable", "onbetrouwbaar", "unzuverlässig", "unreliable"),
    Reliability.F: (
        "fiabilité inconnue",
        "betrouwbaarheid onbekend",
        "Zuverlässigkeit unbekannt",
        "reliability unknown",
    ),
}
_CREDIBILITIES: dict[Credibility, tuple[str, str, str, str]] = {
    Credibility.CONFIRMED: ("confirmé", "bevestigd", "bestätigt", "confirmed"),
    Credibility.PROBABLY_TRUE: ("probablement vrai", "waarschijnlijk waar", "wahrscheinlich wahr", "probably true"),
    Credibility.POSSIBLY_TRUE: ("peut-être vrai", "mogelijk waar", "möglicherweise wahr", "possibly true"),
    Credibility.DOUBTFUL: ("douteux", "twijfelachtig", "zweifelhaft", "doubtful"),
    Credibility.IMPROBABLE: ("improbable", "onwaarschijnlijk", "unwahrscheinlich", "improbable"),
    Credibility.CANNOT_BE_JUDGED: (
        "véracité inconnue",
        "waarheid onbekend",
        "Wahrheitsgehalt unbekannt",
        "truth unknown",
    ),
}


def hazard_word(hazard: Hazard, language: Language) -> str:
    return _HAZARDS[hazard][_ORDER.index(language)]


def severity_word(severity: Severity, language: Language) -> str:
    return _SEVERITIES[severity][_ORDER.index(language)]


def grade_words(reliability: Reliability, credibility: Credibility, language: Language) -> str:
    """`B2 (usually reliable, probably true)`."""
    at = _ORDER.index(language)
    words = f"{_RELIABILITIES[reliability][at]}, {_CREDIBILITIES[credibility][at]}"
    return f"{reliability.value}{credibility.value} ({words})"
