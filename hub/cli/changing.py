"""`vigie people|group|organisation|roster set|remove`, `vigie roster replace|swap|lift`: changes through the running
hub, each made over what it says at that moment."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from hub.binding import Misfit, duration, keys_of
from hub.cli import say
from hub.cli.acts import act, ask
from hub.config import Config
from hub.config.forms import OrganisationForm, PersonForm
from hub.config.rosters import local_time
from hub.findings import choice
from hub.model.people import Part
from hub.playbook.form import CHANNEL_WORDS
from hub.yaml import Mapping as YamlMapping
from hub.yaml import Node, Scalar, read

LISTS = ("speaks", "competences")


def set_person(
    config: Config, person: str, fields: list[str], file: Path | None, by: str, why: str, as_json: bool
) -> None:
    if bool(fields) == (file is not None):
        say.could_not("give either FIELD=VALUE, or --file with the whole entry")
    known = _looked_at(config, "/api/people", person)
    form = _entry(file, person, "people") if file is not None else _changed(config, known.get("person") or {}, fields)
    body = {"by": by, "why": why, "over": known.get("version", ""), "person": form}
    act(config, f"/api/people/{person}", body, as_json, "PUT")


def remove_person(config: Config, person: str, by: str, why: str, as_json: bool) -> None:
    version = _looked_at(config, "/api/people", person).get("version", "")
    act(config, f"/api/people/{person}", {"by": by, "why": why, "over": version}, as_json, "DELETE")


def set_part(
    config: Config, part: Part, name: str, fields: list[str], file: Path | None, by: str, why: str, as_json: bool
) -> None:
    """`fields`: a group's people, or FIELD=VALUE of an organisation."""
    if bool(fields) == (file is not None):
        say.could_not("give either what it is to be, or --file with the whole entry")
    known = _part_looked_at(config, part, name)
    form: Any
    if file is not None:
        form = _entry(file, name, None if part is Part.ROSTER else f"{part}s")
    elif part is Part.GROUP:
        form = fields
    else:
        form = _organisation(known.get("entry") or {}, fields)
    body = {"by": by, "why": why, "over": known.get("version", ""), str(part): form}
    act(config, f"/api/{part}s/{name}", body, as_json, "PUT")


def remove_part(config: Config, part: Part, name: str, by: str, why: str, as_json: bool) -> None:
    version = _part_looked_at(config, part, name).get("version", "")
    act(config, f"/api/{part}s/{name}", {"by": by, "why": why, "over": version}, as_json, "DELETE")


def show_part(config: Config, part: Part, name: str, as_json: bool) -> None:
    shown = ask(config, "GET", f"/api/{part}s/{name}")
    if as_json:
        say.json_line(shown)
        return
    form = shown["entry"]
    rows = form.items() if isinstance(form, dict) else [("list", form)] if form is not None else []
    say.table((key, ", ".join(value) if isinstance(value, list) else str(value)) for key, value in rows)
    say.table([("people", ", ".join(shown["people"]) or "nobody")])
    if change := shown["change"]:
        what = "taken out" if form is None else "changed"
        say.line(f"{what} while running by {change['by']} ({change['why']}); config/ does not say so yet")


def list_parts(config: Config, part: Part, as_json: bool) -> None:
    for one in ask(config, "GET", f"/api/{part}s"):
        if as_json:
            say.json_line(one)
        else:
            say.line(f"{one['id']}{'  (changed while running)' if one['changed'] else ''}")


def _part_looked_at(config: Config, part: Part, name: str) -> dict[str, Any]:
    """As it is in force; nothing for a new one."""
    there = {one["id"] for one in ask(config, "GET", f"/api/{part}s")}
    found: dict[str, Any] = ask(config, "GET", f"/api/{part}s/{name}") if name in there else {}
    return found


