"""What the auditor's findings are called for those who receive its alarms, in four languages."""

from hub.auditor.standing import Kind, Told
from hub.model.people import Language

_WHAT: dict[str, tuple[str, str, str, str]] = {
    "deadline-overdue": (
        "une échéance n'a pas été traitée à temps",
        "een termijn is niet op tijd afgehandeld",
        "eine Frist wurde nicht rechtzeitig bearbeitet",
        "a deadline was not acted on in time",
    ),
    "fact-not-taken": (
        "une information reçue n'est pas traitée",
        "ontvangen informatie wordt niet verwerkt",
        "eine eingegangene Information wird nicht verarbeitet",
        "information received is not being processed",
    ),
    "queue-ask": (
        "l'alerte d'un officier n'est pas partie",
        "de alarmering van een officier is niet vertrokken",
        "die Alarmierung eines Offiziers ist nicht abgegangen",
        "an officer's alert has not gone out",
    ),
    "queue-confirm": (
        "des confirmations ne partent pas",
        "bevestigingen vertrekken niet",
        "Bestätigungen gehen nicht ab",
        "confirmations are not going out",
    ),
    "queue-notify": (
        "des notifications ne partent pas",
        "meldingen vertrekken niet",
        "Benachrichtigungen gehen nicht ab",
        "notifications are not going out",
    ),
    "queue-mass": (
        "un message à un large public n'avance pas",
        "een bericht aan een groot publiek vordert niet",
        "eine Nachricht an viele Empfänger kommt nicht voran",
        "a message to a large audience is not moving",
    ),
    "attempt-unsettled": (
        "le sort d'un envoi reste inconnu",
        "het lot van een verzending blijft onbekend",
        "das Ergebnis einer Sendung bleibt unbekannt",
        "the outcome of a delivery remains unknown",
    ),
    "hub-not-up": (
        "Vigie ne démarre pas",
        "Vigie start niet op",
        "Vigie startet nicht",
        "Vigie does not come up",
    ),
    "hub-silent": (
        "Vigie ne donne plus signe de vie",
        "Vigie geeft geen teken van leven meer",
        "Vigie gibt kein Lebenszeichen mehr",
        "Vigie gives no sign of life any more",
    ),
    "hub-died": (
        "Vigie s'est arrêté et a été relancé",
        "Vigie is gestopt en opnieuw gestart",
        "Vigie ist ausgefallen und wurde neu gestartet",
        "Vigie stopped and was started again",
    ),
    "hub-keeps-dying": (
        "Vigie s'arrête sans cesse : intervention nécessaire",
        "Vigie valt telkens weer uit: ingrijpen nodig",
        "Vigie fällt immer wieder aus: Eingreifen nötig",
        "Vigie keeps stopping: somebody must act",
    ),
    "hub-restarted": (
        "Vigie était bloqué et a été relancé",
        "Vigie stond stil en werd opnieuw gestart",
        "Vigie stand still und wurde neu gestartet",
        "Vigie stood still and was started again",
    ),
    "journal-unreadable": (
        "le journal de Vigie est illisible",
        "het journaal van Vigie is onleesbaar",
        "das Journal von Vigie ist nicht lesbar",
        "Vigie's journal cannot be read",
    ),
    "disk-full": (
        "Vigie ne peut plus écrire sur son disque",
        "Vigie kan niet meer op zijn schijf schrijven",
        "Vigie kann nicht mehr auf seine Festplatte schreiben",
        "Vigie cannot write to its disk any more",
    ),
    "auditor-fault": (
        "l'auditeur de Vigie est en défaut",
        "de auditor van Vigie is defect",
        "der Auditor von Vigie ist gestört",
        "Vigie's auditor is at fault itself",
    ),
}
_KIND: dict[Kind, tuple[str, str, str, str]] = {
    Kind.NEW: ("ALARME", "ALARM", "ALARM", "ALARM"),
    Kind.AGAIN: ("ALARME (dure encore)", "ALARM (houdt aan)", "ALARM (dauert an)", "ALARM (still standing)"),
    Kind.OVER: ("Fin d'alarme", "Einde alarm", "Alarm beendet", "Alarm over"),
}
_PLAYBACK = ("EXERCICE", "OEFENING", "ÜBUNG", "EXERCISE")
LANGUAGES = (Language.FR, Language.NL, Language.DE, Language.EN)

KNOWN = frozenset(_WHAT)


def line(told: Told, language: Language) -> str:
    """One line: what kind of message, and what it is about."""
    index = LANGUAGES.index(language)
    exercise = f"[{_PLAYBACK[index]}] " if told.playback else ""
    return f"{exercise}{_KIND[told.kind][index]}: {_WHAT[told.finding.what][index]}"


def subject(told: Told) -> str:
    """A subject in all languages' capitals, short enough for a phone: the words stand in the mail."""
    exercise = "[EXERCISE] " if told.playback else ""
    over = "OK" if told.kind is Kind.OVER else "ALARM"
    return f"{exercise}[Vigie] {over}: {told.finding.what}"


def text(told: Told) -> str:
    """The whole message: a line per language, then the detail (English: names and numbers)."""
    lines = [f"{language.upper()}  {line(told, language)}" for language in LANGUAGES]
    return "\n".join([*lines, "", f"{told.finding.what}: {told.finding.detail}", ""])
