"""What documents say in the four languages, and how they tell times and numbers. Pure."""

import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from babel.dates import format_datetime
from msgspec import Struct

from hub.model.people import Classification, Language
from hub.model.signal import Status

_LOCALE = {Language.FR: "fr_BE", Language.NL: "nl_BE", Language.DE: "de_BE", Language.EN: "en_GB"}
NO_BREAK = "\u00a0"
_SHORT = dict.fromkeys(Language, "EEE d MMM HH:mm") | {Language.DE: "EEE, d. MMM HH:mm"}
_WHOLE = dict.fromkeys(Language, "EEEE d MMMM y, HH:mm") | {Language.DE: "EEEE, d. MMMM y, HH:mm"}
_DATE = dict.fromkeys(Language, "EEEE d MMMM") | {Language.DE: "EEEE, d. MMMM"}


class Words(Struct, frozen=True, kw_only=True):
    """One language's. A hole in braces is filled with `format`."""

    call_list: str
    contacts: str
    made: str
    made_by: str
    valid: str
    period: str
    at: str
    recipient: str
    classification: str
    on_duty: str
    chains: str
    desks: str
    phone_list: str
    when: str
    name: str
    organisation: str
    number: str
    reached: str
    all_the_time: str
    nobody: str
    empty: str
    no_number: str
    unknown: str
    hidden_here: str
    left_out: str
    left_nothing: str
    until: str
    then: str
    roster: str
    group: str
    competence: str
    tier: str
    in_turn: str
    times: str
    needs: str
    need_role: str
    exhausted: str
    clocks_back: str
    clocks_forward: str
    summer: str
    winter: str
    no_rosters: str
    instead: str


