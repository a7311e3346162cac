"""The sets of a folder: expression matrices as npz, single cells as h5ad."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genokeras import load_dataset
from genokeras.data import encode_labels

# Sets that share patients count as one when averages are taken.
COHORTS = {"bhattacharjee_lung": "lung", "gordon_lung": "lung"}
SINGLE_CELL = {"pbmc68k_reduced": "bulk_labels", "yan_embryo": "cell_type"}
MOST_CLASSES = 30


@dataclass(frozen=True)
class BenchmarkSet:
    """One classification set: ``x`` ``(n, p)``, ``codes`` ``(n,)``, groups where samples belong together."""

    name: str
    x: np.ndarray
    codes: np.ndarray
    groups: np.ndarray | None

    @property
    def cohort(self) -> str:
        return COHORTS.get(self.name, self.name)


def find_sets(folder: str | Path, names: list[str] | None = None) -> list[str]:
    """Names of the classification sets of a folder, expression sets first; other kinds of sets are left out."""
    root = Path(folder)
    expression = [p.stem for p in sorted(root.glob("*.npz")) if _is_classification(p)]
    cells = [name for name in SINGLE_CELL if (root / f"{name}.h5ad").exists()]
    found = expression + cells
    unknown = sorted(set(names or []) - set(found))
    if unknown:
        raise SystemExit(f"{root} has no set {', '.join(unknown)}; it has {', '.join(found)}.")
    return [name for name in found if not names or name in names]


def read_set(folder: str | Path, name: str) -> BenchmarkSet:
    """Read one set by name."""
    path = Path(folder) / f"{name}.npz"
    if path.exists():
        with np.load(path) as arrays:
            groups = arrays["groups"] if "groups" in arrays.files else None
            return BenchmarkSet(name, arrays["X"].astype("float32"), encode_labels(arrays["y"]).codes, groups)
    dataset = load_dataset(path.with_suffix(".h5ad"), SINGLE_CELL[name])
    dense = dataset.x.toarray() if hasattr(dataset.x, "toarray") else dataset.x
    return BenchmarkSet(name, np.asarray(dense), encode_labels(dataset.y).codes, None)


def _is_classification(path: Path) -> bool:
    with np.load(path) as arrays:
        # Survival times, several omics and several targets lack one of these; cohorts ask another question.
        if not {"X", "y"} <= set(arrays.files) or "batch" in arrays.files:
            return False
        y = arrays["y"]
    return not (y.dtype.kind == "f" and len(np.unique(y)) > MOST_CLASSES)
