"""How much samples count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from genokeras.data.foreign import as_pandas
from genokeras.data.targets import rows_by_id
from genokeras.errors import DataError


def check_sample_weight(
    values: Any, n: int, ids: Sequence[str] | None = None, source: str = "the samples"
) -> np.ndarray:
    """Weights of `n` samples, float64, in the order of the samples, as `relative_weights` has them.

    Parameters
    ----------
    values : array-like
        ``(n,)`` by row; a Series, or a DataFrame of one column, by its index where that holds the sample ids.
    n : int
    ids : sequence of str, optional
        Of the samples; None where they have none.
    source : str
        What the samples were read from.

    Raises
    ------
    DataError
        If they are no numbers, of another number, not finite, negative, or all 0; or the index has only some of the ids.
    """
    given = as_pandas(values)
    if isinstance(given, pd.DataFrame) and given.shape[1] == 1:
        given = given.iloc[:, 0]
    try:
        weight = np.asarray(given, dtype="float64")
    except (TypeError, ValueError):
        raise DataError(
            f"sample_weight must have one number per sample, as an array or a Series: got {values!r:.60}."
        ) from None
    if isinstance(given, pd.Series):
        rows = rows_by_id(given.index, ids, n, "sample_weight", source)
        weight = weight if rows is None else weight[rows]
    if weight.shape != (n,):
        raise DataError(
            f"sample_weight must have one number per sample: expected {n}, got shape {weight.shape}. Where samples were left out, "
            "pass a Series whose index holds the sample ids."
        )
    if not np.isfinite(weight).all() or (weight < 0).any() or not weight.any():
        raise DataError("sample_weight must be finite, not negative, and not zero for all samples.")
    return relative_weights(weight)


def relative_weights(weight: np.ndarray) -> np.ndarray:
    """Weights ``(n,)`` whose mean over the samples that count, those above 0, is 1.

    What weighs the evidence of all samples against a prior, or against chance, takes the sum of their weights for their number. So weights that
    differ by a factor are the same; they are rounded to single precision, in which networks train, and hence also the same to the last bit.
    """
    relative = weight / weight.max()
    return (relative / relative[relative > 0].mean()).astype("float32").astype("float64")
