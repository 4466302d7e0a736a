"""A document as PDF, set by typst. The document goes in as data, so that no text in it can be markup.

In the running hub this is done by a process of its own (typeset.py).
"""

from importlib.resources import files

import msgspec
import typst

from hub.report.document import Document

_PAGE = (files("hub.report") / "page.typ").read_bytes()


class CannotTypeset(Exception):
    """typst refused; its words."""


def pdf_of(document: Document) -> bytes:
    """Tagged, so that it can be read aloud. Raises CannotTypeset."""
    return typeset(msgspec.json.encode(document))


def typeset(document: bytes) -> bytes:
    """The same for a document in JSON."""
    try:
        made = typst.compile(_PAGE, sys_inputs={"document": document.decode()})
    except RuntimeError as error:
        raise CannotTypeset(str(error)) from error
    if not isinstance(made, bytes):
        raise CannotTypeset("no single file came of it")
    return made
