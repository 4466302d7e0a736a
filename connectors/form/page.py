"""The page of a form: its words in four languages, its HTML. It works without JavaScript, at a phone's width, in light
and dark; nothing is loaded from anywhere. Pure."""

import base64
import hashlib
from collections.abc import Mapping

from jinja2 import Environment, select_autoescape

from connectors.form.config import FormConfig, Kind
from hub.model.people import Language

WORDS: Mapping[Language, Mapping[str, str]] = {
    Language.FR: {
        "people": "Une personne par ligne : nom, service, fonction (200 au plus).",
        "reference": "Recopiez la référence que vous avez reçue.", "one_each": "Nom, service, fonction",
        "who": "Votre organisation", "code": "Code de votre organisation", "send": "Envoyer", "optional": "facultatif",
        "choose": "Choisissez dans la liste.", "missing": "À remplir.", "too_long": "Trop long : résumez.",
        "number": "Écrivez un nombre entier.", "phone": "Écrivez un numéro, par exemple +32 2 123 45 67.",
        "email": "Écrivez une adresse e-mail.", "moment": "Écrivez un jour et une heure.",
        "before": "La fin doit venir après le début.",
        "wrong_code": "L’organisation ou le code n’est pas juste.",
        "not_sent": "Rien n’est encore envoyé : corrigez ce qui est marqué.",
        "sent": "Bien reçu",
        "keep": "Notez cette référence :",
        "change": "Pour corriger, revenez en arrière, modifiez et envoyez à nouveau : "
        "la nouvelle version remplace l’ancienne. En cas d’urgence, appelez le centre.",
        "not_recorded": "Votre demande n’est PAS enregistrée, le système est momentanément indisponible. "
        "Envoyez à nouveau, ou appelez le centre.", "slow": "Trop d’essais : attendez une minute.",
    },
    Language.NL: {
        "people": "Eén persoon per regel: naam, dienst, functie (hoogstens 200).",
        "reference": "Neem de referentie over die u gekregen hebt.", "one_each": "Naam, dienst, functie",
        "who": "Uw organisatie", "code": "Code van uw organisatie", "send": "Verzenden", "optional": "niet verplicht",
        "choose": "Kies uit de lijst.", "missing": "In te vullen.", "too_long": "Te lang: vat samen.",
        "number": "Schrijf een geheel getal.", "phone": "Schrijf een nummer, bijvoorbeeld +32 2 123 45 67.",
        "email": "Schrijf een e-mailadres.", "moment": "Schrijf een dag en een uur.",
        "before": "Het einde moet na het begin komen.",
        "wrong_code": "De organisatie of de code klopt niet.",
        "not_sent": "Er is nog niets verzonden: verbeter wat gemarkeerd is.",
        "sent": "Goed ontvangen",
        "keep": "Noteer deze referentie:",
        "change": "Om te verbeteren gaat u terug, wijzigt u en verzendt u opnieuw: "
        "de nieuwe versie vervangt de oude. Bel bij dringende gevallen het centrum.",
        "not_recorded": "Uw aanvraag is NIET geregistreerd, het systeem is even niet beschikbaar. "
        "Verzend opnieuw, of bel het centrum.", "slow": "Te veel pogingen: wacht een minuut.",
    },
    Language.DE: {
        "people": "Eine Person je Zeile: Name, Dienst, Funktion (höchstens 200).",
        "reference": "Übernehmen Sie das Zeichen, das Sie erhalten haben.", "one_each": "Name, Dienst, Funktion",
        "who": "Ihre Organisation", "code": "Code Ihrer Organisation", "send": "Senden", "optional": "freiwillig",
        "choose": "Wählen Sie aus der Liste.", "missing": "Auszufüllen.", "too_long": "Zu lang: Fassen Sie zusammen.",
        "number": "Schreiben Sie eine ganze Zahl.", "phone": "Schreiben Sie eine Nummer, etwa +32 2 123 45 67.",
        "email": "Schreiben Sie eine E-Mail-Adresse.", "moment": "Schreiben Sie einen Tag und eine Uhrzeit.",
        "before": "Das Ende muss nach dem Beginn liegen.",
        "wrong_code": "Die Organisation oder der Code stimmt nicht.",
        "not_sent": "Noch ist nichts gesendet: Berichtigen Sie, was markiert ist.",
        "sent": "Gut angekommen",
        "keep": "Notieren Sie dieses Zeichen:",
        "change": "Zum Berichtigen gehen Sie zurück, ändern und senden Sie noch "
        "einmal: Die neue Fassung ersetzt die alte. In dringenden Fällen rufen Sie das Zentrum an.",
        "not_recorded": "Ihre Anfrage ist NICHT erfasst, das System ist gerade nicht verfügbar. "
        "Senden Sie noch einmal, oder rufen Sie das Zentrum an.", "slow": "Zu viele Versuche: Warten Sie eine Minute.",
    },
    Language.EN: {
        "people": "One person to a line: name, service, function (200 at most).",
        "reference": "Copy the reference that you were given.", "one_each": "Name, service, function",
        "who": "Your organisation", "code": "Your organisation’s code", "send": "Send", "optional": "optional",
        "choose": "Choose from the list.", "missing": "Fill this in.", "too_long": "Too long: shorten it.",
        "number": "Write a whole number.", "phone": "Write a number, such as +32 2 123 45 67.",
        "email": "Write an e-mail address.", "moment": "Write a day and a time.",
        "before": "The end has to come after the beginning.",
        "wrong_code": "The organisation or its code is not right.",
        "not_sent": "Nothing has been sent yet: correct what is marked.",
        "sent": "Well received",
        "keep": "Note this reference:",
        "change": "To correct it, go back, change it and send it again: the new version "
        "takes the place of the old one. If it is urgent, call the centre.",
        "not_recorded": "Your request is NOT recorded, the system is unavailable for the moment. "
        "Send it again, or call the centre.", "slow": "Too many tries: wait a minute.",
    },
}  # fmt: skip

