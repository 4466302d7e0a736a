"""People as vCards: version 4.0 (RFC 6350) out, 4.0 and 3.0 (RFC 2426) in.

Which property is what (RFC 6350, section 6):

    FN             the name                         LANG    languages, the own one first
    TEL            TYPE=text: `sms`; TYPE=voice: `voice`; a mobile phone of which neither is said: both
    EMAIL          `email`                          ORG     the organisation's name
    EXPERTISE      a competence (RFC 6715)          KIND    only individuals are read
    X-VIGIE-…      what the standard has no word for: ID, DISCIPLINE, EXERCISES, REACH (any other channel)

The order of addresses is that of PREF, then of the lines. Whatever else a card holds is not read, which is said.
Content lines are those of iCalendar (RFC 5545, section 3.1): its library takes them apart and folds them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import phonenumbers
from icalendar.parser import Contentline, split_on_unescaped_semicolon, unescape_backslash
from msgspec import Struct

from hub.model.people import Address, Person
from hub.people.directory import Directory
from hub.people.exchange.draft import Draft, Known, Notes

SMS, VOICE, EMAIL = "sms", "voice", "email"
_NO_CALL = {"fax", "pager", "modem", "bbs", "pcs", "isdn", "textphone"}
_FIRST, _LAST = 1, 100  # of PREF
_NEEDED = frozenset(
    ("VERSION", "KIND", "FN", "N", "LANG", "TEL", "EMAIL", "ORG", "EXPERTISE",
     "X-VIGIE-ID", "X-VIGIE-DISCIPLINE", "X-VIGIE-EXERCISES", "X-VIGIE-REACH")
)  # fmt: skip
_IGNORED = frozenset(("PRODID", "REV", "UID"))  # about the card, not about anybody


class Property(Struct, frozen=True):
    """`name`: in capitals, without its group. `parameters`: names in capitals → values. `value`: as written."""

    line: int
    name: str
    parameters: dict[str, tuple[str, ...]]
    value: str

    @property
    def types(self) -> set[str]:
        return {word for text in self.parameters.get("TYPE", ()) for word in text.casefold().split(",")}

    @property
    def pref(self) -> int:
        """1 is tried first; what says nothing, last."""
        said = "".join(self.parameters.get("PREF", ()))
        if said.isascii() and said.isdigit():
            return min(int(said[:4]), _LAST)
        return _FIRST if "pref" in self.types else _LAST + 1

    @property
    def text(self) -> str:
        return str(unescape_backslash(self.value))


# --- in ----------------------------------------------------------------------------------------------------


def drafts_of(text: str, known: Known, notes: Notes) -> Iterator[Draft]:
    """One draft per card that could be read."""
    unread: Counter[str] = Counter()
    there = False
    for line, card in _cards(text, notes):
        there = True
        draft = _draft(line, card, known, notes, unread)
        if draft is not None:
            yield draft
    if not there and not notes.errors():
        notes.add(1, "empty", "there is no vCard in this file", "a card stands between BEGIN:VCARD and END:VCARD")
    if unread:
        names = ", ".join(sorted(unread))
        notes.add(1, "not-read", f"there is no place here for {names}", "the rest was read", warning=True)


def _cards(text: str, notes: Notes) -> Iterator[tuple[int, list[Property]]]:
    """The line each card begins in, and its properties; one with a line that cannot be read is told and left out."""
    card: list[Property] | None = None
    began, lost = 0, False  # lost: it was told already that this stands in no card, or in one that cannot be read
    for number, line in _unfolded(text):
        word = line.strip().upper()
        if word in ("BEGIN:VCARD", "END:VCARD"):
            begins = word.startswith("BEGIN")
            if card is not None and begins:
                notes.add(began, "not-closed", "this card never ends", "write END:VCARD")
            elif card is not None and not lost:
                yield began, card
            card, began, lost = ([] if begins else None), number, False
        elif lost:
            continue
        elif card is None:
            notes.add(number, "no-card", "this line is in no card", "cards stand between BEGIN:VCARD and END:VCARD")
            lost = True
        elif (read := _property(number, line)) is not None:
            card.append(read)
        else:
            told = f"this line is no property of a vCard: {line[:40]}"
            notes.add(number, "not-a-property", told, "write it as NAME:value")
            lost = True
    if card is not None:
        notes.add(began, "not-closed", "this card never ends", "write END:VCARD")


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Content lines with the number of the line each begins in (RFC 6350, section 3.2)."""
    number, whole = 0, list[str]()
    for at, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        if whole and line[:1] in (" ", "\t"):
            whole.append(line[1:])
            continue
        if whole:
            yield number, "".join(whole)
        number, whole = at, [line] if line.strip() else []
    if whole:
        yield number, "".join(whole)


