"""Dossiers: themes that a centre follows over months (config/dossiers.yaml): how they are written, and what is read
of it. Which signals belong to one is said as in the sheets (`when`), and found by the same tables. Pure: no files.
"""

import hashlib
import math
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from hub.binding import Day, Seconds, Texts
from hub.model.people import Language
from hub.playbook.form import WhenForm
from hub.playbook.language import When
from hub.playbook.lint import Known, check_when
from hub.playbook.load import when_of
from hub.yaml import Document

DAYS_MOST = 60  # counted together
TIMES_LEAST, TIMES_MOST = 1.2, 100.0
AT_LEAST = 2  # from nothing to one is no rise
_DAY_S = 86_400.0


class RiseForm(Struct, frozen=True, kw_only=True):
    """When there is more of it than usual, which is told once, as a signal of the source `vigie`, until it has fallen
    back. How it is reckoned: [dossiers.md](dossiers.md)."""

    over: Annotated[Seconds, Meta(description="Whole days that are counted together", examples=["7 days"])]
    times: Annotated[float, Meta(description="So many times its own usual level at least", examples=["2"])] = 2.0
    at_least: Annotated[int, Meta(description="Fewer than this tell nothing, whatever is usual", examples=["5"])] = 5


class DossierForm(Struct, frozen=True, kw_only=True):
    """A theme that is followed over months: which signals belong to it, and when there is more of it than usual.
    Signals, notes and incidents are added by hand, too: [dossiers.md](dossiers.md)."""

    title: Annotated[Texts, Meta(description="Its title, in each language")]
    owner: Annotated[str, Meta(description="Who keeps it", examples=["sitcen"])]
    review_by: Annotated[Day | None, Meta(description="When it has to be looked at again", examples=["2027-06-30"])] = (
        None
    )
    when: Annotated[
        tuple[WhenForm, ...],
        Meta(description="Which signals belong to it, as in a reflex sheet; left out, only what is added by hand"),
    ] = ()
    rise: Annotated[RiseForm | None, Meta(description="When there is more of it than usual; left out, never")] = None


class Rise(Struct, frozen=True, kw_only=True):
    """`days` are counted together; `times` the usual level, and `at_least` so many, are a rise (hub/engine/rise.py)."""

    days: int
    times: float
    at_least: int


class Dossier(Struct, frozen=True, kw_only=True):
    """A dossier in force. `version`: of its `when`: what was counted by another cannot be compared."""

    name: str
    title: dict[Language, str]
    owner: str
    version: str
    review_by: str = ""
    when: tuple[When, ...] = ()
    rise: Rise | None = None


def dossiers_of(document: Document, forms: dict[str, DossierForm], known: Known, today: str = "") -> dict[str, Dossier]:
    """The dossiers of a file, with a finding for all that is wrong with them. `today`: an ISO day, to see which reviews
    are overdue."""
    return {name: _dossier(document.below(name), name, form, known, today) for name, form in forms.items()}


def _dossier(document: Document, name: str, form: DossierForm, known: Known, today: str) -> Dossier:
    when = tuple(when_of(document, one, index) for index, one in enumerate(form.when))
    for index, one in enumerate(when):
        check_when(document, one, index, known, today)
    review_by = form.review_by.isoformat() if form.review_by is not None else ""
    _check_review(document, name, review_by, today)
    return Dossier(
        name=name,
        title=form.title,
        owner=form.owner,
        version=hashlib.sha256(msgspec.json.encode(when)).hexdigest()[:16],
        review_by=review_by,
        when=when,
        rise=None if form.rise is None else _rise(document, form.rise),
    )


def _rise(document: Document, form: RiseForm) -> Rise:
    days = round(form.over / _DAY_S)
    if not math.isclose(form.over, days * _DAY_S) or not 1 <= days <= DAYS_MOST:
        place = document.at("rise", "over")
        document.add(place, "not-whole-days", "what is counted is counted by days", f"from 1 day to {DAYS_MOST} days")
    if not TIMES_LEAST <= form.times <= TIMES_MOST:
        place = document.at("rise", "times")
        message = f"{form.times:g} times the usual level is no rise that could be told"
        document.add(place, "rise-out-of-reach", message, f"from {TIMES_LEAST:g} to {TIMES_MOST:g}: 2, say")
    if form.at_least < AT_LEAST:
        place = document.at("rise", "at least")
        message = f"with {form.at_least} in it, one signal alone would be told as a rise"
        document.add(place, "rise-out-of-reach", message, f"{AT_LEAST} at least: 5, say")
    return Rise(days=days, times=form.times, at_least=form.at_least)


def _check_review(document: Document, name: str, review_by: str, today: str) -> None:
    if not review_by:
        document.add(
            document.root, "no-review", f"the dossier {name} has no date to look it over",
            'add "review by: 2027-06-30"', warning=True,
        )  # fmt: skip
    elif today and review_by < today:
        document.add(
            document.at("review by"), "review-overdue", f"the review was due on {review_by}",
            "look the dossier over, then give the next date", warning=True,
        )  # fmt: skip
