"""What tells of a person in texts, and directory texts without them. Pure."""

import re
from collections.abc import Iterable

import msgspec

from hub.findings import errors
from hub.model.access import Guests
from hub.model.people import Language
from hub.people.directory import Directory, normalise, readable
from hub.people.folding import fold
from hub.yaml import Document, Mapping, Node, Scalar, read

SHORTEST = 4  # letters: less is found everywhere


def telling(
    names: Iterable[str], addresses: Iterable[str], others: Directory
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names and the addresses, each however it may be written, by which somebody is known. Nothing that somebody
    who is still in the directory has too."""
    theirs = {" ".join(person.name.split()).casefold() for person in others.people.values()}
    kept = [name for name in names if len(name) >= SHORTEST and " ".join(name.split()).casefold() not in theirs]
    known: dict[str, None] = {}
    for address in addresses:
        if len(address) >= SHORTEST and not others.owners(address):
            whole = normalise(address, others.region)
            known |= dict.fromkeys((address.strip(), whole, readable(whole)))
    return tuple(dict.fromkeys(kept)), tuple(known)


def entries_of(text: str, person: str) -> tuple[list[str], list[str]]:
    """The names and addresses that a text of the directory gives somebody, as written."""
    names: list[str] = []
    addresses: list[str] = []
    for entry in _entries(read(text, ""), person):
        names += [scalar.text for scalar in _scalars(entry.get("name"))]
        addresses += [scalar.text for scalar in _scalars(entry.get("reach"))]
    return names, addresses


def without(text: str, person: str, words: Iterable[str]) -> str | None:
    """The text without somebody's entry and the comments about it; None where that cannot be told apart from the rest,
    or any of the words stands elsewhere in it: then the whole of it has to go."""
    document = read(text, "")
    if document.root is None or errors(document.findings):
        return None
    lines = text.splitlines(keepends=True)
    keys = sorted(key.line for key in _keys(document.root))
    gone: set[int] = set()
    for key in _keys_of(document, person):
        if keys.count(key.line) > 1:
            return None  # others share its line
        ends = _end(document.root, key)
        gone.update(range(key.line, ends if ends else len(lines) + 1))
        before = key.line - 1
        while before and re.fullmatch(r"\s*(#.*)?", lines[before - 1].rstrip("\r\n")):
            gone.add(before)
            before -= 1
    left = "".join(line for number, line in enumerate(lines, 1) if number not in gone)
    folded = _plain(left)
    if any(word in left or _plain(word) in folded for word in words) or errors(read(left, "").findings):
        return None
    return left


def sent_without(payload: bytes, person: str, words: Iterable[str]) -> bytes | None:
    """A message as it was made for its recipients (language → subject, text, voice), with somebody's id wherever one of
    the words stood; None where it is no such message, or a word is still in it, written in another way."""
    try:
        texts = _sent.decode(payload)
    except msgspec.MsgspecError:
        return None
    without = [_said_without(parts, person, words) for parts in texts.values()]
    return msgspec.json.encode(texts) if all(without) else None


def note_without(payload: bytes, person: str, words: Iterable[str]) -> bytes | None:
    """A note in a dossier likewise."""
    try:
        said = _note.decode(payload)
    except msgspec.MsgspecError:
        return None
    return msgspec.json.encode(said) if _said_without(said, person, words) else None


def _said_without(parts: dict[str, str], person: str, words: Iterable[str]) -> bool:
    """Puts somebody's id wherever one of the words stands; whether none is left, written in another way."""
    longest = sorted(words, key=len, reverse=True)  # a name may lie within another
    if not longest:
        return False
    pattern = re.compile("|".join(map(re.escape, longest)))
    parts.update((part, pattern.sub(person, said)) for part, said in parts.items())
    folded = [_plain(said) for said in parts.values()]
    return not any(_plain(word) in said for word in longest for said in folded)


def guests_without(payload: bytes, words: Iterable[str]) -> bytes | None:
    """A change of the access list without whoever any of the words names; None where it cannot be read."""
    try:
        guests = _guests.decode(payload).guests
    except msgspec.MsgspecError:
        return None
    plain = [_plain(word) for word in words]
    kept = {
        k: g for k, g in guests.items() if not any(w in _plain(f"{g.name} {g.service} {g.function}") for w in plain)
    }
    return msgspec.json.encode(Guests(guests=kept))


_guests = msgspec.json.Decoder(Guests)
_sent = msgspec.json.Decoder(dict[Language, dict[str, str]])
_note = msgspec.json.Decoder(dict[str, str])


def _plain(text: str) -> str:
    """Without case, accents and the breadth of gaps."""
    return " ".join(fold(text).split())


def _entries(document: Document, person: str) -> list[Mapping]:
    people = document.root.get("people") if isinstance(document.root, Mapping) else None
    entry = people.get(person) if isinstance(people, Mapping) else None
    return [entry] if isinstance(entry, Mapping) else []


def _keys_of(document: Document, person: str) -> list[Scalar]:
    people = document.root.get("people") if isinstance(document.root, Mapping) else None
    key = people.key(person) if isinstance(people, Mapping) else None
    return [key] if key is not None else []


def _end(root: Node, key: Scalar) -> int:
    """The line of the next key that is no part of this entry; 0 where there is none."""
    return min((k.line for k in _keys(root) if k.line > key.line and k.column <= key.column), default=0)


def _keys(node: Node | None) -> Iterable[Scalar]:
    if isinstance(node, Mapping):
        for key, value in node.entries:
            yield key
            yield from _keys(value)
    elif node is not None and not isinstance(node, Scalar):
        for item in node.items:
            yield from _keys(item)


def _scalars(node: Node | None) -> Iterable[Scalar]:
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Mapping):
        for key, value in node.entries:
            if key.text != "live only":
                yield from _scalars(value)
    elif node is not None:
        for item in node.items:
            yield from _scalars(item)
