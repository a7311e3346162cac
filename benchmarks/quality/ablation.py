"""What the search adds: ``python -m benchmarks.quality ablation --data FOLDER --seconds 20 --folds 2``.

One fit for each set, outer fold, seed and strategy, each with the same time limit; from it come the scores of its best trial (lowest
out-of-fold log loss) and of its delivered ensemble, sharpness included. All strategies begin with the initial design of their fathers;
what differs is how they go on. Stopped, it goes on where it was. Differences are paired within set, fold and seed; their standard
error takes these pairs as independent, which those of one set are not quite.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd

from benchmarks.quality.ensembles import SETS
from benchmarks.quality.evaluate import METRICS, outer_folds, read_lines
from benchmarks.quality.sets import BenchmarkSet, find_sets, read_set
from benchmarks.quality.trials import FittedTrials, fitted_trials
from benchmarks.speed.machine import describe_machine
from genokeras.searchers import GEOMETRIC, combine

# Each is compared with the one before it.
STRATEGIES: dict[str, Mapping[str, Any]] = {
    "linear only": {"searcher": "random", "searcher_args": {"fathers": ["linear"], "fresh": 1.0}},
    "templates only": {"searcher": "random", "searcher_args": {"fathers": ["linear", "mlp"], "fresh": 1.0}},
    "random morphism": {"searcher": "random"},
    "Bayesian morphism": {"searcher": "bayesian"},
    "Bayesian, children inherit": {"searcher": "bayesian", "searcher_args": {"inherit": True}},
}
DELIVERED = ("best trial", "ensemble")
SHOWN = ("log_loss", "balanced_accuracy")
PAIR = ["set", "fold", "seed"]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality ablation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, help="folder of npz and h5ad files; without it only the table")
    parser.add_argument("--results", type=Path, default=Path("ablation.jsonl"))
    parser.add_argument("--sets", nargs="+", default=SETS.split())
    parser.add_argument("--strategies", nargs="+", choices=list(STRATEGIES), default=list(STRATEGIES))
    parser.add_argument("--seconds", type=float, default=20, help="time limit of a fit")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folds", type=int, default=2, help="use the first FOLDS of the five outer folds")
    arguments = parser.parse_args(argv)
    if arguments.data is not None:
        for line in run(arguments):
            print(describe(line), flush=True)
    lines = [line for line in read_lines(arguments.results) if line["seconds"] == arguments.seconds]
    print(show(lines) if lines else f"{arguments.results} has no fit of {arguments.seconds:g} s yet")


def run(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """All fits that the results lack, appended one by one; those to be compared follow each other."""
    done = {_key(line) for line in read_lines(arguments.results)}
    warm = False
    for name in find_sets(arguments.data, arguments.sets):
        data = read_set(arguments.data, name)
        for fold, (train, test) in enumerate(outer_folds(data, arguments.folds)):
            for seed in range(arguments.seeds):
                for strategy in arguments.strategies:
                    asked = {"set": name, "cohort": data.cohort, "strategy": strategy, "fold": fold}
                    asked |= {"seed": seed, "seconds": arguments.seconds}
                    if _key(asked) in done:
                        continue
                    if not warm:
                        warm_up()
                        warm = True
                    line = asked | {"machine": describe_machine(), **one_fit(data, train, test, asked)}
                    with arguments.results.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(line) + "\n")
                    yield line


def _key(line: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(line[name] for name in ("set", "strategy", "fold", "seed", "seconds"))


def warm_up() -> None:
    """The first fit of a process pays for the backend's start, which is no strategy's fault."""
    x = np.random.default_rng(0).normal(size=(24, 12))
    data, rows = BenchmarkSet("made up", x, np.arange(24) % 2, None), np.arange(24)
    with fitted_trials(data, rows, rows, None, folds=2, max_trials=2):
        pass


def one_fit(
    data: BenchmarkSet, train: np.ndarray, test: np.ndarray, asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Fit one strategy; the scores of what could be delivered of it."""
    started = time.perf_counter()
    with fitted_trials(
        data, train, test, asked["seconds"], asked["seed"], **STRATEGIES[asked["strategy"]]
    ) as fitted:
        seconds = time.perf_counter() - started
        return {
            "trials": len(fitted.run.history),
            "stop": fitted.run.stop_reason,
            "fit_seconds": seconds,
            **{name: fitted.scores(p, METRICS) for name, p in deliveries(fitted).items()},
        }