def _property(number: int, line: str) -> Property | None:
    """None where the line cannot be taken apart and might have meant something to us."""
    name = re.match(r"(?:[\w-]+\.)?([\w-]+)", line)
    if name is None:
        return None
    word = name[1].upper()
    if word not in _NEEDED:
        return Property(number, word, {}, "")
    try:
        _, parameters, value = Contentline(line).raw_parts()  # type: ignore[no-untyped-call] # icalendar declares none
    except ValueError:
        return None
    kept: Mapping[str, str | Sequence[str]] = parameters
    values = {key.upper(): (v,) if isinstance(v, str) else tuple(v) for key, v in kept.items()}
    return Property(number, word, values, value)


def _draft(line: int, card: list[Property], known: Known, notes: Notes, unread: Counter[str]) -> Draft | None:
    by_name: dict[str, list[Property]] = {}
    for one in card:
        by_name.setdefault(one.name, []).append(one)
        unread.update([one.name] if one.name not in _NEEDED | _IGNORED else [])

    def first(name: str) -> str:
        return by_name[name][0].text.strip() if name in by_name else ""

    version = first("VERSION")
    if version not in ("3.0", "4.0"):
        told = f"this card is of version {version}" if version else "this card does not say its version"
        notes.add(line, "wrong-version", told, "export it as vCard 4.0 or 3.0")
        return None
    if (kind := first("KIND").casefold()) not in ("", "individual"):
        notes.add(line, "not-a-person", f"this card is of a {kind}", "groups are written in people.yaml", warning=True)
        return None
    languages = [one.text for one in sorted(by_name.get("LANG", ()), key=lambda one: one.pref)]
    organisation = split_on_unescaped_semicolon(by_name["ORG"][0].value)[0] if "ORG" in by_name else ""
    draft = Draft(
        line,
        id=first("X-VIGIE-ID"),
        name=first("FN") or _composed(by_name.get("N", ())),
        language=languages[0] if languages else "",
        speaks=languages[1:],
        organisation=organisation,
        discipline=first("X-VIGIE-DISCIPLINE"),
        competences=[one.text for one in by_name.get("EXPERTISE", ())],
        exercises=first("X-VIGIE-EXERCISES"),
    )
    reach = [one for one in card if one.name in ("TEL", "EMAIL", "X-VIGIE-REACH")]
    for one in sorted(reach, key=lambda one: one.pref):
        channels = _channels(one, known, notes)
        live = "".join(one.parameters.get("X-LIVE-ONLY", ())).casefold() == "yes"
        draft.addresses += [(channel, _plain(one), live) for channel in channels]
    return draft


def _composed(names: Sequence[Property]) -> str:
    """`N:Inventée;Aline;;;`: the family's name comes first there."""
    parts = split_on_unescaped_semicolon(names[0].value) if names else []
    return " ".join(part for part in [*parts[1:2], *parts[:1]] if part)


