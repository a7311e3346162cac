"""How resident memory grows: over the trials of one fit, and over fits in one process.

    python -m benchmarks.speed.memory trials [--count 300] [--backends tensorflow jax torch] [--data examples/data/golub_leukemia.tsv.gz]
    python -m benchmarks.speed.memory fits [--count 20] [--trials 6]

Each backend in a process of its own. Of trials the last third is compared with the memory before it; of fits the growth is a line through
those behind the first few, which bring what stays anyway. Memory that files are mapped into does not count.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.speed.machine import describe_machine
from genokeras import GenomeClassifier, load_dataset
from genokeras.engine.loop import Observer
from genokeras.estimators import base
from genokeras.searchers import History, Proposal
from genokeras.support.processes import own_memory

_MIB = 2**20
# Fits that bring what stays: libraries, programs of the usual shapes.
_FIRST_FITS = 5


def main(arguments: argparse.Namespace) -> None:
    """Print a line a backend."""
    print(describe_machine())
    for backend in arguments.backends:
        command = [sys.executable, "-m", "benchmarks.speed.memory", arguments.what, "--here"]
        command += [
            "--count",
            str(arguments.count),
            "--trials",
            str(arguments.trials),
            "--data",
            arguments.data,
        ]
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "KERAS_BACKEND": backend},
            check=True,
        )
        found = json.loads(done.stdout.splitlines()[-1])
        print(f"{backend:12} {TOLD[arguments.what](found)}", flush=True)


def told_of_trials(found: Sequence[tuple[int, float]]) -> str:
    """By how much the last third of the trials grew."""
    numbers, held = np.array(found).T
    before = float(np.interp(2 * numbers[-1] / 3, numbers, held))
    share = held[-1] / before - 1
    return f"{numbers[-1]:.0f} trials: {held[0]:.0f} MiB after {numbers[0]:.0f}, {before:.0f} at two thirds, {held[-1]:.0f} at the end: {share:+.1%}"


def told_of_fits(found: Sequence[float]) -> str:
    """By how much each fit grew."""
    late = found[min(_FIRST_FITS, len(found) - 2) :]
    slope = np.polyfit(np.arange(len(late)), late, 1)[0]
    return f"{len(found)} fits: {found[0]:.0f} MiB after the first, {found[-1]:.0f} after the last, {slope:+.1f} MiB a fit"


TOLD: dict[str, Any] = {"trials": told_of_trials, "fits": told_of_fits}


# ---- one backend, in its process


class MemoryWatch(Observer):
    """Notes after each job how many trials there are and how much memory is held, in MiB."""

    def __init__(self) -> None:
        self.found: list[tuple[int, float]] = []

    def __enter__(self) -> MemoryWatch:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to end."""

    def trying(self, proposals: Sequence[Proposal], history: History) -> None:
        """Nothing is noted before a job."""

    def finished(self, outcomes: Sequence[object], history: History) -> None:
        self.found.append((len(history), held()))


def held() -> float:
    """MiB that this process has for itself, what can be given back left out."""
    gc.collect()
    return (own_memory(os.getpid()) or 0) / _MIB


def of_trials(arguments: argparse.Namespace) -> list[tuple[int, float]]:
    watch = MemoryWatch()
    base.make_observer = lambda *_: watch  # type: ignore[assignment]
    fitted(arguments.data, arguments.count)
    return watch.found


def of_fits(arguments: argparse.Namespace) -> list[float]:
    found = []
    for _ in range(arguments.count):
        fitted(arguments.data, arguments.trials)
        found.append(held())
    return found


def fitted(data: str, trials: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        GenomeClassifier(f"{folder}/run", time_limit=None, max_trials=trials, random_state=0, verbose=0).fit(
            load_dataset(data, "label")
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=[*TOLD])
    parser.add_argument("--count", type=int, help="trials (300), or fits (20)")
    parser.add_argument("--trials", type=int, default=6, help="of each of several fits")
    parser.add_argument("--backends", nargs="+", default=["tensorflow", "jax", "torch"])
    parser.add_argument("--data", default="examples/data/golub_leukemia.tsv.gz")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.count = given.count or {"trials": 300, "fits": 20}[given.what]
    if given.here:
        print(json.dumps({"trials": of_trials, "fits": of_fits}[given.what](given)))
    else:
        main(given)
