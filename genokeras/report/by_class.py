"""How each class fares, and which samples are predicted wrong: tables of class predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from genokeras.report.diagnostics import Predictions
from genokeras.report.page import paragraph, table
from genokeras.report.shares import share_of

_MOST_MISTAKES = 40
_CLASS_HEAD = ("class", "samples", "recall", "95 % interval", "precision", "95 % interval", "F1", "taken for")
_MISTAKE_HEAD = ("sample", "truth", "prediction", "probability of it", "of the truth")


def class_table(found: Predictions, caption: str) -> str:
    """HTML: recall, precision and F1 of each class as it is predicted, with exact intervals (Clopper and Pearson 1934).

    Samples count by their weights; those of a class, and those taken for another, are numbers of samples.
    """
    predicted, counts, rows = found.decided, found.counts, []
    for code, name in enumerate(found.classes):
        own, said = found.truth == code, predicted == code
        recall, precision = _share(said[own], counts[own]), _share(own[said], counts[said])
        both = float(counts @ own + counts @ said)
        f1 = 2.0 * float(counts @ (own & said)) / both if both else np.nan
        rows.append(
            (name, f"{own.sum():,}", *recall, *precision, _digits(f1), _taken_for(found, predicted, code))
        )
    return table(caption, _CLASS_HEAD, rows, numbers=[1, 2, 3, 4, 5, 6], long=[0, 7])


def _share(right: np.ndarray, weight: np.ndarray) -> tuple[str, str]:
    found = share_of(right, weight)
    if math.isnan(found.value):
        return "–", "–"
    return _digits(found.value), f"{found.low:.2f} to {found.high:.2f}"


def _digits(value: float) -> str:
    return "–" if value != value else f"{value:.3f}"


def _taken_for(found: Predictions, predicted: np.ndarray, code: int) -> str:
    """The other classes that samples of one are predicted to be, most first."""
    counts = np.bincount(predicted[found.truth == code], minlength=len(found.classes))
    counts[code] = 0
    order = np.argsort(-counts, kind="stable")
    return ", ".join(f"{found.classes[i]} ({counts[i]})" for i in order[:3] if counts[i]) or "–"


def mistakes(found: Predictions, ids: Sequence[str], caption: str) -> str:
    """HTML: the samples whose predicted class is not theirs, the surest mistakes first; a sentence where there are none.

    Parameters
    ----------
    found : Predictions
    ids : sequence of str
        Names of its samples.
    caption : str
    """
    p, predicted = found.probabilities, found.decided
    wrong = np.flatnonzero(predicted != found.truth)
    if not len(wrong):
        return paragraph(f"{caption}: none of {len(found.truth)}.")
    surest = wrong[np.argsort(-p[wrong, predicted[wrong]], kind="stable")]
    rows = [
        (
            ids[i],
            found.classes[found.truth[i]],
            found.classes[predicted[i]],
            f"{p[i, predicted[i]]:.3f}",
            f"{p[i, found.truth[i]]:.3f}",
        )
        for i in surest[:_MOST_MISTAKES].tolist()
    ]
    shown = f", the {len(rows)} surest" if len(wrong) > len(rows) else ""
    said = f"{caption}: {len(wrong)} of {len(found.truth)}{shown}"
    return table(said, _MISTAKE_HEAD, rows, numbers=[3, 4], long=[0, 1, 2])
