"""The machine that the numbers are from, and how much else it has to do meanwhile."""

import os
import platform
from typing import Any

from benchmarks.result import spread
from benchmarks.sampling import Command

YARDSTICK = Command(("/bin/true",), {})
"""A program that does nothing: what starting it takes tells how quiet the machine is."""


def describe() -> dict[str, Any]:
    """Return what the times depend on."""
    return {
        "system": _release(),
        "kernel": platform.release(),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "load": [round(load, 2) for load in os.getloadavg()],
    }


def noise(samples: list[float]) -> str:
    """Return in one line how long the yardstick took."""
    return f"noise: starting /bin/true took {spread(samples, 'ms')}, {len(samples)} times in between"


def _release() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.system()


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.machine()
