"""MQTT topic filters (MQTT 3.1.1, section 4.7). Pure."""

from collections.abc import Sequence

BYTES_MAX = 65_535  # UTF-8, 4.7.3


def problem_with(pattern: str) -> str:
    """Why a topic filter is none and what would be right; "" where it is one."""
    levels = pattern.split("/")
    if not pattern or "\0" in pattern or len(pattern.encode("utf-8", "replace")) > BYTES_MAX:
        return f"{pattern[:40]!r} is no topic: write pumps/+/level"
    if levels[0] == "$share":
        return f"{pattern!r} is a shared subscription, of which each reader gets a part only: write the topic itself"
    if any("#" in level and (level != "#" or n < len(levels) - 1) for n, level in enumerate(levels)):
        return f"{pattern!r}: # stands alone, at the end: write pumps/#"
    if any("+" in level and level != "+" for level in levels):
        return f"{pattern!r}: + stands for a whole level: write pumps/+/level"
    return ""


def is_exact(pattern: str) -> bool:
    """Whether a filter names one topic only."""
    return not any(level in ("+", "#") for level in pattern.split("/"))


def stood_for(pattern: str, topic: str) -> tuple[str, ...] | None:
    """What each wildcard of a filter stands for in a topic it matches; None where it does not match."""
    levels, named = pattern.split("/"), topic.split("/")
    if topic.startswith("$") and levels[0] in ("+", "#"):  # 4.7.2: wildcards do not find the server's own topics
        return None
    found: list[str] = []
    for n, level in enumerate(levels):
        if level == "#":
            return (*found, "/".join(named[n:]))
        if n >= len(named) or level not in ("+", named[n]):
            return None
        if level == "+":
            found.append(named[n])
    return tuple(found) if len(levels) == len(named) else None


def first_match(patterns: Sequence[str], topic: str) -> tuple[str, ...] | None:
    """What the wildcards of the first filter that matches stand for; None where none does."""
    return next((found for pattern in patterns if (found := stood_for(pattern, topic)) is not None), None)
