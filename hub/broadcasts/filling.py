"""The words of what a sheet proposes: a message of the configuration with the incident's words in it, frozen. Pure."""

from collections.abc import Sequence

from hub.config import ChannelConfig
from hub.dispatch.prepare import room_of
from hub.dispatch.render import Room, Texts, render
from hub.model.broadcast import Proposal
from hub.model.message import Text
from hub.model.people import Language
from hub.model.signal import Signal, Status

_NOTICE = 60  # characters that say that it is an exercise, at most
_NO_BRACES = str.maketrans("{}", "()")  # what a sender wrote is text from here on: nothing is filled into it


def filled(proposal: Proposal, signal: Signal, texts: Texts, channels: Sequence[ChannelConfig]) -> dict[Language, Text]:
    """In each language, short enough for whichever channel carries least: everybody reads the same. Raises NoText."""
    read, heard = _least_room(channels, proposal.status), Room(voice=True)
    words: dict[Language, Text] = {}
    for language in Language:
        for_eyes, for_ears = (
            render(texts, proposal.message, language, values=(("sheet", proposal.sheet),), signal=signal, room=room)
            for room in (read, heard)
        )
        words[language] = Text(
            text=for_eyes.text.translate(_NO_BRACES),
            subject=for_eyes.subject.translate(_NO_BRACES),
            voice=for_ears.voice.translate(_NO_BRACES),
        )
    return words


def _least_room(channels: Sequence[ChannelConfig], status: Status) -> Room:
    """What goes through on all that are read; what is not in earnest says so before it."""
    rooms = [room_of(c.abilities, c.limits) for c in channels if not c.abilities.voice]
    longest = min((room.longest for room in rooms if room.longest is not None), default=None)
    parts = min((room.parts for room in rooms if room.parts), default=0)
    if status is not Status.ACTUAL:
        longest = None if longest is None else longest - _NOTICE
        parts = max(1, parts - 1) if parts else 0
    return Room(longest=longest, parts=parts)
