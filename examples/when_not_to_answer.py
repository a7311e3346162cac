"""When a model should not answer: sets of classes, a threshold for a stated sensitivity, and samples that are novel.

    python examples/when_not_to_answer.py runs/doubt 12

Trains on most of the bundled leukemia samples and asks about the others, as they are and with a fifth of their genes exchanged for
one another, as if they came from another tissue.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import genokeras as gk

DATA = Path(__file__).parent / "data" / "golub_leukemia.tsv.gz"


def main(folder: str = "runs/doubt", trials: str = "12") -> None:
    data = gk.load_dataset(DATA, "label")
    order = np.random.default_rng(0).permutation(data.n_samples)
    train, new = data.select(order[:50]), data.select(order[50:])
    clf = gk.GenomeClassifier(
        folder,
        time_limit=None,
        max_trials=int(trials),
        random_state=0,
        verbose=0,
        threshold={"class": "AML", "sensitivity": 0.9},
    ).fit(train)

    found = clf.threshold_
    low, high = found["specificity_interval"]
    print(
        f"AML from a probability of {found['value']:.2f} on: specificity {found['specificity']:.2f} ({low:.2f} to {high:.2f})"
    )
    sets = clf.predict_set(new.x, coverage=0.9)
    answers = clf.predict(new.x, abstain=0.9)
    print(f"of {len(sets)} new samples {sum(answer is not None for answer in answers)} get an answer")
    for row in np.flatnonzero(sets.sum(axis=1) != 1)[:3]:
        print(f"  {new.sample_ids[row]}: {' or '.join(clf.classes_[sets[row]]) or 'like those of no class'}")

    other = np.asarray(new.x).copy()
    moved = np.random.default_rng(1).permutation(data.n_features)[: data.n_features // 5]
    other[:, moved] = other[:, np.roll(moved, 1)]
    for words, x in (("as they are", new.x), ("with exchanged genes", other)):
        print(f"novel {words}: {clf.novelty(x)['novel'].sum()} of {len(sets)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
