"""A reflex sheet as a picture, drawn from the sheet itself: what starts it, its steps, who is called in which order and
for how long, what has to be done, what follows on what, and its end. Pure: a sheet and the chains it calls go in, the
text of an SVG comes out.

Black on white, so that it is the same on any printer; no script, no font of its own, all text escaped; a title and a
description in words for whoever has it read out.
"""

from collections.abc import Mapping

from hub.model.people import Chain, Language
from hub.playbook.diagram.content import graph_of
from hub.playbook.diagram.svg import drawn
from hub.playbook.language import Playbook

Names = Mapping[str, Mapping[Language, str]]
"""Of the centre's own areas, by id."""


def diagram(playbook: Playbook, language: Language, chains: Mapping[str, Chain], areas: Names) -> str:
    """The SVG. A chain that is not among `chains` stands there by its name only."""
    return drawn(graph_of(playbook, language, chains, areas), language)


__all__ = ["diagram"]
