"""How good on sequences, images and texts: GenoKeras and AutoKeras on the published split of each set, or on five folds.

    python -m benchmarks.quality.spatial --data ../shared/data --results spatial.jsonl [--sets ...] [--seconds 600] [--rounds 1]
    python -m benchmarks.quality.spatial ... --tools genokeras autokeras --envs FOLDER
    python -m benchmarks.quality.spatial ... --tools genokeras templates --seeds 0 1; python -m benchmarks.quality.spatial_growth

The tool ``templates`` is GenoKeras without morphisms: the same time for first networks and varied hyper-parameters.
Appends a JSON line a set, round and tool, and leaves out those that are there, so that it can be stopped and started again.
Training and validation parts are given to ``fit`` together; the test part is looked at once. AutoKeras has an environment of
its own (``python -m benchmarks.quality peers --envs FOLDER autokeras`` makes it) and does images and texts. ``spatial_peers``
prints what linear models reach.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd

from benchmarks.quality.evaluate import read_lines
from benchmarks.quality.peers import HERE, Peer, find_peers
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
from genokeras.data import ImageData, TextData
from genokeras.encoders import WINDOW

ESTIMATORS: dict[str, Any] = {
    "sequence": SequenceClassifier,
    "image": ImageClassifier,
    "text": TextClassifier,
}


# Fits and scores one round of a set under a time limit.
Tool = Callable[[SpatialSet, Round, float, int], dict[str, Any]]
TOOLS = ("genokeras", "templates", "autokeras")
# AutoKeras stops between batches only, and a batch of a large network on large images takes a while.
GRACE = 600.0


def fit_and_score(
    data: SpatialSet,
    part: Round,
    seconds: float,
    seed: int,
    searcher_args: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One fit of GenoKeras: measures on the test part, the classifier's own estimate, and how long all took.

    Sequences that are read by windows are explained, too, up to 80 of the test part.
    """
    folder = tempfile.mkdtemp(prefix="genokeras-benchmark-")
    train = np.concatenate([part.train, part.valid])
    started = time.perf_counter()
    options = {"time_limit": seconds, "random_state": seed, "verbose": 0, "searcher_args": searcher_args}
    classifier = ESTIMATORS[data.kind](f"{folder}/run", **options)
    classifier.fit(content_of(data, train), data.codes[train])
    fitted = time.perf_counter()
    found = classifier.predict_proba(content_of(data, part.test))
    line = _rounded_measures(data.codes[part.test], found)
    predicted = time.perf_counter()
    explained = {}
    if data.kind == "sequence" and classifier.model_.input_shape[1] > WINDOW:
        classifier.explain(content_of(data, part.test))
        explained = {"explain_seconds": round(time.perf_counter() - predicted, 1)}
    board = classifier.leaderboard()
    shutil.rmtree(folder, ignore_errors=True)
    return {
        **line,
        "fit_seconds": round(fitted - started, 1),
        "predict_seconds": round(predicted - fitted, 2),
        **explained,
        "trials": classifier.n_trials_,
        "estimate": round(classifier.estimate_["value"], 4),
        "linear_baseline": classifier.estimate_["linear_baseline"],
        "best": str(board["graph"].iloc[0])[:200],
        "best_is_grown": bool(board["generation"].iloc[0]),
        "grown": classifier.growth_.grown,
        "grown_share": round(classifier.growth_.share, 4),
        "grown_seconds": round(float(board["seconds"][board["generation"] > 0].sum()), 1),
        "trained_seconds": round(float(board["seconds"].sum()), 1),
    }


def peer_tool(peer: Peer) -> Tool:
    """A peer that fits in a process of its own, which says itself how long that took; importing is not counted."""

    def fit_and_score_peer(data: SpatialSet, part: Round, seconds: float, seed: int) -> dict[str, Any]:
        train = np.concatenate([part.train, part.valid])
        fitted = peer.fit(_array(data, train), data.codes[train], None, seconds)
        line = _rounded_measures(data.codes[part.test], fitted.predict(_array(data, part.test)))
        facts, loss = fitted.facts, fitted.estimate.get("log_loss")
        failed = {"failed": facts["failed"]} if "failed" in facts else {}
        return {
            **line,
            "fit_seconds": round(facts["fit_seconds"], 1),
            "predict_seconds": round(facts.get("predict_seconds", 0.0), 2),
            "trials": facts.get("networks"),
            "epochs": facts.get("epochs"),
            "estimate": None if loss is None else round(loss, 4),
            "linear_baseline": None,
            "best": str(facts.get("best", "")),
            **failed,
        }

    return fit_and_score_peer