_INPUT = {Kind.LINE: "text", Kind.NUMBER: "text", Kind.MOMENT: "datetime-local", Kind.PHONE: "tel", Kind.EMAIL: "email"}

_STYLE = """
:root { color-scheme: light dark; --page: #f2f2f2; --card: #fff; --ink: #111; --soft: #555; --line: #767676;
  --yes: #0b6b3a; --alert: #8a1c1c; --alert-page: #fdeaea }
@media (prefers-color-scheme: dark) { :root { --page: #121212; --card: #1e1e1e; --ink: #f2f2f2; --soft: #b8b8b8;
  --line: #8f8f8f; --alert: #ffb4b4; --alert-page: #3a1616 } }
* { box-sizing: border-box }
body { margin: 0; padding: 16px; background: var(--page); color: var(--ink); font: 18px/1.5 system-ui, sans-serif }
main { max-width: 640px; margin: 0 auto; padding: 20px; background: var(--card); border-radius: 12px }
h1 { margin: 0 0 8px; font-size: 24px; line-height: 1.25; overflow-wrap: anywhere }
nav { display: flex; gap: 4px; margin: -8px -12px 8px } nav a { min-width: 48px; min-height: 44px; padding: 8px 12px;
  color: inherit; text-align: center } nav a[aria-current] { font-weight: bold; text-decoration: none }
label, legend { display: block; margin: 18px 0 4px; padding: 0; font-weight: bold }
label span, legend span { color: var(--soft); font-weight: normal }
input, select, textarea { width: 100%; min-height: 48px; padding: 8px 12px; border: 1px solid var(--line);
  border-radius: 8px; background: var(--card); color: var(--ink); font: inherit }
fieldset { margin: 0; padding: 0; border: 0 } fieldset[aria-invalid] { padding: 8px }
.one { display: flex; gap: 12px; align-items: center; min-height: 44px; margin: 0; font-weight: normal }
.one input { width: 44px; min-height: 44px; margin: 0; flex: none }
textarea { min-height: 120px } [aria-invalid] { border: 2px solid var(--alert) }
.fault { margin: 4px 0 0; color: var(--alert); font-weight: bold }
.alert { padding: 10px 12px; border-radius: 8px; background: var(--alert-page); color: var(--alert);
  font-weight: bold }
.said { padding: 14px 16px; border-radius: 8px; background: var(--yes); color: #fff; font-size: 20px; font-weight: 700 }
button { width: 100%; min-height: 60px; margin-top: 24px; border: 0; border-radius: 10px; background: var(--yes);
  color: #fff; font: bold 20px/1.25 system-ui, sans-serif; cursor: pointer }
:focus-visible { outline: 4px solid #f5a800; outline-offset: 2px } code { font-size: 22px; overflow-wrap: anywhere }
"""

