"""How good predictions of classes are, as values: what was predicted, and how well it is calibrated. Pictures are drawn elsewhere.

Of a run, these are the out-of-fold predictions of the ensemble it delivers. Nobody trained on them, but the ensemble
was chosen by them, so the pictures are a little too kind; ``estimate_`` is corrected for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from genokeras.engine import Run, read_record
from genokeras.engine.sample_importance import importance_of
from genokeras.errors import ParameterError
from genokeras.report.confusion import label_codes
from genokeras.report.decisions import asked_of, decision_of
from genokeras.report.picture import (
    shown,
)
from genokeras.report.shares import share_of
from genokeras.report.sources import run_folder
from genokeras.tasks.threshold import Threshold

_FEWEST_IN_GROUP = 10
_RUN_NOTE = "Out-of-fold predictions of the delivered ensemble, which was chosen by them; estimate_ is corrected for that."


@dataclass(frozen=True, eq=False)
class Predictions:
    """Class probabilities of samples whose classes are known.

    Parameters
    ----------
    truth : array-like of shape (n_samples,)
        Codes, or names of classes.
    probabilities : array-like of shape (n_samples, n_classes)
    classes : sequence of str
    fold : array-like of shape (n_samples,), optional
        For the bands: which part of the data a sample belongs to.
    note : str
        Small print below the pictures.
    threshold : Threshold, optional
        What ``predict`` goes by; by default the most probable class.
    weight : array-like of shape (n_samples,), optional
        How much each sample counts, on any scale; by default all count alike.

    Raises
    ------
    ParameterError
        If shapes do not fit, there are no samples, or a probability is out of range.
    """

    truth: Any
    probabilities: Any
    classes: Any
    fold: Any = None
    note: str = ""
    threshold: Threshold | None = None
    weight: Any = None

    def __post_init__(self) -> None:
        classes = tuple(str(name) for name in self.classes)
        codes = label_codes(self.truth, classes, "truth")
        p = np.asarray(self.probabilities, dtype="float64")
        if not len(codes) or p.shape != (len(codes), len(classes)) or len(classes) < 2:
            raise ParameterError(
                f"probabilities must have one row a sample and one column a class, of which there are at least 2: expected "
                f"({len(codes)}, {len(classes)}), got {p.shape}."
            )
        if not (np.isfinite(p).all() and (p >= 0).all() and (p <= 1 + 1e-6).all()):
            raise ParameterError("probabilities must be between 0 and 1, and none of them missing.")
        fold = np.zeros(len(codes), dtype=int) if self.fold is None else np.asarray(self.fold)
        if fold.shape != codes.shape:
            raise ParameterError(
                f"fold must have one number a sample: expected {codes.shape}, got {fold.shape}."
            )
        weight = None if self.weight is None else np.asarray(self.weight, dtype="float64")
        if weight is not None and (
            weight.shape != codes.shape
            or not np.isfinite(weight).all()
            or weight.min() < 0
            or not weight.any()
        ):
            raise ParameterError(
                f"weight must have one number a sample, none below 0 and not all 0: expected {codes.shape}, got {weight.shape}."
            )
        checked = {"truth": codes, "probabilities": p, "classes": classes, "fold": fold, "weight": weight}
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def decided(self) -> np.ndarray:
        """``(n_samples,)`` codes of the classes that ``predict`` answers."""
        if self.threshold is None:
            return np.asarray(self.probabilities.argmax(axis=1))
        return self.threshold.decided(self.probabilities)

    @property
    def counts(self) -> np.ndarray:
        """``(n_samples,)`` how much each sample counts, with a mean of 1."""
        return np.ones(len(self.truth)) if self.weight is None else self.weight / self.weight.mean()

    @property
    def right(self) -> float:
        """The share of the samples, by how much they count, whose class ``predict`` answers."""
        return float(np.average(self.decided == self.truth, weights=self.counts))

    @property
    def folds(self) -> list[np.ndarray]:
        """Rows of each fold that count, as masks; none where there is one fold only."""
        numbers = np.unique(self.fold)
        counting = self.counts > 0
        return [counting & (self.fold == number) for number in numbers] if len(numbers) > 1 else []


def run_predictions(run: Any) -> Predictions:
    """Out-of-fold predictions of what a run delivers; of an estimator with a ``threshold``, they are decided by that.

    Parameters
    ----------
    run : path-like or fitted estimator

    Raises
    ------
    RunFolderError
        If it is no run, or was not finished.
    """
    record = read_record(run_folder(run))
    return out_of_fold_predictions(record, decision_of(record, asked_of(run)).threshold)


def out_of_fold_predictions(run: Run, threshold: Threshold | None = None) -> Predictions:
    """As :func:`run_predictions`, by a threshold that is known."""
    found = run.out_of_fold()
    names = [str(name) for name in run.names]
    return Predictions(
        found.targets, found.answers, names, found.fold, _RUN_NOTE, threshold, importance_of(run)
    )


def as_predictions(source: Any) -> Predictions:
    """Predictions as they are; those of a run out of fold."""
    return source if isinstance(source, Predictions) else run_predictions(source)


# ---- calibration


def said_and_right(found: Predictions) -> tuple[np.ndarray, np.ndarray, str]:
    """Probabilities ``(n_samples,)`` that a calibration looks at, whether what they say is true, and what they are of."""
    p = found.probabilities
    if p.shape[1] == 2:
        return p[:, 1], found.truth == 1, f"predicted probability of {shown(found.classes)[1]}"
    return p.max(axis=1), p.argmax(axis=1) == found.truth, "probability of the predicted class"


def reliability(
    said: np.ndarray, right: np.ndarray, bins: int = 10, weight: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Predicted and observed frequencies in groups of samples that are told about the same probability.

    Parameters
    ----------
    said : ndarray of shape (n_samples,)
        Probabilities.
    right : ndarray of bool, shape (n_samples,)
    bins : int
        Groups at most. They are of about equal size, and fewer where some would have less than 10 samples: a share of two or three samples
        says nothing.
    weight : ndarray of shape (n_samples,), optional
        How much each sample counts; by default all count alike.

    Returns
    -------
    dict of str to ndarray
        ``count`` and ``weight`` of the samples, mean ``said``, ``observed`` share, all of shape (m,), and ``interval`` (2, m), 95 %
        (Clopper and Pearson 1934).
    """
    weight = np.ones(len(said)) if weight is None else weight
    n_groups = int(np.clip(len(said) // _FEWEST_IN_GROUP, 2, bins))
    # Samples with the same probability are in one group.
    limits = np.unique(np.quantile(said, np.arange(1, n_groups) / n_groups))
    place = np.searchsorted(limits, said, side="right")
    total = np.bincount(place, weight)
    used = np.flatnonzero(total)
    found = [share_of(right[place == group], weight[place == group]) for group in used]
    return {
        "count": np.bincount(place)[used],
        "weight": total[used],
        "said": np.bincount(place, said * weight)[used] / total[used],
        "observed": np.array([one.value for one in found]),
        "interval": np.array([[one.low for one in found], [one.high for one in found]]),
    }


def calibration_error(table: dict[str, np.ndarray]) -> float:
    """The expected calibration error of what :func:`reliability` found."""
    return float(table["weight"] @ np.abs(table["observed"] - table["said"]) / table["weight"].sum())
