"""What shared weights are worth: ``python -m benchmarks.quality enas tau|compare --data FOLDER``.

tau      Kendall's tau between the scores of random arcs by shared weights and by training from scratch (mean over seeds), with
         a bootstrap interval over the arcs; beside it, how well trainings from scratch of two seeds agree, which is the most
         that one can ask for
compare  the best of ``--top`` arcs that a search found, trained from scratch, against the best of random arcs trained from
         scratch for the same time, search included: log loss on the first outer fold's test part
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from scipy.stats import kendalltau

from benchmarks.quality.arcs import DROPOUT, WEIGHT_DECAY, FromScratch
from benchmarks.quality.evaluate import outer_folds, read_lines
from benchmarks.quality.sets import BenchmarkSet, find_sets, read_set
from benchmarks.speed.machine import describe_machine
from genokeras.enas import EnasSearch, EnasSettings, Supernet, SupernetSettings
from genokeras.graph.arcs import Arc, ArcSpace

SETS = {
    "tau": "alon_colon nutt_glioma pomeroy_cns_outcome",
    "compare": "alon_colon gravier_breast nutt_glioma pomeroy_cns_outcome shipp_dlbcl tox171",
}
_BOOTSTRAPS = 2000


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality enas",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("part", choices=sorted(SETS))
    parser.add_argument("--data", type=Path, required=True, help="folder of npz and h5ad files")
    parser.add_argument("--results", type=Path, default=Path("enas.jsonl"))
    parser.add_argument("--sets", nargs="+")
    parser.add_argument("--arcs", type=int, default=40, help="of tau")
    parser.add_argument(
        "--seeds", type=int, default=3, help="trainings from scratch (tau), or searches (compare)"
    )
    parser.add_argument("--top", type=int, default=4, help="arcs that compare trains from scratch")
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--channel", type=int, default=128)
    parser.add_argument("--rate", type=float, default=0.001, help="learning rate of both sides")
    arguments = parser.parse_args(argv)
    print(describe_machine())
    for line in run(arguments):
        print("  ".join(f"{name} {_shown(value)}" for name, value in line.items()), flush=True)
    if arguments.part == "compare":
        print(summary([line for line in read_lines(arguments.results) if _key(line) == _asked(arguments)]))


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return " to ".join(map(_shown, value))
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _asked(arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("part", "layers", "channel", "rate")
    return {name: getattr(arguments, name) for name in names}


def _key(line: dict[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in ("part", "layers", "channel", "rate")}


def run(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One line a set (tau), or a set and seed (compare); each is appended to the results."""
    space = ArcSpace(arguments.layers, arguments.channel)
    for name in find_sets(arguments.data, arguments.sets or SETS[arguments.part].split()):
        data = read_set(arguments.data, name)
        lines_of = agreement if arguments.part == "tau" else comparisons
        for line in lines_of(data, space, arguments):
            whole = {**_asked(arguments), "set": name, **line}
            with arguments.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(whole) + "\n")
            yield whole


def supernet_settings(arguments: argparse.Namespace, seed: int) -> SupernetSettings:
    """As trials from scratch are trained."""
    return SupernetSettings(
        learning_rate=arguments.rate, dropout=DROPOUT, weight_decay=WEIGHT_DECAY, seed=seed
    )


# ---- tau


