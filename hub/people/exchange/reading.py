"""Which kind of file it is, and in which characters."""

import codecs

from hub.people.exchange import table, vcard
from hub.people.exchange.draft import Known, Notes, Reading, finish

FORMATS = ("csv", "vcard")
CHARACTERS_MAX = 8_000_000
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def read(data: bytes, file: str, known: Known, kind: str = "") -> Reading:
    """The people of a file of one of FORMATS; `""`: whichever it looks like. Never raises for what is in it."""
    notes = Notes(file)
    text = decoded(data)
    if text is None:
        notes.add(1, "not-text", "this is no text", "save it as UTF-8; a workbook (.xlsx) as CSV")
    elif len(text) > CHARACTERS_MAX:
        notes.add(1, "too-large", f"the file has {len(text)} characters", f"at most {CHARACTERS_MAX}: cut it in two")
    elif kind == "vcard" or (not kind and text.lstrip().upper().startswith("BEGIN:VCARD")):
        return finish(vcard.drafts_of(text, known, notes), known, notes)
    else:
        return finish(table.drafts_of(text, known, notes), known, notes)
    return Reading((), tuple(notes.findings))


def decoded(data: bytes) -> str | None:
    """UTF-8 or UTF-16 where it says so, else UTF-8, else Windows-1252, in which older Excels write; None where it is
    no text at all."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _try(data[len(mark) :], encoding)
    if b"\0" in data:
        return None
    text = _try(data, "utf-8")
    return text if text is not None else _try(data, "cp1252")


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None
