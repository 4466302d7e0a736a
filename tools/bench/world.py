"""What a benchmark feeds the hub: a configuration with so many sheets, and alerts that meet them or do not.

The sheets are mixed as in tools.bench.matching: half ask for hazard, severity and area (one in ten of those with a CEL
expression besides), four in ten for words from certain sources, one in ten for words alone. Every sheet opens an
incident for each event and notifies one partner by webhook.
"""

import base64
import hashlib
import hmac
import os
import random
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from hub.model.signal import Hazard

SECRET = "whsec_" + base64.b64encode(b"a secret of the benchmarks only!").decode()
_KEY = b"a secret of the benchmarks only!"
ACCOUNT, TOKEN = "AC" + "0" * 32, "token-of-the-benchmarks-only"
API_TOKEN = "token-of-the-benchmarks-for-the-api-0123456789"
ENVIRONMENT = {"VIGIE_BENCH_SECRET": SECRET, "VIGIE_TWILIO_TOKEN": TOKEN, "VIGIE_API_TOKEN": API_TOKEN}

SOURCES = tuple(f"partner-{n}" for n in range(8))
_OWN = Path(__file__).parents[2] / "config"
_AREAS = ("brussels-capital-region", "police-zone-midi", "police-zone-brussels-west")
_HAZARDS = tuple(h for h in Hazard if h is not Hazard.FOG)  # no sheet asks for fog
TITLE = "title:\n  fr: {0}\n  nl: {0}\n  de: {0}\n  en: {0}"


def new_run() -> str:
    return os.urandom(4).hex()


def alert_id(run: str, number: int) -> str:
    return f"al-{run}-{number:07d}"


# --- alerts ------------------------------------------------------------------------------------------------

Opens = Callable[[int], bool]  # whether an alert opens an incident, by its number


def every(nth: int) -> Opens:
    return lambda number: number % nth == 0


ALL = every(1)
ENDING = every(1_000)  # those that open hold for less than a minute: what is open stays bounded


def body(run: str, number: int, sheets: int, opens: Opens) -> bytes:
    """A partner's alert, about 330 bytes. One that opens meets exactly one sheet, by a word of its description."""
    known = alert_id(run, number)
    host = f"srv-{number % 997:04d}"
    place = f"mot{number * 10 % sheets + 9}x" if opens(number) else "archive"
    return alert(
        known,
        event=f"Disk full {known}" if opens(number) else "Disk full",
        headline=f"{known}: filesystem /var on {host}",
        description=f"it is {90 + number % 10}% full and still growing, near {place}",
        lasts_s=40 if opens is ENDING else None,
    )


def alert(known: str, *, event: str, headline: str, description: str, lasts_s: float | None = None) -> bytes:
    """A partner's alert of that id."""
    now = datetime.now(UTC)
    content = {
        "id": known,
        "sent": now.isoformat(timespec="seconds"),
        "event": event,
        "headline": headline,
        "description": description,
        "category": "Infra",
        "hazard": "fog",
        "severity": "Severe",
        "certainty": "Observed",
        "urgency": "Immediate",
    }
    if lasts_s is not None:
        content["expires"] = (now + timedelta(seconds=lasts_s)).isoformat(timespec="seconds")
    return msgspec.json.encode(content)


