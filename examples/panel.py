"""Ten genes in place of thousands: a panel, what it is expected to score, and which genes could stand in for its own.

    python examples/panel.py [FOLDER [SECONDS]]

The samples are made up: the answer lies in six genes, of which two have a copy under another name, as genes of one module have.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import genokeras as gk


def made_up(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """``n`` samples of 1,000 genes, and their classes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(8.0, 1.0, size=(n, 1000))
    score = (x[:, :6] - 8.0).sum(axis=1) + 0.5 * rng.normal(size=n)
    names = [f"GENE{i}" for i in range(1000)]
    table = pd.DataFrame(x, columns=names)
    return table.assign(TWIN0=table["GENE0"], TWIN1=table["GENE1"]), np.where(score > 0, "ill", "well")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
    x, y = made_up(150, seed=0)
    clf = gk.GenomeClassifier(folder / "whole", time_limit=seconds, random_state=0, verbose=0).fit(x, y)
    small = clf.panel(n_genes=6, time_limit=seconds)

    new_x, new_y = made_up(500, seed=1)
    for name, model in (("all genes", clf), ("six genes", small)):
        expected = model.estimate_["also"]["balanced_accuracy"]["value"]
        found = model.evaluate(new_x, new_y)["balanced_accuracy"]
        print(f"{name}: balanced accuracy {expected:.2f} expected, {found:.2f} on new samples")
    print(small.panel_.curve[["genes", "value", "low", "high"]].round(3).to_string(index=False))
    print(f"Within one standard error of the best: {small.panel_.smallest} genes.")
    print(small.panel_.equivalents.to_string(index=False))
    small.panel_.plot(folder / "curve.png")
    print(f"{folder / 'curve.png'} shows the curve.")
    # The exported model reads six numbers a sample.
    print(small.export_keras_model(folder / "six_genes.keras"))
    print(small.predict(new_x[list(small.panel_.genes)].head()))


if __name__ == "__main__":
    main()
