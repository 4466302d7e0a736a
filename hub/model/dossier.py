"""A dossier as it stands, for whoever looks at it."""

from datetime import date

from msgspec import Struct

from hub.model.people import Language


class DossierListed(Struct, frozen=True, kw_only=True):
    """A dossier in force, as it stands today (local). `since`: the first day that can be compared. `count`: in the last
    `days`; `usual`: the mean of the spans before, `bound`: from which count on it is a rise; both None while it is not
    known what is usual, or no rise is asked for. `rising`: the day on which a rise was found that is not over."""

    id: str
    title: dict[Language, str]
    owner: str
    review_by: str
    since: date
    days: int
    count: int
    usual: float | None
    bound: int | None
    rising: date | None
