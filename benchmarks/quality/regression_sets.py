"""The sets of a folder whose targets are numbers, their outer folds, and what a prediction of numbers is worth.

``riboflavin_regression`` and ``brain_age_regression`` are reported. ``regression_yeast_tf`` and ``regression_mice`` are there to
choose defaults on; they have several targets, each of which is a set of its own, called ``regression_mice:Obesity.BMI``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import GroupKFold, KFold

from genokeras.support.wording import did_you_mean

MEASURES = ("r2", "rmse", "mae", "pearson", "spearman")
EQUAL_ROWS = "equal rows"


@dataclass(frozen=True)
class SetFile:
    """What of a file is read: the targets taken when none is named, and the array that says which samples belong together."""

    reported: bool
    targets: tuple[str, ...] = ()
    groups: str | None = None


SETS = {
    "riboflavin_regression": SetFile(reported=True),
    "brain_age_regression": SetFile(reported=True, groups="groups"),
    # Three of 18 time points of two cell cycles, evenly spaced.
    "regression_yeast_tf": SetFile(False, ("alpha14", "alpha56", "alpha98"), EQUAL_ROWS),
    "regression_mice": SetFile(False, ("Obesity.BMI", "Obesity.BodyLength"), "cage"),
}
REPORTED = tuple(name for name, file in SETS.items() if file.reported)


@dataclass(frozen=True, eq=False)
class RegressionSet:
    """One set: ``x`` ``(n, p)`` float32, ``y`` ``(n,)`` float64, ``groups`` ``(n,)`` or None."""

    name: str
    x: np.ndarray
    y: np.ndarray
    groups: np.ndarray | None = field(default=None)

    def take(self, rows: np.ndarray) -> RegressionSet:
        """The same set with some of its rows."""
        groups = None if self.groups is None else self.groups[rows]
        return RegressionSet(self.name, self.x[rows], self.y[rows], groups)


def find_regression_sets(folder: str | Path, names: list[str] | None = None) -> list[str]:
    """Names of sets, one for each target; ends the program where a file or a target is absent.

    Parameters
    ----------
    folder : str or Path
        Where the npz files are.
    names : list of str, optional
        Files (all their targets in `SETS`) or ``file:target``. Default: the reported sets that the folder holds.
    """
    present = [name for name in SETS if (Path(folder) / f"{name}.npz").exists()]
    found: list[str] = []
    for name in names or [name for name in present if name in REPORTED]:
        file, _, target = name.partition(":")
        if file not in present:
            hint = did_you_mean(file, present)
            raise SystemExit(f"{folder} has no set {file!r}; it has {', '.join(present) or 'none'}.{hint}")
        targets = (target,) if target else SETS[file].targets
        found += [f"{file}:{each}" for each in targets] if targets else [file]
    return found


def read_regression_set(folder: str | Path, name: str) -> RegressionSet:
    """Read one set by name; samples whose target is missing are left out."""
    file, _, target = name.partition(":")
    with np.load(Path(folder) / f"{file}.npz") as arrays:
        x = arrays["X"].astype("float32")
        y = (_column(arrays, name, target) if target else arrays["y"]).astype("float64")
        how = SETS[file].groups
        groups = None
        if how == EQUAL_ROWS:
            groups = np.unique(x, axis=0, return_inverse=True)[1].reshape(-1)
        elif how is not None:
            groups = arrays[how]
    return RegressionSet(name, x, y, groups).take(np.flatnonzero(~np.isnan(y)))


def _column(arrays: np.lib.npyio.NpzFile, name: str, target: str) -> np.ndarray:
    names = [str(each) for each in arrays["target_names"]]
    if target not in names:
        hint = did_you_mean(target, names)
        raise SystemExit(f"{name}: no target {target!r}; there are {', '.join(names)}.{hint}")
    return np.asarray(arrays["Y"][:, names.index(target)])


def folds_of(data: RegressionSet, count: int = 5, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """``count`` shuffled folds, rows of a group together, as positions ``(train, test)``."""
    splitter = KFold if data.groups is None else GroupKFold
    yield from splitter(count, shuffle=True, random_state=seed).split(data.x, data.y, data.groups)


def measures(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """R2 around the mean of ``truth``, errors, and correlations (0 where the predictions are constant).

    Parameters
    ----------
    truth, predicted : numpy.ndarray
        ``(n,)`` numbers.
    """
    constant = np.ptp(predicted) == 0 or np.ptp(truth) == 0
    return {
        "r2": float(r2_score(truth, predicted)),
        "rmse": float(root_mean_squared_error(truth, predicted)),
        "mae": float(mean_absolute_error(truth, predicted)),
        "pearson": 0.0 if constant else float(pearsonr(truth, predicted).statistic),
        "spearman": 0.0 if constant else float(spearmanr(truth, predicted).statistic),
    }
