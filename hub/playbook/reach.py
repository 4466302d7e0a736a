"""Whether the signals a sheet waits for can come from what there is: trusted enough, from areas in force. Pure."""

from collections.abc import Mapping

from hub.model.trust import Credibility, Reliability, at_least
from hub.playbook.language import Trust, When
from hub.yaml import Document


def check_trust(document: Document, when: When, index: int, grades: Mapping[str, Trust]) -> None:
    """Adds a finding where no source the block takes reaches the grade it asks for, nor could with what others tell:
    corroboration makes the number better, never the letter."""
    sources = [source for source in when.sources or grades if source in grades]
    asked = when.trust
    if asked is None or when.origins or not sources:
        return
    reach = [Trust(grades[s].reliability, _reached(grades[s].credibility, grades)) for s in sources]
    if any(at_least(own.reliability, own.credibility, asked.reliability, asked.credibility) for own in reach):
        return
    best = min(sources, key=lambda s: (grades[s].reliability, grades[s].credibility))
    of = "none of these sources is" if when.sources else "no source is"
    document.add(
        document.at("when", index, "trust"), "trust-out-of-reach",
        f"{of} trusted {in_words(asked)}: the best is {best} with {in_words(grades[best])}",
        "ask for less, or trust a source more in sources.yaml", warning=True,
    )  # fmt: skip


def _reached(own: Credibility, grades: Mapping[str, Trust]) -> Credibility:
    """How good information can become that others tell, too (hub/intake/grading.py)."""
    letters = [grade.reliability for grade in grades.values()]
    if sum(letter <= Reliability.B for letter in letters) >= 2:
        return Credibility.CONFIRMED
    several = sum(letter <= Reliability.C for letter in letters) >= 2
    return min(own, Credibility.PROBABLY_TRUE) if several else own


def check_areas(document: Document, when: When, index: int, days: Mapping[str, tuple[str, str]], today: str) -> None:
    """Adds a finding for an area that no signal is found to touch today. `days`: area → its first and last day (ISO),
    `""` where there is none."""
    for nth, area in enumerate(when.areas):
        first, last = days.get(area, ("", ""))
        place = document.at("when", index, "area", nth)
        if last and last < today:
            document.add(
                place, "area-over", f"{area} is no more since {last}: nothing touches it",
                "name what has taken its place", warning=True,
            )  # fmt: skip
        elif first and first > today:
            document.add(
                place, "area-over", f"{area} begins on {first}: nothing touches it before", "wait with it until then",
                warning=True,
            )  # fmt: skip


def in_words(grade: Trust) -> str:
    """`B2`."""
    return f"{grade.reliability}{grade.credibility.value}"