def _organisation(form: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    """An entry with fields set anew; an empty value takes what there is away."""
    own, form = list(keys_of(OrganisationForm)), dict(form)
    for field in fields:
        key, sign, value = field.partition("=")
        if not sign or key not in own:
            say.could_not(f"{field}: written FIELD=VALUE: {choice(key, own, 'a field is one of')}")
        if not value.strip():
            form.pop(key, None)
        else:
            form[key] = [item.strip() for item in value.split(",")] if key == "communes" else value
    return form


def _looked_at(config: Config, path: str, person: str) -> dict[str, Any]:
    """Somebody as they are in force; nothing for somebody new."""
    there = {one["id"] for one in ask(config, "GET", path)} | {
        change["person"] for change in ask(config, "GET", "/api/status")["changes"] if "person" in change
    }
    found: dict[str, Any] = ask(config, "GET", f"{path}/{person}") if person in there else {}
    return found


def _changed(config: Config, form: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    """An entry with fields set anew. A channel's name is one too; an empty value takes what there is away."""
    own = [key for key in keys_of(PersonForm) if key != "reach"]
    said_as = {channel: word for word, channel in CHANNEL_WORDS.items()}
    words = [said_as.get(channel, channel) for channel in config.channels]
    form = {**form, "reach": dict(form.get("reach", {}))}
    for field in fields:
        name, sign, value = field.partition("=")
        name = said_as.get(name, name)
        if not sign or name not in (*own, *words):
            say.could_not(f"{field}: written FIELD=VALUE: {choice(name, [*own, *words], 'a field is one of')}")
        where = form if name in own else form["reach"]
        if not value.strip():
            where.pop(name, None)
        elif name in own and name not in LISTS:
            where[name] = value
        else:
            items = [part.strip() for part in value.split(",") if part.strip()]
            where[name] = items if name in own else [_address(item) for item in items]
    return form


def _address(text: str) -> Any:
    """`+32 450 00 00 01`, or, as in spreadsheets, `+32 450 00 00 01 (live only)`."""
    marked = re.fullmatch(r"(.*?)\s*\(live only\)", text)
    return {"address": marked[1], "live only": "yes"} if marked else text


def _entry(file: Path, name: str, under: str | None) -> Any:
    """An entry in a file: of people.yaml's form (`under` people, groups, organisations), of rosters.yaml's (None), or
    one that holds nothing but the entry itself."""
    try:
        document = read(file.read_bytes(), str(file))
    except OSError as error:
        say.could_not(f"{file}: {error.strerror}")
    for finding in document.findings:
        say.error(finding.render())
    root = document.root
    if document.findings or root is None:
        say.could_not(f"{file}: it cannot be read")
    if under is None:
        entry = root.get(name) if isinstance(root, YamlMapping) else None
        return _plain(root if entry is None else entry)
    entries = root.get(under) if isinstance(root, YamlMapping) else None
    if entries is None:
        return _plain(root)
    entry = entries.get(name) if isinstance(entries, YamlMapping) else None
    if entry is None:
        say.could_not(f"{file}: {name} is not among its {under}")
    return _plain(entry)


def _plain(node: Node) -> Any:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, YamlMapping):
        return {key.text: _plain(value) for key, value in node.entries}
    return [_plain(item) for item in node.items]


# --- rosters -----------------------------------------------------------------------------------------------


def override(
    config: Config,
    roster: str,
    people: list[str],
    start: str | None,
    until: str,
    besides: bool,
    by: str,
    why: str,
    as_json: bool,
) -> None:
    begins = _time(config, "--from", start) if start else _now(config)
    try:
        ends = begins + timedelta(seconds=duration(until))
    except Misfit:
        ends = _time(config, "--until", until)
    over = ask(config, "GET", f"/api/rosters/{roster}")["version"]
    times = {"from": begins.isoformat(), "until": ends.isoformat()}
    body = {"by": by, "why": why, "over": over, "people": people, "besides": besides, **times}
    act(config, f"/api/rosters/{roster}/overrides", body, as_json)


def swap(config: Config, roster: str, shifts: list[str], by: str, why: str, as_json: bool) -> None:
    wanted: dict[str, str] = {}
    for shift in shifts:
        person, sign, when = shift.partition("=")
        if not sign:
            say.could_not(f'{shift}: written PERSON="2026-12-08 12:00", a moment of the shift that they give away')
        wanted[person] = _time(config, person, when).isoformat()
    over = ask(config, "GET", f"/api/rosters/{roster}")["version"]
    act(config, f"/api/rosters/{roster}/swaps", {"by": by, "why": why, "over": over, "swap": wanted}, as_json)


def lift(config: Config, change: str, by: str, why: str, as_json: bool) -> None:
    standing = [known for known in ask(config, "GET", "/api/status")["changes"] if "roster" in known]
    roster = next((known["roster"] for known in standing if known["id"] == change), None)
    if roster is None:
        say.error(f"{change}: no such change stands: {choice(change, [k['id'] for k in standing], 'there are')}")
        say.done(True)
    act(config, f"/api/rosters/{roster}/overrides/{change}", {"by": by, "why": why}, as_json, "DELETE")


def _now(config: Config) -> datetime:
    """The hub's clock, which in a playback is not the wall's; whole seconds, for whoever reads it in YAML."""
    return msgspec.convert(ask(config, "GET", "/api/status")["now"], datetime).replace(microsecond=0)


def _time(config: Config, what: str, text: str) -> datetime:
    try:
        return local_time(text, config.hub.zone)
    except Misfit as misfit:
        say.could_not(f"{what}: {misfit.message}: {misfit.remedy}")
