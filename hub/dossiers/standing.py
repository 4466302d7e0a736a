"""How the dossiers in force stand today, from what the state counts."""

from collections.abc import Mapping
from datetime import date

from hub.engine import rise
from hub.engine.dossier_state import Dossier as Kept
from hub.engine.dossiers import fell_back
from hub.model.dossier import DossierListed
from hub.playbook.dossiers import Dossier

SPAN = 7  # days that are counted together where a dossier asks for no rise


def standing(kept: Mapping[str, Kept], dossiers: Mapping[str, Dossier], today: date) -> list[DossierListed]:
    """One for each dossier in force, by name. `today`: local."""
    return [
        one_standing(name, kept[name], dossiers[name], today)
        for name in sorted(dossiers)
        if name in kept and not kept[name].closed
    ]


def one_standing(name: str, kept: Kept, dossier: Dossier, today: date) -> DossierListed:
    asked, day = dossier.rise, today.toordinal()
    span = asked.days if asked is not None else SPAN
    now = rise.level(kept.days, kept.since, day, asked) if asked is not None else None
    rising = kept.rising
    last = min(max(kept.days, default=kept.since), day)
    if asked is None or (rising is not None and fell_back(kept, asked, last, day)):
        rising = None  # which is written down with the next signal
    return DossierListed(
        id=name,
        title=dossier.title,
        owner=dossier.owner,
        review_by=dossier.review_by,
        since=date.fromordinal(kept.since),
        days=span,
        count=rise.count_of(kept.days, day, span),
        usual=None if now is None else round(now.usual, 2),
        bound=None if now is None else now.bound,
        rising=None if rising is None else rising.event.day,
    )
