"""Whether fits keep to their time limit: each cell in a process of its own, one line of JSON a cell.

    python -m benchmarks.speed.deadline --data ../shared/data --output deadline.jsonl [--sets golub wide ...] [--limits 5 20 60]
        [--cores 1 2] [--load 0 4]

A cell is a set, a limit, a number of cores and a number of busy processes beside it. Cells that the output has already are left out, so that
the whole can be run in pieces; ``--again`` runs them anew. A cell holds where a model was delivered at most 2 s or 10 % of the limit
late. ``memory`` is the peak above the imports and the data, in MiB.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.quality.spatial import ESTIMATORS, _content
from benchmarks.quality.spatial_sets import read_spatial_set
from benchmarks.speed.machine import describe_machine
from benchmarks.speed.views import counts
from genokeras import GenomeClassifier, load_dataset

SETS = ("golub", "wide", "sparse2000", "sparse20000", "sequences", "text", "images")
_SPATIAL = {"sequences": "gue_prom_core_tata", "text": "sst2_sentiment", "images": "mnist10k"}
_LATE, _LATE_SHARE = 2.0, 0.1
# Besides the limit: imports, making the data, and a fit that is very late.
_GIVEN_UP, _GIVEN_UP_SHARE = 240.0, 3.0
_BUSY = "while True: sum(range(10**5))"
Cell = tuple[str, float, int, int]


def main(arguments: argparse.Namespace) -> None:
    """Run the cells that are wanted and not there yet, then print all that are there."""
    print(describe_machine())
    output = Path(arguments.output)
    there = {} if arguments.again else read_cells(output)
    for cell in itertools.product(arguments.sets, arguments.limits, arguments.cores, arguments.load):
        if cell not in there:
            found = run_cell(cell, arguments.data)
            print(line(cell, found), flush=True)
            there[cell] = found
            with output.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"cell": cell, **found}) + "\n")
    print(f"\n{sum(holds(cell, found) for cell, found in there.items())} of {len(there)} cells hold:")
    for cell in sorted(there):
        print(line(cell, there[cell]))


def read_cells(output: Path) -> dict[Cell, dict[str, Any]]:
    """What was found so far; of a cell that was run twice, the last."""
    if not output.exists():
        return {}
    lines = [json.loads(text) for text in output.read_text(encoding="utf-8").splitlines()]
    return {tuple(found.pop("cell")): found for found in lines}  # type: ignore[misc]


def holds(cell: Cell, found: dict[str, Any]) -> bool:
    """Whether there is a model, and in time."""
    late = found.get("seconds", float("inf")) - cell[1]
    return bool(found.get("model")) and late <= max(_LATE, _LATE_SHARE * cell[1])


def line(cell: Cell, found: dict[str, Any]) -> str:
    """A cell for people."""
    name, limit, cores, load = cell
    told = f"{name:12} {limit:4g} s, {cores} cores, load {load}: "
    if not found.get("model"):
        return f"{told}NO MODEL: {found.get('error', '?')}"
    return (
        f"{told}{found['seconds'] - limit:+6.1f} s {'' if holds(cell, found) else 'LATE '}"
        f"({found['processor']:.1f} s of processor), {found['trials']} trials, {found['members']} delivered, stopped by "
        f"{found['reason']}, {found['memory']:.0f} MiB"
    )


def run_cell(cell: Cell, data: str) -> dict[str, Any]:
    """Fit in a process of its own, others busy beside it."""
    name, limit, cores, load = cell
    command = [sys.executable, "-m", "benchmarks.speed.deadline", "--cell", name, str(limit)]
    limited = None
    if hasattr(os, "sched_setaffinity"):
        limited = partial(os.sched_setaffinity, 0, sorted(os.sched_getaffinity(0))[:cores])
    with busy(load):
        try:
            done = subprocess.run(
                [*command, "--data", data],
                capture_output=True,
                text=True,
                timeout=_GIVEN_UP + _GIVEN_UP_SHARE * limit * (1 + load),
                check=False,
                preexec_fn=limited,
            )
        except subprocess.TimeoutExpired as error:
            return {"error": f"given up after {error.timeout:.0f} s"}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["?"])[-1]}
    return dict(json.loads(done.stdout.splitlines()[-1]))


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """Processes that do nothing but compute."""
    others = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


# ---- one cell, in its process


def fit_cell(name: str, limit: float, data: str) -> dict[str, Any]:
    estimator, given = samples(name, data)
    before = _peak()
    with tempfile.TemporaryDirectory() as folder:
        started, processor = time.perf_counter(), time.process_time()
        est = estimator(f"{folder}/run", time_limit=limit, random_state=0, verbose=0).fit(*given)
        seconds, processor = time.perf_counter() - started, time.process_time() - processor
        return {
            "seconds": seconds,
            "processor": processor,
            "trials": est.n_trials_,
            "members": int((est.leaderboard()["share"] > 0).sum()),
            "reason": est.stop_reason_,
            "model": est.model_ is not None,
            "notes": list(est.notes_),
            "memory": _peak() - before,
        }


def samples(name: str, data: str) -> tuple[Any, tuple[Any, ...]]:
    """The estimator of a set, and what it is fitted to."""
    if name in _SPATIAL:
        found = read_spatial_set(data, _SPATIAL[name])
        return ESTIMATORS[found.kind], (_content(found, np.arange(len(found.codes))), found.codes)
    if name == "golub":
        return GenomeClassifier, (load_dataset("examples/data/golub_leukemia.tsv.gz", "label"),)
    if name == "wide":
        codes = np.arange(100) % 2
        x = np.random.default_rng(0).standard_normal((100, 50_000)).astype("float32")
        x[:, :50] += 0.5 * codes[:, None]
        return GenomeClassifier, (x, codes)
    return GenomeClassifier, (counts(20_000, int(name.removeprefix("sparse"))), np.arange(20_000) % 2)


def _peak() -> float:
    """MiB that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="../shared/data", help="folder of the benchmark sets")
    parser.add_argument("--output", default="deadline.jsonl")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--limits", nargs="+", type=float, default=[5.0, 20.0, 60.0])
    parser.add_argument("--cores", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--load", nargs="+", type=int, default=[0, 4], help="busy processes beside each fit")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--cell", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.cell:
        name, limit = given.cell
        print(json.dumps(fit_cell(name, float(limit), given.data)))
    else:
        main(given)