def find_tools(names: list[str], envs: Path | None) -> dict[str, Tool]:
    """The tools by name; ends the program where AutoKeras is asked for and has no environment."""
    peers = find_peers(names, envs)
    worker = HERE / "workers" / "fit_autokeras_spatial.py"
    own = {"genokeras": fit_and_score, "templates": partial(fit_and_score, searcher_args={"growth": 0.0})}
    return {
        name: peer_tool(replace(peers[name], worker=worker, grace=GRACE)) if name in peers else own[name]
        for name in names
    }


def _rounded_measures(codes: np.ndarray, found: np.ndarray) -> dict[str, float]:
    return {name: round(value, 4) for name, value in measures(codes, found).items()}


def content_of(data: SpatialSet, rows: np.ndarray) -> Any:
    """What ``fit`` takes: strings, pixels or texts, without their labels."""
    taken = data.data.take(rows)
    if isinstance(taken, ImageData):
        return taken.pixels
    return list(taken.texts) if isinstance(taken, TextData) else taken.sequences


def _array(data: SpatialSet, rows: np.ndarray) -> np.ndarray:
    """What travels to a process of its own: pixels, or an array of strings."""
    return np.asarray(content_of(data, rows))


def main() -> None:
    """Print and append a line for each round and tool, and a table at the end."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of sets")
    parser.add_argument("--sets", nargs="+", help="default: all sequences, images and texts of the folder")
    parser.add_argument("--results", type=Path, default=Path("spatial.jsonl"), help="JSON lines to append to")
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=["genokeras"])
    parser.add_argument("--envs", type=Path, help="folder with the environment of AutoKeras")
    parser.add_argument("--seconds", type=float, default=600, help="time limit of a fit")
    parser.add_argument("--rounds", type=int, help="of five folds, or of samples left out; default: all")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    arguments = parser.parse_args()
    tools = find_tools(arguments.tools, arguments.envs)
    for name in find_spatial_sets(arguments.data, arguments.sets):
        data = read_spatial_set(arguments.data, name)
        for seed in arguments.seeds:
            limits = arguments.seconds, arguments.rounds
            for line in evaluate_set(data, tools, *limits, arguments.results, seed):
                print(json.dumps(line), flush=True)
    print(table_of(read_lines(arguments.results)))


def evaluate_set(
    data: SpatialSet, tools: dict[str, Tool], seconds: float, count: int | None, results: Path, seed: int = 0
) -> Iterator[dict[str, Any]]:
    """Fit the tools in turn on each round of a set, appending a line for each that is not in ``results`` yet."""
    # Earlier lines name no tool: there was one.
    done = {
        (line["set"], line["round"], line["seconds"], line.get("tool", "genokeras"), line.get("seed", 0))
        for line in read_lines(results)
    }
    for number, part in enumerate(rounds(data, count)):
        for tool, score in tools.items():
            if (data.name, number, seconds, tool, seed) in done or (data.kind, tool) == (
                "sequence",
                "autokeras",
            ):
                continue
            key = {"set": data.name, "round": number, "seconds": seconds, "tool": tool, "seed": seed}
            line = {**key, **score(data, part, seconds, seed), "machine": describe_machine()}
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            yield line


def table_of(lines: list[dict[str, Any]]) -> str:
    """Means over rounds, a row a set, time limit and tool, beside what is to be reached."""
    if not lines:
        return "There are no results yet."
    columns = [
        "mcc",
        "roc_auc",
        "accuracy",
        "error",
        "log_loss",
        "calibration_error",
        "fit_seconds",
        "explain_seconds",
        "trials",
    ]
    frame = pd.DataFrame([{"tool": "genokeras", **line} for line in lines])
    frame = frame.reindex(columns=["set", "seconds", "tool", *columns]).astype(dict.fromkeys(columns, float))
    means = frame.groupby(["set", "seconds", "tool"])[columns].mean().round(4)
    goals = {name: f"{goal.measure} {goal.value:.3f} ({goal.why})" for name, goal in GOALS.items()}
    means["goal"] = [goals.get(name, "") for name, *_ in means.index]
    return means.to_string()


if __name__ == "__main__":
    main()
