"""The language server that VS Code's YAML extension runs, spoken to as an editor does (LSP over stdio)."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

INSTALLED = ROOT / ".venv" / "node" / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"


def command() -> list[str]:
    """How it is started; nothing where it is not there."""
    node = shutil.which("node")
    found = os.environ.get("YAML_LANGUAGE_SERVER") or (INSTALLED.is_file() and str(INSTALLED)) or ""
    return [node, found, "--stdio"] if node and found else []


class Editor:
    """An editor that has a workspace open."""

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path) -> None:
        self._process = process
        self._next = 0
        self.folder = folder
        self._settings = json.loads((folder / ".vscode" / "settings.json").read_text("utf-8"))
        self._versions: dict[str, int] = {}
        self._underlined: dict[str, list[dict[str, Any]]] = {}
        self.request(
            "initialize",
            {
                "processId": None,
                "rootUri": folder.as_uri(),
                "workspaceFolders": [{"uri": folder.as_uri(), "name": "centre"}],
                "capabilities": {
                    "workspace": {"configuration": True, "workspaceFolders": True},
                    "textDocument": {"hover": {"contentFormat": ["markdown"]}},
                },
            },
        )
        self.notify("initialized", {})
        self.notify("workspace/didChangeConfiguration", {"settings": {}})

    def opens(self, name: str, text: str) -> list[dict[str, Any]]:
        """What is underlined in a file with this text."""
        uri = (self.folder / name).as_uri()
        self._versions[uri] = version = self._versions.get(uri, 0) + 1
        if version == 1:
            document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
            self.notify("textDocument/didOpen", {"textDocument": document})
        else:
            changed = {"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"text": text}]}
            self.notify("textDocument/didChange", changed)
        return self._wait_for(uri)

    def _wait_for(self, uri: str) -> list[dict[str, Any]]:
        self._underlined.pop(uri, None)
        while uri not in self._underlined:
            self._take(self._read())
        return self._underlined[uri]

    def hover(self, name: str, line: int, column: int) -> str:
        """What is shown over a place (both from 0)."""
        shown = self.request("textDocument/hover", self._at(name, line, column))
        return "" if shown is None else str(shown["contents"]["value"])

    def completes(self, name: str, line: int, column: int) -> list[str]:
        """What is offered at a place."""
        found = self.request("textDocument/completion", self._at(name, line, column))
        items = found["items"] if isinstance(found, dict) else found or []
        return [item["label"] for item in items]

    def _at(self, name: str, line: int, column: int) -> dict[str, Any]:
        uri = (self.folder / name).as_uri()
        return {"textDocument": {"uri": uri}, "position": {"line": line, "character": column}}

    # --- the protocol --------------------------------------------------------------------------------------

    def request(self, method: str, params: Any) -> Any:
        self._next += 1
        self._send({"id": self._next, "method": method, "params": params})
        while True:
            message = self._read()
            if message.get("id") == self._next and "method" not in message:
                assert "error" not in message, message
                return message["result"]
            self._take(message)

    def notify(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _take(self, message: dict[str, Any]) -> None:
        method = message.get("method")
        if method == "textDocument/publishDiagnostics":
            self._underlined[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif method == "workspace/configuration":
            answers = [self._section(item.get("section", "")) for item in message["params"]["items"]]
            self._send({"id": message["id"], "result": answers})
        elif "id" in message and method:
            self._send({"id": message["id"], "result": None})

    def _section(self, section: str) -> Any:
        """Settings as VS Code hands them out: a section's keys without its name."""
        prefix = f"{section}."
        return {key.removeprefix(prefix): value for key, value in self._settings.items() if key.startswith(prefix)}

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        length = 0
        while (line := self._process.stdout.readline().strip()) or not length:
            assert line or self._process.poll() is None, "the language server has ended"
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return message


@contextmanager
def editor(folder: Path) -> Iterator[Editor]:
    """An editor in a folder that `vigie schema --write` has set up."""
    # Its standard error is nobody's: it complains there of what VS Code would have offered it.
    with subprocess.Popen(
        command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder
    ) as process:
        try:
            yield Editor(process, folder)
        finally:
            process.kill()
