"""Reading a configuration for a hub that goes on, or comes up: what stands in for a file with a fault, and who stands
behind one that has none."""

import getpass
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.config import load
from hub.config.authors import Author, author_of
from hub.config.last_good import FIXED, Good, load_good
from hub.config.stamps import folders_of, need_restart, stamps
from hub.model.signal import Info, Signal
from tests.conftest import ROOT, shipped


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for name in ("config", "playbooks"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path / "config"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def goes_on(folder: Path) -> Good:
    """As a hub does that was started with the files as they are shipped."""
    before = shipped()[0]
    held: dict[str, str | None] = {name: before.texts[name] for name in FIXED}
    return load_good(folder, before.texts.get, lambda name: name not in FIXED, held=held)


def test_one_fault_puts_one_file_back_also_where_others_build_on_it(config: Path) -> None:
    edit(config / "people.yaml", "people:", "peeple:")
    sheet = config.parent / "playbooks" / "extreme-weather.yaml"
    edit(sheet, "mode: live", "mode: shadow")
    good = goes_on(config)
    assert good.config is not None
    assert {fault.file for fault in good.wrong} == {"config/people.yaml"}
    assert good.config.people == shipped()[0].people
    modes = {playbook.name: playbook.mode for playbook in good.config.playbooks}
    assert modes["extreme-weather"] == "shadow"


def test_two_faults_in_files_that_build_on_one_another_put_both_back(config: Path) -> None:
    edit(config / "chains.yaml", "\nduty-officers:", "\nduty-officers: [")
    edit(config.parent / "playbooks" / "extreme-weather.yaml", "call: duty-officers", "call: nobody")
    good = goes_on(config)
    assert good.config is not None
    assert {fault.file for fault in good.wrong} == {"config/chains.yaml", "playbooks/extreme-weather.yaml"}


def test_a_list_of_places_with_a_fault_is_put_back_and_one_that_is_gone_reads_no_text(config: Path) -> None:
    signal = Signal(
        identifier="1", sender="press", sent=datetime(2026, 7, 14, tzinfo=UTC), infos=(Info(headline="Fire in Uccle"),)
    )

    def read(good: Good) -> tuple[str, ...]:
        assert good.config is not None
        assert good.config.geography is not None
        return tuple(a.description for i in good.config.geography.locate(signal, "2026-07-14").infos for a in i.areas)

    edit(config / "gazetteer.yaml", "in: anderlecht", "in: anderlegt")
    good = goes_on(config)
    assert {fault.file for fault in good.wrong} == {"config/gazetteer.yaml"}
    assert read(good) == ("Uccle",)
    (config / "gazetteer.yaml").unlink()
    good = goes_on(config)
    assert good.wrong == ()
    assert read(good) == ()


def test_what_is_right_by_itself_and_wrong_with_the_rest_is_refused_as_a_whole(config: Path) -> None:
    edit(config / "chains.yaml", "\nduty-officers:", "\nofficers-on-duty:")
    good = goes_on(config)
    assert good.config is None
    assert {fault.rule for fault in good.wrong} >= {"unknown-alert-chain"}


def test_a_new_file_with_a_fault_is_left_out(config: Path) -> None:
    (config.parent / "playbooks" / "new.yaml").write_text("playbook: new\n")
    good = goes_on(config)
    assert good.config is not None
    assert good.left_out == ("playbooks/new.yaml",)
    assert "new" not in {playbook.name for playbook in good.config.playbooks}


def test_what_a_hub_is_started_with_is_not_read_again_and_told(config: Path) -> None:
    before = load(config)[0]
    edit(config / "hub.yaml", "\n", "\n# looked over\n")
    assert need_restart(before) == ("hub.yaml",)
    (config / "channels.yaml").write_text("[")
    good = goes_on(config)
    assert good.config is not None
    assert set(good.config.channels) == set(before.channels)


def test_a_changed_new_or_renamed_file_is_seen_and_what_belongs_to_no_configuration_is_not(config: Path) -> None:
    read = load(config)[0]

    def seen() -> set[str]:
        return {Path(path).name for path, about in stamps(folders_of(read)).items() if before.get(path) != about}

    before = stamps(folders_of(read))
    assert seen() == set()
    (config / "messages").mkdir(exist_ok=True)
    (config / "messages" / "gas-leak.yaml").write_text("{}")
    beside = config / ".chains.yaml.swp"
    beside.write_text((config / "chains.yaml").read_text())
    (config / "chains.yaml~").write_text("")
    (config.parent / "playbooks" / "gas-leak.test.yaml").write_text("")
    beside.replace(config / "chains.yaml")  # the same size, perhaps the same time: another file
    assert seen() == {"gas-leak.yaml", "chains.yaml"}


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=Nadia Example", "-c", "user.email=n@centre.example", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


def test_the_author_of_the_last_commit_stands_behind_a_file_as_it_was_committed(config: Path) -> None:
    path = config / "chains.yaml"
    owner = Author(getpass.getuser(), "owner of the file")
    assert author_of(path) == owner
    git(config.parent, "init", "-q")
    assert author_of(path) == owner  # in a folder under git, and not in git
    git(config.parent, "add", ".")
    git(config.parent, "commit", "-q", "-m", "first")
    author = author_of(path)
    assert author.by == "Nadia Example"
    assert author.how.startswith("git ")
    edit(path, "\n", "\n# changed since\n")
    assert author_of(path) == owner
    assert author_of(config / "nonsense.yaml") == Author()


def test_what_only_follows_from_a_fault_is_no_fault_of_its_own(config: Path) -> None:
    """What a sheet asks of who starts it may stand in its messages: without the sheet, nothing would fill it in."""
    sheet = config.parent / "playbooks" / "provincial-phase.yaml"
    edit(sheet, "steps:", "steps: [")
    good = goes_on(config)
    assert good.config is not None
    assert {fault.file for fault in good.wrong} == {"playbooks/provincial-phase.yaml"}
    assert "provincial-phase" in {playbook.name for playbook in good.config.playbooks}


def test_a_hub_comes_up_without_dossiers_rather_than_not_at_all(config: Path) -> None:
    """As none were ever in force; and where those that were do not go any more either."""
    edit(config / "dossiers.yaml", "scams:", "scams: [")
    for last in (None, (ROOT / "config" / "dossiers.yaml").read_text().replace("over: 7 days", "over: 7 hours")):
        good = load_good(config, lambda name, last=last: last, lambda name: name == "dossiers.yaml", leave_out=True)  # type: ignore[misc]
        assert good.config is not None
        assert good.config.dossiers == {}
        assert {fault.file for fault in good.wrong} == {"config/dossiers.yaml"}
        assert good.left_out == ("dossiers.yaml",)
    good = goes_on(config)
    assert good.config is not None
    assert "scams" in good.config.dossiers, "while it runs, the version before stays"
