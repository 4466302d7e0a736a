"""Messages of the hub's own to others, without somebody who is erased."""

import msgspec

from hub.people.erasing import note_without, sent_without


def message(**texts: str) -> bytes:
    return msgspec.json.encode(
        {language: {"subject": "", "text": said, "voice": said} for language, said in texts.items()}
    )


def test_a_name_becomes_the_id_in_every_language_and_part() -> None:
    held = message(fr="Avant vous : Zoé Dupont.", nl="Voor u: Zoé Dupont, +32450000099.")
    left = sent_without(held, "officer-z", ["Zoé Dupont", "+32450000099"])
    assert left == message(fr="Avant vous : officer-z.", nl="Voor u: officer-z, officer-z.")


def test_the_longer_of_two_names_goes_whole() -> None:
    left = sent_without(message(en="Before you: Zoé Dupont-Lambert."), "z", ["Zoé Dupont", "Zoé Dupont-Lambert"])
    assert left == message(en="Before you: z.")


def test_what_cannot_be_told_apart_is_no_message_without_them() -> None:
    assert sent_without(message(en="Before you: ZOE  DUPONT."), "z", ["Zoé Dupont"]) is None, "written in another way"
    assert sent_without(b'{"texts": {"fr": {"text": "Zo\xc3\xa9 Dupont"}}}', "z", ["Zoé Dupont"]) is None
    assert sent_without(b"BEGIN:VCARD\r\nFN:Zo\xc3\xa9 Dupont\r\n", "z", ["Zoé Dupont"]) is None
    assert sent_without(message(en="Before you: nobody."), "z", []) is None, "nothing to look for"


def test_a_note_in_a_dossier_is_written_anew_without_them_or_left() -> None:
    note = '{"text": "Zoé Dupont rang twice, Zoé Dupont-Lambert too."}'.encode()
    words = ["Zoé Dupont", "Zoé Dupont-Lambert"]
    assert note_without(note, "z", words) == b'{"text":"z rang twice, z too."}'
    assert note_without(b'{"text": "ZOE DUPONT rang."}', "z", words) is None, "written in another way"
    assert note_without(b"BEGIN:VCARD", "z", words) is None
    assert note_without(note, "z", []) is None, "nothing to look for"
