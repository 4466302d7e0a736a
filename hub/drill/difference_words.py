"""What a replay's page says, in four languages. Names of sheets, chains, channels and messages are as configured."""

from collections.abc import Mapping

from hub.drill.calls import Kind
from hub.drill.difference import Change, Differs
from hub.drill.replay import Assumed, Counts
from hub.model.people import Language

_EN = {
    "title": "What other playbooks would have done",
    "period": "{since} to {until} ({zone})",
    "fed": "{signals} signals, {facts} facts of the journal",
    "sheets": "Playbooks",
    "new": "new", "changed": "changed", "gone": "gone", "unchanged": "{n} the same",
    "incidents": "Incidents",
    "by_person": "By person", "by_sheet": "By playbook",
    "person": "Person", "sheet": "Playbook", "then": "then", "now": "replayed",
    "asked_head": "asked", "told_head": "told", "opened": "opened",
    "what": "What", "in_what": "Difference",
    "all_same": "Nothing is different: the same people would have been called, at the same times.",
    "the_same": "the same in both",
    "in_place": "{now} in place of {then}",
    "signals": "{n} signals", "shadow": "in shadow: nothing is sent", "held": "held back",
    "accepted": "accepted by {people}", "exhausted": "{chains} exhausted",
    "audience": "a large audience", "n_people": "{n} people", "n_times": "{n} times",
    "assumed": "What is assumed",
    "assumed_lead": "A replay is no prophecy. The sheets and the signals are real; of the outside it assumes:",
    "not_given": "{given} answers of then were given, {not_given} were not: nothing of theirs was open here.",
    "not_done": "{done} acts of officers were repeated, {not_done} were not: what they were about is not open here.",
    "erased": "{n} signals could not be looked at: their words were erased.",
    Change.SAME: "the same", Change.OTHERWISE: "otherwise", Change.ONLY_NOW: "only replayed",
    Change.NO_LONGER: "no longer",
    Differs.EARLIER: "{span} earlier", Differs.LATER: "{span} later", Differs.CHANNEL: "another channel",
    Differs.LANGUAGE: "another language", Differs.MESSAGE: "another message", Differs.TIMES: "more or less often",
    Kind.ASKED: "asked", Kind.TOLD: "told", Kind.OVER: "all-clear",
    Assumed.SENT: "Whatever is ordered has gone out at once: no channel fails, none is slow.",
    Assumed.ANSWERS: "Who answered then answers here, for the same matter, as long after being first asked.",
    Assumed.SILENCE: "Nobody else answers.",
    Assumed.PEOPLE: (
        "People, rosters and chains are those of the configuration now, with what was changed while the hub "
        "ran."
    ),
    Assumed.PLACES: "A signal touches the areas that were found when it came in.",
    Assumed.ACTS: "What officers did (ending, steering, tasks, silences, stop-all) is repeated where it fits.",
    Assumed.NOTHING_ELSE: "Broadcasts, handover notices and call lists are left out.",
}  # fmt: skip

