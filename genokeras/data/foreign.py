"""Tables of other libraries than pandas (polars, pyarrow, modin...), read through narwhals with their names and gaps."""

from __future__ import annotations

from typing import Any

import narwhals
import numpy as np
import pandas as pd

from genokeras.errors import DataError
from genokeras.support.extras import needs

_KNOWN = (pd.DataFrame, pd.Series, np.ndarray, str, bytes, list, tuple, dict, type(None))


def as_pandas(value: Any) -> Any:
    """Return a frame or a series of another library as one of pandas; all else as it is.

    Raises
    ------
    DataError
        If it is a table of a library that narwhals does not know (as an array it would lose its names), or what reads it is not
        installed.
    """
    if isinstance(value, _KNOWN):
        return value
    found: Any = narwhals.from_native(value, pass_through=True, allow_series=True)
    if isinstance(found, narwhals.LazyFrame):
        found = found.collect()
    if isinstance(found, narwhals.DataFrame | narwhals.Series):
        return _converted(found)
    if hasattr(value, "columns") or hasattr(value, "__dataframe__"):
        kind = f"{type(value).__module__.partition('.')[0]}.{type(value).__name__}"
        raise DataError(
            f"a {kind} is no table that can be read with its names: convert it to a pandas, polars or pyarrow table first, or "
            "pass it as an array."
        )
    return value


def _converted(found: Any) -> Any:
    try:
        return found.to_pandas()
    except ImportError as error:
        library = type(found.to_native()).__module__.partition(".")[0]
        raise DataError(f"{needs(f'a table of {library}', 'pyarrow', 'parquet')}.") from error