def deliveries(fitted: FittedTrials) -> dict[str, np.ndarray]:
    """``(n, classes)`` probabilities of the test part: by the best trial, and by what the fit delivers."""
    delivery, best = fitted.run.delivery, fitted.run.history.ranked()[0]
    chosen = [trial for trial in fitted.trials if trial.id in delivery.shares]
    unseen = fitted.unseen(chosen, geometric=delivery.pooling == GEOMETRIC)
    shares = np.array([delivery.shares[trial.id] for trial in chosen])
    mixed = delivery.calibration.apply(combine(unseen, shares, delivery.pooling))
    return {"best trial": fitted.unseen([best])[0], "ensemble": mixed}


def describe(line: Mapping[str, Any]) -> str:
    """One fit as a line of text."""
    parts = [f"{line['set']:22} fold {line['fold']} seed {line['seed']}  {line['strategy']:31}"]
    parts += [f"{name} {line[name]['log_loss']:.3f}" for name in DELIVERED]
    return "  ".join(parts) + f"  {line['trials']:4d} trials, {line['fit_seconds']:.1f} s ({line['stop']})"


# ---- the table


def frame_of(lines: list[dict[str, Any]]) -> pd.DataFrame:
    """One row a fit and delivery, of those (set, fold, seed) that all strategies have."""
    names = ("set", "cohort", "fold", "seed", "strategy", "trials", "stop", "fit_seconds")
    frame = pd.DataFrame(
        [
            {**{name: line[name] for name in names}, "delivered": delivered, **line[delivered]}
            for line in lines
            for delivered in DELIVERED
        ]
    )
    complete = frame.groupby(PAIR)["strategy"].transform("nunique") == frame["strategy"].nunique()
    return frame[complete]


def difference(one: pd.DataFrame, other: pd.DataFrame, metric: str) -> tuple[float, float]:
    """Mean of ``one - other``, paired within (set, fold, seed), and its standard error over these pairs."""
    pairs = one.set_index(PAIR)[metric] - other.set_index(PAIR)[metric]
    return float(pairs.mean()), float(pairs.std(ddof=1) / np.sqrt(len(pairs)))


def steps(frame: pd.DataFrame) -> pd.DataFrame:
    """Best trials first, then ensembles; each strategy with its difference to the one before it."""
    rows = []
    for delivered in DELIVERED:
        before = None
        for strategy in STRATEGIES:
            part = frame[(frame["strategy"] == strategy) & (frame["delivered"] == delivered)]
            if part.empty:
                continue
            row = {"delivered": delivered, "strategy": strategy, "trials": part["trials"].mean()}
            rows.append(row | _compared(part, before))
            before = part
    return pd.DataFrame(rows).set_index(["delivered", "strategy"])


def ensemble_effect(frame: pd.DataFrame) -> pd.DataFrame:
    """What the ensemble adds to the best trial of the same fit."""
    rows = {}
    for strategy in [name for name in STRATEGIES if name in set(frame["strategy"])]:
        part = frame[frame["strategy"] == strategy]
        best, mixed = (part[part["delivered"] == name] for name in DELIVERED)
        rows[strategy] = _compared(mixed, best)
    return pd.DataFrame(rows).T.rename_axis("strategy")


def _compared(part: pd.DataFrame, other: pd.DataFrame | None) -> dict[str, float]:
    row: dict[str, float] = {}
    for metric in SHOWN:
        change, error = (np.nan, np.nan) if other is None else difference(part, other, metric)
        row |= {metric: part[metric].mean(), f"{metric} change": change, f"{metric} se": error}
    return row


def show(lines: list[dict[str, Any]]) -> str:
    """Both tables as text."""
    frame = frame_of(lines)
    if frame.empty:
        return "no (set, fold, seed) has all strategies yet"
    count = len(frame[PAIR].drop_duplicates())
    sets = frame["set"].nunique()
    with pd.option_context(
        "display.width", 200, "display.max_columns", 20, "display.float_format", "{:.4f}".format
    ):
        return (
            f"means over {count} (set, fold, seed) of {sets} sets; change: to the row before, se over these\n"
            f"{steps(frame).to_string(na_rep='')}\n\nwhat the ensemble adds to the best trial of the same fit\n"
            f"{ensemble_effect(frame).to_string(na_rep='')}"
        )


if __name__ == "__main__":
    main()
