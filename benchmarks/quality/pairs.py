"""Where pairs of genes stand out: real sets, and planted ones.

    python -m benchmarks.quality.pairs [--data ../shared/data --sets ...]

For each set, of the training samples of the first outer fold: the strongest pair's statistic (``genokeras.features.pair_correlation``) over the
largest one of shuffled labels, and whether that is enough for views of pairs. (A search asks the same of the training samples of its first fold.)
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import sparse

from benchmarks.quality.evaluate import outer_folds
from benchmarks.quality.search_share import CHOOSING
from benchmarks.quality.sets import read_set
from benchmarks.quality.structure_sets import PLANTED, read_structure_set
from benchmarks.speed.machine import describe_machine
from genokeras.features import pair_correlation, pairs, standardisation

OTHERS = (
    "golub_leukemia",
    "khan_srbct",
    "chowdary_breast_colon",
    "armstrong_mll",
    "pbmc68k_reduced",
    "gse96058_breast_pam50",
)


def sets(data: Path | None, names: list[str]) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The name, samples and one-hot labels of each set."""
    for name in names if data is not None else []:
        held = read_set(data, name)
        rows = next(iter(outer_folds(held, 5)))[0]
        x = held.x[rows]
        codes = held.codes[rows]
        yield name, x.toarray() if sparse.issparse(x) else np.asarray(x), np.eye(codes.max() + 1)[codes]
    for name in PLANTED:
        drawn = read_structure_set(None, name, 0)
        yield name, drawn.x[drawn.train], np.eye(2)[drawn.y[drawn.train]]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.pairs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, help="folder of npz and h5ad files; planted sets need none")
    parser.add_argument("--sets", nargs="+", default=[*CHOOSING, *OTHERS])
    given = parser.parse_args(argv)
    print(describe_machine())
    for name, x, labels in sets(given.data, given.sets):
        scaling, everything = standardisation(x), np.ones((1, len(x)), dtype=bool)
        rng, began = np.random.default_rng(0), time.perf_counter()
        strongest = pair_correlation(x, scaling, labels, everything).max()
        seconds = time.perf_counter() - began
        shuffled = max(
            pair_correlation(x, scaling, labels[rng.permutation(len(x))], everything).max() for _ in range(2)
        )
        found = pairs.some_pair_stands_out(pair_correlation, x, scaling, labels, everything)
        said = "views of pairs" if found else "-"
        shape = f"{x.shape[0]} x {x.shape[1]}"
        print(f"{name:24} {shape:>14} {strongest / shuffled:6.2f} {seconds:5.2f} s  {said}", flush=True)


if __name__ == "__main__":
    main()
