"""Seconds of processor that each view of a large sparse matrix takes, beside scikit-learn's truncated SVD of the same matrix."""

from __future__ import annotations

import argparse
import time

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD

from genokeras.features import available_views, fit_views
from genokeras.features.rowspace import TRUNCATED_RANK

FOLDS, FILLED = 5, 0.05


def main(arguments: argparse.Namespace) -> None:
    """Print a line a view, in the order in which a search fits them, and the sum beside the other side."""
    x = counts(arguments.cells, arguments.genes)
    targets = np.arange(arguments.cells) % 2
    train = np.arange(arguments.cells) % FOLDS != np.arange(FOLDS)[:, None]
    names = available_views(arguments.genes, n_samples=arguments.cells)
    print(f"{arguments.cells} samples x {arguments.genes} genes, {FILLED:.0%} filled, {FOLDS} folds")
    times = [time.process_time()]

    def fits(seconds: float) -> bool:
        times.append(time.process_time())
        return True

    fit_views(names, x, targets, train, fits=fits)
    times.append(time.process_time())
    for name, begun, ended in zip(names, times[:-1], times[1:], strict=True):
        print(f"{name:18} {ended - begun:6.1f} s")
    started = time.process_time()
    TruncatedSVD(TRUNCATED_RANK, random_state=0).fit(x)
    other = time.process_time() - started
    ours = times[-1] - times[0]
    print(
        f"all views {ours:.1f} s, scikit-learn's TruncatedSVD of {TRUNCATED_RANK} {other:.1f} s: {ours / other:.2f}"
    )


def counts(n: int, p: int) -> sparse.csr_matrix:
    """``(n, p)`` made-up counts, float32, about 5 % of them not zero."""
    rng = np.random.default_rng(0)
    filled = rng.binomial(p, FILLED, size=n)
    columns = np.concatenate([np.sort(rng.choice(p, size=k, replace=False)) for k in filled])
    values = rng.poisson(2.0, size=len(columns)).astype("float32") + 1
    return sparse.csr_matrix((values, columns, np.concatenate([[0], filled.cumsum()])), shape=(n, p))
