"""How hard and how long dispatch tries: the whole policy, as tables.

Per lane (from the first served to the last):

    lane     given up after        waits between tries       next provider  used for
    -------  --------------------  ------------------------  -------------  ------------------------------------
    ask      4 tries or 60 s       2 s, 4 s, 8 s             after 1 try    somebody is asked to answer
    confirm  8 tries or 10 min     3 s, doubling to 1 min    after 1 try    answers to answers, all-clears, stand-downs
    notify   30 tries or 1 h       5 s, doubling to 2 min    after 3        partners and groups
    mass     60 tries or 6 h       10 s, doubling to 5 min   after 3        large audiences

    A wait is spread by ±20 %, is never shorter than the provider asks for, and counts from the answer. Time under
    stop-all does not count. What is given up is FAILED: whether another channel follows is the engine's decision.

    "Next provider": where a channel has a fall-back (config/channels.yaml) it is used at once after so many tries, or
    as soon as the provider is out (hub/dispatch/health.py). What goes on after one try gives a provider 10 s in all:
    6 s to take it, and 4 s to find out whether it has. While all of a channel's providers are out, asks are FAILED at
    once and everything else waits.

Per channel (config/channels.yaml may say otherwise, `limits`):

    channel  deliveries/s  burst  kept for asks  per person          at once  kept for asks  one try lasts
    -------  ------------  -----  -------------  ------------------  -------  -------------  -------------
    sms      100           200    20             10 in 10 min        64       8              20 s
    voice    10            20     5              6 in 10 min         32       8              20 s
    email    50            100    10             20 in 10 min        16       4              30 s
    others   20            40     5              20 in 10 min        16       4              20 s

    Rates and bursts count deliveries, not SMS parts. The part of a burst kept for asks is touched by no other lane; a
    person's last three places in their ten minutes neither.
"""

from msgspec import Struct

from hub.model.message import Lane

LANES: tuple[Lane, ...] = (Lane.ASK, Lane.CONFIRM, Lane.NOTIFY, Lane.MASS)

CHUNK = 100  # deliveries in one attempt record, at most
SETTLE_S = 10.0  # what cannot be settled in this time is sent again, marked as a possible repeat
SHORT_TRY_S = 6.0  # where another provider is next after one try: how long that may last
SHORT_SETTLE_S = 4.0  # and then asking what became of it
SETTLE_PART = 20  # deliveries of a mass message that share that time, asked about `SETTLE_WIDTH` at a time
SETTLE_WIDTH = 8
JOURNAL_PAUSE_S = 1.0  # before a journal that could not write is tried again
SPREAD = 0.2


class Persistence(Struct, frozen=True, kw_only=True):
    """How long a lane goes on trying. `first_s`: wait after the first try; it doubles up to `longest_s`. `here`: tries
    with one provider where there is another."""

    tries: int
    seconds: float
    first_s: float
    longest_s: float
    here: int = 1


PERSISTENCE: dict[Lane, Persistence] = {
    Lane.ASK: Persistence(tries=4, seconds=60.0, first_s=2.0, longest_s=15.0),
    Lane.CONFIRM: Persistence(tries=8, seconds=600.0, first_s=3.0, longest_s=60.0),
    Lane.NOTIFY: Persistence(tries=30, seconds=3600.0, first_s=5.0, longest_s=120.0, here=3),
    Lane.MASS: Persistence(tries=60, seconds=21_600.0, first_s=10.0, longest_s=300.0, here=3),
}


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a channel is given at most. `rate`: deliveries per second; `burst`: how many at once after a pause, of
    which `burst_asks` only asks may use. `per_person` deliveries in `person_s` seconds to one person, the last
    `person_asks` of them only for asks. `width`: deliveries under way at the same time, `width_asks` of them kept
    for asks. `try_s`: how long one try may last. `parts`: a text is shortened to so many SMS parts (0: it is no
    SMS)."""

    rate: float = 20.0
    burst: float = 40.0
    burst_asks: float = 5.0
    per_person: int = 20
    person_s: float = 600.0
    person_asks: int = 3
    width: int = 16
    width_asks: int = 4
    try_s: float = 20.0
    parts: int = 0


DEFAULTS: dict[str, Limits] = {
    "sms": Limits(rate=100, burst=200, burst_asks=20, per_person=10, width=64, width_asks=8, parts=4),
    "voice": Limits(rate=10, burst=20, burst_asks=5, per_person=6, width=32, width_asks=8),
    "email": Limits(rate=50, burst=100, burst_asks=10, per_person=20, try_s=30),
}


def limits_of(channel: str) -> Limits:
    """The limits of a channel for which nobody wrote any."""
    return DEFAULTS.get(channel, Limits())


def wait_s(lane: Lane, nth: int, chance: float, asked_s: float | None = None) -> float:
    """How long to wait after the `nth` try (from 1). `chance`: uniform in [0, 1). `asked_s`: what the provider asked
    for; never less than that."""
    p = PERSISTENCE[lane]
    doubled = min(p.longest_s, p.first_s * 2.0 ** min(nth - 1, 16))
    spread = doubled * (1 - SPREAD + 2 * SPREAD * chance)
    return max(spread, asked_s or 0.0)


def gives_up(lane: Lane, tries: int, since_s: float, then_s: float) -> bool:
    """Whether a delivery first wanted at `since_s` and tried `tries` times is not to be tried again at `then_s`."""
    p = PERSISTENCE[lane]
    return tries >= p.tries or then_s - since_s > p.seconds
