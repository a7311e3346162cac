"""Two genes of which neither says anything alone: found among all pairs, and enough for a panel of two.

    python examples/gene_pairs.py [--seconds 30] [--out FOLDER]

Patients are made up: 160 of them and 120 genes, and one class where exactly one of two genes is above its middle. Tests of single genes,
linear models and forests are at chance there.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

import genokeras as gk

GENES, PAIR = 120, ("GENE7", "GENE41")


def patients(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Expression of every gene, and the classes."""
    x = pd.DataFrame(
        np.random.default_rng(seed).normal(6, 1, size=(n, GENES)), columns=[f"GENE{i}" for i in range(GENES)]
    )
    first, second = (x[gene] > 6 for gene in PAIR)
    return x, np.where(first != second, "ill", "well")


def main() -> None:
    """Fit, look at the pairs, reduce to two genes, and judge both on new patients."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=30, help="time limit of each fit")
    parser.add_argument("--out", type=Path, help="where the run goes")
    given = parser.parse_args()
    folder = given.out or Path(tempfile.mkdtemp(prefix="pairs-"))
    (x, y), (new, truth) = patients(160, seed=0), patients(1000, seed=1)

    clf = gk.GenomeClassifier(folder / "run", random_state=0).fit(x, y, time_limit=given.seconds)
    expected = clf.estimate_["also"]["balanced_accuracy"]
    print(
        f"balanced accuracy to expect: {expected['value']:.2f}; linear models: {expected['linear_baseline']:.2f}"
    )
    print(f"on new patients: {clf.score(new, truth):.2f}")
    forest = RandomForestClassifier(500, random_state=0).fit(x, y)
    print(f"a random forest there: {forest.score(new, truth):.2f}")
    print(clf.gene_pairs(3).round(2).to_string(index=False))

    panel = clf.panel(n_genes=2, path=folder / "panel", time_limit=given.seconds)
    print(f"a model of {' and '.join(panel.feature_names_in_)} alone: {panel.score(new, truth):.2f}")
    print("report with a picture of the pair:", clf.report(folder / "report.html", x, y))


if __name__ == "__main__":
    main()
