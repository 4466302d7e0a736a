"""Entries that Vigie itself wrote into another log, when they come back from it. Pure.

Whoever reads them as news of the world answers to himself for ever.
"""

import re

from hub.model.signal import Signal

OURS = "vigie"  # a CAP code
_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}/\d{1,9}(/\d{1,9})?")  # of an event (hub/model/occurrences.py)


def is_ours(signal: Signal) -> bool:
    """Whether it, or one of its values, is the id of an event of an incident; words that mention one are not."""
    if OURS in signal.codes or _ID.fullmatch(signal.identifier):
        return True
    return any(_ID.fullmatch(one.value.strip()) for info in signal.infos for one in info.parameters)
