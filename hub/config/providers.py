"""Several providers for one channel: from what stands in channels.yaml to routes, and what is wrong with them."""

from collections.abc import Mapping

from hub.config.forms import ChannelForm
from hub.connector import Abilities, Channel
from hub.dispatch.route import Routes
from hub.findings import choice
from hub.model.people import Address
from hub.people.directory import Directory
from hub.yaml import Document


def routes_of(document: Document, forms: Mapping[str, ChannelForm], abilities: Mapping[str, Abilities]) -> Routes:
    """`abilities`: of all entries that could be read."""
    fall_back: dict[str, str] = {}
    by_prefix: dict[str, dict[str, str]] = {}
    for name, form in forms.items():
        following = form.fall_back_to
        if following and _is_one(document, (name, "fall back to"), name, following, abilities):
            fall_back[name] = following
        if form.by_prefix and not abilities[name].numbers:
            place = document.at(name, "by prefix")
            document.add(place, "no-numbers", f"{name} sends to no phone numbers", "leave `by prefix` out")
            continue
        by_prefix[name] = {
            prefix: provider
            for prefix, provider in form.by_prefix.items()
            if _is_one(document, (name, "by prefix", prefix), name, provider, abilities)
        }
    _check_circles(document, fall_back)
    exercises = {
        name: form.exercises_by
        for name, form in forms.items()
        if form.exercises_by and _is_one(document, (name, "exercises by"), name, form.exercises_by, abilities)
    }
    _check_exercises(document, forms, exercises)
    return Routes(
        fall_back=fall_back,
        by_prefix={name: found for name, found in by_prefix.items() if found},
        exercises=exercises,
    )


def _is_one(
    document: Document, path: tuple[str, ...], name: str, provider: str, abilities: Mapping[str, Abilities]
) -> bool:
    """Whether one entry's provider can stand in for another's."""
    place = document.at(*path)
    if provider not in abilities:
        others = [other for other in abilities if other != name]
        document.add(place, "unknown-channel", f'"{provider}" is no channel', choice(provider, others))
        return False
    ours, theirs = abilities[name], abilities[provider]
    if (ours.numbers, ours.voice) != (theirs.numbers, theirs.voice):
        document.add(
            place,
            "another-kind",
            f"{provider} cannot stand in for {name}: it {_kind(theirs)}, {name} {_kind(ours)}",
            "another kind of channel follows in a chain's by: [...]",
        )
        return False
    if ours.attachments and not theirs.attachments:
        document.add(
            place,
            "no-files",
            f"{provider} carries no files, and {name} does",
            "another provider, or documents that go by it arrive without",
            warning=True,
        )
    if provider != name and ours.answers and not theirs.answers:
        document.add(
            place,
            "no-answers",
            f"nobody can answer on {provider}: who is asked over {name} by it is heard only by the next channel",
            "say how it is replied to, or leave it",
            warning=True,
        )
    return True


def _check_exercises(document: Document, forms: Mapping[str, ChannelForm], exercises: Mapping[str, str]) -> None:
    """A provider of exercises is nothing else's: nothing in earnest may come to go by it."""
    apart = frozenset(exercises.values())
    for name, form in forms.items():
        if form.exercises_by == name:
            document.add(
                document.at(name, "exercises by"), "for-exercises", f"{name}: exercises go by it anyway", "leave it out"
            )
        named: dict[tuple[str, ...], str] = {("fall back to",): form.fall_back_to}
        named |= {("by prefix", prefix): provider for prefix, provider in form.by_prefix.items()}
        for path, provider in named.items():
            if provider in apart and name not in apart:
                message = f"{name}: {provider} is for exercises, and what goes here is in earnest"
                document.add(document.at(name, *path), "for-exercises", message, "name another entry")


def _kind(abilities: Abilities) -> str:
    if abilities.voice:
        return "calls"
    return "sends texts to phone numbers" if abilities.numbers else "sends to addresses that are no phone numbers"


def _check_circles(document: Document, fall_back: Mapping[str, str]) -> None:
    for name in fall_back:
        seen = [name]
        while (following := fall_back.get(seen[-1], "")) and following not in seen:
            seen.append(following)
        if following == name and name == min(seen, key=list(fall_back).index):  # told once, where it begins
            told = " → ".join([*seen, name])
            place = document.at(name, "fall back to")
            document.add(place, "cycle", f"these fall back to one another in a circle: {told}", "end it somewhere")


def check_prefixes(document: Document, routes: Routes, directory: Directory) -> None:
    """A provider that no number in the directory goes to: most likely a prefix is mistyped."""
    for channel, prefixes in routes.by_prefix.items():
        numbers = [a for person in directory.people for a in directory.addresses(person, channel)]
        first = [routes.providers(channel, number)[0] for number in numbers]
        for prefix, provider in prefixes.items():
            if provider in first and any(number.startswith(prefix) for number in numbers):
                continue
            document.add(
                document.at(channel, "by prefix", prefix),
                "no-number",
                f"no number goes to {provider}: nobody's {channel} begins with {prefix}",
                "correct the prefix, or leave it for those to come",
                warning=True,
            )


def problem_of(routes: Routes, channels: Mapping[str, Channel], way: Address) -> str:
    """What the first of a channel's providers says of an address, where none can send to it; `""` where one can."""
    there = [channels[name] for name in routes.providers(way.channel, way.address) if name in channels]
    said = [channel.check(way.address) for channel in there]
    return said[0] if said and all(said) else ""


def first_serving(routes: Routes, channels: Mapping[str, Channel], channel: str, address: str) -> str:
    """The provider a channel's address goes to while all work."""
    route = routes.providers(channel, address)
    return next((name for name in route if name not in channels or not channels[name].check(address)), channel)
