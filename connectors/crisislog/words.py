"""What an event of an incident is called in a log, in four languages: one natural sentence each. Pure.

Names of sheets, steps, chains, people and channels are as configured. What a sentence leaves out stands in the entry's
own data.
"""

from collections.abc import Mapping
from typing import Any

from hub.model.people import Language

FR, NL, DE, EN = Language.FR, Language.NL, Language.DE, Language.EN

# name → French, Dutch, German, English
_SENTENCES: dict[str, tuple[str, str, str, str]] = {
    "opened": ("Incident ouvert", "Incident geopend", "Ereignis eröffnet", "Incident opened"),
    "ended": (
        "Incident terminé : {why}",
        "Incident beëindigd: {why}",
        "Ereignis beendet: {why}",
        "Incident ended: {why}",
    ),
    "reopened": ("Incident rouvert", "Incident heropend", "Ereignis wieder eröffnet", "Incident reopened"),
    "lapsed": (
        "L'incident ne peut plus être rouvert ; des tâches restent ouvertes",
        "Het incident kan niet meer heropend worden; er staan nog taken open",
        "Das Ereignis kann nicht mehr wieder eröffnet werden; Aufgaben sind noch offen",
        "The incident can no longer reopen; tasks are still open",
    ),
    "closed": ("Incident clôturé", "Incident afgesloten", "Ereignis abgeschlossen", "Incident closed"),
    "held-back": (
        "Personne n'est alerté pour l'instant ({by})",
        "Voorlopig wordt niemand gealarmeerd ({by})",
        "Vorläufig wird niemand alarmiert ({by})",
        "Nobody is alerted for now ({by})",
    ),
    "released": (
        "L'alerte retenue suit son cours",
        "De tegengehouden alarmering gaat door",
        "Die zurückgehaltene Alarmierung läuft weiter",
        "The alert that was held back goes ahead",
    ),
    "signal.joined": (
        "Signal de {source}",
        "Signaal van {source}",
        "Signal von {source}",
        "Signal from {source}",
    ),
    "signal.attached": (
        "Un autre signal dit la même chose",
        "Een ander signaal zegt hetzelfde",
        "Ein weiteres Signal besagt dasselbe",
        "Another signal tells the same",
    ),
    "signal.withdrawn": (
        "Signal retiré : {why}",
        "Signaal ingetrokken: {why}",
        "Signal zurückgezogen: {why}",
        "Signal withdrawn: {why}",
    ),
    "graded": (
        "Fiabilité évaluée à {reliability}{credibility}",
        "Betrouwbaarheid beoordeeld als {reliability}{credibility}",
        "Zuverlässigkeit mit {reliability}{credibility} bewertet",
        "Reliability graded {reliability}{credibility}",
    ),
    "step.began": ("Étape {step} commencée", "Stap {step} begonnen", "Schritt {step} begonnen", "Step {step} began"),
    "step.ended": (
        "Étape {step} : {outcome}",
        "Stap {step}: {outcome}",
        "Schritt {step}: {outcome}",
        "Step {step}: {outcome}",
    ),
    "task.opened": (
        "Tâche ouverte ({step}) pour {who}",
        "Taak geopend ({step}) voor {who}",
        "Aufgabe eröffnet ({step}) für {who}",
        "Task opened ({step}) for {who}",
    ),
    "task.closed": (
        "Tâche de l'étape {step} : {outcome}",
        "Taak van stap {step}: {outcome}",
        "Aufgabe des Schritts {step}: {outcome}",
        "Task of step {step}: {outcome}",
    ),
    "task.late": (
        "Tâche de l'étape {step} en retard",
        "Taak van stap {step} is te laat",
        "Aufgabe des Schritts {step} ist überfällig",
        "Task of step {step} is late",
    ),
    "chain.began": (
        "Chaîne d'alerte {chain} lancée",
        "Alarmketen {chain} gestart",
        "Alarmkette {chain} gestartet",
        "Alert chain {chain} started",
    ),
    "chain.tier": (
        "Chaîne d'alerte {chain} : échelon {tier}, tour {round}",
        "Alarmketen {chain}: trap {tier}, ronde {round}",
        "Alarmkette {chain}: Stufe {tier}, Runde {round}",
        "Alert chain {chain}: tier {tier}, round {round}",
    ),
    "chain.ended": (
        "Chaîne d'alerte {chain} : {outcome}",
        "Alarmketen {chain}: {outcome}",
        "Alarmkette {chain}: {outcome}",
        "Alert chain {chain}: {outcome}",
    ),
    "chain.held": (
        "Chaîne d'alerte {chain} suspendue par {by}",
        "Alarmketen {chain} gepauzeerd door {by}",
        "Alarmkette {chain} von {by} angehalten",
        "Alert chain {chain} held by {by}",
    ),
    "chain.resumed": (
        "Chaîne d'alerte {chain} reprise par {by}",
        "Alarmketen {chain} hervat door {by}",
        "Alarmkette {chain} von {by} fortgesetzt",
        "Alert chain {chain} resumed by {by}",
    ),
    "chain.taken": (
        "{person} a accepté, selon {by}",
        "{person} heeft aanvaard, volgens {by}",
        "{person} hat laut {by} angenommen",
        "{person} has accepted, says {by}",
    ),
    "ask.opened": (
        "{person} va être appelé(e)",
        "{person} wordt opgeroepen",
        "{person} wird gerufen",
        "{person} is to be called",
    ),
    "ask.sent": ("{person} appelé(e)", "{person} opgeroepen", "{person} gerufen", "{person} called"),
    "ask.closed": (
        "Appel à {person} : {outcome}",
        "Oproep aan {person}: {outcome}",
        "Ruf an {person}: {outcome}",
        "Call to {person}: {outcome}",
    ),
    "answered": (
        "{person} répond : {verb}",
        "{person} antwoordt: {verb}",
        "{person} antwortet: {verb}",
        "{person} answers: {verb}",
    ),
    "message.ordered": (
        "Message {message} par {channel} à {people} personne(s)",
        "Bericht {message} via {channel} aan {people} persoon/personen",
        "Nachricht {message} über {channel} an {people} Person(en)",
        "Message {message} by {channel} to {people} people",
    ),
    "message.delivery": (
        "Message {message} par {channel} : {outcomes}",
        "Bericht {message} via {channel}: {outcomes}",
        "Nachricht {message} über {channel}: {outcomes}",
        "Message {message} by {channel}: {outcomes}",
    ),
    "message.withdrawn": (
        "Message retiré avant l'envoi",
        "Bericht ingetrokken vóór verzending",
        "Nachricht vor dem Versand zurückgezogen",
        "Message withdrawn before it was sent",
    ),
    "message.held": ("Message en attente", "Bericht wacht", "Nachricht wartet", "Message waits"),
    "message.resumed": (
        "L'envoi du message reprend",
        "Het verzenden van het bericht gaat verder",
        "Der Versand der Nachricht geht weiter",
        "The message goes out again",
    ),
    "message.kept": (
        "Message gardé pour le prochain résumé de {person}",
        "Bericht bewaard voor de volgende samenvatting van {person}",
        "Nachricht für die nächste Zusammenfassung von {person} aufgehoben",
        "Message kept for the next digest of {person}",
    ),
    "broadcast.proposed": (
        "Diffusion proposée au groupe {group}",
        "Verspreiding voorgesteld aan groep {group}",
        "Rundspruch an die Gruppe {group} vorgeschlagen",
        "Broadcast proposed to group {group}",
    ),
    "broadcast.dropped": (
        "Diffusion abandonnée",
        "Verspreiding geschrapt",
        "Rundspruch verworfen",
        "Broadcast dropped",
    ),
    "broadcast.drafted": (
        "Diffusion prête pour le groupe {group}, en attente d'approbation",
        "Verspreiding klaar voor groep {group}, wacht op goedkeuring",
        "Rundspruch für die Gruppe {group} bereit, wartet auf Freigabe",
        "Broadcast to group {group} drafted, waits for its release",
    ),
    "broadcast.released": (
        "Diffusion approuvée par {by}",
        "Verspreiding goedgekeurd door {by}",
        "Rundspruch von {by} freigegeben",
        "Broadcast released by {by}",
    ),
    "broadcast.began": ("Diffusion commencée", "Verspreiding begonnen", "Rundspruch begonnen", "Broadcast began"),
    "broadcast.held": (
        "Diffusion suspendue par {by}",
        "Verspreiding gepauzeerd door {by}",
        "Rundspruch von {by} angehalten",
        "Broadcast held by {by}",
    ),
    "broadcast.resumed": (
        "Diffusion reprise par {by}",
        "Verspreiding hervat door {by}",
        "Rundspruch von {by} fortgesetzt",
        "Broadcast resumed by {by}",
    ),
    "broadcast.ended": (
        "Diffusion : {outcome}",
        "Verspreiding: {outcome}",
        "Rundspruch: {outcome}",
        "Broadcast: {outcome}",
    ),
    "alarm.raised": (
        "Alarme pour la salle : {name}",
        "Alarm voor de zaal: {name}",
        "Alarm für den Raum: {name}",
        "Alarm for the room: {name}",
    ),
    "alarm.cleared": (
        "Alarme levée : {name}",
        "Alarm opgeheven: {name}",
        "Alarm aufgehoben: {name}",
        "Alarm cleared: {name}",
    ),
}

