"""The phone simulator: a stand-in for Twilio's REST API, with a page that shows the phones it reaches."""

from .behaviour import Behaviour, BehaviourError, PeopleError, Person, load_people
from .clock import ManualClock, PacedClock
from .faults import Faults
from .phone import PhoneError
from .server import Phones
from .sink import Sink
from .thread import PhonesInThread

__all__ = [
    "Behaviour",
    "BehaviourError",
    "Faults",
    "ManualClock",
    "PacedClock",
    "PeopleError",
    "Person",
    "PhoneError",
    "Phones",
    "PhonesInThread",
    "Sink",
    "load_people",
]
