"""`vigie broadcast preview|draft|show|report`: from a file to the running hub's API, from the journal to an account."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from lxml import etree
from msgspec import Meta, Struct

from hub.binding import bind
from hub.cli import say
from hub.cli.acts import ask
from hub.cli.look import journal_of
from hub.config import Config
from hub.config.cap import CapWordsForm
from hub.findings import errors
from hub.journal import JournalError
from hub.model.broadcast import Kind
from hub.model.people import Language
from hub.model.signal import Status
from hub.playbook.form import CHANNEL_WORDS, RegisteredForm
from hub.playbook.messages import TextForm
from hub.reached import account
from hub.why import Unknown
from hub.yaml import read


class SayForm(Struct, frozen=True, kw_only=True):
    """The words, in each language: a text, or text, subject and voice."""

    fr: str | TextForm
    nl: str | TextForm
    de: str | TextForm
    en: str | TextForm


class BroadcastForm(Struct, frozen=True, kw_only=True):
    """A broadcast as a file has it."""

    group: Annotated[str, Meta(description="The class of the message")] = msgspec.field(name="class")
    say: SayForm
    kind: Annotated[Kind, Meta(description="alert, all-clear or correction")] = Kind.ALERT
    follows: Annotated[str, Meta(description="The broadcast whose reached an all-clear or a correction goes to")] = ""
    to: Annotated[
        tuple[str, ...], Meta(description="Groups; roster NAME, competence NAME, organisation NAME, person NAME")
    ] = ()
    registered: Annotated[RegisteredForm | None, Meta(description="The public who registered")] = None
    by: Annotated[tuple[str, ...], Meta(description="Channels: each person is told over each that reaches them")] = ()
    cap: Annotated[
        CapWordsForm | None, Meta(description="What it says on the CAP feed besides, where its class stands there")
    ] = None
    status: Annotated[Status, Meta(description="Actual, Exercise or Test")] = Status.ACTUAL


def preview(config: Config, file: Path, by: str, why: str, as_json: bool) -> None:
    said = ask(config, "POST", "/api/broadcasts/preview", body_of(file, by, why))
    if as_json:
        say.json_line(said)
    else:
        _show(said)


def draft(config: Config, file: Path, by: str, why: str, as_json: bool) -> None:
    drafted = ask(config, "POST", "/api/broadcasts", body_of(file, by, why))
    if as_json:
        say.json_line(drafted)
    else:
        _show(drafted["preview"])
        say.line(f"{drafted['said']}: vigie broadcast release {drafted['id']} --by WHO")


def show(config: Config, broadcast: str, as_json: bool) -> None:
    shown = ask(config, "GET", f"/api/broadcasts/{broadcast}")
    if as_json:
        say.json_line(shown)
    else:
        _show(shown)


def cap(config: Config, broadcast: str, as_json: bool) -> None:
    shown = ask(config, "GET", f"/api/broadcasts/{broadcast}/cap")
    if as_json:
        say.json_line(shown)
        return
    if shown["published"]:
        say.text(shown["xml"])  # to the byte: written anew its signature would not hold
        return
    root = etree.fromstring(shown["xml"].encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    say.line(etree.tostring(root, pretty_print=True, encoding="unicode").rstrip())
    for warning in shown.get("mind", ()):
        say.error(f"mind: {warning}")


def body_of(file: Path, by: str, why: str) -> dict[str, Any]:
    """What the API is sent. Ends the command with what is wrong with the file."""
    try:
        text = file.read_bytes()
    except OSError as error:
        say.could_not(f"{file}: {error.strerror}")
    document = read(text, str(file))
    form = bind(document, document.root, BroadcastForm)
    if form is None or errors(document.findings):
        for finding in document.findings:
            say.error(finding.render())
        say.done(True)
    words = {language.value: getattr(form.say, language.value) for language in Language}
    body: dict[str, Any] = {
        "by": by,
        "why": why,
        "group": form.group,
        "kind": form.kind,
        "follows": form.follows,
        "to": form.to,
        "by_channels": [CHANNEL_WORDS.get(channel, channel) for channel in form.by],
        "status": form.status,
        "texts": {lang: {"text": w} if isinstance(w, str) else msgspec.to_builtins(w) for lang, w in words.items()},
    }
    if form.cap is not None:
        body["cap"] = msgspec.to_builtins(form.cap.meant())
    if form.registered is not None:
        body["registered"] = msgspec.to_builtins(form.registered.meant())
    return body


def _show(preview: dict[str, Any]) -> None:
    """The preview as a person reads it."""
    euros = "no price known" if preview["euros"] is None else f"about {preview['euros']:.2f} EUR"
    say.line(f"{preview['people']} people, in about {_span(preview['seconds'])}, {euros}")
    if registered := preview.get("registered"):
        say.line(f"the public who registered in {_where(registered)}")
    if preview["unreached"]:
        say.line(f"{preview['unreached']} cannot be told ({preview['opted_out']} of them want nothing more)")
    for reach in preview["reach"]:
        price = "" if reach["euros"] is None else f", about {reach['euros']:.2f} EUR"
        say.line(f"{reach['channel']}: {reach['people']} people, in about {_span(reach['seconds'])}{price}")
        for language, one in reach["wordings"].items():
            size = f", {one['parts']} SMS each ({one['encoding']})" if one.get("parts") else ""
            size += f", {one['spoken_s']:.0f} s of call" if one.get("spoken_s") else ""
            say.line(f"  {language}, {one['people']} people{size}:")
            if one.get("subject"):
                say.line(f"    [{one['subject']}]")
            for line in one["text"].splitlines():
                say.line(f"    {line}")
    for warning in preview.get("warnings", ()):
        say.line(f"mind: {warning}")


def _where(registered: dict[str, Any]) -> str:
    """All that is given must hold, of several any one."""
    parts = [", ".join(registered.get("areas", ())), ", ".join(registered.get("streets", ()))]
    if corners := registered.get("polygon"):
        parts.append(f"a polygon of {len(corners)} corners around {corners[0][0]}, {corners[0][1]}")
    return "; ".join(filter(None, parts))


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def report(path: Path, broadcast: str, as_json: bool) -> None:
    with journal_of(path) as reading:
        try:
            found = account(reading, broadcast)
        except (Unknown, JournalError) as error:
            say.could_not(str(error))
    if as_json:
        for delivery in found.deliveries:
            say.json_line(delivery)
        return
    for act in found.acts:
        say.line(act)
    say.line(f"{found.people} people reached, {len(found.deliveries)} deliveries")
    say.table(
        (channel, *(f"{n} {outcome}" for outcome, n in sorted(counts.items())))
        for channel, counts in found.counts().items()
    )
    for (channel, reason), n in found.reasons().most_common():
        say.line(f"failed, {channel}: {n} {reason}")
