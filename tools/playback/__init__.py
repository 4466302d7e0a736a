"""The feed playback: recorded or written days, served on loopback as the live servers would."""

from tools.playback.programme import HEARD, PartnerPost, Programme, Publication, Source
from tools.playback.samples import PlaybackSet, Sample, playable, sets
from tools.playback.schedule import ScheduleError
from tools.playback.schedule import load as load_day
from tools.playback.server import Partner, Playback, Posted, Served

__all__ = [
    "HEARD",
    "Partner",
    "PartnerPost",
    "Playback",
    "PlaybackSet",
    "Posted",
    "Programme",
    "Publication",
    "Sample",
    "ScheduleError",
    "Served",
    "Source",
    "load_day",
    "playable",
    "sets",
]
