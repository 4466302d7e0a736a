"""The one YAML reader: YAML 1.2 into a tree of nodes that know their place, where every scalar is text.

    document = read(text, "config/people.yaml")
    document.root          # Mapping | Sequence | Scalar | None (empty file, or one that cannot be read)
    document.findings      # what is wrong, with its place; grows as the document is bound (hub/binding.py)

No scalar has a type before its field gives it one: 18:00, 0475123456, +32475123456 and no come out as written.
What YAML takes silently and people do not expect is an error: two equal keys, a text cut at ` #`, tags, merge keys,
several documents in a file. Aliases are kept within bounds (a few lines can stand for billions of nodes).

A comment is set off by two spaces and a space (`key: value  # comment`), so that it is never a cut text.

Two parsers stand behind it. libyaml is some 25 times as fast, and reads nearly all texts without types as YAML 1.2
has them; ruamel.yaml reads what libyaml refuses (whose errors we then tell) and all in which the two might differ.
"""

import re
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any

import yaml as libyaml
from ruamel.yaml import YAML, events
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from hub.findings import Finding

CHARACTERS_MAX = 1_000_000
NODES_MAX = 200_000  # with every alias counted as what it stands for
DEPTH_MAX = 40


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text. `quoted`: it stood in quotes or in a block (`|`, `>`), so that an empty one is meant."""

    text: str
    line: int
    column: int
    width: int
    quoted: bool = False

    @property
    def empty(self) -> bool:
        """Nothing was written: `key:`."""
        return not self.text and not self.quoted


@dataclass(frozen=True, slots=True)
class Sequence:
    items: "tuple[Node, ...]"
    line: int
    column: int
    width: int = 1


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys in the order written; each is there once."""

    entries: "tuple[tuple[Scalar, Node], ...]"
    line: int
    column: int
    width: int = 1

    def get(self, key: str) -> "Node | None":
        """The value under `key`, or None."""
        for name, node in self.entries:
            if name.text == key:
                return node
        return None

    def key(self, key: str) -> "Scalar | None":
        """The key itself, for its place."""
        for name, _ in self.entries:
            if name.text == key:
                return name
        return None


Node = Scalar | Sequence | Mapping

_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what the scanner counts as one
_COMMENT = re.compile(r"(?:(?<=\s)|^)#")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_READ_DIFFERENTLY = re.compile(r"[\t\x85\u2028\u2029\ufeff]|[|>][-+0-9]*#|^(?:---|\.\.\.)", re.MULTILINE)

_DOCUMENTS = (events.DocumentStartEvent, libyaml.DocumentStartEvent)
_SCALARS = (events.ScalarEvent, libyaml.ScalarEvent)
_ALIASES = (events.AliasEvent, libyaml.AliasEvent)
_SEQUENCES = (events.SequenceStartEvent, libyaml.SequenceStartEvent)
_STARTS = (*_SEQUENCES, events.MappingStartEvent, libyaml.MappingStartEvent)
_ENDS = (events.SequenceEndEvent, libyaml.SequenceEndEvent, events.MappingEndEvent, libyaml.MappingEndEvent)