def _channels(one: Property, known: Known, notes: Notes) -> Sequence[str]:
    if one.name == "EMAIL":
        return (EMAIL,)
    if one.name == "X-VIGIE-REACH":
        return one.parameters.get("X-CHANNEL", ("",))
    types = one.types
    text, voice = "text" in types, "voice" in types
    if types & _NO_CALL and not text and not voice:
        told = f"no telephone, but {', '.join(sorted(types & _NO_CALL))}: not read"
        notes.add(one.line, "not-a-telephone", told, "nobody can be called on it", warning=True)
        return ()
    if "cell" in types or (not (text or voice) and _is_mobile(_plain(one), known.region)):
        text = voice = True
    found = [channel for channel, there in ((SMS, text), (VOICE, voice or not text)) if there]
    return [channel for channel in found if channel in known.channels] or found[:1]


def _is_mobile(number: str, region: str) -> bool:
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False
    return kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)


def _plain(one: Property) -> str:
    return one.text.strip() if one.name == "X-VIGIE-REACH" else re.sub("(?i)^(tel|mailto):", "", one.text.strip())


# --- out ---------------------------------------------------------------------------------------------------


def vcards_of(people: Iterable[Person], directory: Directory) -> str:
    """One card each, version 4.0, UTF-8, CRLF, folded at 75 octets."""
    lines = [line for person in people for line in _card(person, directory)]
    return "".join(_folded(line) + "\r\n" for line in lines)


def _folded(line: str) -> str:
    return str(Contentline(line).to_ical().decode())  # type: ignore[no-untyped-call] # likewise


def _card(person: Person, directory: Directory) -> Iterator[str]:
    yield "BEGIN:VCARD"
    yield "VERSION:4.0"
    yield "KIND:individual"
    yield f"UID;VALUE=text:{_escaped(person.id)}"
    yield f"FN:{_escaped(person.name)}"
    for nth, language in enumerate((person.language, *person.speaks), _FIRST):
        yield f"LANG;PREF={nth}:{language}"
    if person.organisation:
        yield f"ORG:{_escaped(_organisation(person, directory))}"
    for competence in person.competences:
        yield f"EXPERTISE:{_escaped(competence)}"
    yield from _reach(person)
    yield f"X-VIGIE-ID:{_escaped(person.id)}"
    if person.discipline is not None:
        yield f"X-VIGIE-DISCIPLINE:{person.discipline}"
    if not person.exercises:
        yield "X-VIGIE-EXERCISES:no"
    yield "END:VCARD"


def _organisation(person: Person, directory: Directory) -> str:
    """Its name in the person's language, where it can be told from others' by it."""
    known = directory.organisations.get(person.organisation)
    if known is None:
        return person.organisation
    name = known.names.get(person.language, "")
    return name if directory.organisation_named(name) == known.id else known.id


def _reach(person: Person) -> Iterator[str]:
    by_channel: dict[str, list[Address]] = {}
    for way in person.addresses:
        by_channel.setdefault(way.channel, []).append(way)
    numbers = {c: [(w.address, w.live_only) for w in by_channel.get(c, ())] for c in (SMS, VOICE)}
    both = numbers[SMS] == numbers[VOICE]  # then a telephone is shown once, as one that takes both
    for channel, ways in by_channel.items():
        for nth, way in enumerate(ways, _FIRST):
            after = f";PREF={min(nth, _LAST)}" + (";X-LIVE-ONLY=yes" if way.live_only else "")
            if channel == EMAIL:
                yield f"EMAIL{after}:{_escaped(way.address)}"
            elif channel in (SMS, VOICE) and (not both or channel == SMS):
                kind = '"text,voice"' if both else "text" if channel == SMS else "voice"
                number = f"VALUE=uri;TYPE={kind}{after}:tel:{way.address}"
                plain = f"TYPE={kind}{after}:{_escaped(way.address)}"
                yield f"TEL;{number}" if re.fullmatch(r"\+\d+", way.address) else f"TEL;{plain}"
            elif channel not in (SMS, VOICE):
                yield f"X-VIGIE-REACH;X-CHANNEL={channel}{after}:{_escaped(way.address)}"


def _escaped(text: str) -> str:
    """RFC 6350, section 3.4."""
    for character in "\\;,":
        text = text.replace(character, "\\" + character)
    return re.sub(r"\r\n|\n|\r", r"\\n", text)