def signed(content: bytes, message_id: str, port: int, source: str) -> bytes:
    """The whole HTTP request, signed as the webhook source asks."""
    seconds = str(int(time.time()))
    mac = hmac.digest(_KEY, f"{message_id}.{seconds}.".encode() + content, hashlib.sha256)
    head = (
        f"POST /in/{source} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"webhook-id: {message_id}\r\nwebhook-timestamp: {seconds}\r\n"
        f"webhook-signature: v1,{base64.b64encode(mac).decode()}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


# --- configuration -----------------------------------------------------------------------------------------


def write_config(
    folder: Path,
    *,
    sheets: int,
    port: int,
    gateway: str = "http://127.0.0.1:9",
    twilio: str = "",
    audience: int = 0,
) -> Path:
    """A configuration under `folder`. `gateway`: where the partner's webhook is; `twilio`: a stand-in for Twilio's API;
    `audience`: people in the group `public`, whom the sheet `evacuation` tells by SMS. Returns the folder for
    `--config`."""
    config, playbooks = folder / "config", folder / "playbooks"
    shutil.rmtree(config, ignore_errors=True)
    shutil.rmtree(playbooks, ignore_errors=True)
    config.mkdir(parents=True)
    playbooks.mkdir()
    shutil.copy(_OWN / "areas.yaml", config)
    shutil.copytree(_OWN / "areas", config / "areas")
    (config / "hub.yaml").write_text(
        f"name: bench\njournal: ../data/vigie.journal\nplaybooks: ../playbooks\n"
        f"web:\n  listen: 127.0.0.1:{port}\n  public: http://127.0.0.1:{port}\n"
        f"storms:\n  messages: 9999 in 1 s\n  incidents: 9999 in 1 s\n"  # as for the peers, every message goes out
    )
    (config / "sources.yaml").write_text(
        "".join(
            f"{name}:\n  type: webhook\n  reliability: B\n  credibility: 2\n  secrets: BENCH_SECRET\n  sender: {name}\n"
            for name in SOURCES
        )
    )
    (config / "channels.yaml").write_text(_channels(twilio))
    (config / "people.yaml").write_text(_people(gateway, bool(twilio), audience))
    (config / "rosters.yaml").write_text("on-call:\n  always: officer\n")
    (config / "chains.yaml").write_text(_chains(bool(twilio)))
    (config / "messages.yaml").write_text(_messages())
    chance = random.Random(1)
    for number in range(sheets):
        (playbooks / f"sheet-{number}.yaml").write_text(_sheet(chance, number))
    if twilio:
        (playbooks / "evacuation.yaml").write_text(_MASS)
        (playbooks / "officer.yaml").write_text(_OFFICER)
    return config


_LIMITS = """  limits:
    per second: 100000
    burst: 100000
    burst for asks: 1000
    per person: 9999 in 1 s
    at once: {0}
    at once for asks: 16
"""


def _channels(twilio: str) -> str:
    text = "webhook:\n  secrets: BENCH_SECRET\n  connections: 128\n  unencrypted: true\n" + _LIMITS.format(512)
    if twilio:
        for name in ("sms", "voice"):
            text += (
                f'{name}:\n  account: {ACCOUNT}\n  tokens: TWILIO_TOKEN\n  sender: "+32450000000"\n  api: {twilio}\n'
                + _LIMITS.format(128)
            )
    return text


def _people(gateway: str, phones: bool, audience: int) -> str:
    text = f"people:\n  partner:\n    name: Partner\n    reach:\n      webhook: {gateway}/hook\n"
    text += "  officer:\n    name: Officer\n    reach:\n"
    text += (
        '      sms: "+32450000001"\n      call: "+32450000001"\n' if phones else f"      webhook: {gateway}/officer\n"
    )
    for number in range(audience):
        text += f'  p{number:05d}:\n    name: P{number}\n    reach: {{sms: "+32460{100000 + number:06d}"}}\n'
    text += "groups:\n  partners: partner\n"
    if audience:
        text += f"  public: [{', '.join(f'p{number:05d}' for number in range(audience))}]\n"
    return text


def _chains(phones: bool) -> str:
    if not phones:
        return "{}\n"
    return "duty:\n  need: 1\n  tiers:\n    - ask: roster on-call\n      by: call\n      for: 4 min\n"


def _messages() -> str:
    """The hub's own, and one that says the headline, in the same words in each language."""
    own = (_OWN / "messages.yaml").read_text()
    at = own.index("\nhub.")
    said = "".join(f'  {language}:\n    text: "{{headline}}"\n' for language in ("fr", "nl", "de", "en"))
    return f"bench:\n{said}\n{own[at:]}"


def _sheet(chance: random.Random, number: int) -> str:
    kind = number % 10
    if kind < 5:
        hazards = ", ".join(chance.sample(_HAZARDS, chance.randint(1, 3)))
        when = f"hazard: [{hazards}]\n  severity: at least Severe\n  area: {chance.choice(_AREAS)}\n"
        if kind == 0:
            when += '  where: info.onset - now < duration("24h")\n'
    elif kind < 9:
        when = f"source: [{chance.choice(SOURCES)}]\n  words: [mot{number}x, incendie woord{number}]\n"
    else:
        when = f"words: [mot{number}x, woord{number}]\n"
    return (
        f"playbook: sheet-{number}\n{TITLE.format(f'Fiche {number}')}\n"
        f"owner: bench\nreview by: 2099-12-31\nmode: live\nwhen:\n  {when}"
        "incident:\n  one per: [event]\n  within: 1 s\n"
        "steps:\n  tell:\n    notify: partners\n    by: webhook\n    say: bench\n"
    )


_MASS = f"""playbook: evacuation
{TITLE.format("Evacuation")}
owner: bench
review by: 2099-12-31
mode: live
when:
  words: evacuation
incident:
  one per: [event]
steps:
  tell:
    notify: public
    by: sms
    say: bench
"""

_OFFICER = f"""playbook: officer
{TITLE.format("Officer")}
owner: bench
review by: 2099-12-31
mode: live
when:
  words: officier
incident:
  one per: [event]
steps:
  wake:
    call: duty
    say: bench
"""
