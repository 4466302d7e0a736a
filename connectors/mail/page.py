"""The page on which an ask is answered: its words in four languages, its HTML. Pure.

It works without JavaScript, at a phone's width, in light and dark. Its only style is in the page itself, allowed by its
digest; nothing is loaded from anywhere.
"""

import base64
import hashlib
from collections.abc import Mapping

from jinja2 import Environment, select_autoescape
from msgspec import Struct

from connectors.mail.link import Invitation
from connectors.mail.mime import BANNERS
from hub.model.people import Language

ETA_MIN = (10, 20, 40, 60)  # the minutes that have a button
ACCEPT, DECLINE = "accept", "decline"
CHOICES = frozenset({ACCEPT, DECLINE, *map(str, ETA_MIN)})


class Words(Struct, frozen=True, kw_only=True):
    """What the page says in one language. `{n}`: minutes."""

    question: str
    accept: str
    within: str
    decline: str
    nothing_yet: str  # that opening the page has answered nothing
    accepted: str
    accepted_within: str
    declined: str
    recorded: str
    change: str
    already: str
    already_unknown: str
    wrong: str
    expired: str
    otherwise: str
    not_recorded: str
    unclear: str


WORDS: Mapping[Language, Words] = {
    Language.FR: Words(
        question="Votre réponse\u00a0?",
        accept="J’accepte",
        within="J’arrive dans {n}\u00a0min",
        decline="Je refuse",
        nothing_yet="Rien n’est encore enregistré\u00a0: touchez un bouton pour répondre.",
        accepted="Vous acceptez.",
        accepted_within="Vous acceptez et serez là dans {n}\u00a0minutes.",
        declined="Vous refusez. Si besoin, la personne suivante est appelée.",
        recorded="Votre réponse est enregistrée",
        change="Vous pouvez fermer cette page. Pour changer votre réponse, appelez le centre de crise.",
        already="Ce lien a déjà servi. Votre réponse enregistrée\u00a0:",
        already_unknown="Ce lien a déjà servi\u00a0: la première réponse est enregistrée et reste valable. "
        "Rien d’autre n’a été enregistré.",
        wrong="Ce lien n’est pas valable. Rien n’a été enregistré. Ouvrez-le depuis le message reçu, en entier.",
        expired="Ce lien a expiré. Rien n’a été enregistré.",
        otherwise="Répondez par un autre moyen, ou appelez le centre de crise.",
        not_recorded="Votre réponse n’est PAS enregistrée, le système est momentanément indisponible. "
        "Touchez à nouveau le bouton, ou répondez par un autre moyen.",
        unclear="Cette réponse n’existe pas et n’a pas été enregistrée. Touchez un des boutons.",
    ),
    Language.NL: Words(
        question="Uw antwoord?",
        accept="Ik aanvaard",
        within="Ik ben er over {n}\u00a0min",
        decline="Ik weiger",
        nothing_yet="Er is nog niets geregistreerd: tik op een knop om te antwoorden.",
        accepted="U aanvaardt.",
        accepted_within="U aanvaardt en bent er over {n}\u00a0minuten.",
        declined="U weigert. Zo nodig wordt de volgende persoon opgeroepen.",
        recorded="Uw antwoord is geregistreerd",
        change="U kunt deze pagina sluiten. Wilt u uw antwoord wijzigen, bel dan het crisiscentrum.",
        already="Deze link is al gebruikt. Uw geregistreerde antwoord:",
        already_unknown="Deze link is al gebruikt: het eerste antwoord is geregistreerd en blijft gelden. "
        "Verder is niets geregistreerd.",
        wrong="Deze link is niet geldig. Er is niets geregistreerd. Open de volledige link uit het ontvangen bericht.",
        expired="Deze link is vervallen. Er is niets geregistreerd.",
        otherwise="Antwoord op een andere manier, of bel het crisiscentrum.",
        not_recorded="Uw antwoord is NIET geregistreerd, het systeem is even niet beschikbaar. "
        "Tik opnieuw op de knop, of antwoord op een andere manier.",
        unclear="Dit antwoord bestaat niet en is niet geregistreerd. Tik op een van de knoppen.",
    ),
    Language.DE: Words(
        question="Ihre Antwort?",
        accept="Ich nehme an",
        within="Ich bin in {n}\u00a0Min. da",
        decline="Ich lehne ab",
        nothing_yet="Noch ist nichts erfasst: Tippen Sie auf eine Schaltfläche, um zu antworten.",
        accepted="Sie nehmen an.",
        accepted_within="Sie nehmen an und sind in {n}\u00a0Minuten da.",
        declined="Sie lehnen ab. Wenn nötig, wird die nächste Person gerufen.",
        recorded="Ihre Antwort ist erfasst",
        change="Sie können diese Seite schließen. Um Ihre Antwort zu ändern, rufen Sie das Krisenzentrum an.",
        already="Dieser Link wurde bereits benutzt. Ihre erfasste Antwort:",
        already_unknown="Dieser Link wurde bereits benutzt: Die erste Antwort ist erfasst und gilt weiter. "
        "Sonst wurde nichts erfasst.",
        wrong="Dieser Link ist ungültig. Es wurde nichts erfasst. "
        "Öffnen Sie den vollständigen Link aus der erhaltenen Nachricht.",
        expired="Dieser Link ist abgelaufen. Es wurde nichts erfasst.",
        otherwise="Antworten Sie auf anderem Weg, oder rufen Sie das Krisenzentrum an.",
        not_recorded="Ihre Antwort ist NICHT erfasst, das System ist gerade nicht verfügbar. "
        "Tippen Sie erneut auf die Schaltfläche, oder antworten Sie auf anderem Weg.",
        unclear="Diese Antwort gibt es nicht, sie wurde nicht erfasst. Tippen Sie auf eine der Schaltflächen.",
    ),
    Language.EN: Words(
        question="Your answer?",
        accept="I accept",
        within="I’ll be there in {n}\u00a0min",
        decline="I decline",
        nothing_yet="Nothing has been recorded yet: press a button to answer.",
        accepted="You accept.",
        accepted_within="You accept and will be there in {n}\u00a0minutes.",
        declined="You decline. If needed, the next person is called.",
        recorded="Your answer is recorded",
        change="You may close this page. To change your answer, call the crisis centre.",
        already="This link has been used already. Your recorded answer:",
        already_unknown="This link has been used already: the first answer is recorded and still holds. "
        "Nothing else was recorded.",
        wrong="This link is not valid. Nothing was recorded. Open it from the message you received, in full.",
        expired="This link has expired. Nothing was recorded.",
        otherwise="Answer another way, or call the crisis centre.",
        not_recorded="Your answer is NOT recorded, the system is unavailable for the moment. "
        "Press the button again, or answer another way.",
        unclear="There is no such answer, and it was not recorded. Press one of the buttons.",
    ),
}

