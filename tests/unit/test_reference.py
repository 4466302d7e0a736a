"""docs/configuration.md says what the code says."""

import re

from tests.conftest import ROOT
from tools.reference import PAGE, page


def test_the_reference_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tools.reference`"


def test_what_the_reference_links_to_exists() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", page()):
        assert (ROOT / "docs" / link).exists(), link
