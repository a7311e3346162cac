"""Several labels of each sample, as people write them: a table of 0 and 1, or a list of the labels of each."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.exceptions import DataConversionWarning

from genokeras.data.foreign import as_pandas
from genokeras.data.quantities import column_parts
from genokeras.errors import DataError
from genokeras.support.wording import listed

_PLAIN = tuple("biufU")
_ANSWERED_AS_TEXT = (bytes, datetime.date, datetime.timedelta, np.datetime64, np.timedelta64, pd.Period)


def is_label_sets(y: Any) -> bool:
    """Whether ``y`` has a collection of labels for each sample, such as ``[["a", "b"], []]``; rows of numbers are none."""
    if isinstance(y, pd.Series):
        y = y.tolist()
    if not isinstance(y, list | tuple | np.ndarray) or not len(y):
        return False
    if any(isinstance(labels, set | frozenset) for labels in y):
        return True
    nested = all(isinstance(labels, list | tuple) for labels in y)
    return nested and any(isinstance(label, str) for labels in y for label in labels)


def is_several(y: Any) -> bool:
    """Whether ``y`` gives each sample any number of labels; rows with exactly one each are classes that were written so."""
    if is_label_sets(y):
        return True
    if sparse.issparse(y):
        return True
    parts = None if y is None or isinstance(y, str) else column_parts(y)
    if parts is None:
        return False
    values = pd.DataFrame(parts[1])
    numbers = values.apply(pd.to_numeric, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    return bool(np.isin(numbers, (0, 1)).all() and not (numbers.sum(axis=1) == 1).all())


def warn_of_column(y: Any) -> None:
    """Warn as scikit-learn does where classes come as an array ``(n_samples, 1)``; they are read all the same."""
    if isinstance(y, np.ndarray) and y.ndim == 2 and y.shape[1] == 1:
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected. Please change the shape of y to (n_samples,), for example using "
            "ravel().",
            DataConversionWarning,
            stacklevel=2,
        )


def check_answerable(y: Any) -> None:
    """Check that classes can be answered as they are given: dates and bytes would come back as text, which is equal to none of them.

    Raises
    ------
    DataError
        If labels in memory are dates, times or bytes.
    """
    values = as_pandas(y)
    dtype = getattr(values, "dtype", None)
    if (
        not isinstance(values, pd.Series | pd.Index | np.ndarray | list | tuple)
        or getattr(dtype, "kind", "") in _PLAIN
    ):
        return
    kinds = {type(value).__name__ for value in values if isinstance(value, _ANSWERED_AS_TEXT)}
    if kinds:
        raise DataError(
            f"y holds values of the type {listed(sorted(kinds))}, and a classifier answers text, numbers or bools: expected one of these, so "
            "that answers can be compared with y. Pass np.asarray(y).astype(str)."
        )


def as_table(y: Any, names: Sequence[str] | None = None) -> Any:
    """Label sets, and sparse tables, as a DataFrame of 0 and 1; anything else as it is.

    Parameters
    ----------
    y : Any
    names : sequence of str, optional
        The labels that are known; all that occur by default, sorted.

    Raises
    ------
    DataError
        If a label is none of those known.
    """
    if sparse.issparse(y):
        matrix: Any = y
        dense = matrix.toarray()
        held = names if names is not None and len(names) == dense.shape[1] else range(dense.shape[1])
        return pd.DataFrame(dense, columns=[str(name) for name in held])
    if not is_label_sets(y):
        return y
    index = y.index if isinstance(y, pd.Series) else None
    sets = [{str(label) for label in labels} for labels in y]
    held = sorted(set().union(*sets)) if names is None else [str(name) for name in names]
    unknown = sorted(set().union(*sets) - set(held))
    if unknown:
        raise DataError(
            f"y has labels the model does not know: {listed(unknown, 8)}. Known are {listed(held, 20)}."
        )
    table = [[int(name in labels) for name in held] for labels in sets]
    return pd.DataFrame(table, columns=held, index=index)