_VALUES: dict[str, tuple[str, str, str, str]] = {
    "no-signal": (
        "plus aucun signal en vigueur",
        "geen enkel signaal is nog van kracht",
        "kein Signal ist mehr in Kraft",
        "no signal is in force any more",
    ),
    "officer": ("par un officier", "door een officier", "durch einen Offizier", "by an officer"),
    "cancelled": ("annulé", "geannuleerd", "abgesagt", "cancelled"),
    "expired": ("échu", "verlopen", "abgelaufen", "expired"),
    "replaced": ("remplacé", "vervangen", "ersetzt", "replaced"),
    "accepted": ("accepté", "aanvaard", "angenommen", "accepted"),
    "declined": ("refusé", "geweigerd", "abgelehnt", "declined"),
    "exhausted": (
        "personne n'a accepté",
        "niemand heeft aanvaard",
        "niemand hat angenommen",
        "nobody has accepted",
    ),
    "handed-over": ("remis à une autre chaîne", "doorgegeven", "weitergegeben", "handed over"),
    "sent": ("envoyé", "verzonden", "gesendet", "sent"),
    "delivered": ("remis", "afgeleverd", "zugestellt", "delivered"),
    "failed": ("échec", "mislukt", "fehlgeschlagen", "failed"),
    "withdrawn": ("retiré", "ingetrokken", "zurückgezogen", "withdrawn"),
    "done": ("fait", "gedaan", "erledigt", "done"),
    "late": ("en retard", "te laat", "überfällig", "late"),
    "over": ("terminé", "voorbij", "vorbei", "over"),
    "delegated": ("délégué", "doorgegeven", "weitergegeben", "delegated"),
    "unreachable": ("injoignable", "onbereikbaar", "nicht erreichbar", "unreachable"),
    "stood-down": (
        "plus besoin",
        "niet meer nodig",
        "nicht mehr nötig",
        "no longer needed",
    ),
    "accept": ("oui", "ja", "ja", "yes"),
    "decline": ("non", "nee", "nein", "no"),
    "delegate": (
        "quelqu'un d'autre",
        "iemand anders",
        "jemand anders",
        "somebody else",
    ),
    "true": ("c'est vrai", "het is juist", "es ist wahr", "it is true"),
    "false": ("c'est faux", "het is vals", "es ist falsch", "it is false"),
    "unsure": ("ne sait pas", "weet het niet", "weiß es nicht", "cannot tell"),
    "stop": ("plus de messages", "geen berichten meer", "keine Nachrichten mehr", "no more messages"),
    "start": ("à nouveau des messages", "weer berichten", "wieder Nachrichten", "messages again"),
    "unclear": ("pas compris", "niet begrepen", "nicht verstanden", "not understood"),
    "stopped": ("arrêtée", "stopgezet", "gestoppt", "stopped"),
    "discarded": ("abandonnée", "geschrapt", "verworfen", "discarded"),
    "lapsed": (
        "pas approuvée à temps",
        "niet op tijd goedgekeurd",
        "nicht rechtzeitig freigegeben",
        "not released in time",
    ),
}
_ORDER = (FR, NL, DE, EN)
NAMES = frozenset(_SENTENCES)


def sentence(name: str, data: Mapping[str, Any], language: Language) -> str:
    """What happened. An event this version does not know is told by its name."""
    known = _SENTENCES.get(name)
    if known is None:
        return name
    said = {key: _said(value, language) for key, value in data.items()}
    return known[_ORDER.index(language)].format_map(_Absent(said)).replace(" ()", "").strip()


def _said(value: Any, language: Language) -> str:
    """A value in a sentence: a word that is known in its language, figures and names as they are."""
    if isinstance(value, Mapping):
        return ", ".join(f"{_said(key, language)} {count}" for key, count in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_said(one, language) for one in value)
    known = _VALUES.get(value) if isinstance(value, str) else None
    return known[_ORDER.index(language)] if known else str(value)


class _Absent(dict[str, str]):
    """What an event does not say stands as nothing."""

    def __missing__(self, key: str) -> str:
        return ""
