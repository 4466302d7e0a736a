"""The rooms that people can be let into, and the reception: from their forms to the vocabulary."""

from collections.abc import Mapping

from hub.config.call_list import check_carriers
from hub.config.chains import check_contact
from hub.config.forms import AccessListForm, RoomForm
from hub.connector import Abilities
from hub.model.access import Reception, Room
from hub.model.people import Language, Roster
from hub.people.directory import Directory
from hub.people.folding import fold
from hub.yaml import Document

_HERE = "access list"


def rooms_of(document: Document, forms: Mapping[str, RoomForm]) -> dict[str, Room]:
    """By id. Adds a finding for two that are called the same: nobody could tell which is meant."""
    rooms: dict[str, Room] = {}
    called: dict[str, str] = {}
    for id_, form in forms.items():
        rooms[id_] = Room(id=id_, names={language: getattr(form, language.value) for language in Language})
        for name in dict.fromkeys(fold(name) for name in (id_, *rooms[id_].names.values())):
            if called.setdefault(name, id_) != id_:
                message = f"{id_} is called as {called[name]} is"
                document.add(document.at(id_), "name-twice", message, "give each room a name of its own")
    return rooms


def reception_of(form: AccessListForm) -> Reception:
    return Reception(to=form.mail_to, by=form.by, gather_s=form.gather)


def check_access_list(
    document: Document,
    form: AccessListForm,
    directory: Directory,
    rosters: Mapping[str, Roster],
    channels: Mapping[str, Abilities],
) -> None:
    """Adds a finding for everything that it names and there is not."""
    for index, contact in enumerate(form.mail_to):
        check_contact(document, (_HERE, "mail to", index), contact, directory, rosters)
    check_carriers(document, _HERE, form.by, channels)
