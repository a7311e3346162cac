"""Ten genes against all of them, and whether a panel knows how good it is.

    python -m benchmarks.quality.panels --data ../shared/data [--sets ...] [--seconds 60] [--folds 5] [--genes 10] [--out F.jsonl]

Outer folds over the choosing sets: a fit on all genes, and a panel of it, are scored on the same held-out samples. Both say what they
expect beforehand; a peer without a search, logistic regression on the genes with the largest F statistic of the same training samples,
stands beside. Last, planted data: five genes decide, five others are their exact copies; one of each pair should be chosen and the
other be named. Finished folds are read from --out and not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.quality.evaluate import outer_folds, read_lines
from benchmarks.quality.search_share import CHOOSING
from benchmarks.quality.sets import BenchmarkSet, read_set
from benchmarks.speed.machine import describe_machine
from genokeras import GenomeClassifier

METRIC = "balanced_accuracy"
KEY = ("set", "fold", "seconds", "genes")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of npz files")
    parser.add_argument("--sets", nargs="+", default=CHOOSING)
    parser.add_argument(
        "--seconds", type=float, default=60, help="time limit of a fit; the panel's is half of it"
    )
    parser.add_argument("--folds", type=int, default=5, help="use the first FOLDS of the five outer folds")
    parser.add_argument("--genes", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path("panels.jsonl"))
    arguments = parser.parse_args()
    print(describe_machine())
    for name in arguments.sets:
        for line in run_set(read_set(arguments.data, name), arguments):
            print(
                f"{line['set']} fold {line['fold']}: all {line['full']:.3f}, panel {line['panel']:.3f}",
                flush=True,
            )
    wanted = [line for line in read_lines(arguments.out) if line["set"] in arguments.sets]
    chosen = [
        line for line in wanted if (line["seconds"], line["genes"]) == (arguments.seconds, arguments.genes)
    ]
    print(table(chosen).round(3).to_string())
    print(planted(arguments.seconds))


def run_set(data: BenchmarkSet, arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A line for each outer fold that is not in the file yet."""
    done = {tuple(line[name] for name in KEY) for line in read_lines(arguments.out)}
    for fold, (train, test) in enumerate(outer_folds(data, arguments.folds)):
        line = {"set": data.name, "fold": fold, "seconds": arguments.seconds, "genes": arguments.genes}
        if tuple(line[name] for name in KEY) in done:
            continue
        line |= one_fold(data, train, test, arguments.seconds, arguments.genes)
        with arguments.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        yield line


def one_fold(
    data: BenchmarkSet, train: np.ndarray, test: np.ndarray, seconds: float, genes: int
) -> dict[str, Any]:
    """Balanced accuracies on held-out samples, and what was expected."""
    groups = None if data.groups is None else data.groups[train]
    with tempfile.TemporaryDirectory() as folder:
        clf = GenomeClassifier(Path(folder) / "run", time_limit=seconds, random_state=0, verbose=0)
        clf.fit(data.x[train], data.codes[train], groups=groups)
        started = time.perf_counter()
        small = clf.panel(n_genes=genes, time_limit=seconds / 2)
        took = time.perf_counter() - started
        own = [int(str(gene).removeprefix("feature_")) for gene in small.panel_.genes]
        return {
            "full": clf.evaluate(data.x[test], data.codes[test])[METRIC],
            "full_expected": expected(clf),
            "panel": small.evaluate(data.x[test][:, own], data.codes[test])[METRIC],
            "panel_expected": expected(small),
            "f_test": f_test(data, train, test, genes),
            "smallest": small.panel_.smallest,
            "curve": dict(
                zip(map(str, small.panel_.curve["genes"]), small.panel_.curve[METRIC], strict=True)
            ),
            "panel_seconds": took,
        }


def expected(model: GenomeClassifier) -> float:
    """The corrected estimate of the balanced accuracy."""
    return float(model.estimate_["also"][METRIC]["value"])


def f_test(data: BenchmarkSet, train: np.ndarray, test: np.ndarray, genes: int) -> float:
    """Logistic regression on the genes with the largest F statistic, its penalty tuned on the training samples."""
    model = make_pipeline(
        SelectKBest(f_classif, k=genes), StandardScaler(), LogisticRegressionCV(Cs=5, max_iter=2000)
    )
    with np.errstate(all="ignore"):
        model.fit(data.x[train], data.codes[train])
    return float(balanced_accuracy_score(data.codes[test], model.predict(data.x[test])))


def table(lines: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Means by set and over the sets; ``gap`` is what the panel loses, ``off`` what its own estimate is above the truth."""
    columns = ["full", "full_expected", "panel", "panel_expected", "f_test", "smallest", "panel_seconds"]
    found = pd.DataFrame(lines).groupby("set")[columns].mean()
    found["gap"] = found["full"] - found["panel"]
    found["off"] = found["panel_expected"] - found["panel"]
    found["full_off"] = found["full_expected"] - found["full"]
    found.loc["mean"] = found.mean()
    return found


def planted(seconds: float, n: int = 120, p: int = 2000, seed: int = 0) -> str:
    """Whether one of each pair of copies is chosen, and the other named."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    y = np.where(x[:, :5].sum(axis=1) + 0.3 * rng.normal(size=n) > 0, "ill", "well")
    names = [f"G{i}" for i in range(p)] + [f"copy_of_G{i}" for i in range(5)]
    data = pd.DataFrame(np.hstack([x, x[:, :5]]), columns=names)
    with tempfile.TemporaryDirectory() as folder:
        clf = GenomeClassifier(Path(folder) / "run", time_limit=seconds, random_state=0, verbose=0).fit(
            data, y
        )
        known = clf.panel(n_genes=5, time_limit=seconds / 2).panel_
    pairs = {gene.removeprefix("copy_of_") for gene in known.genes}
    copies = known.equivalents[known.equivalents["copy"]]
    named = {gene.removeprefix("copy_of_") for gene in copies["gene"]}
    right = {f"G{i}" for i in range(5)}
    return f"planted: {len(pairs & right)} of 5 pairs chosen once, the copy named for {len(named & right)}"


if __name__ == "__main__":
    main()