WORDS: dict[Language, Words] = {
    Language.FR: Words(
        call_list="Liste d’appel",
        contacts="Fiche de contact",
        made="Établie le",
        made_by="par",
        valid="Valable jusqu’au",
        period="Du {start} au {end}",
        at="État au",
        recipient="Destinataire",
        classification="Diffusion",
        on_duty="Qui est de garde",
        chains="Chaînes d’alerte",
        desks="Permanences",
        phone_list="Tous les numéros, de A à Z",
        when="Quand",
        name="Nom",
        organisation="Organisation",
        number="Numéro",
        reached="Joignable",
        all_the_time="tout le temps",
        nobody="PERSONNE DE GARDE",
        empty="Personne",
        no_number="pas de numéro",
        unknown="n’est pas dans l’annuaire",
        hidden_here="{count} non montré(s) ici",
        left_out="Omis selon la diffusion permise : {people} personne(s) ou permanence(s), "
        "{addresses} numéro(s) ou adresse(s).",
        left_nothing="Rien n’a été omis.",
        until="jusqu’au {time}",
        then="puis, dès le {time} : {people}",
        roster="Garde {name}",
        group="Groupe {name}",
        competence="Compétence {name}",
        tier="Palier {number} : {who}. Par {by} ; {minutes} min pour répondre",
        in_turn="l’un après l’autre",
        times="{count} fois",
        needs="Il faut {count} acceptation(s)",
        need_role="dont {count} × {role}",
        exhausted="Si personne n’accepte : chaîne {chain}.",
        clocks_back="Changement d’heure le {day} : à 03:00 les horloges reculent à 02:00.",
        clocks_forward="Changement d’heure le {day} : à 02:00 les horloges avancent à 03:00.",
        summer="heure d’été",
        winter="heure d’hiver",
        no_rosters="Il n’y a pas de rôle de garde.",
        instead="Le PDF n’a pas pu être établi : voici la même fiche en page web.",
    ),
    Language.NL: Words(
        call_list="Oproeplijst",
        contacts="Contactfiche",
        made="Opgemaakt op",
        made_by="door",
        valid="Geldig tot",
        period="Van {start} tot {end}",
        at="Toestand op",
        recipient="Bestemmeling",
        classification="Verspreiding",
        on_duty="Wie heeft wacht",
        chains="Alarmketens",
        desks="Permanenties",
        phone_list="Alle nummers, van A tot Z",
        when="Wanneer",
        name="Naam",
        organisation="Organisatie",
        number="Nummer",
        reached="Bereikbaar",
        all_the_time="de hele tijd",
        nobody="NIEMAND VAN WACHT",
        empty="Niemand",
        no_number="geen nummer",
        unknown="staat niet in de adreslijst",
        hidden_here="{count} hier niet getoond",
        left_out="Weggelaten volgens de toegestane verspreiding: {people} persoon/personen of permanentie(s), "
        "{addresses} nummer(s) of adres(sen).",
        left_nothing="Er is niets weggelaten.",
        until="tot {time}",
        then="daarna, vanaf {time}: {people}",
        roster="Wacht {name}",
        group="Groep {name}",
        competence="Competentie {name}",
        tier="Trap {number}: {who}. Via {by}; {minutes} min om te antwoorden",
        in_turn="de ene na de andere",
        times="{count} keer",
        needs="{count} aanvaarding(en) nodig",
        need_role="waarvan {count} × {role}",
        exhausted="Als niemand aanvaardt: keten {chain}.",
        clocks_back="De klok verandert op {day}: om 03:00 gaat ze terug naar 02:00.",
        clocks_forward="De klok verandert op {day}: om 02:00 gaat ze vooruit naar 03:00.",
        summer="zomertijd",
        winter="wintertijd",
        no_rosters="Er is geen wachtrol.",
        instead="De pdf kon niet worden gemaakt: dit is dezelfde fiche als webpagina.",
    ),
    Language.DE: Words(
        call_list="Anrufliste",
        contacts="Kontaktblatt",
        made="Erstellt am",
        made_by="von",
        valid="Gültig bis",
        period="Von {start} bis {end}",
        at="Stand",
        recipient="Empfänger",
        classification="Verbreitung",
        on_duty="Wer Bereitschaft hat",
        chains="Alarmketten",
        desks="Ständig besetzte Stellen",
        phone_list="Alle Nummern von A bis Z",
        when="Wann",
        name="Name",
        organisation="Organisation",
        number="Nummer",
        reached="Erreichbar",
        all_the_time="die ganze Zeit",
        nobody="NIEMAND HAT BEREITSCHAFT",
        empty="Niemand",
        no_number="keine Nummer",
        unknown="steht nicht im Verzeichnis",
        hidden_here="{count} hier nicht gezeigt",
        left_out="Nach der erlaubten Verbreitung weggelassen: {people} Person(en) oder Stelle(n), "
        "{addresses} Nummer(n) oder Adresse(n).",
        left_nothing="Nichts wurde weggelassen.",
        until="bis {time}",
        then="danach, ab {time}: {people}",
        roster="Bereitschaft {name}",
        group="Gruppe {name}",
        competence="Kompetenz {name}",
        tier="Stufe {number}: {who}. Per {by}; {minutes} Min. zum Antworten",
        in_turn="einer nach dem anderen",
        times="{count}-mal",
        needs="{count} Zusage(n) nötig",
        need_role="davon {count} × {role}",
        exhausted="Wenn niemand zusagt: Kette {chain}.",
        clocks_back="Zeitumstellung am {day}: Um 03:00 werden die Uhren auf 02:00 zurückgestellt.",
        clocks_forward="Zeitumstellung am {day}: Um 02:00 werden die Uhren auf 03:00 vorgestellt.",
        summer="Sommerzeit",
        winter="Winterzeit",
        no_rosters="Es gibt keinen Bereitschaftsplan.",
        instead="Das PDF konnte nicht erstellt werden: hier dasselbe Blatt als Webseite.",
    ),
    Language.EN: Words(
        call_list="Call list",
        contacts="Contact sheet",
        made="Made on",
        made_by="by",
        valid="Valid until",
        period="From {start} to {end}",
        at="As of",
        recipient="For",
        classification="Distribution",
        on_duty="Who is on duty",
        chains="Alert chains",
        desks="Desks",
        phone_list="All numbers, A to Z",
        when="When",
        name="Name",
        organisation="Organisation",
        number="Number",
        reached="Reached at",
        all_the_time="all the time",
        nobody="NOBODY ON DUTY",
        empty="Nobody",
        no_number="no number",
        unknown="is not in the directory",
        hidden_here="{count} not shown here",
        left_out="Left out as the permitted distribution demands: {people} people or desks, "
        "{addresses} numbers or addresses.",
        left_nothing="Nothing was left out.",
        until="until {time}",
        then="then, from {time}: {people}",
        roster="Roster {name}",
        group="Group {name}",
        competence="Competence {name}",
        tier="Tier {number}: {who}. By {by}; {minutes} min to answer",
        in_turn="one after the other",
        times="{count} times",
        needs="{count} must accept",
        need_role="of them {count} × {role}",
        exhausted="If nobody accepts: chain {chain}.",
        clocks_back="The clocks change on {day}: at 03:00 they go back to 02:00.",
        clocks_forward="The clocks change on {day}: at 02:00 they go forward to 03:00.",
        summer="summer time",
        winter="winter time",
        no_rosters="There is no roster.",
        instead="The PDF could not be made: this is the same sheet as a web page.",
    ),
}
CLASSIFICATIONS: dict[Language, dict[Classification, str]] = {
    Language.FR: {
        Classification.PUBLIC: "PUBLIC",
        Classification.PARTNERS: "PARTENAIRES",
        Classification.INTERNAL: "INTERNE",
    },
    Language.NL: {
        Classification.PUBLIC: "PUBLIEK",
        Classification.PARTNERS: "PARTNERS",
        Classification.INTERNAL: "INTERN",
    },
    Language.DE: {
        Classification.PUBLIC: "ÖFFENTLICH",
        Classification.PARTNERS: "PARTNER",
        Classification.INTERNAL: "INTERN",
    },
    Language.EN: {
        Classification.PUBLIC: "PUBLIC",
        Classification.PARTNERS: "PARTNERS",
        Classification.INTERNAL: "INTERNAL",
    },
}
CHANNELS: dict[Language, dict[str, str]] = {
    Language.FR: {"sms": "SMS", "voice": "appel", "email": "e-mail"},
    Language.NL: {"sms": "sms", "voice": "oproep", "email": "e-mail"},
    Language.DE: {"sms": "SMS", "voice": "Anruf", "email": "E-Mail"},
    Language.EN: {"sms": "SMS", "voice": "call", "email": "e-mail"},
}
_BANNERS = {Language.FR: "EXERCICE", Language.NL: "OEFENING", Language.DE: "ÜBUNG", Language.EN: "EXERCISE"}


