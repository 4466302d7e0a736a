"""The tests beside the sheets we ship come true, and walk all of each sheet."""

import pytest

from hub.drill.coverage import coverage
from hub.drill.suite import Suite, load_suite, run_test
from tests.conftest import ROOT, shipped

CONFIG = shipped()[0]
PLAYBOOKS = ROOT / "playbooks"
SHEETS = [sheet.name for sheet in CONFIG.playbooks]


def suite_of(sheet: str) -> Suite:
    file = PLAYBOOKS / f"{sheet}.test.yaml"
    suite, findings = load_suite(file.read_bytes(), file.name, CONFIG, lambda name: (PLAYBOOKS / name).read_bytes())
    assert [str(finding) for finding in findings] == []
    return suite


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_sheet_does_what_its_tests_say_and_no_part_of_it_is_untried(sheet: str) -> None:
    suite = suite_of(sheet)
    results = [run_test(CONFIG, suite, test) for test in suite.tests]
    wrong = [f"{r.test.name}: {r.problem or [(v.expectation.text, v.said) for v in r.verdicts if not v.good]}"
             for r in results if not r.good]  # fmt: skip
    assert wrong == []
    (playbook,) = [p for p in CONFIG.playbooks if p.name == sheet]
    covered = coverage(playbook, CONFIG.chains, [r.timeline for r in results if r.timeline is not None])
    assert [part.said for part in covered.missed] == []
