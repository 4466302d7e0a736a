"""The files of a configuration, read once each, with all that is found wrong with them on the way."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.binding import bind
from hub.findings import Finding, errors
from hub.yaml import Document, read


class Files:
    """One reading of a folder. `held`: texts in place of what stands in these files (None: as if they were not there).
    `texts` and `documents` by name (`people.yaml`, `playbooks/extreme-weather.yaml`);
    `findings`: of readers that keep their document to themselves, and on files as a whole."""

    def __init__(self, folder: Path, held: Mapping[str, str | None]) -> None:
        self.folder = folder
        self._held = held
        self.texts: dict[str, str] = {}
        self.documents: dict[str, Document] = {}
        self.findings: list[Finding] = []
        self._files: dict[str, str] = {}  # name → how findings call it

    def has(self, name: str) -> bool:
        """Whether a file is there that need not be."""
        return self._held[name] is not None if name in self._held else (self.folder / name).is_file()

    def text(self, name: str, folder: Path | None = None) -> bytes | None:
        """A file's bytes; None, with a finding, where it cannot be read. `folder`: where it is no file of config/."""
        shown = f"{self.folder.name}/{name}" if folder is None else name
        if name in self._held:
            held = self._held[name]
            if held is None:
                return None
            self.texts[name], self._files[name] = held, shown
            return held.encode()
        try:
            text = ((folder or self.folder) / name).read_bytes()
        except OSError as error:
            self.note(shown, "no-file", f"it cannot be read: {error.strerror}", "write it")
            return None
        self.texts[name] = text.decode("utf-8", "replace")
        self._files[name] = shown
        return text

    def document(self, name: str) -> Document | None:
        """A file of config/ as a tree of nodes."""
        text = self.text(name)
        if text is None:
            return None
        self.documents[name] = read(text, f"{self.folder.name}/{name}")
        return self.documents[name]

    def bound(self, name: str, kind: Any) -> Any:
        """A file of config/ read as `kind`; None where it cannot be."""
        document = self.document(name)
        if document is None:
            return None
        if document.root is None and errors(document.findings):
            return None
        return bind(document, document.root, kind)

    def note(self, file: str, rule: str, message: str, remedy: str) -> None:
        """What is wrong with a file as a whole."""
        self.findings.append(Finding(file=file, line=1, column=1, rule=rule, message=message, remedy=remedy))

    def found(self) -> list[Finding]:
        """All that is wrong."""
        return [f for document in self.documents.values() for f in document.findings] + self.findings

    def by_file(self) -> dict[str, str]:
        """The texts by what findings call their files."""
        return {self._files[name]: text for name, text in self.texts.items()}