_FR = {
    "title": "Ce que d’autres fiches auraient fait",
    "period": "du {since} au {until} ({zone})",
    "fed": "{signals} signaux, {facts} faits du journal",
    "sheets": "Fiches réflexes",
    "new": "nouvelles", "changed": "modifiées", "gone": "supprimées", "unchanged": "{n} identiques",
    "incidents": "Incidents",
    "by_person": "Par personne", "by_sheet": "Par fiche",
    "person": "Personne", "sheet": "Fiche", "then": "alors", "now": "rejoué",
    "asked_head": "sollicitée", "told_head": "informée", "opened": "ouverts",
    "what": "Quoi", "in_what": "Différence",
    "all_same": "Rien ne change : les mêmes personnes auraient été appelées, aux mêmes heures.",
    "the_same": "identiques dans les deux cas",
    "in_place": "{now} à la place de {then}",
    "signals": "{n} signaux", "shadow": "à blanc : rien n’est envoyé", "held": "retenu",
    "accepted": "accepté par {people}", "exhausted": "{chains} : chaîne épuisée",
    "audience": "un large public", "n_people": "{n} personnes", "n_times": "{n} fois",
    "assumed": "Ce qui est supposé",
    "assumed_lead": (
        "Un rejeu n’est pas une prophétie. Les fiches et les signaux sont réels ; pour le reste, on suppose "
        ":"
    ),
    "not_given": "{given} réponses d’alors ont été reprises, {not_given} ne l’ont pas été : rien ne les attendait ici.",
    "not_done": "{done} gestes d’officiers ont été repris, {not_done} non : leur objet n’est pas ouvert ici.",
    "erased": "{n} signaux n’ont pas pu être examinés : leur texte a été effacé.",
    Change.SAME: "identique", Change.OTHERWISE: "autrement", Change.ONLY_NOW: "seulement rejoué",
    Change.NO_LONGER: "plus maintenant",
    Differs.EARLIER: "{span} plus tôt", Differs.LATER: "{span} plus tard", Differs.CHANNEL: "autre canal",
    Differs.LANGUAGE: "autre langue", Differs.MESSAGE: "autre message", Differs.TIMES: "plus ou moins souvent",
    Kind.ASKED: "sollicitée", Kind.TOLD: "informée", Kind.OVER: "fin d’alerte",
    Assumed.SENT: "Tout ce qui est ordonné est parti aussitôt : aucun canal ne tombe en panne, aucun n’est lent.",
    Assumed.ANSWERS: (
        "Qui avait répondu répond ici aussi, pour la même affaire, dans le même délai après le premier "
        "appel."
    ),
    Assumed.SILENCE: "Personne d’autre ne répond.",
    Assumed.PEOPLE: (
        "Personnes, rôles de garde et chaînes sont ceux de la configuration actuelle, avec ce qui a été "
        "modifié en cours de route."
    ),
    Assumed.PLACES: "Un signal touche les zones trouvées à son arrivée.",
    Assumed.ACTS: (
        "Les gestes des officiers (clôtures, conduite des chaînes, tâches, mises en sourdine, arrêt général) "
        "sont repris là où ils s’appliquent."
    ),
    Assumed.NOTHING_ELSE: "Les diffusions, avis de relève et listes d’appel sont laissés de côté.",
}  # fmt: skip

_NL = {
    "title": "Wat andere fiches hadden gedaan",
    "period": "van {since} tot {until} ({zone})",
    "fed": "{signals} signalen, {facts} feiten uit het logboek",
    "sheets": "Reflexfiches",
    "new": "nieuw", "changed": "gewijzigd", "gone": "verdwenen", "unchanged": "{n} gelijk",
    "incidents": "Incidenten",
    "by_person": "Per persoon", "by_sheet": "Per fiche",
    "person": "Persoon", "sheet": "Fiche", "then": "toen", "now": "herspeeld",
    "asked_head": "gevraagd", "told_head": "ingelicht", "opened": "geopend",
    "what": "Wat", "in_what": "Verschil",
    "all_same": "Niets verandert: dezelfde personen waren op dezelfde tijdstippen opgeroepen.",
    "the_same": "gelijk in beide gevallen",
    "in_place": "{now} in plaats van {then}",
    "signals": "{n} signalen", "shadow": "schaduwmodus: er wordt niets verzonden", "held": "tegengehouden",
    "accepted": "aanvaard door {people}", "exhausted": "{chains}: keten uitgeput",
    "audience": "een groot publiek", "n_people": "{n} personen", "n_times": "{n} keer",
    "assumed": "Wat wordt aangenomen",
    "assumed_lead": (
        "Een herspeling is geen voorspelling. De fiches en de signalen zijn echt; voor de rest wordt "
        "aangenomen:"
    ),
    "not_given": "{given} antwoorden van toen zijn overgenomen, {not_given} niet: hier stond er niets voor open.",
    "not_done": (
        "{done} handelingen van officieren zijn herhaald, {not_done} niet: waarover ze gingen staat hier "
        "niet open."
    ),
    "erased": "{n} signalen konden niet bekeken worden: hun tekst is gewist.",
    Change.SAME: "gelijk", Change.OTHERWISE: "anders", Change.ONLY_NOW: "alleen herspeeld",
    Change.NO_LONGER: "niet meer",
    Differs.EARLIER: "{span} vroeger", Differs.LATER: "{span} later", Differs.CHANNEL: "ander kanaal",
    Differs.LANGUAGE: "andere taal", Differs.MESSAGE: "ander bericht", Differs.TIMES: "vaker of minder vaak",
    Kind.ASKED: "gevraagd", Kind.TOLD: "ingelicht", Kind.OVER: "einde alarm",
    Assumed.SENT: "Wat opgedragen is, is meteen vertrokken: geen enkel kanaal valt uit, geen enkel is traag.",
    Assumed.ANSWERS: "Wie toen antwoordde, antwoordt ook hier, voor dezelfde zaak, even lang na de eerste oproep.",
    Assumed.SILENCE: "Niemand anders antwoordt.",
    Assumed.PEOPLE: (
        "Personen, wachtdiensten en ketens zijn die van de huidige configuratie, met wat intussen gewijzigd "
        "werd."
    ),
    Assumed.PLACES: "Een signaal raakt de gebieden die bij zijn aankomst gevonden werden.",
    Assumed.ACTS: (
        "Wat officieren deden (afsluiten, ketens sturen, taken, dempen, algemene stop) wordt herhaald waar "
        "het past."
    ),
    Assumed.NOTHING_ELSE: "Massaberichten, aflossingsberichten en oproeplijsten blijven buiten beschouwing.",
}  # fmt: skip