def agreement(data: BenchmarkSet, space: ArcSpace, arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """How shared weights and training from scratch agree on random arcs."""
    scratch = FromScratch(data.x, data.codes, space, arguments.rate)
    arcs = different_arcs(space, arguments.arcs, np.random.default_rng(1))
    started = time.perf_counter()
    losses = np.array([scratch.train(arc, i, arguments.seeds).losses for i, arc in enumerate(arcs)])
    scratch_seconds = time.perf_counter() - started
    started = time.perf_counter()
    net = Supernet(space, scratch.data, supernet_settings(arguments, 0))
    net.train()
    shared = net.score(arcs).loss
    seconds = time.perf_counter() - started
    pairs = [(i, j) for i in range(losses.shape[1]) for j in range(i)]
    yield {
        "arcs": len(arcs),
        "tau": tau(shared, losses.mean(axis=1)),
        "interval": interval(shared, losses.mean(axis=1)),
        "tau of two seeds from scratch": float(
            np.mean([tau(losses[:, i], losses[:, j]) for i, j in pairs]) if pairs else np.nan
        ),
        "tau with one seed from scratch": float(np.mean([tau(shared, each) for each in losses.T])),
        "steps": net.steps_done,
        "seconds": seconds,
        "seconds from scratch": scratch_seconds,
    }


def different_arcs(space: ArcSpace, n: int, rng: np.random.Generator) -> list[Arc]:
    """``n`` different arcs drawn at random."""
    found: dict[Arc, None] = {}
    while len(found) < min(n, space.size):
        found[space.random(rng)] = None
    return list(found)


def tau(a: np.ndarray, b: np.ndarray) -> float:
    """Kendall's tau-b."""
    return float(kendalltau(a, b).statistic)


def interval(a: np.ndarray, b: np.ndarray) -> list[float]:
    """95 % of the taus of arcs drawn again with replacement."""
    rng = np.random.default_rng(0)
    drawn = (rng.integers(len(a), size=len(a)) for _ in range(_BOOTSTRAPS))
    return [float(q) for q in np.nanquantile([tau(a[i], b[i]) for i in drawn], [0.025, 0.975])]


# ---- compare


def comparisons(
    data: BenchmarkSet, space: ArcSpace, arguments: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """Search against random arcs, once a seed."""
    train, test = next(outer_folds(data, 1))
    present, codes = np.unique(data.codes[train], return_inverse=True)
    known = np.isin(data.codes[test], present)
    x, truth = data.x[test][known], np.searchsorted(present, data.codes[test][known])
    for seed in range(arguments.seeds):
        scratch = FromScratch(data.x[train], codes, space, arguments.rate)
        started = time.perf_counter()
        settings = EnasSettings(supernet_settings(arguments, seed))
        found = EnasSearch(space, settings).run(scratch.data)
        chosen = [scratch.train(arc, seed) for arc in found.top(arguments.top)]
        seconds = time.perf_counter() - started
        drawn, rng, started = [], np.random.default_rng([seed, 5]), time.perf_counter()
        while not drawn or time.perf_counter() - started < seconds:
            drawn.append(scratch.train(space.random(rng), seed))
        best, lucky = (min(each, key=lambda trained: float(trained.losses[0])) for each in (chosen, drawn))
        yield {
            "seed": seed,
            "found": str(best.arc),
            "log_loss": scratch.unseen_log_loss(best, x, truth),
            "drawn": str(lucky.arc),
            "random_log_loss": scratch.unseen_log_loss(lucky, x, truth),
            "random_arcs": len(drawn),
            "search_seconds": found.seconds,
            "seconds": seconds,
        }


def summary(lines: list[dict[str, Any]]) -> str:
    """A row a set and the mean over sets, in Markdown."""
    rows = ["| set | log loss, searched | log loss, random arcs | random arcs trained |", "|---|---|---|---|"]
    names = ("log_loss", "random_log_loss", "random_arcs")
    of_set = {line["set"]: [each for each in lines if each["set"] == line["set"]] for line in lines}
    means = {name: [np.mean([line[k] for line in own]) for k in names] for name, own in of_set.items()}
    means["mean"] = list(np.mean(list(means.values()), axis=0))
    rows += [f"| {name} | {a:.3f} | {b:.3f} | {c:.1f} |" for name, (a, b, c) in means.items()]
    gained = np.array([line["random_log_loss"] - line["log_loss"] for line in lines])
    error = gained.std(ddof=1) / np.sqrt(len(gained)) if len(gained) > 1 else np.nan
    return "\n".join(
        [*rows, "", f"searched is better by {gained.mean():.3f} ± {error:.3f} over {len(gained)} pairs"]
    )
