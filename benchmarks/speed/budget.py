"""Where the seconds of one ``fit`` go."""

from __future__ import annotations

import argparse
import cProfile
import pstats
import tempfile
import time

from genokeras import GenomeClassifier, load_dataset

# What is counted -> (file, function) whose cumulative time it is.
PARTS = {
    "views and row space": ("table.py", "fit_table_encoder"),
    "search (ask)": ("loop.py", "_ask"),
    "initial or inherited weights": ("packed_runner.py", "_start"),
    "build the packed network": ("packed.py", "build_packed"),
    "trace, compile and train": ("packed.py", "run"),
    "score trials": ("packed_runner.py", "_outcome"),
    "write trials": ("store.py", "write"),
    "choose the ensemble and estimate": ("delivery.py", "deliver"),
    "merge into one model": ("merge_rows.py", "merge_rows"),
    "save the model": ("model_files.py", "write_model"),
}


def main(arguments: argparse.Namespace) -> None:
    """Profiled, so everything in Python is a little slower than without."""
    dataset = load_dataset(arguments.data, "label")
    profile = cProfile.Profile()
    with tempfile.TemporaryDirectory() as folder:
        clf = GenomeClassifier(f"{folder}/run", time_limit=arguments.seconds, random_state=0, verbose=0)
        started = time.perf_counter()
        profile.runcall(clf.fit, dataset)
        total = time.perf_counter() - started
    found = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    jobs = sum(
        calls
        for (file, _, name), (calls, *_rest) in found.items()
        if file.endswith("runner.py") and name == "_task"
    )
    print(f"{clf.n_trials_} trials in {jobs} jobs, {total:.1f} s, stopped by {clf.stop_reason_}")
    for label, (file, function) in PARTS.items():
        entries = [
            row for (where, _, name), row in found.items() if where.endswith(f"/{file}") and name == function
        ]
        seconds = max((row[3] for row in entries), default=0.0)
        print(
            f"  {label:34} {seconds:6.2f} s  {100 * seconds / total:5.1f} %  {1000 * seconds / max(clf.n_trials_, 1):6.0f} ms a trial"
        )
