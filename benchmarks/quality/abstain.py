"""When not to answer: ``python -m benchmarks.quality.abstain --data FOLDER --seconds 20 --splits 20``.

Coverage: each set is split at random (stratified, 70 % to train on) SPLITS times; sets of classes, and intervals of numbers, are made at
``--coverage`` and looked at on the rows left out. The other side takes probabilities at their word: the most probable classes
until they add up to the coverage. Accuracy of what ``predict(x, abstain=...)`` answers stands beside that of all rows.

Novelty: for each pair of sets a model of the one, on the genes that both have by name, is asked about its own rows that were left out (false alarms)
and about the other set, which is of another tissue. The other side flags samples whose most probable class is less probable than
that of 95 % of the training samples out of fold (Hendrycks and Gimpel 2017). Stopped, it goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from benchmarks.quality.evaluate import read_lines
from benchmarks.quality.sets import read_set
from benchmarks.speed.machine import describe_machine
from genokeras import GenomeClassifier, GenomeRegressor
from genokeras.tasks.conformal import limit

SETS = "alon_colon nutt_glioma tox171 ramaswamy_gcm14 gse96058_breast_pam50"
NUMBERS = "riboflavin_regression"
# Trained on the first; the second is of another tissue and shares genes by name.
PAIRS = (
    "golub_leukemia:shipp_dlbcl shipp_dlbcl:golub_leukemia golub_leukemia:survival_lung_beer shipp_dlbcl:survival_lung_beer "
    "gordon_lung:yeoh_all_subtypes yeoh_all_subtypes:gordon_lung yeoh_all_subtypes:bhattacharjee_lung "
    "bhattacharjee_lung:yeoh_all_subtypes chowdary_breast_colon:gordon_lung"
)
FALSE_ALARMS, HELD_OUT = 0.05, 0.3
KEY = ["what", "name", "split", "seconds", "trials", "coverage"]


@dataclass(frozen=True)
class Plan:
    """How long each fit takes, and what is asked of it."""

    seconds: float | None
    trials: int | None
    coverage: float

    def key(self, what: str, name: str, split: int) -> dict[str, Any]:
        """What identifies a line."""
        return dict(zip(KEY, (what, name, split, self.seconds, self.trials, self.coverage), strict=True))

    def fit(self, kind: Any, folder: str, split: int, x: Any, y: np.ndarray) -> Any:
        """The estimator, fitted."""
        settings = {
            "time_limit": self.seconds,
            "max_trials": self.trials,
            "random_state": split,
            "verbose": 0,
        }
        return kind(f"{folder}/run", **settings).fit(x, y)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.abstain",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, help="folder of npz files; without it only the tables")
    parser.add_argument("--results", type=Path, default=Path("abstain.jsonl"))
    parser.add_argument("--sets", nargs="*", default=SETS.split())
    parser.add_argument("--numbers", nargs="*", default=NUMBERS.split())
    parser.add_argument("--pairs", nargs="*", default=PAIRS.split(), help="TRAINED:OTHER")
    parser.add_argument("--seconds", type=float, help="time limit of a fit; 20 without --trials")
    parser.add_argument("--trials", type=int, help="trials of a fit at most")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--pair-splits", type=int, default=5)
    parser.add_argument("--coverage", type=float, default=0.9)
    arguments = parser.parse_args(argv)
    if arguments.seconds is None and arguments.trials is None:
        arguments.seconds = 20.0
    plan = Plan(arguments.seconds, arguments.trials, arguments.coverage)
    if arguments.data is not None:
        for line in run(arguments, plan):
            print(json.dumps({name: line[name] for name in line if name != "machine"}), flush=True)
    lines = [line for line in read_lines(arguments.results) if line["coverage"] == plan.coverage]
    print(show(lines) if lines else f"{arguments.results} is empty")


def run(arguments: argparse.Namespace, plan: Plan) -> Iterator[dict[str, Any]]:
    """All fits that the results lack, appended one by one."""
    done = {tuple(line[name] for name in KEY) for line in read_lines(arguments.results)}
    jobs = [("classes", name, i) for name in arguments.sets for i in range(arguments.splits)]
    jobs += [("numbers", name, i) for name in arguments.numbers for i in range(arguments.splits)]
    jobs += [("novelty", name, i) for name in arguments.pairs for i in range(arguments.pair_splits)]
    measure = {"classes": of_classes, "numbers": of_numbers, "novelty": of_pair}
    for what, name, split in jobs:
        key = plan.key(what, name, split)
        if tuple(key.values()) in done:
            continue
        with tempfile.TemporaryDirectory(prefix="abstain-") as folder:
            found = measure[what](arguments.data, name, split, plan, folder)
        line = {**key, "machine": describe_machine(), **found}
        with arguments.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        yield line


def of_classes(data: Path, name: str, split: int, plan: Plan, folder: str) -> dict[str, float]:
    """Coverage and size of sets on the rows left out."""
    held = read_set(data, name)
    train, test = next(
        StratifiedShuffleSplit(1, test_size=HELD_OUT, random_state=split).split(held.x, held.codes)
    )
    clf = plan.fit(GenomeClassifier, folder, split, held.x[train], held.codes[train])
    p, codes = clf.predict_proba(held.x[test]), held.codes[test]
    found = {f"{n}": v for n, v in scored(clf.predict_set(held.x[test], plan.coverage), codes).items()}
    by_class = scored(clf.predict_set(held.x[test], plan.coverage, by_class=True), codes)
    answers = clf.predict(held.x[test], abstain=plan.coverage)
    given = np.array([answer is not None for answer in answers])
    right = answers[given] == codes[given]
    return {
        **found,
        "covered by class": by_class["covered"],
        **{f"naive {n}": v for n, v in scored(at_their_word(p, plan.coverage), codes).items()},
        "answered": float(given.mean()),
        "accuracy of answers": float(right.mean()) if given.any() else float("nan"),
        "accuracy": float((p.argmax(axis=1) == codes).mean()),
    }


def scored(sets: np.ndarray, codes: np.ndarray) -> dict[str, float]:
    """How often sets hold the true class, and how large they are."""
    return {
        "covered": float(sets[np.arange(len(codes)), codes].mean()),
        "size": float(sets.sum(axis=1).mean()),
    }


def at_their_word(p: np.ndarray, coverage: float) -> np.ndarray:
    """The most probable classes until their probabilities add up to the coverage."""
    order = np.argsort(-p, axis=1)
    ahead = np.cumsum(np.take_along_axis(p, order, axis=1), axis=1) - np.take_along_axis(p, order, axis=1)
    sets = np.zeros(p.shape, dtype=bool)
    np.put_along_axis(sets, order, ahead < coverage, axis=1)
    return sets


def of_numbers(data: Path, name: str, split: int, plan: Plan, folder: str) -> dict[str, float]:
    """Coverage of intervals, and of those of a normal distribution of the training errors."""
    with np.load(data / f"{name}.npz") as arrays:
        x, y = arrays["X"], arrays["y"].astype("float64")
    train, test = next(ShuffleSplit(1, test_size=HELD_OUT, random_state=split).split(x))
    reg = plan.fit(GenomeRegressor, folder, split, x[train], y[train])
    ends = reg.predict_interval(x[test], plan.coverage)
    errors = np.abs(reg.predict(x[train]) - y[train])
    naive = limit(errors, np.ones(len(errors)), plan.coverage)
    off = np.abs(reg.predict(x[test]) - y[test])
    return {
        "covered": float(((ends[:, 0] <= y[test]) & (y[test] <= ends[:, 1])).mean()),
        "size": float((ends[:, 1] - ends[:, 0]).mean() / y.std()),
        "naive covered": float((off <= naive).mean()),
        "naive size": float(2 * naive / y.std()),
    }


def of_pair(data: Path, name: str, split: int, plan: Plan, folder: str) -> dict[str, float]:
    """Share of samples that are flagged: of the same set, and of the other one."""
    (x, y), (other, _) = (read_named(data, part) for part in name.split(":"))
    genes = [gene for gene in x.columns if gene in set(other.columns)]
    train, test = next(StratifiedShuffleSplit(1, test_size=HELD_OUT, random_state=split).split(x, y))
    clf = plan.fit(GenomeClassifier, folder, split, x[genes].iloc[train], y[train])
    same, new = x[genes].iloc[test], other[genes]
    sure = clf._run.out_of_fold().answers.max(axis=1)
    least = -limit(-sure, np.ones(len(sure)), 1 - FALSE_ALARMS)
    return {
        "genes": len(genes),
        "false alarms": float(clf.novelty(same, FALSE_ALARMS)["novel"].mean()),
        "flagged": float(clf.novelty(new, FALSE_ALARMS)["novel"].mean()),
        "naive false alarms": float((clf.predict_proba(same).max(axis=1) < least).mean()),
        "naive flagged": float((clf.predict_proba(new).max(axis=1) < least).mean()),
    }


def read_named(data: Path, name: str) -> tuple[pd.DataFrame, np.ndarray]:
    """A set with the names of its genes, the first of each name; its labels are empty where it has none."""
    with np.load(data / f"{name}.npz") as arrays:
        frame = pd.DataFrame(arrays["X"], columns=[str(gene) for gene in arrays["feature_names"]])
        labels = arrays["y"].astype(str) if "y" in arrays.files else np.empty(0, dtype=str)
    return frame.loc[:, ~frame.columns.duplicated()], labels


def show(lines: list[dict[str, Any]]) -> str:
    """A table for each question, means over the splits, and the mean over its sets."""
    parts = []
    for what in ("classes", "numbers", "novelty"):
        frame = pd.DataFrame([line for line in lines if line["what"] == what])
        if frame.empty:
            continue
        values = frame.drop(columns=[*KEY, "machine"]).groupby(frame["name"]).mean()
        values.insert(0, "splits", frame.groupby("name").size())
        values.loc["mean"] = values.mean()
        parts.append(f"{what}\n{values.round(3).to_string()}")
    return "\n\n".join(parts)


if __name__ == "__main__":
    main()
