"""The package as others install it: a wheel, in an environment of its own, outside the checkout."""

import os
import subprocess
import sys
import sysconfig
import urllib.request
import venv
from pathlib import Path

import pytest

from tests.edge.running import ROOT, until
from tools.demo.folder import free_port


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel. What it depends on is this environment's, found by path: only what is in the wheel
    is under test, and no index is asked."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard", "-z"], capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no checkout: there is nothing to build from")
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file() and name.startswith(
            ("hub/", "connectors/", "tools/", "pyproject", "README", "LICENSE")
        ):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder / "dist", source],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if built.returncode:
        pytest.skip(f"pip cannot build a wheel here: {built.stderr.strip().splitlines()[-1:]}")
    venv.create(folder / "venv", with_pip=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    subprocess.run([folder / "venv/bin/pip", "install", "-q", "--no-deps", "--no-index", wheel], check=True)
    return folder


def run(installed: Path, where: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [installed / "venv/bin/vigie", *words],
        cwd=where,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def environment() -> dict[str, str]:
    """Nothing of the checkout: on the path is only what is installed beside it (no `.pth` file counts there)."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "HOME": os.environ.get("HOME", "/"),
    }


def test_a_centre_from_an_empty_disk(installed: Path, tmp_path: Path) -> None:
    made = run(
        installed, tmp_path, "init", "centre", "--name", "Centre de Namur", "--language", "fr", "--country", "BE",
        "--area", "Province de Namur", "--shape", "no", "--officer", "Anne Lambert, 0470 12 34 56",
        "--officer", "Bart Claes, 0470 12 34 57", "--provider", "simulator", "--warnings", "no",
    )  # fmt: skip
    assert (made.returncode, made.stderr) == (0, "")
    checked = run(installed, tmp_path / "centre", "check")
    assert (checked.returncode, checked.stderr, checked.stdout.strip()) == (0, "", "0 errors, 0 warnings")
    tested = run(installed, tmp_path / "centre", "test")
    assert tested.returncode == 0, tested.stdout
    assert "0 failed" in tested.stdout
    where = subprocess.run(
        [installed / "venv/bin/python", "-c", "import hub, tools.phones; print(hub.__file__, tools.phones.__file__)"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert all(path.startswith(str(installed)) for path in where.stdout.split()), "not the checkout's"


def test_the_phones_run_from_the_package(installed: Path, tmp_path: Path) -> None:
    made = run(
        installed, tmp_path, "init", "c", "--name", "C", "--language", "fr", "--country", "BE", "--area", "A",
        "--shape", "no", "--officer", "Anne Lambert, 0470 12 34 56", "--officer", "Bart Claes, 0470 12 34 57",
        "--provider", "simulator", "--warnings", "no",
    )  # fmt: skip
    assert made.returncode == 0
    channels, port = tmp_path / "c" / "config" / "channels.yaml", free_port()
    channels.write_text(channels.read_text().replace("127.0.0.1:8112", f"127.0.0.1:{port}"))
    phones = subprocess.Popen(
        [installed / "venv/bin/vigie", "phones"], cwd=tmp_path / "c", env=environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        page = until(lambda: _page(port), "the page of phones")
        assert "<html" in page
    finally:
        os.killpg(phones.pid, 15)
        phones.wait(10)


def _page(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""
