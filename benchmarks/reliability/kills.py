"""Runs that are killed at random moments and go on, against one that nobody disturbed.

    python -m benchmarks.reliability.kills [--kinds genes sequences project] [--executors local pool] [--kills 30] [--seed 0] [--out kills.jsonl]

The kills are dealt out over the kinds and executors by turns; a project has no workers. Each is ``kill -9`` of the whole process group at a moment
that is drawn from the time the undisturbed run takes. Then the run goes on to its end. It counts as resumed where no trial that had
finished is lost or trained twice, and all trials, their order in the leaderboard and their scores (to 1e-4: another process may round otherwise)
are those of the undisturbed run. Kills that the output has already are left out.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.quality.evaluate import read_lines
from benchmarks.speed.machine import describe_machine

_TOLERANCE = 1e-4
KEY = ("kind", "executor", "number", "seed")


def start(kind: str, executor: str, folder: Path) -> subprocess.Popen[bytes]:
    """A run of `benchmarks.reliability.workloads` in a process group of its own."""
    command = [sys.executable, "-m", "benchmarks.reliability.workloads", kind, executor, str(folder)]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def whole(kind: str, executor: str, folder: Path) -> float:
    """Seconds that the run, or what is left of it, takes."""
    began = time.perf_counter()
    with start(kind, executor, folder) as process:
        code = process.wait()
    if code:
        raise RuntimeError(f"{kind} ({executor}) ended with exit code {code}; its folder is {folder}.")
    return time.perf_counter() - began


def killed(kind: str, executor: str, folder: Path, seconds: float) -> dict[str, Any]:
    """What there is of a run that was killed after a number of seconds."""
    with start(kind, executor, folder) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    return state(kind, folder)


def state(kind: str, folder: Path) -> dict[str, Any]:
    """Trials or networks that have finished: a name for each, and its numbers."""
    if kind == "project":
        records = sorted(folder.glob("experiments/models/*/*/*/trained.json"))
        return {path.parent.name: json.loads(path.read_text(encoding="utf-8"))["metrics"] for path in records}
    journal = folder / "journal.jsonl"
    # What is behind the last line break was cut short.
    lines = journal.read_bytes().split(b"\n")[:-1] if journal.exists() else []
    trials = [event for event in map(json.loads, lines) if event["event"] == "trial"]
    # A trial of a sequence has a line after its first folds and one after all of them.
    names = [f"{trial['trial']} {trial['fingerprint']} {trial.get('folds', 'all')}" for trial in trials]
    twice = len(names) - len(set(names))
    return {
        **{name: {"score": trial["score"]} for name, trial in zip(names, trials, strict=True)},
        **({"trained twice": {"score": twice}} if twice else {}),
    }


def numbers(found: dict[str, Any]) -> np.ndarray:
    """All numbers of a state, in the order of their names."""
    flat = pd.json_normalize([found[name] for name in sorted(found)], sep="/")
    return flat.select_dtypes("number").to_numpy(dtype=float).ravel()


def verdict(
    before: dict[str, Any], after: dict[str, Any], expected: dict[str, Any], kind: str
) -> dict[str, Any]:
    """Whether a resumed run is what it would have been."""
    same = set(after) == set(expected)
    apart = float(np.max(np.abs(numbers(after) - numbers(expected)), initial=0.0)) if same else float("nan")
    kept = all(after.get(name) == entry for name, entry in before.items())
    ranked = [
        sorted(found, key=lambda name: (round(found[name]["score"] / _TOLERANCE), name))
        for found in (after, expected)
        if kind != "project"
    ]
    return {
        "there": len(before),
        "kept": kept,
        "same": same,
        "apart": apart,
        "order": len(ranked) < 2 or ranked[0] == ranked[1],
    }


def holds(line: dict[str, Any]) -> bool:
    """Whether nothing was lost and the end is the same; the order of trials within the tolerance of each other is not counted."""
    return bool(line["kept"] and line["same"] and line["apart"] <= _TOLERANCE)


def run(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A line for each kill that the output lacks."""
    places = [
        (kind, executor)
        for kind, executor in itertools.product(arguments.kinds, arguments.executors)
        if kind != "project" or executor == "local"
    ]
    done = {tuple(line[name] for name in KEY) for line in read_lines(arguments.out)}
    rng = np.random.default_rng(arguments.seed)
    drawn = [(number, *places[number % len(places)], rng.random()) for number in range(arguments.kills)]
    with tempfile.TemporaryDirectory() as folder:
        expected: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
        for number, kind, executor, share in drawn:
            if (kind, executor, number, arguments.seed) in done:
                continue
            if (kind, executor) not in expected:
                place = Path(folder) / f"{kind}_{executor}"
                expected[kind, executor] = whole(kind, executor, place), state(kind, place)
            seconds, undisturbed = expected[kind, executor]
            place = Path(folder) / str(number)
            before = killed(kind, executor, place, share * seconds)
            whole(kind, executor, place)
            found = verdict(before, state(kind, place), undisturbed, kind)
            line = dict(zip(KEY, (kind, executor, number, arguments.seed), strict=True))
            line |= {"at": share * seconds, "of": len(undisturbed), **found}
            with arguments.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            yield line


def shown(line: dict[str, Any]) -> str:
    """A kill for people."""
    good = "resumed" if holds(line) else "NOT RESUMED"
    return (
        f"{line['kind']:<9} {line['executor']:<5} killed after {line['at']:5.1f} s with {line['there']:2} of {line['of']} finished: {good}"
        f" (kept {line['kept']}, same trials {line['same']}, scores apart {line['apart']:.0e}, same order {line['order']})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds, executors = ["genes", "sequences", "project"], ["local", "pool"]
    parser.add_argument("--kinds", nargs="+", choices=kinds, default=kinds)
    parser.add_argument("--executors", nargs="+", choices=executors, default=executors)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("kills.jsonl"))
    arguments = parser.parse_args()
    print(describe_machine())
    for line in run(arguments):
        print(shown(line), flush=True)
    lines = [line for line in read_lines(arguments.out) if line["seed"] == arguments.seed]
    print(
        f"{sum(map(holds, lines))} of {len(lines)} resumed; scores at most {max(line['apart'] for line in lines):.0e} apart"
    )


if __name__ == "__main__":
    main()
