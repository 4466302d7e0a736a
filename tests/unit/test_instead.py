"""Answers that name somebody else to be called, in four languages, and all that only sounds like it."""

import pytest

from hub.install import Understanding
from hub.model.message import Verb
from hub.model.people import Address, Person
from hub.people.answers import understand
from hub.people.directory import Directory
from hub.people.instead import whom

REACH = (Address("sms", "+32450000001"),)
DIRECTORY = Directory(
    [
        Person(id="director-b", name="Els Denkbeeldig", addresses=REACH),
        Person(id="officer-b", name="Bram Verzonnen", addresses=REACH),
        Person(id="officer-c", name="Carla Erfunden-Öztürk", addresses=REACH),
        Person(id="els-2", name="Els Voorbeeld", addresses=REACH),
        Person(id="ghost", name="Gust Onbereikbaar"),
    ]
)


@pytest.mark.parametrize(
    ("text", "code", "name"),
    [
        ("pas moi, appelez Els", "", "els"),
        ("Pas moi, appelle Els Denkbeeldig svp", "", "els denkbeeldig"),
        ("Je suis malade. Téléphonez à Bram, merci", "", "bram"),
        ("B non, appelez plutôt Bram Verzonnen", "B", "bram verzonnen"),
        ("B niet ik, bel Els aub", "B", "els"),
        ("kan niet, vraag Bram", "", "bram"),
        ("bel naar Bram Verzonnen", "", "bram verzonnen"),
        ("Rufen Sie Carla an", "", "carla"),
        ("nicht ich, bitte Carla anrufen", "", "carla"),
        ("B: not me, call officer-b", "B", "officer-b"),
        ("not me. call Bram.", "", "bram"),
        ("Can't. Please try Els instead", "", "els"),
    ],
)
def test_somebody_is_named_in_ones_place(text: str, code: str, name: str) -> None:
    words = understand(text)
    assert (words.verb, words.code, words.instead) == (Verb.DELEGATE, code, name)


@pytest.mark.parametrize(
    "text",
    [
        "ik bel Els",  # they do it themselves, and say neither yes nor no
        "j'appelle Els",
        "I call Paul",
        "ich rufe Carla an",
        "will call Els",
        "ok call Paul",  # an acceptance and a wish: ask again
        "B 20 call Els",
        "oui, appelez Els aussi",
        "call me back",
        "appelez-moi",
        "bel mij",
        "can you call Paul?",
        "appel en cours",
        "contact",
        "call 0450 00 00 01",
        "call " + "very " * 8 + "long",
    ],
)
def test_what_only_sounds_like_it_is_asked_about(text: str) -> None:
    words = understand(text)
    assert (words.verb, words.instead) == (Verb.UNCLEAR, "")


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("els denkbeeldig", "director-b"),
        ("denkbeeldig", "director-b"),
        ("els", ""),  # there are two
        ("bram", "officer-b"),
        ("officer-b", "officer-b"),
        ("ozturk", "officer-c"),
        ("carla erfunden ozturk", "officer-c"),
        ("gust", ""),  # nothing reaches him
        ("the police", ""),
        ("b", ""),
        ("", ""),
    ],
)
def test_who_that_is(name: str, person: str) -> None:
    assert whom(DIRECTORY, name) == person


def test_the_fact_names_the_person_and_not_the_words() -> None:
    reply = Understanding(DIRECTORY).understand("B pas moi, appelez Bram Verzonnen svp")
    assert (reply.verb, reply.code, reply.to) == (Verb.DELEGATE, "B", "officer-b")
    assert "Bram" not in str(reply)
    assert Understanding(DIRECTORY).understand("pas moi, appelez Els").to == ""