_STYLE = """
:root { color-scheme: light dark; --page: #f2f2f2; --card: #fff; --ink: #111; --soft: #555; --yes: #0b6b3a;
  --no: #a11d1d; --alert: #8a1c1c; --alert-page: #fdeaea }
@media (prefers-color-scheme: dark) { :root { --page: #121212; --card: #1e1e1e; --ink: #f2f2f2; --soft: #b8b8b8;
  --alert: #ffb4b4; --alert-page: #3a1616 } }
* { box-sizing: border-box }
body { margin: 0; padding: 16px; background: var(--page); color: var(--ink); font: 18px/1.5 system-ui, sans-serif }
main { max-width: 560px; margin: 0 auto; padding: 20px; background: var(--card); border-radius: 12px }
h1 { margin: 0 0 8px; font-size: 24px; line-height: 1.25; overflow-wrap: anywhere }
h2 { margin: 20px 0 8px; font-size: 20px }
p { margin: 0 0 12px } section + section { margin-top: 20px; padding-top: 16px; border-top: 1px solid var(--soft) }
.banner { margin: 0 0 16px; padding: 10px 12px; border-radius: 8px; background: #5b2c83; color: #fff; font-size: 22px;
  font-weight: bold; letter-spacing: .05em; text-align: center }
.soft { color: var(--soft) }
.alert { padding: 10px 12px; border-radius: 8px; background: var(--alert-page); color: var(--alert); font-weight: bold }
.said { padding: 14px 16px; border-radius: 8px; background: var(--yes); color: #fff; font-size: 20px;
  font-weight: bold }
.said.no { background: var(--no) }
form { display: grid; grid-template-columns: 1fr 1fr; gap: 12px; margin-top: 16px }
button { min-height: 64px; padding: 8px 12px; border: 0; border-radius: 10px; background: var(--yes); color: #fff;
  font: bold 18px/1.25 system-ui, sans-serif; cursor: pointer }
button.wide { grid-column: 1 / -1; font-size: 22px } button.no { margin-top: 12px; background: var(--no) }
button:focus-visible { outline: 4px solid #f5a800; outline-offset: 2px }
"""

