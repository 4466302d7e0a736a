"""What a campaign's hub runs on: a configuration with short chains, and people of whom each does something else.

Every `ROLES` chain is a story of its own: the first officer answers by SMS; is silent and the second answers the call;
declines; two are needed; cannot be reached at all and the chain that goes on is; nobody ever answers. What `MASS` opens
goes to `public`, more people than one chunk, and calls an officer in the midst of it.
"""

import base64
import shutil
from pathlib import Path

import msgspec

from tools.phones import Behaviour, Person

SECRET = "whsec_" + base64.b64encode(b"a secret of crash campaigns only").decode()
ACCOUNT, TOKEN = "AC" + "c" * 32, "token-of-crash-campaigns-only"
ENVIRONMENT = {
    "VIGIE_CRASH_SECRET": SECRET,
    "VIGIE_TWILIO_TOKEN": TOKEN,
    "VIGIE_API_TOKEN": "token-of-crash-campaigns-for-the-api",
}
SOURCE = "partner"
SENDER = "+32450000000"
ROLES = 6
DESKS = 3
MASS = "mass"
_LANGUAGES = ("fr", "nl", "de", "en")
_OWN = Path(__file__).parents[2] / "config"

# How each language's ask ends (hub.ask-hint); what the hub says otherwise is not answered.
_ASKED = r"(?:Oui: r.pondez|Ja: antwoord|Ja: antworten Sie|Yes: reply) ([A-Z]{1,2})\."
ACCEPTS = Behaviour(reply=r"\1", reply_to=_ASKED, call="no-answer")
DECLINES = Behaviour(reply=r"\1 no", reply_to=_ASKED, call="no-answer")
ANSWERS_CALLS = Behaviour(call="answer", digits=("1",))
REFUSES_CALLS = Behaviour(call="answer", digits=("2",))
SILENT = Behaviour(call="no-answer")
UNREACHABLE = Behaviour(coverage=False, sms_error=30003)
OPTED_OUT = Behaviour(call="busy", sms_error=21610)
MACHINE = Behaviour(call="machine")

# By role: the first officer, the two of the second tier, the one of the chain that goes on.
_CAST = (
    (ACCEPTS, SILENT, SILENT, SILENT),
    (SILENT, ANSWERS_CALLS, SILENT, SILENT),
    (DECLINES, REFUSES_CALLS, ACCEPTS, SILENT),
    (ANSWERS_CALLS, ACCEPTS, SILENT, SILENT),  # this chain needs two
    (UNREACHABLE, MACHINE, OPTED_OUT, ACCEPTS),
    (SILENT, SILENT, SILENT, SILENT),
)


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How large the world is, and how fast its chains are. `chains`: a multiple of `ROLES`, so that no officer is asked
    more often than there are answer codes for a day."""

    chains: int = 12
    audience: int = 300
    between_s: float = 1.5
    answer_s: float = 4.0


class Cast(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the campaign."""

    id: str
    number: str
    language: str
    behaviour: Behaviour = SILENT

    @property
    def phone(self) -> Person:
        return Person(name=self.id, number=self.number, language=self.language, behaviour=self.behaviour)


def officers(scale: Scale) -> list[list[Cast]]:
    """Those of each chain; the last one's are of what `MASS` opens."""
    found: list[list[Cast]] = []
    for chain in range(scale.chains + 1):
        cast = _CAST[chain % ROLES] if chain < scale.chains else _CAST[0]
        first = chain * 4
        found.append(
            [
                Cast(
                    id=f"{name}-{chain}",
                    number=f"+3247{first + n + 1000000:07d}",
                    language=_LANGUAGES[(chain + n) % 4],
                    behaviour=behaviour,
                )
                for n, (name, behaviour) in enumerate(zip(("first", "second", "third", "rescue"), cast, strict=True))
            ]
        )
    return found


def public(scale: Scale) -> list[Cast]:
    return [
        Cast(
            id=f"member-{n}",
            number=f"+32460{n + 100000:06d}",
            language=_LANGUAGES[n % 4],
            behaviour=UNREACHABLE if n % 97 == 96 else SILENT,
        )
        for n in range(scale.audience)
    ]


