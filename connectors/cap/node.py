"""One shape for an alert, whether it came as XML or JSON: named children in lists, text at the leaves."""

from dataclasses import dataclass, field

from connectors.text import digest


@dataclass(slots=True)
class Node:
    """An element: its text (stripped), its children by CAP name, and where it stands (`line` or element path)."""

    text: str = ""
    children: dict[str, list["Node"]] = field(default_factory=dict)
    place: str = ""

    def all(self, name: str) -> list["Node"]:
        return self.children.get(name, [])

    def first(self, name: str) -> str:
        """The text of the first child of that name; `""` where there is none."""
        found = self.children.get(name)
        return found[0].text if found else ""

    def texts(self, name: str) -> list[str]:
        """The texts of all children of that name that are not empty."""
        return [child.text for child in self.all(name) if child.text]

    def fingerprint(self) -> str:
        """A digest of the content: the same for one alert in another wrapper, with other prefixes, indentation or
        element order, and with empty elements left out; another as soon as a word changes."""
        return self._print() or digest("")

    def _print(self) -> str:
        parts = [" ".join(self.text.split())]
        for name in sorted(self.children):
            prints = [found for child in self.children[name] if (found := child._print())]
            parts += [name, *prints] if prints else []
        return digest(*parts) if any(parts) else ""