def banner(status: Status, language: Language) -> str:
    """What must stand on every page of what is not in earnest; `""` for what is."""
    if status is Status.ACTUAL:
        return ""
    return _BANNERS[language] if status is Status.EXERCISE else "TEST"


def named(names: dict[Language, str], language: Language, otherwise: str) -> str:
    return names.get(language) or next(iter(names.values()), otherwise)


def by_name(text: str) -> str:
    """What names are put in order by: accents and case change nothing."""
    return "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))


# --- times -------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def told(at: datetime, zone: str, language: Language, whole: bool = False) -> str:
    """`ven. 27 nov. 08:00`; in the hour that the clocks show twice, with summer or winter time behind it."""
    there = at.astimezone(ZoneInfo(zone))
    written = format_datetime(
        at, (_WHOLE if whole else _SHORT)[language], tzinfo=ZoneInfo(zone), locale=_LOCALE[language]
    )
    if there.replace(fold=0).utcoffset() == there.replace(fold=1).utcoffset():
        return written
    words = WORDS[language]
    return f"{written} ({words.winter if there.fold else words.summer})"


def clock_changes(start: datetime, end: datetime, zone: str, language: Language) -> list[str]:
    """A sentence for each change of the clocks between two instants."""
    local, found = ZoneInfo(zone), []
    at = start
    while at < end:
        then = min(at + timedelta(hours=1), end)
        before, after = (i.astimezone(local).utcoffset() for i in (at, then))
        if before is not None and after is not None and before != after:
            words = WORDS[language]
            day = format_datetime(then, _DATE[language], tzinfo=local, locale=_LOCALE[language])
            found.append((words.clocks_back if after < before else words.clocks_forward).format(day=day))
        at = then
    return found


# --- numbers -----------------------------------------------------------------------------------------------


def to_dial(address: str, region: str) -> str:
    """A number as one dials it from a telephone in `region`: 0450 00 00 01; from abroad 00 33 1 42 68 53 00. Other
    addresses as they are. The blanks are such that no line ends within a number."""
    return _written(address, lambda number: phonenumbers.format_out_of_country_calling_number(number, region))


def to_dial_from_anywhere(address: str) -> str:
    """+32 450 00 00 01."""
    return _written(
        address, lambda number: phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    )


def _written(address: str, write: Callable[[phonenumbers.PhoneNumber], str]) -> str:
    if not address.startswith("+"):
        return address
    try:
        written = write(phonenumbers.parse(address))
    except phonenumbers.NumberParseException:
        return address
    return " ".join(written.split()).replace(" ", NO_BREAK)
