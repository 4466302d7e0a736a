"""The gallery of bad sheets: the file's name is the fault, what an author is told stands beside it.

To renew the expected messages after a change of words, and read what changed: `UPDATE_GALLERY=1 pytest ...`.
"""

import os
from pathlib import Path

import pytest

from hub.model.trust import Credibility, Reliability
from hub.playbook.language import Trust
from hub.playbook.lint import Known, lint
from hub.playbook.messages import load_messages
from hub.waivers import settle

GALLERY = Path(__file__).resolve().parent.parent / "bad" / "playbooks"
MESSAGES = GALLERY.parent / "messages"
TODAY = "2026-07-14"
KNOWN = Known(
    sheets={"gas-leak", "power-outage"},
    grades={"kmi": Trust(Reliability.A, Credibility(2)), "press": Trust(Reliability.C, Credibility(3))},
    days={"laeken": ("", "2026-01-01"), "new-zone": ("2028-01-01", "")},
    chains={"duty-officers", "directors"},
    groups={"siamu", "police-zones", "haut-fonctionnaire"},
    rosters={"sitcen-on-call"},
    messages={
        "gas-ask": frozenset({"headline", "area"}),
        "gas-partners": frozenset({"headline", "expires"}),
        "gas-over": frozenset({"headline"}),
        "hub.contacts": frozenset({"contacts"}),
        "phase-ask": frozenset({"headline", "meeting"}),
    },
    areas={"brussels-capital-region", "ixelles", "uccle", "laeken", "new-zone"},
    sources={"kmi", "press"},
    channels={"sms", "voice", "email"},
    voices={"voice"},
    carriers={"email"},
    organisations={"stib"},
    classes={"public": True, "partners": False},
    people={"officer-a"},
    competences={"medical"},
    rooms={"crisis-room", "press-room"},
    fields={"people", "rooms", "until"},
)


def told(path: Path) -> str:
    _, findings = lint(path.read_bytes(), path.name, KNOWN, TODAY)
    findings = settle(findings, {path.name: path.read_text("utf-8", "replace")})
    return "".join(f"{finding.render()}\n" for finding in findings)


@pytest.mark.parametrize("path", sorted(GALLERY.glob("*.yaml")), ids=lambda p: p.stem)
def test_a_bad_sheet_gives_exactly_its_findings(path: Path) -> None:
    expected = path.with_suffix(".expected")
    if os.environ.get("UPDATE_GALLERY"):
        expected.write_text(told(path))
    assert told(path), "a file of the gallery has to be bad"
    assert told(path) == expected.read_text()


@pytest.mark.parametrize("path", sorted(GALLERY.glob("*.yaml")), ids=lambda p: p.stem)
def test_a_sheet_with_an_error_is_not_given_out(path: Path) -> None:
    playbook, findings = lint(path.read_bytes(), path.name, KNOWN, TODAY)
    assert (playbook is None) == any(not f.warning for f in findings)


@pytest.mark.parametrize("path", sorted(MESSAGES.glob("*.yaml")), ids=lambda p: p.stem)
def test_a_bad_message_gives_exactly_its_findings(path: Path) -> None:
    _, findings = load_messages(path.read_bytes(), path.name, ())
    told = "".join(f"{finding.render()}\n" for finding in findings)
    expected = path.with_suffix(".expected")
    if os.environ.get("UPDATE_GALLERY"):
        expected.write_text(told)
    assert told, "a file of the gallery has to be bad"
    assert told == expected.read_text()
