"""Excel workbooks (``.xlsx``); openpyxl is needed for them only."""

from __future__ import annotations

import datetime
import warnings
import zipfile
from pathlib import Path

import pandas as pd

from genokeras.data.frames import NamedFrame, table_from_frame
from genokeras.data.table import ReadOptions, Table
from genokeras.errors import DataFileError, GenoKerasError
from genokeras.support.checks import check_choice
from genokeras.support.extras import needs
from genokeras.support.wording import cause, listed


def read_xlsx(path: Path, options: ReadOptions) -> Table:
    """Read a sheet, the first unless ``options.sheet`` names another; its first row names the columns.

    Raises
    ------
    DataFileError
        Where openpyxl is not installed, or the file is damaged or no xlsx.
    """
    named = NamedFrame(*_columns(path, options.sheet))
    return table_from_frame(named, options, path.name)


def read_sheet(path: Path, sheet: str | None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the cells of a sheet as they are, without a header, and a note about other sheets."""
    try:
        with warnings.catch_warnings():
            # openpyxl warns of validations and styles, which are not read
            warnings.simplefilter("ignore")
            with pd.ExcelFile(path, engine="openpyxl") as book:
                sheets = [str(name) for name in book.sheet_names]
                chosen = sheet or sheets[0]
                check_choice(chosen, f"sheet (of {path.name})", sheets)
                frame = book.parse(chosen, header=None, keep_default_na=True)
    except ImportError as error:
        raise DataFileError(
            f"{path.name}: {needs('reading xlsx', 'openpyxl', 'excel')}, or save the sheet as CSV UTF-8."
        ) from error
    except GenoKerasError:
        raise
    except (zipfile.BadZipFile, OSError, KeyError, ValueError, TypeError, IndexError) as error:
        raise DataFileError(
            f"{path.name} is truncated, damaged or no xlsx file ({cause(error)}): save it again, or as CSV UTF-8."
        ) from error
    others = [name for name in sheets if name != chosen]
    note = (
        f"The sheet {chosen!r} was read; others are {listed(map(repr, others), 5)} (sheet=)."
        if others
        else ""
    )
    return frame.dropna(how="all").dropna(how="all", axis=1), (note,) if note else ()


def _columns(
    path: Path, sheet: str | None
) -> tuple[pd.DataFrame, tuple[str, ...], tuple[str, ...] | None, tuple[str, ...]]:
    cells, notes = read_sheet(path, sheet)
    if len(cells) < 2:
        raise DataFileError(f"{path.name} holds a header line and no samples (zero rows).")
    names = tuple("" if pd.isna(cell) else cell_text(cell) for cell in cells.iloc[0])
    frame = cells.iloc[1:].reset_index(drop=True).set_axis(range(len(names)), axis=1).infer_objects()
    dates = [i for i in range(min(3, len(names))) if frame[i].map(_is_date).any()]
    for i in dates:
        frame[i] = frame[i].map(cell_text).where(frame[i].notna(), None)
    return frame, names, None, notes


def _is_date(cell: object) -> bool:
    return isinstance(cell, datetime.date)


def cell_text(cell: object) -> str:
    """Return what a cell says; a date as ``2024-03-01``, a whole number without its point."""
    if isinstance(cell, datetime.date):
        return f"{cell:%Y-%m-%d}"
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()
