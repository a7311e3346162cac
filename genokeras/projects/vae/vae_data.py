"""The rows that a Res-VAE is trained on, in their row space; the symbols are those of ``genokeras.projects.vae.vae``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genokeras.errors import DataError
from genokeras.features import RowSpace, fit_row_space, standardisation
from genokeras.support.wording import counted

_ROWS_AT_ONCE = 2048


@dataclass(frozen=True, eq=False)
class VaeData:
    """Training and validation rows in the row space of the former; every candidate can be trained on the same.

    Attributes
    ----------
    space : RowSpace
    train, validation : numpy.ndarray
        ``(n, r)`` float32.
    outside_train, outside_validation : float
        Mean over the rows of ``|x - x V V^T|^2 / k``: what no decoder into the row space can reconstruct.
    mean_predictor : float
        Squared error of a standardised validation feature where each is predicted by its training mean.
    means : numpy.ndarray
        ``(n_features,)`` of the training rows.
    medians : numpy.ndarray or None
    """

    space: RowSpace
    train: np.ndarray
    validation: np.ndarray
    outside_train: float
    outside_validation: float
    mean_predictor: float
    means: np.ndarray
    medians: np.ndarray | None


def prepare_vae(x_train: np.ndarray, x_validation: np.ndarray, medians: np.ndarray | None = None) -> VaeData:
    """Standardise on the training rows and project on their row span.

    Parameters
    ----------
    x_train, x_validation : numpy.ndarray
        ``(n, p)`` raw features. NaN is refused unless there are ``medians``.
    medians : numpy.ndarray, optional
        ``(p,)`` finite; stand in for NaN, here and in the encoder.

    Raises
    ------
    DataError
        If the shapes do not fit, there are too few rows, a value is missing or infinite, or no feature varies.
    """
    x_train, x_validation = checked_rows("training", x_train, 2), checked_rows("validation", x_validation, 1)
    if x_train.shape[1] != x_validation.shape[1]:
        raise DataError(
            f"training rows have {counted(x_train.shape[1], 'feature')}, validation rows "
            f"{x_validation.shape[1]}: expected the same features in both."
        )
    x_train, x_validation = (
        _filled("training", x_train, medians),
        _filled("validation", x_validation, medians),
    )
    scaling = standardisation(x_train)
    if not scaling.inverse_sd.any():
        raise DataError(
            f"none of {counted(x_train.shape[1], 'feature')} varies over {counted(len(x_train), 'training row')}: "
            "there is nothing to encode."
        )
    space = fit_row_space(x_train, scaling)
    train, validation = space.transform(x_train), space.transform(x_validation)
    total = _mean_squares(x_validation, space)
    return VaeData(
        space,
        train,
        validation,
        max(0.0, _mean_squares(x_train, space) - _mean_inside(train, space)),
        max(0.0, total - _mean_inside(validation, space)),
        total,
        scaling.mean,
        medians,
    )


def checked_rows(which: str, x: np.ndarray, least: int) -> np.ndarray:
    """``x`` as a matrix of numbers with enough rows, or a DataError."""
    x = np.asarray(x)
    if x.ndim != 2 or x.shape[1] == 0 or x.dtype.kind not in "fiub":
        raise DataError(
            f"{which} rows must be a matrix of numbers, samples x features, got shape {x.shape} of {x.dtype}."
        )
    if len(x) < least:
        raise DataError(f"expected {counted(least, f'{which} row')} or more, got {len(x)}.")
    return x


def _filled(which: str, x: np.ndarray, medians: np.ndarray | None) -> np.ndarray:
    if medians is not None:
        medians = np.asarray(medians)
        if medians.shape != (x.shape[1],) or not np.isfinite(medians).all():
            raise DataError(
                f"medians must be {counted(x.shape[1], 'finite number')}, one a feature, got shape {medians.shape}."
            )
        x = np.where(np.isnan(x), medians, x)
    wrong = np.argwhere(~np.isfinite(x))
    if len(wrong):
        row, column = wrong[0].tolist()
        raise DataError(
            f"{which} rows: {counted(len(wrong), 'value is', 'values are')} missing or infinite, first row {row + 1}, "
            f"column {column + 1}. Fill them, drop their rows or columns, or (where missing) pass medians."
        )
    return x.astype("float32", copy=False)


def _mean_squares(x: np.ndarray, space: RowSpace) -> float:
    """Mean square of the standardised features that vary."""
    total = 0.0
    for start in range(0, len(x), _ROWS_AT_ONCE):
        block = x[start : start + _ROWS_AT_ONCE, space.columns].astype("float64")
        block = (block - space.mean) * space.inverse_sd
        total += float(np.einsum("ij,ij->", block, block))
    return total / (len(x) * len(space.columns))


def _mean_inside(z: np.ndarray, space: RowSpace) -> float:
    """The same of what lies in the row space."""
    total = float(np.einsum("ij,ij->", z, z, dtype="float64"))
    return total / (space.scale**2 * len(z) * len(space.columns))
