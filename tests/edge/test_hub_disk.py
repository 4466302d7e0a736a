"""A disk that is full: nothing more is acknowledged outward and the hub says so loudly; when there is space again it
goes on by itself, and nothing that was acknowledged is lost."""

import contextlib
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.model import records as r
from tests.edge.running import OFFICER_A, Room, room


def test_a_disk_that_is_full_for_the_hub_alone_is_said_and_survived(tmp_path: Path) -> None:
    """A quota: no file of the hub may grow (setrlimit(2), RLIMIT_FSIZE)."""
    with room(tmp_path, between_s=30, answer_s=60) as here:
        here.start()

        def full() -> None:
            here.limit_files(max(path.stat().st_size for path in here.folder.data.iterdir()))

        survives(here, full, lambda: here.limit_files(resource.RLIM_INFINITY))


def test_a_small_file_system_that_is_full_is_said_and_survived(tmp_path: Path, small_disk: Path) -> None:
    with room(tmp_path, between_s=30, answer_s=60, journal=small_disk / "journal.db") as here:
        here.start()
        ballast = small_disk / "ballast"

        def full() -> None:
            with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while file.write(bytes(4096)):
                    pass

        survives(here, full, ballast.unlink)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB in memory, where one may be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system may be mounted here (that takes root)")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def survives(here: Room, full: Callable[[], object], free: Callable[[], object]) -> None:
    accepted = [here.alert("BEFORE", severity="Minor").json()["id"]]
    full()
    accepted += _fill(here)

    refused = here.alert("REFUSED", hazard="wind")
    assert refused.status == 503
    assert refused.headers["Retry-After"]
    assert "send it again" in refused.json()["detail"]
    health = here.until(lambda: here.health() if here.health().status == 503 else None, "a hub that says so")
    assert health is not None
    picture = health.json()
    assert picture["ready"] is False
    assert picture["trouble"]
    assert here.api("POST", "/api/stop-all", {"by": "x", "why": "y"}).status == 503
    assert here.sms_to(OFFICER_A) == []

    free()
    here.until(lambda: here.health().status == 200, "a hub that is ready again, by itself")
    again = here.alert("REFUSED", hazard="wind")
    assert again.status == 202
    here.until(lambda: here.sms_to(OFFICER_A), "what was refused, and now acts")
    assert here.stop() == 0
    held = {record.id for record in here.records("signal") if isinstance(record, r.Fact)}
    assert set(accepted) <= held, "nothing acknowledged is lost"
    said = here.vigie("journal", "verify", "--config", str(here.folder.config))
    assert said.code == 0, said


def _fill(here: Room) -> list[str]:
    """Sends alerts until the hub takes none any more; the ids of those it took."""
    taken = []
    for number in range(2000):
        answer = here.alert(f"FILL-{number}", severity="Minor", description="x" * 20_000)
        if answer.status != 202:
            assert answer.status == 503, answer
            return taken
        taken.append(answer.json()["id"])
    pytest.fail("the disk never filled up")
