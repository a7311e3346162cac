"""How good on sequences, images and texts: GenoKeras on the published split of each set, or on five folds.

    python -m benchmarks.quality.spatial --data ../shared/data --results spatial.jsonl [--sets ...] [--seconds 600] [--rounds 1]

Appends a JSON line a set and round, and leaves out those that are there, so that it can be stopped and started again. Training and validation
parts are given to ``fit`` together; the test part is looked at once. ``spatial_peers`` prints what linear models reach.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd

from benchmarks.quality.spatial_sets import (
    GOALS,
    Round,
    SpatialSet,
    find_spatial_sets,
    measures,
    read_spatial_set,
    rounds,
)
from benchmarks.speed.machine import describe_machine
from genokeras import ImageClassifier, SequenceClassifier, TextClassifier

ESTIMATORS: dict[str, Any] = {
    "sequence": SequenceClassifier,
    "image": ImageClassifier,
    "text": TextClassifier,
}


def fit_and_score(data: SpatialSet, part: Round, seconds: float) -> dict[str, Any]:
    """One fit: measures on the test part, the classifier's own estimate, and how long all took."""
    folder = tempfile.mkdtemp(prefix="genokeras-benchmark-")
    train = np.concatenate([part.train, part.valid])
    started = time.perf_counter()
    classifier = ESTIMATORS[data.kind](f"{folder}/run", time_limit=seconds, random_state=0, verbose=0).fit(
        _content(data, train), data.codes[train]
    )
    fitted = time.perf_counter()
    found = classifier.predict_proba(_content(data, part.test))
    line = {name: round(value, 4) for name, value in measures(data.codes[part.test], found).items()}
    board = classifier.leaderboard()
    shutil.rmtree(folder, ignore_errors=True)
    return {
        **line,
        "fit_seconds": round(fitted - started, 1),
        "predict_seconds": round(time.perf_counter() - fitted, 2),
        "trials": classifier.n_trials_,
        "estimate": round(classifier.estimate_["value"], 4),
        "linear_baseline": classifier.estimate_["linear_baseline"],
        "best": str(board["graph"].iloc[0])[:200],
    }


def _content(data: SpatialSet, rows: np.ndarray) -> Any:
    """What ``fit`` takes: strings, pixels or texts, without their labels."""
    taken = data.data.take(rows)
    if data.kind == "image":
        return taken.pixels
    return list(taken.texts) if data.kind == "text" else taken.sequences


def main() -> None:
    """Print and append a line for each round, and a table at the end."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of sets")
    parser.add_argument("--sets", nargs="+", help="default: all sequences, images and texts of the folder")
    parser.add_argument("--results", type=Path, default=Path("spatial.jsonl"), help="JSON lines to append to")
    parser.add_argument("--seconds", type=float, default=600, help="time limit of a fit")
    parser.add_argument("--rounds", type=int, help="of five folds, or of samples left out; default: all")
    arguments = parser.parse_args()
    done = _read(arguments.results)
    for name in find_spatial_sets(arguments.data, arguments.sets):
        data = read_spatial_set(arguments.data, name)
        for number, part in enumerate(rounds(data, arguments.rounds)):
            key = {"set": name, "round": number, "seconds": arguments.seconds}
            if any(all(line[k] == v for k, v in key.items()) for line in done):
                continue
            line = {**key, **fit_and_score(data, part, arguments.seconds), "machine": describe_machine()}
            print(json.dumps(line), flush=True)
            done.append(line)
            with arguments.results.open("a", encoding="utf-8") as results:
                results.write(json.dumps(line) + "\n")
    _show(done)


def _read(results: Path) -> list[dict[str, Any]]:
    if not results.exists():
        return []
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines() if line]


def _show(lines: list[dict[str, Any]]) -> None:
    if not lines:
        return
    columns = ["mcc", "roc_auc", "accuracy", "error", "fit_seconds", "trials"]
    table = pd.DataFrame(lines).groupby(["set", "seconds"])[columns].mean().round(4)
    goals = {name: f"{goal.measure} {goal.value:.3f} ({goal.why})" for name, goal in GOALS.items()}
    table["goal"] = [goals.get(name, "") for name, _ in table.index]
    print(table.to_string())


if __name__ == "__main__":
    main()
