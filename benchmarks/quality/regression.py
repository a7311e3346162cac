"""How good on matrices whose target is a number: GenoKeras and the best of tuned scikit-learn regressors, five outer folds.

    python -m benchmarks.quality.regression --data ../shared/data --results regression.jsonl [--sets ...] [--seconds 60]
    python -m benchmarks.quality.regression table --results regression.jsonl

Appends a JSON line a set, tool and outer fold, and leaves out those that are there, so that it can be stopped and started again.
Groups are never split, neither by the outer folds nor by the inner ones. The peer has no time limit: see ``regression_peers``.
Without ``--sets`` the two reported sets are run; ``--sets regression_yeast_tf regression_mice`` runs those to choose defaults on.

R2 is taken over the predictions of all outer folds together, around the mean of the targets of all those rows. Its mean over folds
stands beside it: folds of a dozen rows have very different spreads, so that it is lower and noisier.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

from benchmarks.quality.evaluate import read_lines
from benchmarks.quality.regression_peers import FAMILIES, Family, tune
from benchmarks.quality.regression_sets import (
    RegressionSet,
    find_regression_sets,
    folds_of,
    measures,
    read_regression_set,
)
from benchmarks.quality.regression_table import show
from benchmarks.speed.machine import describe_machine
from genokeras import estimators

GENOKERAS, PEER = TOOLS = ("genokeras", "peer")
DIGITS = 6


@dataclass(frozen=True, eq=False)
class Answer:
    """What a tool predicts for the test rows, the R2 it expected of itself, and facts worth keeping."""

    predicted: np.ndarray
    estimate: float
    facts: dict[str, Any] = field(default_factory=dict)


# Fits to the training rows of a set and predicts the test rows: (set, train, test, seconds).
Tool = Callable[[RegressionSet, np.ndarray, np.ndarray, float | None], Answer]


def estimator_tool(make: Callable[..., Any]) -> Tool:
    """A regressor of GenoKeras, with its defaults."""

    def fit_and_predict(
        data: RegressionSet, train: np.ndarray, test: np.ndarray, seconds: float | None
    ) -> Answer:
        folder, known = tempfile.mkdtemp(prefix="genokeras-benchmark-"), data.take(train)
        model = make(path=f"{folder}/run", time_limit=seconds, random_state=0, verbose=0)
        model.fit(known.x, known.y, groups=known.groups)
        predicted, own = model.predict(data.x[test]), model.estimate_
        shutil.rmtree(folder, ignore_errors=True)
        facts = {name: own.get(name) for name in ("interval", "linear_baseline", "uncorrected")}
        return Answer(predicted, own["value"], {**facts, "trials": model.n_trials_})

    return fit_and_predict


def peer_tool(families: dict[str, Family]) -> Tool:
    """The family with the best R2 in inner cross-validation; all families are kept among the facts."""

    def tune_and_predict(
        data: RegressionSet, train: np.ndarray, test: np.ndarray, seconds: float | None
    ) -> Answer:
        tuned = tune(data, train, test, families)
        chosen = max(tuned, key=lambda name: tuned[name].inner_r2)
        facts = {
            name: {
                "inner_r2": round(found.inner_r2, 4),
                "settings": found.settings,
                "predicted": _rounded(found.predicted),
            }
            for name, found in tuned.items()
        }
        best = tuned[chosen]
        return Answer(best.predicted, best.inner_r2, {"chosen": chosen, "families": facts})

    return tune_and_predict


def make_tools(names: list[str]) -> dict[str, Tool]:
    """The tools by name."""
    tools = {PEER: peer_tool(FAMILIES)}
    if GENOKERAS in names:
        tools[GENOKERAS] = estimator_tool(estimators.GenomeRegressor)
    return {name: tools[name] for name in names}


def evaluate_set(
    data: RegressionSet, tools: dict[str, Tool], seconds: float, count: int, results: Path
) -> Iterator[dict[str, Any]]:
    """Run the tools on the first ``count`` of five outer folds, appending a line for each that is not in ``results`` yet.

    Parameters
    ----------
    data : RegressionSet
        The set.
    tools : dict of str to Tool
        What is run; the one called "peer" has no time limit.
    seconds : float
        Time limit of a fit.
    count : int
        Outer folds.
    results : Path
        JSON lines to append to.
    """
    done = {(line["set"], line["fold"], line["tool"], line["seconds"]) for line in read_lines(results)}
    for number, (train, test) in enumerate(folds_of(data)):
        for name, tool in tools.items():
            limit = None if name == PEER else seconds
            if number >= count or (data.name, number, name, limit) in done:
                continue
            key = {"set": data.name, "fold": number, "tool": name, "seconds": limit}
            line = {**key, **_one_fold(data, tool, train, test, limit), "machine": describe_machine()}
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            yield line


def _one_fold(
    data: RegressionSet, tool: Tool, train: np.ndarray, test: np.ndarray, seconds: float | None
) -> dict[str, Any]:
    started = time.perf_counter()
    answer = tool(data, train, test, seconds)
    finished = time.perf_counter()
    predicted = np.asarray(answer.predicted, dtype="float64").reshape(len(test))
    return {
        **{name: round(value, 4) for name, value in measures(data.y[test], predicted).items()},
        "fit_seconds": round(finished - started, 1),
        "estimate": round(float(answer.estimate), 4),
        **answer.facts,
        "truth": _rounded(data.y[test]),
        "predicted": _rounded(predicted),
    }


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]


def main() -> None:
    """Print what each fold gave, append a line for it, and print the tables at the end."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs="?", choices=["run", "table"], default="run")
    parser.add_argument("--data", type=Path, help="folder of npz files")
    parser.add_argument("--sets", nargs="+", help="files, or file:target; default: the two reported sets")
    parser.add_argument("--results", type=Path, default=Path("regression.jsonl"), help="JSON lines")
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--seconds", type=float, default=60, help="time limit of a fit")
    parser.add_argument("--folds", type=int, default=5, help="the first of the five outer folds")
    arguments = parser.parse_args()
    if arguments.command == "run":
        run(arguments)
    print(show(read_lines(arguments.results)))


def run(arguments: argparse.Namespace) -> None:
    """Set by set, so that an interrupted run has whole sets."""
    if arguments.data is None:
        raise SystemExit("run needs --data, a folder of npz files")
    tools = make_tools(arguments.tools)
    for name in find_regression_sets(arguments.data, arguments.sets):
        data = read_regression_set(arguments.data, name)
        for line in evaluate_set(data, tools, arguments.seconds, arguments.folds, arguments.results):
            print(
                f"{name:32} {line['tool']:10} fold {line['fold']}  R2 {line['r2']:6.3f}  own estimate "
                f"{line['estimate']:6.3f}  {line['fit_seconds']:.1f} s  {line.get('chosen', '')}",
                flush=True,
            )


if __name__ == "__main__":
    main()
