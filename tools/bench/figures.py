"""Numbers and tables."""

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path


def quantile(values: Sequence[float], share: float) -> float:
    """Of sorted values; nan of none."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def milliseconds(nanoseconds: Sequence[int]) -> tuple[float, float, float, float]:
    """p50, p90, p99 and the longest."""
    values = sorted(n / 1e6 for n in nanoseconds)
    return quantile(values, 0.5), quantile(values, 0.9), quantile(values, 0.99), quantile(values, 1.0)


def verdict(fine: bool) -> str:
    return "reached" if fine else "MISSED"


def say(text: str = "") -> None:
    print(text, flush=True)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Markdown, aligned."""
    text = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in text) for column in range(len(head))]
    for number, row in enumerate(text):
        say("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")
        if number == 0:
            say("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def busy_s() -> float:
    """Seconds all processors together have been busy since boot."""
    ticks = [int(n) for n in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def machine() -> str:
    about = Path("/proc/cpuinfo").read_text().split("\n")
    cpu = next((line.partition(":")[2].strip() for line in about if "model name" in line), platform.processor())
    disk = shutil.disk_usage(".").total / 1e9
    load = os.getloadavg()[0]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {os.cpu_count()} × {cpu}; {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}; disk of {disk:.0f} GB; load before {load:.1f}; {commit.stdout.strip()}"
    )
