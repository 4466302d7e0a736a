"""A backup beside a hub at work, and a hub that goes on from it: all there is, and nothing goes out until a person has
looked."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli.main import app
from hub.journal.reader import open_reader
from hub.model import events as e
from tests.edge.running import OFFICER_A, Room, Said, room


def vigie(*words: object) -> Said:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Said(done.exit_code, done.stdout, done.stderr)


def journal_of(here: Room) -> Path:
    return Path(here.folder.journal)


def test_a_hub_goes_on_from_a_backup_and_sends_nothing_until_it_is_lifted(tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    with room(tmp_path / "room", between_s=2, answer_s=600) as here:
        here.start()
        here.alert("THUNDER-1")
        here.until(lambda: here.sms_to(OFFICER_A), "an officer who is asked")
        config = here.folder.config
        for n in range(40):  # it is at work meanwhile
            here.alert(f"WIND-{n}", hazard="wind")
        made = vigie("backup", backups, "--config", config)
        assert (made.code, made.err) == (0, "")
        (place,) = backups.iterdir()
        assert made.out.startswith(f"{place}: ")
        assert "each record looked at" in made.out
        assert place.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in place.rglob("*") if path.is_file()} == {0o600}
        assert not list(place.rglob("*SECRET*"))

        here.alert("FLOOD-1", hazard="flood")  # is in no backup
        here.until(lambda: [x for x in here.events(e.Opened) if "flood" in x.key], "an incident")
        here.kill()
        journal = journal_of(here)
        for path in journal.parent.glob(f"{journal.name}*"):
            path.unlink() if path.is_file() else shutil.rmtree(path)

        back = vigie("restore", place, "--by", "officer-z", "--why", "the disk is dead", "--config", config)
        assert (back.code, back.err) == (0, "")
        assert "nothing goes out until `vigie lift`" in back.out
        before = len(here.messages())
        here.start()
        stopped = here.until(lambda: here.status()["stopped"], "a hub that stands")
        assert stopped["by"] == "officer-z"
        assert stopped["why"].endswith(": the disk is dead")
        assert [x for x in here.events(e.Opened) if "thunderstorm" in x.key]
        assert not [x for x in here.events(e.Opened) if "flood" in x.key]
        here.alert("HEAT-1", hazard="heat")
        here.until(lambda: [x for x in here.events(e.Opened) if "heat" in x.key], "what is new is taken")
        assert len(here.messages()) == before, "nothing goes out"
        lifted = here.api("POST", "/api/lift", {"by": "officer-z", "why": "I have looked"})
        assert lifted.status == 200
        here.until(lambda: len(here.messages()) > before, "what waited")
        verified = vigie("journal", "verify", "--config", config)
        assert verified.code == 0, verified.err


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A backup of a hub that ran, and the configuration it ran on."""
    folder = tmp_path_factory.mktemp("made")
    with room(folder / "room", between_s=30, answer_s=60) as here:
        here.start()
        here.alert("THUNDER-1")
        here.until(lambda: here.events(e.Opened), "an incident")
        assert here.stop() == 0
        assert vigie("backup", folder / "backups", "--config", here.folder.config).code == 0
        (place,) = (folder / "backups").iterdir()
        config = folder / "config"
        shutil.copytree(place / "config", config)
        shutil.copytree(place / "playbooks", folder / "playbooks")
    return place, config


def test_where_there_is_a_journal_none_is_put(made: tuple[Path, Path], tmp_path: Path) -> None:
    place, config = made
    (tmp_path / "journal.db").write_bytes(b"the better one")
    back = vigie("restore", place, "--by", "z", "--why", "w", "--config", config, "--data", tmp_path)
    assert back.code == 2
    assert "there is a journal already: move it away first" in back.err
    assert (tmp_path / "journal.db").read_bytes() == b"the better one"


@pytest.mark.parametrize("what", ["journal.db", "config/hub.yaml"])
def test_a_backup_that_was_changed_is_not_restored(made: tuple[Path, Path], tmp_path: Path, what: str) -> None:
    place, config = made
    spoilt = tmp_path / place.name
    shutil.copytree(place, spoilt)
    with (spoilt / what).open("ab") as file:
        file.write(b" ")
    back = vigie("restore", spoilt, "--by", "z", "--why", "w", "--config", config, "--data", tmp_path / "data")
    assert back.code == 1
    assert f"{spoilt / what}: was changed since the backup was made" in back.err
    assert not (tmp_path / "data").exists()
    (spoilt / what).unlink()
    back = vigie("restore", spoilt, "--by", "z", "--why", "w", "--config", config, "--data", tmp_path / "data")
    assert f"{spoilt / what}: is missing" in back.err


def test_the_newest_are_kept_and_nothing_else_is_deleted(made: tuple[Path, Path], tmp_path: Path) -> None:
    place, _ = made
    for day in ("20260101T000000Z", "20260102T000000Z"):
        shutil.copytree(place, tmp_path / f"vigie-{day}")
    (tmp_path / "vigie-of-mine").mkdir()
    (tmp_path / "vigie-20260103T000000Z.partial").mkdir()
    done = vigie("backup", tmp_path, "--keep", "2", "--config", place / "config", "--data", place, "--json")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert said["deleted"] == ["vigie-20260101T000000Z"]
    left = {path.name for path in tmp_path.iterdir()}
    assert {"vigie-of-mine", "vigie-20260102T000000Z", Path(said["backup"]).name} == left
    with open_reader(Path(said["backup"]) / "journal.db") as copied, open_reader(place / "journal.db") as first:
        assert copied.last() == first.last()


def test_what_cannot_be_backed_up_or_restored_is_said(made: tuple[Path, Path], tmp_path: Path) -> None:
    place, config = made
    nothing = vigie("backup", tmp_path / "b", "--config", config, "--data", tmp_path)
    assert nothing.code == 2
    assert "no backup was made: " in nothing.err
    assert "there is no journal" in nothing.err
    assert list((tmp_path / "b").iterdir()) == []
    (tmp_path / "file").write_text("")
    full = vigie("backup", tmp_path / "file", "--config", place / "config", "--data", place)
    assert full.code == 2
    assert "no backup was made: " in full.err
    none = vigie("restore", tmp_path, "--by", "z", "--why", "w", "--config", config, "--data", tmp_path / "data")
    assert none.code == 2
    assert "no backup: its manifest.json cannot be read" in none.err
