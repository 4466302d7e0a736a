"""Changes one behaving value of a shipped sheet at random, again and again, and sees whether anybody notices: `vigie
check`, or the tests beside the sheet, by what happens. Prints what nobody noticed.

    python -m tools.mutate                    300 tries
    python -m tools.mutate --tries 50 --seed 7 --sheet gas-leak
"""

import argparse
import io
import logging
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from ruamel.yaml import YAML

from hub.config import Config, load
from hub.config.whole import fields_of
from hub.drill.suite import ENDING, Suite, load_suite, run_test
from hub.findings import Finding
from hub.logs import configure_log
from hub.playbook.lint import Known as LintKnown
from hub.playbook.lint import lint
from hub.playbook.messages import placeholders_of
from tools.mutate.change import Known, changes

ROOT = Path(__file__).resolve().parent.parent.parent
TRIES = 300
ENOUGH = 0.9


class Try(Struct, frozen=True, kw_only=True):
    """`by`: who noticed: check, tests, or nobody ("")."""

    sheet: str
    said: str
    by: str


class Campaign:
    """The shipped configuration, read once; each try reads one changed sheet."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.config, _ = load(folder)
        self._chance = random.Random(seed)
        self._sheets = folder.parent / "playbooks"
        self._known = lint_known(self.config)
        self._others = others(self.config)
        self.texts = {
            path: path.read_text() for path in sorted(self._sheets.glob("*.yaml")) if not path.name.endswith(ENDING)
        }
        self._before = {p: _rules(lint(_written(_read(t)), p.name, self._known)[1]) for p, t in self.texts.items()}
        self._suites = {sheet: self._suite(sheet) for sheet in (s.name for s in self.config.playbooks)}

    def _suite(self, sheet: str) -> Suite | None:
        path = self._sheets / f"{sheet}{ENDING}"
        if not path.is_file():
            return None
        suite, findings = load_suite(
            path.read_bytes(), path.name, self.config, lambda name: (self._sheets / name).read_bytes()
        )
        assert not findings, "\n".join(map(str, findings))
        return suite

    def once(self, only: str = "") -> Try:
        path = self._chance.choice([p for p in self.texts if only in ("", p.stem)])
        tree = _read(self.texts[path])
        change = self._chance.choice(changes(tree, self._others, self._chance))
        change.make()
        text = _written(tree)
        sheet, findings = lint(text, path.name, self._known)
        if sheet is None or _rules(findings) - self._before[path]:
            return Try(sheet=path.stem, said=change.said, by="check")
        suite = self._suites[path.stem]
        others = [s for s in self.config.playbooks if s.name != path.stem]
        changed = replace(self.config, playbooks=(*others, sheet))
        noticed = suite is not None and any(not run_test(changed, suite, test).good for test in suite.tests)
        return Try(sheet=path.stem, said=change.said, by="tests" if noticed else "")


def _rules(findings: list[Finding]) -> Counter[str]:
    return Counter(finding.rule for finding in findings)


def lint_known(config: Config) -> LintKnown:
    directory = config.directory()
    return LintKnown(
        sheets=[s.name for s in config.playbooks],
        chains=config.chains,
        groups=directory.groups,
        people=directory.people,
        rosters=config.rosters,
        competences=directory.competences(),
        organisations=directory.organisations,
        messages=placeholders_of(config.messages),
        areas=() if config.geography is None else config.geography.places,
        sources=config.sources,
        channels=config.channels,
        voices=config.voices(),
        rooms=config.rooms,
        fields=fields_of(config.sources.values()),
    )


def others(config: Config) -> Known:
    directory = config.directory()
    return Known(
        chains=sorted(config.chains),
        contacts=sorted(directory.groups),
        channels=["sms", "call", "email"],
        messages=sorted(m for m in config.messages if not m.startswith("hub.")),
        areas=sorted(() if config.geography is None else config.geography.places),
        sources=sorted(config.sources),
        sheets=sorted(s.name for s in config.playbooks),
    )


def _yaml() -> YAML:
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = 4096
    return yaml


def _read(text: str) -> dict[str, Any]:
    """All scalars as texts, as the hub reads them."""
    tree: dict[str, Any] = YAML(typ="base", pure=True).load(text)
    return tree


def _written(tree: dict[str, Any]) -> str:
    out = io.StringIO()
    _yaml().dump(tree, out)
    return out.getvalue()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=TRIES)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--sheet", default="")
    asked = parser.parse_args()
    configure_log(logging.CRITICAL)
    print(f"seed {asked.seed}, {asked.tries} tries{asked.sheet and f' of {asked.sheet}'}", flush=True)
    campaign = Campaign(ROOT / "config", asked.seed)
    began = time.monotonic()
    tries = [campaign.once(asked.sheet) for _ in range(asked.tries)]
    by = Counter(one.by for one in tries)
    for one in sorted((t for t in tries if not t.by), key=lambda t: (t.sheet, t.said)):
        print(f"  nobody noticed: {one.sheet}: {one.said}")
    noticed = 1 - by[""] / len(tries)
    print(
        f"noticed {noticed:.1%} of {len(tries)} (by check {by['check']}, by tests {by['tests']}, by nobody {by['']}) "
        f"in {time.monotonic() - began:.0f} s"
    )
    return 0 if noticed >= ENOUGH else 1


if __name__ == "__main__":
    sys.exit(main())
