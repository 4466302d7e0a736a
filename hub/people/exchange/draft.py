"""An entry as a foreign file has it, all text, and what it takes to make a person of it."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from msgspec import Struct

from hub.findings import Finding, choice
from hub.model.people import Address, Discipline, Language, Person
from hub.people.directory import Directory, mail_problem, normalise, phone_problem

Wrong = Callable[[str, str, str], None]  # notes an error: rule, what is wrong, what would be right

ID_MAX = 63
_NAMES = {
    Language.FR: ("francais", "frans", "franzosisch", "french"),
    Language.NL: ("neerlandais", "nederlands", "niederlandisch", "dutch"),
    Language.DE: ("allemand", "duits", "deutsch", "german"),
    Language.EN: ("anglais", "engels", "englisch", "english"),
}
_YES = ("", "yes", "oui", "ja", "true", "vrai", "waar", "wahr", "1", "y", "o", "j")
_NO = ("no", "non", "nee", "neen", "nein", "false", "faux", "onwaar", "falsch", "0", "n")
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?[Ee]\+?\d+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


class Known(Struct, frozen=True, kw_only=True):
    """What an import is held against: the directory, and the channels, of which some need a phone number or a mail
    address."""

    directory: Directory
    channels: Collection[str]
    phones: Collection[str]
    mails: Collection[str]
    region: str


class Reading(Struct, frozen=True):
    """The people of a file, and what was wrong with it. An entry with an error is not among the people."""

    people: tuple[Person, ...]
    findings: tuple[Finding, ...]


@dataclass
class Draft:
    """`line`: where it begins in its file, from 1. `addresses`: channel, text, live only."""

    line: int
    id: str = ""
    name: str = ""
    language: str = ""
    speaks: list[str] = field(default_factory=list)
    organisation: str = ""
    discipline: str = ""
    competences: list[str] = field(default_factory=list)
    exercises: str = ""
    addresses: list[tuple[str, str, bool]] = field(default_factory=list)


class Notes:
    """Findings on one file as they gather."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []

    def add(self, line: int, rule: str, message: str, remedy: str = "", *, warning: bool = False) -> None:
        self.findings.append(
            Finding(file=self.file, line=line, column=1, rule=rule, message=message, remedy=remedy, warning=warning)
        )

    def errors(self) -> int:
        return sum(not finding.warning for finding in self.findings)


def finish(drafts: Iterable[Draft], known: Known, notes: Notes) -> Reading:
    """The people that the drafts make. Each id once, and none that is in the directory already without a word."""
    people: dict[str, Person] = {}
    lines: dict[str, int] = {}
    without: list[Draft] = []
    for draft in drafts:
        before = notes.errors()
        person = _person(draft, known, notes)
        if person.id in people:
            message = f'"{person.id}" is in line {lines[person.id]} too'
            notes.add(draft.line, "key-twice", message, "give each an id of its own")
        if notes.errors() > before:
            continue
        people[person.id], lines[person.id] = person, draft.line
        without += [] if draft.language else [draft]
        if person.id in known.directory.people:
            remedy = "take the older one out of config/, or give this one another id"
            notes.add(draft.line, "known-person", f'"{person.id}" is in the directory already', remedy, warning=True)
    if without:
        told = f"without a language: {len(without)}, the first of them here; they are written to in French"
        notes.add(without[0].line, "no-language", told, "give language: fr, nl, de or en", warning=True)
    return Reading(tuple(people.values()), tuple(sorted(notes.findings, key=lambda f: f.line)))


