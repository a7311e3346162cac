"""Products or means of the same trials: ``python -m benchmarks.quality.pooling --data ../shared/data``.

One fit for each set and round of sequences, images and texts; its trials are then delivered twice, as the package does, a weighted geometric
mean, and as it did until 0.2.0, a weighted mean whose weights are 100 steps of expectation and maximisation from equal ones (stacking). Both
models answer the test part. ``--largest`` trials at most are in either; by default as many as the package delivers.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd

from benchmarks.quality.spatial import ESTIMATORS, content_of
from benchmarks.quality.spatial_sets import (
    Round,
    SpatialSet,
    find_spatial_sets,
    measures,
    read_spatial_set,
    rounds,
)
from benchmarks.speed.machine import describe_machine
from genokeras.engine import Problem, TrialStore, deliver, growth_of
from genokeras.engine.delivery import Delivery
from genokeras.engine.methods import method_of
from genokeras.engine.run import merged
from genokeras.searchers import MEAN, History, combine
from genokeras.tasks.objectives import Objective


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--largest", type=int, nargs="+", help="trials in an ensemble, at most")
    parser.add_argument("--results", type=Path, help="JSON lines to append to")
    arguments = parser.parse_args()
    print(describe_machine())
    lines = []
    for name in find_spatial_sets(arguments.data, arguments.sets):
        data = read_spatial_set(arguments.data, name)
        for number, part in enumerate(rounds(data, arguments.rounds)):
            for found in one_fit(data, part, arguments.seconds, arguments.seed, arguments.largest):
                lines.append({"set": name, "round": number, **found})
                print(json.dumps(lines[-1]), flush=True)
                if arguments.results is not None:
                    with arguments.results.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(lines[-1]) + "\n")
    frame = pd.DataFrame(lines)
    columns = ["log_loss", "accuracy", "calibration_error", "grown"]
    print(frame.groupby(["set", "largest", "pooling"])[columns].mean().round(4).to_string())


def one_fit(
    data: SpatialSet, part: Round, seconds: float, seed: int, largest: list[int] | None
) -> Iterator[dict[str, Any]]:
    """Fit once, deliver both ways, score both on the test part."""
    train = np.concatenate([part.train, part.valid])
    with tempfile.TemporaryDirectory(prefix="genokeras-benchmark-") as folder:
        options = {"time_limit": seconds, "random_state": seed, "verbose": 0}
        classifier = ESTIMATORS[data.kind](f"{folder}/run", **options)
        classifier.fit(content_of(data, train), data.codes[train])
        run = classifier._run
        store, problem = TrialStore(run.folder), run.problem
        for most in largest or [method_of(problem).largest_ensemble(problem)]:
            found = deliver(store, problem, run.history, run.objective, seed, problem.groups, None, most)
            for delivery in (found, averaged(store, problem, run.history, run.objective, most)):
                classifier._run = replace(run, delivery=delivery, model=merged(store, problem, delivery))
                scores = measures(
                    data.codes[part.test], classifier.predict_proba(content_of(data, part.test))
                )
                yield {
                    "largest": most,
                    "pooling": delivery.pooling,
                    **{name: round(value, 4) for name, value in scores.items()},
                    "grown": round(growth_of(run.history, delivery.shares).share, 3),
                    "trials": len(run.history),
                }


def averaged(
    store: TrialStore, problem: Problem, history: History, objective: Objective, largest: int
) -> Delivery:
    """The trials as a weighted mean."""
    trials, scored = history.ok(), problem.scored
    p = store.answers(trials)[:, scored].astype("float64")
    targets, weight = problem.targets[scored], problem.sample_weight[scored]
    shares = stacked(p[:, np.arange(len(targets)), targets], weight, largest)
    calibration = objective.answers.calibration(combine(p, shares), targets, weight)
    kept = {trial.id: float(share) for trial, share in zip(trials, shares, strict=True) if share > 0}
    return Delivery(kept, calibration, pooling=MEAN)


def stacked(true: np.ndarray, weight: np.ndarray, largest: int, steps: int = 100) -> np.ndarray:
    """Weights ``(trials,)`` that make the mixture likely, from what each says of the true class, ``(trials, rows)``."""
    true, shares = np.maximum(true, 1e-7), weight / weight.sum()
    found = np.full(len(true), 1 / len(true))
    for most in (len(true), largest):
        if len(true) > most:
            found[np.argsort(-found)[most:]] = 0.0
            found /= found.sum()
        for _ in range(steps):
            found = found * ((shares / (found @ true)) @ true.T)
        if len(true) <= largest:
            break
    return found


if __name__ == "__main__":
    main()
