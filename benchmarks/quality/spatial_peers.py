"""What linear models reach on sequences and texts, which a searched network has to beat.

    python -m benchmarks.quality.spatial_peers --data ../shared/data [--sets ...] [--results peers.jsonl]

Sequences: logistic regression on counts of 4-mers beside the one-hot letters, all standardised. Texts: logistic regression on
tf-idf of words and pairs of words. Both tune their penalty, on the published validation part where there is one and else
on three inner folds, and are then fitted to all that may be trained on.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from benchmarks.quality.spatial_sets import (
    Round,
    SpatialSet,
    find_spatial_sets,
    measures_over_rounds,
    read_spatial_set,
    rounds,
)
from genokeras.data import SequenceData, TextData
from genokeras.features import kmer_counts, one_hot, padded_codes

Rows = np.ndarray | sparse.csr_matrix
# Turns training rows and others of a set into the matrices a linear model sees.
Featurise = Callable[[np.ndarray, np.ndarray], tuple[Rows, Rows]]
SEQUENCE_C = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
TEXT_C = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


def sequence_features(data: SequenceData, k: int = 4) -> np.ndarray:
    """Counts of k-mers beside the one-hot letters, float32 ``(n, 4**k + 4 * length)``."""
    letters = one_hot(padded_codes(data)).reshape(len(data), -1)
    return np.hstack([kmer_counts(data, k).toarray(), letters])


def featuriser(data: SpatialSet) -> Featurise:
    """How the set becomes numbers, fitted on training rows alone."""
    if isinstance(data.data, SequenceData):
        everything = sequence_features(data.data)

        def scaled(train: np.ndarray, other: np.ndarray) -> tuple[Rows, Rows]:
            scaler = StandardScaler().fit(everything[train])
            return scaler.transform(everything[train]), scaler.transform(everything[other])

        return scaled
    if not isinstance(data.data, TextData):
        raise SystemExit(f"{data.name}: no linear peer for images.")
    texts = np.array(data.data.texts, dtype=object)

    def weighted(train: np.ndarray, other: np.ndarray) -> tuple[Rows, Rows]:
        counter = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit(texts[train])
        return counter.transform(texts[train]), counter.transform(texts[other])

    return weighted


def logistic_probabilities(data: SpatialSet, featurise: Featurise, part: Round) -> tuple[np.ndarray, float]:
    """Probabilities ``(n_test, n_classes)`` of the tuned model, and the inverse penalty C that was chosen."""
    grid = SEQUENCE_C if data.kind == "sequence" else TEXT_C
    best = grid[int(np.argmin(_losses(data.codes, featurise, part, grid)))]
    train = np.concatenate([part.train, part.valid])
    x, x_test = featurise(train, part.test)
    return _fitted(x, data.codes[train], best).predict_proba(x_test), best


def _losses(codes: np.ndarray, featurise: Featurise, part: Round, grid: tuple[float, ...]) -> np.ndarray:
    pairs = [(part.train, part.valid)]
    if not len(part.valid):
        splitter = StratifiedKFold(3, shuffle=True, random_state=0)
        split = splitter.split(part.train, codes[part.train])
        pairs = [(part.train[fit], part.train[held]) for fit, held in split]
    losses = np.zeros(len(grid))
    for fit, held in pairs:
        x, x_held = featurise(fit, held)
        for i, c in enumerate(grid):
            found = _fitted(x, codes[fit], c).predict_proba(x_held)
            losses[i] += log_loss(codes[held], found, labels=np.unique(codes)) / len(pairs)
    return losses


def _fitted(x: Rows, codes: np.ndarray, c: float) -> LogisticRegression:
    model = LogisticRegression(C=c, max_iter=500, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(x, codes)


def evaluate_peer(data: SpatialSet) -> dict[str, Any]:
    """All rounds of one set: its measures, the penalties chosen, and the seconds they took."""
    started = time.perf_counter()
    featurise = featuriser(data)
    parts, chosen = [], []
    for part in rounds(data):
        probabilities, c = logistic_probabilities(data, featurise, part)
        parts.append((data.codes[part.test], probabilities))
        chosen.append(c)
    return {
        "set": data.name,
        "tool": "4-mer + one-hot logistic" if data.kind == "sequence" else "tf-idf logistic",
        "protocol": data.protocol,
        **{name: round(value, 4) for name, value in measures_over_rounds(parts).items()},
        "c": float(np.median(chosen)),
        "seconds": round(time.perf_counter() - started, 1),
    }


def main() -> None:
    """Print a line for each set, and append it to the results where asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of sets")
    parser.add_argument("--sets", nargs="+", help="default: all sequences and texts of the folder")
    parser.add_argument("--results", type=Path, help="JSON lines to append to")
    arguments = parser.parse_args()
    for name in find_spatial_sets(arguments.data, arguments.sets):
        data = read_spatial_set(arguments.data, name)
        if data.kind == "image":
            continue
        line = json.dumps(evaluate_peer(data))
        print(line, flush=True)
        if arguments.results is not None:
            with arguments.results.open("a", encoding="utf-8") as results:
                results.write(line + "\n")


if __name__ == "__main__":
    main()
