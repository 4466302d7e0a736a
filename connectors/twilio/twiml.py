"""What is said in a call, in four languages, as TwiML (twilio.com/docs/voice/twiml). Pure.

The keypad: 1 accepts, 2 declines, 9 says it again; a key is taken while the voice still speaks. Nothing pressed: the
prompt twice more, then goodbye. Where no key can be taken, the message is said twice, each time with how to answer.
"""

import unicodedata
from collections.abc import Mapping

from msgspec import Struct
from twilio.twiml.voice_response import Gather, VoiceResponse

from hub.model.people import Language

TAGS = {Language.FR: "fr-BE", Language.NL: "nl-BE", Language.DE: "de-DE", Language.EN: "en-GB"}
LONGEST = 4000  # characters of TwiML that may come with the call itself
_REPEATED = 2  # times the prompt is said again when nothing is pressed
_WAIT_S = 6  # for a key, after the last word


class Phrases(Struct, frozen=True, kw_only=True):
    """The fixed sentences of one language."""

    ask: str
    tell: str
    accepted: str
    declined: str
    unknown_key: str
    not_recorded: str
    lost: str
    goodbye: str
    otherwise: str


PHRASES = {
    Language.FR: Phrases(
        ask="Pour accepter, appuyez sur 1. Pour refuser, appuyez sur 2. Pour réécouter le message, appuyez sur 9.",
        tell="Pour réécouter le message, appuyez sur 9.",
        accepted="Merci. Vous avez accepté. Votre réponse est enregistrée. Au revoir.",
        declined="Merci. Vous avez refusé. Votre réponse est enregistrée. Au revoir.",
        unknown_key="Cette touche n'est pas utilisée.",
        not_recorded="Votre réponse n'a pas pu être enregistrée. Veuillez recommencer.",
        lost="Le message ne peut pas être répété. Vous le trouverez aussi parmi vos autres messages.",
        goodbye="Nous n'avons pas reçu de réponse. Au revoir.",
        otherwise="Vous ne pouvez pas répondre pendant cet appel. Pour accepter, répondez à notre SMS par le code"
        " {code}. Pour refuser, répondez {code}, suivi du mot non.",
    ),
    Language.NL: Phrases(
        ask="Om te aanvaarden, druk op 1. Om te weigeren, druk op 2. Om het bericht opnieuw te horen, druk op 9.",
        tell="Om het bericht opnieuw te horen, druk op 9.",
        accepted="Dank u. U hebt aanvaard. Uw antwoord is geregistreerd. Tot ziens.",
        declined="Dank u. U hebt geweigerd. Uw antwoord is geregistreerd. Tot ziens.",
        unknown_key="Deze toets wordt niet gebruikt.",
        not_recorded="Uw antwoord kon niet worden geregistreerd. Probeer het opnieuw.",
        lost="Het bericht kan niet worden herhaald. U vindt het ook bij uw andere berichten.",
        goodbye="Wij hebben geen antwoord ontvangen. Tot ziens.",
        otherwise="U kunt tijdens deze oproep niet antwoorden. Om te aanvaarden, antwoord op onze sms met de code"
        " {code}. Om te weigeren, antwoord {code}, gevolgd door het woord nee.",
    ),
    Language.DE: Phrases(
        ask="Zum Annehmen drücken Sie die 1. Zum Ablehnen drücken Sie die 2. Zum Wiederholen drücken Sie die 9.",
        tell="Zum Wiederholen drücken Sie die 9.",
        accepted="Danke. Sie haben angenommen. Ihre Antwort ist gespeichert. Auf Wiederhören.",
        declined="Danke. Sie haben abgelehnt. Ihre Antwort ist gespeichert. Auf Wiederhören.",
        unknown_key="Diese Taste ist nicht belegt.",
        not_recorded="Ihre Antwort konnte nicht gespeichert werden. Bitte versuchen Sie es noch einmal.",
        lost="Die Nachricht kann nicht wiederholt werden. Sie finden sie auch bei Ihren anderen Nachrichten.",
        goodbye="Wir haben keine Antwort erhalten. Auf Wiederhören.",
        otherwise="Während dieses Anrufs können Sie nicht antworten. Zum Annehmen antworten Sie auf unsere SMS mit dem"
        " Code {code}. Zum Ablehnen antworten Sie {code}, gefolgt von dem Wort nein.",
    ),
    Language.EN: Phrases(
        ask="To accept, press 1. To decline, press 2. To hear the message again, press 9.",
        tell="To hear the message again, press 9.",
        accepted="Thank you. You have accepted. Your answer is recorded. Goodbye.",
        declined="Thank you. You have declined. Your answer is recorded. Goodbye.",
        unknown_key="That key is not used.",
        not_recorded="Your answer could not be recorded. Please try again.",
        lost="The message cannot be repeated. You will also find it among your other messages.",
        goodbye="We have received no answer. Goodbye.",
        otherwise="You cannot answer during this call. To accept, reply to our text message with the code {code}."
        " To decline, reply {code}, followed by the word no.",
    ),
}