_HTML = """\
<!DOCTYPE html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{ banner ~ " – " if banner }}{{ title }}</title>
<style>{{ style | safe }}</style>
</head>
<body>
<main>
{%- if banner %}
<p class="banner" role="note">{{ banner }}</p>
{%- endif %}
{%- if everyone %}
{%- for code, words in everyone.items() %}
<section lang="{{ code }}"><p><strong>{{ words.wrong }}</strong></p><p class="soft">{{ words.otherwise }}</p></section>
{%- endfor %}
{%- else %}
<h1>{{ title }}</h1>
{%- if code %}
<p class="soft">Code {{ code }}</p>
{%- endif %}
{%- if alert %}
<p class="alert" role="alert">{{ alert }}</p>
{%- endif %}
{%- if said %}
<h2>{{ heading }}</h2>
<p class="said{{ " no" if declined }}" role="status">{{ said }}</p>
{%- endif %}
{%- if after %}
<p class="soft">{{ after }}</p>
{%- endif %}
{%- if buttons %}
<h2>{{ words.question }}</h2>
{%- if not alert %}
<p class="soft">{{ words.nothing_yet }}</p>
{%- endif %}
<form method="post">
<button class="wide" name="answer" value="accept">{{ words.accept }}</button>
{%- for n in minutes %}
<button name="answer" value="{{ n }}">{{ words.within.replace("{n}", n | string) }}</button>
{%- endfor %}
<button class="wide no" name="answer" value="decline">{{ words.decline }}</button>
</form>
{%- endif %}
{%- endif %}
</main>
</body>
</html>
"""
_page = Environment(autoescape=select_autoescape(default_for_string=True, default=True)).from_string(_HTML)
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

# The page's own style and its own form, and nothing else from anywhere.
CSP = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def asking(invitation: Invitation, alert: str = "") -> str:
    """The page with the buttons. `alert`: what went wrong with the last press."""
    return _about(invitation, alert=alert, buttons=True)


def recorded(invitation: Invitation, answer: str) -> str:
    """That an answer (of CHOICES) is durable."""
    words = WORDS[invitation.language]
    return _about(
        invitation, heading=words.recorded, said=told(words, answer), declined=answer == DECLINE, after=words.change
    )


def used(invitation: Invitation, answer: str) -> str:
    """That the link has served already. `answer`: what was recorded then, `""` where that is not known here."""
    words = WORDS[invitation.language]
    if answer:
        return _about(
            invitation, heading=words.already, said=told(words, answer), declined=answer == DECLINE, after=words.change
        )
    return _about(invitation, alert=words.already_unknown, after=words.change)


def expired(invitation: Invitation) -> str:
    words = WORDS[invitation.language]
    return _about(invitation, alert=words.expired, after=words.otherwise)


def wrong() -> str:
    """That a link is none of ours: whose it should have been is not known, so in every language."""
    return _page.render(style=_STYLE, language="mul", title="Vigie", everyone=WORDS)


def told(words: Words, answer: str) -> str:
    """An answer (of CHOICES) as it is said back."""
    if answer == DECLINE:
        return words.declined
    return words.accepted if answer == ACCEPT else words.accepted_within.replace("{n}", answer)


def _about(invitation: Invitation, **parts: object) -> str:
    return _page.render(
        style=_STYLE,
        language=str(invitation.language),
        words=WORDS[invitation.language],
        minutes=ETA_MIN,
        title=invitation.subject,
        code=invitation.code,
        banner=BANNERS.get(invitation.status, {}).get(invitation.language, ""),
        **parts,
    )
