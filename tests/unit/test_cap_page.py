"""docs/cap-feed.md, done as it says: the key is made, the feed turned on, the broadcast read, a document verified."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ruamel.yaml import YAML

from hub.acts import BroadcastBody
from hub.cap.signing import signer_of
from hub.cap.standing import problem
from hub.cli.broadcast import body_of
from hub.config import load
from hub.secrets import secrets_from
from tests.cap_feed import made, xml
from tests.conftest import ROOT

PAGE = (ROOT / "docs/cap-feed.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def centre(tmp_path: Path) -> Path:
    """A centre's folder with the feed turned on as the page says."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    shutil.copytree(ROOT / "playbooks", tmp_path / "playbooks")
    (tmp_path / "config/cap").mkdir()
    (tmp_path / "secrets").mkdir()
    commands = re.search(r"^    openssl req -x509.*?(?=^[^ ])", PAGE, re.DOTALL | re.MULTILINE)
    assert commands is not None
    subprocess.run(["/bin/sh", "-euc", commands[0]], cwd=tmp_path, check=True, capture_output=True)
    hub = tmp_path / "config/hub.yaml"
    hub.write_text(hub.read_text("utf-8") + blocks("yaml")[0], "utf-8")
    return tmp_path


def test_the_feed_is_turned_on_as_the_page_says_and_a_document_is_verified_as_it_says(centre: Path) -> None:
    config, findings = load(centre / "config")
    assert [str(finding) for finding in findings] == []
    assert config.hub.cap is not None
    signer = signer_of(config.hub.cap, config.folder, secrets_from(config.path(config.hub.secrets), {}))
    document = signer.signed(xml(made(form=config.hub.cap)))
    names: dict[str, Any] = {}
    exec(compile(blocks("python")[0], "docs/cap-feed.md", "exec"), names)
    certificate = (centre / "config/cap/certificate.pem").read_text()
    signed = names["verify"](document, certificate)
    assert b"<identifier>01JZ" in signed
    assert b"SignatureValue" not in signed


def test_the_broadcast_of_the_page_is_one(centre: Path) -> None:
    path = centre / "smoke.yaml"
    path.write_text(blocks("yaml")[1], "utf-8")
    body = msgspec.convert(body_of(path, "officer-a", "fire"), BroadcastBody)
    assert body.cap is not None
    assert problem(body.cap) == ""
    assert (body.cap.category, body.cap.response, body.cap.expires_s) == (("Fire", "Health"), ("Shelter",), 14_400)


def test_the_source_of_the_page_is_one(centre: Path) -> None:
    path = centre / "config/sources.yaml"
    yaml = YAML()
    held = yaml.load(path.read_text("utf-8"))
    held.update(yaml.load(blocks("yaml")[2]))
    with path.open("w") as out:
        yaml.dump(held, out)
    config, findings = load(centre / "config")
    assert [str(finding) for finding in findings] == []
    assert config.sources["neighbour"].type == "feed"
