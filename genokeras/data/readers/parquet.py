"""Parquet tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from genokeras.data.frames import named_frame, table_from_frame
from genokeras.data.table import ReadOptions, Table
from genokeras.errors import DataFileError
from genokeras.support.extras import needs


def read_parquet(path: Path, options: ReadOptions) -> Table:
    """Read a parquet table of samples in rows; a stored index other than 0, 1, 2... holds the sample ids.

    Raises
    ------
    DataFileError
        Where the file is truncated or no parquet, or pyarrow is not installed.
    """
    return table_from_frame(named_frame(parquet_frame(path)), options, path.name)


def parquet_frame(path: Path) -> pd.DataFrame:
    """Return the columns of a parquet file as they are.

    Raises
    ------
    DataFileError
        Where the file is truncated or no parquet, or pyarrow is not installed.
    """
    try:
        return pd.read_parquet(path, engine="pyarrow")
    except ImportError as error:
        raise DataFileError(f"{path.name}: {needs('reading parquet', 'pyarrow', 'parquet')}.") from error
    except (OSError, ValueError, KeyError) as error:
        raise DataFileError(
            f"{path.name} is truncated, damaged or no parquet file ({error}): write or copy it again."
        ) from error
