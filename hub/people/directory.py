"""The directory: who there is, how each is reached, and whose address an answer came from.

Pure. Addresses are kept in one written form (`normalise`), so that 0450/00.00.01, 0032 450 00 00 01 and
+32450000001 are one phone.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

import phonenumbers

from hub.model.people import Address, Classification, Group, Language, Organisation, Person, Registered
from hub.model.signal import Status
from hub.people.query import meets

REGION = "BE"  # how a number without a country code is read

_E164 = re.compile(r"\+[1-9]\d{5,14}")
_PHONE_LIKE = re.compile(r"[+(]?\d[\d\s()./\u2010-\u2015\u00a0-]*")
_SHORT_CODE = re.compile(r"\d{3,6}")
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_MAIL = re.compile(rf"[^\s@,;:<>()\[\]\"\\]+@(?:{_LABEL}\.)+(?!\d+$){_LABEL}")
_URI = re.compile(r"(?i)^(?:tel|sms|mailto):")


@lru_cache(maxsize=65_536)  # a number is read 60 times slower than it is looked up, and comes up again and again
def normalise(address: str, region: str = REGION) -> str:
    """The one written form of an address: E.164 for a phone number, lower case for a mail address, otherwise the
    text without the white space around it. A short code (1789, 112) is no E.164 number and stays as it is. Never
    raises: what is no number stays as written (`phone_problem` says why)."""
    text = _URI.sub("", address.strip())
    if "@" in text and not text.startswith("@"):
        return text.casefold()  # the local part too: no mail system in use tells cases apart
    if not _PHONE_LIKE.fullmatch(text) or _SHORT_CODE.fullmatch(text):
        return text
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return text
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def readable(address: str) -> str:
    """A number as people write it: `+32 450 00 00 01`. Whatever `normalise` would not read back is left as it is."""
    if not _E164.fullmatch(address):
        return address
    number = phonenumbers.parse(address)
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return written if normalise(written) == address else address


@lru_cache(maxsize=65_536)
def phone_problem(address: str, region: str = REGION) -> str:
    """Why this cannot be rung, and what would be right; `""` for a number of the numbering plan."""
    text = address.strip()
    if not text:
        return "no number: write it as +32 450 00 00 01"
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return "this is no phone number: write it as +32 450 00 00 01"
    if phonenumbers.is_valid_number(number):
        whole = _E164.fullmatch(normalise(text, region))  # and nothing else: "0450 00 00 01 (home)" cannot be dialled
        return "" if whole else "there is more than a phone number: write it as +32 450 00 00 01"
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason == phonenumbers.ValidationResult.TOO_SHORT:
        return "this number has too few digits: write it as +32 450 00 00 01"
    if reason in (phonenumbers.ValidationResult.TOO_LONG, phonenumbers.ValidationResult.INVALID_LENGTH):
        return "this number has too many or too few digits: write it as +32 450 00 00 01"
    if reason == phonenumbers.ValidationResult.INVALID_COUNTRY_CODE:
        return "no country has this code: write it as +32 450 00 00 01"
    return f"no such number can exist in {region if number.country_code == 32 else 'that country'}: look it up again"


def mail_problem(address: str) -> str:
    """Why no mail can go there (RFC 5321, section 4.1.2, as mail systems use it), and what would be right; or `""`."""
    text = _URI.sub("", address.strip())
    if _MAIL.fullmatch(text) and len(text) <= 254 and len(text.rpartition("@")[0]) <= 64:
        return ""
    return "this is no mail address: write it as officer@example.org"


class Directory:
    """People by id and by address, groups and organisations by id. Made once per version of config/people.yaml."""

    def __init__(
        self,
        people: Iterable[Person],
        groups: Iterable[Group] = (),
        region: str = REGION,
        organisations: Iterable[Organisation] = (),
        registered: Iterable[Registered] = (),
        live_channels: Iterable[str] = (),
        exercise_channels: Iterable[str] = (),
    ) -> None:
        self.people: dict[str, Person] = {p.id: p for p in people}
        self.groups: dict[str, Group] = {g.id: g for g in groups}
        self.organisations: dict[str, Organisation] = {o.id: o for o in organisations}
        self.registered: dict[str, Registered] = {r.id: r for r in registered}
        self.region = region
        self.live_channels = frozenset(live_channels)
        self.exercise_channels = frozenset(exercise_channels)
        self._members: dict[str, tuple[str, ...]] = {}  # of the groups asked for so far
        self._addresses: dict[tuple[str, str], list[str]] = {}  # (person, channel) → addresses
        self._live_only: set[str] = set()  # whosever they are, and over whatever channel: it is one telephone
        self._owners: dict[str, dict[str, None]] = {}  # address, over whatever channel → people
        self._public: dict[str, dict[str, None]] = {}  # the same of those who registered
        for person in self.people.values():
            self._enter(person.id, person.addresses, self._owners)
        for one in self.registered.values():
            self._enter(one.id, one.addresses, self._public)

    def _enter(self, person: str, addresses: Iterable[Address], owners: dict[str, dict[str, None]]) -> None:
        for way in addresses:
            address = normalise(way.address, self.region)
            self._addresses.setdefault((person, way.channel), []).append(address)
            self._live_only.update([address] if way.live_only else [])
            owners.setdefault(address, {})[person] = None

    def person(self, person: str) -> Person | None:
        return self.people.get(person)

    def written(self, address: str) -> str:
        """An address in the one form in which the directory gives it."""
        return normalise(address, self.region)

    def address(self, person: str, channel: str) -> str:
        """Where this person is reached over a channel (the first one listed); `""` when nowhere."""
        ways = self._addresses.get((person, channel))
        return ways[0] if ways else ""

    def addresses(self, person: str, channel: str, status: Status = Status.ACTUAL) -> tuple[str, ...]:
        """Where this person is reached over a channel, in the order to be tried, each once. What is not Actual never
        gets an address that anybody has marked as live only, or any on a channel that is; what is Actual none on a
        channel of exercises; and an exercise none of who takes no part."""
        closed = self.exercise_channels if status is Status.ACTUAL else self.live_channels
        if channel in closed or not self.takes_part(person, status):
            return ()
        ways = dict.fromkeys(self._addresses.get((person, channel), ()))
        return tuple(way for way in ways if status is Status.ACTUAL or way not in self._live_only)

    def takes_part(self, person: str, status: Status) -> bool:
        """Whether this person may be sent anything of that status: everybody may, but for exercises, in which the
        public has no part."""
        if person in self.registered:
            return status is not Status.EXERCISE
        known = self.people.get(person)
        return status is not Status.EXERCISE or known is None or known.exercises

    def language(self, person: str) -> Language:
        """French where the person is not known (any more)."""
        known = self.people.get(person) or self.registered.get(person)
        return known.language if known is not None else Language.FR

    def speaks(self, person: str, language: Language) -> bool:
        """Whether it is their language, or one they speak besides."""
        known = self.people.get(person)
        return known is not None and language in (known.language, *known.speaks)

    def members(self, group: str) -> tuple[str, ...]:
        """The people of a group, each once, in order; none for a group that does not exist. Those of a query come in
        the directory's order, then those it names besides."""
        known = self.groups.get(group)
        if known is None:
            return ()
        if group not in self._members:
            self._members[group] = self._resolve(known)
        return self._members[group]

    def _resolve(self, group: Group) -> tuple[str, ...]:
        query = group.query
        if query is None:
            return tuple(dict.fromkeys(group.members))
        found = [p.id for p in self.people.values() if meets(p, query, self.organisations.get(p.organisation))]
        return tuple(dict.fromkeys(p for p in (*group.members, *found, *query.also) if p not in query.but_not))

    def organisation_named(self, text: str) -> str:
        """The id of the organisation with this id, or with this name in any language; `""` where none or several."""
        if text in self.organisations:
            return text
        wanted = " ".join(text.split()).casefold()
        found = [o.id for o in self.organisations.values() if wanted in {n.casefold() for n in o.names.values()}]
        return found[0] if len(found) == 1 else ""

    def working_for(self, organisation: str) -> tuple[str, ...]:
        """The people of an organisation, in the directory's order."""
        return tuple(p.id for p in self.people.values() if p.organisation == organisation)

    def sees(self, person: str) -> Classification:
        """What somebody may see of others: what is said of them, else of their organisation, else what is public."""
        known = self.people.get(person)
        if known is None:
            return Classification.PUBLIC
        theirs = self.organisations.get(known.organisation)
        return known.sees or (theirs.sees if theirs is not None else Classification.PUBLIC)

    def competent(self, competence: str) -> tuple[str, ...]:
        """The people who have a competence, in the directory's order."""
        return tuple(p.id for p in self.people.values() if competence in p.competences)

    def competences(self) -> tuple[str, ...]:
        """Every competence that somebody has, each once."""
        return tuple(dict.fromkeys(c for p in self.people.values() for c in p.competences))

    def owners(self, address: str) -> tuple[str, ...]:
        """Everybody who has this address, over whatever channel: somebody who was called may answer by SMS."""
        found = self._owners.get(address)
        if found is None:
            found = self._owners.get(normalise(address, self.region), {})
        return tuple(found)

    def find(self, address: str) -> str:
        """Whose answer it is that came from this address; `""` when nobody's, or when several people share the
        address, for then nobody can tell which of them answered. Somebody of the directory goes before who registered;
        of a family that registered one telephone, the first answers for all."""
        owners = self.owners(address)
        if not owners:
            public = self._public.get(address) or self._public.get(normalise(address, self.region), {})
            return next(iter(public), "")
        return owners[0] if len(owners) == 1 else ""

    def shared(self) -> dict[str, tuple[str, ...]]:
        """Addresses that more than one person has: answers from there can be bound to nobody."""
        return {address: tuple(people) for address, people in self._owners.items() if len(people) > 1}
