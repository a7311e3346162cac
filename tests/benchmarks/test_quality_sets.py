"""Which files of a folder are sets of classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.quality.sets import find_sets


def test_only_matrices_with_classes_of_one_cohort_are_found(tmp_path: Path) -> None:
    x, classes = np.zeros((40, 2)), np.array(["a", "b"] * 20)
    np.savez(tmp_path / "classes.npz", X=x, y=classes)
    np.savez(tmp_path / "numbers.npz", X=x, y=np.arange(40.0))
    np.savez(tmp_path / "several_targets.npz", X=x, Y=x, target_names=np.array(["a", "b"]))
    np.savez(tmp_path / "several_omics.npz", X_rna=x, X_protein=x, y=classes)
    np.savez(tmp_path / "survival.npz", X=x, time=np.ones(40), event=np.ones(40))
    np.savez(tmp_path / "cohorts.npz", X=x, y=classes, batch=classes)
    assert find_sets(tmp_path) == ["classes"]