_HTML = """\
<!DOCTYPE html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{ title }}</title>
<style>{{ style | safe }}</style>
</head>
<body>
<main>
{%- if reference %}
<h1>{{ title }}</h1>
<p class="said" role="status">{{ words.sent }}</p>
<p>{{ words.keep }} <code>{{ reference }}</code></p>
<p>{{ words.change }}</p>
{%- else %}
<nav>
{%- for code in languages %}
<a href="?lang={{ code }}" lang="{{ code }}"
{%- if code == language %} aria-current="true"{% endif %}>{{ code | upper }}</a>
{%- endfor %}
</nav>
<h1>{{ title }}</h1>
{%- if intro %}
<p>{{ intro }}</p>
{%- endif %}
{%- if alert %}
<p class="alert" role="alert">{{ alert }}</p>
{%- endif %}
<form method="post" action="?lang={{ language }}" novalidate>
<input type="hidden" name="id" value="{{ id }}">
{%- for field in fields %}
{%- if field.kind != "choices" %}
<label for="{{ field.name }}">{{ field.label }}
{%- if not field.required %} <span>({{ words.optional }})</span>{% endif %}</label>
{%- endif %}
{%- set marked = ('aria-invalid="true" aria-describedby="' ~ field.name ~ '-fault"') if field.fault else "" %}
{%- if field.kind == "choice" %}
<select id="{{ field.name }}" name="{{ field.name }}" {{ marked | safe }}>
<option value=""></option>
{%- for value, shown in field.choices.items() %}
<option value="{{ value }}"{{ " selected" if value == field.value }}>{{ shown }}</option>
{%- endfor %}
</select>
{%- elif field.kind == "choices" %}
<fieldset {{ marked | safe }}><legend>{{ field.label }}
{%- if not field.required %} <span>({{ words.optional }})</span>{% endif %}</legend>
{%- for value, shown in field.choices.items() %}
<label class="one"><input type="checkbox" name="{{ field.name }}" value="{{ value }}"
{{- " checked" if value in field.several }}>{{ shown }}</label>
{%- endfor %}
</fieldset>
{%- elif field.kind == "people" %}
<textarea id="{{ field.name }}" name="{{ field.name }}" placeholder="{{ words.one_each }}" {{ marked | safe }}>
{{- "\n" ~ field.value }}</textarea>
{%- elif field.kind == "text" %}
<textarea id="{{ field.name }}" name="{{ field.name }}" {{ marked | safe }}>{{ field.value }}</textarea>
{%- else %}
<input id="{{ field.name }}" name="{{ field.name }}" type="{{ field.input }}" value="{{ field.value }}"
{%- if field.kind == "number" %} inputmode="numeric"{% endif %}
{%- if field.input == "password" %} autocomplete="current-password"{% endif %} {{ marked | safe }}>
{%- endif %}
{%- if field.fault %}
<p class="fault" id="{{ field.name }}-fault">{{ field.fault }}</p>
{%- endif %}
{%- endfor %}
<button>{{ words.send }}</button>
</form>
{%- endif %}
</main>
</body>
</html>
"""
_page = Environment(autoescape=select_autoescape(default_for_string=True, default=True)).from_string(_HTML)
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

# The page's own style and its own form, and nothing else from anywhere.
CSP = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def asking(
    config: FormConfig,
    language: Language,
    form_id: str,
    values: Mapping[str, str] = {},  # never changed
    wrong: Mapping[str, str] = {},  # never changed
    alert: str = "",
) -> str:
    """The form. `values`: what was typed; `wrong`: field → the word that says what is wrong with it; `alert`: the word
    that says why nothing was sent."""
    words = WORDS[language]
    fields = []
    if config.partners:
        shown = {name: name for name in config.partners}
        fault = words["wrong_code"] if "code" in wrong else ""
        who = {"name": "partner", "label": words["who"], "kind": "choice", "choices": shown, "fault": fault}
        code = {"name": "code", "label": words["code"], "kind": "line", "input": "password", "fault": fault}
        fields += [
            {**who, "value": values.get("partner", ""), "required": True},
            {**code, "value": "", "required": True},
        ]
    for name, field in config.fields.items():
        fields.append(
            {
                "name": name,
                "label": field.label.of(language),
                "kind": field.kind.value,
                "input": _INPUT.get(field.kind, ""),
                "choices": {value: text.of(language) for value, text in field.choices.items()},
                "required": field.required,
                "value": values.get(name, ""),
                "several": [one.strip() for one in values.get(name, "").split(",")],
                "fault": words[wrong[name]] if name in wrong else "",
            }
        )
    return _page.render(
        style=_STYLE, language=language.value, languages=[one.value for one in Language], words=words, id=form_id,
        title=config.title.of(language), intro=config.intro.of(language) if config.intro else "", fields=fields,
        alert=words[alert] if alert else "",
    )  # fmt: skip


def received(config: FormConfig, language: Language, reference: str) -> str:
    """That it is durable."""
    return _page.render(
        style=_STYLE,
        language=language.value,
        words=WORDS[language],
        title=config.title.of(language),
        reference=reference,
    )