def partners() -> list[Cast]:
    return [Cast(id=f"desk-{n}", number=f"+32460{n + 900000:06d}", language=_LANGUAGES[n % 4]) for n in range(DESKS)]


def word(chain: int | str) -> str:
    """The word by which a signal meets the sheet of a chain."""
    return f"motclef{chain}x"


def phones(scale: Scale) -> list[Person]:
    people = [*(c for chain in officers(scale) for c in chain), *public(scale), *partners()]
    return [person.phone for person in people]


def sheets_of(chain: int | str) -> tuple[str, ...]:
    """The sheets that a signal with the word of a chain meets: the first chain's meets two, which both call."""
    return ("chain-0", "double") if chain == 0 else (MASS,) if chain == MASS else (f"chain-{chain}",)


def write(folder: Path, scale: Scale, *, port: int, twilio: str, sink: str) -> Path:
    """Writes a configuration under `folder`; `twilio` and `sink` are where the stand-ins are. Returns the folder for
    `--config`."""
    config, sheets = folder / "config", folder / "playbooks"
    config.mkdir(parents=True)
    shutil.copy(_OWN / "areas.yaml", config)
    shutil.copytree(_OWN / "areas", config / "areas")
    sheets.mkdir()
    (config / "hub.yaml").write_text(
        f"name: crash\njournal: ../data/journal.db\nsecrets: ../secrets\nplaybooks: ../playbooks\n"
        f"web:\n  listen: 127.0.0.1:{port}\n  public: http://127.0.0.1:{port}\n"
        # Every message by itself: what is looked for is each one.
        f"storms:\n  messages: 9999 in 1 s\n  incidents: 9999 in 1 s\n"
    )
    (config / "sources.yaml").write_text(
        f"{SOURCE}:\n  type: webhook\n  reliability: A\n  credibility: 2\n  secrets: CRASH_SECRET\n"
        f"  sender: {SOURCE}\n  language: fr-BE\n"
    )
    (config / "channels.yaml").write_text(_channels(twilio))
    (config / "followers.yaml").write_text(
        f"house:\n  type: webhook\n  url: {sink}/follower/events\n  secrets: CRASH_SECRET\n  timeout: 1500 ms\n"
        f"  unencrypted: true\n  from: beginning\n  events: [opened, ended, chain, ask]\n"
    )
    (config / "people.yaml").write_text(_people(scale, sink))
    (config / "rosters.yaml").write_text("".join(f"on-call-{n}:\n  always: first-{n}\n" for n in _chains(scale)))
    (config / "chains.yaml").write_text("".join(_chain(scale, n) for n in _chains(scale)))
    (config / "messages.yaml").write_text(_messages())
    for chain in range(scale.chains):
        (sheets / f"chain-{chain}.yaml").write_text(_sheet(f"chain-{chain}", chain, chain))
    (sheets / "double.yaml").write_text(_sheet("double", 0, 0))
    (sheets / f"{MASS}.yaml").write_text(_mass(scale))
    return config


def _chains(scale: Scale) -> range:
    return range(scale.chains + 1)


_LIMITS = """  limits:
    per second: {rate}
    burst: {rate}
    burst for asks: 40
    per person: 9999 in 1 s
    at once: 64
    at once for asks: 16
    one try: 6 s
"""


def _channels(twilio: str) -> str:
    text = "webhook:\n  secrets: CRASH_SECRET\n  timeout: 1500 ms\n  unencrypted: true\n" + _LIMITS.format(rate=200)
    for name, more in (("sms", ""), ("voice", "  ring: 10 s\n")):
        text += (
            f'{name}:\n  account: {ACCOUNT}\n  tokens: TWILIO_TOKEN\n  sender: "{SENDER}"\n  api: {twilio}\n'
            f"  timeout: 1500 ms\n{more}" + _LIMITS.format(rate=200)
        )
    return text