class Speech(Struct, frozen=True, kw_only=True):
    """How a call speaks: its language, whether an answer is asked for, where keys are posted to (`""`: nowhere, so
    none are asked for), the voices to use in place of Twilio's own for the language, and the code by which an ask can
    be answered in writing."""

    language: Language
    ask: bool
    action: str
    voices: Mapping[Language, str] = {}
    code: str = ""


def script(message: str, speech: Speech) -> str:
    """The whole call: the message and what can be pressed; again; goodbye. Longer messages than fit are cut at a
    sentence or word."""
    message = speakable(message)
    document = _script(message, speech)
    if len(document) <= LONGEST:
        return document
    low, high = 0, len(message)  # the longest beginning that fits (the SDK writes an accent as six characters)
    while low < high:
        middle = (low + high + 1) // 2
        if len(_script(message[:middle], speech)) <= LONGEST:
            low = middle
        else:
            high = middle - 1
    return _script(_whole_words(message[:low]), speech)


def again(message: str | None, speech: Speech, before: str = "") -> str:
    """The answer to a key that ends nothing: `before` (a phrase), the message if it is to be repeated, and what can
    be pressed."""
    return _script(speakable(message) if message else "", speech, before=before)


def said(phrase: str, speech: Speech) -> str:
    """One phrase, then the end of the call."""
    response = VoiceResponse()
    _say(response, phrase, speech)
    response.hangup()
    return str(response)


def speakable(text: str) -> str:
    """Without what XML cannot carry and a voice would stumble over: control characters, line ends."""
    kept = "".join(char if unicodedata.category(char) not in ("Cc", "Cs", "Co", "Cn") else " " for char in text)
    return " ".join(kept.split())


def _script(message: str, speech: Speech, before: str = "") -> str:
    phrases = PHRASES[speech.language]
    prompt = phrases.ask if speech.ask else phrases.tell
    response = VoiceResponse()
    if not speech.action:
        response.pause(length=1)  # for the "hello"
        for _ in range(2):
            _say(response, message, speech)
            if speech.ask and speech.code:  # letter by letter
                _say(response, phrases.otherwise.format(code=", ".join(speech.code)), speech)
            response.pause(length=1)
        response.hangup()
        return str(response)
    for nth in range(1 + _REPEATED if speech.ask else 1):
        # Not even `#` ends the wait: each key is the answer.
        gather = Gather(
            input="dtmf", num_digits=1, timeout=_WAIT_S, finish_on_key="", action=speech.action, method="POST"
        )
        if nth == 0:
            gather.pause(length=1)  # for the "hello"
            for words in (before, message):
                if words:
                    _say(gather, words, speech)
        _say(gather, prompt, speech)
        response.append(gather)
    if speech.ask:
        _say(response, phrases.goodbye, speech)
    response.hangup()
    return str(response)


def _say(where: VoiceResponse | Gather, words: str, speech: Speech) -> None:
    where.say(words, language=TAGS[speech.language], voice=speech.voices.get(speech.language))


def _whole_words(text: str) -> str:
    """Up to the last sentence, or word, that is not cut in two, where one ends in the second half."""
    for end in (". ", " "):
        at = text.rfind(end)
        if at > len(text) // 2:
            return text[: at + 1].rstrip()
    return text
