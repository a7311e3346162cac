"""Train on all cohorts but one and judge on that: choosing by leaving studies out against plain folds.

    python -m benchmarks.quality.cohorts --data ../shared/data [--sets ...] [--seconds 60] [--folds 5] [--out F.jsonl]

Sets are those with a ``batch``. Each of the first ``--folds`` cohorts is held out by turn. Three fits of the same seconds on the others:
plain folds, ``batches=`` (where there are two cohorts or more to train on), and ``batches=`` with every study brought to one scale
(``adapt``). Beside the balanced accuracy on the held-out cohort stand what the fit expected of it, what it scores once the cohort is
standardised, and what it loses with a fifth of its genes missing: estimated, or at their training means. Finished cohorts are read from --out and not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd

from benchmarks.quality.evaluate import read_lines
from benchmarks.speed.machine import describe_machine
from genokeras import GenomeClassifier

METRIC = "balanced_accuracy"
KEY = ("set", "cohort", "side", "seconds")
SIDES = ("plain", "studies", "adapted studies")
MISSING = 0.2


@dataclass(frozen=True)
class CohortSet:
    """Samples of several cohorts: ``x`` ``(n, p)`` with names, ``y`` and ``batch`` ``(n,)``."""

    name: str
    x: pd.DataFrame
    y: np.ndarray
    batch: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of npz files")
    parser.add_argument("--sets", nargs="+", help="default: all with classes and a batch")
    parser.add_argument("--seconds", type=float, default=60, help="time limit of a fit")
    parser.add_argument("--folds", type=int, default=5, help="cohorts of a set that are held out, at most")
    parser.add_argument("--out", type=Path, default=Path("cohorts.jsonl"))
    arguments = parser.parse_args()
    print(describe_machine())
    names = arguments.sets or find_cohort_sets(arguments.data)
    for name in names:
        for line in run_set(read_cohort_set(arguments.data, name), arguments):
            print(f"{line['set']}, {line['cohort']}, {line['side']}: {line['truth']:.3f}", flush=True)
    lines = [
        line
        for line in read_lines(arguments.out)
        if line["set"] in names and line["seconds"] == arguments.seconds
    ]
    print(table(lines).round(3).to_string())
    print(verdict(lines))


def find_cohort_sets(folder: Path) -> list[str]:
    """Names of the sets with classes and a batch."""
    found = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as arrays:
            if {"X", "y", "batch"} <= set(arrays.files):
                found.append(path.stem)
    return found


def read_cohort_set(folder: Path, name: str) -> CohortSet:
    """Read one set by name."""
    with np.load(folder / f"{name}.npz") as arrays:
        x = pd.DataFrame(arrays["X"].astype("float32"), columns=arrays["feature_names"].astype(str))
        return CohortSet(name, x, arrays["y"].astype(str), arrays["batch"].astype(str))


def run_set(data: CohortSet, arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A line for each cohort and side that is not in the file yet."""
    done = {tuple(line[name] for name in KEY) for line in read_lines(arguments.out)}
    for cohort in np.unique(data.batch)[: arguments.folds]:
        train = data.batch != cohort
        for side in SIDES:
            line = {"set": data.name, "cohort": str(cohort), "side": side, "seconds": arguments.seconds}
            alone = len(np.unique(data.batch[train])) < 2
            if tuple(line[name] for name in KEY) in done or (alone and side != "plain"):
                continue
            line |= one_side(data, train, side, arguments.seconds)
            with arguments.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            yield line


def one_side(data: CohortSet, train: np.ndarray, side: str, seconds: float) -> dict[str, Any]:
    """What one fit expected of a new cohort, and what came."""
    clf = GenomeClassifier(time_limit=seconds, random_state=0, verbose=0, missing="median")
    given: dict[str, Any] = {} if side == "plain" else {"batches": data.batch[train]}
    if side == "adapted studies":
        given["adapt"] = "standardise"
    clf.fit(data.x[train], data.y[train], **given)
    test, y = data.x[~train], data.y[~train]
    rng = np.random.default_rng(0)
    absent = rng.choice(test.columns, round(MISSING * test.shape[1]), replace=False)
    lacking, at_mean = test.drop(columns=absent), test.copy()
    at_mean[absent] = data.x.loc[train, absent].mean().to_numpy()
    found = {
        "truth": clf.evaluate(test, y)[METRIC],
        "expected": float(clf.estimate_["also"][METRIC]["value"]),
        "missing_at_mean": clf.evaluate(at_mean, y)[METRIC],
        "adapted": clf.evaluate(clf.prepare_samples(test, y, adapt="standardise"))[METRIC],
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for name, adapt in (("missing", None), ("missing_adapted", "standardise")):
            filled = clf.prepare_samples(lacking, y, missing_genes="impute", most_loss=1.0, adapt=adapt)
            found[name] = clf.evaluate(filled)[METRIC]
    said = clf.missing_genes_
    new = (clf.estimate_.get("new_samples") or {}).get("also", {}).get(METRIC, {}).get("value")
    return {**found, "missing_said": said.loss, "new_samples": new, "trials": clf.n_trials_}


def table(lines: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Means by set and side, and over the sets where both sides ran."""
    columns = [
        "truth",
        "expected",
        "adapted",
        "missing",
        "missing_at_mean",
        "missing_adapted",
        "missing_said",
    ]
    frame = pd.DataFrame(lines)
    found = frame.groupby(["set", "side"])[columns].mean()
    found["off"] = found["expected"] - found["truth"]
    found["lost"] = found["truth"] - found["missing"]
    found["lost_adapted"] = found["adapted"] - found["missing_adapted"]
    return found


def verdict(lines: Sequence[Mapping[str, Any]]) -> str:
    """All sides over the cohorts that all were judged on, each cohort counting once."""
    frame = pd.DataFrame(lines)
    complete = frame.groupby(["set", "cohort"])["side"].transform("nunique") == len(SIDES)
    said = []
    for side, rows in frame[complete].groupby("side"):
        off = rows["expected"] - rows["truth"]
        said.append(
            f"{side}: balanced accuracy on the new cohort {rows['truth'].mean():.3f}, expected {rows['expected'].mean():.3f} (off by "
            f"{off.mean():+.3f} on average, {off.abs().mean():.3f} absolutely); a fifth of the genes missing costs "
            f"{(rows['truth'] - rows['missing']).mean():.3f}, at their training means "
            f"{(rows['truth'] - rows['missing_at_mean']).mean():.3f}, with the cohort standardised "
            f"{(rows['adapted'] - rows['missing_adapted']).mean():.3f}"
        )
    return "\n".join(said)


if __name__ == "__main__":
    main()
