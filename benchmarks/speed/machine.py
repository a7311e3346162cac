"""The line that says on what a figure was measured."""

from __future__ import annotations

import os
import platform
import subprocess

import keras


def describe_machine() -> str:
    """Commit, cores, versions."""
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"commit {git.stdout.strip() or 'unknown'}, {cores} cores, Python {platform.python_version()}, "
        f"keras {keras.__version__} on {keras.backend.backend()}"
    )