def _people(scale: Scale, sink: str) -> str:
    lines = ["people:"]
    for person in [c for chain in officers(scale) for c in chain]:
        lines += [f"  {person.id}:", f"    name: {person.id}", f"    language: {person.language}"]
        lines += ["    reach:", f'      sms: "{person.number}"', f'      call: "{person.number}"']
    for person in public(scale):
        lines += [f"  {person.id}:", f"    name: {person.id}", f"    language: {person.language}"]
        lines += [f'    reach: {{sms: "{person.number}"}}']
    for person in partners():
        lines += [f"  {person.id}:", f"    name: {person.id}", f"    language: {person.language}"]
        lines += [f'    reach: {{sms: "{person.number}", webhook: "{sink}/{person.id}"}}']
    lines += ["groups:", f"  desks: [{', '.join(p.id for p in partners())}]"]
    lines += [f"  public: [{', '.join(p.id for p in public(scale))}]"]
    lines += [f"  pair-{n}: [second-{n}, third-{n}]" for n in _chains(scale)]
    return "\n".join(lines) + "\n"


def _chain(scale: Scale, chain: int) -> str:
    need = 2 if chain < scale.chains and chain % ROLES == 3 else 1
    between, answer = f"{scale.between_s * 1000:.0f} ms", f"{scale.answer_s * 1000:.0f} ms"
    return (
        f"duty-{chain}:\n  need: {need}\n  tiers:\n"
        f"    - ask: roster on-call-{chain}\n      by: [sms, call]\n      between: {between}\n      for: {answer}\n"
        f"    - ask: pair-{chain}\n      by: [call, sms]\n      between: {between}\n      for: {answer}\n"
        f"      times: {1 + chain % 2}\n  exhausted: rescue-{chain}\n"
        f"rescue-{chain}:\n  need: 1\n  tiers:\n"
        f"    - ask: person rescue-{chain}\n      by: [sms, call]\n      between: {between}\n      for: {answer}\n"
    )


def _messages() -> str:
    """The hub's own, and four more."""
    own = (_OWN / "messages.yaml").read_text("utf-8")
    said = {
        "ask": "Alerte {sheet}: {headline}. Pouvez-vous suivre?",
        "told": "SITCEN, {sheet}: {headline}. Restez joignables.",
        "review": "SITCEN, {sheet}: faites le point. {headline}.",
        "over": "SITCEN, {sheet}: fin. {headline}. Merci.",
    }
    text = ""
    for name, words in said.items():
        text += f"{name}:\n" + "".join(f'  {language}:\n    text: "{words}"\n' for language in _LANGUAGES)
    return text + own[own.index("\nhub.") :]


_HEAD = """playbook: {name}
title:
  fr: Fiche {name}
  nl: Fiche {name}
  de: Blatt {name}
  en: Sheet {name}
owner: crash
review by: 2099-12-31
mode: live
when:
  words: {word}
incident:
  one per: [event]
  within: 10 min
  ends: when no warning is in force any more
"""


def _sheet(name: str, chain: int, by: int) -> str:
    return (
        _HEAD.format(name=name, word=word(chain))
        + f"""steps:
  wake:
    call: duty-{by}
    say: ask
  desks:
    after:
      any of:
        - wake is accepted
        - wake is exhausted
    notify: desks
    by: [sms, webhook]
    say: told
  pause:
    after: wake is accepted
    wait: 2 s
  review:
    after: pause is over
    every: 1 min
    notify: roster on-call-{by}
    by: sms
    say: review
  checklist:
    after: wake is accepted
    tasks:
      - do:
          fr: Vérifier
          nl: Nagaan
          de: Prüfen
          en: Check
        who: duty officer
        due: 2 s
  all-clear:
    when: incident ends
    notify: everyone reached
    say: over
"""
    )


def _mass(scale: Scale) -> str:
    return (
        _HEAD.format(name=MASS, word=word(MASS))
        + f"""steps:
  tell:
    notify: public
    by: sms
    say: told
  wake:
    call: duty-{scale.chains}
    say: ask
"""
    )