def _person(draft: Draft, known: Known, notes: Notes) -> Person:
    def wrong(rule: str, message: str, remedy: str) -> None:
        notes.add(draft.line, rule, f"{draft.id or draft.name or 'an entry'}: {message}", remedy)

    draft.name = " ".join(draft.name.split())
    texts = (draft.id, draft.name, draft.organisation, *draft.competences, *(a for _, a, _ in draft.addresses))
    if any(_CONTROL.search(text) for text in texts):
        wrong("control-character", "a character that no text may hold", "delete it")
    made = draft.id or made_id(draft.name)
    if not draft.name:
        wrong("no-name", "it has no name", "write the name colleagues know")
    elif not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", made):
        near = made_id(made) or made_id(draft.name)
        wrong("not-an-id", f'"{made}" is no id', f'small letters, digits and hyphens, as "{near or "officer-a"}"')
    discipline = draft.discipline.strip().upper()
    if discipline and discipline not in list(Discipline):
        wrong("unknown-discipline", f'"{draft.discipline}" is no discipline', choice(discipline, list(Discipline)))
        discipline = ""
    if draft.exercises.strip().casefold() not in (*_YES, *_NO):
        wrong("not-yes-or-no", f'exercises: "{draft.exercises}" is neither yes nor no', "write yes or no")
    return Person(
        id=made,
        name=draft.name,
        language=_language(draft.language, wrong) or Language.FR,
        speaks=tuple(dict.fromkeys(found for text in draft.speaks if (found := _language(text, wrong)))),
        organisation=_organisation(draft, known, notes),
        discipline=Discipline(discipline) if discipline else None,
        competences=tuple(dict.fromkeys(text.strip() for text in draft.competences if text.strip())),
        addresses=_addresses(draft, known, wrong),
        exercises=draft.exercises.strip().casefold() not in _NO,
    )


def made_id(name: str) -> str:
    """An id from a name: `Aline Inventée` → `aline-inventee`; `""` where no letter can be written so."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("ß", "ss").replace("ø", "o").replace("œ", "oe"))
    plain = "".join(c for c in plain if not unicodedata.combining(c) and c not in "'’‘`")
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:ID_MAX].strip("-")


def _language(text: str, wrong: Wrong) -> Language | None:
    """`nl`, `NL`, `nl-BE`, `Nederlands`, `Dutch` ...; None where nothing is written."""
    words = made_id(text)
    if not words:
        return None
    for language, names in _NAMES.items():
        if words in names or re.fullmatch(rf"{language}(-[a-z]{{2,8}})*", words):
            return language
    wrong("unknown-language", f'"{text}" is no language here', choice(text, list(Language)))
    return None


def _organisation(draft: Draft, known: Known, notes: Notes) -> str:
    """The id of the organisation that is meant, by id or name; else the text, with a word about it."""
    text = " ".join(draft.organisation.split())
    if not text or not known.directory.organisations:
        return text
    named = known.directory.organisation_named(text)
    if not named:
        names = [name for o in known.directory.organisations.values() for name in (o.id, *o.names.values())]
        remedy = choice(text, names, "there are")
        notes.add(draft.line, "unknown-organisation", f'"{text}" is no organisation here', remedy, warning=True)
    return named or text


def _addresses(draft: Draft, known: Known, wrong: Wrong) -> tuple[Address, ...]:
    """Channel by channel, each in its order. A number that is no good for SMS nor calls is told once."""
    channels = list(dict.fromkeys(channel for channel, _, _ in draft.addresses))
    told: dict[str, None] = {}
    for channel, text, _ in draft.addresses:
        if channel not in known.channels:
            wrong("unknown-channel", f'"{channel}" is no channel', choice(channel, known.channels))
        elif problem := _problem(channel, text, known):
            told[f'"{text}": {problem}'] = None
    for problem in told:
        message, _, remedy = problem.rpartition(": ")
        wrong("not-an-address", message, remedy)
    ways = sorted(draft.addresses, key=lambda way: channels.index(way[0]))
    return tuple(dict.fromkeys(Address(channel, normalise(text, known.region), live) for channel, text, live in ways))


def _problem(channel: str, text: str, known: Known) -> str:
    if channel in known.phones and _ROUNDED.fullmatch(text.strip()):
        return "the spreadsheet has rounded this number: make its column text there and write the number again"
    if channel in known.phones:
        return phone_problem(text, known.region)
    if channel in known.mails:
        return mail_problem(text)
    return "" if text.strip() else "this is empty: write an address or leave it out"
