"""Two assays of the same samples: does the second one pay?

    python examples/several_omics.py [FOLDER [SECONDS]]

The samples are made up. A factor moves many genes of the one assay, another factor many sites of the other; the class is whether both point the same way.
Neither assay alone says anything of it, nor does any linear model of both. Some samples lack the second assay.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import genokeras as gk


def made_up(n: int, seed: int) -> tuple[dict[str, pd.DataFrame], pd.Series]:
    """Three blocks of ``n`` samples, and their classes."""
    rng = np.random.default_rng(seed)
    ids = [f"P{seed}_{i:03d}" for i in range(n)]
    one, other = rng.normal(size=(2, n))
    rna, meth = rng.normal(size=(n, 300)), rng.normal(size=(n, 200))
    rna[:, :40] += 1.5 * one[:, None]
    meth[:, :30] += 1.5 * other[:, None]
    blocks = {
        "rna": pd.DataFrame(rna, index=ids, columns=[f"GENE{i}" for i in range(300)]),
        "meth": pd.DataFrame(meth, index=ids, columns=[f"cg{i:04d}" for i in range(200)]).sample(
            frac=0.95, random_state=seed
        ),
        "clinical": pd.DataFrame(
            {"age": rng.normal(60, 9, n), "sex": rng.choice(["f", "m", None], n)}, index=ids
        ),
    }
    return blocks, pd.Series(np.where(one * other > 0, "same", "opposite"), index=ids)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    x, y = made_up(200, seed=0)
    clf = gk.GenomeClassifier(
        folder / "run", time_limit=seconds, random_state=0, verbose=0, missing_blocks="mask"
    )
    clf.fit(x, y)
    for note in clf.notes_:
        print(note)
    board = clf.leaderboard()
    print(board[["score", "graph", "blocks", "views"]].head(5).to_string(index=False))

    worth = clf.block_estimates()
    print(worth[["block", "n_trials", "value", "low", "high"]].round(3).to_string(index=False))
    print("\n".join(filter(None, worth["says"])))

    new_x, new_y = made_up(300, seed=1)
    print(f"accuracy on new samples: {clf.evaluate(new_x, new_y)['accuracy']:.2f}")
    print(clf.explain(new_x, num_samples=40).by_block().round(3).to_string())
    # The exported model has an input for each assay; a sample that lacks one has NaN there.
    print(clf.export_keras_model(folder / "assays.keras"))
    print([tensor.name for tensor in clf.model_.inputs])


if __name__ == "__main__":
    main()
