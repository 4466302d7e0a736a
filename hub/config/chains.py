"""Alert chains: from their form to the vocabulary, and what is wrong with them."""

from collections.abc import Collection, Mapping

from hub.config.forms import ChainForm
from hub.findings import choice
from hub.model.people import Asked, Chain, Contact, Plays, Role, Roster, Tier
from hub.people import quorum
from hub.people.directory import Directory
from hub.people.rosters import anybody
from hub.yaml import Document


def chains_of(
    document: Document,
    forms: Mapping[str, ChainForm],
    directory: Directory,
    rosters: Mapping[str, Roster],
    channels: Collection[str],
    answering: Collection[str],
    voices: Collection[str] = (),
) -> dict[str, Chain]:
    """`answering`: the channels people can answer on; `voices`: those that call them."""
    for name, form in forms.items():
        for number, tier in enumerate(form.tiers):
            path = (name, "tiers", number)
            for index, contact in enumerate(tier.ask):
                check_contact(document, (*path, "ask", index), contact, directory, rosters)
            for index, channel in enumerate(tier.by):
                others = [other for other in tier.by if other in answering]
                if channel in voices and channel not in answering and others:
                    _note_mute(document, (*path, "by", index), channel, others)
                    continue
                _check_channel(document, (*path, "by", index), channel, channels, answering)
            if tier.times < 1:
                document.add(document.at(*path, "times"), "not-a-number", "times counts from 1", "write 1 or more")
            if tier.answer < tier.between * (len(tier.by) - 1):
                document.add(
                    document.at(*path),
                    "too-short",
                    f"the {len(tier.by)} channels take longer than the time there is to answer",
                    'make "for" longer, or "between" shorter',
                )
        if not form.tiers:
            document.add(document.at(name, "tiers"), "nobody", f"chain {name} asks nobody", "add a tier")
        if form.exhausted and form.exhausted not in forms:
            place = document.at(name, "exhausted")
            document.add(place, "unknown-chain", f'"{form.exhausted}" is no chain', choice(form.exhausted, forms))
        _check_enough(document, name, form, directory, rosters)
    _check_cycles(document, forms)
    return {name: _chain(name, form) for name, form in forms.items()}


def _chain(name: str, form: ChainForm) -> Chain:
    tiers = (
        Tier(ask=t.ask, by=t.by, between_s=t.between, answer_s=t.answer, times=t.times, in_turn=t.in_turn)
        for t in form.tiers
    )
    return Chain(id=name, tiers=tuple(tiers), need=form.need.total, roles=form.need.roles, exhausted=form.exhausted)


def check_contact(
    document: Document,
    path: tuple[str | int, ...],
    contact: Contact,
    directory: Directory,
    rosters: Mapping[str, Roster],
) -> None:
    known: dict[Asked, Collection[str]] = {
        Asked.PERSON: directory.people,
        Asked.GROUP: directory.groups,
        Asked.ROSTER: rosters,
        Asked.COMPETENCE: directory.competences(),
        Asked.ORGANISATION: directory.organisations,
    }
    if contact.id in known[contact.kind]:
        return
    elsewhere = [kind for kind, names in known.items() if contact.id in names]
    remedy = f'did you mean "{elsewhere[0]} {contact.id}"?' if elsewhere else choice(contact.id, known[contact.kind])
    document.add(document.at(*path), f"unknown-{contact.kind}", f'there is no {contact.kind} "{contact.id}"', remedy)


def _check_channel(
    document: Document,
    path: tuple[str | int, ...],
    channel: str,
    channels: Collection[str],
    answering: Collection[str],
) -> None:
    if channel not in channels:
        document.add(document.at(*path), "unknown-channel", f'"{channel}" is no channel', choice(channel, channels))
    elif channel not in answering:
        document.add(
            document.at(*path), "no-answers", f"nobody can answer on {channel}", choice("", answering, "they can on")
        )


def _note_mute(document: Document, path: tuple[str | int, ...], channel: str, others: Collection[str]) -> None:
    """A call without a keypad still wakes people: they are told to answer by another channel of the tier."""
    document.add(
        document.at(*path),
        "no-keypad",
        f"{channel} calls without a keypad: nobody can answer in the call",
        f"the call tells them to answer by {', '.join(others)}",
        warning=True,
    )


def _check_enough(
    document: Document, name: str, form: ChainForm, directory: Directory, rosters: Mapping[str, Roster]
) -> None:
    """Roles that exist; and not more that have to accept than could ever be asked."""
    roles = [role for role in form.need.roles if _known_role(document, name, role, directory)]
    asked: set[str] = set()
    for contact in (c for t in form.tiers for c in t.ask):
        match contact.kind:
            case Asked.PERSON:
                asked.add(contact.id)
            case Asked.GROUP:
                asked.update(directory.members(contact.id))
            case Asked.COMPETENCE:
                asked.update(directory.competent(contact.id))
            case Asked.ORGANISATION:
                asked.update(directory.working_for(contact.id))
            case Asked.ROSTER if contact.id in rosters:
                asked.update(anybody(rosters[contact.id]))
    if not asked:
        return
    if len(asked) < form.need.total:
        document.add(
            document.at(name, "need"),
            "too-few",
            f"{name} needs {form.need.total} to accept and asks {len(asked)} people",
            "ask more, or need fewer",
        )
    for role in roles:
        there = sum(quorum.plays(directory, person, role) for person in asked)
        if there < role.count:
            document.add(
                document.at(name, "need", str(role)),
                "too-few",
                f"{name} needs {role.count} of {role} and asks {there} of them",
                "ask more of them, or need fewer",
            )


def _known_role(document: Document, chain: str, role: Role, directory: Directory) -> bool:
    known: Collection[str] | None = None
    if role.kind is Plays.COMPETENCE:
        known = directory.competences()
    elif role.kind is Plays.GROUP:
        known = directory.groups
    elif role.kind is Plays.ORGANISATION and directory.organisations:
        known = directory.organisations
    if known is not None and role.id not in known:
        place = document.at(chain, "need", str(role))
        document.add(place, f"unknown-{role.kind}", f'there is no {role.kind} "{role.id}"', choice(role.id, known))
        return False
    return True


def _check_cycles(document: Document, forms: Mapping[str, ChainForm]) -> None:
    for name in forms:
        seen = [name]
        while (following := forms[seen[-1]].exhausted) in forms and following not in seen:
            seen.append(following)
        if following == name and name == min(seen, key=list(forms).index):  # told once, where it begins
            told = " → ".join([*seen, name])
            place = document.at(name, "exhausted")
            document.add(place, "cycle", f"these chains follow one another for ever: {told}", "end one of them")
