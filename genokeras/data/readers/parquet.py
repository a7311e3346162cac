"""Parquet tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from genokeras.data.frames import named_frame, table_from_frame
from genokeras.data.table import ReadOptions, Table
from genokeras.errors import DataFileError


def read_parquet(path: Path, options: ReadOptions) -> Table:
    """Read a parquet table of samples in rows; a stored index other than 0, 1, 2... holds the sample ids.

    Raises
    ------
    DataFileError
        Where the file is truncated or no parquet, or no parquet engine is installed.
    """
    try:
        frame = pd.read_parquet(path)
    except ImportError as error:
        raise DataFileError(f"{path.name}: reading parquet needs pyarrow: pip install pyarrow.") from error
    except (OSError, ValueError, KeyError) as error:
        raise DataFileError(
            f"{path.name} is truncated, damaged or no parquet file ({error}): write or copy it again."
        ) from error
    return table_from_frame(named_frame(frame), options, path.name)
