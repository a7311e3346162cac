"""What GenoKeras runs on: Python, packages, the backend and its devices; found without trusting that any of it works."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from genokeras.quiet import LEVEL, LOUD

# Of the backends, and of what stands behind most reports of trouble.
PACKAGES = (
    "keras",
    "keras-tuner",
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "shap",
    "graphviz",
    "matplotlib",
)
BACKENDS = ("tensorflow", "jax", "torch")
_SECONDS = 180
_TAIL = 3
# In a process of its own, because a library that was built for another processor takes the process with it.
_PROBE = """
import importlib, json
import keras
name = keras.backend.backend()
library = importlib.import_module(name)
if name == "torch":
    devices = [f"gpu:{i} ({library.cuda.get_device_name(i)})" for i in range(library.cuda.device_count())] or ["cpu:0"]
else:
    devices = [str(device) for device in keras.distribution.list_devices()]
keras.ops.convert_to_numpy(keras.ops.zeros(1))
print(json.dumps({"name": name, "version": library.__version__, "devices": devices}))
"""


@dataclass(frozen=True)
class Backend:
    """The backend of Keras as it starts here, or what it said instead.

    Attributes
    ----------
    name : str
    version : str
        Empty where it does not start.
    devices : tuple of str
        ``"cpu:0"``, ``"gpu:0"`` ...
    said : str
        The end of what it printed.
    failed : str
        Why it did not start; empty where it did.
    """

    name: str
    version: str
    devices: tuple[str, ...]
    said: str
    failed: str

    @property
    def graphics_cards(self) -> tuple[str, ...]:
        return tuple(device for device in self.devices if not device.startswith("cpu"))


def chosen_backend() -> tuple[str, str]:
    """The backend that Keras will take, and what chose it."""
    named = os.environ.get("KERAS_BACKEND")
    if named:
        return named, "chosen by KERAS_BACKEND"
    home = os.environ.get("KERAS_HOME")
    file = (Path(home) if home else Path.home() / ".keras") / "keras.json"
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["backend"]), f"chosen by {file}"
    except (OSError, ValueError, KeyError, TypeError):
        return BACKENDS[0], "the default"


def start_backend() -> Backend:
    """Start the backend in another process, and have it make a tensor."""
    name, _ = chosen_backend()
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _PROBE],
            env={**os.environ, LEVEL: LOUD},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Backend(name, "", (), "", f"it did not start within {_SECONDS} s")
    except OSError as error:
        return Backend(name, "", (), "", str(error))
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    said = "\n".join(lines[-_TAIL:])
    try:
        found = json.loads(done.stdout.splitlines()[-1])
        return Backend(found["name"], found["version"], tuple(found["devices"]), said, "")
    except (ValueError, LookupError, TypeError):
        return Backend(name, "", (), said, _reason(done.returncode, lines))


def _reason(code: int, lines: list[str]) -> str:
    if code < 0:
        try:
            return f"the process was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"the process was ended by signal {-code}"
    return lines[-1] if lines else f"the process ended with exit code {code}"


def version_of(package: str) -> str | None:
    """The version that is installed; None where it is not."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def unmet_requirements() -> list[str]:
    """What GenoKeras asks for and does not find here: ``"numpy>=1.26 (1.25.0 is installed)"``."""
    from packaging.requirements import Requirement

    unmet = []
    for text in metadata.requires("genokeras") or ():
        asked = Requirement(text)
        if asked.marker is not None and not asked.marker.evaluate({"extra": ""}):
            continue
        found = version_of(asked.name)
        if found is None:
            unmet.append(f"{asked.name}{asked.specifier} (not installed)")
        elif not asked.specifier.contains(found, prereleases=True):
            unmet.append(f"{asked.name}{asked.specifier} ({found} is installed)")
    return unmet


def has_nvidia_driver() -> bool:
    """Whether this machine has a driver of NVIDIA, so that there ought to be a graphics card."""
    return Path("/proc/driver/nvidia/version").exists()