_DE = {
    "title": "Was andere Reflexblätter getan hätten",
    "period": "{since} bis {until} ({zone})",
    "fed": "{signals} Signale, {facts} Fakten des Journals",
    "sheets": "Reflexblätter",
    "new": "neu", "changed": "geändert", "gone": "entfallen", "unchanged": "{n} gleich",
    "incidents": "Ereignisse",
    "by_person": "Nach Person", "by_sheet": "Nach Blatt",
    "person": "Person", "sheet": "Blatt", "then": "damals", "now": "nachgespielt",
    "asked_head": "gefragt", "told_head": "informiert", "opened": "eröffnet",
    "what": "Was", "in_what": "Unterschied",
    "all_same": "Nichts ist anders: dieselben Personen wären zu denselben Zeiten gerufen worden.",
    "the_same": "in beiden Fällen gleich",
    "in_place": "{now} an Stelle von {then}",
    "signals": "{n} Signale", "shadow": "Schattenmodus: nichts wird gesendet", "held": "zurückgehalten",
    "accepted": "angenommen von {people}", "exhausted": "{chains}: Kette ausgeschöpft",
    "audience": "eine große Zahl von Empfängern", "n_people": "{n} Personen", "n_times": "{n}-mal",
    "assumed": "Was angenommen wird",
    "assumed_lead": (
        "Ein Nachspielen ist keine Vorhersage. Blätter und Signale sind echt; von der Außenwelt wird "
        "angenommen:"
    ),
    "not_given": "{given} Antworten von damals wurden übernommen, {not_given} nicht: hier stand nichts für sie offen.",
    "not_done": (
        "{done} Handlungen von Offizieren wurden wiederholt, {not_done} nicht: worum es ging, ist hier nicht "
        "offen."
    ),
    "erased": "{n} Signale konnten nicht angesehen werden: ihr Wortlaut wurde gelöscht.",
    Change.SAME: "gleich", Change.OTHERWISE: "anders", Change.ONLY_NOW: "nur nachgespielt",
    Change.NO_LONGER: "nicht mehr",
    Differs.EARLIER: "{span} früher", Differs.LATER: "{span} später", Differs.CHANNEL: "anderer Kanal",
    Differs.LANGUAGE: "andere Sprache", Differs.MESSAGE: "andere Nachricht", Differs.TIMES: "öfter oder seltener",
    Kind.ASKED: "gefragt", Kind.TOLD: "informiert", Kind.OVER: "Entwarnung",
    Assumed.SENT: "Was angeordnet ist, ist sofort hinausgegangen: kein Kanal fällt aus, keiner ist langsam.",
    Assumed.ANSWERS: (
        "Wer damals antwortete, antwortet auch hier, in derselben Sache, ebenso lange nach der ersten "
        "Anfrage."
    ),
    Assumed.SILENCE: "Sonst antwortet niemand.",
    Assumed.PEOPLE: (
        "Personen, Dienstpläne und Ketten sind die der jetzigen Konfiguration, mit dem, was währenddessen "
        "geändert wurde."
    ),
    Assumed.PLACES: "Ein Signal berührt die Gebiete, die bei seinem Eingang gefunden wurden.",
    Assumed.ACTS: (
        "Was Offiziere taten (Beenden, Steuern, Aufgaben, Stummschalten, Gesamtstopp), wird wiederholt, wo "
        "es passt."
    ),
    Assumed.NOTHING_ELSE: "Massenmeldungen, Ablösungshinweise und Rufnummernlisten bleiben außer Betracht.",
}  # fmt: skip

WORDS: Mapping[Language, Mapping[str, str]] = {
    Language.FR: _FR, Language.NL: _NL, Language.DE: _DE, Language.EN: _EN,
}  # fmt: skip


def left_over(counts: Counts, language: Language) -> list[str]:
    """What of then could not be replayed."""
    words, lines = WORDS[language], []
    if counts.not_given:
        lines.append(words["not_given"].format(given=counts.answers, not_given=counts.not_given))
    if counts.not_done:
        lines.append(words["not_done"].format(done=counts.acts, not_done=counts.not_done))
    if counts.erased:
        lines.append(words["erased"].format(n=counts.erased))
    return lines