class Document:
    """A text as read: its nodes, and the findings gathered on it so far."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.root: Node | None = None
        self.findings: list[Finding] = []
        self._lines = _LINE_END.split(text)
        self._texts: list[tuple[tuple[int, int], tuple[int, int]]] = []  # where texts stand in which a # is no comment

    def add(
        self,
        node: Node | None,
        rule: str,
        message: str,
        remedy: str = "",
        *,
        warning: bool = False,
        names: tuple[str, ...] = (),
    ) -> None:
        """Note what is wrong at a node (None: with the file as a whole)."""
        line, column, width = (node.line, node.column, node.width) if node is not None else (1, 1, 1)
        self.add_at(line, column, rule, message, remedy, width=width, warning=warning, names=names)

    def add_at(
        self,
        line: int,
        column: int,
        rule: str,
        message: str,
        remedy: str = "",
        *,
        width: int = 1,
        warning: bool = False,
        names: tuple[str, ...] = (),
    ) -> None:
        """Note what is wrong at a place."""
        source = self._lines[line - 1] if 0 < line <= len(self._lines) else ""
        self.findings.append(
            Finding(
                file=self.file,
                line=line,
                column=column,
                rule=rule,
                message=message,
                remedy=remedy,
                source=source[:200],
                width=max(1, min(width, len(source) - column + 1)),
                warning=warning,
                names=names,
            )
        )

    def comments(self) -> list[tuple[int, int, str]]:
        """Every comment, from its # on: line, column (from 1), text."""
        found = []
        for number, line in enumerate(self._lines, 1):
            for mark in _COMMENT.finditer(line):
                at = (number, mark.start() + 1)
                if not any(start <= at < end for start, end in self._texts):
                    found.append((*at, line[mark.start() :].rstrip()))
                    break
        return found

    def below(self, *path: str | int) -> "Document":
        """The same text seen from a node: places are looked for from there. Findings go to the same list."""
        seen = copy(self)
        seen.root = self.at(*path)
        return seen

    def set_aside(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """What stands between two places (line and column from 1, the end excluded) is text, whatever it looks like."""
        self._texts.append((start, end))

    @property
    def lines(self) -> int:
        """How many lines the text has."""
        return len(self._lines)

    def line(self, number: int) -> str:
        """A line of the text, counted from 1; `""` past its end."""
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    def at(self, *path: str | int) -> Node | None:
        """The node at a path of keys and indexes; where it names what is absent, the last node met. Index 0 of what
        is no list is the thing itself: one may be written without brackets."""
        node = self.root
        for step in path:
            if step == 0 and not isinstance(node, Sequence):
                continue
            below: Node | None = None
            if isinstance(node, Mapping) and isinstance(step, str):
                below = node.get(step)
            elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
                below = node.items[step]
            if below is None:
                return node
            node = below
        return node


class _Unreadable(Exception):
    """Reading stops here; the finding is already noted."""


class _Unsure(Exception):
    """Something in which libyaml may be at odds with YAML 1.2."""


def _quick_events(text: str) -> Iterator[Any]:
    """libyaml's events. Raises _Unsure."""
    loader = getattr(libyaml, "CSafeLoader", None)  # not where it was built without libyaml
    if loader is None or _READ_DIFFERENTLY.search(text):
        raise _Unsure
    try:
        for event in libyaml.parse(text, Loader=loader):
            if any(getattr(event, what, None) for what in ("tag", "anchor", "version", "tags")):
                raise _Unsure  # a name may hold a colon in YAML 1.2; directives are refused where they stand
            if getattr(event, "style", None) in ("|", ">") and not event.value[:1].strip():
                raise _Unsure  # a block that begins with an empty line, or seems to hold none
            yield event
    except (libyaml.YAMLError, ValueError) as error:
        raise _Unsure from error


def read(text: str | bytes, file: str) -> Document:
    """Read a text. Never raises for what is in it: see `findings`."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            before = error.object[: error.start]
            document = Document(before.decode("utf-8"), file)
            line = before.count(b"\n") + 1
            column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
            document.add_at(line, column, "not-utf-8", "this is not UTF-8 text", "save the file as UTF-8")
            return document
    text = text.removeprefix("\ufeff")
    document = Document(text, file)
    if len(text) > CHARACTERS_MAX:
        document.add(None, "too-large", f"the file has {len(text)} characters", f"at most {CHARACTERS_MAX}")
        return document
    return quickly(text, file) or slowly(text, file)


def quickly(text: str, file: str) -> Document | None:
    """By libyaml; None for a text that it refuses, or may read in another way than YAML 1.2 has it."""
    document = Document(text, file)
    try:
        document.root = _Builder(document).build(_quick_events(text))
    except _Unreadable:
        pass
    except _Unsure:
        return None
    return document


def slowly(text: str, file: str) -> Document:
    """By ruamel.yaml: any text."""
    document = Document(text, file)
    try:
        document.root = _Builder(document).build(YAML(typ="safe", pure=True).parse(text))
    except _Unreadable:
        pass
    except MarkedYAMLError as error:
        opened = "quoted scalar" in str(error.context) or "flow" in str(error.context)
        mark = (error.context_mark if opened else None) or error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        problem = f"{error.problem or ''} {error.context or ''}"
        message, remedy = _in_plain_words(problem, document, line, column)
        document.add_at(line, column, "not-yaml", message, remedy)
    except ReaderError as error:
        head = text[: error.position]
        line, column = head.count("\n") + 1, len(head) - head.rfind("\n")
        document.add_at(line, column, "not-yaml", "a character that no text may hold", "delete it")
    except (YAMLError, ValueError, OverflowError) as error:  # the latter: an escape beyond Unicode
        document.add(None, "not-yaml", f"this is not YAML: {str(error).splitlines()[0]}")
    except RecursionError:
        document.add(None, "too-deep", "lists within lists without end", "write it flat")
    return document


def _in_plain_words(problem: str, document: Document, number: int, column: int) -> tuple[str, str]:
    line = document.line(number)
    if "mapping values are not allowed" in problem:
        above = next((document.line(n) for n in range(number - 1, 0, -1) if document.line(n).strip()), "")
        first = column == line.find(":") + 1  # of the line: what stands before it is a key
        if first and re.match(r"[ -]*[a-z][a-z ]*:[^\s:]", above):
            return "the line above has no space after its colon", f'write "{above.strip().replace(":", ": ", 1)}"'
        if first and _indentation(line) > _indentation(above) and re.match(r"[ -]*[a-z][a-z ]*: +\S", above):
            return "this line stands further in than the one above", "align them"
        return "a second colon in an unquoted text", 'put the text in "quotes", or check the indentation'
    if "'\\t'" in problem or line[column - 1 : column] == "\t":
        return "a tab where spaces are needed", "indent with spaces"
    if "cannot start any token" in problem:
        return f'a text cannot begin with "{line[column - 1 : column]}"', 'put it in "quotes"'
    if "quoted scalar" in problem or "unexpected end of stream" in problem:
        return "a quote is opened and never closed", "close it"
    if "expected ',' or ']'" in problem or "expected ',' or '}'" in problem:
        return "a bracket is opened and never closed, or a comma is missing", "close it, or add the comma"
    if "<block end>" in problem:
        return "this line is not indented like its neighbours", "align it with the lines it belongs to"
    if "could not find expected ':'" in problem:
        return "a key without a colon", 'write "key: value"'
    return f"this is not YAML: {problem}", ""


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


class _Builder:
    """Builds the tree from a parser's events, without recursion."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._anchors: dict[str, tuple[Node, int]] = {}  # with the number of nodes each stands for
        self._count = 0

    def build(self, parsed: Iterator[Any]) -> Node | None:
        root: Node | None = None
        documents = 0
        # A frame: start event, children so far, node count when it began.
        stack: list[tuple[Any, list[Node], int]] = []
        for event in parsed:
            node: Node | None = None
            if isinstance(event, _DOCUMENTS):
                documents += 1
                if documents > 1 or event.version or event.tags:
                    self._stop(event, "several-documents", "a second document (---) or a directive (%)", "remove it")
            elif isinstance(event, _SCALARS):
                node = self._scalar(event)
            elif isinstance(event, _ALIASES):
                node = self._alias(event)
            elif isinstance(event, _STARTS):
                self._no_tag(event)
                if len(stack) >= DEPTH_MAX:
                    self._stop(event, "too-deep", f"more than {DEPTH_MAX} levels", "write it flat")
                stack.append((event, [], self._count))
            elif isinstance(event, _ENDS):
                start, children, before = stack.pop()
                self._grow(start, 1)
                node = self._collection(start, children)
                if start.anchor:
                    self._anchors[start.anchor] = (node, self._count - before)
            if node is not None:
                if stack:
                    stack[-1][1].append(node)
                else:
                    root = node
        if isinstance(root, Scalar) and root.empty:
            return None
        return root

    def _grow(self, event: Any, by: int) -> None:
        self._count += by
        if self._count > NODES_MAX:
            self._stop(event, "too-large", "aliases make this file larger than it looks", f"at most {NODES_MAX} nodes")

    def _stop(self, event: Any, rule: str, message: str, remedy: str) -> None:
        mark = event.start_mark
        self._document.add_at(mark.line + 1, mark.column + 1, rule, message, remedy)
        raise _Unreadable

    def _no_tag(self, event: Any) -> None:
        if event.tag is not None:
            mark = event.start_mark
            self._document.add_at(mark.line + 1, mark.column + 1, "tag", "tags (!) are not used here", "remove it")

    def _alias(self, event: Any) -> Node:
        found = self._anchors.get(event.anchor)
        if found is None:
            self._stop(event, "unknown-alias", f"*{event.anchor} stands for nothing above", f"define &{event.anchor}")
        node, size = self._anchors[event.anchor]
        self._grow(event, size)
        return node

    def _scalar(self, event: Any) -> Scalar:
        self._no_tag(event)
        self._grow(event, 1)
        start, end = event.start_mark, event.end_mark
        line = self._document.line(start.line + 1)
        width = end.column - start.column if end.line == start.line else len(line) - start.column
        plain = event.implicit[0]  # the scanner's own word for: neither quotes nor a block
        if not event.value.isascii() and _LONE_SURROGATE.search(event.value):
            self._stop(event, "not-yaml", "half a character (a lone surrogate)", "write the character itself")
        node = Scalar(event.value, start.line + 1, start.column + 1, max(1, width), quoted=not plain)
        if not plain and "#" in event.value:
            self._document.set_aside((start.line + 1, start.column + 1), (end.line + 1, end.column + 1))
        if plain and event.value:
            self._not_cut(end.line, end.column)
        if event.anchor:
            self._anchors[event.anchor] = (node, 1)
        return node

    def _not_cut(self, line: int, column: int) -> None:
        """A plain text ends before ` #`: a comment only if it is set off as one."""
        rest = self._document.line(line + 1)[column:]
        after = rest.lstrip(" \t")
        if not after.startswith("#"):
            return
        set_off = len(rest) - len(after) >= 2 and after[1:2] in ("", " ", "#", "-", "=")
        if not set_off:
            self._document.add_at(
                line + 1,
                column + len(rest) - len(after) + 1,
                "cut-text",
                'the text stops before " #"',
                'put the text in "quotes", or set a comment off with two spaces and a space:  # like this',
            )

    def _collection(self, start: Any, children: list[Node]) -> Node:
        mark = start.start_mark
        line, column = mark.line + 1, mark.column + 1
        if isinstance(start, _SEQUENCES):
            return Sequence(tuple(children), line, column)
        entries: list[tuple[Scalar, Node]] = []
        seen: dict[str, int] = {}
        for key, value in zip(children[::2], children[1::2], strict=True):
            if not isinstance(key, Scalar):
                self._document.add(key, "key-not-text", "a key must be a word", 'write "key: value"')
            elif key.text == "<<":
                self._document.add(key, "merge-key", "<< is not YAML 1.2", "write the keys out")
            elif key.text in seen:
                self._document.add(
                    key,
                    "key-twice",
                    f'"{key.text}" stands here twice (first on line {seen[key.text]})',
                    "keep one of them",
                )
            else:
                seen[key.text] = key.line
                entries.append((key, value))
        return Mapping(tuple(entries), line, column)
